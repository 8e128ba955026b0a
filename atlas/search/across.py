"""One query over many datasets: each is scored on its own, the groups are put in order."""

import logging
from time import time
from typing import Any
from uuid import UUID

from atlas.maps.towers import TowerError
from atlas.patience import AWAY
from atlas.search import engine
from atlas.search.query import Query
from atlas.search.vectors import QueryError

log = logging.getLogger(__name__)


def answer(datasets: list[dict[str, Any]], query: Query, until: float) -> dict[str, Any]:
    """`{"groups": [{"id", "relevant", "hits"}], "skipped": [{"id", "reason"}]}`, best group first.

    Args:
        datasets: what the asker may search, `{"id", "row_count", "captions": whether these may be read}`.
        until: the time after which nobody waits for another dataset, in seconds since 1970.

    A group is as good as its best record, in deviations over its own dataset: that says how much a record
    stands out there, which is what a person looking for a place to go on wants to know.
    """
    groups, skipped = [], []
    for dataset in datasets:
        if query.mode == "words" and not dataset["captions"]:
            skipped.append({"id": dataset["id"], "reason": "Its captions are hidden from you."})
            continue
        if time() >= until:
            skipped.append({"id": dataset["id"], "reason": "There was no time left for it."})
            continue
        allowed = query if dataset["captions"] else without_captions(query)
        try:
            found = engine.answer(UUID(dataset["id"]), dataset["row_count"], allowed)
        except (QueryError, TowerError) as error:
            skipped.append({"id": dataset["id"], "reason": str(error)})
            continue
        except AWAY:  # as it is for all others
            raise
        except Exception:
            log.exception("Dataset %s could not be searched.", dataset["id"])
            skipped.append(
                {"id": dataset["id"], "reason": "It broke the search: the server's log tells why."}
            )
            continue
        if found.relevant:
            # The relevant ones come first; what lies nearest besides is no hit.
            hits = found.hits.as_list()[: found.relevant]
            groups.append({"id": dataset["id"], "relevant": found.relevant, "hits": hits})
    groups.sort(key=_worth, reverse=True)
    return {"groups": groups, "skipped": skipped}


def without_captions(query: Query) -> Query:
    """The same query for somebody from whom captions are hidden: neither their words nor their vectors."""
    return Query(query.parts, "pictures", query.limit, query.offset, "meaning", query.filter)


def _worth(group: dict[str, Any]) -> tuple[float, int]:
    return max(hit["score"] for hit in group["hits"]), group["relevant"]
