"""How sure a plan is: how often each site is chosen when what it assumes is otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard.site_plan import Plan

# What of the assumptions is another in a case.
AS_CHOSEN, REACH, NEED, MONEY, DRAWN = KINDS = (
    "as chosen", "other reach", "other need", "other budget", "need drawn again",
)  # fmt: skip


@dataclass(frozen=True)
class Sureness:
    """`sites`: one row per site that any case chose, those chosen always first: code, site_name,
    in_plan, `share` (0-1) of the cases that have a plan. `cases`: one row per case but the drawn
    ones: label, sites, reached, infeasible. `drawn` and `all_cases` count cases with a plan."""

    sites: pd.DataFrame
    cases: pd.DataFrame
    drawn: int
    all_cases: int


def sureness(plan: Plan, cases: Sequence[dict[str, Any]]) -> Sureness:
    """How often each site was chosen."""
    names = plan.candidates.set_index("code")["site_name"]
    planned = [case for case in cases if case["sites"]]
    chosen = pd.Series([code for case in planned for code in case["sites"]], dtype="str")
    counts = chosen.value_counts()
    sites = pd.DataFrame(
        {
            "code": counts.index,
            "site_name": [names[code] for code in counts.index],
            "in_plan": counts.index.isin(plan.sites["code"]),
            "share": counts.to_numpy() / max(len(planned), 1),
        }
    ).sort_values(["share", "in_plan", "code"], ascending=[False, False, True], ignore_index=True)
    rows = [
        {
            "label": case["label"],
            "sites": ", ".join(names[code] for code in case["sites"]),
            "reached": case["reached"],
            "infeasible": case["infeasible"],
        }
        for case in cases
        if case["kind"] != DRAWN
    ]
    drawn = sum(case["kind"] == DRAWN for case in planned)
    return Sureness(sites, pd.DataFrame(rows), drawn, len(planned))
