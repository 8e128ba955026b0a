"""What the captions of each topic say that those of its siblings do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from atlas.maps.phrases import WIDE, phrase_of
from atlas.maps.terms import is_glued, is_han, joined, stems, terms_of
from atlas.maps.work import Report, part_of

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

MOST_WORDS = 3
ENOUGH = 0.6  # a name that this share of the captions has needs no further word
_LEAST = 0.06  # a word that fewer captions have names nobody
_FEWEST = 3  # captions, too, unless there are not twelve
_NEW = 0.4  # a further word adds this share of its captions
_CAPTIONS = 200_000  # more are sampled evenly
_CAPTIONED = 0.05  # share of a topic's records that must have a caption to speak for it
_BEST = 60  # candidates looked at for a topic
_TEMPLATE = 0.5  # what this share of all captions says is their form, not what they are about
_BOUND = 0.6  # words that are together so often, of all uses of either, are one expression
_MOST = 2 / 3  # of the captions: of two equal halves of a topic none says so much
_COMMON = 0.3  # a word that so many of all captions have tells no two topics apart
_APART = 0.3  # a word tells namesakes apart if this share more of the captions have it


@dataclass(frozen=True)
class Spoken:
    """Which captions have which terms (words and pairs), and which captions belong to which topic."""

    terms: list[str]
    has: csr_matrix  # (captions, terms) of 0/1
    members: list[npt.NDArray[np.intp]]  # captions of each topic
    share: Floats  # (topics, terms): of the topic's captions
    rare: Floats  # (terms,): log(1 + topics' mean words / the term's count), the "idf" of c-TF-IDF
    enough: npt.NDArray[np.bool_]  # (topics,): has captions for a name
    surface: list[str]  # the captions as written

    @classmethod
    def read(cls, ids: Ints, topics: int, captions: Sequence[str | None], report: Report) -> "Spoken":
        rows = np.array([row for row, text in enumerate(captions) if text], np.int64)
        kept = len(rows)
        if kept > _CAPTIONS:
            rows = rows[np.linspace(0, kept - 1, _CAPTIONS).astype(np.int64)]
        texts = [captions[row] or "" for row in rows]
        terms, has = terms_of(texts, part_of(report, 0, 70))
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
        enough = sizes >= np.maximum(_CAPTIONED * len(rows) / max(kept, 1) * points, 1)
        return cls(terms, has, members, counts / np.maximum(sizes, 1)[:, None], rare, enough, texts)

    def shared_words(self, topic: int) -> set[str]:
        """Stems of what most of the topic's captions say: no name for a part of it."""
        said = np.flatnonzero(self.share[topic] >= _MOST)
        return {stem for term in said for stem in stems(self.terms[term])}

    def name(self, topic: int, siblings: list[int], barred: set[str]) -> tuple[str | None, float]:
        """Up to three phrases, and the share of the captions that have one of them; None where no word is
        said often."""
        if not self.enough[topic] or not self.terms:
            return None, 0.0
        captions = self.has[self.members[topic]]
        chosen: dict[str, float] = {}  # by phrase, the share of the captions that have it
        covered = np.zeros(captions.shape[0], bool)
        used = set(barred)
        for term in self._best(topic, siblings):
            if stems(self.terms[term]) & used:
                continue
            mine = np.asarray(captions[:, term].todense(), bool).ravel()
            if chosen and (mine & ~covered).sum() < _NEW * mine.sum():
                continue
            phrase = self._phrase(term, topic)
            if phrase is None:
                continue
            if chosen and len(", ".join([*chosen, phrase])) > WIDE:
                break
            chosen[phrase] = float(mine.mean())
            covered |= mine
            used |= stems(phrase)
            if covered.mean() >= ENOUGH or len(chosen) == MOST_WORDS:
                break
        listed = sorted(chosen, key=lambda phrase: -chosen[phrase])
        return ", ".join(listed) or None, float(covered.mean()) if chosen else 0.0

    def apart(self, topic: int, namesakes: list[int], name: str) -> str | None:
        """What this topic says and its namesakes say far less, to be added to their name."""
        if not self.enough[topic] or not self.terms:
            return None
        more = self.share[topic] - self.share[namesakes].max(axis=0)
        more[np.asarray(self.has.sum(axis=0)).ravel() >= _COMMON * len(self.surface)] = 0
        order = np.argsort(-more * self.rare, kind="stable")[:_BEST]
        used = stems(name)
        for term in order[more[order] >= _APART].tolist():
            if not stems(self.terms[term]) & used:
                phrase = self._phrase(term, topic)
                if phrase is not None and not stems(phrase) & used:
                    return phrase
        return None

    def commonest(self, topic: int) -> str | None:
        """What it says most."""
        if not self.enough[topic] or not self.terms:
            return None
        term = int((self.share[topic] * self.rare).argmax())
        return self._phrase(term, topic) if self.share[topic, term] >= _LEAST else None

    def _best(self, topic: int, siblings: list[int]) -> list[int]:
        """The terms that are in many captions of the topic and in few of its siblings', the best first."""
        share = self.share[topic]
        elsewhere = self.share[siblings].mean(axis=0) if siblings else np.zeros_like(share)
        score = share * self.rare * np.maximum(share - elsewhere, 0) / np.maximum(share + elsewhere, 1e-9)
        order = np.argsort(-score, kind="stable")[:_BEST].tolist()
        size = max(len(self.members[topic]), 1)
        least = max(_LEAST, min(_FEWEST, size / 4) / size)
        return [term for term in order if score[term] > 0 and share[term] >= least]

    def _phrase(self, term: int, topic: int) -> str | None:
        having = self.has[self.members[topic]][:, [term]].nonzero()[0]
        captions = (self.surface[self.members[topic][at]] for at in having)
        return phrase_of(self.terms[term], captions, self._may_join)

    def _may_join(self, left: str, right: str) -> bool:
        either = max(self._uses.get(left, 0), self._uses.get(right, 0))
        both = self._uses.get(joined((left, right)), 0)
        # Letters of an alphabet are common everywhere: of them the pair is looked at.
        letters = both and is_glued(left) and not (is_han(left) and is_han(right))
        is_template = (both if letters else either) >= _TEMPLATE * len(self.surface)
        return not is_template or both >= _BOUND * either

    @cached_property
    def _uses(self) -> dict[str, int]:
        counts = np.asarray(self.has.sum(axis=0)).ravel().astype(int).tolist()
        return dict(zip(self.terms, counts, strict=True))
