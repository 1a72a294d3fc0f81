"""One bad file for every check: the rule that fires, and the row and column it names."""

from __future__ import annotations

import pytest

from dashboard.intake.problems import RefusedError
from tests.intake import files
from tests.intake.files import boundaries, read, ward_feature

RANK = files.DEPRIVATION.split("\n")[0].split(",")[4]
DECILE = files.DEPRIVATION.split("\n")[0].split(",")[5]


def change(text: str, old: str, new: str, count: int = 1) -> str:
    """The file with one thing wrong; it must be there to be changed."""
    assert old in text
    return text.replace(old, new, count)


def twice(text: str, row: int) -> str:
    """The file with one of its rows repeated at its end."""
    return text + text.splitlines()[row - 1] + "\n"


def only_heading(text: str) -> str:
    return text.split("\n", 1)[0] + "\n"


hill = ward_feature("E05000001", "Hill", "E07000001", 0.5)

WORKFORCE = [
    (change(files.WORKFORCE, "NWRS Staff", "Guess"), "expected one of", 2, "Data_source"),
    (change(files.WORKFORCE, "2026,6", "2026,13"), "a month from 1", 2, "CENSUS_MONTH"),
    (change(files.WORKFORCE, "2026,6", "2026,0"), "a month from 1", 2, "CENSUS_MONTH"),
    (change(files.WORKFORCE, "2026,6", "26,6"), "a year such as", 2, "CENSUS_YEAR"),
    (change(files.WORKFORCE, "2026,6", "*,6"), "whole number", 2, "CENSUS_YEAR"),
    (change(files.WORKFORCE, "U00002", "X00002"), "a PCN code", 3, "PCN_CODE"),
    (change(files.WORKFORCE, "5E1", "5.00E+01"), "sub-ICB location", 2, "SUB_ICB_CODE"),
    (change(files.WORKFORCE, "QZZ", "E54000001"), "an ICB code", 2, "ICB_CODE"),
    (change(files.WORKFORCE, "0.5,1", '"0,5",1'), "a number from 0", 2, "FTE"),
    (change(files.WORKFORCE, "0.5,1", "-0.5,1"), "a number from 0", 2, "FTE"),
    (change(files.WORKFORCE, "0.5,1", "*,1"), "a number from 0", 2, "FTE"),
    (change(files.WORKFORCE, "PCN_NAME", "NAME"), "missing", None, "PCN_NAME"),
    (only_heading(files.WORKFORCE), "no rows", None, None),
]
BOUNDARIES = [
    (boundaries(hill, hill), "the same ward code", 2, None),
    (
        boundaries(hill, ward_feature("E05000002", " ", "E07000001", 0.6)),
        "expected a text",
        2,
        "WD25NM",
    ),
    (
        boundaries(ward_feature("E06000001", "Hill", "E07000001", 0.5)),
        "a ward code such as",
        1,
        "WD25CD",
    ),
    (
        boundaries(ward_feature("E05000001", "Hill", "Hillshire", 0.5)),
        "a district code",
        1,
        "LAD25CD",
    ),
    (
        boundaries(ward_feature("E05000001", "Hill", "E07000001", 100.0)),
        "Great Britain",
        None,
        None,
    ),
    (boundaries(hill | {"geometry": None}), "Polygon", None, None),
]
LSOA_WARD = [
    (twice(files.LSOA_WARD, 2), "the same LSOA", 5, None),
    (change(files.LSOA_WARD, "E01000002", "E01 2"), "an LSOA code", 3, "LSOA21CD"),
    (change(files.LSOA_WARD, "E05000002", "Dale"), "a ward code", 4, "WD24CD"),
    (change(files.LSOA_WARD, "E07000002", ""), "a district code", 4, "LAD24CD"),
    (only_heading(files.LSOA_WARD), "no rows", None, None),
]
LSOA_ICB = [
    (twice(files.LSOA_ICB, 2), "the same LSOA", 5, None),
    (change(files.LSOA_ICB, "E01000002", "S01000002"), "an LSOA code", 3, "LSOA21CD"),
    (change(files.LSOA_ICB, "5E1", "50.0"), "a sub-ICB location", 2, "SICBL24CDH"),
    (change(files.LSOA_ICB, "QZZ", "QZZZ"), "an ICB code", 2, "ICB24CDH"),
]
POPULATION = [
    (twice(files.POPULATION, 2), "the same ward code", 4, None),
    (change(files.POPULATION, "E05000001", "E06000001"), "a ward code", 2, "Ward 2023 Code"),
    (change(files.POPULATION, "E07000001", "x"), "a district code", 2, "LAD 2023 Code"),
    (change(files.POPULATION, "312", "many"), "a whole number", 3, "Total"),
    (change(files.POPULATION, "312", ""), "a whole number", 3, "Total"),
    (change(files.POPULATION_BY_AGE, "55", "54"), "to add up to the total", 2, "Total"),
    (change(files.POPULATION_BY_AGE, "55,1", "55,x"), "a whole number", 2, "F0"),
]
DEPRIVATION = [
    (twice(files.DEPRIVATION, 2), "the same LSOA", 4, None),
    (change(files.DEPRIVATION, "E01000001", "E02000001"), "an LSOA code", 2, "LSOA code (2021)"),
    (change(files.DEPRIVATION, "Northton,1,1", "Northton,0,1"), "begin at 1", 2, RANK),
    (change(files.DEPRIVATION, "Northton,1,1", "Northton,*,1"), "a whole number", 2, RANK),
    (change(files.DEPRIVATION, "Northton,1,1", "Northton,1,0"), "from 1 to 10", 2, DECILE),
    (change(files.DEPRIVATION, "Northton,1,1", "Northton,1,11"), "from 1 to 10", 2, DECILE),
    (
        change(files.DEPRIVATION, "E07000002", ""),
        "a district code",
        3,
        "Local Authority District code (2024)",
    ),
]
PRACTICES = [
    (twice(files.PRACTICES, 2), "the same practice", 4, None),
    (change(files.PRACTICES, "01Jul2026", "July"), "a date such as", 2, "EXTRACT_DATE"),
    (change(files.PRACTICES, "A00001", "1"), "a practice code", 2, "PRACTICE_CODE"),
    (change(files.PRACTICES, "U00001", ""), "a PCN code", 2, "PCN_CODE"),
    (change(files.PRACTICES, "5E1", "5"), "a sub-ICB", 2, "SUB_ICB_LOCATION_CODE"),
    (change(files.PRACTICES, "QZZ", "ZZ"), "an ICB code", 2, "ICB_CODE"),
]
LIST_SIZES = [
    (twice(files.LIST_SIZES, 4), "the same practice", 11, None),
    (change(files.LIST_SIZES, "GP,A00001", "GP,A1"), "a practice code", 4, "ORG_CODE"),
    (
        change(files.LIST_SIZES, "ALL,ALL,300", "ALL,ALL,x"),
        "whole number",
        10,
        "NUMBER_OF_PATIENTS",
    ),
    (change(files.LIST_SIZES, ",GP,", ",PCN,", -1), "no practice totals", None, None),
    (
        change(files.LIST_SIZES, "2026-07-01,GP", "2026-13-01,GP"),
        "a date such as",
        4,
        "EXTRACT_DATE",
    ),
    (only_heading(files.LIST_SIZES), "no rows", None, None),
]
REGISTERED = [
    (twice(files.REGISTERED, 2), "the same practice, LSOA and sex", 12, None),
    (change(files.REGISTERED, ",ALL,30", ",BOTH,30"), "expected one of", 2, "SEX"),
    (change(files.REGISTERED, ",ALL,30", ",ALL,"), "whole number", 2, "Number of Patients"),
    (change(files.REGISTERED, "E01000001", ""), "an LSOA code", 2, "LSOA_CODE"),
    (change(files.REGISTERED, "A00001", "A1"), "a practice code", 2, "PRACTICE_CODE"),
    (change(files.REGISTERED, "01JUL2026", "soon"), "a date such as", 2, "EXTRACT_DATE"),
    (
        change(change(files.REGISTERED, ",ALL,", ",MALE,", 9), "FEMALE", "MALE", 9),
        "one sex only",
        None,
        "SEX",
    ),
]
SCHEME_AREAS = [
    (twice(files.SCHEME_AREAS, 2), "the same scheme", 5, None),
    (change(files.SCHEME_AREAS, "Hill links", ""), "expected a text", 2, "scheme"),
    (change(files.SCHEME_AREAS, "Consortium", "friends"), "expected one of", 2, "model"),
    (change(files.SCHEME_AREAS, "E07000001", "Kent"), "a district or ICB", 2, "speaks_for"),
    (change(files.SCHEME_AREAS, "E07000001", ""), "a district or ICB", 2, "speaks_for"),
    (change(files.SCHEME_AREAS, "E05000003", "E0500003"), "a ward, district", 3, "serves"),
    (change(files.SCHEME_AREAS, "2027-03-31", "2025-03-31"), "on or after", 2, "until"),
    (change(files.SCHEME_AREAS, "2025-04-01", "04/2025"), "a date such as", 2, "from"),
    (only_heading(files.SCHEME_AREAS), "no rows", None, None),
]
SERVICES = [
    (twice(files.SERVICES, 2), "the same provider and service_id", 5, None),
    (change(files.SERVICES, "s2", ""), "expected a text", 3, "service_id"),
    (change(files.SERVICES, "s2", "s" * 65), "at most 64 characters", 3, "service_id"),
    (change(files.SERVICES, "Walks", ""), "expected a text", 2, "service_name"),
    (change(files.SERVICES, "Dale advice", ""), "expected a text", 4, "provider"),
    (change(files.SERVICES, "e05000002", "Dale"), "codes, separated by ;", 2, "area_served"),
    (change(files.SERVICES, "loneliness", "lonely"), "carers, employment", 2, "need_themes"),
    (change(files.SERVICES, ",no,", ",perhaps,"), "yes or no", 2, "online"),
    (change(files.SERVICES, "has capacity", "open"), "expected one of", 2, "state"),
    (change(files.SERVICES, ",10,4,", ",ten,4,"), "a whole number", 2, "places_offered"),
    (change(files.SERVICES, ",10,4,", ",10,-4,"), "a whole number", 2, "places_filled"),
    (change(files.SERVICES, ",4,0,", ",4,some,"), "a whole number", 2, "waiting"),
    (change(files.SERVICES, "free,yes", "free,x"), "yes or no", 2, "safeguarding"),
    (change(files.SERVICES, "2026-06-01", "2126-06-01"), "a date from", 2, "confirmed_on"),
    (change(files.SERVICES, "2027-03-31", "spring"), "a date such as", 2, "funding_ends"),
    (change(files.SERVICES, "£12.50", "$12.50"), "a number from 0", 2, "cost_per_place"),
]
REFERRALS = [
    (twice(files.REFERRALS, 2), "the same reference", 6, None),
    (change(files.REFERRALS, "r2", ""), "expected a text", 3, "reference"),
    (change(files.REFERRALS, "01/01/2026", ""), "a date such as", 3, "received"),
    (change(files.REFERRALS, "01/01/2026", "2014-12-31"), "a date from 2015", 3, "received"),
    (change(files.REFERRALS, "01/01/2026", "2101-01-01"), "a date from 2015", 3, "received"),
    (change(files.REFERRALS, "E01000001", "Hill"), "an LSOA code", 2, "lsoa_code"),
    (change(files.REFERRALS, "A00001", "Hill"), "a practice code", 2, "practice_code"),
    (change(files.REFERRALS, ",gp,", ",friend,"), "expected one of GP", 2, "source"),
    (change(files.REFERRALS, "housing", "x" * 1000), "no notes about a person", 2, "reasons"),
    (change(files.REFERRALS, ",17,F", ",126,F"), "0 to 125", 2, "age"),
    (change(files.REFERRALS, ",17,F", ",young,F"), "a whole number", 2, "age"),
    (change(files.REFERRALS, ",17,F", f",17,{'F' * 101}"), "no notes", 2, "sex"),
    (change(files.REFERRALS, "2026-02-03", "next week"), "a date such as", 2, "accepted"),
    (change(files.REFERRALS, "lsoa_code", "place"), "ward_code or lsoa_code", None, None),
    (
        "reference,received,ward_code,pcn_code,age_band\na,2026-01-01,E05,U00001,0-17\n",
        "a ward code",
        2,
        "ward_code",
    ),
    (
        "reference,received,ward_code,pcn_code,age_band\na,2026-01-01,E05000001,P1,0-17\n",
        "a PCN code",
        2,
        "pcn_code",
    ),
    (
        "reference,received,ward_code,pcn_code,age_band\na,2026-01-01,E05000001,U00001,0-16\n",
        "expected one of 0-17",
        2,
        "age_band",
    ),
    (
        "reference,received,ward_code,long_term_conditions\na,2026-01-01,E05000001,two\n",
        "a whole number",
        2,
        "long_term_conditions",
    ),
    ("reference,received,ward_code\n", "no rows", None, None),
]
ALL = {
    "workforce": WORKFORCE,
    "boundaries": BOUNDARIES,
    "lsoa_ward": LSOA_WARD,
    "lsoa_icb": LSOA_ICB,
    "population": POPULATION,
    "deprivation": DEPRIVATION,
    "practices": PRACTICES,
    "list_sizes": LIST_SIZES,
    "registered": REGISTERED,
    "scheme_areas": SCHEME_AREAS,
    "services": SERVICES,
    "referrals": REFERRALS,
}


@pytest.mark.usefixtures("one_postcode")
@pytest.mark.parametrize(
    ("text", "rule", "row", "column"),
    [
        pytest.param(*case, id=f"{name} {number}: {case[1]}")
        for name, cases in ALL.items()
        for number, case in enumerate(cases)
    ],
)
def test_refused(text: str, rule: str, row: int | None, column: str | None):
    with pytest.raises(RefusedError) as refusal:
        read(text)
    places = [(p.row, p.column) for p in refusal.value.problems if rule in p.rule]
    assert (row, column) in places, str(refusal.value)
    # Nothing else is wrong with the file: one thing was changed.
    assert len(refusal.value.problems) <= 5
