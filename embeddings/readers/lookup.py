"""Which picture a table means: by its whole name, by the end of a longer path, by its path without suffix, by
its last folder and file name, by its file name, by its stem.
"""

import heapq
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import takewhile

from embeddings.readers.members import Member
from embeddings.readers.reasons import ReadError, Reason

_LONGEST = 1_024
_FEW = 16  # pictures of one name: looked through each time they are asked for
_CAPTION_NUMBER = re.compile(r"#\d+$")  # Flickr8k writes 1000268201.jpg#0


class PictureIndex:
    """Pictures by name. The slower tables are only made when a name needs them; each costs about 100 bytes a
    picture.
    """

    def __init__(self, pictures: Sequence[Member]) -> None:
        self.pictures = pictures
        self._nearest: dict[tuple[int, int], list[int]] = {}

    def find(self, text: str, table: Member) -> int | None:
        """The place of the picture that a table's cell means, or None. Raises ReadError when it may be
        several.
        """
        parts = _parts(text)
        if not parts:
            return None
        for name in _ends_of(parts, table):
            if places := self._by_name.get(name):
                return self._choose(places, table, text)
        for name in _ends_of(parts, table) if len(parts) > 1 else ():
            if "/" in name and (places := self._by_path.get(name)):
                return self._choose(places, table, text)
        if places := self._by_end.get("/".join(parts[-2:]).casefold()):
            return self._choose(self._alike(places, parts), table, text)
        base = parts[-1].casefold()
        places = self._by_base.get(base) or self._by_stem.get(base)
        return self._choose(places, table, text) if places else None

    def names(self, text: str) -> bool:
        """True when a picture has just this file name, suffix included."""
        parts = _parts(text)
        return bool(parts) and parts[-1].casefold() in self._by_base

    def _alike(self, places: Sequence[int], parts: list[str]) -> Sequence[int]:
        """Of pictures whose last folder is the path's those that share the most folders with it."""
        if not 1 < len(places) <= _FEW:
            return places
        folders = [part.casefold() for part in parts[:-1]]
        shared = [_shared_end(_folders_of(self.pictures[place]), folders) for place in places]
        return [place for place, count in zip(places, shared, strict=True) if count == max(shared)]

    def _choose(self, places: Sequence[int], table: Member, text: str) -> int:
        """Of pictures with one name: those packed with the table, then those below its folder, then the
        highest up.
        """
        if len(places) == 1:
            return places[0]
        asked = (id(places), id(table))
        nearest = self._nearest.get(asked) or self._two_nearest(places, table)
        if len(places) > _FEW:
            self._nearest[asked] = nearest
        if self._distance(nearest[0], table) == self._distance(nearest[1], table):
            first, second = (self.pictures[place].source for place in nearest)
            raise ReadError(Reason.MISSING, f"“{text[:200]}” may mean {first} or {second}.")
        return nearest[0]

    def _two_nearest(self, places: Sequence[int], table: Member) -> list[int]:
        return heapq.nsmallest(2, places, key=lambda place: self._distance(place, table))

    def _distance(self, place: int, table: Member) -> tuple[bool, bool, int]:
        picture = self.pictures[place]
        below = f"{table.folder}/" if table.folder else ""
        return (
            picture.container is not table.container,
            not picture.name.startswith(below),
            picture.name.count("/"),
        )

    @cached_property
    def _by_name(self) -> dict[str, Sequence[int]]:
        return _gather((picture.name, place) for place, picture in enumerate(self.pictures))

    @cached_property
    def _by_path(self) -> dict[str, Sequence[int]]:
        return _gather((picture.stem, place) for place, picture in enumerate(self.pictures))

    @cached_property
    def _by_end(self) -> dict[str, Sequence[int]]:
        """By the last folder and what is in it, with and without suffix."""
        paths = ((path.casefold(), place) for place, each in enumerate(self.pictures)
                 for path in {each.name, each.stem} if each.folder)  # fmt: skip
        return _gather(("/".join(path.rsplit("/", 2)[-2:]), place) for path, place in paths)

    @cached_property
    def _by_base(self) -> dict[str, Sequence[int]]:
        return _gather(
            (picture.name.rpartition("/")[2].casefold(), place) for place, picture in enumerate(self.pictures)
        )

    @cached_property
    def _by_stem(self) -> dict[str, Sequence[int]]:
        return _gather(
            (picture.stem.rpartition("/")[2].casefold(), place) for place, picture in enumerate(self.pictures)
        )


class Guesses:
    """Pictures that are meant under other folders than their own: found by their file name, which is right
    while no other name means them.
    """

    def __init__(self, pictures: Sequence[Member]) -> None:
        self._pictures = pictures
        self._named = bytearray(len(pictures))  # 1: a name has its own folders
        self._folders: dict[int, list[str]] = {}  # of the names that have others
        self.refused: set[int] = set()

    def check(self, text: str, place: int) -> None:
        """Note that a cell means this picture. Raises ReadError when that is a guess and another name means
        it too, which is only known once all cells were noted.
        """
        folders = [part.casefold() for part in _parts(text)[:-1]]
        own = _folders_of(self._pictures[place])
        if not folders:
            return
        if own and _end_alike(own, folders):
            self._named[place] = 1
            if place in self._folders:
                self.refused.add(place)
            return
        if self._named[place] or not _end_alike(self._folders.setdefault(place, folders), folders):
            self.refused.add(place)
        is_elsewhere = own[-1:] != folders[-1:] and folders[-1] in self._last_folders
        if place in self.refused or is_elsewhere:
            raise ReadError(
                Reason.MISSING,
                f"It names the picture “{text[:200]}”, which is not in the upload; "
                f"{self._pictures[place].source} lies in another folder.",
            )

    @cached_property
    def _last_folders(self) -> frozenset[str]:
        return frozenset(folder for picture in self._pictures for folder in _folders_of(picture)[-1:])


def _ends_of(parts: list[str], table: Member) -> Iterator[str]:
    """A path and its ends, the longest first, each below the table's folder and by itself."""
    for start in range(len(parts)):
        name = "/".join(parts[start:])
        if table.folder:
            yield f"{table.folder}/{name}"
        yield name


def _folders_of(picture: Member) -> list[str]:
    return picture.name.casefold().split("/")[:-1]


def _shared_end(one: list[str], other: list[str]) -> int:
    """How many parts at the ends of two paths are the same."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _end_alike(one: list[str], other: list[str]) -> bool:
    """Whether one path is the end of the other."""
    shared = min(len(one), len(other))
    return one[-shared:] == other[-shared:]


def _gather(pairs: Iterable[tuple[str, int]]) -> dict[str, Sequence[int]]:
    found: dict[str, Sequence[int]] = {}
    for key, place in pairs:
        places = found.get(key)
        if isinstance(places, list):
            places.append(place)
        else:  # one alone is a tuple, which takes half the memory of a list
            found[key] = (place,) if places is None else [*places, place]
    return found


def _parts(text: str) -> list[str]:
    if len(text) > _LONGEST:
        return []
    name = unicodedata.normalize("NFC", text.strip().replace("\\", "/"))
    name = _CAPTION_NUMBER.sub("", name)
    if "://" in name:
        name = name.partition("?")[0]
    return [part for part in name.split("/") if part not in {"", "."}]
