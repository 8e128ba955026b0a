"""How good hits and their cut are, on sets where the truth is known. No Django.

A set is tar files in the webdataset form: pictures, captions, and a JSON of columns for each. The values of
its columns named `--truth` are the queries ("fruit" for `"group": "fruit"`), and the records that have the
value are what should be found; or `--queries` names a file of lines `{"query": "…", "hits": [row, …]}`.

The automatic cut is compared by its mean F1 with the best flat threshold, known only afterwards: of cosines
and of standard scores, one for all queries of the set; and with taking the first 50. `perfect` is the F1 of
who would know the best place to cut for each query.
"""

import json
import re
import tarfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.search.cut import relevance_cut
from atlas.search.scan import cosines, standardise

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]

#: Values that fewer records have say little; those that more have are no search.
FEWEST, LARGEST_SHARE = 5, 0.25
_PICTURES = ("jpg", "jpeg", "png", "webp")


@dataclass(frozen=True)
class Items:
    pictures: list[bytes]
    captions: list[str]
    columns: list[dict[str, Any]]


def read_items(paths: Sequence[Path]) -> Items:
    found: dict[str, dict[str, bytes]] = defaultdict(dict)
    for path in paths:
        with tarfile.open(path) as archive:
            for member in archive:
                if file := archive.extractfile(member):
                    key, _, kind = member.name.rpartition(".")
                    found[key][kind] = file.read()
    items = Items([], [], [])
    for key in sorted(found):
        files = found[key]
        items.pictures.append(next(files[kind] for kind in _PICTURES if kind in files))
        items.captions.append(files.get("txt", b"").decode())
        items.columns.append(json.loads(files.get("json", b"{}")))
    return items


def queries_by_column(items: Items, columns: Sequence[str]) -> list[tuple[str, list[int]]]:
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


def queries_in_file(path: Path) -> list[tuple[str, list[int]]]:
    with path.open() as lines:
        return [(each["query"], each["hits"]) for each in map(json.loads, lines)]


def figures(raw: Sequence[Floats], truth: Bools) -> dict[str, float]:
    """The figures of Q queries over N records.

    Args:
        raw: (Q, N) cosines in each space; their standard scores are averaged, as the search does.
        truth: (Q, N) whether a record should be found.
    """
    everybody = np.ones(truth.shape[1], np.bool_)
    standard = np.mean([[standardise(row, everybody) for row in each] for each in raw], axis=0)
    order = np.argsort(-standard, axis=1, kind="stable")
    scores, hits = (np.take_along_axis(each, order, axis=1) for each in (standard, truth))
    wanted = hits.sum(axis=1)
    counts = np.array([(row >= relevance_cut(row[::-1])).sum() for row in scores.astype(np.float32)])
    found = np.take_along_axis(hits.cumsum(axis=1), counts[:, None] - 1, axis=1)[:, 0]
    shown = {
        "precision@10": float(hits[:, :10].mean()),
        "precision": float((found / counts).mean()),
        "recall": float((found / wanted).mean()),
        "F1": float((2 * found / (counts + wanted)).mean()),
        "F1 flat z": _best_flat(scores, hits),
        "F1 top 50": float((2 * hits[:, :50].sum(axis=1) / (50 + wanted)).mean()),
        "perfect": float(
            (2 * hits.cumsum(axis=1) / (np.arange(1, hits.shape[1] + 1) + wanted[:, None])).max(axis=1).mean()
        ),
    }
    if len(raw) == 1:
        cosine = np.take_along_axis(raw[0], order, axis=1)
        shown["F1 flat cosine"] = _best_flat(cosine, hits)
    return shown


def _best_flat(scores: Floats, hits: Bools) -> float:
    """The mean F1 of the best of 200 thresholds; scores are sorted, best first."""
    summed, wanted = hits.cumsum(axis=1), hits.sum(axis=1)
    best = 0.0
    for threshold in np.quantile(scores[:, : max(50, scores.shape[1] // 3)], np.linspace(0, 1, 200)):
        counts = (scores >= threshold).sum(axis=1)
        found = np.where(
            counts > 0, np.take_along_axis(summed, np.maximum(counts, 1)[:, None] - 1, axis=1)[:, 0], 0
        )
        best = max(best, float((2 * found / (counts + wanted)).mean()))
    return best


def measure(
    items: Items,
    asked: Sequence[tuple[str, list[int]]],
    embed_texts: Callable[[Sequence[str], str], NDArray[np.float32]],
    embed_pictures: Callable[[Sequence[bytes]], NDArray[np.float32]],
) -> dict[str, dict[str, float]]:
    """{what was searched: its figures}."""
    truth = np.zeros((len(asked), len(items.captions)), np.bool_)
    for number, (_, rows) in enumerate(asked):
        truth[number, rows] = True
    queries = embed_texts([text for text, _ in asked], "search_query")
    pictures = cosines(embed_pictures(items.pictures).astype(np.float16), queries).T
    captions = cosines(embed_texts(items.captions, "search_document").astype(np.float16), queries).T
    return {
        "pictures": figures([pictures], truth),
        "captions": figures([captions], truth),
        "both": figures([pictures, captions], truth),
    }
