"""The figures of the Outcomes page as one long table with definitions, ready for a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from dashboard.outcomes import BOARD, FIFTH, Pathway, board_pathway, pathway_by
from dashboard.outcomes_change import changes_by, scale, threshold
from dashboard.outcomes_compared import SHARES, TAKE_UP, equity
from dashboard.rules.disclosure import Released, hidden_flag
from dashboard.rules.endings import ENDINGS
from dashboard.rules.pathway import OVER_A_YEAR, STEP_TITLES
from queries.pathway import PCN, Cohort
from queries.scope import Scope

COLUMNS = (
    "section", "breakdown", "group_code", "figure", "unit", "people", "out_of", "value",
    "lower_95", "upper_95", "state", "definition",
)  # fmt: skip
PEOPLE = ("people", "out_of")
# By what the pathway and the change are broken down, beside networks and localities.
PATHWAY_GROUPS = ("source", "reason", "age band", "sex", "ethnicity", FIFTH)
PEOPLE_GROUPS = (FIFTH, "age band", "sex", "ethnicity")
_REACHED = (
    "Referrals of the cohort that reached the step (its date is there, or that of a later step), of "
    "those that reached the last recorded step before and went on or ended; Wilson's interval."
)
_WAIT = "Whole days from the referral to the step; of at least 10 people."
_CHANGE = (
    "Mean of after less before over matched people; Student's interval. Change, not effect: nobody "
    "to compare with, and scores tend back to the mean."
)


@dataclass(frozen=True)
class Evaluation:
    """One row per figure and group (see `COLUMNS`), released; and the cohort, `None` with the
    reason in `no_window`."""

    rows: Released
    cohort: Cohort | None
    no_window: str


def evaluation(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> Evaluation:
    """Every figure of a board's last 12 months told."""
    found = board_pathway(engine, scope, icb_code, as_at, "")
    made = list(_all(engine, scope, found)) if found.cohort is not None else []
    flags = [hidden_flag(name) for name in PEOPLE]
    frame = pd.DataFrame(made, columns=[*COLUMNS, *flags])
    frame[flags] = frame[flags].eq(True)
    frame = frame.astype(dict.fromkeys(PEOPLE, "Int64"))
    return Evaluation(Released(frame, PEOPLE, found.counts.profile), found.cohort, found.no_window)


def _all(engine: Engine, scope: Scope, found: Pathway) -> Iterator[dict[str, Any]]:
    cohort = found.cohort
    assert cohort is not None
    areas = found.counts.frame
    kinds, silent = (
        dict(zip(areas["code"], areas[name], strict=True)) for name in ("kind", "reason")
    )
    every = pathway_by(engine, scope, cohort, PCN).days
    days = {key: found for key, found in every.items() if key[0] in kinds}
    yield from _steps(found.steps, lambda code: kinds[code], days, silent)
    for category in PATHWAY_GROUPS:
        groups = pathway_by(engine, scope, cohort, category)
        yield from _steps(groups.steps, lambda _, name=category: name, groups.days)
    everybody = pathway_by(engine, scope, cohort, "all")
    yield from _waits(everybody.days, BOARD, cohort.icb_code)
    endings = pathway_by(engine, scope, cohort, "ending").counts.frame.set_index("code")
    for ending in ENDINGS:
        if ending.value in endings.index:
            row = endings.loc[ending.value].to_dict()
            yield {
                "section": "endings", "breakdown": BOARD, "group_code": cohort.icb_code,
                "figure": ending.value, "unit": "referrals", "people": row["referrals"],
                "people_hidden": row["referrals_hidden"], "state": "",
                "definition": "Referrals of the cohort that were declined or closed, by what was "
                "said of it.",
            }  # fmt: skip
    for category in ("all", *PEOPLE_GROUPS):
        yield from _changes(engine, scope, cohort, category)
    for figure in (TAKE_UP, *SHARES):
        yield from _slopes(engine, scope, cohort, figure)


def _steps(
    steps: pd.DataFrame,
    kind_of: Any,
    days: Mapping[tuple[str, str], Any],
    silent: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[dict[str, Any]]:
    """`silent` has why a network's figures are missing, by its code; "" where they are not."""
    for row in steps.to_dict("records"):
        kind = kind_of(row["group"])
        judged = "" if row["state"] == "recorded" else row["state"]
        state = silent.get(row["group"]) or judged
        # Who went on or ended; nobody is before the referral.
        is_told = pd.notna(row["people"]) and pd.notna(row["lost"])
        told = row["people"] + row["lost"] if is_told else None
        yield {
            "section": "pathway", "breakdown": kind, "group_code": row["group"],
            "figure": STEP_TITLES[row["step"]].lower(), "unit": "share of those who went on or ended",
            "people": row["people"], "people_hidden": row["people_hidden"], "out_of": told,
            "value": row["share"], "lower_95": row["lower"], "upper_95": row["upper"],
            "state": state, "definition": _REACHED,
        }  # fmt: skip
    for code in dict.fromkeys(code for code, _ in days):
        mine = {key: found for key, found in days.items() if key[0] == code}
        yield from _waits(mine, kind_of(code), code)


def _waits(days: Mapping[tuple[str, str], Any], kind: str, code: str) -> Iterator[dict[str, Any]]:
    for (_, step), found in days.items():
        for name, value in (("median", found.median), ("90th percentile", found.p90)):
            over = value == OVER_A_YEAR
            yield {
                "section": "waits", "breakdown": kind, "group_code": code,
                "figure": f"{STEP_TITLES[step].lower()}, {name}", "unit": "days since the referral",
                "value": None if over else value,
                "state": "over 365" if over else "too few" if value is None else "",
                "definition": _WAIT,
            }  # fmt: skip


def _changes(
    engine: Engine, scope: Scope, cohort: Cohort, category: str
) -> Iterator[dict[str, Any]]:
    rows = changes_by(engine, scope, cohort, category).rows.frame
    for row in rows.to_dict("records"):
        question = (row["measure"], row["item"])
        about, least = scale(question), threshold(question)
        named = {
            "section": "change",
            "breakdown": BOARD if category == "all" else category,
            "group_code": row["value"] or cohort.icb_code,
            "people": row["pairs"], "people_hidden": row["pairs_hidden"],
            "out_of": row["started"], "out_of_hidden": row["started_hidden"],
            "state": row["state"],
        }  # fmt: skip
        yield named | {
            "figure": f"{about.title}, mean change", "unit": about.unit,
            "value": row["mean_change"], "lower_95": row["lower"], "upper_95": row["upper"],
            "definition": f"{_CHANGE} People are those matched, out of those with a first score.",
        }  # fmt: skip
        if pd.notna(row["share_improved"]):
            yield named | {
                "figure": f"{about.title}, share improved", "unit": "share of matched people",
                "value": row["share_improved"], "lower_95": row["share_lower"],
                "upper_95": row["share_upper"],
                "definition": f"Matched people who changed for the better by {least.least_change:g} or "
                f"more ({least.status}: {least.source}); Wilson's interval.",
            }  # fmt: skip


def _slopes(engine: Engine, scope: Scope, cohort: Cohort, figure: str) -> Iterator[dict[str, Any]]:
    found = equity(engine, scope, cohort, figure, FIFTH)
    slope = found.slope
    title = (
        "referrals a year per 1,000 adults" if figure == TAKE_UP else f"share {SHARES[figure][0]}"
    )
    named = {
        "section": "equity", "breakdown": FIFTH, "group_code": "1 to 5", "state": found.no_slope,
        "unit": "most less least deprived",
    }  # fmt: skip
    yield named | {
        "figure": f"{title}, slope index",
        "value": slope and slope.slope, "lower_95": slope and slope.lower,
        "upper_95": slope and slope.upper,
        "definition": "Weighted least squares over national fifths of the ward, from the least to the "
        "most deprived end of the population.",
    }  # fmt: skip
    yield named | {
        "figure": f"{title}, relative index", "unit": "most over least deprived",
        "value": slope and slope.relative_index,
        "definition": "The fitted value at the most deprived end over that at the least deprived.",
    }  # fmt: skip
