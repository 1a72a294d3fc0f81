"""The directory: costs, access, postcodes, services that vanish, and the report on a feed."""

from __future__ import annotations

import json
import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from dashboard.intake import known_so_far, recognise, sandbox, staged, take_in
from dashboard.intake.directory_report import Finding, Paging, report_in_short, report_lines
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from queries import history, lookups, tables
from queries.places import in_force
from tests.conftest import skip_or_fail
from tests.intake.files import Lookups, read, whole
from tests.intake.more_files import page, place, service

TODAY = date.today()
REAL = Path(__file__).parents[2].parent / "shared" / "real" / "oruk"


def one(**other: Any) -> dict[str, Any]:
    """What the reader makes of a feed with one service."""
    row = read(page([service(1, **other)])).rows["service"].astype(object).iloc[0]
    return row.where(row.notna(), None).to_dict()


# --- what it costs, and how one gets in --------------------------------------------------


def option(amount: Any = None, what: Any = None, name: Any = None) -> dict[str, Any]:
    return {"option": name, "amount": amount, "amount_description": what}


@pytest.mark.parametrize(
    ("stated", "cost"),
    [
        ({}, None),
        ({"fees": ""}, None),
        ({"fees": None, "cost_options": None}, None),
        ({"fees": "Free for over 60s"}, "Free for over 60s"),
        ({"fees": "<p>£3 a session</p>"}, "£3 a session"),
        ({"fees": 5}, "5"),
        ({"fees": "0"}, "free"),
        ({"fees": "£0.00"}, "free"),
        ({"fees": "£0.50"}, "£0.50"),
        ({"fees": "£10"}, "£10"),
        ({"fees": "x" * 100}, "x" * 100),
        ({"fees": "x" * 101}, None),
        ({"fees": ["£3"]}, None),
        ({"fees": True}, None),
        ({"cost_options": []}, None),
        ({"cost_options": [option(0)]}, "free"),
        ({"cost_options": [option("0.00"), option(0.0, "a session")]}, "free"),
        ({"cost_options": [option(0), option(0.01)]}, "0; 0.01"),
        ({"cost_options": [option(0), option(None)]}, "free"),
        ({"cost_options": [option(None, "ask us")]}, "ask us"),
        ({"cost_options": [option(35, "per hour", "Under 18s"), option(50)]},
         "Under 18s: 35 per hour; 50"),
        ({"cost_options": [option(True)]}, None),
        ({"cost_options": [option("some")]}, "some"),
        ({"cost_options": [option(0)], "fees": "Free"}, "free"),
        ({"cost_options": [option(0)], "fees": "£2 for tea"}, "£2 for tea"),
        ({"cost_options": [option(2)], "fees": "0"}, "0"),
        ({"cost_options": [option(35)], "fees": "x" * 101}, "35"),
        ({"cost_options": "free"}, None),
        ({"cost_options": [None, 3]}, None),
    ],
)  # fmt: skip
def test_cost_is_as_stated_and_free_where_every_amount_is_nought(
    stated: dict[str, Any], cost: str | None
):
    assert one(**stated)["cost_to_person"] == cost


@given(st.lists(st.integers(0, 3) | st.floats(0, 3) | st.sampled_from(["0", "0.0", "2"])))
def test_free_is_said_of_nothing_else(amounts: list[Any]):
    cost = one(cost_options=[option(amount) for amount in amounts])["cost_to_person"]
    assert (cost == "free") == (bool(amounts) and all(float(amount) == 0 for amount in amounts))


@pytest.mark.parametrize(
    ("stated", "access"),
    [
        ({}, None),
        ({"attending_access": "Drop-in"}, "Drop-in"),
        ({"attending_access": "", "access": "by <b>appointment</b>"}, "by appointment"),
        ({"access": "x" * 100}, "x" * 100),
        ({"access": "x" * 101}, None),
        ({"access": {}}, None),
        ({"schedules": [{}, {"attending_access": "by referral"}]}, "by referral"),
        ({"schedules": [{"attending_type": "Venue"}]}, None),
        ({"schedules": ["by referral"]}, None),
    ],
)
def test_access_is_kept_where_it_is_short(stated: dict[str, Any], access: str | None):
    assert one(**stated)["access"] == access


# --- places by postcode ------------------------------------------------------------------


def address(postcode: Any, key: str = "addresses", **other: Any) -> dict[str, Any]:
    """A location with an address and no coordinates."""
    return {"location": {"name": "Hall", key: [{"postal_code": postcode}], **other}}


def places(*locations: Any) -> list[list[Any]]:
    frame = read(page([service(1, service_at_locations=list(locations))])).rows["service_place"]
    columns = ["place_name", "latitude", "longitude", "postcode", "placed_by"]
    found = frame[columns].astype(object)
    return found.where(found.notna(), None).values.tolist()


# 600 000 m east and north, as PROJ has it.
NORTH, EAST = 55.253591, 1.145328


@pytest.mark.usefixtures("one_postcode")
@pytest.mark.parametrize("key", ["addresses", "physical_addresses"])
def test_a_location_without_coordinates_is_placed_by_its_postcode(key: str):
    ((name, north, east, postcode, by),) = places(address(" zz11aa ", key))
    assert (name, postcode, by) == ("Hall", "ZZ1 1AA", "postcode")
    assert (north, east) == pytest.approx((NORTH, EAST), abs=1e-5)


@pytest.mark.usefixtures("one_postcode")
@pytest.mark.parametrize(
    ("location", "place_found"),
    [
        # Its own point goes before its postcode, which is kept.
        (place(51.5, 0.5, addresses=[{"postal_code": "zz1 1aa"}]),
         ["Hill hall", 51.5, 0.5, "ZZ1 1AA", "point"]),
        (place(51.5, 0.5, addresses=[{"postal_code": "ZZ9 9ZZ"}]),
         ["Hill hall", 51.5, 0.5, None, "point"]),
        (address("ZZ9 9ZZ"), None),
        (address(""), None),
        (address(11), None),
        (address("ZZ1 1AA", location_type="virtual"), None),
        (address("ZZ1 1AA", addresses="here"), None),
        (address("ZZ1 1AA", addresses=[None, {}]), None),
    ],
)  # fmt: skip
def test_a_postcode_beside_a_point_or_of_no_use(location: Any, place_found: list[Any] | None):
    assert places(location) == ([] if place_found is None else [place_found])


@pytest.mark.usefixtures("one_postcode")
def test_the_first_postcode_of_a_location_counts():
    addresses = [{"postal_code": None}, {"postal_code": "ZZ1 1AA"}, {"postal_code": "ZZ9 9ZZ"}]
    assert [row[3] for row in places(address("", addresses=addresses))] == ["ZZ1 1AA"]


@pytest.mark.usefixtures("one_postcode")
def test_the_report_tells_which_postcodes_were_found():
    services = [
        service(1, service_at_locations=[address("ZZ1 1AA"), address("ZZ9 9ZZ")]),
        service(2, service_at_locations=[address("ZZ9 9ZZ")]),
    ]
    notes = read(page(services)).notes
    assert "warn: 2 of 3 postcodes were not found" in notes
    title = "open services are not placed: no place, no area with a code, and not online"
    assert f"warn: 1 of 2 {title}" in notes
    notes = read(page([service(1, service_at_locations=[address("ZZ1 1AA")])])).notes
    assert "pass: 1 of 1 postcodes were found" in notes
    assert "pass: 1 of 1 open services are placed, or online" in notes


def test_an_impossible_coordinate_is_refused_whatever_the_postcode():
    location = place(100, 101, addresses=[{"postal_code": "SW1A 1AA"}])
    with pytest.raises(RefusedError, match="in the British Isles"):
        read(page([service(1, service_at_locations=[location])]))


def test_a_postcode_of_the_directory_of_postcodes():
    """SW1A 1AA is at 51.50101, -0.14156 by the ONS Postcode Directory."""
    ((_, north, east, postcode, by),) = places(address("sw1a1aa"))
    assert (postcode, by) == ("SW1A 1AA", "postcode")
    assert (north, east) == pytest.approx((51.50101, -0.14156), abs=2e-4)


# --- services that vanish ----------------------------------------------------------------


def feed(*numbers: int, **other: Any) -> str:
    return page([service(number) for number in numbers], **other)


def ids(*numbers: int) -> list[str]:
    return [service(number)["id"] for number in numbers]


def closures(text: str, lookups: Lookups) -> list[tuple[str, date]]:
    rows = read(text, lookups).rows["service_closure"]
    return list(zip(rows["service_id"], rows["closed_on"], strict=True))


def told(text: str, lookups: Lookups) -> list[str]:
    """The notes of a load about earlier feeds."""
    notes = read(text, lookups).notes
    return list(notes[1 : [note.startswith("Open Referral") for note in notes].index(True)])


def others(count: int) -> str:
    return (
        f"{count} services came in feeds of which fewer than half are in this one: "
        "taken for other directories, and none of them is closed"
    )


ASSURED = date(2026, 1, 31)  # as `service` says of every service


def test_what_is_missing_from_the_next_feed_is_closed():
    before = Lookups(load_3=ids(1, 2, 3))
    assert closures(feed(1, 2, 4), before) == [(ids(3)[0], ASSURED)]
    assert told(feed(1, 2, 4), before) == [
        "1 services of the feed before are not in this one: closed since 2026-01-31"
    ]
    clean = read(feed(1, 2, 4), before)
    part = f"closed by {clean.sha256[:16]}"
    assert clean.parts["part_key"].tolist() == [*ids(1, 2, 4), part]
    assert clean.rows["service_closure"]["part_key"].tolist() == [part]


@pytest.mark.parametrize(
    ("earlier", "now", "gone", "of_others"),
    [
        ((1, 2, 3), (1, 2, 3), (), 0),
        ((1, 2, 3, 4), (1, 2), (3, 4), 0),  # half of them
        ((1, 2, 3), (1, 4, 5), (), 3),  # a third
        ((1, 2, 3), (4,), (), 3),
        ((), (1,), (), 0),
    ],
)
def test_half_of_the_services_make_it_the_same_directory(
    earlier: tuple[int, ...], now: tuple[int, ...], gone: tuple[int, ...], of_others: int
):
    before = Lookups(load_1=ids(*earlier))
    assert [one for one, _ in closures(feed(*now), before)] == ids(*gone)
    assert told(feed(*now), before)[bool(gone) :] == ([others(of_others)] if of_others else [])


def test_each_load_is_judged_by_itself():
    before = Lookups(load_1=ids(1, 2), load_2=ids(3, 4, 5), load_4=ids(6, 7, 8))
    # Of the first 1 of 2, of the second 2 of 3, of the third 1 of 3.
    assert [one for one, _ in closures(feed(1, 3, 4, 6), before)] == ids(2, 5)
    assert told(feed(1, 3, 4, 6), before)[1] == others(3)


@pytest.mark.parametrize(
    "text",
    [
        feed(1, 2, page_number=1, total_pages=2),
        feed(1, 2, page_number=None, total_pages=2),
        feed(1, 2, total_items=3),
        json.dumps({"content": [service(1), service(2)], "number": 0, "totalPages": 2}),
        json.dumps({"content": [service(1), service(2)], "totalElements": 3}),
    ],
)
def test_a_page_of_several_closes_nothing(text: str):
    assert closures(text, Lookups(load_1=ids(1, 2, 3))) == []
    assert len(read(text).parts) == 2


def test_a_single_service_closes_nothing():
    assert closures(json.dumps(service(1)), Lookups(load_1=ids(1, 2))) == []
    assert len(closures(json.dumps([service(1)]), Lookups(load_1=ids(1, 2)))) == 1


@pytest.mark.parametrize(
    "text", [feed(1, 2, total_items=2), feed(1, 2, total_items=1), feed(1, 2, total_pages=0)]
)
def test_a_feed_that_is_all_here_closes(text: str):
    assert len(closures(text, Lookups(load_1=ids(1, 2, 3)))) == 1


def test_what_is_listed_is_not_closed_though_it_was_left_out_or_is_not_open():
    services = [service(number) for number in range(1, 41)]
    services[0]["name"] = ""  # refused
    services[1]["status"] = "inactive"
    assert closures(page(services), Lookups(load_1=ids(1, 2, 3, 4, 50))) == [(ids(50)[0], ASSURED)]


@pytest.mark.parametrize(
    ("stated", "closed_on"),
    [
        (["2026-01-31", "2026-03-01"], date(2026, 3, 1)),
        (["2026-01-31", TODAY.isoformat()], TODAY),
        (["2026-01-31", (TODAY + timedelta(1)).isoformat()], date(2026, 1, 31)),
        ([(TODAY + timedelta(1)).isoformat(), None], TODAY),
        ([None, None], TODAY),
    ],
)
def test_closed_since_the_newest_date_of_the_feed(stated: list[str | None], closed_on: date):
    text = page([service(n, assured_date=day) for n, day in enumerate(stated, start=1)])
    assert [day for _, day in closures(text, Lookups(load_1=ids(1, 3)))] == [closed_on]


def test_any_date_of_an_entry_may_be_the_newest():
    text = page([service(1, last_modified="2026-05-05T12:00:00Z")])
    assert closures(text, Lookups(load_1=ids(1, 3))) == [(ids(3)[0], date(2026, 5, 5))]


def taken_in(engine: Engine, text: str) -> int:
    return take_in(engine, Source.of("feed.json", text.encode()), b"key").load_id


def in_force_now(engine: Engine, table: str = "service") -> list[str]:
    rows = tables.metadata.tables[table].c
    with engine.connect() as connection:
        statement = select(rows.service_id).where(in_force(rows.part_id))
        return sorted(connection.scalars(statement))


def listed(engine: Engine) -> list[list[Any]]:
    return lookups.directory_services(engine).values.tolist()


def test_undoing_a_feed_brings_everything_back(sqlite_engine: Engine):
    engine = sqlite_engine
    one, two, three, four = ids(1, 2, 3, 4)
    first = taken_in(engine, feed(1, 2, 3))
    before = listed(engine)
    assert before == [[first, one], [first, two], [first, three]]
    second = taken_in(engine, feed(1, 2, 4))
    # The entry that vanished stays, beside its closure.
    assert in_force_now(engine) == [one, two, three, four]
    assert in_force_now(engine, "service_closure") == [three]
    assert listed(engine) == [[second, one], [second, two], [second, four]]

    history.undo(engine, second, "Ann")
    assert in_force_now(engine) == [one, two, three]
    assert in_force_now(engine, "service_closure") == []
    assert listed(engine) == before


def test_a_service_that_comes_back_is_open_again(sqlite_engine: Engine):
    engine = sqlite_engine
    taken_in(engine, feed(1, 2, 3))
    taken_in(engine, feed(1, 2))
    third = taken_in(engine, feed(1, 2, 3, 4))
    # The closure stands, and belongs to an earlier load than the entry.
    assert in_force_now(engine, "service_closure") == ids(3)
    assert listed(engine) == [[third, one] for one in ids(1, 2, 3, 4)]
    # Closed again by the next, and what was closed before is not closed twice.
    taken_in(engine, feed(1, 2, 4))
    taken_in(engine, feed(1, 2, 5))
    assert in_force_now(engine, "service_closure") == ids(3, 3, 4)


def test_services_of_providers_are_in_no_directory(sqlite_engine: Engine):
    from tests.intake import files

    taken_in(sqlite_engine, files.SERVICES)
    assert listed(sqlite_engine) == []
    assert lookups.directory_services(sqlite_engine).dtypes.astype(str).to_dict() == {
        "load_id": "int64",
        "service_id": "str",
    }


def test_a_service_that_says_it_is_closed_is_not_listed(sqlite_engine: Engine):
    taken_in(sqlite_engine, feed(1, 2))
    text = page([service(1), service(2, status="defunct")])
    second = taken_in(sqlite_engine, text)
    assert listed(sqlite_engine) == [[second, ids(1)[0]]]


def test_what_was_listed_is_known_where_the_file_is_read(sqlite_engine: Engine):
    """In the process that reads a file, which knows no database."""
    taken_in(sqlite_engine, feed(1, 2, 3))
    source = Source.of("feed.json", feed(1, 2).encode())
    known = known_so_far(sqlite_engine, b"key")
    load = whole(staged.decode(sandbox.read(source, known)))
    assert load.rows["service_closure"]["service_id"].tolist() == ids(3)


# --- the report --------------------------------------------------------------------------


def lines(text: str) -> list[str]:
    """The lines of the report, its first among them, of a feed that is loaded or refused."""
    try:
        notes = read(text).notes
    except RefusedError as error:
        return error.problems[0].rule.split("; ")
    return list(notes[[note.startswith("Open Referral") for note in notes].index(True) :])


GOOD = service(
    1,
    url="https://example.org/walks",
    email="walks@example.org",
    description="Walks",
    service_at_locations=[{"id": "a", **place(51.5, 0.5, id="b")}],
    service_areas=[{"id": "c", "uri": "http://example.org/id/E05000001"}],
    attributes=[{"id": "d"}],
)


def test_the_report_on_a_good_feed():
    assert lines(page([GOOD], total_items=1)) == [
        "Open Referral UK report: 22 pass, 0 warn, 0 fail",
        "pass: 1 of 1 entries stand in a page of version 3",
        "pass: 1 of 1 pages are here",
        "pass: 1 of 1 entries are here",
        "pass: 11 of 11 keys are of the form",
        "pass: 5 of 5 organisations, places and other things within the entries have an id",
        "pass: 1 of 1 e-mail addresses can be written to",
        "pass: 1 of 1 entries have plain text",
        "pass: 1 of 1 entries have terms of a taxonomy; the need themes come from the local return",
        "pass: 1 of 1 entries have an id",
        "pass: 1 of 1 entries have a name",
        "pass: 1 of 1 entries have a status",
        "pass: 1 of 1 ids stand once",
        "pass: 1 of 1 ids are UUIDs",
        "pass: 1 of 1 states are of the form",
        "pass: 1 of 1 entries name their organisation",
        "pass: 1 of 1 entries have a date on which they were assured or modified",
        "pass: 1 of 1 dates are not in the future",
        "pass: 1 of 1 addresses of web pages can be opened",
        "pass: 1 of 1 places lie in the British Isles",
        "pass: 1 of 1 open services are placed, or online",
        "pass: 1 of 1 areas served have a code",
        "pass: 1 of 1 entries can be read",
    ]


TOMORROW = (TODAY + timedelta(1)).isoformat()
WRONG = [
    ({"id": ""}, "fail: 1 of 2 entries have no id"),
    ({"id": ids(9)[0]}, "fail: 1 of 2 ids stand in an earlier entry"),
    ({"id": "s1"}, "warn: 1 of 2 ids are no UUIDs"),
    ({"name": "<br>"}, "fail: 1 of 2 entries have no name"),
    ({"status": ""}, "fail: 1 of 2 entries have no status"),
    ({"status": "open"}, "fail: 1 of 2 states are not of the form"),
    ({"organization": None}, "warn: 1 of 2 entries name no organisation"),
    ({"assured_date": None},
     "warn: 1 of 2 entries have no date on which they were assured or modified"),
    ({"assured_date": TOMORROW}, "warn: 1 of 2 dates lie in the future"),
    ({"url": "example/walks"}, "warn: 1 of 2 addresses of web pages are none, and left out"),
    ({"url": "javascript:x"}, "warn: 1 of 2 addresses of web pages are none, and left out"),
    ({"email": "walks_example"}, "warn: 1 of 2 e-mail addresses are none"),
    ({"email": False}, "warn: 1 of 2 e-mail addresses are none"),
    ({"description": "<p>Walks</p>"}, "warn: 1 of 2 entries have HTML in their text: it is taken out"),
    ({"alert": "a &amp; b"}, "warn: 1 of 2 entries have HTML in their text: it is taken out"),
    ({"service_at_locations": [{"id": "a", **place(100, 101, id="b")}]},
     "fail: 1 of 2 places lie outside the British Isles"),
    ({"service_at_locations": [], "service_areas": []},
     "warn: 1 of 2 open services are not placed: no place, no area with a code, and not online"),
    ({"service_areas": [{"id": "c", "name": "all of it"}]},
     "warn: 1 of 2 areas served have no code"),
    ({"service_areas": [{"name": "E05000001"}]},
     "warn: 1 of 10 organisations, places and other things within the entries have no id"),
    ({"attributes": []},
     "warn: 1 of 2 entries have no terms of a taxonomy: no need themes, the local return gives them"),
    ({"pc_x": 1, "colour": 2}, "warn: 2 of 13 keys are not of the form: pc_x, colour"),
    ({f"k{n}": n for n in range(6)},
     "warn: 6 of 17 keys are not of the form: k0, k1, k2, k3, k4 and 1 more"),
    ({"minimum_age": 151}, "fail: 1 of 2 entries break a rule and are left out"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "line"), WRONG)
def test_each_line_of_the_report_can_fail(change: dict[str, Any], line: str):
    good = GOOD | {"id": ids(9)[0]}
    text = page([good, GOOD | change])
    try:
        found = read(text).notes
    except RefusedError as error:
        # Half of the feed is bad: what fails is told in the refusal.
        found = tuple(error.problems[0].rule.split("; "))
        assert line.startswith("fail: ")
    assert line in found
    assert line not in lines(page([good, GOOD]))


def test_an_id_in_capital_letters_is_one():
    shouted = GOOD | {"id": "AC148810-D857-441C-9679-408F346DE14B"}
    assert "pass: 1 of 1 ids are UUIDs" in lines(page([shouted]))


def test_services_that_are_not_open_need_no_place():
    text = page([GOOD, service(2, status="defunct"), service(3)])
    title = "open services are not placed: no place, no area with a code, and not online"
    assert f"warn: 1 of 2 {title}" in lines(text)


def test_today_is_not_in_the_future():
    assert "pass: 1 of 1 dates are not in the future" in lines(
        page([GOOD | {"assured_date": TODAY.isoformat()}])
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (page([GOOD]), "pass: 1 of 1 entries stand in a page of version 3"),
        (json.dumps({"content": [GOOD]}),
         "warn: 1 of 1 entries stand in a page of version 1: there is a version 3"),
        (json.dumps([GOOD]), "warn: 1 of 1 entries stand in a plain list: the form has pages"),
        (json.dumps(GOOD), "pass: 1 of 1 entries: a single service"),
        (page([GOOD], total_pages=2), "warn: 1 of 2 pages (page 1): send the others too"),
        (page([GOOD], total_pages=2, page_number=None), "warn: 1 of 2 pages: send the others too"),
        (page([GOOD], total_items=2), "warn: 1 of 2 entries are here; the feed says it has 2"),
        (page([GOOD], total_items=0), "warn: 1 of 1 entries are here; the feed says it has 0"),
    ],
)  # fmt: skip
def test_the_report_says_what_was_sent(text: str, line: str):
    assert line in lines(text)


@pytest.mark.parametrize(
    "number", [True, -1, 10**9, pytest.param(10**400, id="huge"), "2", 1.0, None]
)
def test_a_number_of_pages_that_is_none_says_nothing(number: Any):
    found = lines(page([GOOD], total_pages=number))
    assert not [line for line in found if " pages are here" in line or "send the others" in line]


def test_keys_of_version_1_belong_to_its_form():
    old = GOOD | {"regular_schedules": [], "service_taxonomys": [{}], "attributes": []}
    found = lines(json.dumps({"content": [old]}))
    assert "pass: 13 of 13 keys are of the form" in found
    assert not [line for line in found if "no terms of a taxonomy" in line]
    # The same keys in version 3 are others.
    told = "regular_schedules, service_taxonomys"
    assert f"warn: 2 of 13 keys are not of the form: {told}" in lines(page([old]))


def test_what_fails_is_told_first():
    levels = [line[:4] for line in lines(page([GOOD | {"status": "", "url": "x"}]))[1:]]
    assert levels[:2] == ["fail", "warn"]
    assert set(levels[2:]) == {"pass"}


def test_a_refusal_tells_the_report_in_short():
    with pytest.raises(RefusedError) as refusal:
        read(page([GOOD | {"name": ""}]))
    assert [problem.rule for problem in refusal.value.problems] == [
        "Open Referral UK report: 19 pass, 0 warn, 2 fail; fail: 1 of 1 entries have no name; "
        "fail: 1 of 1 entries break a rule and are left out",
        "expected a text",
    ]


def test_lines_and_their_summary():
    findings = [
        Finding("fail", "ids stand in an earlier entry", 1_200, 60_000),
        Finding("warn", "ids are no UUIDs", 1, 2),
        Finding("pass", "pages are here", 1, 1),
    ]
    summary = "Open Referral UK report: 1 pass, 1 warn, 1 fail"
    assert report_lines(findings) == [
        summary,
        "fail: 1,200 of 60,000 ids stand in an earlier entry",
        "warn: 1 of 2 ids are no UUIDs",
        "pass: 1 of 1 pages are here",
    ]
    assert report_in_short(findings) == (
        f"{summary}; fail: 1,200 of 60,000 ids stand in an earlier entry"
    )


@given(st.none() | st.integers(0, 4), st.none() | st.integers(0, 4), st.integers(0, 4))
def test_whole_is_what_neither_its_pages_nor_its_entries_deny(
    pages: int | None, items: int | None, entries: int
):
    several = pages is not None and pages > 1
    more = items is not None and items > entries
    assert Paging(1, pages, items).is_whole(entries) == (not several and not more)


# --- the real feeds, counted by hand -----------------------------------------------------


def real(name: str) -> Source:
    if not (REAL / name).exists():
        skip_or_fail("the real feeds are not here")
    return Source.open(REAL / name)


def report_on(name: str) -> list[str]:
    source = real(name)
    try:
        notes = recognise(source).read(source, Lookups()).notes  # type: ignore[union-attr]
        return list(notes[1:])
    except RefusedError as error:
        return error.problems[0].rule.split("; ")


def test_a_real_feed():
    """60 services, no id twice, no name or organisation blank, no date missing, and no place or
    area at all; 1 of 58 web addresses has no https; 6 of 16 keys are the vendor's. In 2 ids the
    redaction took digits for a telephone number."""
    found = report_on("north_lincolnshire_services__60_redacted.json")
    assert found == [
        "Open Referral UK report: 10 pass, 7 warn, 0 fail",
        "warn: 60 of 60 entries stand in a plain list: the form has pages",
        "warn: 6 of 16 keys are not of the form: deliverable_type, attending_type, "
        "attending_access, pc_attendingAccess_additionalInfo, pc_metadata and 1 more",
        "warn: 60 of 60 entries have HTML in their text: it is taken out",
        "warn: 60 of 60 entries have no terms of a taxonomy: no need themes, the local return "
        "gives them",
        "warn: 2 of 60 ids are no UUIDs",
        "warn: 1 of 58 addresses of web pages are none, and left out",
        "warn: 60 of 60 open services are not placed: no place, no area with a code, and not "
        "online",
        "pass: 60 of 60 organisations, places and other things within the entries have an id",
        "pass: 60 of 60 entries have an id",
        "pass: 60 of 60 entries have a name",
        "pass: 60 of 60 entries have a status",
        "pass: 60 of 60 ids stand once",
        "pass: 60 of 60 states are of the form",
        "pass: 60 of 60 entries name their organisation",
        "pass: 60 of 60 entries have a date on which they were assured or modified",
        "pass: 60 of 60 dates are not in the future",
        "pass: 60 of 60 entries can be read",
    ]


def test_what_a_real_feed_tells_of_each_service():
    source = real("north_lincolnshire_services__60_redacted.json")
    load = recognise(source).read(source, Lookups())
    assert load.notes[0] == "open services: 60, of providers: 44; not open and left out: 0"
    rows = load.rows["service"]
    assert rows["access"].value_counts().to_dict() == {
        "Drop-in": 2,
        "Assessment": 1,
        "Self referral": 1,
    }
    assert rows["cost_to_person"].isna().all()
    assert (rows["confirmed_on"].min(), rows["confirmed_on"].max()) == (
        date(2023, 11, 24),
        date(2024, 12, 17),
    )
    # The feed of a year later, without its first and last entry.
    entries = json.loads((REAL / source.name).read_text(encoding="utf-8"))
    earlier = Lookups(load_1=[entry["id"] for entry in entries])
    later = read(json.dumps(entries[1:-1]), earlier)
    assert later.rows["service_closure"]["service_id"].tolist() == [
        entries[0]["id"],
        entries[-1]["id"],
    ]


@pytest.mark.parametrize(
    ("name", "failing"),
    [
        ("V3.0-UK-Fail_service_full.json", [
            "fail: 1 of 1 places lie outside the British Isles",
            "fail: 1 of 1 entries break a rule and are left out",
        ]),
        ("V3.0-UK-Fail_service_list.json", [
            "fail: 4 of 4 entries have no name",
            "fail: 1 of 4 ids stand in an earlier entry",
            "fail: 4 of 4 entries break a rule and are left out",
        ]),
        ("examples_service_full.json", [
            "fail: 1 of 1 places lie outside the British Isles",
            "fail: 1 of 1 entries break a rule and are left out",
        ]),
    ],
)  # fmt: skip
def test_what_fails_in_the_official_examples(name: str, failing: list[str]):
    assert report_on(name)[1:] == failing


def test_the_official_page_passes_but_for_its_other_pages_and_what_it_lacks():
    found = report_on("examples_service_list.json")
    assert [line for line in found if not line.startswith("pass: ")] == [
        "Open Referral UK report: 16 pass, 3 warn, 0 fail",
        "warn: 1 of 10 pages (page 1): send the others too",
        "warn: 1 of 1 entries have no terms of a taxonomy: no need themes, the local return gives "
        "them",
        "warn: 1 of 1 open services are not placed: no place, no area with a code, and not online",
    ]


# --- any feed ----------------------------------------------------------------------------

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
    | st.sampled_from(["ZZ1 1AA", "0", "£0", "2026-01-01", "\ud800", "<b>", "virtual"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["location", "latitude", "longitude", "addresses", "physical_addresses", "postal_code",
             "amount", "option", "amount_description", "attending_access", "name", "id"]
        ),
        inner,
        max_size=3,
    ),
    max_leaves=8,
)  # fmt: skip
KEYS = ["fees", "cost_options", "access", "schedules", "service_at_locations", "attributes",
        "email", "organization", "service_areas", "url", "\ud800"]  # fmt: skip


@pytest.mark.usefixtures("one_postcode")
@given(st.dictionaries(st.sampled_from(KEYS), ANY, max_size=4))
def test_any_nested_junk_is_read_or_refused(junk: dict[str, Any]):
    services = [service(number) for number in range(1, 41)]
    try:
        load = read(json.dumps([*services, service(41, **junk)]))
    except RefusedError:
        return
    "\n".join(load.notes).encode()
    rows = load.rows["service"]
    costs = rows["cost_to_person"].dropna()
    assert costs.str.len().le(100).all()
    places = load.rows["service_place"]
    assert set(places["placed_by"]) <= {"point", "postcode"}
    assert all(map(math.isfinite, pd.concat([places["latitude"], places["longitude"]])))
    assert set(places["postcode"].dropna()) <= {"ZZ1 1AA"}
