"""API keys: what they open, what they never open, and when they end."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from atlas.datasets.models import Dataset, Upload, Visibility
from atlas.teams.asker import asker_again
from atlas.teams.guests import add_guest
from atlas.teams.keys import create_key, revoke_key
from atlas.teams.membership import change_role, create_team, remove_member
from atlas.teams.models import ApiKey, AuditEvent, AuditVerb, GuestRole, KeyScope, Role, Team, User
from tests.callers import program
from tests.maps.records import add_records, make_dataset
from tests.people import Cast, client_of


def make(user: User, scope: str = "read", team: Team | None = None) -> tuple[ApiKey, Client]:
    key, token = create_key(team or user.teams.get(), user, "Nightly import", [KeyScope(scope)])
    return key, program(token)


def detail(answer: Any) -> str:
    return str(answer.json()["detail"])


@pytest.fixture
def dataset(cast: Cast) -> Dataset:
    return make_dataset(cast.team)


# What it opens -----------------------------------------------------------------------------------------


def test_a_key_to_read_sees_what_its_team_has(cast: Cast, dataset: Dataset) -> None:
    _, client = make(cast.alice)
    found = client.get("/api/datasets").json()["datasets"]
    assert [each["id"] for each in found] == [str(dataset.pk)]
    assert not any(found[0][may] for may in ("may_edit", "may_comment", "may_tag", "may_share"))


def test_a_key_to_read_changes_nothing(cast: Cast, dataset: Dataset) -> None:
    _, client = make(cast.alice)
    answer = client.patch(f"/api/datasets/{dataset.pk}", {"name": "New"}, content_type="application/json")
    assert answer.status_code == 403
    assert "takes the scope “write”" in detail(answer)


def test_a_key_to_write_changes_without_a_csrf_token(cast: Cast, dataset: Dataset) -> None:
    token = create_key(cast.team, cast.alice, "A", [KeyScope.WRITE])[1]
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {token}"})
    answer = client.patch(f"/api/datasets/{dataset.pk}", {"name": "New"}, content_type="application/json")
    assert answer.status_code == 200
    started = client.post("/uploads/", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "3"})
    assert started.status_code == 201
    assert Upload.objects.get().user == cast.alice


def test_a_session_still_needs_its_csrf_token(cast: Cast, dataset: Dataset) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    answer = client.patch(f"/api/datasets/{dataset.pk}", {"name": "New"}, content_type="application/json")
    assert answer.status_code == 403


def test_no_key_acts_as_an_owner(cast: Cast, dataset: Dataset) -> None:
    _, client = make(cast.alice, "write")
    url = f"/api/datasets/{dataset.pk}"
    for answer in (
        client.delete(url),
        client.patch(url, {"visibility": "public"}, content_type="application/json"),
        client.post("/api/datasets", {"uploads": [], "visibility": "link"}, content_type="application/json"),
    ):
        assert answer.status_code in (403, 422)
    assert detail(client.delete(url)).startswith("No API key shares or deletes")
    assert Dataset.objects.get().visibility == Visibility.PRIVATE


def test_a_key_is_for_one_team(cast: Cast) -> None:
    other = create_team(cast.alice, "Other")
    theirs = make_dataset(other)
    guests = make_dataset(cast.charlie.teams.get())
    add_guest(guests.pk, guests.team, cast.alice.email, GuestRole.EDITOR, cast.charlie)
    _, client = make(cast.alice, "write", cast.team)
    for dataset in (theirs, guests):
        assert client.get(f"/api/datasets/{dataset.pk}").status_code == 404
    assert client.get("/api/datasets").json() == {"datasets": [], "total": 0}


def test_a_key_opens_no_page(cast: Cast, dataset: Dataset) -> None:
    _, client = make(cast.alice, "write")
    assert client.get(dataset.get_absolute_url()).status_code == 404
    assert client.get(f"/teams/{cast.team.slug}/keys").status_code == 302


def test_a_key_and_not_the_session_beside_it_decides(cast: Cast, dataset: Dataset) -> None:
    client = client_of(cast.alice)
    key, token = create_key(cast.charlie.teams.get(), cast.charlie, "A", [KeyScope.READ])
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get(f"/api/datasets/{dataset.pk}", headers=headers).status_code == 404
    revoke_key(key)
    assert client.get(f"/api/datasets/{dataset.pk}", headers=headers).status_code == 401
    assert client.get(f"/api/datasets/{dataset.pk}").status_code == 200


def test_a_key_in_an_address_is_not_looked_at(cast: Cast, dataset: Dataset) -> None:
    token = create_key(cast.team, cast.alice, "A", [KeyScope.READ])[1]
    for name in ("key", "api_key", "token", "sessionid"):
        assert Client().get(f"/api/datasets/{dataset.pk}?{name}={token}").status_code == 404


# When it ends --------------------------------------------------------------------------------------------


def refusal(client: Client) -> str:
    answer = client.get("/api/datasets")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    return detail(answer)


def test_a_revoked_one_opens_nothing(cast: Cast) -> None:
    key, client = make(cast.alice)
    revoke_key(key)
    assert refusal(client) == "This API key was revoked."


def test_an_expired_one_opens_nothing(cast: Cast) -> None:
    key, client = make(cast.alice)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refusal(client) == "This API key has expired."


@pytest.mark.parametrize("change", ["ä", "x", "", "nk-", "nk-" + "a" * 40, "nk-" + "a" * 5000, "\0"])
def test_a_wrong_one_opens_nothing(cast: Cast, change: str) -> None:
    assert refusal(program(change)) == "This API key is not one of ours."


def test_one_with_a_wrong_end_is_told_like_one_that_never_was(cast: Cast) -> None:
    key, token = create_key(cast.team, cast.alice, "A", [KeyScope.READ])
    revoke_key(key)
    assert refusal(program(token[:-1] + ("a" if token[-1] != "a" else "b"))) == (
        "This API key is not one of ours."
    )


def test_what_its_maker_may_no_longer_do_it_may_not_either(cast: Cast, dataset: Dataset) -> None:
    _, client = make(cast.bob, "write", cast.team)
    url = f"/api/datasets/{dataset.pk}"
    assert client.patch(url, {"name": "A"}, content_type="application/json").status_code == 200
    change_role(cast.team, cast.bob.pk, Role.VIEWER)
    assert client.patch(url, {"name": "B"}, content_type="application/json").status_code == 404
    assert client.get(url).status_code == 200
    remove_member(cast.team, cast.bob.pk)
    assert "no longer on the team" in refusal(client)


def test_what_goes_on_for_hours_ends_with_it(cast: Cast, dataset: Dataset) -> None:
    key, _ = make(cast.alice)
    request = RequestFactory().get("/api/datasets")
    vars(request)["api_key"] = key
    assert Dataset.objects.visible_to(asker_again(request)).get() == dataset
    revoke_key(key)
    assert not Dataset.objects.visible_to(asker_again(request)).exists()


def test_the_key_of_an_account_that_was_switched_off_opens_nothing(cast: Cast) -> None:
    _, client = make(cast.alice)
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    assert "has ended" in refusal(client)


# What is kept of it --------------------------------------------------------------------------------------


def test_the_database_cannot_tell_it(cast: Cast) -> None:
    _, token = create_key(cast.team, cast.alice, "A", [KeyScope.READ])
    assert token.startswith("nk-")
    assert len(token) == 43
    values = str(ApiKey.objects.values().get())
    assert token[:11] in values
    assert token[11:] not in values


def test_no_log_tells_it(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    token = create_key(cast.team, cast.alice, "A", [KeyScope.READ])[1]
    with caplog.at_level(logging.DEBUG):
        program(token).get("/api/datasets")
        program(token).delete("/api/datasets/1")
        program(token + "x").get("/api/datasets")
    assert token[11:] not in caplog.text
    assert token[11:] not in str(list(AuditEvent.objects.values()))


def test_its_uses_are_noted_and_the_first_is_told(cast: Cast) -> None:
    key, client = make(cast.alice)
    client.get("/api/datasets")
    client.get("/api/datasets")
    key.refresh_from_db()
    assert key.last_used_at is not None
    assert AuditEvent.objects.filter(team_id=cast.team.pk, verb=AuditVerb.KEY_USED).count() == 1


# The page ------------------------------------------------------------------------------------------------


FORM = {"name": "Nightly import", "scopes": ["read", "embed"], "days": "90"}


def test_the_page_shows_a_new_key_once(cast: Cast) -> None:
    client, url = client_of(cast.bob), f"/teams/{cast.team.slug}/keys"
    answer = client.post(url, FORM)
    token = answer.context["token"]
    assert token in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert token not in client.get(url).content.decode()
    key = ApiKey.objects.get()
    assert (key.scopes, key.created_by, key.team) == (["read", "embed"], cast.bob, cast.team)
    assert key.expires_at is not None
    assert program(token).get("/api/datasets").status_code == 200
    made = AuditEvent.objects.get(team_id=cast.team.pk, verb=AuditVerb.KEY_MADE)
    assert made.text == "“Nightly import” (read, embed)"


@pytest.mark.parametrize("form", [{"scopes": []}, {"scopes": ["own"]}, {"name": ""}, {"days": "1000"}])
def test_a_form_that_makes_no_sense_makes_no_key(cast: Cast, form: dict[str, Any]) -> None:
    client_of(cast.alice).post(f"/teams/{cast.team.slug}/keys", FORM | form)
    assert not ApiKey.objects.exists()


def test_viewers_and_strangers_make_none(cast: Cast) -> None:
    for person in (cast.victor, cast.charlie):
        assert client_of(person).post(f"/teams/{cast.team.slug}/keys", FORM).status_code == 404


def test_editors_see_their_own_and_owners_see_and_revoke_all(cast: Cast) -> None:
    alices, _ = make(cast.alice)
    bobs, _ = make(cast.bob, team=cast.team)
    url = f"/teams/{cast.team.slug}/keys"
    assert [key.pk for key in client_of(cast.bob).get(url).context["keys"]] == [bobs.pk]
    assert client_of(cast.bob).post(f"{url}/{alices.pk}/revoke").status_code == 404
    assert {key.pk for key in client_of(cast.alice).get(url).context["keys"]} == {alices.pk, bobs.pk}
    assert client_of(cast.alice).post(f"{url}/{bobs.pk}/revoke").status_code == 302
    bobs.refresh_from_db()
    assert bobs.revoked_at is not None


def test_who_is_a_viewer_now_still_ends_their_own(cast: Cast) -> None:
    key, _ = make(cast.bob, team=cast.team)
    change_role(cast.team, cast.bob.pk, Role.VIEWER)
    client, url = client_of(cast.bob), f"/teams/{cast.team.slug}/keys"
    assert url in client.get(f"/teams/{cast.team.slug}/members").content.decode()
    page = client.get(url)
    assert page.context["keys"] == [key]
    assert "Make the key" not in page.content.decode()
    assert client.post(f"{url}/{key.pk}/revoke").status_code == 302
    assert client.get(url).context["ended"] == [key]


# The pages of the log -------------------------------------------------------------------------------------


def test_owners_see_the_log_of_their_team_and_nobody_else_does(cast: Cast) -> None:
    client_of(cast.bob).post(f"/teams/{cast.team.slug}/keys", FORM)
    url = f"/teams/{cast.team.slug}/log"
    assert "Nightly import" in client_of(cast.alice).get(url).content.decode()
    for person in (cast.bob, cast.victor, cast.charlie):
        assert client_of(person).get(url).status_code == 404


def test_everybody_sees_what_was_done_with_their_account_not_from_where(cast: Cast) -> None:
    alice = client_of(cast.alice)
    url = f"/teams/{cast.team.slug}/members/{cast.bob.pk}/role"
    alice.post(url, {"role": "viewer"}, REMOTE_ADDR="192.0.2.9")
    page = client_of(cast.bob).get("/account/activity").content.decode()
    assert "bob@example.org: viewer" in page
    assert "192.0.2.9" not in page
    assert "192.0.2.9" in alice.get("/account/activity").content.decode()
    assert "bob@example.org: viewer" not in client_of(cast.charlie).get("/account/activity").content.decode()


def test_a_key_sees_the_uploads_of_its_team_only(cast: Cast) -> None:
    other = create_team(cast.alice, "Museum")
    tus = {"Tus-Resumable": "1.0.0"}

    def clients() -> dict[str, Client]:
        teams = {"a": cast.team, "b": cast.team, "other": other}
        return {
            name: program(create_key(team, cast.alice, name, [KeyScope.WRITE])[1])
            for name, team in teams.items()
        } | {"person": client_of(cast.alice)}

    asking = clients()
    made = {
        name: asking[name].post("/uploads/", headers=tus | {"Upload-Length": "3"})["Location"]
        for name in ("a", "person")
    }

    seen = {
        (name, whose)
        for whose, address in made.items()
        for name, client in asking.items()
        if client.head(address, headers=tus).status_code == 200
    }
    assert seen == {("a", "a"), ("b", "a"), ("person", "a"), ("person", "person")}
    upload = made["person"].rpartition("/")[2]
    answer = asking["a"].post("/api/datasets", {"uploads": [upload]}, content_type="application/json")
    assert answer.status_code == 404


def test_a_key_to_read_reads_what_is_said_and_done(cast: Cast, dataset: Dataset) -> None:
    url = f"/api/datasets/{dataset.pk}"
    pin = {"row": 0}
    add_records(dataset, 1, captions=True)
    said = client_of(cast.bob).post(
        f"{url}/comments", {"text": "Hm.", "pin": pin}, content_type="application/json"
    )
    assert said.status_code == 201
    _, client = make(cast.alice)
    assert client.get(f"{url}/comments").json()["comments"][0]["text"] == "Hm."
    assert client.get(f"{url}/activity").json()["events"][0]["who"] == "Bob"
    answer = client.post(f"{url}/comments", {"text": "No.", "pin": pin}, content_type="application/json")
    assert answer.status_code == 403
    reply = f"{url}/comments/{said.json()['id']}/replies"
    assert client.post(reply, {"text": "No."}, content_type="application/json").status_code == 403
