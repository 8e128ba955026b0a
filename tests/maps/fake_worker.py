"""A real Celery worker for the fault tests: fake towers, and a stage that takes its time where it hurts most.

python -m tests.maps.fake_worker <folder for the beat> <stage that hangs, or "none">
"""

import ctypes
import signal
import sys
import time
from datetime import timedelta
from typing import Any

import django

django.setup()

from atlas.celery import app  # noqa: E402 - Django comes first
from atlas.maps import build, embed, labels, publish, run, towers  # noqa: E402
from atlas.maps.models import Space, Stage, Step  # noqa: E402
from atlas.maps.steps import Watch  # noqa: E402
from tests.maps.fake_towers import FakeModel  # noqa: E402

FOREVER = 600.0
PR_SET_PDEATHSIG = 1


def hang_after(module: Any, name: str) -> None:
    """Let the function do its work and never return."""
    good = getattr(module, name)

    def hanging(*args: Any, **kwargs: Any) -> None:
        good(*args, **kwargs)
        time.sleep(FOREVER)

    setattr(module, name, hanging)


def slow_down(stage: str) -> None:
    if stage == Stage.EMBED:
        fake = FakeModel(seconds=0.3)
        towers.model = lambda _: fake  # type: ignore[assignment]
    elif stage == Stage.PROJECT:
        good = run.VERBS[Stage.PROJECT]

        def project(step: Step, watch: Watch) -> None:
            good(step, watch)  # all is written, nobody is told
            time.sleep(FOREVER)

        run.VERBS[Stage.PROJECT] = project
    elif stage == Stage.TILES:
        hang_after(labels, "write_labels")  # a folder that is half full
    elif stage == Stage.PUBLISH:
        hang_after(publish, "_publish_map")  # the first map of three, inside the transaction


def main() -> None:
    folder, stage = sys.argv[1:]
    # A test run that is killed must not leave us behind.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    fake = FakeModel()
    towers.model = lambda _: fake  # type: ignore[assignment]
    embed.BATCH_ROWS.update({Space.IMAGE: 4, Space.CAPTION: 4})
    build.SILENCE = timedelta(seconds=3)
    build.MESSAGE_LOST = timedelta(seconds=3)
    slow_down(stage)
    app.conf.beat_schedule = {
        "rescue": {"task": "atlas.maps.tasks.rescue", "schedule": 1, "options": {"expires": 1}}
    }
    app.worker_main(
        ["worker", "--queues=embed,build", "--concurrency=2", "--beat", f"--schedule={folder}/beat",
         "--loglevel=info", "--without-mingle", "--without-gossip"]
    )  # fmt: skip


if __name__ == "__main__":
    main()
