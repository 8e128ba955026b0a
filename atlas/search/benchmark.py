"""How fast and how good the search is: `python -m atlas.search.benchmark`.

Speed: starts the whole system in a folder of its own, plants records with vectors, and asks over HTTP as a
page does: one after the other; twenty at a time, each without a pause, as programs ask; and twenty who each
look at an answer for a second or so, as people do. `cpu ms` is processor time, of one request or of one scan:
it hardly depends on what else the machine does. Beside it, in the same run: the scan alone, with one vector
and with eight together; numpy over the same matrix, in float32 and from float16; pgvector's HNSW at three
ef_search. Recall is counted against numpy in double precision; a row that is as near as the tenth but for a
millionth counts. Most of the run is the building of that graph over a million vectors.

Relevance: `--relevance FILE.tar,…:COLUMN,… …` on sets with known truth, see `relevance.py`; the sample of the
project where none is named.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from atlas.benchmark import ROOT, Env, peaks_of, processor_seconds, running_system
from atlas.datasets.demo import SAMPLE

QUERIES, SEARCHERS, K = 100, 20, 10
#: One searcher and the twenty take turns, so that both meet the machine as it is, fast or slow.
ROUNDS = 5
#: Of each of the twenty in a round: after a few the line is as long as it gets.
EACH = 15
#: Of the people: how long one looks at an answer, on average.
LOOK_SECONDS = 1.0
EF_SEARCH = (40, 100, 400)
#: What single precision cannot tell apart; half precision, in which the vectors are kept, far less.
TIE = 1e-6
#: The server ends connections that are quiet for five seconds.
PATIENCE = 2
CLUSTERS, CHUNK = 300, 50_000
WORDS = "red green blue old new small large round wild sweet fruit bird house ship stone river night"


# --- inside the measured system ---


def planted(n: int, dimensions: int) -> Iterator[NDArray[np.float32]]:
    """n vectors around centres of different sizes, some thousand at a time."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(CLUSTERS, dimensions)).astype(np.float32)
    shares = rng.dirichlet(np.full(CLUSTERS, 0.5))
    for start in range(0, n, CHUNK):
        count = min(CHUNK, n - start)
        near = centres[rng.choice(CLUSTERS, count, p=shares)]
        yield near + rng.normal(scale=0.9, size=near.shape).astype(np.float32)


def plant(n: int, dimensions: int, model: str) -> str:
    """A public dataset with one ready map; the tower's own dimensions where `model` is one."""
    from django.db import connection

    from atlas.datasets.models import Dataset, State, Visibility
    from atlas.maps.models import Build, DataMap, MapVersion, Space, VectorSet
    from atlas.maps.towers import maker
    from atlas.maps.vectors import create_partition, open_matrix, store
    from atlas.teams.people import create_person

    name = f"bench-{n}-{dimensions}-{model}"
    dataset = Dataset.objects.create(
        team=create_person(f"{name}@example.org", "for this run only").teams.get(),
        name=name,
        slug=name,
        model=model or "mini",
        visibility=Visibility.PUBLIC,
        row_count=n,
        vector_size=None if model else dimensions,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH list AS (SELECT string_to_array(%s, ' ') AS w) "
            "INSERT INTO datasets_record (dataset_id, row, source, caption, captions, values)"
            " SELECT %s, row, 'bench.zip/' || row || '.jpg', words, jsonb_build_array(words), '{}'"
            " FROM (SELECT row, concat_ws(' ', w[1 + row %% 17], w[1 + row / 17 %% 17],"
            " w[1 + row / 289 %% 17]) AS words FROM generate_series(0, %s) AS row, list) AS made",
            [WORDS, dataset.pk, n - 1],
        )
    # Said to be indexed: else the system would make an index of its own of a large set, meanwhile.
    VectorSet.objects.create(dataset=dataset, space=Space.IMAGE, indexed_count=n, **maker(dataset))
    create_partition(dataset.pk)
    start = 0
    for vectors in planted(n, dimensions):
        store(dataset.pk, Space.IMAGE, np.arange(start, start + len(vectors)), vectors)
        start += len(vectors)
    open_matrix(dataset.pk, Space.IMAGE, n)  # as a build leaves it
    build = Build.objects.create(dataset=dataset, row_count=n, state=State.DONE)
    shown = DataMap.objects.create(dataset=dataset, space=Space.IMAGE)
    version = MapVersion.objects.create(map=shown, build=build, number=1, count=n)
    DataMap.objects.filter(pk=shown.pk).update(current=version)
    version.folder.mkdir(parents=True)
    for file in ("rows.bin", "ordinals.bin"):
        np.arange(n, dtype="<u4").tofile(version.folder / file)
    np.random.default_rng(1).random((n, 2), np.float32).tofile(version.folder / "points.bin")
    return json.dumps({"dataset": str(dataset.pk), "map": str(shown.pk)})


def beside(dataset_id: str, hits: dict[str, list[int]]) -> str:
    """The same questions asked of numpy and of pgvector; `hits` are the answers to rows over HTTP."""
    from atlas.datasets.models import Dataset
    from atlas.maps.models import Space
    from atlas.maps.vectors import open_matrix

    pk = UUID(dataset_id)
    count = Dataset.objects.get(pk=pk).row_count
    matrix = np.array(open_matrix(pk, Space.IMAGE, count).vectors)
    rows = [int(row) for row in hits]
    queries = matrix[rows].astype(np.float64)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    exact = Exact.of(matrix, queries)
    figures = {"recall": exact.recall(list(hits.values()))}
    figures |= _scans(matrix, queries.astype(np.float32))
    return json.dumps(figures | _hnsw(pk, matrix.shape[1], rows, exact))


def _scans(matrix: NDArray[np.float16], queries: NDArray[np.float32]) -> dict[str, float]:
    """Ours, and what there is without it. One thread each: processor time is then what one query takes."""
    from threadpoolctl import threadpool_limits

    from atlas.search.scan import cosines

    plain = matrix.astype(np.float32)
    few = queries[:24]
    ways: dict[str, Callable[[], Any]] = {
        "scan alone": lambda: [cosines(matrix, each[None]) for each in few],
        "scan, 8 together": lambda: [cosines(matrix, few[first : first + 8]) for first in range(0, 24, 8)],
        "numpy, float32": lambda: [plain @ each for each in few],
        "numpy, from float16": lambda: [matrix.astype(np.float32) @ each for each in few],
    }
    figures = {"numpy MB": plain.nbytes / 2**20}
    with threadpool_limits(1):
        for name, way in ways.items():
            way()
            began = time.process_time()
            way()
            figures[f"{name} cpu ms"] = (time.process_time() - began) / len(few) * 1000
    return figures


@dataclass(frozen=True)
class Exact:
    """Cosines (N, Q) of all rows with the queries, in double precision, and (Q,) the K-th highest of each."""

    cosines: NDArray[np.float64]
    bars: NDArray[np.float64]

    @classmethod
    def of(cls, matrix: NDArray[np.float16], queries: NDArray[np.float64]) -> "Exact":
        cosines = np.empty((len(matrix), len(queries)))
        for start in range(0, len(matrix), CHUNK):
            cosines[start : start + CHUNK] = matrix[start : start + CHUNK].astype(np.float64) @ queries.T
        return cls(cosines, np.partition(cosines, -K, axis=0)[-K])

    def recall(self, found: Sequence[Sequence[int]]) -> float:
        """The share of the K nearest rows that is found of each query, on average."""
        good = [
            int((self.cosines[list(set(rows)), number] >= self.bars[number] - TIE).sum()) / K
            for number, rows in enumerate(found)
        ]
        return float(np.mean(good))


def _hnsw(pk: UUID, dimensions: int, rows: Sequence[int], exact: Exact) -> dict[str, float]:
    from django.db import connection, transaction

    from atlas.maps.vectors import TABLE

    table, kind = f"{TABLE}_{pk.hex}", f"halfvec({dimensions})"
    vectors = f"vector::{kind}"
    figures: dict[str, float] = {}
    with connection.cursor() as cursor:
        # Enough for the graph of a million: the disk would make it several times slower.
        cursor.execute("SET maintenance_work_mem = '2GB'")
        began = time.perf_counter()
        cursor.execute(f"CREATE INDEX bench ON {table} USING hnsw (({vectors}) halfvec_cosine_ops)")
        figures["hnsw build s"] = time.perf_counter() - began
        cursor.execute("SELECT pg_relation_size('bench')")
        figures["hnsw MB"] = cursor.fetchone()[0] / 2**20
        for ef in EF_SEARCH:
            took, found = [], []
            with transaction.atomic():
                # As `nearest_by_index`: with 400 the planner would scan and sort instead.
                cursor.execute(f"SET LOCAL hnsw.ef_search = {ef}; SET LOCAL enable_sort = off")
                for row in rows:
                    cursor.execute(f"SELECT vector::text FROM {table} WHERE row = {row} AND space = 'image'")  # noqa: S608
                    [vector] = cursor.fetchone()
                    began = time.perf_counter()
                    cursor.execute(
                        f"SELECT row FROM {table} WHERE space = 'image'"  # noqa: S608
                        f" ORDER BY {vectors} <=> %s::{kind} LIMIT {K}",
                        [vector],
                    )
                    found.append([each for (each,) in cursor.fetchall()])
                    took.append(time.perf_counter() - began)
            figures |= _spread(f"hnsw ef {ef}", took) | {f"hnsw ef {ef} recall": exact.recall(found)}
        cursor.execute("DROP INDEX bench")  # the next size makes its own
    return figures


# --- from outside ---


class Visitor:
    """Nobody in particular, on one connection that stays open."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=600)
        self.last = 0.0

    def post(self, path: str, body: Any) -> bytes:
        if time.monotonic() - self.last > PATIENCE:
            self.connection.close()
        self.last = time.monotonic()
        self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        content = response.read()
        if response.status != http.client.OK:
            raise SystemExit(f"{path}: {response.status} {content[:500]!r}")
        return content


def speed(url: str, env: Env, process: int, n: int, dimensions: int, model: str) -> dict[str, float]:
    made = json.loads(_inside(env, "plant", n, dimensions, model))
    path = f"/api/datasets/{made['dataset']}/search"
    visitor, rng = Visitor(url), np.random.default_rng(11)
    rows = rng.choice(n, QUERIES + 1, replace=False).tolist()
    figures = {"first answer s": _asked(visitor, path, [near(rows.pop())])[0][0]}
    took, _ = _asked(visitor, f"/api/maps/{made['map']}/glow", [near(row) for row in rows[:20]])
    figures |= _spread("glow", took)
    found, answers = in_turns(url, process, path, "", cycle([near(row) for row in rows]))
    hits = {
        row: [hit["row"] for hit in json.loads(each)["hits"][:K]]
        for row, each in zip(rows, answers, strict=True)
    }
    figures |= found
    if model:
        texts = [" ".join(words) for words in product(WORDS.split(), repeat=3)]
        rng.shuffle(texts)
        figures |= in_turns(url, process, path, ", new words", iter([meant(text) for text in texts]))[0]
        for name, mode in (("words, again", "meaning"), ("best, again", "best")):
            asked = [{**meant(text), "mode": mode} for text in texts[:QUERIES]]
            figures |= _spread(name, _asked(visitor, path, asked)[0])
    figures |= json.loads(_inside(env, "beside", made["dataset"], stdin=json.dumps(hits)))
    return figures


def near(row: int) -> Any:
    return {"parts": [{"row": row}], "against": "pictures", "limit": 500}


def meant(text: str) -> Any:
    return {"parts": [{"text": text}], "mode": "meaning", "limit": 500}


def in_turns(
    url: str, process: int, path: str, kind: str, questions: Iterator[Any]
) -> tuple[dict[str, float], list[bytes]]:
    """One searcher and many at a time; the figures, and what the one was answered to the first questions."""
    mine = list(islice(questions, QUERIES))
    answers: list[bytes] = []
    one: list[float] = []
    many: list[list[float]] = []
    spent: Counter[str] = Counter()

    def search(_: int) -> list[float]:
        return _asked(Visitor(url), path, list(islice(questions, EACH + 1)))[0]

    visitor = Visitor(url)
    for first in range(0, QUERIES, QUERIES // ROUNDS):
        took, found = _asked(visitor, path, mine[first : first + QUERIES // ROUNDS])
        one += took
        answers += found
        spent.subtract(_spent(process))
        with ThreadPoolExecutor(SEARCHERS) as pool:
            many += pool.map(search, range(SEARCHERS))
        spent.update(_spent(process))
    alone, name, people = f"one searcher{kind}", f"{SEARCHERS} searchers{kind}", f"{SEARCHERS} people{kind}"
    figures = _spread(alone, one) | _spread(name, [each for took in many for each in took[1:]])
    figures |= _spread(people, _people(url, path, questions))
    for each in (name, people):
        figures[f"{each} p95, of one"] = figures[f"{each} p95 ms"] / figures[f"{alone} p95 ms"]
    for part in ("web", "query worker", "Postgres", "Redis", "this client"):
        figures[f"  {part} cpu ms{kind}"] = spent[part] / sum(map(len, many)) * 1000
    # As with one, the first answers are apart: the system opens what connections it needs for so many.
    return figures | {f"{name}, slowest first answer s": max(took[0] for took in many)}, answers


def _people(url: str, path: str, questions: Iterator[Any]) -> list[float]:
    """Seconds to each answer; they come and go independently of each other (exponential pauses)."""

    def search(number: int) -> list[float]:
        pauses = np.random.default_rng(number).exponential(LOOK_SECONDS, EACH)
        visitor, seconds = Visitor(url), []
        for body, pause in zip(islice(questions, EACH), pauses, strict=True):
            time.sleep(pause)
            seconds += _asked(visitor, path, [body])[0]
        return seconds

    with ThreadPoolExecutor(SEARCHERS) as pool:
        return [each for took in pool.map(search, range(SEARCHERS)) for each in took]


def _spent(process: int) -> dict[str, float]:
    """Seconds of the processors until now."""
    return {**processor_seconds(process), "this client": time.process_time()}


def _asked(visitor: Visitor, path: str, bodies: Sequence[Any]) -> tuple[list[float], list[bytes]]:
    """Seconds from each request to its whole answer, and the answers, which nobody reads meanwhile: it would
    take the system's processors."""
    seconds, answers = [], []
    for body in bodies:
        began = time.perf_counter()
        answers.append(visitor.post(path, body))
        seconds.append(time.perf_counter() - began)
    return seconds, answers


def _spread(name: str, seconds: Sequence[float]) -> dict[str, float]:
    middle, high = np.quantile(seconds, (0.5, 0.95)) * 1000
    return {f"{name} p50 ms": float(middle), f"{name} p95 ms": float(high)}


def _inside(env: Env, *verb: object, stdin: str = "") -> str:
    command = [sys.executable, "-m", "atlas.search.benchmark", "--inside", *(str(each) for each in verb)]
    done = subprocess.run(
        command, cwd=ROOT, env=env, input=stdin, stdout=subprocess.PIPE, check=True, text=True
    )
    return done.stdout


def measure_speed(sizes: Sequence[str]) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the services of root run as another user
        table = {}
        with running_system(folder) as (url, env, process):
            for size in sizes:
                count, dimensions, *model = size.split("x")
                with peaks_of(process, seconds=3) as peaks:
                    table[size] = speed(url, env, process, int(count), int(dimensions), *(model or [""]))
                table[size] |= {"query worker MB": peaks["query worker"], "web MB": peaks["web"]}
    return table


# --- relevance ---


def measure_relevance(named: Sequence[str], model: str) -> dict[str, dict[str, float]]:
    """{set: its figures}, and the mean over the sets."""
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the services of root run as another user
        with running_system(folder) as (_, env, _):
            table = {each: json.loads(_inside(env, "relevance", each, model)) for each in named}
    names = list(next(iter(table.values())))
    return table | {"mean": {name: float(np.mean([table[each][name] for each in table])) for name in names}}


def relevance_of(named: str, model: str) -> str:
    from atlas.search import relevance

    items, asked = relevance.read_set(named)
    wanted = np.median([len(rows) for _, rows in asked])
    print(
        f"{named}: {len(items.captions)} records, {len(asked)} queries, half want {wanted:.0f} or more",
        file=sys.stderr,
    )
    return json.dumps(relevance.measure(relevance.plant(uuid4().hex, items, model), asked))


def show_lines(table: dict[str, dict[str, float]]) -> None:
    """A line for each; the names of the figures above."""
    print(" " * 40 + "".join(f"{name:>20}" for name in table["mean"]))
    for line, figures in table.items():
        files, _, truth = line.rpartition(":")
        name = " ".join(Path(each).name for each in (files.partition(",")[0], truth) if each)
        print(f"{name[-40:]:40}" + "".join(f"{figure:20.3f}" for figure in figures.values()))


def show(table: dict[str, dict[str, float]]) -> None:
    names = list(dict.fromkeys(name for figures in table.values() for name in figures))
    print(f"{'':24}" + "".join(f"{column:>18}" for column in table))
    for name in names:
        cells = [f"{figures[name]:18.3f}" if name in figures else f"{'–':>18}" for figures in table.values()]
        print(f"{name:24}" + "".join(cells))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sizes", nargs="*", default=["100000x768", "100000x384xmini", "1000000x256"],
        help="records x dimensions, and x the model whose tower turns words into vectors",
    )  # fmt: skip
    parser.add_argument("--relevance", nargs="*", metavar="FILES:TRUTH", help="measure relevance instead")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--inside", nargs="*", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        import django

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas.settings")
        django.setup()
        verb, *values = asked.inside
        if verb == "plant":
            print(plant(int(values[0]), int(values[1]), *(values[2:] or [""])))
        elif verb == "relevance":
            print(relevance_of(*values))
        else:
            print(beside(values[0], json.load(sys.stdin)))
    elif asked.relevance is not None:
        show_lines(measure_relevance(asked.relevance or [f"{SAMPLE}:subgroup,keywords"], asked.model))
    else:
        show(measure_speed(asked.sizes))


if __name__ == "__main__":
    main()
