from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from atlas.teams.invitations import invite, token_of
from atlas.teams.models import Guest, Invitation, Membership, Role, User
from atlas.teams.people import create_person
from tests.maps.records import make_dataset
from tests.people import PASSWORD, Cast, client_of


def confirm(person: User) -> None:
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)


@pytest.fixture
def invitation(cast: Cast) -> Invitation:
    confirm(cast.charlie)
    return invite(cast.team, cast.charlie.email, Role.EDITOR, cast.alice)


@pytest.mark.usefixtures("invitation")
def test_an_account_finds_its_invitation_on_the_front_page(cast: Cast) -> None:
    assert "invites you" in client_of(cast.charlie).get("/").content.decode()
    assert "invites you" not in client_of(cast.bob).get("/").content.decode()


def test_it_joins_from_there(cast: Cast, invitation: Invitation) -> None:
    client_of(cast.charlie).post(f"/join/{token_of(invitation)}")
    assert Membership.objects.get(team=cast.team, user=cast.charlie).role == Role.EDITOR


def test_it_declines_there(cast: Cast, invitation: Invitation) -> None:
    client = client_of(cast.charlie)
    assert client.post(f"/join/{token_of(invitation)}/decline").status_code == 302
    assert not Invitation.objects.open().exists()
    assert client.post(f"/join/{token_of(invitation)}").status_code == 404


def test_whoever_signed_up_with_the_address_needs_the_link_until_it_is_confirmed(cast: Cast) -> None:
    ina = create_person("ina@example.org", PASSWORD)
    invite(cast.team, "ina@example.org", Role.EDITOR, cast.alice)
    assert "invites you" not in client_of(ina).get("/").content.decode()
    confirm(ina)
    assert "invites you" in client_of(ina).get("/").content.decode()


def test_an_expired_one_is_not_shown(cast: Cast, invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "invites you" not in client_of(cast.charlie).get("/").content.decode()


def test_a_guest_is_told_by_mail(cast: Cast) -> None:
    dataset = make_dataset(cast.team)
    url = f"/data/{cast.team.slug}/{dataset.slug}/sharing/guests"
    client_of(cast.alice).post(url, {"email": cast.charlie.email, "role": "commenter"})
    sent = mail.outbox[0]
    assert sent.to == [cast.charlie.email]
    assert f"/data/{cast.team.slug}/{dataset.slug}" in sent.body
    assert "may comment" in sent.body


def test_a_guest_whose_address_may_be_somebody_elses_is_marked(cast: Cast) -> None:
    page = f"/data/{cast.team.slug}/{make_dataset(cast.team).slug}/sharing"
    alice = client_of(cast.alice)
    alice.post(f"{page}/guests", {"email": cast.charlie.email, "role": "viewer"})
    assert "address not confirmed" in alice.get(page).content.decode()
    confirm(cast.charlie)
    assert "address not confirmed" not in alice.get(page).content.decode()


def test_where_addresses_are_confirmed_a_guest_has_confirmed_theirs(cast: Cast, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    page = f"/data/{cast.team.slug}/{make_dataset(cast.team).slug}/sharing/guests"
    alice, form = client_of(cast.alice), {"email": cast.charlie.email, "role": "viewer"}
    assert "has not confirmed" in alice.post(page, form).content.decode()
    assert not Guest.objects.exists()
    confirm(cast.charlie)
    alice.post(page, form)
    assert Guest.objects.get().user == cast.charlie
