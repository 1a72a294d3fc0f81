"""Notes pinned to a measure, a network or a provider stand on the charts of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import Engine

from queries.actions import ActionEdit, add_action
from queries.scope import EVERYTHING
from tests.app.reading import View, sound
from tests.small_board import BOARD, EAST, NORTH, SOUTH, Board

pytestmark = pytest.mark.slow

A_YEAR = Board(monthly={NORTH: (4.0,) * 12, SOUTH: (0.0,) * 12})
MAY = date(2026, 5, 4)


def note(engine: Engine, words: str, kind: str, code: str, on: date = MAY) -> None:
    edit = ActionEdit("note", words, pinned_kind=kind, pinned_code=code, pinned_on=on)
    add_action(engine, EVERYTHING, BOARD, edit, "Ada")


def lines_on(view: View) -> list[tuple[str, str]]:
    layout = view.figure("trend_fte")["layout"]
    letters = {a["x"]: a["text"] for a in layout.get("annotations", [])}
    return [(line["x0"], letters[line["x0"]]) for line in layout.get("shapes", [])]


def test_notes_of_the_measure_and_of_the_chosen_network(
    load_board: Callable[[Board], Engine], open_page: Callable[..., View]
) -> None:
    engine = load_board(A_YEAR)
    note(engine, "The scheme <b>moved</b>", "measure", "fte_in_post")
    note(engine, "A new lead", "pcn", NORTH)
    note(engine, "Of another network", "pcn", EAST, date(2026, 4, 1))
    note(engine, "Of another measure", "measure", "open_caseload", date(2026, 4, 1))
    note(engine, "Before the chart begins", "measure", "fte_in_post", date(2020, 1, 1))
    board = sound(open_page("workforce", icb=BOARD, trend="fte"))
    assert lines_on(board) == [("2026-05-04", "<b>A</b>")]
    assert "A, 4 May 2026: The scheme <b>moved</b>" in board.words()
    north = sound(open_page("workforce", icb=BOARD, trend="fte", pcn=NORTH))
    assert lines_on(north) == [("2026-05-04", "<b>A</b>")]
    assert "A, 4 May 2026: The scheme <b>moved</b>; A new lead" in north.words()
    for view in (board, north):
        assert "Of another" not in view.words()
        assert "Before the chart" not in view.words()


def test_without_notes_the_chart_is_as_it_was(
    load_board: Callable[[Board], Engine], open_page: Callable[..., View]
) -> None:
    load_board(A_YEAR)
    assert lines_on(sound(open_page("workforce", icb=BOARD, trend="fte"))) == []
