"""Providers: what each has, how full it is, week by week, in money; and what they are asked."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import openpyxl
import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard import data, intake
from dashboard.ask import ask_file
from dashboard.coverage import ward_coverage
from dashboard.intake import services as services_intake
from dashboard.intake.directory import NOT_STATED
from dashboard.intake.source import Source
from dashboard.intake.templates import filled_in
from dashboard.providers import (
    WAITING,
    Providers,
    WeeklyTrend,
    capacity_by,
    capacity_total,
    capacity_trend,
    described,
    groups_of,
    money_by_district,
    online_or_wide,
    serving_area,
)
from dashboard.rules import disclosure
from dashboard.service_matches import say_whether_same
from dashboard.services import board_services
from dashboard.settings import settings
from queries import loads, places
from queries import services as service_queries
from queries.history import undo
from queries.load import AlreadyLoadedError, CleanLoad, save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.intake.files import Lookups, whole
from tests.small_board import ABBEY, BROOK, CASTLE, DALE, ELM, FORD, GORSE, Service, Week
from tests.test_services import (
    BARE,
    LISTED,
    RETURNED,
    WALK,
    again,
    found_in,
    random_services,
    ways,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]
JUNE_8, JUNE_15, JUNE_22 = date(2026, 6, 8), date(2026, 6, 15), date(2026, 6, 22)
HIDDEN = f"{WAITING}_hidden"
PROFILES = pytest.mark.parametrize("profile", rest_is_slow("nhs", "opensafely", "lt6"))


def use(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", profile)
    settings.cache_clear()


def providers_of(engine: Engine) -> Providers:
    return described(again(engine), places.wards(engine, EVERYTHING, b.BOARD))


def made(engine: Engine, *returned: Service, listed: Sequence[Service] = ()) -> Providers:
    found_in(engine, *returned, listed=listed)
    return providers_of(engine)


def rows_of(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    told: Any = frame[list(columns) or list(frame.columns)].astype(object)
    return list(told.where(told.notna(), None).itertuples(index=False, name=None))


def total_of(providers: Providers) -> dict[str, Any]:
    total = capacity_total(providers.listed)
    return {name: None if pd.isna(value) else value for name, value in total.items()}


# Listed.


def test_the_services_of_the_small_board(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    columns = ("service_name", "wards", "districts", "reach", "postcodes", WAITING, HIDDEN)
    # 9 and 12 who wait go to 10.
    assert rows_of(providers_of(any_engine).listed.frame, *columns) == [
        ("Choir", 3, "Northam", "names the district", None, 10, False),
        ("Garden", 1, "Northam", "names the ward", None, 10, False),
        ("Helpline", 3, "Southam", "online", None, None, False),
        ("Old List", 1, "Southam", "names the ward", None, None, False),
    ]


def test_how_each_serves_and_where_it_is(sqlite_engine: Engine) -> None:
    providers = made(
        sqlite_engine,
        Service("a", (DALE, b.NORTHAM), lies_in=(ABBEY, DALE), postcode="ZZ1 1AA"),
        Service("b", (b.BOARD,)),
        Service("c", (b.BOARD, ELM)),
        Service("d", (), is_online=True),
        Service("e", ()),
        Service("f", (), lies_in=(ABBEY, GORSE)),
    )
    columns = ("service_name", "wards", "districts", "reach", "postcodes")
    assert rows_of(providers.listed.frame, *columns) == [
        ("A", 4, "Northam, Southam", "names the ward", "ZZ1 1AA"),
        ("B", 0, None, "names the board", None),
        ("C", 1, "Southam", "names the ward", None),
        ("D", 0, None, "online", None),
        ("E", 0, None, "not placed", None),
        ("F", 1, "Northam", "lies in the ward", None),
    ]
    assert online_or_wide(providers.found) == {"Together CIC / b", "Together CIC / d"}


@pytest.mark.parametrize(
    ("ward_codes", "names"),
    rest_is_slow(
        (None, ["Board", "Far", "Near", "Nowhere"]),
        ([ABBEY], ["Board", "Near"]),
        ([DALE, ABBEY], ["Board", "Far", "Near"]),
        ([CASTLE], ["Board"]),
        ([], ["Board"]),
        fast=2,
    ),
)
def test_services_of_a_chosen_area(
    sqlite_engine: Engine, ward_codes: list[str] | None, names: list[str]
) -> None:
    found = found_in(
        sqlite_engine, Service("near", (ABBEY,)), Service("far", (DALE,)),
        Service("board", (b.BOARD,)), Service("nowhere", ()),
    )  # fmt: skip
    assert found.listed[serving_area(found, ward_codes)]["service_name"].tolist() == names


# Capacity.


def test_all_together_by_hand(sqlite_engine: Engine) -> None:
    """The garden's 12 places of which 9 are filled, and the choir's 8 of 8: 17 of 20."""
    b.Board().save(sqlite_engine)
    assert total_of(providers_of(sqlite_engine)) == {
        "services": 4, "told": 2, "places_offered": 20, "places_filled": 17, "free_places": 3,
        "utilisation": 0.85, "has_room": 3, "full": 1, "full_with_list": 0, "waiting_told": 2, WAITING: 20,
        HIDDEN: False, "median_wait_days": None,
    }  # fmt: skip


NOTHING = {
    "services": 1, "told": 0, "places_offered": None, "places_filled": None, "free_places": None,
    "utilisation": None, "has_room": None, "full": None, "full_with_list": None,
    "waiting_told": 0, WAITING: None,
    HIDDEN: False, "median_wait_days": None,
}  # fmt: skip
SILENT = replace(WALK, state=None)


@pytest.mark.parametrize(
    ("services", "told"),
    rest_is_slow(
        ([SILENT], {}),
        # Half of it told is not told.
        ([replace(SILENT, offered=5)], {}),
        ([replace(SILENT, filled=5)], {}),
        ([replace(SILENT, state="has capacity")], {"has_room": 1, "full": 0, "full_with_list": 0}),
        ([replace(SILENT, state="full")], {"has_room": 0, "full": 1, "full_with_list": 0}),
        ([replace(SILENT, state="full with waiting list")], {"has_room": 0, "full": 1, "full_with_list": 1}),
        (
            [replace(SILENT, offered=5, filled=3)],
            {"told": 1, "places_offered": 5, "places_filled": 3, "free_places": 2,
             "utilisation": 0.6, "has_room": 1, "full": 0, "full_with_list": 0},
        ),
        # More filled than offered is more than all.
        (
            [replace(SILENT, offered=5, filled=6)],
            {"told": 1, "places_offered": 5, "places_filled": 6, "free_places": 0,
             "utilisation": 1.2, "has_room": 0, "full": 1, "full_with_list": 0},
        ),
        # No share of no places.
        (
            [replace(SILENT, offered=0, filled=0)],
            {"told": 1, "places_offered": 0, "places_filled": 0, "free_places": 0,
             "has_room": 0, "full": 1, "full_with_list": 0},
        ),
        # Only who told both is in the figures of places.
        (
            [replace(SILENT, offered=5, filled=3), replace(SILENT, service_id="2", offered=90)],
            {"services": 2, "told": 1, "places_offered": 5, "places_filled": 3, "free_places": 2,
             "utilisation": 0.6, "has_room": 1, "full": 0, "full_with_list": 0},
        ),
        ([replace(SILENT, waiting=0)], {"waiting_told": 1, WAITING: 0}),
        ([replace(SILENT, waiting=3)], {"waiting_told": 1, HIDDEN: True}),
        ([replace(SILENT, waiting=12)], {"waiting_told": 1, WAITING: 10}),
        # 10, and 1 to 7: 14, which is 15 in fives.
        (
            [replace(SILENT, waiting=12), replace(SILENT, service_id="2", waiting=2)],
            {"services": 2, "waiting_told": 2, WAITING: 15},
        ),
        (
            [replace(SILENT, wait_days=10), replace(SILENT, service_id="2", wait_days=21),
             replace(SILENT, service_id="3")],
            {"services": 3, "median_wait_days": 15.5},
        ),
        fast=4,
    ),
)  # fmt: skip
def test_what_was_not_told_is_missing_and_never_0(
    sqlite_engine: Engine, services: list[Service], told: dict[str, Any]
) -> None:
    providers = made(sqlite_engine, *services)
    assert total_of(providers) == NOTHING | told
    # One group of all of them is the same.
    groups = providers.listed.frame[["service_key"]].assign(group="all")
    (row,) = rows_of(capacity_by(providers.listed, groups).frame)
    assert row == ("all", *(NOTHING | told).values())


def test_nobody_has_nothing(sqlite_engine: Engine) -> None:
    providers = made(sqlite_engine)
    assert total_of(providers) == NOTHING | {"services": 0}
    assert capacity_by(
        providers.listed, groups_of(providers, "provider", pd.DataFrame())
    ).frame.empty


@pytest.mark.parametrize(
    ("by", "expected"),
    rest_is_slow(
        ("provider", [("Together CIC", 3, 2, 20), ("Helpers", 1, 0, None)]),
        ("theme", [("loneliness", 4, 2, 20), ("food", 1, 1, 12)]),
        # The choir is in three wards: groups do not add up. Most places first, then services.
        ("ward", [
            (ABBEY, 2, 2, 20), (BROOK, 1, 1, 8), (CASTLE, 1, 1, 8),
            (ELM, 2, 0, None), (DALE, 1, 0, None), (FORD, 1, 0, None),
        ]),
        ("locality", [(b.NORTHAM, 2, 2, 20), (b.SOUTHAM, 2, 0, None)]),
        fast=2,
    ),
)  # fmt: skip
def test_capacity_by_group(
    sqlite_engine: Engine, by: str, expected: list[tuple[str, int, int, int | None]]
) -> None:
    garden = replace(b.GARDEN, also_for=("food",), offered=12, filled=9)
    helpline = replace(b.HELPLINE, provider="Helpers")
    providers = made(sqlite_engine, garden, b.CHOIR, helpline, b.OLD_LIST)
    wards = places.wards(sqlite_engine, EVERYTHING, b.BOARD)
    found = capacity_by(providers.listed, groups_of(providers, by, wards))
    assert rows_of(found.frame, "group", "services", "told", "places_offered") == expected
    assert found.people == (WAITING,)


@PROFILES
def test_who_waits_and_is_hidden_changes_nothing(
    sqlite_engine: Engine, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether 1 person waits or as many as are hidden, nothing that is released is different."""
    use(profile, monkeypatch)
    BARE.save(sqlite_engine)
    seen = []
    for people in range(1, disclosure.PROFILES[profile].hide_to + 1):
        few = replace(WALK, waiting=people)
        other = replace(few, service_id="other", waiting=20, areas=(ABBEY, BROOK))
        save(sqlite_engine, b.services((few, other)))
        save(sqlite_engine, b.capacity([Week("walk", JUNE_22, 9, 8, people, None, "Hill")]))
        providers = providers_of(sqlite_engine)
        wards = places.wards(sqlite_engine, EVERYTHING, b.BOARD)
        trend = trend_of(sqlite_engine, "waiting", 4)
        # The number of the load, and whatever is not of the service.
        frame = providers.listed.frame.drop(columns="part_id")
        by = capacity_by(providers.listed, groups_of(providers, "ward", wards)).frame
        assert frame.set_index("service_id").loc["walk", HIDDEN]
        seen.append((frame, by, trend.weeks.frame))
    for later in seen[1:]:
        for one, same in zip(seen[0], later, strict=True):
            pd.testing.assert_frame_equal(one, same)


# Week by week.


def trend_of(engine: Engine, measure: str, weeks: int = 8, as_at: date = b.AS_AT) -> WeeklyTrend:
    listed = board_services(engine, EVERYTHING, b.BOARD, as_at).listed
    return capacity_trend(engine, EVERYTHING, b.BOARD, as_at, measure, listed, weeks)


def told_in(trend: WeeklyTrend) -> tuple[list[tuple[Any, ...]], int, int]:
    return rows_of(trend.weeks.frame, "week", "value", "value_hidden"), trend.judged, trend.told


@pytest.mark.parametrize(
    ("measure", "values"),
    [
        ("free", [(5, False), (3, False)]),
        ("filled", [(5, False), (9, False)]),
        # 2 who wait are hidden; 9 go to 10.
        ("waiting", [(None, True), (10, False)]),
    ],
)
def test_weeks_of_the_small_board(
    any_engine: Engine, measure: str, values: list[tuple[Any, ...]]
) -> None:
    b.Board().save(any_engine)
    weeks = [(JUNE_15, *values[0]), (JUNE_22, *values[1])]
    assert told_in(trend_of(any_engine, measure)) == (weeks, 1, 1)


def week(service_id: str, monday: date, *figures: int | None) -> Week:
    offered, filled, waiting = figures
    return Week(service_id, monday, offered, filled, waiting, None, "Hill")


ONE, TWO, THREE = (replace(WALK, service_id=n) for n in ("1", "2", "3"))


def test_like_for_like(sqlite_engine: Engine) -> None:
    """A service that did not tell one of the weeks is left out of each, and counted."""
    found_in(
        sqlite_engine, ONE, TWO, THREE,
        weeks=[
            week("1", JUNE_8, 10, 4, 20), week("1", JUNE_15, 10, 12, 30), week("1", JUNE_22, 9, 8, 0),
            week("2", JUNE_8, 100, 40, 3), week("2", JUNE_22, 100, 40, 12),
            # It told of places every week, of people never.
            week("3", JUNE_8, 1, 0, None), week("3", JUNE_15, 1, 1, None),
            week("3", JUNE_22, 1, None, None),
        ],
    )  # fmt: skip
    # 12 of 10 places filled leave none free. The third did not tell how many are filled on the 22nd.
    free = [(JUNE_8, 6, False), (JUNE_15, 0, False), (JUNE_22, 1, False)]
    assert told_in(trend_of(sqlite_engine, "free")) == (free, 1, 3)
    filled = [(JUNE_8, 4, False), (JUNE_15, 12, False), (JUNE_22, 8, False)]
    assert told_in(trend_of(sqlite_engine, "filled")) == (filled, 1, 3)
    waiting = [(JUNE_8, 20, False), (JUNE_15, 30, False), (JUNE_22, 0, False)]
    assert told_in(trend_of(sqlite_engine, "waiting")) == (waiting, 1, 2)


def test_a_service_that_says_it_is_full_has_no_free_place(sqlite_engine: Engine) -> None:
    full = replace(week("1", JUNE_8, 10, 7, 20), state="full")
    found_in(sqlite_engine, ONE, weeks=[full, week("1", JUNE_15, 10, 7, 20)])
    free = [(JUNE_8, 0, False), (JUNE_15, 3, False)]
    assert told_in(trend_of(sqlite_engine, "free")) == (free, 1, 1)


def test_hidden_weeks_are_the_middle_of_their_range(sqlite_engine: Engine) -> None:
    found_in(
        sqlite_engine, ONE, TWO,
        weeks=[
            week("1", JUNE_15, None, None, 7), week("2", JUNE_15, None, None, 1),
            week("1", JUNE_22, None, None, 12), week("2", JUNE_22, None, None, 1),
        ],
    )  # fmt: skip
    # Nothing but hidden ones is hidden; 10 and about 4 are 15 in fives.
    weeks = [(JUNE_15, None, True), (JUNE_22, 15, False)]
    assert told_in(trend_of(sqlite_engine, "waiting")) == (weeks, 2, 2)
    assert told_in(trend_of(sqlite_engine, "free")) == ([], 0, 0)


@pytest.mark.parametrize(
    ("as_at", "weeks", "expected"),
    rest_is_slow(
        (date(2026, 6, 22), 2, [JUNE_8, JUNE_15, JUNE_22]),
        (date(2026, 6, 23), 2, [JUNE_15, JUNE_22]),
        (date(2026, 6, 21), 2, [JUNE_8, JUNE_15]),
        (date(2026, 6, 7), 2, []),
        fast=2,
    ),
)
def test_so_many_weeks_up_to_the_date(
    sqlite_engine: Engine, as_at: date, weeks: int, expected: list[date]
) -> None:
    told = [week("1", monday, 5, 4, 0) for monday in (JUNE_8, JUNE_15, JUNE_22)]
    found_in(sqlite_engine, ONE, weeks=told)
    trend = trend_of(sqlite_engine, "free", weeks, as_at)
    assert trend.weeks.frame["week"].tolist() == expected
    assert trend.weeks.frame["value"].dtype == "Int64"


def test_weeks_of_services_that_are_not_listed_are_not_there(sqlite_engine: Engine) -> None:
    """Those of one that is joined to a directory's entry are."""
    own = replace(RETURNED, service_id="1")
    found = found_in(
        sqlite_engine, own, TWO, listed=(LISTED,), matches=[("Hill", "1", "walk", True)],
        weeks=[week("1", JUNE_22, 5, 4, 0), week("2", JUNE_22, 9, 1, 0)],
    )  # fmt: skip
    one = found.listed[found.listed["service_key"] == "walk"]
    trend = capacity_trend(sqlite_engine, EVERYTHING, b.BOARD, b.AS_AT, "free", one, 8)
    assert told_in(trend) == ([(JUNE_22, 1, False)], 1, 1)


# Money.


def test_money_of_the_small_board(sqlite_engine: Engine) -> None:
    """12 places at 20 pounds and 8 at 10 in Northam, where 20,000 people live; the 5,000 of
    Southam have the helpline, which did not say."""
    b.Board().save(sqlite_engine)
    wards = ward_coverage(sqlite_engine, EVERYTHING, b.BOARD, b.AS_AT).wards.frame
    found = money_by_district(providers_of(sqlite_engine), wards)
    found = found.astype(object).where(found.notna(), None)
    assert found.to_dict("records") == [
        {"lad_code": b.SOUTHAM, "lad_name": "Southam", "population": 5000, "pounds": None,
         "vcse_pounds": 0.0, "vcse_per_1000": 0.0},
        {"lad_code": b.NORTHAM, "lad_name": "Northam", "population": 20_000, "pounds": 320.0,
         "vcse_pounds": 320.0, "vcse_per_1000": 16.0},
    ]  # fmt: skip


WARDS = pd.DataFrame(
    [
        (ABBEY, b.NORTHAM, "Northam", 5000), (BROOK, b.NORTHAM, "Northam", 15_000),
        (DALE, b.SOUTHAM, "Southam", 20_000), (FORD, b.SOUTHAM, "Southam", None),
        (GORSE, b.EASTHAM, "Eastham", None),
    ],
    columns=["ward_code", "lad_code", "lad_name", "population"],
).astype({"population": "Int64"})  # fmt: skip


def test_money_of_the_voluntary_sector_and_of_others(sqlite_engine: Engine) -> None:
    paid = Service("paid", (ABBEY, DALE), offered=10, cost_per_place=25.0, sector="VCSE")
    providers = made(
        sqlite_engine,
        paid,
        replace(paid, service_id="council", areas=(b.BOARD,), sector="council"),
        replace(paid, service_id="unsaid", areas=(DALE,), sector=None, offered=4),
        replace(paid, service_id="unknown", offered=None),
    )
    # 250 to 5,000 and 20,000 people; 250 to 20,000 and 20,000; 100 to Southam.
    assert rows_of(money_by_district(providers, WARDS)) == [
        (b.NORTHAM, "Northam", 20_000, 175.0, 50.0, 2.5),
        (b.SOUTHAM, "Southam", 20_000, 425.0, 200.0, 10.0),
        # Where nobody's number is known, no money is.
        (b.EASTHAM, "Eastham", None, None, None, None),
    ]


# Asked.


@pytest.fixture(autouse=True)
def one_postcode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only ZZ1 1AA is known: it needs no download."""

    def place(postcodes: Any) -> pd.DataFrame:
        where = [600_000.0 if postcode == "ZZ1 1AA" else None for postcode in postcodes]
        return pd.DataFrame({"postcode": list(postcodes), "easting": where, "northing": where})

    monkeypatch.setattr(services_intake, "place_postcodes", place)


def asked(engine: Engine, provider: str, scope: Scope = EVERYTHING) -> bytes:
    body = ask_file(engine, scope, provider)
    assert body is not None
    return body


def read_back(body: bytes) -> CleanLoad:
    source = Source.of("services.xlsx", body)
    load = whole(intake.read(source, Lookups()))
    assert load.dataset == "services"
    return load


def as_told(load: CleanLoad, provider: str) -> dict[str, Any]:
    """What a return says of each service of a provider, people who wait aside."""
    rows = load.rows["service"]
    told: Any = rows[rows["provider"] == provider].drop(columns=["part_key", WAITING])
    told = told.drop(columns=[name for name in told if told[name].isna().all()]).astype(object)
    said: dict[str, Any] = {
        row["service_id"]: {name: value for name, value in row.items() if not pd.isna(value)}
        for row in told.to_dict("records")
    }
    for table, column in (
        ("service_area", "area_code"), ("service_theme", "theme"), ("service_place", "postcode"),
    ):  # fmt: skip
        named = load.rows[table]
        for key, one in said.items():
            mine = named[(named["service_id"] == key) & (named["part_key"] == provider)]
            one[column] = sorted(set(mine[column].dropna()))
    return said


WHOLE = Service(
    "w", (ABBEY, b.SOUTHAM, b.BOARD), is_online=True, state="full with waiting list",
    opens_on=date(2026, 1, 1), closes_on=date(2027, 1, 31), funding_ends=date(2026, 9, 30),
    provider="Hill", theme="carers", also_for=("food", "long-term condition"), lies_in=(ABBEY,),
    postcode="ZZ1 1AA", offered=0, filled=12, waiting=9, wait_days=0, cost="free; £2 a week",
    safeguarding=False, funder="Council", cost_per_place=12.5, minimum_age=18, maximum_age=65,
    sector="VCSE", access="by referral", name="The whole of it",
)  # fmt: skip


def test_the_file_read_back_says_the_same(any_engine: Engine) -> None:
    bare = replace(WALK, state=None, areas=())
    load = b.services((WHOLE, bare, replace(WHOLE, service_id="other", provider="Vale")))
    BARE.save(any_engine)
    save(any_engine, load)
    back = read_back(asked(any_engine, "Hill"))
    assert as_told(back, "Hill") == as_told(load, "Hill")
    assert set(as_told(back, "Hill")) == {"w", "walk"}
    assert back.rows["service"]["provider"].unique().tolist() == ["Hill"]
    # Few people who wait would be hidden: who asks does not see them, and asks again.
    assert back.rows["service"][WAITING].isna().all()


@pytest.mark.parametrize("seed", rest_is_slow(*range(3)))
def test_whatever_was_returned_comes_back(sqlite_engine: Engine, seed: int) -> None:
    returned, _ = random_services(seed)
    load = b.services([replace(service, lies_in=()) for service in returned])
    BARE.save(sqlite_engine)
    save(sqlite_engine, load)
    for provider in ("Hill", "Vale"):
        back = as_told(read_back(asked(sqlite_engine, provider)), provider)
        assert back == as_told(load, provider)
        assert len(back) > 5


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "+44", "-1", "http://a.example", "007"])
def test_no_name_is_a_formula_a_link_or_a_number(sqlite_engine: Engine, name: str) -> None:
    BARE.save(sqlite_engine)
    save(sqlite_engine, b.services((replace(WALK, name=name, funder=name, provider=name),)))
    body = asked(sqlite_engine, name)
    cells = list(openpyxl.load_workbook(io.BytesIO(body)).worksheets[0].iter_rows())[1]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    assert not any(cell.hyperlink for cell in cells)
    row = read_back(body).rows["service"].iloc[0]
    assert [row["service_name"], row["funder"], row["provider"]] == [name] * 3


def test_a_provider_that_a_directory_lists_can_return_what_it_was_asked(
    sqlite_engine: Engine,
) -> None:
    listed = replace(LISTED, provider="Hill", areas=(ABBEY,), postcode="ZZ1 1AA")
    found_in(sqlite_engine, listed=(listed,))
    body = asked(sqlite_engine, "Hill")
    load = read_back(body)
    assert as_told(load, "Hill")["walk"]["area_code"] == [ABBEY]
    # A directory says nothing of needs: that is what is asked.
    assert load.rows["service_theme"].empty
    mended = {
        "service_id": "walk", "service_name": "Walks", "provider": "Hill", "area_served": ABBEY,
        "need_themes": "food", "places_offered": "10", "confirmed_on": "2026-06-29",
    }  # fmt: skip
    form = filled_in(intake.dataset_named("services"), [mended], "")
    save(sqlite_engine, read_back(form))
    found = again(sqlite_engine)
    assert ways(found) == {"walk": {ABBEY: "names the ward"}}
    columns = ("said_by", "places_offered", "confirmed_on", "cost_to_person", "themes")
    assert rows_of(found.listed, *columns) == [
        ("the provider's return and the directory", 10, date(2026, 6, 29), "free", "food")
    ]
    # And what was asked as it stood, without a word changed, is one service too.
    save(sqlite_engine, load)
    assert ways(again(sqlite_engine)) == {"walk": {ABBEY: "names the ward"}}


def test_what_its_directory_closed_is_not_asked_for(sqlite_engine: Engine) -> None:
    first = b.directory([b.Service("walk", (b.ABBEY,), provider="Together CIC")])
    b.Board(directory=()).save(sqlite_engine)
    save(sqlite_engine, first)
    listed = service_queries.provider_services(sqlite_engine, EVERYTHING, "Together CIC")
    assert "walk" in set(listed["service_id"])
    save(sqlite_engine, b.directory([b.Service("talk", (b.ABBEY,), provider="Talk")], "walk"))
    listed = service_queries.provider_services(sqlite_engine, EVERYTHING, "Together CIC")
    assert "walk" not in set(listed["service_id"])
    assert "choir" in set(listed["service_id"])


def test_one_that_both_list_is_asked_once(sqlite_engine: Engine) -> None:
    listed = replace(LISTED, provider="Hill", minimum_age=18)
    found_in(sqlite_engine, replace(RETURNED, areas=(ELM,)), listed=(listed,))
    (row,) = as_told(read_back(asked(sqlite_engine, "Hill")), "Hill").values()
    assert row["service_name"] == "Hill walks"
    assert [row["cost_to_person"], row["minimum_age"], row["places_offered"]] == ["free", 18.0, 10]
    assert [row["area_code"], row["theme"], row["postcode"]] == [[ELM], ["loneliness"], ["ZZ1 1AA"]]


def test_who_is_not_known_or_not_stated_or_not_the_readers_is_asked_nothing(
    sqlite_engine: Engine,
) -> None:
    nameless = Service("x", (ABBEY,), provider=NOT_STATED, state=None)
    theirs = Service("y", (ABBEY, GORSE), provider="Both")
    found_in(sqlite_engine, WALK, theirs, listed=(nameless,))
    assert ask_file(sqlite_engine, EVERYTHING, "Hills") is None
    assert ask_file(sqlite_engine, EVERYTHING, "") is None
    assert ask_file(sqlite_engine, EVERYTHING, NOT_STATED) is None
    mine = Scope(frozenset({b.BOARD}))
    assert asked(sqlite_engine, "Hill", mine) == asked(sqlite_engine, "Hill")
    # One that also serves the neighbour would be sent what is not the reader's.
    assert ask_file(sqlite_engine, mine, "Both") is None
    assert ask_file(sqlite_engine, Scope(frozenset({b.BOARD, b.NEIGHBOUR})), "Both") is not None
    assert ask_file(sqlite_engine, Scope(frozenset({b.NEIGHBOUR})), "Hill") is None
    assert ask_file(sqlite_engine, Scope(frozenset()), "Hill") is None


# The same, or not.


@pytest.fixture
def own_engine(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A new database that the dashboard of this process reads."""
    url = sqlite_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", url)
    settings.cache_clear()
    yield data.engine()
    data.engine().dispose()


def test_what_somebody_says_is_the_same_is_one_service_from_now_on(own_engine: Engine) -> None:
    found_in(own_engine, replace(RETURNED, service_id="1"), listed=(LISTED,))
    first = say_whether_same(own_engine, "Hill", "1", "walk", False, "Ann")
    assert set(ways(again(own_engine))) == {"Hill / 1", "walk"}
    assert (first.dataset, first.parts_added, first.parts_replaced) == ("service_matches", 1, 0)
    second = say_whether_same(own_engine, "Hill", "1", "walk", True, "Bob")
    assert (second.parts_added, second.parts_replaced) == (1, 1)
    assert ways(again(own_engine)) == {"walk": {ABBEY: "lies in the ward"}}
    with pytest.raises(AlreadyLoadedError):
        say_whether_same(own_engine, "Hill", "1", "walk", True, "Cy")
    # Of another entry, it is another answer.
    say_whether_same(own_engine, "Hill", "1", "other", False, "Cy")
    assert set(ways(again(own_engine))) == {"walk"}
    undo(own_engine, second.load_id, "Cy")
    assert set(ways(again(own_engine))) == {"Hill / 1", "walk"}
    # What was undone may be said again.
    say_whether_same(own_engine, "Hill", "1", "walk", True, "Bob")
    assert set(ways(again(own_engine))) == {"walk"}


def test_what_is_said_beside_the_demonstration_belongs_to_it(own_engine: Engine) -> None:
    b.Board().save(own_engine, is_demonstration=True)
    files = len(loads.sources(own_engine, EVERYTHING))
    record = say_whether_same(own_engine, "Together CIC", "helpline", "garden", False, "Ann")
    assert not record.removed_demonstration
    assert loads.data_state(own_engine).is_demonstration
    assert len(loads.sources(own_engine, EVERYTHING)) == files + 1
