"""Outcomes and take-up in a pack: how far people come, and where fewer come than expected."""

from __future__ import annotations

from sqlalchemy import Engine

from dashboard import take_up_words as words
from dashboard.coverage import REFERRALS
from dashboard.coverage_view import coverage_view
from dashboard.data import fetch_shared
from dashboard.leads import locality_leads
from dashboard.outcomes_view import outcomes_view
from dashboard.outcomes_words import period
from dashboard.pack.content import HIDDEN, MISSING, NOT_APPLICABLE, Chart, Page, Series, Value
from dashboard.pack_page import NO_REFERRALS, Asked, page, point, table, told
from dashboard.rules.disclosure import hidden_flag
from dashboard.rules.pathway import IS_HIDDEN, NOT_RECORDED, REFERRED, STEP_TITLES
from dashboard.style import month, number
from dashboard.take_up_view import take_up_view
from queries.frames import each_row
from queries.scope import Scope


def pathway_page(_engine: Engine, scope: Scope, asked: Asked) -> Page:
    """Who gets from referral to benefit, and who is lost on the way?"""
    view = fetch_shared(outcomes_view, scope, asked.choices, "")
    columns = {
        "Step": None, "People": 0, "Of": 0, "May still come": 0, "Went on, %": 0, "From (95%)": 0,
        "To (95%)": 0, "Not known because": None,
    }  # fmt: skip
    rows: list[tuple[Value, ...]] = []
    for row in view.steps.to_dict("records") if view.area else ():
        first = row["step"] == REFERRED
        is_hidden = row["people_hidden"] or row["state"] == IS_HIDDEN
        shares = [
            NOT_APPLICABLE if first else _percent(row[name], is_hidden=is_hidden)
            for name in ("share", "lower", "upper")
        ]
        rows.append(
            (
                STEP_TITLES[row["step"]],
                told(row["people"], is_hidden=row["people_hidden"]),
                NOT_APPLICABLE if first else told(row["of"], is_hidden=is_hidden),
                NOT_APPLICABLE if first
                else told(row["open"], is_hidden=row["open_hidden"] or is_hidden),
                *shares,
                "not recorded by these networks" if row["state"] == NOT_RECORDED else "",
            )
        )  # fmt: skip
    return page(
        asked, "outcomes", "From referral to benefit", view.finding,
        period=f"Referrals received {period(view.area)}" if view.area else NO_REFERRALS,
        terms=("pathway",), datasets=("referrals",),
        chart=Chart(
            "bars", "Referrals by step", "referrals", tuple(str(row[0]) for row in rows),
            (Series("Came so far", tuple(point(row[1]) for row in rows)),),
            f"Referrals by step. {_steps_in_words(rows)}.",
        ) if rows else None,
        tables=[table("Steps of the pathway", columns, rows)],
    )  # fmt: skip


def _percent(share: float, *, is_hidden: bool) -> Value:
    value = told(share, is_hidden=is_hidden)
    return value if isinstance(value, str) else round(100 * value, 4)


def _steps_in_words(rows: list[tuple[Value, ...]]) -> str:
    marks = {HIDDEN: "hidden", MISSING: "not recorded"}
    return "; ".join(
        f"{step}: {marks.get(str(people)) or f'{people:,}'}" for step, people, *_ in rows
    )


def take_up_page(_engine: Engine, scope: Scope, asked: Asked) -> Page:
    """Where is take-up low for the need there, at which step is it lost, and whom do we call?"""
    area = asked.choices.area
    view = fetch_shared(take_up_view, scope, area)
    basis = fetch_shared(coverage_view, scope, area).coverage.basis
    leads = words.lead_names(fetch_shared(locality_leads, scope, area.icb_code, area.as_at))
    columns = {
        "Ward": None, "Locality": None, "Take-up": None, "Referrals, 12 months": 0, "Expected": 0,
        "Ratio": 0, "Lost most at": None, "People lost there": 0, "Named lead": None,
        "Set apart because": None,
    }  # fmt: skip
    rows = []
    for row in each_row(words.in_order(view.wards).frame):
        is_hidden = getattr(row, hidden_flag(REFERRALS))
        is_low = row.ward_code in view.found.leaks
        rows.append(
            (
                row.ward_name, told(row.lad_name), row.place or "set apart",
                told(getattr(row, REFERRALS), is_hidden=is_hidden),
                told(row.expected, is_hidden=is_hidden),
                told(row.take_up_ratio, is_hidden=is_hidden),
                (str(row.leak) or MISSING) if is_low else NOT_APPLICABLE,
                told(row.lost) if is_low else NOT_APPLICABLE,
                leads.get(row.lad_code, "no named lead"),
                row.apart,
            )
        )  # fmt: skip
    lost = words.lost_people(view.wards, view.found)
    losses = [(str(loss), words.LOSS_WORDS[loss], told(people)) for loss, people in lost.items()]
    return page(
        asked, "take-up", "Take-up", view.finding,
        period=f"Referrals {month(basis.window[0])} to {month(basis.window[1])}" if basis.window
        else NO_REFERRALS,
        terms=("take_up_place", "take_up_ratio", "leak", "cluster"),
        datasets=("referrals", "ward_population", "deprivation", "ward_boundaries", "named_leads"),
        chart=Chart(
            "bars", "Where take-up is lost in wards below the expected range",
            "people lost in 12 months", tuple(name for name, _, _ in losses),
            (Series("People lost", tuple(point(people) for *_, people in losses)),),
            "People lost in wards below the expected range. "
            f"{'; '.join(f'{name}: {number(people)}' for name, _, people in losses)}.",
        ) if losses else None,
        tables=[
            table("Wards, the largest shortfall first", columns, rows if basis.window else ()),
            table("Where it is lost", {"Lost at": None, "What it says": None, "People": 1}, losses),
        ],
    )  # fmt: skip
