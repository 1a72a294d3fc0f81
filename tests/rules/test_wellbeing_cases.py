"""Wellbeing measures against the worked cases, every one of them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dashboard.rules.wellbeing import (
    SCALES,
    is_lonely,
    ons4_band,
    paired_change,
    swemwbs_metric,
    swemwbs_score,
    ucla3_score,
)

CASES = Path(__file__).parents[2].parent / "shared" / "vectors" / "wellbeing_measures.json"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the worked cases are not here")
# The cases name the first question as its column, the concerns without a space.
QUESTIONS = {"satisfied": "life satisfaction"}
ITEMS = {"concern1": "concern 1", "concern2": "concern 2", "wellbeing": "wellbeing"}
# The cases call every change above 0 an improvement.
ANY_CHANGE = 0.001


@pytest.fixture(scope="module")
def cases() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CASES.read_text(encoding="utf-8"))
    return found


def test_swemwbs(cases: dict[str, Any]) -> None:
    part = cases["swemwbs"]
    assert {str(raw): swemwbs_metric(raw) for raw in range(7, 36)} == part["conversion"]
    assert len(part["cases"]) == 9
    for case in part["cases"]:
        assert sum(case["items"]) == case["raw"]
        assert swemwbs_score(case["items"]) == case["metric"], case
    assert len(part["invalid"]) == 5
    for case in part["invalid"]:
        assert swemwbs_score(case["items"]) is case["expected"], case


def test_ons4(cases: dict[str, Any]) -> None:
    bands = cases["ons4"]["bands"]
    assert len(bands) == 48
    for case in bands:
        question = QUESTIONS.get(case["question"], case["question"])
        assert ons4_band(question, case["value"]) == case["band"], case


def test_ucla3(cases: dict[str, Any]) -> None:
    answers = cases["ucla3"]["cases"]
    assert len(answers) == 28
    for case in answers:
        score = ucla3_score(case["answers"])
        assert (score, is_lonely(score)) == (case["score"], case["lonely"]), case


def test_mycaw(cases: dict[str, Any]) -> None:
    assert len(cases["mycaw"]["cases"]) == 4
    for case in cases["mycaw"]["cases"]:
        for name, item in ITEMS.items():
            scores = (case["baseline"][name], case["followup"][name])
            there = [(*scores, 1)] if None not in scores else []
            found = paired_change(
                pd.DataFrame(there, columns=["before", "after", "people"]),
                least_change=1,
                higher_is_better=SCALES["MYCaW", item].better == "high",
            )
            improved = None if case["improved"][name] is None else int(case["improved"][name])
            assert found.mean_change == case["change"][name]
            assert (found.n_improved if there else None) == improved


def test_paired_change(cases: dict[str, Any]) -> None:
    changes = cases["paired_change"]["cases"]
    assert len(changes) == 8
    for case in changes:
        rows = pd.DataFrame({"before": case["baseline"], "after": case["followup"]})
        pairs = rows.dropna().groupby(["before", "after"]).size().rename("people").reset_index()
        found = paired_change(
            pairs, least_change=ANY_CHANGE, higher_is_better=case["higher_is_better"]
        )
        wanted = case["expected"]
        ci = wanted["ci95"] or (None, None)
        wilson = wanted["pct_improved_wilson95"] or (None, None)
        assert (found.n_pairs, found.n_improved, found.n_unchanged, found.n_worse) == tuple(
            wanted[name] for name in ("n_pairs", "n_improved", "n_same", "n_worse")
        ), case["id"]
        assert [
            found.mean_change, found.sd_change, found.lower, found.upper,
            found.share_lower, found.share_upper,
        ] == [
            None if value is None else pytest.approx(value, rel=1e-6)
            for value in (wanted["mean_change"], wanted["sd_change"], *ci, *wilson)
        ], case["id"]  # fmt: skip
        if wanted["t"] is not None:
            assert found.mean_change is not None
            assert found.sd_change is not None
            error = found.sd_change / math.sqrt(found.n_pairs)
            assert found.mean_change / error == pytest.approx(wanted["t"], rel=1e-6)
