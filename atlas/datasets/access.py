"""Looking things up for whoever asks: what may not be seen or changed does not exist."""

from collections.abc import Iterable
from uuid import UUID

from django.http import Http404

from atlas.datasets.models import Dataset, DatasetQuerySet, Import, Record, Upload
from atlas.datasets.permit import permit, permits
from atlas.slugs import asked_slug
from atlas.teams.asker import Asker
from atlas.teams.models import Membership, Role, Team


def datasets_for(asker: Asker) -> DatasetQuerySet:
    """All that the asker may see, each with its team and its permits (`may_edit`, `may_comment`, …, see
    `permit.py`)."""
    return Dataset.objects.visible_to(asker).select_related("team").annotate(**permits(asker))


def editable_datasets_for(asker: Asker) -> DatasetQuerySet:
    return datasets_for(asker).filter(pk__in=Dataset.objects.editable_by(asker))


def visible_dataset(asker: Asker, dataset_id: UUID) -> Dataset:
    """Raises Http404."""
    return _found(datasets_for(asker), dataset_id, "There is no such dataset.")


def whole_dataset(asker: Asker, dataset_id: UUID) -> Dataset:
    """A visible one of which nothing is hidden: its imports quote captions. Raises Http404."""
    dataset = visible_dataset(asker, dataset_id)
    if not permit(asker, dataset_id).sees_all:
        raise Http404("There is no such dataset.")
    return dataset


def commentable_dataset(asker: Asker, dataset_id: UUID) -> Dataset:
    """Raises Http404, KeyScopeError."""
    asker.require_write()
    allowed = datasets_for(asker).filter(pk__in=Dataset.objects.commentable_by(asker))
    return _found(allowed, dataset_id, "There is no such dataset that you may comment on.")


def discussed_dataset(asker: Asker, dataset_id: UUID) -> Dataset:
    """One whose comments may be read. Raises Http404."""
    allowed = datasets_for(asker).filter(pk__in=Dataset.objects.discussed_by(asker))
    return _found(allowed, dataset_id, "There is no such dataset whose comments you may read.")


def worked_on_dataset(asker: Asker, dataset_id: UUID) -> Dataset:
    """One whose activity may be read. Raises Http404."""
    allowed = datasets_for(asker).filter(pk__in=Dataset.objects.worked_on_by(asker))
    return _found(allowed, dataset_id, "There is no such dataset that you work on.")


def taggable_dataset(asker: Asker, dataset_id: UUID) -> Dataset:
    """Raises Http404, KeyScopeError."""
    asker.require_write()
    allowed = datasets_for(asker).filter(pk__in=Dataset.objects.taggable_by(asker))
    return _found(allowed, dataset_id, "There is no such dataset that you may tag.")


def editable_dataset(asker: Asker, dataset_id: UUID) -> Dataset:
    """Raises Http404, KeyScopeError."""
    asker.require_write()
    return _found(editable_datasets_for(asker), dataset_id, "There is no such dataset that you may change.")


def owned_dataset(asker: Asker, dataset_id: UUID) -> Dataset:
    """Raises Http404, KeyScopeError."""
    asker.require_person()
    allowed = datasets_for(asker).filter(pk__in=Dataset.objects.owned_by(asker))
    return _found(allowed, dataset_id, "There is no such dataset of yours.")


def _found(allowed: DatasetQuerySet, dataset_id: UUID, otherwise: str) -> Dataset:
    dataset = allowed.filter(pk=dataset_id).first()
    if dataset is None:
        raise Http404(otherwise)
    return dataset


def import_of(dataset: Dataset, import_id: UUID) -> Import:
    """Raises Http404."""
    job = dataset.imports.filter(pk=import_id).first()
    if job is None:
        raise Http404("There is no such import.")
    return job


def record_of(dataset: Dataset, row: int) -> Record:
    """Raises Http404."""
    record = Record.objects.filter(dataset=dataset, row=row).first() if row < 2**31 else None
    if record is None:
        raise Http404("This record was removed." if row < dataset.row_count else "There is no such record.")
    return record


def team_for(asker: Asker, slug: str | None, at_least: Role = Role.EDITOR) -> Team:
    """The team of this name in which the asker may make datasets, or the first such team. Raises Http404."""
    memberships = Membership.objects.filter(user=asker.user.pk, team__in=Team.objects.of(asker, at_least))
    if slug:
        memberships = memberships.filter(team__slug=asked_slug(slug))
    first = memberships.select_related("team").order_by("created_at").first()
    if first is None:
        raise Http404("There is no such team in which you may make datasets.")
    return first.team


def uploads_of(asker: Asker, ids: Iterable[UUID]) -> list[Upload]:
    """The asker's uploads in the order asked for. Raises Http404 when one is missing."""
    wanted = list(dict.fromkeys(ids))
    found = Upload.objects.of(asker).in_bulk(wanted)
    if len(found) < len(wanted):
        raise Http404("There is no such upload. It may have expired.")
    return [found[pk] for pk in wanted]
