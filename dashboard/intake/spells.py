"""Spells in a local return: rows of the same thing, each of which holds for a time of its own."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from dashboard.intake.dataset import Check
from dashboard.intake.local_return import LATEST

ONE_DAY = timedelta(days=1)


def close_spells(
    check: Check, rows: pd.DataFrame, key: str, start: str, end: str
) -> tuple[pd.Series[date], list[str]]:
    """The last day of each spell, and a note of how many were not in the file.

    A spell without a last day that is followed by another ends the day before it. The names
    are those of the rows and of the file alike; a blank start is the earliest. Records each
    spell that begins with another of its key, and each that lasts into the next.
    """
    # A date that can't be read is told of by itself: it is no blank.
    is_blank = check.column(start, required=False) == ""
    placed = rows[rows[key].notna() & (rows[start].notna() | is_blank)]
    ordered = placed.sort_values([key, start], na_position="first", kind="stable")
    again = ordered.duplicated([key, start])
    rule = f"an earlier row has the same {key} and {start}: each spell begins on a day of its own"
    check.fail(_marked(again, rows), check.column(key), key, rule)

    ordered = ordered[~again]
    following = ordered.groupby(key)[start].shift(-1)
    both = following.notna() & ordered[end].notna()
    into_next = both & (ordered[end].where(both, LATEST) >= following.where(both, date.max))
    rule = f"expected a date before the next spell of the same {key} begins"
    check.fail(_marked(into_next, rows), check.column(end, required=False), end, rule)

    day_before = following[following.notna() & ordered[end].isna()].map(lambda day: day - ONE_DAY)
    note = f"spells without {end!r}, taken to end the day before the next: {len(day_before)}"
    return rows[end].where(rows[end].notna(), day_before), [note] if len(day_before) else []


def _marked(found: pd.Series[bool], rows: pd.DataFrame) -> pd.Series[bool]:
    return found.reindex(rows.index, fill_value=False)
