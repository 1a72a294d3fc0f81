"""Coverage in a pack: the map by provision status, and every ward."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Engine

from dashboard import coverage_words as words
from dashboard.coverage import REFERRALS
from dashboard.coverage_view import CoverageView, coverage_view
from dashboard.data import fetch_shared
from dashboard.maps import board_map
from dashboard.pack.brief_pdf import area_svg
from dashboard.pack.content import Chart, MapPicture, Page, Series, Value
from dashboard.pack_page import Asked, because, page, period_of, table, told
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import hidden_flag
from dashboard.style import STATUS_COLOURS, counted
from geodata.shapes import geometries_of
from queries import places
from queries.frames import each_row
from queries.scope import Scope

DATASETS = (
    "ward_boundaries", "lsoa_ward", "lsoa_icb", "ward_population", "deprivation", "practices",
    "registered_patients", "workforce", "scheme_areas", "services", "directory", "referrals",
)  # fmt: skip
TERMS = ("status", "route_in", "link_worker", "services", "fte_per_10k", REFERRALS, "take_up_ratio")
# Why a ward is blank never depends on its colour alone: the texture, and what the key calls it.
_TEXTURES = {
    Status.NO_RETURN: ("hatched", '<path d="M0,8 8,0" stroke="#425563" stroke-width="1.4"/>'),
    Status.HIDDEN: ("dotted", '<circle cx="4" cy="4" r="1.5" fill="#10181D"/>'),
}


def coverage_pages(engine: Engine, scope: Scope, asked: Asked) -> list[Page]:
    """Which wards have no social prescribing, and why we think so: the map, and how many there are
    of each status."""
    view = fetch_shared(coverage_view, scope, asked.choices.area)
    return [_wards(engine, scope, asked, view), _statuses(asked, view)]


def _wards(engine: Engine, scope: Scope, asked: Asked, view: CoverageView) -> Page:
    frame, basis = view.wards.frame, view.coverage.basis
    people = "adults" if basis.people == "adults" else "population"
    columns = {
        "Ward": None, "Locality": None, "Status": None, "Reason": None, basis.people.capitalize(): 0,
        "FTE per 10,000": 2, "Referrals, 12 months": 0, "Take-up ratio": 0, "Not known because": None,
    }  # fmt: skip
    rows = []
    for row in each_row(frame):
        is_hidden = getattr(row, hidden_flag(REFERRALS))
        count = getattr(row, REFERRALS)
        rows.append(
            (
                row.ward_name, told(row.lad_name), row.status, row.reason,
                told(getattr(row, people)), told(row.fte_per_10k),
                told(count, is_hidden=is_hidden), told(row.take_up_ratio, is_hidden=is_hidden),
                because(
                    "" if pd.notna(row.population) else "no population for this ward's code",
                    row.fte_reason,
                    (row.take_up_reason or basis.no_window) if pd.isna(count) and not is_hidden else "",
                ),
            )
        )  # fmt: skip
    return page(
        asked, "coverage", "Coverage", [*view.finding, *words.key_notes(view.wards, basis)],
        period=period_of(basis.census, basis.window), terms=TERMS, datasets=DATASETS,
        map=_map(engine, scope, asked, view),
        tables=[table("Wards, worst and most people first", columns, rows)],
    )  # fmt: skip


def _statuses(asked: Asked, view: CoverageView) -> Page:
    frame, basis = view.wards.frame, view.coverage.basis
    people = frame["adults" if basis.people == "adults" else "population"]
    rows: list[tuple[Value, ...]] = []
    for status in Status:
        mine = frame["status"] == status
        if mine.any():
            living = told(people[mine].sum(min_count=1))
            rows.append((status.value, int(mine.sum()), living, int(people[mine].isna().sum())))
    counts = {str(row[0]): int(row[1]) for row in rows}
    columns = {
        "Status": None,
        "Wards": 0,
        basis.people.capitalize(): 0,
        "Wards without a population": 0,
    }
    return page(
        asked, "coverage", "Wards by status", [_gaps(frame), *view.finding],
        period=period_of(basis.census, basis.window), terms=TERMS[:4], datasets=DATASETS,
        chart=Chart(
            "bars", "Wards by provision status", "wards", tuple(counts),
            (Series("Wards", tuple(float(number) for number in counts.values())),),
            f"Wards by provision status. {_in_words(counts)}.",
        ),
        tables=[table("Wards by provision status, worst first", columns, rows)],
    )  # fmt: skip


def _gaps(frame: pd.DataFrame) -> str:
    gaps = int(frame["status"].isin([status.value for status in Status if status.is_gap]).sum())
    unjudged = int((frame["status"] == Status.NO_RETURN).sum())
    return (
        f"{gaps:,} of {counted(len(frame), 'ward')} {'lacks' if gaps == 1 else 'lack'} a route in, a "
        f"link worker or something to refer to; {unjudged:,} could not be judged."
    )


def _in_words(counts: dict[str, int]) -> str:
    return "; ".join(f"{status}: {number:,}" for status, number in counts.items())


def _map(engine: Engine, scope: Scope, asked: Asked, view: CoverageView) -> MapPicture | None:
    """The chosen wards by status, those around them without a colour; `None` without a shape."""
    icb_code = asked.choices.icb_code
    shapes = places.shapes(engine, scope, icb_code)
    statuses = {row.ward_code: Status(row.status) for row in each_row(view.wards.frame)}
    if not shapes["ward_code"].isin(list(statuses)).any():
        return None
    geometries = dict(zip(shapes["ward_code"], geometries_of(shapes), strict=True))
    fills = {
        code: f"url(#{_TEXTURES[status][0]})" if status in _TEXTURES else STATUS_COLOURS[status]
        for code, status in statuses.items()
    }
    drawn = area_svg(geometries, fills, "", board_map(scope, icb_code).bounds_of(view.names))
    patterns = "".join(
        f'<pattern id="{name}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="{STATUS_COLOURS[status]}"/>{sign}</pattern>'
        for status, (name, sign) in _TEXTURES.items()
    )
    mine = list(statuses.values())
    counts = {status: number for status in Status if (number := mine.count(status))}
    told_as = {
        status: f"{status.value} ({_TEXTURES[status][0]})" if status in _TEXTURES else status.value
        for status in counts
    }
    return MapPicture(
        f"{drawn.removesuffix('</svg>')}<defs>{patterns}</defs></svg>",
        f"Map of {asked.choices.words}: {len(mine):,} wards by provision status. "
        f"{_in_words({told_as[status]: number for status, number in counts.items()})}. "
        "The table has every ward.",
        tuple((STATUS_COLOURS[status], told_as[status], number) for status, number in counts.items()),
    )  # fmt: skip
