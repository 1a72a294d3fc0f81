"""The same plan under other assumptions: many choices of sites, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isnan
from typing import Any

import pandas as pd

from dashboard.site_plan import from_payload
from geodata.site_selection import select_sites

SECONDS_EACH = 60.0


def site_plans(payload: dict[str, Any], tell: Callable[[int, int, str], None]) -> dict[str, Any]:
    """The chosen sites of each case: `{"cases": [{"label", "kind", "sites", "reached",
    "gap", "infeasible"}]}`.

    `payload`: `problem` as `dashboard.site_plan.as_payload` makes it, and `cases`, each with a
    `label`, a `kind`, and what of the problem is another: need, reach, budget, sites_wanted. Within
    `gap` of the best is enough where one is given.
    """
    base, cases, found = from_payload(payload["problem"]), payload["cases"], []
    for place, case in enumerate(cases):
        tell(place, len(cases), case["label"])
        changes = {name: case[name] for name in ("reach", "budget", "sites_wanted") if name in case}
        if "need" in case:
            changes["need"] = pd.Series(case["need"], dtype="float64")
        problem = replace(base, **changes)
        plan = select_sites(problem, time_limit_seconds=SECONDS_EACH, gap=payload.get("gap", 0.0))
        found.append(
            {
                "label": case["label"],
                "kind": case["kind"],
                "sites": plan.sites["code"].tolist(),
                "reached": plan.reached_need,
                # No number where there is no plan: JSON knows none.
                "gap": None if isnan(plan.gap) else plan.gap,
                "infeasible": plan.infeasible,
            }
        )
    return {"cases": found}
