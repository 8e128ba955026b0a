"""Towers without weights, and the query worker's work done at once."""

import pytest

from atlas.maps import towers
from atlas.search import asking
from tests.maps.fake_towers import FakeModel


@pytest.fixture(autouse=True)
def fake_towers(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    model = FakeModel()
    monkeypatch.setattr(towers, "model", lambda _: model)
    return model


@pytest.fixture(autouse=True)
def _worker_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ask", lambda task, *arguments: task(*arguments))
