"""Every address of the project, called by everybody: the answer is the one that `matrix.py` says.

The list of addresses comes from Django's resolver and the API's own document, so a new one without a rule
fails here.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from atlas import vite
from atlas.api import api
from atlas.celery import app
from atlas.datasets.models import Dataset, Import, ImportState, Upload, Visibility
from atlas.datasets.uploads import create_upload
from atlas.maps import towers
from atlas.maps.models import Comment, SavedView
from atlas.teams.guests import add_guest
from atlas.teams.links import create_link, revoke_link, token_of
from atlas.teams.models import Guest, GuestRole, Scope, ShareLink, User
from atlas.teams.people import create_person
from tests.maps.fake_towers import FakeModel
from tests.matrix import EVERYBODY, NAMELESS, OPERATIONS, PAGES, RULES, SEE_ALL, Rule
from tests.people import PASSWORD, client_of
from tests.world import World, small_world

pytestmark = pytest.mark.django_db


# The addresses ------------------------------------------------------------------------------------------


def patterns(found: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    for each in found:
        path = before + _readable(str(each.pattern))
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns, path)
        else:
            yield path


def _readable(pattern: str) -> str:
    """ "data/<slug:team>" and r"^(?P<key>[-:\\w]+)/$" with their parameters as in the API's document."""
    pattern = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"{\1}", pattern)
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern.removeprefix("^").removesuffix("$"))


def operations() -> set[str]:
    paths = api.get_openapi_schema()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def pages() -> set[str]:
    in_api = {operation.partition(" ")[2] for operation in operations()}
    return set(patterns(get_resolver().url_patterns)) - in_api


def test_every_operation_of_the_api_has_a_rule() -> None:
    missing = sorted(operations() - OPERATIONS.keys())
    assert not missing, f"Say in OPERATIONS of tests/matrix.py who may call: {', '.join(missing)}."
    gone = sorted(OPERATIONS.keys() - operations())
    assert not gone, f"Remove from OPERATIONS of tests/matrix.py, they are no more: {', '.join(gone)}."


def test_every_other_address_has_a_rule() -> None:
    ruled = {rule.partition(" ")[2] for rule in PAGES}
    missing = sorted(pages() - ruled)
    assert not missing, f"Say in PAGES of tests/matrix.py who may call: {', '.join(missing)}."
    gone = sorted(ruled - pages())
    assert not gone, f"Remove from PAGES of tests/matrix.py, they are no more: {', '.join(gone)}."


# The callers --------------------------------------------------------------------------------------------


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


@pytest.fixture(scope="module")
def stage(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with django_db_blocker.unblock(), small_world(tmp_path_factory.mktemp("home")) as world:
        others = [create_person(f"{name}@example.org", PASSWORD) for name in ("gina", "gus", "greta", "olga")]
        yield set_up(world, *others)
        ShareLink.objects.all().delete()
        Guest.objects.all().delete()
        for person in others:
            person.teams.all().delete()
            person.delete()


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
    revoke_link(links["revoked link"])
    job = Import.objects.create(dataset=dataset, state=ImportState.DONE, started_at=dataset.created_at)
    values = {
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
        "z": 0,
        "x": 0,
        "y": 0,
        "guest_id": guests[0].pk,
        "upload_id": owners_upload.pk,
        "key": "none",
        "uidb36": "none",
    }
    return Stage(world, callers, values)


def opened(link: ShareLink) -> Client:
    client = Client()
    client.get(f"/s/{token_of(link)}")
    return client


@pytest.fixture(autouse=True)
def no_workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pages as if Vite had built them; what is waited for from a worker is done at once."""
    names = ("site", "map", "progress", "upload")
    entries = {f"src/pages/{name}.ts": {"file": f"assets/{name}.js"} for name in names}
    monkeypatch.setattr(vite, "manifest", lambda: entries)
    monkeypatch.setattr(towers, "model", lambda _: FakeModel())
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


# The calls ----------------------------------------------------------------------------------------------


def call(stage: Stage, caller: Caller, key: str, values: dict[str, Any]) -> Any:
    """Undone afterwards."""
    rule = RULES[key]
    method, _, path = key.partition(" ")
    if rule.form is None:
        body, kind = "" if rule.json is None else json.dumps(rule.json), "application/json"
    else:
        body, kind = urlencode(rule.form), "application/x-www-form-urlencoded"
    body = body.replace("UPLOAD", str(caller.upload.pk)).replace("NAME", stage.world.dataset.name)
    address = path.format_map(values) + (f"?{rule.query}" if rule.query else "")
    with transaction.atomic():
        answer = caller.client.generic(method, address, body, kind, headers=rule.headers)
        transaction.set_rollback(True)
    return answer


@pytest.mark.parametrize("key", RULES)
def test_everybody_gets_the_answer_of_the_rule(stage: Stage, key: str) -> None:
    rule = RULES[key]
    assert stage.callers.keys() == EVERYBODY
    wrong = {}
    for name, caller in stage.callers.items():
        answer = call(stage, caller, key, stage.values)
        expected = expected_status(rule, name)
        if answer.status_code != expected:
            wrong[name] = f"{answer.status_code} instead of {expected}"
    assert wrong == {}


def expected_status(rule: Rule, name: str) -> int:
    if name in rule.who:
        return rule.instead.get(name, rule.status)
    return rule.nameless if rule.nameless is not None and name in NAMELESS else rule.refusal


#: Parameters that name something of Alice's, and names that nothing has.
NOTHING = {
    "slug": "no-such-dataset",
    "dataset_id": uuid4(),
    "map_id": uuid4(),
    "import_id": uuid4(),
    "version_id": uuid4(),
}


@pytest.mark.parametrize("key", [key for key in RULES if re.search("{(slug|dataset_id|map_id)}", key)])
@pytest.mark.parametrize("name", ["outsider", "anonymous"])
def test_what_is_private_cannot_be_told_from_what_is_not(stage: Stage, key: str, name: str) -> None:
    caller = stage.callers[name]

    private = call(stage, caller, key, stage.values)
    missing = call(stage, caller, key, stage.values | NOTHING)

    assert comparable(private) == comparable(missing)


def comparable(answer: Any) -> tuple[int, dict[str, str], str]:
    """Without what differs by chance, and without the address itself, which the asker knows."""
    headers = {name: value for name, value in answer.items() if name not in ("Location", "Content-Length")}
    path = answer.wsgi_request.path
    text = re.sub(r'(csrf-token" content|middlewaretoken" value)="\w+', "", answer.content.decode())
    return answer.status_code, headers, text.replace(path, "")


PUBLIC = {key: rule.status for key, rule in RULES.items() if rule.who >= SEE_ALL}


@pytest.mark.parametrize("key", [*PUBLIC, "GET /embed/{team}/{slug}"])
def test_everybody_sees_what_is_public(stage: Stage, key: str) -> None:
    Dataset.objects.filter(pk=stage.world.dataset.pk).update(visibility=Visibility.PUBLIC)

    answer = call(stage, stage.callers["outsider"], key, stage.values)

    assert answer.status_code == PUBLIC.get(key, 200)
