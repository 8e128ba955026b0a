"""What tests of several readers share."""

from typing import Any

import pytest

from embeddings.readers.batches import BatchTable


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were taken at once."""
    sizes: list[int] = []
    rows_of = BatchTable._rows_of

    def noted(table: BatchTable, batch: Any) -> Any:
        sizes.append(batch.num_rows)
        return rows_of(table, batch)

    monkeypatch.setattr(BatchTable, "_rows_of", noted)
    return sizes
