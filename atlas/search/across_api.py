"""One search over all datasets that the asker may see, over JSON."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from ninja import Router

from atlas import clock
from atlas.datasets.access import datasets_for
from atlas.datasets.models import Dataset, Record
from atlas.maps.models import DataMap
from atlas.search import across, asking, tasks
from atlas.search.api import checked, parked
from atlas.search.limits import count_search
from atlas.search.query import Query
from atlas.search.replies import WorkerAwayError
from atlas.search.schemas import AcrossIn, AcrossOut
from atlas.teams.asker import asker_of

router = Router(tags=["search"])

#: The newest; a page with more groups than that would help nobody.
MOST_DATASETS = 100
#: Longer than until the last dataset is begun the worker is waited for.
LAST_SECONDS = 2.0
#: Until then the last dataset is begun whose words Postgres looks up. A browser waits for 30 in all.
WORDS_SECONDS = 10.0


@router.post("/search", response=AcrossOut)
def search_across(request: HttpRequest, body: AcrossIn) -> dict[str, Any]:
    count_search(request)
    asker = asker_of(request)
    datasets = list(datasets_for(asker).filter(maps__current__isnull=False).distinct())
    by_id = {str(dataset.pk): dataset for dataset in datasets}
    wanted, skipped = _searchable(datasets, needs_tower=body.mode != "words")
    # Where there is nothing to search nothing is fetched either.
    with parked(asker, body.parts if wanted else ()) as parts:
        found, mode, away = _answer(wanted, Query(parts, body.against, body.limit, mode=body.mode))
    return {
        "groups": [
            {**group, "dataset": _name(by_id[group["id"]]), "hits": _shown(by_id[group["id"]], group["hits"])}
            for group in found["groups"]
        ],
        "skipped": [
            {"dataset": _name(by_id[each["id"]]), "reason": each["reason"]}
            for each in [*skipped, *found["skipped"]]
        ],
        "mode": mode,
        "away": away,
    }


def _searchable(
    datasets: list[Dataset], *, needs_tower: bool
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """What the worker is told of each dataset, and what is left out, with the reason.

    One model is warm: to load another for each dataset would take the time of everybody who searches.
    """
    counts = _row_counts(datasets)
    wanted: list[dict[str, Any]] = []
    skipped: list[dict[str, str]] = []
    models = {dataset.model for dataset in datasets}
    model = settings.ATLAS_MODEL if settings.ATLAS_MODEL in models or not datasets else datasets[0].model
    for dataset in datasets:
        if needs_tower and dataset.model != model and not dataset.vector_size:
            reason = f"It was embedded by another model ({dataset.model})."
        elif len(wanted) == MOST_DATASETS:
            reason = f"Only the newest {MOST_DATASETS} datasets are searched together."
        else:
            hidden = not vars(dataset)["sees_captions"]
            wanted.append({"id": str(dataset.pk), "row_count": counts[dataset.pk], "captions": not hidden})
            continue
        skipped.append({"id": str(dataset.pk), "reason": reason})
    return wanted, skipped


def _row_counts(datasets: list[Dataset]) -> dict[UUID, int]:
    """{dataset: records that its maps were built from}."""
    maps = DataMap.objects.filter(dataset__in=datasets, current__isnull=False)
    return dict(maps.values_list("dataset_id", "current__build__row_count"))


def _answer(wanted: list[dict[str, Any]], query: Query) -> tuple[dict[str, Any], str, bool]:
    if not wanted:
        return {"groups": [], "skipped": []}, query.mode, False
    if query.mode == "words":
        return across.answer(wanted, query, clock.now() + WORDS_SECONDS), "words", False
    try:
        used = "best" if query.mode == "best" and query.wanted_words else "meaning"
        # Each dataset takes its time.
        seconds = asking.SHORT_WAIT_SECONDS + len(wanted) / 20
        asked = wanted, query.as_json(), clock.now() + seconds
        return checked(asking.ask(tasks.answer_across, *asked, wait=seconds + LAST_SECONDS)), used, False
    except WorkerAwayError:
        if query.mode == "meaning" or not query.wanted_words:
            raise
        by_words = Query(query.parts, query.against, query.limit, mode="words")
        return across.answer(wanted, by_words, clock.now() + WORDS_SECONDS), "words", True


def _name(dataset: Dataset) -> dict[str, Any]:
    url = dataset.get_absolute_url()
    return {"id": dataset.pk, "name": dataset.name, "url": url, "team": dataset.team.name}


def _shown(dataset: Dataset, hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    records = {
        record.row: record
        for record in Record.objects.filter(dataset=dataset, row__in=[hit["row"] for hit in hits])
    }
    sees_captions = vars(dataset)["sees_captions"]
    return [
        {
            "row": hit["row"],
            "score": hit["score"],
            "caption": records[hit["row"]].caption if sees_captions else "",
            "thumbnail": _thumbnail(records[hit["row"]]),
        }
        for hit in hits
        if hit["row"] in records
    ]


def _thumbnail(record: Record) -> str | None:
    if record.sha256 is None:
        return None
    return reverse("api:record_thumbnail", args=[record.dataset_id, record.row])
