"""The page This week in each state: after a meeting, narrowed, empty, without services, hidden."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import Engine

from dashboard import filters
from dashboard.style import day
from queries.meetings import meetings
from queries.scope import EVERYTHING
from tests import small_board as b
from tests.app.reading import Markup, View, sound
from tests.app.test_workforce_page import small_table, view_tiles
from tests.small_board import BOARD, CASTLE, NEIGHBOUR, NORTH, SOUTHAM
from tests.test_this_week import (
    HELD_BACK,
    NOW,
    TOLD,
    loaded_on,
    meet,
    two_weeks_made,
)

__all__ = ["two_weeks_made"]  # a fixture

# Whole pages: `test_pages` has one quick look.
pytestmark = pytest.mark.slow

QUESTION = "What changed since we last met, and what do we decide?"
PAGES = {"coverage", "workforce", "providers", "outcomes", "take-up", "data", "actions"}
Open = Callable[..., View]


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "newest_as_at", lambda: NOW)


@pytest.fixture
def two_weeks(
    use_database: Callable[[Path], Engine], two_weeks_made: tuple[Path, str], today: None
) -> tuple[Engine, str]:
    """The small board of two weeks with a meeting between them: read it only."""
    path, since = two_weeks_made
    return use_database(path), since


@pytest.fixture
def own(
    use_database: Callable[[Path], Engine],
    two_weeks_made: tuple[Path, str],
    today: None,
    tmp_path: Path,
) -> tuple[Engine, str]:
    """The same in a database that may be written to."""
    path, since = two_weeks_made
    return use_database(Path(shutil.copy(path, tmp_path / "own.db"))), since


@pytest.fixture
def open_it(open_page: Open) -> Open:
    def open_at(**address: str) -> View:
        return sound(open_page("this-week", **address))

    return open_at


def listed(
    view: View, label: str = "Changes, the most unusual first"
) -> list[tuple[str, str, str]]:
    """Each item of a list: its title and subject, its words, and where it leads."""
    bodies = [m for m in view.markup() if f'aria-label="{label}"' in m]
    found = []
    for row in (row for body in bodies for row in body.split("<li>")[1:]):
        first, second = re.findall(r"<p>(.*?)</p>", row, re.DOTALL)
        (address,) = re.findall(r'href="([^"]+)"', second)
        title = " ".join(Markup.of(first).text.split())
        found.append((title, Markup.of(second.split("<a")[0]).text.strip(), unescape(address)))
    return found


def finding(view: View) -> str:
    return " ".join(view.part("finding").split())


class TestAfterAMeeting:
    def test_the_page_answers_its_question(
        self, two_weeks: tuple[Engine, str], open_it: Open
    ) -> None:
        engine, since = two_weeks
        view = open_it(icb=BOARD)
        body = "".join(view.markup())
        assert body.count("<h1>") == 1
        assert QUESTION in view.words()
        assert view.value("since") == since
        closed = meetings(engine, EVERYTHING, BOARD)["closed_at"].iloc[0]
        assert f"8 changes since the meeting closed on {day(closed.date())}" in finding(view)
        assert [row[:2] for row in listed(view)] == [
            (f"{title}. {subject}", words) for title, subject, words, _ in TOLD
        ]
        rows = small_table(view, "Changes held back")
        assert [tuple(row.values()) for row in rows] == HELD_BACK
        assert view_tiles(view)[0].startswith("Wards that lost provision 2 wards 1 gained it")
        anchors = re.findall(r' id="([^"]+)"', body)
        assert len(anchors) == len(set(anchors))
        assert {"missing", "changed", "due", "pack"} <= set(anchors)

    def test_missing_returns_stand_above_the_changes(
        self, two_weeks: tuple[Engine, str], open_it: Open
    ) -> None:
        view = open_it(icb=BOARD)
        ((title, words, address),) = listed(view, "Missing returns")
        assert title == "Workforce, published. East PCN"
        assert words.startswith("no return: 1 ward cannot be judged")
        assert urlsplit(address).path == "/data"
        body = "".join(view.markup())
        assert body.index('id="missing"') < body.index('id="changed"')

    def test_each_link_opens_its_page_with_what_it_names(
        self, two_weeks: tuple[Engine, str], open_it: Open, open_page: Open
    ) -> None:
        for title, _, address in listed(open_it(icb=BOARD)):
            at = urlsplit(address)
            asked = dict(parse_qsl(at.query))
            assert at.path.removeprefix("/") in PAGES
            view = sound(open_page(at.path.removeprefix("/"), **asked))
            # The page takes what it was asked for; it drops nothing, and falls back to nothing.
            assert asked.items() <= {**view.address, "as_at": asked["as_at"]}.items(), title

    def test_a_picked_ward_and_service_are_shown(
        self, two_weeks: tuple[Engine, str], open_it: Open, open_page: Open
    ) -> None:
        rows = {title.split(".")[0]: address for title, _, address in listed(open_it(icb=BOARD))}
        castle = sound(
            open_page("coverage", **dict(parse_qsl(urlsplit(rows["Provision gained"]).query)))
        )
        assert (castle.address["ward"], castle.panel) == (CASTLE, "Castle, Northam")
        garden = sound(open_page("providers", **dict(parse_qsl(urlsplit(rows["Full"]).query))))
        assert garden.address["service"] == "Together CIC / garden"
        assert "Garden" in garden.words()

    def test_narrowed_to_a_locality(self, two_weeks: tuple[Engine, str], open_it: Open) -> None:
        view = open_it(icb=BOARD, locality=SOUTHAM)
        assert [row[0] for row in listed(view)] == [
            "Funding ends within 6 months. Walk (Together CIC)",
            "Gone stale. Old List (Together CIC)",
            "Return arrived. South PCN",
            "Return arrived. South PCN",
        ]
        for _, _, address in listed(view):
            assert dict(parse_qsl(urlsplit(address).query))["locality"] == SOUTHAM
        assert "2 changes since the meeting" in finding(view)

    def test_narrowed_to_a_network(self, two_weeks: tuple[Engine, str], open_it: Open) -> None:
        view = open_it(icb=BOARD, pcn=NORTH)
        titles = [row[0] for row in listed(view)]
        assert "Target or plan met. North PCN" in titles
        assert not any("Old List" in title or "South PCN" in title for title in titles)
        assert listed(view, "Missing returns") == []

    def test_narrowed_to_a_network_in_which_nothing_is_unusual(
        self, two_weeks: tuple[Engine, str], open_it: Open
    ) -> None:
        view = open_it(icb=BOARD, pcn=b.EAST)
        assert "Nothing unusual since the meeting" in finding(view)


class TestWhatItIsComparedWith:
    @pytest.mark.parametrize(
        "since", ["meeting-999", "meeting-x", "2099-01-05", "<b>", "99999999999999"]
    )
    def test_what_is_not_there_falls_back_to_the_last_meeting(
        self, two_weeks: tuple[Engine, str], open_it: Open, since: str
    ) -> None:
        view = open_it(icb=BOARD, since=since)
        assert view.value("since") == view.address["since"] == two_weeks[1]

    def test_any_day_before_can_be_asked_for(
        self, two_weeks: tuple[Engine, str], open_it: Open
    ) -> None:
        view = open_it(icb=BOARD, since="2026-01-05")
        assert view.value("since") == "2026-01-05"
        assert "5 January 2026" in finding(view)

    def test_another_boards_meeting_is_not_offered(
        self, own: tuple[Engine, str], open_it: Open
    ) -> None:
        engine, since = own
        theirs = meet(engine, NOW, board=NEIGHBOUR)
        view = open_it(icb=BOARD, since=theirs)
        assert view.value("since") == since
        neighbour = open_it(icb=NEIGHBOUR)
        assert neighbour.value("since") == theirs
        assert "Nothing unusual" in finding(neighbour)

    def test_since_the_newest_meeting_nothing_is_unusual(
        self, own: tuple[Engine, str], open_it: Open
    ) -> None:
        engine, before = own
        newest = meet(engine, NOW)
        view = open_it(icb=BOARD)
        assert view.value("since") == newest
        assert "Nothing unusual since the meeting" in finding(view)
        assert "Nothing that was looked at changed" in view.words()
        assert listed(view) == []
        view.choose("since", before)
        assert "8 changes since the meeting" in finding(sound(view))
        assert view.address["since"] == before

    def test_a_day(self, own: tuple[Engine, str], open_it: Open) -> None:
        loaded_on(own[0], {"june.csv": 10, "census June.csv": 10})
        view = open_it(icb=BOARD, since="2026-07-07")
        assert "3 changes since 7 July 2026" in finding(view)
        assert [row[0].split(".")[0] for row in listed(view)] == [
            "Funding ends within 6 months", "Figure corrected", "Gone stale", "Return arrived",
            "Return arrived",
        ]  # fmt: skip

    @pytest.mark.parametrize("as_at", ["2026-03-31", "2024-01-31"])
    def test_a_date_in_the_past(
        self, two_weeks: tuple[Engine, str], open_it: Open, as_at: str
    ) -> None:
        assert QUESTION in open_it(icb=BOARD, as_at=as_at).words()

    @pytest.mark.parametrize("place", [2, 3, 4, 5])
    def test_every_day_that_is_offered(
        self, two_weeks: tuple[Engine, str], open_it: Open, place: int
    ) -> None:
        view = open_it(icb=BOARD)
        days = view.options("since")
        assert len(days) == 5
        view.app.selectbox(key="since").select_index(place - 1).run()
        assert QUESTION in sound(view).words()


class TestOtherStates:
    def test_nothing_is_loaded(self, empty: Engine, open_it: Open) -> None:
        assert "No data is loaded yet" in "".join(title.value for title in open_it().app.title)

    def test_a_board_of_which_nobody_has_told(self, small_board: Engine, open_it: Open) -> None:
        view = open_it(icb=NEIGHBOUR)
        assert "Nothing unusual" in finding(view) or "change" in finding(view)

    @pytest.mark.parametrize("knobs", [
        {"services": ()}, {"referrals": ()}, {"workforce": False, "posts": (), "targets": ()},
        {"populations": False}, {"registered": False, "practices": False}, {"schemes": ()},
    ], ids=str)  # fmt: skip
    def test_a_board_without_a_return(
        self, load_board: Callable[[b.Board], Engine], open_it: Open, knobs: dict[str, object]
    ) -> None:
        load_board(b.Board().but(**knobs))
        view = open_it(icb=BOARD)
        assert QUESTION in view.words()
        if "services" in knobs:
            assert listed(view, "Missing returns")[0][0] == "Services. Small board"

    def test_another_board_is_not_found(
        self, two_weeks: tuple[Engine, str], open_it: Open, read_as: Callable[[str], None]
    ) -> None:
        read_as(NEIGHBOUR)
        view = open_it(icb=BOARD, since=two_weeks[1])
        assert view.address["icb"] == NEIGHBOUR
        everything = view.everything()
        assert "Abbey" not in everything
        assert "North PCN" not in everything
        assert two_weeks[1] not in view.address.values()

    def test_of_the_demonstration(self, demonstration: Engine, open_it: Open) -> None:
        view = open_it(icb="QDK", as_at="2026-06-30")
        assert "Demonstration." in "".join(view.markup())
        for place in range(1, len(view.options("since"))):
            view.app.selectbox(key="since").select_index(place).run()
            assert QUESTION in sound(view).words()


class TestHiddenNumbers:
    def test_a_hidden_number_is_nowhere(
        self, load_board: Callable[[b.Board], Engine], open_it: Open
    ) -> None:
        """What is sent does not depend on which of the hidden numbers it is."""
        sent = []
        for few in (3, 5):
            rows = (*b.REFERRALS[:2], b.Referrals(b.DALE, b.SOUTH, (0, 0, 0, few)))
            engine = load_board(b.Board(referrals=rows, needs={}, budgets=False))
            since = meet(engine, b.AS_AT)
            view = open_it(icb=BOARD, since=since)
            sent.append(re.sub(r"\d\d:\d\d(:\d\d)?", "", "\n".join(view.markup())))
        assert sent[0] == sent[1]
