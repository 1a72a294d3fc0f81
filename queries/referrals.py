"""Referrals received, from the facts built when a return loads; never from its rows."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import Engine, case, false, func, literal, select, true

from queries import tables
from queries.database import reading
from queries.frames import read_frame
from queries.places import in_force
from queries.scope import Scope
from queries.workforce import pcns_of

_FACT, _AGE, _EPISODE, _NEED, _WARD, _PART = (
    tables.referral_fact.c,
    tables.referral_age_fact.c,
    tables.referral_episode_fact.c,
    tables.referral_need_fact.c,
    tables.ward.c,
    tables.load_part.c,
)


def referrals_by_ward(
    engine: Engine, scope: Scope, icb_code: str, first: date, last: date
) -> pd.DataFrame:
    """One row per ward of the board that has any: referrals in the months from first to last.

    A ward that is not there had none or was not returned: `returned_months` tells which.
    """
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(_FACT.ward_code, func.sum(_FACT.referrals).label("referrals"))
            .join(tables.ward, _WARD.ward_code == _FACT.ward_code)
            .where(
                in_force(_FACT.part_id),
                _FACT.month.between(first, last),
                _WARD.icb_code == icb_code,
                scope.within(_WARD.icb_code),
            )
            .group_by(_FACT.ward_code),
            {"ward_code": "str", "referrals": "Int64"},
        )


def referrals_by_ward_and_age(
    engine: Engine, scope: Scope, icb_code: str, first: date, last: date
) -> pd.DataFrame:
    """One row per ward of the board and age band (missing where not told): referrals."""
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(_AGE.ward_code, _AGE.age_band, func.sum(_AGE.referrals).label("referrals"))
            .join(tables.ward, _WARD.ward_code == _AGE.ward_code)
            .where(
                in_force(_AGE.part_id),
                _AGE.month.between(first, last),
                _WARD.icb_code == icb_code,
                scope.within(_WARD.icb_code),
            )
            .group_by(_AGE.ward_code, _AGE.age_band),
            {"ward_code": "str", "age_band": "str", "referrals": "Int64"},
        )


def returned_months(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per PCN in the board's referral returns: the first and the newest month told, and
    how many referrals.

    `pcn_code` is missing for rows that do not say a PCN. Months not over at the date are
    left out.
    """
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                _FACT.pcn_code,
                func.min(_FACT.month).label("first_month"),
                func.max(_FACT.month).label("newest_month"),
                func.sum(_FACT.referrals).label("referrals"),
            )
            .join(tables.load_part, _PART.id == _FACT.part_id)
            .join(tables.ward, _WARD.ward_code == _FACT.ward_code)
            .where(
                _PART.replaced_by.is_(None),
                _PART.period_end <= as_at,
                _WARD.icb_code == icb_code,
                scope.within(_WARD.icb_code),
            )
            .group_by(_FACT.pcn_code)
            .order_by(_FACT.pcn_code),
            {
                "pcn_code": "str",
                "first_month": "object",
                "newest_month": "object",
                "referrals": "Int64",
            },
        )


def referrals_by_month(
    engine: Engine, scope: Scope, icb_code: str, ward_code: str, first: date, last: date
) -> pd.DataFrame:
    """One row per month in which the ward of the board had a referral: how many."""
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(_FACT.month, func.sum(_FACT.referrals).label("referrals"))
            .join(tables.ward, _WARD.ward_code == _FACT.ward_code)
            .where(
                in_force(_FACT.part_id),
                _FACT.month.between(first, last),
                _WARD.ward_code == ward_code,
                _WARD.icb_code == icb_code,
                scope.within(_WARD.icb_code),
            )
            .group_by(_FACT.month)
            .order_by(_FACT.month),
            {"month": "object", "referrals": "Int64"},
        )


def referrals_by_pcn_and_month(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, first: date, last: date
) -> pd.DataFrame:
    """One row per PCN of the board at the date and month that has any: referrals received,
    wherever the people live."""
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(_FACT.pcn_code, _FACT.month, func.sum(_FACT.referrals).label("referrals"))
            .where(
                in_force(_FACT.part_id),
                _FACT.month.between(first, last),
                _FACT.pcn_code.in_(pcns_of(icb_code, as_at)),
                true() if scope.admits(icb_code) else false(),
            )
            .group_by(_FACT.pcn_code, _FACT.month)
            .order_by(_FACT.pcn_code, _FACT.month),
            {"pcn_code": "str", "month": "object", "referrals": "Int64"},
        )


def episodes_by_pcn_and_month(
    engine: Engine, scope: Scope, icb_code: str, as_at: date
) -> pd.DataFrame:
    """One row per PCN of the board and month: referrals received, and referrals that ended.

    What is open at a month's end is the sum of those received less the sum of those ended, up
    to that month. Months after the date are left out.
    """
    began = select(
        _EPISODE.pcn_code,
        _EPISODE.month,
        _EPISODE.referrals.label("began"),
        literal(0).label("ended"),
    ).where(in_force(_EPISODE.part_id), _EPISODE.month <= as_at)
    # One that ended before it was received, by a slip, was never open.
    last = case((_EPISODE.ended_month < _EPISODE.month, _EPISODE.month), else_=_EPISODE.ended_month)
    ended = select(
        _EPISODE.pcn_code,
        last.label("month"),
        literal(0).label("began"),
        _EPISODE.referrals.label("ended"),
    ).where(in_force(_EPISODE.part_id), last <= as_at)
    flows = began.union_all(ended).subquery()
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                flows.c.pcn_code,
                flows.c.month,
                func.sum(flows.c.began).label("began"),
                func.sum(flows.c.ended).label("ended"),
            )
            .where(
                flows.c.pcn_code.in_(pcns_of(icb_code, as_at)),
                true() if scope.admits(icb_code) else false(),
            )
            .group_by(flows.c.pcn_code, flows.c.month)
            .order_by(flows.c.pcn_code, flows.c.month),
            {"pcn_code": "str", "month": "object", "began": "Int64", "ended": "Int64"},
        )


def first_month(engine: Engine, scope: Scope, icb_code: str) -> date | None:
    """The first month returned for any ward of the board; `None` when none is."""
    with reading(engine, scope) as connection:
        first: date | None = connection.scalar(
            select(func.min(_FACT.month))
            .join(tables.ward, _WARD.ward_code == _FACT.ward_code)
            .where(
                in_force(_FACT.part_id),
                _WARD.icb_code == icb_code,
                scope.within(_WARD.icb_code),
            )
        )
    return first


def referrals_by_ward_and_theme(
    engine: Engine, scope: Scope, icb_code: str, first: date, last: date
) -> pd.DataFrame:
    """One row per ward of the board and need theme (missing where no reason was said): referrals
    in the months from first to last, and those of them that were closed for lack of a service.

    A referral for two needs counts in both.
    """
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                _NEED.ward_code,
                _NEED.theme,
                func.sum(_NEED.referrals).label("referrals"),
                func.sum(_NEED.without_service).label("without_service"),
            )
            .join(tables.ward, _WARD.ward_code == _NEED.ward_code)
            .where(
                in_force(_NEED.part_id),
                _NEED.month.between(first, last),
                _WARD.icb_code == icb_code,
                scope.within(_WARD.icb_code),
            )
            .group_by(_NEED.ward_code, _NEED.theme)
            .order_by(_NEED.ward_code, _NEED.theme),
            {
                "ward_code": "str",
                "theme": "str",
                "referrals": "Int64",
                "without_service": "Int64",
            },
        )
