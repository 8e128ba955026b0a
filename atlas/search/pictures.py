"""Pictures that people search with, kept so that a link or a saved search that names one opens anywhere.

A picture is kept small, per dataset and under a key made of its own bytes. Whoever may see that dataset and
has the key gets it back: the key stands in the links that people give each other, and in no list. It goes
with its dataset, or when nobody has looked at it for a while, unless a saved search or view names it. What
came from nobody who is signed in goes after a day, looked at or not: this is no place to host pictures at.
"""

import hashlib
import re
from datetime import timedelta
from threading import Lock
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from atlas.datasets.images import shrunk
from atlas.datasets.models import Dataset
from atlas.maps.models import SavedView
from atlas.search.models import QueryPicture, SavedSearch
from atlas.teams.asker import Asker

#: Sides in pixels: the towers look at 224 × 224.
LONGEST = 384
#: Decoded in the web process, so less than an import may bring, and one at a time: each takes up to half a
#: gigabyte, and a file of some kilobytes is enough for that.
MOST_PIXELS = 40_000_000
_one_at_a_time = Lock()
#: Of one dataset, and of those that came from nobody who is signed in; among each the oldest give way.
MOST_PICTURES, MOST_NAMELESS = 2000, 200
KEPT, NAMELESS_KEPT = timedelta(days=90), timedelta(days=1)
#: Its last look is known to a day: not every search writes.
_DAY = timedelta(days=1)
#: As `writePart` of the explorer says it in a link, whichever way its characters are written there.
_NAMED = re.compile(r"picture(?::|%3A)([0-9a-f]{32})", re.IGNORECASE)


def keep_picture(dataset_id: UUID, data: bytes, *, nameless: bool) -> str:
    """The key of the picture; nameless: of somebody who is not signed in. Raises PictureError."""
    content = _small(data)
    key = hashlib.sha256(content).hexdigest()[:32]
    pictures = QueryPicture.objects.filter(dataset=dataset_id)
    again = {"used_at": timezone.now()} | ({} if nameless else {"nameless": False})
    _, new = pictures.update_or_create(
        dataset_id=dataset_id,
        key=key,
        defaults=again,
        create_defaults={"content": content, "nameless": nameless},
    )
    alike = pictures.filter(nameless=nameless)
    if new and (over := alike.count() - (MOST_NAMELESS if nameless else MOST_PICTURES)) > 0:
        spare = alike.exclude(key__in={key, *named_pictures()}).order_by("used_at")
        pictures.filter(pk__in=list(spare.values_list("pk", flat=True)[:over])).delete()
    return key


def _small(data: bytes) -> bytes:
    with _one_at_a_time:
        return shrunk(data, LONGEST, MOST_PIXELS)


def find_picture(asker: Asker, key: str) -> bytes | None:
    """What is kept under this key in any dataset that the asker may see."""
    datasets = Dataset.objects.visible_to(asker)
    picture = QueryPicture.objects.filter(key=key, dataset__in=datasets).first()
    if picture is None:
        return None
    if not picture.nameless and picture.used_at < timezone.now() - _DAY:
        QueryPicture.objects.filter(pk=picture.pk).update(used_at=timezone.now())
    return bytes(picture.content)


def remove_unused_pictures() -> None:
    now = timezone.now()
    old = QueryPicture.objects.filter(
        Q(used_at__lt=now - KEPT) | Q(used_at__lt=now - NAMELESS_KEPT, nameless=True)
    )
    if old.exists():
        old.exclude(key__in=named_pictures()).delete()


def named_pictures() -> set[str]:
    """The keys that saved searches and views hold."""
    searches = SavedSearch.objects.filter(query__contains="picture").values_list("query", flat=True)
    views = SavedView.objects.filter(hash__contains="picture").values_list("hash", flat=True)
    return {key for text in (*searches, *views) for key in _NAMED.findall(text)}
