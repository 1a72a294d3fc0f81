"""What a dataset is: how it is recognised, and how its rows become a checked load."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import pandas as pd

from dashboard.intake.problems import Problem, RefusedError, masked
from dashboard.intake.source import Sheet, Source
from queries.load import CleanLoad, Reading


class Lookups(Protocol):
    """What earlier loads can tell a reader of a later file."""

    def ward_of_lsoa(self) -> pd.Series[str]: ...
    def pcn_of_practice(self) -> pd.Series[str]: ...
    def directory_services(self) -> pd.DataFrame: ...
    def hashed(self, references: pd.Series[str]) -> pd.Series[str]: ...


@dataclass(frozen=True)
class Dataset:
    """One kind of file, known by what is in it and never by its name.

    `replaces` says what a second load of the same period does, and `parts` what is added or
    replaced, in words for the screen.
    """

    name: str
    title: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source, Lookups], CleanLoad | Reading]
    replaces: str
    parts: str
    template: Template | None = None
    uses_lookups: bool = False  # so it is read after the files that hold them


@dataclass(frozen=True)
class Column:
    """One column of a local return, as its template explains it."""

    name: str
    is_required: bool
    what: str
    example: str


@dataclass(frozen=True)
class Template:
    """What an organisation is asked to send: the columns, and what one row is."""

    one_row: str
    columns: tuple[Column, ...]


# What each code looks like, and what to say of one that does not.
WARD = (r"[EW]05[0-9A-Z]{6}", "expected a ward code such as E05012345")
LSOA = (r"[EW]01[0-9A-Z]{6}", "expected an LSOA code such as E01012345")
LAD = (r"[EW]0[6-9][0-9A-Z]{6}", "expected a district code such as E07000112")
SUB_ICB = (r"[0-9A-Z]{3,5}|E38[0-9]{6}", "expected a sub-ICB location code such as 91Q")
ICB = (r"Q[0-9A-Z]{2}|[A-Z][0-9A-Z]{4}", "expected an ICB code such as QKS")
PCN = (r"U[0-9A-Z]{5}|U", "expected a PCN code such as U12345")
PRACTICE = (r"[A-Z][0-9A-Z]{5}", "expected a practice code such as G82001")
UNALLOCATED = "U"  # what stands for the PCN of a practice that is in none


# "WD25CD" and "wd23cd" are the same column of two vintages: the letters, then two digits.
def vintage_column(columns: Iterable[str], stem: str, ending: str) -> tuple[str, int] | None:
    """The column named stem + two digits + ending, in either case, and its year; or `None`.

    >>> vintage_column(["WD25CD", "WD25NM"], "WD", "CD")
    ('WD25CD', 2025)
    """
    pattern = re.compile(rf"{stem}([0-9]{{2}}){ending}", re.IGNORECASE)
    for column in columns:
        if match := pattern.fullmatch(column):
            return column, 2000 + int(match[1])
    return None


def plain_heading(heading: str) -> str:
    """A heading as it is compared: 'Number of Patients' and NUMBER_OF_PATIENTS are the same."""
    return re.sub(r"[\W_]+", "_", heading).strip("_").casefold()


# A sheet of ages has two hundred headings, and each is asked for.
@lru_cache(maxsize=16)
def _by_plain_heading(headings: tuple[str, ...]) -> Mapping[str, str]:
    return {plain_heading(heading): heading for heading in headings}


# Other headings under which a column is known, by the heading the published template has.
Synonyms = Mapping[str, Sequence[str]]


def sheet_with(source: Source, *columns: str, also: Synonyms | None = None) -> Sheet | None:
    """The first sheet that has every one of these headings, or a synonym of it."""
    wanted = [{plain_heading(name) for name in (c, *(also or {}).get(c, ()))} for c in columns]
    for sheet in source.sheets:
        found = {plain_heading(str(column)) for column in sheet.headings}
        if all(names & found for names in wanted):
            return sheet
    return None


def sheet_of_vintages(
    source: Source, *stems: tuple[str, str]
) -> tuple[Sheet, list[tuple[str, int]]] | None:
    """The first sheet with a column of each (stem, ending), and those columns' vintages."""
    for sheet in source.sheets:
        found = [vintage_column(sheet.headings, stem, ending) for stem, ending in stems]
        columns = [column for column in found if column is not None]
        if len(columns) == len(stems):
            return sheet, columns
    return None


# Marks that publishers put where a small number was hidden: missing, with a flag, never zero.
SUPPRESSED = frozenset({"*", "<5", "<6", "<7", "<8", "#", "c", "-", "[c]", "[x]", "null"})
_DATE_FORMS = ("%Y-%m-%d", "%d/%m/%Y", "%d%b%Y", "%Y%m%d", "%d %B %Y", "%d-%b-%Y")


# The same days stand in many columns and files.
@lru_cache(maxsize=10_000)
def to_date(text: str) -> date | None:
    """A date in any style the publishers use, with or without a time; `None` for any other.

    Day comes before month: no publisher of these files writes American dates.
    """
    text = text.strip().removesuffix("T00:00:00").removesuffix(" 00:00:00")
    # Without separators, strptime would read seven digits in one of two ways.
    if text.isdigit() and len(text) != 8:
        return None
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def _each_distinct(
    values: pd.Series[Any], judge: Callable[[pd.Series[Any]], pd.Series[Any]]
) -> pd.Series[Any]:
    """What `judge` says of each value: few distinct ones stand in many rows."""
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    judged = judge(pd.Series(distinct, dtype=values.dtype))
    return judged.take(codes).set_axis(values.index)


def _taken(each: Sequence[Any], codes: np.ndarray, index: pd.Index) -> pd.Series[Any]:
    """What stands for each distinct value, in the rows where it stands."""
    return pd.Series(np.array([*each, None], dtype=object)[codes], index)


# A bad file of a million rows is told by its first faults.
MOST_PER_RULE = 1_000
MORE_ROWS = "more rows)"
MOST_PER_FILE = 10_000
# A file with more bad rows than this is not what it seems: none of it is loaded.
MOST_REFUSED = 0.05
# Longer than this it is a note about somebody, not an agreed word.
MOST_CHARACTERS = 100


@dataclass
class Check:
    """Reads the columns of one sheet as typed values and collects every broken rule.

    A column that is not required may be absent altogether: its values are then missing.
    """

    source: Source
    frame: pd.DataFrame
    also: Synonyms = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _read: set[str] = field(default_factory=set)
    _bad_rows: set[int] = field(default_factory=set)

    @property
    def headings(self) -> list[str]:
        """Every heading of the sheet."""
        return [str(column) for column in self.frame.columns]

    def heading(self, name: str) -> str | None:
        """The heading in the file for this column: the name, or a synonym of it; or `None`."""
        plain = _by_plain_heading(tuple(self.headings))
        for candidate in (name, *self.also.get(name, ())):
            if found := plain.get(plain_heading(candidate)):
                return found
        return None

    def column(self, name: str, *, required: bool = True) -> pd.Series[str]:
        """The text of a column; a required column that is missing is a problem."""
        heading = self.heading(name)
        if heading is None:
            if required:
                rule = "this column is missing: add it to the heading"
                self.problems.append(Problem(rule, column=name))
            return pd.Series("", index=self.frame.index, dtype="str")
        self._read.add(heading)
        found = self.frame[heading]
        if isinstance(found, pd.DataFrame):
            rule = "this heading stands more than once: keep one of the columns"
            self.problems.append(Problem(rule, column=heading))
            return found.iloc[:, 0]
        return found

    def unread(self) -> list[str]:
        """The headings nothing has read so far."""
        return [heading for heading in self.headings if heading and heading not in self._read]

    def fail(self, where: pd.Series[bool], values: pd.Series[str], name: str, rule: str) -> None:
        """Record the rule as broken at each marked row."""
        heading = self.heading(name)
        if heading is None:  # said once already, if the column is required
            return
        rows = self.frame.index[where]
        self._bad_rows.update(rows)
        for row in rows[:MOST_PER_RULE]:
            self.problems.append(Problem(rule, int(row), heading, masked(values[row])))
        if len(rows) > MOST_PER_RULE:
            more = f"{rule} ({len(rows) - MOST_PER_RULE} {MORE_ROWS}"
            self.problems.append(Problem(more, column=heading))

    def text(
        self, name: str, *, required: bool = True, most: int = MOST_CHARACTERS
    ) -> pd.Series[str]:
        """Short texts; blank is missing, and refused if required."""
        values = self.column(name, required=required)
        if required:
            self.fail(values == "", values, name, "expected a text")
        rule = f"expected at most {most} characters: no notes about a person"
        self.fail(_each_distinct(values, lambda v: v.str.len() > most), values, name, rule)
        return values.mask(values == "")

    def code(self, name: str, pattern: str, rule: str, *, required: bool = True) -> pd.Series[str]:
        """A column of codes that match the pattern; blank is missing, and refused if required."""
        values = _each_distinct(self.column(name, required=required), lambda v: v.str.upper())
        good = _each_distinct(values, lambda v: v.str.fullmatch(pattern))
        bad = ~good & ((values != "") | required)
        self.fail(bad, values, name, rule)
        return values.mask(values == "")

    def one_of(
        self, name: str, allowed: Sequence[str], *, required: bool = False
    ) -> pd.Series[str]:
        """A column of agreed words, compared without case; blank is missing."""
        canonical = {word.casefold(): word for word in allowed}
        values = self.column(name, required=required)
        known = _each_distinct(values, lambda v: v.str.casefold().map(canonical).astype("str"))
        bad = known.isna() & ((values != "") | required)
        self.fail(bad, values, name, f"expected one of {', '.join(allowed)}")
        return known

    def yes_no(self, name: str) -> pd.Series[bool]:
        """Yes or no, also as a spreadsheet writes them; blank or an absent column is missing."""
        meant = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}
        values = self.column(name, required=False)
        known = values.str.casefold().map(meant).astype("boolean")
        self.fail(known.isna() & (values != ""), values, name, "expected yes or no")
        return known

    def whole(
        self, name: str, *, required: bool = True, may_be_hidden: bool = False
    ) -> pd.Series[int]:
        """Whole numbers from 0, thousands commas allowed; blank is refused if required.

        So is a suppression mark, unless it may stand there: it is then missing, never zero.
        """
        kind = "a whole number from 0"
        return self._numbers(name, required, may_be_hidden, r"(\.0+)?", kind).astype("Int64")

    def number(
        self, name: str, *, required: bool = True, may_be_hidden: bool = False
    ) -> pd.Series[float]:
        """Numbers from 0, otherwise as `whole`; a pound sign before them is allowed."""
        kind = "a number from 0"
        return self._numbers(name, required, may_be_hidden, r"(\.[0-9]+)?", kind).astype("Float64")

    def real(self, name: str, *, required: bool = True) -> pd.Series[float]:
        """Numbers of either sign, also as 1.2e-05; blank or a suppression mark is missing."""
        values = self.column(name, required=required)
        pattern = r"[-+]?([0-9]{1,15}(\.[0-9]+)?|\.[0-9]+)([eE][-+]?[0-9]{1,2})?"
        good = values.str.fullmatch(pattern)
        missing = (values == "") | values.str.casefold().isin(SUPPRESSED | {"na", "nan"})
        self.fail(~good & ~missing, values, name, "expected a number")
        return pd.to_numeric(values.where(good)).astype("Float64")

    def _numbers(
        self, name: str, required: bool, may_be_hidden: bool, fraction: str, kind: str
    ) -> pd.Series[float]:
        values = self.column(name, required=required)
        codes, found = pd.factorize(values)
        distinct = pd.Series(found, dtype="str")
        hidden = distinct.str.casefold().isin(SUPPRESSED)
        # A comma only between thousands: 0,5 is a half elsewhere, and must not become 5.
        whole = r"£?([0-9]{1,15}|[0-9]{1,3}(,[0-9]{3}){1,4})"
        good = distinct.str.fullmatch(whole + fraction)
        good |= distinct.str.fullmatch(r"\.[0-9]+") & ("[0-9]" in fraction)
        missing = (distinct == "") | hidden
        allowed = (hidden & may_be_hidden) if required else missing
        bad = (~good & ~allowed).to_numpy(dtype=bool)[codes]
        self.fail(pd.Series(bad, values.index), values, name, f"expected {kind}")
        numbers = pd.to_numeric(distinct.where(good).str.replace("[£,]", "", regex=True))
        return numbers.take(codes).set_axis(values.index)

    def date(
        self,
        name: str,
        *,
        required: bool = True,
        earliest: date = date.min,
        latest: date = date.max,
    ) -> pd.Series[date]:
        """Dates as `datetime.date`; blank is missing, and refused if required."""
        values = self.column(name, required=required)
        codes, distinct = pd.factorize(values)
        days = [to_date(text) for text in distinct]
        parsed = _taken(days, codes, values.index)
        unread = [
            day is None and (text != "" or required)
            for day, text in zip(days, distinct, strict=True)
        ]
        self.fail(
            _taken(unread, codes, values.index).astype(bool),
            values,
            name,
            "expected a date such as 2026-06-30 or 30/06/2026",
        )
        outside = [day is not None and not earliest <= day <= latest for day in days]
        rule = f"expected a date from {earliest:%Y-%m-%d} to {latest:%Y-%m-%d}"
        self.fail(_taken(outside, codes, values.index).astype(bool), values, name, rule)
        return parsed

    def no_repeats(self, key: pd.DataFrame, names: str) -> None:
        """Refuse the second and later rows with the same key."""
        self.fail_rows(key.duplicated() & key.notna().any(axis=1), f"the same {names}")

    def fail_rows(self, where: pd.Series[bool], what: str) -> None:
        """Record each marked row as one that repeats an earlier one."""
        rows = self.frame.index[where]
        self._bad_rows.update(rows)
        rule = f"{what} stands in an earlier row"
        self.problems += [Problem(rule, int(row)) for row in rows[:MOST_PER_RULE]]

    def finish(self) -> None:
        """Refuse the file with everything found; do nothing when all is well."""
        if self.frame.empty and not self.problems:
            self.problems.append(Problem("the file has a heading and no rows: export it again"))
        if self.problems:
            raise RefusedError(self.source.name, self.problems)

    def finish_rows(self) -> pd.Series[bool]:
        """Which rows may be loaded, where each row stands for itself.

        A few bad rows are left out and told of; the file is refused as `finish` does when
        more than `MOST_REFUSED` of its rows are bad, or anything is wrong beyond single rows.
        """
        tally = Tally(self.source)
        good = tally.add(self)
        tally.finish()
        return good

    def good_rows(self) -> pd.Series[bool]:
        """Which rows broke no rule; refuses the file when more is wrong than single rows."""
        if any(p.row is None and not p.rule.endswith(MORE_ROWS) for p in self.problems):
            self.finish()
        return pd.Series(~self.frame.index.isin(self._bad_rows), index=self.frame.index)

    def refused(self) -> pd.DataFrame:
        """One row per broken rule, as a load keeps it: row, column, rule, found (masked)."""
        return refusals(self.problems)


class Repeats:
    """Keys that stand more than once in a file, told block by block by 64 bits of a hash each:
    a million of them take 8 MB, and are told apart but once in 37 million files."""

    def __init__(self) -> None:
        self._seen = np.empty(0, dtype="uint64")

    def check(self, check: Check, keys: pd.Series[int], name: str) -> None:
        """Record each row of a block whose key stands in it, or in a block before it."""
        stated = keys.dropna()
        short = stated.to_numpy(dtype="uint64")
        again = stated.duplicated() | self.holds(short)
        check.fail_rows(again.reindex(keys.index, fill_value=False), f"the same {name}")
        self.add(short)

    def holds(self, keys: np.ndarray) -> np.ndarray:
        """Which of the keys stood in a block before."""
        places = np.searchsorted(self._seen, keys)
        if not len(self._seen):
            return np.zeros(len(keys), dtype=bool)
        found: np.ndarray = self._seen[np.minimum(places, len(self._seen) - 1)] == keys
        return found

    def add(self, keys: np.ndarray) -> None:
        """Remember these keys."""
        self._seen = np.sort(np.concatenate([self._seen, keys]))


@dataclass
class Tally:
    """The bad rows of a file whose rows stand for themselves, block by block."""

    source: Source
    problems: list[Problem] = field(default_factory=list)
    rows: int = 0
    bad_rows: int = 0

    def add(self, check: Check) -> pd.Series[bool]:
        """Which rows of this block may be loaded; `RefusedError` for what is wrong with all."""
        good = check.good_rows()
        self.rows += len(good)
        self.bad_rows += int((~good).sum())
        self.problems += check.problems[: max(0, MOST_PER_FILE - len(self.problems))]
        return good

    def finish(self) -> None:
        """Refuse a file with too many bad rows, or with none at all."""
        if not self.rows and not self.problems:
            self.problems.append(Problem("the file has a heading and no rows: export it again"))
        if not self.rows or self.bad_rows / self.rows > MOST_REFUSED:
            raise RefusedError(self.source.name, self.problems)


def refusals(problems: Sequence[Problem]) -> pd.DataFrame:
    """One row per broken rule: row, column, rule, found (masked)."""
    return pd.DataFrame(
        {
            "row": pd.array([problem.row for problem in problems], dtype="Int64"),
            "column": pd.array([problem.column for problem in problems], dtype="str"),
            "rule": pd.array([problem.rule for problem in problems], dtype="str"),
            "found": pd.array([problem.value for problem in problems], dtype="str"),
        }
    )


def parts_of(rows: pd.DataFrame, start: str | None = None, end: str | None = None) -> pd.DataFrame:
    """One row per part_key of the rows, with its period from the columns named, or none."""
    found = rows.drop_duplicates("part_key")
    return pd.DataFrame(
        {
            "part_key": found["part_key"],
            "period_start": found[start] if start else None,
            "period_end": found[end] if end else None,
        }
    )


def areas_of(
    rows: pd.DataFrame,
    kind: str,
    code: str,
    name: str,
    *,
    parent: str | None = None,
    vintage: int | None = None,
) -> pd.DataFrame:
    """One row per part and code found in the rows, as the table of areas keeps it."""
    stated = rows[code].notna() & (rows[code] != UNALLOCATED)
    found = rows[stated].drop_duplicates(["part_key", code])
    return pd.DataFrame(
        {
            "part_key": found["part_key"],
            "kind": kind,
            "area_code": found[code],
            # An area without a name in the file is called by its code.
            "area_name": found[name].mask(found[name] == "").fillna(found[code]),
            "vintage": vintage,
            "parent_code": found[parent] if parent else None,
        }
    )
