"""Numbers as most of Europe writes them, 1.234,5, where a comma does not part the columns."""

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # 12,500: or else twelve and a half


def columns_with_decimal_commas(rows: Sequence[Sequence[str]], delimiter: str) -> frozenset[int]:
    """The places of columns whose cells are all such numbers, and at least one of them has a comma that parts
    no thousands.
    """
    if delimiter == ",":
        return frozenset()  # 1,234 in quotes is more likely a thousand than one and a bit
    columns: dict[int, list[str]] = {}
    for row in rows:
        for place, cell in enumerate(row):
            if text := cell.strip():
                columns.setdefault(place, []).append(text)
    return frozenset(
        place
        for place, cells in columns.items()
        if all(map(_NUMBER.fullmatch, cells))
        and any("," in cell and not _THOUSANDS.fullmatch(cell) for cell in cells)
    )


def with_point(cell: str) -> str:
    """1.234,5 → 1234.5; what is no such number stays as it is."""
    text = cell.strip()
    return text.replace(".", "").replace(",", ".") if _NUMBER.fullmatch(text) else cell
