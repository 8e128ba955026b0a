"""Comments, saved views and activity over HTTP: who may write, and what is refused."""

import uuid
from typing import Any

import pytest
from django.test import Client

from atlas.datasets.activity import PAGE, record_event
from atlas.datasets.models import Dataset, Visibility
from atlas.maps import comments, saved, together_api
from atlas.maps.models import Comment, DataMap, SavedView
from atlas.teams.guests import add_guest
from atlas.teams.links import create_link, token_of
from atlas.teams.models import GuestRole, Scope
from tests.callers import opened
from tests.maps.records import add_records, make_dataset
from tests.people import Cast, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(cast: Cast) -> Dataset:
    made = make_dataset(cast.team)
    add_records(made, 5, captions=True)
    return made


def call(cast: Cast, name: str | None, method: str, url: str, body: Any = None) -> Any:
    client = client_of(getattr(cast, name) if name else None)
    return getattr(client, method)(url, body, content_type="application/json")


def write(cast: Cast, dataset: Dataset, name: str | None = "victor", **body: Any) -> Any:
    body = {"text": "Look at this", "pin": {"row": 2}} | body
    return call(cast, name, "post", f"/api/datasets/{dataset.pk}/comments", body)


def read(cast: Cast, dataset: Dataset, state: str = "open") -> list[dict[str, Any]]:
    answer = client_of(cast.alice).get(f"/api/datasets/{dataset.pk}/comments?state={state}")
    found: list[dict[str, Any]] = answer.json()["comments"]
    return found


def test_the_team_comments_and_reads_comments(cast: Cast, dataset: Dataset) -> None:
    for name in ("alice", "bob", "victor"):
        assert write(cast, dataset, name).status_code == 201
    assert [each["author"] for each in read(cast, dataset)] == ["Alice", "Bob", "Victor"]
    assert [each["mine"] for each in read(cast, dataset)] == [True, False, False]


def test_for_outsiders_there_is_no_such_dataset(cast: Cast, dataset: Dataset) -> None:
    mine = write(cast, dataset).json()["id"]
    paths = ("comments", f"comments/{mine}/replies", f"comments/{mine}", "views", "activity")
    for name in ("charlie", None):
        for path in paths:
            for method in ("get", "post", "patch", "delete"):
                answer = call(
                    cast, name, method, f"/api/datasets/{dataset.pk}/{path}", {"text": "x", "pin": {"row": 1}}
                )
                assert answer.status_code in (401, 404, 405, 422), (name, method, path)
                assert b"Look" not in answer.content
    assert Comment.objects.count() == 1


def test_visitors_of_a_public_dataset_hear_nothing_of_what_is_said_about_it(
    cast: Cast, dataset: Dataset
) -> None:
    write(cast, dataset)
    Dataset.objects.update(visibility=Visibility.PUBLIC)
    for name in ("charlie", None):
        assert write(cast, dataset, name).status_code == 404
        assert call(cast, name, "get", f"/api/datasets/{dataset.pk}/comments").status_code == 404
        assert call(cast, name, "get", f"/api/datasets/{dataset.pk}/activity").status_code == 404


@pytest.mark.parametrize("state", ["open", "resolved", "all"])
def test_a_link_to_look_reads_no_comments(cast: Cast, dataset: Dataset, state: str) -> None:
    write(cast, dataset)
    visitor = visitor_by_link(cast, dataset)
    assert visitor.get(f"/api/datasets/{dataset.pk}").status_code == 200
    assert visitor.get(f"/api/datasets/{dataset.pk}/comments?state={state}").status_code == 404


def test_a_link_to_comment_reads_them(cast: Cast, dataset: Dataset) -> None:
    write(cast, dataset)
    visitor = visitor_by_link(cast, dataset, scope=Scope.COMMENT)
    assert b"Look at this" in visitor.get(f"/api/datasets/{dataset.pk}/comments").content


def test_who_sees_no_captions_may_comment_and_reads_nothing(cast: Cast, dataset: Dataset) -> None:
    theirs = write(cast, dataset).json()["id"]
    visitor = visitor_by_link(cast, dataset, scope=Scope.COMMENT, hide_captions=True)
    url = f"/api/datasets/{dataset.pk}/comments"
    body = {"text": "Mine", "pin": {"row": 1}, "name": "Ina"}
    assert visitor.post(url, body, content_type="application/json").status_code == 201
    answers = [
        visitor.get(url),
        visitor.post(f"{url}/{theirs}/replies", body, content_type="application/json"),
        visitor.patch(f"{url}/{theirs}", {"resolved": True}, content_type="application/json"),
    ]
    assert [answer.status_code for answer in answers] == [422] * 3
    assert not any(b"Look" in answer.content for answer in answers)


def visitor_by_link(
    cast: Cast, dataset: Dataset, *, scope: Scope = Scope.VIEW, hide_captions: bool = False
) -> Client:
    Dataset.objects.update(visibility=Visibility.LINK)
    return opened(create_link(dataset.pk, cast.alice, scope=scope, hide_captions=hide_captions))


def test_a_comment_is_pinned_to_a_record_a_place_a_region_or_a_selection(
    cast: Cast, dataset: Dataset
) -> None:
    of = str(DataMap.objects.create(dataset=dataset, space="image").pk)
    region = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.3]]
    pins: list[dict[str, Any]] = [
        {"row": 4},
        {"map": of, "x": 0.25, "y": 0.5},
        {"map": of, "region": region},
        {"filter": {"column": "colour", "in": ["red"]}},
    ]
    for pin in pins:
        assert write(cast, dataset, pin=pin).status_code == 201, pin
    assert [each["pin"] for each in read(cast, dataset)] == pins


@pytest.mark.parametrize(
    "pin",
    [
        {},
        {"row": 5},
        {"row": -1},
        {"row": "x"},
        {"row": 1, "x": 2},
        {"map": str(uuid.uuid4()), "x": 0.5, "y": 0.5},
        {"map": "x", "x": 0.5, "y": 0.5},
        {"map": str(uuid.uuid4()), "region": [[0, 0], [1, 1]]},
        {"filter": {}},
        {"filter": "all"},
        None,
    ],
)
def test_a_pin_on_nothing_of_this_dataset_is_refused(cast: Cast, dataset: Dataset, pin: Any) -> None:
    assert write(cast, dataset, pin=pin).status_code == 422
    assert Comment.objects.count() == 0


@pytest.mark.parametrize("words", ["a\0", "\ud800"])
def test_a_selection_is_pinned_only_with_text_in_it(cast: Cast, dataset: Dataset, words: str) -> None:
    pin = {"filter": {"caption": words}}
    assert write(cast, dataset, pin=pin).status_code == 422


@pytest.mark.parametrize("text", ["", "  ", "\0", "x" * 5001, None, 7])
def test_a_comment_says_something_of_decent_length(cast: Cast, dataset: Dataset, text: Any) -> None:
    assert write(cast, dataset, text=text).status_code == 422


def test_odd_characters_are_kept_or_refused_never_a_500(cast: Cast, dataset: Dataset) -> None:
    assert write(cast, dataset, text="half a character: \ud800").status_code == 422
    assert write(cast, dataset, text="<script>alert(1)</script>\0 שלום").status_code == 201
    assert read(cast, dataset)[0]["text"] == "<script>alert(1)</script> שלום"


def test_a_comment_is_answered_and_resolved_by_whoever_may_comment(cast: Cast, dataset: Dataset) -> None:
    url = f"/api/datasets/{dataset.pk}/comments/{write(cast, dataset).json()['id']}"
    reply = call(cast, "bob", "post", f"{url}/replies", {"text": "I see"})
    assert reply.status_code == 201
    assert (
        call(cast, "alice", "post", f"{url[:-36]}{reply.json()['id']}/replies", {"text": "x"}).status_code
        == 409
    )
    assert call(cast, "bob", "patch", url, {"resolved": True}).json()["resolved"]
    assert read(cast, dataset) == []
    (resolved,) = read(cast, dataset, "resolved")
    assert [each["text"] for each in resolved["replies"]] == ["I see"]


def test_only_its_author_rewrites_a_comment_and_editors_may_remove_it(cast: Cast, dataset: Dataset) -> None:
    url = f"/api/datasets/{dataset.pk}/comments/{write(cast, dataset).json()['id']}"
    assert call(cast, "alice", "patch", url, {"text": "Other words"}).status_code == 409
    same = call(cast, "victor", "patch", url, {"text": read(cast, dataset)[0]["text"]}).json()
    assert same["edited_at"] is None
    changed = call(cast, "victor", "patch", url, {"text": "Other words"}).json()
    assert changed["text"] == "Other words"
    assert changed["edited_at"] is not None
    other = f"/api/datasets/{dataset.pk}/comments/{write(cast, dataset, 'alice').json()['id']}"
    assert call(cast, "victor", "delete", other).status_code == 409
    assert call(cast, "bob", "delete", url).status_code == 204
    assert call(cast, "alice", "delete", other).status_code == 204
    assert Comment.objects.count() == 0


def test_the_comments_of_another_dataset_do_not_exist(cast: Cast, dataset: Dataset) -> None:
    other = make_dataset(cast.team)
    url = f"/api/datasets/{other.pk}/comments/{write(cast, dataset).json()['id']}"
    assert call(cast, "alice", "delete", url).status_code == 404


def test_there_is_an_end_to_comments(cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comments, "MOST_COMMENTS", 1)
    assert write(cast, dataset).status_code == 201
    assert write(cast, dataset).status_code == 409


def test_visitors_who_are_not_signed_in_leave_room_for_the_team(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "MOST_OF_ONE", 1)
    visitor = visitor_by_link(cast, dataset, scope=Scope.COMMENT)
    url, body = f"/api/datasets/{dataset.pk}/comments", {"text": "Hm.", "pin": {"row": 1}, "name": "Ina"}
    answers = [visitor.post(url, body, content_type="application/json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["detail"].startswith("Visitors who are not signed in hold at most 1")
    assert write(cast, dataset, "alice").status_code == 201
    monkeypatch.setattr(together_api, "MOST_IN_A_MINUTE", 0)
    reply = f"{url}/{answers[0].json()['id']}/replies"
    for path in (url, reply):
        assert visitor.post(path, body, content_type="application/json").status_code == 429


def test_a_name_that_was_only_typed_is_told_from_that_of_an_account(cast: Cast, dataset: Dataset) -> None:
    write(cast, dataset, "alice")
    visitor = visitor_by_link(cast, dataset, scope=Scope.COMMENT)
    url, body = f"/api/datasets/{dataset.pk}/comments", {"text": "Hm.", "pin": {"row": 1}, "name": "Alice"}
    visitor.post(url, body, content_type="application/json")
    said = [(each["author"], each["account"]) for each in read(cast, dataset)]
    assert said == [("Alice", True), ("Alice", False)]


@pytest.mark.parametrize("scope", [Scope.COMMENT, Scope.TAG])
def test_the_activity_is_for_those_who_work_on_it_not_for_visitors_by_link(
    cast: Cast, dataset: Dataset, scope: Scope
) -> None:
    record_event(dataset, "shared", cast.alice, "made Ina a guest: editor")
    pages = (f"/api/datasets/{dataset.pk}/activity", dataset.get_absolute_url())
    visitor = visitor_by_link(cast, dataset, scope=scope)
    assert not any(b"Ina" in visitor.get(page).content for page in pages)
    add_guest(dataset.pk, cast.team, cast.charlie.email, GuestRole.COMMENTER, cast.alice)
    assert all(b"Ina" in client_of(cast.charlie).get(page).content for page in pages)


def test_who_tags_by_link_leaves_the_tags_of_others_as_they_are(cast: Cast, dataset: Dataset) -> None:
    bobs = dataset.tags.create(name="blurry", created_by=cast.bob)
    Dataset.objects.update(visibility=Visibility.LINK)
    client = client_of(cast.charlie)
    client.get(f"/s/{token_of(create_link(dataset.pk, cast.alice, scope=Scope.TAG))}")
    url = f"/api/datasets/{dataset.pk}/tags"
    own = client.post(url, {"name": "mine"}, content_type="application/json").json()
    assert [each["mine"] for each in client.get(url).json()["tags"]] == [False, True]
    for tag, renamed, deleted in ((bobs.pk, 409, 409), (own["id"], 200, 204)):
        answer = client.patch(f"{url}/{tag}", {"name": "renamed"}, content_type="application/json")
        assert answer.status_code == renamed
        assert client.delete(f"{url}/{tag}").status_code == deleted
    assert [tag.name for tag in dataset.tags.all()] == ["blurry"]


def save(cast: Cast, dataset: Dataset, person: str | None, **body: Any) -> Any:
    body = {"name": "Reds", "hash": "q=red"} | body
    return call(cast, person, "post", f"/api/datasets/{dataset.pk}/views", body)


def views(cast: Cast, dataset: Dataset, name: str) -> list[str]:
    answer = call(cast, name, "get", f"/api/datasets/{dataset.pk}/views")
    return [view["name"] for view in answer.json()["views"]]


def test_a_saved_view_is_for_the_team_or_for_its_maker(cast: Cast, dataset: Dataset) -> None:
    assert save(cast, dataset, "victor", name="Shared").status_code == 201
    own = save(cast, dataset, "victor", name="Own", shared=False).json()["id"]
    assert views(cast, dataset, "victor") == ["Own", "Shared"]
    assert views(cast, dataset, "alice") == ["Shared"]
    url = f"/api/datasets/{dataset.pk}/views/{own}"
    assert call(cast, "alice", "get", url).json()["hash"] == "q=red"  # whoever was given its link
    assert call(cast, "charlie", "get", url).status_code == 404


@pytest.mark.parametrize("what", ["views", "searches"])
def test_what_people_keep_for_themselves_takes_no_room_of_others(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(saved, "MOST_OWN", 1)
    monkeypatch.setattr(saved, "MOST_SHARED", 1)

    def keep(name: str, *, shared: bool) -> int:
        body = {"name": "Reds", "hash": "q=red", "query": "q=red", "shared": shared}
        return int(call(cast, name, "post", f"/api/datasets/{dataset.pk}/{what}", body).status_code)

    assert [keep("victor", shared=False) for _ in range(2)] == [201, 409]
    assert [keep("bob", shared=False), keep("bob", shared=True)] == [201, 201]
    assert keep("alice", shared=True) == 409


def test_its_maker_removes_a_view_and_an_editor_a_shared_one(cast: Cast, dataset: Dataset) -> None:
    shared = save(cast, dataset, "victor").json()["id"]
    own = save(cast, dataset, "victor", shared=False).json()["id"]
    alices = save(cast, dataset, "alice").json()["id"]
    url = f"/api/datasets/{dataset.pk}/views/"
    assert call(cast, "victor", "delete", url + alices).status_code == 409
    assert call(cast, "bob", "delete", url + own).status_code == 409
    assert call(cast, "bob", "delete", url + shared).status_code == 204
    assert call(cast, "victor", "delete", url + own).status_code == 204
    assert SavedView.objects.count() == 1


def test_its_maker_renames_a_view_and_an_editor_a_shared_one(cast: Cast, dataset: Dataset) -> None:
    shared = save(cast, dataset, "victor").json()
    own = save(cast, dataset, "victor", shared=False).json()
    alices = save(cast, dataset, "alice").json()["id"]
    url = f"/api/datasets/{dataset.pk}/views/"

    def rename(name: str | None, view: str, to: str = "Greens") -> Any:
        return call(cast, name, "patch", url + view, {"name": to})

    assert rename("victor", own["id"]).json() == own | {"name": "Greens"}
    assert rename("bob", shared["id"], "Blues").json() == shared | {"name": "Blues", "mine": False}
    assert rename("bob", shared["id"], "Blues").status_code == 200
    assert [rename(*refused).status_code for refused in (("victor", alices), ("bob", own["id"]))] == [409] * 2
    assert [rename(name, shared["id"]).status_code for name in ("charlie", None)] == [404] * 2
    assert [rename("victor", own["id"], name).status_code for name in ("", "x" * 101)] == [422] * 2
    assert views(cast, dataset, "victor") == ["Blues", "Greens", "Reds"]
    told = call(cast, "alice", "get", f"/api/datasets/{dataset.pk}/activity").json()["events"]
    assert [each["text"] for each in told if each["verb"] == "renamed"] == ["renamed the view Reds to Blues"]


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "x" * 101}, {"hash": ""}, {"hash": "x" * 100_001}])
def test_a_view_has_a_name_and_a_place(cast: Cast, dataset: Dataset, body: dict[str, Any]) -> None:
    assert save(cast, dataset, "alice", **body).status_code == 422


def test_the_activity_says_who_did_what_newest_first(cast: Cast, dataset: Dataset) -> None:
    url = f"/api/datasets/{dataset.pk}"
    call(cast, "bob", "patch", url, {"name": "Fruit"})
    call(cast, "alice", "patch", url, {"visibility": "public"})
    write(cast, dataset)
    found = call(cast, "victor", "get", f"{url}/activity").json()
    assert [(each["who"], each["text"]) for each in found["events"]] == [
        ("Victor", "commented on record 2"),
        ("Alice", "made it public"),
        ("Bob", "renamed it to Fruit"),
    ]
    assert found["next"] is None


def test_activity_comes_in_pages(cast: Cast, dataset: Dataset) -> None:
    for number in range(PAGE + 2):
        record_event(dataset, "renamed", cast.alice, f"renamed it to {number}")
    url = f"/api/datasets/{dataset.pk}/activity"
    first = call(cast, "alice", "get", url).json()
    second = call(cast, "alice", "get", f"{url}?before={first['next']}").json()
    assert [each["text"] for each in second["events"]] == ["renamed it to 1", "renamed it to 0"]
    assert second["next"] is None


def test_the_activity_tells_what_was_deleted_and_quotes_nothing_of_it(cast: Cast, dataset: Dataset) -> None:
    url = f"/api/datasets/{dataset.pk}"
    mine = write(cast, dataset, text="A secret").json()["id"]
    call(cast, "victor", "delete", f"{url}/comments/{mine}")
    call(cast, "bob", "delete", f"{url}/comments/{write(cast, dataset).json()['id']}")
    view = save(cast, dataset, "victor").json()["id"]
    call(cast, "bob", "delete", f"{url}/views/{view}")
    save(cast, dataset, "victor", shared=False)
    tag = call(cast, "bob", "post", f"{url}/tags", {"name": "blurry"}).json()["id"]
    call(cast, "bob", "delete", f"{url}/tags/{tag}")
    found = call(cast, "alice", "get", f"{url}/activity")
    assert b"secret" not in found.content
    assert [(each["who"], each["text"]) for each in found.json()["events"]] == [
        ("Bob", "deleted the tag blurry"),
        ("Bob", "deleted the view Reds"),
        ("Victor", "saved the view Reds for all who see the map"),
        ("Bob", "deleted Victor’s comment"),
        ("Victor", "commented on record 2"),
        ("Victor", "deleted their comment"),
        ("Victor", "commented on record 2"),
    ]
