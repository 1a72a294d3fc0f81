"""Practices, their PCNs, and where their registered patients live."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Subquery,
    case,
    exists,
    func,
    select,
)

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


def newest_practices(as_at: date, among: Select[tuple[str]]) -> Subquery:
    """One row per practice of those `among`, in its newest extract at the date, with its list size
    (`patients`, missing where no list sizes are loaded)."""
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
        .where(
            sizes.practice_code.in_(among),
            _PART.replaced_by.is_(None),
            sizes.age_band == "all ages",
        )
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
        .where(_PRACTICE.practice_code.in_(among), _PART.replaced_by.is_(None))
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


def ever_of(icb_code: str) -> Select[tuple[str]]:
    """The practices that any extract names as the board's: few of all there are, so that what is asked
    of a board costs what the board is."""
    return select(_PRACTICE.practice_code).where(_PRACTICE.icb_code == icb_code)


def practice_places(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per practice of the board: its PCN, list size, and place in EPSG:27700."""
    practices = newest_practices(as_at, ever_of(icb_code))
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
    is_newest = exists().where(_PART.id == patients.part_id, *in_force, _PART.period_end == extract)
    # From the board's wards to its LSOAs to who is registered there, and from these practices to the whole
    # of their networks: never over all of England. One after the other, since SQLite would compare each
    # row of the first answer with each of the next.
    by_practice = (
        select(
            lookup.ward_code,
            patients.practice_code,
            func.sum(patients.patients).label("patients"),
        )
        .select_from(tables.ward)
        .join(tables.lsoa_ward, lookup.ward_code == _WARD.ward_code)
        .join(tables.registered_patients, patients.lsoa_code == lookup.lsoa_code)
        .where(
            _WARD.icb_code == icb_code,
            scope.within(_WARD.icb_code),
            lookup.part_id.in_(newest_lookup("lsoa_ward")),
            is_newest,
        )
        .group_by(lookup.ward_code, patients.practice_code)
    )
    with reading(engine, scope) as connection:
        here = read_frame(
            connection,
            by_practice,
            {"ward_code": "str", "practice_code": "str", "patients": "float64"},
        )
        theirs = _networks_of(connection, as_at, _PRACTICE.practice_code, here["practice_code"])
        members = _networks_of(connection, as_at, _PRACTICE.pcn_code, theirs["pcn_code"])
        whole = read_frame(
            connection,
            select(patients.practice_code, func.sum(patients.patients).label("pcn_patients"))
            .where(patients.practice_code.in_(members["practice_code"]), is_newest)
            .group_by(patients.practice_code),
            {"practice_code": "str", "pcn_patients": "float64"},
        )
    by_pcn = members.merge(whole, on="practice_code").groupby("pcn_code")["pcn_patients"].sum()
    keys = ["ward_code", "pcn_code"]
    # A network of two boards counts as the one that comes last by its code.
    served = here.merge(theirs, on="practice_code").sort_values([*keys, "icb_code"])
    answer = served.drop_duplicates(keys, keep="last")[[*keys, "icb_code"]]
    return (
        answer.merge(served.groupby(keys, as_index=False)["patients"].sum(), on=keys)
        .merge(by_pcn.reset_index(), on="pcn_code")
        .sort_values(keys, ignore_index=True)
    )


def _networks_of(
    connection: Connection, as_at: date, column: ColumnElement[str], codes: pd.Series[str]
) -> pd.DataFrame:
    """One row per practice that any extract names with one of these codes: its network and board in
    the newest at the date."""
    among = select(_PRACTICE.practice_code).where(column.in_(sorted(set(codes))))
    practices = newest_practices(as_at, among)
    columns = {"practice_code": "str", "pcn_code": "str", "icb_code": "str"}
    return read_frame(connection, select(*(practices.c[name] for name in columns)), columns)
