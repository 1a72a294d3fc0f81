"""A reader of one board finds nothing of another, wherever they look."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from dashboard.data import fetch
from dashboard.maps import board_map
from queries import places, workforce
from queries.scope import EVERYTHING
from tests.app.reading import View
from tests.app.test_routes import get
from tests.conftest import rest_is_slow
from tests.small_board import (
    ABBEY,
    AS_AT,
    BOARD,
    NEIGHBOUR,
    NORTH,
    NORTHAM,
    OUTSIDER_ICB,
)

# Whole pages, the command line or the server: `test_pages` has one quick look at each.
pytestmark = pytest.mark.slow

# Of the board, and of nobody else.
OF_THE_BOARD = re.compile(
    r"(?:Small board|Northam|Southam|Abbey|Brook|Castle|\bDale\b|\bElm\b|\bFord\b(?! et al)|North PCN"
    r"|South PCN|East PCN|Together CIC|Links CIC|Garden|Choir|Helpline|E0590000[1-6]|E0700090[12]|U9000[123]"
    r"|Y9000[1239]|E010000(?:0[1-9]|10)|person [123]\b)"
)


@pytest.mark.parametrize(
    "page",
    ["coverage", "all-boards", "workforce", "outcomes", "take-up", "where-to-fund", "methods"],
)
@pytest.mark.parametrize("reader", [NEIGHBOUR, OUTSIDER_ICB])
def test_no_page_shows_anything_of_another_board(
    small_board: Engine,
    open_page: Callable[..., View],
    read_as: Callable[[str], None],
    page: str,
    reader: str,
):
    read_as(reader)
    view = open_page(page, icb=BOARD, locality=NORTHAM, pcn=NORTH, ward=ABBEY)
    assert not view.app.exception
    # Whose patients live in the reader's own ward is the reader's to know: by code, without a name.
    said = view.everything().replace("no workforce return from U90001", "")
    assert OF_THE_BOARD.findall(said) == []
    # Not "forbidden" either: that would say that it is there.
    assert not re.search(r"forbidden|not allowed|permission", view.words(), re.IGNORECASE)


def test_what_is_looked_for_is_there_for_those_who_may(
    small_board: Engine, open_page: Callable[..., View], read_as: Callable[[str], None]
):
    read_as(BOARD)
    everything = open_page(icb=BOARD, ward=ABBEY).everything()
    for name in ("Small board", "Northam", "Abbey", "North PCN", "Garden", ABBEY):
        assert OF_THE_BOARD.search(name)
        assert name in everything
    assert "Neighbour board" not in everything


def test_a_network_of_the_board_is_there_for_those_who_may(
    small_board: Engine, open_page: Callable[..., View], read_as: Callable[[str], None]
):
    read_as(BOARD)
    everything = open_page("workforce", icb=BOARD, pcn=NORTH).everything()
    for name in ("Small board", "Northam", "North PCN", "East PCN", NORTH):
        assert name in everything
    assert "Gorse PCN" not in everything


def test_a_reader_of_the_neighbour_sees_the_neighbour(
    small_board: Engine, open_page: Callable[..., View], read_as: Callable[[str], None]
):
    read_as(NEIGHBOUR)
    view = open_page(icb=BOARD)
    assert view.chosen_words == "Neighbour board · as at 30 June 2026"
    assert view.options("icb") == ["Neighbour board"]


@pytest.mark.parametrize("reader", rest_is_slow(NEIGHBOUR, OUTSIDER_ICB))
def test_no_route_answers_for_another_board(
    small_board: Engine, read_as: Callable[[str], None], reader: str
):
    shapes = board_map(EVERYTHING, BOARD)
    addresses = [
        f"/geo/{BOARD}/{shapes.wards.name}.json",
        f"/geo/{BOARD}/{shapes.hatching.name}.json",
        *(
            f"/table/{subject}.json?icb={BOARD}&as_at={AS_AT}"
            for subject in ("coverage", "workforce", "pathway", "all-boards", "all-wards")
        ),
        *(
            f"/export/{subject}.{form}?icb={BOARD}&as_at={AS_AT}"
            for subject in ("coverage", "workforce")
            for form in ("csv", "json", "xlsx")
        ),
    ]
    assert all(OF_THE_BOARD.search(get(a).text) or "xlsx" in a for a in addresses[2:])
    read_as(reader)
    for address in addresses:
        answer = get(address)
        assert (answer.status_code, answer.text) == (404, "not found")


def test_exports_of_the_own_board_name_no_file_of_another(
    small_board: Engine, read_as: Callable[[str], None]
):
    read_as(NEIGHBOUR)
    answer = get(f"/export/coverage.json?icb={NEIGHBOUR}&as_at={AS_AT}")
    assert answer.status_code == 200
    # A network of the board serves a ward of the neighbour: its code is of both, and no more.
    assert set(OF_THE_BOARD.findall(answer.text)) <= {NORTH}


def test_the_demonstration_boards_do_not_see_each_other(
    demonstration: Engine, open_page: Callable[..., View], read_as: Callable[[str], None]
):
    wards = places.wards(demonstration, EVERYTHING, "QDK")
    pcns = fetch(workforce.fte_by_pcn, EVERYTHING, "QDK", AS_AT)
    names = {*wards["ward_code"], *wards["ward_name"], *wards["lad_code"], *pcns["pcn_code"]}
    names |= {f"{name} PCN" for name in wards["lad_name"]}
    read_as("QDM")
    for page in (
        "coverage", "all-boards", "workforce", "outcomes", "take-up", "where-to-fund", "methods",
    ):  # fmt: skip
        address = {"ward": wards["ward_code"].iloc[0], "pcn": pcns["pcn_code"].iloc[0]}
        everything = open_page(page, icb="QDK", **address).everything()
        assert {name for name in names if name in everything} == set()
        assert "Kent" not in everything
