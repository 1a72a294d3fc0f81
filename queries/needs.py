"""What an area needs besides deprivation, who leads it, and where support could be offered."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Engine, Float, Integer, and_, cast, func, or_, select

from queries import tables
from queries.database import reading
from queries.frames import read_frame
from queries.places import in_force, newest_lookup
from queries.scope import Scope

_WARD = tables.ward.c
# The deciles in which the need that an index measures is highest, where 10 is most.
HIGHEST_DECILES = (9, 10)


def ward_indices(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per ward of the board and index: the mean value and decile of its LSOAs, how many of
    those with a decile lie in the two highest, and how many of its LSOAs have one.

    LSOAs weigh alike. Whether high means much need is as the publisher of the index says.
    """
    index, lookup = tables.lsoa_index.c, tables.lsoa_ward.c
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                index.index_name,
                lookup.ward_code,
                func.avg(index.value).label("value"),
                func.avg(cast(index.decile, Float)).label("decile"),
                func.count(index.decile).label("with_decile"),
                func.sum(cast(index.decile.between(*HIGHEST_DECILES), Integer)).label("high"),
                func.count(index.value).label("lsoas_matched"),
            )
            .select_from(tables.lsoa_ward)
            .join(tables.ward, _WARD.ward_code == lookup.ward_code)
            .join(
                tables.lsoa_index,
                and_(index.lsoa_code == lookup.lsoa_code, in_force(index.part_id)),
            )
            .where(
                lookup.part_id.in_(newest_lookup("lsoa_ward")),
                _WARD.icb_code == icb_code,
                scope.within(_WARD.icb_code),
            )
            .group_by(index.index_name, lookup.ward_code)
            .order_by(index.index_name, lookup.ward_code),
            {
                "index_name": "str",
                "ward_code": "str",
                "value": "Float64",
                "decile": "Float64",
                "with_decile": "Int64",
                "high": "Int64",
                "lsoas_matched": "Int64",
            },
        )


def named_leads(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per locality of the board, post that leads it and spell, the newest spell first.

    A lead is of a district when the return names it by its code or, in whatever case, its name.
    """
    lead = tables.named_lead.c
    districts = (
        select(_WARD.lad_code, _WARD.lad_name)
        .where(_WARD.icb_code == icb_code, scope.within(_WARD.icb_code))
        .distinct()
        .subquery()
    )
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(
                districts.c.lad_code,
                lead.post_name,
                lead.profession,
                lead.valid_from,
                lead.valid_until,
            )
            .join(
                tables.named_lead,
                or_(
                    lead.locality == districts.c.lad_code,
                    func.lower(lead.locality) == func.lower(districts.c.lad_name),
                ),
            )
            .where(in_force(lead.part_id))
            .order_by(districts.c.lad_code, lead.valid_from.desc().nulls_last(), lead.post_name),
            {
                "lad_code": "str",
                "post_name": "str",
                "profession": "str",
                "valid_from": "object",
                "valid_until": "object",
            },
        )


def candidate_sites(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per place that the board considers: where it is (EPSG:4326), its cost in a year and
    for how many people it has room, missing where not told."""
    site = tables.candidate_site.c
    columns = {
        "site_id": "str",
        "site_name": "str",
        "longitude": "float64",
        "latitude": "float64",
        "cost_a_year": "Float64",
        "places_a_year": "Int64",
    }
    with reading(engine, scope) as connection:
        return read_frame(
            connection,
            select(*(site[name] for name in columns))
            .where(
                in_force(site.part_id),
                site.icb_code == icb_code,
                scope.within(site.icb_code),
            )
            .order_by(site.site_id),
            columns,
        )
