"""Take-up in words: the finding, the layers of the map, the list, and where it is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.charts.area_map import DASHED, HATCHED, STARRED, AreaGroup
from dashboard.coverage import REFERRALS, Basis
from dashboard.rules.classes import number_classes
from dashboard.rules.clusters import Cluster
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import HIDDEN_MARK, Released, hidden_flag
from dashboard.rules.leak import Leak, Loss
from dashboard.rules.pathway import REFERRED, STEP_TITLES
from dashboard.rules.staffing import FunnelPlace
from dashboard.show import Cell, Column, Explanation, TableText, Tile
from dashboard.style import (
    CLUSTER_COLOURS,
    HIDDEN_COLOUR,
    MISSING,
    NO_POPULATION_COLOUR,
    NO_RETURN_COLOUR,
    PLACE_COLOURS,
    SEQUENCE,
    STATUS_COLOURS,
    counted,
    month,
    number,
)
from dashboard.take_up import LOW, Needs, Place, TakeUp
from queries.frames import each_row

Rows = tuple[Sequence[str], Sequence[Sequence[str]]]

LAYERS = {
    "place": "Take-up against expected",
    "smoothed": "Smoothed ratio (100 is as expected)",
    "cluster": "Clusters of low take-up",
    "fifth": "Need: deprivation, 1 is most deprived",
}
TABLE_TEXT = TableText("Wards, the largest shortfall first", "Search the list", "wards")
FUNNEL_PLACES = {
    Place.FAR_BELOW: FunnelPlace.OUTSIDE_998,
    Place.BELOW: FunnelPlace.OUTSIDE_95,
    Place.WITHIN: FunnelPlace.INSIDE,
    Place.ABOVE: FunnelPlace.OUTSIDE_95,
    Place.FAR_ABOVE: FunnelPlace.OUTSIDE_998,
}
# Wards that are set apart, by their status: a colour of their own, and a texture.
_APART = (
    (Status.NO_PROVISION, STATUS_COLOURS[Status.NO_PROVISION], ""),
    (Status.HIDDEN, HIDDEN_COLOUR, STARRED),
    (Status.UNKNOWN, NO_POPULATION_COLOUR, DASHED),
    (Status.NO_RETURN, NO_RETURN_COLOUR, HATCHED),
)
NO_EXPECTED = "no expected number"
CLUSTER_WORDS = {
    Cluster.LOW: "Low, and so are the wards around it",
    Cluster.LOW_AMONG_HIGH: "Low among higher ones",
    Cluster.NONE: "Not different from what chance gives",
    Cluster.HIGH_AMONG_LOW: "High among lower ones",
    Cluster.HIGH: "High, and so are the wards around it",
    Cluster.ISLAND: "No neighbour that could be judged",
}
LOSS_WORDS = {
    Loss.NOT_OFFERED: "fewer were referred than expected; whether it was offered is not told",
    Loss.NO_LINK_WORKER: "no link worker is in post",
    Loss.DECLINED: "referred, and not accepted: declined",
    Loss.NOT_REACHED: "accepted, and not reached",
    Loss.NO_SERVICE: "there is no service to refer to",
    Loss.FULL: "every service of the ward's own is full",
    Loss.NOT_CONNECTED: "contacted, and not connected to a service",
    Loss.NOT_ATTENDED: "connected, and did not attend",
}
ABOUT_MAP = Explanation(
    "Referrals received in 12 months against the number that the board's own rates by age and "
    "deprivation lead us to expect. Smoothed ratios draw wards with few expected towards the "
    "board's; clusters are wards that are low beside low ones more often than chance gives.",
    "Low take-up beside high need is a place to act; a place nobody told us about, without "
    "provision or with a hidden number is set apart and never called low.",
    (
        "Expected rests on the board's own rates, gaps included: it is no measure of need itself.",
        "Neighbours share an edge or a corner; 5% of the wards named as a cluster are expected to "
        "be chance (false discovery rate).",
    ),
)
ABOUT_FUNNEL = Explanation(
    "Each judged ward by the number expected, with the range in which chance alone would leave it "
    "(95% and 99.8%, exact Poisson).",
    "A small ward can be low by chance; one outside its limits hardly is.",
    ("Wards differ by more than chance for many reasons: the list says which stay low when the "
     "limits are widened for that.",),
)  # fmt: skip
ABOUT_LEAK = Explanation(
    "The people who would have come that far if the ward had been referred as many as expected and "
    "gone on at the board's shares, less those who did; divided by where they are missing.",
    "The largest part says what to look at first: the offer, the answer, the contact, the service.",
    (
        "Parts add up to the shortfall; a part below 0 is where the ward does better.",
        "A ward counts as far as its steps are known: those of which less is known add people who "
        "would have come less far.",
        "Shares are of those who went on or ended, as on the page Outcomes, from rounded numbers.",
        "'Beyond chance' is where the board's share lies outside the ward's 95% interval.",
    ),
)


def finding(wards: Released, found: TakeUp, basis: Basis) -> list[str]:
    """How many wards are low, where they lie together, where it is lost, and who is set apart."""
    frame = wards.frame
    if basis.window is None:
        return [f"Take-up can't be judged: {basis.no_window}."]
    judged = frame[frame["place"] != ""]
    low = judged[judged["place"].isin(LOW)]
    if judged.empty:
        return [f"**None of {counted(len(frame), 'ward')}** could be judged.", _apart(frame)]
    sentences = [
        f"**{len(low):,} of {counted(len(judged), 'ward')}** that could be judged "
        f"{'lies' if len(low) == 1 else 'lie'} below the expected range."
    ]
    if len(low):
        sentences[0] += (
            f" {int((low['place'] == Place.FAR_BELOW).sum()):,} of them below the 99.8% limit; "
            f"{int(low['stays_low'].sum()):,} stay below when the limits are widened for what wards "
            "differ by anyway."
        )
        sentences.append(_where_lost(low))
    together = frame[frame["cluster"] == Cluster.LOW]
    if len(together):
        names = Counter(together["lad_name"].dropna())
        where = ", ".join(f"{name} ({n})" for name, n in names.most_common(4))
        sentences.append(
            f"**{counted(len(together), 'ward')}** {'is' if len(together) == 1 else 'are'} low among "
            f"low neighbours: {where}."
        )
    else:
        sentences.append("No wards lie together in a cluster of low take-up.")
    sentences.append(_apart(frame))
    return sentences


def _where_lost(low: pd.DataFrame) -> str:
    lost = Counter(low.loc[low["leak"] != "", "leak"])
    parts = [f"{loss} in {n:,}" for loss, n in lost.most_common()]
    return f"Most of the shortfall is lost at: {', '.join(parts)}." if parts else ""


def _apart(frame: pd.DataFrame) -> str:
    apart = Counter(frame.loc[frame["apart"] != "", "apart"])
    if not apart:
        return "Every ward could be judged."
    parts = ", ".join(f"{why[0].lower()}{why[1:]} {n:,}" for why, n in apart.most_common())
    return f"Set apart, and not called low: {parts}."


def tiles(wards: Released, found: TakeUp) -> list[Tile]:
    """Low wards, the missing referrals of these, what is lost most, and who is set apart."""
    frame = wards.frame
    low = frame[frame["place"].isin(LOW)]
    judged = bool((frame["place"] != "").any())
    missing = (low["expected"] - low[REFERRALS]).sum() if judged else None
    lost = Counter(low.loc[low["leak"] != "", "leak"]).most_common(1)
    apart = int((frame["apart"] != "").sum())
    return [
        Tile(
            "Wards below the expected range",
            f"{len(low):,}" if judged else MISSING,
            f"of {int((frame['place'] != '').sum()):,} judged" if judged else "none judged",
            "referrals below the lower 95% limit",
        ),
        Tile(
            "Referrals missing there",
            number(missing),
            "a year",
            "expected less observed, in these wards",
        ),
        Tile(
            "Most often lost at",
            lost[0][0] if lost else MISSING,
            f"in {counted(lost[0][1], 'ward')}" if lost else "",
            LOSS_WORDS[Loss(lost[0][0])] if lost else "no ward is low" if judged else "none judged",
        ),
        Tile("Set apart", f"{apart:,}", counted(apart, "ward").split()[1], "no return, no "
             "provision, hidden, or no expected number"),
    ]  # fmt: skip


def notes(found: TakeUp, basis: Basis) -> list[str]:
    """Source, period and disclosure profile, as every chart carries them."""
    told = []
    if basis.window:
        told.append(
            f"Referrals {month(basis.window[0])} to {month(basis.window[1])}; expected by "
            f"{basis.strata}."
        )
    if found.phi is not None:
        told.append(f"Wards differ {found.phi:.1f} times as much as chance gives.")
    told.append(f"Small numbers: {found.wards.profile.words}.")
    return told


def map_alt(title: str, groups: Sequence[AreaGroup]) -> str:
    """The map as text."""
    counts = "; ".join(f"{g.label}: {len(g.area_codes)}" for g in groups if len(g.area_codes))
    return f"Map of wards: {title}. {counts}. The list below has every ward."


def map_groups(wards: Released, needs: Needs, layer: str) -> list[AreaGroup]:
    """The chosen wards in the groups of a layer; who is set apart stands in groups of their own."""
    frame = wards.frame
    codes = frame["ward_code"]
    if layer == "place":
        groups = [
            AreaGroup(place.value.capitalize(), colour, codes[frame["place"] == place].tolist())
            for place, colour in zip(Place, PLACE_COLOURS, strict=True)
        ]
        return [*groups, *_set_apart(frame)]
    if layer == "cluster":
        groups = [
            AreaGroup(CLUSTER_WORDS[kind], colour, codes[frame["cluster"] == kind].tolist())
            for kind, colour in zip(
                (Cluster.LOW, Cluster.LOW_AMONG_HIGH, Cluster.NONE, Cluster.HIGH_AMONG_LOW,
                 Cluster.HIGH),
                CLUSTER_COLOURS,
                strict=True,
            )
        ]  # fmt: skip
        islands = codes[frame["cluster"] == Cluster.ISLAND].tolist()
        island = AreaGroup(CLUSTER_WORDS[Cluster.ISLAND], NO_POPULATION_COLOUR, islands)
        return [*groups, island, *_set_apart(frame)]
    if layer == "smoothed":
        return [*_classed(codes, frame["smoothed"], 0, reverse=True), *_set_apart(frame)]
    if layer == "fifth":
        values = frame["imd_fifth"].astype("Float64")
        groups = _classed(codes, values, 0, reverse=True)
    else:
        named = needs.values[layer.removeprefix("index ")]
        values = codes.map(named).astype("Float64")
        groups = _classed(codes, values, 1)
    missing = codes[values.isna()].tolist()
    return [*groups, AreaGroup("No return", NO_RETURN_COLOUR, missing, texture=HATCHED)]


def _classed(
    codes: pd.Series[str], values: pd.Series[float], decimals: int, *, reverse: bool = False
) -> list[AreaGroup]:
    """Wards with a value in classes, the darkest where need is most (or, reversed, least)."""
    classes = number_classes(values)
    colours = [
        SEQUENCE[round(place * (len(SEQUENCE) - 1) / max(len(classes) - 1, 1))]
        for place in range(len(classes))
    ]
    return [
        AreaGroup(
            number(part.low, decimals)
            + (f" to {number(part.high, decimals)}" if part.high > part.low else ""),
            colour,
            codes[part.holds(values)].tolist(),
            [round(float(value), decimals) for value in values[part.holds(values)]],
            f"%{{z:,.{decimals}f}}",
        )
        for part, colour in zip(classes, colours[::-1] if reverse else colours, strict=True)
    ]


def _set_apart(frame: pd.DataFrame) -> list[AreaGroup]:
    codes = frame["ward_code"]
    groups = [
        AreaGroup(status.value, colour, codes[frame["apart"] == status].tolist(), texture=texture)
        for status, colour, texture in _APART
    ]
    rest = codes[frame["apart"] == NO_EXPECTED].tolist()
    return [*groups, AreaGroup("No expected number", NO_POPULATION_COLOUR, rest, texture=DASHED)]


def in_order(wards: Released) -> Released:
    """Low wards by their shortfall, then the others judged, then who is set apart."""
    frame = wards.frame
    # Only low wards have a shortfall; the missing stand last.
    order = frame.assign(
        is_apart=frame["apart"] != "", gap=frame["expected"] - frame[REFERRALS].astype("Float64")
    ).sort_values(
        ["is_apart", "shortfall", "gap", "ward_name"], ascending=[True, False, False, True]
    )
    return Released(order.drop(columns=["is_apart", "gap"]), wards.people, wards.profile)


def ward_columns(needs: Needs) -> Sequence[Column]:
    """The columns of the list of wards."""
    return (
        Column("Ward", lambda r: Cell(r.ward_name, note=_text(r.lad_name))),
        Column("Take-up", _take_up, is_wide=True),
        Column("Referrals, 12 months", _referrals, is_number=True),
        Column("Expected", lambda r: _hidden(r) or _number(r.expected, 0), is_number=True),
        Column("Ratio", lambda r: _hidden(r) or _number(r.take_up_ratio, 0), is_number=True),
        Column("Smoothed", lambda r: _number(r.smoothed, 0), is_number=True),
        Column("Lost at", lambda r: Cell(r.leak or MISSING, note=_lost(r))),
        Column("Around it", lambda r: Cell(CLUSTER_WORDS.get(r.cluster, MISSING))),
        Column("Deprivation fifth", lambda r: _number(r.imd_fifth, 0), is_number=True),
        *(_index_column(needs, name) for name in needs.names),
        Column("People", lambda r: _number(r.population, 0), is_number=True),
    )


def _index_column(needs: Needs, name: str) -> Column:
    values = needs.values[name]
    return Column(name, lambda r: _number(values.get(r.ward_code), 1), is_number=True)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _take_up(row: Any) -> Cell:
    if row.apart:
        return Cell(row.apart, note="set apart: " + row.reason)
    stays = "stays low when limits are widened" if row.stays_low else ""
    return Cell(row.place, note=stays)


def _hidden(row: Any) -> Cell | None:
    return Cell(HIDDEN_MARK) if getattr(row, hidden_flag(REFERRALS)) else None


def _referrals(row: Any) -> Cell:
    value = getattr(row, REFERRALS)
    return _hidden(row) or _number(value, 0)


def _number(value: Any, decimals: int) -> Cell:
    if value is None or pd.isna(value):
        return Cell(MISSING)
    return Cell(number(value, decimals), float(value))


def _lost(row: Any) -> str:
    return "" if pd.isna(row.lost) else f"{number(row.lost)} people"


def leak_finding(found: Leak) -> list[str]:
    """Where most is lost in one ward."""
    until = _until(found)
    if found.main is None:
        return [f"As many {until} as the board's rates and shares would give, or more."]
    people = found.by_loss[found.main]
    return [
        f"**{number(found.shortfall)} fewer** {until} in 12 months than the board's rates and shares "
        f"would give. **{number(people)}** of what is lost is lost here: {LOSS_WORDS[found.main]}."
    ]


def _until(found: Leak) -> str:
    words = {REFERRED: "were referred", "accepted": "were accepted", "contacted": "were contacted",
             "connected": "were connected to a service", "attended": "attended"}  # fmt: skip
    return words[found.until]


def leak_table(found: Leak) -> Rows:
    """One row per part, in the order of the pathway, and their sum."""
    rows = [
        (
            part.loss.value,
            LOSS_WORDS[part.loss],
            number(part.people, 1),
            "beyond chance" if part.is_beyond_chance else "within chance",
        )
        for part in found.parts
    ]
    total = ("Shortfall", f"people who would have come as far as: {STEP_TITLES[found.until].lower()}",
             number(found.shortfall, 1), "")  # fmt: skip
    return ("Lost at", "What it says", "People", "Against chance"), [*rows, total]


def lost_people(wards: Released, found: TakeUp) -> dict[Loss, float]:
    """People lost over the chosen low wards by where, most first."""
    people: dict[Loss, float] = {}
    for code in wards.frame["ward_code"]:
        for loss, lost in found.leaks[code].by_loss.items() if code in found.leaks else ():
            people[loss] = people.get(loss, 0.0) + lost
    return dict(sorted(people.items(), key=lambda one: -one[1]))


def losses_table(wards: Released, found: TakeUp) -> Rows:
    """One row per loss over the chosen low wards: people, and in how many it is the main one.

    There is no sum: what is known of some wards ends at an earlier step than of others.
    """
    mine = [found.leaks[code] for code in wards.frame["ward_code"] if code in found.leaks]
    main = Counter(leak.main for leak in mine)
    rows = [
        (loss.value, LOSS_WORDS[loss], number(people, 1), f"{main[loss]:,}")
        for loss, people in lost_people(wards, found).items()
    ]
    return ("Lost at", "What it says", "People", "Wards where it is the most"), rows


def low_table(wards: Released, found: TakeUp, leads: Mapping[str, str]) -> Rows:
    """One row per low ward: what is missing, where most is lost, and who leads its locality.

    `leads` by district. The shortfall is of people who would have come as far as is told beside it.
    """
    low = in_order(wards).frame
    rows = [
        (
            row.ward_name,
            _text(row.lad_name),
            number(getattr(row, REFERRALS)),
            number(row.expected),
            number(row.expected - getattr(row, REFERRALS)),
            row.leak or MISSING,
            MISSING if pd.isna(row.lost) else number(row.lost),
            f"{number(row.shortfall)}, {STEP_TITLES[found.leaks[row.ward_code].until].lower()}",
            leads.get(row.lad_code, "no named lead"),
        )
        for row in each_row(low[low["place"].isin(LOW)])
    ]
    return ("Ward", "Locality", "Referrals", "Expected", "Missing", "Lost most at",
            "People lost there", "Shortfall, as far as", "Named lead"), rows  # fmt: skip


def lead_names(leads: pd.DataFrame) -> dict[str, str]:
    """The posts that lead each district that has one."""
    named = leads.dropna(subset="post_name")
    return {str(code): "; ".join(mine["post_name"]) for code, mine in named.groupby("lad_code")}


def ward_facts(ward: Any, needs: Needs, leads: pd.DataFrame) -> list[tuple[str, str]]:
    """What one ward needs, and who leads its locality."""
    fifth = MISSING
    if pd.notna(ward.imd_fifth):
        fifth = f"national fifth {ward.imd_fifth} (1 is most deprived), IMD {ward.index_year}"
    facts = [("Deprivation", fifth)]
    for name in needs.names:
        value = needs.values[name].get(ward.ward_code)
        high = needs.high[name].get(ward.ward_code)
        words = MISSING if value is None or pd.isna(value) else number(value, 1)
        if high is not None and pd.notna(high):
            words += f"; {high:.0%} of its LSOAs in the two highest deciles"
        facts.append((name[0].upper() + name[1:], words))
    named = leads.dropna(subset="post_name")
    call = "; ".join(
        f"{row.post_name}" + (f" ({row.profession})" if pd.notna(row.profession) else "")
        for row in each_row(named)
    )
    return [*facts, ("Named lead", call or "none for this locality")]
