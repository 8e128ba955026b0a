"""Builds: from records to published maps, cut into steps that workers claim.

Postgres holds the truth, Celery only carries the numbers of steps. A build goes on whenever a step ends
(`advance`); should that call, a message or a worker be lost, the beat finds what stands still (`rescue`).
"""

import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest, Now
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from atlas.datasets import queue
from atlas.datasets.models import Dataset, Import, ImportState, Record, State
from atlas.datasets.remove import hold_records
from atlas.maps import progress, vectors
from atlas.maps.models import Build, DataMap, Space, Stage, Step
from atlas.patience import MAX_DEATHS, SILENCE, STOPPED_TOO_OFTEN

log = logging.getLogger(__name__)

OPEN = (State.QUEUED, State.RUNNING)
#: Rows of an embedding step: a minute or two of the largest tower on one core, for somebody's few pictures
#: wait for the end of one. What a killed worker costs at most is one batch of it (see `embed.py`).
SHARD_ROWS = 128
#: Vectors that came with the records are only copied.
COPIED_SHARD_ROWS = 8192
#: Steps of one build given to Celery at a time: enough for every worker, few enough that another build gets
#: its turn.
IN_FLIGHT = 8
#: Runs of a step that may end in an error.
MAX_ATTEMPTS = 3
#: A step given to Celery this long ago, in a build where nothing runs, is given again.
MESSAGE_LOST = timedelta(seconds=10)


class BuildError(Exception):
    """A build cannot be started or go on; the message is a sentence for the user."""


@transaction.atomic
def create_build(dataset_id: UUID, *, append: bool) -> Build:
    """Start a build of all records that are there now.

    Args:
        append: old points stay where they are and new records are placed among them; a space that has no
            map yet, or a small one for so many, is projected all the same.
    Raises:
        BuildError: a build is open already, or there is nothing to build.
    """
    dataset = Dataset.objects.select_for_update().get(pk=dataset_id, deleting=False)
    if dataset.builds.filter(state__in=OPEN).exists():
        raise BuildError("A build of this dataset is running already.")
    if not dataset.record_count:
        raise BuildError("The dataset has no records.")
    vectors.create_partition(dataset_id)
    build = Build.objects.create(
        dataset=dataset, row_count=dataset.row_count, removed_count=dataset.removed_count, append=append
    )
    embedded = _embedded_spaces(dataset)
    steps = [step for space in embedded for step in _shards(build, space)]
    for space in _map_spaces(embedded):
        DataMap.objects.get_or_create(dataset=dataset, space=space)
        steps += [Step(build=build, stage=stage, space=space) for stage in Stage if stage in OVER_A_SPACE]
    Step.objects.bulk_create([*steps, Step(build=build, stage=Stage.PUBLISH)])
    transaction.on_commit(lambda: advance(build.pk))
    transaction.on_commit(lambda: progress.announce(dataset_id))
    return build


OVER_A_SPACE = (Stage.PROJECT, Stage.TOPICS, Stage.TILES)


def _embedded_spaces(dataset: Dataset) -> list[Space]:
    """The spaces that need vectors. Vectors that came with the records are of one space only."""
    records = Record.objects.filter(dataset=dataset, row__lt=dataset.row_count)
    has_pictures = content(records, Space.IMAGE).exists()
    if dataset.vector_size:
        return [Space.IMAGE if has_pictures else Space.CAPTION]
    has_captions = content(records, Space.CAPTION).exists()
    return [space for space, has in ((Space.IMAGE, has_pictures), (Space.CAPTION, has_captions)) if has]


def _map_spaces(embedded: list[Space]) -> list[Space]:
    return [*embedded, Space.JOINT] if len(embedded) == 2 else embedded


def content(records: QuerySet[Record], space: Space) -> QuerySet[Record]:
    """Those that have what a space shows."""
    if space == Space.IMAGE:
        return records.filter(sha256__isnull=False)
    return records.exclude(caption="")


def _shards(build: Build, space: Space) -> Iterable[Step]:
    """Steps for the rows that need a vector. Where everything is made anew these are all rows: only the step
    itself, in a worker, can tell whether the vectors that are there came from the present weights."""
    dataset = build.dataset
    size = COPIED_SHARD_ROWS if dataset.vector_size else SHARD_ROWS
    records = Record.objects.filter(dataset=dataset, row__lt=build.row_count)
    if not dataset.vector_size:
        records = content(records, space)
    stored = vectors.stored_per_shard(dataset.pk, space, build.row_count, size) if build.append else {}
    counted = records.values_list(F("row") / size).annotate(count=Count("row")).order_by(F("row") / size)
    for number, count in counted:
        if missing := count - stored.get(number, 0):
            start, stop = number * size, min((number + 1) * size, build.row_count)
            yield Step(build=build, stage=Stage.EMBED, space=space, start=start, stop=stop, total=missing)


def advance(build_id: UUID) -> None:
    """Give Celery the steps whose prerequisites are done, up to `IN_FLIGHT` at a time."""
    with transaction.atomic():
        build = Build.objects.select_for_update().filter(pk=build_id, state__in=OPEN).first()
        if build is None:
            return
        ready = _ready_steps(build)
        Step.objects.filter(pk__in=[step.pk for step in ready]).update(sent_at=Now())
        transaction.on_commit(lambda: _send_all(ready))


def _ready_steps(build: Build) -> list[Step]:
    unfinished = Q(state__in=OPEN)
    in_flight = build.steps.filter(unfinished, sent_at__isnull=False).count()
    pieces = build.steps.filter(unfinished).values_list("stage", "space").annotate(left=Count("id"))
    waiting = {(stage, space): left for stage, space, left in pieces.order_by()}
    ready = Q(pk__in=[])
    for stage, space in waiting:
        if not any(_needs(stage, space, *other) for other in waiting):
            ready |= Q(stage=stage, space=space)
    unsent = build.steps.select_related("build").filter(ready, state=State.QUEUED, sent_at__isnull=True)
    return list(unsent.order_by("id")[: max(0, IN_FLIGHT - in_flight)])


_BEFORE = {Stage.PROJECT: Stage.EMBED, Stage.TOPICS: Stage.PROJECT, Stage.TILES: Stage.TOPICS}


def _needs(stage: str, space: str, other_stage: str, other_space: str) -> bool:
    """Whether the steps of one stage and space wait for those of the other."""
    if stage == Stage.PUBLISH:
        return other_stage != Stage.PUBLISH
    if stage == Stage.EMBED:
        return False
    if stage == Stage.TILES and other_stage == Stage.PROJECT:
        return True  # every map shows the columns that are computed with any of them
    if other_stage != _BEFORE[Stage(stage)]:
        return False
    return other_space == space or (stage == Stage.PROJECT and space == Space.JOINT)


def _send_all(steps: list[Step]) -> None:
    for step in steps:
        send(step)


def send(step: Step, delay: float = 0) -> None:
    """Give a step's number to Celery. While the broker is away nothing is lost: see `rescue`."""
    name = "atlas.maps.tasks.embed_step" if step.stage == Stage.EMBED else "atlas.maps.tasks.build_step"
    try:
        level = queue.priority(step.build.row_count, queue.RECORDS)
        current_app.send_task(name, [step.pk], countdown=delay or None, priority=level)
    except BrokerError as error:
        log.warning("step %s not sent: %s", step.pk, error)


def cancel_build(build: Build) -> None:
    """Stop a build; its running steps notice within a second. Raises BuildError if it is over already."""
    with transaction.atomic():
        if not _stop(build):
            raise BuildError("This build is over already.")
    progress.announce(build.dataset_id)


def _stop(build: Build) -> bool:
    """Whether it was open."""
    changed = Build.objects.filter(pk=build.pk, state__in=OPEN).update(
        state=State.CANCELLED, finished_at=timezone.now()
    )
    if changed:
        Step.objects.filter(build=build, state=State.QUEUED).update(state=State.CANCELLED)
    return bool(changed)


def build_without_removed(dataset: Dataset) -> None:
    """After records were removed, in their transaction: the maps are made again without them. A build that is
    open has them already, so another takes its place; vectors are kept."""
    stopped = dataset.builds.filter(state__in=OPEN).first()
    # Asked again by the update: it may have been published just now.
    append = stopped is None or not _stop(stopped) or stopped.append
    if dataset.record_count:
        create_build(dataset.pk, append=append)
    else:
        transaction.on_commit(lambda: progress.announce(dataset.pk))


def retry_build(build: Build) -> None:
    """Go on with the latest build, which failed: only what failed is done again. Of one that was cancelled
    the vectors are kept, and a new build does the rest.

    Raises BuildError unless it ended so and no other build is open.
    """
    if build.state == State.CANCELLED:
        create_build(build.dataset_id, append=build.append)
        return
    try:
        with transaction.atomic():
            hold_records(build.dataset_id)
            # What its steps found may be of records that were removed since: then there is a newer build.
            current = Dataset.objects.filter(pk=build.dataset_id, removed_count=build.removed_count)
            failed = Build.objects.filter(pk=build.pk, state=State.FAILED, dataset__in=current)
            changed = failed.update(state=State.RUNNING, error="", finished_at=None)
            if not changed:
                raise BuildError("Only a build that has failed or was cancelled can be tried again.")
            Step.objects.filter(build=build, state=State.FAILED).update(
                state=State.QUEUED, error="", attempts=0, sent_at=None
            )
            Step.objects.filter(build=build, state=State.QUEUED).update(sent_at=None)
    except IntegrityError:
        raise BuildError("A newer build of this dataset is running already.") from None
    advance(build.pk)
    progress.announce(build.dataset_id)


def build_newer_records(dataset_id: UUID) -> None:
    """After a build: records that came while it ran get the next one. A running import will ask by itself."""
    dataset = Dataset.objects.filter(pk=dataset_id, deleting=False).first()
    latest = Build.objects.filter(dataset=dataset_id).order_by("created_at").last()
    if dataset is None or latest is None or _importing(dataset_id).exists():
        return
    if dataset.row_count <= latest.row_count or not dataset.record_count:
        return
    try:
        create_build(dataset_id, append=True)
    except BuildError:
        log.info("dataset %s is being built already", dataset_id)


def rescue() -> None:
    """Take up what stands still: steps whose worker was killed, messages that were lost, records that came
    just between two looks for them."""
    silent = Step.objects.filter(state=State.RUNNING, heartbeat_at__lt=Now() - SILENCE)
    for step in silent.select_related("build"):
        give_up(step, STOPPED_TOO_OFTEN, again=step.attempts < MAX_DEATHS)
    for build in Build.objects.filter(state__in=OPEN):
        if not build.steps.filter(state=State.RUNNING).exists():
            lost = Q(state=State.QUEUED, sent_at__lt=Now() - MESSAGE_LOST)
            build.steps.filter(lost).update(sent_at=None)
        advance(build.pk)
    for dataset_id in _left_out():
        build_newer_records(dataset_id)


def _left_out() -> QuerySet[Dataset, UUID]:
    """Datasets whose latest build is done, with records that it does not have, while no import runs."""
    latest = Build.objects.filter(dataset=OuterRef("pk")).order_by("-created_at")
    built = Dataset.objects.annotate(
        built=Subquery(latest.values("row_count")[:1]), build_state=Subquery(latest.values("state")[:1])
    )
    behind = built.filter(
        ~Exists(_importing(OuterRef("pk"))),
        build_state=State.DONE,
        row_count__gt=Greatest(F("built"), F("removed_count")),
        deleting=False,
    )
    return behind.values_list("pk", flat=True)


def _importing(dataset: UUID | OuterRef) -> QuerySet[Import]:
    """Imports that may bring it more."""
    return Import.objects.filter(dataset=dataset, state__in=(ImportState.QUEUED, ImportState.RUNNING))


def give_up(step: Step, reason: str, *, again: bool) -> None:
    """End a run of a step that did not finish it: the step waits for its next run, or the build has failed.

    Args:
        step: as it was claimed; nothing happens if another run holds it by now.
        reason: a sentence for the user.
        again: whether another run may do better.
    """
    mine = Step.objects.filter(pk=step.pk, claim=step.claim, state=State.RUNNING)
    if Build.objects.filter(pk=step.build_id, state=State.CANCELLED).exists():
        mine.update(state=State.CANCELLED)
    elif again:
        if mine.update(state=State.QUEUED, claim=None, sent_at=Now()):
            send(step, delay=2.0**step.attempts)
    else:
        _fail(step, mine, reason)
    progress.announce(step.build.dataset_id)


def _fail(step: Step, mine: QuerySet[Step], reason: str) -> None:
    with transaction.atomic():
        if mine.update(state=State.FAILED, error=reason, finished_at=Now()):
            where = Stage(step.stage).label + (f" of {Space(step.space).label.lower()}" if step.space else "")
            Build.objects.filter(pk=step.build_id, state__in=OPEN).update(
                state=State.FAILED, error=f"{where} failed. {reason}", finished_at=timezone.now()
            )
