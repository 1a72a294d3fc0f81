"""Link workers: FTE and people by PCN, from the published workforce returns."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import Engine, Select, Subquery, case, false, func, select, true

from queries import tables
from queries.database import reading
from queries.frames import read_frame
from queries.places import name_of
from queries.practices import ever_of, newest_practices
from queries.scope import Scope

_PART, _WORKER, _RETURN = tables.load_part.c, tables.link_worker.c, tables.workforce_return.c


def census_date(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> date | None:
    """The newest census of the board's workforce at the date; `None` before the first."""
    with reading(engine, scope) as connection:
        found: date | None = connection.scalar(
            _newest_census(icb_code, as_at).where(scope.within(_RETURN.icb_code))
        )
    return found


def _newest_census(icb_code: str, as_at: date) -> Select[date]:
    return (
        select(func.max(_PART.period_end))
        .join(tables.workforce_return, _RETURN.part_id == _PART.id)
        .where(_PART.replaced_by.is_(None), _PART.period_end <= as_at, _RETURN.icb_code == icb_code)
    )


def fte_by_pcn(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per PCN of the board: its list, whether it returned, and its link workers.

    `fte` is 0 for a PCN that returned its workforce without a link worker, and missing for
    one that did not return. `headcount` counts people of directly employed staff once in a
    PCN. `registered_patients` is missing where no list sizes are loaded.
    """
    census = census_date(engine, scope, icb_code, as_at)
    returned = _returned(icb_code, census)
    members = _members(icb_code, as_at)
    codes = select(members.c.pcn_code).union(select(returned.c.pcn_code)).subquery()
    name = name_of("pcn", codes.c.pcn_code).label("pcn_name")
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                codes.c.pcn_code,
                name,
                members.c.practices,
                members.c.registered_patients,
                returned.c.staff_rows,
                returned.c.fte_own_staff,
                returned.c.fte_contracted,
                (returned.c.fte_own_staff + returned.c.fte_contracted).label("fte"),
                returned.c.headcount,
            )
            .select_from(codes)
            .outerjoin(members, members.c.pcn_code == codes.c.pcn_code)
            .outerjoin(returned, returned.c.pcn_code == codes.c.pcn_code)
            .where(codes.c.pcn_code != "U", true() if scope.admits(icb_code) else false())
            .order_by(name, codes.c.pcn_code),
            {
                "pcn_code": "str",
                "pcn_name": "str",
                "practices": "Int64",
                "registered_patients": "Int64",
                "staff_rows": "Int64",
                "fte_own_staff": "Float64",
                "fte_contracted": "Float64",
                "fte": "Float64",
                "headcount": "Int64",
            },
        )


def people_in_post(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> int | None:
    """Link workers of the board as people: one who works in two PCNs counts once.

    `None` where no workforce was returned by the date.
    """
    census = census_date(engine, scope, icb_code, as_at)
    if census is None:
        return None
    with reading(engine, scope) as connection:
        people = connection.scalar(
            select(func.count(_WORKER.person_id.distinct()))
            .join(tables.load_part, _PART.id == _WORKER.part_id)
            .where(
                _PART.replaced_by.is_(None),
                _PART.period_end == census,
                _WORKER.icb_code == icb_code,
            )
        )
    return int(people or 0)


def fte_by_pcn_and_month(
    engine: Engine, scope: Scope, icb_code: str, first: date, as_at: date
) -> pd.DataFrame:
    """One row per PCN and census from `first` to the date: the link workers it returned.

    PCNs of the board's own returns (`icb_code` says whose a return was), and those that are
    the board's at the date and sent with another board before: without them a network that
    moved would look newly staffed. A PCN that did not return has no row.
    """
    members = _members(icb_code, as_at)
    own = func.sum(case((_WORKER.is_contracted.is_(False), _WORKER.fte), else_=0.0))
    total = func.sum(_WORKER.fte)
    workers = (
        select(_WORKER.part_id, _WORKER.pcn_code, own.label("own"), total.label("total"))
        .group_by(_WORKER.part_id, _WORKER.pcn_code)
        .subquery()
    )
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                _RETURN.pcn_code,
                _PART.period_end.label("census"),
                _RETURN.icb_code,
                func.coalesce(workers.c.own, 0.0).label("fte_own_staff"),
                func.coalesce(workers.c.total, 0.0).label("fte"),
            )
            .join(tables.load_part, _PART.id == _RETURN.part_id)
            .outerjoin(
                workers,
                (workers.c.part_id == _RETURN.part_id) & (workers.c.pcn_code == _RETURN.pcn_code),
            )
            .where(
                _PART.replaced_by.is_(None),
                _PART.period_end.between(first, as_at),
                _RETURN.pcn_code != "U",
                (_RETURN.icb_code == icb_code) | _RETURN.pcn_code.in_(select(members.c.pcn_code)),
                true() if scope.admits(icb_code) else false(),
            )
            .order_by(_PART.period_end, _RETURN.pcn_code),
            {
                "pcn_code": "str",
                "census": "object",
                "icb_code": "str",
                "fte_own_staff": "float64",
                "fte": "float64",
            },
        )


def people_by_pcn_and_month(
    engine: Engine, scope: Scope, icb_code: str, first: date, as_at: date
) -> pd.DataFrame:
    """One row per census, PCN and link worker of directly employed staff of the board."""
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(_PART.period_end.label("census"), _WORKER.pcn_code, _WORKER.person_id)
            .join(tables.load_part, _PART.id == _WORKER.part_id)
            .where(
                _PART.replaced_by.is_(None),
                _PART.period_end.between(first, as_at),
                _WORKER.person_id.is_not(None),
                _WORKER.icb_code == icb_code,
                scope.within(_WORKER.icb_code),
            )
            .distinct()
            .order_by(_PART.period_end, _WORKER.pcn_code, _WORKER.person_id),
            {"census": "object", "pcn_code": "str", "person_id": "str"},
        )


def roles_in_post(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per PCN, role title and kind of employment at the newest census: entries, FTE."""
    census = census_date(engine, scope, icb_code, as_at)
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                _WORKER.pcn_code,
                _WORKER.role_title,
                _WORKER.is_contracted,
                func.count().label("entries"),
                func.sum(_WORKER.fte).label("fte"),
            )
            .join(tables.load_part, _PART.id == _WORKER.part_id)
            .where(
                _PART.replaced_by.is_(None),
                _PART.period_end == census,
                _WORKER.icb_code == icb_code,
                scope.within(_WORKER.icb_code),
            )
            .group_by(_WORKER.pcn_code, _WORKER.role_title, _WORKER.is_contracted)
            .order_by(_WORKER.pcn_code, _WORKER.role_title, _WORKER.is_contracted),
            {
                "pcn_code": "str",
                "role_title": "str",
                "is_contracted": "bool",
                "entries": "int64",
                "fte": "float64",
            },
        )


def pcns_of(icb_code: str, as_at: date) -> Select[tuple[str]]:
    """The PCNs of a board at the date: those of its practices, and those in its returns."""
    members = _members(icb_code, as_at)
    returned = (
        select(_RETURN.pcn_code)
        .join(tables.load_part, _PART.id == _RETURN.part_id)
        .where(
            _PART.replaced_by.is_(None),
            _PART.period_end == _newest_census(icb_code, as_at).scalar_subquery(),
            _RETURN.icb_code == icb_code,
        )
    )
    found = select(members.c.pcn_code).union(returned).subquery()
    return select(found.c.pcn_code).where(found.c.pcn_code != "U")


def _returned(icb_code: str, census: date | None) -> Subquery:
    """One row per PCN that returned any staff at the census, with its link workers' FTE."""
    own = case((_WORKER.is_contracted.is_(False), _WORKER.fte), else_=0.0)
    contracted = case((_WORKER.is_contracted.is_(True), _WORKER.fte), else_=0.0)
    at_census = _PART.replaced_by.is_(None), _PART.period_end == census
    returns = (
        select(_RETURN.part_id)
        .join(tables.load_part, _PART.id == _RETURN.part_id)
        .where(*at_census, _RETURN.icb_code == icb_code)
    )
    workers = (
        select(
            _WORKER.part_id,
            _WORKER.pcn_code,
            func.sum(own).label("own"),
            func.sum(contracted).label("contracted"),
            func.count(_WORKER.person_id.distinct()).label("people"),
        )
        .where(_WORKER.part_id.in_(returns))
        .group_by(_WORKER.part_id, _WORKER.pcn_code)
        .subquery()
    )
    return (
        select(
            _RETURN.pcn_code,
            _RETURN.staff_rows,
            func.coalesce(workers.c.own, 0.0).label("fte_own_staff"),
            func.coalesce(workers.c.contracted, 0.0).label("fte_contracted"),
            func.coalesce(workers.c.people, 0).label("headcount"),
        )
        .join(tables.load_part, _PART.id == _RETURN.part_id)
        .outerjoin(
            workers,
            (workers.c.part_id == _RETURN.part_id) & (workers.c.pcn_code == _RETURN.pcn_code),
        )
        .where(*at_census, _RETURN.icb_code == icb_code)
        .subquery()
    )


def _members(icb_code: str, as_at: date) -> Subquery:
    """One row per PCN the practices belong to, unallocated ones ("U") included."""
    practices = newest_practices(as_at, ever_of(icb_code))
    return (
        select(
            practices.c.pcn_code,
            func.count().label("practices"),
            func.sum(practices.c.patients).label("registered_patients"),
        )
        .where(practices.c.icb_code == icb_code)
        .group_by(practices.c.pcn_code)
        .subquery()
    )


def unallocated_patients(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> int:
    """Registered patients of the board's practices that belong to no PCN."""
    members = _members(icb_code, as_at)
    if not scope.admits(icb_code):
        return 0
    with reading(engine, scope) as connection:
        patients = connection.scalar(
            select(members.c.registered_patients).where(members.c.pcn_code == "U")
        )
    return int(patients or 0)
