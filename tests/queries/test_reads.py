"""What every read promises: its columns and types, the right date, and nobody else's area."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import shapely
from sqlalchemy import Engine

from queries import (
    history,
    loads,
    lookups,
    places,
    posts,
    practices,
    provision,
    referrals,
    services,
    workforce,
)
from queries.frames import read_frame
from queries.load import AlreadyLoadedError, save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b

MODULES: tuple[ModuleType, ...] = (
    loads, lookups, places, posts, practices, provision, referrals, services, workforce,
)  # fmt: skip
FIRST, LAST = date(2025, 7, 1), date(2026, 6, 1)
ARGUMENTS: dict[str, Any] = {
    "icb_code": b.BOARD,
    "as_at": b.AS_AT,
    "first": FIRST,
    "last": LAST,
    "ward_code": b.ABBEY,
    "pcn_code": b.NORTH,
    "box": (1.0, 51.0, 1.06, 51.04),  # around the six wards of the board
    "provider": "Together CIC",
    "first_week": date(2026, 6, 1),
    "last_week": b.AS_AT,
    "mode": "bus",
    "most_minutes": 30.0,
}
# These say what was loaded, not what it says of an area; or place the rows of a later file.
ABOUT_NO_AREA = {
    "data_state", "data_version", "population_vintages", "ward_of_lsoa", "pcn_of_practice",
    "directory_services", "mark",
}  # fmt: skip


def reads() -> dict[str, Callable[..., Any]]:
    """Every public function of `queries` that reads: it takes an engine first."""
    return {
        name: function
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters), "") == "engine"
    }


SCOPED = {
    name: function
    for name, function in reads().items()
    if "scope" in inspect.signature(function).parameters
}
# Published files are everybody's; which local returns there are is not: tested by itself.
OF_AREAS = sorted(set(SCOPED) - {"sources"})


def ask(function: Callable[..., Any], engine: Engine, scope: Scope, **instead: Any) -> Any:
    wanted = list(inspect.signature(function).parameters)[2:]
    return function(engine, scope, *[(ARGUMENTS | instead)[name] for name in wanted])


def is_nothing(answer: Any) -> bool:
    if isinstance(answer, pd.DataFrame | pd.Series | list | set | dict | tuple):
        return len(answer) == 0
    return answer in (None, 0, loads.DataState(0, False, None))


def test_every_read_takes_a_scope_or_is_about_no_area() -> None:
    assert set(reads()) - set(SCOPED) == ABOUT_NO_AREA
    assert len(SCOPED) >= 27
    for name, function in SCOPED.items():
        scope = inspect.signature(function).parameters["scope"]
        assert scope.default is inspect.Parameter.empty, f"{name} has a default scope"


@pytest.mark.parametrize("name", OF_AREAS)
def test_a_reader_of_another_board_gets_nothing(small_board_engine: Engine, name: str) -> None:
    assert not is_nothing(ask(SCOPED[name], small_board_engine, EVERYTHING))
    for codes in (frozenset({b.OUTSIDER_ICB}), frozenset()):
        assert is_nothing(ask(SCOPED[name], small_board_engine, Scope(codes)))


@pytest.mark.parametrize("name", sorted(set(OF_AREAS) - {"boards"}))
def test_a_neighbour_gets_nothing_of_this_board(small_board_engine: Engine, name: str) -> None:
    """A board that is loaded, asked for with a scope that holds the other only."""
    assert is_nothing(ask(SCOPED[name], small_board_engine, Scope(frozenset({b.NEIGHBOUR}))))


@pytest.mark.parametrize("name", sorted(set(OF_AREAS) - {"boards"}))
def test_a_reader_of_the_board_gets_all_of_it(small_board_engine: Engine, name: str) -> None:
    mine = ask(SCOPED[name], small_board_engine, Scope(frozenset({b.BOARD})))
    everything = ask(SCOPED[name], small_board_engine, EVERYTHING)
    if isinstance(mine, pd.DataFrame):
        order = list(mine.columns)
        pd.testing.assert_frame_equal(
            mine.sort_values(order, ignore_index=True),
            everything.sort_values(order, ignore_index=True),
        )
    else:
        assert mine == everything


def test_local_returns_are_named_to_those_who_see_every_board(small_board_engine: Engine) -> None:
    local = {
        "scheme_areas", "services", "referrals", "posts", "targets", "recruitment_plan",
        "personal_health_budgets",
    }  # fmt: skip
    assert local <= set(loads.sources(small_board_engine, EVERYTHING)["dataset"])
    seen = set(loads.sources(small_board_engine, Scope(frozenset({b.BOARD})))["dataset"])
    assert "workforce" in seen
    assert not local & seen


def test_boards_are_those_in_scope(small_board_engine: Engine) -> None:
    found = places.boards(small_board_engine, EVERYTHING)
    assert found.to_dict("records") == [
        {"icb_code": b.BOARD, "icb_name": "Small board", "wards": 6},
        {"icb_code": b.NEIGHBOUR, "icb_name": "Neighbour board", "wards": 1},
    ]
    mine = places.boards(small_board_engine, Scope(frozenset({b.NEIGHBOUR, b.OUTSIDER_ICB})))
    assert mine["icb_code"].tolist() == [b.NEIGHBOUR]


SERVICE_COLUMNS = {
    "part_id": "int64", "service_id": "str", "service_name": "str", "provider": "str",
    "is_online": "bool", "state": "str", "places_offered": "Int64", "places_filled": "Int64",
    "people_waiting": "Int64", "wait_days": "Int64", "cost_to_person": "str",
    "has_safeguarding": "boolean", "confirmed_on": "object", "opens_on": "object",
    "closes_on": "object", "funder": "str", "funding_ends": "object", "cost_per_place": "Float64",
    "minimum_age": "Float64", "maximum_age": "Float64",
}  # fmt: skip
FRAMES: dict[str, dict[str, str]] = {
    "sources": {
        "dataset": "str", "file_name": "str", "sha256": "str", "loaded_at": "object",
        "vintage": "str", "rows_read": "int64", "notes": "str", "period_start": "object",
        "period_end": "object",
    },
    "boards": {"icb_code": "str", "icb_name": "str", "wards": "int64"},
    "wards": {
        "ward_code": "str", "ward_name": "str", "vintage": "int64", "lad_code": "str",
        "lad_name": "str", "lsoas": "int64",
    },
    "shapes": {"ward_code": "str", "geometry": "object"},
    "directory_services": {"load_id": "int64", "service_id": "str"},
    "population": {"ward_code": "str", "age_band": "str", "people": "int64", "vintage": "str"},
    "ward_deprivation": {
        "ward_code": "str", "imd_rank": "Float64", "index_year": "str", "lsoas": "Int64",
        "lsoas_matched": "Int64",
    },
    "practice_places": {
        "practice_code": "str", "pcn_code": "str", "patients": "Float64", "easting": "Float64",
        "northing": "Float64",
    },
    "patients_by_ward_and_pcn": {
        "ward_code": "str", "pcn_code": "str", "icb_code": "str", "patients": "float64",
        "pcn_patients": "float64",
    },
    "scheme_areas": {
        "scheme": "str", "organisation": "str", "delivery_model": "str", "speaks_for_code": "str",
        "served_code": "str", "is_running": "bool",
    },
    "service_entries": SERVICE_COLUMNS
    | {"web_address": "str", "sector": "str", "access": "str", "dataset": "str",
       "file_name": "str", "closed_on": "object"},
    "service_areas": {"part_id": "int64", "service_id": "str", "area_code": "str"},
    "service_places": {
        "part_id": "int64", "service_id": "str", "place_name": "str", "latitude": "float64",
        "longitude": "float64", "postcode": "str", "placed_by": "str", "has_areas": "bool",
    },
    "service_themes": {"part_id": "int64", "service_id": "str", "theme": "str"},
    "service_matches": {
        "provider": "str", "service_id": "str", "other_service_id": "str", "is_same": "bool",
    },
    "provider_services": SERVICE_COLUMNS
    | {"web_address": "str", "sector": "str", "access": "str", "dataset": "str"},
    "provider_lists": {"part_id": "int64", "service_id": "str", "value": "str", "kind": "str"},
    "capacity_by_week": {
        "provider": "str", "service_id": "str", "week": "object", "state": "str",
        "places_offered": "Int64", "places_filled": "Int64", "people_waiting": "Int64",
        "wait_days": "Int64",
    },
    "newest_capacity": {
        "provider": "str", "service_id": "str", "week": "object", "state": "str",
        "places_offered": "Int64", "places_filled": "Int64", "people_waiting": "Int64",
        "wait_days": "Int64",
    },
    "directories": {
        "load_id": "int64", "file_name": "str", "loaded_at": "object", "notes": "str",
        "entries": "int64",
    },
    "travel_times": {"from_code": "str", "to_code": "str", "cost": "float64"},
    "referrals_by_ward_and_theme": {
        "ward_code": "str", "theme": "str", "referrals": "Int64", "without_service": "Int64",
    },
    "referrals_by_ward": {"ward_code": "str", "referrals": "Int64"},
    "referrals_by_ward_and_age": {"ward_code": "str", "age_band": "str", "referrals": "Int64"},
    "returned_months": {
        "pcn_code": "str",
        "first_month": "object",
        "newest_month": "object",
        "referrals": "Int64",
    },
    "referrals_by_month": {"month": "object", "referrals": "Int64"},
    "fte_by_pcn": {
        "pcn_code": "str", "pcn_name": "str", "practices": "Int64", "registered_patients": "Int64",
        "staff_rows": "Int64", "fte_own_staff": "Float64", "fte_contracted": "Float64",
        "fte": "Float64", "headcount": "Int64",
    },
    "fte_by_pcn_and_month": {
        "pcn_code": "str", "census": "object", "icb_code": "str", "fte_own_staff": "float64",
        "fte": "float64",
    },
    "people_by_pcn_and_month": {"census": "object", "pcn_code": "str", "person_id": "str"},
    "roles_in_post": {
        "pcn_code": "str", "role_title": "str", "is_contracted": "bool", "entries": "int64",
        "fte": "float64",
    },
    "referrals_by_pcn_and_month": {"pcn_code": "str", "month": "object", "referrals": "Int64"},
    "episodes_by_pcn_and_month": {
        "pcn_code": "str", "month": "object", "began": "Int64", "ended": "Int64",
    },
    "posts": {
        "post_id": "str", "pcn_code": "str", "role_title": "str", "employer_type": "str",
        "funded_fte": "Float64", "status": "str", "since": "object", "until": "object",
        "supervised_by": "str", "last_supervision_on": "object",
    },
    "planned_fte": {"pcn_code": "str", "month": "object", "planned_fte": "float64"},
    "local_targets": {
        "pcn_code": "str", "target_fte": "float64", "valid_from": "object",
        "valid_until": "object", "reason": "str",
    },
    "target_history": {
        "loaded_at": "object", "loaded_by": "str", "file_name": "str", "target_fte": "float64",
        "valid_from": "object", "valid_until": "object", "reason": "str", "is_in_force": "bool",
    },
    "budgets_in_place": {"period_end": "object", "entitlement": "str", "in_place": "Int64"},
}  # fmt: skip


def types_of(frame: pd.DataFrame) -> dict[str, str]:
    return {column: str(dtype) for column, dtype in frame.dtypes.items()}


def answer(name: str, engine: Engine) -> Any:
    if name in SCOPED:
        return ask(SCOPED[name], engine, EVERYTHING)
    return reads()[name](engine)


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_columns_and_types(small_board_engine: Engine, name: str) -> None:
    found = answer(name, small_board_engine)
    assert len(found)
    assert types_of(found) == FRAMES[name]


def test_columns_and_types_of_an_empty_database(any_engine: Engine) -> None:
    """And every other read says that there is nothing."""
    for name in reads():
        found = answer(name, any_engine)
        assert is_nothing(found), name
        if isinstance(found, pd.DataFrame):
            assert types_of(found) == FRAMES[name], name


def test_every_frame_is_promised_here(small_board_engine: Engine) -> None:
    frames = {n for n in reads() if isinstance(answer(n, small_board_engine), pd.DataFrame)}
    assert frames == set(FRAMES)


def test_a_read_that_selects_what_it_does_not_promise_fails(small_board_engine: Engine) -> None:
    from sqlalchemy import select

    from queries import tables

    with small_board_engine.connect() as connection, pytest.raises(ValueError, match="promises"):
        read_frame(connection, select(tables.ward.c.ward_code), {"ward": "str"})


# Totals: what goes in comes out, whatever is joined to it.


def test_patients_of_wards_and_pcns(small_board_engine: Engine) -> None:
    found = practices.patients_by_ward_and_pcn(small_board_engine, EVERYTHING, b.BOARD, b.AS_AT)
    rows = {(r.ward_code, r.pcn_code): (r.patients, r.pcn_patients) for r in found.itertuples()}
    assert rows == {
        (b.ABBEY, b.NORTH): (2000, 8000),
        (b.BROOK, b.NORTH): (2000, 8000),
        (b.BROOK, "U"): (500, 500),
        (b.CASTLE, b.NORTH): (1000, 8000),
        (b.CASTLE, b.SOUTH): (1000, 4000),
        (b.DALE, b.NORTH): (1000, 8000),
        (b.DALE, b.SOUTH): (1000, 4000),
        (b.ELM, b.SOUTH): (2000, 4000),
        (b.FORD, b.EAST): (2000, 2000),
    }
    assert len(rows) == len(found)
    assert found["patients"].sum() == 14_500 - 2000  # Gorse's are of the neighbour
    across = practices.patients_by_ward_and_pcn(
        small_board_engine, EVERYTHING, b.NEIGHBOUR, b.AS_AT
    )
    assert across[["ward_code", "pcn_code", "patients"]].values.tolist() == [
        [b.GORSE, b.NORTH, 2000]
    ]


def test_practices(small_board_engine: Engine) -> None:
    found = practices.practice_places(small_board_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert dict(zip(found["pcn_code"], found["patients"], strict=True)) == b.LISTS
    assert found[["easting", "northing"]].notna().all(axis=None)


def test_workforce(small_board_engine: Engine) -> None:
    found = workforce.fte_by_pcn(small_board_engine, EVERYTHING, b.BOARD, b.AS_AT)
    rows = found.set_index("pcn_code").astype(object).where(found.set_index("pcn_code").notna())
    kept = ["staff_rows", "fte_own_staff", "fte_contracted", "fte", "headcount"]
    assert rows.loc[b.NORTH, kept].tolist() == [5, 2.0, 2.0, 4.0, 2]
    assert rows.loc[b.SOUTH, kept].tolist() == [3, 0.0, 0.0, 0.0, 0]
    # East did not return: nothing is known, and nothing is 0.
    assert found.set_index("pcn_code").loc[b.EAST, kept].isna().all()
    assert found["registered_patients"].sum() == 14_000
    assert found["pcn_name"].tolist() == ["East PCN", "North PCN", "South PCN"]
    assert found["practices"].tolist() == [1, 1, 1]
    ask_board = (small_board_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert workforce.unallocated_patients(*ask_board) == 500
    assert workforce.people_in_post(*ask_board) == 2
    assert workforce.census_date(*ask_board) == b.AS_AT


def plain(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None))


def test_workforce_by_month(small_board_engine: Engine) -> None:
    asked = (small_board_engine, EVERYTHING, b.BOARD)
    november = date(2025, 11, 30)
    found = workforce.fte_by_pcn_and_month(*asked, november, b.AS_AT)
    assert plain(found) == [
        (b.NORTH, november, b.BOARD, 1.0, 1.0),
        (b.NORTH, b.AS_AT, b.BOARD, 2.0, 4.0),
        (b.SOUTH, b.AS_AT, b.BOARD, 0.0, 0.0),
    ]
    assert len(workforce.fte_by_pcn_and_month(*asked, date(2025, 12, 1), b.AS_AT)) == 2
    assert len(workforce.fte_by_pcn_and_month(*asked, november, date(2026, 6, 29))) == 1
    people = workforce.people_by_pcn_and_month(*asked, november, b.AS_AT)
    assert plain(people) == [
        (november, b.NORTH, "person 1"),
        (b.AS_AT, b.NORTH, "person 1"),
        (b.AS_AT, b.NORTH, "person 2"),
    ]
    assert len(workforce.people_by_pcn_and_month(*asked, date(2025, 12, 1), b.AS_AT)) == 2
    # The two of own staff, and one line of contracted ones.
    roles = [(b.NORTH, "worker", False, 2, 2.0), (b.NORTH, "worker", True, 1, 2.0)]
    assert plain(workforce.roles_in_post(*asked, b.AS_AT)) == roles
    before = [(b.NORTH, "worker", False, 1, 1.0)]
    assert plain(workforce.roles_in_post(*asked, date(2026, 6, 29))) == before


def test_returns_of_another_board_count_for_the_pcn_that_moved(any_engine: Engine) -> None:
    """North was the neighbour's in May; what else the neighbour returned is not the board's."""
    b.Board().save(any_engine)
    may = date(2026, 5, 31)
    workers = [(b.NORTH, False, 3.0, "person 1"), (b.GORSE_PCN, False, 7.0, "person 9")]
    save(any_engine, b.census(may, b.NEIGHBOUR, {b.NORTH: 1, b.GORSE_PCN: 1}, workers))
    found = workforce.fte_by_pcn_and_month(any_engine, EVERYTHING, b.BOARD, may, may)
    assert plain(found) == [(b.NORTH, may, b.NEIGHBOUR, 3.0, 3.0)]
    # The persons of another board are not this one's to see.
    assert workforce.people_by_pcn_and_month(any_engine, EVERYTHING, b.BOARD, may, may).empty
    theirs = workforce.fte_by_pcn_and_month(any_engine, EVERYTHING, b.NEIGHBOUR, may, may)
    assert theirs["fte"].tolist() == [3.0, 7.0]


def test_staff_of_no_pcn_is_no_pcn(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    save(any_engine, b.census(b.AS_AT, b.BOARD, {"U": 2}, [("U", False, 1.0, "person 1")]))
    month = (any_engine, EVERYTHING, b.BOARD, b.AS_AT, b.AS_AT)
    assert workforce.fte_by_pcn_and_month(*month).empty
    assert set(workforce.fte_by_pcn(*month[:4])["pcn_code"]) == {b.NORTH, b.SOUTH, b.EAST}


def test_the_pcns_of_a_board_are_those_of_its_practices_and_of_its_returns(
    any_engine: Engine,
) -> None:
    """Newham's practices left the list: it is the board's as long as the board returns it."""
    newham = "U90008"
    b.Board().save(any_engine)
    save(any_engine, b.census(b.AS_AT, b.BOARD, {b.NORTH: 1, newham: 1, "U": 1}, []))

    def pcns(icb_code: str, as_at: date) -> set[str]:
        with any_engine.connect() as connection:
            return set(connection.scalars(workforce.pcns_of(icb_code, as_at)))

    assert pcns(b.BOARD, b.AS_AT) == {b.NORTH, b.SOUTH, b.EAST, newham}
    assert pcns(b.BOARD, date(2026, 6, 29)) == {b.NORTH, b.SOUTH, b.EAST}
    assert pcns(b.NEIGHBOUR, b.AS_AT) == {b.GORSE_PCN}
    assert pcns(b.OUTSIDER_ICB, b.AS_AT) == set()


def test_a_person_in_two_pcns_is_one(any_engine: Engine) -> None:
    workers = [(b.NORTH, False, 0.5, "person 1"), (b.SOUTH, False, 0.5, "person 1")]
    save(any_engine, b.census(b.AS_AT, b.BOARD, {b.NORTH: 1, b.SOUTH: 1}, workers))
    found = workforce.fte_by_pcn(any_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert found["headcount"].sum() == 2
    assert workforce.people_in_post(any_engine, EVERYTHING, b.BOARD, b.AS_AT) == 1


def test_population_and_deprivation(small_board_engine: Engine) -> None:
    people = places.population(small_board_engine, EVERYTHING, b.BOARD)
    totals = people[people["age_band"] == "all ages"].set_index("ward_code")["people"]
    assert totals.to_dict() == {
        b.ABBEY: 5000, b.BROOK: 10_000, b.CASTLE: 5000, b.DALE: 2500, b.ELM: 2500
    }  # fmt: skip
    assert people[people["age_band"] != "all ages"]["people"].sum() == 25_000
    assert set(people["vintage"]) == {"2023 wards"}
    assert places.population_vintages(small_board_engine) == ["2023 wards"]
    ranks = places.ward_deprivation(small_board_engine, EVERYTHING, b.BOARD).set_index("ward_code")
    assert ranks["imd_rank"].dropna().to_dict() == {
        b.ABBEY: 2000, b.BROOK: 6000, b.CASTLE: 16_000, b.DALE: 22_000, b.ELM: 31_000
    }  # fmt: skip
    assert ranks["lsoas"].sum() == 10
    assert ranks.loc[b.FORD, ["lsoas", "lsoas_matched"]].tolist() == [1, 0]
    assert set(ranks["index_year"].dropna()) == {"2025"}


def test_deprivation_is_unweighted_where_patients_are_not_known(any_engine: Engine) -> None:
    b.Board(registered=False).save(any_engine)
    ranks = places.ward_deprivation(any_engine, EVERYTHING, b.BOARD).set_index("ward_code")
    assert ranks.loc[b.BROOK, "imd_rank"] == 7500
    assert ranks.loc[b.ABBEY, "imd_rank"] == 2000


def test_referrals(small_board_engine: Engine) -> None:
    asked = (small_board_engine, EVERYTHING, b.BOARD)
    by_ward = referrals.referrals_by_ward(*asked, FIRST, LAST).set_index("ward_code")["referrals"]
    assert by_ward.to_dict() == {b.ABBEY: 40, b.BROOK: 40, b.CASTLE: 17, b.DALE: 3}
    by_age = referrals.referrals_by_ward_and_age(*asked, FIRST, LAST)
    assert by_age.groupby("ward_code")["referrals"].sum().to_dict() == by_ward.to_dict()
    abbey = by_age[by_age["ward_code"] == b.ABBEY].set_index("age_band")["referrals"]
    assert abbey.to_dict() == {"18-39": 4, "40-64": 8, "65-79": 10, "80+": 18}
    # The month before counts when it is asked for.
    more = referrals.referrals_by_ward(*asked, date(2025, 6, 1), LAST)
    assert more["referrals"].sum() == 101
    fewer = referrals.referrals_by_ward(*asked, FIRST, date(2026, 5, 1))
    assert fewer["referrals"].sum() == 4
    by_month = referrals.referrals_by_month(
        small_board_engine, EVERYTHING, b.BOARD, b.BROOK, date(2025, 6, 1), LAST
    )
    assert by_month.values.tolist() == [
        [date(2025, 6, 1), 1],
        [date(2025, 7, 1), 1],
        [date(2026, 6, 1), 39],
    ]
    # What anybody of the board returned says when returns began, for Elm too.
    assert referrals.first_month(small_board_engine, EVERYTHING, b.BOARD) == date(2025, 6, 1)
    assert referrals.first_month(small_board_engine, EVERYTHING, b.NEIGHBOUR) is None


def test_referrals_by_pcn_and_month(small_board_engine: Engine) -> None:
    asked = (small_board_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert plain(referrals.referrals_by_pcn_and_month(*asked, FIRST, LAST)) == [
        (b.NORTH, FIRST, 2),
        (b.NORTH, LAST, 78),
        (b.SOUTH, FIRST, 2),
        (b.SOUTH, LAST, 18),
    ]
    june, august = date(2025, 6, 1), date(2025, 8, 1)
    assert plain(referrals.episodes_by_pcn_and_month(*asked)) == [
        (b.NORTH, june, 1, 0),
        (b.NORTH, FIRST, 2, 1),
        (b.NORTH, august, 0, 2),
        (b.NORTH, LAST, 78, 0),
        (b.SOUTH, FIRST, 2, 0),
        (b.SOUTH, august, 0, 2),
        (b.SOUTH, LAST, 18, 0),
    ]
    earlier = referrals.episodes_by_pcn_and_month(*asked[:3], date(2025, 7, 31))
    assert plain(earlier) == [(b.NORTH, june, 1, 0), (b.NORTH, FIRST, 2, 1), (b.SOUTH, FIRST, 2, 0)]


def test_referrals_of_a_pcn_count_wherever_the_people_live(any_engine: Engine) -> None:
    sent = (b.Referrals(None, b.NORTH, (1, 1, 1, 1)), b.Referrals(b.GORSE, b.NORTH, (2, 2, 2, 2)))
    b.Board(referrals=sent, before_window=0).save(any_engine)
    asked = (any_engine, EVERYTHING, b.BOARD, b.AS_AT)
    by_month = referrals.referrals_by_pcn_and_month(*asked, FIRST, LAST)
    assert by_month["referrals"].sum() == 12
    flows = referrals.episodes_by_pcn_and_month(*asked)
    assert flows[["began", "ended"]].sum().tolist() == [12, 2]
    theirs = (any_engine, EVERYTHING, b.NEIGHBOUR, b.AS_AT)
    assert referrals.episodes_by_pcn_and_month(*theirs).empty
    assert referrals.referrals_by_pcn_and_month(*theirs, FIRST, LAST).empty


def test_returned_months(small_board_engine: Engine) -> None:
    def months(as_at: date) -> dict[str, tuple[date, date]]:
        found = referrals.returned_months(small_board_engine, EVERYTHING, b.BOARD, as_at)
        return {r.pcn_code: (r.first_month, r.newest_month) for r in found.itertuples()}

    assert months(b.AS_AT) == {
        b.NORTH: (date(2025, 6, 1), LAST),
        b.SOUTH: (FIRST, LAST),
    }
    # June is not over on the 29th.
    assert months(date(2026, 6, 29))[b.SOUTH] == (FIRST, FIRST)
    assert months(date(2025, 7, 30)) == {b.NORTH: (date(2025, 6, 1), date(2025, 6, 1))}
    assert months(date(2025, 6, 29)) == {}


def test_referrals_without_a_pcn_or_a_ward(any_engine: Engine) -> None:
    sent = (b.Referrals(b.ABBEY, None, (5, 5, 5, 5)), b.Referrals(None, b.NORTH, (1, 1, 1, 1)))
    b.Board(referrals=sent, before_window=0).save(any_engine)
    found = referrals.returned_months(any_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert found["pcn_code"].isna().tolist() == [True]
    by_ward = referrals.referrals_by_ward(any_engine, EVERYTHING, b.BOARD, FIRST, LAST)
    assert by_ward.values.tolist() == [[b.ABBEY, 20]]


def test_shapes_come_back_as_they_were(small_board_engine: Engine) -> None:
    found = places.shapes(small_board_engine, EVERYTHING, b.BOARD)
    assert found["ward_code"].tolist() == list(b.BOARD_WARDS)
    for row in found.itertuples():
        assert shapely.from_wkb(row.geometry).equals(b.square(row.ward_code))


def test_sources(small_board_engine: Engine) -> None:
    found = loads.sources(small_board_engine, EVERYTHING)
    assert len(found) == 22
    assert found["loaded_at"].map(lambda moment: moment.utcoffset().total_seconds()).eq(0).all()
    assert found["sha256"].str.len().eq(64).all()
    assert found["sha256"].is_unique
    referral = found[found["dataset"] == "referrals"].iloc[0]
    assert (referral["period_start"], referral["period_end"]) == (date(2025, 6, 1), b.AS_AT)
    assert loads.data_state(small_board_engine) == loads.DataState(22, False, b.AS_AT)


def test_times_are_utc_whatever_zone_the_server_is_in(postgres_engine: Engine) -> None:
    name = postgres_engine.url.database
    with postgres_engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET timezone TO 'Asia/Tokyo'")
    postgres_engine.dispose()
    save(postgres_engine, b.services(b.SERVICES))
    (loaded_at,) = loads.sources(postgres_engine, EVERYTHING)["loaded_at"]
    now = datetime.now(UTC)
    assert abs((now - loaded_at).total_seconds()) < 600
    assert loaded_at.utcoffset() == now.utcoffset()
    with pytest.raises(AlreadyLoadedError, match=f"{loaded_at:%d %B %Y at %H:%M} UTC"):
        save(postgres_engine, b.services(b.SERVICES))


def test_lookups(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    assert lookups.ward_of_lsoa(any_engine).to_dict() == b.LSOAS
    save(any_engine, b.practices(date(2026, 7, 1), Y90003=b.SOUTH))
    assert lookups.pcn_of_practice(any_engine).to_dict() == {
        "Y90001": b.NORTH, "Y90002": b.SOUTH, "Y90003": b.SOUTH, "Y90009": "U"
    }  # fmt: skip


# As at a date.


@pytest.mark.parametrize(
    ("as_at", "census", "north_fte"),
    [
        (date(2026, 6, 30), date(2026, 6, 30), 4.0),
        (date(2026, 6, 29), date(2025, 11, 30), 1.0),
        (date(2025, 11, 30), date(2025, 11, 30), 1.0),
        (date(2025, 11, 29), None, None),
    ],
)
def test_the_census_in_force_at_the_date(
    small_board_engine: Engine, as_at: date, census: date | None, north_fte: float | None
) -> None:
    asked = (small_board_engine, EVERYTHING, b.BOARD, as_at)
    assert workforce.census_date(*asked) == census
    found = workforce.fte_by_pcn(*asked).set_index("pcn_code")
    assert set(found.index) == {b.NORTH, b.SOUTH, b.EAST}
    if north_fte is None:
        assert found["fte"].isna().all()
        assert workforce.people_in_post(*asked) is None
    else:
        assert found.loc[b.NORTH, "fte"] == north_fte
        assert workforce.people_in_post(*asked) == (2 if north_fte == 4.0 else 1)
        # In November South sent nothing: not known, although it is at the next census.
        assert pd.isna(found.loc[b.SOUTH, "fte"]) == (census == date(2025, 11, 30))


@pytest.mark.parametrize(
    ("as_at", "pcn_of_third", "times"),
    [
        (date(2026, 6, 30), b.EAST, 1),
        (date(2026, 7, 1), b.SOUTH, 10),
        (date(2027, 1, 1), b.SOUTH, 10),
        # Before the first extract a later one is the best there is.
        (date(2020, 1, 1), b.SOUTH, 10),
    ],
)
def test_the_extract_in_force_at_the_date(
    any_engine: Engine, as_at: date, pcn_of_third: str, times: int
) -> None:
    b.Board().save(any_engine)
    later = date(2026, 7, 1)
    for load in (
        b.practices(later, Y90003=b.SOUTH), b.list_sizes(later, 10), b.registered(later, 10)
    ):  # fmt: skip
        save(any_engine, load)
    asked = (any_engine, EVERYTHING, b.BOARD, as_at)
    found = practices.practice_places(*asked).set_index("practice_code")
    assert found.loc["Y90003", "pcn_code"] == pcn_of_third
    assert found.loc["Y90003", "patients"] == 2000 * times
    assert len(found) == 4
    lived = practices.patients_by_ward_and_pcn(*asked).set_index(["ward_code", "pcn_code"])
    assert lived.loc[(b.FORD, pcn_of_third), "patients"] == 2000 * times
    assert lived["patients"].sum() == 12_500 * times
    lists = workforce.fte_by_pcn(*asked)["registered_patients"]
    assert lists.sum() == 14_000 * times


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "running"),
    [
        (None, None, True),
        (b.AS_AT, None, True),
        (date(2026, 7, 1), None, None),
        (None, b.AS_AT, True),
        (None, date(2026, 6, 29), False),
    ],
)
def test_schemes_at_the_date(
    any_engine: Engine, valid_from: date | None, valid_until: date | None, running: bool | None
) -> None:
    """One that has ended still speaks for its area; one that has not begun does not yet."""
    scheme = b.Scheme("Links", b.NORTHAM, b.ABBEY, valid_from, valid_until)
    b.Board(schemes=(scheme,)).save(any_engine)
    found = provision.scheme_areas(any_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert found["is_running"].tolist() == ([] if running is None else [running])


def test_a_return_that_serves_nothing_speaks_and_serves_nobody(any_engine: Engine) -> None:
    schemes = (b.Scheme("None here", b.SOUTHAM, None), b.Scheme("Wide", b.BOARD, b.BOARD))
    b.Board(schemes=schemes).save(any_engine)
    found = provision.scheme_areas(any_engine, EVERYTHING, b.BOARD, b.AS_AT).set_index("scheme")
    assert found["is_running"].to_dict() == {"None here": False, "Wide": True}
    assert pd.isna(found.loc["None here", "served_code"])
    across = provision.scheme_areas(any_engine, EVERYTHING, b.NEIGHBOUR, b.AS_AT)
    assert len(across) == 0


BOX = ARGUMENTS["box"]


@pytest.mark.parametrize(
    ("opens_on", "is_there"),
    [(None, True), (b.AS_AT, True), (date(2026, 7, 1), False)],
)
def test_entries_that_had_opened(any_engine: Engine, opens_on: date | None, is_there: bool) -> None:
    kept = b.Service("walk", (b.ABBEY,), opens_on=opens_on)
    b.Board(services=(kept,)).save(any_engine)
    found = services.service_entries(any_engine, EVERYTHING, b.BOARD, b.AS_AT, BOX)
    assert len(found) == int(is_there)


def entries(engine: Engine, scope: Scope, board: str = b.BOARD) -> list[str]:
    found = services.service_entries(engine, scope, board, b.AS_AT, BOX)
    return sorted(found["service_id"])


def test_entries_that_concern_the_board(any_engine: Engine) -> None:
    """By an area, a place in the box, or nowhere at all; another board's are not there."""
    loaded = (
        *b.SERVICES,
        b.Service("wide", (b.BOARD, b.NEIGHBOUR)),
        b.Service("elsewhere", (b.GORSE, b.EASTHAM, b.NEIGHBOUR), theme="money"),
        b.Service("placed", (), lies_in=(b.BROOK,)),
        b.Service("placed elsewhere", (), lies_in=(b.GORSE,)),
        b.Service("nowhere", ()),
        b.Service("online", (), is_online=True),
    )
    listed = (
        b.Service("listed online", (), is_online=True),
        b.Service("listed nowhere", ()),
        b.Service("listed in Dale", (), lies_in=(b.DALE,)),
    )
    b.Board(services=loaded, directory=listed).save(any_engine)
    near = ["choir", "garden", "helpline", "listed in Dale", "old list", "placed", "wide"]
    nowhere = ["listed nowhere", "nowhere", "online"]
    assert entries(any_engine, EVERYTHING) == sorted([*near, *nowhere])
    mine = Scope(frozenset({b.BOARD}))
    assert entries(any_engine, mine) == sorted([*near, *nowhere])
    # The box is the board's; what another board names is found by its code.
    theirs = services.service_entries(
        any_engine, EVERYTHING, b.NEIGHBOUR, b.AS_AT, (1.06, 51.0, 1.08, 51.02)
    )
    assert sorted(theirs["service_id"]) == sorted(
        [*nowhere, "wide", "elsewhere", "placed elsewhere"]
    )
    areas = services.service_areas(any_engine, mine, b.BOARD)
    assert sorted(zip(areas["service_id"], areas["area_code"], strict=True)) == [
        ("choir", b.NORTHAM),
        ("garden", b.ABBEY),
        ("helpline", b.SOUTHAM),
        ("old list", b.ELM),
        ("wide", b.BOARD),
    ]
    themes = services.service_themes(any_engine, EVERYTHING, b.BOARD, BOX)
    assert "elsewhere" not in set(themes["service_id"])
    assert len(themes) == 8
    places_found = services.service_places(any_engine, EVERYTHING, b.BOARD, BOX)
    assert dict(zip(places_found["service_id"], places_found["has_areas"], strict=True)) == {
        "garden": True,
        "placed": False,
        "listed in Dale": False,
    }


def test_what_a_later_feed_lists_no_more_is_closed_since(any_engine: Engine) -> None:
    first = b.directory([b.Service("walk", (b.ABBEY,)), b.Service("talk", (b.ABBEY,))])
    second = b.directory([b.Service("talk", (b.ABBEY,), name="Talk")], "walk")
    b.Board(services=(b.Service("walk", (b.BROOK,)),), directory=()).save(any_engine)
    save(any_engine, first)
    record = save(any_engine, second)

    def closed() -> dict[tuple[str, str], date | None]:
        found = services.service_entries(any_engine, EVERYTHING, b.BOARD, b.AS_AT, BOX)
        rows = zip(found["dataset"], found["service_id"], found["closed_on"], strict=True)
        return {(dataset, name): day for dataset, name, day in rows}

    expected = {("directory", "walk"): date(2026, 6, 20), ("directory", "talk"): None}
    # What the provider returns is not closed by a directory.
    expected[("services", "walk")] = None
    assert closed() == expected
    # Listed again, by a later load: open.
    again = save(any_engine, b.directory([b.Service("walk", (b.ABBEY,), name="Walk again")]))
    assert closed()[("directory", "walk")] is None
    history.undo(any_engine, again.load_id, None)
    assert closed() == expected
    history.undo(any_engine, record.load_id, None)
    assert closed()[("directory", "walk")] is None


def test_a_provider_asked_for_in_full_or_not_at_all(any_engine: Engine) -> None:
    """Its file would replace all it returned: a reader of some of it gets nothing."""
    both = (b.Service("walk", (b.ABBEY,)), b.Service("talk", (b.GORSE,)))
    b.Board(services=both, directory=()).save(any_engine)
    mine, every = Scope(frozenset({b.BOARD})), Scope(frozenset({b.BOARD, b.NEIGHBOUR}))
    assert services.provider_services(any_engine, mine, "Together CIC").empty
    assert services.provider_lists(any_engine, mine, "Together CIC").empty
    found = services.provider_services(any_engine, every, "Together CIC")
    assert sorted(found["service_id"]) == ["talk", "walk"]
    assert services.provider_services(any_engine, EVERYTHING, "Nobody").empty


def test_needs_of_referrals(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    asked = (any_engine, EVERYTHING, b.BOARD)
    found = referrals.referrals_by_ward_and_theme(*asked, FIRST, LAST)
    assert {(ward, theme): (n, lost) for ward, theme, n, lost in plain(found)} == b.NEEDS
    assert referrals.referrals_by_ward_and_theme(*asked, FIRST, date(2026, 5, 1)).empty


# What a later file replaced does not count.


def test_replaced_parts_do_not_count(any_engine: Engine) -> None:
    board = b.Board(ages=True)
    board.save(any_engine)
    corrected = board.but(referrals=(b.Referrals(b.ABBEY, b.NORTH, (5, 5, 5, 5)), *b.REFERRALS[1:]))
    save(any_engine, corrected.referral_return())
    asked = (any_engine, EVERYTHING, b.BOARD)
    by_ward = referrals.referrals_by_ward(*asked, FIRST, LAST).set_index("ward_code")["referrals"]
    assert by_ward.to_dict() == {b.ABBEY: 20, b.BROOK: 40, b.CASTLE: 17, b.DALE: 3}
    by_age = referrals.referrals_by_ward_and_age(*asked, FIRST, LAST)
    assert by_age["referrals"].sum() == 80
    month = referrals.referrals_by_month(any_engine, EVERYTHING, b.BOARD, b.ABBEY, FIRST, LAST)
    assert month["referrals"].tolist() == [1, 19]
    of_pcns = referrals.referrals_by_pcn_and_month(*asked, b.AS_AT, FIRST, LAST)
    assert of_pcns.groupby("pcn_code")["referrals"].sum().to_dict() == {b.NORTH: 60, b.SOUTH: 20}
    flows = referrals.episodes_by_pcn_and_month(*asked, b.AS_AT)
    assert flows.groupby("pcn_code")["began"].sum().to_dict() == {b.NORTH: 61, b.SOUTH: 20}

    save(any_engine, b.census(b.AS_AT, b.BOARD, {b.NORTH: 1}, [(b.NORTH, False, 0.5, "person 4")]))
    found = workforce.fte_by_pcn(any_engine, EVERYTHING, b.BOARD, b.AS_AT).set_index("pcn_code")
    assert found.loc[b.NORTH, ["fte", "fte_contracted", "headcount"]].tolist() == [0.5, 0, 1]
    assert found.loc[[b.SOUTH, b.EAST], "fte"].isna().all()
    by_month = workforce.fte_by_pcn_and_month(*asked, b.AS_AT, b.AS_AT)
    assert plain(by_month) == [(b.NORTH, b.AS_AT, b.BOARD, 0.5, 0.5)]
    people = workforce.people_by_pcn_and_month(*asked, b.AS_AT, b.AS_AT)
    assert people["person_id"].tolist() == ["person 4"]
    assert workforce.roles_in_post(*asked, b.AS_AT)["fte"].tolist() == [0.5]
    assert workforce.people_in_post(any_engine, EVERYTHING, b.BOARD, b.AS_AT) == 1

    save(any_engine, b.scheme_areas([b.Scheme("New", b.NORTHAM, b.CASTLE)]))
    schemes = provision.scheme_areas(any_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert schemes["scheme"].tolist() == ["New"]
    save(any_engine, b.services([b.Service("new", (b.ABBEY,))]))
    assert entries(any_engine, EVERYTHING) == ["garden", "new"]  # the directory's, and the return's
    themes = services.service_themes(any_engine, EVERYTHING, b.BOARD, BOX)
    assert themes["service_id"].tolist() == ["new"]

    save(any_engine, b.registered(times=3))
    lived = practices.patients_by_ward_and_pcn(any_engine, EVERYTHING, b.BOARD, b.AS_AT)
    assert lived["patients"].sum() == 37_500
    # A file of which nothing is in force any more is no source of anything.
    sources = loads.sources(any_engine, EVERYTHING)
    assert (sources["dataset"] == "referrals").sum() == 1
    assert (sources["dataset"] == "workforce").sum() == 3


def test_corrections_of_places(any_engine: Engine) -> None:
    board = b.Board()
    board.save(any_engine)
    save(any_engine, board.but(ward_names={b.ABBEY: "Abbey & Wharf"}).boundaries())
    found = places.wards(any_engine, EVERYTHING, b.BOARD)
    assert len(found) == 6
    assert "Abbey & Wharf" in set(found["ward_name"])
    assert len(places.shapes(any_engine, EVERYTHING, b.BOARD)) == 6


def test_an_older_population_gives_way_to_a_newer(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    newer = pd.DataFrame(
        [(f"2024 {b.NORTHAM}", b.ABBEY, b.NORTHAM, "all ages", 6000)],
        columns=["part_key", "ward_code", "lad_code", "age_band", "people"],
    )
    key = [f"2024 {b.NORTHAM}"]
    rows = {"ward_population": newer}
    save(any_engine, b.made_of("ward_population", key, rows, vintage="2024 wards"))
    found = places.population(any_engine, EVERYTHING, b.BOARD).set_index("ward_code")
    assert found.loc[b.ABBEY, ["people", "vintage"]].tolist() == [6000, "2024 wards"]
    assert found.loc[b.BROOK, ["people", "vintage"]].tolist() == [10_000, "2023 wards"]
    assert found.index.is_unique
    assert places.population_vintages(any_engine) == ["2023 wards", "2024 wards"]
