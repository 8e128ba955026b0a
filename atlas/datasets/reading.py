"""The door to the readers: an import's files as one dataset, what was understood as JSON, and back."""

import base64
from typing import Any

from django.conf import settings

from atlas.datasets import images
from atlas.datasets.models import Import
from embeddings.readers import (
    Choices,
    ColumnType,
    Dataset,
    DatasetError,
    Description,
    Limits,
    ReadError,
    Reason,
    Row,
    open_dataset,
)
from embeddings.readers import Skipped as SkippedByReader

#: Lines of the report that a description shows: the whole of it comes with the import.
SHOWN_SKIPS = 50

FILES_GONE = "The uploaded files have expired. Upload them again."


def limits() -> Limits:
    return Limits(**settings.ATLAS_LIMITS)


def open_import(job: Import) -> Dataset:
    """The uploaded files, read with the import's choices; to be closed. Raises DatasetError."""
    if not job.has_its_files:
        raise DatasetError(FILES_GONE)
    uploads = sorted(
        job.uploads.all(), key=lambda upload: (upload.relative_path or upload.filename, upload.pk)
    )
    names = {upload.path: upload.relative_path or upload.filename for upload in uploads}
    dataset = job.dataset
    return open_dataset(
        list(names),
        names=names,
        limits=limits(),
        choices=choices_from_json(job.choices),
        # Without records the columns are only what an import that brought nothing said of them.
        types={each["name"]: ColumnType(each["type"]) for each in dataset.columns if dataset.record_count},
    )


def choices_from_json(choices: dict[str, Any]) -> Choices:
    captions = choices.get("captions")
    return Choices(
        picture=choices.get("picture"),
        captions=None if captions is None else tuple(captions),
        id=choices.get("id"),
        vector=choices.get("vector"),
        types={name: ColumnType(kind) for name, kind in choices.get("types", {}).items()},
        leave_out=frozenset(choices.get("leave_out", ())),
    )


def description_as_json(description: Description) -> dict[str, Any]:
    notes = [each for each in description.skipped if each.reason is Reason.NOTE]
    skips = [each for each in description.skipped if each.reason is not Reason.NOTE]
    return {
        "layout": description.layout,
        "parts": [
            {"name": part.name, "form": part.form, "pictures": part.pictures, "tables": list(part.tables)}
            for part in description.parts
        ],
        "pictures": description.pictures,
        "rows": description.rows,
        "picture": description.picture,
        "captions": list(description.captions),
        "id": description.id,
        "vector": description.vector,
        "dimensions": description.dimensions,
        "columns": [
            {"name": column.name, "type": column.type, "examples": list(column.examples)}
            for column in description.columns
        ],
        "all_columns": list(description.all_columns),
        "head": [_row_as_json(row) for row in description.head],
        "skipped": [_skip_as_json(skipped) for skipped in [*notes, *skips][:SHOWN_SKIPS]],
        "skipped_count": len(skips),
    }


def values_as_json(row: Row) -> dict[str, Any]:
    """Dates as ISO strings; all else is JSON already."""
    return {
        name: value if isinstance(value, str | int | float | list) else value.isoformat()
        for name, value in row.values.items()
    }


def _row_as_json(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "source": row.source,
        "captions": row.captions,
        "values": values_as_json(row),
        "picture": _preview(row),
    }


def _preview(row: Row) -> dict[str, Any] | None:
    """The picture's thumbnail inside a data URL: nothing of it is stored before the import starts."""
    if row.picture is None:
        return None
    try:
        prepared = images.prepare(row.picture.read(), limits().pixels)
    except ReadError as error:
        return {"name": row.picture.name, "thumbnail": None, "problem": error.detail}
    encoded = base64.b64encode(prepared.thumbnail).decode()
    return {"name": row.picture.name, "thumbnail": f"data:image/webp;base64,{encoded}", "problem": None}


def _skip_as_json(skipped: SkippedByReader) -> dict[str, Any]:
    return {"source": skipped.source, "reason": skipped.reason, "detail": skipped.detail}
