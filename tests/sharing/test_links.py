"""Share links: what they open, what they keep back, and that they end at the next request."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from atlas.datasets.models import Dataset, Import, ImportState, Visibility
from atlas.datasets.permit import Permit, permit
from atlas.maps.models import DataMap
from atlas.search import asking
from atlas.teams import links
from atlas.teams.asker import Asker
from atlas.teams.guests import forget_dataset
from atlas.teams.links import create_link, link_of, revoke_link, token_of
from atlas.teams.models import Scope, ShareLink
from tests.people import client_of
from tests.search.test_best_mode import away as worker_is_away
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def open_by_link(world: World) -> None:
    Dataset.objects.filter(pk=world.dataset.pk).update(visibility=Visibility.LINK)


def new_link(world: World, **values: Any) -> ShareLink:
    return create_link(world.dataset.pk, world.cast.alice, **values)


def address(link: ShareLink) -> str:
    return f"/s/{token_of(link)}"


def visitor(link: ShareLink) -> Client:
    """An anonymous browser that has opened the link."""
    client = Client()
    assert client.get(address(link)).status_code == 302
    return client


def requests_of(world: World) -> dict[str, str]:
    """What a visitor's page asks for, by name."""
    api = f"/api/datasets/{world.dataset.pk}"
    return {
        "map page": f"{world.dataset.get_absolute_url()}/map",
        "dataset page": world.dataset.get_absolute_url(),
        "tile": f"{world.files}t/0-0-0.atm",
        "manifest": f"{world.files}manifest.json",
        "record": f"{api}/records/1",
        "map record": f"/api/maps/{world.map.pk}/records?ordinals=0,1",
        "thumbnail": f"{api}/records/1/thumbnail",
        "original": f"{api}/records/1/original",
        "maps": f"{api}/maps",
    }


def statuses(client: Client, world: World) -> set[int]:
    return {client.get(url).status_code for url in requests_of(world).values()}


def search(client: Client, world: World) -> int:
    body = {"parts": [{"row": 1}]}
    url = f"/api/datasets/{world.dataset.pk}/search"
    return client.post(url, body, content_type="application/json").status_code


def test_it_opens_the_map_to_whoever_has_it(world: World) -> None:
    link = new_link(world)

    response = Client().get(address(link))

    assert response["Location"] == f"{world.dataset.get_absolute_url()}/map"
    assert statuses(Client(), world) == {404}
    assert statuses(visitor(link), world) == {200}
    assert statuses(visitor_of_another_team(world, link), world) == {200}


def visitor_of_another_team(world: World, link: ShareLink) -> Client:
    client = client_of(world.cast.charlie)
    assert statuses(client, world) == {404}
    client.get(address(link))
    return client


def test_a_revoked_link_ends_at_the_next_request(world: World, worker_at_hand: None) -> None:
    link = new_link(world)
    client = visitor(link)
    assert search(client, world) == 200

    revoke_link(link)

    assert statuses(client, world) == {404}
    assert search(client, world) == 404
    assert Client().get(address(link)).status_code == 404


def test_an_expired_link_ends_too(world: World) -> None:
    link = new_link(world, expires_at=timezone.now() + timedelta(hours=1))
    client = visitor(link)
    assert statuses(client, world) == {200}

    ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert statuses(client, world) == {404}
    assert Client().get(address(link)).status_code == 404


def test_links_sleep_while_the_dataset_is_private(world: World) -> None:
    link = new_link(world)
    client = visitor(link)

    Dataset.objects.update(visibility=Visibility.PRIVATE)
    assert statuses(client, world) == {404}
    assert Client().get(address(link)).status_code == 404

    Dataset.objects.update(visibility=Visibility.LINK)
    assert statuses(client, world) == {200}


def test_it_opens_one_dataset_only(world: World) -> None:
    other = Dataset.objects.create(
        team=world.cast.team, name="Other", slug="other", model="mini", visibility=Visibility.LINK
    )

    client = visitor(new_link(world))

    assert client.get(other.get_absolute_url()).status_code == 404
    listed = client.get("/api/datasets").json()["datasets"]
    assert [each["id"] for each in listed] == [str(world.dataset.pk)]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope.VIEW, Permit(sees_originals=True, sees_captions=True)),
        (Scope.COMMENT, Permit(may_comment=True, sees_originals=True, sees_captions=True)),
        (Scope.TAG, Permit(may_comment=True, may_tag=True, sees_originals=True, sees_captions=True)),
    ],
)
def test_its_scope_says_what_visitors_may_do(world: World, scope: Scope, expected: Permit) -> None:
    asker = Asker(world.cast.charlie, (new_link(world, scope=scope),))

    assert permit(asker, world.dataset.pk) == expected


def test_nobody_guesses_a_token(world: World) -> None:
    link = new_link(world)
    token = token_of(link)
    assert len(token) == 43
    assert link_of(token) == link

    changed = token[:30] + ("A" if token[30] != "A" else "B") + token[31:]
    for wrong in ("-", "x", "ä" * 43, token[:-1], changed):
        assert link_of(wrong) is None
        assert Client().get(f"/s/{wrong}").status_code == 404


def test_the_database_alone_opens_nothing(world: World, settings: Any) -> None:
    link = new_link(world)
    token = token_of(link)

    settings.SECRET_KEY = "another"

    assert link_of(token) is None


def test_a_password_is_asked_before_anything_is_told(world: World) -> None:
    link = new_link(world, password="open sesame")
    client = Client()

    page = client.get(address(link))
    assert page.status_code == 200
    assert world.dataset.name not in page.content.decode()
    assert statuses(client, world) == {404}

    assert client.post(address(link), {"password": "open says me"}).status_code == 403
    assert statuses(client, world) == {404}

    assert client.post(address(link), {"password": "open sesame"}).status_code == 302
    assert statuses(client, world) == {200}
    assert client.get(address(link)).status_code == 302, "it is asked once in a session"
    link.refresh_from_db()
    assert "sesame" not in link.password


@pytest.mark.usefixtures("one_stretch")
def test_tries_of_a_password_are_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "TRIES", 2)
    link = new_link(world, password="open sesame")
    cache.clear()

    tried = [Client().post(address(link), {"password": word}) for word in ("a", "b", "open sesame")]

    assert [response.status_code for response in tried] == [403, 403, 429]
    assert "too many tries" in tried[-1].content.decode()


@pytest.mark.usefixtures("one_stretch")
def test_those_who_know_the_password_lock_nobody_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "TRIES", 1)
    monkeypatch.setattr(links, "TRIES_NEARBY", 2)
    link = new_link(world, password="open sesame")
    cache.clear()

    def enter(word: str, place: str = "192.0.2.1") -> int:
        return Client(REMOTE_ADDR=place).post(address(link), {"password": word}).status_code

    assert [enter("open sesame") for _ in range(4)] == [302] * 4
    assert [enter("guess"), enter("open sesame")] == [403, 429]
    assert [enter("guess", "192.0.2.7"), enter("open sesame", "192.0.2.9")] == [403, 429]
    assert enter("open sesame", "198.51.100.1") == 302, "a guesser elsewhere is not their fault"
    assert [enter("guess", "2001:db8::1"), enter("open sesame", "2001:db8::2:1")] == [403, 429]


def test_its_use_is_counted(world: World) -> None:
    link = new_link(world)
    Client().head(address(link))

    visitor(link)
    visitor(link)

    link.refresh_from_db()
    assert link.used == 2
    assert link.used_at is not None


def test_it_leads_to_its_first_view(world: World) -> None:
    link = new_link(world, start_view="#at=0.3,0.4,7")

    response = Client().get(address(link))

    assert response["Location"].endswith("/map#at=0.3,0.4,7")
    page = visitor(link).get(f"{world.dataset.get_absolute_url()}/map").content.decode()
    assert '"start": "at=0.3,0.4,7"' in page


def test_a_first_view_with_a_long_lasso_is_told_by_the_page_alone(world: World) -> None:
    view = "region=" + "0.123456,0.654321," * 500
    link = new_link(world, start_view=view)

    assert Client().get(address(link))["Location"].endswith("/map")
    assert view in visitor(link).get(f"{world.dataset.get_absolute_url()}/map").content.decode()


def test_hidden_originals_cannot_be_had(world: World) -> None:
    client = visitor(new_link(world, hide_originals=True))
    urls = requests_of(world)

    assert client.get(urls["original"]).status_code == 404
    assert client.get(urls["thumbnail"]).status_code == 200
    for name in ("record", "map record"):
        answer = client.get(urls[name]).json()
        record = answer["records"][0] if "records" in answer else answer
        assert record["image"]["original"] is None
        assert record["image"]["thumbnail"]
        assert record["caption"]


def test_hidden_captions_are_nowhere(world: World) -> None:
    client = visitor(new_link(world, hide_captions=True))
    urls = requests_of(world)

    for name in urls.keys() - {"original"}:
        assert b"thing number" not in client.get(urls[name]).content, name
    assert client.get(urls["record"]).json()["captions"] == []
    assert client.get(f"/api/datasets/{world.dataset.pk}/imports").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {"caption": "thing"}},
        {"filter": {"all": [{"not": {"caption": "thing"}}]}},
        {"sort": "caption"},
        {"sort": "-caption"},
    ],
)
def test_nothing_is_found_by_the_words_of_hidden_captions(world: World, body: dict[str, Any]) -> None:
    table = f"/api/datasets/{world.dataset.pk}/table"

    refused = visitor(new_link(world, hide_captions=True)).post(table, body, content_type="application/json")

    assert refused.status_code == 422
    assert refused.json()["detail"] == "The captions of this dataset are hidden from you."
    assert visitor(new_link(world)).post(table, body, content_type="application/json").status_code == 200


def test_what_is_near_to_a_hidden_caption_is_not_told(world: World, worker_at_hand: None) -> None:
    captions = DataMap.objects.get(dataset=world.dataset, space="caption")
    client = visitor(new_link(world, hide_captions=True))

    assert client.get(f"/api/maps/{captions.pk}/records/1/neighbours").status_code == 422
    assert client.get(f"/api/maps/{world.map.pk}/records/1/neighbours").status_code == 200


@pytest.mark.parametrize("away", [False, True])
def test_how_alike_hidden_captions_are_is_not_in_the_joint_map_either(
    world: World, worker_at_hand: None, monkeypatch: pytest.MonkeyPatch, away: bool
) -> None:
    if away:
        monkeypatch.setattr(asking, "ask", worker_is_away)
    joint = DataMap.objects.get(dataset=world.dataset, space="joint")

    def scores(client: Client, data_map: DataMap) -> dict[int, float]:
        found = client.get(f"/api/maps/{data_map.pk}/records/1/neighbours?k=20").json()["records"]
        return {each["row"]: each["score"] for each in found}

    client = visitor(new_link(world, hide_captions=True))
    assert scores(client, joint) == scores(client, world.map)
    assert scores(client_of(world.cast.alice), joint) != scores(client, joint)


def test_why_an_import_failed_may_quote_what_a_link_hides(world: World) -> None:
    Import.objects.create(
        dataset=world.dataset, state=ImportState.FAILED, error="“A secret caption” is no id."
    )
    address = f"/api/datasets/{world.dataset.pk}/progress"

    def told(client: Client) -> dict[str, Any]:
        told: dict[str, Any] = client.get(address).json()["import"]["import"]
        return told

    assert told(visitor(new_link(world)))["error"] == "“A secret caption” is no id."
    hidden = told(visitor(new_link(world, hide_captions=True)))
    assert (hidden["state"], hidden["error"]) == ("failed", "")


def test_what_one_link_hides_another_may_show(world: World) -> None:
    client = visitor(new_link(world, hide_captions=True))
    client.get(address(new_link(world, hide_originals=True)))

    record = client.get(requests_of(world)["record"]).json()

    assert record["caption"]
    assert record["image"]["original"]


def test_the_team_sees_everything_through_any_link(world: World) -> None:
    client = client_of(world.cast.victor)
    client.get(address(new_link(world, hide_captions=True, hide_originals=True)))

    assert client.get(requests_of(world)["record"]).json()["caption"]


def test_signing_out_forgets_the_links(world: World) -> None:
    client = client_of(world.cast.charlie)
    client.get(address(new_link(world)))

    client.logout()

    assert statuses(client, world) == {404}


def test_links_and_guests_go_with_their_dataset(world: World) -> None:
    new_link(world)

    forget_dataset(world.dataset.pk)

    assert not ShareLink.objects.filter(dataset_id=world.dataset.pk).exists()
