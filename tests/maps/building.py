"""Run builds inside a test: what Celery's workers would do, one step after the other."""

from collections.abc import Callable
from uuid import UUID

from atlas.datasets.models import State
from atlas.maps.build import OPEN, create_build
from atlas.maps.models import Build, Step
from atlas.maps.run import run_step


def sent_steps(build: Build) -> list[Step]:
    """The steps that lie in Celery's queues and would be taken from them."""
    waiting = build.steps.filter(state=State.QUEUED, sent_at__isnull=False, build__state__in=OPEN)
    return list(waiting.order_by("id"))


def work_off(build: Build, until: Callable[[Step], bool] = lambda _: False) -> Build:
    """Run what is sent until nothing is left, or `until` says of a step that it shall not be run any more."""
    while steps := sent_steps(build):
        if until(steps[0]):
            break
        run_step(steps[0].pk)
    build.refresh_from_db()
    return build


def make_maps(dataset_id: UUID, *, append: bool = False) -> Build:
    """A whole build."""
    build = work_off(create_build(dataset_id, append=append))
    assert build.state == State.DONE, build.error
    return build
