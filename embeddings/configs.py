"""Reading the JSON files of a checkpoint folder: typed values, and a sentence that names the key when one
is off.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embeddings.errors import FolderError, ModelError

_FALSE_LIKE = (None, False, 0, "")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises FolderError when there is none."""
    values = _read(path)
    if not isinstance(values, dict):
        raise FolderError(f"{path} does not hold a JSON object")
    return values


def read_list(path: Path) -> list[dict[str, Any]]:
    """The list of objects in a JSON file. Raises FolderError when there is none."""
    values = _read(path)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise FolderError(f"{path} does not hold a list of JSON objects")
    return values


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FolderError(f"{path} is not JSON: {error}") from error


class Settings:
    """Values of a config.json. Each getter takes the names a value has had over the years and returns the
    first that is present and not null; it raises ModelError when the value is of another kind, or missing
    without a default.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def require(self, implemented: Mapping[str, Any]) -> None:
        """Raise ModelError for the first key with another value than the implemented one."""
        for key, expected in implemented.items():
            value = self._values.get(key, expected)
            if value != expected and not (value in _FALSE_LIKE and expected in _FALSE_LIKE):
                raise ModelError(f"config.json: {key} is {value!r}; this tower implements only {expected!r}")

    def number(self, *names: str, default: float | None = None) -> float:
        name, value = self._first(names, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ModelError(f"config.json: {name} must be a finite number, not {value!r}")
        return value

    def optional_number(self, name: str) -> float | None:
        return None if self._values.get(name) is None else self.number(name)

    def whole(self, *names: str, default: int | None = None) -> int:
        value = self.number(*names, default=default)
        if value != int(value):
            raise ModelError(f"config.json: {names[0]} must be a whole number, not {value!r}")
        return int(value)

    def text(self, *names: str, default: str | None = None) -> str:
        name, value = self._first(names, default)
        if not isinstance(value, str):
            raise ModelError(f"config.json: {name} must be a word, not {value!r}")
        return value

    def flag(self, name: str) -> bool:
        value = self._values.get(name)
        if value not in (None, True, False):
            raise ModelError(f"config.json: {name} must be true or false, not {value!r}")
        return bool(value)

    def _first(self, names: tuple[str, ...], default: Any) -> tuple[str, Any]:
        for name in names:
            if self._values.get(name) is not None:
                return name, self._values[name]
        if default is None:
            raise ModelError(f"config.json: {' or '.join(names)} is missing")
        return names[0], default
