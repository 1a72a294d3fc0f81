"""A range of numbers cut into a few classes that a key can name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

import pandas as pd

MOST_CLASSES = 5


@dataclass(frozen=True)
class NumberClass:
    """Values from `low` up to, not including, `high`; the last class includes it."""

    low: float
    high: float
    is_last: bool = False

    def holds(self, values: pd.Series[float]) -> pd.Series[bool]:
        """Which values lie in the class; a missing one lies in none."""
        below = (values <= self.high) if self.is_last else (values < self.high)
        return ((values >= self.low) & below).fillna(False).astype(bool)


def number_classes(values: pd.Series[float], most: int = MOST_CLASSES) -> Sequence[NumberClass]:
    """Up to five classes with about as many values each, cut at numbers of two digits.

    None for no values; one for values that are all alike.
    """
    known = values.dropna().astype(float)
    if known.empty:
        return ()
    cuts = sorted({_two_digits(float(known.quantile(place / most))) for place in range(1, most)})
    lowest, highest = float(known.min()), float(known.max())
    edges = [lowest, *(cut for cut in cuts if lowest < cut < highest), highest]
    return [
        NumberClass(low, high, is_last=place == len(edges) - 2)
        for place, (low, high) in enumerate(pairwise(edges))
    ] or [NumberClass(lowest, highest, is_last=True)]


def count_classes(values: pd.Series[int], most: int = MOST_CLASSES) -> Sequence[NumberClass]:
    """The same for whole numbers: 0 stands alone, and few different numbers stand each alone.

    `high` is the largest number of its class, which includes it.
    """
    known = values.dropna().astype(int)
    different = sorted(known.unique())
    if len(different) <= most:
        return [NumberClass(number, number, is_last=True) for number in different]
    alone = [NumberClass(0, 0, is_last=True)] if different[0] == 0 else []
    rest = known[known > 0] if alone else known
    parts = most - len(alone)
    # Each class begins with a number of its own; the first with the smallest.
    starts = sorted({ceil(rest.quantile(place / parts)) for place in range(parts)})
    ends = [*(start - 1 for start in starts[1:]), int(rest.max())]
    return alone + [NumberClass(a, b, is_last=True) for a, b in zip(starts, ends, strict=True)]


def _two_digits(value: float) -> float:
    return round(value, 1 - floor(log10(abs(value)))) if value else 0.0
