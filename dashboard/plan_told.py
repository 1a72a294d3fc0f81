"""What a plan says further: how sure it is, what if, equity, and two plans side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

import pandas as pd
from sqlalchemy import Engine

from dashboard.charts.area_map import HATCHED, AreaGroup
from dashboard.filters import (
    CLOSE,
    END,
    LOCALITY,
    MOVED,
    PCN,
    SUPPOSED,
    WORKER_FROM,
    WORKER_TO,
    Area,
    Choices,
)
from dashboard.plan_equity import PlanEquity
from dashboard.providers import WAITING
from dashboard.rules.classes import number_classes
from dashboard.rules.disclosure import hidden_flag
from dashboard.rules.inequality import SlopeIndex
from dashboard.site_plan import UNKNOWN, Plan, PlanChoices
from dashboard.site_plan_words import (
    assumptions,
    choices_of,
    pounds,
    unit,
)
from dashboard.style import MISSING, NO_RETURN_COLOUR, SEQUENCE, count, counted, number
from dashboard.supposed import Supposed, supposed, what_if_of
from dashboard.sureness import Sureness
from dashboard.workforce import pcn_workforce
from queries.frames import each_row
from queries.scope import Scope

Rows = tuple[Sequence[str], Sequence[Sequence[str]]]

TRIES = (
    "{n} plans are worked out apart from the page: other reach, other measures of need, another "
    "budget or number of sites, and need drawn again from its interval."
)
SUPPOSED_NOTE = (
    "Only what is supposed changes; everything else stays as it is returned. Who used a service that "
    "closes may go on elsewhere, or nowhere: the free places near it are those that others return "
    "for one of the same needs in a ward it serves."
)
NONE = "Nothing"
# What is supposed, and which wards would lose cover by it.
NOT_SUPPOSED = ("nothing", "none")


def notes(plan: Plan) -> list[str]:
    """What the plan rests on, below its pictures."""
    return [f"Within reach is {plan.ways.words}.", f"Small numbers: {plan.wards.profile.words}."]


def unknown_table(plan: Plan) -> Rows:
    """One row per ward that is in no plan, and why."""
    frame = plan.wards.frame
    rows = [
        (row.ward_name, "" if pd.isna(row.lad_name) else row.lad_name, row.status, row.reason)
        for row in each_row(frame[frame["state"] == UNKNOWN].sort_values("ward_name"))
    ]
    return ("Ward", "Locality", "Status", "Why"), rows


def need_groups(plan: Plan) -> tuple[list[AreaGroup], str]:
    """The wards by their need in classes, and the map in words."""
    frame = plan.wards.frame
    codes, values = frame["ward_code"], frame["need"].astype("Float64").round()
    classes = number_classes(values)
    groups = [
        AreaGroup(
            number(part.low) + (f" to {number(part.high)}" if part.high > part.low else ""),
            SEQUENCE[round(place * (len(SEQUENCE) - 1) / max(len(classes) - 1, 1))],
            codes[part.holds(values)].tolist(),
            [round(float(value)) for value in values[part.holds(values)]],
            "%{z:,.0f}",
        )
        for place, part in enumerate(classes)
    ]
    missing = codes[values.isna()].tolist()
    groups.append(AreaGroup("Not known", NO_RETURN_COLOUR, missing, texture=HATCHED))
    counts = "; ".join(f"{g.label}: {len(g.area_codes)}" for g in groups if len(g.area_codes))
    return groups, f"Map of unmet need by ward. {counts}. The table below has every ward."


def sure_finding(found: Sureness) -> list[str]:
    """Which sites are always chosen, and which hardly ever."""
    always = found.sites[found.sites["share"] >= 1]
    planned = found.sites[found.sites["in_plan"]]
    weakest = planned.sort_values("share").head(1)
    if len(always):
        words = [
            f"**{counted(len(always), 'site')}** {'is' if len(always) == 1 else 'are'} chosen in all "
            f"**{found.all_cases:,}** plans: {', '.join(always['site_name'])}."
        ]
    else:
        first = found.sites.iloc[0]
        words = [
            f"**No site** is chosen in all **{found.all_cases:,}** plans; most often "
            f"{first['site_name']}, in **{first['share']:.0%}**."
        ]
    if len(weakest) and float(weakest["share"].iloc[0]) < 1:
        words.append(
            f"Of this plan, {weakest['site_name'].iloc[0]} is the least sure: chosen in "
            f"{float(weakest['share'].iloc[0]):.0%}. A near site is chosen in its place, or another "
            "ward."
        )
    return words


def sure_table(found: Sureness) -> Rows:
    """One row per site that any plan chose, those always chosen first."""
    rows = [
        (row.site_name, "yes" if row.in_plan else "no", f"{row.share:.0%}")
        for row in each_row(found.sites)
    ]
    return ("Site", "In this plan", "Chosen in"), rows


def cases_table(plan: Plan, found: Sureness) -> Rows:
    """One row per assumption that was tried."""
    rows = [
        (
            row.label,
            row.sites or row.infeasible or "no site",
            number(row.reached),
        )
        for row in each_row(found.cases)
    ]
    return ("Assumption", "Sites", f"Reached, {unit(plan)}"), rows


def networks(engine: Engine, scope: Scope, choices: Choices) -> dict[str, str]:
    """The networks of the board by code."""
    frame = pcn_workforce(engine, scope, choices.icb_code, choices.as_at).pcns.frame
    names = frame["pcn_name"].fillna(frame["pcn_code"])
    return dict(sorted(zip(frame["pcn_code"], names, strict=True), key=lambda one: one[1]))


def suppositions(
    services: pd.DataFrame, pcns: Mapping[str, str]
) -> dict[str, tuple[str, dict[str, str]]]:
    """What can be supposed: label and options, by the name in the address."""
    providers = sorted(services["provider"].dropna().unique())
    ending = services[services["funding_ends"].notna()].sort_values(
        ["funding_ends", "service_name"]
    )
    contracts = {
        row.service_key: f"{row.service_name}, {row.provider} (ends {row.funding_ends})"
        for row in each_row(ending)
    }
    return {
        CLOSE: ("A provider closes", {"": NONE} | {name: name for name in providers}),
        END: ("A contract ends", {"": NONE} | contracts),
        WORKER_FROM: ("A link worker leaves", {"": "No network"} | dict(pcns)),
        WORKER_TO: ("A link worker comes to", {"": "No network"} | dict(pcns)),
        MOVED: ("So many", {"1": "1 FTE", "0.5": "0.5 FTE", "2": "2 FTE", "3": "3 FTE"}),
    }


def supposed_finding(found: Supposed) -> list[str]:
    """Which wards would lose cover, who lives there, and what is free near."""
    frame = found.wards.frame
    lost = frame[frame["loses_cover"]]
    gained = frame[~frame["loses_cover"] & (frame["status_before"] != frame["status_after"])]
    words = [f"**{counted(len(lost), 'ward')}** would lose cover."]
    if len(lost):
        people = lost["adults"].sum(min_count=1)
        live = "" if pd.isna(people) else f"; **{int(people):,} adults** live there"
        words = [
            f"**{counted(len(lost), 'ward')}** would lose cover{live}: "
            f"{', '.join(lost['ward_name'].head(5))}{' and more' if len(lost) > 5 else ''}."
        ]
    if len(gained):
        words.append(f"The status of {counted(len(gained), 'other ward')} would change.")
    if len(found.closed):
        filled = found.closed["places_filled"].sum(min_count=1)
        free = found.closed["free_near"].sum(min_count=1)
        words.append(
            f"{counted(len(found.closed), 'service closes', 'services close')}: "
            + ("nobody said how many people they support" if pd.isna(filled)
               else f"{int(filled):,} people have a place there")
            + ("; no other service nearby says it has room for the same needs." if pd.isna(free)
               else f"; others nearby return {int(free):,} free places for the same needs.")
        )  # fmt: skip
    return words


def supposed_alt(found: Supposed) -> str:
    """The map as text."""
    lost = int(found.wards.frame["loses_cover"].sum())
    return (
        f"Wards by status as it would be; {counted(lost, 'ward')} that would lose cover "
        f"{'is' if lost == 1 else 'are'} outlined. The table below has every change."
    )


def supposed_table(found: Supposed) -> Rows:
    """One row per ward that would change, those that lose cover first."""
    rows = [
        (
            row.ward_name,
            "" if pd.isna(row.lad_name) else row.lad_name,
            number(row.adults),
            row.status_before,
            row.status_after,
            row.reason_after,
            f"{number(row.fte_per_10k_before, 2)} to {number(row.fte_per_10k_after, 2)}",
            f"{number(row.service_count_before)} to {number(row.service_count_after)}",
        )
        for row in each_row(found.wards.frame)
    ]
    return ("Ward", "Locality", "Adults", "Status now", "Status then", "Why", "FTE per 10,000",
            "Services"), rows  # fmt: skip


def closed_table(found: Supposed) -> Rows:
    """One row per service that closes, and the load on those near it."""
    rows = [
        (
            row.service_name,
            "" if pd.isna(row.provider) else row.provider,
            MISSING if pd.isna(row.themes) else row.themes,
            number(row.places_filled),
            count(row.people_waiting, is_hidden=getattr(row, hidden_flag(WAITING))),
            f"{row.wards:,}",
            MISSING if pd.isna(row.free_near) else number(row.free_near),
        )
        for row in each_row(found.closed)
    ]
    return ("Service", "Provider", "For", "People with a place", "Waiting", "Wards it serves",
            "Free places of others near"), rows  # fmt: skip


def networks_table(found: Supposed) -> Rows:
    """One row per network whose link workers change."""
    rows = [
        (
            row.pcn_name if pd.notna(row.pcn_name) else row.pcn_code,
            number(row.fte_now, 1),
            number(row.fte_then, 1),
            number(row.pressure_now),
            "no worker"
            if pd.notna(row.fte_then) and row.fte_then == 0
            else number(row.pressure_then),
        )
        for row in each_row(found.networks.frame)
    ]
    return ("Network", "FTE now", "FTE then", "Referrals a year for each FTE, now", "Then"), rows


def equity_finding(found: PlanEquity) -> list[str]:
    """How the gap between the ends of deprivation changes."""
    if found.reach_before is None or found.reach_after is None:
        return ["A slope over deprivation needs people in each of the five fifths."]
    before, after = found.reach_before.slope * 100, found.reach_after.slope * 100
    closer = abs(after) < abs(before) - 0.05
    return [
        f"From the least to the most deprived end, the share of people within reach differs by "
        f"**{before:+.1f} percentage points** now and **{after:+.1f}** after the plan: the ends come "
        f"{'closer together' if closer else 'no closer together'}."
    ]


def equity_table(found: PlanEquity) -> Rows:
    """One row per fifth, and the slope."""
    ends = {1: "1, most deprived", 5: "5, least deprived"}
    rows = [
        (
            ends.get(row.fifth, str(row.fifth)),
            number(row.people),
            *(MISSING if pd.isna(s) else f"{s:.0%}" for s in (row.reach_before, row.reach_after)),
            number(row.fte_before, 2),
            number(row.fte_after, 2),
        )
        for row in each_row(found.fifths)
    ]
    rows.append(
        (
            "Slope index, least to most deprived",
            "",
            *(_points(slope, 100, 1) for slope in (found.reach_before, found.reach_after)),
            *(_points(slope, 1, 2) for slope in (found.fte_before, found.fte_after)),
        )
    )
    return (
        "Fifth",
        "People",
        "Within reach now",
        "After",
        "FTE per 10,000 now",
        "After the plan",
    ), rows


def _points(slope: SlopeIndex | None, times: float, decimals: int) -> str:
    return MISSING if slope is None else f"{slope.slope * times:+.{decimals}f}"


def equity_notes(plan: Plan, found: PlanEquity) -> list[str]:
    """What is in it."""
    words = ["Of everybody who lives there, not of a sample: no interval."]
    if found.left_out:
        words.append(f"{counted(found.left_out, 'ward')} left out: need, people or deprivation not "
                     "known.")  # fmt: skip
    fte = plan.choices.number("site_fte") or 0
    words.append(f"Each site brings {fte:g} FTE, shared out over its wards by their need.")
    return words


def as_text(chosen: Mapping[str, str]) -> str:
    """Choices as a link has them."""
    return urlencode(sorted(chosen.items()))


def _said(saved: pd.DataFrame, name: str) -> dict[str, str]:
    return dict(parse_qsl(saved.set_index("scenario_name")["choices"][name]))


def choices_of_saved(saved: pd.DataFrame, name: str) -> PlanChoices:
    """What a saved plan assumes."""
    return choices_of(_said(saved, name))


def area_of_saved(saved: pd.DataFrame, name: str, area: Area) -> Area:
    """The area of a saved plan, at the date that is chosen now."""
    said = _said(saved, name)
    return Area(
        area.icb_code, area.as_at, area.with_stale, said.get(LOCALITY, ""), said.get(PCN, "")
    )


def saved_names(saved: pd.DataFrame) -> dict[str, str]:
    """The saved plans for a select box."""
    return {"": "No other plan"} | {name: name for name in saved["scenario_name"]}


def saved_links(saved: pd.DataFrame, choices: Choices) -> list[tuple[str, dict[str, str]]]:
    """Each saved plan in words, and what opens it."""
    return [
        (
            f"{row.scenario_name}, saved by {row.saved_by} on {row.saved_at:%d %B %Y}",
            choices.address(part="plan", **dict(parse_qsl(row.choices))),
        )
        for row in each_row(saved)
    ]


def supposed_of_saved(saved: pd.DataFrame, name: str) -> dict[str, str]:
    """What a saved plan supposes."""
    said = _said(saved, name)
    return {key: said[key] for key in SUPPOSED if key in said}


def consequence(
    engine: Engine, scope: Scope, area: Area, chosen: tuple[tuple[str, str], ...]
) -> tuple[str, str]:
    """What is supposed, in words, and which wards would lose cover by it."""
    said = dict(chosen)
    what_if = what_if_of(engine, scope, area, said)
    if not (what_if.closed or what_if.fte):
        return NOT_SUPPOSED
    names = pcn_workforce(engine, scope, area.icb_code, area.as_at).pcns.frame
    called = dict(zip(names["pcn_code"], names["pcn_name"].fillna(names["pcn_code"]), strict=True))
    words = [f"{said[CLOSE]} closes"] if said.get(CLOSE) else []
    words += [f"{said[END]} ends"] if said.get(END) else []
    words += [f"{change:+g} FTE at {called.get(code, code)}" for code, change in what_if.fte]
    lost = supposed(engine, scope, area, what_if).wards.frame.query("loses_cover")
    return "; ".join(words), f"{len(lost):,}: {', '.join(lost['ward_name'])}" if len(lost) else "0"


def compared(
    mine: Plan,
    other: Plan,
    name: str,
    supposed_by_each: tuple[tuple[str, str], tuple[str, str]] = (NOT_SUPPOSED, NOT_SUPPOSED),
) -> Rows:
    """Two plans, line by line: what they assume where they differ, and what comes of them.
    `supposed_by_each` as `consequence` says it."""
    rows: list[Sequence[str]] = [
        ("Sites", *(_sites(plan) for plan in (mine, other))),
        ("Cost a year", *(pounds(plan.cost) for plan in (mine, other))),
        ("Newly reached", *(f"{number(plan.found.reached_need)} {unit(plan)}" for plan in (mine, other))),
        ("Cost for each", *(
            pounds(plan.cost / plan.found.reached_need) if plan.found.reached_need else MISSING
            for plan in (mine, other)
        )),
    ]  # fmt: skip
    (first, lost), (second, lost_there) = supposed_by_each
    if (first, second) != (NOT_SUPPOSED[0], NOT_SUPPOSED[0]):
        rows += [("Supposed", first, second), ("Wards that would lose cover", lost, lost_there)]
    theirs = dict(assumptions(other))
    for term, words in assumptions(mine):
        beside = theirs.pop(term, "")
        if beside != words:
            rows.append((term, words, beside))
    rows += [(term, "", words) for term, words in theirs.items()]
    return ("What", "This plan", name), rows


def _sites(plan: Plan) -> str:
    return ", ".join(plan.sites["site_name"]) or plan.found.infeasible or "none"
