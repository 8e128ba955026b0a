import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponseBase
from django.test import Client
from pytest_django import Settings

from atlas.environment import single_sign_on
from atlas.teams.models import User
from tests.people import PASSWORD, Cast, client_of
from tests.teams.oidc import CLIENT_ID, SECRET, Provider, running_provider

LOGIN = "/accounts/oidc/sso/login/"
INA = {"sub": "7", "email": "ina@example.org", "email_verified": True, "name": "Ina Ito"}


@pytest.fixture
def provider(settings: Settings, cast: Cast) -> Iterator[Provider]:
    with running_provider() as provider:
        settings.SOCIALACCOUNT_PROVIDERS = single_sign_on(provider.url, CLIENT_ID, SECRET, "Museum ID")
        provider.claims = INA
        yield provider


def way_out(client: Client, process: str = "login") -> dict[str, str]:
    """What the page on the way to the provider sends along."""
    page = client.post(LOGIN, {"process": process}).content.decode()
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page)
    assert found, page
    return {name: values[0] for name, values in parse_qs(urlsplit(unescape(found[1])).query).items()}


def sign_in(client: Client, process: str = "login") -> HttpResponseBase:
    """There, and back with a code."""
    sent = way_out(client, process)
    return client.get(f"{LOGIN}callback/", {"state": sent["state"], "code": "x"})


def who(client: Client) -> str | None:
    user_id = client.session.get("_auth_user_id")
    return User.objects.get(pk=user_id).email if user_id else None


def test_the_sign_in_page_offers_it_by_name(provider: Provider) -> None:
    assert "Sign in with Museum ID" in Client().get("/accounts/login/").content.decode()


@pytest.mark.usefixtures("cast")
def test_without_a_provider_there_is_none() -> None:
    assert "Sign in with Museum" not in Client().get("/accounts/login/").content.decode()
    assert Client().post(LOGIN).status_code == 404


def test_the_way_out_is_a_page_with_a_challenge(provider: Provider) -> None:
    sent = way_out(Client())
    assert (sent["client_id"], sent["response_type"]) == (CLIENT_ID, "code")
    assert sent["code_challenge_method"] == "S256"
    assert sent["redirect_uri"].endswith("/accounts/oidc/sso/login/callback/")


def test_a_link_of_somebody_else_starts_nothing(provider: Provider) -> None:
    page = Client().get(LOGIN).content.decode()
    assert "http-equiv" not in page
    assert "Go on" in page


def test_somebody_new_gets_an_account_and_a_team(provider: Provider) -> None:
    client = Client()
    assert sign_in(client).status_code == 302
    ina = User.objects.get(email="ina@example.org")
    assert who(client) == ina.email
    assert ina.get_full_name() == "Ina Ito"
    assert ina.teams.count() == 1
    assert not ina.has_usable_password()
    assert provider.asked[0]["client_secret"] == SECRET


def test_who_types_their_address_gets_a_team_too(provider: Provider) -> None:
    provider.claims = {"sub": "7", "name": "Ina Ito"}
    client = Client()
    sign_in(client)
    client.post("/accounts/3rdparty/signup/", {"name": "Ina", "email": "ina@example.org"})
    [team] = User.objects.get(email="ina@example.org").teams.all()
    assert (team.name, who(client)) == ("Ina", "ina@example.org")


@pytest.mark.parametrize(
    "step", ["allauth.socialaccount.models.setup_user_email", "atlas.teams.adapter.create_own_team"]
)
def test_a_sign_up_that_breaks_off_leaves_no_account_that_nothing_opens(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def break_off(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(step, break_off)
        with pytest.raises(ZeroDivisionError):
            sign_in(Client())
    assert not User.objects.filter(email="ina@example.org").exists()

    client = Client()
    sign_in(client)
    assert who(client) == "ina@example.org"


def test_the_second_time_it_is_the_same_account(provider: Provider) -> None:
    sign_in(Client())
    provider.claims = INA | {"email": "ina.ito@example.org"}
    client = Client()
    sign_in(client)
    assert who(client) == "ina@example.org"
    assert User.objects.filter(email__startswith="ina").count() == 1


@pytest.mark.parametrize("policy", ["closed", "invitation"])
def test_nobody_new_gets_in_where_sign_up_is_not_open(
    provider: Provider, settings: Settings, policy: str
) -> None:
    settings.ATLAS_SIGN_UP = policy
    client = Client()
    sign_in(client)
    assert who(client) is None
    assert not User.objects.filter(email="ina@example.org").exists()

    settings.ATLAS_OIDC_SIGN_UP = True
    sign_in(client)
    assert who(client) == "ina@example.org"


def test_an_address_that_both_sides_have_confirmed_opens_the_account(provider: Provider, cast: Cast) -> None:
    EmailAddress.objects.create(user=cast.charlie, email=cast.charlie.email, verified=True, primary=True)
    provider.claims = INA | {"email": cast.charlie.email}
    client = Client()
    sign_in(client)
    assert who(client) == cast.charlie.email
    cast.charlie.refresh_from_db()
    assert cast.charlie.check_password(PASSWORD), "the password goes on working"


@pytest.mark.parametrize("verified", [False, "false", None])
def test_an_address_that_the_provider_has_not_confirmed_opens_no_account(
    provider: Provider, cast: Cast, verified: object
) -> None:
    EmailAddress.objects.create(user=cast.charlie, email=cast.charlie.email, verified=True, primary=True)
    provider.claims = INA | {"email": cast.charlie.email, "email_verified": verified}
    client = Client()
    sign_in(client)
    assert who(client) is None
    assert not SocialAccount.objects.exists()


def test_an_address_that_the_account_has_not_confirmed_opens_no_account(
    provider: Provider, cast: Cast
) -> None:
    provider.claims = INA | {"email": cast.charlie.email}
    client = Client()
    sign_in(client)
    assert who(client) is None


def test_who_is_signed_in_connects_and_disconnects(provider: Provider, cast: Cast) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": cast.charlie.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    sign_in(client, "connect")
    connected = SocialAccount.objects.get(user=cast.charlie)
    assert "Disconnect" in client.get("/accounts/3rdparty/").content.decode()

    other = Client()
    sign_in(other)
    assert who(other) == cast.charlie.email

    client.post("/accounts/3rdparty/", {"account": connected.pk})
    assert not SocialAccount.objects.exists()


def test_a_callback_that_nobody_asked_for_signs_nobody_in(provider: Provider) -> None:
    client = Client()
    assert client.get(f"{LOGIN}callback/", {"state": "x", "code": "x"}).status_code == 401
    assert who(client) is None


def test_a_token_for_another_site_signs_nobody_in(provider: Provider) -> None:
    provider.audience = "another site"
    client = Client()
    assert sign_in(client).status_code == 401
    assert who(client) is None


def test_who_cancels_there_reads_so(provider: Provider) -> None:
    client = Client()
    state = way_out(client)["state"]
    answer = client.get(f"{LOGIN}callback/", {"state": state, "error": "access_denied"}, follow=True)
    assert "was cancelled" in answer.content.decode()


def test_a_provider_that_is_away_is_said_so(settings: Settings, cast: Cast) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = single_sign_on("http://127.0.0.1:9", CLIENT_ID, SECRET, "Museum ID")
    answer = Client().post(LOGIN)
    assert answer.status_code == 502
    assert "did not work out" in answer.content.decode()


@pytest.mark.parametrize(
    ("issuer", "client_id", "complaint"),
    [("http://id.example.org", "x", "https://"), ("https://id.example.org", "", "ATLAS_OIDC_CLIENT_ID")],
)
def test_half_a_setting_is_refused(issuer: str, client_id: str, complaint: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=complaint):
        single_sign_on(issuer, client_id, "", "")


def test_a_page_of_the_account_shows_it(provider: Provider, cast: Cast) -> None:
    assert "Connect Museum ID" in client_of(cast.bob).get("/accounts/3rdparty/").content.decode()
