"""How fast the two ends of an import are by themselves; `python -m atlas.benchmark` prints them."""

import time
from collections.abc import Sequence

from django.db import transaction

from atlas.datasets.images import prepare
from atlas.datasets.ingest import BATCH_ITEMS, copy_records
from atlas.datasets.models import Dataset
from atlas.datasets.stored import Stored
from embeddings.readers import Row


def thumbnails_a_second(pictures: Sequence[bytes]) -> float:
    """One thread, nothing stored: decode, hash, scale, WebP."""
    began = time.perf_counter()
    for each in pictures:
        prepare(each)
    return len(pictures) / (time.perf_counter() - began)


def copied_a_second(like: Dataset, records: int = 20_000) -> float:
    """COPY of records without pictures into a new dataset of the same team, in batches as imports do."""
    scratch = Dataset.objects.create(
        team=like.team, name="Scratch", slug="scratch", model=like.model, columns=like.columns
    )
    rows = [Row(n, f"r{n}", None, ["A red disc"], {"weight": 0.5}, None, f"r{n}") for n in range(records)]
    began = time.perf_counter()
    for start in range(0, records, BATCH_ITEMS):
        with transaction.atomic():
            copy_records(scratch, [Stored(row) for row in rows[start : start + BATCH_ITEMS]])
    return records / (time.perf_counter() - began)
