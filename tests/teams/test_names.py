"""What a person is called where others read it."""

import pytest
from django.core import mail
from django.test import Client

from atlas import slugs
from atlas.datasets.models import Dataset, Visibility
from atlas.maps.models import SavedView
from atlas.teams.membership import create_team
from atlas.teams.models import Team, User
from atlas.teams.people import create_person
from tests.maps.records import make_dataset
from tests.people import PASSWORD, Cast, client_of


def test_visitors_of_a_public_map_read_no_address_of_its_team(cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.pk).update(first_name="")
    dataset = make_dataset(cast.team)
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.PUBLIC)
    alice = User.objects.get(pk=cast.alice.pk)
    SavedView.objects.create(dataset=dataset, created_by=alice, name="All", hash="at=1")
    dataset.tags.create(name="blurry", colour=0, created_by=alice)

    for part in ("", "/views", "/tags", "/searches"):
        answer = Client().get(f"/api/datasets/{dataset.pk}{part}")
        assert answer.status_code == 200
        assert "@example.org" not in answer.content.decode()
    assert str(alice) == "alice"


def test_a_name_longer_than_a_team_may_have_is_signed_up_with(cast: Cast) -> None:
    form = {"name": "Ina " * 37, "email": "ina@example.org", "password1": PASSWORD}
    assert Client().post("/accounts/signup/", form).status_code == 302
    assert User.objects.get(email="ina@example.org").teams.get().name == ("Ina " * 25).strip()
    assert create_person("a" * 120 + "@example.org", PASSWORD).teams.get().name == "a" * 100


def test_a_team_of_the_same_name_made_at_the_same_time_gets_another_address(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(wanted: str, *_: object) -> str:
        monkeypatch.undo()
        return wanted

    monkeypatch.setattr(slugs, "free_slug", late)
    assert create_team(cast.bob, cast.team.name).slug == f"{cast.team.slug}-2"


def test_a_name_of_several_lines_is_one_line(cast: Cast) -> None:
    client = client_of(cast.charlie)
    client.post("/teams/new", {"name": "Herbarium\nof 1900"})
    team = Team.objects.get(slug="herbarium-of-1900")
    assert team.name == "Herbarium of 1900"
    client.post(f"/teams/{team.slug}/name", {"name": "Old\r\nherbarium"})
    client.post(f"/teams/{team.slug}/invitations", {"email": "ina@example.org", "role": "viewer"})
    assert mail.outbox[-1].subject == "Invitation to Old herbarium on Atlas"
