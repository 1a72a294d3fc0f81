"""Outcome measurements, a local return: how people do at the start, the end and later."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dashboard.intake.dataset import (
    PCN,
    Check,
    Column,
    Dataset,
    Lookups,
    Template,
    parts_of,
    sheet_with,
)
from dashboard.intake.local_return import EARLIEST, LATEST, check_return, month_end, not_read
from dashboard.intake.problems import Problem
from dashboard.intake.source import Source
from dashboard.rules.wellbeing import SWEMWBS_ITEMS, swemwbs_metric
from queries.load import CleanLoad

COLUMNS = ("reference", "measure", "point", "date")
ALSO = {
    "reference": ("local_reference", "id", "referral_id", "referral_reference"),
    "measure": ("outcome_measure", "questionnaire", "instrument"),
    "point": ("time_point", "measurement_point"),
    "date": ("measured_on", "date_measured", "measurement_date"),
    "item": ("question",),
    "score": ("item_score", "answer"),
    "total": ("total_score",),
    "pcn_code": ("pcn",),
}
POINTS = ("start", "end", "follow-up")
TOTAL = "total"
SWEMWBS = "SWEMWBS"


@dataclass(frozen=True)
class Scale:
    """The numbers a score may be; both ends belong to it."""

    lowest: int
    highest: int
    may_be_fraction: bool = False

    def __str__(self) -> str:
        kind = "a number" if self.may_be_fraction else "a whole number"
        return f"{kind} from {self.lowest} to {self.highest}"

    def holds(self, scores: pd.Series[float]) -> pd.Series[bool]:
        """Whether each score is on the scale; a missing one is not judged."""
        whole = (scores % 1 == 0) | self.may_be_fraction
        return (scores.between(self.lowest, self.highest) & whole).fillna(True)


_ANSWER, _FEELING = Scale(0, 10), Scale(0, 6)
# By measure: the scale of each item, and of the total where there is one.
MEASURES: Mapping[str, Mapping[str, Scale]] = {
    "ONS4": dict.fromkeys(("life satisfaction", "worthwhile", "happy", "anxious"), _ANSWER),
    # The total is the sum of the seven, or its conversion to a metric score with a fraction.
    SWEMWBS: dict.fromkeys("1234567", Scale(1, 5)) | {TOTAL: Scale(7, 35, may_be_fraction=True)},
    "UCLA-3": {TOTAL: Scale(3, 9)},
    # The concerns themselves are the person's own words, and are never sent. The total
    # ("profile") is the mean of the three.
    "MYCaW": dict.fromkeys(("concern 1", "concern 2", "wellbeing"), _FEELING)
    | {TOTAL: Scale(0, 6, may_be_fraction=True)},
    "PAM": {TOTAL: Scale(0, 100, may_be_fraction=True)},
}


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO, of_persons=True)
    if not (check.heading("total") or (check.heading("item") and check.heading("score"))):
        rule = "expected the columns item and score, or a column total: there are no scores"
        check.problems.append(Problem(rule))
    reference, measure = check.text("reference"), check.text("measure")
    item = check.text("item", required=False).str.casefold()
    score, total = (check.number(name, required=False) for name in ("score", "total"))
    rows = pd.DataFrame(
        {
            "measure": measure.map({name: known_measure(name) for name in measure.unique()}),
            "item": item.mask(item.isna() & total.notna(), TOTAL),
            "point": check.one_of("point", POINTS, required=True),
            "measured_on": check.date("date", earliest=EARLIEST, latest=LATEST),
            "score": score.astype("Float64").fillna(total.astype("Float64")),
            "pcn_code": check.code("pcn_code", *PCN, required=False),
        }
    )
    rule = "expected the item the score is of, or 'total'"
    _fail_sent(check, score.notna() & rows["item"].isna(), ("score",), rule)
    rule = "expected an item and its score, or a total: not both in one row"
    _fail_sent(check, total.notna() & (item.notna() | score.notna()), ("total",), rule)
    _fail_scores(check, rows)
    scored = rows["score"].notna()
    key = rows[["measure", "item", "point", "measured_on"]].assign(reference=reference)
    check.no_repeats(key.where(scored), "reference, measure, item, point and date")
    good = check.finish_rows()

    rows = rows.assign(reference_hash=lookups.hashed(reference[good]))[good & scored]
    if rows.empty:
        check.problems.append(Problem("no row has a score: export it again"))
        check.finish()
    rows["month"] = [day.replace(day=1) for day in rows["measured_on"]]
    months = rows["month"].map("{:%Y-%m}".format).astype("str")
    rows["part_key"] = months + (" " + rows["pcn_code"]).fillna("")
    rows, converted = _with_metric_totals(rows.drop(columns="pcn_code"))
    parts = parts_of(rows, "month", "month")
    parts["period_end"] = parts["period_end"].map(month_end)
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(check.frame),
        vintage=f"{months.min()} to {months.max()}",
        parts=parts,
        rows={"outcome": rows.drop(columns="month")},
        notes=(
            f"{len(rows)} scores of {rows['reference_hash'].nunique()} references; "
            f"rows without a score, left out: {(good & ~scored).sum()}",
            *_other_measures(rows),
            *([f"{converted} SWEMWBS totals worked out as metric scores"] if converted else []),
            *not_read(check),
        ),
        refused=check.refused(),
        rows_refused=int((~good).sum()),
    )


def _with_metric_totals(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The rows with SWEMWBS totals as metric scores, and how many were worked out.

    Raw totals are whole and metric ones are not, but for 7 and 35, which are the same in both.
    Seven answers of one person on one day make a total where none was sent.
    """
    of_it, is_total = rows["measure"] == SWEMWBS, rows["item"] == TOTAL
    raw = of_it & is_total & (rows["score"] % 1 == 0)
    rows.loc[raw, "score"] = rows.loc[raw, "score"].map(swemwbs_metric).astype("Float64")
    key = ["reference_hash", "point", "measured_on", "month", "part_key"]
    answers = rows[of_it & ~is_total].groupby(key)["score"].agg(["size", "sum"])
    answers = answers[answers["size"] == SWEMWBS_ITEMS]
    told = pd.MultiIndex.from_frame(rows.loc[of_it & is_total, key])
    totals = answers.loc[~answers.index.isin(told), "sum"].map(swemwbs_metric)
    made = totals.rename("score").astype("Float64").reset_index()
    made = made.assign(measure=SWEMWBS, item=TOTAL).astype({"item": rows["item"].dtype})
    both = pd.concat([rows, made], ignore_index=True) if len(made) else rows
    return both, int(raw.sum()) + len(made)


def known_measure(name: str) -> str:
    """The known measure that is meant, in whatever case and with whatever marks; else the name.

    >>> known_measure("ons-4"), known_measure("UCLA 3"), known_measure("GAD-7")
    ('ONS4', 'UCLA-3', 'GAD-7')
    """
    plain = {re.sub(r"\W", "", known).casefold(): known for known in MEASURES}
    return plain.get(re.sub(r"[\W_]", "", str(name)).casefold(), name)


def _fail_sent(check: Check, where: pd.Series[bool], columns: tuple[str, ...], rule: str) -> None:
    """Record the rule at each marked row, in those of the columns where it says anything."""
    for name in columns:
        values = check.column(name, required=False)
        check.fail(where & (values != ""), values, name, rule)


def _fail_scores(check: Check, rows: pd.DataFrame) -> None:
    """Record items that a known measure does not have, and scores off their scale."""
    for name, scales in MEASURES.items():
        of_measure = rows["measure"] == name
        unknown = of_measure & rows["item"].notna() & ~rows["item"].isin(scales)
        rule = f"expected, for {name}, one of {', '.join(scales)}"
        _fail_sent(check, unknown, ("item", "total"), rule)
        for scale in dict.fromkeys(scales.values()):
            items = [item for item, its in scales.items() if its == scale]
            off = of_measure & rows["item"].isin(items) & ~scale.holds(rows["score"])
            _fail_sent(check, off, ("score", "total"), f"expected {scale} for {name}")


def _other_measures(rows: pd.DataFrame) -> list[str]:
    others = sorted(set(rows["measure"]) - set(MEASURES))
    return [f"measures taken as they are named, any score: {', '.join(others)}"] if others else []


_KNOWN = "; ".join(
    f"{name}: " + ", ".join(f"{item} ({scale})" for item, scale in scales.items())
    for name, scales in MEASURES.items()
)
TEMPLATE = Template(
    "one score of one person: an item (question) with its score, or a total",
    (
        Column("reference", True, "Your own reference of the referral.", "R-0001"),
        Column("measure", True, f"{', '.join(MEASURES)}, or another measure by its name.", "ONS4"),
        Column("point", True, f"One of: {', '.join(POINTS)}.", "start"),
        Column("date", True, "Date on which it was measured.", "2026-06-15"),
        Column("item", False, f"With a score. {_KNOWN}.", "life satisfaction"),
        Column("score", False, "The item's score; blank if not answered, never 0 for it.", "4"),
        Column("total", False, "A total score, in a row without item and score.", ""),
        Column("pcn_code", False, "Code of the PCN the measurement is returned for.", "U12345"),
    ),
)
DATASET = Dataset(
    "outcomes",
    "Outcome measurements (local return)",
    _recognises,
    _read,
    replaces="the measurements of the same month and PCN",
    parts="months of a PCN",
    template=TEMPLATE,
)
