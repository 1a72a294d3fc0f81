"""What every page of a pack is put together with: values and their marks, findings, definitions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from dashboard.filters import LOCALITY, PCN, Choices
from dashboard.pack.content import (
    HIDDEN,
    MISSING,
    Chart,
    Column,
    MapPicture,
    Page,
    Series,
    Table,
    Value,
)
from dashboard.rules.control_chart import ControlChart, Limits
from dashboard.rules.measures import MEASURES
from dashboard.style import day, month

# A finding is the title of a slide: two lines of it.
LONGEST_FINDING = 140
# Bars of one chart that can be told apart on a slide; the table beside it has every row.
MOST_BARS = 15
MOST_DECIMALS = 6
NO_CENSUS, NO_REFERRALS = "No workforce return", "No referral return"
# Of a dataset with more files than this the newest is named; all are in the list of sources.
MOST_FILES = 3
_AFTER_A_SENTENCE = re.compile(r"(?<=[a-z0-9%)][.])\s+(?=[A-Z0-9“])")


@dataclass(frozen=True)
class Asked:
    """Of what a pack is: the choices as the pages take them, and dataset and name of every file
    in force, the newest of a dataset last."""

    choices: Choices
    files: tuple[tuple[str, str], ...]


def page(
    asked: Asked,
    key: str,
    subject: str,
    said: Sequence[str],
    *,
    period: str,
    terms: Sequence[str],
    datasets: Sequence[str],
    chart: Chart | None = None,
    map: MapPicture | None = None,
    tables: Iterable[Table] = (),
    also: Mapping[str, str] | None = None,
) -> Page:
    """A page from what the page of the dashboard says first; `terms` are names of measures,
    `datasets` what it rests on, `also` what a link to it says beside the area. Tables without
    a row are left out."""
    finding, sentences = headline(said)
    return Page(
        key=key,
        subject=subject,
        finding=finding,
        sentences=sentences,
        period=period,
        definitions=tuple((MEASURES[term].title, MEASURES[term].definition) for term in terms),
        sources=tuple(name for dataset in datasets for name in _named(asked, dataset)),
        link=link_to(asked.choices, key, also or {}),
        chart=chart,
        map=map,
        tables=tuple(table for table in tables if table.rows),
    )


def _named(asked: Asked, dataset: str) -> list[str]:
    names = list(dict.fromkeys(name for of, name in asked.files if of == dataset))
    if len(names) <= MOST_FILES:
        return names
    return [f"{names[-1]} and {len(names) - 1} more of {dataset.replace('_', ' ')}"]


def link_to(choices: Choices, key: str, also: Mapping[str, str]) -> str:
    """The address of a page of the dashboard with the filters of the pack."""
    part = {LOCALITY: choices.lad_code, PCN: choices.pcn_code}
    asked = choices.address(**{name: code for name, code in part.items() if code}, **also)
    return f"/{key}?{urlencode(asked)}"


def headline(said: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The finding and the other sentences: the first that is said, or of a long one its first
    sentence."""
    first, *others = [plain(words) for words in said if words]
    if len(first) > LONGEST_FINDING:
        first, *rest = _AFTER_A_SENTENCE.split(first, maxsplit=1)
        others = [*rest, *others]
    return first.removesuffix("."), tuple(others)


def plain(words: str) -> str:
    """Without the marks of what is bold on the screen."""
    return words.replace("**", "")


def told(found: Any, *, is_hidden: Any = False) -> Value:
    """A value of a released frame as it is; a mark where it is hidden or missing."""
    if is_hidden:
        return HIDDEN
    if pd.isna(found):
        return MISSING
    if isinstance(found, str):
        return str(found)
    if isinstance(found, date):
        return day(found)
    number: int | float = found.item() if hasattr(found, "item") else found
    # Sums of decimals end in noise: the parts of a person that it makes are none.
    return round(number, MOST_DECIMALS) + 0 if isinstance(number, float) else number


def point(value: Value) -> float | None:
    """A value of a table in a chart: nothing where the table has a mark."""
    return None if isinstance(value, str) else float(value)


def table(
    title: str, columns: Mapping[str, int | None], rows: Iterable[Sequence[Value]], shown: int = 12
) -> Table:
    """A table; `columns` are titles with their decimals, `None` for words."""
    return Table(
        title,
        tuple(Column(name, decimals) for name, decimals in columns.items()),
        tuple(tuple(row) for row in rows),
        shown,
    )


def period_of(census: date | None, window: tuple[date, date] | None) -> str:
    """'Workforce census 30 June 2026; referrals Jul 2025 to Jun 2026', or which return is not
    there."""
    staff = f"Workforce census {day(census)}" if census else NO_CENSUS
    received = (
        f"referrals {month(window[0])} to {month(window[1])}" if window else "no referral return"
    )
    return f"{staff}; {received}"


def because(*reasons: Any) -> str:
    """Why something is not known, each reason once."""
    return "; ".join(dict.fromkeys(str(why) for why in reasons if why and pd.notna(why)))


def judged_series(
    name: str,
    months: Sequence[date],
    values: Sequence[Value],
    judged: ControlChart,
    target: float | None,
) -> tuple[Series, ...]:
    """A series by month with the mean, the limits and the target of its control chart."""

    def line(of: Callable[[Limits], float | None]) -> tuple[float | None, ...]:
        return tuple(
            next((of(part) for part in judged.limits if part.start <= month <= part.end), None)
            for month in months
        )

    found = (
        Series(name, tuple(point(value) for value in values)),
        Series("Mean", line(lambda part: part.mean), "mean"),
        Series("Lower limit", line(lambda part: part.lower), "limit"),
        Series("Upper limit", line(lambda part: part.upper), "limit"),
        Series("Target", (target,) * len(months), "target"),
    )
    return tuple(series for series in found if any(value is not None for value in series.values))
