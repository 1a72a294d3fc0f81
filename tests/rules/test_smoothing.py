"""Smoothed ratios: by hand, against another implementation, and what may never happen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from esda.smoothing import Empirical_Bayes
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.smoothing import own_weights, smoothed_ratios

WARDS = ["E05B", "E05A", "E05C"]


def numbers(*values: float | None, index: Any = None) -> pd.Series:
    return pd.Series(values, index=index, dtype="Float64")


def listed(found: pd.Series) -> list[Any]:
    return found.astype(object).where(found.notna(), None).tolist()


def test_by_hand() -> None:
    """2 and 18 of 10 each: overall 1, spread 0.64, chance 1 / 10, so 0.54 between wards.

    A ward of 10 keeps 0.54 / (0.54 + 1 / 10) of what lies between its ratio and 1.
    """
    weight = 0.54 / 0.64
    found = smoothed_ratios(numbers(2, 18), numbers(10, 10))
    assert found.tolist() == pytest.approx([1 - 0.8 * weight, 1 + 0.8 * weight])
    assert own_weights(numbers(2, 18), numbers(10, 10)).tolist() == pytest.approx([weight] * 2)


def test_the_smaller_is_drawn_further_to_the_overall_ratio() -> None:
    """6 of 2 and 24 of 18: overall 1.5. Spread (2 x 1.5² + 18 x (1/6)²) / 20 = 0.25, chance 0.15,
    so 0.1 between wards: weights 0.1 / (0.1 + 0.75) and 0.1 / (0.1 + 1.5 / 18)."""
    observed, expected = numbers(6, 24), numbers(2, 18)
    small, large = 0.1 / 0.85, 0.1 / (0.1 + 1.5 / 18)
    assert own_weights(observed, expected).tolist() == pytest.approx([small, large])
    assert smoothed_ratios(observed, expected).tolist() == pytest.approx(
        [1.5 + 1.5 * small, 1.5 - large / 6]
    )


@pytest.mark.parametrize(("apart", "weight"), [(3, 0.0), (4, 6 / 16)])
def test_no_more_than_chance_is_the_overall_ratio(apart: int, weight: float) -> None:
    """10 of 10, more and less: spread 0.09 is below chance, 0.1; 0.16 is above."""
    observed, expected = numbers(10 - apart, 10 + apart), numbers(10, 10)
    assert own_weights(observed, expected).tolist() == pytest.approx([weight] * 2)
    assert smoothed_ratios(observed, expected).tolist() == pytest.approx(
        [1 - apart / 10 * weight, 1 + apart / 10 * weight]
    )


def test_missing_stays_missing_and_counts_for_nothing() -> None:
    observed = numbers(2, None, 18, 5, 5, index=[*"abcde"])
    expected = numbers(10, 10, 10, 0, None, index=[*"abcde"])
    found = smoothed_ratios(observed, expected)
    weight = 0.54 / 0.64
    assert listed(found)[1::2] == [None, None]
    assert listed(found)[4] is None
    assert found.loc[["a", "c"]].tolist() == pytest.approx([1 - 0.8 * weight, 1 + 0.8 * weight])
    assert listed(own_weights(observed, expected))[3:] == [None, None]
    assert str(found.dtype) == "Float64"


def test_the_index_of_the_observed_is_kept() -> None:
    observed: pd.Series = pd.Series([4, 9, 5], WARDS, dtype="Int64")
    # Expected numbers in another order, of a ward more, and of a ward less.
    expected = numbers(10, 7, 10, index=["E05A", "E05Z", "E05B"])
    found = smoothed_ratios(observed, expected)
    assert found.index.tolist() == WARDS
    alone = smoothed_ratios(numbers(4, 9), numbers(10, 10)).tolist()
    assert listed(found) == [*alone, None]


def test_nobody_and_nothing() -> None:
    assert smoothed_ratios(numbers(0, 0), numbers(3, 5)).tolist() == [0, 0]
    assert listed(smoothed_ratios(numbers(None), numbers(3))) == [None]
    assert listed(smoothed_ratios(numbers(3), numbers(0))) == [None]
    assert smoothed_ratios(numbers(), numbers()).empty
    assert smoothed_ratios(numbers(7), numbers(5)).tolist() == [7 / 5]


@pytest.mark.parametrize("seed", range(5))
def test_as_esda_where_the_variance_is_above_nothing(seed: int) -> None:
    generator = np.random.default_rng(seed)
    expected = generator.uniform(3, 60, 255)
    observed = generator.poisson(expected * generator.gamma(9, 1 / 9, 255))
    found = smoothed_ratios(pd.Series(observed), pd.Series(expected))
    oracle = Empirical_Bayes(observed, expected).r.ravel()
    assert found.tolist() == pytest.approx(oracle.tolist(), rel=1e-9)


def test_where_esda_goes_below_nothing_the_variance_is_held_at_0() -> None:
    """5, 6 and 0 of 5, 6 and 0.01 expected: less apart than chance."""
    observed, expected = numbers(5, 6, 0), numbers(5, 6, 0.01)
    assert Empirical_Bayes(np.array([5, 6, 0]), np.array([5, 6, 0.01])).r.min() != pytest.approx(1)
    assert smoothed_ratios(observed, expected).tolist() == pytest.approx([11 / 11.01] * 3)


wards = st.lists(st.tuples(st.integers(0, 300), st.floats(0.1, 300)), min_size=1, max_size=30)


@given(wards)
def test_between_the_own_ratio_and_that_of_all(told: list[tuple[int, float]]) -> None:
    observed, expected = (pd.Series(column, dtype="Float64") for column in zip(*told, strict=True))
    found, own = smoothed_ratios(observed, expected), observed / expected
    overall = observed.sum() / expected.sum()
    near, weight = 1e-9 * (1 + own), own_weights(observed, expected)
    assert (found >= own.clip(upper=overall) - near).all()
    assert (found <= own.clip(lower=overall) + near).all()
    assert weight.between(0, 1).all()
    # More expected, more weight.
    assert weight[expected.argsort().to_numpy()].is_monotonic_increasing
