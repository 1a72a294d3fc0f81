"""Files of England's places, practices and lists in the published forms."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from dashboard.demonstration.places import AGES
from dashboard.intake.source import Source
from tests.bench.england.places import Places
from tests.bench.england.tables import csv_file, words

EXTRACT_DATE, PUBLICATION = "01Jun2026", "GP_PRAC_PAT_LIST"


def place_files(places: Places) -> Iterator[Source]:
    """Boundaries, both lookups, the population by single years of age, and deprivation."""
    lsoas = places.lsoas
    yield Source("ward boundaries 2025.geojson", places.boundaries)
    yield csv_file(
        "LSOA to ward lookup.csv",
        lsoas[["LSOA11CD", "LSOA11NM", "WD25CD", "WD25NM", "LAD25CD", "LAD25NM"]],
    )
    yield csv_file(
        "LSOA to ICB lookup.csv",
        {
            "LSOA11CD": lsoas["LSOA11CD"],
            "LSOA11NM": lsoas["LSOA11NM"],
            "SICBL25CDH": lsoas["sub_icb_code"],
            "SICBL25NM": lsoas["icb_name"] + " " + lsoas["sub_icb_code"],
            "ICB25CDH": lsoas["icb_code"],
            "ICB25NM": lsoas["icb_name"],
        },
    )
    ages = pd.DataFrame(places.ages).groupby(lsoas["WD25CD"].to_numpy(dtype=object)).sum()
    first = lsoas.drop_duplicates("WD25CD").set_index("WD25CD").loc[ages.index]
    yield csv_file(
        "ward population.csv",
        {
            "LAD 2025 Code": first["LAD25CD"],
            "LAD 2025 Name": first["LAD25NM"],
            "Ward 2025 Code": ages.index.to_numpy(),
            "Ward 2025 Name": first["WD25NM"],
            "Total": ages.sum(axis=1),
            **{str(age) if age < AGES[-1] else f"{age}+": ages[age] for age in AGES},
        },
    )
    yield csv_file(
        "deprivation IMD 2019 File 1.csv",
        {
            "LSOA code (2011)": lsoas["LSOA11CD"],
            "LSOA name (2011)": lsoas["LSOA11NM"],
            "Local Authority District code (2019)": lsoas["LAD25CD"],
            "Local Authority District name (2019)": lsoas["LAD25NM"],
            "Index of Multiple Deprivation (IMD) Rank": lsoas["imd_rank"],
            "Index of Multiple Deprivation (IMD) Decile": lsoas["imd_decile"],
        },
    )


def practice_files(places: Places) -> Iterator[Source]:
    """The three files of "Patients registered at a GP practice" that are used here."""
    rows, patients = places.practices, places.patients
    yield csv_file(
        "practices 2026-06.csv",
        {
            "PUBLICATION": [PUBLICATION] * len(rows),
            "EXTRACT_DATE": [EXTRACT_DATE] * len(rows),
            "PRACTICE_CODE": rows["practice_code"],
            "PRACTICE_NAME": rows["practice_name"],
            # Where its patients live is told by LSOA, so no address is made up.
            "PRACTICE_POSTCODE": [""] * len(rows),
            "PCN_CODE": rows["pcn_code"],
            "PCN_NAME": rows["pcn_name"],
            "SUB_ICB_LOCATION_CODE": rows["sub_icb_code"],
            "SUB_ICB_LOCATION_NAME": rows["icb_name"] + " " + rows["sub_icb_code"],
            "ICB_CODE": rows["icb_code"],
            "ICB_NAME": rows["icb_name"],
        },
    )
    listed = patients.groupby("practice")["patients"].sum()
    codes = rows["practice_code"].tolist()
    yield csv_file(
        "list sizes 2026-06.csv",
        {
            "PUBLICATION": [PUBLICATION] * len(listed),
            "EXTRACT_DATE": [EXTRACT_DATE] * len(listed),
            "ORG_TYPE": ["GP"] * len(listed),
            "ORG_CODE": words(codes, listed.index.to_numpy()),
            "SEX": ["ALL"] * len(listed),
            "AGE_GROUP_5": ["ALL"] * len(listed),
            "NUMBER_OF_PATIENTS": listed,
        },
    )
    yield csv_file(
        "registered patients by LSOA 2026-06.csv",
        {
            "PUBLICATION": [PUBLICATION] * len(patients),
            "EXTRACT_DATE": [EXTRACT_DATE] * len(patients),
            "PRACTICE_CODE": words(codes, patients["practice"]),
            "PRACTICE_NAME": words(rows["practice_name"].tolist(), patients["practice"]),
            "LSOA_CODE": words(places.lsoas["LSOA11CD"].tolist(), patients["lsoa"]),
            "SEX": ["ALL"] * len(patients),
            "NUMBER_OF_PATIENTS": patients["patients"],
        },
    )
