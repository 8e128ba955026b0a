"""Words of captions in any script, and which captions have which terms: words, and pairs of neighbours.

Scripts that put no space between words (Chinese, Japanese, Thai, Khmer, Lao, Burmese) are read letter by
letter and counted in pairs of letters, as search engines do that have no dictionary; `phrases.py` makes
whole words of them again. A run of katakana is a word.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from atlas.maps.work import Report

READ = 400  # letters of a caption
_SPOKEN_AT_ONCE = 1000  # captions read between two reports
_TERMS = 30_000  # the commonest are counted per topic

STOP = frozenset(Path(__file__).with_name("stop_words.txt").read_text().split())

#: Vowel signs and accents that follow their letter: no letters to `re`, which would cut Hindi into pieces.
_MARKS = "".join(char for char in map(chr, range(0x300, 0xFE30)) if unicodedata.category(char)[0] == "M")
_UNSPACED = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u3096\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
_LETTER = rf"(?!{_UNSPACED})[^\W_]"
_TOKEN = re.compile(
    rf"[\u30a1-\u30fa\u30fc-\u30ff]+|{_UNSPACED}[{_MARKS}]*"
    rf"|(?!\d){_LETTER}(?:{_LETTER}|[{_MARKS}]|['’-](?={_LETTER}))*"
    # What stands between words keeps them from being a pair.
    rf"|\d\w*|[^\w\s]|(?<={_UNSPACED})\s+(?={_UNSPACED})"
)
_WORD = re.compile(r"[^\W\d]")
_GLUED = re.compile(_UNSPACED)


def tokens(text: str) -> Iterator[re.Match[str]]:
    """Words, numbers and signs of a caption, in order."""
    return _TOKEN.finditer(text[:READ])


def is_word(token: str) -> bool:
    return _WORD.match(token) is not None


def is_glued(token: str) -> bool:
    """Whether it is a letter of a script without spaces."""
    return _GLUED.match(token) is not None


def is_han(token: str) -> bool:
    """Whether it is a Chinese character, which has a meaning of its own."""
    return "\u3400" <= token[0] <= "\u9fff" or "\uf900" <= token[0] <= "\ufaff"


def joined(words: Iterable[str]) -> str:
    """Words as a term: letters of a script without spaces side by side."""
    term, before = "", False
    for word in words:
        glued = is_glued(word)
        term += word if not term or (before and glued) else f" {word}"
        before = glued
    return term


def words_of(text: str) -> list[str]:
    """Its words in small letters."""
    return [word for token in tokens(text) if is_word(word := token[0].casefold())]


def stems(text: str) -> set[str]:
    """Rough stems, so that "apple" and "apples" count as one word."""
    return {re.sub(r"(?<=\w{3})(?:ies|es|s|y|e)$", "", word) for word in words_of(text)}


def terms_of(texts: list[str], report: Report) -> tuple[list[str], csr_matrix]:
    """Terms without stop words, of two uses or more (unless texts are few), and (texts, terms) of 0/1: once
    per caption."""
    numbers: dict[str, int] = {}
    found: list[int] = []
    ends = [0]
    for at, text in enumerate(texts):
        if at % _SPOKEN_AT_ONCE == 0:
            report(at, len(texts))
        found.extend(numbers.setdefault(term, len(numbers)) for term in sorted(_terms_in(text[:READ])))
        ends.append(len(found))
    columns = np.array(found, np.int32)
    has = csr_matrix(
        (np.ones(len(columns), np.float32), columns, np.array(ends)), shape=(len(texts), len(numbers))
    )
    uses = np.bincount(columns, minlength=len(numbers))
    common = np.argsort(-uses, kind="stable")[:_TERMS]
    kept = np.sort(common[uses[common] >= (2 if len(texts) > 20 else 1)])
    terms = list(numbers)
    return [terms[term] for term in kept], has[:, kept]


def _terms_in(text: str) -> set[str]:
    words = [token.casefold() for token in _TOKEN.findall(text)]
    if not text.isascii() and _GLUED.search(text):
        meant = [word if is_word(word) and word not in STOP else "" for word in words]
        pairs = {joined((a, b)) for a, b in pairwise(meant) if a and b and is_glued(a) == is_glued(b)}
    else:
        # "" ends a pair
        meant = [
            word if len(word) > 1 and not word[0].isdigit() and word not in STOP else "" for word in words
        ]
        pairs = {f"{a} {b}" for a, b in pairwise(meant) if a and b and a != b}
    return pairs.union(word for word in meant if word)
