"""What the parts of the Providers page say: the matrix, capacity, weeks and the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard import providers_words as words
from dashboard.charts.area_map import AreaGroup, PointGroup
from dashboard.control_words import icons, limits_words
from dashboard.filters import Choices
from dashboard.gaps import REFERRED, WITHOUT
from dashboard.providers import WEEKLY, online_or_wide
from dashboard.providers_view import ProvidersView, WeekView
from dashboard.rules.disclosure import Released, hidden_flag
from dashboard.rules.freshness import COUNTING
from dashboard.rules.gaps import Cell
from dashboard.show import Explanation
from dashboard.style import MISSING, count, counted, day, month, number
from queries.frames import each_row

Table = tuple[list[str], list[list[str]]]
MEASURES = {name: title for name, (_, title, _) in WEEKLY.items()}
NOT_ALIKE = (
    "No service told its figures in each of these weeks: a total would change with who tells. Choose "
    "fewer months at the left."
)
NO_WEEKS = (
    "No weekly return of capacity is loaded for these services: the template is on the page Data."
)
BESIDE = "They serve people wherever they live, so they have no point of their own here."
# Names in a list beside the map; the list of services has all.
MOST_NAMES = 12
# Rows of a table that is read, not searched.
MOST_ROWS = 60
MOST_IN_BOX = 1_000
ABOUT_MATRIX = Explanation(
    "Each ward by each need: whether a service for that need serves the ward, has room, or is only "
    "area-wide, and how many people were referred for it. A walking group is no help with debt.",
    "It shows which service is missing where, before anybody is sent to nothing.",
    [
        "A service that names no need is in no column: entries of directories name none.",
        "Free places are those of the ward's own services; a service for several wards shares them.",
        "People referred for two needs are in two columns.",
    ],
)
ABOUT_MAP = Explanation(
    "Where services are given, and which wards they serve: the wards of the picked service have a "
    "line around them.",
    "A point in a ward is not yet a service for that ward: it may serve others.",
    ["Places from postcodes are good to about 100 metres.",
     "Addresses of offices are drawn like places of service: directories do not tell them apart."],
)  # fmt: skip


def counted_states(cells: Released) -> Mapping[str, int]:
    """How many cells are in each state."""
    return {str(state): int(n) for state, n in cells.frame["state"].value_counts().items()}


def matrix_notes(view: ProvidersView) -> list[str]:
    """Source, period and disclosure profile of the matrix."""
    gaps = view.gaps
    period = (
        f"Referrals {month(gaps.window[0])} to {month(gaps.window[1])}."
        if gaps.window
        else f"Referrals: {gaps.no_window}."
    )
    without = int(view.listed.frame["themes"].isna().sum())
    unsaid = (
        f" Without a need, and so in no column: {counted(without, 'service')}." if without else ""
    )
    return [
        f"Services returns and directories; stale entries count as the switch at the left says.{unsaid}",
        period,
        f"Small numbers: {view.cells.profile.words}.",
    ]


def cell_title(view: ProvidersView, ward_code: str, theme: str) -> str:
    """'Loneliness in Abbey, Northam'."""
    return f"{theme.capitalize() if theme else 'Every need'} in {view.names[ward_code]}"


def cell_finding(view: ProvidersView, ward_code: str, theme: str) -> list[str]:
    """The state of a cell and the people referred; of every need, which are not met."""
    mine = view.cells.frame[view.cells.frame["ward_code"] == ward_code]
    if not theme and (mine["state"] == Cell.NO_RETURN).all():
        return ["**No return**: nobody has said which needs are met here."]
    if not theme:
        by_state = {
            cell: mine.loc[mine["state"] == cell.value, "theme"].tolist()
            for cell in (Cell.NONE, Cell.STALE, Cell.FULL, Cell.AREA_WIDE)
        }
        told = [
            f"**{words.LOOKS[cell.value].words.capitalize()}**: {', '.join(themes)}."
            for cell, themes in by_state.items()
            if themes
        ]
        if not told:
            return ["Every need is met in the ward."]
        return told
    row = next(iter(each_row(mine[mine["theme"] == theme])))
    said = [f"**{words.LOOKS[row.state].words.capitalize()}**"]
    if row.own:
        said.append(f"{row.own:,} of the ward's own, {row.own_full:,} of them full")
        if pd.notna(row.free_places):
            said.append(f"{row.free_places:,} free places in the next 4 weeks")
    if row.wide:
        said.append(f"{row.wide:,} area-wide or online")
    if row.stale:
        said.append(f"{row.stale:,} not confirmed in time")
    return [f"{'; '.join(said)}.", _referred_words(row)]


def _referred_words(row: Any) -> str:
    if pd.isna(row.referred) and not getattr(row, hidden_flag(REFERRED)):
        return "People referred: no return."
    referred, without = (
        "hidden" if getattr(row, hidden_flag(name)) else count(getattr(row, name))
        for name in (REFERRED, WITHOUT)
    )
    return (
        f"People referred for it in 12 months: **{referred}**; closed for lack of a service: "
        f"{without}."
    )


def nothing_near(theme: str) -> str:
    """What is missing in the ward."""
    return (
        f"No open service for {theme} serves the ward." if theme else "No open service serves it."
    )


def near_table(near: pd.DataFrame) -> Table:
    """The services of a ward: what, who, how near, with what room, and how sure."""
    rows = [
        [
            row.service_name,
            row.provider,
            MISSING if pd.isna(row.themes) else row.themes,
            row.way,
            words.room_words(row),
            number(row.free_places),
            confirmed_words(row),
            day(None if pd.isna(row.funding_ends) else row.funding_ends),
            words.safeguarding_words(row.has_safeguarding),
        ]
        for row in each_row(near)
    ]
    headings = ["Service", "Provider", "For", "Serves", "Room", "Free places", "Confirmed",
                "Funding ends", "Safeguarding"]  # fmt: skip
    return headings, rows


def confirmed_words(row: Any) -> str:
    """'1 May 2026', with 'stale' where it is."""
    if pd.isna(row.confirmed_on):
        return "never"
    return day(row.confirmed_on) + ("" if row.freshness in COUNTING else ", stale")


def service_names(services: pd.DataFrame, fitting: pd.Series[bool], picked: str) -> dict[str, str]:
    """Those that fit for a select box, by name, and the picked one; the provider tells namesakes
    apart. A box of more than MOST_IN_BOX would hold up the page: the list has every one."""
    ordered = services[fitting].sort_values(["service_name", "provider", "service_key"])
    ordered = ordered.head(MOST_IN_BOX)
    if picked not in set(ordered["service_key"]):
        ordered = pd.concat([ordered, services[services["service_key"] == picked]])
    names = ordered["service_name"] + ", " + ordered["provider"]
    return dict(zip(ordered["service_key"], names, strict=True))


def nothing_fits(choices: Choices) -> str:
    """Which choices leave no service, and how to clear them."""
    area = choices.pcn_name or choices.lad_name or choices.icb_name
    return f"No service of {area} is all that is asked for. Choose Any in one of the boxes above."


# --- capacity -----------------------------------------------------------------------------------


def capacity_notes(view: ProvidersView, by: str) -> list[str]:
    """What the table rests on."""
    overlap = {
        "theme": "A service for two needs stands in both.",
        "locality": "A service for two localities stands in both; area-wide ones in none.",
        "ward": "A service for several wards stands in each; area-wide ones in none.",
    }.get(by, "")
    return [
        "Places of the next 4 weeks, as services returned them last; who said nothing counts as "
        "nothing known.",
        overlap,
        f"People waiting: {view.listed.profile.words}; added up from shown numbers.",
    ]


def week_finding(trend: WeekView, measure: str) -> list[str]:
    """The last week, what its icon says, and whose weeks they are."""
    assert trend.chart is not None
    last = trend.chart.points[-1]
    first = f"**{number(last.value)}** {MEASURES[measure].lower()} in the week of {day(last.date)}."
    judged = "" if trend.chart.variation else f" {trend.chart.words}"
    return [first + judged, *_who_told(trend)]


def _who_told(trend: WeekView) -> list[str]:
    found = trend.found
    if found.judged == found.told:
        return []
    return [
        f"Like for like: of {counted(found.judged, 'service')} that told every week; "
        f"{counted(found.told - found.judged, 'other')} told some."
    ]


def week_icons(trend: WeekView) -> list[tuple[str, str, str]]:
    """The icons of the weekly chart."""
    return icons(trend.chart) if trend.chart else []


def week_notes(trend: WeekView) -> list[str]:
    """Mean and limits, the source, and how many weeks are hidden."""
    assert trend.chart is not None
    hidden = int(trend.found.weeks.frame[hidden_flag("value")].sum())
    left_out = f"Hidden and left out: {counted(hidden, 'week')}." if hidden else ""
    return [
        limits_words(trend.chart, None),
        "Weekly returns of capacity, to the rules of Making Data Count.",
        left_out,
    ]


def week_table(trend: WeekView, measure: str) -> Table:
    """The weeks as a table, newest first."""
    assert trend.chart is not None
    judged = {point.date: trend.chart.colour_words(point.colour) for point in trend.chart.points}
    rows = [
        [
            day(row.week),
            count(row.value, is_hidden=getattr(row, hidden_flag("value"))),
            judged.get(row.week, "hidden"),
        ]
        for row in each_row(trend.found.weeks.frame.iloc[::-1])
    ]
    return ["Week from", MEASURES[measure], "Judgement"], rows


# --- the map ------------------------------------------------------------------------------------


def map_alt(theme: str, groups: Sequence[AreaGroup], points: Sequence[PointGroup]) -> str:
    """The map as text: how many wards and places of each kind."""
    wards = "; ".join(
        f"{g.label}: {counted(len(g.area_codes), 'ward')}" for g in groups if len(g.area_codes)
    )
    places = "; ".join(f"{p.label}: {len(p.keys)}" for p in points if len(p.keys)) or "no places"
    need = f" for {theme}" if theme else ""
    return f"Map of services{need}. {wards}. {places}. The list of services has every one."


def map_notes(view: ProvidersView) -> list[str]:
    """How the places are known."""
    sites = view.providers.found.sites.drop_duplicates(["service_key", "latitude", "longitude"])
    by = sites[sites["service_key"].isin(view.placed.frame["service_key"])]
    known = by["placed_by"].value_counts()
    return [
        f"Places: {known.get('point', 0):,} by coordinates, {known.get('postcode', 0):,} by postcode. "
        "Ward by polygon."
    ]


def beside_the_map(view: ProvidersView, theme: str) -> tuple[str, list[str]]:
    """Services that have no point here because they are for everybody: online or area-wide."""
    frame = view.listed.frame
    mine = frame[frame["service_key"].isin(online_or_wide(view.providers.found))]
    if theme:
        mine = mine[mine["themes"].fillna("").map(lambda said: theme in said.split("; "))]
    names = [f"{words.marked(row)}, {row.provider} ({row.reach})" for row in each_row(mine)]
    more = [f"and {len(names) - MOST_NAMES:,} more"] if len(names) > MOST_NAMES else []
    title = f"Area-wide or online: {len(names):,}"
    return title, [*names[:MOST_NAMES], *more]


def not_placed(view: ProvidersView) -> list[str]:
    """How many services are on no map, and how many serve areas without a point."""
    frame = view.listed.frame
    nowhere = int((~frame["is_placed"]).sum())
    sites = set(view.providers.found.sites["service_key"])
    wide = online_or_wide(view.providers.found)
    pointless = frame["is_placed"] & ~frame["service_key"].isin(sites | wide)
    return [
        f"Not placed: {nowhere:,} (no place, no area, not online).",
        f"Without a point: {int(pointless.sum()):,} that only name the areas they serve.",
    ]
