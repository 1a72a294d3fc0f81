"""The brief of a ward or a network: what somebody takes along, on the screen and as one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from dashboard import __version__
from dashboard import take_up_words as words
from dashboard.coverage import REFERRALS, ward_coverage
from dashboard.coverage_view import coverage_view
from dashboard.data import data_state, fetch_shared
from dashboard.filters import Area
from dashboard.leads import locality_leads
from dashboard.maps import board_map
from dashboard.pack.brief_pdf import Brief, Section, area_svg
from dashboard.pcn_panel import network_facts
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import hidden_flag
from dashboard.rules.take_up import months_before
from dashboard.services import board_services, in_order, keys_of_ward
from dashboard.style import MISSING, STATUS_COLOURS, count, counted, day, number
from dashboard.take_up_view import take_up_view
from dashboard.ward_panel import trail
from dashboard.workforce import pcn_workforce
from dashboard.workforce_words import name_of
from geodata.shapes import geometries_of
from queries import loads, places
from queries.frames import each_row
from queries.scope import Scope

QUARTER_MONTHS = 3
# What stands on one page: the nearest services, and the wards furthest below the expected.
MOST_SERVICES, MOST_WARDS = 8, 10
# The newest files of these are what a brief rests on; the whole list is on the page Methods.
SOURCES = ("workforce", "ward_population", "deprivation", "registered_patients", "list_sizes")


def ward_brief(engine: Engine, scope: Scope, area: Area, ward_code: str) -> Brief | None:
    """Need, provision, take-up, where it is lost, services, whom to call and what changed in one
    ward; `None` where the board has no such ward."""
    board = Area(area.icb_code, area.as_at, area.with_stale)
    view = fetch_shared(take_up_view, scope, board)
    found = view.wards.frame[view.wards.frame["ward_code"] == ward_code]
    if found.empty:
        return None
    ward = next(iter(each_row(found)))
    basis = fetch_shared(coverage_view, scope, board).coverage.basis
    leads = fetch_shared(locality_leads, scope, area.icb_code, area.as_at)
    mine = leads[leads["lad_code"] == ward.lad_code]
    need = dict(words.ward_facts(ward, view.needs, mine))
    call = need.pop("Named lead")
    judged = dict(trail(ward, basis))
    provision = [
        (term, judged[term]) for term in ("Route in", "Link worker", "Something to refer to")
    ]
    leak = view.found.leaks.get(ward_code)
    services = _services(scope, board, ward_code)
    return Brief(
        title=f"{ward.ward_name}, {ward.lad_name}" if pd.notna(ward.lad_name) else ward.ward_name,
        subtitle=f"Social prescribing brief · {_board_name(engine, scope, area)} · as at {day(area.as_at)}",
        sections=[
            Section("In a sentence", [f"{ward.status}: {ward.reason}."]),
            Section("Need", facts=[("People", judged["People"]), *need.items()]),
            Section("Provision", facts=[*provision, ("Link workers", judged["Link workers"])]),
            Section("Take-up", _take_up(ward), [("Referrals, 12 months", judged["Referrals, 12 months"])]),
            Section(
                "Where it is lost",
                _plain(words.leak_finding(leak)) if leak else ["Not below the expected range, or "
                "not judged: nothing is told apart."],
                table=words.leak_table(leak) if leak else None,
            ),
            Section("Whom to call", facts=[("Named lead", call), *_networks(scope, board, ward_code)]),
            Section("What changed in three months", _changed(engine, scope, area, ward)),
            Section(
                "Services within reach",
                [] if services else ["No service is returned for this ward."],
                table=(("Service", "Provider", "For", "Serves"), services) if services else None,
            ),
        ],
        map_svg=_map(engine, scope, board, ward_code),
        map_alt=f"{ward.ward_name} outlined among the wards around it, by provision status.",
        footer=_footer(engine, scope, view.wards.profile.words),
        is_simulated=data_state().is_demonstration,
    )  # fmt: skip


def network_brief(engine: Engine, scope: Scope, area: Area, pcn_code: str) -> Brief | None:
    """The same of one network and the wards it serves; `None` where the board has no such network."""
    mine = Area(area.icb_code, area.as_at, area.with_stale, pcn_code=pcn_code)
    networks = fetch_shared(pcn_workforce, scope, area.icb_code, area.as_at)
    rows = networks.pcns.frame[networks.pcns.frame["pcn_code"] == pcn_code]
    if rows.empty:
        return None
    row = next(iter(each_row(rows)))
    view = fetch_shared(take_up_view, scope, mine)
    frame = view.wards.frame
    statuses = Counter(frame["status"])
    leads = fetch_shared(locality_leads, scope, area.icb_code, area.as_at)
    places_served = leads[leads["lad_code"].isin(frame["lad_code"])]
    low = words.low_table(view.wards, view.found, words.lead_names(leads))
    losses = words.losses_table(view.wards, view.found)
    facts = dict(network_facts(row, networks.basis))
    return Brief(
        title=name_of(row),
        subtitle=f"Social prescribing brief · {_board_name(engine, scope, area)} · as at {day(area.as_at)}",
        sections=[
            Section("In a sentence", _plain(view.finding[:1])),
            Section("Need", facts=[
                ("Wards it serves", f"{len(frame):,}"),
                ("In the most deprived fifth", f"{int((frame['imd_fifth'] == 1).sum()):,}"),
                ("List", facts["List"]),
            ]),
            Section("Provision", facts=[
                ("In post", facts["In post"]),
                ("In 12 months", facts["In 12 months"]),
                ("Target", facts["Target"]),
                *((status.value, counted(statuses[status.value], "ward")) for status in Status
                  if statuses[status.value]),
            ]),
            Section("Take-up", facts=[("New referrals", facts["New referrals"]),
                                      ("Open referrals", facts["Open referrals"])]),
            Section("Where it is lost", table=losses if low[1] else None,
                    sentences=[] if low[1] else ["No ward it serves is below the expected range."]),
            Section("Whom to call", facts=[
                (str(lead.lad_name), _lead(lead)) for lead in each_row(places_served)
            ] or [("Named lead", "none for its localities")]),
            Section("What changed in three months", _network_changed(engine, scope, mine, row)),
            Section("Wards below the expected range", table=(low[0], low[1][:MOST_WARDS])
                    if low[1] else None, sentences=[] if low[1] else ["None."]),
        ],
        footer=_footer(engine, scope, view.wards.profile.words),
        is_simulated=data_state().is_demonstration,
    )  # fmt: skip


def _plain(sentences: Sequence[str]) -> list[str]:
    return [sentence.replace("**", "") for sentence in sentences if sentence]


def _board_name(engine: Engine, scope: Scope, area: Area) -> str:
    boards = places.boards(engine, scope).set_index("icb_code")["icb_name"]
    name = boards.get(area.icb_code)
    return area.icb_code if name is None or pd.isna(name) else str(name)


def _take_up(ward: Any) -> list[str]:
    if ward.apart:
        return [f"Set apart, and not called low: {ward.apart}."]
    around = words.CLUSTER_WORDS.get(ward.cluster, "")
    return [f"{ward.place[0].upper()}{ward.place[1:]} of what the board's rates lead us to expect. "
            f"Around it: {around[0].lower()}{around[1:]}."]  # fmt: skip


def _services(scope: Scope, area: Area, ward_code: str) -> list[tuple[str, ...]]:
    found = fetch_shared(board_services, scope, area.icb_code, area.as_at)
    mine = in_order(keys_of_ward(found, ward_code).merge(found.listed))
    return [
        (
            row.service_name,
            "" if pd.isna(row.provider) else row.provider,
            MISSING if pd.isna(row.themes) else row.themes,
            row.way,
        )
        for row in each_row(mine.head(MOST_SERVICES))
    ]


def _networks(scope: Scope, area: Area, ward_code: str) -> list[tuple[str, str]]:
    """The networks that serve a ward, and who works there."""
    shares = fetch_shared(coverage_view, scope, area).coverage.shares.frame
    mine = shares[(shares["ward_code"] == ward_code) & shares["serves"]]
    return [
        (
            row.pcn_name if pd.notna(row.pcn_name) else row.pcn_code,
            "no workforce return" if pd.isna(row.fte) else "no link worker" if row.fte == 0
            else f"{number(row.fte, 1)} FTE of link workers",
        )
        for row in each_row(mine.sort_values("ward_share", ascending=False))
    ]  # fmt: skip


def _lead(lead: Any) -> str:
    if pd.isna(lead.post_name):
        return "no named lead"
    profession = f" ({lead.profession})" if pd.notna(lead.profession) else ""
    return f"{lead.post_name}{profession}"


def _quarter_before(as_at: date) -> date:
    """The same day three months before, or the last of that month."""
    first = months_before(as_at, QUARTER_MONTHS)
    last = months_before(as_at, QUARTER_MONTHS - 1) - timedelta(days=1)
    is_end = (as_at + timedelta(days=1)).day == 1
    return last if is_end else min(first + timedelta(days=as_at.day - 1), last)


def _changed(engine: Engine, scope: Scope, area: Area, ward: Any) -> list[str]:
    """What of a ward was otherwise a quarter before, as it was told of that day."""
    then_on = _quarter_before(area.as_at)
    before = fetch_shared(ward_coverage, scope, area.icb_code, then_on, area.with_stale).wards.frame
    found = before[before["ward_code"] == ward.ward_code]
    if found.empty:
        return [f"Nothing is known of {day(then_on)}."]
    then = next(iter(each_row(found)))
    changes = []
    if then.status != ward.status:
        changes.append(f"Status: {then.status} on {day(then_on)}, {ward.status} now.")
    for column, title, decimals in (
        ("fte_per_10k", "Link workers per 10,000", 2),
        ("service_count", "Services", 0),
    ):
        old, new = number(getattr(then, column), decimals), number(getattr(ward, column), decimals)
        if old != new:
            changes.append(f"{title}: {old} on {day(then_on)}, {new} now.")
    was, now = (
        count(getattr(row, REFERRALS), is_hidden=getattr(row, hidden_flag(REFERRALS)))
        for row in (then, ward)
    )
    if was != now:
        changes.append(f"Referrals in 12 months to then: {was}; to now: {now} (as rounded).")
    return changes or [f"Nothing since {day(then_on)}."]


def _network_changed(engine: Engine, scope: Scope, area: Area, row: Any) -> list[str]:
    then_on = _quarter_before(area.as_at)
    before = fetch_shared(pcn_workforce, scope, area.icb_code, then_on).pcns.frame
    found = before[before["pcn_code"] == area.pcn_code]
    if found.empty:
        return [f"Nothing is known of {day(then_on)}."]
    then = next(iter(each_row(found)))
    changes = []
    if number(then.fte, 2) != number(row.fte, 2):
        changes.append(
            f"Link workers: {number(then.fte, 2)} FTE on {day(then_on)}, {number(row.fte, 2)} now."
        )
    wards_then = fetch_shared(ward_coverage, scope, area.icb_code, then_on, area.with_stale)
    now = fetch_shared(take_up_view, scope, area).wards.frame
    both = now[["ward_code", "ward_name", "status"]].merge(
        wards_then.wards.frame[["ward_code", "status"]], on="ward_code", suffixes=("", "_then")
    )
    for other in each_row(both[both["status"] != both["status_then"]].head(MOST_WARDS)):
        changes.append(
            f"{other.ward_name}: {other.status_then} on {day(then_on)}, {other.status} now."
        )
    return changes or [f"Nothing since {day(then_on)}."]


def _map(engine: Engine, scope: Scope, area: Area, ward_code: str) -> str:
    """The ward outlined among those around it."""
    shapes = places.shapes(engine, scope, area.icb_code)
    geometries = dict(zip(shapes["ward_code"], geometries_of(shapes), strict=True))
    if ward_code not in geometries:
        return ""
    frame = fetch_shared(take_up_view, scope, area).wards.frame
    fills = {
        code: STATUS_COLOURS[Status(status)]
        for code, status in zip(frame["ward_code"], frame["status"], strict=True)
    }
    west, south, east, north = board_map(scope, area.icb_code).bounds_of([ward_code])
    wide, high = (east - west) * 0.7, (north - south) * 0.7
    around = (west - wide, south - high, east + wide, north + high)
    return area_svg(geometries, fills, ward_code, around)


def _footer(engine: Engine, scope: Scope, profile_words: str) -> list[str]:
    """Sources with file names, the disclosure profile and the version."""
    # Published files only: a local return may be another board's.
    sources = loads.sources(engine, Scope(frozenset()))
    told = sources[sources["dataset"].isin(SOURCES)]
    told = told.sort_values(["dataset", "period_end", "loaded_at"], na_position="first")
    newest = told.drop_duplicates("dataset", keep="last")
    files = "; ".join(f"{row.dataset}: {row.file_name}" for row in each_row(newest))
    return [
        f"Newest published files: {files}. Referrals, services, schemes, posts and leads are the "
        "board's own returns; every file with its SHA-256 is on the page Methods.",
        f"Small numbers: {profile_words}. Version {__version__}.",
    ]
