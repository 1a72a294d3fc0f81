"""Definitions: one for each figure, complete, and true to the rules they describe."""

from __future__ import annotations

import pytest

from dashboard import export
from dashboard.rules.coverage import State, Status
from dashboard.rules.measures import GLOSSARY, MEASURES, Measure
from dashboard.rules.take_up import WINDOW_MONTHS

NUMBERS = {
    "status", "route_in", "link_worker", "services", "population", "fte_per_10k",
    "referrals_12_months", "take_up_per_1000", "take_up_ratio",
}  # fmt: skip


@pytest.mark.parametrize("measure", MEASURES.values(), ids=list(MEASURES))
def test_each_definition_is_complete(measure: Measure) -> None:
    for words in (
        measure.name, measure.title, measure.definition, measure.formula, measure.unit,
        measure.source,
    ):  # fmt: skip
        assert words.strip() == words != ""
    assert MEASURES[measure.name] is measure
    assert measure.definition.endswith(".")
    assert measure.caution == "" or measure.caution.endswith(".")


def test_what_the_export_shows_is_defined() -> None:
    assert set(MEASURES) >= NUMBERS
    assert set(export.COVERAGE_COLUMNS) >= NUMBERS


def test_the_words_agree_with_the_rules() -> None:
    words = {1: "one", 9: "nine", 10: "ten", 11: "eleven"}
    assert words[len(Status)] in MEASURES["status"].unit.split()
    for state in (State.PRESENT, State.AREA_WIDE, State.STALE, State.ABSENT, State.NO_RETURN):
        assert state.value in MEASURES["services"].unit
    assert f"{WINDOW_MONTHS} months" in MEASURES["referrals_12_months"].definition
    # Which numbers those are depends on the profile in force, and stands beside each map.
    assert "disclosure profile" in MEASURES["referrals_12_months"].formula


def test_the_glossary_explains_each_term_once() -> None:
    terms = [term for term, _ in GLOSSARY]
    assert len(terms) == len(set(terms))
    assert all(explained.endswith(".") for _, explained in GLOSSARY)
    assert {"Link worker", "PCN", "ICB", "LSOA", "FTE", "IMD"} <= set(terms)
