"""A term as people say it: the whole phrase that it is part of, spelt as captions spell it.

Counting knows words and pairs only. Where nearly every use of a term stands in the same longer phrase, the
phrase is the name: "men holding" is half of "men holding hands", "tower" of "Eiffel Tower", one letter half
of a Chinese word. Two things keep it from growing into a whole caption: words that half of all captions say
("a drawing of one ripe …") join only those to which they belong, which is when each is seldom without the
other (so are phrases found by Mikolov et al., "Distributed representations of words and phrases", 2013); and
its length.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from atlas.maps.terms import STOP, is_glued, is_han, is_word, tokens, words_of

LENGTH = 28  # of a phrase that is shown
WIDE = 32  # letters of a name: the map has room for few more, so a longer one gets no further phrase
_NEARLY_ALL = 0.8  # of the captions with a term go on in the same way
_USES = 3  # fewer uses say nothing about what is usual
_SMALL = 2  # words like "of the" that may stand inside a phrase
_LOOKED_AT = 100  # captions
#: Letters that end a phrase in Japanese without being part of it.
_PARTICLES = frozenset("をがはにのでともへやか")

#: Whether two words that stand side by side may be of one phrase: left, right, in small letters.
MayJoin = Callable[[str, str], bool]


@dataclass
class _Use:
    """One place where the term is said: tokens first … last of a caption."""

    text: str
    found: list[re.Match[str]]
    words: list[str]
    first: int
    last: int

    def beyond(self, step: int) -> tuple[str, ...]:
        """The words that come next on one side up to one that means something; none at a sign or the end."""
        at = (self.last if step > 0 else self.first) + step
        passed: list[str] = []
        while 0 <= at < len(self.words) and len(passed) <= _SMALL:
            word = self.words[at]
            if not is_word(word):
                break
            passed.append(word)
            if word not in STOP:
                return tuple(passed)
            at += step
        return ()

    def said(self) -> str:
        return self.text[self.found[self.first].start() : self.found[self.last].end()]


def phrase_of(term: str, captions: Iterable[str], may_join: MayJoin) -> str | None:
    """The phrase, with the capitals that captions mostly give it; None where it is only a letter of words
    that have nothing else in common."""
    uses = _uses(words_of(term), captions)
    if not uses:
        return cut(term)
    grown = True
    while grown:
        grown = False
        for step in (1, -1):
            longer = _grown(uses, step, may_join)
            if longer is not None:
                uses, grown = longer, True
    if _is_torn(uses):
        return None
    forms: Counter[str] = Counter()
    for use in uses:  # a capital at the start of a caption says little
        forms[_trimmed(" ".join(use.said().split()))] += 1 if use.found[use.first].start() == 0 else 3
    return cut(forms.most_common(1)[0][0])


def cut(text: str) -> str:
    """Short enough to be shown, cut between words where there is a space to cut at."""
    if len(text) <= LENGTH:
        return text
    whole = text[:LENGTH].rpartition(" ")[0].rstrip(" ,;:-–(")
    return f"{whole if len(whole) > LENGTH // 2 else text[: LENGTH - 1].rstrip()}…"


def _uses(words: list[str], captions: Iterable[str]) -> list[_Use]:
    """Every use in some hundred captions."""
    uses: list[_Use] = []
    for text in islice(captions, _LOOKED_AT):
        found = list(tokens(text))
        said = [token[0].casefold() for token in found]
        places = (at for at in range(len(said)) if said[at : at + len(words)] == words)
        uses.extend(_Use(text, found, said, at, at + len(words) - 1) for at in places)
    return uses


def _grown(uses: list[_Use], step: int, may_join: MayJoin) -> list[_Use] | None:
    """The uses that go on as nearly all do, longer by that; None where there is no usual way."""
    ways: dict[tuple[str, ...], set[int]] = defaultdict(set)  # captions that have one such use
    for use in uses:
        ways[use.beyond(step)].add(id(use.words))
    ways.pop((), None)
    if len(uses) < _USES or not ways:
        return None
    way = max(ways, key=lambda each: len(ways[each]))
    if len(ways[way]) < _NEARLY_ALL * len({id(use.words) for use in uses}):
        return None
    one = uses[0]
    edge = one.words[one.last if step > 0 else one.first]
    if not may_join(edge, way[-1]) if step > 0 else not may_join(way[-1], edge):
        return None
    longer = [
        _Use(
            use.text,
            use.found,
            use.words,
            use.first - len(way) * (step < 0),
            use.last + len(way) * (step > 0),
        )
        for use in uses
        if use.beyond(step) == way
    ]
    return longer if len(longer[0].said()) <= LENGTH else None


def _is_torn(uses: list[_Use]) -> bool:
    """Whether what was found is one letter out of the middle of words."""
    one = uses[0]
    if one.first != one.last or not is_glued(one.words[one.first]):
        return False
    han = is_han(one.words[one.first])
    beside = ((*use.beyond(1)[:1], *use.beyond(-1)[:1]) for use in uses)
    torn = sum(any(_runs_on(word, han) for word in words) for words in beside)
    return torn > len(uses) / 2


def _runs_on(word: str, han: bool) -> bool:
    return is_glued(word) and word not in STOP and is_han(word) == han


def _trimmed(phrase: str) -> str:
    """Without particles at its ends."""
    first, last = 0, len(phrase)
    while last - first > 2 and phrase[last - 1] in _PARTICLES:
        last -= 1
    while last - first > 2 and phrase[first] in _PARTICLES:
        first += 1
    return phrase[first:last]
