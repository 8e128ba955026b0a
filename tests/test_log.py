"""The log holds no address that opens something."""

import logging
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from atlas.log_filters import StrangersInOneLine, WithoutSecrets


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/s/AbC-123_x", "/s/…"),
        ("/join/AbC:1", "/join/…"),
        ("/join/AbC:1/decline", "/join/…/decline"),
        ("/accounts/password/reset/key/2-set-password-3/", "/accounts/password/reset/key/…/"),
        ("/accounts/confirm-email/MQ:1/", "/accounts/confirm-email/…/"),
        ("/data/team/slug", "/data/team/slug"),
    ],
)
def test_what_opens_something_is_masked(path: str, told: str) -> None:
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, "%s: %s", ("Forbidden", path), None)
    assert WithoutSecrets().filter(record)
    assert record.getMessage() == f"Forbidden: {told}"


@pytest.mark.django_db
def test_a_refused_request_is_logged_by_a_handler_that_masks(caplog: pytest.LogCaptureFixture) -> None:
    logging_settings: Any = settings.LOGGING
    assert "without_secrets" in logging_settings["handlers"]["stderr"]["filters"]
    caplog.handler.addFilter(WithoutSecrets())
    Client().get("/s/some-secret-token")
    assert "some-secret-token" not in caplog.text
    assert "/s/…" in caplog.text


@pytest.mark.django_db
def test_a_request_for_another_host_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    logging_settings: Any = settings.LOGGING
    assert "strangers" in logging_settings["handlers"]["stderr"]["filters"]
    caplog.handler.addFilter(StrangersInOneLine())
    assert Client().get("/login", headers={"host": "scanner.example"}).status_code == 400
    assert "Invalid HTTP_HOST header: 'scanner.example'" in caplog.text
    assert "Traceback" not in caplog.text
