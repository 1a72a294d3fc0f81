"""What a cell of the gap matrix, and funding that ends, say in words."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from dashboard.providers_plan_view import Funding
from dashboard.providers_plan_words import funding_finding
from dashboard.providers_words import ends_by, ward_cell
from dashboard.rules.disclosure import PROFILES
from dashboard.rules.gaps import Cell


def cell(state: Cell, **counts: Any) -> Any:
    usual = {"own": 0, "wide": 0, "stale": 0, "free_places": None, "referred": None}
    return SimpleNamespace(**{"state": state.value, "referred_hidden": False, **usual, **counts})


@pytest.mark.parametrize(
    ("row", "text", "note", "people"),
    [
        (cell(Cell.NONE, referred=10), "none", "10 referred", 10),
        (cell(Cell.STALE, stale=2, referred=0), "2 stale", "0 referred", 0),
        (cell(Cell.FULL, own=1, wide=3, free_places=0), "1", "0 free", None),
        # All that is full is for everybody: none of it is the ward's own.
        (cell(Cell.FULL, wide=3), "3 wide", "", None),
        (cell(Cell.AREA_WIDE, own=1, wide=2, referred=5), "2 wide", "5 referred", None),
        (cell(Cell.SERVED, own=4, free_places=7, referred=5), "4", "7 free · 5 referred", None),
        (cell(Cell.NO_RETURN), "no return", "", None),
        # Hidden: between 1 and 7, and no reader is told where.
        (cell(Cell.NONE, referred_hidden=True), "none", "* referred", 4),
    ],
)
def test_what_a_cell_says(row: Any, text: str, note: str, people: float | None) -> None:
    found = ward_cell(row, PROFILES["nhs"])
    assert (found.text, found.note, found.people) == (text, note, people)


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        (0, "**10 places**."),
        (1, "**10 places**, and those of 1 service that did not say."),
        (2, "**10 places**, and those of 2 services that did not say."),
    ],
)
def test_when_funding_ends(unknown: int, said: str) -> None:
    row = SimpleNamespace(
        services=6, wards=1, month=date(2027, 3, 1), places=10, places_unknown=unknown
    )
    assert ends_by(row) == f"Funding of **6 services in 1 ward** ends by March 2027: {said}"


@pytest.mark.parametrize(
    ("later", "said"),
    [
        # The half year from the first month on: from September to February.
        ([date(2027, 2, 1)], ["3 services", "February 2027"]),
        ([date(2027, 3, 1)], ["1 service", "September 2026"]),
    ],
)
def test_what_ends_in_the_half_year_from_the_first_comes_first(
    later: list[date], said: list[str]
) -> None:
    months = pd.DataFrame(
        [(month, 1, services, 1, 10 * services, 0)
         for month, services in zip([date(2026, 9, 1), *later], (1, 3), strict=True)],
        columns=["month", "ending", "services", "wards", "places", "places_unknown"],
    )  # fmt: skip
    nothing = pd.DataFrame({"ward_code": []})
    first, *rest = funding_finding(Funding(months, nothing, nothing, nothing))
    assert [words in first for words in said] == [True, True]
    # All of it is said as well, where that is more.
    assert [("3 services" in words) for words in rest] == (
        [] if said[0] == "3 services" else [True]
    )
