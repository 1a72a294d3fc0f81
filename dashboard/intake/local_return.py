"""What every local return is checked for first: that nothing in it says who a person is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pandas as pd

from dashboard.intake.dataset import Check, Synonyms, plain_heading, sheet_with
from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.source import Source
from dashboard.rules.nhs_number import are_nhs_numbers

# A heading that holds one of these words names a person, and what to send in its place.
_PERSONAL = {
    "^nhs$|nhs_?(no|num|number|id)|chi_(no|number)": "your own local reference",
    "post_?code|postal_code|address": "the ward code or the LSOA code",
    "dob|birth|birthday|(date_?of_?)?birth_?date|date_?of_?birth": "the age band",
    "(first|fore|given|middle|sur|last|family|full|patient|client|person)_?names?": "nothing",
    "e_?mail|phone|telephone|tel|mobile|contact_(number|details)": "nothing",
}
# A column called just "name", or of somebody's, but not the name of a place or service.
_NAMED_THINGS = r"ward|lsoa|lad|district|pcn|practice|icb|service|provider|organisation|scheme"


def _sent_instead(heading: str) -> str | None:
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
        if (instead := _sent_instead(heading))
    ]
    if problems:
        raise RefusedError(source.name, problems)


def refuse_nhs_numbers(source: Source) -> None:
    """Refuse a file with a column of NHS numbers on any sheet, without showing one of them."""
    problems = []
    for sheet in source.sheets:
        for place, heading in enumerate(sheet.frame.columns):
            if are_nhs_numbers(str(heading), sheet.frame.iloc[:, place].unique()):
                rule = "holds NHS numbers, which must not be sent: use your own local reference"
                problems.append(Problem(rule, column=str(heading)))
    if problems:
        raise RefusedError(source.name, problems)


def check_return(
    source: Source, required: Sequence[str], also: Synonyms, *, of_persons: bool = False
) -> Check:
    """The checks of a local return, once it is known to name no patient."""
    sheet = sheet_with(source, *required, also=also)
    assert sheet is not None
    if of_persons:
        refuse_personal_headings(source, sheet.frame.columns)
    refuse_nhs_numbers(source)
    return Check(source, sheet.frame, also)


def entries_of(check: Check, name: str) -> pd.Series[str]:
    """The entries of a column that lists several, split at ; or |: indexed by row, repeated."""
    entries = check.column(name, required=False).str.split(r"[;|]", regex=True).explode()
    entries = entries.str.strip()
    return entries[entries != ""]


def fail_entries(check: Check, bad: pd.Series[bool], name: str, rule: str) -> None:
    """Record the rule as broken in each row that has a marked entry."""
    rows = bad.groupby(level=0).any().reindex(check.frame.index, fill_value=False)
    check.fail(rows, check.column(name, required=False), name, rule)


def not_read(check: Check) -> list[str]:
    """A note that names the columns nobody read, so that a misspelt heading is noticed."""
    unread = check.unread()
    return [f"columns not read: {', '.join(unread)}"] if unread else []
