"""The file that asks a provider whether its entries still hold: sent out, mended and read back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from dashboard.intake import dataset_named
from dashboard.intake.directory import NOT_STATED
from dashboard.intake.templates import filled_in
from dashboard.rules.services import joined
from queries import services
from queries.frames import each_row
from queries.scope import Scope

WORDS = (
    "What is known of your services. Mend what is wrong, write the day on which you checked it in "
    "confirmed_on, add services that are missing, take out rows of those that have closed, and "
    "send the file back: it replaces all that you returned before."
)


def ask_file(engine: Engine, scope: Scope, provider: str) -> bytes | None:
    """The workbook of one provider's services in the form of its return; `None` for a provider of
    whom nothing is known, or who is none of the reader's, or who has no name."""
    entries = services.provider_services(engine, scope, provider)
    if entries.empty or provider == NOT_STATED:
        return None
    lists = services.provider_lists(engine, scope, provider)
    # One provider's entries with one id are one service.
    entries = entries.assign(service_key=entries["service_id"])
    named = lists.merge(entries[["part_id", "service_id", "service_key"]])
    said = {
        (str(key), str(kind)): "; ".join(dict.fromkeys(values))
        for (key, kind), values in named.groupby(["service_key", "kind"])["value"]
    }
    rows = []
    for row in each_row(joined(entries)):
        whole = {
            name: _text(getattr(row, name))
            for name in (
                "service_id", "service_name", "provider", "state", "places_offered",
                "places_filled", "wait_days", "cost_to_person", "confirmed_on", "opens_on",
                "closes_on", "funder", "funding_ends", "cost_per_place", "minimum_age",
                "maximum_age", "sector", "access",
            )
        }  # fmt: skip
        rows.append(
            {
                **whole,
                # People who wait are hidden where they are few, also from who asks.
                "waiting": "",
                "online": "yes" if row.is_online else "no",
                "safeguarding": _text(row.has_safeguarding),
                "area_served": said.get((row.service_key, "area"), ""),
                "need_themes": said.get((row.service_key, "theme"), ""),
                # A return has one place a service.
                "postcode": said.get((row.service_key, "postcode"), "").split("; ")[0],
            }
        )
    return filled_in(dataset_named("services"), rows, WORDS)


def _text(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
