import pytest
from django.test import Client

from atlas.teams.models import Membership, Role, Team
from tests.people import Cast, client_of


def role_of(cast: Cast, name: str) -> str | None:
    person = getattr(cast, name)
    return Membership.objects.filter(team=cast.team, user=person).values_list("role", flat=True).first()


def act(cast: Cast, who: str, on: str, verb: str, **form: str) -> int:
    url = f"/teams/{cast.team.slug}/members/{getattr(cast, on).pk}/{verb}"
    return int(client_of(getattr(cast, who)).post(url, form).status_code)


def test_an_owner_changes_a_role(cast: Cast) -> None:
    assert act(cast, "alice", "victor", "role", role="editor") == 302
    assert role_of(cast, "victor") == Role.EDITOR


@pytest.mark.parametrize("who", ["bob", "victor", "charlie"])
def test_nobody_else_changes_a_role_or_removes(cast: Cast, who: str) -> None:
    assert act(cast, who, "alice", "role", role="viewer") == 404
    assert act(cast, who, "alice", "remove") == 404
    assert role_of(cast, "alice") == Role.OWNER


def test_a_role_that_does_not_exist_is_refused(cast: Cast) -> None:
    assert act(cast, "alice", "victor", "role", role="king") == 404
    assert role_of(cast, "victor") == Role.VIEWER


def test_an_owner_removes_a_member_who_sees_nothing_afterwards(cast: Cast) -> None:
    assert act(cast, "alice", "bob", "remove") == 302
    assert client_of(cast.bob).get(f"/teams/{cast.team.slug}/members").status_code == 404


def test_a_viewer_leaves(cast: Cast) -> None:
    assert act(cast, "victor", "victor", "remove") == 302
    assert role_of(cast, "victor") is None


def test_the_last_owner_neither_leaves_nor_steps_down(cast: Cast) -> None:
    act(cast, "alice", "alice", "remove")
    act(cast, "alice", "alice", "role", role="viewer")
    assert role_of(cast, "alice") == Role.OWNER


def test_one_of_two_owners_may_leave(cast: Cast) -> None:
    act(cast, "alice", "bob", "role", role="owner")
    act(cast, "alice", "alice", "remove")
    assert role_of(cast, "alice") is None


def test_who_is_no_member_is_not_found(cast: Cast) -> None:
    assert act(cast, "alice", "charlie", "remove") == 404
    assert act(cast, "alice", "charlie", "role", role="viewer") == 404


def test_a_member_sees_the_list_and_no_forms_of_owners(cast: Cast) -> None:
    page = client_of(cast.victor).get(f"/teams/{cast.team.slug}/members").content.decode()
    assert "bob@example.org" in page
    assert "/invitations" not in page
    assert "/role" not in page


def test_who_removes_a_member_or_leaves_is_asked_first(cast: Cast) -> None:
    cast.team.name = "Fruit"
    cast.team.save()
    page = client_of(cast.alice).get(f"/teams/{cast.team.slug}/members").content.decode()
    assert f'data-asks="Remove {cast.bob} from Fruit? Their API keys of this team end' in page
    page = client_of(cast.bob).get(f"/teams/{cast.team.slug}/members").content.decode()
    assert 'data-asks="Leave Fruit? Your API keys of this team end' in page


def test_it_makes_a_team_whose_maker_owns_it(cast: Cast) -> None:
    client_of(cast.charlie).post("/teams/new", {"name": "Herbarium"})
    team = Team.objects.get(name="Herbarium")
    assert Membership.objects.get(team=team).user == cast.charlie
    assert Membership.objects.get(team=team).role == Role.OWNER


def test_renaming_keeps_the_address(cast: Cast) -> None:
    client_of(cast.alice).post(f"/teams/{cast.team.slug}/name", {"name": "Fruit"})
    team = Team.objects.get(pk=cast.team.pk)
    assert (team.name, team.slug) == ("Fruit", cast.team.slug)


def test_a_forged_request_changes_nothing(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    answer = client.post(f"/teams/{cast.team.slug}/members/{cast.bob.pk}/remove")
    assert answer.status_code == 403
    assert role_of(cast, "bob") == Role.EDITOR
