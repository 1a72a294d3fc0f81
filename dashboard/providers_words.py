"""The Providers page in words: the finding, the tiles, the gap matrix and the list of services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from dashboard.charts.area_map import HATCHED
from dashboard.coverage_words import services_chip
from dashboard.filters import Choices
from dashboard.gaps import REFERRED, Gaps, shown_people
from dashboard.providers import WAITING
from dashboard.rules.disclosure import HIDDEN_MARK, Profile, Released, hidden_flag
from dashboard.rules.freshness import COUNTING
from dashboard.rules.funding import ending, losses_by_month
from dashboard.rules.gaps import UNMET, Cell
from dashboard.rules.measures import MEASURES
from dashboard.rules.needs import NEED_THEMES
from dashboard.rules.take_up import month_end
from dashboard.services import Services
from dashboard.show import Cell as TableCell
from dashboard.show import Chip, Column, Look, TableText, Tile, dated_chip
from dashboard.style import CELL_COLOURS, MISSING, count, counted, day, number

MATRIX_TEXT = TableText("Needs by ward, most unmet need first", "Search wards", "wards")
LOCALITY_TEXT = TableText("Needs by locality, most unmet need first", "Search", "localities")
SERVICES_TEXT = TableText(
    "Services", "Search by name, provider, need, place or postcode district", "services"
)
# Funding that ends within this many months is in the finding.
SOON_MONTHS = 9
_SIGNS = {
    Cell.NONE: ("✕", "nothing serves the ward"),
    Cell.STALE: ("◷", "stale only"),
    Cell.FULL: ("■", "full"),
    Cell.AREA_WIDE: ("+", "area-wide or online only"),
    Cell.NO_RETURN: ("?", "no return"),
    Cell.SERVED: ("✓", "served"),
}
LOOKS = {
    cell.value: Look(
        CELL_COLOURS[cell][0],
        CELL_COLOURS[cell][1],
        sign,
        words,
        HATCHED if cell is Cell.NO_RETURN else "",
    )
    for cell, (sign, words) in _SIGNS.items()
}


def chips(services: pd.DataFrame, gaps: Gaps, as_at: date) -> list[Chip]:
    """How fresh each source is at the date."""
    told = pd.to_datetime(services["capacity_on"]).max()
    made = [services_chip(services)]
    made.append(dated_chip("capacity", None if pd.isna(told) else told.date(), as_at))
    if gaps.window:
        made.append(dated_chip("referrals", month_end(gaps.window[1]), as_at))
    else:
        made.append(Chip("referrals", "no return", "missing"))
    return made


def finding(
    placed: pd.DataFrame, cells: Released, gaps: Gaps, found: Services, choices: Choices
) -> list[str]:
    """The need that most people are referred for where nothing has room; what is full, and what
    ends."""
    if not found.is_returned:
        return [
            "**Nobody has returned services for this board**: what needs can be met is not known."
        ]
    if not gaps.is_returned:
        return [
            "**Nobody has said which needs the services of this board answer**: what can be met is "
            "not known."
        ]
    return [
        *_unmet_words(cells),
        *_full_words(placed),
        *_ending_words(placed, cells, found, choices),
        *_stale_words(placed, choices),
    ]


def _unmet_words(cells: Released) -> list[str]:
    frame = cells.frame
    is_unmet = frame["state"].isin([cell.value for cell in UNMET])
    people = shown_people(cells, REFERRED).where(is_unmet, 0).groupby(frame["theme"]).sum()
    wards = is_unmet.groupby(frame["theme"]).sum()
    if not is_unmet.any():
        return [f"Each of {counted(frame['ward_code'].nunique(), 'ward')} has room for every need."]
    if not people.max() > 0:
        return [
            f"In **{int(is_unmet.sum()):,} of {len(frame):,}** pairs of ward and need nothing has room."
        ]
    theme = str(people.idxmax())
    return [
        f"For **{theme}**, **{wards[theme]:,} of {counted(frame['ward_code'].nunique(), 'ward')}** "
        f"have nothing with room; about {_to_five(people[theme])} people were referred for it there "
        "in 12 months."
    ]


def _to_five(people: float) -> str:
    return f"{int(people / 5 + 0.5) * 5:,}"


def _full_words(frame: pd.DataFrame) -> list[str]:
    full = int(frame["is_full"].sum())
    with_list = int((frame["is_full"] & (frame["state"] == "full with waiting list")).sum())
    if not full:
        return []
    return [
        f"**{full:,} of {counted(len(frame), 'service')}** {'is' if full == 1 else 'are'} full, "
        f"{with_list:,} with a waiting list."
    ]


def _ending_words(
    frame: pd.DataFrame, cells: Released, found: Services, choices: Choices
) -> list[str]:
    wards = cells.frame["ward_code"].unique()
    here = found.serving[found.serving["ward_code"].isin(wards)]
    ends = ending(frame, choices.as_at, SOON_MONTHS)
    months = losses_by_month(ends, here, found.everywhere, len(wards))
    if months.empty:
        return [f"No funding is known to end within {SOON_MONTHS} months."]
    last = months.iloc[-1]
    return [ends_by(last)]


def ends_by(row: Any) -> str:
    """'6 services in 4 wards end by March 2027: 310 places.'"""
    unknown = ""
    if row.places_unknown:
        unknown = f", and those of {counted(row.places_unknown, 'service')} that did not say"
    return (
        f"Funding of **{counted(row.services, 'service')} in {counted(row.wards, 'ward')}** ends by "
        f"{row.month:%B %Y}: **{row.places:,} places**{unknown}."
    )


def _stale_words(frame: pd.DataFrame, choices: Choices) -> list[str]:
    stale = int((~frame["freshness"].isin(COUNTING)).sum())
    if not stale:
        return []
    entries = f"{stale:,} {'entry' if stale == 1 else 'entries'}"
    what = "counted as provision all the same" if choices.with_stale else "left out of what is met"
    return [f"{entries} that nobody confirmed in time {'is' if stale == 1 else 'are'} {what}."]


def tiles(
    listed: pd.DataFrame, total: Mapping[str, Any], cells: Released, *, is_returned: bool
) -> list[Tile]:
    """Services, free places, how full they are, who waits, and needs that cannot be met.

    Where nobody returned services (`is_returned` is false) their number is not known: no nought.
    """
    placed = listed[listed["is_placed"]]
    unplaced = len(listed) - len(placed)
    states = cells.frame["state"]
    is_unmet = states.isin([cell.value for cell in UNMET])
    is_known = states != Cell.NO_RETURN
    waiting = count(total[WAITING], is_hidden=total[hidden_flag(WAITING)])
    told = f"told by {total['told']:,} of {counted(total['services'], 'service')}"
    wait = total["median_wait_days"]
    return [
        Tile(
            "Services",
            number(len(placed)) if is_returned else MISSING,
            f"of {placed['provider'].nunique():,} providers"
            if is_returned
            else "nobody returned them",
            f"{unplaced:,} more not placed: no place, no area, not online",
        ),
        Tile(
            "Free places",
            number(total["free_places"]),
            "" if pd.isna(total["places_offered"]) else f"of {total['places_offered']:,}",
            f"in the next 4 weeks; {told}",
        ),
        Tile(
            "Utilisation",
            MISSING if pd.isna(total["utilisation"]) else f"{total['utilisation']:.0%}",
            "of places filled",
            "nobody said"
            if pd.isna(total["full"])
            else f"{total['full']:,} full, {total['full_with_list']:,} of them with a waiting list",
        ),
        Tile(
            "People waiting",
            waiting,
            "for a place",
            f"told by {total['waiting_told']:,} of {counted(total['services'], 'service')}"
            + ("" if pd.isna(wait) else f"; median wait {number(wait)} days"),
        ),
        Tile(
            "Needs not met",
            number(int(is_unmet.sum())) if is_known.any() else MISSING,
            f"of {int(is_known.sum()):,}",
            "pairs of ward and need with nothing that has room",
        ),
    ]


@dataclass(frozen=True)
class MatrixCell:
    """A cell of the gap matrix, as the table shows it."""

    state: str
    text: str
    note: str
    people: float | None

    @property
    def is_gap(self) -> bool:
        """Whether nothing there has room."""
        return Cell(self.state).is_unmet


def ward_cell(row: Any, profile: Profile) -> MatrixCell:
    """What a ward has for one need: services, free places, people referred."""
    is_hidden = getattr(row, hidden_flag(REFERRED))
    referred = getattr(row, REFERRED)
    cell = Cell(row.state)
    note = []
    if row.own and pd.notna(row.free_places):
        note.append(f"{row.free_places:,} free")
    if is_hidden or pd.notna(referred):
        note.append(f"{count(referred, is_hidden=is_hidden)} referred")
    people = (profile.hide_from + profile.hide_to) / 2 if is_hidden else referred
    unmet = float(people) if cell.is_unmet and pd.notna(people) else None
    return MatrixCell(row.state, _cell_text(cell, row), " · ".join(note), unmet)


def _cell_text(cell: Cell, row: Any) -> str:
    match cell:
        case Cell.SERVED:
            return f"{row.own:,}"
        case Cell.FULL if row.own:
            return f"{row.own:,}"
        # All that is full may be for everybody, and none the ward's own.
        case Cell.FULL | Cell.AREA_WIDE:
            return f"{row.wide:,} wide"
        case Cell.STALE:
            return f"{row.stale:,} stale"
    return cell.value


def locality_cell(row: Any) -> MatrixCell:
    """What a locality has for one need: in how many of its wards nothing has room."""
    people = None if pd.isna(row.people) else row.people
    referred = "" if people is None else f"{_to_five(people)} referred"
    unmet = people if row.wards_unmet else None
    if row.state == Cell.NO_RETURN:
        return MatrixCell(row.state, "no return", referred, None)
    text = f"{row.wards_unmet} of {row.wards}" if row.wards_unmet else f"all {row.wards}"
    note = ("wards without" if row.wards_unmet else "wards") + (
        f" · {referred}" if referred else ""
    )
    return MatrixCell(row.state, text, note, unmet)


def matrix_columns(first: str) -> list[Column]:
    """Of the matrix: the area, its unmet need, and one column a need theme."""
    return [
        Column(
            first, lambda r: TableCell(r.ward_name, note=r.lad_name if pd.notna(r.lad_name) else "")
        ),
        Column("Unmet need", _unmet_cell, MEASURES["unmet_need"].definition, is_number=True),
        *(_theme_column(place, theme) for place, theme in enumerate(NEED_THEMES)),
    ]


def _unmet_cell(row: Any) -> TableCell:
    if pd.isna(row.unmet):
        return TableCell(MISSING, note="no referral return")
    return TableCell(f"about {_to_five(row.unmet)}", float(row.unmet))


def _theme_column(place: int, theme: str) -> Column:
    def cell(row: Any) -> TableCell:
        found: MatrixCell = row.cells[place]
        return TableCell(found.text, found.people, found.note, look=found.state)

    title = theme.capitalize()
    return Column(title, cell, f"{title}: sorts by people referred where nothing has room",
        is_number=True, pick=theme)  # fmt: skip


# --- the list of services -----------------------------------------------------------------------

ANY = {"": "Any"}
ROOMS = {**ANY, "room": "Has room", "full": "Full", "unknown": "Not said"}
COSTS = {**ANY, "free": "Free", "charge": "A charge", "unknown": "Not said"}
AGES = {**ANY, "child": "Under 18", "adult": "18 to 64", "older": "65 and over"}
_AGE_SPANS = {"child": (0, 17), "adult": (18, 64), "older": (65, 150)}
PLACES = {**ANY, "near": "In person", "online": "Online", "nowhere": "Not placed"}


def is_free(cost: pd.Series[str]) -> pd.Series[bool]:
    """Which costs to the person say that there is none."""
    free = cost.str.strip().str.casefold().str.fullmatch(r"free( of charge)?|none|£?0(\.00?)?")
    return free.fillna(False).astype(bool)


def fits(services: pd.DataFrame, asked: Mapping[str, str]) -> pd.Series[bool]:
    """Which services are what is asked for; "" or nothing asks for any."""
    keep = pd.Series(True, services.index)
    if theme := asked.get("theme"):
        themes = services["themes"].fillna("").str.split("; ")
        keep &= pd.Series([theme in found for found in themes], services.index, dtype=bool)
    has_room = ~services["is_full"] & (services["state"].notna() | services["free_places"].notna())
    free, said = is_free(services["cost_to_person"]), services["cost_to_person"].notna()
    conditions = {
        "room": {"room": has_room, "full": services["is_full"],
                 "unknown": ~has_room & ~services["is_full"]},
        "cost": {"free": free, "charge": said & ~free, "unknown": ~said},
        "place": {"near": services["is_placed"] & ~services["is_online"],
                  "online": services["is_online"], "nowhere": ~services["is_placed"]},
    }  # fmt: skip
    for name, choices in conditions.items():
        if (wanted := asked.get(name, "")) in choices:
            keep &= choices[wanted]
    if span := _AGE_SPANS.get(asked.get("age", "")):
        # No age named is for every age.
        keep &= services["minimum_age"].fillna(0) <= span[1]
        keep &= services["maximum_age"].fillna(span[1]) >= span[0]
    if provider := asked.get("provider"):
        keep &= services["provider"] == provider
    if access := asked.get("access"):
        keep &= services["access"].fillna("") == access
    return keep.astype(bool)


def provider_names(services: pd.DataFrame) -> dict[str, str]:
    """The providers of the services, by name."""
    return {**ANY, **{name: name for name in sorted(set(services["provider"]))}}


def access_names(services: pd.DataFrame) -> dict[str, str]:
    """How one gets in, as services say it, the most usual first."""
    usual = services["access"].value_counts().index[:12]
    return {**ANY, **{name: name for name in usual}}


def service_columns() -> Sequence[Column]:
    """The columns of the list of services."""
    return (
        Column("Service", lambda r: TableCell(r.service_name, note=_warned(r)), is_wide=True),
        Column(
            "Provider", lambda r: TableCell(r.provider, note="" if pd.isna(r.sector) else r.sector)
        ),
        Column("For", lambda r: TableCell("need not said" if pd.isna(r.themes) else r.themes)),
        Column("Where", lambda r: TableCell(r.reach, note=where_words(r))),
        Column("Room", _room_cell),
        Column("Free places", _free_cell, is_number=True),
        Column("Waiting", _waiting_cell, is_number=True),
        Column(
            "Cost", lambda r: TableCell(MISSING if pd.isna(r.cost_to_person) else r.cost_to_person)
        ),
        Column("Confirmed", _confirmed_cell, MEASURES["freshness"].definition),
        Column("Funding ends", _ends_cell),
    )


def _warned(row: Any) -> str:
    has = row.has_safeguarding
    return "" if pd.notna(has) and has else safeguarding_words(has)


def safeguarding_words(has: Any) -> str:
    """Whether safeguarding is in place, in words; marked where it is not, or not said."""
    if pd.isna(has):
        return "△ safeguarding not said"
    return "safeguarding in place" if has else "▲ no safeguarding"


def marked(row: Any) -> str:
    """The name of a service wherever it is listed, marked where safeguarding is not in place."""
    if pd.notna(row.has_safeguarding) and row.has_safeguarding:
        return str(row.service_name)
    return f"{row.service_name} {safeguarding_words(row.has_safeguarding)}"


def safeguarding_finding(services: pd.DataFrame) -> str:
    """How many services have safeguarding in place, how many not, and how many do not say."""
    has = services["has_safeguarding"]
    yes, no = int(has.fillna(False).sum()), int((~has.fillna(True)).sum())
    return (
        f"Safeguarding is in place at **{yes:,}**, not in place at **{no:,}** (▲), and "
        f"**{len(has) - yes - no:,}** do not say (△)."
    )


def where_words(row: Any) -> str:
    """The districts and postcodes of a service."""
    wards = f"{row.wards:,} {'ward' if row.wards == 1 else 'wards'}" if row.wards else ""
    said = [wards, row.districts, row.postcodes]
    return " · ".join(words for words in said if isinstance(words, str) and words)


def room_words(row: Any) -> str:
    """The state in words: as returned, else as the places say."""
    if pd.notna(row.state):
        return str(row.state)
    if pd.isna(row.free_places):
        return "not said"
    return "full" if row.is_full else "has capacity"


def _room_cell(row: Any) -> TableCell:
    return TableCell(room_words(row), note="" if pd.isna(row.capacity_on) else day(row.capacity_on))


def _free_cell(row: Any) -> TableCell:
    if pd.isna(row.free_places):
        return TableCell(MISSING)
    return TableCell(number(row.free_places), float(row.free_places), f"of {row.places_offered:,}")


def _waiting_cell(row: Any) -> TableCell:
    if getattr(row, hidden_flag(WAITING)):
        return TableCell(HIDDEN_MARK)
    waiting = getattr(row, WAITING)
    if pd.isna(waiting):
        return TableCell(MISSING)
    days = "" if pd.isna(row.wait_days) else f"{row.wait_days} days"
    return TableCell(number(waiting), float(waiting), days)


def _confirmed_cell(row: Any) -> TableCell:
    if pd.isna(row.confirmed_on):
        return TableCell("never")
    stale = "" if row.freshness in COUNTING else "stale"
    return TableCell(day(row.confirmed_on), float(row.confirmed_on.toordinal()), stale)


def _ends_cell(row: Any) -> TableCell:
    if pd.isna(row.funding_ends):
        return TableCell(MISSING)
    return TableCell(day(row.funding_ends), float(row.funding_ends.toordinal()))


# --- capacity -----------------------------------------------------------------------------------

GROUPS = {"provider": "Provider", "theme": "Need", "locality": "Locality", "ward": "Ward"}


def capacity_text(by: str) -> TableText:
    """The words around the table of capacity."""
    things = {"provider": "providers", "theme": "needs", "locality": "localities", "ward": "wards"}
    return TableText(f"Capacity by {GROUPS[by].lower()}, most places first", "Search", things[by])


def capacity_columns(by: str) -> Sequence[Column]:
    """Capacity by group: places, the three states, who waits, and how many told."""
    return (
        Column(GROUPS[by], lambda r: TableCell(r.name.capitalize() if by == "theme" else r.name)),
        _counted("Services", "services"),
        _counted("Places, 4 weeks", "places_offered"),
        _counted("Filled", "places_filled"),
        _counted("Free", "free_places"),
        Column("Utilisation", _utilisation, MEASURES["utilisation"].definition, is_number=True),
        _counted("Has capacity", "has_room"),
        _counted("Full with waiting list", "full_with_list"),
        Column("Full", _full_without_list, is_number=True),
        Column("Waiting", _people_waiting, is_number=True),
        _counted("Median wait, days", "median_wait_days"),
        Column("Told their places", lambda r: TableCell(f"{r.told:,} of {r.services:,}")),
    )


def _counted(title: str, column: str) -> Column:
    def cell(row: Any) -> TableCell:
        value = getattr(row, column)
        return TableCell(MISSING) if pd.isna(value) else TableCell(number(value), float(value))

    return Column(title, cell, is_number=True)


def _utilisation(row: Any) -> TableCell:
    if pd.isna(row.utilisation):
        return TableCell(MISSING)
    return TableCell(f"{row.utilisation:.0%}", float(row.utilisation))


def _full_without_list(row: Any) -> TableCell:
    full = row.full - row.full_with_list
    return TableCell(MISSING) if pd.isna(full) else TableCell(number(full), float(full))


def _people_waiting(row: Any) -> TableCell:
    if getattr(row, hidden_flag(WAITING)):
        return TableCell(HIDDEN_MARK)
    waiting = getattr(row, WAITING)
    return TableCell(MISSING) if pd.isna(waiting) else TableCell(number(waiting), float(waiting))
