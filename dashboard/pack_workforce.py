"""Link workers in a pack: in post against the target by network, and by month."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Engine

from dashboard import workforce_trend_words as trend_words
from dashboard.control_words import limits_words
from dashboard.data import fetch_shared
from dashboard.filters import TREND
from dashboard.pack.content import MISSING, NOT_APPLICABLE, Chart, Page, Series, Table, Value
from dashboard.pack_page import (
    MOST_BARS,
    NO_CENSUS,
    NO_REFERRALS,
    Asked,
    because,
    judged_series,
    page,
    period_of,
    point,
    table,
    told,
)
from dashboard.rules.disclosure import hidden_flag
from dashboard.rules.staffing import Pressure
from dashboard.style import month
from dashboard.workforce import OPEN, REFERRALS
from dashboard.workforce_trend import RECEIVED
from dashboard.workforce_view import (
    TRENDS,
    WorkforceView,
    trend_chart,
    trend_column,
    trend_target,
    workforce_view,
)
from dashboard.workforce_words import name_of, silence
from queries.frames import each_row
from queries.scope import Scope

DATASETS = ("workforce", "practices", "list_sizes", "registered_patients")
LOCAL = ("posts", "targets", "recruitment_plan")


def workforce_pages(_engine: Engine, scope: Scope, asked: Asked) -> list[Page]:
    """Do networks have the link workers they mean to have, is it getting better, and how many
    people are referred to them?"""
    view = fetch_shared(workforce_view, scope, asked.choices)
    return [_posts(asked, view), _trend(asked, view, "fte"), _trend(asked, view, RECEIVED)]


def _posts(asked: Asked, view: WorkforceView) -> Page:
    basis = view.workforce.basis
    mine = view.listed.frame[view.listed.frame["pcn_code"].isin(view.area)]
    columns = {
        "Network": None, "Locality": None, "FTE in post": 1, "Target or plan": 1, "Short of it": 1,
        "Vacant FTE": 1, "FTE per 10,000 patients": 2, "Referrals, 12 months": 0,
        "Referrals a year per FTE": 0, "Not known because": None,
    }  # fmt: skip
    rows = [
        (
            name_of(row), told(row.lad_name), told(row.fte), told(row.aim_fte), told(row.gap_fte),
            told(row.vacant_fte), told(row.fte_per_10k),
            told(getattr(row, REFERRALS), is_hidden=getattr(row, hidden_flag(REFERRALS))),
            NOT_APPLICABLE if row.pressure_state == Pressure.NO_WORKER
            else told(row.pressure, is_hidden=row.pressure_state == Pressure.HIDDEN),
            because(
                "no workforce return" if pd.isna(row.fte) else "",
                "no target and no plan" if pd.isna(row.aim_fte) else "",
                "posts not returned" if pd.isna(row.posts) else "",
                silence(row) if row.pressure_state == Pressure.NO_RETURN else row.referral_reason,
            ),
        )
        for row in each_row(mine)
    ]  # fmt: skip
    has_census = basis.census is not None
    return page(
        asked, "workforce", "Link workers", view.finding,
        period=period_of(basis.census, basis.window.window),
        terms=("fte_in_post", "target", "gap", "vacancy", "fte_per_10k_patients", "pressure"),
        datasets=(*DATASETS, *LOCAL, "referrals"),
        chart=_against_target(rows) if has_census else None,
        tables=[table("Networks, the shortest of target or plan first", columns, rows)]
        if has_census else [],
    )  # fmt: skip


def _against_target(rows: Sequence[tuple[Value, ...]]) -> Chart:
    first = rows[:MOST_BARS]
    some = f", the {MOST_BARS} shortest of it" if len(rows) > MOST_BARS else ""
    fte, aim = (tuple(point(row[place]) for row in first) for place in (2, 3))
    silent = sum(value is None for value in fte)
    return Chart(
        "bars", f"FTE in post against target or plan by network{some}", "FTE",
        tuple(str(row[0]) for row in first),
        (Series("FTE in post", fte), Series("Target or plan", aim, "target")),
        f"FTE in post beside the target or plan of {len(first):,} networks, the shortest of it first"
        f"{f'; {silent} did not return' if silent else ''}. The table has every network.",
    )  # fmt: skip


def _trend(asked: Asked, view: WorkforceView, name: str) -> Page:
    """One figure by month as a control chart; FTE like for like where networks came or went."""
    title = TRENDS[name][0]
    judged, target = trend_chart(view, name), trend_target(view, name)
    frame, column = trend_column(view, name)
    months = frame["month"].tolist()
    datasets = ("workforce", "targets") if name == "fte" else ("referrals",)
    none = NO_CENSUS if name == "fte" else NO_REFERRALS
    terms = (
        ("fte_in_post", "control_chart") if name == "fte" else ("open_caseload", "control_chart")
    )
    if judged is None:
        why = trend_words.no_trend(view, name)
        said = why if name == "fte" else f"No referrals by month: {why}."
        return page(
            asked, "workforce", f"{title} by month", [said],
            period=none, terms=terms, datasets=datasets, also={TREND: name},
        )  # fmt: skip
    values = [
        told(getattr(row, column), is_hidden=name != "fte" and getattr(row, hidden_flag(column)))
        for row in each_row(frame)
    ]
    alike = " like for like" if column == "fte_alike" else ""
    return page(
        asked, "workforce", f"{title} by month",
        [
            f"{trend_words.trend_finding(name, judged)} {judged.words if judged.variation else ''}".strip(),
            *trend_words.who_is_judged(view, name), limits_words(judged, target),
        ],
        period=f"{month(months[0])} to {month(months[-1])}", terms=terms, datasets=datasets,
        chart=Chart(
            "lines", f"{title} by month{alike}", "FTE" if name == "fte" else "referrals",
            tuple(month(first) for first in months),
            judged_series(f"{title}{alike}", months, values, judged, target),
            f"{title} by month{alike}. {judged.words} {limits_words(judged, target)}",
        ),
        tables=[_months(view, name)],
        also={TREND: name},
    )  # fmt: skip


def _months(view: WorkforceView, name: str) -> Table:
    rows: list[tuple[Value, ...]] = []
    if name == "fte":
        columns = {"Month": None, "FTE in post": 1, "Networks that returned": 0,
                   "FTE like for like": 1, "Not known because": None}  # fmt: skip
        rows = [
            (month(row.month), told(row.fte), told(row.pcns), told(row.fte_alike),
             "no workforce return" if pd.isna(row.fte) else "")
            for row in each_row(view.fte.months.frame)
        ]  # fmt: skip
    else:
        columns = {"Month": None, "New referrals": 0, "Open at its end": 0,
                   "Not known because": None}  # fmt: skip
        for row in each_row(view.asked.frame):
            values = [
                told(getattr(row, count), is_hidden=getattr(row, hidden_flag(count)))
                for count in (RECEIVED, OPEN)
            ]
            rows.append((month(row.month), *values, "no return" if MISSING in values else ""))
    return table(f"{TRENDS[name][0]} by month, the newest first", columns, rows[::-1])
