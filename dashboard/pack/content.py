"""What a pack says, before it is slides, pages or sheets: released numbers and words only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

# In place of a number: hidden so that nobody can be recognised, not available, not applicable.
HIDDEN, MISSING, NOT_APPLICABLE = "[c]", "[x]", "[z]"
MARKS = {
    HIDDEN: "hidden, so that nobody can be recognised",
    MISSING: "not available: nobody has told us",
    NOT_APPLICABLE: "not applicable",
}
AUTHOR = "Social prescribing dashboard"
# The first day a ZIP file can say. Another each time would make another file of the same pack.
FIXED_DATE = datetime(1980, 1, 1)
# Of the NHS identity, in an order in which neighbours differ in grey printing too.
SERIES_COLOURS = ("#005EB8", "#41B6E6", "#8A3A00", "#425563", "#78BE20", "#7C2855")
# A number, words, or one of the marks.
Value = int | float | str


@dataclass(frozen=True)
class Column:
    """A column of a table: `decimals` where it holds numbers, `None` where it holds words."""

    title: str
    decimals: int | None = None


@dataclass(frozen=True)
class Table:
    """Columns and rows; every row has a value or a mark for each column, the first is its name.

    `shown` is how many rows slides and pages show: the workbook and the CSV have them all.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    shown: int = 12


@dataclass(frozen=True)
class Series:
    """One value a category; `None` where it is hidden or missing: never a 0. `role` says how it is
    drawn: what is told, or the lines around it."""

    name: str
    values: tuple[float | None, ...]
    role: Literal["value", "mean", "limit", "target"] = "value"


@dataclass(frozen=True)
class Chart:
    """A chart of released values: `bars` lie, with the first category on top; `stacked` are bars
    with one part a series; `lines` run over months."""

    kind: Literal["bars", "stacked", "lines"]
    title: str
    unit: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    alt: str


@dataclass(frozen=True)
class MapPicture:
    """A map drawn as SVG, what it shows in words, and its key: colour, label and number of areas."""

    svg: str
    alt: str
    key: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class Page:
    """One slide, page and sheet: `finding` is its title and says what was found.

    `key` is the page of the dashboard it is from, as in its address; `link` opens it with the same
    filters; `definitions` are terms and what they mean; `sources` name the files.
    """

    key: str
    subject: str
    finding: str
    sentences: tuple[str, ...]
    period: str
    definitions: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    link: str
    chart: Chart | None = None
    map: MapPicture | None = None
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Pack:
    """The whole: for one board (or locality, or network) and date.

    `filters` are names and what was chosen; `sources` every file with its dataset, name and
    SHA-256; `config` is what makes the same pack again, as `config.json` has it.
    """

    title: str
    area: str
    as_at: str
    since: str
    data_as_of: str
    filters: tuple[tuple[str, str], ...]
    profile: str
    version: str
    sources: tuple[tuple[str, str, str], ...]
    config: Mapping[str, str]
    pages: tuple[Page, ...]
    method: tuple[tuple[str, str], ...]
    is_simulated: bool = False

    @property
    def chosen(self) -> str:
        """The filters, as a sentence."""
        return "; ".join(f"{name}: {words}" for name, words in self.filters) + "."

    @property
    def stamp(self) -> tuple[str, ...]:
        """What stands on every page and sheet, a sentence each: filters, date, data, profile,
        version."""
        simulated = ("Simulated data: no real people or places of support.",)
        return (
            *(simulated if self.is_simulated else ()),
            self.chosen,
            f"As at {self.as_at}. Data as of {self.data_as_of}.",
            f"Small numbers: {self.profile}.",
            f"Version {self.version}.",
        )


_PACK = TypeAdapter(Pack)


def to_json(pack: Pack) -> str:
    """The pack as text, for the process that writes the files."""
    return _PACK.dump_json(pack).decode()


def from_json(text: str) -> Pack:
    """The pack that `to_json` wrote; `ValueError` for anything else."""
    return _PACK.validate_json(text)


def as_words(value: Value, decimals: int | None) -> str:
    """A value as it is read: '1,234', '12.3', '*' where hidden, a dash where missing."""
    if value == HIDDEN:
        return "*"
    if value == MISSING:
        return "–"
    if value == NOT_APPLICABLE:
        return "n/a"
    if isinstance(value, str) or decimals is None:
        return str(value)
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"


def plain(text: str) -> str:
    """On one line, without what has no picture: control characters, and those that turn the
    direction of what follows."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def decimals_of(values: Sequence[float]) -> int:
    """As few as tell each value, or three digits of the largest."""
    largest = max(abs(value) for value in values)
    return next(
        decimals
        for decimals in range(10)
        if decimals == 9
        or largest * 10**decimals >= 100
        or all(math.isclose(value, round(value, decimals)) for value in values)
    )


def as_shown(table: Table, rows: int) -> Table:
    """The first rows, without the columns in which none of them says anything."""
    shown = table.rows[:rows]
    kept = [
        at
        for at in range(len(table.columns))
        if at == 0 or not shown or any(row[at] != "" for row in shown)
    ]
    return Table(
        table.title,
        tuple(table.columns[at] for at in kept),
        tuple(tuple(row[at] for at in kept) for row in shown),
        len(shown),
    )
