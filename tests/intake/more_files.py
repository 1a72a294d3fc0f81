"""Tiny files in the other published forms."""

# ruff: noqa: E501 - a row of a file is one line

from __future__ import annotations

import io
import json
from typing import Any

import openpyxl

APPOINTMENTS = """\
APPOINTMENT_MONTH_START_DATE,GP_CODE,GP_NAME,SUPPLIER,PCN_CODE,PCN_NAME,SUB_ICB_LOCATION_CODE,SUB_ICB_LOCATION_NAME,HCP_TYPE,APPT_MODE,NATIONAL_CATEGORY,TIME_BETWEEN_BOOK_AND_APPT,COUNT_OF_APPOINTMENTS,APPT_STATUS
01OCT2025,A00001,HILL SURGERY,X,U00001,NORTH PCN,5E1,North sub,Other Practice staff,Telephone,Social Prescribing Service,Same Day,3,Attended
01OCT2025,A00001,HILL SURGERY,X,U00001,NORTH PCN,5E1,North sub,Other Practice staff,Telephone,Social Prescribing Service,Same Day,4,Unknown
01OCT2025,A00001,HILL SURGERY,X,U00001,NORTH PCN,5E1,North sub,GP,Telephone,Home Visit,Same Day,10,Attended
01OCT2025,A00002,DALE SURGERY,X,U,Unallocated,5E1,North sub,GP,Telephone,Home Visit,Same Day,20,Attended
01OCT2025,A00002,DALE SURGERY,X,U,Unallocated,5E1,North sub,GP,Telephone,Walk-in,Same Day,*,Attended
"""

PCN_MEMBERS = [
    [
        "Partner\nOrganisation\nCode",
        "Partner\nName",
        "Practice\nParent\nSub ICB Loc Code",
        "Practice\nParent\nSub ICB Loc Name",
        "PCN Code",
        "PCN Name",
        "PCN Parent\nSub ICB Loc Code",
        "PCN Parent\nSub ICB Loc Name",
        "Practice to PCN\nRelationship\nStart Date",
        "Practice to PCN\nRelationship\nEnd Date",
        "Practice Sub ICB Loc and PCN Sub ICB Loc Match ",
    ],
    ["A00001", "HILL SURGERY", "5E1", "North sub", "U00002", "SOUTH PCN", "5E2", "South sub", "20191001", "20230331", False],
    ["A00001", "HILL SURGERY", "5E1", "North sub", "U00001", "NORTH PCN", "5E1", "North sub", "20230401", None, True],
    ["A00002", "DALE SURGERY", "5E2", "South sub", "U00002", "SOUTH PCN", "5E2", "South sub", "20191001", None, True],
]  # fmt: skip

PCN_MEMBERS_CSV = """\
"A00001","HILL SURGERY","5E1","North sub","U00002","SOUTH PCN","5E2","South sub","20191001","20230331","0"
"A00001","HILL SURGERY","5E1","North sub","U00001","NORTH PCN","5E1","North sub","20230401","","1"
"A00002","DALE SURGERY","5E2","South sub","U00002","SOUTH PCN","5E2","South sub","20191001","","1"
"""

# The third entry is a prison's, the fourth a practice in Wales.
PRACTICE_REGISTER = """\
"A00001","HILL SURGERY","Y01","QZZ","1 HILL ROAD","","","NORTHTON","","ZZ1 1AA","19740401","","A","B","5E1","20200401","","01234 567890","","","","0","","5E1","","4",""
"A00002","DALE SURGERY","Y01","QZZ","2 DALE ROAD","","","NORTHTON","","zz9 9zz","19740401","20220331","C","B","5E1","20200401","20220331","01234 567891","","","","0","","5E1","","4",""
"A00003","NORTHTON PRISON","Y01","QZZ","3 DALE ROAD","","","NORTHTON","","ZZ9 9ZZ","20130401","","A","B","5E1","20200401","","","","","","0","","RZZ","","25",""
"W00001","WELSH SURGERY","W00","7A1","4 DALE ROAD","","","WESTON","","ZZ8 8ZZ","","","A","B","7A1","20200401","","","","","","0","","7A1","","4",""
"""

LSOA_INDEX = """\
lsoa21_code,perc,deciles
E01000001,29.5,10
E01000002,-1.25e-05,1
W01000003,,5
"""

LSOA_INDEX_OF_SEVERAL = """\
LSOA code (2011),LSOA name,Civic Assets score,Civic Assets decile,Connectedness score,Connectedness decile
E01000001,One 001A,1.5,3,-2,9
"""

CHARITIES: list[dict[str, Any]] = [
    {
        "date_of_extract": "2026-06-01T00:00:00",
        "organisation_number": 1,
        "registered_charity_number": 1000001,
        "linked_charity_number": 0,
        "charity_name": "HILL CHARITY",
        "charity_registration_status": "Registered",
        "date_of_registration": "1961-09-22T00:00:00",
        "date_of_removal": None,
        "charity_contact_postcode": "ZZ1 1AA",
    },
    {
        "date_of_extract": "2026-06-01T00:00:00",
        "organisation_number": 2,
        "registered_charity_number": 1000001,
        "linked_charity_number": 1,
        "charity_name": "HILL FUND",
        "charity_registration_status": "Registered",
        "date_of_registration": "1961-09-22T00:00:00",
        "date_of_removal": None,
        "charity_contact_postcode": None,
    },
    {
        "date_of_extract": "2026-06-01T00:00:00",
        "organisation_number": 3,
        "registered_charity_number": 200002,
        "linked_charity_number": 0,
        "charity_name": 'DALE "ADVICE", LTD',
        "charity_registration_status": "Removed",
        "date_of_registration": "1990-01-31T00:00:00",
        "date_of_removal": "2020-02-29T00:00:00",
        "charity_contact_postcode": None,
    },
]


def table(entries: list[dict[str, Any]], separator: str) -> str:
    """The same entries as text; cells hold no tabs, and quotation marks only between commas."""
    quote = '"{}"'.format if separator == "," else str
    lines = [list(entries[0])] + [
        [
            quote("" if v is None else str(v).replace('"', '""' if separator == "," else '"'))
            for v in e.values()
        ]
        for e in entries
    ]
    return "\n".join(separator.join(line) for line in lines) + "\n"


def service(number: int, **other: Any) -> dict[str, Any]:
    """A service of version 3 with nothing wrong."""
    return {
        "id": f"00000000-0000-0000-0000-{number:012}",
        "name": f"Service {number}",
        "status": "active",
        "organization": {"id": "o1", "name": "Hill charity"},
        "assured_date": "2026-01-31",
        **other,
    }


def place(latitude: Any, longitude: Any, **other: Any) -> dict[str, Any]:
    return {
        "location": {"name": "Hill hall", "latitude": latitude, "longitude": longitude, **other}
    }


SERVICES = [
    service(
        1,
        name="<b>Walks</b> &amp; talks",
        url="https://example.org/walks",
        minimum_age=18,
        maximum_age=99.5,
        service_at_locations=[place(51.5, 0.5), place("51.25", "-0.5", name=None)],
        service_areas=[
            {"name": "Hill ward", "uri": "http://example.org/id/E05000001"},
            {"name": "Northton", "extent": "e07000001"},
            {"name": "QZZ"},
            {"name": "all of it", "extent": None},
        ],
    ),
    service(
        2,
        url="javascript:alert(1)",
        assured_date=None,
        last_modified="2025-03-15T10:30:45.123Z",
        organization=None,
        attending_type="Online",
    ),
    service(
        3,
        assured_date="",
        pc_metadata={"date_assured": None, "date_modified": "2024-12-10"},
        service_at_locations=[place(None, None, location_type="virtual")],
    ),
    service(4, assured_date=None, schedules=[{"attending_type": "by video"}, {}]),
    service(5, status="defunct"),
    service(6),
]  # fmt: skip


def page(services: list[Any], **other: Any) -> str:
    """A page of version 3."""
    return json.dumps({"total_pages": 1, "page_number": 1, "contents": services} | other)


def workbook(rows: list[list[Any]]) -> bytes:
    """A workbook with a sheet of notes and one with the rows."""
    book = openpyxl.Workbook()
    book.active.append(["Notes"])
    sheet = book.create_sheet("PCN Core Partner Details")
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
