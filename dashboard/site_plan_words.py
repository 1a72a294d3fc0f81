"""Where to fund next in words: the plan, its sites, who remains, and what it assumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.charts.area_map import HATCHED, AreaGroup
from dashboard.reach import travel_mode
from dashboard.rules.coverage import Status
from dashboard.rules.needs import NEED_THEMES
from dashboard.settings import settings
from dashboard.show import Explanation, Tile
from dashboard.site_plan import (
    KINDS,
    NO_NEED,
    NOT_HELD,
    PARTLY,
    PROVIDED,
    REACHED,
    SITE,
    UNKNOWN,
    UNREACHED,
    VENUE,
    WARD,
    Plan,
    PlanChoices,
)
from dashboard.style import (
    MISSING,
    NO_RETURN_COLOUR,
    STATUS_COLOURS,
    counted,
    number,
)
from dashboard.unmet_need import ADULTS, EXPECTED, GAPS, INDEX, MEASURES, SERVED, WHOSE
from geodata.site_problem import Goal
from queries.frames import each_row

Rows = tuple[Sequence[str], Sequence[Sequence[str]]]

GOALS = {
    Goal.REACH.value: "Reach the most unmet need",
    Goal.NEAREST.value: "Shortest way for all together",
    Goal.FURTHEST.value: "Shortest way for the furthest",
    Goal.FEWEST.value: "Fewest sites that reach all",
}
NUMBERS = {"2": "At most 2 sites", "1": "At most 1 site"} | {
    str(n): f"At most {n} sites" for n in (3, 4, 5, 6, 8, 10, 15, 25)
} | {"any": "As many as the budget allows"}  # fmt: skip
BUDGETS = {"": "No limit"} | {
    str(pounds): f"£{pounds:,} a year"
    for pounds in (
        50_000, 75_000, 100_000, 125_000, 150_000, 200_000, 250_000, 300_000, 400_000, 500_000,
        750_000, 1_000_000,
    )
}  # fmt: skip
SHARES = {"": "No least share"} | {
    str(share): f"At least {share}%" for share in (20, 40, 50, 60, 80, 100)
}
PLACES = {"": "No limit"} | {
    str(people): f"{people} people where none is told" for people in (100, 150, 200, 250, 500)
}
COSTS = {str(pounds): f"£{pounds:,} a year" for pounds in range(10_000, 105_000, 5_000)}
FTES = {"1": "1 FTE", "0": "None", "0.5": "0.5 FTE", "2": "2 FTE"}
WHOSE_WORDS = {name: words[0].upper() + words[1:] for name, words in WHOSE.items()}
KIND_WORDS = {WARD: "new place", VENUE: "existing venue", SITE: "listed site"}
STATE_WORDS = {
    PROVIDED: "Has all three components",
    REACHED: "Reached by the plan",
    PARTLY: "Reached for some of its people",
    UNREACHED: "Not reached",
    NO_NEED: "No unmet need by this measure",
    UNKNOWN: "Need or provision not known",
}
ABOUT = Explanation(
    "The sites that together reach most of the unmet need within the limits that are chosen, proven "
    "best by integer programming, before and after.",
    "What is chosen can be defended: every assumption stands above, and another choice of them "
    "shows what it changes.",
    (
        "Unmet need is an estimate: referrals expected by the board's rates less those received.",
        "Within reach says that people could come, not that they will.",
        "Costs are what is chosen above or returned with a listed site; no national figure exists.",
        "Wards nobody told us enough about are in no plan; they are listed below.",
    ),
)


def reach_options(modes: Sequence[str]) -> dict[str, str]:
    """How far is within reach, the setting first and once: no two options may read the same."""
    usual = settings()
    if travel_mode(modes):
        first, others, unit = usual.reach_minutes, [10, 15, 20, 30, 45, 60], "minutes"
    else:
        first, others, unit = usual.reach_metres / 1_000, [1, 2, 3, 4, 6, 8, 10], "km"
    return {"": f"{first:g} {unit}"} | {
        str(other): f"{other} {unit}" for other in others if other != first
    }


def need_words(plan: Plan) -> str:
    """What need is counted in."""
    measure = plan.need.measure
    if measure == EXPECTED:
        return "referrals expected and not received in 12 months"
    if measure == SERVED:
        return (
            "referrals not received in 12 months, expected at the level of wards with all three "
            f"components ({plan.need.factor:.2f} times the board's rates)"
        )
    if measure == ADULTS:
        return "adults"
    return (
        f"adults by the share of LSOAs in the two highest deciles of {measure.removeprefix(INDEX)}"
    )


def unit(plan: Plan) -> str:
    """What one of the need is called."""
    return "people" if plan.need.measure in (EXPECTED, SERVED) else "adults"


def finding(plan: Plan) -> list[str]:
    """What the plan reaches at what cost, and what limits or prevents it."""
    found, what, left = plan.found, unit(plan), _in_no_plan(plan)
    frame = plan.wards.frame
    need = frame.loc[frame["state"].isin(_TO_REACH), "need"].sum()
    if found.infeasible == NOT_HELD:
        return [f"**No plan**: {NOT_HELD}.", left]
    if found.infeasible and plan.sites.empty:
        return [f"**No plan** keeps to every limit: {found.infeasible}.", left]
    if (frame["state"] == UNKNOWN).all():
        return ["**No plan**: this area has no ward whose need and provision are known.", left]
    if plan.sites.empty:
        return ["**Nothing to reach**: no candidate is within reach of a ward with unmet need.",
                left]  # fmt: skip
    reached = int(frame["state"].isin((REACHED, PARTLY)).sum())
    number_of = len(plan.sites)
    sentences = [
        f"**{counted(number_of, 'site')}** for **{pounds(plan.cost)}** a year "
        f"{'reaches' if number_of == 1 else 'reach'} {counted(reached, 'ward')} and "
        f"**{number(found.reached_need)} of {number(need)} {what}** with unmet need"
        + (f": {_each(plan)} for each more who is reached." if found.reached_need else ".")
    ]
    partly = int((frame["state"] == PARTLY).sum())
    if partly:
        sentences.append(f"In {counted(partly, 'of the wards', 'of the wards')} there is not room for "
                         "all.")  # fmt: skip
    wanted = plan.choices.sites_wanted
    if wanted and number_of < wanted and plan.choices.goal == Goal.REACH:
        sentences.append(
            f"More than {counted(number_of, 'site')} would reach nobody else within the limits."
        )
    share = plan.need.without_provision
    if share is not None and plan.need.measure in (EXPECTED, SERVED):
        sentences.append(
            f"**{share:.0%}** of the board's unmet need that is known is in wards that lack a "
            "component; the rest is where all three are and fewer come than expected."
        )
    if found.infeasible:
        sentences.append(f"{found.infeasible[0].upper()}{found.infeasible[1:]}.")
    return [*sentences, left]


_TO_REACH = (REACHED, PARTLY, UNREACHED)


def _in_no_plan(plan: Plan) -> str:
    """How many wards are in no plan, and what nobody told of them."""
    frame = plan.wards.frame
    unknown = frame[frame["state"] == UNKNOWN]
    if frame.empty:
        return "This area has no ward."
    if unknown.empty:
        return "The need and the provision of every ward are known."
    without_need = int(unknown["need"].isna().sum())
    why = [
        f"{words} of {count_of:,}"
        for words, count_of in (
            ("the need", without_need),
            ("the provision", len(unknown) - without_need),
        )
        if count_of
    ]
    return (
        f"{counted(len(unknown), 'ward')} {'is' if len(unknown) == 1 else 'are'} in no plan: nobody "
        f"told us {' and '.join(why)}."
    )


def _each(plan: Plan) -> str:
    people = plan.found.reached_need
    return pounds(plan.cost / people) if people else "nothing"


def pounds(value: Any) -> str:
    """'£1,234'; a dash where it is missing."""
    return MISSING if pd.isna(value) else f"£{number(value)}"


def tiles(plan: Plan) -> list[Tile]:
    """Reached, cost, cost for each, and how sure the best is the best."""
    found, frame = plan.found, plan.wards.frame
    left_out = frame[frame["left"] > 0]
    is_known = bool((frame["state"] != UNKNOWN).any()) and not pd.isna(found.objective)
    is_known &= not (found.infeasible and plan.sites.empty)
    if not is_known:
        proof = "no plan"
    else:
        proof = "proven best" if found.is_optimal else f"within {found.gap:.1%} of the best"
    left = number(left_out["left"].sum()) if is_known else MISSING
    return [
        Tile(
            "Newly reached",
            number(found.reached_need) if is_known else MISSING,
            f"{unit(plan)} a year" if unit(plan) == "people" else unit(plan),
            need_words(plan),
        ),
        Tile(
            "Cost",
            pounds(plan.cost) if is_known else MISSING,
            "a year",
            f"{_each(plan)} for each who is reached" if found.reached_need else "nobody is reached",
        ),
        Tile("Remain unreached", left, unit(plan), f"in {counted(len(left_out), 'ward')}"),
        Tile(
            "How it was chosen",
            proof,
            f"in {max(found.seconds, 0.1):.1f} s",
            f"of {counted(len(plan.candidates), 'candidate')}, by HiGHS",
        ),
    ]


def map_groups(plan: Plan, *, is_after: bool) -> list[AreaGroup]:
    """The wards by their state, before or after."""
    frame = plan.wards.frame
    state = frame["state"]
    if not is_after:
        state = state.mask(state.isin((REACHED, PARTLY)), UNREACHED)
    colours = {
        UNREACHED: STATUS_COLOURS[Status.NO_PROVISION],
        PARTLY: "#E07B39",
        REACHED: "#F4B183",
        PROVIDED: "#9DC3E6",
        NO_NEED: "#E7EDF3",
        UNKNOWN: NO_RETURN_COLOUR,
    }
    return [
        AreaGroup(
            STATE_WORDS[name],
            colour,
            frame["ward_code"][state == name].tolist(),
            texture=HATCHED if name == UNKNOWN else "",
        )
        for name, colour in colours.items()
    ]


def map_alt(plan: Plan, *, is_after: bool) -> str:
    """The map as text."""
    groups = map_groups(plan, is_after=is_after)
    counts = "; ".join(f"{g.label}: {len(g.area_codes)}" for g in groups if len(g.area_codes))
    when = "after" if is_after else "before"
    return f"Wards {when} the plan. {counts}. The tables below have every ward."


def sites_table(plan: Plan) -> Rows:
    """One row per chosen site, in order of what each adds."""
    rows = [
        (
            f"{place}. {row.site_name}",
            KIND_WORDS[row.kind],
            number(row.gain),
            number(row.reached_so_far),
            pounds(row.cost),
            pounds(row.cost_so_far),
            pounds(row.cost_per_person),
        )
        for place, row in enumerate(each_row(plan.sites), start=1)
    ]
    people = unit(plan)
    return ("Site", "What it is", f"Adds, {people}", f"Reached so far, {people}", "Cost a year",
            "Cost so far", "Cost for each more"), rows  # fmt: skip


def why_sites(plan: Plan) -> list[str]:
    """Why each site was chosen, in a sentence."""
    frame = plan.wards.frame
    served = plan.found.served.groupby("site_code")["people"].sum()
    sentences = []
    for place, row in enumerate(each_row(plan.sites), start=1):
        mine = frame[frame["site"] == row.code]
        deprived = int((mine["imd_fifth"] == 1).sum())
        gaps = int(mine["has_gap"].sum())
        names = mine.sort_values("need", ascending=False)["ward_name"].tolist()
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        if mine.empty:
            sentences.append(f"{place}. {row.site_name}: no ward goes to it that no other reaches.")
            continue
        sentences.append(
            f"{place}. {row.site_name}: for {number(served.get(row.code, 0.0))} {unit(plan)} of "
            f"{counted(len(mine), 'ward')} that it is best for ({listed}); {gaps} lack a "
            f"component and {deprived} {'is' if deprived == 1 else 'are'} in the most deprived fifth."
        )
    return sentences


def unreached_table(plan: Plan) -> Rows:
    """One row per ward with need that the plan does not reach, or not for all, the most first."""
    frame = plan.wards.frame
    return _wards_table(plan, frame[frame["left"] > 0])


def need_table(plan: Plan) -> Rows:
    """One row per chosen ward, the most need first; those not known last."""
    return _wards_table(plan, plan.wards.frame)


def _wards_table(plan: Plan, frame: pd.DataFrame) -> Rows:
    names = plan.sites.set_index("code")["site_name"] if len(plan.sites) else pd.Series(dtype=str)
    ordered = frame.sort_values(["need", "ward_name"], ascending=[False, True], na_position="last")
    rows = [
        (
            row.ward_name,
            "" if pd.isna(row.lad_name) else row.lad_name,
            row.status,
            need_cell(row),
            number(row.imd_fifth),
            STATE_WORDS[row.state]
            + (f", {number(row.left)} left" if row.state == PARTLY else "")
            + (f": {names[row.site]}" if pd.notna(row.site) else ""),
        )
        for row in each_row(ordered)
    ]
    return ("Ward", "Locality", "Status", f"Unmet need, {unit(plan)} (95%)", "Deprivation fifth",
            "After the plan"), rows  # fmt: skip


def need_cell(row: Any) -> str:
    """The need of one ward with its interval; what rests on a hidden count says so."""
    if pd.isna(row.need):
        return "not known"
    words = number(row.need)
    if pd.notna(row.lower):
        words += f" ({number(row.lower)} to {number(row.upper)})"
    return f"about {words}, count hidden" if row.is_estimated else words


def assumptions(plan: Plan) -> list[tuple[str, str]]:
    """Everything the plan assumes, as it stands on the page and in exports."""
    choices = plan.choices
    share = plan.need.theme_share
    facts = [
        ("Goal", GOALS[choices.goal]),
        ("Need", need_words(plan)),
        ("Counted in", WHOSE[choices.whose]),
    ]
    if plan.need.theme:
        facts.append(("Theme", f"{plan.need.theme}, {share:.0%} of referrals by need"))
    facts += [
        ("Candidates", f"{KINDS[choices.kinds]}: {len(plan.candidates):,}"),
        ("Within reach", plan.ways.words),
        ("Number of sites", _number_words(choices)),
        ("Budget", BUDGETS[choices.budget]),
        ("Deprivation deciles 1 and 2", f"{SHARES[choices.share]} of those newly reached"),
        ("Room at a site", PLACES[choices.places]),
        ("Cost", f"new place {COSTS[choices.cost_new]}, existing venue {COSTS[choices.cost_venue]}, "
         "listed sites their own"),
        ("Link worker at each site", FTES[choices.site_fte]),
        ("Kept", "wards with all three components count as reached"
         if choices.whose == GAPS else "nothing counts as reached before the plan"),
        ("Small numbers", plan.wards.profile.words + "; a hidden count counts as the middle of "
         "its range"),
    ]  # fmt: skip
    return facts


def _number_words(choices: PlanChoices) -> str:
    """At most so many where need is reached; exactly so many where everybody is sent."""
    if choices.goal == Goal.FEWEST:
        return "As few as reach all"
    if choices.goal == Goal.REACH or choices.sites_wanted is None:
        return NUMBERS[choices.sites]
    return counted(choices.sites_wanted, "site")


def in_short(plan: Plan) -> str:
    """What the plan assumes, in one line."""
    said = dict(assumptions(plan))
    names = ("Goal", "Counted in", "Theme", "Number of sites", "Budget", "Within reach",
             "Deprivation deciles 1 and 2", "Room at a site")  # fmt: skip
    # Of what there is no limit.
    titles = {"Budget": "budget: ", "Room at a site": "room at a site: "}
    told = (titles.get(name, "") + said[name] for name in names if name in said)
    return f"Assumed: {'; '.join(told)}."


def choices_of(address: Mapping[str, str]) -> PlanChoices:
    """The choices of a plan from an address; what is no option of ours falls back to the usual."""
    allowed: Mapping[str, Mapping[str, str]] = {
        "whose": WHOSE, "kinds": KINDS, "goal": GOALS, "sites": NUMBERS, "budget": BUDGETS,
        "share": SHARES, "places": PLACES, "cost_new": COSTS, "cost_venue": COSTS, "site_fte": FTES,
    }  # fmt: skip
    usual = PlanChoices()
    said = {
        name: address[name] if address.get(name) in options else getattr(usual, name)
        for name, options in allowed.items()
    }
    need, theme, reach = (address.get(name, "") for name in ("need", "theme", "reach"))
    return PlanChoices(
        **said,
        need=need if need in MEASURES or need.startswith(INDEX) else usual.need,
        theme=theme if theme in NEED_THEMES else "",
        reach=reach if reach.isdecimal() and 0 < int(reach) <= 120 else "",
    )
