import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from pytest_django import Settings

from atlas import settings as the_sites_own
from atlas.teams.models import User
from tests.maps.records import make_dataset
from tests.people import PASSWORD, Cast, client_of

NEW_PASSWORD = "another fine password"


def signed_in(email: str, password: str = PASSWORD) -> Client:
    """A moment ago, so that no page asks for the password once more."""
    client = Client()
    client.post("/accounts/login/", {"login": email, "password": password})
    client.post("/accounts/reauthenticate/", {"password": password})
    return client


def can_sign_in(email: str, password: str = PASSWORD) -> bool:
    answer = Client().post("/accounts/login/", {"login": email, "password": password})
    return answer.status_code == 302


def link_in_mail() -> str:
    found = re.search(r"http://testserver(\S+)", str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1]


# Name ------------------------------------------------------------------------------------------------------


def test_a_name_is_given_at_sign_up_and_changed_later(cast: Cast) -> None:
    client = Client()
    form = {"name": "Ina Ito", "email": "ina@example.org", "password1": PASSWORD}
    client.post("/accounts/signup/", form)
    ina = User.objects.get(email="ina@example.org")
    assert str(ina) == "Ina Ito"
    client.post("/account", {"name": "Ina"})
    ina.refresh_from_db()
    assert str(ina) == "Ina"


def test_a_sign_up_that_breaks_off_leaves_nobody_without_a_team(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(_: User) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("atlas.teams.account_forms.create_own_team", break_off)
    with pytest.raises(ZeroDivisionError):
        Client().post("/accounts/signup/", {"email": "ina@example.org", "password1": PASSWORD})
    assert not User.objects.filter(email="ina@example.org").exists()


def test_the_profile_lists_ones_teams_only(cast: Cast) -> None:
    page = client_of(cast.bob).get("/account").content.decode()
    assert f"/teams/{cast.team.slug}/members" in page
    assert cast.charlie.teams.get().slug not in page


# Password --------------------------------------------------------------------------------------------------


def test_a_forgotten_password_is_replaced_by_the_link_in_a_mail(cast: Cast) -> None:
    client = Client()
    client.post("/accounts/password/reset/", {"email": cast.bob.email})
    form = client.get(link_in_mail(), follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert can_sign_in(cast.bob.email, NEW_PASSWORD)
    assert not can_sign_in(cast.bob.email)


def test_asking_for_a_stranger_looks_the_same(cast: Cast) -> None:
    answers = [
        Client().post("/accounts/password/reset/", {"email": email})
        for email in (cast.bob.email, "nobody@example.org")
    ]
    assert len({(answer.status_code, answer["Location"]) for answer in answers}) == 1


def test_a_changed_password_is_told_by_mail(cast: Cast) -> None:
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    signed_in(cast.bob.email).post("/accounts/password/change/", form)
    assert mail.outbox[-1].to == [cast.bob.email]
    assert "password has been changed" in mail.outbox[-1].body


# Address ---------------------------------------------------------------------------------------------------


def change(client: Client, email: str) -> None:
    client.post("/accounts/email/", {"action_add": "", "email": email})


def confirm(client: Client, link: str) -> None:
    assert client.get(link).status_code == 200
    client.post(link)


def test_a_new_address_counts_once_its_link_is_followed(cast: Cast) -> None:
    client = signed_in(cast.bob.email)
    change(client, "robert@example.org")
    assert mail.outbox[-1].to == ["robert@example.org"]
    assert can_sign_in(cast.bob.email)

    confirm(client, link_in_mail())

    cast.bob.refresh_from_db()
    assert cast.bob.email == "robert@example.org"
    assert can_sign_in("robert@example.org")
    assert not can_sign_in("bob@example.org")
    assert [each.email for each in EmailAddress.objects.filter(user=cast.bob)] == ["robert@example.org"]
    assert mail.outbox[-1].to == ["bob@example.org"], "the old one is told"


def test_until_then_the_old_one_stays(cast: Cast) -> None:
    client = signed_in(cast.bob.email)
    change(client, "robert@example.org")
    change(client, "rob@example.org")
    page = client.get("/accounts/email/").content.decode()
    assert "bob@example.org" in page
    assert "rob@example.org" in page
    assert "robert@example.org" not in page
    client.post("/accounts/email/", {"action_remove": "", "email": "rob@example.org"})
    cast.bob.refresh_from_db()
    assert cast.bob.email == "bob@example.org"
    assert not EmailAddress.objects.filter(email="rob@example.org").exists()


def test_an_address_of_another_account_is_not_taken_over(cast: Cast) -> None:
    client = signed_in(cast.bob.email)
    change(client, cast.charlie.email)
    confirmations = [each for each in mail.outbox if each.to == [cast.charlie.email]]
    for each in confirmations:
        found = re.search(r"http://testserver(/accounts/confirm-email/\S+)", str(each.body))
        if found:
            client.post(found[1])
    cast.bob.refresh_from_db()
    assert cast.bob.email == "bob@example.org"


def test_it_asks_for_the_password_first(cast: Cast) -> None:
    client = client_of(cast.bob)
    answer = client.post("/accounts/email/", {"action_add": "", "email": "robert@example.org"})
    assert "/accounts/reauthenticate/" in answer["Location"]
    assert mail.outbox == []


# Mails -----------------------------------------------------------------------------------------------------


@pytest.fixture
def mail_server_away(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", 9, False


@pytest.mark.usefixtures("mail_server_away")
def test_a_mail_server_that_is_away_is_told_and_undoes_nothing(cast: Cast) -> None:
    client = signed_in(cast.bob.email)
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    page = client.post("/accounts/password/change/", form, follow=True).content.decode()
    assert "could not be sent" in page
    assert can_sign_in(cast.bob.email, NEW_PASSWORD)


@pytest.mark.usefixtures("mail_server_away")
def test_an_invitation_is_there_all_the_same(cast: Cast) -> None:
    url = f"/teams/{cast.team.slug}/invitations"
    page = client_of(cast.alice).post(url, {"email": "ina@example.org", "role": "viewer"}, follow=True)
    assert "Copy the invitation" in page.content.decode()
    assert "/join/" in page.content.decode()


def test_where_none_is_sent_no_page_says_so(cast: Cast, settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    dataset, alice = make_dataset(cast.team), client_of(cast.alice)
    form = {"email": cast.charlie.email, "role": "viewer"}
    page = alice.post(f"/teams/{cast.team.slug}/invitations", form, follow=True).content.decode()
    assert "No mail was sent. Copy the invitation" in page
    page = alice.post(f"{dataset.get_absolute_url()}/sharing/guests", form, follow=True).content.decode()
    assert "No mail was sent: tell them yourself." in page
    assert mail.outbox == []
    for client, path in ((Client(), "/accounts/password/reset/"), (alice, "/accounts/email/")):
        page = client.get(path).content.decode()
        assert "This server sends no mail" in page
        assert 'name="email"' not in page


def test_without_a_mail_server_nothing_secret_is_printed(
    cast: Cast, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = the_sites_own.EMAIL_BACKEND
    Client().post("/accounts/password/reset/", {"email": cast.bob.email})
    assert "".join(capfd.readouterr()) == ""


# Where addresses must be confirmed -------------------------------------------------------------------------


def test_with_a_mail_server_an_account_waits_for_its_address(cast: Cast, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client = Client()
    client.post("/accounts/signup/", {"email": "ina@example.org", "password1": PASSWORD})
    assert client.get("/account").status_code == 302
    confirm(client, link_in_mail())
    assert can_sign_in("ina@example.org")
    assert EmailAddress.objects.get(email="ina@example.org").verified


def test_there_a_taken_address_looks_like_a_free_one(cast: Cast, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    answers = [
        Client().post("/accounts/signup/", {"email": email, "password1": PASSWORD})
        for email in (cast.bob.email, "ina@example.org")
    ]
    assert len({(answer.status_code, answer["Location"]) for answer in answers}) == 1
    assert "There is one already" in mail.outbox[0].body
