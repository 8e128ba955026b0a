"""Words beside each picture under the same stem: webdataset's 000.jpg + 000.txt + 000.json, and folders like
it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from embeddings.readers.json_stream import Problem, parse
from embeddings.readers.labels import ClassNames, classes_in, classes_in_json, classes_in_xml
from embeddings.readers.limits import Limits
from embeddings.readers.members import Member
from embeddings.readers.objects import SAMPLE, ObjectTable
from embeddings.readers.reasons import ReadError, Reason, Skipped
from embeddings.readers.tables import Record
from embeddings.readers.text import clean_text, encoding_of, is_windows
from embeddings.readers.values import is_too_deep

TEXT_SUFFIXES = frozenset({"txt", "text", "caption", "cls"})
SUFFIXES = TEXT_SUFFIXES | {"json", "xml"}
_CLASSES = "classes"
_KINDS = frozenset(
    [
        "images",
        "imgs",
        "img",
        "jpegimages",
        "image_2",
        "labels",
        "label_2",
        "labeltxt",
        "annotations",
        "captions",
    ]
)  # of folders that lie side by side


class SidecarTable(ObjectTable):
    """A record per group of sidecars. Each line of a text file is a caption of its own, unless no picture
    goes with it or the lines are a detector's labels.

    `groups` maps the place of a picture (or, without pictures, any number) to its sidecars. `has_labels`
    tells it of the first ones.
    """

    def __init__(
        self,
        groups: Mapping[int, Sequence[Member]],
        pictures: Sequence[Member] | None,
        limits: Limits,
        names: ClassNames,
    ) -> None:
        super().__init__(next(iter(groups.values()))[0])
        self._groups, self._pictures, self._limits = groups, pictures, limits
        self._class_names = names
        self.has_labels = False
        self.row_count = len(groups)
        self.knows_pictures = pictures is not None
        self._find_columns(limits)

    @property
    def source(self) -> str:
        return self.member.container.label("")

    def _raw(self) -> Iterator[Record | Skipped]:
        return self._read(self._groups)

    def _raw_sample(self) -> Iterator[Record | Skipped]:
        """The first groups of each suffix: that of the captions may begin late."""
        taken: Counter[str] = Counter()
        chosen: dict[int, Sequence[Member]] = {}
        for place, sidecars in self._groups.items():
            suffixes = {sidecar.suffix for sidecar in sidecars}
            if any(taken[suffix] < SAMPLE for suffix in suffixes):
                chosen[place] = sidecars
                taken.update(suffixes)
        return self._read(chosen)

    def sample(self) -> Iterator[Record | Skipped]:
        return map(self._named, self._raw_sample())

    def _read(self, groups: Mapping[int, Sequence[Member]]) -> Iterator[Record | Skipped]:
        nameless: str | None = None
        for place, sidecars in groups.items():
            source = self._pictures[place].source if self._pictures is not None else sidecars[0].source
            cells: dict[str, Any] = {}
            notes: list[str] = []
            for sidecar in sidecars:
                try:
                    found = self._cells_of(sidecar)
                    cells.update(found)
                    if _CLASSES in found and sidecar.suffix != "json":
                        self.has_labels = True
                        nameless = nameless or next(filter(str.isdecimal, found[_CLASSES]), None)
                except ReadError as error:
                    if self._pictures is None:
                        yield error.at(sidecar.source)
                    notes.append(f"{sidecar.name} was not read: {error.detail}")
            if cells or self._pictures is not None:
                yield Record(source, cells, tuple(notes), place if self._pictures is not None else None)
        if self.has_labels:
            detail = f"Labels were read as classes, “{_CLASSES}”; their boxes were not read."
            if nameless is not None:
                detail += f" No data.yaml, obj.names or classes.txt says what the class {nameless} is called."
            yield Skipped(self.source, Reason.NOTE, detail)

    def _cells_of(self, sidecar: Member) -> dict[str, Any]:
        data = sidecar.read(self._limits.line_length)
        if sidecar.suffix == "xml":
            return {_CLASSES: classes_in_xml(data)}
        self.is_windows = self.is_windows or is_windows(data[:65_536])
        text = data.decode(encoding_of(data[:65_536]), errors="embeddings.windows")
        if sidecar.suffix == "json":
            value = parse(text.lstrip("\ufeff"))
            if isinstance(value, dict) and is_too_deep(value):
                raise ReadError(Reason.UNREADABLE, "It is nested too deeply.")
            if isinstance(value, dict):
                labels = classes_in_json(value)
                self.has_labels = self.has_labels or labels is not None
                named = {clean_text(str(key)): inner for key, inner in value.items()}
                return named if labels is None else {_CLASSES: labels}
            detail = value if isinstance(value, Problem) else "It is not an object with named values."
            raise ReadError(Reason.UNREADABLE, detail)
        if sidecar.suffix == "cls" or self._pictures is None:
            return {sidecar.suffix: clean_text(text)}
        lines = [line for raw in text.splitlines() if (line := clean_text(raw))]
        classes = classes_in(lines, self._class_names.for_label(sidecar))
        return {sidecar.suffix: lines} if classes is None else {_CLASSES: classes}


def group_sidecars(candidates: Sequence[Member], pictures: Sequence[Member]) -> dict[int, list[Member]]:
    """Sidecars by the place of their picture: of the same stem, of the same name up to its first dot, in the
    folder beside (images/train/1.jpg, labels/train/1.txt), or of the same stem in another folder when only
    one picture has it.
    """
    by_stem: dict[tuple[int, str], int] = {}
    by_key: dict[tuple[int, str], int] = {}
    by_side: dict[tuple[int, str], int] = {}
    by_base: dict[tuple[int, str], int | None] = {}
    for number, picture in enumerate(pictures):
        container = id(picture.container)
        by_stem.setdefault((container, picture.stem), number)
        by_key.setdefault((container, _key(picture.name)), number)
        by_side.setdefault((container, _without_kinds(picture.stem)), number)
        base = (container, picture.stem.rpartition("/")[2])
        by_base[base] = None if base in by_base else number
    groups: dict[int, list[Member]] = {}
    for member in candidates:
        container = id(member.container)
        found = (
            by_stem.get((container, member.stem)),
            by_key.get((container, _key(member.name))),
            by_side.get((container, _without_kinds(member.stem))),
            by_base.get((container, member.stem.rpartition("/")[2])),
        )
        for place in found:
            if place is not None:
                groups.setdefault(place, []).append(member)
                break
    return dict(sorted(groups.items()))


def group_texts(candidates: Sequence[Member]) -> dict[int, list[Member]]:
    """Sidecars without pictures, by stem; only groups with a text file in them."""
    groups: dict[tuple[int, str], list[Member]] = {}
    for member in candidates:
        groups.setdefault((id(member.container), member.stem), []).append(member)
    texts = (group for group in groups.values() if any(one.suffix in TEXT_SUFFIXES for one in group))
    return dict(enumerate(texts))


def _key(name: str) -> str:
    """webdataset's key: the name up to the first dot of its last part."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.partition(".")[0]


def _without_kinds(stem: str) -> str:
    """The path without the folders that say of what kind the files are."""
    *folders, base = stem.split("/")
    return "/".join([*(folder for folder in folders if folder.casefold() not in _KINDS), base])
