"""The slope index by hand and against least squares; rates of fifths that PCNs serve together."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.inequality import SlopeIndex, clustered_rates, slope_index

Z = 1.959963984540054
group = st.tuples(st.floats(0.1, 50), st.integers(1, 10**6), st.floats(0, 5))
groups = st.lists(group, min_size=5, max_size=100)


def test_five_groups_by_hand() -> None:
    """Fifths of equal size lie at .9, .7, .5, .3 and .1, from the least deprived end.

    Rates 9, 7, 6, 3 and 0: distances from the middle .4, .2, 0, -.2, -.4; times the rates
    3.6 + 1.4 - .6 = 4.4; squares .16 + .04 + .04 + .16 = .4; slope 11; mean 5, so 5 - 5.5 = -0.5
    at the least deprived end. Coefficients 1, .5, 0, -.5, -1: with errors of 2, root of 4 x 2.5.
    """
    reach = Z * math.sqrt(10)
    found = slope_index([9, 7, 6, 3, 0], [10] * 5, [2] * 5)
    assert (found.slope, found.intercept) == pytest.approx((11, -0.5))
    assert (found.lower, found.upper) == pytest.approx((11 - reach, 11 + reach))
    # Over a rate that is not above 0 there is no ratio.
    assert found.relative_index is None


def test_positive_means_more_where_it_is_most_deprived() -> None:
    found = slope_index([6, 5, 4, 3, 2], [10] * 5, [0] * 5)
    assert found.slope == pytest.approx(5)
    # Fitted 6.5 at the most deprived end, 1.5 at the least.
    assert (found.intercept, found.relative_index) == pytest.approx((1.5, 6.5 / 1.5))
    other = slope_index([2, 3, 4, 5, 6], [10] * 5, [0] * 5)
    assert other.slope == pytest.approx(-5)
    assert other.relative_index == pytest.approx(1.5 / 6.5)


@given(groups)
def test_against_least_squares(rows: list[tuple[float, int, float]]) -> None:
    rates, people, _ = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    share = people / people.sum()
    # Counted from the least deprived end, by adding up the groups behind each.
    ridit = np.array([share[place + 1 :].sum() + share[place] / 2 for place in range(len(share))])
    root = np.sqrt(share)
    design = np.column_stack([root, root * ridit])
    (intercept, slope), *_ = np.linalg.lstsq(design, root * rates, rcond=None)
    found = slope_index(list(rates), list(people), [0.0] * len(rows))
    # Where nearly all people are in one group the two lose their last digits in different ways.
    if np.linalg.cond(design) < 1e4:
        assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=1e-6)


@given(st.lists(st.integers(1, 1000), min_size=5, max_size=100), st.floats(0, 50))
def test_equal_rates_have_no_slope(people: list[int], rate: float) -> None:
    found = slope_index([rate] * len(people), people, [0] * len(people))
    assert found.slope == pytest.approx(0, abs=1e-9)
    assert found.intercept == pytest.approx(rate)


@given(st.lists(st.integers(1, 1000), min_size=5, max_size=100), st.floats(-5, 5))
def test_rates_on_a_line_have_its_slope(people: list[int], slope: float) -> None:
    total, behind, rates = sum(people), sum(people), []
    for number in people:
        behind -= number
        rates.append(10 + slope * (behind + number / 2) / total)
    found = slope_index(rates, people, [0] * len(people))
    assert (found.slope, found.intercept) == pytest.approx((slope, 10), abs=1e-9)
    assert (found.lower, found.upper) == pytest.approx((slope, slope), abs=1e-9)


@given(groups, st.floats(0.01, 100))
def test_the_interval_grows_with_the_errors(
    rows: list[tuple[float, int, float]], factor: float
) -> None:
    rates, people, errors = (list(column) for column in zip(*rows, strict=True))
    one = slope_index(rates, people, errors)
    other = slope_index(rates, people, [error * factor for error in errors])
    assert one.upper is not None
    assert other.upper is not None
    assert other.slope == one.slope
    assert other.upper - other.slope == pytest.approx(factor * (one.upper - one.slope), abs=1e-6)


def test_how_many_groups() -> None:
    for number in (5, 100):
        assert isinstance(slope_index([1] * number, [1] * number, [0] * number), SlopeIndex)
    for number in (0, 4, 101):
        with pytest.raises(ValueError, match=f"5 to 100 groups with people, found {number}"):
            slope_index([1] * number, [1] * number, [0] * number)


def test_a_group_without_people_has_no_place() -> None:
    five = slope_index([9, 7, 6, 3, 1], [10] * 5, [1] * 5)
    six = slope_index([9, 7, math.nan, 6, 3, 1], [10, 10, 0, 10, 10, 10], [1, 1, None, 1, 1, 1])
    assert six == five
    with pytest.raises(ValueError, match="found 4"):
        slope_index([9, 7, 6, 3, 1], [10, 10, 0, 10, 10], [1] * 5)


def test_what_is_missing_stays_missing() -> None:
    with pytest.raises(ValueError, match="a rate of every group"):
        slope_index([9, 7, math.nan, 3, 1], [10] * 5, [1] * 5)
    for missing in (None, math.nan):
        found = slope_index([9, 7, 6, 3, 1], [10] * 5, [1, 1, missing, 1, 1])
        assert (found.lower, found.upper) == (None, None)
        assert found.slope == pytest.approx(10)


def served(*rows: tuple[str, int, float | None, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["pcn_code", "fifth", "fte", "people"])
    return frame.astype({"fte": "Float64", "people": "Float64", "fifth": "Int64"})


def test_rates_of_fifths_by_hand() -> None:
    """Fifth 1: 3 FTE for 30,000 is 1 per 10,000. A has 2 where 1 was due, B 1 where 2 were: the
    squares of 1 and -1 add up to 2, times 2/1 is 4, its root over 30,000 is 2/3 per 10,000.
    Fifth 2 has one PCN: a rate, and nothing to tell how sure it is. C did not return."""
    found = clustered_rates(
        served(
            ("A", 1, 2.0, 10_000),
            ("B", 1, 1.0, 20_000),
            ("C", 1, None, 50_000),
            ("A", 2, 0.5, 10_000),
            ("B", 2, 0.0, 0),
            ("C", 2, 1.0, 10_000),
            ("C", 3, None, 10_000),
        )
    )
    assert found.pcns_left_out == 1
    expected = pd.DataFrame(
        {
            "fifth": pd.array([1, 2], dtype="Int64"),
            "rate": pd.array([1.0, 0.5], dtype="Float64"),
            "standard_error": pd.array([2 / 3, pd.NA], dtype="Float64"),
            "people": [30_000.0, 10_000.0],
            "pcns": [2, 1],
        }
    )
    pd.testing.assert_frame_equal(found.rates, expected)


def test_pcns_that_are_all_alike_leave_no_doubt() -> None:
    found = clustered_rates(served(*((code, 1, 2.0, 10_000) for code in "ABCD")))
    assert found.rates[["rate", "standard_error", "pcns"]].to_numpy().tolist() == [[2.0, 0.0, 4]]


def test_nobody_returned() -> None:
    found = clustered_rates(served(("A", 1, None, 10_000), ("A", 2, None, 10_000)))
    assert (len(found.rates), found.pcns_left_out) == (0, 1)
    assert found.rates["rate"].dtype == "Float64"


@given(
    st.lists(st.tuples(st.floats(0, 9), st.integers(1000, 90_000)), min_size=2, max_size=20),
    st.floats(0.1, 10),
)
def test_twice_the_fte_is_twice_the_rate_and_its_error(
    pcns: list[tuple[float, int]], factor: float
) -> None:
    one, other = (
        clustered_rates(
            served(*((f"U{place}", 1, fte * by, n) for place, (fte, n) in enumerate(pcns)))
        ).rates[["rate", "standard_error"]]
        for by in (1, factor)
    )
    assert other.iloc[0].tolist() == pytest.approx((one.iloc[0] * factor).tolist(), abs=1e-9)
