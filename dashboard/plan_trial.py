"""A plan tried under other assumptions: the cases, worked out apart from the page."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine

from dashboard import long_work
from dashboard.data import fetch_shared
from dashboard.filters import Area
from dashboard.long_work import Status
from dashboard.rules.unmet_need import resampled
from dashboard.site_plan import Plan, PlanChoices, as_payload, site_problem, ways_to
from dashboard.site_plan_view import need_of, plan_view
from dashboard.site_plan_words import pounds
from dashboard.style import counted
from dashboard.sureness import AS_CHOSEN, DRAWN, MONEY, NEED, REACH
from dashboard.unmet_need import EXPECTED, MEASURES, SERVED
from geodata.site_problem import Goal, SiteProblem
from queries.scope import Scope

TASK = "site_plans"
DRAWS = 40
REACHES = (0.5, 0.75, 1.25, 1.5)
BUDGETS = (0.8, 1.2)


def request(engine: Engine, scope: Scope, area: Area, choices: PlanChoices) -> dict[str, Any]:
    """The cases of a plan as plain values: as chosen; at half to one and a half times the reach; by
    the other measures of need; with a fifth less and more money, or one site less and more; and 40
    times with need drawn from its interval."""
    view = fetch_shared(plan_view, scope, area, choices)
    plan = view.plan
    wide = _wide(engine, scope, area, plan)
    cases: list[dict[str, Any]] = [{"label": "As chosen", "kind": AS_CHOSEN}]
    if plan.problem.goal in (Goal.REACH, Goal.FEWEST):
        cases += [
            {
                "label": f"Reach {_far(plan.problem.reach * times, plan.ways.unit)}",
                "kind": REACH,
                "reach": plan.problem.reach * times,
            }
            for times in REACHES
        ]
    for measure, title in MEASURES.items():
        if measure != choices.need:
            other = fetch_shared(need_of, scope, area, measure, choices.theme)
            codes = set(plan.wards.frame["ward_code"])
            problem = site_problem(other, choices, plan.candidates, plan.ways, codes)
            known = problem.need.reindex(plan.problem.need.index).fillna(0.0)
            cases.append({"label": title, "kind": NEED, "need": known.to_dict()})
    if plan.problem.budget is not None:
        cases += [
            {
                "label": f"Budget {pounds(plan.problem.budget * times)}",
                "kind": MONEY,
                "budget": plan.problem.budget * times,
            }
            for times in BUDGETS
        ]
    elif plan.problem.sites_wanted is not None and plan.problem.goal is not Goal.FEWEST:
        wanted = plan.problem.sites_wanted
        cases += [
            {"label": counted(n, "site"), "kind": MONEY, "sites_wanted": n}
            for n in (wanted - 1, wanted + 1)
            if n > 0
        ]
    if choices.need in (EXPECTED, SERVED):
        frame = plan.need.wards.frame.set_index("ward_code").loc[plan.problem.need.index]
        drawn = resampled(frame.rename(columns={"need": "unmet"}), DRAWS)
        cases += [
            {
                "label": f"Need drawn again, {n} of {DRAWS}",
                "kind": DRAWN,
                "need": dict(zip(frame.index, row.tolist(), strict=True)),
            }
            for n, row in enumerate(drawn * plan.need.theme_share, start=1)
        ]
    return {"problem": as_payload(wide), "cases": cases}


def _far(reach: float, unit: str) -> str:
    return f"{reach / 1_000:g} km" if unit == "m" else f"{reach:g} minutes"


def _wide(engine: Engine, scope: Scope, area: Area, plan: Plan) -> SiteProblem:
    """The problem with the ways of the widest reach that is tried."""
    if plan.problem.goal not in (Goal.REACH, Goal.FEWEST):
        return plan.problem
    widest = plan.problem.reach * max(REACHES)
    choices = replace(plan.choices, reach=str(widest / 1_000 if plan.ways.unit == "m" else widest))
    ways = ways_to(engine, scope, area, choices, plan.candidates)
    return replace(plan.problem, costs=ways.costs)


def key_of(payload: dict[str, Any]) -> str:
    """The name of a calculation: the same for the same cases."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def begin(payload: dict[str, Any]) -> None:
    """Try the cases in a process of its own."""
    long_work.start(key_of(payload), TASK, payload)


def state(key: str) -> Status:
    """How far it is."""
    return long_work.status(key)
