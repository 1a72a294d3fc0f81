"""The demonstration: simulated files in the published forms, loaded like any other file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
from sqlalchemy import Engine

from dashboard import intake
from dashboard.demonstration.appointments import appointment_files
from dashboard.demonstration.capacity import capacity_files
from dashboard.demonstration.directory import directory_files
from dashboard.demonstration.gp_contacts import gp_contact_files
from dashboard.demonstration.health_budgets import health_budget_files
from dashboard.demonstration.needs import lead_files, need_files, site_files
from dashboard.demonstration.outcomes import outcome_files
from dashboard.demonstration.pathway import make_pathway, referral_files
from dashboard.demonstration.place_files import place_files
from dashboard.demonstration.places import make_places
from dashboard.demonstration.posts import post_files
from dashboard.demonstration.practice_files import practice_files
from dashboard.demonstration.practices import make_practices
from dashboard.demonstration.recruitment import plan_files, target_files
from dashboard.demonstration.referrals import make_referrals
from dashboard.demonstration.schemes import scheme_files
from dashboard.demonstration.services import service_entries, service_files, service_rows
from dashboard.demonstration.story import make_story
from dashboard.demonstration.workforce import workforce_files, workforce_spells
from dashboard.intake.source import Source
from queries import loads
from queries.load import LoadRecord, remove_demonstration
from queries.scope import EVERYTHING

DEMONSTRATION_DATE = date(2026, 6, 30)
SEED = 20_260_630


def files() -> list[Source]:
    """Every simulated file, in loading order; the same bytes at every call."""
    # One stream a subject: a change of one leaves the others as they were.
    streams = iter(np.random.default_rng(SEED).spawn(18))
    places = make_places(next(streams))
    made = make_practices(places, next(streams))
    story = make_story(places, made, next(streams))
    spells = workforce_spells(made, story, next(streams))
    entries = service_entries(places, story)
    services = service_rows(entries, next(streams))
    referrals = make_referrals(places, made, story, next(streams))
    in_order = next(streams)
    posts = post_files(spells, story, next(streams))
    recruitment = next(streams)
    budgets = health_budget_files(next(streams))
    capacity = capacity_files(entries, services, next(streams))
    directory = directory_files(entries, services, next(streams))
    pathway = make_pathway(places, made, entries, referrals, story, in_order, next(streams))
    outcomes = outcome_files(made, referrals, pathway, story, next(streams))
    contacts = gp_contact_files(made, referrals, pathway, story, next(streams))
    appointments = appointment_files(made, next(streams))
    needs = need_files(places, next(streams))
    sites = site_files(places, next(streams))
    return [
        *place_files(places),
        *needs,
        *practice_files(made),
        *workforce_files(made, story, spells),
        *scheme_files(places, story),
        *service_files(services),
        *capacity,
        *directory,
        # Before the referrals, so that scores are matched and counted once.
        *outcomes,
        *contacts,
        *referral_files(made, referrals, pathway),
        *posts,
        *budgets,
        *plan_files(spells, story, recruitment),
        *target_files(spells, story, recruitment),
        *appointments,
        *lead_files(),
        *sites,
    ]


class RealDataError(ValueError):
    """The demonstration was asked for beside real data."""


def make(
    engine: Engine, hash_key: bytes, progress: Callable[[str], None] = lambda _name: None
) -> list[LoadRecord]:
    """Load the whole demonstration; nothing when one is loaded already.

    `RealDataError` beside real files: simulated and real figures are never mixed.
    """
    if loads.data_state(engine).is_demonstration:
        return []
    if len(loads.sources(engine, EVERYTHING)):
        raise RealDataError(
            "Real files are loaded, and the demonstration is never mixed with them: "
            "set DASHBOARD_DATABASE_URL to another database to look at it."
        )
    records = []
    try:
        for source in files():
            progress(source.name)
            records.append(intake.take_in(engine, source, hash_key, is_demonstration=True))
    except BaseException:
        # Half a demonstration would tell another story, and never be completed.
        remove_demonstration(engine)
        raise
    return records
