"""An owner deletes a team: what it owned goes too or moves, and nobody finds anything of it afterwards."""

from uuid import UUID

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from atlas.datasets.delete import remove_dataset
from atlas.datasets.models import Dataset, Visibility
from atlas.teams.invitations import invite, token_of
from atlas.teams.keys import create_key
from atlas.teams.membership import create_team
from atlas.teams.models import AuditEvent, AuditVerb, KeyScope, Membership, Role, Team
from tests.callers import program
from tests.maps.records import make_dataset
from tests.people import Cast, client_of


@pytest.fixture(autouse=True)
def home(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.ATLAS_HOME = tmp_path_factory.mktemp("home")
    settings.MEDIA_ROOT = settings.ATLAS_HOME / "media"


@pytest.fixture
def museum(cast: Cast) -> Team:
    """Another team of Alice's."""
    return create_team(cast.alice, "Museum")


def delete(cast: Cast, client: Client, **form: str) -> int:
    form = {"confirmation": cast.team.name, **form}
    return int(client.post(f"/teams/{cast.team.slug}/delete", form).status_code)


def dataset_ids(team: Team) -> list[UUID]:
    return list(Dataset.objects.filter(team=team, deleting=False).values_list("pk", flat=True))


def test_the_page_says_first_what_goes(cast: Cast, museum: Team) -> None:
    make_dataset(cast.team, row_count=1200)
    create_key(cast.team, cast.alice, "A", [KeyScope.READ])
    page = client_of(cast.alice).get(f"/teams/{cast.team.slug}/delete").content.decode()
    assert "1,200 records" in page
    assert "2 other members lose the team" in page
    assert "1 API key " in page
    assert "move to Museum" in page


@pytest.mark.parametrize("name", ["bob", "victor", "charlie"])
def test_nobody_but_an_owner_deletes_it(cast: Cast, name: str) -> None:
    assert delete(cast, client_of(getattr(cast, name))) == 404
    assert Team.objects.filter(pk=cast.team.pk).exists()


def test_without_the_typed_name_nothing_happens(cast: Cast) -> None:
    assert delete(cast, client_of(cast.alice), confirmation="alice's") == 422
    assert Membership.objects.filter(team=cast.team).count() == 3


def test_its_datasets_go_with_it(cast: Cast) -> None:
    dataset = make_dataset(cast.team)
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.PUBLIC)
    key = create_key(cast.team, cast.alice, "A", [KeyScope.READ])[1]
    invitation = token_of(invite(cast.team, "ina@example.org", Role.VIEWER, cast.alice))

    assert delete(cast, client_of(cast.alice)) == 302

    for person in (cast.alice, cast.bob, None):
        assert client_of(person).get(f"/data/{cast.team.slug}").status_code == 404
        assert client_of(person).get(dataset.get_absolute_url()).status_code == 404
    assert program(key).get("/api/datasets").status_code == 401
    assert Client().get(f"/join/{invitation}").status_code == 404
    remove_dataset(dataset.pk)  # as a worker does
    assert not Team.objects.filter(pk=cast.team.pk).exists()


def test_its_datasets_move_to_another_team(cast: Cast, museum: Team) -> None:
    dataset = make_dataset(cast.team)
    assert delete(cast, client_of(cast.alice), heir=str(museum.pk)) == 302
    assert dataset_ids(museum) == [dataset.pk]
    assert not Team.objects.filter(pk=cast.team.pk).exists()


@pytest.mark.parametrize(("role", "left"), [(Role.OWNER, "public"), (Role.EDITOR, "private")])
def test_they_stay_open_where_their_mover_owns_the_other_team(
    cast: Cast, museum: Team, role: Role, left: str
) -> None:
    make_dataset(cast.team, visibility=Visibility.PUBLIC)
    Membership.objects.filter(team=museum, user=cast.alice).update(role=role)
    page = client_of(cast.alice).get(f"/teams/{cast.team.slug}/delete").content.decode()
    assert "In a team that you are not an owner of they become private" in page
    delete(cast, client_of(cast.alice), heir=str(museum.pk))
    assert Dataset.objects.get(team=museum).visibility == left


def test_they_do_not_move_to_a_team_of_others(cast: Cast, museum: Team) -> None:
    make_dataset(cast.team)
    theirs = cast.charlie.teams.get()
    assert delete(cast, client_of(cast.alice), heir=str(theirs.pk)) == 422
    assert dataset_ids(theirs) == []
    assert len(dataset_ids(cast.team)) == 1


def test_the_logs_tell_it_to_everybody_concerned(cast: Cast, museum: Team) -> None:
    dataset = make_dataset(cast.team)
    delete(cast, client_of(cast.alice), heir=str(museum.pk))

    told = AuditEvent.objects.get(verb=AuditVerb.TEAM_DELETED)
    assert (told.user_id, told.text) == (cast.alice.pk, "“Alice”: 1 dataset moved to Museum")
    assert "was deleted" in client_of(cast.bob).get("/account/activity").content.decode()
    assert str(dataset) in client_of(cast.alice).get(f"/teams/{museum.slug}/log").content.decode()


def test_the_other_owners_get_a_mail(cast: Cast) -> None:
    make_dataset(cast.team)
    Membership.objects.filter(team=cast.team, user=cast.bob).update(role=Role.OWNER)
    delete(cast, client_of(cast.alice))
    (sent,) = mail.outbox
    assert sent.to == [cast.bob.email]
    assert "went with it" in sent.body


def test_whoever_has_no_team_is_asked_to_make_one(cast: Cast) -> None:
    alice = client_of(cast.alice)
    delete(cast, alice)
    page = alice.get("/new", follow=True)
    assert page.redirect_chain[0][0] == "/teams/new"
    assert "Make one first" in page.content.decode()


def test_a_new_name_leaves_the_address_and_is_written_down(cast: Cast) -> None:
    client_of(cast.alice).post(f"/teams/{cast.team.slug}/name", {"name": "Herbarium"})
    assert str(Team.objects.get(slug=cast.team.slug)) == "Herbarium"
    assert AuditEvent.objects.get(verb=AuditVerb.TEAM_RENAMED).text == "“Alice” to “Herbarium”"
