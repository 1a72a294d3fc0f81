"""Link-worker posts, recruitment plans and local targets: what boards and networks return."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import Engine, false, func, select, true

from queries import tables
from queries.database import reading
from queries.frames import moments, read_frame
from queries.places import in_force
from queries.scope import Scope
from queries.workforce import pcns_of

_POST, _PLAN, _TARGET = tables.post.c, tables.recruitment_plan.c, tables.local_target.c
_PART, _LOAD = tables.load_part.c, tables.load.c


def posts(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per post and spell of the PCNs of the board at the date, those to come included.

    A PCN without a row returned no posts. `since` and `until` are missing where not told.
    """
    columns = {
        "post_id": "str",
        "pcn_code": "str",
        "role_title": "str",
        "employer_type": "str",
        "funded_fte": "Float64",
        "status": "str",
        "since": "object",
        "until": "object",
        "supervised_by": "str",
        "last_supervision_on": "object",
    }
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(*(_POST[column] for column in columns))
            .where(
                in_force(_POST.part_id),
                _POST.pcn_code.in_(pcns_of(icb_code, as_at)),
                true() if scope.admits(icb_code) else false(),
            )
            .order_by(_POST.pcn_code, _POST.post_id, _POST.since.nulls_first()),
            columns,
        )


def planned_fte(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per PCN of the board at the date and month: the FTE planned for its end."""
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(_PLAN.pcn_code, _PLAN.month, _PLAN.planned_fte)
            .where(
                in_force(_PLAN.part_id),
                _PLAN.pcn_code.in_(pcns_of(icb_code, as_at)),
                true() if scope.admits(icb_code) else false(),
            )
            .order_by(_PLAN.pcn_code, _PLAN.month),
            {"pcn_code": "str", "month": "object", "planned_fte": "float64"},
        )


def local_targets(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per PCN of the board at the date and spell: the FTE it is to have."""
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                _TARGET.pcn_code,
                _TARGET.target_fte,
                _TARGET.valid_from,
                _TARGET.valid_until,
                _TARGET.reason,
            )
            .where(
                in_force(_TARGET.part_id),
                _TARGET.pcn_code.in_(pcns_of(icb_code, as_at)),
                true() if scope.admits(icb_code) else false(),
            )
            .order_by(_TARGET.pcn_code, _TARGET.valid_from),
            {
                "pcn_code": "str",
                "target_fte": "float64",
                "valid_from": "object",
                "valid_until": "object",
                "reason": "str",
            },
        )


def target_history(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, pcn_code: str
) -> pd.DataFrame:
    """One row per target of one PCN that was ever in force, the newest first: who set it, when.

    `is_in_force` is false for what a later change, or an undo, has replaced.
    """
    with reading(engine, scope) as connection:
        frame = read_frame(
            connection,
            select(
                _LOAD.loaded_at,
                _LOAD.loaded_by,
                _LOAD.file_name,
                _TARGET.target_fte,
                _TARGET.valid_from,
                _TARGET.valid_until,
                _TARGET.reason,
                _PART.replaced_by.is_(None).label("is_in_force"),
            )
            .join(tables.load_part, _PART.id == _TARGET.part_id)
            .join(tables.load, _LOAD.id == _PART.load_id)
            .where(
                _TARGET.pcn_code == pcn_code,
                _TARGET.pcn_code.in_(pcns_of(icb_code, as_at)),
                true() if scope.admits(icb_code) else false(),
            )
            .order_by(_LOAD.id.desc(), _TARGET.valid_from),
            {
                "loaded_at": "object",
                "loaded_by": "str",
                "file_name": "str",
                "target_fte": "float64",
                "valid_from": "object",
                "valid_until": "object",
                "reason": "str",
                "is_in_force": "bool",
            },
        )
    return moments(frame, "loaded_at")


def budgets_in_place(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per month and group of entitlement of the board up to the date: personal health
    budgets in place, missing where the return hides them."""
    budget = tables.personal_health_budget.c
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                budget.period_end, budget.entitlement, func.sum(budget.in_place).label("in_place")
            )
            .where(
                in_force(budget.part_id),
                budget.icb_code == icb_code,
                budget.period_end <= as_at,
                scope.within(budget.icb_code),
            )
            .group_by(budget.period_end, budget.entitlement)
            .order_by(budget.period_end, budget.entitlement),
            {"period_end": "object", "entitlement": "str", "in_place": "Int64"},
        )
