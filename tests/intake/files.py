"""Tiny files in the published forms, and how the tests read them."""

# ruff: noqa: E501 - a row of a file is one line

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from dashboard import intake
from dashboard.intake.known import Known
from dashboard.intake.source import Source
from queries.load import CleanLoad, Reading

WORKFORCE = """\
Data_source,CENSUS_YEAR,CENSUS_MONTH,PCN_CODE,PCN_NAME,SUB_ICB_CODE,SUB_ICB_NAME,ICB_CODE,ICB_NAME,STAFF_GROUP,STAFF_ROLE,DETAILED_STAFF_ROLE,FTE,UNIQUE_IDENTIFIER
NWRS Staff,2026,6,U00001,NORTH PCN,5E1,North sub,QZZ,North ICB,Direct,Social Prescribing Link Workers,Social Prescriber,0.5,1
NWRS Staff,2026,6,U00002,SOUTH PCN,5E1,North sub,QZZ,North ICB,Direct,Social Prescribing Link Workers,Social Prescriber,0.5,1
NWRS Staff,2026,6,U00001,NORTH PCN,5E1,North sub,QZZ,North ICB,Direct,Mental Health and Social Prescribing Link Workers,Other,1,2
NWRS contracted services,2026,6,U00001,NORTH PCN,5E1,North sub,QZZ,North ICB,Direct,Social Prescribing Link Workers,Social Prescriber,2.25,9
NWRS Staff,2026,6,U00003,EAST PCN,5E1,North sub,QZZ,North ICB,Nurses,Nurses,Nurse,1,3
"""

LSOA_WARD = """\
LSOA21CD,LSOA21NM,WD24CD,WD24NM,LAD24CD,LAD24NM
E01000001,One 001A,E05000001,Hill,E07000001,Northton
E01000002,One 001B,E05000001,Hill,E07000001,Northton
E01000003,Two 001A,E05000002,Dale,E07000002,Southton
"""

LSOA_ICB = """\
LSOA21CD,LSOA21NM,SICBL24CD,SICBL24CDH,SICBL24NM,ICB24CD,ICB24CDH,ICB24NM
E01000001,One 001A,E38000001,5E1,North sub,E54000001,QZZ,North ICB
E01000002,One 001B,E38000001,5E1,North sub,E54000001,QZZ,North ICB
E01000003,Two 001A,E38000001,5E1,North sub,E54000001,S9B9J,South ICB
"""

POPULATION = """\
LAD 2023 Code,LAD 2023 Name,Ward 2023 Code,Ward 2023 Name,Total
E07000001,Northton,E05000001,Hill,"7,657"
E07000002,Southton,E05000002,Dale,312
"""

POPULATION_BY_AGE = """\
LAD 2023 Code,LAD 2023 Name,Ward 2023 Code,Ward 2023 Name,Total,F0,F17,F18,F64,F90,M0,M39,M65,M80,M90+
E07000001,Northton,E05000001,Hill,55,1,2,3,4,5,6,7,8,9,10
"""

DEPRIVATION = """\
LSOA code (2021),LSOA name (2021),Local Authority District code (2024),Local Authority District name (2024),Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived),Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOA
E01000001,One 001A,E07000001,Northton,1,1
E01000003,Two 001A,E07000002,Southton,"33,755",10
"""

PRACTICES = """\
PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,PRACTICE_POSTCODE,PCN_CODE,PCN_NAME,ONS_SUB_ICB_LOCATION_CODE,SUB_ICB_LOCATION_CODE,SUB_ICB_LOCATION_NAME,ONS_ICB_CODE,ICB_CODE,ICB_NAME,ONS_COMM_REGION_CODE,COMM_REGION_CODE,COMM_REGION_NAME,SUPPLIER_NAME
GP_PRAC_PAT_LIST,01Jul2026,A00001,HILL SURGERY,ZZ1 1AA,U00001,NORTH PCN,E38000001,5E1,North sub,E54000001,QZZ,North ICB,E40000001,Y01,North,X
GP_PRAC_PAT_LIST,01Jul2026,A00002,DALE SURGERY,ZZ9 9ZZ,U,Unallocated,E38000001,5E1,North sub,E54000001,QZZ,North ICB,E40000001,Y01,North,X
"""

LIST_SIZES = """\
PUBLICATION,EXTRACT_DATE,ORG_TYPE,ORG_CODE,ONS_CODE,POSTCODE,SEX,AGE_GROUP_5,NUMBER_OF_PATIENTS
GP_PRAC_PAT_LIST,2026-07-01,ICB,QZZ,E54000001,,ALL,ALL,"1,300"
GP_PRAC_PAT_LIST,2026-07-01,PCN,U00001,,,ALL,ALL,"1,300"
GP_PRAC_PAT_LIST,2026-07-01,GP,A00001,,ZZ1 1AA,ALL,ALL,"1,000"
GP_PRAC_PAT_LIST,2026-07-01,GP,A00001,,ZZ1 1AA,FEMALE,ALL,600
GP_PRAC_PAT_LIST,2026-07-01,GP,A00001,,ZZ1 1AA,MALE,ALL,400
GP_PRAC_PAT_LIST,2026-07-01,GP,A00001,,ZZ1 1AA,FEMALE,0_4,600
GP_PRAC_PAT_LIST,2026-07-01,GP,A00001,,ZZ1 1AA,MALE,0_4,400
GP_PRAC_PAT_LIST,2026-07-01,GP,A00001,,ZZ1 1AA,ALL,0_4,"1,000"
GP_PRAC_PAT_LIST,2026-07-01,GP,A00002,,ZZ9 9ZZ,ALL,ALL,300
"""

REGISTERED = """\
PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,LSOA_CODE,SEX,Number of Patients
GP_PRAC_PAT_LIST,01JUL2026,A00001,HILL SURGERY,E01000001,ALL,30
GP_PRAC_PAT_LIST,01JUL2026,A00001,HILL SURGERY,E01000001,FEMALE,20
GP_PRAC_PAT_LIST,01JUL2026,A00001,HILL SURGERY,E01000001,MALE,10
GP_PRAC_PAT_LIST,01JUL2026,A00002,DALE SURGERY,E01000001,FEMALE,4
GP_PRAC_PAT_LIST,01JUL2026,A00002,DALE SURGERY,E01000001,MALE,3
GP_PRAC_PAT_LIST,01JUL2026,A00001,HILL SURGERY,CLOSED,ALL,5
GP_PRAC_PAT_LIST,01JUL2026,A00001,HILL SURGERY,EMPTY,ALL,6
GP_PRAC_PAT_LIST,01JUL2026,A00001,HILL SURGERY,NO2011,ALL,7
GP_PRAC_PAT_LIST,01JUL2026,A00001,HILL SURGERY,W01000001,ALL,8
GP_PRAC_PAT_LIST,01JUL2026,A00002,DALE SURGERY,W01000002,ALL,1
"""

SCHEME_AREAS = """\
scheme,organisation,model,speaks_for,serves,from,until
Hill links,Hill charity,Consortium,E07000001,E05000001,2025-04-01,2027-03-31
Hill links,Hill charity,consortium,E07000001,E05000003,2025-10-01,
Dale links,,,QZZ,,,
"""

SERVICES = """\
service_id,service_name,provider,area_served,online,need_themes,state,places_offered,places_filled,waiting,cost_to_person,safeguarding,confirmed_on,opens_on,closes_on,funder,funding_ends,cost_per_place
s1,Walks,Hill charity,E05000001;e05000002|E07000002,no,Nature; loneliness,has capacity,10,4,0,free,yes,2026-06-01,,,Council,2027-03-31,£12.50
s2,Phone friends,Hill charity,,yes,,full,10,12,-,,,,,,,,
s3,Debt advice,Dale advice,,,money and debt,,,,,,no,,,,,,
"""

CAPACITY = """\
provider,service_id,week,state,places_offered,places_filled,waiting,wait_days
Hill charity,s1,2026-06-15,Has capacity,12,9,0,14
Hill charity,s1,28/06/2026,full,12,13,,
Hill charity,s2,2026-06-17,,,,3,-
Dale advice,s1,2026-06-21,full with waiting list,,,,
"""

SERVICE_MATCHES = """\
provider,service_id,other_service_id,same
Hill charity,s1,ac148810-d857-441c-9679-408f346de14b,yes
Hill charity,s1,b644a0d2-9e8a-4c33-9390-ae9ee93fc056,No
"""

REFERRALS = """\
reference,received,lsoa_code,practice_code,source,reasons,age,sex,accepted
r1,2026-01-31,E01000001,A00001,gp,loneliness; housing,17,F,2026-02-03
r2,01/01/2026,E01000002,A00001,Self,,18,M,
r3,2026-01-15,E01000003,A00002,VCSE,,,,
r4,2026-02-28,E01000003,A00001,other,,80,,
"""


def ward_feature(code: str, name: str, lad: str | None, west: float, vintage: str = "25") -> dict:
    """One square ward, 0.01 degrees wide, as the published layer has it."""
    lads = {f"LAD{vintage}CD": lad, f"LAD{vintage}NM": f"District {lad}"} if lad else {}
    ring = [[west, 51.0], [west + 0.01, 51.0], [west + 0.01, 51.01], [west, 51.01], [west, 51.0]]
    return {
        "type": "Feature",
        "properties": {"FID": 1, f"WD{vintage}CD": code, f"WD{vintage}NM": name, **lads},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def boundaries(*features: dict) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


BOUNDARIES = boundaries(
    ward_feature("E05000001", "Hill", "E07000001", 0.50),
    ward_feature("E05000002", "Dale", "E07000002", 0.51),
)


class Lookups(Known):
    """Earlier loads: two practices, the LSOAs of `LSOA_WARD`, and what directories listed."""

    def __init__(self, **services: list[str]) -> None:
        """`services` has the services in force by load: load_3=["s1", "s2"]."""
        wards = {"E01000001": "E05000001", "E01000002": "E05000001", "E01000003": "E05000002"}
        pcns = {"A00001": "U00001", "A00002": "U"}
        rows = [(int(load[5:]), one) for load, ids in services.items() for one in ids]
        directory = pd.DataFrame(rows, columns=["load_id", "service_id"])
        super().__init__(
            b"key",
            pd.Series(wards, dtype="str"),
            pd.Series(pcns, dtype="str"),
            directory=directory.astype({"load_id": "int64", "service_id": "str"}),
        )

    def hashed(self, references: pd.Series) -> pd.Series:
        return references.map(lambda text: hashlib.sha256(text.encode()).hexdigest())


def read(text: str | bytes, lookups: Lookups | None = None) -> CleanLoad:
    """What the reader of the file makes of it."""
    source = Source.of("file.csv", text if isinstance(text, bytes) else text.encode())
    return whole(intake.read(source, lookups or Lookups()))


def whole(reading: Reading) -> CleanLoad:
    """A reading with all its blocks in one."""
    blocks: dict[str, list[pd.DataFrame]] = {}

    def keep(rows: Mapping[str, pd.DataFrame]) -> None:
        for table, frame in rows.items():
            blocks.setdefault(table, []).append(frame)

    while True:
        try:
            keep(next(reading))
        except StopIteration as end:
            clean: CleanLoad = end.value
            keep(clean.rows)
            return replace(clean, rows={table: pd.concat(b) for table, b in blocks.items()})


def sums(load: CleanLoad, table: str, key: list[str], value: str) -> dict:
    """The total of a column by a key, to be compared whole; "" where a part of the key is missing."""
    rows = load.rows[table]
    keys = [rows[name].astype(object).where(rows[name].notna(), "") for name in key]
    return rows[value].groupby(keys).sum().to_dict()
