"""Mails of ours; those of allauth go out in `adapter.py`."""

import logging
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

log = logging.getLogger(__name__)


def has_mail_server() -> bool:
    return bool(settings.EMAIL_HOST)


def mail(to: str, subject: str, template: str, context: dict[str, Any]) -> bool:
    """Whether a mail server took it; one that is away undoes nothing of what the mail is about."""
    if not has_mail_server():
        return False
    try:
        # Names are in it, and a line break would end the header.
        send_mail(" ".join(subject.split()), render_to_string(template, context), None, [to])
    except OSError as error:  # smtplib's errors are ones too
        log.warning("The mail “%s” could not be sent: %s", subject, error)
        return False
    return True
