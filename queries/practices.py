"""Practices, their PCNs, and where their registered patients live."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import ColumnElement, Engine, Subquery, case, func, select

from queries import tables
from queries.database import reading
from queries.frames import read_frame
from queries.places import newest_lookup
from queries.scope import Scope

_PART, _PRACTICE, _WARD = tables.load_part.c, tables.practice.c, tables.ward.c


def _newest_first(as_at: date) -> tuple[ColumnElement[int], ColumnElement[date]]:
    # The newest extract at the date; before the first one, an extract taken later is the
    # best there is, and the page says its date.
    return case((_PART.period_end <= as_at, 0), else_=1), _PART.period_end.desc()


def newest_practices(as_at: date) -> Subquery:
    """One row per practice in its newest extract at the date, with its list size (`patients`,
    missing where no list sizes are loaded)."""
    sizes = tables.list_size.c
    size = (
        select(
            sizes.practice_code,
            sizes.patients,
            func.row_number()
            .over(partition_by=sizes.practice_code, order_by=_newest_first(as_at))
            .label("place"),
        )
        .join(tables.load_part, _PART.id == sizes.part_id)
        .where(_PART.replaced_by.is_(None), sizes.age_band == "all ages")
        .subquery()
    )
    practice = (
        select(
            _PRACTICE.practice_code,
            _PRACTICE.pcn_code,
            _PRACTICE.icb_code,
            _PRACTICE.easting,
            _PRACTICE.northing,
            func.row_number()
            .over(partition_by=_PRACTICE.practice_code, order_by=_newest_first(as_at))
            .label("place"),
        )
        .join(tables.load_part, _PART.id == _PRACTICE.part_id)
        .where(_PART.replaced_by.is_(None))
        .subquery()
    )
    return (
        select(
            practice.c.practice_code,
            practice.c.pcn_code,
            practice.c.icb_code,
            practice.c.easting,
            practice.c.northing,
            size.c.patients,
        )
        .outerjoin(size, (size.c.practice_code == practice.c.practice_code) & (size.c.place == 1))
        .where(practice.c.place == 1)
        .subquery()
    )


def practice_places(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per practice of the board: its PCN, list size, and place in EPSG:27700."""
    practices = newest_practices(as_at)
    columns = {
        "practice_code": "str",
        "pcn_code": "str",
        "patients": "Float64",
        "easting": "Float64",
        "northing": "Float64",
    }
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(*(practices.c[column] for column in columns))
            .where(practices.c.icb_code == icb_code, scope.within(practices.c.icb_code))
            .order_by(practices.c.practice_code),
            columns,
        )


def patients_by_ward_and_pcn(
    engine: Engine, scope: Scope, icb_code: str, as_at: date
) -> pd.DataFrame:
    """One row per ward of the board and PCN: registered patients who live in the ward, the
    PCN's whole list in the same file (`pcn_patients`), and the PCN's board (`icb_code`).

    Empty where registered patients by LSOA are not loaded. PCNs of other boards are there
    too: people register across borders.
    """
    practices = newest_practices(as_at)
    patients, lookup = tables.registered_patients.c, tables.lsoa_ward.c
    # One extract only: a practice that has closed since is in an older one.
    in_force = (_PART.dataset == "registered_patients", _PART.replaced_by.is_(None))
    extract = (
        select(_PART.period_end)
        .where(*in_force)
        .order_by(*_newest_first(as_at))
        .limit(1)
        .scalar_subquery()
    )
    newest = select(_PART.id).where(*in_force, _PART.period_end == extract)
    by_pcn = (
        select(practices.c.pcn_code, func.sum(patients.patients).label("pcn_patients"))
        .select_from(tables.registered_patients)
        .join(practices, practices.c.practice_code == patients.practice_code)
        .where(patients.part_id.in_(newest))
        .group_by(practices.c.pcn_code)
        .subquery()
    )
    by_ward = (
        select(
            lookup.ward_code,
            practices.c.pcn_code,
            func.max(practices.c.icb_code).label("icb_code"),
            func.sum(patients.patients).label("patients"),
        )
        .select_from(tables.registered_patients)
        .join(practices, practices.c.practice_code == patients.practice_code)
        .join(tables.lsoa_ward, lookup.lsoa_code == patients.lsoa_code)
        .join(tables.ward, _WARD.ward_code == lookup.ward_code)
        .where(
            patients.part_id.in_(newest),
            lookup.part_id.in_(newest_lookup("lsoa_ward")),
            _WARD.icb_code == icb_code,
            scope.within(_WARD.icb_code),
        )
        .group_by(lookup.ward_code, practices.c.pcn_code)
        .subquery()
    )
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                by_ward.c.ward_code,
                by_ward.c.pcn_code,
                by_ward.c.icb_code,
                by_ward.c.patients,
                by_pcn.c.pcn_patients,
            )
            .join(by_pcn, by_pcn.c.pcn_code == by_ward.c.pcn_code)
            .order_by(by_ward.c.ward_code, by_ward.c.pcn_code),
            {
                "ward_code": "str",
                "pcn_code": "str",
                "icb_code": "str",
                "patients": "float64",
                "pcn_patients": "float64",
            },
        )
