"""Intervals against published values, and against sums of probabilities."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.rates import funnel_limits, poisson_limits

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"


def limits(events: float, confidence: float = 0.95) -> tuple[float, float]:
    lower, upper = poisson_limits([events], confidence)
    return float(lower[0]), float(upper[0])


def probability_up_to(count: int, mean: float) -> float:
    """The chance of at most so many, added up term by term."""
    return math.fsum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(count + 1))


@pytest.mark.parametrize("events", range(10))
@pytest.mark.parametrize("confidence", [0.95, 0.998])
def test_exact_below_ten(events: int, confidence: float) -> None:
    """By definition: at each limit, the tail beyond what was seen has half the rest."""
    tail = (1 - confidence) / 2
    lower, upper = limits(events, confidence)
    assert probability_up_to(events, upper) == pytest.approx(tail, rel=1e-9)
    if events:
        assert 1 - probability_up_to(events - 1, lower) == pytest.approx(tail, rel=1e-9)
    else:
        assert lower == 0


@pytest.mark.parametrize(
    ("events", "lower", "upper"),
    [(0, 0, 3.688879), (1, 0.025318, 5.571643), (9, 4.115373, 17.084803)],
)
def test_exact_limits_as_printed_in_tables(events: int, lower: float, upper: float) -> None:
    assert limits(events) == pytest.approx((lower, upper), rel=1e-5, abs=1e-6)


def byar(events: int, z: float) -> tuple[float, float]:
    """The formula of the technical guide, as printed."""
    more = events + 1
    return (
        events * (1 - 1 / (9 * events) - z / (3 * math.sqrt(events))) ** 3,
        more * (1 - 1 / (9 * more) + z / (3 * math.sqrt(more))) ** 3,
    )


@pytest.mark.parametrize("events", [10, 11, 100, 5000])
def test_byar_from_ten(events: int) -> None:
    assert limits(events) == pytest.approx(byar(events, 1.959963984540054), rel=1e-9)
    assert limits(events, 0.998) == pytest.approx(byar(events, 3.090232306167813), rel=1e-9)


def test_the_two_methods_meet_between_nine_and_ten() -> None:
    assert limits(9) != pytest.approx(byar(9, 1.959964), rel=1e-4)
    assert limits(10) == pytest.approx(byar(10, 1.959964), rel=1e-6)
    # Byar's is an approximation: at 10 events it differs from the exact 4.795389.
    assert limits(10)[0] != pytest.approx(4.795389, rel=1e-4)
    assert limits(10)[0] == pytest.approx(4.795389, rel=1e-2)


def test_missing_stays_missing_without_a_warning() -> None:
    lower, upper = poisson_limits([math.nan, 0, 40])
    assert np.isnan(lower).tolist() == np.isnan(upper).tolist() == [True, False, False]
    assert (lower[1], len(lower)) == (0, 3)


@given(st.integers(0, 10**6))
def test_limits_hold_the_count_and_widen(events: int) -> None:
    lower, upper = limits(events)
    wide_lower, wide_upper = limits(events, 0.998)
    assert wide_lower <= lower <= events < upper < wide_upper
    assert wide_lower >= 0


@pytest.mark.parametrize("mean", [0.3, 1, 5, 20, 34.5, 100])
@pytest.mark.parametrize("confidence", [0.95, 0.998])
def test_funnel_limits_by_adding_up(mean: float, confidence: float) -> None:
    tail = (1 - confidence) / 2
    lower, upper = (int(limit) for limit in funnel_limits(mean, confidence))
    # Below the lower limit and above the upper lies at most the tail; one step in, more.
    assert (probability_up_to(lower - 1, mean) if lower else 0.0) < tail
    assert probability_up_to(lower, mean) >= tail
    assert 1 - probability_up_to(upper, mean) <= tail
    assert 1 - probability_up_to(upper - 1, mean) > tail


def test_funnel_limits_of_twenty() -> None:
    assert [float(limit) for limit in funnel_limits(20)] == [12, 29]
    lower, upper = funnel_limits([0.0, math.nan])
    assert (lower[0], upper[0]) == (0, 0)
    assert np.isnan([lower[1], upper[1]]).all()


@pytest.mark.skipif(not VECTORS.exists(), reason="the worked cases are not here")
def test_worked_cases() -> None:
    with (VECTORS / "byars_wilson_raw.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["method"] == "Byars" and float(r["x"]) >= 10]
    assert {row["confidence"] for row in rows} == {"95%", "99.8%"}
    for row in rows:
        confidence = float(row["confidence"].rstrip("%")) / 100
        expected = (float(row["lowercl"]), float(row["uppercl"]))
        assert limits(float(row["x"]), confidence) == pytest.approx(expected, rel=1e-6)
