"""Files of practices in the forms of "Patients registered at a GP practice"."""

from __future__ import annotations

from dashboard.demonstration.places import BOARDS
from dashboard.demonstration.practices import Practices
from dashboard.demonstration.tables import csv_file
from dashboard.intake.source import Source

EXTRACT_DATE = "01Jun2026"
PUBLICATION = "GP_PRAC_PAT_LIST"


def practice_files(made: Practices) -> list[Source]:
    """The three files of "Patients registered at a GP practice" that are used here."""
    boards = {board.icb_code: board for board in BOARDS}
    rows = made.practices
    mine = [boards[code] for code in rows["board"]]
    names = {pcn.code: pcn.name for pcn in made.pcns}
    return [
        csv_file(
            "demonstration practices 2026-06.csv",
            {
                "PUBLICATION": [PUBLICATION] * len(rows),
                "EXTRACT_DATE": [EXTRACT_DATE] * len(rows),
                "PRACTICE_CODE": rows["practice_code"],
                "PRACTICE_NAME": rows["practice_name"],
                # Where its patients live is told by LSOA, so no address is made up.
                "PRACTICE_POSTCODE": [""] * len(rows),
                "PCN_CODE": rows["pcn_code"],
                "PCN_NAME": rows["pcn_code"].map(names),
                "SUB_ICB_LOCATION_CODE": [board.sub_icb_code for board in mine],
                "SUB_ICB_LOCATION_NAME": [board.name for board in mine],
                "ICB_CODE": [board.icb_code for board in mine],
                "ICB_NAME": [board.name for board in mine],
            },
        ),
        _list_sizes(made),
        _registered_patients(made),
    ]


def _list_sizes(made: Practices) -> Source:
    """Totals of practices below those of PCNs and boards, as published."""
    by_practice = made.patients.groupby("practice_code")["patients"].sum()
    sized = made.practices.assign(
        patients=made.practices["practice_code"].map(by_practice).fillna(0)
    )
    rows = [
        (kind, code, int(patients))
        for kind, column in (("ICB", "board"), ("PCN", "pcn_code"), ("GP", "practice_code"))
        for code, patients in sized.groupby(column)["patients"].sum().items()
    ]
    kinds, codes, patients = zip(*rows, strict=True)
    return csv_file(
        "demonstration list sizes 2026-06.csv",
        {
            "PUBLICATION": [PUBLICATION] * len(rows),
            "EXTRACT_DATE": [EXTRACT_DATE] * len(rows),
            "ORG_TYPE": kinds,
            "ORG_CODE": codes,
            "SEX": ["ALL"] * len(rows),
            "AGE_GROUP_5": ["ALL"] * len(rows),
            "NUMBER_OF_PATIENTS": patients,
        },
    )


def _registered_patients(made: Practices) -> Source:
    """By practice and LSOA; some patients have no LSOA, as in the published file."""
    unplaced = made.practices["practice_code"].iloc[::25]
    patients = made.patients.sort_values(["practice_code", "lsoa_code"], kind="stable")
    practices = [*patients["practice_code"], *unplaced]
    names = made.practices.set_index("practice_code")["practice_name"].to_dict()
    return csv_file(
        "demonstration registered patients by LSOA 2026-06.csv",
        {
            "PUBLICATION": [PUBLICATION] * len(practices),
            "EXTRACT_DATE": [EXTRACT_DATE] * len(practices),
            "PRACTICE_CODE": practices,
            "PRACTICE_NAME": [names[code] for code in practices],
            "LSOA_CODE": [*patients["lsoa_code"], *["EMPTY"] * len(unplaced)],
            "SEX": ["ALL"] * len(practices),
            "NUMBER_OF_PATIENTS": [*patients["patients"], *[9] * len(unplaced)],
        },
    )
