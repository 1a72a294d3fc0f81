"""The Workforce page's contents for one choice of filters, made once and kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from dashboard import show
from dashboard import workforce_words as words
from dashboard.data import fetch_shared
from dashboard.filters import Area, Choices
from dashboard.rules.control_chart import ControlChart, judge_series
from dashboard.rules.disclosure import Released
from dashboard.rules.projection import Projection, project
from dashboard.rules.take_up import month_end, months_before
from dashboard.workforce import OPEN, Workforce, area_totals, pcn_workforce
from dashboard.workforce_trend import (
    RECEIVED,
    FteTrend,
    Trajectory,
    asked_trend,
    fte_trend,
    joined_and_left,
    trajectory,
)
from queries.frames import each_row
from queries.scope import Scope

# What the trend shows: its column, its name, and which way is better.
TRENDS = {
    "fte": ("FTE in post", "high"),
    RECEIVED: ("New referrals", "neither"),
    OPEN: ("Open referrals", "neither"),
}
# The measure that each is of.
TREND_MEASURES = {"fte": "fte_in_post", RECEIVED: "referrals_12_months", OPEN: "open_caseload"}


@dataclass(frozen=True)
class WorkforceView:
    """What the page shows of the chosen networks; nobody changes it, so every session shares it.

    `listed` are the networks of the board or locality, `area` the codes of those chosen: all of
    them, or the one picked.
    """

    workforce: Workforce
    listed: Released
    area: tuple[str, ...]
    total: Any
    chips: Sequence[show.Chip]
    finding: Sequence[str]
    tiles: Sequence[show.Tile]
    fte: FteTrend
    asked: Released
    asked_pcns: int


def workforce_view(engine: Engine, scope: Scope, choices: Choices) -> WorkforceView:
    """The networks of a board or a locality of it, or one of them, in words and numbers."""
    icb_code, as_at = choices.icb_code, choices.as_at
    found = fetch_shared(pcn_workforce, scope, icb_code, as_at)
    pcns = found.pcns.frame
    keep = (
        pd.Series(True, pcns.index)
        if not choices.lad_code
        else pcns["lad_code"] == choices.lad_code
    )
    # A network picked from another locality is shown all the same: its tiles are its own.
    keep |= pcns["pcn_code"] == choices.pcn_code
    # Charts and the list name every network: by its code where no name is loaded.
    names = pcns["pcn_name"].fillna(pcns["pcn_code"])
    named = Released(pcns.assign(pcn_name=names), found.pcns.people, found.pcns.profile)
    listed = named.rows(keep)
    area = (choices.pcn_code,) if choices.pcn_code else tuple(listed.frame["pcn_code"])
    total = next(area_totals(found, area).frame.itertuples())
    then = fetch_shared(pcn_workforce, scope, icb_code, month_end(months_before(as_at, 12)))
    before = next(area_totals(then, area).frame.itertuples())
    # Of a whole board also those that have left it since.
    is_whole = len(area) == len(pcns) and scope.networks_of(icb_code) is None
    fte = fte_trend(engine, scope, icb_code, as_at, None if is_whole else area, choices.months)
    window = found.basis.window.window
    chosen = pcns[pcns["pcn_code"].isin(area)]
    # Of a network that stopped sending, months without referrals would look like none.
    told = tuple(chosen[chosen["referral_reason"] == ""]["pcn_code"])
    asked = asked_trend(
        engine,
        scope,
        icb_code,
        as_at,
        told,
        window[1] if window and told else None,
        choices.months,
    )
    sparks = {
        "fte": _plain(fte.months.frame["fte"]),
        "referrals": _plain(asked.frame[RECEIVED]),
        "open": _plain(asked.frame[OPEN]),
    }
    return WorkforceView(
        workforce=found,
        listed=listed,
        area=area,
        total=total,
        chips=words.chips(listed.frame, found.basis),
        finding=words.finding(total, chosen, found.basis, choices),
        tiles=words.tiles(total, before, found.basis, sparks) if found.basis.census else [],
        fte=fte,
        asked=asked,
        asked_pcns=len(told),
    )


def _plain(values: pd.Series[float]) -> list[float | None]:
    return [None if pd.isna(value) else float(value) for value in values]


def trend_column(view: WorkforceView, name: str) -> tuple[pd.DataFrame, str]:
    """Where a trend's months are, and under which name.

    FTE is judged like for like where networks came or went: their coming is no improvement.
    """
    if name != "fte":
        return view.asked.frame, name
    is_alike = view.fte.alike and not view.fte.is_whole
    return view.fte.months.frame, "fte_alike" if is_alike else "fte"


def trend_chart(view: WorkforceView, name: str) -> ControlChart | None:
    """The control chart of one trend of the chosen networks; `None` where no month is known."""
    frame, column = trend_column(view, name)
    known = frame[frame[column].notna()]
    if known.empty:
        return None
    return judge_series(
        known["month"].tolist(),
        known[column].astype(float).tolist(),
        improvement=TRENDS[name][1],
        target=trend_target(view, name),
    )


def trend_target(view: WorkforceView, name: str) -> float | None:
    """The target of the networks that are judged, where each of them has one in force."""
    if name != "fte":
        return None
    judged = view.area if view.fte.is_whole else tuple(view.fte.alike)
    pcns = view.workforce.pcns.frame
    aims = pcns[pcns["pcn_code"].isin(judged)]["target_fte"]
    return float(aims.sum()) if len(aims) and aims.notna().all() else None


@dataclass(frozen=True)
class RecruitmentView:
    """Planned against actual of the chosen networks, and who joined and left.

    `ahead` is `None` with the reason in `why_not`; `moves_from` says from what the moves are
    known, "" where they are not.
    """

    trajectory: Trajectory
    ahead: Projection | None
    why_not: str
    moves: Released
    moves_from: str


def recruitment_view(engine: Engine, scope: Scope, choices: Choices) -> RecruitmentView:
    """What the chosen networks plan, where they stand, and where the present rate leads."""
    view = fetch_shared(workforce_view, scope, choices)
    census = view.workforce.basis.census
    targets = view.workforce.pcns.frame.dropna(subset="target_fte")
    found = trajectory(
        engine,
        scope,
        choices.icb_code,
        choices.as_at,
        view.fte.alike,
        dict(zip(targets["pcn_code"], targets["target_fte"].astype(float), strict=True)),
        choices.months,
    )
    told = [
        (row.month, None if pd.isna(row.fte) else float(row.fte))
        for row in each_row(found.months.frame)
        if census is not None and row.month <= census
    ]
    ahead, why_not = project(told)
    moves, moves_from = joined_and_left(
        engine, scope, choices.icb_code, choices.as_at, view.area, choices.months
    )
    return RecruitmentView(found, ahead, why_not, moves, moves_from)


def pcn_list(
    engine: Engine,
    scope: Scope,
    area: Area,
) -> bytes:
    """The list of networks as the browser fetches it: JSON, compressed once."""
    found = fetch_shared(pcn_workforce, scope, area.icb_code, area.as_at)
    pcns = found.pcns.frame
    keep = (pcns["lad_code"] == area.lad_code) | (pcns["pcn_code"] == area.pcn_code)
    keep |= area.lad_code == ""
    body = show.table_body(
        found.pcns.rows(keep.fillna(False).astype(bool)),
        words.columns(),
        words.TABLE_TEXT,
        row_key="pcn_code",
    )
    return gzip.compress(json.dumps(body, separators=(",", ":")).encode(), mtime=0)
