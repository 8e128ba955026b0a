"""What the log must not hold, or not at such length."""

import logging
import re

#: Addresses that open something for whoever has them: share links, invitations, resets, confirmations.
_SECRET = re.compile(r"(/s/|/join/|/password/reset/key/|/confirm-email/)[^/\s?\"']+")


class WithoutSecrets(logging.Filter):
    """Django logs the path of every request that it refuses."""

    def filter(self, record: logging.LogRecord) -> bool:
        told = record.getMessage()
        masked = _SECRET.sub(r"\1…", told)
        if masked != told:
            record.msg, record.args = masked, ()
        return True


class StrangersInOneLine(logging.Filter):
    """A request for a host that is not ours is a scanner's, or a setting that is missing: its sentence says
    which, and the stack of calls below it nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "django.security.DisallowedHost":
            record.exc_info = record.exc_text = None
        return True
