"""What annotation tools export as one JSON object: labels and words of pictures, without boxes and shapes.

VIA: robots.ox.ac.uk/~vgg/software/via. FiftyOne: docs.voxel51.com/user_guide/export_datasets.html
(FiftyOneDataset, FiftyOneImageClassificationDataset, FiftyOneImageDetectionDataset).
"""

from collections.abc import Iterator
from typing import Any

_OF_VIA = frozenset({"filename", "regions", "file_attributes"})
_OF_FIFTYONE = frozenset({"filepath", "_media_type"})
_SHAPES = frozenset({"Detections", "Polylines", "Keypoints"})


def annotated(value: dict[str, Any]) -> Iterator[dict[str, Any]] | None:
    """A record for each picture; None for other objects."""
    images = value.get("_via_img_metadata", value)
    if isinstance(images, dict) and images and all(map(_is_of_via, images.values())):
        return map(_from_via, images.values())
    classes, labels = value.get("classes"), value.get("labels")
    if isinstance(classes, list) and isinstance(labels, dict):
        return ({"key": key, "label": _named(label, classes)} for key, label in labels.items())
    return None


def has_shapes(cells: dict[str, Any]) -> bool:
    """Whether it is a sample of FiftyOne with boxes or the like in it."""
    return cells.keys() >= _OF_FIFTYONE and not _SHAPES.isdisjoint(map(_kind_of, cells.values()))


def from_fiftyone(cells: dict[str, Any]) -> dict[str, Any]:
    """A sample with its labels by their names; other records as they are."""
    if not cells.keys() >= _OF_FIFTYONE:
        return cells
    return {name: _plain(cell) for name, cell in cells.items() if name == "_id" or not name.startswith("_")}


def _kind_of(cell: Any) -> str:
    return str(cell.get("_cls")) if isinstance(cell, dict) else ""


def _plain(cell: Any) -> Any:
    if not isinstance(cell, dict):
        return cell
    match _kind_of(cell):
        case "Classification":
            return cell.get("label")
        case "Regression":
            return cell.get("value")
        case "Classifications" | "Detections" | "Polylines" | "Keypoints" as kind:
            return _named(cell.get(kind.casefold()), [])
        case "ImageMetadata":
            return None
    return next(iter(cell.values())) if cell.keys() in ({"$oid"}, {"$date"}) else cell


def _named(label: Any, classes: list[Any]) -> Any:
    """The name of a label; of several each once."""
    if isinstance(label, list):
        names = (_name_of(each, classes) for each in label)
        return list(dict.fromkeys(name for name in names if isinstance(name, str)))
    return _name_of(label, classes)


def _name_of(label: Any, classes: list[Any]) -> Any:
    """It may be the number of its class, or lie in an object beside its box."""
    if isinstance(label, dict):
        label = label.get("label")
    return classes[label] if isinstance(label, int) and 0 <= label < len(classes) else label


def _is_of_via(image: Any) -> bool:
    return isinstance(image, dict) and image.keys() >= _OF_VIA


def _from_via(image: dict[str, Any]) -> dict[str, Any]:
    regions = image["regions"]
    if isinstance(regions, dict):  # as its first version wrote them
        regions = list(regions.values())
    told: dict[str, dict[str, None]] = {}
    for region in regions if isinstance(regions, list) else ():
        for name, value in _attributes(region, "region_attributes").items():
            values = value if isinstance(value, list) else [value]
            told.setdefault(f"region {name}", {}).update(
                dict.fromkeys(v for v in values if isinstance(v, str))
            )
    of_regions = {name: list(values) for name, values in told.items()}
    return {**of_regions, **_attributes(image, "file_attributes"), "filename": image["filename"]}


def _attributes(of: Any, name: str) -> dict[str, Any]:
    """A choice of several is written as {"cat": true, "dog": false}."""
    attributes = of.get(name) if isinstance(of, dict) else None
    if not isinstance(attributes, dict):
        return {}
    return {
        name: [choice for choice, chosen in value.items() if chosen] if isinstance(value, dict) else value
        for name, value in attributes.items()
    }
