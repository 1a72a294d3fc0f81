"""Funnels: limits and the room for more than chance, by hand and as properties."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.funnel import Funnel, Kind, fit_funnel, funnel_curve, funnel_places
from dashboard.rules.staffing import FunnelPlace

Z95, Z998 = 1.959964, 3.090232


def numbers(*values: float | None) -> pd.Series:
    return pd.Series(values, dtype="Float64")


def listed(found: pd.Series) -> list[Any]:
    return found.astype(object).where(found.notna(), None).tolist()


def test_limits_of_chance_by_hand() -> None:
    """100 expected: 1 less and more 1.96 / 20 on the square root, and that squared."""
    ratio = Funnel(Kind.RATIO, 1, 5, 0.5, 0)
    lower, upper = ratio.limits([100, 25])
    assert lower.tolist() == pytest.approx([(1 - Z95 / 20) ** 2, (1 - Z95 / 10) ** 2], rel=1e-6)
    assert upper.tolist() == pytest.approx([(1 + Z95 / 20) ** 2, (1 + Z95 / 10) ** 2], rel=1e-6)
    # Half of 100: an angle of 45 degrees, 0.05 each standard error.
    share = Funnel(Kind.PROPORTION, 0.5, 5, 0.5, 0)
    lower, upper = share.limits(100, 0.998)
    assert float(lower) == pytest.approx(math.sin(math.pi / 4 - Z998 / 20) ** 2, rel=1e-6)
    assert float(upper) == pytest.approx(math.sin(math.pi / 4 + Z998 / 20) ** 2, rel=1e-6)
    assert not ratio.is_adjusted


def test_limits_end_where_the_scale_does() -> None:
    """One expected: 0.998 reaches below 0 on the square root, and squared would come up again."""
    lower, upper = Funnel(Kind.RATIO, 1, 5, 0.5, 0).limits([1, 0], 0.998)
    assert lower[0] == 0
    assert upper[0] == pytest.approx((1 + Z998 / 2) ** 2, rel=1e-6)
    assert np.isnan([lower[1], upper[1]]).all()
    lower, upper = Funnel(Kind.PROPORTION, 0.9, 5, 0.5, 0).limits([2])
    assert upper.tolist() == [1]
    lower, upper = Funnel(Kind.PROPORTION, 0.1, 5, 0.5, 0).limits([2])
    assert lower.tolist() == [0]


# 25 expected in each, and 9, 16, 36 and 49 seen: z is -4, -2, 2 and 4.
SEEN, EXPECTED = numbers(9, 16, 36, 49), numbers(25, 25, 25, 25)
# The 10th percentile of these is 3 tenths of the way from -4 to -2.
PHI = (2 * 3.4**2 + 2 * 2**2) / 4
TAU_SQUARED = (4 * PHI - 3) / (400 - 4 * 100**2 / 400)


def test_over_dispersion_by_hand() -> None:
    found = fit_funnel(Kind.RATIO, SEEN, EXPECTED, 1)
    assert (found.kind, found.centre, found.units) == (Kind.RATIO, 1, 4)
    assert found.phi == pytest.approx(PHI)
    assert found.tau**2 == pytest.approx(TAU_SQUARED)
    assert found.is_adjusted
    lower, upper = found.limits([100])
    reach = Z95 * math.sqrt(1 / 400 + TAU_SQUARED)
    assert lower.tolist() == pytest.approx([(1 - reach) ** 2], rel=1e-6)
    assert upper.tolist() == pytest.approx([(1 + reach) ** 2], rel=1e-6)


def test_the_weight_of_a_unit_is_its_size() -> None:
    """4 and 100 expected: weights 16 and 400; z is -2 and 6, winsorised to -1.2 and 5.2."""
    found = fit_funnel(Kind.RATIO, numbers(1, 169), numbers(4, 100), 1)
    assert found.phi == pytest.approx((1.2**2 + 5.2**2) / 2)
    assert found.tau**2 == pytest.approx(
        (1.2**2 + 5.2**2 - 1) / (416 - (16**2 + 400**2) / 416), rel=1e-9
    )


def test_a_rate_has_its_own_centre() -> None:
    """0.25 a person: 9 of 100 and 64 of 100 lie 2 and 3 tenths from a half on the square root."""
    found = fit_funnel(Kind.RATIO, numbers(9, 64), numbers(100, 100), 0.25)
    # z is -4 and 6, winsorised to -3 and 5.
    assert found.phi == pytest.approx((9 + 25) / 2)
    assert found.limits([100])[1].tolist() == pytest.approx(
        [(0.5 + Z95 * math.sqrt(1 / 400 + 33 / 400)) ** 2], rel=1e-6
    )


def test_proportions_by_hand() -> None:
    """Angles 0.2 less and more than 45 degrees, of 100: z is -4 and 4, winsorised to 3.2."""
    shares = [math.sin(math.pi / 4 - 0.2) ** 2, math.sin(math.pi / 4 + 0.2) ** 2]
    found = fit_funnel(
        Kind.PROPORTION, numbers(*(100 * share for share in shares)), numbers(100, 100), 0.5
    )
    assert found.phi == pytest.approx(3.2**2)
    assert found.tau**2 == pytest.approx((2 * 3.2**2 - 1) / 400)


@pytest.mark.parametrize(("apart", "is_adjusted"), [(0.88, False), (0.89, True)])
def test_on_both_sides_of_the_line(apart: float, is_adjusted: bool) -> None:
    """Two units with z at plus and minus `apart`, winsorised to 0.8 of it: phi against 1/2."""
    seen = [(5 - apart / 2) ** 2, (5 + apart / 2) ** 2]
    found = fit_funnel(Kind.RATIO, numbers(*seen), numbers(25, 25), 1)
    assert found.phi == pytest.approx((0.8 * apart) ** 2)
    assert found.is_adjusted is is_adjusted
    assert is_adjusted is ((0.8 * apart) ** 2 > 1 / 2)


def test_those_without_numbers_are_left_out() -> None:
    seen, expected = numbers(9, None, 16, 36, 3, 49), numbers(25, 25, 25, 25, 0, 25)
    assert fit_funnel(Kind.RATIO, seen, expected, 1) == fit_funnel(Kind.RATIO, SEEN, EXPECTED, 1)
    assert fit_funnel(Kind.RATIO, numbers(None, 3), numbers(1, None), 1) == Funnel(
        Kind.RATIO, 1, 0, None, 0
    )
    # One unit says nothing of what is between units.
    one = fit_funnel(Kind.RATIO, numbers(49), numbers(25), 1)
    assert (one.units, one.tau) == (1, 0)
    assert one.phi == pytest.approx(16)


@pytest.mark.parametrize(
    ("kind", "centre"),
    [(Kind.RATIO, -0.1), (Kind.PROPORTION, 1.1), (Kind.PROPORTION, math.nan)],
)
def test_a_centre_off_the_scale_is_refused(kind: Kind, centre: float) -> None:
    with pytest.raises(ValueError, match=f"expected a centre of a {kind}, found"):
        fit_funnel(kind, SEEN, EXPECTED, centre)


def test_places() -> None:
    """100 expected: 95% is 0.814 to 1.206, 99.8% 0.715 to 1.333."""
    seen = numbers(71, 72, 81, 82, 120, 121, 133, 134, None, 9, 9).set_axis([*"abcdefghijk"])
    expected = numbers(*[100] * 9, 0, None).set_axis(seen.index)
    found = funnel_places(Funnel(Kind.RATIO, 1, 8, 0.5, 0), seen, expected)
    outside, beyond = FunnelPlace.OUTSIDE_95, FunnelPlace.OUTSIDE_998
    inside = FunnelPlace.INSIDE
    assert dict(zip(found.index, listed(found["place"]), strict=True)) == {
        "a": beyond, "b": outside, "c": outside, "d": inside, "e": inside, "f": outside,
        "g": outside, "h": beyond, "i": None, "j": None, "k": None,
    }  # fmt: skip
    assert listed(found["value"])[:2] + listed(found["value"])[8:] == [0.71, 0.72, None, None, None]
    assert list(found) == ["value", "lower_95", "upper_95", "lower_998", "upper_998", "place"]
    assert found.loc["a", "lower_95"] == pytest.approx((1 - Z95 / 20) ** 2, rel=1e-6)
    assert found.loc[["j", "k"], ["lower_95", "upper_998"]].isna().all(axis=None)
    # With room for more than chance nobody is beyond it.
    wide = funnel_places(Funnel(Kind.RATIO, 1, 8, 9, 0.2), seen, expected)
    assert set(listed(wide["place"])) == {inside, None}


def test_one_or_none_of_one_is_within() -> None:
    found = funnel_places(
        Funnel(Kind.PROPORTION, 0.5, 3, 0.5, 0), numbers(0, 1, 2), numbers(1, 1, 1)
    )
    # The last is what rounding can leave.
    assert listed(found["value"]) == [0, 1, 1]
    assert set(found["place"]) == {FunnelPlace.INSIDE}


def test_the_curve() -> None:
    funnel = fit_funnel(Kind.RATIO, SEEN, EXPECTED, 1)
    found = funnel_curve(funnel, [10, 100])
    assert list(found) == ["of", "lower_95", "upper_95", "lower_998", "upper_998"]
    assert found["of"].tolist() == [10, 100]
    for name, confidence in (("95", 0.95), ("998", 0.998)):
        lower, upper = funnel.limits([10, 100], confidence)
        assert found[f"lower_{name}"].tolist() == lower.tolist()
        assert found[f"upper_{name}"].tolist() == upper.tolist()
    assert len(funnel_curve(funnel, [])) == 0


def test_chance_alone_does_not_widen_and_more_than_chance_is_found() -> None:
    """Winsorising at 10 and 90% leaves 0.68 of a normal spread."""
    rng = np.random.default_rng(20260301)
    expected = rng.uniform(200, 2000, 4000)
    chance = fit_funnel(Kind.RATIO, pd.Series(rng.poisson(expected)), pd.Series(expected), 1)
    assert chance.phi == pytest.approx(0.679, abs=0.04)
    assert not chance.is_adjusted
    true_ratio = (1 + rng.normal(0, 0.2, 4000)) ** 2
    more = fit_funnel(
        Kind.RATIO, pd.Series(rng.poisson(expected * true_ratio)), pd.Series(expected), 1
    )
    assert more.tau == pytest.approx(0.2 * math.sqrt(0.679), abs=0.02)


kinds = st.sampled_from(Kind)
centres = st.floats(0.01, 0.99)


@given(kinds, centres, st.integers(1, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_limits_hold_the_centre_and_widen(
    kind: Kind, centre: float, of: int, one: float, other: float
) -> None:
    narrow, wide = (Funnel(kind, centre, 9, 1, tau) for tau in sorted((one, other)))
    lower, upper = (float(limit) for limit in narrow.limits(of))
    for outer in (narrow.limits(of, 0.998), wide.limits(of), narrow.limits(of / 2)):
        outer_lower, outer_upper = (float(limit) for limit in outer)
        assert 0 <= outer_lower <= lower <= centre + 1e-12
        assert centre - 1e-12 <= upper <= outer_upper
        assert outer_upper <= 1 or kind is Kind.RATIO


@given(
    kinds,
    centres,
    st.lists(st.tuples(st.integers(0, 60), st.integers(60, 900)), min_size=1, max_size=30),
)
def test_what_is_fitted_is_never_narrower_than_chance(
    kind: Kind, centre: float, units: list[tuple[int, int]]
) -> None:
    seen, of = (numbers(*column) for column in zip(*units, strict=True))
    found = fit_funnel(kind, seen, of, centre)
    assert found.units == len(units)
    assert found.is_adjusted is (len(units) > 1 and len(units) * (found.phi or 0) > len(units) - 1)
    chance = Funnel(kind, centre, found.units, found.phi, 0)
    if not found.is_adjusted:
        assert found == chance
    lower, upper = found.limits(of)
    chance_lower, chance_upper = chance.limits(of)
    assert (lower <= chance_lower).all()
    assert (upper >= chance_upper).all()
