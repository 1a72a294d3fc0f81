"""Needs in a pack: which can be met where, whose funding ends, and where to fund next."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Engine

from dashboard import site_plan_words as plan_words
from dashboard.data import fetch_shared
from dashboard.filters import PART
from dashboard.gaps import REFERRED, WITHOUT
from dashboard.pack.content import Chart, Page, Series, Value
from dashboard.pack_page import MOST_BARS, Asked, page, point, table, told
from dashboard.providers_plan_view import AHEAD_MONTHS, funding_view
from dashboard.providers_plan_words import funding_finding
from dashboard.providers_view import ProvidersView, providers_view
from dashboard.providers_words import LOOKS
from dashboard.rules.disclosure import hidden_flag
from dashboard.rules.gaps import Cell
from dashboard.rules.needs import NEED_THEMES
from dashboard.site_plan import UNKNOWN, PlanChoices
from dashboard.site_plan_view import plan_view
from dashboard.style import day, month, number
from queries.frames import each_row
from queries.scope import Scope

PROVIDED = ("services", "capacity", "service_matches", "directory")


def needs_pages(_engine: Engine, scope: Scope, asked: Asked) -> list[Page]:
    """Which needs can be met where, and until when?"""
    view = fetch_shared(providers_view, scope, asked.choices)
    return [_gaps(asked, view), _funding(scope, asked, view)]


def _gaps(asked: Asked, view: ProvidersView) -> Page:
    window = view.gaps.window
    period = (
        f"Services as at {day(asked.choices.as_at)}; "
        + (f"referrals {month(window[0])} to {month(window[1])}" if window
           else f"referrals: {view.gaps.no_window}")
    )  # fmt: skip
    is_told = view.gaps.is_returned
    frame = view.cells.frame
    counts = frame.groupby(["theme", "state"]).size().unstack(fill_value=0)
    counts = counts.reindex(NEED_THEMES).dropna(how="all").astype(int)
    states = [cell for cell in Cell if cell.value in counts]
    counted = [[int(counts.loc[theme, cell.value]) for cell in states] for theme in counts.index]
    needs = [str(theme).capitalize() for theme in counts.index]
    titles = [LOOKS[cell.value].words.capitalize() for cell in states]
    # Nothing with room first, and there most people first; hidden ones after the larger numbers.
    order = frame.assign(is_met=~frame["state"].isin([c.value for c in Cell if c.is_unmet]))
    order = order.sort_values(
        ["is_met", REFERRED, "ward_name", "theme"], ascending=[True, False, True, True]
    )
    columns = {
        "Ward": None, "Locality": None, "Need": None, "What there is": None, "Of the ward's own": 0,
        "Full": 0, "Free places": 0, "Referred, 12 months": 0, "Closed without a service": 0,
    }  # fmt: skip
    rows = [
        (
            row.ward_name, told(row.lad_name), row.theme, LOOKS[row.state].words, told(row.own),
            told(row.own_full), told(row.free_places),
            *(told(getattr(row, name), is_hidden=getattr(row, hidden_flag(name)))
              for name in (REFERRED, WITHOUT)),
        )
        for row in each_row(order)
    ]  # fmt: skip
    return page(
        asked, "providers", "Gaps by need", view.finding,
        period=period, terms=("need_met", "freshness"), datasets=(*PROVIDED, "referrals"),
        chart=Chart(
            "stacked", "Wards by what there is for each need", "wards",
            tuple(needs),
            tuple(
                Series(title, tuple(float(row[place]) for row in counted))
                for place, title in enumerate(titles)
            ),
            f"Wards by what there is for each of {len(needs)} needs. The table has the numbers.",
        ) if is_told else None,
        tables=[
            table("Wards by what there is for each need", {"Need": None} | dict.fromkeys(titles, 0),
                  [(need, *row) for need, row in zip(needs, counted, strict=True)], shown=len(needs)),
            table("Every ward and need, where nothing has room first", columns, rows),
        ] if is_told else [],
        also={PART: "gaps"},
    )  # fmt: skip


def _funding(scope: Scope, asked: Asked, view: ProvidersView) -> Page:
    period = f"The {AHEAD_MONTHS} months from {day(asked.choices.as_at)}"
    if view.listed.frame.empty:
        return page(
            asked, "providers", "Funding that ends", ["No services return: whose funding ends is not known."],
            period=period, terms=("freshness",), datasets=PROVIDED, also={PART: "funding"},
        )  # fmt: skip
    found = fetch_shared(funding_view, scope, asked.choices)
    columns = {"Service": None, "Provider": None, "For": None, "Ends": None, "Wards": 0,
               "Places, 4 weeks": 0}  # fmt: skip
    rows = [
        (row.service_name, row.provider, told(row.themes), told(row.funding_ends), told(row.wards),
         told(row.places_offered))
        for row in each_row(found.ending)
    ]  # fmt: skip
    months = {"Funding ends in": None, "Services of the month": 0, "Services so far": 0,
              "Wards so far": 0, "Places so far": 0, "Services that did not say": 0}  # fmt: skip
    lost = [
        (month(row.month), row.ending, row.services, row.wards, row.places, row.places_unknown)
        for row in each_row(found.months)
    ]
    return page(
        asked, "providers", "Funding that ends", funding_finding(found),
        period=period, terms=("freshness",), datasets=PROVIDED,
        chart=Chart(
            "bars", "Services whose funding ends, by month", "services",
            tuple(str(row[0]) for row in lost),
            (Series("Services", tuple(float(row[1]) for row in lost)),),
            f"Services whose funding ends in each of {len(lost)} months.",
        ) if lost else None,
        tables=[table("Services whose funding ends, the first to end first", columns, rows),
                table("What is lost up to the end of each month", months, lost)],
        also={PART: "funding"},
    )  # fmt: skip


def fund_page(_engine: Engine, scope: Scope, asked: Asked) -> Page:
    """Where most need is not met, and which two sites would reach most of it."""
    plan = fetch_shared(plan_view, scope, asked.choices.area, PlanChoices()).plan
    frame = plan.wards.frame.sort_values(
        ["need", "ward_name"], ascending=[False, True], na_position="last"
    )
    what = plan_words.unit(plan)
    columns = {
        "Ward": None, "Locality": None, "Status": None, f"Unmet need, {what} a year": 0,
        "From (95%)": 0, "To (95%)": 0, "Deprivation fifth": 0, "How it is known": None,
    }  # fmt: skip
    rows: list[tuple[Value, ...]] = [
        (
            row.ward_name, told(row.lad_name), row.status, told(row.need), told(row.lower),
            told(row.upper), told(row.imd_fifth), _how_known(row),
        )
        for row in each_row(frame)
    ]  # fmt: skip
    most = [row for row in rows if isinstance(row[3], int | float) and row[3] > 0][:MOST_BARS]
    most_in_words = "; ".join(f"{row[0]}: {number(row[3])}" for row in most)
    sites = {"Site": None, "What it is": None, f"Adds, {what}": 0, "Cost a year, £": 0,
             "Cost for each more, £": 0}  # fmt: skip
    chosen = [
        (row.site_name, plan_words.KIND_WORDS[row.kind], told(row.gain), told(row.cost),
         told(row.cost_per_person))
        for row in each_row(plan.sites)
    ]  # fmt: skip
    window = "expected less observed referrals of the 12 months told"
    return page(
        asked, "where-to-fund", "Where to fund next",
        [*plan_words.finding(plan), plan_words.in_short(plan)],
        period=f"As at {day(asked.choices.as_at)}; {window}",
        terms=("plan_need", "site_plan", "status"),
        datasets=("referrals", "ward_population", "deprivation", "services", "candidate_sites",
                  "travel_times", "ward_boundaries"),
        chart=Chart(
            "bars", "Wards with most unmet need", f"{what} a year",
            tuple(str(row[0]) for row in most),
            (Series("Unmet need", tuple(point(row[3]) for row in most)),),
            f"Wards with most unmet need: {most_in_words}. The table has every ward.",
        ) if most else None,
        tables=[table("Wards, most unmet need first", columns, rows),
                table("Sites, in order of what each adds", sites, chosen)],
    )  # fmt: skip


def _how_known(row: pd.Series) -> str:
    if pd.isna(row.need):
        return "not known: nobody told us enough"
    if row.state == UNKNOWN:
        return "in no plan: what there is was not told"
    return (
        "about: the count is hidden, and counts as the middle of its range"
        if row.is_estimated
        else ""
    )
