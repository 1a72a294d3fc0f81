"""Trends, recruitment and provision by need in words and tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from dashboard import workforce_words as words
from dashboard.filters import Choices
from dashboard.provision_by_need import (
    PUBLISHED_FTE,
    PUBLISHED_MONTH,
    PUBLISHED_POINTS,
    ProvisionByNeed,
)
from dashboard.rules.control_chart import ControlChart
from dashboard.rules.disclosure import hidden_flag
from dashboard.rules.inequality import LEAST_GROUPS
from dashboard.rules.projection import month_reached, reached_words
from dashboard.style import MISSING, count, interval, month, number
from dashboard.workforce_view import TRENDS, RecruitmentView, WorkforceView, trend_column
from queries.frames import each_row

# Names said in a sentence; more are counted.
MOST_NAMES = 4
FIFTHS = {
    1: "fifth 1, most deprived",
    2: "fifth 2",
    3: "fifth 3",
    4: "fifth 4",
    5: "fifth 5, least deprived",
}
NO_NEED = (
    "It needs a workforce return, practices with their list sizes or registered patients, and a "
    "deprivation index: the page Data says which are there."
)
Table = tuple[list[str], list[list[str]]]


def no_trend(view: WorkforceView, name: str) -> str:
    """Why there is no month to show."""
    if name == "fte":
        return "No workforce return of these networks is loaded for these months."
    reasons = view.listed.frame.loc[
        view.listed.frame["pcn_code"].isin(view.area), "referral_reason"
    ]
    return next((reason for reason in reasons if reason), "no referral return")


def trend_finding(name: str, judged: ControlChart) -> str:
    """The last month, and what its icon says."""
    last = judged.points[-1]
    value = number(last.value, 1 if name == "fte" else 0)
    unit = " FTE in post" if name == "fte" else f" {TRENDS[name][0].lower()}"
    unjudged = "" if judged.variation else f" {judged.words}"
    return f"**{value}{unit}** in {month(last.date)}.{unjudged}"


def who_is_judged(view: WorkforceView, name: str) -> list[str]:
    """Which networks the trend is made of, where not all of them are in every month."""
    if name != "fte":
        told = int(view.asked_pcns)
        said = [f"From the {told} of {len(view.area)} networks whose referrals are told."]
        hidden = int(view.asked.frame[hidden_flag(name)].sum())
        if hidden:
            months = "1 month is" if hidden == 1 else f"{hidden} months are"
            said.append(
                f"**{months} hidden** and left out of the mean and the limits, which are those of the "
                "other months."
            )
        return said
    fte = view.fte
    if fte.is_whole:
        return []
    names = {row.pcn_code: words.name_of(row) for row in each_row(view.workforce.pcns.frame)}
    gone = [code for code in fte.left if code not in names]
    quiet = [
        code for code in {**dict.fromkeys(fte.left), **dict.fromkeys(fte.silent)} if code in names
    ]
    said = [
        f"{what} {_names(codes, names)}"
        for what, codes in (
            ("first return within these months:", fte.joined),
            ("left the board:", gone),
            ("no return in some of them:", quiet),
            ("with another board before:", fte.moved),
        )
        if codes
    ]
    alike = f"Judged like for like, on the {len(fte.alike)} networks that returned in every month"
    return [f"{alike if fte.alike else 'No network returned in every month'}; {'; '.join(said)}."]


def _names(codes: Sequence[str], names: dict[str, str]) -> str:
    if len(codes) > MOST_NAMES:
        return f"{len(codes)} networks"
    return ", ".join(str(names.get(code, code)) for code in codes)


def trend_table(view: WorkforceView, name: str, judged: ControlChart) -> Table:
    """One row per month of the chart, and those it leaves a gap for."""
    points = {point.date: point for point in judged.points}
    frame, column = trend_column(view, name)
    rows = []
    for row in each_row(frame):
        value = getattr(row, column)
        is_hidden = name != "fte" and bool(getattr(row, hidden_flag(column)))
        point = points.get(row.month)
        rows.append(
            [
                month(row.month),
                number(value, 1) if name == "fte" else count(value, is_hidden=is_hidden),
                judged.colour_words(point.colour)
                if point
                else "hidden"
                if is_hidden
                else "no return",
                *([number(row.fte, 1), number(row.pcns)] if name == "fte" else []),
            ]
        )
    title = TRENDS[name][0]
    if name != "fte":
        return ["Month", title, "Judgement"], rows
    alike = "FTE, like for like" if column == "fte_alike" else title
    return ["Month", alike, "Judgement", "FTE, all that returned", "Networks that returned"], rows


def trend_source(view: WorkforceView, name: str) -> list[str]:
    """What the chart rests on, and how people are protected in it."""
    if name == "fte":
        return ["Published national workforce series, to the rules of Making Data Count."]
    profile = view.asked.profile.words
    return [f"Referral returns, to the rules of Making Data Count. {profile.capitalize()}."]


def recruitment_finding(view: WorkforceView, recruitment: RecruitmentView) -> list[str]:
    """Where these networks stand, and when they get there."""
    found, ahead = recruitment.trajectory, recruitment.ahead
    many = len(found.pcn_codes)
    who = {
        "plan": f"the {many} networks with a plan and a return in every month",
        "target": f"the {many} networks with a target and a return in every month",
        "": f"the {many} networks that returned in every month; none has a plan or a target",
    }[found.basis]
    who = "this network" if len(view.area) == 1 and many == 1 else who
    if not many:
        return ["**No network** returned in every one of these months: nothing to project."]
    if ahead is None:
        return [f"**No projection** for {who}: {recruitment.why_not}."]
    rate = (
        f"{ahead.rate_per_month:+.2f} FTE a month over the last year "
        f"({ahead.rate_lower:+.2f} to {ahead.rate_upper:+.2f})"
    )
    if found.aim_fte is None:
        return [f"**{rate}** in {who}."]
    reached = reached_words(month_reached(ahead, found.aim_fte))
    aim = "target" if found.basis == "target" else "target or plan"
    first = f"**{number(found.aim_fte, 1)} FTE, the {aim}, is {_reached(reached)}**"
    return [f"{first}, at {rate}, for {who}; {number(ahead.last_fte, 1)} FTE now."]


def _reached(words: str) -> str:
    if words == "reached already":
        return words
    return f"not reached {words[4:]}" if words.startswith("not ") else f"reached in {words}"


def moves_finding(view: WorkforceView, recruitment: RecruitmentView) -> list[str]:
    """How many joined and left, and how that is known."""
    frame = recruitment.moves.frame
    if not recruitment.moves_from:
        return [
            "Who joined and who left is not known: no posts return says since when posts are filled, "
            "and the identifiers of the published return do not go on from month to month."
        ]
    joined, left = frame["joined"].sum(), frame["left"].sum()
    known = int(frame["joined"].notna().sum())
    how = {
        "posts": f"as far as the posts return of {view.total.pcns_with_posts} of {view.total.pcns} "
        "networks tells",
        "people": "from the identifiers of the published return, own staff only",
    }[recruitment.moves_from]
    return [f"{joined} joined and {left} left in {known} of the last {len(frame)} months, {how}."]


def recruitment_source(recruitment: RecruitmentView) -> list[str]:
    """What the chart rests on."""
    words = ["In post: published national workforce series. Planned and meant: local returns."]
    if recruitment.ahead:
        words.append(
            f"At this rate: the mean of {recruitment.ahead.changes} monthly changes; the range is that of a "
            "random walk with this drift."
        )
    return words


def recruitment_table(recruitment: RecruitmentView) -> Table:
    """One row per month: in post, planned, meant, at this rate with its range, joined and left."""
    ahead = recruitment.ahead
    frame = recruitment.trajectory.months.frame.set_index("month")
    moved = recruitment.moves.frame.set_index("month")
    path: dict[date, list[float]] = (
        {
            m: values
            for m, *values in zip(
                ahead.months, ahead.central, ahead.lower, ahead.upper, strict=True
            )
        }
        if ahead
        else {}
    )
    rows = []
    for first in sorted({*frame.index, *moved.index, *path}):
        known = frame.loc[first] if first in frame.index else None
        move = moved.loc[first] if first in moved.index else None
        rows.append(
            [
                month(first),
                MISSING if known is None else number(known["fte"], 1),
                MISSING if known is None else number(known["planned_fte"], 1),
                MISSING if known is None else number(recruitment.trajectory.aim_fte, 1),
                _range(path[first]) if first in path else MISSING,
                MISSING if move is None else number(move["joined"]),
                MISSING if move is None else number(move["left"]),
            ]
        )
    return ["Month", "In post", "Planned", "Meant", "At this rate (95%)", "Joined", "Left"], rows


def _range(path: Sequence[float]) -> str:
    central, lower, upper = path
    return interval(central, lower, upper)


def _slope(row: Any) -> str:
    return interval(row["slope"], row["lower"], row["upper"], 2)


def need_finding(found: ProvisionByNeed, choices: Choices) -> list[str]:
    """The slope of the newest month, beside the published one."""
    slopes = found.slopes.frame
    area = f"{choices.icb_name}, the whole board"
    reference = (
        f"Published for England, {PUBLISHED_MONTH:%B %Y}: {PUBLISHED_FTE} FTE fewer for every 10,000 "
        f"where need was {PUBLISHED_POINTS} points more. That is another measure of need, and stands "
        "here as a reference."
    )
    if slopes.empty:
        return [
            f"**No slope**: fewer than {LEAST_GROUPS} fifths of deprivation have patients in {area}.",
            reference,
        ]
    last = slopes.iloc[-1]
    more = "more" if last["slope"] > 0 else "fewer"
    first = (
        f"**{number(abs(last['slope']), 2)} FTE {more} for every 10,000** at the most deprived end than "
        f"at the least, {month(last['month'])}: slope "
        f"{_slope(last)}"
    )
    if pd.notna(last["lower"]) and last["lower"] <= 0 <= last["upper"]:
        first += ", so it may be chance"
    return [f"{first}. {area}.", reference]


def need_notes(found: ProvisionByNeed) -> list[str]:
    """What the comparison rests on."""
    last = found.slopes.frame["pcns_left_out"].iloc[-1] if len(found.slopes.frame) else 0
    shares = {"registered": "registered patients by LSOA", "modelled": "modelled shares"}
    return [
        f"Deprivation {found.index_year}, {shares.get(found.shares, 'shares not known')}, both of today.",
        f"{last} networks without a return or of other boards are left out with their patients.",
    ]


def need_table(found: ProvisionByNeed) -> Table:
    """One row per month: the rate of each fifth, and the slope with its interval."""
    rates = found.fifths.frame.pivot_table(index="month", columns="fifth", values="rate")
    slopes = found.slopes.frame.set_index("month")
    rows = []
    for first in sorted(rates.index):
        slope: Any = slopes.loc[first] if first in slopes.index else None
        rows.append(
            [
                month(first),
                *(number(rates.loc[first].get(fifth, pd.NA), 2) for fifth in FIFTHS),
                MISSING if slope is None else _slope(slope),
            ]
        )
    return ["Month", *(words.capitalize() for words in FIFTHS.values()), "Slope (95%)"], rows
