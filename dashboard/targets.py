"""Targets and plans set on the screen: written as a load like any file's, so that they have a
history and can be undone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import Engine

from dashboard.access import reader
from dashboard.intake.recruitment_plan import financial_year
from dashboard.rules.take_up import month_end
from queries import loads, posts, workforce
from queries.load import CleanLoad, LoadRecord, save
from queries.scope import Scope

# More than this is no target for one network, but a slip of the finger.
MOST_FTE = 50


class NotSetError(ValueError):
    """What was asked for cannot be set, and why."""


def set_target(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    pcn_code: str,
    target_fte: float | None,
    valid_from: date,
    valid_until: date | None,
    reason: str,
    user: str,
) -> LoadRecord:
    """Give a PCN a target from a date; `None` takes away whatever it had from that date on.

    Earlier targets stay, and end the day before. `NotSetError` for one that ends before it
    begins or is no number of FTE; `AlreadyLoadedError` when exactly this is in force.
    """
    if target_fte is not None and not 0 < target_fte <= MOST_FTE:
        raise NotSetError(
            f"expected a target above 0 and up to {MOST_FTE} FTE, found {target_fte:g}"
        )
    if valid_until is not None and valid_until < valid_from:
        raise NotSetError("the target would end before it begins: choose a later end")
    _refuse_foreign(engine, scope, icb_code, as_at, pcn_code)
    before = posts.local_targets(engine, scope, icb_code, as_at)
    rows = before[(before["pcn_code"] == pcn_code) & (before["valid_from"] < valid_from)].copy()
    eve = valid_from - timedelta(days=1)
    ends = [min(end, eve) if pd.notna(end) else eve for end in rows["valid_until"]]
    rows["valid_until"] = pd.Series(ends, rows.index, dtype=object)
    if target_fte is not None:
        new = (pcn_code, float(target_fte), valid_from, valid_until, reason.strip() or None)
        rows.loc[len(before)] = list(new)
    return _save(engine, "targets", "local_target", rows, pcn_code, user)


def set_plan(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    pcn_code: str,
    april: date,
    planned: Mapping[date, float],
    user: str,
) -> LoadRecord:
    """Plan the FTE of a PCN for months (their first days) of the financial year that begins in
    `april`; what was planned for its other months is no longer planned.
    """
    _refuse_foreign(engine, scope, icb_code, as_at, pcn_code)
    year = financial_year(april)
    if any(financial_year(month) != year for month in planned):
        raise NotSetError(f"expected months of {year}")
    if any(not 0 <= fte <= MOST_FTE for fte in planned.values()):
        raise NotSetError(f"expected plans from 0 to {MOST_FTE} FTE")
    rows = pd.DataFrame(
        {"pcn_code": pcn_code, "month": list(planned), "planned_fte": list(planned.values())}
    )
    months = [*planned] or [april]
    period = (min(months), month_end(max(months)))
    table = "recruitment_plan"
    return _save(engine, table, table, rows, f"{year} {pcn_code}", user, period)


def _refuse_foreign(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, pcn_code: str
) -> None:
    """`NotSetError` for a PCN that is not of the board, or not to be seen."""
    if pcn_code not in set(workforce.fte_by_pcn(engine, scope, icb_code, as_at)["pcn_code"]):
        raise NotSetError("this network was not found in the board")


def _save(
    engine: Engine,
    dataset: str,
    table: str,
    rows: pd.DataFrame,
    part_key: str,
    user: str,
    period: tuple[date | None, date | None] = (None, None),
) -> LoadRecord:
    written = f"{dataset} {part_key} {rows.to_csv(index=False)}"
    parts = pd.DataFrame(
        {"part_key": [part_key], "period_start": [period[0]], "period_end": [period[1]]}
    )
    clean = CleanLoad(
        dataset=dataset,
        file_name="set on the page Workforce",
        sha256=hashlib.sha256(written.encode()).hexdigest(),
        rows_read=len(rows),
        parts=parts,
        rows={table: rows.assign(part_key=part_key)},
    )
    # Beside the demonstration, what is set belongs to it: it must not make way for one target.
    simulated = loads.data_state(engine).is_demonstration
    return save(
        engine,
        clean,
        is_demonstration=simulated,
        loaded_by=user,
        person_id=reader().person_id,
    )
