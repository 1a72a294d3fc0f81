"""Coverage in words: the finding, the tiles, the layers of the map and the columns of the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard.charts.area_map import (
    CROSS,
    DASHED,
    HATCHED,
    RING,
    SQUARE,
    STARRED,
    AreaGroup,
    AreaMark,
)
from dashboard.coverage import REFERRALS, Basis, Coverage
from dashboard.filters import Choices
from dashboard.rules.apportion import PER_PEOPLE
from dashboard.rules.classes import count_classes, number_classes
from dashboard.rules.coverage import State, Status
from dashboard.rules.disclosure import HIDDEN_MARK, Released, hidden_flag
from dashboard.rules.freshness import COUNTING
from dashboard.rules.measures import MEASURES, Measure
from dashboard.rules.take_up import month_end
from dashboard.show import Cell, Chip, Column, Explanation, TableText, Tile, dated_chip
from dashboard.style import (
    HIDDEN_COLOUR,
    MISSING,
    NO_POPULATION_COLOUR,
    NO_RETURN_COLOUR,
    SEQUENCE,
    STATUS_COLOURS,
    STATUS_TEXTURES,
    count,
    day,
    month,
    number,
)


@dataclass(frozen=True)
class Layer:
    """One way to colour the map."""

    title: str
    column: str = ""
    decimals: int = 0
    unit: str = ""
    is_people: bool = False
    is_whole: bool = False
    missing: str = "No return"


LAYERS = {
    "status": Layer("Provision status"),
    "fte": Layer("Link workers per 10,000", "fte_per_10k", 2, "FTE per 10,000"),
    "take-up": Layer("Take-up rate", "take_up_per_1000", 1, "per 1,000", is_people=True),
    "ratio": Layer("Take-up ratio", "take_up_ratio", 0, "(100 = as expected)", is_people=True),
    "deprivation": Layer("Deprivation, 1 is most deprived", "imd_fifth", is_whole=True),
    "services": Layer("Services", "service_count", unit="services", is_whole=True),
    "reach": Layer(
        "Places within reach",
        "places_per_1000",
        1,
        "places per 1,000 people",
        missing="None within reach",
    ),
}


LAYER_NAMES = {name: layer.title for name, layer in LAYERS.items()}
PICK_A_WARD = "Pick a ward here, on the map or in the list"
TABLE_TEXT = TableText("Wards, worst and most people first", "Search the list", "wards")


def chosen_wards(coverage: Coverage, lad_code: str, pcn_code: str) -> Released:
    """The wards of the chosen locality and network."""
    frame = coverage.wards.frame
    keep = pd.Series(True, index=frame.index)
    if lad_code:
        keep &= frame["lad_code"] == lad_code
    if pcn_code:
        shares = coverage.shares.frame
        served = shares[shares["serves"] & (shares["pcn_code"] == pcn_code)]["ward_code"]
        keep &= frame["ward_code"].isin(served)
    return coverage.wards.rows(keep)


def finding(wards: Released, basis: Basis) -> list[str]:
    """How many wards have no provision, who lives there, and what could not be judged and why."""
    frame = wards.frame
    status = frame["status"]
    none = frame[status == Status.NO_PROVISION]
    unjudged = frame[status == Status.NO_RETURN]
    if len(unjudged) == len(frame):
        return [_unjudged(unjudged), *_weaknesses(frame, basis)]
    if len(none):
        first = f"**{len(none):,} of {_wards(len(frame))}** {_has(len(none))} no provision"
        sentences = [f"{first}; {_people(none, basis)} there."]
    else:
        sentences = [f"**None of {_wards(len(frame))}** is without a route in."]
    guessed = int(none["route_in_inferred"].sum())
    if guessed:
        shares = ", by modelled shares" if basis.shares == "modelled" else ""
        sentences[0] += (
            f" {len(none) - guessed:,} of them by a scheme return, {guessed:,} inferred from the "
            f"workforce{shares}."
        )
    others = [
        f"{number_of:,} {words}"
        for words, number_of in (
            ("have no link worker", int((status == Status.NO_LINK_WORKER).sum())),
            ("have nothing to refer to", int((status == Status.NOTHING_TO_REFER_TO).sum())),
            ("have all three and no referral in a year", int((status == Status.NOT_REACHED).sum())),
        )
        if number_of
    ]
    if others:
        sentences.append(
            f"Of the others, {' and '.join(others[-2:]) if len(others) < 3 else ', '.join(others)}."
        )
    sentences.append(_unjudged(unjudged) if len(unjudged) else "Every ward could be judged.")
    return [*sentences, *_weaknesses(frame, basis)]


def _unjudged(unjudged: pd.DataFrame) -> str:
    """How many wards could not be judged, and what nobody told us."""
    silent = [
        (words, int((unjudged[column] == State.NO_RETURN).sum()))
        for words, column in (
            ("no scheme return to say so", "route_in"),
            ("workforce not returned", "link_worker"),
            ("services not returned", "services"),
        )
    ]
    why = ", ".join(f"{words} for {_wards(count_of)}" for words, count_of in silent if count_of)
    return f"**{_wards(len(unjudged))} could not be judged**: {why}."


def _weaknesses(frame: pd.DataFrame, basis: Basis) -> list[str]:
    """What the judgement rests on where nobody told us better."""
    sentences = []
    inferred = int((frame["route_in_inferred"] & (frame["route_in"] != State.NO_RETURN)).sum())
    if inferred:
        sentences.append(
            f"For {_wards(inferred)} the route in is inferred from the workforce: no scheme return "
            "speaks for them."
        )
    missing = int(frame["population"].isna().sum())
    if missing:
        vintages = ", ".join(basis.population_vintages) or "none loaded"
        sentences.append(
            f"No population for {_wards(missing)} (loaded: {vintages}): rates for them are missing."
        )
    return sentences


def nothing_fits(choices: Choices) -> str:
    """Which filter leaves no ward, and how to clear it."""
    named = " and ".join(name for name in (choices.lad_name, choices.pcn_name) if name)
    return f"No ward lies in {named or choices.icb_name}. Choose all localities and all networks at the left."


def ward_names(wards: Released) -> dict[str, str]:
    """Ward codes and names for a select box, by name; a district tells namesakes apart."""
    frame = wards.frame.sort_values(["ward_name", "lad_name"])
    names = frame["ward_name"] + ", " + frame["lad_name"].fillna("")
    return dict(zip(frame["ward_code"], names, strict=True))


def map_alt(layer: Layer, groups: Sequence[AreaGroup | AreaMark]) -> str:
    """The map as text: how many wards are in each group."""
    counts = "; ".join(
        f"{group.label}: {len(group.area_codes)}" for group in groups if len(group.area_codes)
    )
    return f"Map of wards by {layer.title.lower()}. {counts}. The list below has every ward."


def key_notes(wards: Released, basis: Basis) -> list[str]:
    """Source, period and disclosure profile, as every chart carries them."""
    period = (
        f"Referrals {month(basis.window[0])} to {month(basis.window[1])}. " if basis.window else ""
    )
    expected = f"Expected by {basis.strata}. " if basis.strata else ""
    shares = {
        "registered": "registered patients by LSOA",
        "modelled": "modelled shares",
        "": "not known",
    }
    return [
        f"Workforce census {day(basis.census)}. {period}{expected}PCN shares: {shares[basis.shares]}.",
        f"Small numbers: {wards.profile.words}.",
    ]


def _wards(number_of: int) -> str:
    return f"{number_of:,} {'ward' if number_of == 1 else 'wards'}"


def _has(number_of: int) -> str:
    return "has" if number_of == 1 else "have"


def _people(frame: pd.DataFrame, basis: Basis) -> str:
    column = frame["adults" if basis.people == "adults" else "population"]
    if column.isna().all():
        return "no population is known for those who live"
    least = "at least " if column.isna().any() else ""
    return f"**{least}{int(column.sum()):,} {basis.people}** live"


def gap_tile(gaps: int, wards: int, not_judged: int) -> Tile:
    """How many wards have a gap. Where none could be judged, that is not known: no nought."""
    return Tile(
        "Wards with a gap",
        MISSING if wards == not_judged else f"{gaps:,}",
        f"of {wards:,}",
        "no provision, no link worker, or nothing to refer to"
        + (f"; {not_judged:,} could not be judged" if not_judged else ""),
    )


def tiles(wards: Released, pcns: pd.DataFrame, basis: Basis) -> list[Tile]:
    """Wards with a gap, link workers in post, referrals and take-up of the chosen wards."""
    frame = wards.frame
    gaps = frame["status"].isin([s.value for s in Status if s.is_gap])
    fte = frame["fte"].sum(min_count=1)
    covered = frame["fte"].notna() & frame["population"].notna()
    people = frame.loc[covered, "population"].sum()
    rate = frame.loc[covered, "fte"].sum() / people * PER_PEOPLE if people else None
    returned = int(pcns["staff_rows"].notna().sum())
    modelled = "modelled shares; " if basis.shares == "modelled" else ""
    known = frame[REFERRALS].notna()
    hidden = int(frame[hidden_flag(REFERRALS)].sum())
    window = (
        f"{month(basis.window[0])} to {month(basis.window[1])}" if basis.window else basis.no_window
    )
    not_returned = int((~known & ~frame[hidden_flag(REFERRALS)]).sum())
    return [
        gap_tile(int(gaps.sum()), len(frame), int((frame["status"] == Status.NO_RETURN).sum())),
        Tile(
            "Link workers serving these wards",
            number(fte, 1),
            "FTE",
            f"{modelled}published series, {day(basis.census)}; "
            f"{returned} of the board's {len(pcns)} PCNs returned",
        ),
        Tile(
            "Link workers per 10,000",
            number(rate, 2),
            "FTE per 10,000 people",
            f"{int(covered.sum()):,} of {_wards(len(frame))} with a figure",
        ),
        Tile(
            "Referrals in 12 months",
            number(frame[REFERRALS].sum(min_count=1)),
            "received",
            f"{window}; {_wards(not_returned)} not returned, {hidden:,} hidden",
        ),
    ]


def map_groups(wards: Released, layer: Layer) -> list[AreaGroup]:
    """The chosen wards in the groups of one layer; each reason for a blank is a group of its own."""
    frame = wards.frame
    if not layer.column:
        return [
            AreaGroup(
                status.value,
                STATUS_COLOURS[status],
                frame["ward_code"][frame["status"] == status].tolist(),
                texture=STATUS_TEXTURES.get(status, ""),
            )
            for status in Status
        ]
    values = frame[layer.column]
    classes = (count_classes if layer.is_whole else number_classes)(values)
    colours = [
        SEQUENCE[round(place * (len(SEQUENCE) - 1) / max(len(classes) - 1, 1))]
        for place in range(len(classes))
    ]
    if layer.column == "imd_fifth":
        # The most deprived fifth is 1 and must be seen first.
        colours = colours[::-1]
    groups = [
        AreaGroup(
            _class_words(part.low, part.high, layer),
            colour,
            frame["ward_code"][part.holds(values)].tolist(),
            [round(float(value), layer.decimals) for value in values[part.holds(values)]],
            f"%{{z:,.{layer.decimals}f}} {layer.unit}".strip(),
        )
        for part, colour in zip(classes, colours, strict=True)
    ]
    hidden = (
        frame[hidden_flag(REFERRALS)] if layer.is_people else pd.Series(False, index=frame.index)
    )
    missing = values.isna() & ~hidden
    needs_people = layer.column not in ("imd_fifth", "service_count", "places_per_1000")
    no_people = missing & frame["population"].isna() & needs_people
    # That nothing is near is known where services were returned: it is a gap, and drawn as one.
    is_gap = missing & ~no_people & (frame["services"] != State.NO_RETURN)
    is_gap &= layer.missing != "No return"
    groups.append(
        AreaGroup(
            "Hidden: few people",
            HIDDEN_COLOUR,
            frame["ward_code"][hidden].tolist(),
            texture=STARRED,
        )
    )
    groups.append(
        AreaGroup(
            "No population for this ward's code",
            NO_POPULATION_COLOUR,
            frame["ward_code"][no_people].tolist(),
            texture=DASHED,
        )
    )
    groups.append(
        AreaGroup(
            layer.missing,
            STATUS_COLOURS[Status.NO_PROVISION],
            frame["ward_code"][is_gap].tolist(),
        )
    )
    groups.append(
        AreaGroup(
            "No return",
            NO_RETURN_COLOUR,
            frame["ward_code"][missing & ~no_people & ~is_gap].tolist(),
            texture=HATCHED,
        )
    )
    return groups


def map_marks(wards: Released, layer: Layer) -> list[AreaMark]:
    """What a status rests on, where that is weaker than a return: never drawn like one."""
    if layer.column:
        return []
    frame = wards.frame
    return [
        AreaMark(label, symbol, frame["ward_code"][holds(frame)].tolist())
        for label, symbol, holds in _MARKS
    ]


def _has_all_three(frame: pd.DataFrame) -> pd.Series[bool]:
    return ~frame["status"].isin([s.value for s in Status if s.is_gap or s is Status.NO_RETURN])


# What is said, its symbol, and the wards it is said of.
_MARKS: tuple[tuple[str, str, Callable[[pd.DataFrame], pd.Series[bool]]], ...] = (
    (
        "No provision by inference: no scheme return",
        RING,
        lambda f: (f["status"] == Status.NO_PROVISION) & f["route_in_inferred"],
    ),
    (
        "Only stale entries to refer to",
        SQUARE,
        lambda f: (f["status"] == Status.NOTHING_TO_REFER_TO) & (f["services"] == State.STALE),
    ),
    (
        "Area-wide or online services only",
        CROSS,
        lambda f: _has_all_three(f) & (f["services"] == State.AREA_WIDE),
    ),
)


def _class_words(low: float, high: float, layer: Layer) -> str:
    if low == high:
        words = number(low, layer.decimals)
    else:
        words = f"{number(low, layer.decimals)} to {number(high, layer.decimals)}"
    return f"{words} {layer.unit}".strip()


def measure_of(layer: Layer) -> Measure:
    """The measure that a layer of the map shows."""
    named = {
        "": "status",
        "imd_fifth": "deprivation",
        "service_count": "services",
        "places_per_1000": "reach",
    }
    return MEASURES[named.get(layer.column, layer.column)]


def explanation(layer: Layer, basis: Basis) -> Explanation:
    """The panel beside the map."""
    measure = measure_of(layer)
    limits = [measure.caution] if measure.caution else []
    if measure.name == "reach":
        limits.append(f"Within reach is {basis.reach}; nothing beyond the board's border counts.")
    if basis.shares == "modelled":
        limits.append("PCN shares are modelled: registered patients by LSOA are not loaded.")
    if not basis.services_returned:
        limits.append("Services have never been returned for this board.")
    return Explanation(
        f"{measure.definition} {measure.formula[0].upper()}{measure.formula[1:]}.",
        "A place where people have nothing stands out, with the reason; a place nobody told us "
        "about is never mistaken for one.",
        limits or ["None beyond those of the sources named above."],
    )


def ward_columns(basis: Basis) -> Sequence[Column]:
    """The columns of the ward list."""
    return (
        Column(
            "Ward", lambda r: Cell(r.ward_name, note=r.lad_name if pd.notna(r.lad_name) else "")
        ),
        Column(
            "Status",
            lambda r: Cell(r.status, note=_noted(r.reason, r.flags)),
            MEASURES["status"].definition,
            is_wide=True,
        ),
        _component("Route in", "route_in"),
        _component("Link worker", "link_worker"),
        _component("To refer to", "services"),
        Column("People", _people_of_ward, MEASURES["population"].definition, is_number=True),
        _numeric("Deprivation fifth", "imd_fifth", 0, "deprivation"),
        _numeric("FTE per 10,000", "fte_per_10k", 2),
        Column(
            "Places within reach, per 1,000",
            _within_reach,
            MEASURES["reach"].definition,
            is_number=True,
        ),
        Column("Referrals, 12 months", _referrals, MEASURES[REFERRALS].definition, is_number=True),
        Column(
            f"Per 1,000 {basis.people}",
            _rate,
            MEASURES["take_up_per_1000"].definition,
            is_number=True,
        ),
        Column("Ratio", _ratio, MEASURES["take_up_ratio"].definition, is_number=True),
    )


def _people_of_ward(row: Any) -> Cell:
    if pd.isna(row.population):
        return Cell(MISSING, note="other ward codes")
    adults = "" if pd.isna(row.adults) else f"{row.adults:,} adults"
    return Cell(number(row.population), float(row.population), adults)


def _noted(reason: str, flags: str) -> str:
    return f"{reason} · {flags}" if flags else reason


def _component(title: str, column: str) -> Column:
    def cell(row: Any) -> Cell:
        return Cell(getattr(row, column), note=getattr(row, f"{column}_reason"))

    return Column(title, cell, MEASURES[column].definition)


def _numeric(title: str, column: str, decimals: int, measure: str = "") -> Column:
    def cell(row: Any) -> Cell:
        value = getattr(row, column)
        return Cell(MISSING) if pd.isna(value) else Cell(number(value, decimals), float(value))

    known = MEASURES.get(measure or column)
    return Column(title, cell, known.definition if known else "", is_number=True)


def _within_reach(row: Any) -> Cell:
    if pd.notna(row.places_per_1000):
        return Cell(number(row.places_per_1000, 1), float(row.places_per_1000))
    is_silent = row.services == State.NO_RETURN
    return Cell(MISSING, note="no return" if is_silent else "none within reach")


def _is_hidden(row: Any) -> bool:
    return bool(getattr(row, hidden_flag(REFERRALS)))


def _referrals(row: Any) -> Cell:
    value = getattr(row, REFERRALS)
    if _is_hidden(row):
        return Cell(HIDDEN_MARK)
    return (
        Cell(MISSING, note=row.take_up_reason)
        if pd.isna(value)
        else Cell(count(value), float(value))
    )


def _rate(row: Any) -> Cell:
    if _is_hidden(row):
        return Cell(HIDDEN_MARK)
    rate = row.take_up_per_1000
    if pd.isna(rate):
        return Cell(MISSING)
    limits = f"{number(row.take_up_lower, 1)} to {number(row.take_up_upper, 1)}"
    return Cell(number(rate, 1), float(rate), limits)


def _ratio(row: Any) -> Cell:
    if _is_hidden(row):
        return Cell(HIDDEN_MARK)
    ratio = row.take_up_ratio
    return Cell(MISSING) if pd.isna(ratio) else Cell(number(ratio), float(ratio))


def swatch(row: Any) -> tuple[str, str]:
    """The colour and texture of a ward's status, beside the word."""
    status = Status(row.status)
    return STATUS_COLOURS[status], STATUS_TEXTURES.get(status, "")


def chips(basis: Basis, wards: Released, pcns: pd.DataFrame, services: pd.DataFrame) -> list[Chip]:
    """How fresh each source of the board is at the date; `services` as `board_services` lists."""
    frame = wards.frame
    silent = pcns[pcns["staff_rows"].isna()]
    made = [dated_chip("workforce", basis.census, basis.as_at)]
    if basis.census and len(silent):
        names = silent["pcn_name"].fillna(silent["pcn_code"]).tolist()
        who = names[0] if len(names) == 1 else f"{len(names)} PCNs"
        made.append(Chip(who, "no workforce return", "missing"))
    if basis.window:
        made.append(dated_chip("referrals", month_end(basis.window[1]), basis.as_at))
    else:
        made.append(Chip("referrals", "no return", "missing"))
    made.append(services_chip(services))
    told = int((~frame["route_in_inferred"]).sum())
    state = "fresh" if told == len(frame) else "ageing" if told else "missing"
    words = f"for {told:,} of {_wards(len(frame))}" if told else "no return"
    made.append(Chip("scheme areas", words, state))
    known = int(frame["population"].notna().sum())
    state = "fresh" if known == len(frame) else "late" if known else "missing"
    words = f"for {known:,} of {_wards(len(frame))}" if known else "no return"
    made.append(Chip("population", words, state))
    return made


def services_chip(services: pd.DataFrame) -> Chip:
    """How many of the services that are placed were confirmed in time."""
    placed = services[services["is_placed"]]
    if placed.empty:
        return Chip("services", "no return", "missing")
    stale = len(placed) - int(placed["freshness"].isin(COUNTING).sum())
    words = f"{stale:,} of {len(placed):,} stale" if stale else f"{len(placed):,} confirmed"
    return Chip("services", words, "late" if stale else "fresh")
