"""PATCH /api/maps/{map}/topics/{topic}: names that editors give, on this version and on what is appended."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from atlas.datasets.models import Dataset, Visibility
from atlas.maps.models import Topic
from atlas.maps.renaming import rename_topic
from atlas.teams.asker import Asker
from atlas.teams.links import create_link, token_of
from tests.maps.building import make_maps
from tests.maps.records import add_records
from tests.people import client_of
from tests.world import COUNT, World, small_world

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Its map was appended to after a topic had got a name."""
    with django_db_blocker.unblock(), small_world(tmp_path_factory.mktemp("home")) as world:
        assert world.map.current is not None
        rename_topic(world.map.current, 0, "From before", Asker(world.cast.bob))
        add_records(world.dataset, 6, pictures=True, captions=True)
        make_maps(world.dataset.pk, append=True)
        world.map.refresh_from_db()
        yield world


@pytest.fixture(autouse=True)
def home() -> None:
    """The folder is that of the world."""


def rename(world: World, name: str, topic: int = 0, person: str = "bob") -> Any:
    client = client_of(getattr(world.cast, person))
    url = f"/api/maps/{world.map.pk}/topics/{topic}"
    return client.patch(url, {"name": name}, content_type="application/json")


def topics(world: World) -> list[dict[str, Any]]:
    answer = client_of(world.cast.victor).get(f"/api/maps/{world.map.pk}/topics")
    found: list[dict[str, Any]] = answer.json()["topics"]
    return found


def test_everybody_sees_the_name_that_an_editor_gave(world: World) -> None:
    answer = rename(world, "  Things\n with   corners ")

    assert answer.json() == {"id": 0, "name": "Things with corners"}
    assert topics(world)[0]["name"] == "Things with corners"
    page = client_of(world.cast.victor).get(f"{world.dataset.get_absolute_url()}/map")
    shown = next(each for each in page.context["config"]["maps"] if each["id"] == str(world.map.pk))
    assert shown["renamed"] == {"0": "Things with corners"}
    assert world.dataset.events.latest("pk").text.endswith("to “Things with corners”")


def test_the_files_of_the_version_stay_as_they_are(world: World) -> None:
    client = client_of(world.cast.bob)
    before = client.get(f"{world.files}labels.json").content
    rename(world, "Other")

    assert client.get(f"{world.files}labels.json").content == before


def test_a_longer_name_gets_a_wider_box(world: World) -> None:
    rename(world, "On")
    short = topics(world)[0]["w"]
    rename(world, "Once upon a time")

    assert topics(world)[0]["w"] > 2 * short


def test_the_name_that_the_build_found_undoes_it(world: World) -> None:
    found = Topic.objects.get(version=world.map.current, number=0).name
    rename(world, "Other")
    rename(world, found)

    assert Topic.objects.get(version=world.map.current, number=0).given_name == ""
    assert topics(world)[0]["name"] == found


def test_a_name_survives_an_append(world: World) -> None:
    assert topics(world)[0]["name"] == "From before"
    assert topics(world)[0]["count"] == COUNT + 6


def test_who_may_not_see_captions_sees_no_words_of_them(world: World) -> None:
    Dataset.objects.filter(pk=world.dataset.pk).update(visibility=Visibility.LINK)
    link = create_link(world.dataset.pk, world.cast.alice, hide_captions=True)
    visitor = Client()
    visitor.get(f"/s/{token_of(link)}")

    for url in (f"/api/maps/{world.map.pk}/topics", f"{world.files}labels.json"):
        assert visitor.get(url).json()["topics"][0]["name"] == "Topic 1", url
    rename(world, "Things")
    for url in (f"/api/maps/{world.map.pk}/topics", f"{world.files}labels.json"):
        assert visitor.get(url).json()["topics"][0]["name"] == "Things"


@pytest.mark.parametrize(
    ("name", "topic", "person", "status"),
    [
        ("", 0, "bob", 422),
        (" \n", 0, "bob", 422),
        ("x" * 81, 0, "bob", 422),
        ("Things", 999, "bob", 404),
        ("Things", 0, "victor", 404),
        ("Things", 0, "charlie", 404),
    ],
)
def test_it_refuses(world: World, name: str, topic: int, person: str, status: int) -> None:
    assert rename(world, name, topic, person).status_code == status
    assert topics(world)[0]["name"] == "From before"
