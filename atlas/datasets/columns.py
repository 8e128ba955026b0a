"""The columns of a dataset, when more records bring columns of their own."""

from typing import Any, NotRequired, TypedDict

from embeddings.readers import ColumnType

#: Their values are strings already.
_STRINGS = (ColumnType.TEXT, ColumnType.CATEGORY, ColumnType.DATE)


class Column(TypedDict):
    name: str
    type: str
    #: It became text, and some records may still have values of the type before; see `ingest.turn_to_text`.
    turning: NotRequired[bool]


def merge_columns(old: list[Column], new: list[Column]) -> list[Column]:
    """The old ones in their order, then those that are new. A name with two types becomes text."""
    columns: dict[str, Column] = {column["name"]: {**column} for column in old}
    for column in new:
        mine = columns.setdefault(column["name"], column)
        if mine["type"] != column["type"]:
            if mine["type"] not in _STRINGS:
                mine["turning"] = True
            mine["type"] = ColumnType.TEXT
    return list(columns.values())


def turning_columns(columns: list[Column]) -> list[str]:
    return [column["name"] for column in columns if column.get("turning")]


def turned(columns: list[Column], names: list[str]) -> list[Column]:
    """The columns, these among them text throughout."""
    return [
        {"name": column["name"], "type": column["type"]} if column["name"] in names else column
        for column in columns
    ]


def as_text(value: Any) -> str:
    """A value of any type for a column that became text."""
    return ", ".join(value) if isinstance(value, list) else str(value)
