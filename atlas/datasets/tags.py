"""Tags: words that people put on records, many at a time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import numpy as np
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, QuerySet
from django.http import Http404
from numpy.typing import NDArray

from atlas.datasets.filters import Mask
from atlas.datasets.models import Dataset, Tag, TaggedRecord
from atlas.datasets.permit import permit
from atlas.datasets.remove import hold_records
from atlas.teams.asker import Asker

#: One byte of a map names a tag, and two values of it mean "several" and "none".
MOST_TAGS = 250
SEVERAL, NO_TAG = 254, 255
#: As many as the map has for categories (frontend/src/map/colours.ts).
COLOURS = 10
NO_SUCH_TAG = "There is no such tag."


class TagRefusedError(Exception):
    """A sentence for whoever wanted to tag."""


def tags_of(dataset: Dataset) -> QuerySet[Tag]:
    """Oldest first, each with its `count` of records."""
    counted = dataset.tags.select_related("created_by").annotate(count=Count("tagged"))
    # Django leaves the model's own order out of a query that counts; codes of points are places in this list.
    return counted.order_by("created_at", "id")


def tag_of(dataset: Dataset, tag_id: UUID) -> Tag:
    """Raises Http404."""
    found = tags_of(dataset).filter(pk=tag_id).first()
    if found is None:
        raise Http404(NO_SUCH_TAG)
    return found


def create_tag(dataset: Dataset, name: str, asker: Asker) -> Tag:
    """Raises TagRefusedError."""
    taken = dataset.tags.count()
    if taken >= MOST_TAGS:
        raise TagRefusedError(f"A dataset has at most {MOST_TAGS} tags. Remove some first.")
    used = Counter(dataset.tags.values_list("colour", flat=True))
    colour = min(range(COLOURS), key=lambda place: used[place])
    with _unique(name):
        tag = Tag.objects.create(dataset=dataset, name=name, colour=colour, created_by=asker.person)
    return tag_of(dataset, tag.pk)


def change_tag(tag: Tag, asker: Asker, *, name: str | None = None, colour: int | None = None) -> None:
    """Raises TagRefusedError."""
    _require_own(tag, asker)
    if name is not None:
        tag.name = name
    if colour is not None:
        tag.colour = colour
    with _unique(tag.name):
        tag.save(update_fields=["name", "colour"])


def delete_tag(tag: Tag, asker: Asker) -> None:
    """Raises TagRefusedError."""
    _require_own(tag, asker)
    tag.delete()


def _require_own(tag: Tag, asker: Asker) -> None:
    """A tag may stand for the work of many on many records. Raises TagRefusedError."""
    if not (asker.made(tag.created_by_id) or permit(asker, tag.dataset_id).may_edit):
        raise TagRefusedError("Only its maker, or an editor of the dataset, can change or delete a tag.")


def add_tag(tag: Tag, mask: Mask, asker: Asker) -> int:
    """Put it on the rows of the mask; returns on how many it was not before. Raises Http404."""
    rows = [int(row) for row in np.flatnonzero(mask)]
    with transaction.atomic(), connection.cursor() as cursor:
        # To find the rows takes a while: somebody may have deleted it meanwhile.
        cursor.execute("SELECT 1 FROM datasets_tag WHERE id = %s FOR KEY SHARE", [tag.pk])
        if cursor.fetchone() is None:
            raise Http404(NO_SUCH_TAG)
        hold_records(tag.dataset_id)
        cursor.execute(
            "INSERT INTO datasets_taggedrecord (tag_id, row, who_id, at)"
            " SELECT %s, row, %s, now() FROM datasets_record WHERE dataset_id = %s AND row = ANY(%s)"
            " ON CONFLICT DO NOTHING",
            [tag.pk, asker.user.pk, tag.dataset_id, rows],
        )
        return int(cursor.rowcount)


def remove_tag(tag: Tag, mask: Mask) -> int:
    """Take it off the rows of the mask; returns on how many it was."""
    rows = [int(row) for row in np.flatnonzero(mask)]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM datasets_taggedrecord WHERE tag_id = %s AND row = ANY(%s)", [tag.pk, rows]
        )
        return int(cursor.rowcount)


def tag_codes(dataset: Dataset, row_count: int) -> NDArray[np.uint8]:
    """(row_count,) the place of each row's tag in the list of tags; 254 = several, 255 = none."""
    codes = np.full(row_count, NO_TAG, np.uint8)
    tagged = TaggedRecord.objects.filter(tag__dataset=dataset, row__lt=row_count)
    found = dict(tagged.values_list("tag").annotate(rows=ArrayAgg("row")))
    for place, tag in enumerate(dataset.tags.values_list("pk", flat=True)):
        rows = np.array(found.get(tag, ()), np.int64)
        codes[rows] = np.where(codes[rows] == NO_TAG, place, SEVERAL)
    return codes


@contextmanager
def _unique(name: str) -> Iterator[None]:
    try:
        with transaction.atomic():  # the error must not spoil a transaction around us
            yield
    except IntegrityError as error:
        raise TagRefusedError(f"There is a tag “{name}” already.") from error
