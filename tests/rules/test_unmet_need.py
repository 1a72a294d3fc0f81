"""Unmet need: its interval, what is hidden and what is missing, and draws of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaincinv

from dashboard.rules.rates import poisson_limits
from dashboard.rules.unmet_need import resampled, share_without_provision, unmet_need

CODES = [*"abcdefgh"]


def numbers(*values: float | None, index: Any = None) -> pd.Series:
    return pd.Series(values, index=index, dtype="Float64")


def flags(*values: bool | None, index: Any = None) -> pd.Series:
    return pd.Series(values, index=index, dtype="boolean")


def needs(*rows: tuple[float | None, bool, float | None], index: Any = None) -> pd.DataFrame:
    """Each row is observed, hidden, expected; 1 to 7 are hidden."""
    observed, hidden, expected = zip(*rows, strict=True)
    return unmet_need(
        numbers(*observed, index=index), flags(*hidden, index=index),
        numbers(*expected, index=index), 1, 7,
    )  # fmt: skip


def listed(found: pd.Series) -> list[Any]:
    return found.astype(object).where(found.notna(), None).tolist()


def test_by_hand() -> None:
    """40 of 60: Poisson's limits around 40 are 28.573 and 54.469."""
    found = needs((40, False, 60))
    assert found["unmet"].tolist() == [20]
    assert found["lower"].tolist() == pytest.approx([60 - 54.4699], abs=1e-3)
    assert found["upper"].tolist() == pytest.approx([60 - 28.5733], abs=1e-3)
    assert found["is_estimated"].tolist() == [False]
    assert list(found) == [
        "unmet", "lower", "upper", "is_estimated", "observed_from", "observed_to", "expected",
    ]  # fmt: skip
    assert [str(kind) for kind in found.dtypes] == ["Float64"] * 3 + ["bool"] + ["Float64"] * 3


@pytest.mark.parametrize(
    ("expected", "unmet", "lower_is_0", "upper_is_0"),
    [
        (28.5, 0, True, True),
        (28.6, 0, True, False),
        (40, 0, True, False),
        (40.5, 0.5, True, False),
        (54.4, 14.4, True, False),
        (54.5, 14.5, False, False),
    ],
)
def test_never_below_nothing(
    expected: float, unmet: float, lower_is_0: bool, upper_is_0: bool
) -> None:
    found = needs((40, False, expected)).iloc[0]
    assert found["unmet"] == pytest.approx(unmet)
    assert (found["lower"] == 0, found["upper"] == 0) == (lower_is_0, upper_is_0)


def test_nobody_observed_is_a_number() -> None:
    """Up to 3.69 may be the mean behind a count of 0."""
    found = needs((0, False, 12)).iloc[0]
    assert (found["unmet"], found["upper"]) == (12, 12)
    assert found["lower"] == pytest.approx(12 - 3.688879)


def test_hidden_is_the_middle_of_its_range_and_wider() -> None:
    """1 to 7: the middle is 4; the lower limit of 1 is 0.0253, the upper of 7 is 14.4227."""
    found = needs((None, True, 30)).iloc[0]
    assert (found["unmet"], found["is_estimated"]) == (26, True)
    assert found["lower"] == pytest.approx(30 - 14.4227, abs=1e-3)
    assert found["upper"] == pytest.approx(30 - 0.0253, abs=1e-3)
    assert (found["observed_from"], found["observed_to"]) == (1, 7)
    # Whatever is in the place of a hidden number isn't looked at.
    assert needs((5, True, 30)).iloc[0].tolist() == found.tolist()
    # Another profile hides other numbers.
    other = unmet_need(numbers(None), flags(True), numbers(30), 0, 5).iloc[0]
    assert other["unmet"] == 27.5


def test_missing_is_never_nothing() -> None:
    found = needs((None, False, 30), (40, False, None), (None, True, None), (None, False, None))
    assert found[["unmet", "lower", "upper"]].isna().all(axis=None)
    assert found["is_estimated"].tolist() == [False] * 4


def test_numbers_meet_by_ward() -> None:
    counts: pd.Series = pd.Series([10, 0, 3], [*"bac"], dtype="Int64")
    found = unmet_need(
        counts,
        flags(False, True, index=[*"ca"]),
        numbers(20, 50, 1, index=[*"abz"]),
        1,
        7,
    )
    assert found.index.tolist() == [*"bac"]
    assert listed(found["unmet"]) == [40, 16, None]
    assert found["is_estimated"].tolist() == [False, True, False]


@given(st.integers(0, 500), st.booleans(), st.floats(0, 500))
def test_the_interval_holds_the_need(observed: int, hidden: bool, expected: float) -> None:
    found = needs((observed, hidden, expected)).iloc[0]
    assert 0 <= found["lower"] <= found["unmet"] <= found["upper"] <= expected


def test_the_share_without_provision() -> None:
    unmet = numbers(30, 50, 20, None, 0, index=[*"abcde"])
    has_gap = flags(True, False, None, True, True, index=[*"abcde"])
    assert share_without_provision(unmet, has_gap) == 0.3
    # By ward, in whatever order; nobody told us of the third.
    assert share_without_provision(unmet, has_gap[::-1].iloc[:4]) == 0.0
    assert share_without_provision(unmet, flags(True, True, True, index=[*"abc"])) == 1.0


@pytest.mark.parametrize("unmet", [numbers(), numbers(None, None), numbers(0, None)])
def test_no_share_of_nothing(unmet: pd.Series) -> None:
    assert share_without_provision(unmet, flags(*[True] * len(unmet))) is None


def test_draws_are_the_gamma_of_the_count() -> None:
    """20 of 1,000: no draw is cut off, so mean and spread are those of 20.5 people."""
    (found,) = resampled(needs((20, False, 1000)), 20_000).T
    means = 1000 - found
    assert means.mean() == pytest.approx(20.5, abs=0.15)
    assert means.var() == pytest.approx(20.5, rel=0.05)
    # Jeffreys' interval lies inside the exact one, and reaches beyond half of it.
    lower, upper = np.quantile(means, [0.025, 0.975])
    limits = [float(limit) for limit in poisson_limits(20)]
    assert limits[0] < lower < 14
    assert 28 < upper < limits[1]
    assert lower == pytest.approx(gammaincinv(20.5, 0.025), abs=0.2)


def test_a_hidden_count_is_drawn_from_its_range() -> None:
    """Any of 1 to 7: 4.5 in the mean; the variance 4 between counts and 4.5 within."""
    (found,) = resampled(needs((None, True, 1000)), 20_000).T
    means = 1000 - found
    assert means.mean() == pytest.approx(4.5, abs=0.1)
    assert means.var() == pytest.approx(8.5, rel=0.06)


def test_draws_are_never_below_nothing_and_missing_stays_missing() -> None:
    found = resampled(
        needs((40, False, 40), (None, False, 40), (40, False, None), (0, False, 5)), 400
    )
    assert found.shape == (400, 4)
    assert np.isnan(found[:, 1:3]).all()
    assert 0.3 < (found[:, 0] == 0).mean() < 0.7
    assert found[:, 0].min() == 0
    assert (found[:, 3] <= 5).all()
    assert resampled(needs((1, False, 1)).iloc[:0], 3).shape == (3, 0)


@given(st.permutations(range(5)), st.integers(0, 99))
def test_the_same_seed_and_wards_are_the_same_draws(order: list[int], seed: int) -> None:
    frame = needs(
        (3, False, 9), (None, True, 9), (50, False, 70), (None, False, 9), (0, False, 4),
        index=CODES[:5],
    )  # fmt: skip
    found = resampled(frame, 20, seed)
    np.testing.assert_array_equal(resampled(frame.iloc[order], 20, seed), found[:, order])
    assert not np.array_equal(resampled(frame, 20, seed + 1), found, equal_nan=True)
