"""The API and its document agree, whatever is sent: no 5xx, and no answer that the document does not have.

Calls are made up from the document by schemathesis, as the owner of a dataset whose ids are put into them, so
that they get past the look-ups. Each is undone.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from atlas.api import api
from tests.callers import Stage, everybody, no_workers

pytestmark = pytest.mark.django_db

TOKEN = "t" * 32
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def stage(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with django_db_blocker.unblock(), everybody(tmp_path_factory.mktemp("home")) as stage, no_workers():
        yield stage


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A server closes its connection with each request; here the test's transaction is on it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


schema = schemathesis.openapi.from_dict(api.get_openapi_schema())
schema.app = get_wsgi_application()


@schema.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_of_the_document(case: schemathesis.Case[Any], stage: Stage) -> None:
    session = stage.callers["owner"].client.cookies[django_settings.SESSION_COOKIE_NAME].value
    put_in_real_ids(case, stage.values)
    cookies = {django_settings.SESSION_COOKIE_NAME: session, django_settings.CSRF_COOKIE_NAME: TOKEN}
    with transaction.atomic():
        response = case.call(cookies=cookies, headers={"X-CSRFToken": TOKEN})
        transaction.set_rollback(True)
    case.validate_response(response, checks=CHECKS)


def put_in_real_ids(case: schemathesis.Case[Any], values: dict[str, Any]) -> None:
    """Made-up ids would only ever be told that there is no such thing."""
    for parameters in (case.path_parameters, case.query):
        for name in (parameters or {}).keys() & {*values, "version"}:
            if name.endswith("_id") or name == "version":
                parameters[name] = str(values["version_id" if name == "version" else name])
    if isinstance(case.body, dict):
        body = {name: value for name, value in case.body.items() if value is not None}
        if "map" in body:
            case.body["map"] = str(values["map_id"])
        # An empty filter says nothing; this one says something.
        for name in body.keys() & {"filter", "add", "remove"}:
            case.body[name] = case.body[name] or {"rows": [0, 1]}


@pytest.mark.parametrize("depth", [40, 110, 600, 900, 5000])
def test_no_body_is_too_deep_to_be_refused(stage: Stage, depth: int) -> None:
    """Python's own limit lies between what its reader of JSON takes and what others walk through."""
    body = f'{{"filter": {"[" * depth}{"]" * depth}}}'.replace("[", '{"not":[').replace("]", "]}")
    table = f"/api/datasets/{stage.world.dataset.pk}/table"

    answer = stage.callers["owner"].client.post(table, body, content_type="application/json")

    assert answer.status_code == (400 if depth > 50 else 422)
