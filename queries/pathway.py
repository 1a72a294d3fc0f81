"""The referral pathway and scores before and after, from facts built when returns load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Engine, Table, and_, false, func, literal, select, true

from queries import tables
from queries.database import reading
from queries.day_counts import WAITS, unpacked
from queries.frames import read_frame
from queries.places import in_force
from queries.scope import Scope
from queries.workforce import pcns_of

# Beside the categories of the facts: each network as a group of its own.
PCN = "PCN"
WARD = "ward"
_COUNTS = (
    "referrals",
    "offered",
    "declined",
    *(f"{step}{state}" for step in tables.PATHWAY_STEPS for state in ("", "_dated", "_open")),
    "negative_waits",
)


@dataclass(frozen=True)
class Cohort:
    """Referrals received in the months from first to last through the networks a board has at
    the date, or through those of them that are named.

    By ward: of people who live in the board's wards, through whichever network; or, where the
    networks are not those of the whole board (`is_board`), through these.
    """

    icb_code: str
    as_at: date
    first: date
    last: date
    pcn_codes: tuple[str, ...] | None = None
    is_board: bool = True


def steps_by_month(engine: Engine, scope: Scope, cohort: Cohort) -> pd.DataFrame:
    """One row per PCN and month that has any: referrals, and how far they came."""
    fact = tables.pathway_fact.c
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(fact.pcn_code, fact.month, *_sums(_COUNTS))
            .where(_is_in(tables.pathway_fact, scope, cohort, "all"))
            .group_by(fact.pcn_code, fact.month)
            .order_by(fact.pcn_code, fact.month),
            {"pcn_code": "str", "month": "object", **dict.fromkeys(_COUNTS, "Int64")},
        )


def steps_by_group(engine: Engine, scope: Scope, cohort: Cohort, category: str) -> pd.DataFrame:
    """One row per value of the category that has any (missing where it was not said): referrals,
    and how far they came.

    A referral for two reasons is in both; one that has not ended is in no ending.
    """
    group = _group(tables.pathway_fact, category)
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(group.label("value"), *_sums(_COUNTS))
            .where(_is_in(tables.pathway_fact, scope, cohort, category))
            .group_by(group),
            {"value": "str", **dict.fromkeys(_COUNTS, "Int64")},
            # Here, since databases differ in where small letters and missing values stand.
        ).sort_values("value", ignore_index=True)


def complex_need_by_group(
    engine: Engine, scope: Scope, cohort: Cohort, category: str
) -> pd.DataFrame:
    """One row per value of the category that has any: referrals, and of complex need how many (see
    `queries.tables.COMPLEX_NEED`)."""
    group = _group(tables.pathway_fact, category)
    names = ("referrals", *tables.COMPLEX_NEED)
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(group.label("value"), *_sums(names))
            .where(_is_in(tables.pathway_fact, scope, cohort, category))
            .group_by(group),
            {"value": "str", **dict.fromkeys(names, "Int64")},
        ).sort_values("value", ignore_index=True)


def therapy_by_month(engine: Engine, scope: Scope, cohort: Cohort) -> pd.DataFrame:
    """One row per month received that has any: those referred on to occupational therapy, accepted
    there, and waiting for that."""
    fact = tables.pathway_fact.c
    names = ("ot_referred", "ot_accepted", "ot_waiting")
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(fact.month, *_sums(names))
            .where(_is_in(tables.pathway_fact, scope, cohort, "all"))
            .group_by(fact.month)
            .order_by(fact.month),
            {"month": "object", **dict.fromkeys(names, "Int64")},
        )


def days_by_month(engine: Engine, scope: Scope, cohort: Cohort) -> pd.DataFrame:
    """One row per month received, wait and day that has any: referrals, as in `days_by_group`."""
    fact = tables.pathway_fact.c
    found = _days_by(engine, scope, fact.month, _is_in(tables.pathway_fact, scope, cohort, "all"))
    return found.rename(columns={"value": "month"})


def days_by_group(engine: Engine, scope: Scope, cohort: Cohort, category: str) -> pd.DataFrame:
    """One row per value of the category, wait (see `queries.day_counts.WAITS`) and day that has
    any: referrals. The last day stands for all that took longer."""
    found = _days_by(
        engine,
        scope,
        _group(tables.pathway_fact, category),
        _is_in(tables.pathway_fact, scope, cohort, category),
    )
    return found.astype({"value": "str"})


def _days_by(
    engine: Engine, scope: Scope, group: ColumnElement[Any], where: ColumnElement[bool]
) -> pd.DataFrame:
    with reading(engine, scope) as connection:
        rows = connection.execute(select(group, tables.pathway_fact.c.days).where(where)).all()
    groups, values = pd.factorize(
        np.array([row[0] for row in rows], dtype=object), sort=True, use_na_sentinel=False
    )
    counts = unpacked([row[1] for row in rows], groups, len(values))
    which, wait, day = np.nonzero(counts)
    return pd.DataFrame(
        {
            "value": np.asarray(values, dtype=object)[which],
            "wait": np.array(WAITS, dtype=object)[wait],
            "day": day,
            "referrals": counts[which, wait, day],
        }
    ).astype({"wait": "str", "day": "int64", "referrals": "int64"})


def scores_by_group(engine: Engine, scope: Scope, cohort: Cohort, category: str) -> pd.DataFrame:
    """One row per value of the category, question (measure and item), score before and score
    after, of which one may be missing: referrals.

    Scores belong to the month in which the referral was received.
    """
    fact, group = tables.score_fact.c, _group(tables.score_fact, category)
    key = (group, fact.measure, fact.item, fact.score_before, fact.score_after)
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(group.label("value"), *key[1:], func.sum(fact.referrals).label("referrals"))
            .where(_is_in(tables.score_fact, scope, cohort, category))
            .group_by(*key),
            {
                "value": "str",
                "measure": "str",
                "item": "str",
                "score_before": "Float64",
                "score_after": "Float64",
                "referrals": "Int64",
            },
        ).sort_values(
            ["value", "measure", "item", "score_before", "score_after"], ignore_index=True
        )


def without_pcn(engine: Engine, scope: Scope, cohort: Cohort) -> int:
    """How many referrals of people in the board's wards say no network: in ward figures only."""
    fact = tables.pathway_fact.c
    with reading(engine, scope) as connection:
        return (
            connection.scalar(
                select(func.coalesce(func.sum(fact.referrals), 0)).where(
                    _is_in(tables.pathway_fact, scope, cohort, WARD), fact.pcn_code.is_(None)
                )
            )
            or 0
        )


def _sums(names: Sequence[str]) -> list[ColumnElement[Any]]:
    return [func.sum(tables.pathway_fact.c[name]).label(name) for name in names]


def _group(fact: Table, category: str) -> ColumnElement[str]:
    if category == PCN:
        return fact.c.pcn_code
    if category == WARD:
        return fact.c.value
    # As an expression, so that no index of values is walked through for the sake of their order:
    # with 5 million referrals of other boards that took 57 times as long.
    return fact.c.value.concat("") if category != "all" else literal("").label("value")


def _is_in(fact: Table, scope: Scope, cohort: Cohort, category: str) -> ColumnElement[bool]:
    mine = fact.c.pcn_code.in_(pcns_of(cohort.icb_code, cohort.as_at))
    codes = cohort.pcn_codes
    if category == WARD:
        ward = tables.ward.c
        codes = None if cohort.is_board else codes
        mine = fact.c.value.in_(select(ward.ward_code).where(ward.icb_code == cohort.icb_code))
    return and_(
        in_force(fact.c.part_id),
        fact.c.category == ("all" if category == PCN else category),
        fact.c.month.between(cohort.first, cohort.last),
        mine,
        true() if codes is None else fact.c.pcn_code.in_(codes),
        # Not found, rather than forbidden, outside the scope.
        true() if scope.admits(cohort.icb_code) else false(),
    )
