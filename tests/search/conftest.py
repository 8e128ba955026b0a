"""Towers without weights, and the query worker's work done at once."""

from typing import Any

import pytest

from atlas.maps import towers
from atlas.search import api, tasks
from tests.maps.fake_towers import FakeModel


@pytest.fixture(autouse=True)
def fake_towers(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    model = FakeModel()
    monkeypatch.setattr(towers, "model", lambda _: model)
    return model


@pytest.fixture(autouse=True)
def _worker_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*arguments: Any) -> Any:
        dataset_id, row_count, query = arguments
        return tasks.answer(dataset_id, row_count, query.as_json())

    monkeypatch.setattr(api, "_ask", ask)
