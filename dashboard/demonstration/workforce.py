"""Files of the PCN workforce, individual level: 36 months, one of them sent twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dashboard.demonstration.places import KENT
from dashboard.demonstration.practices import Pcn, Practices
from dashboard.demonstration.story import Story
from dashboard.demonstration.tables import csv_file
from dashboard.intake.source import Source
from dashboard.intake.workforce import CONTRACTED, LINK_WORKER_ROLE, OWN_STAFF

MONTHS = [(2023 + month // 12, month % 12 + 1) for month in range(6, 42)]
CORRECTED = (2026, 5)
SILENT_FROM = (2026, 3)
REGION = ("D01", "Demonstration region")
PATIENT_CARE = "Other Direct Patient Care staff"
Role = tuple[str, str, str]
# What else a PCN employs, with its FTE.
OTHER_STAFF: tuple[tuple[Role, float], ...] = (
    ((PATIENT_CARE, "Pharmacists", "Pharmacist"), 1.0),
    ((PATIENT_CARE, "Care Coordinators", "Care Coordinator"), 0.8),
    ((PATIENT_CARE, "Physiotherapists", "Physiotherapist"), 0.6),
    (("Directors", "Medical Clinical Director (GP)", "Clinical Director – Medical"), 0.2),
)
LINK_WORKER: Role = (PATIENT_CARE, LINK_WORKER_ROLE, "Social Prescribing Link Worker")
# Has "link worker" in its name and is none.
MENTAL_HEALTH: Role = (
    PATIENT_CARE,
    f"{LINK_WORKER_ROLE} (Mental Health Practitioners)",
    "Social Prescribing Link Worker (Mental Health Practitioner - Adult)",
)
COLUMNS = (
    "Data_source",
    "CENSUS_YEAR",
    "CENSUS_MONTH",
    "PCN_CODE",
    "PCN_NAME",
    "SUB_ICB_CODE",
    "SUB_ICB_NAME",
    "ICB_CODE",
    "ICB_NAME",
    "COMM_REGION_CODE",
    "COMM_REGION_NAME",
    "STAFF_GROUP",
    "STAFF_ROLE",
    "DETAILED_STAFF_ROLE",
    "FTE",
    "UNIQUE_IDENTIFIER",
)
Row = tuple[object, ...]


class Spell(NamedTuple):
    """One person, or contracted service, in post: months are counted from the first of
    `MONTHS`, and may lie outside. Those who follow each other have the same `post`."""

    origin: str
    role: Role
    fte: float
    person: str
    first: int
    last: int
    post: int


Spells = Mapping[Pcn, Sequence[Spell]]


def workforce_spells(made: Practices, story: Story, rng: np.random.Generator) -> Spells:
    """Who is in post in each PCN, and when."""
    return {pcn: list(_spells(pcn, story, rng)) for pcn in made.pcns}


def link_worker_fte(spells: Sequence[Spell], month: int) -> float:
    """The FTE of a PCN's link workers in a month, as the files say it."""
    in_post = (s.fte for s in spells if s.role == LINK_WORKER and s.first <= month <= s.last)
    return round(sum(in_post), 1)


def workforce_files(made: Practices, story: Story, spells: Spells) -> list[Source]:
    """One file a month; May 2026 first with a mistake, then as it should be."""
    sources = []
    for month, (year, number) in enumerate(MONTHS):
        rows: list[Row] = []
        for pcn in made.pcns:
            if pcn.code == story.without_workforce_return and (year, number) >= SILENT_FROM:
                continue
            board = pcn.board
            place = (pcn.code, pcn.name, board.sub_icb_code, board.name, board.icb_code, board.name)
            rows += [
                (origin, year, number, *place, *REGION, *role, f"{fte:g}", person)
                for origin, role, fte, person, first, last, _post in spells[pcn]
                if first <= month <= last
            ]
        name = f"demonstration PCN workforce {year}-{number:02d}"
        if (year, number) == CORRECTED:
            sources.append(_file(f"{name}.csv", _with_mistake(rows)))
            name += " corrected"
        sources.append(_file(f"{name}.csv", rows))
    return sources


def _file(name: str, rows: list[Row]) -> Source:
    return csv_file(name, dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)))


def _with_mistake(rows: list[Row]) -> list[Row]:
    """A link worker's hours of a week, 37.5, stand where the FTE belongs."""
    role, fte = COLUMNS.index("STAFF_ROLE"), COLUMNS.index("FTE")
    wrong = next(row for row in rows if row[role] == LINK_WORKER_ROLE)
    return [(*row[:fte], "37.5", *row[fte + 1 :]) if row is wrong else row for row in rows]


def _spells(pcn: Pcn, story: Story, rng: np.random.Generator) -> Iterator[Spell]:
    end = len(MONTHS) - 1
    number = (100_000 if pcn.board is KENT else 105_000) + 50 * int(pcn.code[3:])
    for place, (role, fte) in enumerate(OTHER_STAFF):
        yield Spell(OWN_STAFF, role, fte, str(number + place), 0, end, place)
    if rng.random() < 0.2:
        yield Spell(OWN_STAFF, MENTAL_HEALTH, 1.0, str(number + 9), 6, end, 9)
    if pcn.code in story.without_link_worker:
        return
    if pcn.code in story.in_two_pcns:
        # The same person and number in both returns: two posts, one head.
        yield Spell(OWN_STAFF, LINK_WORKER, 0.5, "109999", 10, end, 10)
    if rng.random() < 0.15:
        fte = round(float(rng.uniform(0.8, 2.4)), 1)
        yield Spell(CONTRACTED, LINK_WORKER, fte, "", 0, end, 11)
    person = number + 10
    for post in range(int(rng.integers(1, 4))):
        month = -int(rng.integers(0, 20)) if post == 0 else int(rng.integers(-8, 32))
        fte = float(rng.choice([1.0, 0.8, 0.6, 0.5], p=[0.55, 0.2, 0.15, 0.1]))
        while month <= end:
            last = month + int(rng.integers(12, 42))
            if post == 0 and last > end - 6:
                last = end  # so that at the last census every such PCN has a worker
            yield Spell(OWN_STAFF, LINK_WORKER, fte, str(person), month, last, 12 + post)
            person += 1
            month = last + 1 + int(rng.integers(0, 5))
