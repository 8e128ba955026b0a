"""POST /api/embed"""

import base64
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.test import Client

from atlas.api import embed_api, embedding
from atlas.search import asking
from atlas.search.replies import WorkerAwayError
from atlas.teams.keys import create_key
from atlas.teams.models import KeyScope
from tests.maps.fake_towers import DIMENSIONS, FakeModel
from tests.people import Cast, client_of
from tests.search.queries import red_picture

pytestmark = pytest.mark.usefixtures("model")


def ask(token: str | None, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(headers=headers).post("/api/embed", body, content_type="application/json")


def vectors_of(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.content
    return np.array(answer.json()["embeddings"])


def test_texts_become_vectors_of_length_one_in_their_order(token: str) -> None:
    answer = ask(token, texts=["red", "blue moon", "red"])
    vectors = vectors_of(answer)
    assert vectors.shape == (3, DIMENSIONS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert (vectors[0] == vectors[2]).all()
    assert answer.json()["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    assert answer.json()["model"] == "mini"


def test_the_pictures_of_a_request_are_in_memory_a_few_at_a_time(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    seen: list[int] = []

    def decoded(place: int, text: str) -> bytes:
        read.append(place)
        return base64.b64decode(text)

    def ask_later(task: Any, keys: list[str], wait: float) -> Any:
        seen.append(len(read))
        return task(keys)

    monkeypatch.setattr(embed_api, "_decoded", decoded)
    monkeypatch.setattr(asking, "ask_later", ask_later)
    answer = ask(token, images=[red_picture()] * 9)
    assert len(vectors_of(answer)) == answer.json()["usage"]["images"] == 9
    assert seen == [4, 8, 9]


def test_many_texts_go_to_the_worker_in_pieces_and_come_back_in_order(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = []

    def ask_later(task: Any, texts: list[str], *rest: Any, wait: float) -> Any:
        pieces.append(len(texts))
        return task(texts, *rest)

    monkeypatch.setattr(asking, "ask_later", ask_later)
    texts = [f"text {i}" for i in range(20)] + ["long " * 2_000, "short", "苹果" * 500, "苹果" * 600]
    together = vectors_of(ask(token, texts=texts))
    assert pieces == [16, 4, 1, 2, 1]
    assert (together[19] == vectors_of(ask(token, texts=["text 19"]))[0]).all()


def test_pictures_become_vectors(token: str) -> None:
    answer = ask(token, images=[red_picture()] * 5)
    assert vectors_of(answer).shape == (5, DIMENSIONS)
    assert answer.json()["usage"]["images"] == 5


def test_the_first_picture_that_cannot_be_read_is_named(token: str) -> None:
    images = [red_picture()] * 5 + [base64.b64encode(b"no picture").decode()]
    answer = ask(token, images=images)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Picture 5 of the request cannot be read")
    assert (
        "Picture 1 of the request is not base64" in ask(token, images=[red_picture(), "@"]).json()["detail"]
    )


def test_no_picture_stays_in_the_cache(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parked: list[str] = []
    set_many = cache.set_many

    def park(found: dict[str, Any], seconds: float) -> None:
        parked.extend(found)
        set_many(found, seconds)

    monkeypatch.setattr(cache, "set_many", park)
    ask(token, images=[red_picture()])
    assert parked
    assert cache.get_many(parked) == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"texts": []},
        {"texts": "red"},
        {"texts": [None]},
        {"texts": ["a"], "images": ["b"]},
        {"texts": ["a"], "task_type": "poetry"},
        {"texts": ["a"], "dimensionality": 0},
        {"texts": ["a"], "long_text_mode": "middle"},
        {"texts": ["a"] * (embed_api.MOST_ITEMS + 1)},
        {"texts": ["a" * (embed_api.MOST_CHARACTERS + 1)]},
        {"texts": ["a" * 50_000] * 21},
        {"texts": ["苹" * 12_501], "long_text_mode": "mean"},
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(token: str, model: FakeModel, body: Any) -> None:
    assert ask(token, **body).status_code == 422
    assert model.embedded == 0


def test_a_request_that_is_too_large_is_told_how_large_it_may_be(token: str) -> None:
    answer = ask(token, images=["A" * (10 << 20)])
    assert answer.status_code == 413
    assert answer.json() == {"detail": "The request is larger than 10 MiB."}


def test_only_the_warm_model_embeds(token: str) -> None:
    assert ask(token, texts=["a"], model="mini").status_code == 200
    answer = ask(token, texts=["a"], model="nomic-embed-text-v1.5")
    assert answer.status_code == 422
    assert "“mini”, not with “nomic-embed-text-v1.5”" in answer.json()["detail"]


def test_without_a_key_nobody_embeds(cast: Cast) -> None:
    for client in (Client(), client_of(cast.alice)):
        answer = client.post("/api/embed", {"texts": ["a"]}, content_type="application/json")
        assert answer.status_code == 401
        assert "API key" in answer.json()["detail"]


def test_a_key_for_something_else_does_not_embed(cast: Cast) -> None:
    token = create_key(cast.team, cast.alice, "A", [KeyScope.WRITE])[1]
    answer = ask(token, texts=["a"])
    assert answer.status_code == 403
    assert "takes the scope “embed”" in answer.json()["detail"]


@pytest.mark.usefixtures("one_stretch")
def test_more_than_a_key_may_send_is_told_when_to_go_on(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed_api, "ITEMS", 3)
    assert ask(token, texts=["a"] * 3).status_code == 200
    answer = ask(token, texts=["a"])
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= embed_api.ITEM_SECONDS
    assert answer.json()["detail"].endswith("Go on in a moment.")


def test_without_the_worker_it_says_so(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise WorkerAwayError

    monkeypatch.setattr(asking, "ask_later", away)
    assert ask(token, texts=["a"]).status_code == 503


def test_one_key_takes_only_its_share_of_the_places_to_wait_in(
    cast: Cast, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "MOST_OF_A_KEY", 1)
    key, its_own = create_key(cast.team, cast.alice, "B", [KeyScope.EMBED])
    for _ in range(2):
        with embedding.place_of(key.pk):
            refused = ask(its_own, texts=["a"])
            assert refused.status_code == 429
            assert int(refused["Retry-After"]) > 0
            assert ask(token, texts=["a"]).status_code == 200
            with monkeypatch.context() as full:
                full.setattr(embedding, "MOST_WAITING", 1)
                assert ask(token, texts=["a"]).status_code == 429
    assert ask(its_own, texts=["a"]).status_code == 200


def test_all_ten_requests_of_the_official_client_find_a_place(cast: Cast) -> None:
    key, token = create_key(cast.team, cast.alice, "B", [KeyScope.EMBED])
    with ExitStack() as others:
        for _ in range(9):
            others.enter_context(embedding.place_of(key.pk))
        assert ask(token, texts=["a"]).status_code == 200


@pytest.mark.usefixtures("one_stretch")
@pytest.mark.parametrize("body", [{"texts": ["a"] * 3}, {"images": [red_picture()] * 3}])
def test_a_request_that_found_no_place_uses_up_nothing(
    token: str, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_api, "ITEMS", 3)
    monkeypatch.setattr(embedding, "MOST_OF_A_KEY", 0)
    assert ask(token, **body).status_code == 429
    monkeypatch.setattr(embedding, "MOST_OF_A_KEY", 10)
    assert ask(token, **body).status_code == 200
    assert ask(token, **body).status_code == 429


def test_the_worker_has_one_piece_at_a_time_and_requests_take_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the wait of each begins with its turn, however long that was in coming."""
    begun: list[str] = []
    first_has_begun, second_waits = threading.Event(), threading.Event()
    waited: set[float] = set()

    def ask_later(task: Any, texts: list[str], *rest: Any, wait: float) -> Any:
        begun.append(texts[0])
        waited.add(wait)
        first_has_begun.set()
        assert second_waits.wait(60)
        time.sleep(0.05)
        assert begun[-1] == texts[0]  # nobody else has begun meanwhile
        return task(texts, *rest)

    monkeypatch.setattr(asking, "ask_later", ask_later)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(embedding.embed_texts, ["a"] * 40, "search_query", None, "truncate")
        assert first_has_begun.wait(60)
        other = pool.submit(embedding.embed_texts, ["b"] * 20, "search_query", None, "truncate")
        while len(embedding._line) < 2:
            time.sleep(0.01)
        second_waits.set()
        assert (len(one.result(60)[0]), len(other.result(60)[0])) == (40, 20)
    assert "".join(begun) == "ababa"
    assert waited == {embedding.WAIT_SECONDS}
    assert not embedding._line


def test_a_piece_that_breaks_lets_the_next_one_go(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise WorkerAwayError

    with monkeypatch.context() as broken:
        broken.setattr(asking, "ask_later", away)
        assert ask(token, texts=["a"]).status_code == 503
        assert ask(token, images=[red_picture()]).status_code == 503
    assert ask(token, texts=["a"]).status_code == 200
