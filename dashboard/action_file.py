"""Actions as files: a CSV to be mended elsewhere and read back, and dates for a calendar."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pandas as pd
from icalendar import Calendar, Event
from sqlalchemy import Engine

from dashboard.actions_view import Targets, actions_view, refused, targets, when
from dashboard.filters import newest_as_at
from dashboard.intake.dataset import to_date
from dashboard.intake.problems import Problem, masked
from dashboard.rules.actions import Due, tidy
from dashboard.style import MISSING
from dashboard.workforce import profile
from queries import places
from queries.actions import (
    ActionEdit,
    ChangedMeanwhileError,
    NotSavedError,
    Standing,
    Wanted,
    standing_of,
)
from queries.frames import each_row
from queries.scope import Scope

# What may be changed in the file, by heading; the others are for reading only.
CHANGED = {
    "Kind": "kind",
    "What": "words",
    "Owner": "owner",
    "Due": "due_on",
    "State": "state",
    "Pinned to": "pinned_kind",
    "Pinned code": "pinned_code",
    "Day on the chart": "pinned_on",
}
READ_ONLY = ("Pinned name", "Page", "Meeting", "Written down", "By", "Last changed", "Changed by")
HEADINGS = ("Number", "Version", *CHANGED, *READ_ONLY)
NEEDED = ("Kind", "What")
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "ics": "text/calendar; charset=utf-8"}
# A board writes down a few entries a week: a longer file is not one of these.
MOST_BYTES, MOST_ROWS = 2_000_000, 5_000
_PRODUCT = "-//Social prescribing coverage//Actions//EN"
_LONGEST_SUMMARY = 120
# What a spreadsheet would run as a formula, or what a quote before such a text keeps from it.
_WOULD_RUN, _QUOTED = re.compile(r"'*[=+\-@\t\r]"), re.compile(r"'+[=+\-@\t\r]")


@dataclass(frozen=True)
class Reading:
    """What a file would change: what is to be written, at which row of the file, or every problem
    in it, and then nothing. `same` counts rows that say what stands already."""

    wanted: Sequence[Wanted]
    rows: Sequence[int]
    problems: Sequence[Problem]
    same: int

    def not_saved(self, error: NotSavedError) -> list[Problem]:
        """What stood against it when it was written, told by row."""
        return [
            _changed(self.rows[place], reason.now)
            if isinstance(reason, ChangedMeanwhileError)
            else Problem(str(reason), self.rows[place])
            for place, reason in error.reasons.items()
        ]


def board_file(engine: Engine, scope: Scope, icb_code: str, form: str, site: str) -> bytes | None:
    """The actions of a board as csv or ics, with links that begin with `site`; `None` where there
    is no such board, it is none of the reader's, or nothing may leave the pages."""
    if icb_code not in set(places.boards(engine, scope)["icb_code"]) or not profile().may_leave:
        return None
    today = newest_as_at()
    known = targets(engine, scope, icb_code, today)
    frame = actions_view(engine, scope, icb_code, today, known).frame
    return csv_file(frame) if form == "csv" else ics_file(frame, f"{site}/actions")


def csv_file(frame: pd.DataFrame) -> bytes:
    """The entries of a view as CSV in which no cell is a formula: one row each, by number."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for row in each_row(frame.sort_values("id")):
        said = (getattr(row, field) for field in CHANGED.values())
        cells = [
            *(row.id, row.version, *said),
            *(row.pinned_name, row.page, row.meeting_id),
            *(when(row.created_at), row.created_by, when(row.changed_at), row.changed_by),
        ]
        writer.writerow([_cell(value) for value in cells])
    # The mark at the start tells spreadsheet programs that this is UTF-8.
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: Any) -> str:
    text = "" if pd.isna(value) else str(value)
    return f"'{text}" if _WOULD_RUN.match(text) else text


def _text(cell: str) -> str:
    """What `_cell` wrote: the quote before what would run is none of its own."""
    return cell[1:] if _QUOTED.match(cell) else cell


def read_csv(raw: bytes, frame: pd.DataFrame, known: Targets) -> Reading:
    """What a file would change of the entries of a view (`frame`): rows with a number and version
    change that entry, rows without are new unless one stands that says the same."""
    try:
        headings, rows = _table(raw)
    except ValueError as error:
        return Reading((), (), (Problem(str(error)),), 0)
    problems = _of_headings(headings)
    if problems:
        return Reading((), (), problems, 0)
    standing = {row.id: standing_of(row) for row in each_row(frame)}
    stands = {_content(now.edit) for now in standing.values()}
    wanted: list[Wanted] = []
    at: list[int] = []
    same = 0
    for place, cells in rows:
        if len(cells) > len(headings):
            problems.append(Problem("expected no more cells than headings", place))
            continue
        said = dict.fromkeys(HEADINGS, "") | dict(zip(headings, map(_text, cells), strict=False))
        found, read = _row(place, said, standing, headings, known)
        problems += found
        if read is None:
            continue
        now = None if read.id is None else standing[read.id]
        if read.edit == now.edit if now else _content(read.edit) in stands:
            same += 1
            continue
        if now and now.id in {one.id for one in wanted}:
            problems.append(Problem("expected each number once", place, "Number", str(now.id)))
        if now and read.version != now.version:
            problems.append(_changed(place, now))
        wanted.append(read)
        at.append(place)
        stands.add(_content(read.edit))
    return Reading((), (), problems, 0) if problems else Reading(wanted, at, (), same)


def _content(edit: ActionEdit) -> tuple[Any, ...]:
    return tuple(getattr(edit, field) for field in CHANGED.values())


def _table(raw: bytes) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Headings and rows with what they say, numbered as a spreadsheet does; `ValueError` for what
    is no such table."""
    if len(raw) > MOST_BYTES:
        raise ValueError(f"expected at most {MOST_BYTES:,} bytes, found {len(raw):,}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # How spreadsheets on Windows save a CSV that is not called UTF-8.
        text = raw.decode("cp1252", errors="replace")
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(f"cannot be read as CSV: {error}") from None
    if not lines:
        raise ValueError("the file is empty: export the list again")
    if len(lines) - 1 > MOST_ROWS:
        raise ValueError(f"expected at most {MOST_ROWS:,} rows, found {len(lines) - 1:,}")
    rows = [(place, cells) for place, cells in enumerate(lines[1:], start=2) if any(cells)]
    return [cell.strip() for cell in lines[0]], rows


def _of_headings(headings: Sequence[str]) -> list[Problem]:
    unknown = [heading for heading in headings if heading not in HEADINGS]
    twice = sorted({heading for heading in headings if headings.count(heading) > 1} - {*unknown})
    missing = [heading for heading in NEEDED if heading not in headings]
    return [
        *(Problem("not a column of this list: take it out", 1, name[:60]) for name in unknown),
        *(Problem("stands twice: take one out", 1, name) for name in twice),
        *(Problem("expected this column", 1, name) for name in missing),
    ]


def _row(
    place: int, said: Mapping[str, str], standing: Mapping[int, Standing], headings: Sequence[str],
    known: Targets,
) -> tuple[list[Problem], Wanted | None]:  # fmt: skip
    """Every problem of a row, or what it wants."""
    problems: list[Problem] = []
    numbers: dict[str, int | None] = {}
    for heading in ("Number", "Version"):
        text = said[heading].strip()
        # No database counts further.
        is_good = bool(re.fullmatch(r"[0-9]{1,9}", text))
        numbers[heading] = int(text) if is_good else None
        if text and not is_good:
            problems.append(Problem("expected a whole number", place, heading, masked(text)))
    action_id, version = numbers["Number"], numbers["Version"]
    now = standing.get(action_id) if action_id is not None else None
    if action_id is not None and now is None:
        rule = "expected a number of this board's list, or nothing for a new entry"
        problems.append(Problem(rule, place, "Number", str(action_id)))
    if action_id is not None and version is None and not said["Version"].strip():
        rule = "expected the version that was changed, as the list has it"
        problems.append(Problem(rule, place, "Version"))
    if action_id is None and said["Version"].strip():
        problems.append(Problem("expected nothing: a new entry has no version", place, "Version"))
    before = now.edit if now else None
    fields: dict[str, Any] = {}
    for heading, field in CHANGED.items():
        text = tidy(said[heading])
        stood = getattr(before, field, None)
        if before and (heading not in headings or (isinstance(stood, str) and tidy(stood) == text)):
            # What the file does not tell stays as it is.
            fields[field] = stood
        elif field in ("due_on", "pinned_on"):
            fields[field] = to_date(text) if text else None
            if text and fields[field] is None:
                rule = "expected a day such as 2026-06-30 or 30/06/2026"
                problems.append(Problem(rule, place, heading, masked(text)))
        elif field in _LISTED:
            fields[field] = text.casefold() or _LISTED[field]
        else:
            fields[field] = text if field == "words" else text or None
    if before is not None:
        fields |= {"page": before.page, "meeting_id": before.meeting_id}
    edit = ActionEdit(**fields)
    named = {field: heading for heading, field in CHANGED.items()}
    told = {problem.column for problem in problems}
    problems += [
        Problem(rule, place, named[field])
        for field, rule in refused(edit, known, before)
        if named[field] not in told
    ]
    return problems, None if problems else Wanted(edit, action_id, version)


# Fields of few words, and what stands for nothing.
_LISTED: dict[str, str | None] = {"kind": "", "state": "open", "pinned_kind": None}


def _changed(place: int, now: Standing) -> Problem:
    """A row whose entry somebody changed since the file was made: who, when, and what stands."""
    rule = (
        f"{now.changed_by} changed it on {when(now.changed_at)}, and it says {now.edit.words!r} now: "
        f"export the list again, or write version {now.version} to replace that"
    )
    return Problem(rule, place, "Version")


def ics_file(frame: pd.DataFrame, page: str) -> bytes:
    """One all-day event per open action with a due date, for Outlook and others: the same entry has
    the same UID for ever, and a change a higher SEQUENCE, so that a calendar follows."""
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for row in each_row(frame[frame["due"] != Due.NEVER].sort_values("id")):
        line = " ".join(row.words.split())
        link = f"{page}?{urlencode({'icb': row.icb_code, 'action': row.id})}"
        pinned = [f"Pinned to {row.pinned_name}"] if row.pinned_name else []
        event = Event()
        # Two places that both have a board's number 1 wrote it down at different times.
        written = f"{row.created_at:%Y%m%dT%H%M%S%f}"
        event.add("uid", f"action-{row.id}-{row.icb_code}-{written}@social-prescribing")
        event.add("dtstamp", row.changed_at)
        event.add("last-modified", row.changed_at)
        event.add("sequence", int(row.version))
        event.add("dtstart", row.due_on)
        # The day after the last, by the standard.
        event.add("dtend", row.due_on + timedelta(days=1))
        event.add("summary", f"Due: {line}"[:_LONGEST_SUMMARY])
        event.add(
            "description",
            "\n".join(
                [row.words, f"Owner: {MISSING if pd.isna(row.owner) else row.owner}", *pinned, link]
            ),
        )
        event.add("url", link)
        # A due date is no time at which somebody is busy.
        event.add("transp", "TRANSPARENT")
        event.add("x-microsoft-cdo-busystatus", "FREE")
        calendar.add_component(event)
    return bytes(calendar.to_ical())
