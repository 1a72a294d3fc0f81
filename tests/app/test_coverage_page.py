"""The Coverage page in each state: normal, filtered, empty, picked, past, first run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape

import httpx
import pytest
from sqlalchemy import Engine

from dashboard.coverage_words import LAYERS
from dashboard.rules.coverage import Status
from tests.app.reading import QUESTION, View
from tests.app.test_routes import get
from tests.app.test_workforce_page import tile
from tests.conftest import rest_is_slow
from tests.small_board import (
    ABBEY,
    BOARD,
    CASTLE,
    EAST,
    ELM,
    FORD,
    NEIGHBOUR,
    NORTH,
    NORTHAM,
    SOUTH,
    Board,
)

pytestmark = pytest.mark.slow

KENT, MEDWAY, THANET = "QDK", "QDM", "E07000114"


def rows_of(view: View) -> list[dict]:
    """The rows that the browser of this view would fetch."""
    answer: httpx.Response = get(view.table_data()["url"])
    rows: list[dict] = answer.json()["rows"]
    return rows


def counts_in_key(view: View) -> dict[str, int]:
    found = re.findall(r"<span>([^<]+)</span><b>([\d,]+)</b>", "".join(view.markup()))
    return {unescape(label): int(number.replace(",", "")) for label, number in found}


def drawn(view: View) -> set[str]:
    """The wards that have a colour on the map."""
    traces = view.figure("ward_map")["data"]
    return {code for trace in traces if trace.get("name") for code in trace["locations"]}


def test_the_page_answers_its_question(demonstration: Engine, open_page: Callable[..., View]):
    view = open_page()
    assert not view.app.exception
    assert sum(body.count("<h1>") for body in view.markup()) == 1
    assert QUESTION in view.words()
    assert view.chosen_words == "Kent (demonstration) · as at 30 June 2026"
    assert re.search(r"\d+ of 255 wards\s+ha(s|ve) no provision", view.part("finding"))
    assert len(rows_of(view)) == 255 == len(drawn(view))
    by_status = counts_in_key(view)
    assert sum(by_status.get(status.value, 0) for status in Status) == 255
    assert f"{by_status['No provision']} of 255 wards" in view.part("finding")
    assert "255 wards" not in view.chosen_words


def test_the_freshness_of_every_source_is_said(
    demonstration: Engine, open_page: Callable[..., View]
):
    header = open_page().markup()[0]
    for source in ("workforce", "referrals", "services", "scheme areas", "population"):
        assert f"{source}: " in header


def test_the_demonstration_says_so_on_every_page(
    demonstration: Engine, open_page: Callable[..., View]
):
    for page in ("coverage", "methods"):
        assert "Demonstration." in open_page(page).words()


def test_real_files_carry_no_banner(small_board: Engine, open_page: Callable[..., View]):
    for page in ("coverage", "methods"):
        words = open_page(page).words()
        assert "Demonstration" not in words
        assert "simulated" not in words


@pytest.mark.parametrize("layer", rest_is_slow(*LAYERS, fast=3))
def test_every_layer_draws_every_ward_once(
    demonstration: Engine, open_page: Callable[..., View], layer: str
):
    view = open_page(layer=layer)
    groups = [trace["locations"] for trace in view.figure("ward_map")["data"] if trace.get("name")]
    codes = [code for group in groups for code in group]
    assert len(codes) == len(set(codes)) == 255
    assert LAYERS[layer].title in view.part("key")
    # The map as text has the same counts as the key.
    alt = next(e.proto.alt for e in view.elements() if e.type == "plotly_chart")
    for label, number in counts_in_key(view).items():
        assert f"{label}: {number}" in alt


def test_a_locality_shows_its_wards_everywhere(
    demonstration: Engine, open_page: Callable[..., View]
):
    view = open_page(locality=THANET)
    rows = rows_of(view)
    assert 0 < len(rows) < 60
    assert {row["cells"][0][2] for row in rows} == {"Thanet"}
    assert drawn(view) == {row["key"] for row in rows}
    assert view.chosen_words == "Kent (demonstration) > Thanet · as at 30 June 2026"
    assert f"of {len(rows)} wards" in view.part("finding")
    assert f"of {len(rows)} " in view.part("tiles")
    assert len(view.options("ward")) == len(rows) + 1


def test_a_network_shows_the_wards_it_serves(small_board: Engine, open_page: Callable[..., View]):
    # South serves Castle, Dale and Elm; North serves Abbey, Brook, Castle and Dale.
    view = open_page(pcn=SOUTH)
    assert [row["cells"][0][0] for row in sorted(rows_of(view), key=lambda r: r["key"])] == [
        "Castle", "Dale", "Elm",
    ]  # fmt: skip
    both = open_page(pcn=SOUTH, locality=NORTHAM)
    assert {row["key"] for row in rows_of(both)} == {CASTLE} == drawn(both)
    assert both.chosen_words == "Small board > Northam > South PCN · as at 30 June 2026"


def test_filters_that_leave_no_ward_say_which_and_how_to_clear(
    small_board: Engine, open_page: Callable[..., View]
):
    # East serves Ford, which lies in the other locality.
    view = open_page(pcn=EAST, locality=NORTHAM)
    assert not view.app.exception
    words = view.words()
    assert "No ward fits these filters" in words
    assert "No ward lies in Northam and East PCN" in words
    assert "Choose all localities" in words
    assert not view.has_figure("ward_map")
    assert view.choose("locality", "").choose("pcn", "").has_figure("ward_map")


def test_an_empty_database_tells_what_to_do(empty: Engine, open_page: Callable[..., View]):
    view = open_page()
    assert not view.app.exception
    words = view.words()
    assert "No data is loaded yet" in words
    assert "python -m dashboard load FILE..." in words
    assert "python -m dashboard demo" in words
    assert not view.has_box("icb")
    assert "What does each figure mean?" in view.go_to("methods").words()


def test_a_picked_ward_has_its_trail(small_board: Engine, open_page: Callable[..., View]):
    view = open_page(ward=ABBEY)
    assert view.panel == "Abbey, Northam"
    trail = view.part("facts")
    assert "not returned" not in trail
    assert "present: " in trail
    assert "40 referrals" in trail
    assert "5,000" in trail
    tables = [body for body in view.markup() if "small-table" in body]
    networks = next(body for body in tables if "Networks that serve" in body)
    assert "North PCN" in networks
    assert "100%" in networks
    assert any("Garden" in body for body in tables)
    assert view.table_data()["picked"] == ABBEY
    outlined = [t for t in view.figure("ward_map")["data"] if t["locations"] == [ABBEY]]
    assert [t["marker"]["line"]["width"] for t in outlined if "name" not in t] == [6, 3]
    assert f"ward={ABBEY}" in "".join(view.markup())


def test_where_nobody_told_us_no_gap_is_no_nought(
    small_board: Engine, open_page: Callable[..., View]
):
    ours, theirs = (tile(open_page(icb=code), "Wards with a gap") for code in (BOARD, NEIGHBOUR))
    said = "no provision, no link worker, or nothing to refer to; 1 could not be judged"
    assert f" 2 of 6 {said}" in ours
    assert f" – of 1 {said}" in theirs


def test_a_ward_nobody_returned_for_says_whose_return_is_missing(
    small_board: Engine, open_page: Callable[..., View]
):
    words = open_page(ward=FORD).words()
    assert "East PCN" in words
    assert "no referral return from East PCN" in words
    assert "no population for this ward's code" in words


def test_a_ward_with_nobody_referred_is_nought_and_not_missing(
    small_board: Engine, open_page: Callable[..., View]
):
    assert "0 referrals" in open_page(ward=ELM).part("facts")


def test_a_past_date_is_another_census_and_is_said(
    demonstration: Engine, open_page: Callable[..., View]
):
    now, past = open_page(), open_page(as_at="2024-09-30")
    assert past.value("as_at") == "2024-09-30"
    assert past.chosen_words == "Kent (demonstration) · as at 30 September 2024"
    assert "30 June 2026" not in past.part("tiles")
    assert "as_at=2024-09-30" in past.table_data()["url"]
    assert past.part("tiles") != now.part("tiles")
    assert "Workforce census 30 September 2024" in past.words()


def test_before_the_first_return_nothing_is_invented(
    small_board: Engine, open_page: Callable[..., View]
):
    view = open_page(as_at="2024-06-30")
    assert not view.app.exception
    assert "could not be judged" in view.part("finding")
    assert counts_in_key(view).get("As expected") is None


def test_the_downloads_are_of_what_is_shown(small_board: Engine, open_page: Callable[..., View]):
    links = re.findall(r'href="(/export/[^"]+)"', "".join(open_page().markup()))
    assert [link.split("?")[0] for link in links] == [
        "/export/coverage.csv", "/export/coverage.xlsx", "/export/coverage.json",
    ]  # fmt: skip
    assert all(f"icb={BOARD}" in link and "as_at=2026-06-30" in link for link in links)
    assert all(get(link).status_code == 200 for link in links)


@pytest.mark.slow
def test_modelled_shares_are_said_where_they_are_used(
    load_board: Callable[..., Engine], open_page: Callable[..., View]
):
    load_board(Board(registered=False))
    view = open_page(ward=ABBEY)
    assert "modelled shares" in view.part("tiles")
    assert "PCN shares: modelled shares" in view.words()
    assert "(modelled shares)" in view.part("facts")


@pytest.mark.slow
@pytest.mark.parametrize(
    "missing",
    ["populations", "registered", "practices", "workforce", "deprivation"],
)
def test_a_dataset_that_is_not_loaded_leaves_a_page(
    load_board: Callable[..., Engine], open_page: Callable[..., View], missing: str
):
    load_board(Board().but(**{missing: False}))
    for ward in ("", ABBEY, FORD):
        view = open_page(ward=ward)
        assert not view.app.exception
        assert "could not be shown" not in view.everything()
        assert len(rows_of(view)) == 6


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["schemes", "services", "referrals"])
def test_a_return_that_never_came_leaves_a_page(
    load_board: Callable[..., Engine], open_page: Callable[..., View], missing: str
):
    load_board(Board().but(**{missing: ()}))
    for ward in ("", ABBEY):
        view = open_page(ward=ward)
        assert not view.app.exception
        assert "could not be shown" not in view.everything()
    told = {"schemes": "scheme areas", "services": "services", "referrals": "referrals"}[missing]
    assert f"{told}: no return" in view.words()


def test_the_map_points_to_shapes_that_are_there(
    demonstration: Engine, open_page: Callable[..., View]
):
    view = open_page()
    urls = set(re.findall(r"/geo/[^\"]+", json.dumps(view.figure("ward_map"))))
    assert len(urls) == 2
    for url in urls:
        ids = {feature["id"] for feature in get(url).json()["features"]}
        assert drawn(view) <= ids
    config = next(json.loads(e.proto.config) for e in view.elements() if e.type == "plotly_chart")
    assert config["topojsonURL"] == "/geo/topo/"


def test_north_is_what_its_network_serves(small_board: Engine, open_page: Callable[..., View]):
    assert len(rows_of(open_page(pcn=NORTH))) == 4
