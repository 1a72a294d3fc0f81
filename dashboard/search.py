"""Search: by name, by code or by an old code to a ward, network, provider, page or definition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from html import escape
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st
from sqlalchemy import Engine

from dashboard import filters, show
from dashboard.data import fetch_shared
from dashboard.filters import BOARD, LOCALITY, PART, PCN, PROVIDER, SERVICE, WARD, Choices
from dashboard.intake.directory import NOT_STATED
from dashboard.own_networks import own_rows
from dashboard.rules.measures import GLOSSARY, MEASURES
from dashboard.rules.search import Entry, Hit, Key, find
from dashboard.services import board_services
from queries import places, search, workforce
from queries.frames import each_row
from queries.scope import Scope

# What the pages are called and answer, by their address; the first is at the root.
PAGES = {
    "": ("This week", "What changed since we last met, and what do we decide?"),
    "coverage": ("Coverage", "Which wards have no social prescribing?"),
    "all-boards": ("All boards", "Which boards have wards without social prescribing?"),
    "workforce": ("Workforce", "Do networks have the link workers they mean to have?"),
    "providers": ("Providers", "Which needs can be met where, and with what room?"),
    "outcomes": ("Outcomes", "Who gets from referral to benefit, and who is lost on the way?"),
    "take-up": ("Take-up", "Where is take-up low for the need there, and where is it lost?"),
    "where-to-fund": ("Where to fund next", "Where does the next pound reach most unmet need?"),
    "commitments": (
        "National commitments",
        "Which national commitments are in force, and where does the board stand?",
    ),
    "actions": ("Actions", "What did we decide, who does it, by when?"),
    "data": ("Data", "Is everything here, and can it be trusted?"),
    "methods": ("Methods", "What does each figure mean?"),
}
MOST_LETTERS = 80


@dataclass(frozen=True)
class Index:
    """Everything of a board that can be found; nobody changes it: every session shares it."""

    entries: tuple[Entry, ...]

    @cached_property
    def names(self) -> dict[str, str]:
        """What each code in use is called."""
        return {
            key.text: entry.hit.title
            for entry in self.entries
            for key in entry.keys
            if key.is_code and not key.said
        }


def index(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> Index:
    """What can be found in a board at a date. A query by its signature."""
    return Index(
        (
            *_boards(engine, scope),
            *_wards(engine, scope, icb_code),
            *_networks(engine, scope, icb_code, as_at),
            *_offers(engine, scope, icb_code, as_at),
            *_words(),
        )
    )


def names(scope: Scope, choices: Choices) -> dict[str, str]:
    """What each code of the chosen board is called."""
    return fetch_shared(index, scope, choices.icb_code, choices.as_at).names


def draw(scope: Scope, choices: Choices) -> None:
    """The box in the sidebar, and below it links to what is found."""
    words = st.text_input(
        "Search",
        key="search",
        type="search",
        max_chars=MOST_LETTERS,
        placeholder="Name or code",
        help="A ward, network, practice, locality, provider, service, page or definition, by name "
        "or code, also by an old code.",
    )
    if not words or not words.strip():
        return
    known = fetch_shared(index, scope, choices.icb_code, choices.as_at)
    hits = find(known.entries, words)
    if not hits:
        show.html(
            f'<p class="search-none" role="status">Nothing is called “{escape(words)}” in '
            f"{escape(choices.icb_name)}.</p>"
        )
        return
    show.html(hits_markup(hits, choices))


def hits_markup(hits: list[Hit], choices: Choices) -> str:
    """Links to what was found, each with its kind in words; all that is a name is escaped."""
    items = "".join(
        f'<li><span class="kind">{escape(hit.kind)}</span> {_title(hit, choices)}'
        f'<span class="detail">{escape(hit.detail)}</span></li>'
        for hit in hits
    )
    return f'<ul class="found" aria-label="What was found">{items}</ul>'


def _title(hit: Hit, choices: Choices) -> str:
    if hit.page is None:
        return f"<b>{escape(hit.title)}</b>"
    query = urlencode(choices.address() | dict(hit.choices) | filters.staying())
    anchor = f"#{hit.anchor}" if hit.anchor else ""
    address = escape(f"/{hit.page}?{query}{anchor}")
    return f'<a href="{address}" target="_self">{escape(hit.title)}</a>'


def _boards(engine: Engine, scope: Scope) -> Iterator[Entry]:
    for board in each_row(places.boards(engine, scope)):
        name = board.icb_code if pd.isna(board.icb_name) else board.icb_name
        hit = Hit("Board", name, board.icb_code, "", ((BOARD, board.icb_code),))
        yield Entry(hit, (Key(board.icb_code, True), Key(name)))


def _wards(engine: Engine, scope: Scope, icb_code: str) -> Iterator[Entry]:
    wards = places.wards(engine, scope, icb_code)
    old = search.old_wards(engine, scope, icb_code)
    keys, lost = keys_of_old_wards(wards, old, search.old_ward_lsoas(engine, scope, icb_code))
    for ward in each_row(wards):
        district = "" if pd.isna(ward.lad_name) else f"{ward.lad_name}, "
        hit = Hit(
            "Ward",
            ward.ward_name,
            f"{district}{ward.ward_code}",
            "coverage",
            ((WARD, ward.ward_code),),
        )
        own = (Key(ward.ward_code, True), Key(ward.ward_name))
        yield Entry(hit, own + tuple(keys.get(ward.ward_code, ())))
    yield from lost
    for district in each_row(wards.dropna(subset="lad_code").drop_duplicates("lad_code")):
        name = district.lad_code if pd.isna(district.lad_name) else district.lad_name
        hit = Hit("Locality", name, district.lad_code, "coverage", ((LOCALITY, district.lad_code),))
        yield Entry(hit, (Key(district.lad_code, True), Key(name)))


def keys_of_old_wards(
    wards: pd.DataFrame, old: pd.DataFrame, lsoas: pd.DataFrame
) -> tuple[dict[str, list[Key]], list[Entry]]:
    """By what older codes and names the wards in use are found, and the old ones of which nothing
    says which ward they are now: those open nothing.

    The LSOAs say it where a lookup of the older vintage is kept: one ward that holds them all, or
    each of those that hold some. Else a ward of the same name in the same district does.
    """
    keys: dict[str, list[Key]] = {}
    lost = []
    names = dict(zip(wards["ward_code"], wards["ward_name"], strict=True))
    now = wards.assign(name=wards["ward_name"].map(plain_or_none))
    for ward in each_row(old):
        name = "" if pd.isna(ward.ward_name) else str(ward.ward_name)
        was = f"was {ward.ward_code}" + (f", {name}" if name else "")
        parts = lsoas[lsoas["old_code"] == ward.ward_code]
        found = [(p.ward_code, _held(was, p)) for p in each_row(parts)]
        if not found and name:
            same = now[(now["name"] == plain_or_none(name)) & (now["lad_code"] == ward.lad_code)]
            if len(same) == 1:
                found = [(same["ward_code"].iloc[0], f"{was}: same name, same district")]
        for ward_code, said in found:
            mine = keys.setdefault(ward_code, [])
            mine.append(Key(ward.ward_code, True, said))
            # By the name both have it is found as it is.
            if name and plain_or_none(name) != plain_or_none(names[ward_code]):
                mine.append(Key(name, said=said))
        if not found:
            title = name or ward.ward_code
            detail = f"{ward.ward_code}: in use no more, and nothing loaded says which ward it is"
            hit = Hit("Ward", title, detail, None)
            named = (Key(name),) if name else ()
            lost.append(Entry(hit, (Key(ward.ward_code, True), *named)))
    return keys, lost


def plain_or_none(name: str) -> str:
    """A name as names are compared."""
    return Key(str(name)).plain


def _held(was: str, part: Any) -> str:
    held, whole = int(part.lsoas), int(part.old_lsoas)
    share = f"all {whole}" if held == whole else f"{held} of {whole}"
    return f"{was}: {share} of its LSOAs are here"


def _networks(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> Iterator[Entry]:
    now = own_rows(scope, icb_code, workforce.fte_by_pcn(engine, scope, icb_code, as_at))
    names = dict(zip(now["pcn_code"], now["pcn_name"].fillna(now["pcn_code"]), strict=True))
    told = search.network_names(engine, scope, icb_code)
    practices = own_rows(scope, icb_code, search.practices_now(engine, scope, icb_code, as_at))
    then = search.practices_then(engine, scope, icb_code)
    others = told[told["pcn_code"].isin(names)]
    for code, name in names.items():
        was = [
            Key(other, said=f"was called {other}")
            for other in others.loc[others["pcn_code"] == code, "pcn_name"]
            if plain_or_none(other) != plain_or_none(name)
        ]
        hit = Hit("Network", name, code, "workforce", ((PCN, code),))
        yield Entry(hit, (Key(code, True), Key(name), *was))
    if scope.networks_of(icb_code) is None:
        yield from _old_networks(names, told, then, practices)
    for practice in each_row(practices):
        name = practice.practice_code if pd.isna(practice.practice_name) else practice.practice_name
        in_network = practice.pcn_code in names
        where = f"in {names[practice.pcn_code]}" if in_network else "in no network of the board"
        choices = ((PCN, practice.pcn_code),) if in_network else ()
        page = "workforce" if in_network else None
        hit = Hit("Practice", name, f"{practice.practice_code}, {where}", page, choices)
        yield Entry(hit, (Key(practice.practice_code, True), Key(name)))


def _old_networks(
    names: dict[str, str], told: pd.DataFrame, then: pd.DataFrame, practices: pd.DataFrame
) -> Iterator[Entry]:
    """Networks that are here no more: where all their practices went, if it is to one network."""
    now = dict(zip(practices["practice_code"], practices["pcn_code"], strict=True))
    gone = sorted({*told["pcn_code"], *then["pcn_code"]} - set(names))
    for code in gone:
        called = told.loc[told["pcn_code"] == code, "pcn_name"].tolist()
        went = [now.get(one) for one in then.loc[then["pcn_code"] == code, "practice_code"]]
        keys = (Key(code, True), *(Key(name) for name in called))
        title = called[0] if called else code
        one = went[0] if len(set(went)) == 1 else None
        if one in names:
            detail = f"{code}: not here at the date; all its practices are in {names[one]}"
            yield Entry(Hit("Network", title, detail, "workforce", ((PCN, one),)), keys)
        else:
            detail = f"{code}: not here at the date, and its practices are not all in one network"
            yield Entry(Hit("Network", title, detail, None), keys)


def _offers(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> Iterator[Entry]:
    listed = board_services(engine, scope, icb_code, as_at).listed
    list_of = (PART, "services")
    for provider in sorted(set(listed["provider"]) - {NOT_STATED}):
        number = int((listed["provider"] == provider).sum())
        detail = f"{number:,} service" + ("" if number == 1 else "s")
        hit = Hit("Provider", provider, detail, "providers", (list_of, (PROVIDER, provider)))
        yield Entry(hit, (Key(provider),))
    for service in each_row(listed):
        hit = Hit(
            "Service",
            service.service_name,
            service.provider,
            "providers",
            (list_of, (SERVICE, service.service_key)),
        )
        yield Entry(hit, (Key(service.service_id, True), Key(service.service_name)))


def _words() -> Iterator[Entry]:
    for address, (title, question) in PAGES.items():
        yield Entry(Hit("Page", title, question, address), (Key(title),))
    for name, measure in MEASURES.items():
        hit = Hit("Definition", measure.title, measure.definition, "methods", anchor=name)
        yield Entry(hit, (Key(measure.title), Key(name)))
    for term, explained in GLOSSARY:
        hit = Hit("Definition", term, explained, "methods", anchor="glossary")
        yield Entry(hit, (Key(term),))
