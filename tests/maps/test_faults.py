"""Real workers, really killed: the build finishes by itself, nothing is doubled or shown half made."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from atlas.datasets.models import Dataset, State
from atlas.maps.build import create_build, rescue
from atlas.maps.models import Build, DataMap, MapVersion, Space, Stage, Step
from atlas.patience import SILENCE
from tests.maps.records import add_records, make_dataset

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

COUNT = 40
SECONDS = 120.0
#: Of a worker.
PROCESSES = 2


@pytest.fixture
def dataset() -> Dataset:
    dataset = make_dataset()
    add_records(dataset, COUNT, pictures=True, captions=True)
    return dataset


@pytest.fixture(autouse=True)
def empty_queues() -> None:
    """What other tests sent is nobody's any more."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete("embed", "build")


@contextmanager
def worker(home: Path, hangs_at: str = "none") -> Iterator[subprocess.Popen[bytes]]:
    """A worker on the database of this test, in a process group of its own; killed after the block."""
    database = connection.settings_dict
    folder = quote(str(database["HOST"]), safe="")
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "atlas.settings",
        "ATLAS_HOME": str(home),
        "ATLAS_SECRET_KEY": settings.SECRET_KEY,
        "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={folder}",
        "REDIS_URL": settings.REDIS_URL,
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "tests.maps.fake_worker", str(home), hangs_at]
    with (home / f"worker-{hangs_at}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The worker and all its processes, without a word of warning."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(true: Callable[[], bool], home: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, "\n".join(log.read_text() for log in home.glob("worker-*.log"))
        time.sleep(0.05)


def is_done(build: Build) -> bool:
    build.refresh_from_db()
    assert build.state in (State.QUEUED, State.RUNNING, State.DONE), build.error
    return build.state == State.DONE


def vector_rows(dataset: Dataset) -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT space, row FROM maps_vector WHERE dataset_id = %s", [dataset.pk])
        return sorted(cursor.fetchall())


def is_under_way(build: Build, stage: str, home: Path) -> bool:
    """Whether the stage is in the middle, and no process of the worker is at another one."""
    steps = build.steps.filter(stage=stage)
    if stage == Stage.EMBED:
        running = steps.filter(state=State.RUNNING)
        return running.exists() and len(vector_rows(build.dataset)) >= 8
    return len(list(home.glob("hangs-*"))) == min(PROCESSES, steps.count())


def let_time_pass() -> None:
    """Until those who gave signs of life are taken for dead."""
    Step.objects.filter(state=State.RUNNING).update(heartbeat_at=timezone.now() - 2 * SILENCE)


@pytest.mark.parametrize("stage", [Stage.EMBED, Stage.PROJECT, Stage.TILES, Stage.PUBLISH])
def test_a_worker_killed_in_the_middle_costs_only_time(dataset: Dataset, home: Path, stage: Stage) -> None:
    build = create_build(dataset.pk, append=False)
    with worker(home, hangs_at=stage) as first:
        wait_until(lambda: is_under_way(build, stage, home), home)
        kill(first)
    assert not MapVersion.objects.exists()
    assert not DataMap.objects.filter(current__isnull=False).exists()
    let_time_pass()

    with worker(home):
        wait_until(lambda: is_done(build), home)

    expected = [(space.value, row) for space in (Space.CAPTION, Space.IMAGE) for row in range(COUNT)]
    assert vector_rows(dataset) == expected
    maps = DataMap.objects.filter(dataset=dataset).select_related("current__map")
    assert {(each.space, each.current and each.current.count) for each in maps} == {
        (space.value, COUNT) for space in Space
    }
    assert MapVersion.objects.count() == 3
    assert max(build.steps.filter(stage=stage).values_list("attempts", flat=True)) == 2
    assert max(build.steps.exclude(stage=stage).values_list("attempts", flat=True)) == 1
    folders = {path.name for path in (home / "maps" / str(dataset.pk)).iterdir()}
    assert folders >= {str(each.pk) for each in MapVersion.objects.all()}


def test_a_worker_killed_alone_is_replaced_and_its_step_taken_up(dataset: Dataset, home: Path) -> None:
    """The processes that work die, as when memory runs out; their parent starts others."""
    build = create_build(dataset.pk, append=False)
    with worker(home, hangs_at=Stage.EMBED) as running:
        wait_until(lambda: is_under_way(build, Stage.EMBED, home), home)
        for child in children(running.pid):
            os.kill(child, signal.SIGKILL)
        let_time_pass()

        def is_rescued() -> bool:
            rescue()  # the beat was one of the children
            return is_done(build)

        wait_until(is_rescued, home)

    assert len(vector_rows(dataset)) == 2 * COUNT


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def test_messages_that_redis_lost_are_sent_again(dataset: Dataset, home: Path) -> None:
    build = create_build(dataset.pk, append=False)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert client.llen("embed")
        client.delete("embed", "build")

    with worker(home):
        wait_until(lambda: is_done(build), home)

    assert len(vector_rows(dataset)) == 2 * COUNT
