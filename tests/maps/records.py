"""Datasets with records for the tests of this room, written straight into Postgres."""

import hashlib
import io
import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from atlas.datasets.models import Dataset, Record, original_name, thumbnail_name
from atlas.teams.models import Team
from atlas.teams.people import create_person

COLOURS = ["red", "green", "blue", "yellow", "purple", "orange", "white", "black"]


def make_dataset(team: Team | None = None, **fields: object) -> Dataset:
    slug = uuid.uuid4().hex[:12]
    if team is None:
        team = create_person(f"{slug}@example.org", "secret").teams.get()
    return Dataset.objects.create(team=team, name=slug, slug=slug, model="mini", **fields)


def add_records(dataset: Dataset, count: int, *, pictures: bool = False, captions: bool = False) -> None:
    """Append records, each with a picture and a caption of its own where asked for."""
    first = dataset.row_count
    columns = [{"name": "colour", "type": "category"}, {"name": "size", "type": "number"}]
    records = []
    for row in range(first, first + count):
        colour = COLOURS[row % len(COLOURS)]
        records.append(
            Record(
                dataset=dataset,
                row=row,
                source=f"test.zip/{row}.png",
                caption=f"{colour} thing number {row}" if captions else "",
                captions=[f"{colour} thing number {row}"] if captions else [],
                values={"colour": colour, "size": row},
                **(_store_picture(dataset, colour, row) if pictures else {}),
            )
        )
    Record.objects.bulk_create(records)
    dataset.row_count = first + count
    dataset.columns = columns
    dataset.save(update_fields=["row_count", "columns"])


def _store_picture(dataset: Dataset, colour: str, row: int) -> dict[str, object]:
    picture = Image.new("RGB", (12, 10), colour)
    picture.putpixel((row % 11, row // 11 % 10), (row % 256, row // 256 % 256, 77))
    original, thumbnail = io.BytesIO(), io.BytesIO()
    picture.save(original, "PNG")
    picture.save(thumbnail, "WEBP")
    sha256 = hashlib.sha256(original.getvalue()).hexdigest()
    for name, file in ((original_name, original), (thumbnail_name, thumbnail)):
        if not default_storage.exists(name(dataset.pk, sha256)):
            default_storage.save(name(dataset.pk, sha256), ContentFile(file.getvalue()))
    return {"sha256": sha256, "width": 12, "height": 10, "format": "PNG", "size": len(original.getvalue())}
