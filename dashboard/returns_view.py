"""The grids of the Data page: which dataset, and which PCN's return, is there for which month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Engine

from dashboard.intake import DATASETS
from dashboard.own_networks import LEFT_OUT, own_rows
from dashboard.rules.returns import EXPECTED, ReturnState, judge_return, months_between, months_to
from dashboard.settings import settings
from dashboard.style import day
from queries import history, places, workforce
from queries.frames import each_row
from queries.loads import LOCAL_RETURNS
from queries.scope import Scope

MONTHS_SHOWN = 13
WRONG = {ReturnState.LATE, ReturnState.MISSING, ReturnState.NEVER}
# The two returns that every PCN makes each month.
PCN_RETURNS = {"workforce": "Workforce, published", "referrals": "Referrals, local return"}


@dataclass(frozen=True)
class Grid:
    """One row per dataset or PCN, its state in each month; `counts` where parts are counted."""

    months: Sequence[date]
    rows: Sequence[tuple[str, Sequence[tuple[ReturnState, str]]]]

    def count(self, state: ReturnState) -> int:
        """How many cells have this state."""
        return sum(found == state for _, cells in self.rows for found, _ in cells)


def dataset_grid(engine: Engine, scope: Scope, as_at: date) -> Grid:
    """One row per dataset that comes month by month; a received month says how many parts.

    Of local returns only for who may see every board: one part is told of by its name and size.
    A query by its signature, as those below.
    """
    periods = history.periods_in_force(engine, scope)
    months = months_to(as_at, MONTHS_SHOWN)
    titles = {dataset.name: dataset.title for dataset in DATASETS}
    rows = []
    for name in EXPECTED:
        if scope.icb_codes is not None and name in LOCAL_RETURNS:
            # Not "never loaded": that would be said of what is there and is not shown.
            continue
        mine = periods[(periods["dataset"] == name) & periods["period_end"].notna()]
        parts: Counter[date] = Counter()
        for row in each_row(mine):
            for month in months_between(row.period_start, row.period_end):
                parts[month] += row.parts
        late = settings().late_months
        cells = [
            (
                judge_return(name, month, parts.keys(), as_at, late),
                f"{parts[month]:,}" if parts[month] else "",
            )
            for month in months
        ]
        rows.append((titles[name], cells))
    return Grid(months, rows)


def finding(grid: Grid) -> str:
    """How many months are late or missing, and what was never loaded, in a sentence or two."""
    late, missing = grid.count(ReturnState.LATE), grid.count(ReturnState.MISSING)
    words = f"Of the files that come each month: **{late}** late, **{missing}** missing."
    never = [
        name for name, cells in grid.rows if {state for state, _ in cells} == {ReturnState.NEVER}
    ]
    return words + (f" Never loaded: {'; '.join(never)}." if never else "")


def pcn_grid(engine: Engine, scope: Scope, icb_code: str, as_at: date, dataset: str) -> Grid:
    """One row per PCN of the board that is shown in detail, by name: whether its return of each month
    is there."""
    months = months_to(as_at, MONTHS_SHOWN)
    pcns = own_rows(scope, icb_code, workforce.fte_by_pcn(engine, scope, icb_code, as_at))
    returned = history.pcn_returns(engine, scope, icb_code, months[0])
    late = settings().late_months
    rows = []
    for pcn in each_row(pcns):
        mine = returned[(returned["dataset"] == dataset) & (returned["pcn_code"] == pcn.pcn_code)]
        received = set(mine["month"])
        name = pcn.pcn_code if pd.isna(pcn.pcn_name) else f"{pcn.pcn_name} ({pcn.pcn_code})"
        states = [judge_return(dataset, month, received, as_at, late) for month in months]
        rows.append((name, [(state, "") for state in states]))
    # Where something is wrong comes first.
    rows.sort(key=lambda row: (-sum(state in WRONG for state, _ in row[1]), row[0]))
    return Grid(months, rows)


def not_shown(scope: Scope, icb_code: str) -> str:
    """That networks of the board are left out of a list, and where they are; "" where none is."""
    return "" if scope.networks_of(icb_code) is None else LEFT_OUT


def without_months(engine: Engine, scope: Scope) -> list[list[str]]:
    """One row per dataset that does not come month by month: parts in force, newest load."""
    periods = history.periods_in_force(engine, scope)
    rows = []
    for dataset in DATASETS:
        if dataset.name in EXPECTED:
            continue
        mine = periods[periods["dataset"] == dataset.name]
        parts = f"{mine['parts'].sum():,} {dataset.parts}" if len(mine) else "nothing loaded"
        loaded = day(mine["loaded_at"].max().date()) if len(mine) else "–"
        rows.append([dataset.title, parts, loaded])
    return rows


def unmatched_wards(engine: Engine, scope: Scope, icb_code: str) -> list[list[str]]:
    """One row per district of the board in which a ward in use has no population: how many
    have one, and the codes of those that have none. Codes are joined, never names."""
    wards = places.wards(engine, scope, icb_code)
    known = set(places.population(engine, scope, icb_code)["ward_code"])
    rows = []
    for (code, name), mine in wards.groupby(["lad_code", "lad_name"]):
        without = sorted(set(mine["ward_code"]) - known)
        if without:
            matched = f"{len(mine) - len(without)} of {len(mine)}"
            rows.append([f"{name} ({code})", matched, ", ".join(without)])
    return rows
