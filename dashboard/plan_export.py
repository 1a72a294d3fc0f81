"""A plan of where to fund as a file: its assumptions, its sites in order, and every ward."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage import ward_coverage
from dashboard.coverage_words import chosen_wards
from dashboard.filters import LOCALITY, PCN, Area
from dashboard.rules.disclosure import Released
from dashboard.site_plan import (
    NO_NEED,
    PROVIDED,
    UNKNOWN,
    Plan,
    candidate_sites,
    site_plan,
    ways_to,
)
from dashboard.site_plan_words import assumptions, choices_of
from dashboard.supposed import supposed, what_if_of
from dashboard.unmet_need import ward_unmet_need
from queries.scope import Scope

COLUMNS = (
    "row", "order", "code", "name", "lad_name", "kind", "status", "state", "unmet_need", "lower_95",
    "upper_95", "is_estimated", "imd_fifth", "site_code", "gain", "reached_so_far", "cost_a_year",
    "cost_so_far", "cost_per_person",
)  # fmt: skip
_OF_SITES = ("order", "kind", "gain", "reached_so_far", "cost_a_year", "cost_so_far",
             "cost_per_person")  # fmt: skip
_OF_WARDS = ("lad_name", "status", "state", "unmet_need", "lower_95", "upper_95", "is_estimated",
             "imd_fifth", "site_code")  # fmt: skip


def area_of(icb_code: str, as_at: date, with_stale: bool, asked: Mapping[str, str]) -> Area:
    """The area that a link asks for."""
    return Area(icb_code, as_at, with_stale, asked.get(LOCALITY, ""), asked.get(PCN, ""))


def plan_of_board(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    with_stale: bool,
    asked: Mapping[str, str],
) -> Plan:
    """The plan that a link to the page asks for."""
    choices, area = choices_of(asked), area_of(icb_code, as_at, with_stale, asked)
    coverage = ward_coverage(engine, scope, *area.board)
    codes = set(chosen_wards(coverage, area.lad_code, area.pcn_code).frame["ward_code"])
    need = ward_unmet_need(engine, scope, *area.board, choices.need, choices.theme)
    sites = candidate_sites(engine, scope, area, choices, codes)
    return site_plan(need, choices, sites, ways_to(engine, scope, area, choices, sites), codes)


def plan_basis(plan: Plan) -> dict[str, Any]:
    """What the plan assumes, and what came of it."""
    found = plan.found
    return {
        "assumptions": dict(assumptions(plan)),
        "result": {
            "sites": len(plan.sites),
            "cost_a_year": plan.cost,
            "newly_reached": found.reached_need,
            "proven_optimal": found.is_optimal,
            "gap": None if pd.isna(found.gap) else found.gap,
            "infeasible": found.infeasible or None,
        },
    }


def supposed_basis(
    engine: Engine, scope: Scope, area: Area, asked: Mapping[str, str]
) -> dict[str, Any]:
    """What a link supposes beside its plan, and which wards would lose cover by it; nothing where
    it supposes nothing."""
    what_if = what_if_of(engine, scope, area, asked)
    if not (what_if.closed or what_if.fte):
        return {}
    lost = supposed(engine, scope, area, what_if).wards.frame.query("loses_cover")
    return {
        "supposed": {
            "services_closed": list(what_if.closed),
            "fte_changes": dict(what_if.fte),
            "wards_losing_cover": lost["ward_code"].tolist(),
        }
    }


def plan_rows(plan: Plan) -> Released:
    """One row per chosen site, in order of what it adds, and one per ward of the area."""
    sites = plan.sites.assign(
        row="site", order=range(1, len(plan.sites) + 1), name=plan.sites["site_name"]
    ).rename(columns={"cost": "cost_a_year"})
    wards = plan.wards.frame.rename(
        columns={
            "ward_code": "code",
            "ward_name": "name",
            "need": "unmet_need",
            "lower": "lower_95",
            "upper": "upper_95",
            "site": "site_code",
        }
    ).assign(row="ward")
    frame = pd.concat(
        [rows.reindex(columns=list(COLUMNS)).astype(object) for rows in (sites, wards)],
        ignore_index=True,
    )
    return Released(frame, (), plan.wards.profile)


def plan_missing(row: Mapping[str, Any]) -> dict[str, str]:
    """Why each number that is not there is not there."""
    is_site = row["row"] == "site"
    other = "of wards" if is_site else "of sites"
    why = dict.fromkeys(_OF_WARDS if is_site else _OF_SITES, other)
    if is_site:
        why["cost_per_person"] = "it adds nobody"
    else:
        unknown = "need or provision not known"
        no_interval = unknown if row["state"] == UNKNOWN else "this measure is no estimate"
        why |= {
            "unmet_need": unknown,
            **dict.fromkeys(("lower_95", "upper_95"), no_interval),
            "imd_fifth": "no deprivation index for this ward's LSOAs",
            "site_code": {
                PROVIDED: "has all three components",
                UNKNOWN: unknown,
                NO_NEED: "no unmet need",
            }.get(row["state"], "no chosen site reaches it"),
            "lad_name": "no district",
        }
    return {column: reason for column, reason in why.items() if pd.isna(row[column])}
