"""List sizes: the patients registered at each practice."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import PRACTICE, Check, Dataset, Lookups, parts_of, sheet_with
from dashboard.intake.problems import Problem
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = ("EXTRACT_DATE", "ORG_TYPE", "ORG_CODE", "SEX", "AGE_GROUP_5", "NUMBER_OF_PATIENTS")
ALL_AGES = "all ages"


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    sheet = sheet_with(source, *COLUMNS)
    assert sheet is not None
    whole_file = Check(source, sheet.frame)
    # Boards, PCNs and practices, each in total, by sex and by age, stand below one another:
    # their plain sum is 15 times the patients. Five-year ages do not split at 18, so only
    # the practices' totals are kept.
    kept = (
        whole_file.column("ORG_TYPE").str.upper().eq("GP")
        & whole_file.column("SEX").str.upper().eq("ALL")
        & whole_file.column("AGE_GROUP_5").str.upper().eq("ALL")
    )
    check = Check(source, sheet.frame[kept])
    if len(sheet.frame) and not kept.any():
        rule = "no practice totals: expected rows with ORG_TYPE GP, SEX ALL and AGE_GROUP_5 ALL"
        check.problems.append(Problem(rule))
    rows = pd.DataFrame(
        {
            "extracted": check.date("EXTRACT_DATE"),
            "practice_code": check.code("ORG_CODE", *PRACTICE),
            "age_band": ALL_AGES,
            "patients": check.whole("NUMBER_OF_PATIENTS", may_be_hidden=True),
        }
    )
    check.no_repeats(rows[["extracted", "practice_code"]], "practice")
    check.finish()

    rows["part_key"] = [
        f"{day:%Y-%m-%d} {code}"
        for day, code in zip(rows["extracted"], rows["practice_code"], strict=True)
    ]
    notes = [f"{len(rows)} practices, {rows['patients'].sum():,} patients"]
    if hidden := int(rows["patients"].isna().sum()):
        notes.append(f"{hidden} hidden numbers are missing, not zero")
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(sheet.frame),
        vintage=", ".join(sorted({f"{day:%Y-%m-%d}" for day in rows["extracted"]})),
        parts=parts_of(rows, "extracted", "extracted"),
        rows={"list_size": rows.drop(columns="extracted").dropna(subset="patients")},
        notes=tuple(notes),
    )


DATASET = Dataset(
    "list_sizes",
    "List sizes by age (NHS England)",
    _recognises,
    _read,
    replaces="the list of the same practice and extract",
    parts="practices",
)
