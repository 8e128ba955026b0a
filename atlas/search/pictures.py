"""Pictures that people search with, kept so that a link or a saved search that names one opens anywhere.

A picture is kept small, per dataset and under a key made of its own bytes. Whoever may see that dataset and
has the key gets it back: the key stands in the links that people give each other, and in no list. It goes
with its dataset, or when nobody has looked at it for a while, unless a saved search or view names it.
"""

import hashlib
import re
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from atlas.datasets.images import shrunk
from atlas.datasets.models import Dataset
from atlas.maps.models import SavedView
from atlas.search.models import QueryPicture, SavedSearch
from atlas.teams.asker import Asker

#: Sides in pixels: the towers look at 224 × 224.
LONGEST = 384
#: Decoded in the web process, so less than an import may bring.
MOST_PIXELS = 40_000_000
#: Of one dataset; those that were not looked at for longest give way.
MOST_PICTURES = 2000
KEPT = timedelta(days=90)
#: Its last look is known to a day: not every search writes.
_DAY = timedelta(days=1)
#: As `writePart` of the explorer says it in a link, whichever way its characters are written there.
_NAMED = re.compile(r"picture(?::|%3A)([0-9a-f]{32})", re.IGNORECASE)


def keep_picture(dataset_id: UUID, data: bytes) -> str:
    """The key of the picture. Raises PictureError."""
    content = shrunk(data, LONGEST, MOST_PIXELS)
    key = hashlib.sha256(content).hexdigest()[:32]
    pictures = QueryPicture.objects.filter(dataset=dataset_id)
    now = timezone.now()
    _, new = pictures.update_or_create(
        dataset_id=dataset_id, key=key, defaults={"used_at": now}, create_defaults={"content": content}
    )
    if new and (over := pictures.count() - MOST_PICTURES) > 0:
        spare = pictures.exclude(key__in={key, *named_pictures()}).order_by("used_at")
        pictures.filter(pk__in=list(spare.values_list("pk", flat=True)[:over])).delete()
    return key


def find_picture(asker: Asker, key: str) -> bytes | None:
    """What is kept under this key in any dataset that the asker may see."""
    datasets = Dataset.objects.visible_to(asker)
    picture = QueryPicture.objects.filter(key=key, dataset__in=datasets).first()
    if picture is None:
        return None
    if picture.used_at < timezone.now() - _DAY:
        QueryPicture.objects.filter(pk=picture.pk).update(used_at=timezone.now())
    return bytes(picture.content)


def remove_unused_pictures() -> None:
    old = QueryPicture.objects.filter(used_at__lt=timezone.now() - KEPT)
    if old.exists():
        old.exclude(key__in=named_pictures()).delete()


def named_pictures() -> set[str]:
    """The keys that saved searches and views hold."""
    searches = SavedSearch.objects.filter(query__contains="picture").values_list("query", flat=True)
    views = SavedView.objects.filter(hash__contains="picture").values_list("hash", flat=True)
    return {key for text in (*searches, *views) for key in _NAMED.findall(text)}
