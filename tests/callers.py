"""Everybody who calls an address in `test_matrix.py` and `test_openapi.py`, and what they call it about."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from atlas.celery import app
from atlas.datasets.models import Dataset, Import, ImportState, Upload, Visibility
from atlas.datasets.uploads import create_upload
from atlas.maps import towers
from atlas.maps.models import Comment, SavedView
from atlas.search import asking
from atlas.search.models import QueryPicture, SavedSearch
from atlas.teams import invitations
from atlas.teams.guests import add_guest
from atlas.teams.invitations import invite
from atlas.teams.keys import create_key, revoke_key
from atlas.teams.links import create_link, revoke_link, token_of
from atlas.teams.models import ApiKey, Guest, GuestRole, KeyScope, Role, Scope, ShareLink, User
from atlas.teams.people import create_person
from tests.maps.fake_towers import FakeModel
from tests.people import PASSWORD, client_of
from tests.world import World, small_world


@dataclass(frozen=True)
class Caller:
    client: Client
    #: What stands for {upload_id} in their calls: an upload of their own that is not complete.
    upload: Upload


@dataclass(frozen=True)
class Stage:
    world: World
    callers: dict[str, Caller]
    #: What stands for a parameter of an address.
    values: dict[str, Any]


@contextmanager
def everybody(folder: Path) -> Iterator[Stage]:
    """The small world with guests, share links and one of everything that has an address."""
    with small_world(folder) as world:
        others = [create_person(f"{name}@example.org", PASSWORD) for name in ("gina", "gus", "greta", "olga")]
        yield set_up(world, *others)
        ShareLink.objects.all().delete()
        Guest.objects.all().delete()
        for person in others:
            person.teams.all().delete()
            person.delete()


@contextmanager
def no_workers() -> Iterator[None]:
    """What is waited for from a worker is done at once."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(towers, "model", lambda _: FakeModel())
        monkeypatch.setattr(asking, "worker_is_there", lambda: True)
        app.conf.task_always_eager = True
        yield
        app.conf.task_always_eager = False


def set_up(world: World, gina: User, gus: User, greta: User, olga: User) -> Stage:
    cast, dataset = world.cast, world.dataset
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.LINK)
    olga.teams.all().delete()  # in no team at all
    roles = {gina: GuestRole.VIEWER, gus: GuestRole.COMMENTER, greta: GuestRole.EDITOR}
    guests = [
        add_guest(dataset.pk, cast.team, person.email, role, cast.alice) for person, role in roles.items()
    ]
    people = {
        "owner": cast.alice,
        "editor": cast.bob,
        "viewer": cast.victor,
        "guest viewer": gina,
        "guest commenter": gus,
        "guest editor": greta,
        "of another team": cast.charlie,
        "outsider": olga,
    }
    links = {
        "link to view": create_link(dataset.pk, cast.alice),
        "link to comment": create_link(dataset.pk, cast.alice, scope=Scope.COMMENT),
        "link to tag": create_link(dataset.pk, cast.alice, scope=Scope.TAG),
        "link that hides": create_link(dataset.pk, cast.alice, hide_originals=True, hide_captions=True),
        "revoked link": create_link(dataset.pk, cast.alice),
    }
    owners_upload = create_upload(cast.alice, "half.zip", 100)
    callers = {
        name: Caller(client_of(person), create_upload(person, "half.zip", 100))
        for name, person in people.items()
    }
    callers |= {name: Caller(opened(link), owners_upload) for name, link in links.items()}
    callers["owner"] = Caller(client_of(cast.alice), owners_upload)
    callers["anonymous"] = Caller(Client(), owners_upload)
    by_key = create_upload(cast.alice, "half.zip", 100, team=cast.team)
    callers |= {name: Caller(client, by_key) for name, client in programs(cast.alice).items()}
    theirs = cast.charlie.teams.get()
    foreign = create_key(theirs, cast.charlie, "A", [KeyScope.WRITE])[1]
    by_foreign = create_upload(cast.charlie, "half.zip", 100, team=theirs)
    callers["key of another team"] = Caller(program(foreign), by_foreign)
    revoke_link(links["revoked link"])
    job = Import.objects.create(dataset=dataset, state=ImportState.DONE, started_at=dataset.created_at)
    invitation = invite(cast.team, "ina@example.org", Role.EDITOR, cast.alice)
    values = {
        "user_id": cast.victor.pk,
        "invitation_id": invitation.pk,
        "invite": invitations.token_of(invitation),
        "team": cast.team.slug,
        "slug": dataset.slug,
        "dataset_id": dataset.pk,
        "import_id": job.pk,
        "map_id": world.map.pk,
        "version_id": world.map.current_id,
        "name": "manifest.json",
        "row": 1,
        "link_id": links["link to view"].pk,
        "token": token_of(links["link to view"]),
        "comment_id": Comment.objects.create(
            dataset=dataset, author=cast.alice, pin={"row": 1}, text="Oh"
        ).pk,
        "view_id": SavedView.objects.create(dataset=dataset, created_by=cast.alice, name="A", hash="").pk,
        "tag_id": dataset.tags.create(name="blurry", colour=0).pk,
        "other_id": world.map.current_id,
        "topic": 0,
        "z": 0,
        "x": 0,
        "y": 0,
        "guest_id": guests[0].pk,
        "search_id": SavedSearch.objects.create(
            dataset=dataset, created_by=cast.alice, name="A", query=""
        ).pk,
        "picture_key": QueryPicture.objects.create(dataset=dataset, key="ab" * 16, content=b"").key,
        "upload_id": owners_upload.pk,
        "key_id": ApiKey.objects.filter(team=cast.team)[0].pk,
        "key": "none",
        "uidb36": "none",
        "pk": 1,
        "provider_id": "none",
        "session_id": UserSession.objects.create(
            user=cast.alice, ip="127.0.0.1", session_key="of-another-browser", user_agent=""
        ).pk,
    }
    return Stage(world, callers, values)


def opened(link: ShareLink) -> Client:
    client = Client()
    client.get(f"/s/{token_of(link)}")
    return client


def programs(maker: User) -> dict[str, Client]:
    """With keys of the first team of `maker`."""
    scopes = {"read key": "read", "write key": "write", "embed key": "embed"}
    made = {
        name: create_key(maker.teams.get(), maker, name, [KeyScope(scopes.get(name, "write"))])
        for name in (*scopes, "revoked key", "expired key")
    }
    revoke_key(made["revoked key"][0])
    ApiKey.objects.filter(pk=made["expired key"][0].pk).update(expires_at=timezone.now())
    return {name: program(token) for name, (_, token) in made.items()}


def program(token: str) -> Client:
    """What shows this API key."""
    return Client(headers={"Authorization": f"Bearer {token}"})
