"""What is asked: parts with weights, as plain data that travels to the query worker."""

from dataclasses import dataclass
from typing import Any, Literal

#: Which vectors a query is scored against.
Against = Literal["pictures", "captions", "both"]

MOST_PARTS = 20


@dataclass(frozen=True)
class Part:
    """Words, a picture or a record; wanted where the weight is positive, unwanted where it is negative."""

    weight: float
    text: str | None = None
    row: int | None = None
    #: Where the picture's bytes wait in the cache.
    picture: str | None = None


@dataclass(frozen=True)
class Query:
    parts: tuple[Part, ...]
    against: Against
    limit: int

    def as_json(self) -> dict[str, Any]:
        return {
            "parts": [vars(part) for part in self.parts],
            "against": self.against,
            "limit": self.limit,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Query":
        return cls(tuple(Part(**part) for part in data["parts"]), data["against"], data["limit"])
