"""The end of a build: all its maps are shown at once, in one transaction. The end of what nobody needs."""

import logging
import shutil
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from atlas.datasets.models import Dataset, State
from atlas.maps import vectors
from atlas.maps.build import OPEN
from atlas.maps.kept import Points, load_topics
from atlas.maps.models import Build, DataMap, MapVersion, Space, Stage, Step, Topic
from atlas.maps.shown import shown_version
from atlas.maps.steps import Stopped, Watch, hold
from atlas.maps.tiles import out_of

log = logging.getLogger(__name__)

#: A page that was opened before a new version came goes on with the old files for so long.
OLD_VERSION_KEPT = timedelta(hours=1)


def version_id(build_id: UUID, space: str) -> UUID:
    """The id that a build's version of a map will have: known before there is a row, for its files."""
    return uuid.uuid5(build_id, space)


def scratch_folder(build_id: UUID, space: str) -> Path:
    """Where the steps of a build leave what the next ones need."""
    return _builds() / str(build_id) / space


def publish(step: Step, watch: Watch) -> None:
    """Show every map of the build. Its files are complete: the steps before this one are done."""
    watch.check()
    build = step.build
    with transaction.atomic():
        hold(step)
        changed = Build.objects.filter(pk=build.pk, state__in=OPEN).update(
            state=State.DONE, finished_at=timezone.now()
        )
        if not changed:
            raise Stopped
        for space in build.steps.filter(stage=Stage.TILES).values_list("space", flat=True):
            _publish_map(build, space)
        withdraw(build.dataset_id, build.removed_count)
        Step.objects.filter(pk=step.pk).update(state=State.DONE, done=F("total"), finished_at=Now())
    shutil.rmtree(_builds() / str(build.pk), ignore_errors=True)


def _publish_map(build: Build, space: str) -> None:
    data_map = DataMap.objects.select_for_update().get(dataset=build.dataset_id, space=space)
    last = data_map.versions.aggregate(last=Max("number"))["last"] or 0
    version = MapVersion(pk=version_id(build.pk, space), map=data_map, build=build, number=last + 1)
    points = Points.load(version.folder)
    version.count = len(points.rows)
    shown = shown_version(build, space, points.rows)
    version.layout = version.pk if shown is None else shown.layout
    version.save(force_insert=True)
    found = load_topics(version.folder, points.rows).topics
    rows = Topic.objects.bulk_create(
        Topic(
            version=version,
            number=topic.id,
            level=topic.level,
            name=topic.name[:200],
            count=topic.count,
            representative=int(points.rows[topic.row]),
        )
        for topic in found
    )
    by_id = {row.number: row for row in rows}
    for topic, row in zip(found, rows, strict=True):
        row.parent = None if topic.parent is None else by_id[topic.parent]
    Topic.objects.bulk_update(rows, ["parent"], batch_size=500)
    DataMap.objects.filter(pk=data_map.pk).update(current=version)


def withdraw(dataset_id: UUID, removed_count: int) -> None:
    """Inside a transaction: delete the versions of before the last of so many removals, and at its end their
    files. A picture that was removed is in them, and on no page that is open may it stay for ever."""
    before = MapVersion.objects.filter(map__dataset=dataset_id, build__removed_count__lt=removed_count)
    if before.exists():
        before.delete()  # a map of which no other is left shows none
        transaction.on_commit(lambda: _clear_away(dataset_id), robust=True)


def _clear_away(dataset_id: UUID) -> None:
    _sweep_versions(dataset_id, _maps() / str(dataset_id))
    vectors.remove_other_matrices(dataset_id, _row_counts(dataset_id))


def remove_everything(dataset_id: UUID) -> None:
    """After a dataset was deleted: its builds stop, its vectors, maps and files go. May be run again."""
    Build.objects.filter(dataset=dataset_id, state__in=OPEN).update(state=State.CANCELLED)
    DataMap.objects.filter(dataset=dataset_id).update(current=None)
    DataMap.objects.filter(dataset=dataset_id).delete()
    # Waits for a batch that is just being written; later ones find that their step is gone.
    builds = list(Build.objects.filter(dataset=dataset_id).values_list("pk", flat=True))
    Build.objects.filter(pk__in=builds).delete()
    vectors.drop_partition(dataset_id)
    for folder in (_maps() / str(dataset_id), *(_builds() / str(build) for build in builds)):
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove old versions and whatever a killed worker or a deleted dataset left on the disk."""
    _sweep_old_versions()
    for dataset_id, folder in _named_by_id(_maps()):
        _sweep_versions(dataset_id, folder)
    for build_id, folder in _named_by_id(_builds()):
        if not _unfinished().filter(pk=build_id).exists():
            shutil.rmtree(folder, ignore_errors=True)
    for dataset_id, folder in _named_by_id(Path(settings.ATLAS_HOME) / "vectors"):
        if not Dataset.objects.filter(pk=dataset_id).exists():
            shutil.rmtree(folder, ignore_errors=True)
        else:
            building = _unfinished().filter(dataset=dataset_id).exists()
            vectors.remove_other_matrices(dataset_id, _row_counts(dataset_id), building=building)


def _sweep_versions(dataset_id: UUID, folder: Path) -> None:
    for draft in folder.glob(".*.draft"):
        if not _is_being_written(dataset_id, draft):
            shutil.rmtree(draft, ignore_errors=True)
    for version, files in _named_by_id(folder):
        if not _is_wanted(dataset_id, version):
            shutil.rmtree(files, ignore_errors=True)


def _sweep_old_versions() -> None:
    replaced = MapVersion.objects.filter(
        map__current__published_at__lt=timezone.now() - OLD_VERSION_KEPT
    ).exclude(pk=F("map__current"))
    for version in replaced.select_related("map"):
        folder = version.folder
        version.delete()
        shutil.rmtree(folder, ignore_errors=True)


def _is_being_written(dataset_id: UUID, draft: Path) -> bool:
    building = Build.objects.filter(dataset=dataset_id, state__in=OPEN)
    return out_of(draft) in map(str, _versions_of(building))


def _is_wanted(dataset_id: UUID, version: UUID) -> bool:
    # In this order: what is published in between is found by the second look.
    return (
        version in _versions_of(_unfinished().filter(dataset=dataset_id))
        or MapVersion.objects.filter(pk=version, map__dataset=dataset_id).exists()
    )


def _unfinished() -> QuerySet[Build]:
    """Builds that still need their files: open ones, and the latest of a dataset if it failed, for its
    retry, which is none that shows removed records."""
    latest = Build.objects.filter(dataset=OuterRef("dataset")).order_by("-created_at").values("pk")[:1]
    retried = Q(state=State.FAILED, pk=Subquery(latest), removed_count=F("dataset__removed_count"))
    return Build.objects.filter(Q(state__in=OPEN) | retried)


def _versions_of(builds: QuerySet[Build]) -> set[UUID]:
    """The ids that their maps have, or will have."""
    ids = builds.values_list("pk", flat=True)
    return {version_id(build, space) for build in ids for space in Space.values}


def _row_counts(dataset_id: UUID) -> set[int]:
    """The numbers of rows that a map in use, or a build that is not over, is made of."""
    used = Q(pk__in=MapVersion.objects.filter(map__dataset=dataset_id).values("build"))
    builds = Build.objects.filter(used | Q(pk__in=_unfinished().values("pk")), dataset=dataset_id)
    return set(builds.values_list("row_count", flat=True))


def _named_by_id(folder: Path) -> Iterator[tuple[UUID, Path]]:
    for path in sorted(folder.glob("[!.]*-*-*-*-*")):
        try:
            yield UUID(path.name), path
        except ValueError:
            log.warning("%s is not ours: left alone", path)


def _maps() -> Path:
    return Path(settings.ATLAS_HOME) / "maps"


def _builds() -> Path:
    return Path(settings.ATLAS_HOME) / "builds"
