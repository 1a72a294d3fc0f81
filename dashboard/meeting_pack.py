"""The pack for a meeting: what the pages show of one board, in one order, to be taken along."""

from __future__ import annotations

from datetime import date

import pandas as pd
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine

from dashboard import __version__
from dashboard.coverage_view import coverage_view
from dashboard.data import data_state, fetch_shared
from dashboard.filters import COUNTED, LEFT_OUT, USUAL_MONTHS, Area, Choices
from dashboard.pack.content import Pack
from dashboard.pack_commitments import commitments_page
from dashboard.pack_coverage import coverage_pages
from dashboard.pack_meeting import actions_page, this_week_page
from dashboard.pack_needs import fund_page, needs_pages
from dashboard.pack_page import Asked
from dashboard.pack_take_up import pathway_page, take_up_page
from dashboard.pack_workforce import workforce_pages
from dashboard.rules.disclosure import SECONDARY_WORDS
from dashboard.rules.measures import MEASURES
from dashboard.style import day
from dashboard.this_week import this_week
from dashboard.this_week_words import compared_with, since_options
from dashboard.workforce import profile
from queries import loads, places, workforce
from queries.frames import each_row
from queries.meetings import meetings
from queries.scope import Scope

NO_PACK = "No pack: under the profile in force no number is hidden."


def meeting_pack(engine: Engine, scope: Scope, area: Area, since: str = "") -> Pack | None:
    """Every page of a board (or a locality, or a network of it) at a date, from released figures;
    `None` where it is not there or has no ward, or there is no such meeting.

    `since` is a meeting or a day, as `this_week` takes them; "" is the last that was closed.
    `ValueError` where the disclosure profile lets nothing leave. What was decided is in it and may
    change at any time: not to be kept by `fetch`.
    """
    by = profile()
    if not by.may_leave:
        raise ValueError(NO_PACK)
    choices = choices_of(engine, scope, area)
    if choices is None or not fetch_shared(coverage_view, scope, area).names:
        return None
    files = loads.sources(engine, scope)
    files = files.sort_values(["dataset", "period_end", "loaded_at"], na_position="first")
    asked = Asked(choices, tuple(zip(files["dataset"], files["file_name"], strict=True)))
    since = since or next(iter(since_options(meetings(engine, scope, area.icb_code), area.as_at)))
    found = fetch_shared(this_week, scope, choices, since)
    if found is None:
        return None
    then = compared_with(since, found)
    pages = (
        this_week_page(asked, found, since),
        *coverage_pages(engine, scope, asked),
        *workforce_pages(engine, scope, asked),
        *needs_pages(engine, scope, asked),
        pathway_page(engine, scope, asked),
        take_up_page(engine, scope, asked),
        fund_page(engine, scope, asked),
        commitments_page(engine, scope, asked),
        actions_page(engine, scope, asked),
    )
    state = data_state()
    named = " > ".join(filter(None, (choices.icb_name, choices.lad_name, choices.pcn_name)))
    return Pack(
        title=f"Social prescribing: {named}",
        area=named,
        as_at=day(area.as_at),
        since=then,
        data_as_of="no dated file" if state.newest_date is None else day(state.newest_date),
        filters=_filters(choices, then),
        profile=f"{by.name}: {by.words}",
        version=__version__,
        sources=tuple((row.dataset, row.file_name, row.sha256) for row in each_row(files)),
        config={
            "icb": area.icb_code,
            "as_at": area.as_at.isoformat(),
            "since": since,
            "locality": area.lad_code,
            "pcn": area.pcn_code,
            "stale": COUNTED if area.with_stale else LEFT_OUT,
            "profile": by.name,
            "data_version": str(state.version),
        },
        pages=pages,
        method=(
            ("Hidden numbers", f"{by.words[0].upper()}{by.words[1:]}; {SECONDARY_WORDS}."),
            *((measure.title, measure.definition) for measure in MEASURES.values()),
        ),
        is_simulated=state.is_demonstration,
    )


def choices_of(engine: Engine, scope: Scope, area: Area) -> Choices | None:
    """The choices by which the pages show an area, with its names; `None` where the board, the
    locality or the network is not there, or not to be seen."""
    boards = _names(places.boards(engine, scope), "icb")
    if area.icb_code not in boards:
        return None
    districts = _names(places.wards(engine, scope, area.icb_code).dropna(subset="lad_code"), "lad")
    networks = _names(workforce.fte_by_pcn(engine, scope, area.icb_code, area.as_at), "pcn")
    if area.lad_code not in {"", *districts} or area.pcn_code not in {"", *networks}:
        return None
    if not scope.admits_network(area.icb_code, area.pcn_code):
        return None
    return Choices(
        area.icb_code, boards[area.icb_code], area.lad_code, districts.get(area.lad_code, ""),
        area.pcn_code, networks.get(area.pcn_code, ""), area.as_at, int(USUAL_MONTHS),
        area.with_stale,
    )  # fmt: skip


def _names(frame: pd.DataFrame, kind: str) -> dict[str, str]:
    codes = frame[f"{kind}_code"]
    return dict(zip(codes, frame[f"{kind}_name"].fillna(codes), strict=True))


def _filters(choices: Choices, since: str) -> tuple[tuple[str, str], ...]:
    stale = "counted as provision" if choices.with_stale else "left out"
    return (
        ("Integrated care board", choices.icb_name),
        ("Locality", choices.lad_name or "all"),
        ("Primary care network", choices.pcn_name or "all"),
        ("Services not confirmed in time", stale),
        ("Months in trends", str(choices.months)),
        ("Since", since),
    )


def asked_by(config: str) -> tuple[Area, str]:
    """Of what a `config.json` makes a pack again; `ValueError` for anything else."""
    said = _read(config)
    try:
        area = Area(
            said["icb"], date.fromisoformat(said["as_at"]), said["stale"] == COUNTED,
            said["locality"], said["pcn"],
        )  # fmt: skip
        return area, said["since"]
    except (KeyError, ValueError) as error:
        raise ValueError(f"this is no config.json of a pack: {error}") from None


def changed_since(config: str, made: Pack) -> str:
    """In what a pack that was made again rests on something else than then; "" for nothing."""
    said = _read(config)
    what = {
        "data_version": "the data",
        "profile": "the disclosure profile",
        "version": "the version",
    }
    now = {**made.config, "version": made.version}
    return ", ".join(
        f"{words} was {said[name]} and is {now[name]}"
        for name, words in what.items()
        if name in said and said[name] != now[name]
    )


def _read(config: str) -> dict[str, str]:
    try:
        return TypeAdapter(dict[str, str]).validate_json(config)
    except ValidationError:
        raise ValueError("this is no config.json of a pack") from None
