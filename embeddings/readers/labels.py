"""Label files of detectors, one beside each picture: their classes are read, boxes and outlines are not.

YOLO: docs.ultralytics.com/datasets/detect. KITTI: cvlibs.net/datasets/kitti. DOTA:
captain-whu.github.io/DOTA/dataset. Pascal VOC: host.robots.ox.ac.uk/pascal/VOC. LabelMe:
github.com/wkentaro/labelme.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from embeddings.readers.members import Member
from embeddings.readers.reasons import ReadError, Reason
from embeddings.readers.text import clean_text, encoding_of

Names = Mapping[int, str]

NAMES_SUFFIXES = frozenset({"yaml", "yml", "names", "labels"})
_LONGEST_NAMES = 2**18  # bytes
_NUMBER = r"\s+[-+]?[\d.]+(?:e[-+]?\d+)?"
_YOLO = re.compile(rf"([0-9]{{1,6}})(?:{_NUMBER}){{4,}}")
_KITTI = re.compile(rf"([A-Za-z][\w-]*)(?:{_NUMBER}){{14,15}}")
_DOTA = re.compile(rf"[-+]?[\d.]+(?:{_NUMBER}){{7}}\s+([A-Za-z][\w-]*)(?:\s+\d)?")
_DOTAS_HEAD = re.compile(r"(?:imagesource|gsd|acquisition dates):.*", re.IGNORECASE)
_NO_CLASS = "DontCare"  # KITTI's word for a region that nobody labelled


def may_name_classes(member: Member) -> bool:
    return member.suffix in NAMES_SUFFIXES or member.name.rpartition("/")[2].casefold() == "classes.txt"


class ClassNames:
    """What YOLO's numbers of classes mean: data.yaml, obj.names or classes.txt tell it."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._told = [(member, names) for member in members if (names := _names_in(member))]

    def for_label(self, label: Member) -> Names:
        """Told nearest above it, else by the only such file of the upload."""
        above = [
            (len(member.folder), names)
            for member, names in self._told
            if member.container is label.container and _is_below(label.folder, member.folder)
        ]
        if above:
            return max(above, key=lambda each: each[0])[1]
        return self._told[0][1] if len(self._told) == 1 else {}


def classes_in(lines: Sequence[str], names: Names) -> list[str] | None:
    """The classes in the lines of a label file, each once; None where they are other words."""
    labels = [line for line in lines if not _DOTAS_HEAD.fullmatch(line)]
    for form in (_YOLO, _KITTI, _DOTA):
        found = [form.fullmatch(line) for line in labels]
        if labels and all(found):
            classes = [match[1] for match in found if match and match[1] != _NO_CLASS]
            if form is _YOLO:
                classes = [names.get(int(number), number) for number in classes]
            return list(dict.fromkeys(classes))
    return None


def classes_in_xml(data: bytes) -> list[str]:
    """Those of Pascal VOC's objects, each once. Raises ReadError for other XML."""
    try:
        if b"<!ENTITY" in data:
            raise ReadError(Reason.UNSUPPORTED, "It is XML that defines entities.")
        root = ET.fromstring(data)  # noqa: S314 - without entities it expands to no more than it is
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ReadError(Reason.UNREADABLE, f"It is not XML: {error}.") from error
    if root.tag != "annotation":
        raise ReadError(Reason.UNSUPPORTED, "It is XML of another kind than Pascal VOC's.")
    return list(dict.fromkeys(clean_text(each.findtext("name") or "") for each in root.findall("object")))


def classes_in_json(value: dict[str, Any]) -> list[str] | None:
    """Those of LabelMe's shapes, each once; None for other objects."""
    shapes = value.get("shapes")
    if "imagePath" not in value or not isinstance(shapes, list):
        return None
    labels = (shape.get("label") for shape in shapes if isinstance(shape, dict))
    return list(dict.fromkeys(clean_text(label) for label in labels if isinstance(label, str)))


def _is_below(folder: str, other: str) -> bool:
    return not other or f"{folder}/".startswith(f"{other}/")


def _names_in(member: Member) -> Names:
    """None where the file is of another kind, or damaged."""
    try:
        data = member.read(_LONGEST_NAMES)
        text = data.decode(encoding_of(data), errors="embeddings.windows")
        told: Any = text.splitlines()
        if member.suffix in {"yaml", "yml"}:
            # The simplest loader: it makes nothing but texts, lists and dictionaries.
            told = yaml.load(text, yaml.BaseLoader).get("names")  # noqa: S506
        pairs = told.items() if isinstance(told, dict) else enumerate(told if isinstance(told, list) else ())
        return {int(at): clean_text(name) for at, name in pairs if isinstance(name, str) and name.strip()}
    except (ReadError, yaml.YAMLError, AttributeError, TypeError, ValueError, RecursionError):
        return {}
