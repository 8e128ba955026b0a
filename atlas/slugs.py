"""Short names for URLs."""

from typing import Any

from django.db import models


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
