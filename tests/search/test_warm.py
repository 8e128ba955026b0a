import gc
import logging

import pytest

from atlas.maps import towers
from atlas.search import tasks
from tests.maps.fake_towers import FakeModel


def test_it_uses_the_text_tower_once(fake_towers: FakeModel) -> None:
    tasks.warm()

    assert fake_towers.embedded == 1


def test_a_model_without_weights_is_one_sentence_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(_: str) -> FakeModel:
        raise towers.TowerError("Download the model first.")

    monkeypatch.setattr(towers, "model", missing)

    with caplog.at_level(logging.WARNING):
        tasks.warm()

    assert caplog.messages == ["Download the model first."]


def test_what_is_warm_is_not_looked_through_for_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(tasks, "embed_queries", lambda *_: done.append("loaded"))
    monkeypatch.setattr(gc, "freeze", lambda: done.append("frozen"))

    tasks.warm()

    assert done == ["loaded", "frozen"]
