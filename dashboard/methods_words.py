"""The Methods page in words, made from the same registry as the help texts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Engine

from dashboard.outcomes_change import threshold
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import PROFILES
from dashboard.rules.measures import Measure
from dashboard.rules.wellbeing import SCALES
from dashboard.settings import Settings
from dashboard.style import MISSING, day
from queries import loads
from queries.frames import each_row
from queries.scope import Scope

Rows = tuple[Sequence[str], Sequence[Sequence[str]]]

_STATUS_MEANINGS = {
    Status.NO_PROVISION: "No route in. The reason says whether a link worker or services are near.",
    Status.NO_LINK_WORKER: "A route in, and every PCN serving the ward returned without a link worker.",
    Status.NOTHING_TO_REFER_TO: "A route in and a link worker, and no open service confirmed in time.",
    Status.NOT_REACHED: "All three are there, and nobody was referred in 12 months.",
    Status.LOW: "Referrals below the lower 95% limit of the number expected.",
    Status.NO_RETURN: "A component nobody told us about: the ward cannot be judged.",
    Status.HIDDEN: "All three are there; so few were referred that the number is hidden.",
    Status.UNKNOWN: "All three are there, and no referral return, or no population, for the ward.",
    Status.AS_EXPECTED: "Referrals within the 95% limits of the number expected.",
    Status.HIGH: "Referrals above the upper 95% limit of the number expected.",
}


def measure_facts(measure: Measure) -> list[tuple[str, str]]:
    """Definition, formula, unit, source and caution of one measure."""
    facts = [
        ("Definition", measure.definition),
        ("How it is worked out", measure.formula),
        ("Unit", measure.unit),
        ("Source", measure.source),
    ]
    return [*facts, ("Take care", measure.caution)] if measure.caution else facts


def statuses() -> Rows:
    """One row per status, worst first."""
    return ("Status", "Meaning"), [(status.value, _STATUS_MEANINGS[status]) for status in Status]


def changes_that_count() -> Rows:
    """One row per question of a known measure: the smallest change that counts, and who says so."""
    rows = []
    for question, about in SCALES.items():
        least = threshold(question)
        rows.append(
            (
                about.title,
                f"{least.least_change:g}",
                f"{least.source} ({least.status}). {least.note}".strip(),
            )
        )
    return ("Question", "Smallest change", "Source"), rows


def settings_in_force(settings: Settings) -> Rows:
    """One row per setting that changes a figure; secrets are not among them."""
    shown = (
        "disclosure_profile", "served_share", "stale_months", "late_months", "reach_metres",
        "reach_minutes", "travel_mode",
    )  # fmt: skip
    rows = []
    for name in shown:
        value = str(getattr(settings, name))
        if name == "disclosure_profile":
            value = f"{value}: {PROFILES[value].words}"
        rows.append((name, value, Settings.model_fields[name].description or ""))
    return ("Setting", "In force", "What it does"), rows


def files_in_force(engine: Engine, scope: Scope) -> Rows:
    """One row per file that a reader is told of. A query by its signature."""
    return files(loads.sources(engine, scope))


def files(sources: pd.DataFrame) -> Rows:
    """One row per file in force, so that every number can be traced to one."""
    rows = [
        (
            source.dataset.replace("_", " "),
            source.file_name,
            MISSING if pd.isna(source.vintage) else source.vintage,
            day(source.period_end),
            f"{source.rows_read:,}",
            f"{source.loaded_at:%d %B %Y %H:%M} UTC",
            f"{source.sha256[:12]}…",
        )
        for source in each_row(sources)
    ]
    return ("Dataset", "File", "Vintage", "To", "Rows", "Loaded", "SHA-256"), rows
