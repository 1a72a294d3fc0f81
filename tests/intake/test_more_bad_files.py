"""One bad file for every check of the other published files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dashboard.intake.directory import NESTED
from dashboard.intake.problems import RefusedError
from tests.intake import more_files
from tests.intake.files import read
from tests.intake.more_files import page, place, service, table, workbook
from tests.intake.test_bad_files import change, only_heading, twice

MONTH, COUNT = "APPOINTMENT_MONTH_START_DATE", "COUNT_OF_APPOINTMENTS"
APPOINTMENTS = [
    (change(more_files.APPOINTMENTS, "01OCT2025", "OCT2025"), "a date such as", 2, MONTH),
    (change(more_files.APPOINTMENTS, "01OCT2025", "02OCT2025"), "the first day", 2, MONTH),
    (change(more_files.APPOINTMENTS, "A00001", "Hill"), "a practice code", 2, "GP_CODE"),
    (change(more_files.APPOINTMENTS, "U00001", "North"), "a PCN code", 2, "PCN_CODE"),
    (change(more_files.APPOINTMENTS, "U00001,NORTH PCN,5E1,North sub,GP", "U00003,,5E1,,GP"),
     "another code", 4, "PCN_CODE"),
    (change(more_files.APPOINTMENTS, "5E1", "5.00E+01"), "a sub-ICB", 2, "SUB_ICB_LOCATION_CODE"),
    (change(more_files.APPOINTMENTS, "5E1,North sub,GP", "5E2,North sub,GP"), "another code", 4,
     "SUB_ICB_LOCATION_CODE"),
    (change(more_files.APPOINTMENTS, "Home Visit", ""), "expected a text", 4, "NATIONAL_CATEGORY"),
    (change(more_files.APPOINTMENTS, ",10,", ",ten,"), "a whole number", 4, COUNT),
    (change(more_files.APPOINTMENTS, ",10,", ",,"), "a whole number", 4, COUNT),
    (change(change(more_files.APPOINTMENTS, "Social Prescribing Service", "Walk-in", 2),
            "Home Visit", "Walk-in", 2), "one category only", None, "NATIONAL_CATEGORY"),
    (only_heading(more_files.APPOINTMENTS), "no rows", None, None),
]  # fmt: skip


def members(row: int, column: int, value: Any) -> bytes:
    """The workbook of members with one cell changed; the heading is row 1."""
    rows = [list(cells) for cells in more_files.PCN_MEMBERS]
    rows[row - 1][column - 1] = value
    return workbook(rows)


PRACTICE, SUB_ICB = "Partner Organisation Code", "Practice Parent Sub ICB Loc Code"
START, END = (f"Practice to PCN Relationship {word} Date" for word in ("Start", "End"))
PCN_SUB_ICB = "PCN Parent Sub ICB Loc Code"
SAVE_FIRST = "if a formula stands here, save it in a spreadsheet program first"
PCN_MEMBERS = [
    (members(2, 1, '=CONCATENATE("A","00001")'), SAVE_FIRST, 2, PRACTICE),
    (members(3, 3, '=VLOOKUP(A3,A1:B2,2)'), SAVE_FIRST, 3, SUB_ICB),
    (members(2, 5, None), SAVE_FIRST, 2, "PCN Code"),
    (members(2, 9, None), SAVE_FIRST, 2, START),
    (members(2, 1, "Hill"), "a practice code", 2, PRACTICE),
    (members(2, 3, "5.0"), "a sub-ICB location", 2, SUB_ICB),
    (members(2, 5, "X00001"), "a PCN code", 2, "PCN Code"),
    (members(2, 7, "5.0"), "a sub-ICB location", 2, PCN_SUB_ICB),
    (members(2, 9, "soon"), "a date such as", 2, START),
    (members(2, 10, "soon"), "a date such as", 2, END),
    (members(2, 10, "20190930"), "on or after", 2, END),
    (members(2, 2, "x" * 101), "at most 100 characters", 2, "Partner Name"),
    (workbook([*more_files.PCN_MEMBERS, more_files.PCN_MEMBERS[1]]), "the same practice, PCN", 5,
     None),
    (workbook(more_files.PCN_MEMBERS[:1]), "no rows", None, None),
    (twice(more_files.PCN_MEMBERS_CSV, 1), "the same practice, PCN", 4, None),
    # Recognised by its first rows, wrong below them.
    (more_files.PCN_MEMBERS_CSV.splitlines(keepends=True)[1] +
     "".join(f'"A1{n:04}","X","5E1","","U00001","","5E1","","20191001","","1"\n'
             for n in range(15)) +
     '"A2","X","5E1","","U00001","","5E1","","20191001","","1"\n', "a practice code", 17, PRACTICE),
]  # fmt: skip


def register(old: str, new: str) -> str:
    """The register with something wrong below the rows by which it is recognised."""
    lines = more_files.PRACTICE_REGISTER.splitlines(keepends=True)
    many = [lines[0].replace("A00001", f"A1{number:04}") for number in range(15)]
    return "".join(many) + change(lines[1], old, new)


PRACTICE_REGISTER = [
    (twice(more_files.PRACTICE_REGISTER, 1), "the same practice", 5, None),
    (register("A00002", "A2"), "a practice code", 16, "organisation code (column 1)"),
    (register("DALE SURGERY", ""), "expected a text", 16, "name (column 2)"),
    (register("zz9 9zz", "z" * 101), "at most 100 characters", 16, "postcode (column 10)"),
    (register("QZZ", "Q-Z"), "a board", 16, "high level health geography (column 4)"),
    (register("5E1", "5"), "a sub-ICB", 16, "commissioner (column 15)"),
    (register('"C"', '"X"'), "expected one of A, C, D, P", 16, "status code (column 13)"),
    (register('"4"', '"GP"'), "a prescribing setting", 16, "prescribing setting (column 26)"),
    (register("19740401", "1974"), "a date such as", 16, "open date (column 11)"),
    (register("20220331", "20220230"), "a date such as", 16, "close date (column 12)"),
    (register("20220331", "19700101"), "on or after", 16, "close date (column 12)"),
]
LSOA_INDEX = [
    (twice(more_files.LSOA_INDEX, 2), "the same LSOA", 5, None),
    (change(more_files.LSOA_INDEX, "E01000001", "Hill"), "an LSOA code", 2, "lsoa21_code"),
    (change(more_files.LSOA_INDEX, "29.5", "high"), "expected a number", 2, "perc"),
    (change(more_files.LSOA_INDEX, "29.5,10", "29.5,11"), "from 1 to 10", 2, "deciles"),
    (change(more_files.LSOA_INDEX, "29.5,10", "29.5,0"), "from 1 to 10", 2, "deciles"),
    (change(more_files.LSOA_INDEX, "29.5,10", "29.5,x"), "a whole number", 2, "deciles"),
    (only_heading(more_files.LSOA_INDEX), "no rows", None, None),
]


def charities(entry: int, **other: Any) -> str:
    """The register of charities with one entry (from 1) changed."""
    entries = [dict(entry) for entry in more_files.CHARITIES]
    entries[entry - 1] |= other
    return json.dumps(entries)


def charity_table(old: str, new: str) -> str:
    return change(table(more_files.CHARITIES, "\t"), old, new)


NUMBER, STATUS = "registered_charity_number", "charity_registration_status"
CHARITIES = [
    (charities(1, **{NUMBER: "12"}), "5 to 7 digits", 1, NUMBER),
    (charities(1, **{NUMBER: None}), "5 to 7 digits", 1, NUMBER),
    (charities(1, **{NUMBER: [1]}), "a text or a whole number, found", 1, NUMBER),
    (charities(2, **{NUMBER: 200002, "linked_charity_number": 0}), "the same charity", 3, None),
    (charities(1, linked_charity_number="x"), "a whole number", 1, "linked_charity_number"),
    (charities(1, charity_name=None), "expected a text", 1, "charity_name"),
    (charities(1, charity_name={"x": 1}), "a text, found another", 1, "charity_name"),
    (charities(1, charity_name=5), "a text, found another", 1, "charity_name"),
    (charities(1, charity_name="x" * 501), "at most 500", 1, "charity_name"),
    (charities(1, **{STATUS: "Unknown"}), "expected one of", 1, STATUS),
    (charities(1, date_of_registration="1961"), "a date such as", 1, "date_of_registration"),
    (charities(3, date_of_removal="2020-02-30"), "a date such as", 3, "date_of_removal"),
    (charities(1, date_of_extract="today"), "a date such as", 1, "date_of_extract"),
    (charity_table("HILL CHARITY", ""), "expected a text", 2, "charity_name"),
    (charity_table("Removed", "Gone"), "expected one of", 4, STATUS),
    (json.dumps([more_files.CHARITIES[0], 3]), "expected a text", 2, "charity_name"),
    (only_heading(table(more_files.CHARITIES, ",")), "no rows", None, None),
]


def directory(**other: Any) -> str:
    """A page whose second service has something wrong."""
    return page([service(1), service(2, **other)])


PLACES, AREAS = NESTED
DIRECTORY = [
    (page([service(1), service(1)]), "the same id", 2, None),
    (directory(id=""), "expected an id", 2, "id"),
    (directory(id="a b"), "expected an id", 2, "id"),
    (directory(id="x" * 65), "expected an id", 2, "id"),
    (directory(id=["x"]), "a text or a whole number, found", 2, "id"),
    (directory(id=True), "a text or a whole number, found", 2, "id"),
    (directory(name="<p> </p>"), "expected a text", 2, "name"),
    (directory(name=5), "a text, found another", 2, "name"),
    (directory(name="x" * 251), "at most 250", 2, "name"),
    (directory(status="open"), "expected one of active", 2, "status"),
    (directory(url=[]), "a text, found another", 2, "url"),
    (directory(minimum_age=-1), "a number from 0", 2, "minimum_age"),
    (directory(minimum_age=float("nan")), "a number from 0", 2, "minimum_age"),
    (directory(maximum_age=float("inf")), "a number from 0", 2, "maximum_age"),
    (directory(maximum_age={}), "a number, found another", 2, "maximum_age"),
    (directory(maximum_age=151), "up to 150", 2, "maximum_age"),
    (directory(minimum_age=18, maximum_age=17), "at least the minimum", 2, "maximum_age"),
    (directory(attending_type=1), "a text, found another", 2, "attending_type"),
    (directory(attending_access=1), "a text, found another", 2, "attending_access"),
    (directory(organization=[]), "a text, found another", 2, "organization.name"),
    (directory(organization="Hill"), "a text, found another", 2, "organization.name"),
    (directory(organization={"name": "x" * 251}), "at most 250", 2, "organization.name"),
    (directory(assured_date="2026-02-30"), "a date such as", 2, "assured_date"),
    (directory(assured_date="2101-01-01"), "a date from", 2, "assured_date"),
    (directory(last_modified=20260101), "a text, found another", 2, "last_modified"),
    (directory(pc_metadata={"date_assured": "soon"}), "a date such", 2, "pc_metadata.date_assured"),
    (directory(pc_metadata={"date_modified": "soon"}), "a date", 2, "pc_metadata.date_modified"),
    (directory(service_at_locations=[place(100, 101)]), "in the British Isles", 2, PLACES),
    (directory(service_at_locations=[place(51.5, 2.6)]), "in the British Isles", 2, PLACES),
    (directory(service_at_locations=[place(48.9, 0.5)]), "in the British Isles", 2, PLACES),
    (directory(service_at_locations=[place(51.5, None)]), "in the British Isles", 2, PLACES),
    (directory(service_at_locations=[place(float("nan"), 0)]), "in the British", 2, PLACES),
    (directory(service_at_locations=[place("north", 0)]), "in the British Isles", 2, PLACES),
    (directory(service_at_locations=[place(True, 0)]), "in the British Isles", 2, PLACES),
    (directory(service_at_locations=[place(51, 0, name=1)]), "in the British", 2, PLACES),
    (directory(service_at_locations={"location": []}), "in the British Isles", 2, PLACES),
    (directory(service_at_locations="here"), "in the British Isles", 2, PLACES),
    (directory(service_areas="here"), "a list of areas", 2, AREAS),
    (directory(service_areas=[None]), "a list of areas", 2, AREAS),
    (page([service(1), None]), "expected a text", 2, "name"),
    (page([service(1), "x"]), "expected an id", 2, "id"),
    ('{"contents": []}', "a page of a directory without services", None, None),
    ('{"content": [1]}', "a page of a directory without services", None, None),
    (page([{"id": "1", "name": "x", "website": "x"}]), "holds organizations, not", None, None),
    ('{"id": "1", "name": "x", "services": []}', "holds organizations, not", None, None),
    (page([{"id": "1", "name": "x", "version": "1"}]), "holds taxonomies, not", None, None),
    ('{"id": "1", "location": {}, "service": {}}', "services at a location, not", None, None),
    ('{"name": "x", "type": "object", "properties": {}, "required": []}', "a schema", None, None),
]
ALL: dict[str, list[tuple[str | bytes, str, int | None, str | None]]] = {
    "appointments": APPOINTMENTS,
    "pcn_members": PCN_MEMBERS,
    "practice_register": PRACTICE_REGISTER,
    "lsoa_index": LSOA_INDEX,
    "charities": CHARITIES,
    "directory": DIRECTORY,
}


@pytest.mark.parametrize(
    ("text", "rule", "row", "column"),
    [
        pytest.param(*case, id=f"{name} {number}: {case[1]}")
        for name, cases in ALL.items()
        for number, case in enumerate(cases)
    ],
)
def test_refused(text: str | bytes, rule: str, row: int | None, column: str | None):
    with pytest.raises(RefusedError) as refusal:
        read(text)
    places = [(p.row, p.column) for p in refusal.value.problems if rule in p.rule]
    assert (row, column) in places, str(refusal.value)
    # Nothing else is wrong with the file: one thing was changed.
    assert len(refusal.value.problems) <= 5
