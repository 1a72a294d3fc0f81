"""A control chart of a file of two columns: as JSON, or as a picture."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from math import isfinite
from pathlib import Path

from dashboard.intake.dataset import to_date
from dashboard.intake.problems import Problem, RefusedError, masked
from dashboard.intake.source import Source
from dashboard.rules.control_chart import ControlChart, Improvement, judge_series

# Beside the dates of the other files: a month stands for its first day.
_MONTH_FORMS = ("%Y-%m", "%b %Y", "%B %Y")
# A year outside these is a slip of the pen.
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
EXPECTED_DATE = "expected a date such as 2026-07-01, 01/07/2026 or Jul 2026"
# A comma only between thousands: 0,5 is a half elsewhere, and must not become 5.
_NUMBER = re.compile(
    r"[-+]?([0-9]{1,15}|[0-9]{1,3}(,[0-9]{3}){1,4})?(\.[0-9]+)?(?<=[0-9])([eE][-+]?[0-9]{1,2})?"
)


FORMS = ("json", "png", "svg")


@dataclass(frozen=True)
class Asked:
    """How a series is to be judged."""

    improvement: Improvement
    target: float | None = None
    recalculate_from: Sequence[date] = ()
    baseline_until: date | None = None

    @classmethod
    def of(
        cls,
        improvement: Improvement,
        target: float | None,
        recalculate_from: Sequence[str],
        baseline_until: str | None,
    ) -> Asked:
        """The same from words; `ValueError` for a date or a target that is none."""
        if target is not None and not isfinite(target):
            raise ValueError(f"expected a number as target, found {target}")
        starts = tuple(_asked_date(text) for text in recalculate_from)
        return cls(
            improvement,
            target,
            starts,
            None if baseline_until is None else _asked_date(baseline_until),
        )


def _asked_date(text: str) -> date:
    if (found := chart_date(text)) is None:
        raise ValueError(f"{EXPECTED_DATE}, found {text!r}")
    return found


def place_to_write(file: Path, form: str, out: Path | None) -> Path | None:
    """Where the chart of a file goes: JSON without a place to standard output, a picture
    beside the file.

    `ValueError` where that would replace the file itself, or a picture nobody named.
    """
    if out is None and form == "json":
        return None
    place = out or file.with_suffix(f".{form}")
    if place.resolve() == file.resolve():
        raise ValueError(f"expected a file other than {file.name} to write to")
    if out is None and place.exists():
        raise ValueError(f"{place.name} is there already: name it with --out to replace it")
    return place


def make(source: Source, asked: Asked, form: str) -> bytes:
    """The chart of a file in one of `FORMS`; `RefusedError` for a bad file, `ValueError` for
    dates asked for that it does not have."""
    days, values = read_series(source)
    chart = judge_series(
        days,
        values,
        improvement=asked.improvement,
        target=asked.target,
        recalculate_from=asked.recalculate_from,
        baseline_until=asked.baseline_until,
    )
    if form == "json":
        return chart_json(chart, asked).encode()
    # Takes half a second to import: only where a picture is drawn.
    from dashboard.charts.control_picture import control_picture

    return control_picture(chart, form, title=source.name, target=asked.target)


def chart_date(text: str) -> date | None:
    """A day, or the first of a month, as people write them in England; `None` for any other."""
    found = to_date(text)
    for form in _MONTH_FORMS if found is None else ():
        try:
            found = datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    return found if found and EARLIEST <= found <= LATEST else None


def read_series(source: Source) -> tuple[list[date], list[float]]:
    """The dates and values of a CSV file of two columns, with a heading or without, in the
    order of its rows; rows that are blank throughout are left out.

    `RefusedError` with every fault: row, what was expected, what was found.
    """
    rows = _rows(source)
    first = next((cells for _, cells in rows), ["", ""])
    if len(first) != 2:
        raise RefusedError(source.name, [Problem(_columns_found(first), rows[0][0])])
    if _is_heading(first):
        rows = rows[1:]
    problems: list[Problem] = []
    values: dict[date, float] = {}
    row_of: dict[date, int] = {}
    for row, cells in rows:
        if len(cells) != 2:
            problems.append(Problem(_columns_found(cells), row))
            continue
        day, value = chart_date(cells[0]), _number(cells[1])
        if day is None:
            problems.append(Problem(EXPECTED_DATE, row, "date", _found(cells[0])))
        elif day in row_of:
            rule = f"expected each date once, {day} stands in row {row_of[day]} too"
            problems.append(Problem(rule, row, "date"))
        if value is None:
            rule = "expected a number such as 12, -0.5 or 1,234"
            rule += ": leave the row out where there is none" if not cells[1] else ""
            problems.append(Problem(rule, row, "value", _found(cells[1])))
        if day and value is not None:
            values.setdefault(day, value)
            row_of.setdefault(day, row)
    if not rows:
        problems.append(Problem("expected rows of a date and a value, found none"))
    if problems:
        raise RefusedError(source.name, problems)
    return list(values), list(values.values())


def _rows(source: Source) -> list[tuple[int, list[str]]]:
    text = source.raw.decode(source.encoding)
    try:
        rows = [
            [cell.strip() for cell in cells] for cells in csv.reader(io.StringIO(text, newline=""))
        ]
    except csv.Error as error:
        # The parser's own words may hold a value of the file; they are not passed on.
        rule = "not a table: a quotation mark is never closed, or a cell has no end"
        raise RefusedError(source.name, [Problem(rule)]) from error
    return [(row, cells) for row, cells in enumerate(rows, start=1) if any(cells)]


def _is_heading(cells: Sequence[str]) -> bool:
    """Whether the first row names the columns: it has neither a date nor a number."""
    is_data = chart_date(cells[0]) or _number(cells[1]) is not None
    # A damaged date has digits; a name of the column of dates has none.
    return not is_data and not re.search(r"[0-9]", cells[0])


def _columns_found(cells: Sequence[str]) -> str:
    rule = f"expected two columns with a comma between, date and value, found {len(cells)}"
    if len(cells) > 2:
        rule += ": a number with a comma in it must stand in quotation marks"
    return rule


def _number(text: str) -> float | None:
    return float(text.replace(",", "")) if _NUMBER.fullmatch(text) else None


def _found(text: str) -> str:
    return masked(text) if text else "nothing"


def chart_json(chart: ControlChart, asked: Asked) -> str:
    """The chart as one JSON object, with a line break at the end: points by date, limits by
    phase, the icons and the words of them."""
    made = {
        "points": [
            {"date": point.date.isoformat(), "value": point.value, "colour": point.colour}
            for point in chart.points
        ],
        "limits": [
            {**asdict(limits), "start": limits.start.isoformat(), "end": limits.end.isoformat()}
            for limits in chart.limits
        ],
        "variation": chart.variation,
        "assurance": chart.assurance,
        "target": asked.target,
        "improvement": asked.improvement,
        "words": chart.words,
    }
    return json.dumps(made, indent=2) + "\n"
