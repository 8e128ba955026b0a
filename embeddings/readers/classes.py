"""Class folders and splits: what the folders of pictures and the names of tables say about them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from posixpath import commonpath

CLASS = "class"
SPLIT = "split"
_SPLITS = r"(train|training|test|testing|val|valid|validation|dev)[\d_-]*"
_SPLIT_NAME = re.compile(_SPLITS, re.IGNORECASE)
_SPLIT_OF_TABLE = re.compile(_SPLITS + r"(of-\d+.*)?", re.IGNORECASE)  # train-00000-of-00002-a1b2c3


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


def table_splits(names: Sequence[str]) -> list[str]:
    """The split of each table by its name or a folder above it; empty unless all tell one, and several."""
    splits = [split_of(name) for name in names]
    return splits if all(splits) and len(set(splits)) > 1 else []


def split_of(name: str) -> str:
    """What a table's path says of it; empty if nothing."""
    *folders, base = name.split("/")
    for part in (base.partition(".")[0], *reversed(folders)):
        if found := _SPLIT_OF_TABLE.fullmatch(part):
            return found[1]
    return ""
