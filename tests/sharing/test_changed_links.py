"""An owner changes a share link: the address stays, what it opens is as it says now."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from atlas.datasets.models import Dataset, Visibility
from atlas.teams.links import create_link, revoke_link, token_of
from atlas.teams.models import AuditEvent, AuditVerb, Scope, ShareLink
from tests.people import client_of
from tests.world import World

pytestmark = pytest.mark.django_db

OLD, NEW = "open sesame", "close sesame"


@pytest.fixture(autouse=True)
def by_link(world: World) -> None:
    Dataset.objects.filter(pk=world.dataset.pk).update(visibility=Visibility.LINK)


def change(world: World, link: ShareLink, client: Client | None = None, **form: str) -> tuple[int, str]:
    """The status and the page."""
    url = f"{world.dataset.get_absolute_url()}/sharing/links/{link.pk}"
    answer = (client or client_of(world.cast.alice)).post(url, {"scope": "view"} | form)
    return answer.status_code, answer.content.decode()


def visitor_of(link: ShareLink, password: str = "") -> Client:
    client = Client()
    client.post(f"/s/{token_of(link)}", {"password": password})
    return client


def sees(client: Client, world: World) -> bool:
    return client.get(f"/api/datasets/{world.dataset.pk}").status_code == 200


def may_comment(client: Client, world: World) -> bool:
    return client.get(f"/api/datasets/{world.dataset.pk}/comments").status_code == 200


def test_the_page_shows_what_it_says_now_and_no_password(world: World) -> None:
    link = create_link(
        world.dataset.pk,
        world.cast.alice,
        name="The jury",
        password=OLD,
        start_view="at=1",
    )
    url = f"{world.dataset.get_absolute_url()}/sharing/links/{link.pk}"
    page = client_of(world.cast.alice).get(url).content.decode()
    assert 'value="The jury"' in page
    assert 'value="#at=1"' in page
    assert OLD not in page
    assert link.password not in page


def test_its_scope_changes_for_those_who_have_it_open(world: World) -> None:
    link = create_link(world.dataset.pk, world.cast.alice)
    visitor, address = visitor_of(link), token_of(link)
    assert not may_comment(visitor, world)

    assert change(world, link, scope="comment", name="The jury")[0] == 302

    link.refresh_from_db()
    assert (token_of(link), link.scope, link.name) == (address, Scope.COMMENT, "The jury")
    assert may_comment(visitor, world)
    change(world, link, scope="view")
    assert not may_comment(visitor, world)


def test_a_new_password_is_asked_of_those_who_typed_the_old_one(world: World) -> None:
    link = create_link(world.dataset.pk, world.cast.alice, password=OLD)
    visitor = visitor_of(link, OLD)
    assert sees(visitor, world)

    change(world, link, password=NEW)

    link.refresh_from_db()
    assert not sees(visitor, world)
    assert not sees(visitor_of(link, OLD), world)
    visitor.post(f"/s/{token_of(link)}", {"password": NEW})
    assert sees(visitor, world)


def test_a_first_password_is_asked_of_those_who_needed_none(world: World) -> None:
    link = create_link(world.dataset.pk, world.cast.alice)
    visitor = visitor_of(link)
    change(world, link, password=NEW)
    assert not sees(visitor, world)


def test_left_empty_the_password_stays(world: World) -> None:
    link = create_link(world.dataset.pk, world.cast.alice, password=OLD)
    visitor = visitor_of(link, OLD)
    change(world, link, name="The jury")
    link.refresh_from_db()
    assert sees(visitor, world)
    assert not sees(visitor_of(link), world)


def test_it_can_do_without_a_password_again(world: World) -> None:
    link = create_link(world.dataset.pk, world.cast.alice, password=OLD)
    status, page = change(world, link, password=NEW, without_password="on")
    assert (status, "Either a new password or none." in page) == (422, True)
    change(world, link, without_password="on")
    assert sees(visitor_of(link), world)


def test_an_earlier_end_stops_it_and_a_later_one_opens_it_again(world: World) -> None:
    link = create_link(world.dataset.pk, world.cast.alice)
    visitor = visitor_of(link)
    ShareLink.objects.filter(pk=link.pk).update(expires_at=timezone.now())
    assert not sees(visitor, world)

    change(world, link, last_day=(timezone.now() + timedelta(days=3)).date().isoformat())

    assert sees(visitor, world)


def test_what_it_hides_is_hidden_at_once(world: World) -> None:
    link = create_link(world.dataset.pk, world.cast.alice)
    visitor = visitor_of(link)
    original = f"/api/datasets/{world.dataset.pk}/records/1/original"
    assert visitor.get(original).status_code == 200
    change(world, link, hide_originals="on")
    assert visitor.get(original).status_code == 404


def test_a_revoked_one_has_ended_for_good(world: World) -> None:
    link = create_link(world.dataset.pk, world.cast.alice)
    revoke_link(link)
    assert change(world, link)[0] == 404


def test_a_link_of_another_dataset_is_not_found(world: World) -> None:
    link = create_link(world.map.pk, world.cast.alice)
    assert change(world, link)[0] == 404


def test_the_log_tells_what_was_changed_and_not_to_which_password(world: World) -> None:
    link = create_link(world.dataset.pk, world.cast.alice, name="The jury")
    change(world, link, name="The jury", password=NEW, hide_captions="on")
    event = AuditEvent.objects.get(verb=AuditVerb.LINK_CHANGED)
    assert "The jury (password, hide captions)" in event.text
    assert NEW not in event.text
