"""Names for topics: what their captions, their categories or their pictures have in common.

A name is what most of the topic has and its siblings lack. In this order, the first that holds:

1. Words of the captions that at least a third of them have: found by class-based TF-IDF (Grootendorst,
   "BERTopic", 2022) over words and pairs of words, counted once per caption, weighed by how much more often
   the topic says them than its siblings do. One that most captions have names it alone; otherwise up to three
   do, each adding captions that those before it lack. A word is shown as the phrase in which it is said.
2. Values of one category that hold for four of ten records and for fewer of its siblings'.
3. Words that fewer captions have, but a fifth.
4. Where captions are missing: the word of a vocabulary whose text vector lies nearest to the pictures'.
5. Examples: the captions of its most typical records.
6. A number, where all of it is the same.

A child does not repeat what most of its parent says and its name says. Namesakes of a level get a word each
that tells them apart, if captions or categories have one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from atlas.maps.categories import HELD, Categories
from atlas.maps.codes import Column
from atlas.maps.phrases import LENGTH, WIDE, cut
from atlas.maps.spoken import MOST_WORDS, Spoken
from atlas.maps.terms import READ, STOP, stems
from atlas.maps.work import Report, part_of, unheard

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

_TELLING = 1 / 3  # share of the captions that must have one of the words for them to come before a category
_FEW = 0.2  # words that a smaller share has come after examples
_HELD_BY_MIXED = 0.3  # instead of HELD, where no words are common: "Objects, Places" says more than examples
_NEARLY = 0.8  # a word this share as near as the nearest may take its place
_SIGNS = str.maketrans(dict.fromkeys(":;,()[]/|–—", "\n"))


@dataclass(frozen=True)
class Vocabulary:
    """Words and their text vectors (V, d), of length one, from the tower that shares its space with the
    pictures."""

    words: Sequence[str]
    vectors: Floats


def name_topics(
    ids: Ints,
    parents: list[int | None],
    means: Floats,
    captions: Sequence[str | None] | None,
    vocabulary: Vocabulary | None,
    typical: Sequence[Ints],
    report: Report = unheard,
    categories: Sequence[Column] = (),
) -> list[str]:
    """A name for each topic, unlike its siblings' and its parent's. `ids` (levels, N) gives the points of the
    topics, `means` (topics, d) their mean vectors, `typical` some points of each, the most typical first,
    `categories` the columns (N,) that may name them."""
    spoken = None
    if captions is not None:
        spoken = Spoken.read(ids, len(parents), captions, part_of(report, 0, 80))
    seen = None
    if vocabulary is not None and len(vocabulary.words):
        seen = _Seen(vocabulary.words, _likeness(means, parents, vocabulary))
    namer = _Namer(parents, spoken, Categories.read(ids, len(parents), categories), seen, captions, typical)
    return namer.names(part_of(report, 80, 20))


@dataclass(frozen=True)
class _Seen:
    words: Sequence[str]
    likeness: Floats  # (topics, words)

    def name(self, topic: int, taken: set[str]) -> str | None:
        """The nearest word, or one nearly as near that is not taken."""
        likeness = self.likeness[topic]
        order = np.argsort(-likeness, kind="stable")[: len(taken) + 1].tolist()
        near = (at for at in order if likeness[at] >= _NEARLY * likeness[order[0]])
        return next((self.words[at] for at in near if self.words[at].casefold() not in taken), None)


class _Namer:
    def __init__(
        self,
        parents: list[int | None],
        spoken: Spoken | None,
        categories: Categories,
        seen: _Seen | None,
        captions: Sequence[str | None] | None,
        typical: Sequence[Ints],
    ) -> None:
        self._parents, self._spoken, self._categories, self._seen = parents, spoken, categories, seen
        self._captions, self._typical = captions, typical
        self._children: dict[int | None, list[int]] = defaultdict(list)
        for topic, parent in enumerate(parents):
            self._children[parent].append(topic)
        self._weak: dict[int, str | None] = {}  # names that few captions hold
        self._names: list[str] = [""] * len(parents)

    def names(self, report: Report) -> list[str]:
        """Level by level, as a child's name depends on its parent's."""
        done = 0
        level = self._children[None]
        while level:
            wanted: dict[int, str | None] = {}
            for topic in level:
                report(done, len(self._names))
                done += 1
                wanted[topic] = self._wanted(topic)
            for topic, name in self._told_apart(wanted).items():
                self._names[topic] = self._free(topic, name)
            level = [child for topic in level for child in self._children[topic]]
        return self._names

    def _siblings(self, topic: int) -> list[int]:
        return [other for other in self._children[self._parents[topic]] if other != topic]

    def _is_only_child(self, topic: int) -> bool:
        return self._parents[topic] is not None and len(self._children[self._parents[topic]]) == 1

    def _of_parent(self, topic: int) -> set[str]:
        parent = self._parents[topic]
        return set() if parent is None or self._is_only_child(topic) else {self._names[parent].casefold()}

    def _wanted(self, topic: int) -> str | None:
        """The name that suits a topic best, whoever else may have it."""
        parent, siblings = self._parents[topic], self._siblings(topic)
        if parent is not None and not siblings:
            return self._names[parent]  # an only child is its mother once more
        said, covered = None, 0.0
        if self._spoken is not None:
            said, covered = self._spoken.name(topic, siblings, self._barred(topic))
        if covered >= _TELLING:
            return said
        least = HELD if covered >= _FEW else _HELD_BY_MIXED
        of_parent = "" if parent is None else self._names[parent]
        value, held = self._categories.name(topic, siblings, of_parent, least)
        if value is not None and held > covered:
            return value
        self._weak[topic] = said
        return said if covered >= _FEW else None

    def _barred(self, topic: int) -> set[str]:
        """Stems that are in the parent's name and in most of its captions."""
        parent = self._parents[topic]
        if parent is None or self._spoken is None:
            return set()
        return self._spoken.shared_words(parent) & stems(self._names[parent])

    def _told_apart(self, wanted: dict[int, str | None]) -> dict[int, str | None]:
        """Names of a level; where several are the same each with what the others lack."""
        namesakes: dict[str, list[int]] = defaultdict(list)
        for topic, name in wanted.items():
            if name is not None and not self._is_only_child(topic):
                namesakes[name.casefold()].append(topic)
        apart = dict(wanted)
        for alike in namesakes.values():
            for topic in alike if len(alike) > 1 else ():
                others, name = [other for other in alike if other != topic], wanted[topic] or ""
                more = self._spoken.apart(topic, others, name) if self._spoken is not None else None
                if more is None and set(others) & set(self._siblings(topic)):
                    more = self._categories.apart(topic, others, name)
                apart[topic] = f"{name}, {more}" if more else name
        return apart

    def _free(self, topic: int, name: str | None) -> str:
        """The name, or if it is taken one that no sibling has."""
        of_siblings = {self._names[other].casefold() for other in self._siblings(topic)} - {""}
        taken = of_siblings | self._of_parent(topic)
        if name is not None and name.casefold() not in taken:
            return name
        if self._seen is not None:
            word = self._seen.name(topic, taken) or self._seen.name(topic, of_siblings)
            if word is not None:
                return word
        examples: list[str] = []
        if self._captions is not None:
            captions = (self._captions[point] for point in self._typical[topic])
            of_all = self._spoken.shared_words(topic) if self._spoken is not None else set()
            examples = _examples(captions, self._barred(topic) | of_all, taken)
        weak = self._weak.get(topic) or self._categories.name(topic, self._siblings(topic), "", least=_FEW)[0]
        # One example says less of a topic than a word of its few.
        several, one = (", ".join(examples), weak) if len(examples) > 1 else (weak, ", ".join(examples))
        for free in (several, one):
            if free and free.casefold() not in taken:
                return free
        common = name or (self._spoken.commonest(topic) if self._spoken is not None else None) or weak
        return _numbered(common or "Group", taken, 2 if (common or "").casefold() in of_siblings else 1)


def _numbered(word: str, taken: set[str], first: int) -> str:
    return next(name for at in count(first) if (name := f"{word} {at}").casefold() not in taken)


def _examples(captions: Iterable[str | None], barred: set[str], taken: set[str]) -> list[str]:
    """The first captions that share no word, so that they show how wide the topic is, without what all of the
    parent or of the topic says; cut where long."""
    chosen: list[str] = []
    used: set[str] = set()
    given = {part for name in taken for part in name.split(", ")}
    for caption in captions:
        parts = [" ".join(part.split()) for part in (caption or "")[:READ].translate(_SIGNS).splitlines()]
        telling = next((part for part in parts if _means_something(part, barred)), None)
        if telling is None or stems(telling) & used - barred:
            continue
        whole = " ".join((caption or "")[:READ].split())
        shown = cut(telling if stems(whole) & barred or len(whole) > LENGTH else whole)
        if shown.casefold() in given:
            continue
        if chosen and len(", ".join([*chosen, shown])) > WIDE:
            continue
        used |= stems(whole)
        chosen.append(shown)
        if len(chosen) == MOST_WORDS:
            break
    return chosen


def _means_something(text: str, barred: set[str]) -> bool:
    return any(len(stem) > 1 and stem not in STOP for stem in stems(text) - barred)


def _likeness(means: Floats, parents: list[int | None], vocabulary: Vocabulary) -> Floats:
    """Cosine of every topic and word (topics, V), both centred, less what the topic's siblings have of it on
    average."""
    roots = [topic for topic, parent in enumerate(parents) if parent is None]
    words, topics = vocabulary.vectors, means
    if len(vocabulary.words) > 1 and len(roots) > 1:
        words = words - words.mean(axis=0)
        topics = topics - topics[roots].mean(axis=0)
    likeness = _unit(topics) @ _unit(words).T
    relative = likeness.copy()
    groups = np.array([-1 if parent is None else parent for parent in parents])
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        if len(members) > 1:
            total = likeness[members].sum(axis=0)
            relative[members] -= (total - likeness[members]) / (len(members) - 1)
    return np.asarray(relative, np.float32)


def _unit(rows: Floats) -> Floats:
    scaled: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
    return scaled
