"""Intervals against published values, and against sums of probabilities."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.rates import (
    byar_limits,
    funnel_limits,
    poisson_limits,
    t_limits,
    wilson_limits,
)

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


@pytest.mark.parametrize("events", [2, 9, 10, 400])
def test_byar_at_any_number(events: int) -> None:
    lower, upper = byar_limits([events])
    assert (lower[0], upper[0]) == pytest.approx(byar(events, 1.959963984540054), rel=1e-9)


def test_byar_never_falls_below_nothing() -> None:
    # At one event and 99.8% the formula comes to less than 0.
    assert byar(1, 3.090232306167813)[0] < 0
    lower, upper = byar_limits([0, 1, math.nan], 0.998)
    assert lower.tolist()[:2] == [0, 0]
    assert np.isnan([lower[2], upper[2]]).all()
    assert upper[1] == pytest.approx(9.36218021790836)


@pytest.mark.parametrize("confidence", [0.95, 0.998])
@pytest.mark.parametrize(("events", "of"), [(1, 3), (5, 10), (299, 300), (7.5, 12)])
def test_wilson_by_definition(events: float, of: int, confidence: float) -> None:
    """At each limit the share seen is z standard errors away, by the limit's own variance."""
    z = {0.95: 1.959963984540054, 0.998: 3.090232306167813}[confidence]
    for limit in wilson_limits(events, of, confidence):
        share = float(limit)
        assert abs(events / of - share) == pytest.approx(z * math.sqrt(share * (1 - share) / of))


def test_wilson_of_nobody_and_of_everybody() -> None:
    lower, upper = wilson_limits([0, 4, 0, 10, math.nan], [4, 4, 0, 5, 5])
    z2 = 1.959963984540054**2
    assert lower.tolist()[:2] == pytest.approx([0, 4 / (4 + z2)])
    assert upper.tolist()[:2] == pytest.approx([z2 / (4 + z2), 1])
    assert (lower[0], upper[1]) == (0, 1)
    # Nobody to have a share of; more than all, as rounding can leave them; and missing.
    assert np.isnan(lower[2:]).all()
    assert np.isnan(upper[2:]).all()
    assert np.isnan(wilson_limits(6, 5, 0.998)).all()


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilson_holds_the_share(one: int, other: int) -> None:
    events, of = min(one, other), max(one, other, 1)
    lower, upper = (float(limit) for limit in wilson_limits(events, of))
    wide_lower, wide_upper = (float(limit) for limit in wilson_limits(events, of, 0.998))
    assert 0 <= wide_lower <= lower <= events / of <= upper <= wide_upper <= 1
    assert lower < upper


def test_t_limits_as_in_tables() -> None:
    """t for 95% is 12.706 with 1 degree of freedom, 2.262 with 9, and 4.297 for 99.8%."""
    lower, upper = t_limits([10, 10], [2, 3], [2, 10])
    reach = [12.7062 * 2 / math.sqrt(2), 2.26216 * 3 / math.sqrt(10)]
    assert lower.tolist() == pytest.approx([10 - reach[0], 10 - reach[1]], rel=1e-4)
    assert upper.tolist() == pytest.approx([10 + reach[0], 10 + reach[1]], rel=1e-4)
    wide = t_limits(10, 3, 10, 0.998)
    assert float(wide[1]) == pytest.approx(10 + 4.29681 * 3 / math.sqrt(10), rel=1e-5)


def test_t_limits_need_two_values() -> None:
    lower, upper = t_limits([5, 5, 5, math.nan], [math.nan, 1, 0, 1], [1, 0, 2, 9])
    assert np.isnan(lower).tolist() == np.isnan(upper).tolist() == [True, True, False, True]
    assert (lower[2], upper[2]) == (5, 5)


needs_worked_cases = pytest.mark.skipif(
    not VECTORS.exists(), reason="the worked cases are not here"
)


@needs_worked_cases
def test_worked_cases() -> None:
    with (VECTORS / "byars_wilson_raw.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["method"], row["confidence"]) for row in rows} == {
        ("Byars", "95%"), ("Byars", "99.8%"), ("Wilson", "95%"), ("Wilson", "99.8%"),
    }  # fmt: skip
    for row in rows:
        confidence = float(row["confidence"].rstrip("%")) / 100
        seen = float(row["x"])
        found = [byar_limits(seen, confidence)]
        if row["n"]:
            found = [wilson_limits(seen, float(row["n"]), confidence)]
        elif seen >= 10:
            found.append(poisson_limits(seen, confidence))
        for limits in found:
            for limit, text in zip(limits, (row["lowercl"], row["uppercl"]), strict=True):
                assert not text or float(limit) == pytest.approx(float(text), rel=1e-6)


@needs_worked_cases
def test_worked_ratios() -> None:
    with (VECTORS / "expected_referrals.json").open(encoding="utf-8") as file:
        rows = json.load(file)["expected"]
    assert len(rows) == 5
    for row in rows:
        for confidence, name in ((0.95, "ci95"), (0.998, "ci998")):
            found = [limit / row["expected"] * 100 for limit in limits(row["observed"], confidence)]
            assert found == pytest.approx(row[name], rel=1e-6), row["practice"]


@needs_worked_cases
def test_worked_changes() -> None:
    with (VECTORS / "wellbeing_measures.json").open(encoding="utf-8") as file:
        rows = json.load(file)["paired_change"]["cases"]
    checked = 0
    for row in rows:
        expected = row["expected"]
        if expected.get("ci95"):
            numbers = (expected[name] for name in ("mean_change", "sd_change", "n_pairs"))
            found = [float(limit) for limit in t_limits(*numbers)]
            assert found == pytest.approx(expected["ci95"], rel=1e-6), row["id"]
            checked += 1
        if expected.get("pct_improved_wilson95"):
            shares = wilson_limits(expected["n_improved"], expected["n_pairs"])
            found = [float(limit) for limit in shares]
            assert found == pytest.approx(expected["pct_improved_wilson95"], rel=1e-6), row["id"]
            checked += 1
    assert checked >= 10
