"""Registered patients by practice and LSOA: where the patients of each practice live."""

from __future__ import annotations

from datetime import date

import pandas as pd

from dashboard.intake.dataset import LSOA, PRACTICE, Check, Dataset, Lookups, parts_of, sheet_with
from dashboard.intake.problems import Problem
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = ("EXTRACT_DATE", "PRACTICE_CODE", "LSOA_CODE", "SEX", "NUMBER_OF_PATIENTS")
SEXES = ("ALL", "FEMALE", "MALE", "INDETERMINATE", "UNKNOWN")
# Patients of English practices who live elsewhere, or nowhere known, stand in the same column.
IN_ENGLAND = LSOA[0].replace("[EW]", "E")


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    sheet = sheet_with(source, *COLUMNS)
    assert sheet is not None
    check = Check(source, sheet.frame)
    rows = pd.DataFrame(
        {
            "extracted": check.date("EXTRACT_DATE"),
            "practice_code": check.code("PRACTICE_CODE", *PRACTICE),
            "lsoa_code": check.code("LSOA_CODE", ".+", "expected an LSOA code, or CLOSED or EMPTY"),
            "sex": check.one_of("SEX", SEXES, required=True),
            "patients": check.whole("NUMBER_OF_PATIENTS", may_be_hidden=True),
        }
    )
    if set(rows["sex"].dropna()) in ({"FEMALE"}, {"MALE"}):
        rule = "this file holds one sex only: send the one that holds all patients"
        check.problems.append(Problem(rule, column="SEX"))
    key = ["extracted", "practice_code", "lsoa_code"]
    check.no_repeats(rows[[*key, "sex"]], "practice, LSOA and sex")
    check.finish()

    hidden = int(rows["patients"].isna().sum())
    known = rows.dropna(subset="patients")
    in_total = known["sex"] == "ALL"
    total = known[in_total].set_index(key)["patients"]
    by_sex = known[~in_total].groupby(key)["patients"].sum()
    # Where a total stands beside the sexes, it is the total that counts.
    patients = total.combine_first(by_sex).astype("Int64").reset_index()
    in_england = patients["lsoa_code"].str.fullmatch(IN_ENGLAND)
    elsewhere = patients[~in_england]
    patients = patients[in_england].assign(part_key=lambda p: _day(p["extracted"]))
    practices = patients["practice_code"].nunique()
    notes = [f"{patients['patients'].sum():,} patients of {practices} practices"]
    for code, count in _left_out(elsewhere).items():
        notes.append(f"left out: {count:,} patients under {code}")
    if hidden:
        notes.append(f"{hidden} hidden numbers are missing, not zero")
    parts = rows.assign(part_key=_day(rows["extracted"]))
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=", ".join(sorted(parts["part_key"].unique())),
        parts=parts_of(parts, "extracted", "extracted"),
        rows={"registered_patients": patients.drop(columns="extracted")},
        notes=tuple(notes),
    )


def _day(dates: pd.Series[date]) -> pd.Series[str]:
    return dates.map({day: f"{day:%Y-%m-%d}" for day in dates.unique()}).astype("str")


def _left_out(elsewhere: pd.DataFrame) -> pd.Series[int]:
    """Patients left out, by what stood in place of an LSOA; codes by their first three signs."""
    code = r"^([A-Z][0-9]{2})[0-9A-Z]{6}$"
    words = elsewhere["lsoa_code"].str.replace(code, r"\1...", regex=True)
    return elsewhere.groupby(words)["patients"].sum()


DATASET = Dataset(
    "registered_patients",
    "Registered patients by practice and LSOA (NHS England)",
    _recognises,
    _read,
    replaces="the patients of the same extract",
)
