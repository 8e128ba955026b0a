"""The columns of a dataset, when more records bring columns of their own."""

from typing import Any, TypedDict

from embeddings.readers import ColumnType


class Column(TypedDict):
    name: str
    type: str


def merge_columns(old: list[Column], new: list[Column]) -> list[Column]:
    """The old ones in their order, then those that are new. A name with two types becomes text."""
    types = {column["name"]: column["type"] for column in old}
    for column in new:
        if types.setdefault(column["name"], column["type"]) != column["type"]:
            types[column["name"]] = ColumnType.TEXT
    return [{"name": name, "type": kind} for name, kind in types.items()]


def turned_to_text(old: list[Column], merged: list[Column]) -> list[str]:
    """The columns whose values were something else than strings and must become strings now."""
    types = {column["name"]: column["type"] for column in merged}
    strings = (ColumnType.TEXT, ColumnType.CATEGORY, ColumnType.DATE)
    return [
        column["name"]
        for column in old
        if types[column["name"]] != column["type"] and column["type"] not in strings
    ]


def as_text(value: Any) -> str:
    """A value of any type for a column that became text."""
    return ", ".join(value) if isinstance(value, list) else str(value)
