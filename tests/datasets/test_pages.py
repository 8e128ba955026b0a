"""The pages of datasets, as everybody sees them."""

import html
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from atlas.datasets import views
from atlas.datasets.activity import record_event
from atlas.datasets.models import Dataset, ImportState, SkippedItem, Visibility
from atlas.teams.guests import add_guest
from atlas.teams.models import GuestRole
from tests.datasets.material import fruit_zip, new_import
from tests.people import PASSWORD, Cast, client_of, content_of


def get(cast: Cast, who: str, path: str) -> Any:
    return client_of(None if who == "nobody" else getattr(cast, who)).get(path)


FRUIT = "/data/alice/fruit"
#: Address, and who may open it of alice, bob, victor, charlie (a private dataset).
PAGES = {
    "/data/alice": ("alice", "bob", "victor"),
    FRUIT: ("alice", "bob", "victor"),
    f"{FRUIT}/imports/{{job}}": ("alice", "bob", "victor"),
    f"{FRUIT}/add": ("alice", "bob"),
    f"{FRUIT}/settings": ("alice", "bob"),
}


@pytest.mark.parametrize("path", PAGES)
def test_only_those_who_may_open_a_page(cast: Cast, fruit: Dataset, path: str) -> None:
    address = path.replace("{job}", str(fruit.imports.get().pk))
    for who in ("alice", "bob", "victor", "charlie"):
        assert get(cast, who, address).status_code == (200 if who in PAGES[path] else 404), who
    # Pages for editors send a visitor to sign in first: that betrays nothing, they do it for every address.
    assert get(cast, "nobody", address).status_code == (302 if len(PAGES[path]) == 2 else 404)


def test_everybody_opens_a_public_dataset_and_nobody_is_offered_what_they_may_not_do(
    cast: Cast, fruit: Dataset
) -> None:
    Dataset.objects.update(visibility=Visibility.PUBLIC)
    for who, may_edit in (("bob", True), ("victor", False), ("charlie", False), ("nobody", False)):
        page = get(cast, who, FRUIT).content.decode()
        assert "Fruit" in page
        assert ("data-may-edit" in page) is may_edit
        assert (f"{FRUIT}/settings" in page) is may_edit


def test_the_first_page_shows_visitors_what_it_is_and_what_is_public(cast: Cast, fruit: Dataset) -> None:
    assert "Fruit" not in get(cast, "nobody", "/").content.decode()
    Dataset.objects.update(visibility=Visibility.PUBLIC)
    page = get(cast, "nobody", "/").content.decode()
    assert "One map of all your pictures" in page
    assert "Fruit" in page


def test_the_first_page_shows_a_person_their_own_and_the_public_ones_of_others(
    cast: Cast, fruit: Dataset
) -> None:
    assert "Fruit" in get(cast, "victor", "/").content.decode()
    assert "Fruit" not in get(cast, "charlie", "/").content.decode()
    Dataset.objects.update(visibility=Visibility.PUBLIC)
    assert "Public datasets of others" in get(cast, "charlie", "/").content.decode()
    assert "Public datasets of others" not in get(cast, "victor", "/").content.decode()


def test_all_that_others_share_can_be_reached(
    cast: Cast, fruit: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "OTHERS", 1)
    add_guest(fruit.pk, cast.team, cast.charlie.email, GuestRole.VIEWER, cast.alice)
    for name in ("Pears", "Plums"):
        pears = Dataset.objects.create(
            team=cast.team, name=name, slug=name, model="mini", visibility="public"
        )
        add_guest(pears.pk, cast.team, cast.charlie.email, GuestRole.VIEWER, cast.alice)
    first = get(cast, "charlie", "/").content.decode()
    for section, names in (("shared", {"Fruit", "Pears", "Plums"}), ("public", {"Pears", "Plums"})):
        assert f'href="?of={section}">All {len(names)}<' in first
        page = get(cast, "charlie", f"/?of={section}").context["page"]
        assert {dataset.name for dataset in page} == names


def test_a_dataset_moves_to_a_team_that_was_chosen(cast: Cast, fruit: Dataset) -> None:
    cast.team.memberships.filter(user=cast.bob).update(role="owner")
    page = get(cast, "bob", f"{FRUIT}/settings").content.decode()
    assert 'name="team" required><option value="">' in page
    assert client_of(cast.bob).post(f"{FRUIT}/transfer", {"team": ""}).status_code == 404


def test_a_card_shows_pictures_and_status(cast: Cast, fruit: Dataset) -> None:
    page = get(cast, "alice", "/").content.decode()
    assert f"/api/datasets/{fruit.pk}/records/1/thumbnail" in page
    assert "3 records" in page
    job = new_import(cast, "fruit.zip", fruit_zip())
    page = get(cast, "alice", "/").content.decode()
    assert job.get_state_display() in page


@pytest.mark.parametrize("state", ImportState)
def test_a_dataset_has_a_page_in_every_state_of_its_import(cast: Cast, state: ImportState) -> None:
    job = new_import(cast, "fruit.zip", fruit_zip())
    dataset = job.dataset
    dataset.imports.update(state=state, error="It broke." if state == ImportState.FAILED else "")
    for path in (dataset.get_absolute_url(), f"{dataset.get_absolute_url()}/imports/{job.pk}"):
        page = get(cast, "alice", path)
        assert page.status_code == 200
        assert state.label in page.content.decode()
    assert ("data-import" in page.content.decode()) is (state != ImportState.DONE)
    assert "data-import" not in get(cast, "victor", path).content.decode()
    assert ("Nothing was skipped" in page.content.decode()) is (state == ImportState.DONE)


def test_what_people_wrote_stays_text(cast: Cast, fruit: Dataset) -> None:
    name = "<script>alert(1)</script>"
    Dataset.objects.update(name=name, description=name)
    SkippedItem.objects.update(source=name, detail=name)
    job = fruit.imports.get()
    for path in ("/", FRUIT, f"{FRUIT}/settings", f"{FRUIT}/add", f"{FRUIT}/imports/{job.pk}"):
        page = get(cast, "alice", path).content.decode()
        assert "alert(1)" in page
        assert name not in page


def test_the_report_page_goes_through_all_lines(cast: Cast, fruit: Dataset) -> None:
    job = fruit.imports.get()
    SkippedItem.objects.bulk_create(
        SkippedItem(job=job, source=f"{n}.jpg", reason="over_limit", detail="Too large.") for n in range(150)
    )
    first = get(cast, "victor", f"{FRUIT}/imports/{job.pk}").content.decode()
    assert "Over a limit" in first
    assert "149.jpg" not in first
    after = first.partition("?after=")[2].partition('"')[0]
    assert "149.jpg" in get(cast, "victor", f"{FRUIT}/imports/{job.pk}?after={after}").content.decode()


def test_the_report_page_counts_its_reasons_and_goes_through_the_lines_of_one(
    cast: Cast, fruit: Dataset
) -> None:
    job = fruit.imports.get()
    SkippedItem.objects.bulk_create(
        SkippedItem(job=job, source=f"{n}.jpg", reason=("over_limit", "already_here")[n % 2], detail="It is.")
        for n in range(300)
    )
    page = f"{FRUIT}/imports/{job.pk}"
    first = get(cast, "victor", f"{page}?reason=over_limit").content.decode()
    for reason, words, count in (("over_limit", "Over a limit", 150), ("already_here", "Already here", 150)):
        assert re.search(rf'\?reason={reason}"[^>]*>{words} <strong>{count}<', first)
    after = first.partition("?reason=over_limit&amp;after=")[2].partition('"')[0]
    second = get(cast, "victor", f"{page}?reason=over_limit&after={after}").content.decode()
    sources = re.findall(r"<td[^>]*>(\d+)\.jpg<", first + second)
    assert sources == [str(n) for n in range(0, 300, 2)]


@pytest.mark.parametrize("query", ["reason=nonsense", "reason=", "reason=%00"])
def test_the_report_page_shows_all_for_a_reason_that_is_not_in_it(
    cast: Cast, fruit: Dataset, query: str
) -> None:
    page = get(cast, "victor", f"{FRUIT}/imports/{fruit.imports.get().pk}?{query}")
    assert "captions.csv:5" in page.content.decode()


def test_a_new_dataset_goes_to_the_team_asked_for(cast: Cast) -> None:
    assert 'data-team="bob"' in get(cast, "bob", "/new").content.decode()
    assert 'data-team="alice"' in get(cast, "bob", "/new?team=alice").content.decode()
    assert get(cast, "victor", "/new?team=alice").status_code == 404
    assert get(cast, "nobody", "/new")["Location"] == "/accounts/login/?next=/new"


def test_who_may_not_see_a_page_signs_in_and_comes_back_to_it(cast: Cast, fruit: Dataset) -> None:
    page = get(cast, "nobody", f"{FRUIT}/map?list&start=a%26b")

    assert page.status_code == 404
    back = quote(f"{FRUIT}/map?list&start=a%26b")
    assert page.content.decode().count(f"/accounts/login/?next={back}") == 2


def test_the_page_of_a_dataset_without_a_map_exports_it_whole(cast: Cast, fruit: Dataset) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.victor)
    page = html.unescape(browser.get(FRUIT).content.decode())
    form = page.partition(f'action="/api/datasets/{fruit.pk}/export"')[2].partition("</form>")[0]
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    requests = re.findall(r"name=\"request\" value='([^']+)'", form)
    assert len(requests) == 5

    for request in requests:
        sent = urlencode({"csrfmiddlewaretoken": token, "request": request})
        file: Any = browser.post(
            f"/api/datasets/{fruit.pk}/export", sent, "application/x-www-form-urlencoded"
        )
        assert file["Content-Disposition"].startswith('attachment; filename="fruit.')
        if "jsonl" in request:
            assert len(content_of(file).splitlines()) == 3


def test_a_dataset_without_records_has_nothing_to_export(cast: Cast) -> None:
    empty = Dataset.objects.create(team=cast.team, name="Pears", slug="pears", model="mini")

    assert "/export" not in get(cast, "alice", empty.get_absolute_url()).content.decode()


def test_an_editor_is_told_who_shares_and_deletes(cast: Cast, fruit: Dataset) -> None:
    add_guest(fruit.pk, cast.team, cast.charlie.email, GuestRole.EDITOR, cast.alice)
    words = "share this dataset and delete it"
    for path in (FRUIT, f"{FRUIT}/settings"):
        assert f"{words}: Alice." in get(cast, "bob", path).content.decode()
        assert words not in get(cast, "alice", path).content.decode()
        guest = get(cast, "charlie", path).content.decode()
        assert f"{words}." in guest, "a guest is not told the people of the team"
        assert "/teams/alice/members" not in guest
    assert words not in get(cast, "victor", FRUIT).content.decode()


def test_a_team_that_no_address_can_name_is_not_found(cast: Cast, fruit: Dataset) -> None:
    client = client_of(cast.alice)
    assert client.get("/new?team=%00").status_code == 404
    assert client.post(f"{fruit.get_absolute_url()}/transfer", {"team": "\0"}).status_code == 404


def test_settings_are_saved(cast: Cast, fruit: Dataset) -> None:
    client = client_of(cast.bob)
    form = {"name": "Pears", "description": "Green ones"}
    assert client.post(f"{FRUIT}/settings", form)["Location"] == f"{FRUIT}/settings"
    fruit.refresh_from_db()
    assert (fruit.name, fruit.description) == ("Pears", "Green ones")
    answer = client.post(f"{FRUIT}/settings", form | {"name": " "})
    assert "This field is required." in answer.content.decode()


def test_deleting_wants_the_name_typed(cast: Cast, fruit: Dataset) -> None:
    client = client_of(cast.alice)
    answer = client.post(f"{FRUIT}/delete", {"confirmation": "fruit salad"})
    assert "This is not the name of the dataset" in answer.content.decode()
    assert client.get(FRUIT).status_code == 200
    Dataset.objects.update(name="Fruit  of 1900")  # a page shows one space
    assert client.post(f"{FRUIT}/delete", {"confirmation": "Fruit of 1900"})["Location"] == "/"
    assert client.get(FRUIT).status_code == 404


def test_an_editor_does_not_delete(cast: Cast, fruit: Dataset) -> None:
    client = client_of(cast.bob)
    assert "Delete the dataset" not in client.get(f"{FRUIT}/settings").content.decode()
    assert client.post(f"{FRUIT}/delete", {"confirmation": "Fruit"}).status_code == 404


@pytest.mark.parametrize("who", ["victor", "charlie"])
def test_others_neither_save_nor_delete(cast: Cast, fruit: Dataset, who: str) -> None:
    client = client_of(getattr(cast, who))
    assert client.post(f"{FRUIT}/settings", {"name": "Mine", "visibility": "public"}).status_code == 404
    assert client.post(f"{FRUIT}/delete", {"confirmation": "Fruit"}).status_code == 404
    fruit.refresh_from_db()
    assert (fruit.name, fruit.deleting) == ("Fruit", False)


@pytest.mark.parametrize("path", ["/data/nobody", "/data/alice/none", "/nothing/here", f"{FRUIT}/"])
def test_what_is_not_there_is_said_to_be_not_there(cast: Cast, fruit: Dataset, path: str) -> None:
    page = get(cast, "alice", path)
    assert page.status_code == 404
    assert "There is nothing here" in page.content.decode()


def test_no_page_holds_inline_scripts_or_styles(cast: Cast, fruit: Dataset) -> None:
    job = fruit.imports.get()
    pages = ["/", "/new", FRUIT, f"{FRUIT}/settings", f"{FRUIT}/add", f"{FRUIT}/imports/{job.pk}"]
    for path in [*pages, "/accounts/password/change/", "/accounts/email/", "/accounts/2fa/"]:
        response = get(cast, "alice", path)
        assert response.status_code == 200, path
        page = response.content.decode()
        assert "style=" not in page
        assert " onclick" not in page
        assert "<script>" not in page


def test_a_person_signs_up_in_and_out(db: None) -> None:
    client = client_of(None)
    form = {"email": "dora@example.org", "password1": PASSWORD}
    assert client.post("/accounts/signup/", form)["Location"] == "/"
    page = client.get("/").content.decode()
    assert "dora@example.org" in page
    assert "/data/dora" in page
    client.post("/accounts/logout/")
    assert "Sign in" in client.get("/").content.decode()
    client.post("/accounts/login/", {"login": "Dora@example.org", "password": PASSWORD})
    assert "dora@example.org" in client.get("/").content.decode()


def test_the_page_of_a_dataset_tells_its_team_what_happened(cast: Cast, fruit: Dataset) -> None:
    for number in range(views.ACTIVITY_LINES + 1):
        record_event(fruit, "renamed", cast.bob, f"renamed it to {number}")
    page = get(cast, "victor", FRUIT)
    assert "renamed it to 12" in page.content.decode()
    assert "renamed it to 0<" not in page.content.decode()
    earlier = get(cast, "victor", f"{FRUIT}?before={page.context['earlier']}").content.decode()
    assert "renamed it to 0<" in earlier
    assert "renamed it to 12" not in earlier


def test_visitors_are_not_told_what_happened(cast: Cast, fruit: Dataset) -> None:
    record_event(fruit, "renamed", cast.bob, "renamed it to Pears")
    Dataset.objects.update(visibility=Visibility.PUBLIC)
    for who in ("charlie", "nobody"):
        assert "renamed it" not in get(cast, who, FRUIT).content.decode()


def test_renaming_on_the_settings_page_is_told(cast: Cast, fruit: Dataset) -> None:
    client_of(cast.bob).post(f"{FRUIT}/settings", {"name": "Pears"})
    client_of(cast.bob).post(f"{FRUIT}/settings", {"name": "Pears", "description": "Green"})
    assert [event.text for event in fruit.events.filter(verb="renamed")] == ["renamed it to Pears"]
