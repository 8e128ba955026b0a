"""Cells to typed values: what type a column has, and one cell in that type."""

import ast
import json
import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

import numpy as np

from embeddings.readers.csvs import is_number
from embeddings.readers.rows import ColumnType, Value, Vector
from embeddings.readers.text import clean_text

_NOTHING = frozenset({"", "n/a", "nan", "null", "#n/a"})
_PERHAPS_NOTHING = frozenset({"na", "none", "nil", "-"})  # or Namibia, or a class of its own
_EMPTY = _NOTHING | _PERHAPS_NOTHING
_INFINITIES = frozenset({"inf", "infinity"})
_LARGEST_EXACT = 2**53  # whole numbers above it are ids: a float would change them
_MOST_CATEGORIES = 1_000
_LONGEST_CATEGORY = 80
_LONGEST_ITEM = 40
_MOST_STRANGE = 0.1  # of the cells of a column that is known to hold numbers or dates
_DEEPEST = 50  # lists in lists; Python itself fails at a thousand
_SEPARATORS = ";|"
_DATE_FORMATS = (
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%Y-%m",
    "%Y/%m/%d %H:%M:%S",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
# Karpathy's splits of COCO and Flickr say raw, answers in The Cauldron assistant.
_TEXT_NAMES = ("raw", "caption", "text", "sentence", "assistant")
# Who answers in a conversation: LLaVA and ShareGPT say from and value, others role and content.
_ASSISTANTS = frozenset({"assistant", "gpt", "chatgpt", "model", "bard", "bing"})
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z]+)?")
_ISO_LIKE = re.compile(r"\d{4}-\d\d-\d\d")


def is_empty(cell: Any, words: frozenset[str] = _EMPTY) -> bool:
    """True for what tables write where there is nothing."""
    waiting = [cell]
    while waiting:  # no recursion: lists may lie in lists to any depth
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        elif not _is_nothing(each, words):
            return False
    return True


def words_for_nothing(columns: Iterable[Sequence[Any]]) -> frozenset[str]:
    """The words that mean nothing in a table's columns of words, too: those that are always meant so, and
    those in its `columns` of numbers and dates.
    """
    cells = chain.from_iterable(columns)
    return _NOTHING | (
        _PERHAPS_NOTHING & {cell.strip().casefold() for cell in cells if isinstance(cell, str)}
    )


def _is_nothing(cell: Any, words: frozenset[str]) -> bool:
    if cell is None:
        return True
    if isinstance(cell, str):
        return cell.strip().casefold() in words
    if isinstance(cell, float | np.floating):
        return math.isnan(cell)
    return isinstance(cell, dict | np.ndarray | bytes) and len(cell) == 0


def infer_type(cells: Sequence[Any]) -> ColumnType | None:
    """The type that all non-empty cells of a sample fit; None when they hold nothing to show (bytes, or no
    value).
    """
    present = [cell for cell in cells if not is_empty(cell)]
    if not present or any(isinstance(cell, bytes | bytearray | memoryview) for cell in present):
        return None
    if all(isinstance(cell, list | tuple | np.ndarray) for cell in present):
        return ColumnType.LIST
    if all(isinstance(cell, bool) for cell in present):
        return ColumnType.CATEGORY
    if all(_is_number(cell) for cell in present):
        return ColumnType.NUMBER
    if all(to_date(cell) is not None for cell in present):
        return ColumnType.DATE
    texts = [as_text(cell) for cell in present]
    if _are_lists(texts):
        return ColumnType.LIST
    return ColumnType.CATEGORY if _are_categories(texts) else ColumnType.TEXT


def count_classes(cells: Sequence[Any]) -> bool:
    """Whether they are whole numbers that repeat, as those of classes do."""
    present = [cell for cell in cells if not is_empty(cell)]
    return all(isinstance(to_number(cell), int) for cell in present) and _are_categories(
        [as_text(cell) for cell in present]
    )


def fits(cells: Sequence[Any], kind: ColumnType) -> bool:
    """Whether the cells may join a column of this type, though by themselves they look like another: a few
    categories repeat none, a few lists may have one item each, and a word among many numbers is left out.
    """
    present = [cell for cell in cells if not is_empty(cell)]
    are_lists = [isinstance(cell, list | tuple | np.ndarray) for cell in present]
    match kind:
        case ColumnType.LIST:
            return all(
                is_list or all(len(item) <= _LONGEST_ITEM for item in to_list(cell))
                for is_list, cell in zip(are_lists, present, strict=True)
            )
        case ColumnType.CATEGORY:
            texts = {as_text(cell) for cell in present}
            return (
                not any(are_lists)
                and len(texts) <= _MOST_CATEGORIES
                and all(len(text) <= _LONGEST_CATEGORY for text in texts)
            )
        case ColumnType.TEXT:
            return True
        case _:
            return len(strange_cells(present, kind)) <= _MOST_STRANGE * len(present)


def strange_cells(cells: Sequence[Any], kind: ColumnType) -> list[Any]:
    """Those that are no numbers, or no dates."""
    return [cell for cell in cells if infer_type([cell]) not in {kind, None}]


def to_value(cell: Any, kind: ColumnType) -> Value | None:
    """The cell in the column's type; None when it does not fit. The cell must not be empty."""
    match kind:
        case ColumnType.NUMBER:
            return to_number(cell)
        case ColumnType.DATE:
            return to_date(cell)
        case ColumnType.LIST:
            return to_list(cell) or None
        case _:
            return as_text(cell) or None


def to_number(cell: Any) -> int | float | None:
    if isinstance(cell, str):
        text = cell.strip()
        if not is_number(text):
            return None
        number = float(text)
        return int(number) if number.is_integer() and abs(number) <= _LARGEST_EXACT else number
    if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal | np.integer | np.floating):
        return None
    try:
        number = float(cell)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return None
    return int(cell) if isinstance(cell, int | np.integer) and abs(number) <= _LARGEST_EXACT else number


def to_date(cell: Any) -> datetime | None:
    """A moment in UTC; a time without a zone is taken for UTC. Day and month in doubt (1/2/2020) make no
    date.
    """
    if isinstance(cell, datetime):
        return _in_utc(cell)
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day, tzinfo=UTC)
    if not isinstance(cell, str):
        return None
    text = cell.strip()
    if len(text) > 40 or not text[:1].isalnum():
        return None
    try:
        if _ISO_LIKE.match(text):
            return _in_utc(datetime.fromisoformat(text))
    except ValueError:
        return None
    for form in _DATE_FORMATS:
        try:
            return _in_utc(datetime.strptime(text, form))  # noqa: DTZ007 - the zone is put on by _in_utc
        except ValueError:
            continue
    return None


def to_list(cell: Any) -> list[str]:
    """Items as text: of a list, of a JSON or Python list in a string, or of a string split at ';' or '|'."""
    if isinstance(cell, np.ndarray):
        cell = cell.ravel().tolist()
    if isinstance(cell, str):
        literal = _literal_list(cell)
        cell = literal if literal is not None else re.split(f"[{_SEPARATORS}]", cell)
    if not isinstance(cell, list | tuple):
        cell = [cell]
    return [text for item in cell if not is_empty(item, _NOTHING) and (text := as_text(item))]


def texts_in(cell: Any) -> Any:
    """The cell, or the texts in its objects: {"raw": text, "tokens": …}, {"en": text, "de": text}, and of a
    conversation what the assistant says.
    """
    if isinstance(cell, list) and any(isinstance(item, dict) for item in cell):
        if all(_is_turn(item) for item in cell):
            return [text for turn in cell for text in _answers_in(turn)]
        return [text for item in cell for text in _texts_of(item)]
    if not isinstance(cell, dict):
        return cell
    texts = _texts_of(cell)
    return cell if texts and texts[0] is cell else texts


def _texts_of(item: Any) -> list[Any]:
    if not isinstance(item, dict):
        return [item]
    named = [item[name] for name in _TEXT_NAMES if isinstance(item.get(name), str)]
    if named:
        return named[:1]
    is_by_language = all(
        _LANGUAGE.fullmatch(str(name)) and isinstance(text, str | None) for name, text in item.items()
    )
    return [text for text in item.values() if text is not None] if is_by_language else [item]


def _is_turn(item: Any) -> bool:
    names = item.keys() if isinstance(item, dict) else set()
    return names >= {"from", "value"} or names >= {"role", "content"}


def _answers_in(turn: dict[str, Any]) -> list[Any]:
    """Its text or the texts among its parts, where the assistant speaks."""
    if str(turn.get("from", turn.get("role"))).casefold() not in _ASSISTANTS:
        return []
    told = turn.get("value", turn.get("content"))
    parts = told if isinstance(told, list) else [told]
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return [text for text in texts if isinstance(text, str)]


def as_text(cell: Any) -> str:
    """Any cell as clean text; objects as JSON."""
    if isinstance(cell, str):
        return clean_text(cell)
    if isinstance(cell, bool | np.bool_):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= _LARGEST_EXACT:
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if isinstance(cell, dict | list | tuple):
        return clean_text(json.dumps(cell, ensure_ascii=False, default=_plain))
    return clean_text(str(cell))


def to_vector(cell: Any, most: int) -> Vector | None:
    """(D,) finite float32, or None when the cell is no such thing or longer than `most`."""
    array = to_array(cell, most)
    return array if array is not None and np.isfinite(array).all() else None


def to_array(cell: Any, most: int) -> Vector | None:
    """(D,) float32, NaN and infinities among them, or None when the cell is no list of numbers."""
    if isinstance(cell, str):
        text = cell.strip()
        if not (text.startswith("[") and text.endswith("]")):
            return None
        inner = text[1:-1].replace(",", " ").split(maxsplit=most)
        if len(inner) > most:
            return None
        try:
            array = np.array(inner, dtype=np.float32)
        except (ValueError, OverflowError):
            return None
    else:
        if not isinstance(cell, list | tuple | np.ndarray) or len(cell) > most:
            return None
        try:
            array = np.asarray(cell, dtype=np.float32)
        except (ValueError, TypeError, OverflowError):
            return None
    return array if array.ndim == 1 and array.size else None


def _is_number(cell: Any) -> bool:
    """For inference: 007 and whole numbers that a float would change are names of things, not amounts; an
    infinity is a number, though its own cell will be left empty.
    """
    if isinstance(cell, str):
        text = cell.strip().lstrip("+-")
        if len(text) > 1 and text[0] == "0" and text[1].isdigit():
            return False
        if text.casefold() in _INFINITIES:
            return True
        return is_number(cell) and not (text.isdigit() and len(text) > 15)
    if isinstance(cell, float | np.floating):
        return True
    number = to_number(cell)
    return number is not None and abs(number) <= _LARGEST_EXACT


def _are_lists(texts: list[str]) -> bool:
    if all(text.startswith("[") and _literal_list(text) is not None for text in texts):
        return True
    for separator in _SEPARATORS:
        split = [[part.strip() for part in text.split(separator)] for text in texts]
        several = sum(len(parts) > 1 for parts in split)
        if several >= 0.2 * len(texts) and all(
            len(part) <= _LONGEST_ITEM for parts in split for part in parts
        ):
            return True
    return False


def _literal_list(text: str) -> list[Any] | None:
    """A list written as JSON or, as pandas does, as Python."""
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(text) if len(text) <= 10_000 else None
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None
    return value if isinstance(value, list) and not is_too_deep(value) else None


def is_too_deep(value: Any) -> bool:
    """Whether its lists and objects are nested beyond what is read."""
    level = [value]
    for _ in range(_DEEPEST):
        insides = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for inside in insides for each in inside if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def _are_categories(texts: list[str]) -> bool:
    distinct = set(texts)
    return (
        len(distinct) <= min(_MOST_CATEGORIES, max(1, len(texts) // 2))
        and max(len(text) for text in distinct) <= _LONGEST_CATEGORY
    )


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999, moved over the edge of what datetime holds
        return moment.replace(tzinfo=UTC)


def _plain(value: Any) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
