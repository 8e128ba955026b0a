"""Every address of the project, called by everybody: the answer is the one that `matrix.py` says.

The list of addresses comes from Django's resolver and the API's own document, so a new one without a rule
fails here.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from atlas.api import api
from atlas.datasets.models import Dataset, Visibility
from atlas.teams import invitations
from atlas.teams.invitations import invite, revoke_invitation
from atlas.teams.key_middleware import OPEN_TO_KEYS
from atlas.teams.links import create_link, revoke_link, token_of
from atlas.teams.models import Role
from tests.callers import Caller, Stage, everybody, no_workers
from tests.matrix import (
    ENDED_KEYS,
    EVERYBODY,
    KEYS,
    NAMELESS,
    NOBODY,
    OPERATIONS,
    OWN,
    PAGES,
    RULES,
    SEE_ALL,
    Rule,
)
from tests.people import content_of

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


@pytest.fixture(scope="module")
def stage(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with django_db_blocker.unblock(), everybody(tmp_path_factory.mktemp("home")) as stage, no_workers():
        yield stage


def test_every_method_of_our_own_pages_has_a_rule(stage: Stage) -> None:
    """By a method that there is not; pages of allauth and of the API's document answer that otherwise."""
    owner, allowed = stage.callers["owner"].client, set()
    for path in sorted(pages()):
        answer = owner.generic("BREW", path.format_map(stage.values), headers={"Tus-Resumable": "1.0.0"})
        if answer.status_code == 405 and not path.startswith("/accounts/"):
            allowed |= {(method, path) for method in re.split(r"\W+", answer["Allow"])}
    methods = {f"{method} {path}" for method, path in allowed if method not in ("HEAD", "OPTIONS")}

    assert len(methods) > 50
    missing = sorted(methods - PAGES.keys())
    assert not missing, f"Say in PAGES of tests/matrix.py who may call: {', '.join(missing)}."


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
    caller.client.cookies.pop("messages", None)  # or the next page would show what this call said
    return answer


@pytest.mark.parametrize("key", RULES)
def test_everybody_gets_the_answer_of_the_rule(stage: Stage, key: str) -> None:
    rule = RULES[key]
    assert stage.callers.keys() == EVERYBODY | KEYS
    wrong = {}
    for name, caller in stage.callers.items():
        answer = call(stage, caller, key, stage.values)
        expected = expected_of_key(key, name) if name in KEYS else expected_status(rule, name)
        if answer.status_code != expected:
            wrong[name] = f"{answer.status_code} instead of {expected}"
    assert wrong == {}


def expected_status(rule: Rule, name: str) -> int:
    if name in rule.who:
        return rule.instead.get(name, rule.status)
    return rule.nameless if rule.nameless is not None and name in NAMELESS else rule.refusal


def expected_of_key(key: str, name: str) -> int:
    rule, path = RULES[key], key.partition(" ")[2]
    if not path.startswith(OPEN_TO_KEYS):
        return expected_status(rule, "anonymous")
    if name in ENDED_KEYS:
        return 401
    if name == "key of another team" and rule.who != OWN and not rule.by_key:
        return expected_status(rule, "of another team")
    if name in rule.who or rule.asks_nobody or (rule.who >= EVERYBODY and name != "embed key"):
        return rule.instead.get(name, rule.status)
    return 404 if rule.who == NOBODY else 403


#: Parameters that name something of Alice's, and names that nothing has.
NOTHING: dict[str, Any] = {
    "team": "no-such-team",
    "slug": "no-such-dataset",
    "row": 10_000,
    "user_id": 10**9,
    "guest_id": 10**9,
    "session_id": 10**9,
} | {
    f"{name}_id": uuid4()
    for name in (
        "dataset", "map", "import", "version", "link", "invitation", "key", "upload", "comment", "tag",
        "view", "search",
    )
}  # fmt: skip
ABOUT_SOMETHING = [key for key in RULES if set(re.findall(r"{(\w+)}", key)) & NOTHING.keys()]


@pytest.mark.parametrize("key", ABOUT_SOMETHING)
@pytest.mark.parametrize("name", ["outsider", "anonymous"])
def test_what_is_private_cannot_be_told_from_what_is_not(stage: Stage, key: str, name: str) -> None:
    """Nor by the time it takes: that is in the queries."""
    caller = stage.callers[name]

    with CaptureQueriesContext(connection) as private_queries:
        private = call(stage, caller, key, stage.values)
    with CaptureQueriesContext(connection) as missing_queries:
        missing = call(stage, caller, key, stage.values | NOTHING)

    assert comparable(private) == comparable(missing)
    assert len(private_queries) == len(missing_queries)


@pytest.mark.parametrize("address", ["/s/{}", "/join/{}"])
def test_an_address_that_has_ended_cannot_be_told_from_one_that_never_was(stage: Stage, address: str) -> None:
    link = create_link(stage.world.dataset.pk, stage.world.cast.alice)
    invitation = invite(stage.world.cast.team, "ina@example.org", Role.VIEWER, stage.world.cast.alice)
    tokens = {"/s/{}": token_of(link), "/join/{}": invitations.token_of(invitation)}
    revoke_link(link)
    revoke_invitation(invitation)

    answers = [Client().get(address.format(token)) for token in (tokens[address], "A" * 43, "%F0%9F")]

    assert {answer.status_code for answer in answers} == {404}
    assert len({str(comparable(answer)) for answer in answers}) == 1


def comparable(answer: Any) -> tuple[int, dict[str, str], str]:
    """Without what differs by chance, and without the address itself, which the asker knows."""
    headers = {
        name: value for name, value in answer.items() if name not in ("Location", "Content-Length", "Expires")
    }
    path = answer.wsgi_request.get_full_path()
    text = re.sub(r'(csrf-token" content|middlewaretoken" value)="\w+', "", answer.content.decode())
    return answer.status_code, headers, text.replace(path, "").replace(quote(path), "")


PUBLIC = {key: rule.status for key, rule in RULES.items() if rule.who >= SEE_ALL}


@pytest.mark.parametrize("key", [*PUBLIC, "GET /embed/{team}/{slug}"])
def test_everybody_sees_what_is_public(stage: Stage, key: str) -> None:
    Dataset.objects.filter(pk=stage.world.dataset.pk).update(visibility=Visibility.PUBLIC)

    answer = call(stage, stage.callers["outsider"], key, stage.values)

    assert answer.status_code == PUBLIC.get(key, 200)


@pytest.mark.parametrize("key", [key for key, rule in RULES.items() if "link that hides" in rule.who])
def test_no_answer_tells_what_a_link_hides(stage: Stage, key: str) -> None:
    answer = call(stage, stage.callers["link that hides"], key, stage.values)

    if key == "GET /api/datasets/{dataset_id}/events":  # for ever; they tell of imports and builds only
        return
    content = content_of(answer)
    assert b"thing number" not in content, "a caption"
    assert not re.search(rb"/records/\d+/original", content), "the address of an original"
