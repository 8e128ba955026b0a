"""Where the bars of a histogram begin and end: at whole numbers, at days, months or years, or evenly."""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MOST_BARS = 64
_HOUR = 3600.0
#: In order: hours of a bar, then months of one.
_HOURS = (1, 6, 24, 7 * 24)
_MONTHS = (1, 3, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000)
#: A Monday in seconds since 1970: weeks begin there.
_MONDAY = 4 * 24 * _HOUR


def edges_of(values: Floats, *, logarithmic: bool, dates: bool) -> Floats:
    """(B + 1,) ascending, B ≤ 64, for finite values; every value lies within."""
    low, high = float(values.min()), float(values.max())
    if dates and -62e9 < low < high < 253e9:  # the years 1 to 9999
        return _calendar(low, high)
    if is_whole(values):
        return _whole_log(low, high) if logarithmic else _whole(low, high)
    share = np.arange(1, MOST_BARS) / MOST_BARS
    # The ratio and the span themselves may overflow.
    if logarithmic:
        inner = np.exp(math.log(low) * (1 - share) + math.log(high) * share)
    else:
        inner = low * (1 - share) + high * share
    return np.unique([low, *inner, high]) if high > low else _round_one(low)


def is_whole(values: Floats) -> bool:
    """Whether they are whole numbers, and small enough to be told apart from their halves."""
    return bool(np.abs(values).max() < 2**51 and (values == np.rint(values)).all())


def _round_one(value: float) -> Floats:
    half = max(0.5, abs(value) * 1e-6)
    largest = np.finfo(np.float64).max
    return np.array([max(value - half, -largest), min(value + half, largest)])


def _whole(low: float, high: float) -> Floats:
    width = _round_width((high - low + 1) / MOST_BARS)
    first = float(math.floor(low / width) * width)
    if math.floor((high - first) / width) >= MOST_BARS:
        first = low
    count = math.floor((high - first) / width) + 1
    return first - 0.5 + width * np.arange(count + 1, dtype=np.float64)


def _round_width(least: float) -> int:
    """1, 2, 5, 10, 20, 50, …"""
    power: int = 10 ** max(0, math.floor(math.log10(max(least, 1))))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least)


def _whole_log(low: float, high: float) -> Floats:
    evenly = low * ((high + 1) / low) ** (np.arange(MOST_BARS + 1) / MOST_BARS)
    edges = np.unique(np.ceil(evenly - 1e-9)) - 0.5
    edges[[0, -1]] = low - 0.5, high + 0.5
    return edges


def _calendar(low: float, high: float) -> Floats:
    """In seconds since 1970, UTC."""
    for hours in _HOURS:
        width = hours * _HOUR
        start = _MONDAY if hours == _HOURS[-1] else 0.0
        first = start + math.floor((low - start) / width) * width
        count = math.floor((high - first) / width) + 1
        if count <= MOST_BARS:
            return first + width * np.arange(count + 1, dtype=np.float64)
    month = (
        np.floor([low, high])
        .astype(np.int64)
        .astype("datetime64[s]")
        .astype("datetime64[M]")
        .astype(np.int64)
    )
    for width in _MONTHS:
        first = (month[0] + 1970 * 12) // width * width - 1970 * 12
        count = (month[1] - first) // width + 1
        if count <= MOST_BARS:
            break
    months = (first + width * np.arange(count + 1)).astype("datetime64[M]")
    return months.astype("datetime64[s]").astype(np.float64)
