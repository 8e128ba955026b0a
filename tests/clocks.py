"""Machines whose clocks are wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from django.utils import timezone


@contextmanager
def clock_off(**by: float) -> Iterator[None]:
    """As on a machine whose clock is ahead, or behind, by so many `hours=` or the like."""
    real = timezone.now
    with patch.object(timezone, "now", lambda: real() + timedelta(**by)):
        yield
