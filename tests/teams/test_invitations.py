from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from atlas.teams import invitations
from atlas.teams.invitations import InvitationEndedError, accept, invite, revoke_invitation, token_of
from atlas.teams.models import Invitation, Membership, Role, User
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


def sign_up(client: Client) -> bool:
    client.post("/accounts/signup/", {"email": "ina@example.org", "password1": PASSWORD})
    return User.objects.filter(email="ina@example.org").exists()


def test_with_sign_up_by_invitation_its_holder_signs_up(settings: Settings, invitation: Invitation) -> None:
    settings.ATLAS_SIGN_UP = "invitation"
    client = Client()
    assert not sign_up(client)
    client.get(address(invitation))
    assert sign_up(client)


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
