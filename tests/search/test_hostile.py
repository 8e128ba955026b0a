"""Whatever is sent to the search: an answer or a sentence why not, never a failure of the server."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from pytest_django import Settings

from atlas.datasets.models import Dataset
from atlas.maps.models import DataMap
from tests.people import Cast, client_of
from tests.search.queries import COUNT, red_picture

pytestmark = pytest.mark.django_db

ODD_TEXTS = (
    "", " ", "\0", "a\0b", "\ud800", "'; DROP TABLE datasets_record; --", "%_\\", "<script>alert(1)</script>",
    "a & b | !c <-> d:*", "((((", '"', '"unclosed', "-", "--", "- -a", "or or or", "a" * 10_000, "a " * 5000,
    "שלום", "خريطة", "地図", "\u202e\u2067", "e" + "\u0336" * 500, "NaN", "{}", "${7*7}", "{{7*7}}",
)  # fmt: skip
ODD_NUMBERS = (0, -1, 1e308, -1e308, 1e-320, 2**31, 2**63, 10**400, float("nan"), float("inf"), -0.0, True)

odd_text = st.sampled_from(ODD_TEXTS) | st.text(max_size=40)
odd_number = st.sampled_from(ODD_NUMBERS) | st.floats() | st.integers()
odd_value = st.recursive(
    st.none() | st.booleans() | odd_number | odd_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3),
    max_leaves=6,
)


def odd_filter(ids: list[str]) -> st.SearchStrategy[Any]:
    leaf = st.one_of(
        st.fixed_dictionaries({"rows": st.lists(st.integers(-2, COUNT + 2) | odd_number, max_size=3)}),
        st.fixed_dictionaries({"tag": st.sampled_from(ids) | odd_text}),
        st.fixed_dictionaries({"topic": st.integers(-1, 99) | odd_number, "map": st.sampled_from(ids)}),
        st.fixed_dictionaries({"column": odd_text, "from": odd_value, "to": odd_value}),
        st.fixed_dictionaries({"caption": odd_value}),
        st.dictionaries(st.sampled_from(["all", "any", "not", "has", "region"]), odd_value, max_size=2),
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.fixed_dictionaries({"all": st.lists(inner, max_size=2)}), st.fixed_dictionaries({"not": inner})
        ),
        max_leaves=4,
    )


def odd_part(ids: list[str]) -> st.SearchStrategy[Any]:
    """Mostly one subject that could be meant, sometimes none, several or nonsense."""
    subjects: dict[str, st.SearchStrategy[Any]] = {
        "text": odd_text,
        "row": st.integers(-1, COUNT + 1) | odd_number,
        "vector": st.lists(odd_number, max_size=17) | st.just([0.5] * 16) | odd_value,
        "picture": st.sampled_from(["", "AAAA", red_picture(), red_picture()[:60], "\ud800"]) | odd_text,
        "picture_key": st.sampled_from(["0" * 32, "x"]),
        "url": st.sampled_from(["http://127.0.0.1/", "file:///etc/passwd", "https://[::1]/", "http://"]),
        "tag": st.sampled_from(ids) | odd_text,
        "filter": odd_filter(ids) | odd_value,
    }
    one = st.sampled_from(sorted(subjects)).flatmap(
        lambda name: st.fixed_dictionaries({name: subjects[name]})
    )
    topic = st.fixed_dictionaries({"topic": st.integers(-1, 99) | odd_number, "map": st.sampled_from(ids)})
    weighed = st.tuples(one | topic, st.none() | odd_number | st.sampled_from([1, -1, 0.5])).map(
        lambda pair: pair[0] if pair[1] is None else {**pair[0], "weight": pair[1]}
    )
    return weighed | odd_value


def odd_query(ids: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    optional = {
        "against": st.sampled_from(["both", "pictures", "captions"]) | odd_value,
        "mode": st.sampled_from(["best", "meaning", "words"]) | odd_value,
        "filter": odd_filter(ids) | odd_value,
        "limit": st.integers(1, 20) | odd_number,
        "offset": st.integers(0, 2 * COUNT) | odd_number,
        "map": st.sampled_from(ids) | odd_value,
        "version": st.sampled_from(ids),
    }
    return st.fixed_dictionaries(
        {"parts": st.lists(odd_part(ids), min_size=1, max_size=3)}, optional=optional
    )


@pytest.fixture(autouse=True)
def _as_often_as_it_likes(settings: Settings) -> None:
    settings.ATLAS_SEARCHES_PER_MINUTE = 10**9


@pytest.fixture
def ids(dataset: Dataset) -> list[str]:
    """Of things that are there, of another team's, and of nothing."""
    foreign = DataMap.objects.exclude(dataset=dataset).values_list("pk", flat=True)
    own = DataMap.objects.filter(dataset=dataset).values_list("pk", flat=True)
    tag = dataset.tags.create(name="blurry", colour=0).pk
    nothing = "8d6d6b0c-5f0c-4a57-9a5c-3f8f6d3c1a11"
    return [str(pk) for pk in (*own, foreign[0], dataset.pk, tag)] + [nothing, "x"]


def is_answered(client: Client, address: str, body: Any) -> None:
    answer = client.post(address, json.dumps(body), content_type="application/json")
    assert answer.status_code < 500, (address, body, answer.content)
    if answer.status_code >= 400:
        assert answer.json()["detail"]


@pytest.mark.parametrize("where", ["search", "glow", "across"])
def test_no_made_up_query_makes_it_fail(cast: Cast, dataset: Dataset, ids: list[str], where: str) -> None:
    client = client_of(cast.alice)
    address = {
        "search": f"/api/datasets/{dataset.pk}/search",
        "glow": f"/api/maps/{ids[0]}/glow",
        "across": "/api/search",
    }[where]

    @hypothesis(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(odd_query(ids))
    def ask(query: dict[str, Any]) -> None:
        is_answered(client, address, query)

    ask()


def test_no_made_up_saved_search_makes_it_fail(cast: Cast, dataset: Dataset) -> None:
    client = client_of(cast.alice)
    address = f"/api/datasets/{dataset.pk}/searches"

    @hypothesis(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(odd_text | odd_value, odd_text | odd_value, odd_value)
    def save(name: Any, query: Any, shared: Any) -> None:
        is_answered(client, address, {"name": name, "query": query, "shared": shared})

    save()
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("text", ODD_TEXTS)
@pytest.mark.parametrize("mode", ["best", "words"])
def test_no_odd_text_makes_it_fail(cast: Cast, dataset: Dataset, text: str, mode: str) -> None:
    parts = [{"text": text}, {"text": text, "weight": -1}]

    is_answered(client_of(cast.alice), f"/api/datasets/{dataset.pk}/search", {"parts": parts, "mode": mode})
