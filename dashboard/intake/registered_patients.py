"""Registered patients by practice and LSOA: where the patients of each practice live."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from dashboard.intake.dataset import LSOA, PRACTICE, Check, Dataset, Lookups, Repeats, sheet_with
from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.source import Source
from queries.load import CleanLoad, Reading

KEY = ["extracted", "practice_code", "lsoa_code"]
COLUMNS = ("EXTRACT_DATE", "PRACTICE_CODE", "LSOA_CODE", "SEX", "NUMBER_OF_PATIENTS")
SEXES = ("ALL", "FEMALE", "MALE", "INDETERMINATE", "UNKNOWN")
# Patients of English practices who live elsewhere, or nowhere known, stand in the same column.
IN_ENGLAND = LSOA[0].replace("[EW]", "E")


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS) is not None


def _read(source: Source, _lookups: Lookups) -> Reading:
    """Block by block: the file of England has more than a million rows."""
    sheet = sheet_with(source, *COLUMNS)
    assert sheet is not None
    counts, repeats, totals = _Counts(), Repeats(), Repeats()
    by_sex: list[pd.DataFrame] = []
    for block in sheet.blocks():
        check = Check(source, block)
        rows = _checked(check)
        keys = pd.util.hash_pandas_object(rows[[*KEY, "sex"]], index=False)
        repeats.check(check, keys.set_axis(rows.index), "practice, LSOA and sex")
        counts.sexes |= set(rows["sex"].dropna())
        if check.problems or not counts.rows:
            check.problems += counts.one_sex()
            check.finish()
        counts.add(rows)
        known = rows.dropna(subset="patients")
        total = known[known["sex"] == "ALL"]
        totals.add(_keys(total))
        by_sex.append(known[known["sex"] != "ALL"].drop(columns="sex"))
        yield {"registered_patients": _in_england(total, counts)}
    if problems := counts.one_sex():
        raise RefusedError(source.name, problems)
    # Where a total stands beside the sexes, it is the total that counts.
    summed = pd.concat(by_sex).groupby(KEY)["patients"].sum().reset_index()
    summed = summed[~totals.holds(_keys(summed))]
    rest = {"registered_patients": _in_england(summed, counts)}
    parts = pd.DataFrame(
        [
            {"part_key": f"{day} {practice}", "period_start": day, "period_end": day}
            for day, practice in sorted(counts.parts)
        ]
    )
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=counts.rows,
        vintage=", ".join(sorted({f"{day}" for day, _ in counts.parts})),
        parts=parts,
        rows=rest,
        notes=tuple(counts.notes()),
    )


def _checked(check: Check) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "extracted": check.date("EXTRACT_DATE"),
            "practice_code": check.code("PRACTICE_CODE", *PRACTICE),
            "lsoa_code": check.code("LSOA_CODE", ".+", "expected an LSOA code, or CLOSED or EMPTY"),
            "sex": check.one_of("SEX", SEXES, required=True),
            "patients": check.whole("NUMBER_OF_PATIENTS", may_be_hidden=True),
        }
    )


def _keys(rows: pd.DataFrame) -> np.ndarray:
    return pd.util.hash_pandas_object(rows[KEY], index=False).to_numpy()


@dataclass
class _Counts:
    """What was read, for the notes and the parts."""

    rows: int = 0
    hidden: int = 0
    patients: int = 0
    sexes: set[str] = field(default_factory=set)
    parts: set[tuple[date, str]] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, rows: pd.DataFrame) -> None:
        self.rows += len(rows)
        self.hidden += int(rows["patients"].isna().sum())
        named = rows[["extracted", "practice_code"]].drop_duplicates()
        self.parts |= set(zip(named["extracted"], named["practice_code"], strict=True))

    def one_sex(self) -> list[Problem]:
        if self.sexes not in ({"FEMALE"}, {"MALE"}):
            return []
        rule = "this file holds one sex only: send the one that holds all patients"
        return [Problem(rule, column="SEX")]

    def notes(self) -> list[str]:
        practices = len({practice for _, practice in self.parts})
        notes = [f"{self.patients:,} patients of {practices} practices"]
        for code, count in sorted(self.left_out.items()):
            notes.append(f"left out: {count:,} patients under {code}")
        if self.hidden:
            notes.append(f"{self.hidden} hidden numbers are missing, not zero")
        return notes


def _in_england(rows: pd.DataFrame, counts: _Counts) -> pd.DataFrame:
    """The rows of English LSOAs as they are kept; the others are counted by what stands there,
    codes by their first three signs."""
    in_england = rows["lsoa_code"].str.fullmatch(IN_ENGLAND)
    elsewhere = rows[~in_england]
    code = r"^([A-Z][0-9]{2})[0-9A-Z]{6}$"
    words = elsewhere["lsoa_code"].str.replace(code, r"\1...", regex=True)
    for word, patients in elsewhere.groupby(words)["patients"].sum().items():
        counts.left_out[str(word)] += int(patients)
    kept = rows[in_england]
    counts.patients += int(kept["patients"].sum())
    days = kept["extracted"].map({day: f"{day} " for day in kept["extracted"].unique()})
    return pd.DataFrame(
        {
            "part_key": days.astype("str") + kept["practice_code"],
            "practice_code": kept["practice_code"],
            "lsoa_code": kept["lsoa_code"],
            "patients": kept["patients"].astype("Int64"),
        }
    )


DATASET = Dataset(
    "registered_patients",
    "Registered patients by practice and LSOA (NHS England)",
    _recognises,
    _read,
    replaces="the patients of the same practice and extract",
    parts="practices",
)
