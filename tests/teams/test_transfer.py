from typing import Any

import pytest
from django.test import Client

from atlas.datasets.models import Dataset
from atlas.teams.asker import Asker
from atlas.teams.guests import add_guest
from atlas.teams.links import create_link, token_of
from atlas.teams.membership import create_team
from atlas.teams.models import AuditEvent, AuditVerb, Guest, GuestRole, Membership, Role, Team
from tests.maps.records import make_dataset
from tests.people import Cast, client_of


@pytest.fixture
def dataset(cast: Cast) -> Dataset:
    return make_dataset(cast.team)


@pytest.fixture
def museum(cast: Cast) -> Team:
    """Of Charlie, with Alice as an editor."""
    team = create_team(cast.charlie, "Museum")
    Membership.objects.create(team=team, user=cast.alice, role=Role.EDITOR)
    return team


def move(client: Client, dataset: Dataset, team: Team) -> int:
    url = f"/data/{dataset.team.slug}/{dataset.slug}/transfer"
    return int(client.post(url, {"team": team.slug}).status_code)


def sees(user: Any, dataset: Dataset) -> bool:
    return Dataset.objects.visible_to(Asker(user)).filter(pk=dataset.pk).exists()


def test_an_owner_moves_it_to_a_team_where_they_edit(cast: Cast, dataset: Dataset, museum: Team) -> None:
    assert move(client_of(cast.alice), dataset, museum) == 302
    dataset.refresh_from_db()
    assert dataset.team == museum
    assert sees(cast.charlie, dataset)
    assert not sees(cast.bob, dataset)


def test_both_teams_read_of_it_in_their_logs(cast: Cast, dataset: Dataset, museum: Team) -> None:
    move(client_of(cast.alice), dataset, museum)
    lines = AuditEvent.objects.filter(verb=AuditVerb.DATASET_TRANSFERRED)
    assert {line.team_id for line in lines} == {cast.team.pk, museum.pk}


def test_an_editor_does_not_move_it(cast: Cast, dataset: Dataset, museum: Team) -> None:
    Membership.objects.create(team=museum, user=cast.bob, role=Role.OWNER)
    assert move(client_of(cast.bob), dataset, museum) == 404


def test_it_goes_to_no_team_where_the_owner_only_looks(cast: Cast, dataset: Dataset, museum: Team) -> None:
    Membership.objects.filter(team=museum, user=cast.alice).update(role=Role.VIEWER)
    assert move(client_of(cast.alice), dataset, museum) == 404
    assert move(client_of(cast.alice), dataset, cast.charlie.teams.exclude(pk=museum.pk).get()) == 404


def test_links_and_guests_come_along(cast: Cast, dataset: Dataset, museum: Team) -> None:
    add_guest(dataset.pk, cast.team, cast.charlie.email, GuestRole.VIEWER, cast.alice)
    Dataset.objects.filter(pk=dataset.pk).update(visibility="link")
    Membership.objects.filter(team=museum, user=cast.alice).update(role=Role.OWNER)
    link = create_link(dataset.pk, cast.alice)
    move(client_of(cast.alice), dataset, museum)
    dataset.refresh_from_db()
    assert Client().get(f"/s/{token_of(link)}")["Location"].startswith(f"/data/{museum.slug}/")
    assert not Guest.objects.exists(), "Charlie is a member now"


def test_who_only_edits_in_the_new_team_publishes_nothing_under_its_name(
    cast: Cast, dataset: Dataset, museum: Team
) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(visibility="public", embed_hosts=["example.org"])
    link = create_link(dataset.pk, cast.alice)
    settings_page = client_of(cast.alice).get(f"{dataset.get_absolute_url()}/settings").content.decode()
    assert "Where you are not an owner of the other team, the dataset becomes private" in settings_page
    move(client_of(cast.alice), dataset, museum)
    dataset.refresh_from_db()
    assert (dataset.visibility, dataset.embed_hosts) == ("private", [])
    told = AuditEvent.objects.get(verb=AuditVerb.VISIBILITY_CHANGED)
    assert (told.team_id, told.text) == (museum.pk, f"“{dataset}”: private")
    assert Client().get(f"/s/{token_of(link)}").status_code == 404


def test_its_slug_gives_way_to_one_that_is_there(cast: Cast, dataset: Dataset, museum: Team) -> None:
    other = make_dataset(museum)
    other.slug = dataset.slug
    other.save()
    move(client_of(cast.alice), dataset, museum)
    dataset.refresh_from_db()
    assert dataset.team == museum
    assert dataset.slug == f"{other.slug}-2"
