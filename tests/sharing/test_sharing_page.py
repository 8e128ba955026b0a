"""The page on which an owner shares a dataset."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from atlas.datasets.models import Dataset, Event, Visibility
from atlas.teams import guests
from atlas.teams.links import create_link, token_of
from atlas.teams.models import Guest, GuestRole, Scope, ShareLink
from tests.people import client_of
from tests.world import World

pytestmark = pytest.mark.django_db


def page(world: World, part: str = "") -> str:
    return f"{world.dataset.get_absolute_url()}/sharing{part}"


@pytest.fixture
def owner(world: World) -> Client:
    return client_of(world.cast.alice)


def visibility(world: World) -> str:
    return Dataset.objects.get(pk=world.dataset.pk).visibility


def test_a_first_link_opens_a_private_dataset_to_links(world: World, owner: Client) -> None:
    assert "The dataset is private. Making a link opens it" in owner.get(page(world)).content.decode()

    answer = owner.post(page(world, "/links"), {"scope": "view"}, follow=True)

    link = ShareLink.objects.get()
    assert visibility(world) == Visibility.LINK
    assert "The dataset was private; its links open it now." in answer.content.decode()
    assert f'value="http://testserver/s/{token_of(link)}"' in answer.content.decode()
    assert Event.objects.filter(dataset=world.dataset, text="made a share link").exists()


def test_a_link_is_made_as_the_form_says(world: World, owner: Client) -> None:
    day = timezone.now().date() + timedelta(days=3)
    owner.post(
        page(world, "/links"),
        {
            "name": "The jury",
            "scope": "tag",
            "password": "open sesame",
            "last_day": day.isoformat(),
            "hide_originals": "on",
            "hide_captions": "on",
            "start_view": "https://example.org/data/a/b/map#at=0.1,0.2,3",
        },
    )

    link = ShareLink.objects.get()
    assert (link.name, link.scope, link.start_view) == ("The jury", Scope.TAG, "at=0.1,0.2,3")
    assert link.hide_originals
    assert link.hide_captions
    assert link.password
    following = day + timedelta(days=1)
    assert link.expires_at == datetime(following.year, following.month, following.day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("last_day", "2020-01-01", "This day is over."),
        ("last_day", "9999-12-31", "Leave it empty for a link without an end."),
        ("start_view", "https://example.org/map", "This address has no view in it"),
        ("start_view", "#" + "x" * 100_001, "more than 100,000 characters"),
        ("password", "short", "at least 6 characters"),
        ("scope", "own", "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_is_said_beside_the_field(
    world: World, owner: Client, field: str, value: str, sentence: str
) -> None:
    answer = owner.post(page(world, "/links"), {"scope": "view", field: value})

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert "data-opens-at-once" in answer.content.decode()
    assert not ShareLink.objects.exists()


def test_a_first_view_is_as_long_as_a_saved_one(world: World, owner: Client) -> None:
    view = "region=" + "x" * 90_000
    owner.post(page(world, "/links"), {"scope": "view", "start_view": f"https://example.org/map#{view}"})

    assert ShareLink.objects.get().start_view == view


def test_the_map_hands_over_what_it_shows(world: World, owner: Client) -> None:
    content = owner.get(page(world, "?start=at%3D0.1%2C0.2%2C3%26colour%3Dyear")).content.decode()

    assert 'value="#at=0.1,0.2,3&amp;colour=year"' in content


def test_a_revoked_link_is_listed_as_ended(world: World, owner: Client) -> None:
    link = create_link(world.dataset.pk, world.cast.alice, name="The jury")

    content = owner.post(page(world, f"/links/{link.pk}/revoke"), follow=True).content.decode()

    assert "1 ended link" in content
    assert token_of(link) not in content
    link.refresh_from_db()
    first = link.revoked_at
    owner.post(page(world, f"/links/{link.pk}/revoke"))
    link.refresh_from_db()
    assert link.revoked_at == first


def test_a_link_of_another_dataset_is_not_revoked_here(world: World, owner: Client) -> None:
    other = Dataset.objects.create(team=world.cast.charlie.teams.get(), name="O", slug="o", model="mini")
    link = create_link(other.pk, world.cast.charlie)

    assert owner.post(page(world, f"/links/{link.pk}/revoke")).status_code == 404
    link.refresh_from_db()
    assert link.in_force


def test_a_guest_sees_the_dataset_among_their_own_until_removed(world: World, owner: Client) -> None:
    charlie = client_of(world.cast.charlie)
    assert charlie.get(world.dataset.get_absolute_url()).status_code == 404

    owner.post(page(world, "/guests"), {"email": "Charlie@Example.org", "role": "commenter"})

    home = charlie.get("/").content.decode()
    assert re.search(r"Shared with you.*" + world.dataset.name, home, re.DOTALL)
    assert charlie.get(world.dataset.get_absolute_url()).status_code == 200
    assert "Charlie" in owner.get(page(world)).content.decode()

    owner.post(page(world, f"/guests/{Guest.objects.get().pk}/remove"))
    assert charlie.get(world.dataset.get_absolute_url()).status_code == 404


def test_adding_a_guest_again_changes_the_role(world: World, owner: Client) -> None:
    for role in ("viewer", "editor"):
        owner.post(page(world, "/guests"), {"email": "charlie@example.org", "role": role})

    assert Guest.objects.get().role == GuestRole.EDITOR
    assert (
        client_of(world.cast.charlie).get(f"{world.dataset.get_absolute_url()}/settings").status_code == 200
    )


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("nobody@example.org", "Nobody has signed up with this address yet."),
        ("bob@example.org", "Bob is on the team already."),
        ("bob", "Enter a valid email address."),
    ],
)
def test_who_cannot_be_a_guest_is_said_why(world: World, owner: Client, email: str, sentence: str) -> None:
    answer = owner.post(page(world, "/guests"), {"email": email, "role": "viewer"})

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Guest.objects.exists()


@pytest.mark.usefixtures("one_stretch")
def test_nobody_tries_addresses_by_the_hundred(
    world: World, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "TRIES", 2)
    cache.clear()

    answers = [
        owner.post(page(world, "/guests"), {"email": f"x{number}@example.org", "role": "viewer"})
        for number in range(3)
    ]

    assert ["Go on later" in answer.content.decode() for answer in answers] == [False, False, True]


def test_visibility_is_changed_here(world: World, owner: Client) -> None:
    owner.post(page(world, "/visibility"), {"visibility": "public"})
    assert visibility(world) == Visibility.PUBLIC

    assert owner.post(page(world, "/visibility"), {"visibility": "everybody"}).status_code == 404
    assert visibility(world) == Visibility.PUBLIC


def test_only_owners_are_offered_to_share(world: World, owner: Client) -> None:
    for person, offered in ((owner, True), (client_of(world.cast.bob), False)):
        for path in (world.dataset.get_absolute_url(), f"{world.dataset.get_absolute_url()}/map"):
            assert ("icon-share" in person.get(path).content.decode()) is offered
