"""What every local return is checked for first: that nothing in it says who a person is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import pandas as pd

from dashboard.intake.dataset import Check, Synonyms, plain_heading, sheet_with, to_date
from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.source import Sheet, Source

# A heading that holds one of these words names a person, and what to send in its place.
_PERSONAL = {
    "^nhs$|nhs_?(no|num|number|id)|chi_(no|number)": "your own local reference",
    "post_?code|postal_code|address": "the ward code or the LSOA code",
    "dob|birth|birthday|(date_?of_?)?birth_?date|date_?of_?birth": "the age band",
    "(first|fore|given|middle|sur|last|family|full|patient|client|person)_?names?": "nothing",
    "e_?mail|phone|telephone|tel|mobile|contact_(number|details)": "nothing",
}
# A column called just "name", or of somebody's, but not the name of a place or service.
_NAMED_THINGS = (
    r"ward|lsoa|lad|district|pcn|practice|icb|service|provider|organisation|scheme|locality|measure"
)
# How a person is named in a column that asks for a post or a profession.
_TITLE = r"(mr|mrs|ms|miss|mx|dr|prof|professor|sir|dame|rev)\b.*"
_MONTH_FORMS = ("%Y-%m", "%B %Y", "%b %Y", "%b-%y", "%m/%Y")
# No local return is older than the first link workers; the last year keeps typing errors out.
EARLIEST, LATEST = date(2015, 1, 1), date(2100, 12, 31)


def sent_instead(heading: str) -> str | None:
    """What to send in place of a column whose heading says who a person is, else `None`."""
    # "PatientPostcode" is two words.
    plain = plain_heading(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", heading))
    for words, instead in _PERSONAL.items():
        if re.search(rf"(^|_)({words})(_|$)", plain):
            return instead
    if re.search(r"(^|_)names?$", plain) and not re.search(_NAMED_THINGS, plain):
        return "nothing"
    return None


def refuse_personal_headings(source: Source, headings: Iterable[str]) -> None:
    """Refuse a file whose headings say that it describes persons by name, address or number."""
    problems = [
        Problem(
            f"says who a person is, and must not be sent: take the column out and send {instead}"
            + (" in its place" if instead != "nothing" else ""),
            column=heading,
        )
        for heading in headings
        if (instead := sent_instead(heading))
    ]
    if problems:
        raise RefusedError(source.name, problems)


def check_return(
    source: Source, required: Sequence[str], also: Synonyms, *, of_persons: bool = False
) -> Check:
    """The checks of a local return, once it is known to name no patient."""
    sheet = return_sheet(source, required, also, of_persons=of_persons)
    return Check(source, sheet.frame, also)


def return_sheet(
    source: Source, required: Sequence[str], also: Synonyms, *, of_persons: bool
) -> Sheet:
    """The sheet of a local return, once its headings are known to name no patient."""
    sheet = sheet_with(source, *required, also=also)
    assert sheet is not None
    if of_persons:
        refuse_personal_headings(source, sheet.headings)
    return sheet


def entries_of(check: Check, name: str) -> pd.Series[str]:
    """The entries of a column that lists several, split at ; or |: indexed by row, repeated."""
    entries = check.column(name, required=False).str.split(r"[;|]", regex=True).explode()
    entries = entries.str.strip()
    return entries[entries != ""]


def fail_entries(check: Check, bad: pd.Series[bool], name: str, rule: str) -> None:
    """Record the rule as broken in each row that has a marked entry."""
    rows = bad.groupby(level=0).any().reindex(check.frame.index, fill_value=False)
    check.fail(rows, check.column(name, required=False), name, rule)


def to_month(text: str) -> date | None:
    """The first day of a month, from its name or from any day in it; `None` for other texts.

    A spreadsheet turns a month that is typed into a day: both mean the same here.

    >>> to_month("2026-06"), to_month("30/06/2026"), to_month("summer")
    (datetime.date(2026, 6, 1), datetime.date(2026, 6, 1), None)
    """
    for form in _MONTH_FORMS:
        try:
            return datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    day = to_date(text)
    return day and day.replace(day=1)


def months_of(check: Check, name: str, *, required: bool = True) -> pd.Series[date]:
    """A column of months, each as its first day; blank is missing, and refused if required."""
    values = check.column(name, required=required)
    known = {text: to_month(text) for text in values.unique()}
    good = {text for text, month in known.items() if month and EARLIEST <= month <= LATEST}
    rule = f"expected a month such as 2026-06 or June 2026, from {EARLIEST:%Y} to {LATEST:%Y}"
    check.fail(~values.isin(good) & ((values != "") | required), values, name, rule)
    months = values.map(known).astype(object)
    return months.where(values.isin(good), None)


def month_end(month: date) -> date:
    """The last day of the month."""
    return (pd.Timestamp(month) + pd.offsets.MonthEnd(0)).date()


def fail_backwards(
    check: Check, starts: pd.Series[date], ends: pd.Series[date], name: str = "until"
) -> None:
    """Record each row whose end, in the named column, lies before its start."""
    both = starts.notna() & ends.notna()
    backwards = both & (ends.where(both, LATEST) < starts.where(both, LATEST))
    rule = "expected a date on or after the one it begins at"
    check.fail(backwards, check.column(name, required=False), name, rule)


def fail_persons(check: Check, *names: str) -> None:
    """Record each value of the named columns that begins as a person's name does."""
    for name in names:
        values = check.column(name, required=False)
        rule = "expected a post or a profession, not the name of a person"
        check.fail(values.str.casefold().str.fullmatch(_TITLE), values, name, rule)


def not_read(check: Check) -> list[str]:
    """A note that names the columns nobody read, so that a misspelt heading is noticed."""
    unread = check.unread()
    return [f"columns not read: {', '.join(unread)}"] if unread else []
