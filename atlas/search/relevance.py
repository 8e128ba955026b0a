"""How good hits and their cut are, on sets where the truth is known.

A set is tar files in the webdataset form: pictures, captions, and a JSON of columns for each. The values of
some of its columns are the queries ("fruit" for `"group": "fruit"`), and the records that have the value are
what should be found; or a file has lines `{"query": "…", "hits": [row, …]}`. The columns themselves are left
out: words are looked up in captions only.

The automatic cut is compared by its mean F1 with the best flat threshold, known only afterwards, one for all
queries of the set, and with taking the first 50. `perfect` is the F1 of who would know the best place to cut
for each query. `similar` asks with the first of the records that a query wants, not with its words, and wants
the others. Beside it, precision among the first ten and recall of all that count as hits, by meaning, by
words, and by the best of both.
"""

import json
import re
import tarfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from atlas.datasets.models import Dataset, Record
from atlas.maps import towers
from atlas.maps.models import Space, VectorSet
from atlas.maps.vectors import create_partition, store
from atlas.search import engine
from atlas.search.query import Mode, Part, Query
from atlas.teams.people import create_person

Asked = Sequence[tuple[str, list[int]]]

#: Values that fewer records have say little; those that more have are no search.
FEWEST, LARGEST_SHARE = 5, 0.25
_PICTURES = ("jpg", "jpeg", "png", "webp")


@dataclass(frozen=True)
class Items:
    pictures: list[bytes]
    captions: list[str]
    columns: list[dict[str, Any]]


def read_items(paths: Sequence[Path]) -> Items:
    found: dict[tuple[Path, str], dict[str, bytes]] = defaultdict(dict)
    for path in paths:
        with tarfile.open(path) as archive:
            for member in archive:
                if file := archive.extractfile(member):
                    key, _, kind = member.name.rpartition(".")
                    found[path, key][kind] = file.read()
    items = Items([], [], [])
    for _, files in sorted(found.items()):
        items.pictures.append(next(files[kind] for kind in _PICTURES if kind in files))
        items.captions.append(files.get("txt", b"").decode())
        items.columns.append(json.loads(files.get("json", b"{}")))
    return items


def read_set(named: str) -> tuple[Items, Asked]:
    """Of `FILE.tar,…:COLUMN,…` or `FILE.tar,…:FILE.jsonl`."""
    files, _, truth = named.rpartition(":")
    items = read_items([Path(each) for each in files.split(",")])
    return items, (
        queries_in_file(Path(truth))
        if truth.endswith(".jsonl")
        else queries_by_column(items, truth.split(","))
    )


def queries_by_column(items: Items, columns: Sequence[str]) -> Asked:
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, values in enumerate(items.columns):
        for column in columns:
            value = values.get(column)
            for each in value if isinstance(value, list) else [value]:
                if each:
                    rows[column, str(each)].append(row)
    most = LARGEST_SHARE * len(items.columns)
    return [
        (re.sub(r"[-_&]+", " ", value), found)
        for (_, value), found in sorted(rows.items())
        if FEWEST <= len(found) <= most
    ]


def queries_in_file(path: Path) -> Asked:
    with path.open() as lines:
        return [(each["query"], each["hits"]) for each in map(json.loads, lines)]


def plant(name: str, items: Items, model: str) -> Dataset:
    """The set as a dataset of its own, embedded, with no columns."""
    dataset = Dataset.objects.create(
        team=create_person(f"{name}@example.org", "for this run only").teams.get(),
        name=name, slug=name, model=model, row_count=len(items.captions),
    )  # fmt: skip
    Record.objects.bulk_create(
        [
            Record(dataset=dataset, row=row, source=f"{row}", caption=caption, captions=[caption], values={})
            for row, caption in enumerate(items.captions)
        ],
        batch_size=1000,
    )
    create_partition(dataset.pk)
    readable, pictures, _ = towers.embed_pictures(model, items.pictures, lambda: None)
    captioned = np.flatnonzero([bool(caption.strip()) for caption in items.captions])
    captions = towers.embed_captions(model, [items.captions[row] for row in captioned], lambda: None)
    for space, rows, vectors in ((Space.IMAGE, readable, pictures), (Space.CAPTION, captioned, captions)):
        VectorSet.objects.create(dataset=dataset, space=space, **towers.maker(dataset))
        store(dataset.pk, space, rows, vectors)
    return dataset


def measure(dataset: Dataset, asked: Asked) -> dict[str, float]:
    """The figures of a set, each the mean over its queries."""
    found = {
        mode: [_Found.of(dataset, Part(1.0, text=text), rows, mode) for text, rows in asked]
        for mode in get_args(Mode)
    }
    similar = [
        _Found.of(dataset, Part(1.0, row=row), others, "meaning")
        for row, *others in (rows for _, rows in asked)
        if others
    ]
    return {
        **_ends(found["meaning"]),
        **{f"similar {name}": figure for name, figure in _ends(similar).items()},
        **{f"F1 {mode}": _mean([each.f1(each.count) for each in found[mode]]) for mode in ("words", "best")},
        **{f"p@10 {mode}": _mean([each.summed(10) / 10 for each in found[mode]]) for mode in found},
        **{
            f"recall {mode}": _mean([each.summed(each.count) / each.wanted for each in found[mode]])
            for mode in found
        },
    }


@dataclass(frozen=True)
class _Found:
    """What one query finds, best first: how many of the first 0, 1, … are wanted, and what each scores."""

    sums: NDArray[np.intp]
    scores: NDArray[np.float64]
    #: So many count as hits, and so many should.
    count: int
    wanted: int

    @classmethod
    def of(cls, dataset: Dataset, part: Part, rows: list[int], mode: Mode) -> "_Found":
        """A record that is asked with is neither wanted nor found."""
        query = Query((part,), "both", limit=dataset.row_count, mode=mode)
        answer = engine.answer(dataset.pk, dataset.row_count, query)
        wanted = np.zeros(dataset.row_count, np.bool_)
        wanted[rows] = True
        others = answer.hits.rows != (-1 if part.row is None else part.row)
        sums = np.cumsum([0, *wanted[answer.hits.rows[others]]])
        count = answer.relevant - (part.row is not None)
        return cls(sums, answer.hits.scores[others], count, len(rows))

    def summed(self, count: int) -> int:
        """The wanted ones among the first `count`."""
        return int(self.sums[min(count, len(self.sums) - 1)])

    def f1(self, count: int) -> float:
        return 2 * self.summed(count) / (count + self.wanted)


def _ends(found: Sequence[_Found]) -> dict[str, float]:
    """Of where hits end: by the cut, by what it is compared with, and where they end best."""
    return {
        "F1 cut": _mean([each.f1(each.count) for each in found]),
        "F1 flat": _best_flat(found),
        "F1 top 50": _mean([each.f1(50) for each in found]),
        "perfect": _mean([max(map(each.f1, range(1, len(each.sums)))) for each in found]),
    }


def _best_flat(found: Sequence[_Found]) -> float:
    """The mean F1 of the best of 200 thresholds."""
    upper = np.concatenate([each.scores[: max(50, len(each.scores) // 3)] for each in found])
    best = 0.0
    for threshold in np.quantile(upper, np.linspace(0, 1, 200)):
        counts = [int((each.scores >= threshold).sum()) for each in found]
        best = max(best, _mean([each.f1(count) for each, count in zip(found, counts, strict=True)]))
    return best


def _mean(figures: Sequence[float]) -> float:
    return float(np.mean(figures))
