"""Files that are one object with a list of records in it, COCO's above all (cocodataset.org/#format-data):
of any size, since only what annotations say of each image is held.
"""

import sys
from dataclasses import dataclass, field
from typing import Any

from embeddings.readers.json_stream import BrokenListError, JsonStream, Problem
from embeddings.readers.reasons import ReadError, Reason

_MOST_HELD = 512 * 2**20  # bytes, about
_PER_IMAGE = 300
_LISTS_OF_RECORDS = ("images", "annotations", "data", "records", "items", "samples", "rows")


@dataclass(slots=True)
class Outline:
    """What an object holds: the names of its `lists` and of those among them whose items are objects, and
    what annotations say of images by their ids.
    """

    lists: set[str] = field(default_factory=set)
    of_objects: list[str] = field(default_factory=list)
    captions: dict[str, list[str]] = field(default_factory=dict)
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by their ids
    names: dict[str, str] = field(default_factory=dict)  # of categories
    has_boxes: bool = False
    has_others_behind: bool = False  # objects, one behind the other
    held: int = 0

    @property
    def is_coco(self) -> bool:
        return self.lists >= {"images", "annotations"}

    @property
    def records(self) -> str | None:
        """The name of the list that holds the records, where there is no doubt."""
        if self.is_coco:
            return "images"
        if len(self.of_objects) == 1:
            return self.of_objects[0]
        return next((name for name in _LISTS_OF_RECORDS if name in self.of_objects), None)

    def about(self, image: str) -> dict[str, list[str]]:
        """What annotations say of an image, by the names of columns."""
        told: dict[str, list[str]] = {}
        if self.captions:
            told["caption"] = self.captions.get(image, [])
        if self.categories:
            named = [self.names.get(each, each) for each in self.categories.get(image, ())]
            told["categories"] = list(dict.fromkeys(named))
        return told

    def take(self, name: str, item: Any) -> None:
        """Raises ReadError when the annotations say more than can be held."""
        if not isinstance(item, dict):
            return
        if name == "categories" and item.get("name"):
            self.names[str(item.get("id"))] = str(item["name"])
        if name == "annotations":
            self._take_annotation(item, str(item.get("image_id")))

    def _take_annotation(self, item: dict[str, Any], image: str) -> None:
        self.has_boxes = self.has_boxes or bool(item.get("bbox") or item.get("segmentation"))
        if isinstance(caption := item.get("caption"), str):
            self.held += sys.getsizeof(caption) + (0 if image in self.captions else _PER_IMAGE)
            self.captions.setdefault(image, []).append(caption)
        if (category := item.get("category_id")) is not None:
            told = self.categories.get(image, ())
            if (key := sys.intern(str(category))) not in told:
                self.held += sys.getsizeof(key) if told else _PER_IMAGE
                self.categories[image] = (*told, key)
        if self.held > _MOST_HELD:
            detail = "Its annotations say more than can be held in memory; split it into several files."
            raise ReadError(Reason.OVER_LIMIT, detail)


def outline_of(stream: JsonStream) -> Outline:
    """Reads all of it. Raises ValueError or RecursionError where it is damaged, TooLongError for a value that
    the stream does not hold, and ReadError, see `Outline.take`.
    """
    outline = Outline()
    for name in stream.names():
        if stream.next() != "[":
            stream.value()
            continue
        outline.lists.add(name)
        for place, item in enumerate(stream.items()):
            if isinstance(item, Problem):
                raise BrokenListError(f"number {place + 1:,} of “{name[:80]}” cannot be read")
            if place == 0 and isinstance(item, dict):
                outline.of_objects.append(name)
            outline.take(name, item)
    behind = stream.next()
    if behind not in {"", "{"}:
        raise ValueError("there is more behind the end of the object")
    outline.has_others_behind = bool(behind)
    return outline
