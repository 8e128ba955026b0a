from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from atlas.teams.models import AuditEvent, AuditVerb
from atlas.teams.tasks import clear_sessions
from tests.people import PASSWORD, Cast, client_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
)


def signed_in(name: str, browser: str) -> Client:
    client = Client(headers={"user-agent": browser})
    client.post("/accounts/login/", {"login": f"{name}@example.org", "password": PASSWORD})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


@pytest.mark.usefixtures("cast")
def test_the_list_names_each_browser() -> None:
    laptop = signed_in("alice", FIREFOX)
    signed_in("alice", IPHONE)
    page = laptop.get("/accounts/sessions/").content.decode()
    assert "Firefox on Linux" in page
    assert "Safari on an iPhone" in page
    assert page.count("this one") == 1


@pytest.mark.usefixtures("cast")
def test_signing_out_everywhere_else_leaves_this_one() -> None:
    laptop, phone = signed_in("alice", FIREFOX), signed_in("alice", IPHONE)
    laptop.post("/accounts/sessions/")
    assert is_signed_in(laptop)
    assert not is_signed_in(phone)


@pytest.mark.usefixtures("cast")
def test_one_browser_is_signed_out_alone_and_the_log_tells() -> None:
    laptop, phone, other = (signed_in("alice", browser) for browser in (FIREFOX, IPHONE, FIREFOX))
    session = UserSession.objects.get(user_agent=IPHONE)
    laptop.post(f"/account/sessions/{session.pk}/end")
    assert [is_signed_in(each) for each in (laptop, phone, other)] == [True, False, True]
    assert AuditEvent.objects.get(verb=AuditVerb.SESSIONS_ENDED).text == "Safari on an iPhone"


@pytest.mark.usefixtures("cast")
def test_nobody_ends_a_session_of_somebody_else() -> None:
    alice, bob = signed_in("alice", FIREFOX), signed_in("bob", IPHONE)
    session = UserSession.objects.get(user_agent=FIREFOX)
    assert bob.post(f"/account/sessions/{session.pk}/end").status_code == 404
    assert is_signed_in(alice)


def test_a_new_password_signs_out_all_others(cast: Cast) -> None:
    laptop, phone = signed_in("alice", FIREFOX), signed_in("alice", IPHONE)
    new = "another fine password"
    laptop.post("/accounts/reauthenticate/", {"password": PASSWORD})
    laptop.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    cast.alice.refresh_from_db()
    assert cast.alice.check_password(new)
    assert is_signed_in(laptop)
    assert not is_signed_in(phone)


@pytest.mark.usefixtures("cast")
def test_those_that_have_expired_are_cleared_away() -> None:
    signed_in("alice", FIREFOX), signed_in("bob", FIREFOX)
    old = Session.objects.order_by("pk").last()
    assert old is not None
    Session.objects.filter(pk=old.pk).update(expire_date=timezone.now() - timedelta(seconds=1))
    task = settings.CELERY_BEAT_SCHEDULE["ended sessions"]["task"]
    assert task == clear_sessions.name
    clear_sessions()
    assert Session.objects.count() == 1
    assert not Session.objects.filter(pk=old.pk).exists()
    # Nor is it kept from where it was.
    assert UserSession.objects.count() == 1
    assert not UserSession.objects.filter(session_key=old.pk).exists()


def test_a_form_of_who_is_signed_out_leads_back_to_its_page(cast: Cast) -> None:
    url, client = f"/teams/{cast.team.slug}/name", Client()
    members = f"/teams/{cast.team.slug}/members"
    elsewhere = client.post(url, {"name": "A"}, headers={"referer": f"https://evil.example{members}"})
    assert elsewhere["Location"] == f"/accounts/login/?next={url}"

    answer = client.post(url, {"name": "A"}, headers={"referer": f"http://testserver{members}?a=1"})
    form = {"login": cast.alice.email, "password": PASSWORD, "next": f"{members}?a=1"}
    assert "Nothing was changed yet." in client.get(answer["Location"]).content.decode()
    assert f'value="{form["next"]}"' in client.get(answer["Location"]).content.decode()
    assert client.post("/accounts/login/", form, follow=True).status_code == 200


def test_the_address_of_a_form_says_that_it_shows_nothing(cast: Cast) -> None:
    answer = client_of(cast.alice).get(f"/teams/{cast.team.slug}/name")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "This address shows nothing" in answer.content.decode()
