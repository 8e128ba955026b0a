"""Short names for URLs."""

from typing import Any

from django.core.validators import slug_re
from django.db import IntegrityError, models, transaction


def free_slug(wanted: str, taken: models.QuerySet[Any], max_length: int) -> str:
    """`wanted`, or `wanted-2`, `wanted-3`, … : the first that no row of `taken` holds.

    Two requests may pick the same one at the same time: the unique constraint then refuses the second.
    """
    wanted = wanted[:max_length].strip("-_")
    slugs = set(taken.filter(slug__startswith=wanted[: max_length - 8]).values_list("slug", flat=True))
    if wanted not in slugs:
        return wanted
    number = 2
    while (slug := f"{wanted[: max_length - 8]}-{number}") in slugs:
        number += 1
    return slug


def save_with_free_slug(row: Any, wanted: str, taken: models.QuerySet[Any], max_length: int) -> None:
    """Insert the row. Raises IntegrityError when somebody was quicker three times in a row."""
    for last in (False, False, True):
        row.slug = free_slug(wanted, taken.all(), max_length)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            if last:
                raise
        else:
            return


def asked_slug(text: str) -> str:
    """What may be asked of the database; "", which no row has, for what is no slug: Postgres takes no NUL."""
    return text if slug_re.fullmatch(text) else ""
