"""What if: a provider closes, a contract ends, a link worker comes or moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage import REFERRALS, WhatIf, ward_coverage
from dashboard.coverage_words import chosen_wards
from dashboard.filters import CLOSE, END, MOVED, WORKER_FROM, WORKER_TO, Area
from dashboard.providers import WAITING
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import PROFILES, Released, release
from dashboard.services import board_services
from dashboard.settings import settings
from dashboard.workforce import pcn_workforce
from queries import places
from queries.scope import Scope

LEAST_CHANGE = 0.005


@dataclass(frozen=True)
class Supposed:
    """What a supposition changes.

    `wards`: one row per chosen ward whose status, link worker or services would change: ward_code,
    ward_name, lad_name, adults, and `_before` and `_after` of status, reason, fte_per_10k and
    service_count; `loses_cover` where a component is missing only after. `closed`: one row per
    service that closes: service_key, service_name, provider, themes, places_filled, people_waiting
    (released), `free_near`, the free places of others that answer one of its needs in a ward it
    serves (missing where none says), and `wards`, how many it serves. `networks`: one row per
    network whose FTE changes: pcn_name, fte_now, fte_then, pressure_now, pressure_then (referrals
    a year for each FTE; missing where none is known).
    """

    what_if: WhatIf
    wards: Released
    closed: pd.DataFrame
    networks: Released

    @property
    def is_empty(self) -> bool:
        """Whether nothing is supposed."""
        return not (self.what_if.closed or self.what_if.fte)


def what_if_of(
    engine: Engine,
    scope: Scope,
    area: Area,
    choices: Mapping[str, str] | tuple[tuple[str, str], ...],
) -> WhatIf:
    """What the choices (by name, or as pairs) suppose: a provider's services, one service, and FTE
    from and to a network. Names and codes that are not there change nothing."""
    chosen = dict(choices)
    listed = board_services(engine, scope, area.icb_code, area.as_at).listed
    provider, service = chosen.get(CLOSE, ""), chosen.get(END, "")
    is_closed = (listed["provider"] == provider) | (listed["service_key"] == service)
    fte: dict[str, float] = {}
    moved = float(chosen.get(MOVED) or 1)
    networks = pcn_workforce(engine, scope, area.icb_code, area.as_at).pcns.frame
    there = dict(zip(networks["pcn_code"], networks["fte"], strict=True))
    leaves = there.get(chosen.get(WORKER_FROM, ""))
    # Nobody can leave who is not there.
    moved = moved if leaves is None or pd.isna(leaves) else min(moved, float(leaves))
    for code, sign in ((chosen.get(WORKER_FROM, ""), -1), (chosen.get(WORKER_TO, ""), 1)):
        if code in there:
            fte[code] = fte.get(code, 0.0) + sign * moved
    return WhatIf(
        tuple(sorted(listed.loc[is_closed.fillna(False).astype(bool), "service_key"])),
        tuple(sorted((code, change) for code, change in fte.items() if change)),
    )


def supposed(engine: Engine, scope: Scope, area: Area, what_if: WhatIf) -> Supposed:
    """The chosen wards before and after."""
    before = ward_coverage(engine, scope, *area.board)
    after = ward_coverage(engine, scope, *area.board, what_if)
    columns = ["ward_code", "status", "reason", "fte_per_10k", "service_count"]
    frame = chosen_wards(before, area.lad_code, area.pcn_code).frame
    frame = frame.merge(after.wards.frame[columns], on="ward_code", suffixes=("_before", "_after"))
    gaps = [status.value for status in Status if status.is_gap]
    differs = frame["status_before"] != frame["status_after"]
    for column in ("fte_per_10k", "service_count"):
        now, then = frame[f"{column}_before"], frame[f"{column}_after"]
        # Less than that would be shown as no change.
        differs |= (now.astype("Float64") - then.astype("Float64")).abs().fillna(0) >= LEAST_CHANGE
    frame["loses_cover"] = ~frame["status_before"].isin(gaps) & frame["status_after"].isin(gaps)
    changed = frame[differs].sort_values(
        ["loses_cover", "population", "ward_name"], ascending=[False, False, True]
    )
    return Supposed(
        what_if,
        Released(changed.reset_index(drop=True), before.wards.people, before.wards.profile),
        _closed(engine, scope, area, what_if),
        _networks(engine, scope, area, what_if),
    )


def _closed(engine: Engine, scope: Scope, area: Area, what_if: WhatIf) -> pd.DataFrame:
    """The services that close, and what is free near them."""
    found = board_services(engine, scope, area.icb_code, area.as_at)
    closed = found.listed[found.listed["service_key"].isin(what_if.closed)].copy()
    left = found.without(what_if.closed)
    every_ward = places.wards(engine, scope, area.icb_code)["ward_code"]
    free = left.listed.set_index("service_key")["free_places"]
    near, wards_served = [], []
    for key in closed["service_key"]:
        wards = set(found.serving.loc[found.serving["service_key"] == key, "ward_code"])
        if key in set(found.everywhere["service_key"]):
            wards |= set(every_ward)
        themes = set(found.themes.loc[found.themes["service_key"] == key, "theme"])
        alike = set(left.themes.loc[left.themes["theme"].isin(themes), "service_key"])
        there = set(left.serving.loc[left.serving["ward_code"].isin(wards), "service_key"])
        there |= set(left.everywhere["service_key"])
        near.append(free.reindex(sorted(alike & there)).sum(min_count=1))
        wards_served.append(len(wards))
    columns = ["service_key", "service_name", "provider", "themes", "places_filled", WAITING]
    answer: pd.DataFrame = closed[columns].assign(
        free_near=pd.Series(near, closed.index, dtype="Int64"), wards=wards_served
    )
    profile = PROFILES[settings().disclosure_profile]
    return release(answer.reset_index(drop=True), profile, people=[WAITING]).frame


def _networks(engine: Engine, scope: Scope, area: Area, what_if: WhatIf) -> Released:
    """The networks whose FTE changes: before and after, and referrals for each FTE."""
    found = pcn_workforce(engine, scope, area.icb_code, area.as_at).pcns
    changes = dict(what_if.fte)
    frame = found.frame[found.frame["pcn_code"].isin(changes)].copy()
    frame["fte_then"] = (frame["fte"] + [changes[code] for code in frame["pcn_code"]]).clip(lower=0)
    people = frame[REFERRALS].astype("Float64")
    for when, column in (("now", "fte"), ("then", "fte_then")):
        fte = frame[column].astype("Float64")
        frame[f"pressure_{when}"] = people / fte.mask(fte == 0)
    return Released(
        frame.rename(columns={"fte": "fte_now"}).reset_index(drop=True),
        found.people,
        found.profile,
    )
