"""Leads and supervision of a board: who is called, who led before, and which post needs somebody."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard import take_up_told as told
from dashboard.filters import Choices
from dashboard.leads import lead_history, locality_leads, supervision
from dashboard.settings import settings
from queries.database import make_engine
from queries.load import CleanLoad, save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.queries.test_needs import leads
from tests.small_board import (
    AS_AT,
    BOARD,
    EAST,
    EASTHAM,
    NEIGHBOUR,
    NORTH,
    NORTHAM,
    SOUTH,
    SOUTHAM,
)

pytestmark = pytest.mark.usefixtures("settings_as_shipped")
MAY = date(2026, 5, 31)
YESTERDAY, TOMORROW = AS_AT - timedelta(days=1), AS_AT + timedelta(days=1)
# Northam's lead left in May; the next begins tomorrow.
LEADS = leads(
    ("Northam", "Head of care", "nurse", date(2024, 4, 1), MAY),
    ("Northam", "Deputy", None, None, date(2024, 3, 31)),
    ("Northam", "Next head", "GP", TOMORROW, None),
    ("Southam", "Therapy lead", "occupational therapist", date(2025, 9, 1), None),
    ("Eastham", "Neighbour's", None, None, None),
)
THERAPIST, GP = "occupational therapist", "GP"
# Six weeks ago is due today.
DUE_TODAY = AS_AT - timedelta(weeks=6)
# Post, network, status, since, until, supervised by, last.
POSTS = (
    ("P1", NORTH, "filled", None, None, THERAPIST, DUE_TODAY - timedelta(days=1)),
    ("P2", NORTH, "filled", None, None, THERAPIST, DUE_TODAY),
    ("P3", SOUTH, "filled", None, None, GP, AS_AT),
    ("P4", EAST, "filled", None, None, None, None),
    ("P5", NORTH, "vacant", None, None, THERAPIST, date(2025, 1, 1)),
    ("P6", NORTH, "ended", None, None, THERAPIST, date(2025, 1, 1)),
    ("P7", NORTH, "filled", TOMORROW, None, THERAPIST, date(2025, 1, 1)),
    ("P8", SOUTH, "filled", None, YESTERDAY, THERAPIST, date(2025, 1, 1)),
    # A date to come is not known today.
    ("P9", SOUTH, "filled", None, AS_AT, GP, TOMORROW),
)


def posts() -> CleanLoad:
    columns = [
        "post_id", "pcn_code", "status", "since", "until", "supervised_by", "last_supervision_on",
    ]  # fmt: skip
    frame = pd.DataFrame(POSTS, columns=columns).assign(role_title="Link worker")
    frame["part_key"] = frame["pcn_code"]
    return b.made_of("posts", frame["part_key"].unique(), {"post": frame})


@pytest.fixture(scope="module")
def engine(upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The small board with leads and supervised posts: to read from only."""
    path = Path(shutil.copy(upgraded_file, tmp_path_factory.mktemp("leads") / "leads.db"))
    made = make_engine(f"sqlite:///{path.as_posix()}")
    b.Board(posts=()).save(made)
    for each in (LEADS, posts()):
        save(made, each)
    yield made
    made.dispose()


def plain(frame: pd.DataFrame, *columns: str) -> list[list[Any]]:
    rows = frame[list(columns)].astype(object).values.tolist()
    return [[None if pd.isna(value) else value for value in row] for row in rows]


LEAD = ("lad_name", "post_name", "last_lead")


def test_who_leads_each_locality(engine: Engine) -> None:
    """A ward's locality of another board is none of this board's."""
    found = locality_leads(engine, EVERYTHING, BOARD, AS_AT)
    assert plain(found, *LEAD) == [
        ["Northam", None, "Head of care, until 31 May 2026"],
        ["Southam", "Therapy lead", ""],
    ]


@pytest.mark.parametrize(
    ("day", "lead"),
    [
        (date(2024, 3, 31), "Deputy"),
        (date(2024, 4, 1), "Head of care"),
        (MAY, "Head of care"),
        (MAY + timedelta(days=1), None),
        (TOMORROW, "Next head"),
    ],
)
def test_both_sides_of_each_day(engine: Engine, day: date, lead: str | None) -> None:
    found = locality_leads(engine, EVERYTHING, BOARD, day)
    mine = found[found["lad_name"] == "Northam"]
    assert plain(mine, "post_name") == [[lead]]


def test_who_led_before(engine: Engine) -> None:
    found = lead_history(engine, EVERYTHING, BOARD)
    assert plain(found, "lad_name", "post_name", "valid_from", "valid_until") == [
        ["Northam", "Next head", TOMORROW, None],
        ["Northam", "Head of care", date(2024, 4, 1), MAY],
        ["Northam", "Deputy", None, date(2024, 3, 31)],
        ["Southam", "Therapy lead", date(2025, 9, 1), None],
    ]


def test_which_posts_need_somebody(engine: Engine) -> None:
    """Filled ones of that day, the longest overdue first."""
    found = supervision(engine, EVERYTHING, BOARD, AS_AT)
    # 5,000 of North's 8,000 patients live in Northam, 3,000 of South's 4,000 in Southam.
    assert plain(found, "post_id", "pcn_name", "lad_code", "due_on", "state") == [
        ["P1", "North PCN", NORTHAM, YESTERDAY, "overdue"],
        ["P4", "East PCN", SOUTHAM, None, "no supervision told"],
        ["P9", "South PCN", SOUTHAM, None, "no supervision told"],
        ["P2", "North PCN", NORTHAM, AS_AT, "due within 14 days"],
        ["P3", "South PCN", SOUTHAM, AS_AT + timedelta(weeks=6), "in time"],
    ]


@pytest.mark.parametrize(
    ("lad_code", "pcn_code", "mine"),
    [
        ("", "", ["P1", "P4", "P9", "P2", "P3"]),
        (NORTHAM, "", ["P1", "P2"]),
        (SOUTHAM, "", ["P4", "P9", "P3"]),
        ("", SOUTH, ["P9", "P3"]),
        # The network says more than the locality.
        (NORTHAM, EAST, ["P4"]),
        (EASTHAM, "", []),
    ],
)
def test_the_posts_of_what_is_chosen(
    engine: Engine, lad_code: str, pcn_code: str, mine: list[str]
) -> None:
    found = supervision(engine, EVERYTHING, BOARD, AS_AT)
    chosen = Choices(BOARD, "", lad_code, "", pcn_code, "", AS_AT, 24)
    assert told.posts_of(found, chosen)["post_id"].tolist() == mine


def test_how_often_is_a_setting(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_SUPERVISION_WEEKS", "5")
    settings.cache_clear()
    found = supervision(engine, EVERYTHING, BOARD, AS_AT).set_index("post_id")
    assert found.loc["P2", "state"] == "overdue"
    assert "Due 5 weeks after the last" in told.supervision_note()


def test_nobody_elses(engine: Engine) -> None:
    for scope in (Scope(frozenset({NEIGHBOUR})), Scope(frozenset())):
        assert locality_leads(engine, scope, BOARD, AS_AT).empty
        assert lead_history(engine, scope, BOARD).empty
        assert supervision(engine, scope, BOARD, AS_AT).empty
    neighbour = locality_leads(engine, Scope(frozenset({NEIGHBOUR})), NEIGHBOUR, AS_AT)
    assert plain(neighbour, *LEAD) == [["Eastham", "Neighbour's", ""]]


def test_an_empty_database(sqlite_engine: Engine) -> None:
    assert locality_leads(sqlite_engine, EVERYTHING, BOARD, AS_AT).empty
    assert lead_history(sqlite_engine, EVERYTHING, BOARD).empty
    assert supervision(sqlite_engine, EVERYTHING, BOARD, AS_AT).empty


def test_leads_in_words(engine: Engine) -> None:
    found = locality_leads(engine, EVERYTHING, BOARD, AS_AT)
    assert told.leads_finding(found) == [
        "**1 of 2 localities** has no named lead: Northam."
    ]  # fmt: skip
    assert told.leads_table(found)[1] == [
        ("Northam", "no named lead", "", "–", "last: Head of care, until 31 May 2026"),
        ("Southam", "Therapy lead", "occupational therapist", "1 September 2025", ""),
    ]
    later = locality_leads(engine, EVERYTHING, BOARD, TOMORROW)
    assert told.leads_finding(later) == ["Every one of **2 localities** has a named lead."]
    southam = later[later["lad_name"] == "Southam"]
    assert told.leads_finding(southam) == ["**The locality** has a named lead."]
    before = locality_leads(engine, EVERYTHING, BOARD, date(2024, 3, 31))
    assert [row[:4] for row in told.leads_table(before)[1]] == [
        ("Southam", "no named lead", "", "–"), ("Northam", "Deputy", "", "not told"),
    ]  # fmt: skip
    assert told.history_table(lead_history(engine, EVERYTHING, BOARD))[1] == [
        ("Northam", "Next head", "GP", "1 July 2026", "goes on"),
        ("Northam", "Head of care", "nurse", "1 April 2024", "31 May 2026"),
        ("Northam", "Deputy", "", "not told", "31 March 2024"),
        ("Southam", "Therapy lead", "occupational therapist", "1 September 2025", "goes on"),
    ]


def test_supervision_in_words(engine: Engine) -> None:
    found = supervision(engine, EVERYTHING, BOARD, AS_AT)
    assert told.supervision_finding(found) == [
        "**2 of 5 filled posts** are supervised by an occupational therapist. Of these, 1 is overdue.",
        "Supervision of **1 post** is overdue, and of 2 posts none is told.",
    ]
    assert told.supervision_finding(found[found["post_id"].isin(["P3"])]) == [
        "**0 of 1 filled post** is supervised by an occupational therapist.",
        "Supervision of **0 posts** is overdue.",
    ]
    headings, rows = told.supervision_table(found)
    assert headings == (
        "Supervised by", "Posts", "Overdue", "No supervision told", "Due within 14 days", "In time",
    )  # fmt: skip
    # Therapists first, then by how many; each row adds up.
    assert rows == [
        ("occupational therapist", "2", "1", "0", "1", "0"),
        ("GP", "2", "0", "1", "0", "1"),
        ("not told", "1", "0", "1", "0", "0"),
    ]
    assert told.supervised_posts(found)[1][:2] == [
        ("P1", "North PCN", "Link worker", "occupational therapist", "18 May 2026", "29 June 2026",
         "overdue"),
        ("P4", "East PCN", "Link worker", "not told", "–", "–", "no supervision told"),
    ]  # fmt: skip
