"""Scores before and after, question by question: matched, released and judged as change."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from dashboard.outcomes import FIFTH, NOT_SAID, ward_fifths
from dashboard.rules.attacker import Relation
from dashboard.rules.control_chart import Improvement
from dashboard.rules.disclosure import Released, hidden_flag, release, rounding
from dashboard.rules.rates import wilson_limits
from dashboard.rules.wellbeing import (
    SCALES,
    Change,
    Scale,
    Threshold,
    paired_change,
    score_distribution,
    thresholds_of,
)
from dashboard.settings import settings
from dashboard.workforce import profile
from queries import pathway
from queries.pathway import WARD, Cohort
from queries.scope import Scope

Question = tuple[str, str]
GP_ATTENDANCES: Question = ("GP attendances", "attendances")
# Of fewer matched people, as they are shown, no mean is: the profiles' rule is for 1 to 7.
LEAST_PAIRS = 10
PEOPLE = ("started", "ended", "pairs", "rose", "unchanged", "fell")
_RELATIONS = (
    Relation("started", ("pairs",), is_exact=False),
    Relation("ended", ("pairs",), is_exact=False),
    Relation("pairs", ("rose", "unchanged", "fell")),
)
# Everything that is worked out from the pairs, and hidden with them.
_DERIVED = ("mean_before", "mean_after", "mean_change", "sd_change", "lower", "upper")
SHARES = ("share_improved", "share_lower", "share_upper")
# Of whole scores, a mean with more says of exactly how many people it is: 60 / 43 only of 43.
DECIMALS = 1


@dataclass(frozen=True)
class Changes:
    """One row per question, and group of people where asked for: released people with a score
    before (`started`), after (`ended`), both (`pairs`), and of these how many rose, fell and
    stayed; means in points with the 95% interval of the mean change; the share improved.

    `state` says why there is no mean: "hidden", "too few" or "". `unknown` names measures in the
    returns whose scale is not known here.
    """

    rows: Released
    unknown: tuple[str, ...]


def changes_by(engine: Engine, scope: Scope, cohort: Cohort, category: str) -> Changes:
    """The change in every question of a cohort by a category ("all" for everybody)."""
    kept = WARD if category == FIFTH else category
    scores = pathway.scores_by_group(engine, scope, cohort, kept)
    if category == FIFTH:
        scores["value"] = scores["value"].map(ward_fifths(engine, scope, cohort.icb_code))
    scores["value"] = scores["value"].fillna(NOT_SAID)
    known = pd.MultiIndex.from_frame(scores[["measure", "item"]]).isin(list(SCALES))
    rows = [
        {"value": value, "measure": key[0], "item": key[1], **_figures(mine, key)}
        for (value, *names), mine in scores[known].groupby(["value", "measure", "item"])
        for key in [(str(names[0]), str(names[1]))]
    ]
    columns = ["value", "measure", "item", *PEOPLE, *_DERIVED]
    frame = pd.DataFrame(rows, columns=columns).astype(
        {**dict.fromkeys(PEOPLE, "Int64"), **dict.fromkeys(_DERIVED, "Float64")}
    )
    unknown = set(scores["measure"]) - {measure for measure, _ in SCALES}
    sums, frame = _with_totals(frame, category)
    released = release(
        frame,
        rounding(profile()),
        people=list(PEOPLE),
        derive=_shown,
        sums=sums,
        steps=_RELATIONS,
    )
    is_group = released.frame["value"].notna()
    return Changes(released.rows(is_group), tuple(sorted(unknown)))


def _figures(scores: pd.DataFrame, question: Question) -> dict[str, Any]:
    pairs = scores.dropna(subset=["score_before", "score_after"])
    change = change_of(pairs, question)
    return {
        "started": scores.loc[scores["score_before"].notna(), "referrals"].sum(),
        "ended": scores.loc[scores["score_after"].notna(), "referrals"].sum(),
        "pairs": change.n_pairs,
        "rose": change.n_rose,
        "unchanged": change.n_unchanged,
        "fell": change.n_fell,
        **{name: getattr(change, name) for name in _DERIVED},
    }


def change_of(scores: pd.DataFrame, question: Question) -> Change:
    """The change of matched scores (score_before, score_after, referrals) in one question."""
    pairs = scores.rename(
        columns={"score_before": "before", "score_after": "after", "referrals": "people"}
    )
    better = {Improvement.HIGH: True, Improvement.LOW: False}.get(SCALES[question].better)
    least = threshold(question).least_change
    return paired_change(pairs, least_change=least, higher_is_better=better)


def _with_totals(frame: pd.DataFrame, category: str) -> tuple[list[Relation], pd.DataFrame]:
    """The rows with one for everybody in each question, which the page shows elsewhere, and what
    adds up to it."""
    frame = frame.reset_index(drop=True)
    if category == "all":
        return [], frame
    relations, totals = [], []
    label: Hashable
    for place, (question, mine) in enumerate(frame.groupby(["measure", "item"])):
        label = len(frame) + place
        relations.append(Relation(label, tuple(mine.index)))
        named = dict(zip(("measure", "item"), question, strict=True))
        totals.append(mine[list(PEOPLE)].sum().to_dict() | named)
    if not totals:
        return [], frame
    added = pd.DataFrame(totals, index=range(len(frame), len(frame) + len(totals)))
    both = pd.concat([frame, added.reindex(columns=frame.columns).astype(frame.dtypes)])
    return relations, both


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Means where enough people are matched, and shares of the rounded numbers."""
    hidden = frame[hidden_flag("pairs")]
    few = (frame["pairs"] < LEAST_PAIRS).fillna(False)
    state = pd.Series("", frame.index).mask(few, "too few").mask(hidden, "hidden")
    frame = frame.assign(state=state)
    frame[list(_DERIVED)] = frame[list(_DERIVED)].mask(state != "").round(DECIMALS)
    better = [SCALES[key].better for key in zip(frame["measure"], frame["item"], strict=True)]
    is_high = np.array([each is Improvement.HIGH for each in better], dtype=bool)
    is_low = np.array([each is Improvement.LOW for each in better], dtype=bool)
    improved = frame["rose"].where(is_high, frame["fell"]).where(is_high | is_low)
    # Rounded, the improved can be more than the pairs.
    told = frame["pairs"].astype("Float64")
    improved = improved.astype("Float64").mask(state != "")
    improved = improved.mask((improved > told).fillna(False), told)
    lower, upper = wilson_limits(
        improved.to_numpy(float, na_value=np.nan), told.to_numpy(float, na_value=np.nan)
    )
    limits = {
        name: pd.Series(limit, frame.index, dtype="Float64").replace({np.nan: pd.NA})
        for name, limit in (("share_lower", lower), ("share_upper", upper))
    }
    return frame.assign(share_improved=improved / told.mask(told == 0), **limits)


def distribution(engine: Engine, scope: Scope, cohort: Cohort, question: Question) -> Released:
    """One row per score or band, lowest first: matched people with it before and after, released.

    Columns: label, before, after.
    """
    scores = pathway.scores_by_group(engine, scope, cohort, "all")
    mine = scores[(scores["measure"] == question[0]) & (scores["item"] == question[1])]
    pairs = mine.dropna(subset=["score_before", "score_after"]).rename(
        columns={"score_before": "before", "score_after": "after", "referrals": "people"}
    )
    frame = score_distribution(pairs, SCALES[question])
    is_whole = SCALES[question].step == 1
    ends = zip(frame["from_score"], frame["to_score"], strict=True)
    frame["label"] = [_band(float(first), float(last), is_whole) for first, last in ends]
    total = pd.DataFrame({"label": [""], "before": [frame["before"].sum()]})
    total["after"] = frame["after"].sum()
    both = pd.concat([frame, total], ignore_index=True)
    parts = tuple(both.index[:-1])
    released = release(
        both.astype({"before": "Int64", "after": "Int64"}),
        rounding(profile()),
        people=["before", "after"],
        sums=[Relation(both.index[-1], parts)],
    )
    return released.rows(released.frame["label"] != "")


def _band(first: float, last: float, is_whole: bool) -> str:
    if first == last:
        return f"{first:g}"
    return f"{first:g} to {last - 1:g}" if is_whole else f"{first:g} to under {last:g}"


def scale(question: Question) -> Scale:
    """The scale of a question of a known measure."""
    return SCALES[question]


def threshold(question: Question) -> Threshold:
    """The smallest change of a question that counts as one, from the file of the settings."""
    return _thresholds(settings().meaningful_change_file)[question]


@lru_cache(maxsize=2)
def _thresholds(path: Path) -> Mapping[Question, Threshold]:
    found = thresholds_of(path.read_text(encoding="utf-8"))
    if missing := set(SCALES) - set(found):
        named = ", ".join(sorted(" ".join(key) for key in missing))
        raise ValueError(f"{path.name}: no threshold for {named}")
    return found
