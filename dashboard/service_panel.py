"""One service: what it is, for whom, where, with what room, and who says so."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dashboard import providers_words as words
from dashboard import show
from dashboard.filters import Choices
from dashboard.providers import WAITING
from dashboard.providers_told import confirmed_words
from dashboard.providers_view import ProvidersView
from dashboard.rules.disclosure import hidden_flag
from dashboard.style import MISSING, count, day, number
from queries.frames import each_row


def service_panel(view: ProvidersView, choices: Choices, service_key: str) -> None:
    """The panel of one service; says so when it is not one of the chosen area."""
    frame = view.listed.frame
    found = frame[frame["service_key"] == service_key]
    if found.empty:
        show.empty("Service not found", "It is not one of the chosen area, or it has closed.")
        return
    row = next(iter(each_row(found)))
    show.heading(f"{row.service_name}, {row.provider}", anchor="service")
    show.definition_list(_facts(view, row), label="What is known of the service")
    address = choices.address(part="services", service=service_key)
    show.link_to_view("Link to this service", address, page="/providers")


def _facts(view: ProvidersView, row: Any) -> list[tuple[str, str]]:
    waiting = count(getattr(row, WAITING), is_hidden=getattr(row, hidden_flag(WAITING)))
    wait = "" if pd.isna(row.wait_days) else f"; about {row.wait_days} days"
    places = MISSING
    if pd.notna(row.places_offered):
        places = (
            f"{number(row.places_offered)} offered in 4 weeks, {number(row.places_filled)} filled"
        )
    money = [
        _said(row.funder),
        "end not said" if pd.isna(row.funding_ends) else f"until {day(row.funding_ends)}",
        "" if pd.isna(row.cost_per_place) else f"£{row.cost_per_place:,.2f} a place",
    ]
    return [
        ("For", "need not said" if pd.isna(row.themes) else row.themes),
        ("Serves", f"{row.reach}; {words.where_words(row) or 'no ward of this board'}"),
        ("Placed by", _placed_by(view, row.service_key)),
        ("Room", words.room_words(row) + _of_day(row.capacity_on)),
        ("Places", places),
        ("Waiting", waiting + wait),
        ("Ages", _ages(row)),
        ("Cost to the person", _said(row.cost_to_person)),
        ("How to get in", _said(row.access)),
        ("Safeguarding", words.safeguarding_words(row.has_safeguarding)),
        ("Funding", ", ".join(part for part in money if part)),
        ("Sector", _said(row.sector)),
        ("Confirmed", f"{confirmed_words(row)} ({row.freshness})"),
        ("Web", _said(row.web_address)),
        ("Said by", f"{row.said_by}: {row.file_name}"),
        ("Id", row.service_id),
    ]


def _said(text: Any) -> str:
    return "not said" if pd.isna(text) else str(text)


def _of_day(told: Any) -> str:
    return "" if pd.isna(told) else f", told for {day(told)}"


def _placed_by(view: ProvidersView, service_key: str) -> str:
    sites = view.providers.found.sites
    ways = sites.loc[sites["service_key"] == service_key, "placed_by"].unique()
    named = {"point": "its coordinates", "postcode": "its postcode"}
    return " and ".join(named[way] for way in ways) or "no place of its own"


def _ages(row: Any) -> str:
    least, most = row.minimum_age, row.maximum_age
    if pd.isna(least) and pd.isna(most):
        return "not said"
    if pd.isna(most):
        return f"from {least:.0f}"
    return f"up to {most:.0f}" if pd.isna(least) else f"{least:.0f} to {most:.0f}"
