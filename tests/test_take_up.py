"""Take-up by ward: every figure by hand, what nobody can judge set apart, and nothing given away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from dashboard import export
from dashboard import take_up_words as words
from dashboard.coverage import REFERRALS, Basis, Coverage, ward_coverage
from dashboard.outcomes import Pathway
from dashboard.rules.clusters import Cluster
from dashboard.rules.coverage import State, Status, TakeUp, judge_take_up
from dashboard.rules.disclosure import PROFILES, Released, hidden_flag
from dashboard.rules.leak import Loss
from dashboard.rules.rates import funnel_limits
from dashboard.show import Cell
from dashboard.take_up import (
    LOW,
    SET_APART,
    Needs,
    Place,
    board_take_up,
    ward_needs,
    ward_take_up,
)
from dashboard.take_up import TakeUp as Found
from queries.database import make_engine
from queries.frames import each_row
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests import outcome_board as o
from tests import small_board as b
from tests.made_once import demonstration_file
from tests.outcome_board import OutcomeBoard, People, ended, steps
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
    Referrals,
    Scheme,
)

pytestmark = pytest.mark.usefixtures("settings_as_shipped")

_JULY, _JUNE = date(2025, 7, 1), date(2026, 6, 1)
THROUGH = steps(1, 5, 10, 15, 20, 25)
EVERYWHERE = (Scheme("Links", NORTHAM, NORTHAM), Scheme("Links", SOUTHAM, SOUTHAM))
# All of the board have a route in; East has a link worker and sends no referrals.
PLACES = b.Board(referrals=(), schemes=EVERYWHERE, east_fte=1.0)
# 200 referrals of 25,000 people, so 40 are expected in Abbey, 80 in Brook, 40 in Castle, 20 in Dale
# and 20 in Elm; South has no link worker, so that Elm has none. Of Castle's 25 accepted 10 are
# contacted, and all of the others come through every step: of the board's 200 then 185 (0.925).
PEOPLE = (
    People("Abbey early", 50, NORTH, ABBEY, _JULY, THROUGH, "completed"),
    People("Abbey late", 10, NORTH, ABBEY, _JUNE, THROUGH, "completed"),
    People("Brook", 80, NORTH, BROOK, _JULY, THROUGH, "completed"),
    People("Castle", 10, SOUTH, CASTLE, _JULY, THROUGH, "completed"),
    People("unanswered", 15, SOUTH, CASTLE, _JULY, ended(40, 3), "no response"),
    People("Dale early", 25, SOUTH, DALE, _JULY, THROUGH, "completed"),
    People("Dale late", 10, SOUTH, DALE, _JUNE, THROUGH, "completed"),
)
BOARD = OutcomeBoard(people=PEOPLE, scores=(), attendances=(), appointments=(), places=PLACES)
# The same numbers without a pathway, and quicker to load: whose return, where, how many.
NUMBERS = ((NORTH, ABBEY, 60), (NORTH, BROOK, 80), (SOUTH, CASTLE, 25), (SOUTH, DALE, 35))


def numbers(*sent: tuple[str, str, int]) -> tuple[Referrals, ...]:
    return tuple(Referrals(ward, pcn, (n, 0, 0, 0)) for pcn, ward, n in sent)


COUNTED = b.Board(
    schemes=EVERYWHERE, east_fte=1.0, referrals=numbers(*NUMBERS), before_window=0, needs={}
)


@pytest.fixture(scope="module")
def engine(upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The board of `PEOPLE`: to read from only."""
    loaded = o.loaded(upgraded_file, tmp_path_factory.mktemp("take-up"), BOARD)
    yield loaded
    loaded.dispose()


@pytest.fixture(scope="module")
def found(engine: Engine) -> Found:
    return board_take_up(engine, EVERYTHING, b.BOARD, b.AS_AT, False)


def of_board(engine: Engine, board: b.Board) -> Found:
    board.save(engine)
    return board_take_up(engine, EVERYTHING, b.BOARD, b.AS_AT, False)


def by_ward(found: Found, column: str) -> dict[str, Any]:
    """The values that are there and say something, by ward."""
    values = found.wards.frame.set_index("ward_code")[column].dropna()
    return {str(code): value for code, value in values.items() if value != ""}


# A board that a person can add up.


def test_every_ward_by_hand(found: Found) -> None:
    assert by_ward(found, REFERRALS) == {ABBEY: 60, BROOK: 80, CASTLE: 25, DALE: 35, ELM: 0}
    assert by_ward(found, "expected") == pytest.approx(
        {ABBEY: 40, BROOK: 80, CASTLE: 40, DALE: 20, ELM: 20}
    )
    # Poisson around 40: 28 to 53 (95%), 22 to 61 (99.8%); around 20: 12 to 29, 8 to 35.
    assert by_ward(found, "place") == {
        ABBEY: Place.ABOVE,
        BROOK: Place.WITHIN,
        CASTLE: Place.BELOW,
        DALE: Place.ABOVE,
        ELM: Place.FAR_BELOW,
    }
    assert by_ward(found, "apart") == {FORD: Status.UNKNOWN}
    # Marshall: the ratios' variance (40 x 0.5^2 + 40 x 0.375^2 + 20 x 0.75^2 + 20 x 1^2)/200 less
    # 1/40 is 0.209375; a ward's own ratio weighs 0.209375/(0.209375 + 1/expected), the rest is 1.
    between = 0.209375
    assert by_ward(found, "smoothed") == pytest.approx(
        {
            ward: 100 * (1 + (ratio - 1) * between / (between + 1 / expected))
            for ward, ratio, expected in (
                (ABBEY, 1.5, 40), (BROOK, 1.0, 80), (CASTLE, 0.625, 40), (DALE, 1.75, 20),
                (ELM, 0.0, 20),
            )
        }
    )  # fmt: skip
    assert set(by_ward(found, "cluster").values()) == {Cluster.NONE, Cluster.NOT_JUDGED}


def test_where_it_is_lost_by_hand(found: Found) -> None:
    """Castle: 40 x 0.925 = 37 should have attended, and 10 did. Of the 27 missing (40 - 25) x 0.925
    were not referred, and of the 25 it contacted 25 x (0.925 - 0.4) fewer."""
    assert set(found.leaks) == {CASTLE, ELM}
    castle, elm = found.leaks[CASTLE], found.leaks[ELM]
    assert castle.until == "attended"
    assert castle.shortfall == pytest.approx(27)
    assert [(part.loss, part.people, part.is_beyond_chance) for part in castle.parts] == [
        (Loss.NOT_OFFERED, pytest.approx(13.875), True),
        (Loss.DECLINED, 0, False),
        (Loss.NOT_REACHED, pytest.approx(13.125), True),
        # The choir, its only service, is full.
        (Loss.FULL, 0, False),
        (Loss.NOT_ATTENDED, 0, False),
    ]
    # Nobody was referred, so that nothing is known of what comes after.
    assert elm.until == "referred"
    assert elm.shortfall == pytest.approx(20)
    assert elm.by_loss == {Loss.NO_LINK_WORKER: pytest.approx(20)}
    assert by_ward(found, "leak") == {CASTLE: "not offered", ELM: "no link worker"}
    assert by_ward(found, "shortfall") == pytest.approx({CASTLE: 27, ELM: 20})
    assert by_ward(found, "lost") == pytest.approx({CASTLE: 13.875, ELM: 20})
    assert found.board_shares == {
        "accepted": 1, "contacted": 0.925, "planned": 1, "connected": 1, "attended": 1,
        "completed": 1,
    }  # fmt: skip


def test_which_stay_low_when_limits_are_widened(found: Found) -> None:
    """Wards differ 12.9 times as much as by chance: beside that Castle is not low, Elm still is."""
    assert found.phi == pytest.approx(12.93, abs=0.01)
    assert by_ward(found, "stays_low") == {
        ABBEY: False, BROOK: False, CASTLE: False, DALE: False, ELM: True, FORD: False,
    }  # fmt: skip


@pytest.mark.slow
def test_without_a_pathway_only_the_referrals_are_told(sqlite_engine: Engine) -> None:
    found = of_board(sqlite_engine, COUNTED)
    assert {leak.until for leak in found.leaks.values()} == {"referred"}
    assert by_ward(found, "shortfall") == pytest.approx({CASTLE: 15, ELM: 20})
    assert by_ward(found, "leak") == {CASTLE: "not offered", ELM: "no link worker"}


@pytest.mark.slow
def test_what_is_missing_names_the_loss(sqlite_engine: Engine) -> None:
    """Castle without a service at all, instead of a full one: there is nothing to offer."""
    services = tuple(service for service in b.SERVICES if service is not b.CHOIR)
    found = of_board(sqlite_engine, COUNTED.but(services=services))
    assert by_ward(found, "status")[CASTLE] == Status.NOTHING_TO_REFER_TO
    assert by_ward(found, "leak") == {CASTLE: "no service", ELM: "no link worker"}


# Set apart: never low, whatever the number; and one step further it is judged.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "apart"),
    [
        ({"referrals": numbers(*NUMBERS[:2], (SOUTH, CASTLE, 7), NUMBERS[3])}, Status.HIDDEN),
        ({"schemes": (*b.SCHEMES, EVERYWHERE[1])}, Status.NO_PROVISION),
        ({"services": ()}, Status.NO_RETURN),
        ({"referrals": numbers(*NUMBERS[:2])}, Status.UNKNOWN),
        ({"populations": False}, Status.UNKNOWN),
    ],
    ids=["hidden", "no provision", "no return", "no referral return", "no population"],
)
def test_what_cannot_be_judged_is_never_low(
    sqlite_engine: Engine, changes: dict[str, Any], apart: Status
) -> None:
    found = of_board(sqlite_engine, COUNTED.but(**changes))
    castle = found.wards.frame.set_index("ward_code").loc[CASTLE]
    assert castle["apart"] == apart
    assert (castle["place"], castle["leak"], castle["cluster"]) == ("", "", Cluster.NOT_JUDGED)
    assert castle[["smoothed", "shortfall", "lost", "cluster_p"]].isna().all()
    assert not castle["stays_low"]
    assert CASTLE not in found.leaks


@pytest.mark.slow
def test_the_smallest_number_that_is_shown_is_judged(sqlite_engine: Engine) -> None:
    """8, shown as 10, of 185 (183 rounded) x 5/25 = 37; 7 is hidden, see above."""
    sent = numbers(*NUMBERS[:2], (SOUTH, CASTLE, 8), NUMBERS[3])
    found = of_board(sqlite_engine, COUNTED.but(referrals=sent))
    assert by_ward(found, REFERRALS)[CASTLE] == 10
    assert by_ward(found, "expected")[CASTLE] == pytest.approx(37)
    assert by_ward(found, "place")[CASTLE] == Place.FAR_BELOW


@pytest.mark.slow
def test_a_ward_without_a_population_has_no_expected_number(sqlite_engine: Engine) -> None:
    """East tells of Ford, whose population stands under an older code, and has no link worker."""
    sent = numbers(*NUMBERS, (EAST, FORD, 30))
    found = of_board(sqlite_engine, COUNTED.but(referrals=sent, east_fte=0.0))
    assert by_ward(found, "status")[FORD] == Status.NO_LINK_WORKER
    assert by_ward(found, "apart") == {FORD: words.NO_EXPECTED}
    assert FORD not in by_ward(found, "place")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "apart"),
    [
        ((*NUMBERS, (SOUTH, ELM, 5)), Status.HIDDEN),
        (NUMBERS[:2], Status.NO_RETURN),
        ((*NUMBERS, (SOUTH, ELM, 8)), None),
    ],
    ids=["hidden", "no return", "shown"],
)
def test_why_a_ward_without_a_link_worker_is_set_apart(
    sqlite_engine: Engine, sent: tuple[tuple[str, str, int], ...], apart: Status | None
) -> None:
    found = of_board(sqlite_engine, COUNTED.but(referrals=numbers(*sent)))
    assert by_ward(found, "status")[ELM] == Status.NO_LINK_WORKER
    assert by_ward(found, "apart").get(ELM) == apart


def test_where_none_are_expected_nobody_is_judged() -> None:
    found = made_up([("A", 0.0, 0), ("B", 20, 20)])
    assert by_ward(found, "apart") == {"A": words.NO_EXPECTED}
    for layer in ("place", "smoothed", "cluster"):
        groups = words.map_groups(found.wards, NO_NEEDS, layer)
        assert sorted(code for g in groups for code in g.area_codes) == ["A", "B"]


@pytest.mark.slow
def test_a_low_ward_that_loses_nobody_says_so(
    upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """All 25 of Castle are reached, of the board's 200 only 70: 40 x 0.35 is fewer than 25."""
    lost = {"steps": ended(40, 3), "closed_reason": "no response"}
    through = {"steps": THROUGH, "closed_reason": "completed"}
    board = BOARD.with_people(Abbey_early=lost, Brook=lost, unanswered=through)
    engine = o.loaded(upgraded_file, tmp_path_factory.mktemp("none"), board)
    made = export.make(engine, EVERYTHING, "take-up", b.BOARD, b.AS_AT, "json")
    engine.dispose()
    castle = next(row for row in json.loads(made.body)["rows"] if row["ward_code"] == CASTLE)
    assert (castle["place"], castle["leak"], castle["lost"]) == (Place.BELOW, "", None)
    assert castle["missing"]["lost"] == "nothing is lost"


@pytest.mark.slow
def test_before_any_return_nobody_is_judged(sqlite_engine: Engine) -> None:
    found = of_board(sqlite_engine, COUNTED.but(referrals=()))
    assert by_ward(found, "place") == {}
    assert (found.leaks, found.board_shares) == ({}, {})
    assert set(by_ward(found, "apart")) == set(b.BOARD_WARDS)
    assert found.phi is None
    assert found.wards.frame[["shortfall", "lost"]].dtypes.astype(str).tolist() == ["float64"] * 2


def test_another_reader_finds_no_ward(engine: Engine) -> None:
    found = board_take_up(engine, Scope(frozenset({b.NEIGHBOUR})), b.BOARD, b.AS_AT, False)
    assert found.wards.frame.empty
    assert not found.leaks


@pytest.mark.slow
def test_a_reader_of_the_board_finds_all_of_it(engine: Engine, found: Found) -> None:
    mine = board_take_up(engine, Scope(frozenset({b.BOARD})), b.BOARD, b.AS_AT, False)
    assert shown(mine) == shown(found)


# Limits, on both sides; and those by which Coverage judges.


def made_up(
    rows: Sequence[tuple[str, float | None, int | None]],
    pairs: Sequence[tuple[str, str]] = (),
    status: Status = Status.AS_EXPECTED,
) -> Found:
    """Wards of which only the expected and the observed number are told, all of one status."""
    frame = pd.DataFrame(rows, columns=["ward_code", "expected", REFERRALS])
    frame = frame.astype({"ward_code": "str", "expected": "Float64", REFERRALS: "Int64"}).assign(
        status=status.value, link_worker=State.PRESENT.value,
        services=State.PRESENT.value, flags="",
    )  # fmt: skip
    frame[hidden_flag(REFERRALS)] = False
    profile = PROFILES["nhs"]
    released = Released(frame, (REFERRALS,), profile)
    nothing = Released(frame.iloc[:0], (), profile)
    both_ways = [*pairs, *((other, ward) for ward, other in pairs)]
    touching = pd.DataFrame(both_ways, columns=["ward_code", "neighbour_code"], dtype="str")
    return ward_take_up(
        Coverage(released, nothing, BASIS),
        Pathway(None, "", nothing, pd.DataFrame()),
        None,
        touching,
    )


BASIS = Basis(
    as_at=b.AS_AT, people="people", population_vintages=(), shares="", strata="population alone",
    window=(_JULY, _JUNE), no_window="", census=None, index_year="", services_returned=True,
    reach="",
)  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "place"),
    [
        (7, Place.FAR_BELOW),
        (8, Place.BELOW),
        (11, Place.BELOW),
        (12, Place.WITHIN),
        (29, Place.WITHIN),
        (30, Place.ABOVE),
        (35, Place.ABOVE),
        (36, Place.FAR_ABOVE),
    ],
)
def test_on_a_limit_is_inside_it(seen: int, place: Place) -> None:
    """Of 20 expected, by the printed Poisson distribution: 12 to 29 (95%), 8 to 35 (99.8%)."""
    found = made_up([("A", 20, seen), ("B", 20, 20)])
    assert by_ward(found, "place") == {"A": place, "B": Place.WITHIN}
    assert set(found.leaks) == ({"A"} if place in LOW else set())


@pytest.mark.parametrize("status", Status)
def test_a_status_that_says_too_little_is_set_apart_whatever_the_numbers(status: Status) -> None:
    """0 and 50 of 20 are far off; nobody knows of what where provision or a number is missing."""
    found = made_up([("A", 20, 0), ("B", 20, 50)], status=status)
    if status in SET_APART:
        assert by_ward(found, "apart") == {"A": status, "B": status}
        assert by_ward(found, "place") == found.leaks == {}
    else:
        assert by_ward(found, "apart") == {}
        assert by_ward(found, "place") == {"A": Place.FAR_BELOW, "B": Place.FAR_ABOVE}


@given(
    st.lists(
        st.tuples(st.none() | st.floats(0.25, 400), st.none() | st.integers(0, 500)),
        min_size=1,
        max_size=8,
    )
)
def test_low_here_is_low_on_coverage(told: list[tuple[float | None, int | None]]) -> None:
    """Of what Coverage may judge. Nobody referred is "not reached" there, and here below the limits
    from 3.7 expected, within them before."""
    rows = [(f"W{n}", expected, seen) for n, (expected, seen) in enumerate(told)]
    places = by_ward(made_up(rows), "place")
    for code, expected, seen in rows:
        if expected is None or seen is None:
            assert code not in places
            continue
        lower, upper = (float(limit) for limit in funnel_limits(expected))
        verdict = judge_take_up(seen, is_hidden=False, lower=lower, upper=upper)
        assert (
            places[code]
            in {
                TakeUp.LOW: LOW,
                TakeUp.AS_EXPECTED: (Place.WITHIN,),
                TakeUp.HIGH: (Place.ABOVE, Place.FAR_ABOVE),
                TakeUp.NONE: (Place.WITHIN,) if expected < 3.68 else LOW,
            }[verdict]
            or 3.68 < expected < 3.7
        )


def test_low_wards_beside_low_ones_are_a_cluster() -> None:
    """A row of 40 wards, the first ten of which are low: all but the last of these are among low
    ones, and who is not judged parts the rows."""
    rows = [(f"W{n:02}", 100.0, 20 if n < 10 else 125) for n in range(40)]
    line = [(f"W{n:02}", f"W{n + 1:02}") for n in range(39)]
    found = made_up(rows, [*line, ("W00", "W02"), ("W01", "W03"), ("W02", "W04"), ("W01", "W04")])
    frame = found.wards.frame
    low = frame.loc[frame["cluster"] == Cluster.LOW, "ward_code"].tolist()
    assert low
    assert set(low) <= {f"W{n:02}" for n in range(9)}
    alone = made_up([(code, None if code == "W01" else e, n) for code, e, n in rows], line[:1])
    assert by_ward(alone, "cluster")["W00"] == Cluster.ISLAND


# Hidden numbers.


def shown(found: Found) -> str:
    """All that there is of the wards, as text."""
    leaks = {code: repr(leak) for code, leak in found.leaks.items()}
    return found.wards.frame.to_csv() + json.dumps(leaks) + repr((found.phi, found.board_shares))


@pytest.mark.slow
def test_a_hidden_ward_changes_nothing(sqlite_engine: Engine, upgraded_file: Path) -> None:
    """If all reads the same for 3 as for 7 of Dale, nobody can tell 3 from 7: 168 and 172 in all are
    170 rounded."""
    three, seven = (
        shown(of_board(sqlite_engine_of(upgraded_file, sqlite_engine), COUNTED.but(referrals=sent)))
        for sent in (numbers(*NUMBERS[:3], (SOUTH, DALE, few)) for few in (3, 7))
    )
    assert three == seven


def sqlite_engine_of(upgraded_file: Path, engine: Engine) -> Engine:
    """The same database emptied."""
    engine.dispose()
    Path(str(engine.url.database)).write_bytes(upgraded_file.read_bytes())
    return engine


@pytest.mark.slow
def test_a_hidden_step_ends_the_chain_and_changes_nothing(
    upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """3 or 4 of Castle's 25 are contacted: both hidden, and of the board 180 of 200 rounded, if it is
    shown at all."""
    told = []
    for few in (3, 4):
        board = BOARD.with_people(Castle={"number": few}, unanswered={"number": 25 - few})
        engine = o.loaded(upgraded_file, tmp_path_factory.mktemp("few"), board)
        found = board_take_up(engine, EVERYTHING, b.BOARD, b.AS_AT, False)
        engine.dispose()
        assert found.leaks[CASTLE].until == "accepted"
        told.append(shown(found))
    assert told[0] == told[1]


# The measures of need.


def indices(*rows: tuple[str, int, float | None, int | None]) -> Any:
    """Values and deciles by index and number of the LSOA."""
    lsoas = list(b.LSOAS)
    frame = pd.DataFrame(
        [(f"{name} 2021", name, lsoas[n - 1], value, decile) for name, n, value, decile in rows],
        columns=["part_key", "index_name", "lsoa_code", "value", "decile"],
    ).astype({"value": "Float64", "decile": "Int64"})
    return b.made_of("lsoa_index", frame["part_key"].unique(), {"lsoa_index": frame})


@pytest.mark.slow
def test_need_is_the_mean_of_the_lsoas_of_a_ward(sqlite_engine: Engine) -> None:
    COUNTED.save(sqlite_engine)
    save(sqlite_engine, indices(
        ("loneliness", 1, 10.0, 8), ("loneliness", 2, 20.0, 9), ("loneliness", 5, 7.5, None),
        ("loneliness", 3, 4.0, 10), ("loneliness", 4, 6.0, None), ("disability", 1, 3.0, 10),
        ("disability", 11, 9.0, 10),
    ))  # fmt: skip
    needs = ward_needs(sqlite_engine, EVERYTHING, b.BOARD)
    assert needs.names == ["disability", "loneliness"]
    assert needs.values["loneliness"].dropna().to_dict() == {
        ABBEY: 15.0, BROOK: 5.0, CASTLE: 7.5,
    }  # fmt: skip
    # One of Abbey's two is in the two highest deciles, of Brook's two the only one with a decile;
    # of Castle's nothing is known.
    assert needs.high["loneliness"].dropna().to_dict() == {ABBEY: 0.5, BROOK: 1.0}
    # Gorse is of the neighbour.
    assert needs.values["disability"].dropna().to_dict() == {ABBEY: 3.0}
    nobody = ward_needs(sqlite_engine, Scope(frozenset({b.NEIGHBOUR})), b.BOARD)
    assert (nobody.names, len(nobody.values)) == ([], 0)


# In words.

NO_NEEDS = Needs(pd.DataFrame(), pd.DataFrame())


def test_the_finding(found: Found) -> None:
    assert words.finding(found.wards, found, BASIS) == [
        "**2 of 5 wards** that could be judged lie below the expected range. 1 of them below the "
        "99.8% limit; 1 stay below when the limits are widened for what wards differ by anyway.",
        "Most of the shortfall is lost at: no link worker in 1, not offered in 1.",
        "No wards lie together in a cluster of low take-up.",
        "Set apart, and not called low: provided, take-up unknown 1.",
    ]


def test_the_finding_of_a_part_and_of_nothing(found: Found) -> None:
    def of(*codes: str) -> list[str]:
        chosen = found.wards.rows(found.wards.frame["ward_code"].isin(codes))
        return words.finding(chosen, found, BASIS)

    assert of(ABBEY, CASTLE)[0].startswith("**1 of 2 wards** that could be judged lies below")
    assert of(ABBEY)[0] == "**0 of 1 ward** that could be judged lie below the expected range."
    assert of(ABBEY)[-1] == "Every ward could be judged."
    assert of(FORD) == [
        "**None of 1 ward** could be judged.",
        "Set apart, and not called low: provided, take-up unknown 1.",
    ]
    without = replace(BASIS, window=None, no_window="nothing was returned")
    assert words.finding(found.wards, found, without) == [
        "Take-up can't be judged: nothing was returned."
    ]


def test_the_finding_names_where_a_cluster_is() -> None:
    rows = [(f"W{n:02}", 100.0, 20 if n < 10 else 125) for n in range(40)]
    clique = [(f"W{n:02}", f"W{m:02}") for n in range(10) for m in range(n)]
    found = made_up(rows, [*clique, *((f"W{n:02}", f"W{n + 1:02}") for n in range(10, 39))])
    frame = found.wards.frame.assign(lad_name=["Northam"] * 8 + ["Southam"] * 32, reason="")
    said = words.finding(Released(frame, (REFERRALS,), PROFILES["nhs"]), found, BASIS)
    assert "**10 wards** are low among low neighbours: Northam (8), Southam (2)." in said


def test_the_tiles(found: Found) -> None:
    told = {tile.label: (tile.value, tile.unit) for tile in words.tiles(found.wards, found)}
    # 20 of 20 in Elm, 15 of 40 in Castle.
    assert told == {
        "Wards below the expected range": ("2", "of 5 judged"),
        "Referrals missing there": ("35", "a year"),
        "Most often lost at": ("no link worker", "in 1 ward"),
        "Set apart": ("1", "ward"),
    }
    nothing = found.wards.rows(found.wards.frame["ward_code"] == ABBEY)
    told = {tile.label: (tile.value, tile.unit) for tile in words.tiles(nothing, found)}
    assert told["Most often lost at"] == ("–", "")
    assert told["Referrals missing there"] == ("0", "a year")


def test_low_wards_by_shortfall_then_the_others_then_who_is_set_apart(found: Found) -> None:
    """Castle lacks 27 people and Elm 20, though Elm lacks more referrals."""
    assert words.in_order(found.wards).frame["ward_code"].tolist() == [
        CASTLE, ELM, BROOK, DALE, ABBEY, FORD,
    ]  # fmt: skip
    rows = words.low_table(found.wards, found, {})[1]
    assert [row[0] for row in rows] == ["Castle", "Elm"]
    # 15 of 100 are missing within chance, 10 of 20 beyond it.
    several = made_up([("A", 100, 85), ("B", 20, 10)])
    named = several.wards.frame.assign(ward_name=["A", "B"])
    order = words.in_order(Released(named, (REFERRALS,), PROFILES["nhs"])).frame
    assert order["place"].tolist() == [Place.BELOW, Place.WITHIN]


_NOT_OFFERED = "fewer were referred than expected; whether it was offered is not told"


def test_the_tables_add_up(found: Found) -> None:
    assert words.leak_table(found.leaks[CASTLE])[1] == [
        ("not offered", _NOT_OFFERED, "13.9", "beyond chance"),
        ("declined", "referred, and not accepted: declined", "0.0", "within chance"),
        ("not reached", "accepted, and not reached", "13.1", "beyond chance"),
        ("full", "every service of the ward's own is full", "0.0", "within chance"),
        ("not attended", "connected, and did not attend", "0.0", "within chance"),
        ("Shortfall", "people who would have come as far as: attended", "27.0", ""),
    ]
    # Castle as far as attended and Elm as far as referred: there is no sum.
    _, rows = words.losses_table(found.wards, found)
    assert rows == [
        ("no link worker", "no link worker is in post", "20.0", "1"),
        ("not offered", _NOT_OFFERED, "13.9", "1"),
        ("not reached", "accepted, and not reached", "13.1", "0"),
        ("declined", "referred, and not accepted: declined", "0.0", "0"),
        ("full", "every service of the ward's own is full", "0.0", "0"),
        ("not attended", "connected, and did not attend", "0.0", "0"),
    ]
    headings, rows = words.low_table(found.wards, found, {SOUTHAM: "Therapy lead"})
    assert headings == (
        "Ward", "Locality", "Referrals", "Expected", "Missing", "Lost most at",
        "People lost there", "Shortfall, as far as", "Named lead",
    )  # fmt: skip
    # 15 of 40 are missing in Castle, and 27 of those who would have attended.
    assert rows == [
        ("Castle", "Northam", "25", "40", "15", "not offered", "14", "27, attended",
         "no named lead"),
        ("Elm", "Southam", "0", "20", "20", "no link worker", "20", "20, referred",
         "Therapy lead"),
    ]  # fmt: skip


def test_who_leads_each_district() -> None:
    """Two at once are both named; a district without one is not there."""
    leads = pd.DataFrame(
        [(NORTHAM, "Head of care"), (NORTHAM, "Deputy"), (SOUTHAM, None)],
        columns=["lad_code", "post_name"],
    )
    assert words.lead_names(leads) == {NORTHAM: "Head of care; Deputy"}
    assert words.lead_names(leads.iloc[2:]) == {}


def test_where_one_ward_loses_most(found: Found) -> None:
    assert words.leak_finding(found.leaks[CASTLE]) == [
        "**27 fewer** attended in 12 months than the board's rates and shares would give. **14** of "
        f"what is lost is lost here: {_NOT_OFFERED}."
    ]
    even = replace(found.leaks[ELM], shortfall=-1.0)
    assert words.leak_finding(even) == [
        "As many were referred as the board's rates and shares would give, or more."
    ]


def test_every_ward_is_in_one_group_of_a_layer(found: Found) -> None:
    values = pd.DataFrame({"loneliness": {ABBEY: 15.0, CASTLE: 7.5}})
    needs = Needs(values, values)
    for layer in (*words.LAYERS, "index loneliness"):
        groups = words.map_groups(found.wards, needs, layer)
        codes = [code for group in groups for code in group.area_codes]
        assert sorted(codes) == sorted(b.BOARD_WARDS), layer
    by_place = {g.label: list(g.area_codes) for g in words.map_groups(found.wards, needs, "place")}
    assert {label: codes for label, codes in by_place.items() if codes} == {
        "Below the 99.8% limit": [ELM],
        "Below the 95% limit": [CASTLE],
        "Within the limits": [BROOK],
        "Above the 95% limit": [ABBEY, DALE],
        "Provided, take-up unknown": [FORD],
    }
    missing = words.map_groups(found.wards, needs, "index loneliness")[-1]
    assert (missing.label, set(missing.area_codes)) == ("No return", {BROOK, DALE, ELM, FORD})


def test_every_status_that_is_set_apart_has_a_group(found: Found) -> None:
    labels = {group.label for group in words.map_groups(found.wards, NO_NEEDS, "place")}
    assert {status.value for status in SET_APART} <= labels


@pytest.mark.slow
def test_the_list_hides_what_is_hidden(sqlite_engine: Engine) -> None:
    """165 in all: 33 expected of Castle, 22 to 45."""
    sent = numbers(*NUMBERS[:2], (SOUTH, CASTLE, 20), (SOUTH, DALE, 5))
    found = of_board(sqlite_engine, COUNTED.but(referrals=sent))
    columns = words.ward_columns(NO_NEEDS)
    cells = {
        row.ward_code: {column.title: column.cell(row) for column in columns}
        for row in each_row(words.in_order(found.wards).frame)
    }
    dale = cells[DALE]
    for title in ("Referrals, 12 months", "Expected", "Ratio"):
        assert dale[title] == Cell("*")
    assert dale["Smoothed"] == Cell("–")
    assert dale["Take-up"].text == Status.HIDDEN
    assert "set apart: " in dale["Take-up"].note
    assert cells[CASTLE]["Take-up"].text == Place.BELOW
    assert cells[CASTLE]["Lost at"].note == "13 people"
    assert cells[FORD]["Referrals, 12 months"].text == "–"


def test_what_one_ward_needs_and_whom_to_call(found: Found) -> None:
    ward = next(row for row in each_row(found.wards.frame) if row.ward_code == ABBEY)
    values = pd.DataFrame({"loneliness": {ABBEY: 15.0}, "disability": {CASTLE: 1.0}})
    leads = pd.DataFrame({"post_name": ["Head of care", "Deputy"], "profession": ["nurse", None]})
    facts = words.ward_facts(ward, Needs(values, pd.DataFrame({"loneliness": {ABBEY: 0.5},
        "disability": {CASTLE: 1.0}})), leads)  # fmt: skip
    assert facts == [
        ("Deprivation", "national fifth 1 (1 is most deprived), IMD 2025"),
        ("Loneliness", "15.0; 50% of its LSOAs in the two highest deciles"),
        ("Disability", "–"),
        ("Named lead", "Head of care (nurse); Deputy"),
    ]
    nobody = pd.DataFrame({"post_name": [None], "profession": [None]})
    assert words.ward_facts(ward, NO_NEEDS, nobody)[-1] == (
        "Named lead", "none for this locality",
    )  # fmt: skip


# What can be downloaded.


@pytest.mark.slow
def test_the_file_has_the_numbers_of_the_page(engine: Engine, found: Found) -> None:
    made = export.make(engine, EVERYTHING, "take-up", b.BOARD, b.AS_AT, "json")
    told = json.loads(made.body)
    rows = {row["ward_code"]: row for row in told["rows"]}
    assert set(rows) == set(b.BOARD_WARDS)
    castle = rows[CASTLE]
    assert {name: castle[name] for name in ("place", "apart", "leak", REFERRALS)} == {
        "place": Place.BELOW, "apart": "", "leak": "not offered", REFERRALS: 25,
    }  # fmt: skip
    assert (castle["expected"], castle["shortfall"]) == pytest.approx((40, 27))
    assert rows[FORD]["missing"][REFERRALS] == f"set apart: {Status.UNKNOWN}"
    assert rows[ABBEY]["missing"]["shortfall"] == "not below the expected range"


@pytest.mark.slow
def test_the_file_has_marks_for_the_hidden(sqlite_engine: Engine) -> None:
    COUNTED.but(referrals=numbers(*NUMBERS[:3], (SOUTH, DALE, 5))).save(sqlite_engine)
    made = export.make(sqlite_engine, EVERYTHING, "take-up", b.BOARD, b.AS_AT, "json")
    dale = next(row for row in json.loads(made.body)["rows"] if row["ward_code"] == DALE)
    assert {dale[name] for name in (REFERRALS, "expected", "take_up_ratio")} == {"*"}
    assert (dale["smoothed"], dale["place"]) == (None, "")


def test_an_index_may_be_called_as_a_column_is(sqlite_engine: Engine) -> None:
    """It is called after its file, and that may be "expected.csv"."""
    COUNTED.save(sqlite_engine)
    save(sqlite_engine, indices(("expected", 1, 10.0, 8), ("expected", 2, 20.0, 9)))
    made = export.make(sqlite_engine, EVERYTHING, "take-up", b.BOARD, b.AS_AT, "json")
    rows = {row["ward_code"]: row for row in json.loads(made.body)["rows"]}
    assert (rows[ABBEY]["index expected"], rows[CASTLE]["index expected"]) == (15.0, None)
    assert rows[CASTLE]["expected"] == pytest.approx(40)
    assert rows[CASTLE]["missing"]["index expected"] == "not in the index"


# The demonstration.


@pytest.fixture(scope="module")
def kent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path = demonstration_file(tmp_path_factory)
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    yield engine
    engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("icb_code", ["QDK", "QDM"])
class TestTheDemonstration:
    def test_the_parts_add_up_in_every_low_ward(self, kent: Engine, icb_code: str) -> None:
        found = board_take_up(kent, EVERYTHING, icb_code, b.AS_AT, False)
        low = found.wards.frame[found.wards.frame["place"].isin(LOW)]
        assert set(found.leaks) == set(low["ward_code"])
        assert len(low) > 10 or icb_code != "QDK"
        for ward in each_row(low):
            leak = found.leaks[ward.ward_code]
            assert sum(part.people for part in leak.parts) == pytest.approx(leak.shortfall)
            lost = leak.by_loss[leak.main] if leak.main else 0
            assert lost == pytest.approx(0 if pd.isna(ward.lost) else ward.lost)
            assert ward.leak == (leak.main or "")
        everybody = words.lost_people(found.wards, found)
        assert sum(everybody.values()) == pytest.approx(
            sum(leak.shortfall for leak in found.leaks.values())
        )

    def test_limits_agree_with_coverage(self, kent: Engine, icb_code: str) -> None:
        found = board_take_up(kent, EVERYTHING, icb_code, b.AS_AT, False).wards.frame
        told = ward_coverage(kent, EVERYTHING, icb_code, b.AS_AT).wards.frame
        assert found["ward_code"].tolist() == told["ward_code"].tolist()
        assert found["status"].tolist() == told["status"].tolist()
        allowed: dict[Status, set[Any]] = {
            Status.LOW: set(LOW),
            Status.AS_EXPECTED: {Place.WITHIN},
            Status.HIGH: {Place.ABOVE, Place.FAR_ABOVE},
            Status.NOT_REACHED: {*LOW, Place.WITHIN},
            **{status: {""} for status in SET_APART},
        }
        for row in each_row(found):
            # Without a link worker or a service take-up is judged all the same, where told.
            may_be = allowed.get(Status(row.status), {"", *Place})
            assert row.place in may_be, f"{row.ward_name}: {row.status}, {row.place}"
            assert (row.place == "") == (row.apart != "")
