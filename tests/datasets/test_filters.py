"""Filters: what each kind finds, and what is refused in words."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas.datasets.filters import DEEPEST, FilterError, parse_filter, reads_captions
from atlas.datasets.models import Dataset, Record
from tests.people import make_cast

pytestmark = pytest.mark.django_db

COLUMNS = [
    {"name": "artist", "type": "category"},
    {"name": "year", "type": "number"},
    {"name": "taken", "type": "date"},
    {"name": "notes", "type": "text"},
    {"name": "words", "type": "list"},
]
ROWS: list[tuple[list[str], dict[str, Any], bool]] = [
    (["A red apple", "Fruit on a table"], {"artist": "Monet", "year": 1900, "taken": "2020-01-01"}, True),
    (["A blue BOWL"], {"artist": "Manet", "year": 1950.5, "taken": "2020-06-30T10:00:00+00:00"}, True),
    ([], {"artist": "Monet", "notes": "100% sure_", "words": ["oil", "canvas"]}, True),
    (["Écoute"], {"year": -3, "notes": "nothing", "words": ["Oil"]}, False),
    (["<b>bold</b>"], {"artist": None, "taken": "2021-01-01", "notes": "100 per cent sure"}, False),
]


@pytest.fixture
def dataset() -> Dataset:
    made = Dataset.objects.create(
        team=make_cast().team, name="x", slug="x", model="mini", columns=COLUMNS, row_count=len(ROWS)
    )
    Record.objects.bulk_create(
        Record(
            dataset=made, row=row, source=f"{row}", captions=captions,
            caption=captions[0] if captions else "",
            values=values, sha256="0" * 64 if picture else None,
        )
        for row, (captions, values, picture) in enumerate(ROWS)
    )  # fmt: skip
    return made


def found(dataset: Dataset, content: Any) -> list[int]:
    return [int(row) for row in np.flatnonzero(parse_filter(dataset, content).mask(dataset, len(ROWS)))]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ({"column": "artist", "in": ["Monet"]}, [0, 2]),
        ({"column": "artist", "in": ["Monet", "Manet"]}, [0, 1, 2]),
        ({"column": "artist", "in": [None]}, [3, 4]),
        ({"column": "artist", "in": [None, "Manet"]}, [1, 3, 4]),
        ({"column": "artist", "in": []}, []),
        ({"column": "artist", "in": ["monet"]}, []),
        ({"column": "year", "in": [1900]}, [0]),
        ({"column": "words", "in": ["oil"]}, [2]),
        ({"column": "year", "from": 1900}, [0, 1]),
        ({"column": "year", "to": 1900}, [0, 3]),
        ({"column": "year", "from": -3, "to": 0}, [3]),
        ({"column": "taken", "from": "2020-06"}, [1, 4]),
        ({"column": "taken", "to": "2020"}, [0, 1]),
        ({"column": "taken", "from": "2020-06-30", "to": "2020-06-30"}, [1]),
        ({"column": "artist", "contains": "MAN"}, [1]),
        ({"column": "notes", "contains": "100%"}, [2]),
        ({"column": "notes", "contains": "sure_"}, [2]),
        ({"column": "words", "contains": "OIL"}, [2, 3]),
        ({"caption": "bowl"}, [1]),
        ({"caption": "table"}, [0]),
        ({"caption": "éCOUTE"}, [3]),
        ({"caption": "'; DROP TABLE datasets_record; --"}, []),
        ({"has": "caption"}, [0, 1, 3, 4]),
        ({"has": "image"}, [0, 1, 2]),
        ({"rows": [4, 1, 1, 999]}, [1, 4]),
        ({"rows": []}, []),
        ({"all": []}, [0, 1, 2, 3, 4]),
        ({"any": []}, []),
        ({"not": {"has": "image"}}, [3, 4]),
        ({"all": [{"has": "image"}, {"column": "artist", "in": ["Monet"]}]}, [0, 2]),
        ({"any": [{"rows": [4]}, {"caption": "red"}]}, [0, 4]),
        ({"all": [{"not": {"rows": [0]}}, {"any": [{"has": "image"}, {"rows": [3]}]}]}, [1, 2, 3]),
    ],
)
def test_it_finds(dataset: Dataset, content: Any, rows: list[int]) -> None:
    assert found(dataset, content) == rows
    assert found(dataset, content) == rows  # the second time from the cache


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "object"),
        ([], "object"),
        ("all", "object"),
        ({}, "exactly one"),
        ({"has": "image", "rows": [1]}, "exactly one"),
        ({"has": "legs"}, "“caption” or “image”"),
        ({"has": ["image"]}, "“caption” or “image”"),
        ({"has": "image", "really": True}, "really"),
        ({"all": {"has": "image"}}, "list of filters"),
        ({"column": "nobody", "in": []}, "no column “nobody”"),
        ({"column": ["artist"], "in": []}, "text"),
        ({"column": "artist"}, "“in”"),
        ({"column": "artist", "in": "Monet"}, "list"),
        ({"column": "artist", "in": [1]}, "text"),
        ({"column": "artist", "in": ["x"], "contains": "x"}, "“in”"),
        ({"column": "artist", "from": 1}, "no numbers or dates"),
        ({"column": "year", "from": "1900"}, "number"),
        ({"column": "year", "from": float("nan")}, "number"),
        ({"column": "year", "from": 10**400}, "too large"),
        ({"column": "year", "from": True}, "number"),
        ({"column": "year", "from": None}, "“from”, “to” or both"),
        ({"column": "notes", "contains": "a\0b"}, "NUL"),
        ({"caption": "\ud800"}, "half a character"),
        ({"caption": "x" * 1001}, "1,000"),
        ({"rows": [-1]}, "row numbers"),
        ({"rows": [1.5]}, "row numbers"),
        ({"rows": [True]}, "row numbers"),
        ({"rows": [2**31]}, "row numbers"),
        ({"tag": "x"}, "id"),
        ({"tag": 7}, "text"),
        ({"tags": "many"}, "“any” or “several”"),
        ({"topic": 1}, "exactly one"),
        ({"any": [{"has": "image"}] * 200}, "200 parts"),
    ],
)
def test_it_refuses_in_words(dataset: Dataset, content: Any, says: str) -> None:
    with pytest.raises(FilterError, match=says):
        parse_filter(dataset, content)


def test_it_is_not_endlessly_deep(dataset: Dataset) -> None:
    content: Any = {"has": "image"}
    for _ in range(DEEPEST - 1):
        content = {"not": content}
    parse_filter(dataset, content)
    with pytest.raises(FilterError, match="levels deep"):
        parse_filter(dataset, {"not": content})


def test_it_knows_which_filters_read_captions() -> None:
    assert reads_captions({"all": [{"has": "image"}, {"not": {"caption": "red"}}]})
    assert not reads_captions({"all": [{"has": "caption"}, {"column": "notes", "contains": "caption"}]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "all",
                    "any",
                    "not",
                    "column",
                    "in",
                    "from",
                    "to",
                    "contains",
                    "caption",
                    "has",
                    "rows",
                    "tag",
                ]
            )
            | st.text(max_size=3),
            parts | st.sampled_from(["artist", "year", "taken", "words", "image"]),
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=JSON)
def test_whatever_comes_is_a_mask_or_a_sentence(dataset: Dataset, content: Any) -> None:
    try:
        mask = parse_filter(dataset, content).mask(dataset, len(ROWS))
    except FilterError:
        return
    assert mask.shape == (len(ROWS),)
