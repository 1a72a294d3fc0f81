"""Complex need: counts by hand, shares of what is shown, and why a month is left out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from dashboard import intake
from dashboard import take_up_told as told
from dashboard.complex_need import (
    COUNTS,
    RELATIONS,
    SHARES,
    WAITS,
    ComplexNeed,
    WaitTrend,
    board_complex_need,
    days_of_waits,
    wait_trend,
)
from dashboard.intake.source import Source
from dashboard.outcomes import NETWORK, Pathway
from dashboard.rules.attacker import Relation, exposed, worked_out
from dashboard.rules.disclosure import PROFILES, Released, hidden_flag, shown_range
from dashboard.rules.pathway import OVER_A_YEAR, DayQuantiles
from dashboard.rules.rates import wilson_limits
from queries import tables
from queries.database import make_engine
from queries.load import save
from queries.pathway import Cohort
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.small_board import ABBEY, BROOK, CASTLE, DALE, EAST, NORTH, NORTHAM, SOUTH, SOUTHAM

pytestmark = pytest.mark.usefixtures("settings_as_shipped")
KEY = b"key" * 12
JANUARY, FEBRUARY, MARCH, APRIL, MAY, JUNE = (date(2026, month, 1) for month in range(1, 7))
COHORT = Cohort(b.BOARD, b.AS_AT, date(2025, 7, 1), JUNE)
HEADING = (
    "reference,received,ward_code,pcn_code,long_term_conditions,complexity,ot_referred,ot_accepted,"
    "first_contact,closed\n"
)


@dataclass(frozen=True)
class Group:
    """So many people who were referred alike; days are since the referral."""

    number: int
    received: date
    ward_code: str = ABBEY
    pcn_code: str = NORTH
    conditions: int | None = None
    complexity: str = ""
    therapy: int | None = None
    accepted: int | None = None
    contact: int | None = None
    closed: int | None = None

    def rows(self, name: str) -> str:
        days = [
            "" if day is None else str(self.received + timedelta(days=day))
            for day in (self.therapy, self.accepted, self.contact, self.closed)
        ]
        cells = [
            self.received, self.ward_code, self.pcn_code,
            "" if self.conditions is None else self.conditions, self.complexity, *days,
        ]  # fmt: skip
        return "".join(
            f"{name} {n}," + ",".join(map(str, cells)) + "\n" for n in range(self.number)
        )


# Abbey 100: 60 with three conditions, 20 with one, 20 who don't say. 50 of high complexity and 10 of
# low, 40 don't say. 40 go on to therapy, 25 are accepted there, 10 wait, 5 were closed before it.
# Castle 30, nothing told of 10: 3 of 20 with two conditions. Brook: 40, of whom nothing is told.
GROUPS = (
    Group(25, FEBRUARY, conditions=3, complexity="High", therapy=10, accepted=30),
    Group(10, JUNE, conditions=3, complexity="very high", therapy=5),
    Group(5, FEBRUARY, conditions=3, complexity="complex", therapy=10, closed=20),
    Group(10, FEBRUARY, conditions=3, complexity="severe", closed=5),
    Group(10, FEBRUARY, conditions=3, complexity="low", closed=5),
    Group(20, FEBRUARY, conditions=1, closed=5),
    Group(20, FEBRUARY, closed=5),
    Group(17, MARCH, CASTLE, SOUTH, conditions=1, closed=5),
    Group(3, MARCH, CASTLE, SOUTH, conditions=2, closed=5),
    Group(10, MARCH, CASTLE, SOUTH, closed=5),
    Group(40, APRIL, BROOK, NORTH, closed=5),
)


def load(engine: Engine, groups: tuple[Group, ...]) -> None:
    load_places(engine)
    load_people(engine, groups)


def load_places(engine: Engine) -> None:
    for each in (
        b.Board().boundaries(), b.lookup_of_wards(), b.lookup_of_boards(), b.practices(),
    ):  # fmt: skip
        save(engine, each)


def load_people(engine: Engine, groups: tuple[Group, ...]) -> None:
    file = HEADING + "".join(group.rows(f"g{n}") for n, group in enumerate(groups))
    intake.take_in(engine, Source.of("referrals.csv", file.encode()), KEY)


@pytest.fixture(scope="module")
def engine(upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The groups above: to read from only."""
    path = Path(shutil.copy(upgraded_file, tmp_path_factory.mktemp("need") / "need.db"))
    made = make_engine(f"sqlite:///{path.as_posix()}")
    load(made, GROUPS)
    yield made
    made.dispose()


@pytest.fixture
def of(sqlite_engine: Engine) -> Callable[..., Engine]:
    def loaded(*groups: Group) -> Engine:
        load(sqlite_engine, groups)
        return sqlite_engine

    return loaded


def need_of(engine: Engine, scope: Scope = EVERYTHING, cohort: Cohort = COHORT) -> ComplexNeed:
    """Complex need of a board of which North and South sent referrals, and East did not."""
    networks = pd.DataFrame(
        [(NORTH, NORTHAM, ""), (SOUTH, SOUTHAM, ""), (EAST, SOUTHAM, "no referral return")],
        columns=["code", "lad_code", "reason"],
    ).assign(kind=NETWORK)
    pathway = Pathway(cohort, "", Released(networks, (), PROFILES["nhs"]), pd.DataFrame())
    return board_complex_need(engine, scope, pathway)


def rows_of(released: Released, code: str) -> Released:
    return released.rows(released.frame["code"] == code)


def counted(released: Released) -> dict[str, list[Any]]:
    """`COUNTS` by code, "*" where hidden."""
    return {
        row["code"]: [
            "*" if row[hidden_flag(name)] else None if pd.isna(row[name]) else row[name]
            for name in COUNTS
        ]
        for row in released.frame.to_dict("records")
    }


# Counts and shares.


def test_every_count_by_hand(engine: Engine) -> None:
    """In the order of `COUNTS`: referrals; conditions told, several; complexity told, high; referred
    on, accepted, waiting."""
    need = need_of(engine)
    north = [140, 80, 60, 60, 50, 40, 25, 10]
    # 3 of South's 20 are hidden.
    south = [30, 20, "*", 0, 0, 0, 0, 0]
    assert counted(need.areas) == {
        # 63 of 100 with several shown as 65; of 170 referrals.
        b.BOARD: [170, 100, 65, 60, 50, 40, 25, 10],
        NORTHAM: north, SOUTHAM: south, NORTH: north, SOUTH: south,
    }  # fmt: skip
    assert counted(need.wards) == {
        ABBEY: [100, 80, 60, 60, 50, 40, 25, 10],
        BROOK: [40, 0, 0, 0, 0, 0, 0, 0],
        CASTLE: south,
    }


def test_a_share_is_of_what_is_shown(engine: Engine) -> None:
    found = need_of(engine).wards.frame.set_index("code")
    abbey = found.loc[ABBEY]
    assert {name: abbey[f"{name}_share"] for name in SHARES} == pytest.approx(
        {
            "several_conditions": 60 / 80,
            "highly_complex": 50 / 60,
            "ot_referred": 40 / 100,
            "ot_accepted": 25 / 40,
        }
    )
    for name, of_whom in SHARES.items():
        lower, upper = wilson_limits(abbey[name], abbey[of_whom])
        assert abbey[f"{name}_lower"] == pytest.approx(float(lower))
        assert abbey[f"{name}_upper"] == pytest.approx(float(upper))
    # Of nobody there is no share, of a hidden number neither.
    assert found.loc[BROOK, ["several_conditions_share", "ot_accepted_share"]].isna().all()
    assert found.loc[BROOK, "ot_referred_share"] == 0
    hidden = [f"several_conditions_{end}" for end in ("share", "lower", "upper")]
    assert found.loc[CASTLE, hidden].isna().all()


@pytest.mark.slow
def test_rounded_numbers_leave_no_more_than_all(of: Callable[..., Engine]) -> None:
    """13 of 13 are both 15; where rounding makes a part the greater, the share is 1."""
    frame = need_of(of(Group(13, MAY, conditions=2))).areas.frame.set_index("code")
    board = frame.loc[b.BOARD]
    names = ("referrals", "several_conditions", "several_conditions_share")
    assert [board[name] for name in names] == [15, 15, 1]


@pytest.mark.parametrize(
    ("waiting", "ended", "people", "share"),
    rest_is_slow((2, 0, "*", None), (0, 2, 0, 1), (0, 0, 0, 1), (8, 0, 10, 2 / 3)),
)
def test_all_are_not_accepted_while_somebody_hidden_waits(
    of: Callable[..., Engine], waiting: int, ended: int, people: int | str, share: float | None
) -> None:
    """20 accepted of 22 are both 20 rounded; of 28, 30."""
    engine = of(
        Group(20, MARCH, therapy=5, accepted=9), Group(waiting, MARCH, therapy=5),
        Group(ended, MARCH, therapy=5, closed=9), Group(50, MARCH, closed=5),
    )  # fmt: skip
    need = need_of(engine)
    for released, code in ((need.areas, b.BOARD), (need.areas, NORTH), (need.wards, ABBEY)):
        row = rows_of(released, code)
        assert counted(row)[code][COUNTS.index("ot_waiting")] == people
        shares = [
            row.frame[f"ot_accepted_{end}"].tolist()[0] for end in ("share", "lower", "upper")
        ]
        if share is None:
            assert pd.isna(shares).all()
        else:
            assert shares[0] == pytest.approx(share)


@pytest.mark.slow
def test_a_hidden_number_changes_nothing(
    upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """3 or 7 of Castle's 20, with 68 or 72 in all, both shown as 70: nobody can tell which."""
    shown = []
    for few in (3, 7):
        groups = list(GROUPS)
        groups[7], groups[8] = (
            replace(GROUPS[7], number=20 - few), replace(GROUPS[8], number=few),
        )  # fmt: skip
        groups.append(Group(5, MAY, ABBEY, NORTH, conditions=2, closed=5))
        path = Path(shutil.copy(upgraded_file, tmp_path_factory.mktemp("few") / "few.db"))
        made = make_engine(f"sqlite:///{path.as_posix()}")
        load(made, tuple(groups))
        need = need_of(made)
        shown.append([released.frame.to_csv() for released in (need.areas, need.wards)])
        made.dispose()
    assert shown[0] == shown[1]


@pytest.mark.slow
def test_what_can_be_subtracted_is_hidden_too(of: Callable[..., Engine]) -> None:
    """Of 20 referred on 17 are accepted and 3 wait: with 15 of 20 shown, 3 would not be far."""
    engine = of(
        Group(17, MARCH, therapy=5, accepted=9), Group(3, MARCH, therapy=5), Group(80, MARCH)
    )
    row = counted(need_of(engine).areas)[b.BOARD]
    assert row[COUNTS.index("ot_waiting")] == "*"
    assert 3 not in row
    assert row[:1] == [100]


def test_the_relations_name_every_count() -> None:
    named = {name for relation in RELATIONS for name in (relation.total, *relation.parts)}
    assert named == set(COUNTS)
    assert set(COUNTS) == {"referrals", *tables.COMPLEX_NEED}


# What somebody can work out who has both tables.


def left_of(need: ComplexNeed, networks: dict[str, list[str]]) -> dict[Any, tuple[int, int | None]]:
    """The values that are left of each hidden number of which fewer than 3 are, by table, code and
    count: for somebody who knows the sums (`networks` by locality) and that nobody crosses the
    board's boundary, so that the wards add up to it."""
    by = PROFILES["nhs"]
    known: dict[Any, tuple[int, int | None]] = {}
    hidden = set()
    for table, released in (("areas", need.areas), ("wards", need.wards)):
        for code, row in counted(released).items():
            for name, value in zip(COUNTS, row, strict=True):
                known[table, code, name] = (
                    (by.hide_from, None) if value == "*" else shown_range(value, by)
                )
                hidden |= {(table, code, name)} if value == "*" else set()
    assert hidden
    everybody = [code for codes in networks.values() for code in codes]
    sums = {b.BOARD: everybody, **networks}
    down = [
        Relation(("areas", total, name), tuple(("areas", part, name) for part in parts))
        for name in COUNTS
        for total, parts in sums.items()
    ]
    wards = [
        Relation(
            ("areas", b.BOARD, name), tuple(("wards", ward, name) for ward in counted(need.wards))
        )
        for name in COUNTS
    ]
    across = [
        Relation((*row, one.total), tuple((*row, part) for part in one.parts), one.is_exact)
        for row in {key[:2] for key in known}
        for one in RELATIONS
    ]
    relations = [*down, *wards, *across]
    return worked_out(known, relations, exposed(known, relations, hidden))


BOTH = {NORTHAM: [NORTH], SOUTHAM: [SOUTH]}


def test_nothing_hidden_of_the_groups_can_be_worked_out(engine: Engine) -> None:
    assert left_of(need_of(engine), BOTH) == {}


def many_wards(engine: Engine, number: int) -> list[str]:
    """So many wards of the board, more than it has."""
    codes = [f"E0591{n:04}" for n in range(number)]
    columns = "vintage, icb_code, lad_code, lad_name, lsoas"
    with engine.begin() as connection:
        connection.execute(
            text(
                f"insert into ward (ward_code, ward_name, {columns}) "
                f"select :code, :code, {columns} from ward where ward_code = '{ABBEY}'"
            ),
            [{"code": code} for code in codes],
        )
    return codes


def one_waits_in_each(engine: Engine, number: int) -> ComplexNeed:
    load_places(engine)
    wards = many_wards(engine, number)
    groups = [
        group
        for ward in wards
        for group in (Group(1, MARCH, ward, therapy=5), Group(9, MARCH, ward, closed=5))
    ]
    load_people(engine, tuple(groups))
    need = need_of(engine)
    waiting = {code: row[COUNTS.index("ot_waiting")] for code, row in counted(need.wards).items()}
    # There is no row that says what they add up to.
    assert waiting == dict.fromkeys(wards, "*")
    return need


@pytest.mark.parametrize("number", rest_is_slow(7, 8, 11, 12, 17))
def test_nobody_can_tell_that_one_waits_in_each_ward(sqlite_engine: Engine, number: int) -> None:
    """7 is as many as are hidden: were their sum known to be 1 to 7, each would be 1."""
    assert left_of(one_waits_in_each(sqlite_engine, number), BOTH) == {}


def test_a_table_that_gives_one_away_is_found_out(sqlite_engine: Engine) -> None:
    """Had the 7 been shown as 5, which 3 to 7 are."""
    need = one_waits_in_each(sqlite_engine, 7)
    frame = need.areas.frame.copy()
    is_board = frame["code"] == b.BOARD
    frame.loc[is_board, ["ot_waiting", hidden_flag("ot_waiting")]] = [5, False]
    found = left_of(replace(need, areas=replace(need.areas, frame=frame)), BOTH)
    assert {code: left for (_, code, name), left in found.items() if name == "ot_waiting"} == (
        dict.fromkeys(counted(need.wards), (1, 1)) | dict.fromkeys((NORTH, NORTHAM), (7, 7))
    )


def test_nobody_else_and_nobody_at_all(engine: Engine) -> None:
    for scope in (Scope(frozenset({b.NEIGHBOUR})), Scope(frozenset())):
        need = need_of(engine, scope)
        assert need.wards.frame.empty
        assert {"code", *COUNTS, "several_conditions_share"} <= set(need.wards.frame.columns)
        assert {value for row in counted(need.areas).values() for value in row} == {0}
        assert set(days_of_waits(engine, scope, COHORT).values()) == {DayQuantiles(None, None)}
    nobody = replace(COHORT, pcn_codes=(), is_board=False)
    assert set(days_of_waits(engine, EVERYTHING, nobody).values()) == {DayQuantiles(None, None)}


# Days.


def test_the_days_of_each_transition(engine: Engine) -> None:
    """40 went on: 30 after ten days, 10 after five. 25 were accepted 20 days later; 10 wait since 6
    June, and the last day told is that."""
    found = days_of_waits(engine, EVERYTHING, COHORT)
    assert set(found) == {*WAITS, "ot_waiting"}
    assert found["to_ot"] == DayQuantiles(10, 10)
    assert found["ot"] == DayQuantiles(20, 20)
    assert found["ot_waiting"] == DayQuantiles(0, 0)
    assert found["contacted"] == DayQuantiles(None, None)


@pytest.mark.slow
@pytest.mark.parametrize(("people", "median"), [(9, None), (10, 4)])
def test_of_fewer_than_ten_no_days_are_told(
    of: Callable[..., Engine], people: int, median: int | None
) -> None:
    found = days_of_waits(of(Group(people, MAY, therapy=4)), EVERYTHING, COHORT)
    assert found["to_ot"].median == median


def months(trend: WaitTrend) -> dict[date, tuple[Any, str]]:
    """The median and the state by month."""
    return {
        row["month"]: (None if pd.isna(row["median"]) else row["median"], row["state"])
        for row in trend.months.frame.to_dict("records")
    }


def trend_of(engine: Engine, wait: str, number: int = 4) -> WaitTrend:
    return wait_trend(engine, EVERYTHING, replace(COHORT, last=APRIL), wait, number)


def test_a_month_is_judged_or_says_why_not(of: Callable[..., Engine]) -> None:
    """January: none came; February: 20 accepted after 7 days; March: 9, too few; April: 8 of 28
    still wait, more than a tenth."""
    engine = of(
        Group(20, FEBRUARY, therapy=3, accepted=10),
        Group(9, MARCH, therapy=3, accepted=10), Group(30, MARCH, closed=9),
        Group(20, APRIL, therapy=3, accepted=10), Group(8, APRIL, therapy=3),
    )  # fmt: skip
    trend = trend_of(engine, "ot")
    assert months(trend) == {
        JANUARY: (None, "no return"),
        FEBRUARY: (7, ""),
        MARCH: (None, "too few"),
        APRIL: (None, "too many open"),
    }
    # What is not judged is nowhere to be read.
    left = trend.months.frame[trend.months.frame["state"] != ""]
    assert left[["median", "p90"]].isna().all(axis=None)
    assert trend.chart is not None
    assert [point.date for point in trend.chart.points] == [FEBRUARY]


# As they may be shown: 12 are 10 of 100, and 13 are 15; 1 to 7 count as 1, and 8 are 10.
OPEN = "too many open"
WAITING = ((12, 100, ""), (13, 100, OPEN), (1, 30, ""), (7, 30, ""), (8, 30, OPEN))


@pytest.mark.parametrize(("waiting", "all_of_them", "state"), rest_is_slow(*WAITING))
def test_a_tenth_may_still_wait(
    of: Callable[..., Engine], waiting: int, all_of_them: int, state: str
) -> None:
    done = all_of_them - waiting
    engine = of(Group(done, APRIL, therapy=3, accepted=10), Group(waiting, APRIL, therapy=3))
    assert months(trend_of(engine, "ot", 1)) == {APRIL: (None if state else 7, state)}


@pytest.mark.slow
@pytest.mark.parametrize(("waiting", "all_of_them", "state"), WAITING)
def test_the_same_of_the_first_contact(
    of: Callable[..., Engine], waiting: int, all_of_them: int, state: str
) -> None:
    engine = of(Group(all_of_them - waiting, APRIL, contact=6), Group(waiting, APRIL))
    assert months(trend_of(engine, "contacted", 1)) == {APRIL: (None if state else 6, state)}


def test_who_may_yet_be_referred_on_makes_a_month_too_recent(of: Callable[..., Engine]) -> None:
    """Nine in ten are referred on within 30 days: of those received on the last day of February so
    many have gone by at the end of April, and of March's 30, not more."""
    engine = of(*(Group(20, month, therapy=30) for month in (FEBRUARY, MARCH, APRIL)))
    assert months(trend_of(engine, "to_ot", 3)) == {
        FEBRUARY: (30, ""),
        MARCH: (30, ""),
        APRIL: (None, "too recent"),
    }


@pytest.mark.slow
def test_one_day_longer_and_the_month_before_is_too_recent_too(of: Callable[..., Engine]) -> None:
    engine = of(*(Group(20, month, therapy=31) for month in (FEBRUARY, MARCH, APRIL)))
    assert [state for _, state in months(trend_of(engine, "to_ot", 3)).values()] == [
        "", "too recent", "too recent",
    ]  # fmt: skip


def test_without_a_month_there_is_no_chart(engine: Engine) -> None:
    trend = wait_trend(engine, Scope(frozenset({b.NEIGHBOUR})), COHORT, "ot", 12)
    assert trend.chart is None
    assert set(months(trend).values()) == {(None, "no return")}
    assert len(trend.months.frame) == 12


# In words.


def test_the_finding(engine: Engine) -> None:
    everybody = rows_of(need_of(engine).areas, b.BOARD)
    days = days_of_waits(engine, EVERYTHING, COHORT)
    assert told.complex_finding(everybody, days) == [
        "**65%** of those who say have two or more long-term conditions; **40** were referred on to "
        "occupational therapy, and **10** wait to be accepted.",
        "Half were accepted within **20 days** of the referral on, nine in ten within 20 days; the "
        "target of the settings is 28 days.",
    ]
    too_few = days | {"ot": DayQuantiles(None, None)}
    assert len(told.complex_finding(everybody, too_few)) == 1
    # East sent nothing.
    nobody = rows_of(need_of(engine).areas, EAST)
    assert told.complex_finding(nobody, days) == ["Nobody was referred in these months."]
    assert told.complex_table(nobody)[1] == []


def test_the_tables(engine: Engine) -> None:
    everybody = rows_of(need_of(engine).areas, b.BOARD)
    _, rows = told.complex_table(everybody)
    assert [row[:2] for row in rows] == [
        ("Referred", "170"),
        ("With two or more long-term conditions", "65"),
        ("Of the highest complexity", "50"),
        ("Referred on to occupational therapy", "40"),
        ("Accepted there", "25"),
        ("Waiting for that", "10"),
    ]
    # Of 60 who say.
    assert rows[2][2:] == ("83% (72% to 91%)", "of those whose complexity is said")
    assert [row[2] for row in (rows[0], rows[-1])] == ["", ""]
    names = {ABBEY: "Abbey", CASTLE: "Castle", DALE: "Dale"}
    assert told.complex_wards(need_of(engine).wards, names)[1] == [
        ("Abbey", "100", "60 (75%)", "50 (83%)", "40", "25", "10"),
        # Of complexity nothing is told.
        ("Castle", "30", "*", "0 (–)", "0", "0", "0"),
    ]
    assert told.complex_note(everybody) == (
        "Wards are of everybody who lives there, through whichever network that sent referrals. Who "
        "was referred on, not accepted and does not wait has ended. Small numbers: 1 to 7 people are "
        "hidden (*), larger numbers go to the nearest 5; further numbers are hidden (*) where they "
        "would give one of these away."
    )


def test_a_network_in_words(engine: Engine) -> None:
    south = rows_of(need_of(engine).areas, SOUTH)
    assert [row[1:3] for row in told.complex_table(south)[1]] == [
        ("30", ""), ("*", "–"), ("0", "–"), ("0", "0% (0% to 11%)"), ("0", "–"), ("0", ""),
    ]  # fmt: skip
    assert told.complex_finding(
        south, dict.fromkeys((*WAITS, "ot_waiting"), DayQuantiles(None, None))
    ) == [
        "**–** of those who say have two or more long-term conditions; **0** were referred on to "
        "occupational therapy, and **0** wait to be accepted."
    ]


def test_waits_in_words(engine: Engine) -> None:
    days = days_of_waits(engine, EVERYTHING, COHORT) | {"ot": DayQuantiles(20, OVER_A_YEAR)}
    rows = told.waits_table(days)[1]
    assert rows[-1][0] == "Those who wait for occupational therapy have waited"
    assert [row[1:] for row in rows] == [
        ("–", "–", "28 days"),
        ("10 days", "10 days", "28 days"),
        ("20 days", "over a year", "28 days"),
        ("0 days", "0 days", "28 days"),
    ]


@pytest.mark.slow
def test_the_months_that_are_left_out_are_named(of: Callable[..., Engine]) -> None:
    engine = of(
        Group(20, FEBRUARY, therapy=3, accepted=10), Group(9, MARCH, therapy=3, accepted=10),
        Group(20, APRIL, therapy=3),
    )  # fmt: skip
    trend = trend_of(engine, "ot")
    assert told.wait_notes(trend)[1:] == [
        "Left out, too many open: Apr 2026.",
        "Left out, too few: Mar 2026.",
    ]
    assert told.wait_table(trend)[1] == [
        ("Jan 2026", "no return", ""),
        ("Feb 2026", "7", "7"),
        ("Mar 2026", "too few", ""),
        ("Apr 2026", "too many open", ""),
    ]
