"""The services of a board: what there is, whom it serves, with what room, and within what reach."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest
import shapely
from sqlalchemy import Engine

from dashboard.coverage import ward_coverage
from dashboard.gaps import ward_gaps
from dashboard.reach import ward_reach
from dashboard.services import (
    BOARD,
    CAPACITY_WEEKS,
    DISTRICT,
    NOWHERE,
    ONLINE,
    PLACE,
    WARD,
    Services,
    board_box,
    board_services,
    in_order,
    keys_of_ward,
    service_counts,
)
from dashboard.settings import settings
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.small_board import ABBEY, BROOK, CASTLE, DALE, ELM, FORD, GORSE, Service, Week

JUNE_15, JUNE_22 = date(2026, 6, 15), date(2026, 6, 22)
SOUTHAM_WARDS = (DALE, ELM, FORD)
# Places only: everything else is loaded by each test.
BARE = b.Board(
    workforce=False, practices=False, registered=False, deprivation=False, populations=False,
    referrals=(), posts=(), targets=(), plans=(), budgets=False, schemes=(), services=(), times={},
)  # fmt: skip
WALK = Service("walk", (ABBEY,), provider="Hill")
STATED = ("has capacity", "full", "full with waiting list", None)


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]


def found_in(
    engine: Engine,
    *returned: Service,
    listed: Sequence[Service] = (),
    weeks: Sequence[Week] = (),
    matches: Sequence[tuple[str, str, str, bool]] = (),
) -> Services:
    """The services of the board after a return, a directory, weeks and matches."""
    BARE.save(engine)
    if returned:
        save(engine, b.services(returned))
    if listed:
        save(engine, b.directory(listed))
    if weeks:
        save(engine, b.capacity(weeks))
    if matches:
        save(engine, b.matches(matches))
    return again(engine)


def again(
    engine: Engine, as_at: date = b.AS_AT, icb_code: str = b.BOARD, scope: Scope = EVERYTHING
) -> Services:
    return board_services(engine, scope, icb_code, as_at)


def ways(found: Services) -> dict[str, dict[str, str]]:
    """The way of each ward that each listed service serves by itself; "" is the whole board."""
    told: dict[str, dict[str, str]] = {key: {} for key in found.listed["service_key"]}
    for key, ward, way in found.serving[["service_key", "ward_code", "way"]].values:
        assert ward not in told[key]
        told[key][ward] = way
    for key, way in found.everywhere[["service_key", "way"]].values:
        assert "" not in told[key]
        told[key][""] = way
    return told


def one_of(found: Services, key: str) -> dict[str, Any]:
    rows: Any = found.listed[found.listed["service_key"] == key].astype(object)
    (row,) = rows.where(rows.notna(), None).to_dict("records")
    return {str(name): value for name, value in row.items()}


def among(row: Mapping[str, Any], *names: str) -> list[Any]:
    return [row[name] for name in names]


# Whom a service serves.


def test_a_group_for_one_ward_answers_its_need_there_and_nowhere_else(
    any_engine: Engine,
) -> None:
    """A diabetes support group that names one ward is no provision for any other, nor for another
    need: wherever it meets, and whatever else was loaded."""
    group = Service("diabetes", (ELM,), theme="long-term condition", lies_in=(ABBEY,))
    b.Board(services=(group,)).save(any_engine)
    found = again(any_engine)
    assert ways(found) == {"Together CIC / diabetes": {ELM: WARD}}
    coverage = ward_coverage(any_engine, EVERYTHING, b.BOARD, b.AS_AT)
    counts = coverage.wards.frame.set_index("ward_code")["service_count"].to_dict()
    assert counts == dict.fromkeys(b.BOARD_WARDS, 0) | {ELM: 1}
    gaps = ward_gaps(any_engine, EVERYTHING, b.BOARD, coverage, found, with_stale=False)
    cells = gaps.cells.frame
    assert len(cells) == 6 * 14
    served = cells[cells["state"] != "none"]
    assert served[["ward_code", "theme", "state", "own", "wide", "stale"]].values.tolist() == [
        [ELM, "long-term condition", "served", 1, 0, 0]
    ]
    assert cells[["own", "own_full", "wide", "stale"]].sum().tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("service", "expected"),
    rest_is_slow(
        (Service("s", (ABBEY,)), {ABBEY: WARD}),
        (Service("s", (ABBEY, DALE)), {ABBEY: WARD, DALE: WARD}),
        (Service("s", (b.SOUTHAM,)), dict.fromkeys(SOUTHAM_WARDS, DISTRICT)),
        # The nearest way, once.
        (Service("s", (b.SOUTHAM, DALE)), {DALE: WARD, ELM: DISTRICT, FORD: DISTRICT}),
        (Service("s", (b.BOARD,)), {"": BOARD}),
        (Service("s", (b.BOARD, DALE)), {"": BOARD, DALE: WARD}),
        # Where it is says whom it serves only where it does not say so itself.
        (Service("s", (), lies_in=(ABBEY,)), {ABBEY: PLACE}),
        (Service("s", (), lies_in=(ABBEY, DALE)), {ABBEY: PLACE, DALE: PLACE}),
        (Service("s", (DALE,), lies_in=(ABBEY,)), {DALE: WARD}),
        (Service("s", (DALE,), lies_in=(DALE,)), {DALE: WARD}),
        (Service("s", (b.BOARD,), lies_in=(ABBEY,)), {"": BOARD}),
        (Service("s", (), lies_in=(ABBEY, GORSE)), {ABBEY: PLACE}),
        # Online serves those it names, and else everybody; a place is a place.
        (Service("s", (DALE,), is_online=True), {DALE: ONLINE}),
        (Service("s", (b.SOUTHAM,), is_online=True), dict.fromkeys(SOUTHAM_WARDS, ONLINE)),
        (Service("s", (b.BOARD,), is_online=True), {"": BOARD}),
        (Service("s", (), is_online=True), {"": ONLINE}),
        (Service("s", (), is_online=True, lies_in=(ABBEY,)), {ABBEY: PLACE}),
        # Nowhere: it is listed, and serves nobody.
        (Service("s", ()), {}),
        fast=4,
    ),
)
def test_whom_a_service_serves(
    sqlite_engine: Engine, service: Service, expected: dict[str, str]
) -> None:
    found = found_in(sqlite_engine, service, Service("other", (CASTLE,)))
    assert ways(found) == {
        "Together CIC / s": expected,
        "Together CIC / other": {CASTLE: WARD},
    }
    assert one_of(found, "Together CIC / s")["is_placed"] is bool(expected)
    assert found.is_returned


@pytest.mark.parametrize(
    "service",
    rest_is_slow(
        Service("s", (GORSE,)),
        Service("s", (b.EASTHAM,)),
        Service("s", (b.NEIGHBOUR,), is_online=True),
        Service("s", (), lies_in=(GORSE,)),
        # It stands here, and is for the neighbour's people.
        Service("s", (GORSE,), lies_in=(ABBEY,)),
        Service("s", (), opens_on=date(2026, 7, 1)),
        fast=2,
    ),
)
def test_the_neighbours_services_are_not_the_boards(
    sqlite_engine: Engine, service: Service
) -> None:
    found = found_in(sqlite_engine, service, WALK)
    assert ways(found) == {"Hill / walk": {ABBEY: WARD}}
    assert "Together CIC / s" not in set(found.sites["service_key"])
    assert found.closed.empty


def test_each_board_has_its_own(sqlite_engine: Engine) -> None:
    service = Service("s", (ABBEY, GORSE), lies_in=(ABBEY, GORSE))
    mine = found_in(sqlite_engine, service)
    assert ways(mine) == {"Together CIC / s": {ABBEY: WARD}}
    assert mine.sites["ward_code"].tolist() == [ABBEY]
    theirs = again(sqlite_engine, icb_code=b.NEIGHBOUR)
    assert ways(theirs) == {"Together CIC / s": {GORSE: WARD}}
    assert theirs.sites["ward_code"].tolist() == [GORSE]


def test_a_place_in_the_box_around_the_board_but_outside_it(sqlite_engine: Engine) -> None:
    """Ford is half as wide as it was: the middle of its square is in no ward now."""
    BARE.save(sqlite_engine)
    load = BARE.boundaries()
    shapes = load.rows["boundary"].set_index("ward_code")["geometry"]
    west, south, east, north = b.square(FORD).bounds
    shapes[FORD] = shapely.box(west, south, west + (east - west) / 3, north).wkb
    changed = load.rows["boundary"].assign(geometry=shapes.to_numpy())
    rows = {**load.rows, "boundary": changed}
    keys = load.parts["part_key"]
    save(sqlite_engine, b.made_of("ward_boundaries", keys, rows, vintage="2025 wards"))
    save(sqlite_engine, b.services((Service("s", (), lies_in=(FORD,)), WALK)))
    box = board_box(sqlite_engine, EVERYTHING, b.BOARD)
    assert box == pytest.approx((1.0, 51.0, 1.06, 51.04))
    assert ways(again(sqlite_engine)) == {"Hill / walk": {ABBEY: WARD}}


def test_a_board_without_shapes_is_nowhere(sqlite_engine: Engine) -> None:
    found = found_in(sqlite_engine, Service("s", (), lies_in=(ABBEY,)), WALK)
    assert len(found.listed) == 2
    assert board_box(sqlite_engine, EVERYTHING, b.OUTSIDER_ICB) == NOWHERE
    assert again(sqlite_engine, icb_code=b.OUTSIDER_ICB).listed.empty


def test_nobody_else_sees_them(sqlite_engine: Engine) -> None:
    found = found_in(sqlite_engine, WALK, b.HELPLINE, Service("nowhere", ()))
    mine = again(sqlite_engine, scope=Scope(frozenset({b.BOARD})))
    pd.testing.assert_frame_equal(mine.listed, found.listed)
    assert again(sqlite_engine, scope=Scope(frozenset({b.NEIGHBOUR}))).listed.empty


def test_an_online_entry_of_a_directory_is_for_whom_it_names(sqlite_engine: Engine) -> None:
    listed = (
        Service("anywhere", (), is_online=True),
        Service("here", (DALE,), is_online=True),
        Service("room", (), is_online=True, lies_in=(ABBEY,)),
    )
    found = found_in(sqlite_engine, listed=listed)
    assert ways(found) == {"here": {DALE: ONLINE}, "room": {ABBEY: PLACE}}


@pytest.mark.parametrize(
    ("returned", "listed", "is_returned"),
    rest_is_slow(
        ((), (), False),
        ((Service("s", (), is_online=True),), (), False),
        ((Service("s", ()),), (), False),
        ((Service("s", (GORSE,)),), (), False),
        ((Service("s", (ABBEY,)),), (), True),
        ((Service("s", (b.NORTHAM,)),), (), True),
        ((Service("s", (b.BOARD,)),), (), True),
        ((Service("s", (), lies_in=(ABBEY,)),), (), True),
        # That it has closed, or will open, was told.
        ((Service("s", (ABBEY,), closes_on=date(2026, 6, 29)),), (), True),
        ((Service("s", (ABBEY,), opens_on=date(2026, 7, 1)),), (), True),
        ((), (Service("s", (), lies_in=(ABBEY,)),), True),
        fast=3,
    ),
)
def test_whether_anybody_returned_a_service(
    sqlite_engine: Engine,
    returned: tuple[Service, ...],
    listed: tuple[Service, ...],
    is_returned: bool,
) -> None:
    found = found_in(sqlite_engine, *returned, listed=listed)
    assert found.is_returned is is_returned
    # What is online for everybody is nobody's where nobody returned services.
    assert found.everywhere["way"].tolist() == ([BOARD] if len(ways(found)) and any(
        b.BOARD in service.areas for service in returned
    ) else [])  # fmt: skip


def test_what_is_online_for_nobody_here_is_not_listed(sqlite_engine: Engine) -> None:
    """One without an area says nothing of a board for which nobody returned services."""
    found = found_in(sqlite_engine, Service("s", (), is_online=True), Service("nowhere", ()))
    assert ways(found) == {"Together CIC / nowhere": {}}
    assert found.closed.empty


# Open and closed.


@pytest.mark.parametrize(
    ("service", "is_open"),
    [
        (Service("s", (ABBEY,), opens_on=b.AS_AT), True),
        (Service("s", (ABBEY,), opens_on=date(2026, 7, 1)), False),
        (Service("s", (ABBEY,), closes_on=b.AS_AT), True),
        (Service("s", (ABBEY,), closes_on=date(2026, 6, 29)), False),
    ],
)
def test_open_at_the_date(sqlite_engine: Engine, service: Service, is_open: bool) -> None:
    found = found_in(sqlite_engine, service)
    assert ways(found) == ({"Together CIC / s": {ABBEY: WARD}} if is_open else {})
    has_closed = not is_open and service.opens_on is None
    assert found.closed["service_key"].tolist() == (["Together CIC / s"] if has_closed else [])
    assert len(found.themes) == len(found.listed)


def test_closed_by_a_later_feed_and_listed_again(any_engine: Engine) -> None:
    one, other = Service("one", (ABBEY,), state=None), Service("other", (ABBEY,), state=None)
    found = found_in(any_engine, listed=(one, other))
    assert set(ways(found)) == {"one", "other"}
    # The next feed has only the other: closed from 20 June on.
    save(any_engine, b.directory((replace(other, name="Another"),), "one"))
    found = again(any_engine)
    assert ways(found) == {"other": {ABBEY: WARD}}
    assert found.closed[["service_key", "closed_on"]].values.tolist() == [
        ["one", date(2026, 6, 20)]
    ]
    assert set(ways(again(any_engine, date(2026, 6, 20)))) == {"other"}
    assert set(ways(again(any_engine, date(2026, 6, 19)))) == {"one", "other"}
    # A feed after that lists it again.
    save(any_engine, b.directory((replace(one, name="One again"),)))
    assert set(ways(again(any_engine))) == {"one", "other"}
    assert again(any_engine).closed.empty


def test_what_a_directory_leaves_out_does_not_close_the_providers_return(
    sqlite_engine: Engine,
) -> None:
    found_in(sqlite_engine, WALK, listed=(replace(WALK, provider="Hill CIC", state=None),))
    save(sqlite_engine, b.directory((Service("other", (DALE,)),), "walk"))
    found = again(sqlite_engine)
    assert ways(found) == {"walk": {ABBEY: WARD}, "other": {DALE: WARD}}
    assert one_of(found, "walk")["said_by"] == "the provider's return"
    assert found.closed.empty


def test_what_its_provider_closed_a_directory_does_not_keep_open(sqlite_engine: Engine) -> None:
    """What the provider says wins, of the day on which it closes too."""
    own = replace(WALK, closes_on=date(2026, 6, 29))
    found = found_in(sqlite_engine, own, listed=(replace(WALK, areas=(), lies_in=(BROOK,)),))
    assert ways(found) == {}
    assert found.closed["service_key"].tolist() == ["walk"]


# The return and the directory's entry are one.

RETURNED = Service(
    "walk", (), provider="Hill", state="has capacity", offered=10, filled=4, waiting=9,
    name="Hill walks", confirmed_on=date(2026, 4, 1),
)  # fmt: skip
LISTED = Service(
    "walk", (), provider="Hill CIC", state=None, lies_in=(ABBEY,), postcode="ZZ1 1AA", cost="free",
    name="Walks", confirmed_on=date(2026, 5, 1), minimum_age=18,
)  # fmt: skip
OWN_FIGURES = ("places_offered", "places_filled", "free_places", "people_waiting", "state")


def test_the_capacity_of_the_one_and_the_place_of_the_other(any_engine: Engine) -> None:
    found = found_in(any_engine, RETURNED, listed=(LISTED,))
    assert ways(found) == {"walk": {ABBEY: PLACE}}
    row = one_of(found, "walk")
    assert among(row, *OWN_FIGURES) == [10, 4, 6, 9, "has capacity"]
    assert among(row, "service_name", "provider", "cost_to_person", "minimum_age", "themes") == [
        "Hill walks", "Hill", "free", 18.0, "loneliness"
    ]  # fmt: skip
    assert among(row, "confirmed_on", "freshness", "said_by", "is_full", "is_placed") == [
        date(2026, 5, 1), "under 6 months", "the provider's return and the directory", False, True
    ]  # fmt: skip
    assert found.sites[["service_key", "postcode", "ward_code"]].values.tolist() == [
        ["walk", "ZZ1 1AA", ABBEY]
    ]


@pytest.mark.slow
def test_a_later_feed_of_the_directory_keeps_the_local_capacity(any_engine: Engine) -> None:
    found_in(any_engine, RETURNED, listed=(LISTED,))
    later = replace(
        LISTED, name="Walks in Brook", lies_in=(BROOK,), confirmed_on=date(2026, 6, 29),
        state="full", offered=1, filled=1, waiting=0, cost="£2",
    )  # fmt: skip
    save(any_engine, b.directory((later,)))
    found = again(any_engine)
    assert ways(found) == {"walk": {BROOK: PLACE}}
    row = one_of(found, "walk")
    assert among(row, *OWN_FIGURES) == [10, 4, 6, 9, "has capacity"]
    assert among(row, "service_name", "cost_to_person", "confirmed_on") == [
        "Hill walks", "£2", date(2026, 6, 29)
    ]  # fmt: skip


def test_where_either_names_an_area_a_place_says_nothing_of_whom_it_serves(
    sqlite_engine: Engine,
) -> None:
    """The provider says for whom, the directory where: one service, for the one ward."""
    found = found_in(sqlite_engine, replace(RETURNED, areas=(ELM,)), listed=(LISTED,))
    assert ways(found) == {"walk": {ELM: WARD}}
    assert found.sites["ward_code"].tolist() == [ABBEY]


def test_joined_by_what_somebody_said(sqlite_engine: Engine) -> None:
    returned = replace(RETURNED, service_id="1")
    other = Service("1", (DALE,), provider="Vale")
    found = found_in(sqlite_engine, returned, other, listed=(LISTED,))
    assert ways(found) == {"Hill / 1": {}, "Vale / 1": {DALE: WARD}, "walk": {ABBEY: PLACE}}
    save(sqlite_engine, b.matches([("Hill", "1", "walk", False)]))
    assert set(ways(again(sqlite_engine))) == {"Hill / 1", "Vale / 1", "walk"}
    save(sqlite_engine, b.matches([("Hill", "1", "walk", True)]))
    found = again(sqlite_engine)
    assert ways(found) == {"walk": {ABBEY: PLACE}, "Vale / 1": {DALE: WARD}}
    assert among(one_of(found, "walk"), *OWN_FIGURES) == [10, 4, 6, 9, "has capacity"]


# Capacity by week.

MONDAY = date(2026, 5, 4)
OWN = Service(
    "walk", (ABBEY,), provider="Hill", state="full", offered=1, filled=1, waiting=10, wait_days=3
)
IN_MAY = [1, 1, 0, 10, "full"]


def weekly(week: date, state: str | None = None) -> Week:
    return Week("walk", week, 20, 5, 30, state, provider="Hill")


@pytest.mark.parametrize(
    ("confirmed_on", "week", "is_newer"),
    rest_is_slow(
        (JUNE_15, date(2026, 6, 8), False),
        (date(2026, 6, 16), JUNE_15, False),
        (JUNE_15, JUNE_15, True),
        (date(2026, 6, 14), JUNE_15, True),
        # Never confirmed: any week is newer.
        (None, JUNE_15, True),
        fast=2,
    ),
)
def test_a_week_counts_where_it_is_newer_than_the_return(
    any_engine: Engine, confirmed_on: date | None, week: date, is_newer: bool
) -> None:
    found = found_in(any_engine, replace(OWN, confirmed_on=confirmed_on), weeks=[weekly(week)])
    row = one_of(found, "Hill / walk")
    # All of the week's figures: what it does not say is not said.
    assert among(row, *OWN_FIGURES) == ([20, 5, 15, 30, None] if is_newer else IN_MAY)
    assert row["capacity_on"] == (week if is_newer else confirmed_on)
    assert row["wait_days"] == (None if is_newer else 3)
    # The figures of a week confirm nothing else.
    assert row["confirmed_on"] == confirmed_on
    assert row["is_full"] is not is_newer


def test_a_return_without_figures_has_those_of_any_week(sqlite_engine: Engine) -> None:
    own = replace(OWN, state=None, offered=None, waiting=None, confirmed_on=date(2026, 6, 29))
    row = one_of(found_in(sqlite_engine, own, weeks=[weekly(JUNE_15)]), "Hill / walk")
    assert among(row, *OWN_FIGURES, "capacity_on") == [20, 5, 15, 30, None, JUNE_15]
    assert row["confirmed_on"] == date(2026, 6, 29)


def test_without_figures_there_is_no_day_they_are_of(sqlite_engine: Engine) -> None:
    own = replace(OWN, state=None, offered=None, waiting=None, filled=None, wait_days=None)
    row = one_of(found_in(sqlite_engine, own), "Hill / walk")
    assert among(row, *OWN_FIGURES, "capacity_on") == [None] * 6


@pytest.mark.parametrize(
    ("as_at", "counts"),
    rest_is_slow(
        (date(2026, 5, 3), False),  # before the week
        (MONDAY, True),
        (date(2026, 6, 29), True),  # 8 weeks later
        (date(2026, 6, 30), False),
        fast=2,
    ),
)
def test_a_week_counts_for_so_many_weeks(sqlite_engine: Engine, as_at: date, counts: bool) -> None:
    assert CAPACITY_WEEKS == 8
    own = replace(OWN, confirmed_on=date(2026, 4, 1))
    found_in(sqlite_engine, own, weeks=[weekly(MONDAY)])
    row = one_of(again(sqlite_engine, as_at), "Hill / walk")
    assert among(row, *OWN_FIGURES) == ([20, 5, 15, 30, None] if counts else IN_MAY)


def test_the_newest_week_and_nobody_elses(sqlite_engine: Engine) -> None:
    other = replace(OWN, provider="Vale", confirmed_on=date(2026, 4, 1))
    weeks = [weekly(JUNE_15, "full"), weekly(JUNE_22, "full with waiting list")]
    found = found_in(sqlite_engine, OWN, other, weeks=weeks)
    assert among(one_of(found, "Hill / walk"), "state", "free_places", "capacity_on") == [
        "full with waiting list", 0, JUNE_22
    ]  # fmt: skip
    assert among(one_of(found, "Vale / walk"), *OWN_FIGURES) == IN_MAY
    before = again(sqlite_engine, date(2026, 6, 21))
    assert among(one_of(before, "Hill / walk"), "state", "capacity_on") == ["full", JUNE_15]


def test_weeks_of_a_joined_service(sqlite_engine: Engine) -> None:
    weeks = [replace(weekly(JUNE_22), service_id="1")]
    returned = replace(RETURNED, service_id="1")
    matches = [("Hill", "1", "walk", True)]
    found = found_in(sqlite_engine, returned, listed=(LISTED,), weeks=weeks, matches=matches)
    assert among(one_of(found, "walk"), *OWN_FIGURES, "capacity_on") == [
        20, 5, 15, 30, None, JUNE_22
    ]  # fmt: skip


def test_what_a_directory_confirms_makes_the_returns_figures_no_newer(
    sqlite_engine: Engine,
) -> None:
    """The return is of April, the week of 22 June: that the directory was confirmed on the 29th
    says nothing of either's figures."""
    listed = replace(LISTED, confirmed_on=date(2026, 6, 29))
    found = found_in(sqlite_engine, RETURNED, listed=(listed,), weeks=[weekly(JUNE_22)])
    row = one_of(found, "walk")
    assert among(row, *OWN_FIGURES, "capacity_on") == [20, 5, 15, 30, None, JUNE_22]
    assert row["confirmed_on"] == date(2026, 6, 29)


# Counts by ward, against a slower way.

Counts = dict[str, tuple[int, int, int, int]]
STALE_ON = date(2025, 6, 30)


def one_service_each(
    returned: Sequence[Service], listed: Sequence[Service]
) -> Iterator[tuple[list[Service], bool]]:
    """The entries of each service, the provider's first, and whether its provider returned it."""
    ids = {service.service_id for service in listed}
    groups: dict[tuple[str, str], list[Service]] = {}
    for service in (*returned, *listed):
        own = "" if service.service_id in ids else service.provider
        groups.setdefault((own, service.service_id), []).append(service)
    for entries in groups.values():
        yield entries, any(entry in returned for entry in entries)


def said_first(entries: Iterable[Service], name: str) -> Any:
    return next((value for e in entries if (value := getattr(e, name)) is not None), None)


def is_full_of(entries: Sequence[Service]) -> bool:
    state, offered, filled = (said_first(entries, name) for name in ("state", "offered", "filled"))
    if state is not None:
        return str(state).startswith("full")
    return offered is not None and filled is not None and filled >= offered


def is_stale(entries: Sequence[Service]) -> bool:
    days = [entry.confirmed_on for entry in entries if entry.confirmed_on is not None]
    return not days or max(days) <= STALE_ON


def nearness(entries: Sequence[Service], is_returned: bool, ward_code: str) -> str:
    """ "own", "wide" or "": how one service serves a ward, by going through what it says."""
    areas = {area for entry in entries for area in entry.areas}
    places = {ward for entry in entries for ward in entry.lies_in}
    is_online = any(entry.is_online for entry in entries)
    if not areas and ward_code in places:
        return "own"
    if ward_code in areas or b.WARDS[ward_code][1] in areas:
        return "wide" if is_online else "own"
    if b.BOARD in areas or (is_online and is_returned and not areas and not places):
        return "wide"
    return ""


def open_on(services: Iterable[Service], as_at: date) -> list[Service]:
    return [
        service
        for service in services
        if (service.opens_on is None or service.opens_on <= as_at)
        and (service.closes_on is None or service.closes_on >= as_at)
    ]


def counted_slowly(
    returned: Sequence[Service], listed: Sequence[Service], *, with_stale: bool
) -> tuple[Counts, dict[str, date]]:
    counts: Counts = {}
    money: dict[str, date] = {}
    for ward_code in b.BOARD_WARDS:
        own = own_full = wide = stale = 0
        for entries, is_own in one_service_each(open_on(returned, b.AS_AT), listed):
            near = nearness(entries, is_own, ward_code)
            if near and is_stale(entries) and not with_stale:
                stale += 1
            elif near == "wide":
                wide += 1
            elif near == "own":
                own += 1
                own_full += is_full_of(entries)
                ends = said_first(entries, "funding_ends")
                if ends is not None and ends >= b.AS_AT:
                    money[ward_code] = min(ends, money.get(ward_code, ends))
        counts[ward_code] = own, own_full, wide, stale
    return counts, money


THEMES = ("loneliness", "food", "housing")


def random_services(seed: int) -> tuple[list[Service], list[Service]]:
    """A return of two providers, and a directory that lists some of theirs and some others."""
    dice = random.Random(seed)
    areas = [*b.BOARD_WARDS, *b.BOARD_WARDS, b.NORTHAM, b.SOUTHAM, b.BOARD]
    days = [None, STALE_ON, date(2025, 7, 1), date(2026, 5, 1)]

    def some(service_id: str, provider: str) -> Service:
        room = dice.choice([(None, None), (5, 3), (5, 5), (5, 6), (5, None)])
        return Service(
            service_id,
            tuple(dict.fromkeys(dice.choices(areas, k=dice.choice([0, 1, 1, 2, 3])))),
            confirmed_on=dice.choice(days),
            is_online=dice.random() < 0.25,
            state=dice.choice(STATED),
            opens_on=dice.choice([None, None, None, b.AS_AT, date(2026, 7, 1)]),
            closes_on=dice.choice([None, None, None, b.AS_AT, date(2026, 6, 29)]),
            funding_ends=dice.choice([None, b.AS_AT, date(2026, 6, 29), date(2027, 3, 31)]),
            provider=provider,
            theme=dice.choice(THEMES),
            also_for=tuple(dice.sample(["carers", "nature"], dice.choice([0, 0, 1, 2]))),
            lies_in=tuple(dice.sample(b.BOARD_WARDS, dice.choice([0, 0, 1, 2]))),
            offered=room[0],
            filled=room[1],
        )

    # One that says where, so that the board has returned some.
    returned = [Service("first", (ABBEY,), provider="Hill")]
    returned += [some(f"{n}", provider) for provider in ("Hill", "Vale") for n in range(7)]
    listed = [some(f"x{n}", "Directory") for n in range(4)]
    for service in returned:
        # Numbers that both providers use are in no directory.
        if dice.random() < 0.4:
            place = returned.index(service)
            joined = replace(service, service_id=f"both {place}", opens_on=None, closes_on=None)
            returned[place] = joined
            # Either both name areas or neither: see the test of that above.
            twin = replace(
                some(joined.service_id, "Directory"),
                areas=tuple(dice.sample(areas[:6], 1)) if joined.areas else (),
            )
            listed.append(twin)
    return returned, [replace(service, opens_on=None, closes_on=None) for service in listed]


@pytest.mark.parametrize("seed", rest_is_slow(*range(8)))
def test_a_slower_way_counts_the_same(sqlite_engine: Engine, seed: int) -> None:
    returned, listed = random_services(seed)
    found = found_in(sqlite_engine, *returned, listed=listed)
    for with_stale in (False, True):
        counted = service_counts(found, list(b.BOARD_WARDS), b.AS_AT, with_stale=with_stale)
        counts, money = counted_slowly(returned, listed, with_stale=with_stale)
        got = counted[["own", "own_full", "wide", "stale"]].itertuples(index=True, name=None)
        assert {ward: tuple(rest) for ward, *rest in got} == counts
        ends = counted["funding_ends"].dropna()
        assert {ward: day.date() for ward, day in ends.items()} == money
    assert sum(map(sum, counts.values())) > 20
    # Each ward's services are what its counts count.
    for ward in b.BOARD_WARDS:
        own, _, wide, stale = counts[ward]
        assert len(keys_of_ward(found, ward)) == own + wide + stale


def test_services_of_a_ward_the_nearest_first(sqlite_engine: Engine) -> None:
    found = found_in(
        sqlite_engine,
        Service("z", (ABBEY,)), Service("a", (ABBEY, b.BOARD)), Service("b", (b.BOARD,)),
        Service("c", (), is_online=True), Service("d", (b.NORTHAM,)), Service("e", (DALE,)),
        Service("f", (), lies_in=(ABBEY,)),
    )  # fmt: skip
    names = found.listed[["service_key", "service_name"]]
    rows = in_order(keys_of_ward(found, ABBEY).merge(names))
    assert rows[["service_name", "way"]].values.tolist() == [
        ["A", WARD], ["Z", WARD], ["F", PLACE], ["D", DISTRICT], ["C", ONLINE], ["B", BOARD]
    ]  # fmt: skip


# Within reach.

PEOPLE = pd.Series(
    {ABBEY: 5000, BROOK: 10_000, CASTLE: 5000, DALE: 2500, ELM: 2500, FORD: None}, dtype="Int64"
)


def reached(
    engine: Engine, found: Services, *, with_stale: bool = False, people: pd.Series = PEOPLE
) -> tuple[dict[str, float], str]:
    """Places for every 1,000 people of the wards that reach any, and how reach was measured."""
    access, words = ward_reach(engine, EVERYTHING, b.BOARD, found, people, with_stale=with_stale)
    assert list(access.index) == list(people.index)
    return {str(code): value for code, value in access.dropna().items()}, words


def with_times(
    engine: Engine, *services: Service, times: Mapping[Any, float] = b.TIMES
) -> Services:
    found = found_in(engine, *services)
    save(engine, b.travel_times(times))
    return found


def test_the_figures_of_the_small_board(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    access, words = reached(any_engine, again(any_engine))
    # 12 places over 5,000 x 1 and 10,000 x 0.68 people; Castle is too far.
    assert access == pytest.approx({ABBEY: 12 / 11.8, BROOK: 12 / 11.8 * 0.68})
    assert {code: round(value, 4) for code, value in access.items()} == {
        ABBEY: 1.0169, BROOK: 0.6915
    }  # fmt: skip
    assert words == "30 minutes by bus, between wards"
    assert access[ABBEY] * 5 + access[BROOK] * 10 == pytest.approx(12)


SITE = Service("walk", (b.NORTHAM,), lies_in=(ABBEY,), offered=12)


@pytest.mark.parametrize(
    ("minutes", "weight"),
    rest_is_slow(
        (10.0, 1.0), (10.1, 0.68), (20.0, 0.68), (20.1, 0.22), (30.0, 0.22), (30.1, None), fast=2
    ),
)
def test_both_sides_of_each_step_in_minutes(
    sqlite_engine: Engine, minutes: float, weight: float | None
) -> None:
    times = {(ABBEY, ABBEY): 5.0, (BROOK, ABBEY): minutes}
    access, _ = reached(sqlite_engine, with_times(sqlite_engine, SITE, times=times))
    if weight is None:
        assert access == pytest.approx({ABBEY: 12 / 5})
    else:
        each = 12 / (5 + 10 * weight)
        assert access == pytest.approx({ABBEY: each, BROOK: each * weight})


def test_a_straight_line_where_no_times_are_loaded(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wards are 0.02 degrees wide, at 51 degrees 1.40 km, and 2.22 km high: from Abbey's middle it
    is 0 to Abbey, 1.40 to Brook, 2.81 to Castle, 2.22 to Dale, 2.63 to Elm, 3.58 to Ford."""
    found = found_in(any_engine, SITE)
    access, words = reached(any_engine, found)
    assert words == "5 km in a straight line from the middle of the ward"
    # Up to 1.67 km all of it, up to 3.33 km 0.68, up to 5 km 0.22; Ford's people are not known.
    weights = {ABBEY: 1.0, BROOK: 1.0, CASTLE: 0.68, DALE: 0.68, ELM: 0.68, FORD: 0.22}
    each = 12 / (5 + 10 + 0.68 * (5 + 2.5 + 2.5))
    assert access == pytest.approx({ward: each * weight for ward, weight in weights.items()})
    # Half as far: up to 0.83, 1.67 and 2.5 km.
    monkeypatch.setenv("DASHBOARD_REACH_METRES", "2500")
    settings.cache_clear()
    access, words = reached(any_engine, found)
    assert words == "2.5 km in a straight line from the middle of the ward"
    each = 12 / (5 + 0.68 * 10 + 0.22 * 2.5)
    assert access == pytest.approx({ABBEY: each, BROOK: each * 0.68, DALE: each * 0.22})


def test_which_way_of_travelling_counts(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = with_times(sqlite_engine, SITE)
    for wanted, expected in (
        ("", "30 minutes by bus, between wards"),
        ("bus", "30 minutes by bus, between wards"),
        ("straight line", "5 km in a straight line from the middle of the ward"),
        # Never another than the one that was chosen.
        ("car", "5 km in a straight line from the middle of the ward"),
    ):
        monkeypatch.setenv("DASHBOARD_TRAVEL_MODE", wanted)
        settings.cache_clear()
        access, words = reached(sqlite_engine, found)
        assert words == expected
        assert set(access) == ({ABBEY, BROOK} if "bus" in words else set(b.BOARD_WARDS))
    monkeypatch.setenv("DASHBOARD_TRAVEL_MODE", "")
    monkeypatch.setenv("DASHBOARD_REACH_MINUTES", "14")
    settings.cache_clear()
    access, words = reached(sqlite_engine, found)
    assert access == pytest.approx({ABBEY: 12 / 5})
    assert words == "14 minutes by bus, between wards"


def test_stale_services_supply_nothing_unless_they_count(sqlite_engine: Engine) -> None:
    stale = replace(SITE, service_id="old", confirmed_on=STALE_ON, offered=6)
    found = with_times(sqlite_engine, SITE, stale)
    assert reached(sqlite_engine, found)[0][ABBEY] == pytest.approx(12 / 11.8)
    assert reached(sqlite_engine, found, with_stale=True)[0][ABBEY] == pytest.approx(18 / 11.8)


@pytest.mark.parametrize("is_by_bus", rest_is_slow(True, False))
@pytest.mark.parametrize(
    ("service", "per_1000"),
    [
        (replace(SITE, offered=None), {}),
        (replace(SITE, confirmed_on=STALE_ON), {}),
        (replace(SITE, lies_in=()), {}),
        (replace(SITE, lies_in=(GORSE,)), {}),
        # No places offered is 0, and not missing.
        (replace(SITE, offered=0), 0.0),
    ],
)
def test_none_within_reach_is_missing(
    sqlite_engine: Engine, is_by_bus: bool, service: Service, per_1000: Any
) -> None:
    far = {(ward, ABBEY): 29.0 for ward in b.BOARD_WARDS}
    found = with_times(sqlite_engine, service, times=far) if is_by_bus else found_in(
        sqlite_engine, service
    )  # fmt: skip
    access, _ = reached(sqlite_engine, found)
    assert access == (per_1000 if per_1000 == {} else dict.fromkeys(b.BOARD_WARDS, 0.0))


@pytest.mark.slow
def test_places_are_shared_over_the_sites_of_a_service(sqlite_engine: Engine) -> None:
    """12 places in two wards are 6 in each; two sites in one ward are together what it has."""
    two = replace(SITE, lies_in=(ABBEY, DALE))
    other = replace(SITE, service_id="other", offered=3, lies_in=(DALE,))
    times = {(ABBEY, ABBEY): 1.0, (DALE, DALE): 1.0}
    found = with_times(sqlite_engine, two, other, times=times)
    assert reached(sqlite_engine, found)[0] == pytest.approx({ABBEY: 6 / 5, DALE: 9 / 2.5})
    # One that both the return and the directory place is one site.
    save(sqlite_engine, b.directory((replace(two, service_id="twin"),)))
    save(sqlite_engine, b.services((replace(SITE, service_id="twin", provider="Vale"),)))
    assert reached(sqlite_engine, again(sqlite_engine))[0] == pytest.approx(
        {ABBEY: 12 / 5, DALE: 15 / 2.5}
    )


@pytest.mark.slow
def test_people_who_are_not_known_take_nothing_and_reach_all_the_same(
    sqlite_engine: Engine,
) -> None:
    times = {(ABBEY, ABBEY): 1.0, (FORD, ABBEY): 1.0}
    found = with_times(sqlite_engine, SITE, times=times)
    assert reached(sqlite_engine, found)[0] == pytest.approx({ABBEY: 12 / 5, FORD: 12 / 5})
    nobody = PEOPLE.mask(PEOPLE.notna())
    assert reached(sqlite_engine, found, people=nobody)[0] == {}


# What a reader with bad intentions found.


@pytest.mark.slow
def test_an_entry_its_feed_dropped_keeps_its_place_while_its_provider_returns_it(
    sqlite_engine: Engine,
) -> None:
    found = found_in(sqlite_engine, RETURNED, listed=(LISTED,))
    assert ways(found) == {"walk": {ABBEY: PLACE}}
    save(sqlite_engine, b.directory([Service("talk", (BROOK,), provider="T", state=None)], "walk"))
    found = again(sqlite_engine)
    assert ways(found)["walk"] == {ABBEY: PLACE}
    assert "walk" not in set(found.closed["service_key"])


@pytest.mark.slow
def test_a_week_that_says_only_who_waits_leaves_the_room(sqlite_engine: Engine) -> None:
    week = Week("walk", JUNE_15, waiting=12, provider="Hill")
    row = one_of(
        found_in(sqlite_engine, replace(OWN, confirmed_on=MONDAY), weeks=[week]), "Hill / walk"
    )
    assert among(row, *OWN_FIGURES) == [1, 1, 0, 12, "full"]
    assert row["is_full"]


@pytest.mark.parametrize(
    ("theme", "names_needs"), [("loneliness", True), (None, False)], ids=["a need", "none"]
)
def test_whether_anybody_said_what_a_service_is_for(
    sqlite_engine: Engine, theme: str | None, names_needs: bool
) -> None:
    """A directory names no needs: alone, it makes none unmet."""
    returned = () if theme is None else (replace(WALK, theme=theme),)
    found = found_in(sqlite_engine, *returned, listed=(replace(LISTED, areas=(ABBEY,)),))
    assert (found.is_returned, found.names_needs) == (True, names_needs)
