"""The address bar and the boxes say the same, both ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from tests.app.reading import View
from tests.conftest import rest_is_slow
from tests.small_board import ABBEY, BOARD, DALE, NEIGHBOUR, NORTH, NORTHAM

pytestmark = pytest.mark.slow

KENT, MEDWAY, THANET, DOVER = "QDK", "QDM", "E07000114", "E07000108"
NOTHING_CHOSEN = {"icb": KENT, "months": "24", "layer": "status"}


def test_the_address_names_what_is_shown_from_the_start(
    demonstration: Engine, open_page: Callable[..., View]
):
    assert open_page().address == NOTHING_CHOSEN


@pytest.mark.slow
@pytest.mark.parametrize(
    "address",
    [
        {"icb": MEDWAY},
        {"locality": THANET},
        {"as_at": "2025-12-31"},
        {"months": "36"},
        {"layer": "take-up"},
        {"locality": THANET, "layer": "fte", "months": "12", "as_at": "2026-03-31"},
    ],
)
def test_a_link_opens_the_view_it_names(
    demonstration: Engine, open_page: Callable[..., View], address: dict[str, str]
):
    view = open_page(**address)
    assert view.address == NOTHING_CHOSEN | address
    for name, value in address.items():
        assert view.value(name) == value
    again = open_page(**view.address)
    assert again.words() == view.words()
    assert again.figure("ward_map") == view.figure("ward_map")
    assert again.table_data() == view.table_data()


@pytest.mark.parametrize(
    ("name", "value"),
    rest_is_slow(
        ("locality", DOVER),
        ("months", "36"),
        ("as_at", "2026-05-31"),
        ("layer", "services"),
        fast=2,
    ),
)
def test_a_choice_is_in_the_address(
    demonstration: Engine, open_page: Callable[..., View], name: str, value: str
):
    view = open_page().choose(name, value)
    assert view.address == NOTHING_CHOSEN | {name: value}
    linked = open_page(**view.address)
    # But for the line that says what the link has set.
    assert [body for body in linked.markup() if 'class="brought"' not in body] == view.markup()
    assert linked.table_data() == view.table_data()


@pytest.mark.parametrize(
    ("name", "value", "part"),
    rest_is_slow(
        ("cohort", "quarter", "pathway"),
        ("groups", "age band", "pathway"),
        ("figure", "declined", "equity"),
        ("question", "ONS4|anxious", "change"),
        ("measure", "completed", "networks"),
    ),
)
def test_a_choice_of_outcomes_is_in_the_address(
    demonstration: Engine, open_page: Callable[..., View], name: str, value: str, part: str
):
    view = open_page("outcomes", part=part).choose(name, value)
    assert view.address[name] == value
    linked = open_page("outcomes", **view.address)
    assert linked.address == view.address
    assert linked.words() == view.words()


def test_a_ward_chosen_in_the_box_is_picked_everywhere(
    small_board: Engine, open_page: Callable[..., View]
):
    view = open_page().choose("ward", DALE)
    assert view.address["ward"] == DALE
    assert view.table_data()["picked"] == DALE
    assert view.panel == "Dale, Southam"
    closed = view.choose("ward", "")
    assert "ward" not in closed.address
    assert not closed.panel


def test_another_board_forgets_the_places_of_the_first(
    small_board: Engine, open_page: Callable[..., View]
):
    view = open_page(locality=NORTHAM, pcn=NORTH, ward=ABBEY, months="12", layer="fte")
    assert view.panel == "Abbey, Northam"
    view.choose("icb", NEIGHBOUR)
    assert view.address == {"icb": NEIGHBOUR, "months": "12", "layer": "fte"}
    assert view.chosen_words == "Neighbour board · as at 30 June 2026"
    back = view.choose("icb", BOARD)
    assert back.address == {"icb": BOARD, "months": "12", "layer": "fte"}


@pytest.mark.parametrize(("name", "value"), [("locality", "E07000902"), ("pcn", "U90002")])
def test_another_place_forgets_the_ward(
    small_board: Engine, open_page: Callable[..., View], name: str, value: str
):
    view = open_page(ward=ABBEY).choose(name, value)
    assert "ward" not in view.address
    assert not view.panel


@pytest.mark.parametrize(
    ("name", "value", "fallback"),
    rest_is_slow(
        ("icb", "QXX", KENT),
        ("locality", "E07999999", ""),
        ("locality", "E06000035", ""),  # Medway's own, which is not in Kent
        ("pcn", "U99999", ""),
        ("as_at", "2026-02-30", ""),
        ("as_at", "yesterday", ""),
        ("months", "7777", "24"),
        ("layer", "secrets", "status"),
        ("ward", "E05999999", ""),
        fast=4,
    ),
)
def test_an_unknown_code_falls_back_and_the_page_says_what_it_shows(
    demonstration: Engine,
    open_page: Callable[..., View],
    name: str,
    value: str,
    fallback: str,
):
    view = open_page(**{name: value})
    assert not view.app.exception
    assert view.value(name) == fallback
    assert view.address == NOTHING_CHOSEN
    assert view.chosen_words == "Kent (demonstration) · as at 30 June 2026"
    assert value not in view.everything()


def test_a_name_that_is_no_filter_is_left_out(
    demonstration: Engine, open_page: Callable[..., View]
):
    assert open_page(debug="1", icb=MEDWAY).address == NOTHING_CHOSEN | {"icb": MEDWAY}


def test_the_back_button_wins_over_what_was_chosen(
    demonstration: Engine, open_page: Callable[..., View]
):
    view = open_page().choose("locality", DOVER)
    # Back: the browser shows the address from before, and the script runs again.
    view.app.query_params.clear()
    for name, value in NOTHING_CHOSEN.items():
        view.app.query_params[name] = value
    view.app.run()
    assert view.value("locality") == ""
    assert view.chosen_words == "Kent (demonstration) · as at 30 June 2026"


def test_localities_and_networks_are_those_of_the_board(
    small_board: Engine, open_page: Callable[..., View]
):
    view = open_page()
    assert view.options("locality") == ["All localities", "Northam", "Southam"]
    assert view.options("pcn") == ["All networks", "East PCN", "North PCN", "South PCN"]
    view.choose("icb", NEIGHBOUR)
    assert view.options("locality") == ["All localities", "Eastham"]


def test_a_second_choice_comes_with_the_address_before_the_first(
    demonstration: Engine, open_page: Callable[..., View]
):
    """Who is faster than the address bar loses neither choice."""
    view = open_page()
    before = view.address
    view = view.choose("locality", DOVER)
    view.app.query_params.clear()
    for name, value in before.items():
        view.app.query_params[name] = value
    view = view.choose("months", "36")
    assert view.address == NOTHING_CHOSEN | {"locality": DOVER, "months": "36"}


def test_another_address_by_itself_is_a_link(demonstration: Engine, open_page: Callable[..., View]):
    """The back button: nothing was chosen, so the address wins."""
    view = open_page()
    before = view.address
    view = view.choose("locality", DOVER)
    view.app.query_params.clear()
    for name, value in before.items():
        view.app.query_params[name] = value
    view.app.run()
    assert view.value("locality") == ""
