"""What a national commitment means for one board: is it in force, its share, how far off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from math import ceil

import pandas as pd

# Patients registered at GP practices in England, for when the list sizes of nearly all boards
# are not loaded. Source: NHS England, Patients Registered at a GP Practice, October 2025.
ENGLAND_PATIENTS, ENGLAND_PATIENTS_ON = 63_919_527, date(2025, 10, 1)
# With so many boards loaded, their sum stands for England: fewer are a part of it.
LEAST_BOARDS = 36
DECIMALS = 6


class Status(StrEnum):
    """What a commitment is at a date."""

    IN_FORCE = "in force"
    EXPIRED = "expired"
    RETIRED = "retired"
    SUPERSEDED = "superseded"
    BASELINE = "baseline"
    REFERENCE = "published reference"


# Once meant to be kept, and no longer.
OVER = (Status.EXPIRED, Status.RETIRED, Status.SUPERSEDED)


class Standing(StrEnum):
    """A board's figure against what is in force; what is not is never judged."""

    BELOW = "below"
    WITHIN = "within"
    ABOVE = "above"
    AT_OR_ABOVE = "at or above"
    UNKNOWN = "not known"
    NOT_JUDGED = "not judged"


def status_at(status: Status, ended_on: date | None, as_at: date) -> Status:
    """The status at a date: what has ended was in force up to its last day."""
    return Status.IN_FORCE if ended_on is not None and as_at <= ended_on else status


def board_share(national: float, patients: float | None, england_patients: float) -> float | None:
    """A national figure shared out by registered patients; missing where the board's are."""
    return None if pd.isna(patients) else national * float(patients) / england_patients


def judge(
    status: Status, figure: float | None, low: float | None, high: float | None = None
) -> Standing:
    """A figure against a share (`low`), or a band (`low` to `high`, both lines within)."""
    if status is not Status.IN_FORCE:
        return Standing.NOT_JUDGED
    short_by = shortfall(figure, low, high)
    if short_by is None:
        return Standing.UNKNOWN
    if short_by > 0:
        return Standing.BELOW
    if high is None or pd.isna(high):
        return Standing.AT_OR_ABOVE
    return Standing.ABOVE if short_by < 0 else Standing.WITHIN


def shortfall(figure: float | None, low: float | None, high: float | None = None) -> float | None:
    """How much more reaches the share or the band: 0 inside the band, negative above the share
    or the band, missing where a number is."""
    if pd.isna(figure) or pd.isna(low):
        return None
    # A mean of FTE is not exact: without rounding, a figure on the line could lie beside it.
    short_by = round(float(low) - float(figure), DECIMALS)
    if short_by > 0 or high is None or pd.isna(high):
        return short_by
    return min(0.0, round(float(high) - float(figure), DECIMALS))


def further_whole(short_by: float) -> int:
    """The same in people or networks, of which there are no parts: as many as reach the share, or
    as are above it."""
    return ceil(short_by)


def run_since(returns: Sequence[tuple[date, bool]]) -> date | None:
    """The first return of the unbroken run of those that hold, up to the newest; `None` where the
    newest does not hold.

    `returns` has one entry per return that came, oldest first. A month without a return says
    nothing, and does not end a run.
    """
    since = None
    for month, holds in returns:
        since = (since or month) if holds else None
    return since


def fte_for(people: float, caseload: float) -> float:
    """The FTE that so many people a year need at a caseload of so many each."""
    return people / caseload
