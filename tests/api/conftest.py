"""Towers without weights, and the query worker's work done at once."""

import pytest

from atlas.maps import towers
from atlas.search import asking
from atlas.teams.keys import create_key
from atlas.teams.models import KeyScope
from tests.maps.fake_towers import FakeModel
from tests.people import Cast


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    model = FakeModel()
    monkeypatch.setattr(towers, "model", lambda _: model)
    monkeypatch.setattr(asking, "ask_later", lambda task, *arguments, wait: task(*arguments))  # noqa: ARG005
    return model


@pytest.fixture
def token(cast: Cast) -> str:
    """A key of Alice's to embed."""
    return create_key(cast.team, cast.alice, "A", [KeyScope.EMBED])[1]
