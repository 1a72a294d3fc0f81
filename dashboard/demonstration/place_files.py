"""Files of places in the forms of the ONS and of the Indices of Deprivation 2019."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.demonstration.places import AGES, BOARDS, Places
from dashboard.demonstration.tables import csv_file
from dashboard.intake.source import Source

# These two districts' population still comes on the ward codes of 2023.
LATE_DISTRICTS = ("Maidstone", "Tunbridge Wells")


def place_files(places: Places) -> list[Source]:
    """Boundaries, both lookups, the population in two vintages, and deprivation."""
    lsoas = places.lsoas
    late = lsoas["LAD25NM"].isin(LATE_DISTRICTS)
    return [
        Source("demonstration ward boundaries 2025.geojson", places.boundaries),
        csv_file(
            "demonstration LSOA to ward lookup.csv",
            lsoas[["LSOA11CD", "LSOA11NM", "WD25CD", "WD25NM", "LAD25CD", "LAD25NM"]],
        ),
        _lsoa_to_icb(lsoas),
        _population(places, (~late).to_numpy(), 2025),
        _population(places, late.to_numpy(), 2023),
        _deprivation(lsoas),
    ]


def _lsoa_to_icb(lsoas: pd.DataFrame) -> Source:
    boards = {board.icb_code: board for board in BOARDS}
    rows = [boards[code] for code in lsoas["board"]]
    return csv_file(
        "demonstration LSOA to ICB lookup.csv",
        {
            "LSOA11CD": lsoas["LSOA11CD"],
            "LSOA11NM": lsoas["LSOA11NM"],
            # Two codes each in the published file: one of the ONS, and the NHS's own (CDH).
            "SICBL25CD": [f"E38{board.sub_icb_code}" for board in rows],
            "SICBL25CDH": [board.sub_icb_code for board in rows],
            "SICBL25NM": [board.name for board in rows],
            "ICB25CD": [f"E54{board.icb_code}" for board in rows],
            "ICB25CDH": [board.icb_code for board in rows],
            "ICB25NM": [board.name for board in rows],
        },
    )


def _population(places: Places, chosen: np.ndarray, year: int) -> Source:
    code = f"WD{year % 100}CD"
    lsoas = places.lsoas[chosen]
    ages = pd.DataFrame(places.ages[chosen]).groupby(lsoas[code].to_numpy()).sum()
    first = lsoas.drop_duplicates(code).set_index(code).loc[ages.index]
    # The older codes come without names of their own here.
    names = first["WD25NM"] if year == 2025 else [f"Ward of {year} {c[-3:]}" for c in ages.index]
    return csv_file(
        f"demonstration ward population on {year} wards.csv",
        {
            "LAD 2023 Code": first["LAD25CD"],
            "LAD 2023 Name": first["LAD25NM"],
            f"Ward {year} Code": ages.index,
            f"Ward {year} Name": names,
            "Total": ages.sum(axis=1),
            **{str(age) if age < AGES[-1] else f"{age}+": ages[age] for age in AGES},
        },
    )


def _deprivation(lsoas: pd.DataFrame) -> Source:
    return csv_file(
        "demonstration deprivation IMD 2019 File 1.csv",
        {
            "LSOA code (2011)": lsoas["LSOA11CD"],
            "LSOA name (2011)": lsoas["LSOA11NM"],
            "Local Authority District code (2019)": lsoas["LAD25CD"],
            "Local Authority District name (2019)": lsoas["LAD25NM"],
            "Index of Multiple Deprivation (IMD) Rank": lsoas["imd_rank"],
            "Index of Multiple Deprivation (IMD) Decile": lsoas["imd_decile"],
        },
    )
