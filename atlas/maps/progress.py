"""How far a dataset is, from upload to ready map, as the pages show it."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Count, F, Max, Min, Q, Sum
from django.db.models.functions import Coalesce, Now

from atlas import events
from atlas.datasets.events import import_snapshot
from atlas.datasets.models import Dataset, State
from atlas.maps.models import Build, DataMap, Space, Stage
from atlas.maps.renaming import given_names

log = logging.getLogger(__name__)


def snapshot(dataset: Dataset) -> dict[str, Any]:
    """{"kind": "snapshot", "import": as `import_snapshot`, "build": as `build_snapshot`}"""
    return {
        "kind": "snapshot",
        "import": import_snapshot(dataset),
        "build": build_snapshot(dataset.pk),
    }


def without_reasons(event: dict[str, Any]) -> dict[str, Any]:
    """A snapshot or an event for those from whom something is hidden: why an import failed may quote it."""
    inner = event.get("import")
    if not isinstance(inner, dict):
        return event
    told = without_reasons(inner) if "import" in inner else {**inner, "error": ""}
    return {**event, "import": told}


def build_snapshot(dataset_id: UUID) -> dict[str, Any]:
    """The latest build of a dataset, and the maps that are shown.

    {"kind": "build",
     "build": {"id", "state", "append", "row_count", "error", "created_at", "finished_at"},
     "stages": [{"stage", "space", "name", "state", "done", "total", "rate", "seconds_left"}, …] in order,
     "maps": [{"id", "space", "version", "number", "layout", "count",
               "base_url"}, …]}

    `build` is None before the first one. `rate` is in records a second, of embedding only; `seconds_left` is
    None until it can be told.
    """
    build = Build.objects.filter(dataset=dataset_id).order_by("created_at").last()
    return {
        "kind": "build",
        "build": build and _build(build),
        "stages": _stages(build) if build else [],
        "maps": published_maps(dataset_id),
    }


def announce(dataset_id: UUID) -> None:
    """Tell the pages that watch a dataset. Never fails: news are not worth a step."""
    try:
        event = build_snapshot(dataset_id)
    except DatabaseError as error:
        log.warning("progress of dataset %s not announced: %s", dataset_id, error)
        return
    events.publish(dataset_id, event)


def published_maps(dataset_id: UUID) -> list[dict[str, Any]]:
    maps = DataMap.objects.filter(dataset=dataset_id, current__isnull=False).select_related("current")
    order = {space: place for place, space in enumerate(Space.values)}
    names = given_names(data_map.current_id for data_map in maps)
    return [
        {
            "id": str(data_map.pk),
            "space": data_map.space,
            "version": str(data_map.current_id),
            "number": data_map.current.number,
            "layout": str(data_map.current.layout),
            "count": data_map.current.count,
            "base_url": f"/maps/{data_map.pk}/{data_map.current_id}/",
            "renamed": names[data_map.current_id],
        }
        for data_map in sorted(maps, key=lambda each: order[each.space])
        if data_map.current
    ]


def _build(build: Build) -> dict[str, Any]:
    return {
        "id": str(build.pk),
        "state": build.state,
        "append": build.append,
        "row_count": build.row_count,
        "error": build.error,
        "created_at": build.created_at.isoformat(),
        "finished_at": build.finished_at and build.finished_at.isoformat(),
    }


def _stages(build: Build) -> list[dict[str, Any]]:
    started = Q(started_at__isnull=False)
    rows = (
        build.steps.values("stage", "space")
        .annotate(
            first=Min("id"),
            steps=Count("id"),
            queued=Count("id", filter=Q(state=State.QUEUED)),
            running=Count("id", filter=Q(state=State.RUNNING)),
            failed=Count("id", filter=Q(state=State.FAILED)),
            cancelled=Count("id", filter=Q(state=State.CANCELLED)),
            worked=Sum("done"),
            wanted=Sum("total"),
            # The time of all workers together, so that a pause between two steps is not in it.
            busy=Sum(Coalesce("finished_at", Now()) - F("started_at"), filter=started),
            last=Max("finished_at"),
        )
        .order_by("first")
    )
    return [_stage(row) for row in rows]


def _stage(row: Mapping[str, Any]) -> dict[str, Any]:
    stage = Stage(row["stage"])
    speed = _speed(row)
    left = row["wanted"] - row["worked"]
    return {
        "stage": stage,
        "space": row["space"] or None,
        "name": f"{stage.label}: {Space(row['space']).label.lower()}" if row["space"] else stage.label,
        "state": _state(row),
        "done": row["worked"],
        "total": row["wanted"],
        "rate": round(speed, 1) if speed and stage == Stage.EMBED else None,
        "seconds_left": round(left / speed) if speed else None,
    }


def _speed(row: Mapping[str, Any]) -> float | None:
    """Units a second of the workers that are at it now; None while nobody is or nothing is done yet."""
    busy: timedelta | None = row["busy"]
    if not row["running"] or not row["worked"] or not busy:
        return None
    return float(row["worked"] / busy.total_seconds() * row["running"])


def _state(row: Mapping[str, Any]) -> str:
    for state in (State.FAILED, State.CANCELLED, State.RUNNING):
        if row[state.value]:
            return state.value
    if row["queued"] == row["steps"]:
        return State.QUEUED.value
    return State.RUNNING.value if row["queued"] else State.DONE.value
