"""A file in the form of "Appointments in General Practice", practice-level crosstab."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dashboard.demonstration.places import BOARDS
from dashboard.demonstration.practices import Practices
from dashboard.demonstration.tables import csv_file
from dashboard.intake.appointments import SOCIAL_PRESCRIBING
from dashboard.intake.source import Source

MONTH = "2026-05"  # what is published by the end of June
# One practice of so many records social prescribing.
ONE_OF = 10
GP, OTHER = "GP", "Other Practice staff"


class Kind(NamedTuple):
    """A line of the file for every practice, and its appointments per patient in a month."""

    staff: str
    mode: str
    category: str
    time: str
    status: str
    rate: float


KINDS = (
    Kind(GP, "Face-to-Face", "General Consultation Routine", "2 to 7 Days", "Attended", 0.07),
    Kind(GP, "Telephone", "General Consultation Acute", "Same Day", "Attended", 0.12),
    Kind(OTHER, "Face-to-Face", "Planned Clinics", "8  to 14 Days", "Attended", 0.11),
    Kind(OTHER, "Face-to-Face", "Planned Clinical Procedure", "15  to 21 Days", "Attended", 0.14),
    Kind(OTHER, "Face-to-Face", "Planned Clinical Procedure", "15  to 21 Days", "DNA", 0.01),
    Kind("Unknown", "Unknown", "Inconsistent Mapping", "1 Day", "Unknown", 0.05),
)
SOCIAL = (
    Kind(OTHER, "Telephone", SOCIAL_PRESCRIBING, "Same Day", "Attended", 0.003),
    Kind(OTHER, "Face-to-Face", SOCIAL_PRESCRIBING, "8  to 14 Days", "Attended", 0.002),
    Kind(OTHER, "Face-to-Face", SOCIAL_PRESCRIBING, "8  to 14 Days", "DNA", 0.0002),
)
HEADINGS = (
    "APPOINTMENT_MONTH_START_DATE",
    "GP_CODE",
    "GP_NAME",
    "SUPPLIER",
    "PCN_CODE",
    "PCN_NAME",
    "SUB_ICB_LOCATION_CODE",
    "SUB_ICB_LOCATION_NAME",
    "HCP_TYPE",
    "APPT_MODE",
    "NATIONAL_CATEGORY",
    "TIME_BETWEEN_BOOK_AND_APPT",
    "COUNT_OF_APPOINTMENTS",
    "APPT_STATUS",
)


def appointment_files(made: Practices, rng: np.random.Generator) -> list[Source]:
    """One month; a line that nobody recorded is not there, as in the published file."""
    boards = {board.icb_code: board for board in BOARDS}
    names = {pcn.code: pcn.name for pcn in made.pcns}
    listed = made.patients.groupby("practice_code")["patients"].sum().to_dict()
    month = np.datetime64(MONTH, "D").item().strftime("01%b%Y").upper()
    rows: list[tuple[object, ...]] = []
    columns = ["practice_code", "practice_name", "pcn_code", "board"]
    for place, row in enumerate(made.practices[columns].to_numpy(dtype=object)):
        code, name, pcn, icb = row
        board = boards[icb]
        told = (month, code, name, "EMIS", pcn, names[pcn], board.sub_icb_code, board.name)
        # How much is recorded differs from practice to practice.
        more = float(rng.lognormal(0, 0.9)) if place % ONE_OF == ONE_OF // 2 else 0.0
        for kind, times in (*((kind, 1.0) for kind in KINDS), *((kind, more) for kind in SOCIAL)):
            count = int(rng.poisson(listed.get(code, 0) * kind.rate * times))
            if count:
                rows.append((*told, *kind[:4], count, kind.status))
    columns_of = dict(zip(HEADINGS, zip(*rows, strict=True), strict=True))
    return [csv_file(f"demonstration GP appointments {MONTH}.csv", columns_of)]
