"""Every figure of every ward, against numbers worked out by hand (see `small_board`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard.coverage import Basis, ward_coverage, ward_neighbours, ward_patients
from dashboard.rules.coverage import State, Status
from dashboard.settings import settings
from queries.database import make_engine, upgrade
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.small_board import ABBEY, BROOK, CASTLE, DALE, ELM, FORD

JUNE = date(2026, 6, 1)


pytestmark = pytest.mark.usefixtures("settings_as_shipped")


def judged(engine: Engine, board: b.Board, as_at: date = b.AS_AT) -> tuple[pd.DataFrame, Basis]:
    board.save(engine)
    return again(engine, as_at)


def again(engine: Engine, as_at: date = b.AS_AT) -> tuple[pd.DataFrame, Basis]:
    found = ward_coverage(engine, EVERYTHING, b.BOARD, as_at)
    return found.wards.frame.set_index("ward_code"), found.basis


def known(column: pd.Series) -> dict[str, float]:
    """The values that are there: a ward that is missing is not in the answer."""
    return column.dropna().to_dict()


def test_every_figure_by_hand(both_engines: Engine) -> None:
    wards, basis = judged(both_engines, b.Board())
    assert set(wards.index) == set(b.BOARD_WARDS)
    assert known(wards["population"]) == {
        ABBEY: 5000, BROOK: 10_000, CASTLE: 5000, DALE: 2500, ELM: 2500
    }  # fmt: skip
    assert known(wards["fte"]) == {ABBEY: 1.0, BROOK: 1.0, CASTLE: 0.5, DALE: 0.5, ELM: 0.0}
    assert known(wards["fte_per_10k"]) == {ABBEY: 2.0, BROOK: 1.0, CASTLE: 1.0, DALE: 2.0, ELM: 0.0}
    assert known(wards["imd_rank"]) == {
        ABBEY: 2000, BROOK: 6000, CASTLE: 16_000, DALE: 22_000, ELM: 31_000
    }  # fmt: skip
    assert known(wards["imd_fifth"]) == {ABBEY: 1, BROOK: 1, CASTLE: 3, DALE: 4, ELM: 5}
    # Castle's 17 go to 15; Dale's 3 are hidden; Ford's PCN sent nothing.
    assert known(wards["referrals_12_months"]) == {ABBEY: 40, BROOK: 40, CASTLE: 15, ELM: 0}
    assert wards.index[wards["referrals_12_months_hidden"]].tolist() == [DALE]
    # Dale's 10 are hidden with its count.
    assert known(wards["expected"]) == pytest.approx({ABBEY: 20, BROOK: 40, CASTLE: 20, ELM: 10})
    assert known(wards["take_up_per_1000"]) == pytest.approx(
        {ABBEY: 8.0, BROOK: 4.0, CASTLE: 3.0, ELM: 0.0}
    )
    assert known(wards["take_up_ratio"]) == pytest.approx(
        {ABBEY: 200, BROOK: 100, CASTLE: 75, ELM: 0}
    )
    # Byar's limits of 40 are 28.573 and 54.470 (by the printed formula); exact at 0: 3.689.
    assert known(wards["take_up_lower"]) == pytest.approx(
        {ABBEY: 5.7147, BROOK: 2.8573, CASTLE: 1.6779, ELM: 0}, abs=1e-4
    )
    assert known(wards["take_up_upper"]) == pytest.approx(
        {ABBEY: 10.8940, BROOK: 5.4470, CASTLE: 4.9483, ELM: 1.4756}, abs=1e-4
    )
    assert wards["service_count"].to_dict() == {
        ABBEY: 2, BROOK: 1, CASTLE: 1, DALE: 1, ELM: 1, FORD: 1
    }  # fmt: skip
    assert wards["status"].to_dict() == {
        ABBEY: "High take-up",
        BROOK: "As expected",
        CASTLE: "No provision",
        DALE: "Provided, take-up hidden",
        ELM: "No provision",
        FORD: "No return",
    }
    assert basis == Basis(
        as_at=b.AS_AT,
        people="people",
        population_vintages=("2023 wards",),
        shares="registered",
        strata="population alone",
        window=(date(2025, 7, 1), JUNE),
        no_window="",
        census=b.AS_AT,
        index_year="2025",
        services_returned=True,
        reach="30 minutes by bus, between wards",
    )
    assert known(wards["places_per_1000"]) == pytest.approx(
        {ABBEY: 12 / 11.8, BROOK: 12 / 11.8 * 0.68}
    )


def test_worst_first_then_largest(sqlite_engine: Engine) -> None:
    wards, _ = judged(sqlite_engine, b.Board())
    order = [status.value for status in Status]
    places = [order.index(status) for status in wards["status"]]
    assert places == sorted(places)
    assert wards.index.tolist()[:2] == [CASTLE, ELM]


def test_components_and_their_reasons(sqlite_engine: Engine) -> None:
    wards, _ = judged(sqlite_engine, b.Board())
    assert wards["route_in"].to_dict() == {
        ABBEY: "present", BROOK: "present", CASTLE: "absent",
        DALE: "present", ELM: "absent", FORD: "no return",
    }  # fmt: skip
    assert wards["route_in_inferred"].to_dict() == {
        ABBEY: False, BROOK: False, CASTLE: False, DALE: True, ELM: True, FORD: True
    }  # fmt: skip
    assert wards["link_worker"].to_dict() == {
        ABBEY: "present", BROOK: "present", CASTLE: "present",
        DALE: "present", ELM: "absent", FORD: "no return",
    }  # fmt: skip
    assert wards["services"].to_dict() == {
        ABBEY: "present", BROOK: "present", CASTLE: "present",
        DALE: "area-wide only", ELM: "area-wide only", FORD: "area-wide only",
    }  # fmt: skip
    assert "Northam" in wards.loc[CASTLE, "reason"]
    assert "link worker is in post" in wards.loc[CASTLE, "reason"]
    assert "South PCN" in wards.loc[ELM, "reason"]
    assert "inferred" in wards.loc[ELM, "reason"]
    assert "East PCN" in wards.loc[FORD, "reason"]
    assert "hidden" in wards.loc[DALE, "reason"]
    assert "3" not in wards.loc[DALE, "reason"]
    assert "40 referrals, 20 expected" in wards.loc[ABBEY, "reason"]
    assert (wards["reason"] != "").all()
    assert "funding ends" in wards.loc[BROOK, "flags"]
    assert "at capacity" in wards.loc[BROOK, "flags"]
    assert "at capacity" not in wards.loc[ABBEY, "flags"]
    assert wards.loc[ELM, "flags"] == "stale directory"
    assert wards.loc[FORD, "flags"] == ""


def test_expected_by_age_and_deprivation(sqlite_engine: Engine) -> None:
    wards, basis = judged(sqlite_engine, b.Board(ages=True))
    assert (basis.people, basis.strata) == ("adults", "age band and deprivation fifth")
    assert known(wards["adults"]) == {ABBEY: 4000, BROOK: 8000, CASTLE: 4000, DALE: 2000, ELM: 2000}
    assert known(wards["take_up_per_1000"]) == pytest.approx(
        {ABBEY: 10.0, BROOK: 5.0, CASTLE: 3.75, ELM: 0.0}
    )
    assert wards.loc[ABBEY, "expected"] == pytest.approx(34.5)
    assert wards.loc[BROOK, "expected"] == pytest.approx(45.5)
    assert wards.loc[ABBEY, "take_up_ratio"] == pytest.approx(40 / 34.5 * 100)
    assert wards.loc[ABBEY, "status"] == "As expected"


# 40 + 40 + 20 = 100, and each age band a multiple of 5: 15, 20, 25 and 40.
NONE_HIDDEN = (*b.REFERRALS[:2], b.Referrals(CASTLE, b.SOUTH, (5, 5, 5, 5)))


@pytest.mark.slow
def test_expected_by_age_alone_without_deprivation(sqlite_engine: Engine) -> None:
    wards, basis = judged(
        sqlite_engine, b.Board(ages=True, deprivation=False, referrals=NONE_HIDDEN)
    )
    assert basis.strata == "age band"
    assert basis.index_year == ""
    assert wards["imd_fifth"].isna().all()
    assert wards["expected"].sum() == pytest.approx(100)


@pytest.mark.slow
def test_referrals_whose_age_was_not_told_still_count(sqlite_engine: Engine) -> None:
    board = b.Board(ages=True, deprivation=False, referrals=NONE_HIDDEN)
    load = board.referral_return()
    ages = load.rows["referral_age_fact"]
    without = ages.assign(age_band=ages["age_band"].mask(ages["age_band"] == "80+"))
    board.but(referrals=()).save(sqlite_engine)
    save(sqlite_engine, b.replace(load, rows={**load.rows, "referral_age_fact": without}))
    wards, _ = again(sqlite_engine)
    assert wards["expected"].sum() == pytest.approx(100)
    assert wards.loc[ABBEY, "referrals_12_months"] == 40


# A PCN that serves, at exactly 5%.


@pytest.mark.slow
@pytest.mark.parametrize(("in_ward", "serves"), [(105, False), (106, True)])
def test_a_pcn_across_the_threshold(sqlite_engine: Engine, in_ward: int, serves: bool) -> None:
    """Of 2,000 + n in Abbey, 5% is n = 105.26: silent East makes the ward unknown from 106."""
    b.Board(registered=False, schemes=()).save(sqlite_engine)
    load = b.registered()
    first = next(iter(b.LSOAS))
    extra = pd.DataFrame(
        [("2026-06-01", "Y90003", first, in_ward)],
        columns=["part_key", "practice_code", "lsoa_code", "patients"],
    )
    rows = {"registered_patients": pd.concat([load.rows["registered_patients"], extra])}
    save(sqlite_engine, b.replace(load, rows=rows))
    wards, _ = again(sqlite_engine)
    assert pd.isna(wards.loc[ABBEY, "fte"]) == serves
    # A worker of another PCN is there all the same.
    assert wards.loc[ABBEY, "link_worker"] == "present"


# Services.


@pytest.mark.parametrize(
    ("confirmed_on", "state"),
    rest_is_slow(
        (date(2025, 7, 1), State.PRESENT),
        (date(2025, 6, 30), State.STALE),  # 12 months ago today
        (date(2025, 6, 29), State.STALE),
        (None, State.STALE),
        fast=2,
    ),
)
def test_stale_after_exactly_twelve_months(
    sqlite_engine: Engine, confirmed_on: date | None, state: State
) -> None:
    service = b.Service("walk", (ABBEY,), confirmed_on=confirmed_on)
    wards, _ = judged(sqlite_engine, b.Board(posts=(), services=(service,)))
    assert wards.loc[ABBEY, "services"] == state
    is_stale = state is State.STALE
    assert (wards.loc[ABBEY, "status"] == "Nothing to refer to") == is_stale
    assert (wards.loc[ABBEY, "flags"] == "stale directory") == is_stale
    # Services were returned: that nothing serves the others is known.
    assert wards.loc[BROOK, "services"] == "absent"
    assert wards.loc[BROOK, "status"] == "Nothing to refer to"


@pytest.mark.parametrize(
    ("areas", "is_online", "states"),
    rest_is_slow(
        ((ABBEY,), False, {ABBEY: "present", BROOK: "absent", DALE: "absent"}),
        ((b.NORTHAM,), False, {ABBEY: "present", BROOK: "present", DALE: "absent"}),
        ((b.BOARD,), False, dict.fromkeys((ABBEY, BROOK, DALE), "area-wide only")),
        ((ABBEY,), True, {ABBEY: "area-wide only", BROOK: "absent", DALE: "absent"}),
        ((ABBEY, b.BOARD), False, {ABBEY: "present", BROOK: "area-wide only"}),
    ),
)
def test_how_near_a_service_is(
    sqlite_engine: Engine, areas: tuple[str, ...], is_online: bool, states: dict[str, str]
) -> None:
    service = b.Service("walk", areas, is_online=is_online)
    wards, _ = judged(sqlite_engine, b.Board(services=(service,)))
    assert {code: wards.loc[code, "services"] for code in states} == states
    # Named twice, it is one service.
    assert wards.loc[ABBEY, "service_count"] == 1


@pytest.mark.parametrize(
    ("posts", "flagged"),
    rest_is_slow(
        ((b.Post("P1", b.SOUTH, "vacant", 1.0),), {b.CASTLE, b.DALE, b.ELM}),
        ((b.Post("P1", b.SOUTH, "recruiting"),), {b.CASTLE, b.DALE, b.ELM}),
        ((b.Post("P1", b.SOUTH, "filled", 1.0),), set()),
        ((b.Post("P1", b.SOUTH, "ended", 1.0),), set()),
        # Not vacant yet, and no longer.
        ((b.Post("P1", b.SOUTH, "vacant", 1.0, date(2026, 7, 1)),), set()),
        ((b.Post("P1", b.SOUTH, "vacant", 1.0, None, date(2026, 6, 29)),), set()),
        ((), set()),
        fast=2,
    ),
)
def test_a_vacant_post_flags_the_wards_its_network_serves(
    sqlite_engine: Engine, posts: tuple[b.Post, ...], flagged: set[str]
) -> None:
    wards, _ = judged(sqlite_engine, b.Board(posts=posts))
    assert set(wards.index[wards["flags"].str.contains("vacancy")]) == flagged


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ends", "flagged"),
    [
        (None, False),
        (date(2026, 6, 29), False),
        (date(2026, 6, 30), True),
        (date(2026, 12, 30), True),
        (date(2026, 12, 31), False),
    ],
)
def test_funding_that_ends_within_six_months(
    sqlite_engine: Engine, ends: date | None, flagged: bool
) -> None:
    service = b.Service("walk", (ABBEY,), funding_ends=ends)
    wards, _ = judged(sqlite_engine, b.Board(services=(service,)))
    assert ("funding ends" in wards.loc[ABBEY, "flags"]) == flagged


@pytest.mark.parametrize(
    ("states", "flagged"),
    rest_is_slow((("full", "full with waiting list"), True), (("full", "has capacity"), False),
     (("full", None), False)),
)  # fmt: skip
def test_at_capacity_when_all_of_its_own_are_full(
    sqlite_engine: Engine, states: tuple[str | None, ...], flagged: bool
) -> None:
    services = tuple(b.Service(f"walk {n}", (ABBEY,), state=s) for n, s in enumerate(states))
    wards, _ = judged(sqlite_engine, b.Board(services=services))
    assert ("at capacity" in wards.loc[ABBEY, "flags"]) == flagged


def test_services_never_returned_are_no_gap(sqlite_engine: Engine) -> None:
    wards, basis = judged(sqlite_engine, b.Board(services=()))
    assert not basis.services_returned
    assert (wards["services"] == "no return").all()
    assert "Nothing to refer to" not in set(wards["status"])
    assert wards.loc[ABBEY, "status"] == "No return"
    assert "never returned" in wards.loc[ABBEY, "reason"]
    assert wards["service_count"].isna().all()
    # What was told still counts.
    assert wards.loc[CASTLE, "status"] == "No provision"


@pytest.mark.slow
def test_services_that_all_closed_were_returned(sqlite_engine: Engine) -> None:
    """Closed is told; it is not silence."""
    closed = b.Service("walk", (ABBEY,), closes_on=date(2026, 6, 29))
    wards, basis = judged(sqlite_engine, b.Board(services=(closed,)))
    assert basis.services_returned
    assert wards.loc[ABBEY, "services"] == "absent"
    assert wards.loc[ABBEY, "status"] == "Nothing to refer to"


@pytest.mark.slow
def test_an_online_service_without_an_area_covers_boards_that_returned(
    sqlite_engine: Engine,
) -> None:
    online = b.Service("helpline", (), is_online=True)
    placed = b.Service("walk", (ABBEY,))
    wards, _ = judged(sqlite_engine, b.Board(services=(online, placed)))
    assert wards.loc[[ABBEY, BROOK, DALE], "services"].tolist() == [
        "present",
        "area-wide only",
        "area-wide only",
    ]


@pytest.mark.slow
def test_an_online_service_without_an_area_is_no_return_of_a_board(sqlite_engine: Engine) -> None:
    wards, _ = judged(sqlite_engine, b.Board(services=(b.Service("line", (), is_online=True),)))
    assert set(wards["services"]) == {"no return"}


@pytest.mark.slow
def test_two_providers_may_use_the_same_service_id(sqlite_engine: Engine) -> None:
    services = tuple(b.Service("1", (ABBEY,), provider=name) for name in ("One CIC", "Two CIC"))
    wards, _ = judged(sqlite_engine, b.Board(services=services))
    assert wards.loc[ABBEY, "service_count"] == 2


@pytest.mark.parametrize("older_first", rest_is_slow(True, False))
def test_a_lookup_of_an_older_vintage_counts_nobody_twice(
    sqlite_engine: Engine, older_first: bool
) -> None:
    """Every LSOA of Northam once belonged to Castle; the newest lookup says where it is now."""
    older = pd.DataFrame(
        [
            (f"2021 2023 {b.NORTHAM}", lsoa, CASTLE, b.NORTHAM)
            for lsoa, ward in b.LSOAS.items()
            if b.WARDS[ward][1] == b.NORTHAM
        ],
        columns=["part_key", "lsoa_code", "ward_code", "lad_code"],
    )
    load = b.made_of("lsoa_ward", older["part_key"].unique(), {"lsoa_ward": older})
    if older_first:
        save(sqlite_engine, load)
    b.Board().save(sqlite_engine)
    if not older_first:
        save(sqlite_engine, load)
    wards, _ = again(sqlite_engine)
    assert wards.loc[ABBEY, "fte"] == 1.0
    assert wards.loc[CASTLE, "fte"] == 0.5


# Schemes and the workforce.


def test_a_scheme_return_beats_the_workforce(sqlite_engine: Engine) -> None:
    """Southam's return names one of three wards: the others have no route in, whatever the
    PCNs returned."""
    schemes = (b.Scheme("Bridges", b.SOUTHAM, FORD),)
    wards, _ = judged(sqlite_engine, b.Board(schemes=schemes))
    southam = wards[wards["lad_code"] == b.SOUTHAM]
    assert southam["route_in"].to_dict() == {FORD: "present", DALE: "absent", ELM: "absent"}
    assert not southam["route_in_inferred"].any()
    assert southam.loc[[DALE, ELM], "status"].eq("No provision").all()
    assert "link worker is in post" in wards.loc[DALE, "reason"]
    # Ford has a route in, and nobody told whether it has a worker: no gap.
    assert wards.loc[FORD, "status"] == "No return"
    # Nobody speaks for Northam now: inferred.
    northam = wards[wards["lad_code"] == b.NORTHAM]
    assert northam["route_in_inferred"].all()
    assert northam["route_in"].eq("present").all()


@pytest.mark.slow
def test_a_return_that_says_nothing_is_served(sqlite_engine: Engine) -> None:
    wards, _ = judged(sqlite_engine, b.Board(schemes=(b.Scheme("None", b.NORTHAM, None),)))
    assert wards.loc[[ABBEY, BROOK, CASTLE], "status"].eq("No provision").all()
    assert wards.loc[DALE, "status"] != "No provision"


@pytest.mark.slow
def test_a_return_for_the_whole_board(sqlite_engine: Engine) -> None:
    wards, _ = judged(sqlite_engine, b.Board(schemes=(b.Scheme("Links", b.BOARD, b.NORTHAM),)))
    assert wards["route_in"].value_counts().to_dict() == {"present": 3, "absent": 3}
    assert "whole board" in wards.loc[FORD, "reason"]


@pytest.mark.slow
def test_a_scheme_for_the_whole_board_is_area_wide(sqlite_engine: Engine) -> None:
    wards, _ = judged(sqlite_engine, b.Board(schemes=(b.Scheme("Wide", b.BOARD, b.BOARD),)))
    assert (wards["route_in"] == "area-wide only").all()
    assert wards.loc[ABBEY, "status"] == "High take-up"


@pytest.mark.slow
def test_a_scheme_that_ended_serves_nobody_and_still_speaks(sqlite_engine: Engine) -> None:
    ended = b.Scheme("Links", b.NORTHAM, ABBEY, valid_until=date(2026, 6, 29))
    wards, _ = judged(sqlite_engine, b.Board(schemes=(ended, b.SCHEMES[1])))
    assert wards.loc[ABBEY, "status"] == "No provision"
    assert wards.loc[BROOK, "status"] == "As expected"


@pytest.mark.slow
def test_no_worker_in_any_pcn_that_returned(sqlite_engine: Engine) -> None:
    """Told a route in, and the only PCN returned without a worker."""
    wards, _ = judged(sqlite_engine, b.Board(schemes=(b.Scheme("Links", b.SOUTHAM, ELM),)))
    assert wards.loc[ELM, "status"] == "No link worker"
    assert "South PCN" in wards.loc[ELM, "reason"]


def test_without_any_workforce_nothing_is_a_gap(sqlite_engine: Engine) -> None:
    wards, basis = judged(sqlite_engine, b.Board(workforce=False, schemes=()))
    assert basis.census is None
    assert set(wards["status"]) == {"No return"}
    assert wards["fte"].isna().all()
    assert wards["reason"].str.contains("PCN").all()


@pytest.mark.slow
def test_an_earlier_census_at_an_earlier_date(sqlite_engine: Engine) -> None:
    wards, basis = judged(sqlite_engine, b.Board(schemes=()), as_at=date(2026, 6, 29))
    assert basis.census == date(2025, 11, 30)
    # North had 1.0 FTE in November; South had not returned, so Castle, Dale, Elm are unknown.
    assert known(wards["fte"]) == {ABBEY: 0.25, BROOK: 0.25}
    assert wards.loc[ELM, "status"] == "No return"


# Who lives where.


@pytest.mark.slow
def test_modelled_shares_are_said(sqlite_engine: Engine) -> None:
    wards, basis = judged(sqlite_engine, b.Board(registered=False))
    assert basis.shares == "modelled"
    assert wards["link_worker_reason"].str.endswith("(modelled shares)").all()
    # Lists are kept exactly, and shared out among the board's own wards.
    patients, how = ward_patients(sqlite_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert how == "modelled"
    assert patients.groupby("pcn_code")["patients"].sum().to_dict() == pytest.approx(b.LISTS)
    assert patients.groupby("pcn_code")["pcn_patients"].first().to_dict() == pytest.approx(b.LISTS)


@pytest.mark.slow
def test_registered_shares_are_not_called_modelled(sqlite_engine: Engine) -> None:
    wards, basis = judged(sqlite_engine, b.Board())
    assert basis.shares == "registered"
    assert not wards["link_worker_reason"].str.contains("modelled").any()


@pytest.mark.slow
def test_who_serves_a_ward_is_not_known(sqlite_engine: Engine) -> None:
    wards, basis = judged(sqlite_engine, b.Board(registered=False, practices=False, schemes=()))
    assert basis.shares == ""
    assert set(wards["status"]) == {"No return"}
    assert wards["reason"].str.contains("not known which PCNs").all()


# Populations.


@pytest.mark.slow
def test_a_ward_of_another_vintage_has_no_rate(sqlite_engine: Engine) -> None:
    """Ford with everything told but its population."""
    board = b.Board(
        east_fte=1.0, referrals=(*b.REFERRALS, b.Referrals(FORD, b.EAST, (10, 10, 10, 10)))
    )
    wards, _ = judged(sqlite_engine, board)
    assert wards.loc[FORD, "referrals_12_months"] == 40
    for column in ("population", "fte_per_10k", "expected", "take_up_per_1000", "take_up_ratio"):
        assert pd.isna(wards.loc[FORD, column]), column
    assert wards.loc[FORD, "fte"] == 1.0
    assert wards.loc[FORD, "status"] == "Provided, take-up unknown"
    assert "no population" in wards.loc[FORD, "reason"]
    # It is no part of the reference: the others still expect their own 100, Dale's 10 hidden.
    assert wards["expected"].sum() == pytest.approx(90)


@pytest.mark.slow
def test_no_population_at_all(sqlite_engine: Engine) -> None:
    wards, basis = judged(sqlite_engine, b.Board(populations=False))
    assert basis.population_vintages == ()
    assert wards["population"].isna().all()
    assert wards["expected"].isna().all()
    assert wards.loc[ABBEY, "referrals_12_months"] == 40
    assert wards.loc[ABBEY, "status"] == "Provided, take-up unknown"
    assert "no population" in wards.loc[ABBEY, "reason"]


# Referral returns.


@pytest.mark.slow
def test_no_referral_return(sqlite_engine: Engine) -> None:
    wards, basis = judged(sqlite_engine, b.Board(referrals=()))
    assert basis.window is None
    assert "no referral return" in basis.no_window
    assert wards["referrals_12_months"].isna().all()
    assert not wards["referrals_12_months_hidden"].any()
    assert wards.loc[ABBEY, "status"] == "Provided, take-up unknown"
    assert wards.loc[ABBEY, "reason"].startswith(basis.no_window)


def board_with_months(first: date, newest: date) -> b.Board:
    return b.Board(months={"": (first, newest)}, before_window=0)


@pytest.mark.parametrize(
    ("newest", "is_known"),
    rest_is_slow((date(2026, 6, 1), True), (date(2026, 3, 1), True), (date(2026, 2, 1), False)),
)
def test_late_returns_make_take_up_unknown(
    sqlite_engine: Engine, newest: date, is_known: bool
) -> None:
    """Three months may be out; with the fourth, nothing is said."""
    wards, basis = judged(sqlite_engine, board_with_months(date(2024, 1, 1), newest))
    assert (basis.window is not None) == is_known
    assert wards["referrals_12_months"].notna().any() == is_known
    if not is_known:
        assert "February 2026" in basis.no_window
        assert wards.loc[ABBEY, "status"] == "Provided, take-up unknown"
        assert "February 2026" in wards.loc[ABBEY, "reason"]


@pytest.mark.parametrize(
    ("first", "is_known"), rest_is_slow((date(2025, 7, 1), True), (date(2025, 8, 1), False))
)
def test_part_of_a_year_is_not_a_year(sqlite_engine: Engine, first: date, is_known: bool) -> None:
    wards, basis = judged(sqlite_engine, board_with_months(first, JUNE))
    assert (basis.window is not None) == is_known
    if not is_known:
        assert "August 2025" in basis.no_window
        assert wards["referrals_12_months"].isna().all()
        assert "Not reached" not in set(wards["status"])
        assert wards.loc[ABBEY, "status"] == "Provided, take-up unknown"


@pytest.mark.slow
def test_part_of_a_year_of_one_pcn_is_not_a_year_of_its_wards(sqlite_engine: Engine) -> None:
    """South began to send in March: four months must not pass for twelve."""
    months = {"": (date(2025, 7, 1), JUNE), b.SOUTH: (date(2026, 3, 1), JUNE)}
    wards, _ = judged(sqlite_engine, b.Board(months=months))
    assert wards.loc[[ABBEY, BROOK], "referrals_12_months"].tolist() == [40, 40]
    for ward in (CASTLE, DALE, ELM):
        assert pd.isna(wards.loc[ward, "referrals_12_months"])
        assert "South PCN" in wards.loc[ward, "take_up_reason"]
    assert wards.loc[DALE, "status"] == "Provided, take-up unknown"


def test_a_ward_whose_pcn_sent_nothing_has_no_number(sqlite_engine: Engine) -> None:
    """Not zero, and no part of what the others are compared with."""
    schemes = (b.Scheme("Links", b.BOARD, b.BOARD),)
    wards, _ = judged(sqlite_engine, b.Board(east_fte=1.0, schemes=schemes))
    assert pd.isna(wards.loc[FORD, "referrals_12_months"])
    assert wards.loc[FORD, "status"] == "Provided, take-up unknown"
    assert "East PCN" in wards.loc[FORD, "reason"]
    assert pd.isna(wards.loc[FORD, "expected"])


@pytest.mark.slow
def test_a_pcn_that_is_late_by_itself(sqlite_engine: Engine) -> None:
    months = {"": (date(2025, 6, 1), JUNE), b.SOUTH: (date(2025, 6, 1), date(2026, 2, 1))}
    wards, _ = judged(sqlite_engine, b.Board(months=months))
    assert wards.loc[ABBEY, "referrals_12_months"] == 40
    assert wards.loc[[CASTLE, DALE, ELM], "referrals_12_months"].isna().all()
    assert "South PCN" in wards.loc[DALE, "reason"]


@pytest.mark.slow
def test_the_window_ends_where_nearly_all_returns_have_come(sqlite_engine: Engine) -> None:
    """South, with 20 of 100 referrals, is two months late, which is in time: all are judged on
    the 12 months to April."""
    months = {"": (date(2025, 5, 1), JUNE), b.SOUTH: (date(2025, 5, 1), date(2026, 4, 1))}
    _, basis = judged(sqlite_engine, b.Board(months=months))
    assert basis.window == (date(2025, 5, 1), date(2026, 4, 1))


@pytest.mark.slow
def test_a_network_with_few_referrals_does_not_hold_up_the_others(sqlite_engine: Engine) -> None:
    """South sent 4 of 84: it may well have had none in May and June."""
    few = (*b.REFERRALS[:2], b.Referrals(CASTLE, b.SOUTH, (1, 1, 1, 1)))
    months = {"": (date(2025, 5, 1), JUNE), b.SOUTH: (date(2025, 5, 1), date(2026, 4, 1))}
    _, basis = judged(sqlite_engine, b.Board(months=months, referrals=few))
    assert basis.window == (date(2025, 7, 1), JUNE)


@pytest.mark.slow
def test_adults_are_missing_where_an_age_band_is_hidden(sqlite_engine: Engine) -> None:
    """A band that is not there is not 0 people."""
    board = b.Board(ages=True)
    population = board.population()
    rows = population.rows["ward_population"]
    hidden = rows[~((rows["ward_code"] == ABBEY) & (rows["age_band"] == "80+"))]
    for load in board.but(populations=False).loads():
        save(sqlite_engine, load)
    save(sqlite_engine, replace(population, rows={"ward_population": hidden}))
    wards, _ = again(sqlite_engine)
    assert pd.isna(wards.loc[ABBEY, "adults"])
    assert pd.isna(wards.loc[ABBEY, "take_up_per_1000"])
    assert wards.loc[BROOK, "adults"] == 8000


@pytest.mark.slow
def test_returns_that_name_no_pcn_count_for_every_ward(sqlite_engine: Engine) -> None:
    sent = (b.Referrals(ABBEY, None, (10, 10, 10, 10)), b.Referrals(DALE, None, (5, 5, 5, 5)))
    wards, _ = judged(sqlite_engine, b.Board(referrals=sent, before_window=0))
    assert known(wards["referrals_12_months"]) == {
        ABBEY: 40, BROOK: 0, CASTLE: 0, DALE: 20, ELM: 0, FORD: 0
    }  # fmt: skip
    assert wards.loc[BROOK, "status"] == "Not reached"


@pytest.mark.slow
def test_not_reached_low_and_high(sqlite_engine: Engine) -> None:
    """100 over 25,000 people: 20 expected in Abbey and Castle, 40 in Brook, 10 in Dale, Elm.
    The 95% limits of 20 are 12 and 29, of 40 28 and 53, of 10 4 and 17."""
    sent = (
        b.Referrals(ABBEY, b.NORTH, (4, 2, 2, 2)),  # 10 of 20
        b.Referrals(BROOK, b.NORTH, (30, 15, 14, 1)),  # 60 of 40
        b.Referrals(DALE, b.SOUTH, (10, 10, 5, 5)),  # 30 of 10
    )
    schemes = (b.Scheme("Links", b.BOARD, b.BOARD),)
    board = b.Board(referrals=sent, schemes=schemes, services=(b.Service("x", (b.BOARD,)),))
    wards, _ = judged(sqlite_engine, board)
    assert wards["expected"].sum() == pytest.approx(100)
    assert wards["status"].to_dict() == {
        ABBEY: "Low take-up",
        BROOK: "High take-up",
        CASTLE: "Not reached",
        DALE: "High take-up",
        ELM: "No link worker",
        FORD: "No return",
    }


# What a reader may learn.


@pytest.mark.slow
def test_another_true_count_behind_the_same_star_shows_the_same(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    """Two referrals from Dale or six: no cell of what is released may tell which."""
    released = []
    for number in (2, 6):
        engine = make_engine(f"sqlite:///{(tmp_path / f'{number}.db').as_posix()}")
        upgrade(engine)
        sent = (*b.REFERRALS[:3], b.Referrals(DALE, b.SOUTH, (0, number, 0, 0)))
        released.append(judged(engine, b.Board(ages=True, referrals=sent))[0])
        engine.dispose()
    pd.testing.assert_frame_equal(*released)


@pytest.mark.parametrize("ages", rest_is_slow(False, True))
def test_a_hidden_ward_shows_no_number_of_its_own(sqlite_engine: Engine, ages: bool) -> None:
    wards, _ = judged(sqlite_engine, b.Board(ages=ages))
    hidden = wards.loc[DALE]
    numbers = ["referrals_12_months", "take_up_per_1000", "take_up_lower", "take_up_upper"]
    # Dale is alone in its deprivation fifth: what is expected there would be what it had.
    assert hidden[[*numbers, "take_up_ratio", "expected"]].isna().all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("profile", "hidden"), [("nhs", {DALE}), ("lt6", {DALE}), ("opensafely", {DALE, ELM})]
)
def test_the_profile_in_force(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, profile: str, hidden: set[str]
) -> None:
    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", profile)
    settings.cache_clear()
    wards, _ = judged(sqlite_engine, b.Board())
    assert set(wards.index[wards["referrals_12_months_hidden"]]) == hidden
    assert wards.loc[CASTLE, "referrals_12_months"] == (17 if profile == "lt6" else 15)


def test_a_reader_of_another_board_gets_no_ward(sqlite_engine: Engine) -> None:
    b.Board(ages=True).save(sqlite_engine)
    scope = Scope(frozenset({b.OUTSIDER_ICB}))
    found = ward_coverage(sqlite_engine, scope, b.BOARD, b.AS_AT)
    assert len(found.wards.frame) == 0
    assert len(found.shares.frame) == 0
    assert found.basis.census is None
    assert found.basis.window is None


def test_nothing_loaded_at_all(any_engine: Engine) -> None:
    found = ward_coverage(any_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert len(found.wards.frame) == 0
    assert found.basis.window is None


@pytest.mark.slow
def test_places_alone(sqlite_engine: Engine) -> None:
    """The first files a new user loads: nothing is known, and nothing is a gap."""
    for load in (b.Board().boundaries(), b.lookup_of_wards(), b.lookup_of_boards()):
        save(sqlite_engine, load)
    wards, _ = again(sqlite_engine)
    assert len(wards) == 6
    assert set(wards["status"]) == {"No return"}


def test_neighbours_share_an_edge(sqlite_engine: Engine) -> None:
    b.Board().save(sqlite_engine)
    found = ward_neighbours(sqlite_engine, EVERYTHING, b.BOARD)
    pairs = set(zip(found["ward_code"], found["neighbour_code"], strict=True))
    # Two rows of three squares: seven common edges, each both ways; corners do not count.
    assert len(pairs) == 14
    assert {(ABBEY, BROOK), (BROOK, ABBEY), (ABBEY, DALE)} <= pairs
    assert (ABBEY, ELM) not in pairs
