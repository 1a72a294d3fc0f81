"""The same plan under other assumptions: many choices of sites, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from dashboard.site_plan import from_payload, without_idle
from geodata.site_selection import select_sites

SECONDS_EACH = 20.0


def site_plans(payload: dict[str, Any], tell: Callable[[int, int, str], None]) -> dict[str, Any]:
    """The chosen sites of each case: `{"cases": [{"label", "kind", "sites", "reached",
    "infeasible"}]}`.

    `payload`: `problem` as `dashboard.site_plan.as_payload` makes it, and `cases`, each with a
    `label`, a `kind`, and what of the problem is another: need, reach, budget, sites_wanted.
    """
    base, cases, found = from_payload(payload["problem"]), payload["cases"], []
    for place, case in enumerate(cases):
        tell(place, len(cases), case["label"])
        changes = {name: case[name] for name in ("reach", "budget", "sites_wanted") if name in case}
        if "need" in case:
            changes["need"] = pd.Series(case["need"], dtype="float64")
        problem = replace(base, **changes)
        plan = without_idle(select_sites(problem, time_limit_seconds=SECONDS_EACH), problem)
        found.append(
            {
                "label": case["label"],
                "kind": case["kind"],
                "sites": plan.sites["code"].tolist(),
                "reached": plan.reached_need,
                "infeasible": plan.infeasible,
            }
        )
    return {"cases": found}
