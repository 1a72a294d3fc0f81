"""What newer files tell otherwise than older ones did, and when each return first came."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, Select, and_, false, func, or_, select, true

from queries import tables
from queries.database import reading
from queries.frames import moments, read_frame
from queries.scope import Scope
from queries.workforce import pcns_of

_LOAD, _PART = tables.load.c, tables.load_part.c
# Parameters of one question: SQLite takes some 32,000.
PARTS_AT_ONCE = 500


def corrected_referrals(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, since: datetime
) -> pd.DataFrame:
    """One row per network of the board and month whose referrals another file has told since: `was`
    and `now` (0 where the file has none), the file, and when it was loaded.

    True counts: to be released before anybody sees them.
    """
    fact = tables.referral_fact.c
    counted = select(
        fact.part_id,
        fact.pcn_code,
        fact.month,
        func.sum(fact.referrals).label("figure"),
    ).group_by(fact.part_id, fact.pcn_code, fact.month)
    mine = fact.pcn_code.in_(pcns_of(icb_code, as_at)) & (fact.month <= as_at)
    found = _corrected(engine, scope, icb_code, "referrals", since, counted.where(mine))
    # The return of a network and month that does not name it had none.
    return found.fillna({"was": 0.0, "now": 0.0})


def corrected_fte(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, since: datetime
) -> pd.DataFrame:
    """The same of FTE in post by census, which `month` names; missing where a file does not name the
    network: it did not return."""
    returned, worker = tables.workforce_return.c, tables.link_worker.c
    fte = (
        select(func.coalesce(func.sum(worker.fte), 0.0))
        .where(worker.part_id == returned.part_id, worker.pcn_code == returned.pcn_code)
        .scalar_subquery()
    )
    counted = select(
        returned.part_id, returned.pcn_code, _PART.period_end.label("month"), fte.label("figure")
    ).join(tables.load_part, _PART.id == returned.part_id)
    mine = (returned.icb_code == icb_code) & (_PART.period_end <= as_at)
    return _corrected(engine, scope, icb_code, "workforce", since, counted.where(mine))


def _corrected(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    dataset: str,
    since: datetime,
    counted: Select[Any],
) -> pd.DataFrame:
    allowed = true() if scope.admits(icb_code) else false()
    with reading(engine, scope) as connection:
        parts = _changed_parts(connection, dataset, since)
        then = _of_parts(connection, counted.where(allowed), parts["then_id"])
        now = _of_parts(connection, counted.where(allowed), parts["now_id"])
    key = ["part_key", "pcn_code", "month"]
    files = parts.set_index("part_key")
    keys = {**dict(zip(parts["then_id"], parts["part_key"], strict=True)),
            **dict(zip(parts["now_id"], parts["part_key"], strict=True))}  # fmt: skip
    for frame in (then, now):
        frame["part_key"] = frame["part_id"].map(keys)
    both = then.merge(now, on=key, how="outer", suffixes=("_was", "_now"))
    both = both.rename(columns={"figure_was": "was", "figure_now": "now"})
    both = both[both["was"].fillna(-1.0) != both["now"].fillna(-1.0)]
    both["file_name"] = both["part_key"].map(files["file_name"])
    both["loaded_at"] = both["part_key"].map(files["loaded_at"])
    columns = ["pcn_code", "month", "was", "now", "file_name", "loaded_at"]
    return both[columns].sort_values(["month", "pcn_code"], ignore_index=True)


def _changed_parts(connection: Connection, dataset: str, since: datetime) -> pd.DataFrame:
    """One row per area and period that had a part in force then, and another one now: then_id,
    now_id, part_key, and the file of now."""
    replacer = tables.load.alias("replacer")
    # A part that was undone names its own load.
    lasted = or_(
        _PART.replaced_by.is_(None),
        and_(replacer.c.id != _PART.load_id, replacer.c.loaded_at > since),
        and_(replacer.c.id == _PART.load_id, replacer.c.undone_at > since),
    )
    then = read_frame(
        connection,
        select(_PART.part_key, _PART.id.label("then_id"))
        .join(tables.load, _LOAD.id == _PART.load_id)
        .outerjoin(replacer, replacer.c.id == _PART.replaced_by)
        .where(_PART.dataset == dataset, _LOAD.loaded_at <= since, lasted)
        .order_by(_PART.load_id),
        {"part_key": "str", "then_id": "int64"},
    )
    now = read_frame(
        connection,
        select(_PART.part_key, _PART.id.label("now_id"), _LOAD.file_name, _LOAD.loaded_at)
        .join(tables.load, _LOAD.id == _PART.load_id)
        .where(_PART.dataset == dataset, _PART.replaced_by.is_(None)),
        {"part_key": "str", "now_id": "int64", "file_name": "str", "loaded_at": "object"},
    )
    # What an undo has put back was there before what it undid: of two the later was in force.
    both = then.drop_duplicates("part_key", keep="last").merge(now, on="part_key")
    both = moments(both, "loaded_at")
    return both[both["then_id"] != both["now_id"]].reset_index(drop=True)


def _of_parts(
    connection: Connection, counted: Select[Any], part_ids: Collection[int]
) -> pd.DataFrame:
    part_id = counted.selected_columns["part_id"]
    wanted = [int(each) for each in part_ids]
    frames = [
        read_frame(
            connection,
            counted.where(part_id.in_(wanted[start : start + PARTS_AT_ONCE])),
            {"part_id": "int64", "pcn_code": "str", "month": "object", "figure": "float64"},
        )
        # Also without any, for the columns.
        for start in range(0, len(wanted) or 1, PARTS_AT_ONCE)
    ]
    return pd.concat(frames, ignore_index=True)


def return_arrivals(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, first: date
) -> pd.DataFrame:
    """One row per dataset (workforce, referrals), network of the board and month from the first on
    of which a return is in force: when the first file of it came."""
    returned, fact = tables.workforce_return.c, tables.referral_fact.c
    allowed = true() if scope.admits(icb_code) else false()
    still = _PART.replaced_by.is_(None)
    staff = (
        select(
            _PART.dataset,
            returned.pcn_code,
            _PART.period_end.label("day"),
            func.min(_LOAD.loaded_at).label("arrived_at"),
        )
        .join(tables.load_part, _PART.id == returned.part_id)
        .join(tables.load, _LOAD.id == _PART.load_id)
        .where(
            allowed,
            _LOAD.undone_at.is_(None),
            returned.icb_code == icb_code,
            _PART.period_end >= first,
            _PART.period_end <= as_at,
        )
        .group_by(_PART.dataset, returned.pcn_code, _PART.period_end)
        .having(func.count().filter(still) > 0)
    )
    referred = (
        select(
            _PART.dataset,
            fact.pcn_code,
            fact.month,
            func.min(_LOAD.loaded_at),
        )
        .join(tables.load_part, _PART.id == fact.part_id)
        .join(tables.load, _LOAD.id == _PART.load_id)
        .where(
            allowed,
            _LOAD.undone_at.is_(None),
            fact.pcn_code.in_(pcns_of(icb_code, as_at)),
            fact.month >= first,
            _PART.period_end <= as_at,
        )
        .group_by(_PART.dataset, fact.pcn_code, fact.month)
        .having(func.count().filter(still) > 0)
    )
    with reading(engine, scope) as connection:
        rows = read_frame(
            connection,
            staff.union_all(referred),
            {"dataset": "str", "pcn_code": "str", "day": "object", "arrived_at": "object"},
        )
    rows["month"] = pd.Series([day.replace(day=1) for day in rows["day"]], rows.index, dtype=object)
    return moments(rows, "arrived_at").drop(columns="day")
