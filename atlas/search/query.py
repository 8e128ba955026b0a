"""What is asked: parts with weights, as plain data that travels to the query worker."""

from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from atlas.maps.selection import in_layout

#: Which vectors a query is scored against.
Against = Literal["pictures", "captions", "both"]

#: By vectors, by the words of captions and columns, or by both lists fused.
Mode = Literal["best", "meaning", "words"]

MOST_PARTS = 20


@dataclass(frozen=True)
class Part:
    """One of words, a record, a picture, a group of records, and a vector; unwanted where the weight is
    negative."""

    weight: float
    text: str | None = None
    row: int | None = None
    #: Where the picture's bytes wait in the cache.
    picture: str | None = None
    #: A filter, of a topic `{"topic": 12, "map": "…"}` or any other: the mean of the records that match.
    group: dict[str, Any] | None = None
    #: In the space of the dataset's own, of any length but zero.
    vector: list[float] | None = None


@dataclass(frozen=True)
class Query:
    parts: tuple[Part, ...]
    against: Against
    limit: int = 500
    offset: int = 0
    mode: Mode = "best"
    #: As in `atlas/api/README.md`: only these records can be hits.
    filter: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "parts": [vars(part) for part in self.parts]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Query":
        return cls(**{**data, "parts": tuple(Part(**part) for part in data["parts"])})

    def in_layout(self, map_id: UUID, version_id: UUID) -> "Query":
        """The same, its topics and regions of this map read in this version where they name none."""
        parts = tuple(replace(part, group=in_layout(part.group, map_id, version_id)) for part in self.parts)
        return replace(self, parts=parts, filter=in_layout(self.filter, map_id, version_id))

    @property
    def wanted_words(self) -> list[str]:
        return [part.text for part in self.parts if part.text is not None and part.weight > 0]

    @property
    def unwanted_words(self) -> list[str]:
        return [part.text for part in self.parts if part.text is not None and part.weight < 0]

    @property
    def share_of_words(self) -> float:
        """Of all that is wanted, by weight, 0…1."""
        wanted = [part for part in self.parts if part.weight > 0]
        words = sum(part.weight for part in wanted if part.text is not None)
        return words / sum(part.weight for part in wanted) if wanted else 0.0
