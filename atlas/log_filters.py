"""What the log must not hold."""

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
