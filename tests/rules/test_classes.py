"""A few classes for a key: every known value in exactly one."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.classes import MOST_CLASSES, NumberClass, count_classes, number_classes


def edges(classes: list[NumberClass]) -> list[float]:
    return [*(each.low for each in classes), classes[-1].high]


def test_about_as_many_values_in_each() -> None:
    values = pd.Series(range(1, 101), dtype="float64")
    classes = list(number_classes(values))
    # The quantiles 20.8, 40.6, 60.4 and 80.2, at two digits.
    assert edges(classes) == [1, 21, 41, 60, 80, 100]
    assert [int(each.holds(values).sum()) for each in classes] == [20, 20, 19, 20, 21]


def test_a_cut_belongs_to_the_class_above_and_the_top_to_the_last() -> None:
    values = pd.Series([10.0, 20.0, 30.0])
    assert NumberClass(10, 20).holds(values).tolist() == [True, False, False]
    assert NumberClass(20, 30).holds(values).tolist() == [False, True, False]
    assert NumberClass(20, 30, is_last=True).holds(values).tolist() == [False, True, True]


def test_no_values_no_classes() -> None:
    assert list(number_classes(pd.Series([], dtype="float64"))) == []
    assert list(number_classes(pd.Series([None, math.nan], dtype="Float64"))) == []


@pytest.mark.parametrize("value", [0.0, 7.0, -3.0])
def test_values_all_alike_are_one_class(value: float) -> None:
    values = pd.Series([value] * 5)
    (only,) = number_classes(values)
    assert (only.low, only.high) == (value, value)
    assert only.holds(values).all()


def test_a_missing_value_is_in_no_class() -> None:
    values = pd.Series([1.0, None, 3.0], dtype="Float64")
    for each in number_classes(values):
        assert not each.holds(values)[1]


def test_cuts_are_numbers_a_key_can_show() -> None:
    classes = list(number_classes(pd.Series([0.012345, 0.5678, 1234.5, 98765.4, 3.14159])))
    for cut in edges(classes)[1:-1]:
        assert float(f"{cut:.1e}") == cut


numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda n: round(n, 3)) | st.none()


@given(st.lists(numbers, max_size=40), st.integers(2, MOST_CLASSES))
def test_every_known_value_lies_in_exactly_one_class(values: list[float | None], most: int) -> None:
    series = pd.Series(values, dtype="Float64")
    classes = list(number_classes(series, most))
    assert len(classes) <= most
    if len(classes) > 1:
        assert all(each.low < each.high for each in classes)
    held = sum((each.holds(series).astype(int) for each in classes), pd.Series(0, series.index))
    assert held.tolist() == [int(value is not None) for value in values]
    assert [each.is_last for each in classes] == [*[False] * (len(classes) - 1), True][
        : len(classes)
    ]


def test_few_different_counts_stand_each_alone() -> None:
    classes = count_classes(pd.Series([0, 2, 2, 1], dtype="Int64"))
    assert [(each.low, each.high) for each in classes] == [(0, 0), (1, 1), (2, 2)]


def test_zero_stands_alone_among_many_counts() -> None:
    classes = count_classes(pd.Series([0, 0, *range(1, 9)], dtype="Int64"))
    # The quarters of 1 to 8 begin at 1, 2.75, 4.5 and 6.25.
    assert [(each.low, each.high) for each in classes] == [(0, 0), (1, 2), (3, 4), (5, 6), (7, 8)]


@given(st.lists(st.integers(0, 60) | st.none(), max_size=60))
def test_every_known_count_is_in_exactly_one_class(counts: list[int | None]) -> None:
    values = pd.Series(counts, dtype="Int64")
    classes = count_classes(values)
    assert len(classes) <= MOST_CLASSES
    held = sum((each.holds(values).astype(int) for each in classes), pd.Series(0, values.index))
    assert held.tolist() == values.notna().astype(int).tolist()
