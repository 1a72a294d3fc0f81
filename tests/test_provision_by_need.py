"""Link workers by fifth of deprivation, against numbers added up by hand (see `small_board`)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard.provision_by_need import ProvisionByNeed, provision_by_need
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.small_board import EAST, NORTH, SOUTH

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
Row = tuple[date, int, float, float | None, float, int]

pytestmark = pytest.mark.slow


def by_need(
    engine: Engine, months: int = 1, as_at: date = b.AS_AT, scope: Scope = EVERYTHING
) -> ProvisionByNeed:
    return provision_by_need(engine, scope, b.BOARD, as_at, months)


def fifths(found: ProvisionByNeed) -> list[Row]:
    frame = found.fifths.frame.astype(object)
    assert list(frame.columns) == [
        "month", "fifth", "rate", "standard_error", "people", "pcns"
    ]  # fmt: skip
    return list(frame.where(frame.notna(), None).itertuples(index=False, name=None))


def close(rows: list[Row]) -> list[Any]:
    return [pytest.approx(row) if row[3] is not None else row for row in rows]


# North's FTE goes over its list of 8,000: 4,000 in fifth 1 (Abbey and Brook), 1,000 each in 3
# (Castle) and 4 (Dale), 2,000 outside. South's over 4,000: 1,000 in 3, 1,000 in 4, 2,000 in 5.
# Ford, where East's live, has no deprivation.


def test_by_hand(any_engine: Engine) -> None:
    """4.0 FTE of North: 2.0 for fifth 1, 0.5 each for 3 and 4; South has nobody in post."""
    b.Board().save(any_engine)
    found = by_need(any_engine)
    # One network alone has no error. Of two with 0.5 and 0 for 1,000 each: rate 0.25 a 1,000,
    # residuals 0.25 and -0.25, error sqrt(2 / 1 x 0.125) / 2,000 = 2.5 per 10,000.
    assert fifths(found) == close(
        [
            (JUNE, 1, 5.0, None, 4000, 1),
            (JUNE, 3, 2.5, 2.5, 2000, 2),
            (JUNE, 4, 2.5, 2.5, 2000, 2),
            (JUNE, 5, 0.0, None, 2000, 1),
        ]
    )
    # Four fifths have people: a slope over them would be of another population.
    assert len(found.slopes.frame) == 0
    assert (found.shares, found.index_year) == ("registered", "2025")


def test_a_pcn_that_did_not_return_leaves_with_its_people(sqlite_engine: Engine) -> None:
    b.Board(monthly={SOUTH: (2.0,)}).save(sqlite_engine)
    assert fifths(by_need(sqlite_engine)) == [
        (JUNE, 3, 5.0, None, 1000, 1),
        (JUNE, 4, 5.0, None, 1000, 1),
        (JUNE, 5, 5.0, None, 2000, 1),
    ]


FIFTH_2 = b.Board(monthly={NORTH: (4.0, 4.0, 4.0), SOUTH: (None, 0.0, 2.0), EAST: (1.0,) * 3})


def with_a_fifth_2(engine: Engine) -> None:
    """Brook's second LSOA is ranked as far from deprived as makes the ward one of fifth 2."""
    FIFTH_2.save(engine)
    clean = b.ranks()
    rows = clean.rows["deprivation"].copy()
    rows.loc[rows["lsoa_code"] == "E01000004", "imd_rank"] = 30_000
    # (2,000 x 5,000 + 500 x 30,000) / 2,500 = 10,000, between 6,751 and 13,502.
    save(engine, b.made_of("deprivation", ["2025 all"], {"deprivation": rows}))


def test_month_by_month(sqlite_engine: Engine) -> None:
    with_a_fifth_2(sqlite_engine)
    found = by_need(sqlite_engine, months=3)
    rates = [(month, fifth, rate) for month, fifth, rate, *_ in fifths(found)]
    april = date(2026, 4, 1)
    assert rates == [
        # Without South nobody is left in fifth 5.
        *[(april, fifth, 5.0) for fifth in (1, 2, 3, 4)],
        *[(MAY, 1, 5.0), (MAY, 2, 5.0), (MAY, 3, 2.5), (MAY, 4, 2.5), (MAY, 5, 0.0)],
        *[(JUNE, fifth, 5.0) for fifth in (1, 2, 3, 4, 5)],
    ]
    slopes = found.slopes.frame
    assert slopes["month"].tolist() == [MAY, JUNE]
    # All alike: no slope. A rate that falls with need: more where it is most deprived.
    assert slopes["slope"].iloc[1] == pytest.approx(0, abs=1e-12)
    # 10,000 people, 2,000 in each fifth: ridits 0.9, 0.7, 0.5, 0.3, 0.1, and their squares
    # about a half add up to 0.4; 5 x 0.4 + 5 x 0.2 - 2.5 x 0.2 - 0 = 2.5, over 0.4.
    assert slopes["slope"].iloc[0] == pytest.approx(2.5 / 0.4)
    # A fifth of one network has no error, and then the slope has no limits.
    assert slopes[["lower", "upper"]].isna().all(axis=None)
    assert slopes["pcns_left_out"].tolist() == [0, 0]
    assert by_need(sqlite_engine, months=3, as_at=date(2026, 6, 29)).slopes.frame[
        "month"
    ].tolist() == [MAY]


def test_a_month_that_nobody_returned_is_not_there(sqlite_engine: Engine) -> None:
    b.Board(monthly={NORTH: (4.0, None, 2.0)}).save(sqlite_engine)
    found = by_need(sqlite_engine, months=3)
    first = [(month, rate) for month, fifth, rate, *_ in fifths(found) if fifth == 1]
    assert first == [(date(2026, 4, 1), 5.0), (JUNE, 2.5)]


def test_one_that_came_from_another_board_and_one_in_two(sqlite_engine: Engine) -> None:
    b.Board(monthly={NORTH: (2.0,)}).save(sqlite_engine)
    for day in (date(2026, 5, 31), b.AS_AT):
        workers = [(NORTH, False, 2.0, "person 8")]
        save(sqlite_engine, b.census(day, b.NEIGHBOUR, {NORTH: 1}, workers))
    first = [row[:3] for row in fifths(by_need(sqlite_engine, months=2)) if row[1] == 1]
    assert first == [(MAY, 1, 2.5), (JUNE, 1, 5.0)]


@pytest.mark.parametrize(
    "board",
    rest_is_slow(
        b.Board(workforce=False),
        b.Board(deprivation=False),
        b.Board(practices=False, registered=False),
        b.Board(monthly={EAST: (1.0,)}),
    ),
    ids=["no workforce", "no deprivation", "no practices", "where nothing is known"],
)
def test_nothing_is_known(sqlite_engine: Engine, board: b.Board) -> None:
    board.save(sqlite_engine)
    found = by_need(sqlite_engine)
    assert fifths(found) == []
    assert len(found.slopes.frame) == 0
    assert found.index_year == ("2025" if board.deprivation else "")


def test_people_of_no_pcn_are_nobodys(sqlite_engine: Engine) -> None:
    """The 500 of Brook that belong to no network are in no fifth."""
    b.Board().save(sqlite_engine)
    assert fifths(by_need(sqlite_engine))[0][4] == 4000


def test_nobody_else_sees_it(sqlite_engine: Engine) -> None:
    b.Board().save(sqlite_engine)
    mine = by_need(sqlite_engine, scope=Scope(frozenset({b.BOARD})))
    pd.testing.assert_frame_equal(mine.fifths.frame, by_need(sqlite_engine).fifths.frame)
    assert fifths(by_need(sqlite_engine, scope=Scope(frozenset({b.NEIGHBOUR})))) == []
