"""The worked cases of disclosure control, every one of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dashboard.rules.attacker import LEAST_WIDTH, Range, Relation, exposed, given_back, worked_out
from dashboard.rules.disclosure import PROFILES, disclose, protect, shown_range

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="the worked cases are not here")
CASES: dict[str, Any] = (
    json.loads((VECTORS / "disclosure_control.json").read_text(encoding="utf-8"))
    if VECTORS.exists()
    else {}
)
NHS = PROFILES["nhs"]
# What is known of a small count by itself, and of one hidden for another's sake.
SMALL, HIDDEN = (1, 7), (0, None)
# The profile of the additive tables: 1 to 7 hidden, nothing rounded.
EXACT = type(NHS)("exact", 1, 7, 1, "")


def each(section: str) -> pytest.MarkDecorator:
    cases = CASES.get(section, [])
    return pytest.mark.parametrize("case", cases, ids=[str(at) for at in range(len(cases))])


def named(section: str) -> pytest.MarkDecorator:
    cases = CASES.get(section, [])
    return pytest.mark.parametrize("case", cases, ids=[case["id"] for case in cases])


def shown(value: int) -> str:
    numbers, hidden = disclose(pd.Series([value], name="people"), NHS)
    return "*" if hidden[0] else str(numbers[0])


def test_every_section_is_read() -> None:
    assert set(CASES) == {
        "source", "rules", "attacker", "unit_rounding", "published_unit_star",
        "published_unit_central", "must_raise", "additive_tables", "rounded_tables",
        "percentages_and_rates",
    }  # fmt: skip
    assert all(CASES.values())


@each("unit_rounding")
def test_roundings(case: dict[str, Any]) -> None:
    assert shown(case["true"]) == case["star"]
    # The variant that shows 5 in place of the star is the same in all others.
    assert shown(case["true"]) == (case["central"] if case["star"] != "*" else "*")


@each("published_unit_star")
def test_published_roundings(case: dict[str, Any]) -> None:
    assert shown(case["value"]) == case["star"]


@each("published_unit_central")
def test_published_roundings_of_the_variant(case: dict[str, Any]) -> None:
    found = shown(case["value"])
    assert (found if found != "*" else "5") == case["central"]


@each("must_raise")
def test_what_is_no_count_raises(case: Any) -> None:
    """A missing one is none to us either: it stays missing, and is neither 0 nor hidden."""
    if case is None:
        numbers, hidden = disclose(pd.Series([None], dtype="Int64", name="people"), NHS)
        assert (numbers.isna().tolist(), hidden.tolist()) == ([True], [False])
        assert protect({"a": None}, [], NHS) == set()
        return
    with pytest.raises(ValueError, match=r"people|parse|convert"):
        disclose(pd.Series([case], name="people"), NHS)
    with pytest.raises(ValueError, match=r"counts|parse|convert"):
        protect({"a": case}, [], NHS)


def relations_of(case: dict[str, Any]) -> list[Relation]:
    return [Relation(one["total"], tuple(one["parts"])) for one in case["relations"]]


@pytest.mark.parametrize("marker", ["same", "distinct"])
@named("additive_tables")
def test_what_an_attacker_works_out(case: dict[str, Any], marker: str) -> None:
    for pattern in case["patterns"]:
        known: dict[str, Range] = {key: (value, value) for key, value in case["cells"].items()}
        for key in pattern["suppressed"]:
            known[key] = SMALL if marker == "distinct" and key in case["primary"] else HIDDEN
        hidden, relations = pattern["suppressed"], relations_of(case)
        expected = {key: tuple(ends) for key, ends in pattern[f"attacker_{marker}_marker"].items()}
        assert worked_out(known, relations, of=hidden) == expected
        exact = exposed(known, relations, hidden, least_width=2)
        assert exact == set(pattern[f"exactly_recoverable_{marker}_marker"])
        assert exact.isdisjoint(case["primary"]) == pattern[f"safe_{marker}_marker"]


@named("additive_tables")
def test_what_is_hidden_besides(case: dict[str, Any]) -> None:
    relations = relations_of(case)
    primary = {key for key, value in case["cells"].items() if 1 <= value <= 7}
    assert primary == set(case["primary"])
    hidden = protect(case["cells"], relations, EXACT)
    assert primary <= hidden
    known: dict[str, Range] = {
        key: SMALL if key in primary else HIDDEN if key in hidden else (value, value)
        for key, value in case["cells"].items()
    }
    assert exposed(known, relations, hidden) == set()
    best = case.get("optimum_secondary_totals_shown")
    if best:
        others = hidden - primary
        assert len(others) == best["n_secondary"]
        assert sum(case["cells"][key] for key in others) == best["min_hidden_value"]
        assert others in [set(one) for one in best["sets"]]


def table_relations(keys: list[str]) -> list[Relation]:
    """Of a list with its total T, or of a table "row|column" with totals."""
    if "T" in keys:
        return [Relation("T", tuple(key for key in keys if key != "T"))]
    rows, columns = (list(dict.fromkeys(key.split("|")[at] for key in keys)) for at in (0, 1))
    sums = [
        Relation(f"{row}|Total", tuple(f"{row}|{one}" for one in columns if one != "Total"))
        for row in rows
    ]
    return sums + [
        Relation(f"Total|{column}", tuple(f"{one}|{column}" for one in rows if one != "Total"))
        for column in columns
    ]


@named("rounded_tables")
def test_what_an_attacker_works_out_of_rounded_tables(case: dict[str, Any]) -> None:
    true, published = case["true"], case["published"]
    assert {key: shown(value) for key, value in true.items()} == published
    relations = table_relations(list(true))
    known = {
        key: SMALL if published[key] == "*" else shown_range(value, NHS)
        for key, value in true.items()
    }
    found = worked_out(known, relations)
    assert found == {key: tuple(ends) for key, ends in case["attacker_interval"].items()}
    small = {key for key in true if published[key] == "*"}
    assert exposed(known, relations, small, 2) == set(case["exactly_recoverable"])
    assert {key for key in small if found[key] != SMALL} == set(case["narrowed"])


@named("rounded_tables")
def test_rounded_tables_keep_what_is_hidden(case: dict[str, Any]) -> None:
    true, relations = case["true"], table_relations(list(case["true"]))
    small = {key for key, star in case["published"].items() if star == "*"}
    hidden = protect(true, relations, NHS)
    assert small <= hidden
    known = {
        key: SMALL if key in small else HIDDEN if key in hidden else shown_range(value, NHS)
        for key, value in true.items()
    }
    for low, high in worked_out(known, relations, of=hidden).values():
        assert high is None or high - low + 1 >= LEAST_WIDTH


@each("percentages_and_rates")
def test_counts_that_rates_give_back(case: dict[str, Any]) -> None:
    found = list(
        given_back(case["published_value"], case["denominator"], case["decimals"], case["per"])
    )
    assert found == case["consistent_numerators"]
    assert len(found) == case["n_consistent"]
    assert (len(found) == 1) == case["recoverable"]
    assert all(1 <= count <= 7 for count in found) == case["reveals_small"]
