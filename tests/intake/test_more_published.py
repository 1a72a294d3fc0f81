"""The other published files: what each reader makes of a good one."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from dashboard.intake import DATASETS, recognise, take_in
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from queries.scope import EVERYTHING
from queries.services import service_areas, service_entries
from tests.intake import files, more_files
from tests.intake.files import read, sums
from tests.intake.more_files import page, place, service, table, workbook

FORMS: dict[str, tuple[str | bytes, str]] = {
    "appointments": (more_files.APPOINTMENTS, "appointments"),
    "ePCN workbook": (workbook(more_files.PCN_MEMBERS), "pcn_members"),
    "ePCN CSV": (more_files.PCN_MEMBERS_CSV, "pcn_members"),
    "epraccur": (more_files.PRACTICE_REGISTER, "practice_register"),
    "index": (more_files.LSOA_INDEX, "lsoa_index"),
    "indices": (more_files.LSOA_INDEX_OF_SEVERAL, "lsoa_index"),
    "charities JSON": ("\ufeff" + json.dumps(more_files.CHARITIES), "charities"),
    "charities CSV": (table(more_files.CHARITIES, ","), "charities"),
    "charities tabs": (table(more_files.CHARITIES, "\t"), "charities"),
    "directory page": (page(more_files.SERVICES), "directory"),
    "directory array": (json.dumps(more_files.SERVICES), "directory"),
    "directory service": (json.dumps(more_files.SERVICES[0]), "directory"),
    "directory version 1": (json.dumps({"number": 1, "content": more_files.SERVICES}), "directory"),
}
OTHERS = [
    text
    for name, text in vars(files).items()
    if name.isupper() and isinstance(text, str) and "\n" in text
]


def rows_of(text: str | bytes, name: str) -> list[list[Any]]:
    """The rows of a table as a file is read, missing as None."""
    frame = read(text).rows[name].astype(object)
    return frame.where(frame.notna(), None).values.tolist()


@pytest.mark.parametrize(("text", "name"), FORMS.values(), ids=FORMS)
def test_recognised_by_content_and_as_nothing_else(text: str | bytes, name: str):
    source = Source.of("any.txt", text if isinstance(text, bytes) else text.encode())
    assert [dataset.name for dataset in DATASETS if dataset.recognises(source)] == [name]


@pytest.mark.parametrize("text", [*OTHERS, files.BOUNDARIES])
def test_no_file_of_another_kind_is_recognised(text: str):
    source = Source.of("any.txt", text.encode())
    assert sum(dataset.recognises(source) for dataset in DATASETS) == 1


@pytest.mark.parametrize(
    "text",
    [
        "LSOA21CD,LSOA21NM,BNG_E,BNG_N,ObjectId\nE01000001,One,1,2,3\n",
        "LSOA21CD,WD25CD,score\nE01000001,E05000001,3\n",
        "LSOA21CD,local reference,score\nE01000001,r1,3\n",
        "LSOA code (2021),Index of Multiple Deprivation (IMD) Score\nE01000001,3.5\n",
        "LSOA_CODE,NUMBER_OF_PATIENTS,rate\nE01000001,3,1\n",
        more_files.PRACTICE_REGISTER.replace(',""\n', "\n"),
        more_files.PCN_MEMBERS_CSV.replace("U0000", "X0000"),
        '{"type": "FeatureCollection", "name": "wards", "version": 1, "features": []}',
        '[{"id": 1, "name": "x"}]',
    ],
)
def test_files_that_are_much_like_them_are_not(text: str):
    with pytest.raises(RefusedError, match="none of the files known here"):
        read(text)


@pytest.mark.parametrize("text", [more_files.PRACTICE_REGISTER, more_files.PCN_MEMBERS_CSV])
def test_the_first_row_of_a_file_without_a_heading_is_never_shown(text: str):
    with pytest.raises(RefusedError) as refusal:
        read(text.replace('A00002","DALE', 'A2","DALE').replace('"20191001"', '"soon"'))
    assert "HILL" not in str(refusal.value)


# --- appointments ------------------------------------------------------------------------


def test_appointments():
    month = date(2025, 10, 1)
    load = read(more_files.APPOINTMENTS)
    assert rows_of(more_files.APPOINTMENTS, "practice_appointment") == [
        [month, "A00001", "U00001", "5E1", 7, 17, "2025-10 5E1"],
        [month, "A00002", None, "5E1", None, 20, "2025-10 5E1"],
    ]
    assert load.parts.values.tolist() == [["2025-10 5E1", month, date(2025, 10, 31)]]
    assert load.vintage == "October 2025"
    assert load.notes == (
        "1 of 2 practices recorded 'Social Prescribing Service'",
        "7 appointments of that category",
        "1 hidden numbers are missing, not zero, and in no sum",
    )


def test_appointments_of_the_one_category_only_say_nothing_of_all():
    lines = more_files.APPOINTMENTS.splitlines(keepends=True)
    load = read("".join(lines[:3]))
    rows = load.rows["practice_appointment"]
    assert rows["social_prescribing"].tolist() == [7]
    assert rows["all_categories"].isna().all()
    assert load.notes[0] == (
        "1 of 1 practices recorded 'Social Prescribing Service': "
        "the file holds that category only, so practices without it are not in it"
    )


def test_appointments_of_another_category_that_sounds_like_it_do_not_count():
    text = more_files.APPOINTMENTS.replace("Home Visit", "Not a Social Prescribing Service")
    assert sums(read(text), "practice_appointment", ["practice_code"], "social_prescribing") == {
        "A00001": 7,
        "A00002": 0,
    }


# --- membership --------------------------------------------------------------------------


@pytest.mark.parametrize("text", [workbook(more_files.PCN_MEMBERS), more_files.PCN_MEMBERS_CSV])
def test_pcn_members(text: str | bytes):
    load = read(text)
    assert rows_of(text, "pcn_membership") == [
        ["5E1", "A00001", "U00002", "5E1", date(2019, 10, 1), date(2023, 3, 31)],
        ["5E1", "A00001", "U00001", "5E1", date(2023, 4, 1), None],
        ["5E2", "A00002", "U00002", "5E2", date(2019, 10, 1), None],
    ]
    assert rows_of(text, "area") == [
        ["5E1", "practice", "A00001", "HILL SURGERY", None, "U00001"],
        ["5E2", "practice", "A00002", "DALE SURGERY", None, "U00002"],
        ["5E1", "pcn", "U00001", "NORTH PCN", None, "5E1"],
        ["5E2", "pcn", "U00002", "SOUTH PCN", None, "5E2"],
        ["5E1", "pcn", "U00002", "SOUTH PCN", None, "5E2"],
    ]
    assert load.parts["part_key"].tolist() == ["5E1", "5E2"]
    assert load.notes == (
        "3 spells of 2 practices in 2 PCNs; 1 ended",
        "the file does not say of which day it is",
    )


@pytest.mark.parametrize(
    ("practice", "pcn"),
    [("Practice\nParent\nCCG Code", "PCN Parent\nCCG Code"), ("Practice's CCG", "PCN's CCG")],
)
def test_pcn_members_of_the_time_of_ccgs(practice: str, pcn: str):
    heading, *rows = more_files.PCN_MEMBERS
    older = workbook([[*heading[:2], practice, *heading[3:6], pcn, *heading[7:]], *rows])
    new = workbook(more_files.PCN_MEMBERS)
    for name in ("pcn_membership", "area"):
        assert rows_of(older, name) == rows_of(new, name)


# --- register of practices ---------------------------------------------------------------


def test_practice_register():
    load = read(more_files.PRACTICE_REGISTER)
    frame = load.rows["practice_register"]
    opened = date(1974, 4, 1)
    assert rows_of(more_files.PRACTICE_REGISTER, "practice_register") == [
        ["A00001", "HILL SURGERY", "ZZ1 1AA", "QZZ", "5E1", "A", "4", opened, None, "QZZ"],
        ["A00002", "DALE SURGERY", "ZZ9 9ZZ", "QZZ", "5E1", "C", "4", opened, date(2022, 3, 31), "QZZ"],
        ["A00003", "NORTHTON PRISON", "ZZ9 9ZZ", "QZZ", "5E1", "A", "25", date(2013, 4, 1), None, "QZZ"],
        ["W00001", "WELSH SURGERY", "ZZ8 8ZZ", None, "7A1", "A", "4", None, None, "no ICB"],
    ]  # fmt: skip
    # No address but the postcode, and no telephone number.
    assert not frame.astype(str).apply(lambda c: c.str.contains("ROAD|01234")).any().any()
    assert load.parts["part_key"].tolist() == ["QZZ", "no ICB"]
    assert load.notes == (
        "4 entries; 3 GP practices (prescribing setting 4), of which 2 are active",
        "1 entries of no ICB",
        "the file does not say of which day it is",
    )


def test_practice_register_keeps_a_first_row_with_few_cells():
    *others, welsh = more_files.PRACTICE_REGISTER.splitlines(keepends=True)
    assert welsh.count('"",') > max(line.count('"",') for line in others)
    rows = read("".join([welsh, *others])).rows["practice_register"]
    assert rows["practice_code"].tolist() == ["W00001", "A00001", "A00002", "A00003"]


# --- index by LSOA -----------------------------------------------------------------------


def test_lsoa_index_is_called_after_the_file():
    source = Source.of("my_own-index (v2).final.csv", more_files.LSOA_INDEX.encode())
    load = recognise(source).read(source, files.Lookups())
    frame = load.rows["lsoa_index"]
    assert frame.astype(object).where(frame.notna(), None).values.tolist() == [
        ["my own index v2", "E01000001", 29.5, 10, "my own index v2 LSOA 2021"],
        ["my own index v2", "E01000002", -0.0000125, 1, "my own index v2 LSOA 2021"],
        ["my own index v2", "W01000003", None, 5, "my own index v2 LSOA 2021"],
    ]
    assert load.vintage == "LSOA 2021"
    assert load.notes == (
        "3 LSOAs; 1 values missing",
        "called after the file, which does not name its index: my own index v2",
    )


@pytest.mark.parametrize(
    ("file_name", "index_name"),
    [("x" * 80 + ".csv", "x" * 60), ("__.csv", "index"), ("Ynys Môn.csv", "Ynys Môn")],
)
def test_lsoa_index_has_a_clean_name(file_name: str, index_name: str):
    source = Source.of(file_name, more_files.LSOA_INDEX.encode())
    rows = recognise(source).read(source, files.Lookups()).rows["lsoa_index"]
    assert rows["index_name"].unique().tolist() == [index_name]


def test_lsoa_index_of_several_values():
    load = read(more_files.LSOA_INDEX_OF_SEVERAL)
    assert rows_of(more_files.LSOA_INDEX_OF_SEVERAL, "lsoa_index") == [
        ["file: Civic Assets score", "E01000001", 1.5, 3, "file: Civic Assets score LSOA 2011"],
        ["file: Connectedness score", "E01000001", -2, 9, "file: Connectedness score LSOA 2011"],
    ]
    assert len(load.parts) == 2
    assert load.notes[-1] == "columns not read: LSOA name"


@pytest.mark.parametrize("heading", ["LSOA21CD", "lsoa21cd", "LSOA code (2021)", "LSOA_2021_code"])
def test_lsoa_index_under_other_headings(heading: str):
    text = more_files.LSOA_INDEX.replace("lsoa21_code,perc", f"{heading},Score")
    assert rows_of(text, "lsoa_index") == rows_of(more_files.LSOA_INDEX, "lsoa_index")


# --- charities ---------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["charities JSON", "charities CSV", "charities tabs"])
def test_charities(form: str):
    text = FORMS[form][0]
    load = read(text)
    registered = date(1961, 9, 22)
    assert rows_of(text, "charity") == [
        ["1000001", "HILL CHARITY", "Registered", registered, None, "England and Wales"],
        [
            "200002",
            'DALE "ADVICE", LTD',
            "Removed",
            date(1990, 1, 31),
            date(2020, 2, 29),
            "England and Wales",
        ],
    ]
    assert load.vintage == "2026-06-01"
    assert load.notes == ("2 charities, 1 of them registered", "1 linked charities left out")
    assert load.rows_refused == 0


# --- directory ---------------------------------------------------------------------------


def one(**other: Any) -> dict[str, Any]:
    """What the reader makes of a page with one service."""
    row = read(page([service(1, **other)])).rows["service"].astype(object).iloc[0]
    return row.where(row.notna(), None).to_dict()


FORMS_OF_A_DIRECTORY = ["directory page", "directory array", "directory version 1"]


@pytest.mark.parametrize("form", FORMS_OF_A_DIRECTORY)
def test_directory(form: str):
    text = FORMS[form][0]
    load = read(text)
    ids = [f"00000000-0000-0000-0000-{number:012}" for number in range(1, 7)]
    rows = load.rows["service"].set_index("service_id")
    assert rows.index.tolist() == [*ids[:4], ids[5]]
    assert rows["service_name"].tolist() == [
        "Walks & talks",
        "Service 2",
        "Service 3",
        "Service 4",
        "Service 6",
    ]
    assert rows["provider"].tolist() == ["Hill charity", "not stated", *["Hill charity"] * 3]
    assert rows["confirmed_on"].tolist() == [
        date(2026, 1, 31),
        date(2025, 3, 15),
        date(2024, 12, 10),
        None,
        date(2026, 1, 31),
    ]
    assert rows["is_online"].tolist() == [False, True, True, True, False]
    assert rows["web_address"].fillna("").tolist() == ["https://example.org/walks", "", "", "", ""]
    assert rows[["minimum_age", "maximum_age"]].iloc[0].tolist() == [18, 99.5]
    assert rows_of(text, "service_place") == [
        [ids[0], ids[0], "Hill hall", 51.5, 0.5, None, "point"],
        [ids[0], ids[0], None, 51.25, -0.5, None, "point"],
    ]
    assert rows_of(text, "service_area") == [
        [ids[0], ids[0], "E05000001"],
        [ids[0], ids[0], "E07000001"],
        [ids[0], ids[0], "QZZ"],
    ]
    assert load.notes[0] == "open services: 5, of providers: 2; not open and left out: 1"
    assert load.notes[1].startswith("Open Referral UK report: ")
    assert {
        "warn: 1 of 5 open services are not placed: no place, no area with a code, and not online",
        "warn: 1 of 4 areas served have no code",
        "warn: 1 of 6 entries have no date on which they were assured or modified",
        "warn: 1 of 6 entries name no organisation",
        "warn: 1 of 2 addresses of web pages are none, and left out",
        "pass: 6 of 6 ids stand once",
        "pass: 2 of 2 places lie in the British Isles",
    } < set(load.notes)
    # A closed service takes its earlier entry out.
    assert load.parts["part_key"].tolist() == ids
    assert (load.rows_read, load.rows_refused) == (6, 0)


@pytest.mark.parametrize(
    ("markup", "name"),
    [
        ("<p>Tea &amp;amp; <i class='x'>talk</i></p>", "Tea & talk"),
        ("Under <5s and >65s", "Under <5s and >65s"),
        ("a\u0000b\ud800 c\n\td", "a b c d"),
        ("&lt;script&gt;x", "x"),
        ("<![x[ <!-- note --> Name", "<![x[ Name"),
    ],
)
def test_directory_names_are_plain_text(markup: str, name: str):
    assert one(name=markup)["service_name"] == name


def test_directory_area_names_that_look_like_codes_are_none():
    areas = [{"name": name} for name in ("LEEDS", "DERBY", "QUEEN", "E10000016", "S9B9J")]
    load = read(page([service(1, service_areas=areas)]))
    assert load.rows["service_area"]["area_code"].tolist() == ["S9B9J"]
    assert "warn: 4 of 5 areas served have no code" in load.notes


def test_directory_a_few_bad_services_are_left_out_and_told_of():
    services = [service(number) for number in range(1, 41)]
    services[4]["name"] = " <br> "
    services[9]["service_at_locations"] = [place(100, 101)]
    load = read(page(services))
    assert len(load.rows["service"]) == len(load.parts) == 38
    assert load.rows_refused == 2
    assert load.refused is not None
    assert load.refused.fillna("").values.tolist() == [
        [5, "name", "expected a text", "''"],
        [
            10,
            "service_at_locations",
            "expected locations in the British Isles, with latitude and longitude in degrees",
            "'li…' (4 characters)",
        ],
    ]


def test_directory_of_several_pages_says_so():
    load = read(page([service(1)], page_number=2, total_pages=3))
    assert "warn: 1 of 3 pages (page 2): send the others too" in load.notes


@pytest.mark.usefixtures("one_postcode")
def test_directory_is_read_by_the_queries_beside_the_returns(engine: Engine):
    def load(text: str) -> Any:
        return take_in(engine, Source.of("any", text.encode()), b"key")

    for text in (files.BOUNDARIES, files.LSOA_WARD, files.LSOA_ICB, files.SERVICES):
        load(text)
    assert load(page(more_files.SERVICES[:3])).parts_added == 3

    def served() -> list[str]:
        entries = service_entries(
            engine, EVERYTHING, "QZZ", date(2026, 6, 30), (0.5, 51.0, 0.6, 51.1)
        )
        assert {"Walks", "Phone friends"} < set(entries["service_name"])
        walks = entries[entries["service_name"] == "Walks & talks"]
        areas = service_areas(engine, EVERYTHING, "QZZ")
        return areas[areas["part_id"].isin(walks["part_id"])]["area_code"].tolist()

    assert served() == ["E05000001", "E07000001", "QZZ"]
    # Another page leaves the first alone; the same service, closed, takes itself out.
    assert load(page(more_files.SERVICES[3:], page_number=2)).parts_replaced == 0
    assert served() == ["E05000001", "E07000001", "QZZ"]
    assert load(page([service(1, status="inactive")])).parts_replaced == 1
    assert served() == []


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([10**400, "1e400", "NaN", "2026-13-01", "\ud800", "\x00", [[[]]], [None], {}]),
    st.dictionaries(st.sampled_from(["id", "name", "location", "extent"]), st.none(), max_size=2),
)


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in nested objects and lists."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(found for key, inner in items for found in paths_of(inner, (*path, key)))]


PATHS = paths_of(json.loads(page(more_files.SERVICES)))[1:]
# Enough good services that two bad ones are left out, and not the whole file refused.
FEED = page([*more_files.SERVICES, *(service(number) for number in range(7, 41))])


@given(st.lists(st.tuples(st.sampled_from(PATHS), ODD), min_size=1, max_size=3))
def test_any_odd_feed_is_loaded_or_refused(changes: list[tuple[tuple[Any, ...], Any]]):
    feed = json.loads(FEED)
    for path, odd in changes:
        inner = feed
        try:
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = odd
        except (TypeError, KeyError, IndexError):
            continue
    try:
        load = read(json.dumps(feed))
    except RefusedError:
        return
    assert set(load.rows) == {"service", "service_place", "service_area", "service_closure"}
    assert not pd.concat([frame["part_key"] for frame in load.rows.values()]).isna().any()
    # Any database takes the texts: no halves of a character, no NUL.
    for frame in load.rows.values():
        words = "".join(value for value in frame.to_numpy().ravel() if isinstance(value, str))
        assert "\0" not in words.encode().decode()
