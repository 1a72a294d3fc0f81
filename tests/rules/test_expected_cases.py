"""The worked case of expected referrals: what no other test of it looks at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dashboard.rules.rates import poisson_limits
from dashboard.rules.take_up import expected_referrals

CASES = Path(__file__).parents[2].parent / "shared" / "vectors" / "expected_referrals.json"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the worked cases are not here")


@pytest.fixture(scope="module")
def cases() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CASES.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def practices(cases: dict[str, Any]) -> pd.DataFrame:
    """One row per practice: patients, observed and expected, as the rules find them."""
    rows = pd.DataFrame(cases["strata_rows"])
    strata = pd.DataFrame(
        {
            "ward_code": rows["practice"],
            "stratum": rows["age"] + rows["sex"] + rows["imd_quintile"].astype("str"),
            "people": rows["patients"].astype("Float64"),
            "referrals": rows["referrals"].astype("Float64"),
        }
    )
    found = rows.groupby("practice")[["patients", "referrals"]].sum()
    return found.join(expected_referrals(strata).astype(float))


def test_observed_and_crude_rate(cases: dict[str, Any], practices: pd.DataFrame) -> None:
    for case in cases["expected"]:
        row = practices.loc[case["practice"]]
        assert row["referrals"] == case["observed"]
        rate = row["referrals"] / row["patients"] * 1000
        assert rate == pytest.approx(case["crude_rate_per_1000"], rel=1e-6)
    assert practices["referrals"].sum() == cases["total"]["observed"]


def test_ratio_and_limits_from_the_strata(cases: dict[str, Any], practices: pd.DataFrame) -> None:
    """The interval is that of the observed number, over what the rules expect."""
    for case in cases["expected"]:
        observed, expected = practices.loc[case["practice"], ["referrals", "expected"]]
        assert observed / expected * 100 == pytest.approx(case["srr"], rel=1e-6)
        for confidence, name in ((0.95, "ci95"), (0.998, "ci998")):
            limits = [
                float(limit) / expected * 100 for limit in poisson_limits(observed, confidence)
            ]
            assert limits == pytest.approx(case[name], rel=1e-6), case["practice"]


def test_which_differ_from_the_expected(cases: dict[str, Any], practices: pd.DataFrame) -> None:
    """0.001 is outside the 99.8% interval, on one of its two sides."""
    for case in cases["expected"]:
        observed, expected = practices.loc[case["practice"], ["referrals", "expected"]]
        lower, upper = (float(limit) for limit in poisson_limits(observed, 0.998))
        word = "High (0.001)" if lower > expected else "Low (0.001)" if upper < expected else None
        assert (word or "Not significant") == case["significance"]
    assert len(cases["expected"]) == len(practices) == 5
