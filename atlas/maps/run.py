"""A worker's turn at one step: claim it, do what its stage says, record how it ended."""

import logging
from collections.abc import Callable

from atlas.maps import embed, progress, publish, stages, writing
from atlas.maps.build import MAX_ATTEMPTS, BuildError, advance, build_newer_records, give_up
from atlas.maps.models import Stage, Step
from atlas.maps.projection import BadVectorError
from atlas.maps.steps import Stopped, Watch, claim, finish
from atlas.maps.towers import TowerError
from atlas.maps.work import Cancelled
from atlas.patience import AWAY, MAX_DEATHS, disk_is_full, once_the_database_answers

log = logging.getLogger(__name__)

VERBS: dict[str, Callable[[Step, Watch], None]] = {
    Stage.EMBED: embed.embed_shard,
    Stage.PROJECT: stages.project,
    Stage.TOPICS: stages.name_topics,
    Stage.TILES: writing.write_version,
    Stage.PUBLISH: publish.publish,
}


def run_step(step_id: int) -> None:
    """Does nothing where the step is not there to be taken. What its work raises is recorded, not raised."""
    step = claim(step_id)
    if step is None:
        return
    try:
        with Watch(step) as watch:
            VERBS[step.stage](step, watch)
        finish(step)
    except (Stopped, Cancelled):
        _let_go(step, "It was stopped.", again=True)
    except (BuildError, TowerError, BadVectorError) as error:
        _let_go(step, str(error), again=False)
    except AWAY as error:
        log.warning("step %s, attempt %s: %s", step, step.attempts, error)
        reason = _sentence(error) if disk_is_full(error) else "The database was away again and again."
        _let_go(step, reason, again=step.attempts < MAX_DEATHS)
    except Exception as error:
        log.exception("step %s, attempt %s", step, step.attempts)
        _let_go(step, _sentence(error), again=step.attempts < MAX_ATTEMPTS)
    once_the_database_answers(lambda: advance(step.build_id))
    progress.announce(step.build.dataset_id)
    if step.stage == Stage.PUBLISH:
        build_newer_records(step.build.dataset_id)


def _let_go(step: Step, reason: str, *, again: bool) -> None:
    once_the_database_answers(lambda: give_up(step, reason, again=again))


def _sentence(error: Exception) -> str:
    if disk_is_full(error):
        return "The server's disk is full."
    return "Something unexpected happened. The log of the workers says what."
