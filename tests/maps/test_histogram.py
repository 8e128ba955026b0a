"""Bars of histograms: none is empty only because of where it begins."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas.maps.codes import Column
from atlas.maps.histogram import MOST_BARS, edges_of


def seconds(*days: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() for day in days])


def days(edges: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[str]:
    return [datetime.fromtimestamp(each, UTC).date().isoformat() for each in edges]


@pytest.mark.parametrize("high", [1900, 1901, 1905, 1963, 1964, 2020, 2600])
def test_whole_numbers_that_are_all_there_make_even_bars_without_gaps(high: int) -> None:
    values = np.arange(1900, high + 1, dtype=float)
    counts, _ = np.histogram(values, edges_of(values, logarithmic=False, dates=False))
    inner = counts[1:-1]
    assert (inner == inner[:1]).all()
    assert counts.min() > 0
    assert counts.sum() == len(values)


def test_few_whole_numbers_have_a_bar_each() -> None:
    edges = edges_of(np.array([1.0, 5, 3]), logarithmic=False, dates=False)
    assert edges.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]


def test_small_whole_numbers_have_a_bar_each_by_logarithm_too() -> None:
    values = np.arange(1.0, 50_000)
    edges = edges_of(values, logarithmic=True, dates=False)
    counts, _ = np.histogram(values, edges)
    assert edges[:4].tolist() == [0.5, 1.5, 2.5, 3.5]
    assert counts.min() > 0
    assert counts.sum() == len(values)


def test_dates_begin_at_days_months_and_years() -> None:
    def edges(*given: str) -> list[str]:
        return days(edges_of(seconds(*given), logarithmic=False, dates=True))

    assert edges("2024-01-15", "2024-03-01")[:2] == ["2024-01-15", "2024-01-16"]
    assert edges("2021-02-10", "2024-03-03")[:2] == ["2021-02-01", "2021-03-01"]
    assert edges("1871-05-05", "1930-01-01")[:2] == ["1871-01-01", "1872-01-01"]
    assert edges("1503-05-05", "2020-01-01")[:2] == ["1500-01-01", "1510-01-01"]


# A slow machine takes its time to make the examples.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
    st.booleans(),
)
def test_every_value_has_its_bar(given: list[float], dates: bool) -> None:
    values = np.array(given)
    edges = edges_of(values, logarithmic=False, dates=dates)
    assert len(edges) - 1 <= MOST_BARS
    assert (np.diff(edges) > 0).all()
    assert edges[0] <= values.min()
    assert values.max() <= edges[-1]


def test_numbers_of_all_sizes_have_bars_by_logarithm() -> None:
    column = Column.number("flux", np.array([0.5, 3.0, 1.79e308]))
    assert column.about["scale"] == "log"
    assert column.codes.tolist()[::2] == [0, 65_534]
    assert column.values is not None
    assert sum(column.values["histogram"]) == 3
    assert np.isfinite(column.values["edges"]).all()


def test_a_column_lists_its_bars() -> None:
    listed = Column.number("year", np.array([2001.0, 2003, np.nan, 2003])).values
    assert listed == {
        "histogram": [1, 0, 2],
        "edges": [2000.5, 2001.5, 2002.5, 2003.5],
        "whole": True,
        "missing": 1,
    }
