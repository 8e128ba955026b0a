"""The secrets of second steps: sealed in the database, readable through a change of the secret key."""

import json
import time
from importlib import import_module

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.apps import apps
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from atlas.teams.links import create_link, link_of, token_of
from atlas.teams.sealing import SealError, seal, sealed_anew, unseal
from tests.maps.records import make_dataset
from tests.people import PASSWORD, Cast

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NEW_KEY = "a new key that is long enough, with many different letters 0123456789"


@pytest.fixture(autouse=True)
def no_tries_yet() -> None:
    cache.clear()


def code(steps: int = 0) -> str:
    """What the app shows now, or so many times 30 seconds later."""
    counter = int(time.time() // 30) + steps
    return str(totp.format_hotp_value(totp.hotp_value(SECRET, counter)))


def second_step(cast: Cast, answer: str) -> tuple[Client, str]:
    """The browser and the page after the password and this code."""
    client = Client()
    client.post("/accounts/login/", {"login": cast.alice.email, "password": PASSWORD})
    page = client.post("/accounts/2fa/authenticate/", {"code": answer}, follow=True)
    return client, page.content.decode()


def is_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


def stored() -> str:
    return json.dumps(list(Authenticator.objects.values_list("data", flat=True)))


def use_new_key(settings: Settings, *fallbacks: str) -> None:
    settings.SECRET_KEY_FALLBACKS = list(fallbacks)
    settings.SECRET_KEY = NEW_KEY


def test_the_database_alone_gives_no_second_step(cast: Cast) -> None:
    totp.TOTP.activate(cast.alice, SECRET)
    codes = RecoveryCodes.activate(cast.alice)
    seed = unseal(codes.instance.data["seed"])

    assert SECRET not in stored()
    assert seed not in stored()
    assert not any(each in stored() for each in codes.generate_codes())
    assert is_in(second_step(cast, code())[0])
    assert is_in(second_step(cast, codes.get_unused_codes()[0])[0])


def test_a_code_works_once_as_long_as_it_is_good(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    totp.TOTP.activate(cast.alice, SECRET)
    used = code()
    assert is_in(second_step(cast, used)[0])
    cache.delete(f"allauth.mfa.totp.used?user={cast.alice.pk}&code={used}")  # as after 30 seconds
    again, page = second_step(cast, used)
    assert not is_in(again)
    assert "Incorrect code." in page


def test_after_a_change_of_the_key_the_old_one_still_reads(cast: Cast, settings: Settings) -> None:
    totp.TOTP.activate(cast.alice, SECRET)
    link = create_link(make_dataset(cast.team).pk, cast.alice)
    address, before = token_of(link), settings.SECRET_KEY
    use_new_key(settings, before)

    assert is_in(second_step(cast, code())[0])
    assert link_of(address) == link
    assert token_of(link) != address


def test_a_start_with_the_new_key_makes_the_old_one_needless(cast: Cast, settings: Settings) -> None:
    totp.TOTP.activate(cast.alice, SECRET)
    use_new_key(settings, settings.SECRET_KEY)
    call_command("migrate", verbosity=0)
    settings.SECRET_KEY_FALLBACKS = []

    assert is_in(second_step(cast, code())[0])


def test_without_the_old_key_a_sentence_says_what_is_missing(cast: Cast, settings: Settings) -> None:
    totp.TOTP.activate(cast.alice, SECRET)
    RecoveryCodes.activate(cast.alice)
    use_new_key(settings)
    call_command("migrate", verbosity=0)  # leaves what it cannot read

    client, page = second_step(cast, code())

    assert "ATLAS_SECRET_KEY_FALLBACKS" in page
    assert not is_in(client)
    client.force_login(cast.alice)
    answer = client.get("/accounts/2fa/")
    assert answer.status_code == 500
    assert "ATLAS_SECRET_KEY_FALLBACKS" in answer.content.decode()


def test_a_seal_opens_to_its_key_only(settings: Settings) -> None:
    sealed = seal("secret")
    assert sealed_anew(sealed) is None
    settings.SECRET_KEY = NEW_KEY
    with pytest.raises(SealError):
        unseal(sealed)
    assert sealed_anew(sealed) is None


def test_what_was_set_up_before_there_were_seals_is_sealed(cast: Cast) -> None:
    authenticator = Authenticator.objects.create(user=cast.alice, type="totp", data={"secret": SECRET})
    sealing = import_module("atlas.teams.migrations.0005_sealed_second_steps")

    sealing.seal_all(apps, None)

    assert SECRET not in stored()
    assert is_in(second_step(cast, code())[0])
    sealing.unseal_all(apps, None)
    authenticator.refresh_from_db()
    assert authenticator.data == {"secret": SECRET}


def test_guessing_codes_is_stopped_for_the_account(cast: Cast) -> None:
    totp.TOTP.activate(cast.alice, SECRET)
    wrong = f"{(int(code()) + 1) % 10**6:06d}"
    for _ in range(5):
        assert "Incorrect code." in second_step(cast, wrong)[1]
    client, page = second_step(cast, code())
    assert "Too many failed login attempts" in page
    assert not is_in(client)
