"""Queries and answers as JSON; `atlas/api/README.md` has the examples."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Field, Schema
from pydantic import AfterValidator, FiniteFloat, model_validator

from atlas.maps.saved import Name, SavedOut
from atlas.search.query import MOST_PARTS, Against, Mode
from atlas.text import said

MOST_ACROSS = 50
#: Above 0 and below it.
LEAST_WEIGHT = 0.01
#: They are waited for one after the other.
MOST_URLS = 4
#: Each may be a quarter of a megabyte on its way to the query worker.
MOST_VECTORS = 4
#: As of an uploaded one.
MOST_DIMENSIONS = 16_000

#: What a part can be about.
SUBJECTS = ("text", "row", "picture", "picture_key", "url", "topic", "tag", "filter", "vector")


class PartIn(Schema):
    """One of `text`, `row`, `picture` (base64 of the file), `picture_key` (of one that was sent before),
    `url`, `topic` and its `map`, `tag`, `filter`, `vector` (as the dataset's own are)."""

    text: Annotated[str, Field(max_length=10_000)] | None = None
    row: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    picture: Annotated[str, Field(max_length=8 << 20)] | None = None
    picture_key: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None
    url: Annotated[str, Field(max_length=2000)] | None = None
    topic: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    map: UUID | None = None
    #: Of the map of the topic; as in a filter.
    version: UUID | None = None
    layout: UUID | None = None
    tag: UUID | None = None
    filter: dict[str, Any] | None = None
    vector: Annotated[list[FiniteFloat], Field(min_length=1, max_length=MOST_DIMENSIONS)] | None = None
    weight: Annotated[float, Field(ge=-10, le=10)] = 1.0

    @model_validator(mode="after")
    def says_one_thing(self) -> "PartIn":
        said = [getattr(self, name) for name in SUBJECTS]
        if sum(value is not None for value in said) != 1:
            raise ValueError(f"A part has exactly one of {', '.join(SUBJECTS[:-1])} and {SUBJECTS[-1]}.")
        if (self.topic is None) != (self.map is None):
            raise ValueError("A topic is named with its map.")
        if self.text is not None and not self.text.strip():
            raise ValueError("The words of a part are empty.")
        if self.vector is not None and not any(self.vector):
            raise ValueError("A vector of zeros is like nothing.")
        if abs(self.weight) < LEAST_WEIGHT:
            raise ValueError(f"A part with a weight between -{LEAST_WEIGHT} and {LEAST_WEIGHT} says nothing.")
        return self

    @property
    def group(self) -> dict[str, Any] | None:
        """As a filter names it."""
        if self.topic is not None:
            named = {"map": self.map, "version": self.version, "layout": self.layout}
            return {"topic": self.topic} | {key: str(each) for key, each in named.items() if each is not None}
        return {"tag": str(self.tag)} if self.tag is not None else self.filter


def _few_large(parts: list[PartIn]) -> list[PartIn]:
    if sum(part.url is not None for part in parts) > MOST_URLS:
        raise ValueError(f"A query has at most {MOST_URLS} addresses of pictures.")
    if sum(part.vector is not None for part in parts) > MOST_VECTORS:
        raise ValueError(f"A query has at most {MOST_VECTORS} vectors.")
    return parts


Parts = Annotated[list[PartIn], Field(min_length=1, max_length=MOST_PARTS), AfterValidator(_few_large)]


class QueryIn(Schema):
    parts: Parts
    against: Against = "both"
    mode: Mode = "best"
    filter: dict[str, Any] | None = None
    limit: Annotated[int, Field(ge=1, le=5000)] = 500
    offset: Annotated[int, Field(ge=0, lt=2**31)] = 0
    #: The map to give places on; any of the dataset's maps when it is left out.
    map: UUID | None = None
    #: One of the map's: a page that was opened before the newest came still shows its own.
    version: UUID | None = None


class GlowIn(Schema):
    parts: Parts
    against: Against = "both"
    filter: dict[str, Any] | None = None
    version: UUID | None = None


class AcrossIn(Schema):
    parts: Parts
    against: Against = "both"
    mode: Mode = "best"
    #: Hits of each dataset.
    limit: Annotated[int, Field(ge=1, le=MOST_ACROSS)] = 12

    @model_validator(mode="after")
    def asks_every_dataset(self) -> "AcrossIn":
        if any(each is not None for part in self.parts for each in (part.row, part.group, part.vector)):
            raise ValueError("Records, topics, tags and vectors are of one dataset: search there with them.")
        return self


class HitOut(Schema):
    row: int
    ordinal: int | None
    x: float | None
    y: float | None
    #: 0 for a hit by its words that has no vector.
    score: float
    #: The score of every part of the query, in their order; none in mode words.
    parts: list[float]
    #: Its place among the hits by words, from 1.
    words: int | None
    #: Relevant by its words, whatever it scores: it has all that is wanted.
    sure: bool


class HistogramOut(Schema):
    """64 equal steps between the lowest and the highest score."""

    from_: float = Field(alias="from")
    to: float
    counts: list[int]


class MarkerOut(Schema):
    x: float
    y: float


class AnswerOut(Schema):
    hits: list[HitOut]
    relevant: int
    cut: float | None
    searched: int
    #: What was really used.
    mode: Mode
    #: The query worker did not answer: these are hits by words.
    away: bool
    #: Their vectors have to be made anew: for now meaning is looked for without them.
    without: Against | None
    histogram: HistogramOut | None
    #: Where the query itself would be on the map.
    marker: MarkerOut | None


class DatasetName(Schema):
    id: UUID
    name: str
    url: str
    team: str


class GroupHitOut(Schema):
    row: int
    score: float
    caption: str
    thumbnail: str | None


class GroupOut(Schema):
    dataset: DatasetName
    relevant: int
    hits: list[GroupHitOut]


class SkippedDatasetOut(Schema):
    dataset: DatasetName
    reason: str


class AcrossOut(Schema):
    groups: list[GroupOut]
    skipped: list[SkippedDatasetOut]
    mode: Mode
    away: bool


class SearchIn(Schema):
    name: Name
    query: Annotated[str, Field(max_length=100_000), AfterValidator(said)]
    shared: bool = False


class SearchOut(SavedOut):
    query: str


class SearchesOut(Schema):
    searches: list[SearchOut]
