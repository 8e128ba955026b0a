"""What is tried too often is answered 429, with a sentence and the time to wait."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from atlas.datasets.models import Visibility
from atlas.maps import selection_api
from atlas.teams import guests, invitations
from atlas.teams.keys import create_key
from atlas.teams.models import KeyScope
from tests.callers import program
from tests.maps.records import make_dataset
from tests.people import PASSWORD, Cast, client_of


@pytest.fixture(autouse=True)
def no_tries_yet(one_stretch: None) -> None:
    cache.clear()


def told(answer: Any) -> str:
    """The sentence of a refusal."""
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 3600
    return str(answer.content.decode())


def sign_in(client: Client, cast: Cast, password: str) -> Any:
    return client.post("/accounts/login/", {"login": cast.alice.email, "password": password})


def test_guessing_a_password_is_stopped_for_the_account(cast: Cast) -> None:
    client = Client()
    for _ in range(5):
        assert sign_in(client, cast, "guess").status_code == 200
    assert "too many tries to sign in" in told(sign_in(client, cast, "guess"))
    assert "too many tries to sign in" in told(sign_in(Client(REMOTE_ADDR="192.0.2.1"), cast, PASSWORD))


def test_signing_in_again_and_again_is_not_guessing(cast: Cast) -> None:
    for _ in range(8):
        assert sign_in(Client(), cast, PASSWORD).status_code == 302


def test_signing_in_too_often_from_one_address_is_stopped(cast: Cast) -> None:
    for _ in range(30):
        assert sign_in(Client(), cast, PASSWORD).status_code == 302
    assert "Wait a minute" in told(sign_in(Client(), cast, PASSWORD))
    assert sign_in(Client(REMOTE_ADDR="192.0.2.1"), cast, PASSWORD).status_code == 302


def test_signing_up_too_often_from_one_address_is_stopped(cast: Cast) -> None:
    client = Client()
    for _ in range(20):
        client.post("/accounts/signup/", {"email": "no address", "password1": PASSWORD})
    assert "Wait a minute" in told(client.post("/accounts/signup/", {}))


def test_inviting_too_often_is_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "TRIES", 0)
    form = {"email": "ina@example.org", "role": "viewer"}
    answer = client_of(cast.alice).post(f"/teams/{cast.team.slug}/invitations", form)
    assert "many invitations in one hour" in told(answer)


def test_naming_guests_too_often_is_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "TRIES", 0)
    page = f"{make_dataset(cast.team).get_absolute_url()}/sharing/guests"
    answer = client_of(cast.alice).post(page, {"email": cast.charlie.email, "role": "viewer"})
    assert "many guests in one hour" in told(answer)


# Searching -----------------------------------------------------------------------------------------------


def search(client: Client) -> Any:
    return client.post("/api/search", {"parts": [{"text": "red"}], "mode": "words"}, "application/json")


def test_searching_too_often_is_stopped_for_each_by_itself(cast: Cast, settings: Settings) -> None:
    settings.ATLAS_SEARCHES_PER_MINUTE = 2
    key = create_key(cast.team, cast.alice, "A", [KeyScope.READ])[1]
    visitors = [Client(), Client(REMOTE_ADDR="192.0.2.1"), client_of(cast.alice), program(key)]
    for visitor in visitors:
        for _ in range(2):
            assert search(visitor).status_code == 200
    for visitor in visitors:
        assert "more than 2 searches in a minute" in told(search(visitor))


def test_every_way_to_search_counts(cast: Cast, settings: Settings) -> None:
    settings.ATLAS_SEARCHES_PER_MINUTE = 1
    dataset = make_dataset(cast.team, visibility=Visibility.PUBLIC)
    client, body = Client(), {"parts": [{"row": 1}]}
    search(client)
    for path in (f"/api/datasets/{dataset.pk}/search", f"/api/maps/{dataset.pk}/glow"):
        assert told(client.post(path, body, "application/json"))
    assert told(client.get(f"/api/maps/{dataset.pk}/records/1/neighbours"))


def test_every_way_to_filter_counts(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection_api, "MOST_IN_A_MINUTE", 0)
    client, dataset = client_of(cast.alice), make_dataset(cast.team)
    tag = dataset.tags.create(name="red")
    for path, body in (
        (f"maps/{dataset.pk}/select", {"filter": {"has": "caption"}}),
        (f"datasets/{dataset.pk}/table", {}),
        (f"datasets/{dataset.pk}/export/check", {"format": "csv"}),
        (f"datasets/{dataset.pk}/tags/{tag.pk}/records", {"add": {"has": "caption"}}),
        (f"datasets/{dataset.pk}/records/remove", {"filter": {"has": "caption"}}),
    ):
        assert told(client.post(f"/api/{path}", body, "application/json"))


def test_a_visitor_by_ipv6_counts_as_one_whatever_address_they_take(cast: Cast, settings: Settings) -> None:
    settings.ATLAS_SEARCHES_PER_MINUTE = 1
    assert search(Client(REMOTE_ADDR="2001:db8::1")).status_code == 200
    assert told(search(Client(REMOTE_ADDR="2001:db8::ffff:2")))
    for other in ("2001:db8:0:1::1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"):
        assert search(Client(REMOTE_ADDR=other)).status_code == 200
