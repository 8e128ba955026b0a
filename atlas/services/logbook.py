"""What the supervised processes say: on the terminal, and in one file that does not grow for ever."""

import errno
import logging
import logging.handlers
import os
import sys
from pathlib import Path

BYTES_PER_FILE = 10 << 20
OLD_FILES = 3
NAME_WIDTH = 8


class FileHandler(logging.handlers.RotatingFileHandler):
    """Drops lines that a full disk has no room for: Atlas runs on, and says so where it still can."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - its name in `logging`
        if not _is_full(sys.exc_info()[1]):
            super().handleError(record)


class Logbook:
    """Writes `name | line` to stdout and, with the time in front, to `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = logging.Logger(f"atlas.logbook.{path}")
        handler = FileHandler(path, maxBytes=BYTES_PER_FILE, backupCount=OLD_FILES)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self.file.addHandler(handler)

    def write(self, name: str, line: str, level: int = logging.INFO) -> None:
        text = f"{name:<{NAME_WIDTH}} | {line}"
        self.file.log(level, text)
        self.say(text)

    def say(self, text: str) -> None:
        """A line for the person at the terminal alone; when nobody reads it any more, Atlas runs on."""
        try:
            print(text, flush=True)
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.EIO):  # EIO: of a terminal whose window was closed
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            elif not _is_full(error):  # the terminal is a file
                raise


def _is_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
