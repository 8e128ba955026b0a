"""A real Celery worker for the fault tests: fake towers, a layout without UMAP, whose machine code takes each
process seconds to load, and a stage that takes its time where it hurts most.

python -m tests.maps.fake_worker <its folder> <stage that hangs, or "none">

Each process of it that hangs leaves a file `hangs-<process id>` in the folder.
"""

import ctypes
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import django
import numpy as np

django.setup()

from atlas.celery import app  # noqa: E402 - Django comes first
from atlas.maps import build, embed, labels, projection, publish, run, towers  # noqa: E402
from atlas.maps.models import Space, Stage, Step  # noqa: E402
from atlas.maps.steps import Watch  # noqa: E402
from tests.maps.fake_towers import FakeModel  # noqa: E402

FOREVER = 600.0
PR_SET_PDEATHSIG = 1


def hang(folder: Path) -> NoReturn:
    (folder / f"hangs-{os.getpid()}").touch()
    time.sleep(FOREVER)
    raise AssertionError("nobody killed this worker")


def hang_after(module: Any, name: str, folder: Path) -> None:
    """Let the function do its work and never return."""
    good = getattr(module, name)

    def hanging(*args: Any, **kwargs: Any) -> None:
        good(*args, **kwargs)
        hang(folder)

    setattr(module, name, hanging)


def lay_out(vectors: projection.Vectors, **_: Any) -> projection.Projection:
    """As `projection.project`: any place will do, and the neighbours are the true ones."""
    unit = np.asarray(vectors, np.float32)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    np.fill_diagonal(distances, -1)  # the row itself comes first
    neighbours = np.argsort(distances, axis=1)[:, :15].astype(np.int32)
    near = np.maximum(np.take_along_axis(distances, neighbours, axis=1), 0)
    return projection.Projection(unit[:, :2].copy(), neighbours, near, np.ones(len(unit), np.float32))


def slow_down(stage: str, folder: Path) -> None:
    if stage == Stage.EMBED:
        fake = FakeModel(seconds=0.3)
        towers.model = lambda _: fake  # type: ignore[assignment, return-value]
    elif stage == Stage.PROJECT:
        good = run.VERBS[Stage.PROJECT]

        def project(step: Step, watch: Watch) -> None:
            good(step, watch)  # all is written, nobody is told
            hang(folder)

        run.VERBS[Stage.PROJECT] = project
    elif stage == Stage.TILES:
        hang_after(labels, "write_labels", folder)  # a folder that is half full
    elif stage == Stage.PUBLISH:
        hang_after(publish, "_publish_map", folder)  # the first map of three, inside the transaction


def main() -> None:
    folder, stage = sys.argv[1:]
    # A test run that is killed must not leave us behind.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    fake = FakeModel()
    towers.model = lambda _: fake  # type: ignore[assignment, return-value]
    projection.project = lay_out
    embed.BATCH_ROWS.update({Space.IMAGE: 4, Space.CAPTION: 4})
    build.MESSAGE_LOST = timedelta(seconds=3)
    slow_down(stage, Path(folder))
    app.conf.beat_schedule = {
        "rescue": {"task": "atlas.maps.tasks.rescue", "schedule": 1, "options": {"expires": 1}}
    }
    app.worker_main(
        ["worker", "--queues=embed,build", "--concurrency=2", "--beat", f"--schedule={folder}/beat",
         "--loglevel=info", "--without-mingle", "--without-gossip"]
    )  # fmt: skip


if __name__ == "__main__":
    main()
