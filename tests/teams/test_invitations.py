from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from atlas.datasets.closing import close_account
from atlas.datasets.models import Dataset
from atlas.teams import invitations
from atlas.teams.asker import Asker
from atlas.teams.guests import add_guest
from atlas.teams.invitations import InvitationEndedError, accept, invite, revoke_invitation, token_of
from atlas.teams.membership import change_role, remove_member
from atlas.teams.models import AuditEvent, AuditVerb, GuestRole, Invitation, Membership, Role, User
from tests.maps.records import make_dataset
from tests.people import PASSWORD, Cast, client_of


@pytest.fixture
def invitation(cast: Cast) -> Invitation:
    return invite(cast.team, "ina@example.org", Role.EDITOR, cast.alice)


def address(invitation: Invitation) -> str:
    return f"/join/{token_of(invitation)}"


def role_of(cast: Cast, user: User) -> str | None:
    return Membership.objects.filter(team=cast.team, user=user).values_list("role", flat=True).first()


def test_an_owner_sends_one_by_mail(cast: Cast) -> None:
    client_of(cast.alice).post(
        f"/teams/{cast.team.slug}/invitations", {"email": "ina@example.org", "role": "viewer"}
    )
    assert mail.outbox[0].to == ["ina@example.org"]
    assert address(Invitation.objects.get()) in mail.outbox[0].body


@pytest.mark.parametrize("who", ["bob", "victor", "charlie"])
def test_nobody_else_sends_one(cast: Cast, who: str) -> None:
    answer = client_of(getattr(cast, who)).post(
        f"/teams/{cast.team.slug}/invitations", {"email": "ina@example.org", "role": "viewer"}
    )
    assert answer.status_code == 404
    assert not Invitation.objects.exists()


def test_the_answer_is_the_same_whether_the_address_has_an_account(cast: Cast) -> None:
    client, url = client_of(cast.alice), f"/teams/{cast.team.slug}/invitations"
    texts = []
    for email in ("charlie@example.org", "unknown@example.org"):
        page = client.post(url, {"email": email, "role": "viewer"}, follow=True)
        texts.append([str(message).replace(email, "") for message in page.context["messages"]])
    assert texts[0] == texts[1]


def test_who_follows_it_joins_with_its_role(cast: Cast, invitation: Invitation) -> None:
    assert client_of(cast.charlie).post(address(invitation)).status_code == 302
    assert role_of(cast, cast.charlie) == Role.EDITOR


def test_it_works_once(cast: Cast, invitation: Invitation) -> None:
    accept(invitation, cast.charlie)
    with pytest.raises(InvitationEndedError):
        accept(invitation, cast.bob)
    assert client_of(cast.charlie).get(address(invitation)).status_code == 404


def test_looking_at_it_uses_nothing_up(cast: Cast, invitation: Invitation) -> None:
    assert Client().get(address(invitation)).status_code == 200
    assert client_of(cast.charlie).get(address(invitation)).status_code == 200
    assert role_of(cast, cast.charlie) is None


def test_nobody_joins_without_signing_in(cast: Cast, invitation: Invitation) -> None:
    Client().post(address(invitation))
    assert Invitation.objects.open().exists()
    assert cast.team.members.count() == 3


def test_a_member_keeps_the_role_they_have(cast: Cast, invitation: Invitation) -> None:
    accept(invitation, cast.alice)
    assert role_of(cast, cast.alice) == Role.OWNER


def test_a_member_who_looks_at_it_leaves_it_to_somebody_else(cast: Cast, invitation: Invitation) -> None:
    client = client_of(cast.alice)
    assert "You are on this team already" in client.get(address(invitation)).content.decode()
    assert client.post(address(invitation)).status_code == 302
    assert Invitation.objects.open().exists()


def test_a_viewer_becomes_what_it_says(cast: Cast, invitation: Invitation) -> None:
    page = client_of(cast.victor).post(address(invitation), follow=True).content.decode()
    assert f"Editor of {cast.team} from now on." in page
    assert role_of(cast, cast.victor) == Role.EDITOR
    assert AuditEvent.objects.get(team_id=cast.team.pk).verb == AuditVerb.ROLE_CHANGED


@pytest.mark.parametrize("verb", ["remove", "role"])
def test_who_is_an_owner_no_more_comes_back_by_none_of_theirs(cast: Cast, verb: str) -> None:
    change_role(cast.team, cast.bob.pk, Role.OWNER)
    own = invite(cast.team, "bob@elsewhere.example.org", Role.OWNER, cast.bob)
    others = invite(cast.team, "ina@example.org", Role.VIEWER, cast.alice)
    url = f"/teams/{cast.team.slug}/members/{cast.bob.pk}/{verb}"
    client_of(cast.alice).post(url, {"role": "editor"})
    assert client_of(cast.charlie).post(address(own)).status_code == 404
    assert Invitation.objects.open().get() == others


def test_who_deleted_the_account_comes_back_by_none_either(cast: Cast, invitation: Invitation) -> None:
    change_role(cast.team, cast.bob.pk, Role.OWNER)
    close_account(cast.alice, {})
    assert client_of(cast.charlie).post(address(invitation)).status_code == 404


def test_a_guest_who_joined_and_is_removed_sees_nothing(cast: Cast, invitation: Invitation) -> None:
    dataset, elsewhere = make_dataset(cast.team), make_dataset(cast.bob.teams.exclude(pk=cast.team.pk).get())
    for each in (dataset, elsewhere):
        add_guest(each.pk, each.team, cast.charlie.email, GuestRole.EDITOR, cast.alice)
    accept(invitation, cast.charlie)
    remove_member(cast.team, cast.charlie.pk)
    assert Dataset.objects.visible_to(Asker(cast.charlie)).get() == elsewhere


def test_a_revoked_one_opens_nothing(cast: Cast, invitation: Invitation) -> None:
    revoke_invitation(invitation)
    assert client_of(cast.charlie).post(address(invitation)).status_code == 404
    assert role_of(cast, cast.charlie) is None


def test_an_expired_one_opens_nothing(cast: Cast, invitation: Invitation) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client_of(cast.charlie).post(address(invitation)).status_code == 404


def test_a_changed_token_opens_nothing(invitation: Invitation) -> None:
    for token in (invitation.pk.hex, token_of(invitation)[:-1], "x", f"{invitation.pk.hex}.x"):
        assert Client().get(f"/join/{token}").status_code == 404


@pytest.mark.usefixtures("invitation")
def test_a_second_one_to_an_address_ends_the_first(cast: Cast) -> None:
    invite(cast.team, "INA@example.org", Role.VIEWER, cast.alice)
    assert Invitation.objects.open().get().role == Role.VIEWER


def test_an_owner_of_another_team_cannot_revoke_it(cast: Cast, invitation: Invitation) -> None:
    other = cast.charlie.teams.get().slug
    answer = client_of(cast.charlie).post(f"/teams/{other}/invitations/{invitation.pk}/revoke")
    assert answer.status_code == 404
    assert Invitation.objects.open().exists()


def test_too_many_in_an_hour_are_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(invitations, "TRIES", 0)
    answer = client_of(cast.alice).post(
        f"/teams/{cast.team.slug}/invitations", {"email": "ina@example.org", "role": "viewer"}
    )
    assert "Go on later" in answer.content.decode()
    assert not Invitation.objects.exists()


# Signing up ------------------------------------------------------------------------------------------------


def sign_up(client: Client, email: str = "ina@example.org") -> bool:
    client.post("/accounts/signup/", {"email": email, "password1": PASSWORD})
    return User.objects.filter(email=email).exists()


def test_with_sign_up_by_invitation_its_holder_signs_up(settings: Settings, invitation: Invitation) -> None:
    settings.ATLAS_SIGN_UP = "invitation"
    client = Client()
    assert not sign_up(client)
    client.get(address(invitation))
    assert sign_up(client)


def test_with_sign_up_by_invitation_each_makes_one_account(
    settings: Settings, invitation: Invitation
) -> None:
    settings.ATLAS_SIGN_UP = "invitation"
    first, second = Client(), Client()
    for client in (first, second):
        client.get(address(invitation))
    assert sign_up(first)
    assert not sign_up(second, "two@example.org")
    assert first.post(address(invitation)).status_code == 302, "the first account joins with it"


def test_with_sign_up_by_invitation_an_ended_one_lets_nobody_in(
    settings: Settings, invitation: Invitation
) -> None:
    settings.ATLAS_SIGN_UP = "invitation"
    client = Client()
    client.get(address(invitation))
    revoke_invitation(invitation)
    assert not sign_up(client)


def test_closed_is_closed_with_an_invitation_too(settings: Settings, invitation: Invitation) -> None:
    settings.ATLAS_SIGN_UP = "closed"
    client = Client()
    client.get(address(invitation))
    assert not sign_up(client)


@pytest.mark.usefixtures("cast")
def test_open_lets_anybody_sign_up() -> None:
    assert sign_up(Client())
