"""Capacity by week, what is the same service, and what the services return says since form 4."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from dashboard.intake import DATASETS, take_in
from dashboard.intake.problems import RefusedError
from dashboard.intake.services import SECTORS, STATES
from dashboard.intake.source import Source
from queries import history, tables
from queries.places import in_force
from tests.intake import files
from tests.intake.files import read
from tests.intake.test_bad_files import change, only_heading, twice

CAPACITY, MATCHES = files.CAPACITY, files.SERVICE_MATCHES


def rows_of(text: str, table: str) -> list[list[Any]]:
    frame = read(text).rows[table].astype(object)
    return frame.where(frame.notna(), None).values.tolist()


def names_of(text: str) -> list[str]:
    source = Source.of("any.csv", text.encode())
    return [dataset.name for dataset in DATASETS if dataset.recognises(source)]


# --- capacity ----------------------------------------------------------------------------

JUNE_15, JUNE_22 = date(2026, 6, 15), date(2026, 6, 22)


def test_capacity():
    load = read(CAPACITY)
    hill, dale = "2026-06-15 Hill charity", "2026-06-15 Dale advice"
    # A blank or a dash says nothing; nought says none.
    assert rows_of(CAPACITY, "service_capacity") == [
        ["Hill charity", "s1", JUNE_15, "has capacity", 12, 9, 0, 14, hill],
        ["Hill charity", "s1", JUNE_22, "full", 12, 13, None, None, "2026-06-22 Hill charity"],
        ["Hill charity", "s2", JUNE_15, None, None, None, 3, None, hill],
        ["Dale advice", "s1", JUNE_15, "full with waiting list", None, None, None, None, dale],
    ]
    assert load.parts.values.tolist() == [
        [hill, JUNE_15, date(2026, 6, 21)],
        ["2026-06-22 Hill charity", JUNE_22, date(2026, 6, 28)],
        [dale, JUNE_15, date(2026, 6, 21)],
    ]
    assert load.notes == (
        "4 rows of 3 services in 2 weeks",
        "1 with more places filled than offered",
    )


@pytest.mark.parametrize(
    "heading",
    [
        "Organisation,ID,Week beginning,State,Places offered,Places filled,People waiting,wait_days",
        "provider_name,service_id,week_of,state,places_offered,places_filled,waiting,days waiting",
    ],
)
def test_capacity_under_other_headings(heading: str):
    text = heading + "\n" + CAPACITY.split("\n", 1)[1]
    assert names_of(text) == ["capacity"]
    assert rows_of(text, "service_capacity") == rows_of(CAPACITY, "service_capacity")
    assert read(text).notes == read(CAPACITY).notes


def test_weeks_go_before_the_services_they_name():
    text = "service_id,service_name,provider,area_served,week,state\ns1,Walks,p,,2026-06-15,full\n"
    assert read(text).dataset == "capacity"
    assert read(text).notes[-1] == "columns not read: service_name, area_served"
    assert read(text.replace("week", "weeks")).dataset == "services"


@pytest.mark.parametrize(
    ("day", "monday"),
    [
        ("2026-06-14", "2026-06-08"),
        ("2026-06-15", "2026-06-15"),
        ("2026-06-21", "2026-06-15"),
        ("2026-06-22", "2026-06-22"),
        ("2026-01-01", "2025-12-29"),
    ],
)
def test_any_date_of_a_week_is_its_monday(day: str, monday: str):
    text = f"provider,service_id,week,waiting\np,s,{day},1\n"
    assert read(text).rows["service_capacity"]["week"].tolist() == [date.fromisoformat(monday)]


@given(st.dates(date(2015, 1, 1), date(2100, 12, 31)))
def test_every_date_has_a_week_it_lies_in(day: date):
    load = read(f"provider,service_id,week,waiting\np,s,{day},1\n")
    ((_, monday, sunday),) = load.parts.values.tolist()
    assert monday.weekday() == 0
    assert monday <= day <= sunday == monday + timedelta(days=6)


@pytest.mark.parametrize(("filled", "overbooked"), [(12, 0), (13, 1)])
def test_as_many_filled_as_offered_is_not_more(filled: int, overbooked: int):
    text = f"provider,service_id,week,places_offered,places_filled\np,s,2026-06-15,12,{filled}\n"
    assert read(text).notes[1] == f"{overbooked} with more places filled than offered"


@pytest.mark.parametrize("figure", ["state", "places_offered", "places_filled", "waiting"])
def test_one_figure_is_enough(figure: str):
    value = STATES[0] if figure == "state" else "0"
    text = f"provider,service_id,week,{figure}\np,s,2026-06-15,{value}\n"
    row = read(text).rows["service_capacity"].iloc[0]
    given = {"waiting": "people_waiting"}.get(figure, figure)
    assert row.notna().sum() == 5  # provider, service, week, part and this one
    assert str(row[given]) == value


CAPACITY_REFUSED = [
    (twice(CAPACITY, 2), "the same provider, service and week", 6, None),
    # Another day of the same week.
    (CAPACITY + "Hill charity,s1,2026-06-21,full,,,,\n", "the same provider, service", 6, None),
    (change(CAPACITY, "Hill charity", ""), "expected a text", 2, "provider"),
    (change(CAPACITY, "s2", ""), "expected a text", 4, "service_id"),
    (change(CAPACITY, "s2", "s" * 65), "at most 64 characters", 4, "service_id"),
    (change(CAPACITY, "2026-06-15", ""), "a date such as", 2, "week"),
    (change(CAPACITY, "2026-06-15", "week 25"), "a date such as", 2, "week"),
    (change(CAPACITY, "2026-06-15", "2014-12-31"), "a date from 2015", 2, "week"),
    (change(CAPACITY, "2026-06-15", "2101-01-01"), "a date from 2015", 2, "week"),
    (change(CAPACITY, "Has capacity", "open"), "expected one of has capacity", 2, "state"),
    (change(CAPACITY, ",12,9,", ",-12,9,"), "a whole number", 2, "places_offered"),
    (change(CAPACITY, ",12,9,", ",12,9.5,"), "a whole number", 2, "places_filled"),
    (change(CAPACITY, ",9,0,", ",9,some,"), "a whole number", 2, "waiting"),
    (change(CAPACITY, ",0,14", ",0,-1"), "a whole number", 2, "wait_days"),
    (change(CAPACITY, ",,,,3,-", ",,,,,"), "expected at least one figure", 4, "service_id"),
    (change(CAPACITY, ",,,,3,-", ",,,,*,-"), "expected at least one figure", 4, "service_id"),
    ("provider,service_id,week\np,s,2026-06-15\n", "expected at least one figure", 2,
     "service_id"),
    (only_heading(CAPACITY), "no rows", None, None),
]  # fmt: skip
MATCHES_REFUSED = [
    (twice(MATCHES, 2), "the same provider and two services", 4, None),
    (change(MATCHES, "Hill charity", ""), "expected a text", 2, "provider"),
    (change(MATCHES, "s1", ""), "expected a text", 2, "service_id"),
    (change(MATCHES, "s1", "s" * 65), "at most 64 characters", 2, "service_id"),
    (change(MATCHES, "ac148810-d857-441c-9679-408f346de14b", ""), "expected a text", 2,
     "other_service_id"),
    (change(MATCHES, "ac148810", "a" * 65), "at most 64", 2, "other_service_id"),
    (change(MATCHES, "yes", ""), "yes or no", 2, "same"),
    (change(MATCHES, "yes", "perhaps"), "yes or no", 2, "same"),
    (only_heading(MATCHES), "no rows", None, None),
]  # fmt: skip

HEADING = (
    "service_id,service_name,provider,area_served,postcode,online,sector,access,wait_days,"
    "minimum_age,maximum_age\n"
)
SERVICES = HEADING + (
    "s1,Walks,Hill charity,,zz11aa,,vcse,drop-in,14,18,65\n"
    "s2,Debt advice,Hill charity,E05000001,ZZ1 1AA,,Council,by appointment,0,,\n"
    "s3,Choir,Hill charity,,ZZ9 9ZZ,,,,,18,18\n"
    "s4,Phone friends,Dale advice,,ZZ9 9ZZ,yes,NHS,,,,\n"
    "s5,Garden,Dale advice,E07000001,ZZ9 9ZZ,,private,,,0,150\n"
)
SERVICES_REFUSED = [
    (change(SERVICES, "vcse", "charity"), "expected one of VCSE, NHS", 2, "sector"),
    (change(SERVICES, "drop-in", "x" * 101), "at most 100 characters", 2, "access"),
    (change(SERVICES, "zz11aa", "z" * 101), "at most 100 characters", 2, "postcode"),
    (change(SERVICES, ",14,18", ",two weeks,18"), "a whole number", 2, "wait_days"),
    (change(SERVICES, ",14,18", ",-14,18"), "a whole number", 2, "wait_days"),
    (change(SERVICES, ",18,65", ",-18,65"), "a number from 0", 2, "minimum_age"),
    (change(SERVICES, ",18,65", ",18,old"), "a number from 0", 2, "maximum_age"),
    (change(SERVICES, ",18,65", ",151,"), "an age up to 150", 2, "minimum_age"),
    (change(SERVICES, ",0,150", ",0,151"), "an age up to 150", 6, "maximum_age"),
    (change(SERVICES, ",18,18", ",18,17"), "at least the minimum age", 4, "maximum_age"),
]


@pytest.mark.usefixtures("one_postcode")
@pytest.mark.parametrize(
    ("text", "rule", "row", "column"), [*CAPACITY_REFUSED, *MATCHES_REFUSED, *SERVICES_REFUSED]
)
def test_refused(text: str, rule: str, row: int | None, column: str | None):
    with pytest.raises(RefusedError) as refusal:
        read(text)
    assert [(p.row, p.column) for p in refusal.value.problems if rule in p.rule] == [(row, column)]
    assert len(refusal.value.problems) == 1


# --- same service, or not ----------------------------------------------------------------


def test_service_matches():
    assert names_of(MATCHES) == ["service_matches"]
    one, other = "ac148810-d857-441c-9679-408f346de14b", "b644a0d2-9e8a-4c33-9390-ae9ee93fc056"
    assert rows_of(MATCHES, "service_match") == [
        ["Hill charity", "s1", one, True, f"Hill charity s1 {one}"],
        ["Hill charity", "s1", other, False, f"Hill charity s1 {other}"],
    ]
    load = read(MATCHES)
    assert load.parts["part_key"].tolist() == [f"Hill charity s1 {one}", f"Hill charity s1 {other}"]
    assert load.notes == ("1 the same service, 1 not",)


# --- services ----------------------------------------------------------------------------


@pytest.mark.usefixtures("one_postcode")
def test_services_by_postcode_and_what_else_they_say():
    load = read(SERVICES)
    columns = ["service_id", "sector", "access", "wait_days", "minimum_age", "maximum_age"]
    said = load.rows["service"][columns].astype(object)
    assert said.where(said.notna(), None).values.tolist() == [
        ["s1", "VCSE", "drop-in", 14, 18, 65],
        ["s2", "council", "by appointment", 0, None, None],
        ["s3", None, None, None, 18, 18],
        ["s4", "NHS", None, None, None, None],
        ["s5", "private", None, None, 0, 150],
    ]
    places = load.rows["service_place"]
    assert places[["part_key", "service_id", "postcode", "placed_by"]].values.tolist() == [
        ["Hill charity", "s1", "ZZ1 1AA", "postcode"],
        ["Hill charity", "s2", "ZZ1 1AA", "postcode"],
    ]
    # 600 000 m east and north, as PROJ has it.
    assert places["latitude"].tolist() == pytest.approx([55.253591] * 2, abs=1e-5)
    assert places["longitude"].tolist() == pytest.approx([1.145328] * 2, abs=1e-5)
    # s1 has a postcode only, s3 one that is not known; the others are online or name an area.
    assert load.notes == (
        "5 services of 2 providers",
        "1 not placed: neither an area served nor online",
        "3 postcodes not found",
        "0 with more places filled than offered",
    )


def test_a_return_without_postcodes_has_no_places():
    load = read(files.SERVICES)
    assert load.rows["service_place"].empty
    assert not [note for note in load.notes if "postcode" in note]


def test_every_sector_is_taken():
    rows = "".join(f"s{n},x,p,,,,{word},,,,\n" for n, word in enumerate(SECTORS))
    assert read(HEADING + rows).rows["service"]["sector"].tolist() == list(SECTORS)


def test_a_postcode_of_the_directory_of_postcodes():
    """SW1A 1AA is at 51.50101, -0.14156 by the ONS Postcode Directory."""
    ((north, east),) = (
        read(HEADING + "s1,x,p,,sw1a 1aa,,,,,,\n")
        .rows["service_place"][["latitude", "longitude"]]
        .values.tolist()
    )
    assert (north, east) == pytest.approx((51.50101, -0.14156), abs=2e-4)


# --- loaded ------------------------------------------------------------------------------


def taken_in(engine: Engine, text: str) -> int:
    return take_in(engine, Source.of("file.csv", text.encode()), b"key").load_id


def in_force_now(engine: Engine, table: str, *columns: str) -> list[tuple[Any, ...]]:
    rows = tables.metadata.tables[table].c
    with engine.connect() as connection:
        statement = select(*(rows[column] for column in columns)).where(in_force(rows.part_id))
        return sorted(map(tuple, connection.execute(statement)))


@pytest.mark.usefixtures("one_postcode")
def test_all_three_are_loaded_replaced_and_taken_back(any_engine: Engine):
    for text in (CAPACITY, MATCHES, SERVICES):
        taken_in(any_engine, text)
    weeks = ("provider", "week", "service_id", "places_offered")
    assert in_force_now(any_engine, "service_capacity", *weeks) == [
        ("Dale advice", JUNE_15, "s1", None),
        ("Hill charity", JUNE_15, "s1", 12),
        ("Hill charity", JUNE_15, "s2", None),
        ("Hill charity", JUNE_22, "s1", 12),
    ]
    # A later file of the same week and provider goes in its place, and leaves the others.
    again = "provider,service_id,week,places_offered\nHill charity,s1,2026-06-16,20\n"
    second = taken_in(any_engine, again)
    assert in_force_now(any_engine, "service_capacity", *weeks) == [
        ("Dale advice", JUNE_15, "s1", None),
        ("Hill charity", JUNE_15, "s1", 20),
        ("Hill charity", JUNE_22, "s1", 12),
    ]
    history.undo(any_engine, second, None)
    assert len(in_force_now(any_engine, "service_capacity", *weeks)) == 4

    changed = MATCHES.splitlines()[0] + "\n" + MATCHES.splitlines()[1].replace("yes", "no") + "\n"
    taken_in(any_engine, changed)
    assert [row[0] for row in in_force_now(any_engine, "service_match", "is_same")] == [
        False,
        False,
    ]
    assert in_force_now(any_engine, "service_place", "service_id", "postcode", "placed_by") == [
        ("s1", "ZZ1 1AA", "postcode"),
        ("s2", "ZZ1 1AA", "postcode"),
    ]
    assert pd.notna([row[0] for row in in_force_now(any_engine, "service_place", "latitude")]).all()
