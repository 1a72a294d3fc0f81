"""What can be searched for by a code or a name that is not, or not any more, on a page."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Engine,
    func,
    literal,
    null,
    select,
    union,
)

from queries import tables
from queries.database import reading
from queries.frames import read_frame
from queries.places import in_force, name_of, newest_lookup
from queries.practices import ever_of, newest_practices
from queries.scope import Scope

_AREA, _WARD, _LOOKUP, _PEOPLE, _PRACTICE = (
    tables.area.c,
    tables.ward.c,
    tables.lsoa_ward.c,
    tables.ward_population.c,
    tables.practice.c,
)
# What stands for the network of a practice that is in none.
_UNALLOCATED = "U"


def _mine(scope: Scope, icb_code: str) -> ColumnElement[bool]:
    return (_WARD.icb_code == icb_code) & scope.within(_WARD.icb_code)


def old_wards(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per ward code that is in use no more in a district of the board: its newest name
    (missing where only a lookup or a population has it) and district."""
    districts = select(_WARD.lad_code).where(_mine(scope, icb_code))
    in_use = select(_WARD.ward_code)
    found = union(
        select(
            _AREA.area_code.label("ward_code"),
            _AREA.area_name.label("ward_name"),
            _AREA.parent_code.label("lad_code"),
            func.coalesce(_AREA.vintage, 0).label("vintage"),
        ).where(
            _AREA.kind == "ward",
            in_force(_AREA.part_id),
            _AREA.parent_code.in_(districts),
            _AREA.area_code.not_in(in_use),
        ),
        *(
            select(rows.ward_code, null(), rows.lad_code, literal(0)).where(
                in_force(rows.part_id),
                rows.lad_code.in_(districts),
                rows.ward_code.not_in(in_use),
            )
            for rows in (_LOOKUP, _PEOPLE)
        ),
    ).subquery()
    columns = {"ward_code": "str", "ward_name": "str", "lad_code": "str"}
    with reading(engine, scope) as connection:
        rows = read_frame(
            connection,
            select(*(found.c[column] for column in columns)).order_by(
                found.c.ward_code, found.c.vintage.desc()
            ),
            columns,
        )
    return rows.drop_duplicates("ward_code", ignore_index=True)


def old_ward_lsoas(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per ward code in use no more and ward of the board in which LSOAs of it lie now:
    `lsoas` of its `old_lsoas`, by the lookups of older vintages that are in force."""
    old = (
        select(_LOOKUP.ward_code.label("old_code"), _LOOKUP.lsoa_code)
        .where(
            in_force(_LOOKUP.part_id),
            _LOOKUP.ward_code.not_in(select(_WARD.ward_code)),
            _LOOKUP.lad_code.in_(select(_WARD.lad_code).where(_mine(scope, icb_code))),
        )
        .distinct()
        .subquery()
    )
    total = (
        select(old.c.old_code, func.count().label("old_lsoas")).group_by(old.c.old_code).subquery()
    )
    lsoas = func.count(func.distinct(old.c.lsoa_code)).label("lsoas")
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(old.c.old_code, _LOOKUP.ward_code, lsoas, total.c.old_lsoas)
            .join(total, total.c.old_code == old.c.old_code)
            .join(tables.lsoa_ward, _LOOKUP.lsoa_code == old.c.lsoa_code)
            .join(tables.ward, _WARD.ward_code == _LOOKUP.ward_code)
            .where(_LOOKUP.part_id.in_(newest_lookup("lsoa_ward")), _mine(scope, icb_code))
            .group_by(old.c.old_code, _LOOKUP.ward_code, total.c.old_lsoas)
            .order_by(old.c.old_code, lsoas.desc(), _LOOKUP.ward_code),
            {"old_code": "str", "ward_code": "str", "lsoas": "int64", "old_lsoas": "int64"},
        )


def network_names(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per network of the board and name that any file has for it, replaced ones too."""
    mine = _networks(scope, icb_code)
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(_AREA.area_code.label("pcn_code"), _AREA.area_name.label("pcn_name"))
            .where(_AREA.kind == "pcn", _AREA.area_code.in_(mine))
            .distinct()
            .order_by(_AREA.area_code, _AREA.area_name),
            {"pcn_code": "str", "pcn_name": "str"},
        )


def practices_then(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per practice and network of the board it was ever in, by any extract."""
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(_PRACTICE.practice_code, _PRACTICE.pcn_code)
            .where(
                _PRACTICE.icb_code == icb_code,
                _PRACTICE.pcn_code != _UNALLOCATED,
                scope.within(_PRACTICE.icb_code),
            )
            .distinct()
            .order_by(_PRACTICE.practice_code, _PRACTICE.pcn_code),
            {"practice_code": "str", "pcn_code": "str"},
        )


def practices_now(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per practice of the board in its newest extract at the date: name and network."""
    practices = newest_practices(as_at, ever_of(icb_code))
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                practices.c.practice_code,
                name_of("practice", practices.c.practice_code).label("practice_name"),
                practices.c.pcn_code,
            )
            .where(practices.c.icb_code == icb_code, scope.within(practices.c.icb_code))
            .order_by(practices.c.practice_code),
            {"practice_code": "str", "practice_name": "str", "pcn_code": "str"},
        )


def _networks(scope: Scope, icb_code: str) -> CompoundSelect[tuple[str]]:
    """The codes of every network that ever had a practice, or returned its workforce, here."""
    returned = tables.workforce_return.c
    return union(
        *(
            select(rows.pcn_code).where(
                rows.icb_code == icb_code,
                rows.pcn_code != _UNALLOCATED,
                scope.within(rows.icb_code),
            )
            for rows in (_PRACTICE, returned)
        )
    )
