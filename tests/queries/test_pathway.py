"""What the facts of the pathway answer: for whom, since when, and the same on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard import intake
from dashboard.intake.source import Source
from queries import appointments, history, pathway, tables
from queries.load import save
from queries.pathway import PCN, WARD, Cohort
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.queries.test_scores import CONTACTS, OUTCOMES, happy

KEY = b"key" * 12
APRIL, MAY, JUNE = (date(2026, month, 1) for month in (4, 5, 6))
COHORT = Cohort(b.BOARD, b.AS_AT, date(2025, 7, 1), JUNE)
# Board of the ward and of the network are not always one. Days since receipt behind each line.
REFERRALS = f"""\
reference,received,ward_code,pcn_code,source,reasons,age_band,accepted,first_contact,closed
a,2026-04-01,{b.ABBEY},{b.NORTH},GP,money; housing,18-39,2026-04-03,2026-04-08,
b,2026-04-30,{b.ABBEY},{b.NORTH},self,money,18-39,,,2026-05-10
c,2026-05-02,{b.DALE},{b.SOUTH},GP,housing,80+,2026-05-02,,
d,2026-04-02,{b.ABBEY},{b.GORSE_PCN},GP,,,,,
e,2026-04-03,{b.GORSE},{b.NORTH},GP,,,2026-04-05,2026-04-13,
f,2026-04-04,{b.ELM},,,,,,,
g,2026-05-05,,{b.NORTH},,,,,,
"""
SCORES = OUTCOMES + "".join(
    [
        happy("a", "start", "2026-04-08", 3),
        happy("a", "end", "2026-06-08", 6),
        happy("e", "start", "2026-04-09", 3),
        happy("e", "end", "2026-06-09", 6),
        happy("d", "start", "2026-04-09", 1),
        happy("c", "end", "2026-06-09", 9),
    ]
)
# By name: every query, and the categories it may be asked for.
ALL_CATEGORIES = (PCN, *tables.PATHWAY_CATEGORIES)
QUERIES: dict[str, Callable[[Engine, Scope, Cohort], pd.DataFrame]] = {
    "steps by month": pathway.steps_by_month,
} | {
    f"{query.__name__} {category}": lambda engine, scope, cohort, query=query, category=category: (
        query(engine, scope, cohort, category)
    )
    for query, categories in (
        (pathway.steps_by_group, ALL_CATEGORIES),
        (pathway.days_by_group, ALL_CATEGORIES),
        (pathway.scores_by_group, (PCN, *tables.SCORE_CATEGORIES)),
    )
    for category in categories
}
EACH = pytest.mark.parametrize("name", QUERIES)


def take(engine: Engine, *texts: str) -> int:
    for text in texts:
        record = intake.take_in(engine, Source.of("file.csv", text.encode()), KEY)
    return record.load_id


def places(engine: Engine) -> None:
    for each in (b.Board().boundaries(), b.lookup_of_wards(), b.lookup_of_boards(), b.practices()):
        save(engine, each)


@pytest.fixture
def loaded(any_engine: Engine) -> Engine:
    places(any_engine)
    take(any_engine, REFERRALS, SCORES)
    return any_engine


def referrals(engine: Engine, cohort: Cohort, category: str) -> dict[str | None, int]:
    found = pathway.steps_by_group(engine, EVERYTHING, cohort, category)
    return {
        None if pd.isna(value) else value: int(n)
        for value, n in zip(found["value"], found["referrals"], strict=True)
    }


def days(engine: Engine, cohort: Cohort, category: str = "all") -> list[tuple[Any, ...]]:
    found = pathway.days_by_group(engine, EVERYTHING, cohort, category)
    return list(found.itertuples(index=False, name=None))


# What each row is.


def test_by_month_and_network(loaded: Engine) -> None:
    found = pathway.steps_by_month(loaded, EVERYTHING, COHORT)
    counts = ["referrals", "accepted", "accepted_dated", "accepted_open", "contacted"]
    assert found[["pcn_code", "month", *counts]].values.tolist() == [
        [b.NORTH, APRIL, 3, 2, 2, 0, 2],
        [b.NORTH, MAY, 1, 0, 0, 1, 0],
        [b.SOUTH, MAY, 1, 1, 1, 0, 0],
    ]


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("all", {"": 5}),
        (PCN, {b.NORTH: 4, b.SOUTH: 1}),
        # Where people live, through whichever network, or none; not those of the other board.
        (WARD, {b.ABBEY: 3, b.DALE: 1, b.ELM: 1}),
        ("source", {"GP": 3, "self": 1, None: 1}),
        ("reason", {"housing": 2, "money and debt": 2, None: 2}),
        ("age band", {"18-39": 2, "80+": 1, None: 2}),
        ("ethnicity", {None: 5}),
        ("ending", {"not said": 1}),
    ],
)
def test_by_group(loaded: Engine, category: str, expected: dict[str | None, int]) -> None:
    assert referrals(loaded, COHORT, category) == expected
    found = pathway.steps_by_group(loaded, EVERYTHING, COHORT, category)
    assert not found["value"].duplicated().any()


def test_the_sums_are_those_of_the_facts(loaded: Engine) -> None:
    every = pathway.steps_by_group(loaded, EVERYTHING, COHORT, "all").drop(columns="value")
    months = pathway.steps_by_month(loaded, EVERYTHING, COHORT)
    totals = every.iloc[0]
    assert months.drop(columns=["pcn_code", "month"]).sum().to_dict() == totals.to_dict()
    assert {name: n for name, n in totals.items() if n} == {
        "referrals": 5, "accepted": 3, "accepted_dated": 3, "accepted_open": 1,
        "contacted": 2, "contacted_dated": 2, "contacted_open": 1, "planned_open": 2,
    }  # fmt: skip
    for category in (PCN, "source", "age band", "sex", "ethnicity"):
        groups = pathway.steps_by_group(loaded, EVERYTHING, COHORT, category)
        assert groups.drop(columns="value").sum().to_dict() == totals.to_dict()


def test_days_by_group(loaded: Engine) -> None:
    # The last day told is 10 May: c and g were open for 8 and 5 days.
    assert days(loaded, COHORT) == [
        ("", "accepted", 0, 1),
        ("", "accepted", 2, 2),
        ("", "contacted", 7, 1),
        ("", "contacted", 10, 1),
        ("", "ended", 10, 1),
        ("", "open", 5, 1),
        ("", "open", 8, 1),
    ]
    assert days(loaded, COHORT, PCN) == [
        (b.NORTH, "accepted", 2, 2),
        (b.NORTH, "contacted", 7, 1),
        (b.NORTH, "contacted", 10, 1),
        (b.NORTH, "ended", 10, 1),
        (b.NORTH, "open", 5, 1),
        (b.SOUTH, "accepted", 0, 1),
        (b.SOUTH, "open", 8, 1),
    ]
    # Each group has its own days, those of nothing said too.
    by_age = pathway.days_by_group(loaded, EVERYTHING, COHORT, "age band")
    assert by_age["value"].fillna("").tolist() == ["18-39"] * 3 + ["80+"] * 2 + [""] * 3
    assert by_age["referrals"].sum() == 8
    by_ward = days(loaded, COHORT, WARD)
    assert [row for row in by_ward if row[0] == b.ABBEY] == [
        (b.ABBEY, "accepted", 2, 1),
        (b.ABBEY, "contacted", 7, 1),
        (b.ABBEY, "ended", 10, 1),
        (b.ABBEY, "open", 38, 1),
    ]


def test_scores_by_group(loaded: Engine) -> None:
    def found(category: str) -> list[list[Any]]:
        frame = pathway.scores_by_group(loaded, EVERYTHING, COHORT, category).astype(object)
        rows: list[list[Any]] = frame.where(frame.notna(), None).values.tolist()
        return sorted(rows, key=repr)

    happiness = ["ONS4", "happy"]
    assert found("all") == [["", *happiness, 3.0, 6.0, 2], ["", *happiness, None, 9.0, 1]]
    assert found(PCN) == [
        [b.NORTH, *happiness, 3.0, 6.0, 2],
        [b.SOUTH, *happiness, None, 9.0, 1],
    ]
    # d came through another board's network, e lives in another board's ward.
    assert found(WARD) == [
        [b.ABBEY, *happiness, 1.0, None, 1],
        [b.ABBEY, *happiness, 3.0, 6.0, 1],
        [b.DALE, *happiness, None, 9.0, 1],
    ]


def test_those_of_no_network_are_told(loaded: Engine) -> None:
    assert pathway.without_pcn(loaded, EVERYTHING, COHORT) == 1
    assert pathway.without_pcn(loaded, EVERYTHING, replace(COHORT, first=MAY)) == 0
    assert pathway.without_pcn(loaded, EVERYTHING, replace(COHORT, icb_code=b.NEIGHBOUR)) == 0
    assert pathway.without_pcn(loaded, Scope(frozenset({b.NEIGHBOUR})), COHORT) == 0


# For whom.


@EACH
def test_outside_the_scope_and_of_an_unknown_board_there_is_nothing(
    small_scores: Engine, name: str
) -> None:
    """With the types of an answer that has rows."""
    query = QUERIES[name]
    whole = query(small_scores, EVERYTHING, COHORT)
    assert len(whole) > 0 or name.endswith("ending")
    mine = query(small_scores, Scope(frozenset({b.BOARD})), COHORT)
    pd.testing.assert_frame_equal(mine, whole)
    for scope, cohort in (
        (Scope(frozenset({b.NEIGHBOUR})), COHORT),
        (Scope(frozenset()), COHORT),
        (EVERYTHING, replace(COHORT, icb_code=b.OUTSIDER_ICB)),
        (EVERYTHING, replace(COHORT, first=date(2024, 1, 1), last=date(2024, 12, 1))),
        (EVERYTHING, replace(COHORT, pcn_codes=(), is_board=False)),
    ):
        nothing = query(small_scores, scope, cohort)
        assert nothing.empty
        pd.testing.assert_series_equal(nothing.dtypes, whole.dtypes)


@pytest.fixture(scope="module")
def small_scores(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The same, loaded once: to read from."""
    from queries.database import make_engine, upgrade

    engine = make_engine(f"sqlite:///{(tmp_path_factory.mktemp('scores') / 'a.db').as_posix()}")
    upgrade(engine)
    places(engine)
    take(engine, REFERRALS, SCORES)
    return engine


def test_only_the_networks_that_are_named(loaded: Engine) -> None:
    south = replace(COHORT, pcn_codes=(b.SOUTH,), is_board=False)
    assert referrals(loaded, south, "all") == {"": 1}
    assert referrals(loaded, south, PCN) == {b.SOUTH: 1}
    assert referrals(loaded, south, WARD) == {b.DALE: 1}
    assert pathway.steps_by_month(loaded, EVERYTHING, south)["pcn_code"].tolist() == [b.SOUTH]
    assert days(loaded, south) == [("", "accepted", 0, 1), ("", "open", 8, 1)]
    assert len(pathway.scores_by_group(loaded, EVERYTHING, south, "all")) == 1
    # A network of another board is nobody's here.
    gorse = replace(COHORT, pcn_codes=(b.GORSE_PCN,), is_board=False)
    assert referrals(loaded, gorse, "all") == {}
    # Those of the whole board: its wards count through whichever network.
    told = replace(COHORT, pcn_codes=(b.SOUTH,))
    assert referrals(loaded, told, "all") == {"": 1}
    assert referrals(loaded, told, WARD) == {b.ABBEY: 3, b.DALE: 1, b.ELM: 1}


def test_the_months_from_first_to_last(loaded: Engine) -> None:
    assert referrals(loaded, replace(COHORT, last=APRIL), "all") == {"": 3}
    assert referrals(loaded, replace(COHORT, first=MAY), "all") == {"": 2}
    assert referrals(loaded, replace(COHORT, first=MAY, last=MAY), PCN) == {b.NORTH: 1, b.SOUTH: 1}
    assert referrals(loaded, replace(COHORT, first=JUNE), "all") == {}


def test_the_networks_a_board_has_at_the_date(loaded: Engine) -> None:
    """From July South's practice is in another network."""
    save(loaded, b.practices(date(2026, 7, 1), Y90002=b.EAST))
    assert referrals(loaded, COHORT, PCN) == {b.NORTH: 4, b.SOUTH: 1}
    july = replace(COHORT, as_at=date(2026, 7, 31))
    assert referrals(loaded, july, PCN) == {b.NORTH: 4}
    # Wards are where they were.
    assert referrals(loaded, july, WARD) == {b.ABBEY: 3, b.DALE: 1, b.ELM: 1}


def test_a_corrected_month_counts_once_and_an_undone_one_not_at_all(loaded: Engine) -> None:
    heading, first = REFERRALS.splitlines(keepends=True)[:2]
    before = {name: query(loaded, EVERYTHING, COHORT) for name, query in QUERIES.items()}
    corrected = take(loaded, heading + first.replace("GP", "self"))
    assert referrals(loaded, COHORT, "source") == {"GP": 1, "self": 1, None: 1}
    assert days(loaded, replace(COHORT, last=APRIL)) == [
        ("", "accepted", 2, 1),
        ("", "contacted", 7, 1),
    ]
    history.undo(loaded, corrected, None)
    for name, query in QUERIES.items():
        pd.testing.assert_frame_equal(query(loaded, EVERYTHING, COHORT), before[name])


# The same on both databases.


def many() -> tuple[str, str, str]:
    """Returns of 400 referrals with every word and step, made up the same way each time."""
    chance = random.Random(5)
    rows, scored, contacts = [], [], []
    for n in range(400):
        received = date(2025, 7, 1) + timedelta(chance.randrange(360))
        steps = [
            str(received + timedelta(chance.randrange(-3, 420))) if chance.random() < 0.5 else ""
            for _ in range(8)
        ]
        cells = [
            f"r{n}",
            received,
            chance.choice([*b.BOARD_WARDS, b.GORSE, ""]),
            chance.choice([b.NORTH, b.SOUTH, b.EAST, b.GORSE_PCN, ""]),
            chance.choice(["GP", "nurse", "VCSE", "council", "self", ""]),
            chance.choice(["money", "Housing; a cat", "loneliness", ""]),
            chance.choice([*b.BANDS, ""]),
            chance.choice(["F", "m", "other", ""]),
            chance.choice(["White", "A", "Mixed", "not known", ""]),
            *steps,
            chance.choice(["completed", "moved", "no service", "waited too long", ""]),
        ]
        rows.append(",".join(map(str, cells)) + "\n")
        for point in ("start", "end"):
            if chance.random() < 0.7:
                day = received + timedelta(chance.randrange(200))
                total = chance.choice(["7", "20", "24.11", "19.25", "30.70", "35"])
                scored.append(f"r{n},SWEMWBS,{point},{day},,,{total},\n")
                scored.append(happy(f"r{n}", point, f"{day}", chance.randrange(11)))
        contacts.append(f"r{n},{chance.randrange(9)},{chance.randrange(9)},,\n")
    heading = (
        "reference,received,ward_code,pcn_code,source,reasons,age_band,sex,ethnicity_group,offered,"
        "declined,accepted,first_contact,plan_agreed,connected,attended,closed,closed_reason\n"
    )
    return (
        heading + "".join(rows),
        OUTCOMES + "".join(scored),
        CONTACTS + "".join(contacts),
    )


@pytest.mark.slow  # on both databases at once
def test_both_databases_answer_the_same_to_the_last_digit(
    sqlite_engine: Engine, postgres_engine: Engine
) -> None:
    for engine in (sqlite_engine, postgres_engine):
        places(engine)
        take(engine, *many())
    cohorts = [
        COHORT,
        replace(COHORT, pcn_codes=(b.NORTH, b.EAST), is_board=False),
        replace(COHORT, icb_code=b.NEIGHBOUR),
    ]
    for cohort in cohorts:
        for name, query in QUERIES.items():
            one, other = (
                query(engine, EVERYTHING, cohort) for engine in (sqlite_engine, postgres_engine)
            )
            assert len(one) > 0 or cohort.icb_code == b.NEIGHBOUR, name
            pd.testing.assert_frame_equal(one, other, obj=name)
        assert pathway.without_pcn(sqlite_engine, EVERYTHING, cohort) == pathway.without_pcn(
            postgres_engine, EVERYTHING, cohort
        )


# Appointments that practices recorded.


def test_appointments_recorded_by_month(any_engine: Engine) -> None:
    places(any_engine)
    north, south, east = (b.PRACTICE_OF[pcn] for pcn in (b.NORTH, b.SOUTH, b.EAST))
    rows = pd.DataFrame(
        [
            (MAY, north, 5, 100), (MAY, south, 0, 100), (MAY, east, None, 100),
            (MAY, "Y99999", 50, 100),
            (JUNE, north, None, 100), (JUNE, south, None, 100),
            (date(2026, 7, 1), north, 7, 100),
        ],
        columns=["month", "practice_code", "social_prescribing", "all_categories"],
    ).astype({"social_prescribing": "Int64"})  # fmt: skip
    rows["part_key"] = [f"{month:%Y-%m}" for month in rows["month"]]
    keys = rows.drop_duplicates("part_key")
    save(
        any_engine,
        b.made_of("appointments", keys["part_key"], {"practice_appointment": rows},
            starts=keys["month"], ends=keys["month"]),
    )  # fmt: skip
    found = appointments.recorded_by_month(any_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert found.astype(object).values.tolist() == [
        # The board has four practices, one of them in no network. Two sent a number, one of these
        # nought: 5. Where nobody did, it is not nought.
        [MAY, 4, 2, 5],
        [JUNE, 4, 0, pd.NA],
    ]
    for scope, icb_code in ((Scope(frozenset()), b.BOARD), (EVERYTHING, b.NEIGHBOUR)):
        nothing = appointments.recorded_by_month(any_engine, scope, icb_code, b.AS_AT)
        assert nothing.empty
        pd.testing.assert_series_equal(nothing.dtypes, found.dtypes)
