"""What things are for and what they are like, in words that are not in their names or keywords.

People ask for "something to sit on", not for "chair, couch and lamp, seat".
"""

from functools import cache
from pathlib import Path

from embeddings.drawings.emoji import Emoji

#: Lines of "phrase|phrase: name|name", names without skin tones.
_LISTS = Path(__file__).with_suffix(".txt")


def uses_of(emoji: Emoji) -> list[str]:
    return _uses().get(emoji.base_name, [])


@cache
def _uses() -> dict[str, list[str]]:
    """{name: phrases}."""
    uses: dict[str, list[str]] = {}
    for line in _LISTS.read_text(encoding="utf-8").splitlines():
        phrases, _, names = line.partition(": ")
        for name in names.split("|"):
            uses.setdefault(name, []).extend(phrases.split("|"))
    return uses
