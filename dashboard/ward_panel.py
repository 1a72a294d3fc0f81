"""One ward: the trail of its judgement, its neighbours, and a link to share."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Engine

from dashboard import show
from dashboard.charts import Figure
from dashboard.charts.bars import month_bars
from dashboard.coverage import REFERRALS, Basis, Coverage, ward_neighbours, ward_trend
from dashboard.data import fetch_shared
from dashboard.filters import Choices
from dashboard.own_networks import LEFT_OUT
from dashboard.providers_words import marked
from dashboard.rules.disclosure import hidden_flag
from dashboard.services import board_services, in_order, keys_of_ward
from dashboard.style import MISSING, Theme, count, day, interval, number, template
from queries.frames import each_row
from queries.scope import Scope


def ward_panel(scope: Scope, choices: Choices, coverage: Coverage, ward_code: str) -> None:
    """The panel of one ward; says so when the ward is not in the chosen board."""
    wards = coverage.wards.frame
    found = wards[wards["ward_code"] == ward_code]
    if found.empty:
        show.empty("Ward not found", "The link names a ward that is not in the chosen area.")
        return
    ward = next(iter(each_row(found)))
    show.heading(f"{ward.ward_name}, {ward.lad_name}", anchor="ward")
    show.finding([f"**{ward.status}**: {ward.reason}."])
    left, right = st.columns(2)
    with left:
        show.definition_list(trail(ward, coverage.basis), label="How it was judged")
        show.small_table(
            *_pcns(coverage.shares.frame, ward_code), caption="Networks that serve the ward"
        )
        if scope.networks_of(choices.icb_code) is not None:
            show.notes([LEFT_OUT])
    with right:
        _referrals(scope, choices, coverage, ward)
        services = fetch_shared(_services, scope, choices.icb_code, choices.as_at, ward_code)
        if services[1]:
            show.small_table(*services, caption="Services that serve the ward")
        else:
            show.empty("No services to show", ward.services_reason)
    near = fetch_shared(ward_neighbours, scope, choices.icb_code)
    codes = [ward_code, *near[near["ward_code"] == ward_code]["neighbour_code"]]
    rows = wards[wards["ward_code"].isin(codes)].sort_values(
        "ward_code", key=lambda c: c != ward_code
    )
    show.small_table(*_compared(rows), caption=f"{ward.ward_name} and the wards beside it")
    show.link_to_view("Link to this ward", choices.address(ward=ward_code))


def trail(ward: Any, basis: Basis) -> list[tuple[str, str]]:
    """How one ward was judged, line by line."""
    deprivation = MISSING
    if pd.notna(ward.imd_fifth):
        deprivation = (
            f"national fifth {ward.imd_fifth} (1 is most deprived), IMD {ward.index_year}; "
        )
        deprivation += f"{ward.lsoas_matched} of {ward.lsoas} LSOAs with a rank"
    people = "no population for this ward's code"
    if pd.notna(ward.population):
        people = f"{ward.population:,}"
        people += f", {ward.adults:,} of them adults" if pd.notna(ward.adults) else ""
    fte = f"{number(ward.fte_per_10k, 2)} FTE per 10,000 people"
    if pd.isna(ward.fte_per_10k):
        fte = ward.fte_reason or people
    if basis.shares == "modelled":
        fte += " (modelled shares)"
    take_up = ward.take_up_reason or basis.no_window
    if not take_up:
        hidden = getattr(ward, hidden_flag(REFERRALS))
        take_up = count(getattr(ward, REFERRALS), is_hidden=hidden)
        if not hidden and pd.notna(ward.take_up_per_1000):
            rate = interval(ward.take_up_per_1000, ward.take_up_lower, ward.take_up_upper)
            take_up += f" referrals; {rate} per 1,000 {basis.people}"
        if not hidden and pd.notna(ward.expected):
            take_up += f"; {number(ward.expected)} expected"
    return [
        ("Route in", f"{ward.route_in}: {ward.route_in_reason}"),
        (
            "Link worker",
            f"{ward.link_worker}: {ward.link_worker_reason}; census {day(basis.census)}",
        ),
        ("Something to refer to", f"{ward.services}: {ward.services_reason}"),
        ("Referrals, 12 months", take_up),
        ("Link workers", fte),
        ("People", people),
        ("Deprivation", deprivation),
        ("To watch", ward.flags or "nothing"),
    ]


def _pcns(shares: pd.DataFrame, ward_code: str) -> tuple[list[str], list[list[str]]]:
    mine = shares[(shares["ward_code"] == ward_code) & shares["serves"]]
    rows = [
        [
            row.pcn_name,
            f"{row.ward_share:.0%}",
            f"{row.list_share:.0%}",
            "no return" if pd.isna(row.fte) else "no worker" if row.fte == 0 else f"{row.fte:.1f}",
            MISSING if pd.isna(row.ward_fte) else f"{row.ward_fte:.2f}",
        ]
        for row in each_row(mine)
    ]
    return ["Network", "Of the ward's people", "Of its list", "Its FTE", "FTE to the ward"], rows


def _referrals(scope: Scope, choices: Choices, coverage: Coverage, ward: Any) -> None:
    if coverage.basis.window is None or ward.take_up_reason:
        show.empty("No referrals to show", ward.take_up_reason or coverage.basis.no_window)
        return
    asked = (choices.icb_code, ward.ward_code, coverage.basis.window[1], choices.months)
    trend, period = fetch_shared(ward_trend, scope, *asked)
    chart = fetch_shared(_trend_figure, scope, *asked, show.theme().is_dark)
    show.caption(f"Referrals by {period}", trend.profile.words)
    show.chart(
        chart,
        trend,
        name="ward_referrals",
        alt=f"Referrals by {period} for {ward.ward_name}; the table below has the numbers",
    )
    with st.expander(f"The {period}s as a table"):
        start = "" if period == "month" else "from "
        rows = [
            [f"{start}{row.month:%b %Y}", count(row.referrals, is_hidden=row.referrals_hidden)]
            for row in each_row(trend.frame)
        ]
        show.small_table(
            [period.capitalize(), "Referrals"],
            rows,
            caption=f"Referrals by {period}, {ward.ward_name}",
        )


def _trend_figure(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    ward_code: str,
    last_month: date,
    months: int,
    is_dark: bool,
) -> Figure:
    """The referrals of a ward by month. A query by its signature, as the next one."""
    trend, _ = fetch_shared(ward_trend, scope, icb_code, ward_code, last_month, months)
    theme = Theme(is_dark)
    return month_bars(
        trend, "referrals", label="Referrals", colour=theme.bar, layout=template(theme)
    )


def _services(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, ward_code: str
) -> tuple[list[str], list[list[str]]]:
    found = fetch_shared(board_services, scope, icb_code, as_at)
    mine = keys_of_ward(found, ward_code).merge(found.listed)
    rows = [
        [
            marked(row),
            row.provider,
            MISSING if pd.isna(row.themes) else row.themes,
            row.way,
            MISSING if pd.isna(row.state) else row.state,
            f"confirmed {day(row.confirmed_on)}" if row.confirmed_on else "never confirmed",
        ]
        for row in each_row(in_order(mine))
    ]
    return ["Service", "Provider", "For", "Serves", "Room", "When told"], rows


def _compared(frame: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    lines = [
        [
            row.ward_name,
            row.status,
            number(row.population),
            number(row.imd_fifth),
            number(row.fte_per_10k, 2),
            count(getattr(row, REFERRALS), is_hidden=getattr(row, hidden_flag(REFERRALS))),
            "*"
            if getattr(row, hidden_flag(REFERRALS))
            else interval(row.take_up_per_1000, row.take_up_lower, row.take_up_upper),
        ]
        for row in each_row(frame)
    ]
    return [
        "Ward",
        "Status",
        "People",
        "Deprivation fifth",
        "FTE per 10,000",
        "Referrals",
        "Take-up (95%)",
    ], lines
