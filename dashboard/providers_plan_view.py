"""Funding, demand and directories of the chosen area, made once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Engine

from dashboard.data import fetch_shared
from dashboard.filters import Choices
from dashboard.gaps import REFERRED, WITHOUT
from dashboard.intake.directory import NOT_STATED
from dashboard.providers import WAITING, capacity_by, money_by_district
from dashboard.providers_view import ProvidersView, providers_view
from dashboard.rules.disclosure import Released, added_up, hidden_flag
from dashboard.rules.freshness import Freshness
from dashboard.rules.funding import ending, last_funded, losses_by_month
from dashboard.rules.gaps import UNMET, Cell
from dashboard.rules.near_duplicates import near_duplicates
from dashboard.rules.needs import NEED_THEMES
from dashboard.rules.services import DIRECTORY, RETURN
from dashboard.services import board_box, counted_keys
from queries import services
from queries.frames import each_row
from queries.scope import Scope

# How far ahead funding is looked at: this year's budget and the next.
AHEAD_MONTHS = 18
NEVER = pd.Timestamp(1900, 1, 1)
# Pairs shown at a time: they are looked at one by one.
MOST_PAIRS = 10


def to_ask(view: ProvidersView) -> pd.DataFrame:
    """One row per provider with entries not confirmed in the last 6 months, who has waited longest
    first: `provider`, how many `entries`, the `oldest` confirmation (missing: never)."""
    frame = view.listed.frame
    old = frame[(frame["freshness"] != Freshness.FRESH) & (frame["provider"] != NOT_STATED)]
    # Never is before every day.
    days = pd.to_datetime(old["confirmed_on"]).fillna(NEVER)
    found = old.assign(day=days).groupby("provider", as_index=False)
    asked = found.agg(entries=("service_key", "size"), oldest=("day", "min"))
    asked["oldest"] = asked["oldest"].mask(asked["oldest"] == NEVER)
    return asked.sort_values(["oldest", "provider"], na_position="first", ignore_index=True)


@dataclass(frozen=True)
class Funding:
    """`months`: what is lost up to the end of each; `ending`: the services, with the `wards` each
    serves; `left`: wards and needs with nothing left after a day; `money`: by district."""

    months: pd.DataFrame
    ending: pd.DataFrame
    left: pd.DataFrame
    money: pd.DataFrame


def funding_view(engine: Engine, scope: Scope, choices: Choices) -> Funding:
    """What ends in the chosen area, and what would then be missing."""
    view = fetch_shared(providers_view, scope, choices)
    found, listed = view.providers.found, view.placed.frame
    here = found.serving[found.serving["ward_code"].isin(view.wards["ward_code"])]
    ends = ending(listed, choices.as_at, AHEAD_MONTHS)
    counted = counted_keys(found, with_stale=choices.with_stale)
    facts = found.listed[found.listed["service_key"].isin(counted)]
    # Money that ended before, at a service that is open, was found elsewhere.
    ended = pd.to_datetime(facts["funding_ends"]) < pd.Timestamp(choices.as_at)
    facts = facts.assign(funding_ends=facts["funding_ends"].mask(ended))
    codes = view.wards["ward_code"].tolist()
    left = last_funded(facts, found.serving, found.everywhere, found.themes, codes)
    horizon = (pd.Timestamp(choices.as_at) + pd.DateOffset(months=AHEAD_MONTHS)).date()
    is_ahead = [choices.as_at <= day <= horizon for day in left["ends"]]
    names = view.wards.set_index("ward_code")["ward_name"]
    left = left[pd.Series(is_ahead, left.index, dtype=bool)].assign(
        ward_name=lambda rows: rows["ward_code"].map(names)
    )
    return Funding(
        losses_by_month(ends, here, found.everywhere, len(codes)),
        ends,
        left.sort_values(["ends", "theme", "ward_name"], ignore_index=True),
        money_by_district(view.providers, view.wards),
    )


def demand_and_supply(engine: Engine, scope: Scope, choices: Choices) -> Released:
    """One row per need theme, most referred first: people referred (added up from shown numbers,
    hidden ones as the middle of their range), those closed for lack of a service (at least: shown
    ones alone), services, places, free places, who waits, and wards where nothing has room."""
    view = fetch_shared(providers_view, scope, choices)
    groups = view.providers.found.themes.rename(columns={"theme": "group"})
    supply = capacity_by(view.placed, groups).frame.set_index("group")
    rows = []
    for theme in NEED_THEMES:
        mine = view.cells.rows(view.cells.frame["theme"] == theme)
        referred, is_hidden = added_up(mine, REFERRED)
        # Where most are hidden, estimates of them would outweigh what is known: at least.
        told = mine.frame[WITHOUT].dropna()
        without = int(told.sum()) if len(told) else None
        without_hidden = not without and bool(mine.frame[hidden_flag(WITHOUT)].any())
        without = None if without_hidden else without
        rows.append(
            {
                "theme": theme,
                REFERRED: referred,
                hidden_flag(REFERRED): is_hidden,
                WITHOUT: without,
                hidden_flag(WITHOUT): without_hidden,
                "wards": len(mine.frame),
                "wards_unmet": int(mine.frame["state"].isin([c.value for c in UNMET]).sum()),
                "is_returned": bool((mine.frame["state"] != Cell.NO_RETURN).any()),
            }
        )
    frame = pd.DataFrame(rows).join(supply, on="theme")
    frame = frame.astype({REFERRED: "Int64", WITHOUT: "Int64", "services": "Int64"})
    frame["services"] = frame["services"].fillna(0).where(frame["is_returned"])
    for name in ("places_offered", "free_places"):
        frame[name] = frame[name].mask(frame["services"] == 0, 0)
    frame[hidden_flag(WAITING)] = frame[hidden_flag(WAITING)].astype("boolean").fillna(False)
    frame = frame.sort_values([REFERRED, "wards_unmet"], ascending=False, ignore_index=True)
    return Released(frame, (REFERRED, WITHOUT, WAITING), view.cells.profile)


@dataclass(frozen=True)
class Feed:
    """One file of a directory: what was said of it when it was read."""

    load_id: int
    file_name: str
    loaded_at: datetime
    entries: int
    lines: Sequence[str]


@dataclass(frozen=True)
class Pair:
    """Two entries that may be the same service: one of a return, the other of a directory, where
    somebody can say so; two of directories are for their publishers to mend."""

    title: str
    facts: Sequence[tuple[str, str]]
    provider: str
    service_id: str
    other_service_id: str

    @property
    def can_be_said(self) -> bool:
        """Whether an answer has somewhere to stand."""
        return bool(self.provider)


@dataclass(frozen=True)
class DirectoryView:
    """The feeds of the board, newest first, and pairs to look at, of `pairs_found` in all."""

    feeds: Sequence[Feed]
    pairs: Sequence[Pair]
    pairs_found: int


def directory_view(engine: Engine, scope: Scope, choices: Choices) -> DirectoryView:
    """What the directories of the board are like."""
    view = fetch_shared(providers_view, scope, choices)
    box = board_box(engine, scope, choices.icb_code)
    feeds = [
        Feed(
            row.load_id,
            row.file_name,
            row.loaded_at,
            row.entries,
            row.notes.split("\n") if isinstance(row.notes, str) else [],
        )
        for row in each_row(services.directories(engine, scope, choices.icb_code, box))
    ]
    found = _pairs(view, services.service_matches(engine, scope, choices.icb_code, box))
    return DirectoryView(feeds, found[:MOST_PAIRS], len(found))


def _pairs(view: ProvidersView, said: pd.DataFrame) -> list[Pair]:
    frame = view.listed.frame
    places = view.providers.found.sites[["service_key", "postcode", "latitude", "longitude"]]
    entries = frame.assign(
        source=frame["file_name"].where(frame["dataset"] == DIRECTORY, RETURN)
    ).merge(places, on="service_key", how="left")
    entries["provider"] = entries["provider"].where(entries["provider"] != NOT_STATED)
    by_key = frame.set_index("service_key")
    answered = {frozenset((row.service_id, row.other_service_id)) for row in each_row(said)}
    pairs = []
    for row in each_row(near_duplicates(entries)):
        both = [by_key.loc[row.key], by_key.loc[row.other_key]]
        # The return first: its provider is who can be asked.
        both.sort(key=lambda entry: entry["dataset"] == DIRECTORY)
        one, other = both
        if frozenset((one["service_id"], other["service_id"])) in answered:
            continue
        is_across = one["dataset"] == RETURN and other["dataset"] == DIRECTORY
        pairs.append(
            Pair(
                f"{one['service_name']} and {other['service_name']}",
                [
                    ("One", _entry_words(one)),
                    ("Other", _entry_words(other)),
                    ("Why", f"{row.why}; names {row.name_likeness:.0%} alike"),
                ],
                str(one["provider"]) if is_across else "",
                str(one["service_id"]),
                str(other["service_id"]),
            )
        )
    return pairs


def _entry_words(entry: pd.Series) -> str:
    place = "" if pd.isna(entry["postcodes"]) else f", {entry['postcodes']}"
    return (
        f"{entry['service_name']}, {entry['provider']}{place}; {entry['said_by']}, "
        f"{entry['file_name']}, id {entry['service_id']}"
    )
