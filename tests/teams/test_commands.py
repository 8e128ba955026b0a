"""What the operator of a site does for people at the command line."""

from pathlib import Path
from typing import NoReturn

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from atlas.datasets.management.commands.demo import demo_password
from atlas.teams.audit import audit_of_person
from atlas.teams.invitations import invite
from atlas.teams.models import AuditVerb, Invitation, Role, User
from tests.people import PASSWORD, Cast, client_of


def test_an_account_is_made_where_nobody_may_sign_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    settings.ATLAS_SIGN_UP = "closed"
    monkeypatch.setattr("atlas.teams.management.commands.make_person.getpass", lambda _: PASSWORD)
    call_command("make_person", "first@example.org", "--name", "First")

    client = Client()
    client.post("/accounts/login/", {"login": "first@example.org", "password": PASSWORD})
    assert client.get("/account").status_code == 200
    assert User.objects.get(email="first@example.org").teams.get().name == "First"


def test_the_password_of_the_demo_is_made_once_and_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "demo_password"

    def killed(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            demo_password(path)

    password = demo_password(path)
    assert len(password) >= 12
    assert demo_password(path) == password
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["demo_password"]


@pytest.mark.parametrize(
    ("email", "password", "reason"),
    [
        ("ALICE@example.org", PASSWORD, "has an account already"),
        ("nobody", PASSWORD, "valid email"),
        ("new@example.org", "12345", "too short"),
    ],
)
def test_no_account_is_made_by_mistake(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, email: str, password: str, reason: str
) -> None:
    monkeypatch.setattr("atlas.teams.management.commands.make_person.getpass", lambda _: password)
    before = User.objects.count()
    with pytest.raises(CommandError, match=reason):
        call_command("make_person", email)
    assert User.objects.count() == before


def test_who_lost_the_second_step_signs_in_by_the_password_again(cast: Cast) -> None:
    for person in (cast.alice, cast.bob):
        totp.TOTP.activate(person, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
        RecoveryCodes.activate(person)
    call_command("remove_second_steps", cast.alice.email)

    client = Client()
    client.post("/accounts/login/", {"login": cast.alice.email, "password": PASSWORD})
    assert client.get("/account").status_code == 200
    assert Authenticator.objects.filter(user=cast.bob).count() == 2
    line = audit_of_person(cast.alice).filter(verb="second_step_removed").get()
    assert line.text == "by the operator of the site"


@pytest.mark.parametrize(
    ("email", "reason"), [("alice@example.org", "no second step"), ("nobody@example.org", "no account")]
)
def test_there_must_be_a_second_step_to_remove(cast: Cast, email: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("remove_second_steps", email)


def test_an_account_is_closed_and_opened_again(cast: Cast) -> None:
    client = client_of(cast.alice)
    invite(cast.team, "alice@elsewhere.example.org", Role.OWNER, cast.alice)
    call_command("close_person", "ALICE@example.org")
    assert client.get("/account").status_code == 302
    form = {"login": cast.alice.email, "password": PASSWORD}
    assert "This account is closed" in client.post("/accounts/login/", form, follow=True).content.decode()
    assert not Invitation.objects.open().exists()
    with pytest.raises(CommandError, match="closed already"):
        call_command("close_person", cast.alice.email)

    call_command("close_person", cast.alice.email, "--reopen")
    client.post("/accounts/login/", form)
    assert client.get("/account").status_code == 200
    verbs = [AuditVerb.ACCOUNT_CLOSED, AuditVerb.ACCOUNT_REOPENED]
    lines = audit_of_person(cast.alice).filter(verb__in=verbs).order_by("id")
    assert [line.verb for line in lines] == verbs
