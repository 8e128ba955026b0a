"""The order of rows, and everything that is said about one picture brought into one row."""

from collections.abc import Iterator, Sequence

from embeddings.readers.drafts import Draft, DraftMaker, Key
from embeddings.readers.members import Member
from embeddings.readers.reasons import ReadError, Skipped
from embeddings.readers.roles import Plan
from embeddings.readers.tables import Record

# What is said about a picture away from the first run of its records: captions sorted by their number, the
# columns of other tables.
Later = dict[Key, list[Draft]]


def read_ahead(plans: Sequence[Plan], maker: DraftMaker) -> Later:
    """Go through the tables for what `drafts` must know before its first row; keeps only repetitions."""
    refused = len(maker.guesses.refused)
    later = _repetitions(plans, maker)
    if len(maker.guesses.refused) > refused:  # rows before were taken for such a picture's
        later = _repetitions(plans, maker)
    return later


def _repetitions(plans: Sequence[Plan], maker: DraftMaker) -> Later:
    later: Later = {}
    seen: set[Key] = set()
    for plan in plans:
        if _may_repeat(plan, alone=len(plans) == 1):
            for item, key, in_first_run in _keyed(plan, maker, seen):
                if isinstance(item, Record) and key is not None and not in_first_run:
                    made = _made(plan, maker, item, key)
                    if isinstance(made, Draft):
                        later.setdefault(key, []).append(made)
    return later


def drafts(
    plans: Sequence[Plan], maker: DraftMaker, pictures: Sequence[Member], later: Later
) -> Iterator[Draft | Skipped]:
    """Rows of the tables in order, then the pictures that no table speaks of. Uses `later` up."""
    seen: set[Key] = set()
    for plan in plans:
        yield from _table_drafts(plan, maker, seen, later)
    for place, picture in enumerate(pictures):
        if place not in seen:
            yield Draft(picture.source, picture=maker.picture(picture), key=place)
    for extras in later.values():  # no record of their first run could be read
        first, *others = extras
        for other in others:
            first.add(other)
        yield first


def _table_drafts(plan: Plan, maker: DraftMaker, seen: set[Key], later: Later) -> Iterator[Draft | Skipped]:
    current: Draft | None = None
    for item, key, in_first_run in _keyed(plan, maker, seen):
        made = (
            _made(plan, maker, item, key)
            if isinstance(item, Record) and (key is None or in_first_run)
            else item
        )
        if isinstance(made, Draft) and current is not None and key is not None and current.key == key:
            current.add(made)
            continue
        if current is not None and (key is None or current.key != key):
            yield _whole(current, later)
            current = None
        if isinstance(made, Draft) and key is not None:
            current = made
        elif not isinstance(made, Record):  # a record went to its first run, by way of `later`
            yield made
    if current is not None:
        yield _whole(current, later)


def _whole(draft: Draft, later: Later) -> Draft:
    if draft.key is not None:
        for extra in later.pop(draft.key, ()):
            draft.add(extra)
    return draft


def _keyed(
    plan: Plan, maker: DraftMaker, seen: set[Key]
) -> Iterator[tuple[Record | Skipped, Key | None, bool]]:
    """Records with what they are about, and whether they belong to the first run of records about it."""
    previous: Key | None = None
    in_first_run = True
    for item in plan.table.records():
        key: Key | None = None
        if isinstance(item, Record):
            try:
                key = maker.key(plan, item)
            except ReadError as error:
                item = error.at(item.source)
        if key != previous:
            in_first_run = key is None or key not in seen
            previous = key
            if key is not None:
                seen.add(key)
        yield item, key, in_first_run


def _made(plan: Plan, maker: DraftMaker, record: Record, key: Key | None) -> Draft | Skipped:
    try:
        return maker.make(plan, record, key)
    except ReadError as error:
        return error.at(record.source)


def _may_repeat(plan: Plan, *, alone: bool) -> bool:
    """Sidecars come once a picture; pictures inside a table are its own, and too large to be read twice."""
    if plan.table.knows_pictures:
        return not alone
    return plan.joins_by_id or (plan.picture is not None and not plan.embedded)


def joined_by_id(plans: Sequence[Plan]) -> bool:
    """True for tables without pictures that tell different things of the same ids: captions, vectors."""
    columns = [frozenset(plan.table.columns) for plan in plans]
    return (
        len(plans) > 1
        and len(set(columns)) == len(plans)
        and all(plan.id is not None and plan.picture is None for plan in plans)
    )
