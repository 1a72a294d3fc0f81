"""No true hidden number in anything that is sent, and none that could be worked out from it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from tests.app.reading import Markup, View
from tests.app.test_routes import get
from tests.app.test_workforce_page import FEW_REFERRALS, listed, panel, small_table, tile
from tests.small_board import (
    ABBEY,
    AS_AT,
    BOARD,
    BROOK,
    CASTLE,
    DALE,
    NORTH,
    NORTHAM,
    SOUTH,
    Board,
    Referrals,
)

# Whole pages, the command line or the server: `test_pages` has one quick look at each.
pytestmark = pytest.mark.slow

TABLE = f"/table/coverage.json?icb={BOARD}&as_at={AS_AT}"
NETWORKS = f"/table/workforce.json?icb={BOARD}&as_at={AS_AT}"
LAYERS_OF_PEOPLE = ("take-up", "ratio")


@pytest.fixture
def true_counts(demonstration: Engine) -> pd.Series:
    """Referrals by ward in the 12 months that the demonstration shows, before the gate."""
    statement = text(
        "select ward_code, sum(referrals) as n from referral_fact "
        "where month between :first and :last and ward_code is not null group by ward_code"
    )
    period = {"first": date(2025, 7, 1).isoformat(), "last": date(2026, 6, 1).isoformat()}
    with demonstration.connect() as connection:
        return pd.read_sql(statement, connection, params=period).set_index("ward_code")["n"]


@pytest.fixture
def hidden_wards(true_counts: pd.Series) -> list[str]:
    """Wards with 1 to 7, but for those of which a return is missing: they have no number."""
    few, cells = true_counts[true_counts.between(1, 7)].index, wards_in_table()
    return [code for code in few if code in cells and cells[code][-3][0] != "–"]


def wards_in_table() -> dict[str, list]:
    rows = get("/table/coverage.json?icb=QDK&as_at=2026-06-30").json()["rows"]
    return {row["key"]: row["cells"] for row in rows}


def test_the_list_has_a_mark_and_nothing_else(true_counts: pd.Series, hidden_wards: list[str]):
    cells = wards_in_table()
    assert len(hidden_wards) > 5
    for code in hidden_wards:
        # Text alone: no value to sort by, no note.
        assert cells[code][-3:] == [["*"], ["*"], ["*"]]
    for code, row in cells.items():
        shown = row[-3]
        if len(shown) > 1 and shown[1] is not None:
            assert shown[1] % 5 == 0
            assert abs(shown[1] - true_counts.get(code, 0)) <= 2


@pytest.mark.parametrize("layer", LAYERS_OF_PEOPLE)
def test_the_map_puts_hidden_wards_in_a_group_without_values(
    hidden_wards: list[str], open_page: Callable[..., View], layer: str
):
    for trace in open_page(layer=layer).figure("ward_map")["data"]:
        if set(trace["locations"]) & set(hidden_wards):
            assert trace.get("name") in (None, "Hidden: few people")
            assert set(trace.get("z", [0])) == {0}


def test_the_panel_of_a_hidden_ward(hidden_wards: list[str], open_page: Callable[..., View]):
    for code in hidden_wards[:4]:
        view = open_page(ward=code)
        facts = view.part("facts")
        assert re.search(r"Referrals, 12 months\s+\*\s+Link workers", facts)
        assert "expected" not in facts
        compared = next(b for b in view.markup() if "and the wards beside it" in b)
        first = compared.split("<tbody>")[1].split("</tr>")[0]
        assert re.findall(r"<td[^>]*>([^<]*)</td>", first)[-2:] == ["*", "*"]


def test_trends_show_noughts_and_fives_only(
    hidden_wards: list[str], open_page: Callable[..., View]
):
    busy = [code for code in wards_in_table() if code not in hidden_wards][::60]
    for code in [*hidden_wards[:3], *busy]:
        view = open_page(ward=code, months="36")
        if not view.has_figure("ward_referrals"):
            continue
        bars = next(t for t in view.figure("ward_referrals")["data"] if t["type"] == "bar")
        assert all(value == 0 or (value >= 10 and value % 5 == 0) for value in bars["y"])
        twin = next(b for b in view.markup() if 'aria-label="Referrals by' in b)
        told = re.findall(r"<td[^>]*>([^<]*)</td>", twin)
        shown = [int(cell.replace(",", "")) for cell in told if cell not in ("*", "–")]
        assert shown == bars["y"]
        marks = [t for t in view.figure("ward_referrals")["data"] if t.get("name") == "hidden"]
        assert told.count("*") == sum(len(trace["x"]) for trace in marks)


def page_of(open_page: Callable[..., View], **address: str) -> str:
    """Everything the browser gets of a view, but for the number of the data's version."""
    return re.sub(r"([?&]v=|/geo/QZ1/)[\w.]+", r"\1", open_page(**address).everything())


def all_that_is_shown(open_page: Callable[..., View]) -> dict[str, str]:
    """Every view and every file of the small board in which Dale's number could show."""
    views = [{}, *({"layer": layer} for layer in LAYERS_OF_PEOPLE)]
    views += [{"ward": ward} for ward in (DALE, CASTLE, ABBEY)]
    views += [{"pcn": SOUTH}, {"locality": "E07000902"}]
    shown = {json.dumps(view): page_of(open_page, **view) for view in views}
    shown["the list"] = get(TABLE).text
    shown["the csv file"] = get(f"/export/coverage.csv?icb={BOARD}&as_at={AS_AT}").text
    rows = get(f"/export/coverage.json?icb={BOARD}&as_at={AS_AT}").json()["rows"]
    shown["the json file"] = json.dumps(rows)
    return shown


@pytest.mark.slow
@pytest.mark.parametrize(
    "ages",
    [
        pytest.param(False, id="population alone", marks=pytest.mark.slow),
        pytest.param(True, id="by age"),
    ],
)
def test_a_hidden_number_changes_nothing_that_is_shown(
    load_board: Callable[..., Engine], open_page: Callable[..., View], ages: bool
):
    """If the whole board reads the same for 2 as for 5, nobody can tell 2 from 5."""

    def board(*dale: int) -> Board:
        sent = (
            Referrals(ABBEY, NORTH, (4, 8, 10, 18)),
            Referrals(BROOK, NORTH, (6, 7, 10, 17)),
            Referrals(CASTLE, SOUTH, (5, 4, 4, 4)),
            Referrals(DALE, SOUTH, dale),
        )
        return Board(ages=ages, referrals=sent)

    load_board(board(0, 1, 1, 0))
    two = all_that_is_shown(open_page)
    load_board(board(0, 1, 2, 2))
    five = all_that_is_shown(open_page)
    assert two.keys() == five.keys()
    assert [name for name in two if two[name] != five[name]] == []


def few_of_north(*north: int) -> Board:
    """North with so many referrals (one in July, the rest in June), South with 43."""
    south = FEW_REFERRALS.referrals[1]
    return FEW_REFERRALS.but(referrals=(Referrals(ABBEY, NORTH, north), south))


def all_of_workforce(open_page: Callable[..., View]) -> dict[str, str]:
    """Every view and every file in which North's number could show."""
    views: list[dict[str, str]] = [{}, {"view": "pressure"}, {"locality": NORTHAM}]
    views += [{"pcn": pcn, "view": "funnel"} for pcn in (NORTH, SOUTH)]
    views += [{"pcn": NORTH, "trend": trend} for trend in ("referrals", "open_referrals")]
    views += [{"trend": trend} for trend in ("referrals", "open_referrals")]
    shown = {
        json.dumps(view): page_of(lambda **a: open_page("workforce", **a), **view) for view in views
    }
    shown["the list"] = get(NETWORKS).text
    shown["the csv file"] = get(f"/export/workforce.csv?icb={BOARD}&as_at={AS_AT}").text
    rows = get(f"/export/workforce.json?icb={BOARD}&as_at={AS_AT}").json()["rows"]
    shown["the json file"] = json.dumps(rows)
    return shown


@pytest.mark.slow
def test_a_hidden_number_of_a_network_changes_nothing_that_is_shown(
    load_board: Callable[..., Engine], open_page: Callable[..., View]
):
    """Beside 43 of South both 2 and 4 make 45 together: nothing else may tell them apart."""
    load_board(few_of_north(1, 1, 0, 0))
    two = all_of_workforce(open_page)
    load_board(few_of_north(1, 1, 1, 1))
    four = all_of_workforce(open_page)
    assert two.keys() == four.keys()
    assert [name for name in two if two[name] != four[name]] == []


def test_a_hidden_network_has_marks_and_nothing_derived(
    load_board: Callable[..., Engine], open_page: Callable[..., View]
):
    load_board(few_of_north(1, 2, 1, 1))
    view = open_page("workforce", pcn=NORTH, trend="referrals")
    cells = listed(view)[NORTH]
    for title in ("Referrals, 12 months", "A year per FTE", "Needed for the band", "Open per FTE"):
        # Text alone: no value to sort by, no note.
        assert cells[title] == ["*"]
    facts = panel(view)
    assert facts["New referrals"] == "* in 12 months; hidden"
    assert facts["Open referrals"] == "*"
    assert facts["Needed for the band"] == "–"
    for label in ("Pressure", "Open caseload"):
        assert tile(view, label).split()[len(label.split())] == "*"
    assert tile(view, "Pressure").count("* referrals, Jul 2025 to Jun 2026") == 1
    north = next(
        row
        for row in get(f"/export/workforce.json?icb={BOARD}&as_at={AS_AT}").json()["rows"]
        if row["pcn_code"] == NORTH
    )
    derived = ("pressure", "needed_least_fte", "needed_most_fte", "needed_further_fte")
    hidden = ("referrals_12_months", "open_referrals", "open_per_fte", *derived)
    assert {north[name] for name in hidden} == {"*"}
    # By month: one in July, four in June, and no picture but of the noughts between.
    months = {row["Month"]: row["New referrals"] for row in small_table(view, "New referrals")}
    assert (months["Jul 2025"], months["Jun 2026"]) == ("*", "*")
    values = [y for t in view.figure("trend_referrals")["data"] for y in t["y"] if y is not None]
    assert set(values) == {0.0}


@pytest.mark.slow
def test_trends_of_networks_show_noughts_and_fives_only(
    demonstration: Engine, open_page: Callable[..., View]
):
    """The network of the demonstration with the fewest referrals: most of its months are hidden."""
    for trend, title in (("referrals", "New referrals"), ("open_referrals", "Open referrals")):
        view = open_page("workforce", pcn="UDK031", trend=trend, months="36")
        line = next(t for t in view.figure(f"trend_{trend}")["data"] if t.get("name") == title)
        drawn = [y for y in line["y"] if y is not None]
        assert all(y == 0 or (y >= 10 and y % 5 == 0) for y in drawn)
        told = [row[title] for row in small_table(view, title)]
        assert [float(cell) for cell in told if cell not in ("*", "–")] == drawn
        assert "*" in told


def test_a_hidden_ward_keeps_no_expected_number_in_a_file(
    load_board: Callable[..., Engine],
):
    """By age and fifth, a ward that is alone in its stratum expects exactly what it has."""
    load_board(Board(ages=True))
    rows = get(f"/export/coverage.json?icb={BOARD}&as_at={AS_AT}").json()["rows"]
    dale = next(row for row in rows if row["ward_code"] == DALE)
    assert dale["referrals_12_months"] == "*"
    assert {dale[name] for name in ("take_up_per_1000", "take_up_ratio", "expected")} == {"*"}


def test_a_hidden_network_is_a_mark_on_outcomes_too(
    load_board: Callable[..., Engine], open_page: Callable[..., View]
):
    """Five of North and 43 of South: their referrals, of which no step was told."""
    load_board(few_of_north(1, 2, 1, 1))
    for part in ("pathway", "endings", "networks"):
        view = open_page("outcomes", part=part, pcn=NORTH)
        assert not view.app.exception
        assert not re.search(r"\b[1-7] referrals", view.words())


def test_the_sum_on_the_tile_is_of_what_is_shown(
    small_board: Engine, open_page: Callable[..., View]
):
    tiles = open_page().part("tiles")
    # 40 + 40 + 15 + 0 as shown: not 100, which would give Dale's 3 back.
    assert re.search(r"Referrals in 12 months\s+95\s", tiles)
    assert "1 hidden" in tiles
    assert Markup.of(tiles).tags == set()
