"""What one asker may do with one dataset, and which parts of it stay hidden: asked here and nowhere else."""

from dataclasses import asdict, dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef

from atlas.datasets.models import Dataset
from atlas.teams.asker import Asker


@dataclass(frozen=True)
class Permit:
    may_comment: bool = False
    may_tag: bool = False
    may_edit: bool = False
    #: Share, delete: what the owners of the team may.
    may_share: bool = False
    #: A share link may withhold the pictures as uploaded: thumbnails are all there is then …
    sees_originals: bool = False
    #: … and the captions: no record tells its own, and nothing can be searched or filtered by their words.
    #: Topics that nobody renamed have numbers then, for their names are words of captions.
    sees_captions: bool = False

    @property
    def sees_all(self) -> bool:
        return self.sees_originals and self.sees_captions


NOTHING = Permit()


class HiddenCaptionsError(Exception):
    """What was asked would tell captions that are hidden from the asker; one sentence for the visitor."""


def permits(asker: Asker) -> dict[str, Exists]:
    """The fields of `Permit` as annotations of a query of datasets."""
    allowed = {
        "may_comment": Dataset.objects.commentable_by(asker),
        "may_tag": Dataset.objects.taggable_by(asker),
        "may_edit": Dataset.objects.editable_by(asker),
        "may_share": Dataset.objects.owned_by(asker),
        "sees_originals": Dataset.objects.with_originals_for(asker),
        "sees_captions": Dataset.objects.with_captions_for(asker),
    }
    return {name: Exists(datasets.filter(pk=OuterRef("pk"))) for name, datasets in allowed.items()}


def permit(asker: Asker, dataset_id: UUID) -> Permit:
    """One query for each dataset that an asker asks for; `NOTHING` for what does not exist for them."""
    known = asker.permits.get(dataset_id)
    if known is None:
        found = Dataset.objects.filter(pk=dataset_id).annotate(**permits(asker))
        values = found.values(*asdict(NOTHING)).first()
        known = asker.permits[dataset_id] = Permit(**values) if values else NOTHING
    return known


def sees_captions(asker: Asker, dataset_id: UUID) -> bool:
    """Of a dataset that is visible. Only links hide captions, so mostly the database need not be asked."""
    return not any(link.hide_captions for link in asker.links) or permit(asker, dataset_id).sees_captions


def require_captions(asker: Asker, dataset_id: UUID) -> None:
    """Raises HiddenCaptionsError."""
    if not permit(asker, dataset_id).sees_captions:
        raise HiddenCaptionsError("The captions of this dataset are hidden from you.")
