"""Places: which wards are in use, their districts and boards, and their shapes."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    ScalarSelect,
    Select,
    String,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    select,
)

from queries import tables
from queries.database import reading
from queries.frames import read_frame
from queries.scope import Scope

_AREA, _PART, _WARD = tables.area.c, tables.load_part.c, tables.ward.c


def in_force(part_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the part of a row counts today: no later file has replaced it.

    Asked of each row that is read: a list of all the parts there are would cost every question the
    same, however little it asks for.
    """
    part = tables.load_part.alias()
    return exists().where(part.c.id == part_id, part.c.replaced_by.is_(None))


def newest_lookup(dataset: str) -> Select[tuple[int]]:
    """The parts of a lookup that count: for each area the newest vintage in force.

    Lookups of two vintages stand side by side, and both together would count an LSOA twice.
    Their part keys are the two vintages and the area: "2021 2024 E07000114".
    """
    ranked = (
        select(
            _PART.id,
            func.row_number()
            .over(partition_by=func.substr(_PART.part_key, 11), order_by=_PART.part_key.desc())
            .label("place"),
        )
        .where(_PART.dataset == dataset, _PART.replaced_by.is_(None))
        .subquery()
    )
    return select(ranked.c.id).where(ranked.c.place == 1)


def rebuild_wards(connection: Connection) -> None:
    """Decide anew which wards are in use: those of the newest vintage of each district.

    A ward belongs to the board where most of its LSOAs lie; one without an LSOA of its own
    (20 of the City of London's 25, for instance) to that of most of its district's LSOAs.
    """
    shaped = read_frame(
        connection,
        select(
            _AREA.area_code.label("ward_code"),
            _AREA.area_name.label("ward_name"),
            _AREA.vintage,
            _AREA.parent_code.label("lad_code"),
        ).where(_AREA.kind == "ward", in_force(_AREA.part_id)),
        {"ward_code": "str", "ward_name": "str", "vintage": "int64", "lad_code": "str"},
    )
    lads = read_frame(
        connection,
        select(_AREA.area_code.label("lad_code"), func.max(_AREA.area_name).label("lad_name"))
        .where(_AREA.kind == "lad", in_force(_AREA.part_id))
        .group_by(_AREA.area_code),
        {"lad_code": "str", "lad_name": "str"},
    )
    lsoas = read_frame(
        connection,
        select(
            tables.lsoa_ward.c.lsoa_code,
            tables.lsoa_ward.c.ward_code,
            tables.lsoa_ward.c.lad_code,
            tables.lsoa_icb.c.icb_code,
        )
        .select_from(tables.lsoa_ward)
        .outerjoin(
            tables.lsoa_icb,
            and_(
                tables.lsoa_icb.c.lsoa_code == tables.lsoa_ward.c.lsoa_code,
                tables.lsoa_icb.c.part_id.in_(newest_lookup("lsoa_icb")),
            ),
        )
        .where(tables.lsoa_ward.c.part_id.in_(newest_lookup("lsoa_ward"))),
        {"lsoa_code": "str", "ward_code": "str", "lad_code": "str", "icb_code": "str"},
    )
    # Boundaries of 2013 do not name the district: they are one group of their own.
    newest = shaped.groupby(shaped["lad_code"].fillna(""))["vintage"].transform("max")
    wards = shaped[shaped["vintage"] == newest].drop_duplicates("ward_code")
    by_ward, by_lad = (
        lsoas.dropna(subset="icb_code").groupby(key)["icb_code"].agg(_most_common)
        for key in ("ward_code", "lad_code")
    )
    wards = wards.merge(lads, on="lad_code", how="left").assign(
        icb_code=lambda w: w["ward_code"].map(by_ward).fillna(w["lad_code"].map(by_lad)),
        lsoas=lambda w: w["ward_code"].map(lsoas.groupby("ward_code")["lsoa_code"].nunique()),
    )
    wards["lsoas"] = wards["lsoas"].fillna(0).astype(int)
    connection.execute(delete(tables.ward))
    if len(wards):
        rows: list[Any] = wards.astype(object).where(wards.notna(), None).to_dict("records")
        connection.execute(insert(tables.ward), rows)


def _most_common(codes: pd.Series[str]) -> str:
    # Of equals the first by code: the same answer on every machine.
    return str(codes.mode().iloc[0])


def boards(engine: Engine, scope: Scope) -> pd.DataFrame:
    """One row per board that has wards: icb_code, icb_name, wards; most wards first."""
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                _WARD.icb_code,
                name_of("icb", _WARD.icb_code).label("icb_name"),
                func.count().label("wards"),
            )
            .where(_WARD.icb_code.is_not(None), scope.within(_WARD.icb_code))
            .group_by(_WARD.icb_code)
            .order_by(func.count().desc(), _WARD.icb_code),
            {"icb_code": "str", "icb_name": "str", "wards": "int64"},
        )


def wards(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per ward of the board in use: its names, district, vintage and LSOAs."""
    columns = {
        "ward_code": "str",
        "ward_name": "str",
        "vintage": "int64",
        "lad_code": "str",
        "lad_name": "str",
        "lsoas": "int64",
    }
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(*(_WARD[column] for column in columns))
            .where(_WARD.icb_code == icb_code, scope.within(_WARD.icb_code))
            .order_by(_WARD.lad_name, _WARD.ward_name, _WARD.ward_code),
            columns,
        )


def shapes(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per ward of the board that has a boundary: its shape as WKB in EPSG:4326."""
    boundary = tables.boundary.c
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(boundary.ward_code, boundary.geometry)
            .join(tables.ward, _WARD.ward_code == boundary.ward_code)
            .join(tables.load_part, _PART.id == boundary.part_id)
            .where(
                _PART.replaced_by.is_(None),
                # The same code may stand in two vintages: the one in use is drawn.
                _PART.part_key.startswith(cast(_WARD.vintage, String)),
                _WARD.icb_code == icb_code,
                scope.within(_WARD.icb_code),
            )
            .order_by(boundary.ward_code),
            {"ward_code": "str", "geometry": "object"},
        )


def population(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per ward of the board and age band: residents, from the newest population.

    Wards whose code is in no population are not there: `vintage` says whose codes it has.
    """
    people, loads = tables.ward_population.c, tables.load.c
    mine = select(_WARD.ward_code).where(_WARD.icb_code == icb_code, scope.within(_WARD.icb_code))
    newest = (
        select(
            people.ward_code,
            people.age_band,
            people.people,
            loads.vintage,
            func.row_number()
            .over(partition_by=(people.ward_code, people.age_band), order_by=_PART.part_key.desc())
            .label("place"),
        )
        .join(tables.load_part, _PART.id == people.part_id)
        .join(tables.load, loads.id == _PART.load_id)
        .where(people.ward_code.in_(mine), _PART.replaced_by.is_(None))
        .subquery()
    )
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(newest.c.ward_code, newest.c.age_band, newest.c.people, newest.c.vintage).where(
                newest.c.place == 1
            ),
            {"ward_code": "str", "age_band": "str", "people": "int64", "vintage": "str"},
        )


def population_vintages(engine: Engine) -> list[str]:
    """The vintages of ward codes for which a population is loaded, oldest first."""
    loads = tables.load.c
    with engine.connect() as connection:
        return sorted(
            connection.scalars(
                select(loads.vintage)
                .join(tables.load_part, _PART.load_id == loads.id)
                .where(loads.dataset == "ward_population", _PART.replaced_by.is_(None))
                .distinct()
            )
        )


def ward_deprivation(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per ward of the board: the mean national rank of its LSOAs in the newest index.

    1 is most deprived. LSOAs weigh by the registered patients who live there where that is
    known for every one of them, else alike. `lsoas_matched` of `lsoas` have a rank: an index on
    LSOAs of another census does not match all.
    """
    ranks, lookup, patients = tables.deprivation.c, tables.lsoa_ward.c, tables.registered_patients.c
    mine = (
        select(lookup.lsoa_code)
        .join(tables.ward, _WARD.ward_code == lookup.ward_code)
        .where(_WARD.icb_code == icb_code)
    )
    newest = (
        select(
            ranks.lsoa_code,
            ranks.imd_rank,
            func.substr(_PART.part_key, 1, 4).label("index_year"),
            func.row_number()
            .over(partition_by=ranks.lsoa_code, order_by=_PART.part_key.desc())
            .label("place"),
        )
        .join(tables.load_part, _PART.id == ranks.part_id)
        .where(ranks.lsoa_code.in_(mine), _PART.replaced_by.is_(None))
        .subquery()
    )
    extract = (
        select(_PART.id)
        .where(_PART.dataset == "registered_patients", _PART.replaced_by.is_(None))
        .order_by(_PART.period_end.desc())
        .limit(1)
        .scalar_subquery()
    )
    residents = (
        select(patients.lsoa_code, func.sum(patients.patients).label("patients"))
        .where(patients.lsoa_code.in_(mine), patients.part_id == extract)
        .group_by(patients.lsoa_code)
        .subquery()
    )
    with reading(engine, scope) as connection:
        lsoas = read_frame(
            connection,
            select(
                lookup.ward_code,
                newest.c.imd_rank,
                newest.c.index_year,
                residents.c.patients,
            )
            .select_from(tables.lsoa_ward)
            .join(tables.ward, _WARD.ward_code == lookup.ward_code)
            .outerjoin(newest, and_(newest.c.lsoa_code == lookup.lsoa_code, newest.c.place == 1))
            .outerjoin(residents, residents.c.lsoa_code == lookup.lsoa_code)
            .where(
                lookup.part_id.in_(newest_lookup("lsoa_ward")),
                _WARD.icb_code == icb_code,
                scope.within(_WARD.icb_code),
            ),
            {"ward_code": "str", "imd_rank": "Float64", "index_year": "str", "patients": "Float64"},
        )
    weight = lsoas["patients"]
    if weight.isna().any():
        weight = weight.mask(weight.notna(), 1.0).fillna(1.0)
    weight = weight.mask(lsoas["imd_rank"].isna(), 0.0)
    wards = lsoas.assign(weight=weight, weighted=lsoas["imd_rank"].fillna(0.0) * weight).groupby(
        "ward_code"
    )
    answer = wards.agg(
        lsoas=("imd_rank", "size"),
        lsoas_matched=("imd_rank", "count"),
        index_year=("index_year", "max"),
        weight=("weight", "sum"),
        weighted=("weighted", "sum"),
    ).reset_index()
    answer["imd_rank"] = (answer["weighted"] / answer["weight"].mask(answer["weight"] == 0)).astype(
        "Float64"
    )
    return answer[["ward_code", "imd_rank", "index_year", "lsoas", "lsoas_matched"]]


def name_of(kind: str, code: ColumnElement[str]) -> ScalarSelect[str]:
    """A name that the area of a kind with this code goes by, from any file in force."""
    area = tables.area.alias()
    return (
        select(func.max(area.c.area_name))
        .where(area.c.kind == kind, area.c.area_code == code, in_force(area.c.part_id))
        .scalar_subquery()
    )
