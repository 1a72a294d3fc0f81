"""What if: a provider closes, a contract ends, a link worker moves; and what nobody knows stays so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard import plan_told as told
from dashboard.coverage import AS_IT_IS, WhatIf, ward_coverage
from dashboard.filters import Area
from dashboard.services import board_services
from dashboard.supposed import Supposed, supposed, what_if_of
from queries.database import make_engine, upgrade
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.made_once import demonstration_file
from tests.small_board import (
    ABBEY,
    BROOK,
    CASTLE,
    DALE,
    EAST,
    ELM,
    FORD,
    NORTH,
    NORTHAM,
    SOUTH,
    SOUTHAM,
    Service,
)

# Whole boards.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]

AREA = Area(b.BOARD, b.AS_AT)
CHOIR = "Together CIC / choir"
# The club is another provider's and answers loneliness in Abbey, with 6 free places; the pantry is
# for food, and the talk of the whole board for loneliness, with 2 free.
CLUB = Service("club", (ABBEY,), provider="Hill", offered=10, filled=4)
PANTRY = Service("pantry", (ABBEY, BROOK), provider="Hill", theme="food", offered=9, filled=0)
TALK = Service("talk", (b.BOARD,), provider="Vale", offered=3, filled=1)
FEW = Service("few", (BROOK,), provider="Vale", theme="housing", offered=5, filled=5, waiting=3,
              funding_ends=date(2026, 12, 31))  # fmt: skip


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The small board, once: to read from."""
    engine = make_engine(f"sqlite:///{(tmp_path_factory.mktemp('if') / 'b.db').as_posix()}")
    upgrade(engine)
    b.Board().save(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def fuller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The small board with services of other providers."""
    engine = make_engine(f"sqlite:///{(tmp_path_factory.mktemp('more') / 'b.db').as_posix()}")
    upgrade(engine)
    b.Board(services=(*b.SERVICES, CLUB, PANTRY, TALK, FEW)).save(engine)
    yield engine
    engine.dispose()


def if_in(engine: Engine, area: Area = AREA, **chosen: str) -> Supposed:
    return supposed(engine, EVERYTHING, area, what_if_of(engine, EVERYTHING, area, chosen))


def told_of(frame: pd.DataFrame, key: str, *columns: str) -> dict[str, Any]:
    """By key, missing as `None`."""
    rows = frame.set_index(key)[list(columns)].astype(object)
    rows = rows.where(rows.notna(), None)
    return {str(code): tuple(row) for code, row in zip(rows.index, rows.to_numpy(), strict=True)}


def services_of(found: Supposed) -> dict[str, Any]:
    columns = ("service_count_before", "service_count_after")
    return told_of(found.wards.frame, "ward_code", *columns)


def fte_of(found: Supposed) -> dict[str, Any]:
    return told_of(found.wards.frame, "ward_code", "fte_per_10k_before", "fte_per_10k_after")


def losing(found: Supposed) -> set[str]:
    frame = found.wards.frame
    return set(frame.loc[frame["loses_cover"], "ward_code"])


class TestNothing:
    def test_nothing_supposed_is_nothing_changed(self, usual: Engine) -> None:
        assert what_if_of(usual, EVERYTHING, AREA, {}) == AS_IT_IS == WhatIf()
        found = if_in(usual)
        assert found.is_empty
        assert (len(found.wards.frame), len(found.closed), len(found.networks.frame)) == (0, 0, 0)
        mine, other = (
            ward_coverage(usual, EVERYTHING, *AREA.board, *more).wards.frame
            for more in ((), (WhatIf(),))
        )
        pd.testing.assert_frame_equal(mine, other)

    def test_a_name_that_is_not_there_changes_nothing(self, usual: Engine) -> None:
        found = if_in(usual, close="Nobody", end="no / service", worker_from="U1", worker_to="U2")
        assert found.what_if.closed == ()
        assert (len(found.wards.frame), len(found.closed), len(found.networks.frame)) == (0, 0, 0)

    @pytest.mark.parametrize("moved", ["1", "0.5", ""])
    def test_to_where_it_comes_from(self, usual: Engine, moved: str) -> None:
        assert if_in(usual, worker_from=NORTH, worker_to=NORTH, moved=moved).is_empty

    def test_nobody_to_see_it(self, usual: Engine) -> None:
        stranger = Scope(frozenset({b.OUTSIDER_ICB}))
        what = what_if_of(usual, stranger, AREA, {"close": "Together CIC", "end": CHOIR})
        assert what == AS_IT_IS
        found = supposed(usual, stranger, AREA, WhatIf((CHOIR,), ((NORTH, 1.0),)))
        assert (len(found.wards.frame), len(found.closed), len(found.networks.frame)) == (0, 0, 0)


class TestCloses:
    def test_the_only_provider(self, usual: Engine) -> None:
        """Three had all three components; Castle and Elm lacked one before, of Ford nobody knows."""
        found = if_in(usual, close="Together CIC")
        assert services_of(found) == {
            ABBEY: (2, 0), BROOK: (1, 0), CASTLE: (1, 0), DALE: (1, 0), ELM: (1, 0), FORD: (1, 0)
        }  # fmt: skip
        assert losing(found) == {ABBEY, BROOK, DALE}
        assert told_of(found.wards.frame, "ward_code", "status_before", "status_after") == {
            ABBEY: ("High take-up", "Nothing to refer to"),
            BROOK: ("As expected", "Nothing to refer to"),
            CASTLE: ("No provision", "No provision"),
            DALE: ("Provided, take-up hidden", "Nothing to refer to"),
            ELM: ("No provision", "No provision"),
            FORD: ("No return", "No return"),
        }
        # Those that lose cover first, the largest first.
        assert found.wards.frame["ward_code"].tolist()[:3] == [BROOK, ABBEY, DALE]
        assert told.supposed_finding(found)[0] == (
            "**3 wards** would lose cover: Brook, Abbey, Dale."
        )
        assert told.supposed_alt(found).startswith("Wards by status as it would be; 3 wards that ")

    def test_what_is_free_near(self, fuller: Engine) -> None:
        """The garden is for Abbey: 6 in the club and 2 of the talk; the choir is for all of Northam."""
        found = if_in(fuller, close="Together CIC")
        assert told_of(found.closed, "service_key", "places_filled", "free_near", "wards") == {
            "garden": (9, 8, 1), CHOIR: (8, 8, 3), "Together CIC / helpline": (None, 2, 3),
            "Together CIC / old list": (None, 2, 1),
        }  # fmt: skip
        assert told.supposed_finding(found)[-1] == (
            "4 services close: 17 people have a place there; others nearby return 20 free places for "
            "the same needs."
        )
        # The talk is there for everybody.
        assert losing(found) == set()
        # And serves every ward of the board; the club and the garden (12 of which 9) are near.
        talk = if_in(fuller, end="Vale / talk").closed
        assert told_of(talk, "service_key", "free_near", "wards") == {"Vale / talk": (9, 6)}

    def test_another_need_is_not_near(self, fuller: Engine) -> None:
        found = if_in(fuller, end="Hill / pantry").closed
        assert told_of(found, "service_key", "free_near", "wards") == {"Hill / pantry": (None, 2)}
        assert told.closed_table(if_in(fuller, end="Hill / pantry"))[1] == [
            ("Pantry", "Hill", "food", "0", "–", "2", "–")
        ]

    def test_one_contract(self, usual: Engine) -> None:
        """Without the choir nothing is left in Brook and Castle."""
        found = if_in(usual, end=CHOIR)
        assert found.what_if == WhatIf((CHOIR,))
        assert services_of(found) == {ABBEY: (2, 1), BROOK: (1, 0), CASTLE: (1, 0)}
        assert losing(found) == {BROOK}
        both = if_in(usual, end="garden", close="Together CIC")
        assert len(both.what_if.closed) == 4

    def test_few_who_wait_are_hidden(self, fuller: Engine) -> None:
        found = if_in(fuller, end="Vale / few")
        assert found.closed["people_waiting"].isna().all()
        assert found.closed["people_waiting_hidden"].tolist() == [True]
        assert told.closed_table(found)[1][0][4] == "*"
        # 9 wait for the garden and 12 for the choir: shown as 10.
        garden, choir = (
            if_in(fuller, end=key).closed["people_waiting"] for key in ("garden", CHOIR)
        )
        assert (garden.tolist(), choir.tolist()) == ([10], [10])

    def test_without(self, fuller: Engine) -> None:
        found = board_services(fuller, EVERYTHING, b.BOARD, b.AS_AT)
        left = found.without([CHOIR, "Vale / talk"])
        gone = set(found.listed["service_key"]) - set(left.listed["service_key"])
        assert gone == {CHOIR, "Vale / talk"}
        for name in ("themes", "serving", "everywhere", "sites"):
            rows, fewer = getattr(found, name), getattr(left, name)
            assert len(fewer) == (~rows["service_key"].isin(gone)).sum()
            assert not set(fewer["service_key"]) & gone
        assert found.without([]) is found
        # Closed is not the same as never returned.
        none = found.without([*found.listed["service_key"]])
        assert (len(none.listed), none.is_returned, none.names_needs) == (0, True, True)


class TestMoves:
    def test_one_from_north_to_south(self, usual: Engine) -> None:
        """North's 4.0 were 1.0 in Abbey and Brook, 0.5 in Castle and Dale; a quarter goes. South's
        1.0 is a quarter each for Castle and Dale and half for Elm."""
        found = if_in(usual, worker_from=NORTH, worker_to=SOUTH)
        assert told_of(found.networks.frame, "pcn_code", "fte_now", "fte_then") == {
            NORTH: (4.0, 3.0), SOUTH: (0.0, 1.0)
        }  # fmt: skip
        frame = found.networks.frame
        assert frame["fte_now"].sum() == frame["fte_then"].sum() == 4.0
        assert fte_of(found) == {
            ABBEY: (2.0, pytest.approx(1.5)), BROOK: (1.0, pytest.approx(0.75)),
            CASTLE: (1.0, 1.25), DALE: (2.0, 2.5),
            ELM: (0.0, 2.0),
        }  # fmt: skip
        assert losing(found) == set()
        # Elm then has all three, and nobody was referred.
        row = found.wards.frame.set_index("ward_code").loc[ELM]
        assert (row["status_before"], row["status_after"]) == ("No provision", "Not reached")
        assert told.supposed_finding(found)[1] == "The status of 1 other ward would change."
        # 80 and 20 referrals a year.
        assert told.networks_table(found)[1] == [
            ("South PCN", "0.0", "1.0", "–", "20"), ("North PCN", "4.0", "3.0", "20", "27")
        ]  # fmt: skip

    @pytest.mark.parametrize(("moved", "then"), [("0.5", 3.5), ("2", 2.0), ("3", 1.0), ("", 3.0)])
    def test_so_many(self, usual: Engine, moved: str, then: float) -> None:
        found = if_in(usual, worker_from=NORTH, moved=moved)
        assert found.networks.frame["fte_then"].tolist() == [then]
        assert fte_of(found)[ABBEY] == (2.0, pytest.approx(then / 2))

    @pytest.mark.parametrize(
        ("there", "moved", "comes"),
        [(0.5, "1", 0.5), (0.5, "0.5", 0.5), (3.0, "2", 2), (0, "3", 0)],
    )
    def test_nobody_comes_who_was_not_there(
        self, sqlite_engine: Engine, there: float, moved: str, comes: float
    ) -> None:
        b.Board(monthly={NORTH: (there,) * 3, SOUTH: (1.0,) * 3}).save(sqlite_engine)
        found = if_in(sqlite_engine, worker_from=NORTH, worker_to=SOUTH, moved=moved)
        changes = ((NORTH, -comes), (SOUTH, comes)) if comes else ()
        assert found.what_if.fte == changes
        assert found.networks.frame["fte_then"].sum() == (there + 1 if comes else 0)

    def test_none_leave_a_network_without(self, usual: Engine) -> None:
        """South has 0: North gains 0, and nothing is supposed."""
        found = if_in(usual, worker_from=SOUTH, worker_to=NORTH, moved="3")
        assert found.is_empty
        assert len(found.wards.frame) == 0

    def test_less_than_is_shown_is_no_change(self, usual: Engine) -> None:
        """Of North's FTE half as many for each 10,000 in Abbey and Dale, a quarter in the others."""
        for fte, changed in ((0.0099, set()), (0.0101, {ABBEY, DALE}),
                             (0.0201, {ABBEY, BROOK, CASTLE, DALE})):  # fmt: skip
            for sign in (1, -1):
                what_if = WhatIf((), ((NORTH, sign * fte),))
                found = supposed(usual, EVERYTHING, AREA, what_if)
                assert set(found.wards.frame["ward_code"]) == changed

    def test_the_last_who_leaves(self, sqlite_engine: Engine) -> None:
        """Below nothing there is nothing: North's wards have no link worker then."""
        b.Board(monthly={NORTH: (1.0,) * 3, SOUTH: (0.0,) * 3}).save(sqlite_engine)
        found = if_in(sqlite_engine, worker_from=NORTH, moved="2")
        assert found.what_if.fte == ((NORTH, -1.0),)
        assert told_of(found.networks.frame, "pcn_code", "fte_now", "fte_then") == {
            NORTH: (1.0, 0.0)
        }  # fmt: skip
        assert found.networks.frame["pressure_then"].isna().all()
        assert told.networks_table(found)[1][0][-1] == "no worker"
        assert {ABBEY, BROOK} <= losing(found)
        assert {after for _, after in fte_of(found).values()} == {0.0}

    def test_who_did_not_return_stays_unknown(self, usual: Engine) -> None:
        found = if_in(usual, worker_to=EAST, moved="2")
        assert told_of(found.networks.frame, "pcn_code", "fte_now", "fte_then") == {
            EAST: (None, None)
        }  # fmt: skip
        assert len(found.wards.frame) == 0
        from_it = if_in(usual, worker_from=EAST)
        assert len(from_it.wards.frame) == 0
        assert told.networks_table(from_it)[1] == [("East PCN", "–", "–", "–", "–")]

    def test_both_at_once(self, usual: Engine) -> None:
        found = if_in(usual, end=CHOIR, worker_from=NORTH, worker_to=SOUTH)
        assert losing(found) == {BROOK}
        assert set(found.wards.frame["ward_code"]) == {ABBEY, BROOK, CASTLE, DALE, ELM}


class TestFiltered:
    def test_only_wards_of_the_locality(self, usual: Engine) -> None:
        south = replace(AREA, lad_code=SOUTHAM)
        found = if_in(usual, south, close="Together CIC")
        assert set(found.wards.frame["ward_code"]) == {DALE, ELM, FORD}
        assert len(found.closed) == 4
        north = if_in(usual, replace(AREA, lad_code=NORTHAM), close="Together CIC")
        assert losing(north) == {ABBEY, BROOK}

    def test_only_wards_of_the_network(self, usual: Engine) -> None:
        found = if_in(usual, replace(AREA, pcn_code=SOUTH), close="Together CIC")
        assert set(found.wards.frame["ward_code"]) == {CASTLE, DALE, ELM}


class TestInShort:
    """What is supposed and lost, as a comparison of plans says it."""

    @pytest.mark.parametrize(
        ("chosen", "said"),
        [
            ({}, ("nothing", "none")),
            ({"close": "", "end": "", "moved": "2"}, ("nothing", "none")),
            ({"close": "Nobody"}, ("nothing", "none")),
            ({"worker_from": SOUTH, "worker_to": NORTH}, ("nothing", "none")),
            ({"close": "Together CIC"}, ("Together CIC closes", "3: Brook, Abbey, Dale")),
            ({"end": CHOIR}, ("Together CIC / choir ends", "1: Brook")),
            (
                {"worker_from": NORTH, "worker_to": SOUTH, "moved": "0.5"},
                ("-0.5 FTE at North PCN; +0.5 FTE at South PCN", "0"),
            ),
            (
                {"end": CHOIR, "worker_to": SOUTH},
                ("Together CIC / choir ends; +1 FTE at South PCN", "1: Brook"),
            ),
        ],
    )
    def test_each(self, usual: Engine, chosen: dict[str, str], said: tuple[str, str]) -> None:
        assert told.consequence(usual, EVERYTHING, AREA, tuple(chosen.items())) == said

    def test_of_the_chosen_area(self, usual: Engine) -> None:
        south = replace(AREA, lad_code=SOUTHAM)
        closes = (("close", "Together CIC"),)
        assert told.consequence(usual, EVERYTHING, south, closes)[1] == "1: Dale"

    def test_of_a_saved_plan(self) -> None:
        choices = "close=Hill+%26+Vale&goal=fewest&icb=x&moved=2&part=plan&sites=1"
        saved = pd.DataFrame({"scenario_name": ["a", "b"], "choices": [choices, "sites=1"]})
        assert told.supposed_of_saved(saved, "a") == {"close": "Hill & Vale", "moved": "2"}
        assert told.supposed_of_saved(saved, "b") == {}


def test_what_can_be_supposed(fuller: Engine) -> None:
    listed = board_services(fuller, EVERYTHING, b.BOARD, b.AS_AT).listed
    offered = told.suppositions(listed, {NORTH: "North PCN"})
    assert {name: list(options) for name, (_, options) in offered.items()} == {
        "close": ["", "Hill", "Together CIC", "Vale"],
        "end": ["", CHOIR, "Vale / few"],
        "worker_from": ["", NORTH],
        "worker_to": ["", NORTH],
        "moved": ["1", "0.5", "2", "3"],
    }
    assert offered["end"][1][CHOIR] == "Choir, Together CIC (ends 2026-09-30)"


def test_the_story_of_the_demonstration(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Four wards of Canterbury have nothing but what the Harbour Community Trust offers."""
    engine = make_engine(f"sqlite:///{demonstration_file(tmp_path_factory).as_posix()}")
    found = if_in(engine, Area("QDK", b.AS_AT), close="Harbour Community Trust")
    engine.dispose()
    frame = found.wards.frame
    assert len(frame) == 4
    assert frame["loses_cover"].all()
    assert set(frame["lad_name"]) == {"Canterbury"}
    assert set(frame["status_after"]) == {"Nothing to refer to"}
    assert told.supposed_finding(found)[0].startswith(
        "**4 wards** would lose cover; **22,712 adults**"
    )
    assert set(found.closed["wards"]) == {4}
    assert found.closed["free_near"].isna().all()
