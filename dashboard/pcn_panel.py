"""One network: what it has, is meant to have and is asked for; and where its target is set."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import filters, show
from dashboard import workforce_words as words
from dashboard.filters import Choices
from dashboard.rules.disclosure import hidden_flag
from dashboard.rules.staffing import InPost, Pressure
from dashboard.style import MISSING, count, day, number
from dashboard.target_editor import target_editor
from dashboard.workforce import OPEN, REFERRALS, Basis
from dashboard.workforce_view import WorkforceView
from queries.scope import Scope


def pcn_panel(scope: Scope, view: WorkforceView, choices: Choices) -> None:
    """The panel of the picked network; says so when it is not one of the board."""
    pcns = view.workforce.pcns.frame
    row = next(pcns[pcns["pcn_code"] == choices.pcn_code].itertuples(), None)
    if row is None:
        show.empty("Network not found", "The board has no such network at this date.")
        return
    show.heading(words.name_of(row), anchor="network")
    show.definition_list(network_facts(row, view.workforce.basis), label="What is known of it")
    if scope.networks_of(choices.icb_code) is None:
        st.button("Show every network", on_click=filters.pick_pcn, args=("",))
    show.link_to_view("Link to this network", choices.address(pcn=choices.pcn_code))
    with st.expander("Target and plan of this network", key="targets"):
        target_editor(scope, choices)


def network_facts(row: Any, basis: Basis) -> list[tuple[str, str]]:
    """What is known of one network, line by line."""
    in_post = row.in_post
    if row.in_post == InPost.IN_POST:
        in_post = (
            f"{number(row.fte, 2)} FTE: {number(row.fte_own_staff, 2)} own staff "
            f"({number(row.headcount)} people), {number(row.fte_contracted, 2)} contracted"
        )
    elif row.in_post == InPost.NO_WORKER:
        in_post = (
            f"no worker: it returned {number(row.staff_rows)} staff, no link worker among them"
        )
    change = MISSING
    if pd.notna(row.fte) and pd.notna(row.fte_before):
        change = f"{row.fte - row.fte_before:+.2f} FTE"
    return [
        ("In post", f"{in_post}; {words.SERIES}, {day(basis.census)}"),
        ("In 12 months", change),
        ("Posts", _posts(row)),
        ("Target", _target(row)),
        (
            "Plan for this month",
            f"{number(row.planned_fte, 1)} FTE" if pd.notna(row.planned_fte) else "none",
        ),
        ("List", _list(row)),
        ("New referrals", _referrals(row, basis)),
        ("Needed for the band", _needed(row)),
        ("Open referrals", _open(row)),
    ]


def _posts(row: Any) -> str:
    if pd.isna(row.posts):
        return "no posts return"
    said = (
        f"{row.posts} post{'' if row.posts == 1 else 's'}, {number(row.funded_fte, 1)} FTE funded"
    )
    if row.vacant_posts:
        said += f"; {row.vacant_posts} vacant, {number(row.vacant_fte, 1)} FTE"
        if pd.notna(row.longest_vacancy_days):
            said += f", the longest for {number(row.longest_vacancy_days)} days"
    if row.posts_without_fte:
        said += f"; {row.posts_without_fte} without a number of FTE"
    return said


def _target(row: Any) -> str:
    if pd.notna(row.target_fte):
        until = f" until {day(row.target_until)}" if pd.notna(row.target_until) else ""
        reason = f": {row.target_reason}" if pd.notna(row.target_reason) else ""
        return f"{number(row.target_fte, 2)} FTE{until}{reason}"
    if pd.notna(row.expired_fte):
        return (
            f"none in force; {number(row.expired_fte, 1)} FTE ended on {day(row.expired_on)} and is not "
            "judged any more"
        )
    return "none has been set"


def _list(row: Any) -> str:
    if pd.isna(row.registered_patients):
        return "no list sizes are loaded"
    practices = f"{number(row.practices)} practice{'' if row.practices == 1 else 's'}"
    patients = f"{number(row.registered_patients)} patients of {practices}"
    if pd.isna(row.fte_per_10k):
        return patients
    return f"{patients}: {number(row.fte_per_10k, 2)} FTE for every 10,000, {row.funnel_place}"


def _referrals(row: Any, basis: Basis) -> str:
    if row.referral_reason:
        return str(row.referral_reason)
    referrals = count(getattr(row, REFERRALS), is_hidden=getattr(row, hidden_flag(REFERRALS)))
    if pd.isna(row.pressure):
        is_silent = row.pressure_state == Pressure.NO_RETURN
        why = words.silence(row) if is_silent else row.pressure_state
        return f"{referrals} in 12 months; {why}"
    return (
        f"{referrals} in 12 months over {number(row.mean_fte, 2)} mean FTE: {number(row.pressure)} a year "
        f"per FTE, {row.pressure_state} of {words.BAND}"
    )


def _needed(row: Any) -> str:
    if pd.isna(row.needed_least_fte):
        return MISSING
    span = f"{number(row.needed_least_fte, 1)} to {number(row.needed_most_fte, 1)} FTE"
    if pd.isna(row.needed_further_fte) or not row.needed_further_fte:
        return span
    return f"{span}; {number(row.needed_further_fte, 1)} more than its mean of the year"


def _open(row: Any) -> str:
    if row.referral_reason:
        return str(row.referral_reason)
    is_hidden = getattr(row, hidden_flag(OPEN))
    said = count(getattr(row, OPEN), is_hidden=is_hidden)
    return (
        said
        if is_hidden or pd.isna(row.open_per_fte)
        else f"{said}: {number(row.open_per_fte, 1)} per FTE"
    )
