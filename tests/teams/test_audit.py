"""The audit log: what is written, that it stays, and that it holds no secret."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from atlas.datasets.models import Dataset
from atlas.teams.audit import prune_audit
from atlas.teams.invitations import invite, token_of
from atlas.teams.models import AuditEvent, AuditVerb, Role, Team, User
from tests.maps.records import make_dataset
from tests.people import PASSWORD, Cast, client_of


def last(**about: object) -> AuditEvent:
    """The newest line."""
    found = AuditEvent.objects.filter(**about).first()
    assert found is not None
    return found


def told(event: AuditEvent) -> tuple[str, int | None, str]:
    return event.verb, event.user_id, event.text


def sign_in(email: str, password: str = PASSWORD) -> Client:
    cache.clear()  # the tries of other tests
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.post("/accounts/login/", {"login": email, "password": password})
    return client


# Accounts --------------------------------------------------------------------------------------------------


def test_signing_in_and_out_are_written_down_with_the_address(cast: Cast) -> None:
    client = sign_in(cast.alice.email)
    event = last(user_id=cast.alice.pk)
    assert told(event) == (AuditVerb.SIGNED_IN, cast.alice.pk, "")
    assert (event.who, event.address) == (cast.alice.email, "192.0.2.7")
    client.post("/accounts/logout/")
    assert last(user_id=cast.alice.pk).verb == AuditVerb.SIGNED_OUT


def test_a_wrong_password_is_told_to_whose_account_it_is(cast: Cast) -> None:
    sign_in(cast.alice.email, "guess")
    assert told(last(about_id=cast.alice.pk)) == (AuditVerb.SIGN_IN_FAILED, None, "wrong password")


@pytest.mark.usefixtures("cast")
def test_what_was_typed_for_an_unknown_account_is_not_kept() -> None:
    sign_in("my-secret-password@example.org", "hunter2")
    event = last()
    assert event.verb == AuditVerb.SIGN_IN_FAILED
    assert "secret" not in f"{event.text}{event.who}"


def test_a_new_password_is_written_down_without_it(cast: Cast) -> None:
    client = sign_in(cast.alice.email)
    form = {"oldpassword": PASSWORD, "password1": "another long one 17", "password2": "another long one 17"}
    assert client.post("/accounts/password/change/", form).status_code == 302
    assert told(last(user_id=cast.alice.pk)) == (AuditVerb.PASSWORD_CHANGED, cast.alice.pk, "")


def test_a_second_step_on_and_off_and_a_wrong_code_are_written_down(
    cast: Cast, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = False  # their text wants the request, which is over by then
    client = sign_in(cast.alice.email)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    lines = AuditEvent.objects.filter(user_id=cast.alice.pk, verb=AuditVerb.SECOND_STEP_ADDED)
    assert "an authenticator app" in lines.values_list("text", flat=True)
    assert secret not in str(list(lines.values()))

    other = sign_in(cast.alice.email)
    other.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert told(last(about_id=cast.alice.pk))[::2] == (
        AuditVerb.SIGN_IN_FAILED,
        "wrong code of the second step",
    )

    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/totp/deactivate/")
    assert last(user_id=cast.alice.pk).verb == AuditVerb.SECOND_STEP_REMOVED


def code(secret: str) -> str:
    """What the app shows now."""
    counter = next(iter(totp.yield_hotp_counters_from_time()))
    return str(totp.format_hotp_value(totp.hotp_value(secret, counter)))


@pytest.mark.usefixtures("cast")
def test_signing_up_is_written_down(settings: Settings) -> None:
    cache.clear()
    settings.ATLAS_SIGN_UP = "open"
    Client().post("/accounts/signup/", {"email": "ina@example.org", "password1": PASSWORD})
    ina = User.objects.get(email="ina@example.org")
    assert {event.verb for event in AuditEvent.objects.filter(user_id=ina.pk)} >= {AuditVerb.SIGNED_UP}


# Teams -----------------------------------------------------------------------------------------------------


def test_members_invited_joined_changed_and_removed_are_written_down(cast: Cast) -> None:
    alice, page = client_of(cast.alice), f"/teams/{cast.team.slug}"
    alice.post(f"{page}/invitations", {"email": "ina@example.org", "role": "viewer"})
    assert told(last(team_id=cast.team.pk)) == (AuditVerb.INVITED, cast.alice.pk, "ina@example.org: viewer")

    client_of(cast.charlie).post(f"/join/{token_of(invite(cast.team, 'c@x.org', Role.EDITOR, cast.alice))}")
    assert last(team_id=cast.team.pk).verb == AuditVerb.JOINED

    alice.post(f"{page}/members/{cast.victor.pk}/role", {"role": "editor"})
    assert last(about_id=cast.victor.pk).text == "victor@example.org: editor"

    alice.post(f"{page}/members/{cast.victor.pk}/remove")
    assert last(about_id=cast.victor.pk).verb == AuditVerb.MEMBER_REMOVED


def test_what_is_refused_is_not_told_as_done(cast: Cast) -> None:
    client_of(cast.alice).post(f"/teams/{cast.team.slug}/members/{cast.alice.pk}/role", {"role": "viewer"})
    client_of(cast.bob).post(f"/teams/{cast.team.slug}/members/{cast.victor.pk}/remove")
    assert not AuditEvent.objects.filter(team_id=cast.team.pk).exists()


# Datasets --------------------------------------------------------------------------------------------------


@pytest.fixture
def dataset(cast: Cast) -> Dataset:
    return make_dataset(cast.team)


def verbs(team: Team) -> list[str]:
    """Of the lines of a team, newest first."""
    return list(AuditEvent.objects.filter(team_id=team.pk).values_list("verb", flat=True))


def test_links_and_visibility_are_written_down(cast: Cast, dataset: Dataset) -> None:
    alice, page = client_of(cast.alice), f"{dataset.get_absolute_url()}/sharing"
    alice.post(f"{page}/links", {"scope": "view", "name": "The jury", "password": "hunter2"})
    assert verbs(cast.team) == [AuditVerb.VISIBILITY_CHANGED, AuditVerb.LINK_MADE]
    assert "The jury" in last(verb=AuditVerb.LINK_MADE).text
    assert "hunter2" not in last(verb=AuditVerb.LINK_MADE).text
    told_to_all = dataset.events.values_list("text", flat=True)
    assert set(told_to_all) == {"made a share link", "made it link"}

    alice.patch(f"/api/datasets/{dataset.pk}", {"visibility": "public"}, content_type="application/json")
    assert told(last())[::2] == (AuditVerb.VISIBILITY_CHANGED, f"“{dataset}”: public")


def test_a_deletion_is_written_down_on_either_way(cast: Cast, dataset: Dataset) -> None:
    other, alice = make_dataset(cast.team), client_of(cast.alice)
    alice.delete(f"/api/datasets/{dataset.pk}")
    alice.post(f"{other.get_absolute_url()}/delete", {"confirmation": other.name})
    assert verbs(cast.team) == [AuditVerb.DATASET_DELETED] * 2


# It stays --------------------------------------------------------------------------------------------------


def test_no_line_is_changed_or_removed(cast: Cast) -> None:
    sign_in(cast.alice.email)
    event = last(user_id=cast.alice.pk)
    with pytest.raises(DatabaseError, match="neither changed nor shortened"), transaction.atomic():
        AuditEvent.objects.filter(pk=event.pk).update(text="nothing")
    with pytest.raises(DatabaseError, match="neither changed nor shortened"), transaction.atomic():
        event.delete()


def test_old_lines_go_where_the_operator_says_so(
    cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(cast.alice.email)
    count, later = AuditEvent.objects.count(), timezone.now() + timedelta(days=31)
    monkeypatch.setattr("atlas.teams.audit.timezone", SimpleNamespace(now=lambda: later))
    gone = []
    for settings.ATLAS_AUDIT_DAYS in (0, 40, 30):
        gone.append(prune_audit())
    assert gone == [0, 0, count]
    assert not AuditEvent.objects.exists()


def test_the_log_shows_one_kind_at_a_time(cast: Cast) -> None:
    alice, page = client_of(cast.alice), f"/teams/{cast.team.slug}"
    alice.post(f"{page}/invitations", {"email": "ina@example.org", "role": "viewer"})
    alice.post(f"{page}/name", {"name": "Herbarium"})
    both, one = (alice.get(f"{page}/log?kind={kind}").content.decode() for kind in ("", "team_renamed"))
    assert "ina@example.org: viewer" in both
    assert "ina@example.org: viewer" not in one
    assert "to “Herbarium”" in one


def test_a_line_outlives_who_did_it(cast: Cast) -> None:
    sign_in(cast.charlie.email)
    pk = cast.charlie.pk
    cast.charlie.teams.all().delete()
    cast.charlie.delete()
    assert last(user_id=pk).who == "charlie@example.org"
