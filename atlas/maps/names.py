"""Names for topics: words of their captions, or words whose text vector lies nearest to their pictures.

From captions by class-based TF-IDF (Grootendorst, "BERTopic", 2022) over words and pairs of words, counted
once per caption: a good word is in many captions of the topic and in few of its siblings. A word that most of
the topic has names it alone; otherwise up to three words do, each adding captions that those before it lack.
What most of the parent says is not repeated. A topic whose captions share no word is named by examples: the
captions of its most typical records.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from atlas.maps.work import Report, part_of, unheard

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

MOST_WORDS = 3
ENOUGH = 0.6  # a name that this share of the captions has needs no further word
LEAST = 0.06  # a word that fewer captions have names nobody
_CAPTIONS = 200_000  # more are sampled evenly
_SPOKEN_AT_ONCE = 1000  # captions read between two reports
_READ = 400  # letters of a caption
_NEARLY = 0.8  # a word this share as near as the nearest may take its place
_LENGTH = 28  # of a word that is shown
_CAPTIONED = 0.05  # share of a topic's records that must have a caption to speak for it
_TERMS = 30_000  # the commonest are counted per topic
_BEST = 60  # candidates looked at for a topic

_WORD = re.compile(r"[^\W\d_][\w'’-]*[^\W_]|[^\W\d_]")
_TOKEN = re.compile(
    _WORD.pattern + r"|\d\w*|[^\w\s]"
)  # what stands between words keeps them from being a pair
_STOP = frozenset(
    """a about above across after against all along also am among an and another any are around as at back be
    because been before behind being below beneath beside between both but by can close could did different do
    does doing down during each few for from front full further get gets getting had has have having he her
    here hers him his how if in inside into is it its itself just large left little looking made many may me
    more most much my near next no nor not now of off on one only onto or other our out outside over own photo
    photograph picture image right s same several she showing shown shows side small so some such t than that
    the their them then there these they this those through to together too top toward two three under until
    up upon us very view was we were what when where which while who whom why will with within without you
    your der die das und mit von ein eine im in den auf le la les de des du et un une dans sur el los las y en
    con por para del """.split()  # noqa: SIM905 - a block of words reads better than a list of strings
)


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
) -> list[str]:
    """A name for each topic, unlike its siblings' and its parent's. `ids` (levels, N) gives the points of the
    topics, `means` (topics, d) their mean vectors, `typical` some points of each, the most typical first."""
    spoken = None
    if captions is not None:
        spoken = _Spoken.read(ids, len(parents), captions, part_of(report, 0, 80))
    seen = _likeness(means, parents, vocabulary) if vocabulary is not None and len(vocabulary.words) else None
    names: list[str] = []
    naming = part_of(report, 80, 20)
    for topic, parent in enumerate(parents):
        naming(topic, len(parents))
        siblings = [other for other, mother in enumerate(parents) if mother == parent and other != topic]
        if parent is not None and not siblings:
            names.append(names[parent])  # an only child is its mother once more
            continue
        taken = {names[other].casefold() for other in siblings if other < topic}
        name = None
        if spoken is not None:
            barred = (
                spoken.shared_words(parent).intersection(_stems(names[parent]))
                if parent is not None
                else set()
            )
            name = spoken.name(topic, siblings, taken, barred)
        if name is None and vocabulary is not None and seen is not None:
            name = _nearest_word(seen[topic], vocabulary.words, taken)
        if name is None and captions is not None:
            name = _examples([captions[point] for point in typical[topic]], taken)
        names.append(name or _numbered("Group", taken))
    return names


def _numbered(word: str, taken: set[str]) -> str:
    return next(name for at in count(1) if (name := f"{word} {at}").casefold() not in taken)


def _examples(captions: Sequence[str | None], taken: set[str]) -> str | None:
    """The first captions that share no word, so that they show how wide the topic is; cut where long."""
    chosen: list[str] = []
    used: set[str] = set()
    for caption in captions:
        stems = set(_stems(caption or ""))
        if stems and not stems & used:
            used |= stems
            chosen.append(_cut(" ".join((caption or "")[:_READ].split())))
        if len(chosen) == MOST_WORDS:
            break
    name = ", ".join(chosen)
    return name if chosen and name.casefold() not in taken else None


def _cut(text: str) -> str:
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1].rstrip() + "…"


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


def _nearest_word(likeness: Floats, words: Sequence[str], taken: set[str]) -> str:
    """The nearest word, or one nearly as near that no sibling has, or the nearest with a number."""
    order = np.argsort(-likeness, kind="stable")[: len(taken) + 1]
    for at in order:
        if likeness[at] >= _NEARLY * likeness[order[0]] and words[at].casefold() not in taken:
            return str(words[at])
    return _numbered(words[order[0]], taken)


@dataclass(frozen=True)
class _Spoken:
    """Which captions have which terms (words and pairs), and which captions belong to which topic."""

    terms: list[str]
    has: csr_matrix  # (captions, terms) of 0/1
    members: list[npt.NDArray[np.intp]]  # captions of each topic
    share: Floats  # (topics, terms): of the topic's captions
    rare: Floats  # (terms,): log(1 + topics' mean words / the term's count), the "idf" of c-TF-IDF
    enough: npt.NDArray[np.bool_]  # (topics,): has captions for a name
    surface: list[str]  # the captions as written

    @classmethod
    def read(cls, ids: Ints, topics: int, captions: Sequence[str | None], report: Report) -> "_Spoken":
        rows = np.array([row for row, text in enumerate(captions) if text], np.int64)
        if len(rows) > _CAPTIONS:
            rows = rows[np.linspace(0, len(rows) - 1, _CAPTIONS).astype(np.int64)]
        texts = [captions[row] or "" for row in rows]
        terms, has = _terms_of(texts, part_of(report, 0, 70))
        of = ids[:, rows]
        members, points = [], np.zeros(topics, np.int64)
        for topic in range(topics):
            report(70 + 30 * topic // topics, 100)
            members.append(np.flatnonzero((of == topic).any(axis=0)))
            points[topic] = (ids == topic).sum()
        sizes = np.array([len(member) for member in members])
        in_topic = csr_matrix(
            (np.ones(int(sizes.sum()), np.float32), np.concatenate([np.zeros(0, np.intp), *members]),
             np.concatenate([[0], np.cumsum(sizes)])),
            shape=(topics, len(rows)),
        )  # fmt: skip
        counts = (in_topic @ has).toarray().astype(np.float32)
        totals = np.maximum(np.asarray(has.sum(axis=0)).ravel(), 1)
        rare = np.log1p(has.nnz / max(int(ids[-1].max()) + 1, 1) / totals).astype(np.float32)
        kept = len(rows) / max(len([text for text in captions if text]), 1)
        enough = sizes >= np.maximum(_CAPTIONED * kept * points, 1)
        return cls(terms, has, members, counts / np.maximum(sizes, 1)[:, None], rare, enough, texts)

    def shared_words(self, topic: int) -> set[str]:
        """Stems of what at least half of the topic's captions say: no name for a part of it."""
        return {
            stem for term in np.flatnonzero(self.share[topic] >= 0.5) for stem in _stems(self.terms[term])
        }

    def name(self, topic: int, siblings: list[int], taken: set[str], barred: set[str]) -> str | None:
        """Up to three terms, or None where the captions say too little."""
        if not self.enough[topic] or not self.terms:
            return None
        share = self.share[topic]
        elsewhere = self.share[siblings].mean(axis=0) if siblings else np.zeros_like(share)
        score = share * self.rare * np.maximum(share - elsewhere, 0) / np.maximum(share + elsewhere, 1e-9)
        best = [term for term in np.argsort(-score, kind="stable")[:_BEST].tolist() if score[term] > 0]
        best = [term for term in best if share[term] >= LEAST]
        captions = self.has[self.members[topic]]
        chosen: list[int] = []
        covered = np.zeros(captions.shape[0], bool)
        used = set(barred)
        for term in best:
            stems = set(_stems(self.terms[term]))
            if stems & used:
                continue
            term = self._widened(term, best, share, used)
            mine = np.asarray(captions[:, term].todense(), bool).ravel()
            if chosen and (mine & ~covered).sum() < 0.4 * mine.sum():
                continue
            chosen.append(term)
            covered |= mine
            used |= set(_stems(self.terms[term]))
            done = covered.mean() >= ENOUGH or len(chosen) == MOST_WORDS
            if done and self._join(chosen, topic).casefold() not in taken:
                break
        name = self._join(chosen, topic)
        return name if chosen and name.casefold() not in taken else self._common_name(topic, taken)

    def _common_name(self, topic: int, taken: set[str]) -> str | None:
        """What it says most, with a number: for parts that no word tells apart."""
        term = int((self.share[topic] * self.rare).argmax())
        if self.share[topic, term] < LEAST:
            return None
        return _numbered(self._join([term], topic), taken)

    def _widened(self, term: int, best: list[int], share: Floats, used: set[str]) -> int:
        """The pair that nearly every use of this word is part of: "Eiffel Tower" for "tower"."""
        word = self.terms[term]
        if " " in word:
            return term
        for other in best:
            pair = self.terms[other].split(" ")
            if (
                len(pair) == 2
                and word in pair
                and share[other] >= 0.7 * share[term]
                and not used.intersection(_stems(" ".join(pair)))
            ):
                return other
        return term

    def _join(self, terms: list[int], topic: int) -> str:
        return ", ".join(self._as_written(self.terms[term], topic) for term in terms)

    def _as_written(self, term: str, topic: int) -> str:
        """With the capitals that captions mostly give it inside a sentence."""
        pattern = re.compile(
            r"(?<!\w)" + r"\s+".join(map(re.escape, term.split(" "))) + r"(?!\w)", re.IGNORECASE
        )
        forms: Counter[str] = Counter()
        for caption in self.members[topic][:400]:
            found = pattern.search(self.surface[caption])
            if found:  # a capital at the start of a caption says little
                forms[" ".join(found.group().split())] += 1 if found.start() == 0 else 3
        written = forms.most_common(1)[0][0] if forms else term
        return _cut(written)


def _stems(text: str) -> Iterable[str]:
    """Rough stems, so that "apple" and "apples" count as one word."""
    return (re.sub(r"(?<=\w{3})(?:ies|es|s|y|e)$", "", word) for word in _words(text))


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text[:_READ])]


def _terms_of(texts: list[str], report: Report) -> tuple[list[str], csr_matrix]:
    """Terms without stop words, of two uses or more (unless texts are few), and (texts, terms) of 0/1."""
    numbers: dict[str, int] = {}
    found: list[int] = []
    ends = [0]
    for at, text in enumerate(texts):
        if at % _SPOKEN_AT_ONCE == 0:
            report(at, len(texts))
        words = [token.casefold() for token in _TOKEN.findall(text[:_READ])]
        meant = [word if len(word) > 1 and word not in _STOP else "" for word in words]  # "" ends a pair
        here = {word for word in meant if word}
        here |= {f"{a} {b}" for a, b in pairwise(meant) if a and b and a != b}
        found.extend(numbers.setdefault(term, len(numbers)) for term in sorted(here))
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
