"""Our projection beside umap-learn's defaults, and the tile writer: `python -m atlas.maps.benchmark --help`.

Each method runs in a process of its own on the same planted vectors (200 clusters in 20 groups, noise around
each), first on a few thousand of them so that compiling is counted apart. CPU seconds are of all threads:
they and their ratios can be trusted on a busy machine, wall time cannot. Quality is measured on a sample,
exactly: the share of a point's 15 nearest vectors among its 15 nearest on the map, trustworthiness at 15, and
how many random triplets keep their order.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float32]
Figures = dict[str, float]

K = 15
WARM_UP = 4500  # umap-learn takes another path below 4,096
SAMPLE = 2000


def planted(n: int, dimensions: int, seed: int = 0) -> Floats:
    """Unit vectors (n, dimensions) in 20 groups of 10 clusters, each a noisy sheet of 6 dimensions."""
    random = np.random.default_rng(seed)
    groups = random.standard_normal((20, 1, dimensions))
    centres = (groups + 0.7 * random.standard_normal((20, 10, dimensions))).reshape(200, dimensions)
    sheets = random.standard_normal((200, 6, dimensions)) / np.sqrt(6)
    label = random.choice(200, n, p=random.dirichlet(np.full(200, 2.0)))
    vectors = np.empty((n, dimensions), np.float32)
    for start in range(0, n, 4096):
        of = label[start : start + 4096]
        sheet = np.einsum("nk,nkd->nd", random.standard_normal((len(of), 6)), sheets[of])
        part = centres[of] + 0.35 * sheet + 0.55 * random.standard_normal((len(of), dimensions))
        vectors[start : start + 4096] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def quality(vectors: Floats, coordinates: Floats) -> Figures:
    """np15, trustworthiness@15 and triplets of a map, each 0…1."""
    n = len(vectors)
    random = np.random.default_rng(0)
    asked = random.choice(n, min(SAMPLE, n), replace=False)
    shown = cKDTree(coordinates).query(coordinates[asked], K + 1)[1]
    kept, penalty = 0.0, 0.0
    for row, near in zip(asked, shown, strict=True):
        near = near[near != row][:K]
        likeness = vectors @ vectors[row]
        likeness[row] = np.inf
        ranks = (likeness[None, :] > likeness[near, None]).sum(axis=1)  # 1 is the nearest other
        kept += float((ranks <= K).mean())
        penalty += float(np.maximum(ranks - K, 0).sum())
    a, b, c = random.integers(0, n, (3, 50_000))
    truly = np.einsum("nd,nd->n", vectors[a], vectors[b] - vectors[c]) > 0
    drawn = np.linalg.norm(coordinates[a] - coordinates[b], axis=1) < np.linalg.norm(
        coordinates[a] - coordinates[c], axis=1
    )
    return {
        "np15": kept / len(asked),
        "trustworthiness": 1 - 2 * penalty / (len(asked) * K * (2 * n - 3 * K - 1)),
        "triplets": float((truly == drawn).mean()),
    }


def fit_umap(vectors: Floats) -> Floats:
    """umap-learn with its defaults: many threads, another result each time. Cosine, as embeddings want."""
    import umap  # compiles for seconds at import, and only here is it needed

    coordinates: Floats = umap.UMAP(metric="cosine").fit_transform(vectors)
    return coordinates


def fit_umap_seeded(vectors: Floats) -> Floats:
    """umap-learn as one must run it for the same map each time: one thread."""
    import umap

    coordinates: Floats = umap.UMAP(metric="cosine", random_state=0, n_jobs=1).fit_transform(vectors)
    return coordinates


def fit_ours(vectors: Floats) -> Floats:
    from atlas.maps.projection import project

    return project(vectors).coordinates


METHODS: dict[str, Callable[[Floats], Floats]] = {
    "umap-learn": fit_umap,
    "umap-learn seeded": fit_umap_seeded,
    "atlas": fit_ours,
}


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _measure(name: str, n: int, dimensions: int, answer: Connection) -> None:
    vectors = planted(n, dimensions)
    fit = METHODS[name]
    before = cpu_seconds()
    fit(vectors[:WARM_UP])
    if name == "atlas":
        _compile_descent(vectors[:WARM_UP])
    warmed = cpu_seconds()
    coordinates = fit(vectors)
    done = cpu_seconds()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    figures = {"warm-up CPU s": warmed - before, "CPU s": done - warmed, "peak GB": peak}
    answer.send(figures | quality(vectors, coordinates))


def _compile_descent(vectors: Floats) -> None:
    from atlas.maps.descent import descend
    from atlas.maps.work import Work

    with Work() as work:
        descend(vectors, vectors[:, :8], K - 1, work, 0)


def _measure_tiles(n: int, answer: Connection) -> None:
    from atlas.maps.codes import Column
    from atlas.maps.tiles import write_tiles

    random = np.random.default_rng(0)
    centres = random.normal(size=(200, 2)) * 10
    topic = random.integers(0, 200, n)
    coordinates = (centres[topic] + random.normal(size=(n, 2))).astype(np.float32)
    column = Column.topics("Topic", topic.astype(np.int32))
    with tempfile.TemporaryDirectory() as folder:
        before = cpu_seconds()
        tiles = write_tiles(
            coordinates,
            random.permutation(n).astype(np.uint32),
            {"topic-0": column},
            Path(folder),
            embedded="topic-0",
        )
        spent = cpu_seconds() - before
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.atm"))
        manifest = (Path(folder) / "manifest.json").stat().st_size
    answer.send(
        {
            "CPU s": spent,
            "tiles": tiles.tiles,
            "tiles/s": tiles.tiles / spent,
            "points/s": n / spent,
            ".atm bytes/point": size / n,
            "manifest KB": manifest / 1024,
        }
    )


class Ear:
    """Notes the longest time between two words of a piece of work, which is also how long it may not hear a
    cancel: every word asks."""

    def __init__(self) -> None:
        self.figures: Figures = {"s": 0.0, "CPU s": 0.0}
        self._last = time.perf_counter(), cpu_seconds()

    def word(self) -> None:
        now = time.perf_counter(), cpu_seconds()
        for name, since, at in zip(self.figures, self._last, now, strict=True):
            self.figures[name] = max(self.figures[name], at - since)
        self._last = now

    def asked(self) -> bool:
        self.word()
        return False


def _measure_silences(n: int, dimensions: int, answer: Connection) -> None:
    from atlas.maps.codes import Column
    from atlas.maps.projection import project
    from atlas.maps.tiles import drawing_order, write_tiles
    from atlas.maps.topics import find_topics

    vectors = planted(n, dimensions)
    project(vectors[:WARM_UP])
    _compile_descent(vectors[:WARM_UP])
    captions = [f"A thing of group {at % 977}, number {at}" for at in range(n)]
    ears = {"projection": Ear()}
    coordinates = project(vectors, cancelled=ears["projection"].asked).coordinates
    ears["projection"].word()
    ears["topics"] = Ear()
    found = find_topics(coordinates, vectors, captions, report=lambda _done, _total: ears["topics"].word())
    ears["topics"].word()
    ears["tiles"] = Ear()
    with tempfile.TemporaryDirectory() as folder:
        rank = drawing_order(n, seed=0, first=np.array([topic.row for topic in found.topics], np.int64))
        columns = {"topic-0": Column.topics("Topic", found.ids[0])}
        heard = ears["tiles"].word
        write_tiles(coordinates, rank, columns, Path(folder), report=lambda _done, _total: heard())
        heard()
    answer.send(
        {f"{name} {figure}": value for name, ear in ears.items() for figure, value in ear.figures.items()}
    )


def in_own_process(function: Callable[..., None], *arguments: Any) -> Figures:
    """Figures that a function sends from a fresh process, so that peaks and compiled code are its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=function, args=(*arguments, theirs))
    process.start()
    theirs.close()
    try:
        figures: Figures = ours.recv()
    except EOFError:
        raise RuntimeError(f"{function.__name__}{arguments} ended without an answer") from None
    finally:
        process.join()
    return figures


def show(title: str, rows: dict[str, Figures]) -> None:
    heads = list(next(iter(rows.values())))
    print(f"\n{title}\n{'':<24}" + "".join(f"{head:>17}" for head in heads))
    for name, figures in rows.items():
        print(f"{name:<24}" + "".join(f"{figures[head]:>17.4g}" for head in heads), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 30_000])
    parser.add_argument("--dimensions", type=int, default=768)
    parser.add_argument("--methods", nargs="*", choices=list(METHODS), default=["umap-learn", "atlas"])
    parser.add_argument("--tiles", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--silences", type=int, default=100_000)
    asked = parser.parse_args()
    for n in asked.sizes:
        rows = {name: in_own_process(_measure, name, n, asked.dimensions) for name in asked.methods}
        if "atlas" in rows:
            ours = rows["atlas"]
            rows |= {
                f"{name} / atlas": {head: value / ours[head] for head, value in figures.items()}
                for name, figures in rows.items()
                if name != "atlas"
            }
        show(f"{n:,} vectors of {asked.dimensions} dimensions", rows)
    if asked.silences:
        n = asked.silences
        show("longest silences", {f"{n:,} points": in_own_process(_measure_silences, n, asked.dimensions)})
    if asked.tiles:
        show("tiles", {f"{n:,} points": in_own_process(_measure_tiles, n) for n in asked.tiles})
    sys.stdout.flush()


if __name__ == "__main__":
    main()
