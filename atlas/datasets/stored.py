"""A row of an upload on its way into the dataset."""

from dataclasses import dataclass
from typing import Any

from atlas.datasets.columns import as_text
from atlas.datasets.models import Dataset
from atlas.datasets.reading import values_as_json
from embeddings.readers import ColumnType, Row


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the upload whose picture lies in the storage."""

    row: Row
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None
    size: int | None = None


def text_columns(dataset: Dataset) -> set[str]:
    return {column["name"] for column in dataset.columns if column["type"] == ColumnType.TEXT}


def values_of(row: Row, texts: set[str]) -> dict[str, Any]:
    return {name: as_text(value) if name in texts else value for name, value in values_as_json(row).items()}
