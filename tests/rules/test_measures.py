"""Definitions: one for each figure, complete, and true to the rules they describe."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from dashboard import export
from dashboard.rules import measures
from dashboard.rules.coverage import State, Status
from dashboard.rules.measures import GLOSSARY, MEASURES, SHOWN_AS, Measure, help_of
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


def test_no_definition_takes_the_place_of_another() -> None:
    """Of two with one name the first would be gone without a word."""
    tree = ast.parse(Path(measures.__file__).read_text(encoding="utf-8"))
    written = [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Measure"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert Counter(written) == Counter(list(MEASURES))
    titles = Counter(measure.title for measure in MEASURES.values())
    assert max(titles.values()) == 1


def test_each_title_that_is_shown_has_the_words_of_methods() -> None:
    assert set(SHOWN_AS.values()) <= set(MEASURES)
    # A title that is a measure's own needs no second way to it, unless it is another's too.
    assert not set(SHOWN_AS) & {measure.title for measure in MEASURES.values()}
    assert help_of("Ratio") == MEASURES["take_up_ratio"].definition
    assert help_of("Take-up ratio") == MEASURES["take_up_ratio"].definition
    assert help_of("Unmet need") == MEASURES["unmet_need"].definition
    assert help_of("Unmet need, people (95%)") == MEASURES["plan_need"].definition
    assert help_of("Month") == ""


# The tiles of every page, as they are on the demonstration.
TILES = (
    "Connected to a service", "Contacted", "Cost", "Declined", "FTE in post",
    "For every 10,000 patients", "Free places", "Funded posts", "Headcount", "How it was chosen",
    "Life satisfaction", "Link workers per 10,000", "Link workers serving these wards",
    "Most often lost at", "Needs not met", "Newly reached", "Open caseload", "People waiting",
    "Pressure", "Referrals in 12 months", "Referrals missing there", "Remain unreached", "Services",
    "Set apart", "Short of target or plan", "To first contact", "Utilisation", "Vacant",
    "Wards below the expected range", "Wards with a gap",
)  # fmt: skip


@pytest.mark.parametrize("title", TILES)
def test_each_tile_is_defined(title: str) -> None:
    assert help_of(title).endswith(".")
