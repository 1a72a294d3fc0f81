"""National commitments in a pack: what is in force, and where the whole board stands."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine

from dashboard import commitments_words as words
from dashboard.commitments import board_commitments
from dashboard.data import fetch_shared
from dashboard.pack.content import NOT_APPLICABLE, Page, Value
from dashboard.pack_page import Asked, page, table, told
from dashboard.rules.disclosure import hidden_flag
from dashboard.style import MISSING, day
from queries.frames import each_row
from queries.scope import Scope


def commitments_page(_engine: Engine, scope: Scope, asked: Asked) -> Page:
    """Which national commitments are in force, and where does the board stand?"""
    choices = asked.choices
    found = fetch_shared(board_commitments, scope, choices.icb_code, choices.as_at)
    columns = {
        "Commitment": None, "Status": None, "Due": None, "Nationally": 0,
        "This board's share": 1, "The board's figure": 1, "Where the board stands": None,
        "Since when, or how far off": None,
    }  # fmt: skip
    rows: list[tuple[Value, ...]] = []
    for row, said in zip(each_row(found.rows.frame), words.table(found)[1], strict=True):
        title, status, due, _, _, stands, distance, _ = (
            "" if cell == MISSING else cell for cell in said
        )
        # What is known of some groups is not told of all of them together.
        is_hidden = getattr(row, hidden_flag("counted")) or row.reason.startswith("hidden")
        is_known = row.share_of != "networks" or found.basis.pcns_returned
        share = NOT_APPLICABLE if not row.measure else told(row.share_low if is_known else None)
        rows.append(
            (
                title, status, due, told(row.low), share,
                told(row.figure, is_hidden=is_hidden), stands, distance,
            )
        )  # fmt: skip
    basis = found.basis
    return page(
        asked, "commitments", "National commitments",
        [*words.finding(found), f"{words.chosen(choices)}.", words.share_note(basis), words.notes(found)],
        period=f"{_dated('List sizes', basis.lists_on)}; {_dated('workforce census', basis.census)}",
        terms=("headcount", "pressure"),
        datasets=("workforce", "list_sizes", "referrals", "personal_health_budgets"),
        tables=[table("Commitments", columns, rows, shown=len(rows))],
    )  # fmt: skip


def _dated(what: str, on: date | None) -> str:
    return f"{what}: no return" if on is None else f"{what} {day(on)}"
