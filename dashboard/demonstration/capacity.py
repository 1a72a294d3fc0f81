"""A return of capacity by week: room that comes and goes, runs out in Swale, and never was."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

import numpy as np
import pandas as pd

from dashboard.demonstration.services import FILLED_UP, LONG_AGO, NEVER, Entry
from dashboard.demonstration.tables import csv_file
from dashboard.intake.services import STATES
from dashboard.intake.source import Source

LAST_WEEK = np.datetime64("2026-06-29")
WEEKS = 30
# Share of the places taken before Swale's filled up, and in which weeks they did.
BEFORE, FROM_WEEK, FULL_WEEK = 0.5, 17, 22
# Chance, as a share of the places.
SPREAD = 0.06
# A provider that sent nothing in some weeks: from, and up to but without.
SILENT, SILENT_FROM, SILENT_UNTIL = "Bright Thread Arts", 12, 15
LONGEST_WITH_ROOM = 14  # days
HAS_ROOM, HAS_LIST, FULL = STATES


def capacity_files(
    entries: list[Entry], services: pd.DataFrame, rng: np.random.Generator
) -> list[Source]:
    """One file of all weeks; the newest says what the return of services says.

    `services` has the row of each entry. Services nobody confirms send no weeks either.
    """
    rows: list[tuple[object, ...]] = []
    for entry, service in zip(entries, services.to_dict("records"), strict=True):
        told = list(_weeks(entry, service, rng))
        if not entry.is_stale and entry.what not in LONG_AGO | NEVER:
            rows += told
    headings = (
        "provider",
        "service_id",
        "week",
        "state",
        "places_offered",
        "places_filled",
        "waiting",
        "wait_days",
    )
    rows.sort(key=lambda row: row[2:3] + row[:2])
    columns = dict(zip(headings, zip(*rows, strict=True), strict=True))
    return [csv_file("demonstration capacity by week.csv", columns)]


def _weeks(
    entry: Entry, service: Mapping[Hashable, str], rng: np.random.Generator
) -> Iterator[tuple[object, ...]]:
    offered, filled, waiting = (
        int(service[name]) for name in ("places_offered", "places_filled", "waiting")
    )
    week = np.arange(WEEKS)
    usual = np.full(WEEKS, float(filled))
    if entry.what in FILLED_UP:
        usual = offered * np.interp(week, (FROM_WEEK, FULL_WEEK), (BEFORE, 1))
    taken = np.clip(np.round(usual + rng.normal(0, SPREAD * offered, WEEKS)), 0, offered)
    in_line = np.maximum(np.round(waiting + rng.normal(0, 2, WEEKS)), 1)
    wait = np.maximum(int(service["wait_days"] or 0) + 7 * rng.integers(-2, 3, WEEKS), 0)
    if entry.district == "Dartford":
        taken[:] = offered
    if entry.what in FILLED_UP:
        taken[FULL_WEEK:] = offered
    mondays = LAST_WEEK - 7 * (WEEKS - 1 - week)
    for place, monday in enumerate(mondays):
        if entry.provider == SILENT and SILENT_FROM <= place < SILENT_UNTIL:
            continue
        figures = (str(offered), str(int(taken[place])))
        if place == WEEKS - 1:
            names = ("state", "places_offered", "places_filled", "waiting", "wait_days")
            told = tuple(service[name] for name in names)
        elif taken[place] < offered:
            told = (HAS_ROOM, *figures, "0", str(min(int(wait[place]), LONGEST_WITH_ROOM)))
        elif service["state"] == HAS_LIST:
            told = (HAS_LIST, *figures, str(int(in_line[place])), str(int(wait[place])))
        else:
            told = (FULL, *figures, "0", "")
        yield (entry.provider, service["service_id"], str(monday), *told)
