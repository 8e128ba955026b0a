"""The activity of a dataset: who did what, newest first."""

from atlas.datasets.models import Dataset, Event
from atlas.teams.asker import Asker
from atlas.teams.models import User

PAGE = 50
_LONGEST = 300


def record_event(dataset: Dataset, verb: str, by: Asker | User | None, text: str) -> None:
    """Add a line: "Alice" + `text`, which begins with a verb in the past: "renamed it to Fruit"."""
    person = by.user if isinstance(by, Asker) else by
    who = person if isinstance(person, User) else None
    Event.objects.create(dataset=dataset, verb=verb, who=who, text=text[:_LONGEST])


def records(count: int) -> str:
    """How many, in the words of a line: "1 record", "1,200 records"."""
    return f"{count:,} record{'' if count == 1 else 's'}"


def activity_page(dataset: Dataset, before: int | None, limit: int = PAGE) -> tuple[list[Event], int | None]:
    """The newest lines older than line `before`, and the `before` of the next page or None."""
    events = dataset.events.select_related("who")
    if before is not None:
        events = events.filter(pk__lt=before)
    page = list(events[: limit + 1])
    return page[:limit], page[limit - 1].pk if len(page) > limit else None
