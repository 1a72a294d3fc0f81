"""Every figure of every network, against numbers worked out by hand (see `small_board`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from dashboard.rules.rates import smooth_funnel_limits
from dashboard.settings import settings
from dashboard.workforce import FUNNEL_POINTS, Basis, area_totals, pcn_workforce
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.small_board import ABBEY, DALE, EAST, NORTH, SOUTH, Post, Referrals

REFERRALS, OPEN = "referrals_12_months", "open_referrals"
PRESSED = (
    "pressure", "needed_least_fte", "needed_most_fte", "needed_further_fte", "open_per_fte",
)  # fmt: skip
MAY_END = date(2026, 5, 31)


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]


@pytest.fixture(params=["nhs", "opensafely", "lt6"])
def each_profile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    use(request.param, monkeypatch)
    name: str = request.param
    return name


def use(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", profile)
    settings.cache_clear()


def judged(
    engine: Engine, board: b.Board, as_at: date = b.AS_AT
) -> tuple[dict[str, dict[str, Any]], Basis]:
    board.save(engine)
    return again(engine, as_at)


def again(
    engine: Engine, as_at: date = b.AS_AT, scope: Scope = EVERYTHING
) -> tuple[dict[str, dict[str, Any]], Basis]:
    """Each network's row, missing as `None`, in the order of the frame."""
    found = pcn_workforce(engine, scope, b.BOARD, as_at)
    rows = plain(found.pcns.frame)
    assert len({row["pcn_code"] for row in rows}) == len(rows)
    return {row["pcn_code"]: row for row in rows}, found.basis


def plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def total_of(engine: Engine, *pcn_codes: str, as_at: date = b.AS_AT) -> dict[str, Any]:
    (row,) = plain(area_totals(pcn_workforce(engine, EVERYTHING, b.BOARD, as_at), pcn_codes).frame)
    return row


def among(row: dict[str, Any], *names: str) -> list[Any]:
    return [row[name] for name in names]


def test_every_figure_by_hand(both_engines: Engine) -> None:
    rows, basis = judged(both_engines, b.Board())
    # Both are 1.0 FTE short; South has fewer workers for its list. East did not return.
    assert list(rows) == [SOUTH, NORTH, EAST]
    assert rows[NORTH] == {
        "pcn_code": NORTH, "pcn_name": "North PCN", "practices": 1,
        "lad_code": b.NORTHAM, "lad_name": "Northam",
        "registered_patients": 8000, "staff_rows": 5, "has_returned": True, "in_post": "in post",
        "fte_own_staff": 2.0, "fte_contracted": 2.0, "fte": 4.0, "headcount": 2,
        "fte_before": None, "fte_per_10k": 5.0, "fte_per_50k": 25.0,
        "funnel_lower": 0.0, "funnel_upper": pytest.approx(7.828992300665256),
        "funnel_place": "inside the 95% limits",
        "posts": 4, "posts_without_fte": 1, "funded_fte": 2.5, "vacant_posts": 2,
        "vacant_fte": 1.5, "longest_vacancy_days": 121,
        "planned_fte": 3.0, "target_fte": 5.0, "target_until": b.AS_AT, "target_reason": "agreed",
        "expired_fte": 2.0, "expired_on": date(2026, 3, 31),
        "aim_fte": 5.0, "aim": "target", "gap_fte": 1.0,
        # Two of the 12 months were returned: no mean, and no pressure.
        "mean_fte": None, "months_known": 2,
        REFERRALS: 80, f"{REFERRALS}_hidden": False, OPEN: 80, f"{OPEN}_hidden": False,
        "referral_reason": "", "pressure": None, "pressure_state": "no return",
        "needed_least_fte": 0.32, "needed_most_fte": 0.4, "needed_further_fte": None,
        "open_per_fte": 20.0,
    }  # fmt: skip
    names = ["fte", "in_post", "fte_per_10k", "lad_name", "posts", "funded_fte", "vacant_posts"]
    names += ["vacant_fte", "longest_vacancy_days", "planned_fte", "target_fte", "target_until"]
    names += ["expired_fte", "expired_on", "aim", "aim_fte", "gap_fte", REFERRALS, OPEN]
    names += ["pressure", "pressure_state", "needed_least_fte", "open_per_fte"]
    assert dict(zip(names, among(rows[SOUTH], *names), strict=True)) == {
        "fte": 0.0, "in_post": "no worker", "fte_per_10k": 0.0, "lad_name": "Southam",
        "posts": 0, "funded_fte": 0.0, "vacant_posts": 0, "vacant_fte": 0.0,
        "longest_vacancy_days": None, "planned_fte": 1.0, "target_fte": None, "target_until": None,
        "expired_fte": 1.5, "expired_on": MAY_END, "aim": "plan", "aim_fte": 1.0, "gap_fte": 1.0,
        REFERRALS: 20, OPEN: 20, "pressure": None, "pressure_state": "no worker",
        "needed_least_fte": 0.08, "open_per_fte": None,
    }  # fmt: skip
    known = {name for name, value in rows[EAST].items() if value is not None}
    assert known == {
        "pcn_code", "pcn_name", "practices", "registered_patients", "lad_code", "lad_name",
        "in_post", "has_returned", "aim", "referral_reason", "pressure_state",
        "funnel_lower", "funnel_upper",
        f"{REFERRALS}_hidden", f"{OPEN}_hidden",
    }  # fmt: skip
    states = among(rows[EAST], "in_post", "has_returned", "aim", "referral_reason")
    assert states == ["no return", False, "", "no referral return"]
    assert rows[EAST]["pressure_state"] == "no return"
    assert (basis.census, basis.shares, basis.unallocated_patients) == (b.AS_AT, "registered", 500)
    assert basis.window.window == (date(2025, 7, 1), date(2026, 6, 1))


@pytest.mark.slow
def test_nobody_else_sees_it(sqlite_engine: Engine) -> None:
    rows, _ = judged(sqlite_engine, b.Board())
    assert again(sqlite_engine, scope=Scope(frozenset({b.BOARD})))[0] == rows
    assert again(sqlite_engine, scope=Scope(frozenset({b.NEIGHBOUR})))[0] == {}


BARE = b.Board(
    workforce=False, practices=False, registered=False, deprivation=False, populations=False,
    referrals=(), posts=(), targets=(), plans=(), budgets=False,
)  # fmt: skip


@pytest.mark.parametrize(
    "board",
    rest_is_slow(
        b.Board(workforce=False),
        b.Board(practices=False, registered=False),
        b.Board(registered=False),
        b.Board(referrals=()),
        b.Board(posts=(), targets=(), plans=()),
        b.Board(posts=(Post("P7", SOUTH, "ended", 1.0),)),
        BARE,
    ),
    ids=["no workforce", "no practices", "modelled", "no referrals", "no local", "ended", "bare"],
)
def test_what_was_not_loaded_is_missing_and_never_0(sqlite_engine: Engine, board: b.Board) -> None:
    rows, basis = judged(sqlite_engine, board)
    total = total_of(sqlite_engine, *rows)
    if not board.workforce:
        assert basis.census is None
        assert all(row["fte"] is None and row["in_post"] == "no return" for row in rows.values())
        assert among(total, "fte", "headcount", "fte_change", "open_per_fte") == [None] * 4
    if not board.practices:
        assert set(rows) == ({NORTH, SOUTH} if board.workforce else set())
        assert all(row["fte_per_10k"] is None for row in rows.values())
        assert all(row["funnel_place"] is None for row in rows.values())
        assert among(total, "registered_patients", "listed_fte") == [None, None]
    if not board.referrals:
        assert basis.window.window is None
        reasons = {row["referral_reason"] for row in rows.values()}
        assert reasons <= {"no referral return for the period"}
        for row in (*rows.values(), total):
            assert among(row, REFERRALS, OPEN, *PRESSED) == [None] * 7
    if not board.posts:
        assert all(row["posts"] is row["vacant_posts"] is None for row in rows.values())
        assert among(total, "posts", "funded_fte", "vacant_fte", "vacant_posts") == [None] * 4
        assert all(row["aim"] == "" and row["gap_fte"] is None for row in rows.values())
        assert among(total, "aim_fte", "short_fte", "pcns_with_aim") == [None, None, 0]
    if len(board.posts) == 1:
        assert among(rows[SOUTH], "posts", "funded_fte", "vacant_fte") == [0, 0.0, 0.0]
        assert rows[NORTH]["posts"] is None


# Vacancies.


@pytest.mark.parametrize(
    ("spells", "as_at", "expected"),
    rest_is_slow(
        # posts, funded FTE, without one, vacant posts, vacant FTE, days of the longest
        (["vacant", 1.0, None, None], b.AS_AT, [1, 1.0, 0, 1, 1.0, None]),
        (["vacant", 1.0, b.AS_AT, None], b.AS_AT, [1, 1.0, 0, 1, 1.0, 0]),
        (["recruiting", 1.0, MAY_END, None], b.AS_AT, [1, 1.0, 0, 1, 1.0, 30]),
        (["vacant", 1.0, MAY_END, b.AS_AT], b.AS_AT, [1, 1.0, 0, 1, 1.0, 30]),
        (["vacant", 1.0, MAY_END, date(2026, 6, 29)], b.AS_AT, [0, 0.0, 0, 0, 0.0, None]),
        (["vacant", None, MAY_END, None], b.AS_AT, [1, 0.0, 1, 1, 0.0, 30]),
        (["filled", 1.0, MAY_END, None], b.AS_AT, [1, 1.0, 0, 0, 0.0, None]),
        (["filled", None, None, None], b.AS_AT, [1, 0.0, 1, 0, 0.0, None]),
        (["ended", 1.0, MAY_END, None], b.AS_AT, [0, 0.0, 0, 0, 0.0, None]),
        # At a date in the past it stands as it stood then; before it began, there was none.
        (["vacant", 1.0, MAY_END, None], date(2026, 6, 10), [1, 1.0, 0, 1, 1.0, 10]),
        (["vacant", 1.0, MAY_END, date(2026, 6, 29)], date(2026, 6, 29), [1, 1.0, 0, 1, 1.0, 29]),
        (["vacant", 1.0, b.AS_AT, None], date(2026, 6, 29), [None] * 6),
        fast=3,
    ),
)
def test_a_post(sqlite_engine: Engine, spells: list[Any], as_at: date, expected: list[Any]) -> None:
    status, fte, since, until = spells
    rows, _ = judged(
        sqlite_engine, b.Board(posts=(Post("P1", NORTH, status, fte, since, until),)), as_at
    )
    names = ("posts", "funded_fte", "posts_without_fte", "vacant_posts", "vacant_fte")
    assert among(rows[NORTH], *names, "longest_vacancy_days") == expected
    assert rows[SOUTH]["posts"] is None


@pytest.mark.slow
def test_the_longest_vacancy_is_that_of_those_that_say(sqlite_engine: Engine) -> None:
    posts = (
        Post("P1", NORTH, "vacant", 0.5),
        Post("P2", NORTH, "vacant", 0.25, MAY_END),
        Post("P3", NORTH, "recruiting", 0.25, date(2026, 6, 15)),
        Post("P4", SOUTH, "vacant", 1.0, date(2026, 6, 20)),
    )
    rows, _ = judged(sqlite_engine, b.Board(posts=posts))
    assert rows[NORTH]["longest_vacancy_days"] == 30
    total = total_of(sqlite_engine, NORTH, SOUTH, EAST)
    names = ("pcns_with_posts", "vacant_posts", "vacant_fte", "longest_vacancy_days")
    assert among(total, *names) == [2, 4, 2.0, 30]


# Targets and plans.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("as_at", "target", "expired", "aim", "aim_fte"),
    [
        (date(2025, 3, 31), None, None, "", None),
        (date(2025, 4, 1), 2.0, None, "target", 2.0),
        (date(2026, 3, 31), 2.0, None, "target", 2.0),
        (date(2026, 4, 1), 5.0, 2.0, "target", 5.0),
        (b.AS_AT, 5.0, 2.0, "target", 5.0),
        # The day after its last: July's plan is the aim, and what expired is no aim.
        (date(2026, 7, 1), None, 5.0, "plan", 5.0),
        (date(2026, 8, 1), None, 5.0, "", None),
    ],
)
def test_a_target_counts_on_its_first_and_its_last_day(
    sqlite_engine: Engine,
    as_at: date,
    target: float | None,
    expired: float | None,
    aim: str,
    aim_fte: float | None,
) -> None:
    rows, _ = judged(sqlite_engine, b.Board(), as_at)
    found = among(rows[NORTH], "target_fte", "expired_fte", "aim", "aim_fte")
    assert found == [target, expired, aim, aim_fte]


@pytest.mark.slow
def test_a_target_without_an_end_and_one_yet_to_come(sqlite_engine: Engine) -> None:
    targets = ((NORTH, 3.0, b.AS_AT, None), (SOUTH, 9.0, date(2026, 7, 1), None))
    rows, _ = judged(sqlite_engine, b.Board(targets=targets))
    # Above its target is no shortage: the gap is negative.
    found = among(rows[NORTH], "target_fte", "target_until", "aim", "gap_fte")
    assert found == [3.0, None, "target", -1.0]
    assert among(rows[SOUTH], "target_fte", "expired_fte", "aim") == [None, None, "plan"]
    total = total_of(sqlite_engine, NORTH, SOUTH)
    assert among(total, "pcns_with_aim", "pcns_short", "aim_fte", "short_fte") == [2, 1, 4.0, 1.0]


@pytest.mark.slow
def test_an_aim_of_a_pcn_that_did_not_return_is_no_shortage(sqlite_engine: Engine) -> None:
    targets = (*b.TARGETS, (EAST, 3.0, date(2026, 1, 1), None))
    rows, _ = judged(sqlite_engine, b.Board(targets=targets))
    assert among(rows[EAST], "aim", "aim_fte", "gap_fte") == ["target", 3.0, None]
    total = total_of(sqlite_engine, NORTH, SOUTH, EAST)
    assert among(total, "pcns_with_aim", "pcns_short", "aim_fte", "short_fte") == [2, 2, 6.0, 2.0]
    assert list(rows)[-1] == EAST


# Pressure.

KNOWN = (0.25, 0.25, 0.25, 0.5, 0.5, 0.5)


def test_pressure_over_the_months_that_are_known(any_engine: Engine) -> None:
    """80 referrals over a mean of 0.375, of six months known: half of them is enough."""
    rows, _ = judged(any_engine, b.Board(monthly={NORTH: KNOWN, SOUTH: (0.0,) * 12}))
    north, south = rows[NORTH], rows[SOUTH]
    assert among(north, "mean_fte", "months_known") == [0.375, 6]
    assert north["pressure"] == pytest.approx(80 / 0.375)
    assert north["pressure_state"] == "within the band"
    assert among(north, *PRESSED[1:]) == [0.32, 0.4, 0.0, 160.0]
    # Nobody in post: no number, never infinity; what is needed can be said.
    assert among(south, "mean_fte", "months_known", "pressure", "open_per_fte") == [
        0,
        12,
        None,
        None,
    ]
    assert south["pressure_state"] == "no worker"
    assert among(south, "needed_least_fte", "needed_further_fte") == [0.08, 0.08]
    total = total_of(any_engine, NORTH, SOUTH, EAST)
    assert among(total, "pcns_pressed", "mean_fte", REFERRALS) == [2, 0.375, 100]
    assert total["pressure"] == pytest.approx(100 / 0.375)
    assert total["pressure_state"] == "above the band"
    # 78 and 18 are open: added up as they are shown, 80 and 20.
    assert among(total, "pcns_open", "open_fte", OPEN, "open_per_fte") == [2, 0.5, 100, 200.0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fte", "mean", "known", "state"),
    [
        (KNOWN, 0.375, 6, "within the band"),
        # Missing within the window, wherever: not nobody.
        (
            (0.5, 0.5, None, 0.5, None, 0.5, None, None, 0.5, None, None, 0.5),
            0.5,
            6,
            "below the band",
        ),
        (KNOWN[1:], None, 5, "no return"),
        ((0.0,) * 11 + (0.5,), 0.5 / 12, 12, "above the band"),
        ((0.0,) * 11 + (None,), 0.0, 11, "no worker"),
        # A month before the window is not in it.
        ((9.0,) + (0.5,) * 12, 0.5, 12, "below the band"),
    ],
)
def test_the_mean_of_the_months_that_were_returned(
    sqlite_engine: Engine,
    fte: tuple[float | None, ...],
    mean: float | None,
    known: int,
    state: str,
) -> None:
    rows, _ = judged(sqlite_engine, b.Board(monthly={NORTH: fte, SOUTH: (1.0,)}))
    assert rows[NORTH]["mean_fte"] == (None if mean is None else pytest.approx(mean))
    assert among(rows[NORTH], "months_known", "pressure_state") == [known, state]


@pytest.mark.slow
def test_a_pcn_that_does_not_send_referrals_has_none_and_not_0(sqlite_engine: Engine) -> None:
    sent = (Referrals(ABBEY, NORTH, (10, 10, 10, 10)),)
    rows, _ = judged(sqlite_engine, b.Board(referrals=sent, monthly={SOUTH: (1.0,) * 12}))
    assert among(rows[SOUTH], REFERRALS, OPEN, *PRESSED) == [None] * 7
    assert among(rows[SOUTH], f"{REFERRALS}_hidden", "referral_reason") == [
        False, "no referral return"
    ]  # fmt: skip
    # One that sends, and had none in the window, had none.
    silent_since = {"": (date(2025, 7, 1), date(2026, 6, 1)), SOUTH: (date(2025, 6, 1),) * 2}
    save(
        sqlite_engine,
        b.Board(referrals=b.REFERRALS, months=silent_since, before_window=0).referral_return(),
    )
    assert again(sqlite_engine)[0][SOUTH]["referral_reason"] == "no referral return"


def test_a_referral_that_ended_before_it_began_is_not_less_than_none(
    sqlite_engine: Engine,
) -> None:
    """Received on 2 July and closed on 30 June, by a slip of the pen: nothing checks the order."""
    board = b.Board(before_window=0)
    board.save(sqlite_engine)
    clean = board.but(referrals=(Referrals(ABBEY, NORTH, (20, 0, 0, 0)),)).referral_return()
    slip = clean.rows["referral_episode_fact"]
    slip["month"], slip["ended_month"] = date(2026, 7, 1), date(2026, 6, 1)
    save(sqlite_engine, clean)
    assert again(sqlite_engine)[0][NORTH][OPEN] == 0


# Hidden.

HIDING = b.Board(
    referrals=(Referrals(ABBEY, NORTH, (20, 20, 20, 20)), Referrals(DALE, SOUTH, (0, 3, 0, 0))),
    monthly={NORTH: (1.0,) * 12, SOUTH: (1.0,) * 12},
)


def test_what_is_made_of_a_hidden_count_is_hidden_with_it(
    sqlite_engine: Engine, each_profile: str
) -> None:
    rows, _ = judged(sqlite_engine, HIDING)
    south = rows[SOUTH]
    # 3 came, of which 1 ended: 2 are open.
    assert among(south, REFERRALS, OPEN, *PRESSED) == [None] * 7
    flags = (f"{REFERRALS}_hidden", f"{OPEN}_hidden", "pressure_state", "referral_reason")
    assert among(south, *flags) == [True, True, "hidden", ""]
    assert among(rows[NORTH], REFERRALS, "pressure", "needed_further_fte") == [80, 80.0, 0.0]
    # One network by itself is no way round.
    total = total_of(sqlite_engine, SOUTH)
    assert among(total, REFERRALS, OPEN, *PRESSED) == [None] * 7
    assert among(total, *flags[:3]) == [True, True, "hidden"]
    # Hidden is not unknown, and counts among those that are known.
    assert among(total, "pcns_pressed", "mean_fte", "pcns_open", "open_fte") == [1, 1.0, 1, 1.0]


@pytest.mark.slow
def test_hidden_without_a_worker_is_no_worker(sqlite_engine: Engine) -> None:
    rows, _ = judged(sqlite_engine, HIDING.but(monthly={NORTH: (1.0,) * 12, SOUTH: (0.0,) * 12}))
    south = among(rows[SOUTH], f"{REFERRALS}_hidden", "pressure_state", "needed_least_fte")
    assert south == [True, "no worker", None]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "profile", "shown"),
    [
        (7, "nhs", None), (8, "nhs", 10), (7, "opensafely", None), (8, "opensafely", 10),
        (5, "lt6", None), (6, "lt6", 6),
    ],
)  # fmt: skip
def test_both_sides_of_the_line(
    sqlite_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    profile: str,
    shown: int | None,
) -> None:
    use(profile, monkeypatch)
    sent = (HIDING.referrals[0], Referrals(DALE, SOUTH, (0, number, 0, 0)))
    rows, _ = judged(sqlite_engine, HIDING.but(referrals=sent))
    assert rows[SOUTH][REFERRALS] == shown
    pressure = None if shown is None else float(shown)
    assert rows[SOUTH]["pressure"] == pressure


def send(engine: Engine, north: int, south: int) -> None:
    sent = (Referrals(ABBEY, NORTH, (0, north, 0, 0)), Referrals(DALE, SOUTH, (0, south, 0, 0)))
    save(engine, HIDING.but(referrals=sent, before_window=0).referral_return())


def behind_totals(engine: Engine, norths: Sequence[int], hidden: range) -> dict[int, set[int]]:
    """By total of both: the counts of South's that may be behind it, by what the rows show."""
    HIDING.save(engine)
    behind: dict[int, set[int]] = {}
    for north in norths:
        for south in hidden:
            send(engine, north, south)
            shown = total_of(engine, NORTH, SOUTH)[REFERRALS]
            behind.setdefault(shown, set()).add(south)
    return behind


@pytest.mark.slow
def test_a_total_leaves_more_than_one_number_behind_a_star(sqlite_engine: Engine) -> None:
    """North's 38 to 42 are all shown as 40."""
    behind = behind_totals(sqlite_engine, range(38, 43), range(2, 8))
    assert behind == {45: {2, 3, 4, 5, 6, 7}}


@pytest.mark.slow
def test_a_total_leaves_more_than_one_number_behind_a_star_where_rows_are_exact(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    use("lt6", monkeypatch)
    behind = behind_totals(sqlite_engine, (43,), range(2, 6))
    assert all(len(counts) > 1 for counts in behind.values())


@pytest.mark.slow
def test_a_row_is_the_same_whatever_is_behind_the_star(
    sqlite_engine: Engine, each_profile: str
) -> None:
    HIDING.save(sqlite_engine)
    seen = set()
    for south in range(2, 6):
        send(sqlite_engine, 80, south)
        areas = [total_of(sqlite_engine, *area) for area in ((SOUTH,), (SOUTH, EAST))]
        seen.add(repr([again(sqlite_engine)[0], *areas]))
    assert len(seen) == 1


# Areas.


def test_area_totals_by_hand(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    everybody = {
        "pcns": 3, "pcns_returned": 2, "pcns_with_worker": 1, "fte": 4.0,
        "pcns_compared": 0, "fte_change": None,
        "pcns_with_posts": 2, "posts": 4, "funded_fte": 2.5, "vacant_fte": 1.5, "vacant_posts": 2,
        "longest_vacancy_days": 121,
        "pcns_with_aim": 2, "pcns_short": 2, "aim_fte": 6.0, "short_fte": 2.0,
        # Of those that returned; and all of them, with the 500 of no PCN.
        "registered_patients": 12_000, "listed_fte": 4.0, "all_patients": 14_500,
        "pcns_pressed": 0, "mean_fte": None, REFERRALS: None, f"{REFERRALS}_hidden": False,
        "pcns_open": 2, "open_fte": 4.0, OPEN: 100, f"{OPEN}_hidden": False,
        "headcount": 2, "pressure": None, "pressure_state": "no return",
        "needed_least_fte": None, "needed_most_fte": None, "needed_further_fte": None,
        "open_per_fte": 25.0,
    }  # fmt: skip
    assert total_of(any_engine, NORTH, SOUTH, EAST) == everybody
    part = total_of(any_engine, NORTH, SOUTH)
    assert part == {**everybody, "pcns": 2, "all_patients": 12_000}
    silent = total_of(any_engine, EAST)
    assert among(silent, "pcns", "pcns_returned", "fte", "all_patients") == [1, 0, None, 2000]
    assert among(silent, "headcount", "listed_fte", OPEN) == [None, None, None]
    nobody = total_of(any_engine)
    assert among(nobody, "pcns", "fte", "all_patients", "short_fte") == [0, None, None, None]


@pytest.mark.slow
def test_a_person_in_two_pcns_of_an_area_is_one(sqlite_engine: Engine) -> None:
    b.Board(workforce=False).save(sqlite_engine)
    workers = [(NORTH, False, 0.5, "person 1"), (SOUTH, False, 0.5, "person 1")]
    save(sqlite_engine, b.census(b.AS_AT, b.BOARD, {NORTH: 1, SOUTH: 1}, workers))
    assert total_of(sqlite_engine, NORTH, SOUTH)["headcount"] == 1
    assert total_of(sqlite_engine, SOUTH)["headcount"] == 1
    # East did not return: that is not nobody.
    assert total_of(sqlite_engine, EAST)["headcount"] is None


A_YEAR_BEFORE = date(2025, 6, 30)


@pytest.mark.slow
def test_change_in_a_year_is_that_of_those_that_returned_then_and_now(
    sqlite_engine: Engine,
) -> None:
    """East did not return now, South did not then: North alone is compared."""
    b.Board().save(sqlite_engine)
    workers = [(NORTH, False, 1.5, "person 1"), (EAST, False, 9.0, "person 7")]
    save(sqlite_engine, b.census(A_YEAR_BEFORE, b.BOARD, {NORTH: 1, EAST: 1}, workers))
    rows, _ = again(sqlite_engine)
    assert {code: row["fte_before"] for code, row in rows.items()} == {
        NORTH: 1.5, SOUTH: None, EAST: 9.0
    }  # fmt: skip
    total = total_of(sqlite_engine, NORTH, SOUTH, EAST)
    assert among(total, "pcns_compared", "fte_change") == [1, 2.5]


@pytest.mark.slow
def test_a_pcn_that_came_from_another_board_brings_its_past(sqlite_engine: Engine) -> None:
    b.Board(monthly={NORTH: (1.0,) * 3, SOUTH: (1.0,) * 3}).save(sqlite_engine)
    for back in range(3, 13):
        workers = [(NORTH, False, 3.0, "person 1")]
        save(sqlite_engine, b.census(b.month_ends(back), b.NEIGHBOUR, {NORTH: 1}, workers))
    rows, _ = again(sqlite_engine)
    # Nine months of 3.0 and three of 1.0.
    assert among(rows[NORTH], "fte_before", "mean_fte", "months_known") == [3.0, 2.5, 12]
    assert among(rows[SOUTH], "fte_before", "mean_fte", "months_known") == [None, None, 3]
    assert among(total_of(sqlite_engine, NORTH, SOUTH), "pcns_compared", "fte_change") == [1, -2.0]


@pytest.mark.slow
def test_a_pcn_in_the_returns_of_two_boards_is_one_row(sqlite_engine: Engine) -> None:
    b.Board(monthly={NORTH: (1.0,) * 13}).save(sqlite_engine)
    for back in range(13):
        workers = [(NORTH, False, 0.5, "person 8")]
        save(sqlite_engine, b.census(b.month_ends(back), b.NEIGHBOUR, {NORTH: 1}, workers))
    rows, _ = again(sqlite_engine)
    assert among(rows[NORTH], "fte_before", "mean_fte", "months_known") == [1.5, 1.5, 12]


# The funnel.


def test_far_from_the_rate_of_all(sqlite_engine: Engine) -> None:
    """40 FTE for 80,000 and none for 40,000: 26.7 and 13.3 are expected."""
    b.Board(monthly={NORTH: (40.0,), SOUTH: (0.0,)}).save(sqlite_engine)
    save(sqlite_engine, b.list_sizes(date(2026, 6, 2), 10))
    found = pcn_workforce(sqlite_engine, EVERYTHING, b.BOARD, b.AS_AT)
    places = found.pcns.frame.set_index("pcn_code")["funnel_place"]
    assert places[NORTH] == "outside the 95% limits"
    assert places[SOUTH] == "outside the 99.8% limits"
    assert pd.isna(places[EAST])
    assert found.centre == pytest.approx(40 / 120_000 * 10_000)
    assert len(found.funnel) == FUNNEL_POINTS
    people = found.funnel["people"]
    assert (people.iloc[0], people.iloc[-1]) == pytest.approx((32_000, 84_000))
    columns = ["lower_998", "lower_95", "upper_95", "upper_998"]
    assert (found.funnel[columns].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_nobody_in_post_anywhere_is_outside_nothing(sqlite_engine: Engine) -> None:
    rows, _ = judged(sqlite_engine, b.Board(monthly={NORTH: (0.0,), SOUTH: (0.0,)}))
    places = [rows[code]["funnel_place"] for code in (NORTH, SOUTH, EAST)]
    assert places == ["inside the 95% limits", "inside the 95% limits", None]


@given(st.floats(0, 500), st.sampled_from([0.8, 0.95, 0.998]))
def test_smooth_limits_lie_around_what_is_expected(mean: float, confidence: float) -> None:
    (lower,), (upper,) = smooth_funnel_limits([mean], confidence)
    assert 0 <= lower <= mean + 1
    assert mean <= upper
    # Within a step of those of whole numbers.
    tail = (1 - confidence) / 2
    whole = [math.exp(-mean)]
    while math.fsum(whole) < 1 - tail:
        whole.append(whole[-1] * mean / len(whole))
    assert abs(upper - (len(whole) - 1)) <= 1
    if math.exp(-mean) >= tail:
        assert lower == 0
    else:
        below = np.searchsorted(np.cumsum(whole), tail)
        assert abs(lower - below) <= 1


@given(st.floats(0, 200), st.floats(0.001, 50), st.sampled_from([0.95, 0.998]))
def test_smooth_limits_grow_with_what_is_expected(
    mean: float, more: float, confidence: float
) -> None:
    (lower, lower_more), (upper, upper_more) = smooth_funnel_limits([mean, mean + more], confidence)
    assert lower <= lower_more
    assert upper <= upper_more


@pytest.mark.slow
def test_the_one_that_is_farthest_from_its_aim_comes_first(sqlite_engine: Engine) -> None:
    targets = ((NORTH, 6.5, date(2026, 1, 1), None), (SOUTH, 1.5, date(2026, 1, 1), None))
    rows, _ = judged(sqlite_engine, b.Board(targets=targets))
    assert [(code, row["gap_fte"]) for code, row in rows.items()] == [
        (NORTH, 2.5), (SOUTH, 1.5), (EAST, None)
    ]  # fmt: skip


@pytest.mark.slow
def test_a_total_is_rounded_where_rows_are_exact(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    use("lt6", monkeypatch)
    HIDING.save(sqlite_engine)
    send(sqlite_engine, 43, 3)
    assert again(sqlite_engine)[0][NORTH][REFERRALS] == 43
    # 43 and the middle of 1 to 5, rounded: whatever the star stands for.
    assert total_of(sqlite_engine, NORTH, SOUTH)[REFERRALS] == 45
    assert total_of(sqlite_engine, NORTH)[REFERRALS] == 43


@pytest.mark.slow
def test_returns_that_name_no_network_tell_of_none(sqlite_engine: Engine) -> None:
    sent = (Referrals(ABBEY, None, (10, 10, 10, 10)),)
    rows, basis = judged(sqlite_engine, b.Board(referrals=sent, before_window=0))
    assert basis.window.window == (date(2025, 7, 1), date(2026, 6, 1))
    for row in rows.values():
        assert row["referral_reason"] == "referral returns name no network"
        assert among(row, REFERRALS, OPEN, *PRESSED) == [None] * 7
