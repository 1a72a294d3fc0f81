"""What changed on a board since a meeting or a day: found, held back, and what is missing for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage_view import coverage_view
from dashboard.data import fetch_shared
from dashboard.filters import Choices
from dashboard.outcomes_compared import SHARES
from dashboard.outcomes_view import share_trend
from dashboard.own_networks import own_rows
from dashboard.returns_view import PCN_RETURNS
from dashboard.rules.changes import (
    Change,
    Judged,
    corrections,
    in_order,
    return_changes,
    service_changes,
    signals,
    target_changes,
    ward_changes,
)
from dashboard.rules.control_chart import ControlChart, judge_series
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import PROFILES, release, rounding
from dashboard.rules.take_up import months_before
from dashboard.seen import Seen, seen
from dashboard.services import board_services
from dashboard.settings import settings
from dashboard.style import month
from dashboard.workforce import profile
from dashboard.workforce_trend import RECEIVED, asked_of_each
from dashboard.workforce_view import TRENDS, trend_chart, workforce_view
from queries import referrals
from queries.corrections import corrected_fte, corrected_referrals
from queries.frames import each_row
from queries.meetings import seen_at
from queries.scope import Scope

# What a comparison with a meeting is called in an address: "meeting-12"; else it is a day.
MEETING = "meeting-"


@dataclass(frozen=True)
class Missing:
    """A return that is not there and would change the reading: these wards, where so many people
    live, cannot be judged without it. `pcn_code` is "" where it is of the whole board.

    `people` is `None` where of no ward it is known how many live there, `at_least` where of some it
    is not.
    """

    title: str
    pcn_code: str
    name: str
    why: str
    ward_codes: tuple[str, ...]
    people: int | None
    at_least: bool


@dataclass(frozen=True)
class ThisWeek:
    """The changes of the chosen area, most unusual first, and those that are too small to be told.

    `before` is what they are compared with; `looked_at` says how many comparisons were made of what,
    `charts` how many of them are control charts with limits; `judged` how many wards could be judged at
    both times; `people` who is counted in wards, "adults" or "people".
    """

    before: Seen
    now: Seen
    told: Sequence[Change]
    held_back: Sequence[Change]
    looked_at: Mapping[str, int]
    charts: int
    judged: int
    missing: Sequence[Missing]
    people: str


def this_week(engine: Engine, scope: Scope, choices: Choices, since: str) -> ThisWeek | None:
    """What changed since a meeting ("meeting-12") or a day ("2026-06-23"); `None` where there is no
    such meeting that was closed. A query by its signature: `fetch_shared` keeps it."""
    board = (choices.icb_code, choices.as_at, choices.with_stale)
    before = _before(engine, scope, choices, since)
    if before is None:
        return None
    now = fetch_shared(seen, scope, *board)
    then, here = (_of_area(scope, choices, each) for each in (before, now))
    if before.with_stale != now.with_stale:
        # That services are counted otherwise is nothing that happened.
        then, here = ({**tables, "wards": tables["wards"].iloc[:0]} for tables in (then, here))
    series = _series(engine, scope, choices, before)
    corrected = _corrected(engine, scope, choices, before.taken_at, here["networks"])
    changes = [
        *ward_changes(then["wards"], here["wards"]),
        *target_changes(then["networks"], here["networks"]),
        *service_changes(then["services"], here["services"]),
        *return_changes(then["returns"], here["returns"]),
        *signals(series),
        *corrections(corrected),
    ]
    ordered = in_order(changes)
    looked_at = {
        "statuses of wards": len(here["wards"]),
        "networks against their target": int(here["networks"]["aim_fte"].notna().sum()),
        "services": len(here["services"]),
        "returns": len(here["returns"]),
        "control charts": sum(judged.chart.variation is not None for judged in series),
    }
    return ThisWeek(
        before,
        now,
        [change for change in ordered if not change.held_back],
        [change for change in ordered if change.held_back],
        {name: count for name, count in looked_at.items() if count},
        looked_at["control charts"],
        judged_twice(then["wards"], here["wards"]),
        _missing(scope, choices),
        fetch_shared(coverage_view, scope, choices.area).coverage.basis.people,
    )


def _before(engine: Engine, scope: Scope, choices: Choices, since: str) -> Seen | None:
    if since.startswith(MEETING):
        number = since.removeprefix(MEETING)
        kept = seen_at(engine, scope, int(number)) if number.isdecimal() else None
        return Seen.from_json(kept) if kept else None
    try:
        on = date.fromisoformat(since)
    except ValueError:
        return None
    known_by = datetime.combine(on, time.max, UTC)
    found = fetch_shared(seen, scope, choices.icb_code, on, choices.with_stale, known_by)
    return replace(found, taken_at=known_by)


def _of_area(scope: Scope, choices: Choices, whole: Seen) -> Mapping[str, pd.DataFrame]:
    """The tables of the chosen locality or network; of the board, where neither is chosen. What was
    kept when a meeting was closed has every network."""
    tables = {
        name: own_rows(scope, choices.icb_code, frame) if "pcn_code" in frame else frame
        for name, frame in whole.tables.items()
    }
    if not (choices.lad_code or choices.pcn_code):
        return tables
    wards = fetch_shared(coverage_view, scope, choices.area).wards.frame["ward_code"]
    services = fetch_shared(board_services, scope, choices.icb_code, choices.as_at)
    near = services.serving[services.serving["ward_code"].isin(wards)]["service_key"]
    networks = tables["networks"]
    mine = networks["pcn_code"] == choices.pcn_code
    mine |= (networks["lad_code"] == choices.lad_code) & (choices.pcn_code == "")
    codes = networks.loc[mine.fillna(False), "pcn_code"]
    served = {*near, *services.everywhere["service_key"]}
    keep: Mapping[str, Iterable[str]] = {
        "wards": wards, "networks": codes, "services": served, "returns": codes,
    }  # fmt: skip
    keys = {"wards": "ward_code", "services": "service_key"}
    return {
        name: frame[frame[keys.get(name, "pcn_code")].isin(list(keep[name]))]
        for name, frame in tables.items()
    }


def _series(engine: Engine, scope: Scope, choices: Choices, before: Seen) -> list[Judged]:
    """The control charts of the area and of each of its networks. Points of months that had not been
    told of are new."""
    view = fetch_shared(workforce_view, scope, choices)
    new_from = {
        name: months_before(before.told_to[name], -1) if name in before.told_to else date.min
        for name in PCN_RETURNS
    }
    of = choices.pcn_name or choices.lad_name or choices.icb_name
    found = []

    def add(code: str, name: str, chart: ControlChart | None, source: str, unit: str = "") -> None:
        if chart is not None:
            is_count = not unit and source != "workforce"
            people = int(chart.points[-1].value) if is_count else 0
            decimals = 0 if is_count else 1
            found.append(Judged(code, name, chart, new_from[source], people, decimals, unit))

    for trend, (title, _) in TRENDS.items():
        source = "workforce" if trend == "fte" else "referrals"
        add(trend, f"{title}, {of}", trend_chart(view, trend), source)
    for share, (title, _) in SHARES.items():
        shares = fetch_shared(share_trend, scope, choices, "", share)
        add(share, f"Share {title}, {of}", shares.chart if shares else None, "referrals", "%")
    if choices.pcn_code:
        return found
    window = view.workforce.basis.window.window
    flows = referrals.episodes_by_pcn_and_month(engine, scope, choices.icb_code, choices.as_at)
    each = asked_of_each(flows, window and window[1], choices.months).frame
    by_network = dict(iter(each.dropna(subset=[RECEIVED]).groupby("pcn_code")))
    pcns = view.listed.frame
    for pcn in each_row(pcns[(pcns["referral_reason"] == "") & pcns["pcn_code"].isin(by_network)]):
        mine = by_network[pcn.pcn_code]
        values = mine[RECEIVED].astype(float).tolist()
        chart = judge_series(mine["month"].tolist(), values, improvement=TRENDS[RECEIVED][1])
        add(pcn.pcn_code, f"{TRENDS[RECEIVED][0]}, {pcn.pcn_name}", chart, "referrals")
    return found


def _corrected(
    engine: Engine, scope: Scope, choices: Choices, since: datetime, networks: pd.DataFrame
) -> pd.DataFrame:
    """One row per figure that another file has told since, released."""
    asked = (engine, scope, choices.icb_code, choices.as_at, since)
    counts = corrected_referrals(*asked)
    counts = release(
        counts.astype({"was": "Int64", "now": "Int64"}), rounding(profile()), people=["was", "now"]
    ).frame.assign(figure=TRENDS[RECEIVED][0], decimals=0, missing="hidden")
    fte = corrected_fte(*asked).assign(figure=TRENDS["fte"][0], decimals=2, missing="no return")
    both = pd.concat([counts, fte], ignore_index=True)
    both = own_rows(scope, choices.icb_code, both[both["pcn_code"].isin(networks["pcn_code"])])
    names = dict(zip(networks["pcn_code"], networks["pcn_name"], strict=True))
    return both.assign(
        code=both["pcn_code"],
        name=both["pcn_code"].map(names),
        month=[month(first) for first in both["month"]],
    )


def judged_twice(before: pd.DataFrame, now: pd.DataFrame) -> int:
    """How many wards could be judged both times, of two tables of wards with their status."""
    judged = (
        wards.loc[wards["status"] != Status.NO_RETURN, "ward_code"] for wards in (before, now)
    )
    return len(set.intersection(*map(set, judged)))


def _missing(scope: Scope, choices: Choices) -> list[Missing]:
    """Returns without which wards of the area cannot be judged, most people first."""
    view = fetch_shared(coverage_view, scope, choices.area)
    basis, wards = view.coverage.basis, view.wards.frame
    people = wards.set_index("ward_code")["adults" if basis.people == "adults" else "population"]
    shares = view.coverage.shares.frame
    serving = shares[shares["serves"] & shares["ward_code"].isin(wards["ward_code"])]
    networks = fetch_shared(workforce_view, scope, replace(choices, lad_code="", pcn_code=""))
    pcns = networks.workforce.pcns.frame
    unjudged = wards.loc[wards["status"] == Status.NO_RETURN, "ward_code"]
    unknown = wards.loc[wards["status"] == Status.UNKNOWN, "ward_code"]
    found = []

    def add(title: str, code: str, name: str, why: str, codes: Sequence[str]) -> None:
        if codes:
            known = people.reindex(list(codes))
            touched = int(known.sum()) if known.notna().any() else None
            is_part = bool(known.isna().any())
            found.append(Missing(title, code, name, why, tuple(codes), touched, is_part))

    if not basis.services_returned:
        add("Services", "", choices.icb_name, "never returned", list(unjudged))
    for pcn in each_row(pcns[pcns["pcn_code"].isin(serving["pcn_code"])]):
        mine = set(serving.loc[serving["pcn_code"] == pcn.pcn_code, "ward_code"])
        name = pcn.pcn_code if pd.isna(pcn.pcn_name) else pcn.pcn_name
        if not pcn.has_returned:
            silent = [code for code in unjudged if code in mine]
            add(PCN_RETURNS["workforce"], pcn.pcn_code, name, "no return", silent)
        if pcn.referral_reason:
            silent = [code for code in unknown if code in mine]
            add(PCN_RETURNS["referrals"], pcn.pcn_code, name, pcn.referral_reason, silent)
    return sorted(found, key=lambda each: (-(each.people or 0), each.title, each.name))


def profile_words() -> str:
    """The disclosure profile in force, in words."""
    return PROFILES[settings().disclosure_profile].words
