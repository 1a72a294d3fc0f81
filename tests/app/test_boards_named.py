"""Each question of a page names the board it is about, so that it could be asked of one board's part of
a database that is divided by boards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from dashboard import data
from queries.row_security import BOUND
from tests.app.reading import View
from tests.small_board import ABBEY, BOARD, NEIGHBOUR, NORTH

# Whole pages.
pytestmark = pytest.mark.slow

# Of whole tables: which rows of persons were loaded and when, whoever's.
_OF_A_BOARD = re.compile(rf"\b(?:FROM|JOIN) ({'|'.join(BOUND)})\b")
# Asked by number, of what the page has found for its board before.
BY_NUMBER = {"job", "job_piece", "job_problem"}
PAGES = {
    "this-week": ("", {}),
    "coverage": ("", {"ward": ABBEY}),
    "all-boards": ("", {"ward": ABBEY}),
    "workforce": ("", {"pcn": NORTH}),
    "providers": ("services gaps", {}),
    "outcomes": ("pathway endings change equity networks gp", {}),
    "take-up": ("leak leads complex", {"ward": ABBEY}),
    "where-to-fund": ("", {}),
    "commitments": ("", {}),
    "actions": ("list files", {}),
    "data": ("", {}),
}
# About every board by its nature: each is asked for by name, one after the other.
OF_SEVERAL = {"all-boards": (BOARD, NEIGHBOUR)}


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, str]]]:
    """Every statement with its parameters as text, while the block lasts."""
    asked: list[tuple[str, str]] = []

    def hear(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, repr(parameters)))

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("page", PAGES)
def test_every_question_of_a_page_names_its_board(
    own: Engine, open_page: Callable[..., View], page: str
):
    parts, address = PAGES[page]
    with statements(data.engine()) as asked:
        for part in parts.split() or [""]:
            view = open_page(page, icb=BOARD, part=part, **address)
            assert not view.app.exception
    of_a_board = [
        (statement, parameters)
        for statement, parameters in asked
        if set(_OF_A_BOARD.findall(statement)) - BY_NUMBER
    ]
    # Else nothing was asked, or nothing was heard.
    assert asked
    named = OF_SEVERAL.get(page, (BOARD,))
    without = [asks for asks, said in of_a_board if not any(code in said for code in named)]
    assert without == []
    # And of each of them something was asked, or of none.
    if of_a_board:
        assert all(any(code in said for _, said in of_a_board) for code in named)


def test_the_pages_do_ask_of_boards(own: Engine, open_page: Callable[..., View]):
    with statements(data.engine()) as asked:
        open_page("coverage", icb=BOARD)
    assert any(_OF_A_BOARD.search(statement) for statement, _ in asked)
