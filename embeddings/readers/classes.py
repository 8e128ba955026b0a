"""Class folders: what the folders of pictures say about them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from posixpath import commonpath

CLASS = "class"
SPLIT = "split"
_SPLIT_NAME = re.compile(r"(train|training|test|testing|val|valid|validation|dev)[\d_-]*", re.IGNORECASE)


def folder_columns(names: Sequence[str]) -> list[Mapping[str, str]]:
    """Per picture its `class` (the folder it lies in) and `split` (train, test …), each only where there are
    several.

    Empty when the folders tell nothing apart.
    """
    folders = {name.rpartition("/")[0] for name in names}
    if len(folders) < 2:
        return []
    shared = len(PurePosixPath(commonpath(folders)).parts)
    inner = {folder: tuple(part for part in folder.split("/")[shared:] if part) for folder in folders}
    is_split = all(parts and _SPLIT_NAME.fullmatch(parts[0]) for parts in inner.values())
    columns: dict[str, dict[str, str]] = {}
    for folder, parts in inner.items():
        classes = parts[1:] if is_split else parts
        columns[folder] = {CLASS: classes[-1]} if classes else {}
        if is_split:
            columns[folder][SPLIT] = parts[0]
    for column in (CLASS, SPLIT):
        if len({values[column] for values in columns.values() if column in values}) < 2:
            for values in columns.values():
                values.pop(column, None)
    if not any(columns.values()):
        return []
    return [columns[name.rpartition("/")[0]] for name in names]
