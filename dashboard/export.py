"""Figures as files: the same released frames that the pages show, with where they are from."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

import pandas as pd
import xlsxwriter
from sqlalchemy import Engine

from dashboard import __version__
from dashboard.commitments import board_commitments
from dashboard.coverage import REFERRALS, ward_coverage
from dashboard.errors import NotThereError as NotThereError
from dashboard.evaluation import COLUMNS, evaluation
from dashboard.gaps import REFERRED, WITHOUT, ward_gaps
from dashboard.own_networks import is_shown, own_rows
from dashboard.plan_export import COLUMNS as PLAN_COLUMNS
from dashboard.plan_export import (
    area_of,
    plan_basis,
    plan_missing,
    plan_of_board,
    plan_rows,
    supposed_basis,
)
from dashboard.providers import WAITING, capacity_total, described
from dashboard.reach import NONE_NEAR
from dashboard.rules.apportion import PER_PEOPLE
from dashboard.rules.coverage import GAPS, State, Status
from dashboard.rules.disclosure import HIDDEN_MARK, Released, hidden_flag
from dashboard.rules.gaps import Cell
from dashboard.rules.staffing import InPost
from dashboard.rules.take_up import month_end
from dashboard.services import board_services
from dashboard.settings import settings
from dashboard.take_up import LOW, board_take_up, ward_needs
from dashboard.workforce import pcn_workforce, profile
from queries import loads, places, workforce
from queries.frames import each_row
from queries.scope import Scope

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# A cell that begins with one of these is run as a formula by spreadsheet programs.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


SITE_PLAN = "site-plan"


@dataclass(frozen=True)
class File:
    """An export, ready to be sent or written."""

    file_name: str
    media_type: str
    body: bytes


def make(
    engine: Engine,
    scope: Scope,
    subject: str,
    icb_code: str,
    as_at: date,
    form: str,
    with_stale: bool = False,
    asked: Mapping[str, str] | None = None,
) -> File:
    """One subject of one board at a date, as csv, json or xlsx; services that nobody confirmed in
    time count where that is asked for. A site plan also depends on what else is `asked`, as a link
    to its page says it.

    `NotThereError` when the subject, the form or the board is not there (or not to be seen).
    """
    if subject not in SUBJECTS or form not in _WRITERS:
        raise NotThereError(f"no {form} of {subject!r} can be made")
    if not profile().may_leave:
        raise NotThereError(f"under the profile {profile().name!r} no figure leaves the pages")
    build, write = SUBJECTS[subject], _WRITERS[form]
    if icb_code not in set(places.boards(engine, scope)["icb_code"]):
        raise NotThereError(f"no board {icb_code!r} is loaded")
    if subject == SITE_PLAN:
        meta, rows = _site_plan(engine, scope, icb_code, as_at, with_stale, asked or {})
    else:
        meta, rows = build(engine, scope, icb_code, as_at, with_stale)
    name = f"{subject}-{icb_code}-{as_at:%Y-%m-%d}.{form}"
    return File(name, MEDIA_TYPES[form], write(meta, rows))


def coverage(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, with_stale: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Meta, and one row per ward: the table of the Coverage page."""
    found = ward_coverage(engine, scope, icb_code, as_at, with_stale)
    frame, basis = found.wards.frame, found.basis
    gaps = frame["status"].isin([status.value for status in GAPS])
    adults = "adults" if basis.people == "adults" else "population"
    totals = {
        "wards": len(frame),
        "wards_by_status": {
            status.value: int((frame["status"] == status.value).sum()) for status in Status
        },
        f"{basis.people}_in_wards_with_a_gap": _plain(frame.loc[gaps, adults].sum(min_count=1)),
        "wards_without_population": int(frame["population"].isna().sum()),
    }
    meta = _meta(engine, scope, "coverage", icb_code, as_at) | {
        "totals": totals,
        "basis": {
            "take_up_per_1000_of": basis.people,
            "ward_shares": basis.shares or None,
            "expected_from": basis.strata or None,
            "referrals_from": basis.window and basis.window[0].isoformat(),
            "referrals_to": basis.window and basis.window[1].isoformat(),
            "workforce_census": basis.census and basis.census.isoformat(),
            "deprivation_index": basis.index_year or None,
            "stale_services": _stale_words(with_stale),
            "within_reach": basis.reach,
        },
    }
    return meta, released_rows(
        found.wards,
        COVERAGE_COLUMNS,
        _coverage_missing(found.basis.no_window),
        {REFERRALS: TAKE_UP},
    )


COVERAGE_COLUMNS = (
    "ward_code", "ward_name", "lad_code", "lad_name", "status", "reason",
    "route_in", "route_in_reason", "route_in_inferred",
    "link_worker", "link_worker_reason", "services", "services_reason", "service_count",
    "population", "adults", "imd_rank", "imd_fifth", "fte", "fte_per_10k",
    "places_per_1000", REFERRALS, "expected", "take_up_per_1000", "take_up_lower", "take_up_upper",
    "take_up_ratio", "flags",
)  # fmt: skip


# What is worked out from the count of referrals, and would give it back.
TAKE_UP = ("expected", "take_up_per_1000", "take_up_lower", "take_up_upper", "take_up_ratio")


def _stale_words(with_stale: bool) -> str:
    return "counted as provision" if with_stale else "left out"


def _coverage_missing(no_window: str) -> Callable[[Mapping[str, Any]], dict[str, str]]:
    def reasons(row: Mapping[str, Any]) -> dict[str, str]:
        """Why each number that is not there is not there."""
        # The first that holds: what a figure is made of comes before the figure.
        no_people = "no population for this ward's code"
        told = row["take_up_reason"] or no_window
        no_ages = "the population file has no ages"
        why = {
            "population": no_people,
            "adults": no_people if pd.isna(row["population"]) else no_ages,
            "imd_rank": "no deprivation index for this ward's LSOAs",
            "imd_fifth": "no deprivation index for this ward's LSOAs",
            "fte": row["fte_reason"],
            "fte_per_10k": row["fte_reason"] or no_people,
            "service_count": row["services_reason"],
            "places_per_1000": "services never returned"
            if row["services"] == State.NO_RETURN
            else NONE_NEAR,
            REFERRALS: told,
            **dict.fromkeys(("expected", *TAKE_UP), told or no_people),
        }
        hidden = (REFERRALS, *TAKE_UP) if row[hidden_flag(REFERRALS)] else ()
        return {
            column: reason
            for column, reason in why.items()
            if column not in hidden and pd.isna(row[column])
        }

    return reasons


def workforce_by_pcn(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, _with_stale: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Meta, and one row per PCN: the list of the Workforce page."""
    frame = workforce.fte_by_pcn(engine, scope, icb_code, as_at)
    returned = frame["staff_rows"].notna()
    fte, patients = frame["fte"].sum(min_count=1), frame["registered_patients"].sum(min_count=1)
    unallocated = workforce.unallocated_patients(engine, scope, icb_code, as_at)
    patients = patients + unallocated if pd.notna(patients) else patients
    census = workforce.census_date(engine, scope, icb_code, as_at)
    meta = _meta(engine, scope, "workforce", icb_code, as_at) | {
        "census": census and census.isoformat(),
        "series": "published national workforce series",
        "totals": {
            "fte": _plain(fte, 4),
            "fte_own_staff": _plain(frame["fte_own_staff"].sum(min_count=1), 4),
            "fte_contracted": _plain(frame["fte_contracted"].sum(min_count=1), 4),
            "headcount": workforce.people_in_post(engine, scope, icb_code, as_at),
            "pcns": len(frame),
            "pcns_returned": int(returned.sum()),
            "pcns_with_link_worker": int((frame["fte"] > 0).fillna(False).sum()),
            "pcns_not_returned": own_rows(scope, icb_code, frame[~returned])["pcn_code"].tolist(),
            "registered_patients": _plain(patients),
            "fte_per_10k": _plain(fte / patients * PER_PEOPLE, 4) if pd.notna(patients) else None,
        },
    }
    found = pcn_workforce(engine, scope, icb_code, as_at)
    basis = found.basis
    window = basis.window.window
    meta["basis"] = {
        "referrals_from": window and window[0].isoformat(),
        "referrals_to": window and window[1].isoformat(),
        "open_at": window and month_end(window[1]).isoformat(),
        "posts_plans_targets": "local returns, as they stand at the date",
    }
    return meta, released_rows(found.pcns, WORKFORCE_COLUMNS, _workforce_missing, WORKFORCE_DERIVED)


WORKFORCE_COLUMNS = (
    "pcn_code", "pcn_name", "lad_code", "lad_name", "has_returned", "in_post", "fte", "fte_own_staff",
    "fte_contracted", "headcount", "registered_patients", "fte_per_10k", "fte_per_50k",
    "funnel_lower", "funnel_upper", "funnel_place", "posts", "funded_fte", "vacant_posts",
    "vacant_fte", "longest_vacancy_days", "target_fte", "target_until", "planned_fte", "aim",
    "gap_fte", "mean_fte", "referrals_12_months", "pressure", "pressure_state",
    "needed_least_fte", "needed_most_fte", "needed_further_fte", "open_referrals", "open_per_fte",
)  # fmt: skip
# What is worked out from a count of people, and would give it back.
WORKFORCE_DERIVED = {
    "referrals_12_months": (
        "pressure",
        "needed_least_fte",
        "needed_most_fte",
        "needed_further_fte",
    ),
    "open_referrals": ("open_per_fte",),
}


def _workforce_missing(row: Mapping[str, Any]) -> dict[str, str]:
    """Why each number that is not there is not there."""
    workforce_told = "no workforce return" if row["in_post"] == InPost.NO_RETURN else ""
    posts_told = "no posts return" if pd.isna(row["posts"]) else ""
    mean_told = (
        "workforce not returned in half of the 12 months" if pd.isna(row["mean_fte"]) else ""
    )
    people_told = "" if pd.notna(row["registered_patients"]) else "no list sizes loaded"
    no_worker = "no worker" if row["in_post"] == InPost.NO_WORKER else ""
    referrals_told = row["referral_reason"]
    why = {
        "lad_code": "not known where its patients live",
        "lad_name": "not known where its patients live",
        **dict.fromkeys(("fte", "fte_own_staff", "fte_contracted", "headcount"), workforce_told),
        **dict.fromkeys(("registered_patients", "funnel_lower", "funnel_upper"), people_told),
        **dict.fromkeys(
            ("fte_per_10k", "fte_per_50k", "funnel_place"), workforce_told or people_told
        ),
        **dict.fromkeys(("posts", "funded_fte", "vacant_posts", "vacant_fte"), posts_told),
        "longest_vacancy_days": posts_told
        or ("no vacant post says since when" if row["vacant_posts"] else "no post is vacant"),
        "target_fte": "no target in force",
        "target_until": "no target in force" if pd.isna(row["target_fte"]) else "no end",
        "planned_fte": "no plan for this month",
        "gap_fte": "no target or plan" if not row["aim"] else workforce_told,
        "mean_fte": mean_told,
        "referrals_12_months": referrals_told,
        "pressure": referrals_told or mean_told or "no worker",
        **dict.fromkeys(("needed_least_fte", "needed_most_fte"), referrals_told),
        "needed_further_fte": referrals_told or mean_told,
        "open_referrals": referrals_told,
        "open_per_fte": referrals_told or workforce_told or no_worker,
    }
    hidden = {
        name
        for counted, derived in WORKFORCE_DERIVED.items()
        if row[hidden_flag(counted)]
        for name in (counted, *derived)
    }
    return {
        column: reason
        for column, reason in why.items()
        if column not in hidden and pd.isna(row[column])
    }


def commitments(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, _with_stale: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Meta, and one row per national commitment: the table of the page."""
    found = board_commitments(engine, scope, icb_code, as_at)
    basis = found.basis
    meta = _meta(engine, scope, "commitments", icb_code, as_at) | {
        "basis": {
            "england_patients": basis.england.patients,
            "england_patients_on": basis.england.on.isoformat(),
            "england_from_boards_loaded": basis.england.boards or None,
            "board_patients": basis.patients,
            "workforce_census": basis.census and basis.census.isoformat(),
            "networks": basis.pcns,
            "networks_returned": basis.pcns_returned,
            "budgets_on": basis.budgets_on and basis.budgets_on.isoformat(),
        },
    }
    frame = found.rows.frame
    runs = [found.runs.get(name) for name in frame["id"]]
    since = pd.Series([run and run.since for run in runs], frame.index, dtype=object)
    released = Released(frame.assign(held_since=since), found.rows.people, found.rows.profile)
    return meta, released_rows(
        released, COMMITMENT_COLUMNS, _commitments_missing, {"counted": ("figure", "short_by")}
    )


def _commitments_missing(row: Mapping[str, Any]) -> dict[str, str]:
    is_shown = row[hidden_flag("counted")] or pd.notna(row["figure"])
    return {} if is_shown else {"figure": row["reason"]}


COMMITMENT_COLUMNS = (
    "id", "title", "kind", "status", "due", "ended_on", "low", "high", "unit", "share_low",
    "share_high", "measure", "counted", "figure", "short_by", "standing", "held_since", "wording",
    "misquoted", "national", "source", "confidence",
)  # fmt: skip


def services_of_board(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, with_stale: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Meta, and one row per open service: the list of the Providers page."""
    wards = places.wards(engine, scope, icb_code)
    providers = described(board_services(engine, scope, icb_code, as_at), wards)
    total = capacity_total(providers.listed)
    meta = _meta(engine, scope, "services", icb_code, as_at) | {
        "basis": {"stale_services": _stale_words(with_stale)},
        "totals": {
            "services": _plain(total["services"]),
            "not_placed": int((~providers.listed.frame["is_placed"]).sum()),
            "places_offered": _plain(total["places_offered"]),
            "places_filled": _plain(total["places_filled"]),
            "free_places": _plain(total["free_places"]),
        },
    }
    return meta, released_rows(providers.listed, SERVICE_COLUMNS, _services_missing, {WAITING: ()})


SERVICE_COLUMNS = (
    "service_key", "service_id", "service_name", "provider", "sector", "themes", "reach", "wards",
    "districts", "postcodes", "is_placed", "is_online", "state", "is_full", "places_offered",
    "places_filled", "free_places", WAITING, "wait_days", "capacity_on", "cost_to_person",
    "access", "minimum_age", "maximum_age", "has_safeguarding", "confirmed_on", "freshness",
    "opens_on", "closes_on", "funder", "funding_ends", "cost_per_place", "web_address", "said_by",
    "file_name",
)  # fmt: skip
# What a service need not have: nothing there is no gap in what was told.
_NEED_NOT_BE = {"closes_on", "opens_on", "minimum_age", "maximum_age", "closed_on"}


def _services_missing(row: Mapping[str, Any]) -> dict[str, str]:
    hidden = {WAITING} if row[hidden_flag(WAITING)] else set()
    return {
        column: "need not said" if column == "themes" else "not said"
        for column in SERVICE_COLUMNS
        if column not in hidden | _NEED_NOT_BE and pd.isna(row[column])
    }


def gaps_by_ward(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, with_stale: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Meta, and one row per ward and need theme: the gap matrix of the Providers page."""
    found = ward_gaps(
        engine,
        scope,
        icb_code,
        ward_coverage(engine, scope, icb_code, as_at, with_stale),
        board_services(engine, scope, icb_code, as_at),
        with_stale=with_stale,
    )
    states = found.cells.frame["state"].value_counts()
    meta = _meta(engine, scope, "gaps", icb_code, as_at) | {
        "basis": {
            "stale_services": _stale_words(with_stale),
            "referrals_from": found.window and found.window[0].isoformat(),
            "referrals_to": found.window and found.window[1].isoformat(),
            "counts": found.cells.profile.words,
        },
        "totals": {"cells_by_state": {cell.value: int(states.get(cell, 0)) for cell in Cell}},
    }

    def missing(row: Mapping[str, Any]) -> dict[str, str]:
        told = found.no_window or "no referral return"
        why = {REFERRED: told, WITHOUT: told, "free_places": "no own service says its places"}
        return {
            column: reason
            for column, reason in why.items()
            if pd.isna(row[column]) and not row.get(hidden_flag(column), False)
        }

    return meta, released_rows(found.cells, GAP_COLUMNS, missing, {REFERRED: (), WITHOUT: ()})


GAP_COLUMNS = (
    "ward_code", "ward_name", "lad_code", "lad_name", "theme", "state", "own", "own_full", "wide",
    "stale", "free_places", REFERRED, WITHOUT,
)  # fmt: skip


def outcomes(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, _with_stale: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Meta, and one row per figure and group of the Outcomes page, with its definition."""
    found = evaluation(engine, scope, icb_code, as_at)
    meta = _meta(engine, scope, "outcomes", icb_code, as_at) | {
        "basis": {
            "referrals_from": found.cohort and found.cohort.first.isoformat(),
            "referrals_to": found.cohort and month_end(found.cohort.last).isoformat(),
            "no_referrals": found.no_window or None,
            "counts": found.rows.profile.words,
        }
    }
    derived = ("value", "lower_95", "upper_95")
    return meta, released_rows(
        found.rows,
        COLUMNS,
        lambda row: {"value": row["state"]} if row["state"] else {},
        {"people": derived, "out_of": derived},
    )


Builder = Callable[[Engine, Scope, str, date, bool], tuple[dict[str, Any], list[dict[str, Any]]]]
TAKE_UP_COLUMNS = (
    "ward_code", "ward_name", "lad_code", "lad_name", "status", "apart", "place", REFERRALS,
    "expected", "take_up_ratio", "smoothed", "stays_low", "cluster", "cluster_p", "leak",
    "shortfall", "lost", "imd_fifth", "population", "adults",
)  # fmt: skip


def take_up_by_ward(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, with_stale: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Meta, and one row per ward: the list of the Take-up page, with each index that is loaded."""
    found = board_take_up(engine, scope, icb_code, as_at, with_stale)
    needs = ward_needs(engine, scope, icb_code)
    # A file, and with it its index, may be called as a column is.
    named = {name: f"index {name}" for name in needs.names}
    frame = found.wards.frame.join(needs.values.rename(columns=named), on="ward_code")
    meta = _meta(engine, scope, "take-up", icb_code, as_at) | {
        "basis": {
            "stale_services": _stale_words(with_stale),
            "spread_against_chance": _plain(found.phi, 4),
            "board_shares": {step: _plain(share, 4) for step, share in found.board_shares.items()},
        },
    }
    released = Released(frame, found.wards.people, found.wards.profile)
    columns = (*TAKE_UP_COLUMNS, *named.values())
    return meta, released_rows(
        released,
        columns,
        _take_up_missing(list(named.values())),
        {REFERRALS: ("expected", "take_up_ratio")},
    )


def _take_up_missing(indices: Sequence[str]) -> Callable[[Mapping[str, Any]], dict[str, str]]:
    def reasons(row: Mapping[str, Any]) -> dict[str, str]:
        """Why each number that is not there is not there."""
        apart = f"set apart: {row['apart']}" if row["apart"] else ""
        not_low = apart or "not below the expected range"
        no_people = "no population for this ward's code"
        why = {
            **dict.fromkeys((REFERRALS, "expected", "take_up_ratio"), apart or no_people),
            "smoothed": apart,
            "cluster_p": apart or "no neighbour could be judged",
            "shortfall": not_low,
            "lost": "nothing is lost" if row["place"] in LOW else not_low,
            "imd_fifth": "no deprivation index for this ward's LSOAs",
            **dict.fromkeys(("population", "adults"), no_people),
            **dict.fromkeys(indices, "not in the index"),
        }
        hidden = (REFERRALS, "expected", "take_up_ratio") if row[hidden_flag(REFERRALS)] else ()
        return {
            column: reason
            for column, reason in why.items()
            if column not in hidden and pd.isna(row[column])
        }

    return reasons


def _site_plan(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    with_stale: bool,
    asked: Mapping[str, str] = {},
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Meta with everything the plan assumes, and one row per site and ward of it."""
    if not is_shown(scope, icb_code, asked):
        raise NotThereError("no such network")
    plan = plan_of_board(engine, scope, icb_code, as_at, with_stale, asked)
    meta = _meta(engine, scope, SITE_PLAN, icb_code, as_at) | plan_basis(plan)
    meta |= supposed_basis(engine, scope, area_of(icb_code, as_at, with_stale, asked), asked)
    return meta, released_rows(plan_rows(plan), PLAN_COLUMNS, plan_missing, {})


SUBJECTS: Mapping[str, Builder] = {
    "coverage": coverage,
    "workforce": workforce_by_pcn,
    "commitments": commitments,
    "services": services_of_board,
    "gaps": gaps_by_ward,
    "outcomes": outcomes,
    "take-up": take_up_by_ward,
    SITE_PLAN: _site_plan,
}


def released_rows(
    released: Released,
    columns: tuple[str, ...],
    missing: Callable[[Mapping[str, Any]], dict[str, str]],
    derived_from: Mapping[str, tuple[str, ...]],
) -> list[dict[str, Any]]:
    """One plain row per row: '*' where hidden, `None` where missing, and why in `missing`.

    What is derived from a hidden count is hidden with it, under the same mark.
    """
    rows = []
    for row in cast(list[dict[str, Any]], released.frame.to_dict("records")):
        plain = {column: _plain(row[column]) for column in columns}
        for column in released.people:
            if row[hidden_flag(column)]:
                plain |= dict.fromkeys((column, *derived_from[column]), HIDDEN_MARK)
        plain["missing"] = missing(row)
        rows.append(plain)
    return rows


def _meta(engine: Engine, scope: Scope, subject: str, icb_code: str, as_at: date) -> dict[str, Any]:
    sources = loads.sources(engine, scope)
    state = loads.data_state(engine)
    return {
        "subject": subject,
        "icb_code": icb_code,
        "as_at": as_at.isoformat(),
        "data_as_of": state.newest_date and state.newest_date.isoformat(),
        "disclosure_profile": settings().disclosure_profile,
        "version": __version__,
        "is_demonstration": state.is_demonstration,
        "sources": [
            {
                "dataset": source.dataset,
                "file": source.file_name,
                "sha256": source.sha256,
                "loaded_at": _plain(source.loaded_at),
            }
            for source in each_row(sources)
        ],
    }


def _plain(value: Any, decimals: int | None = None) -> Any:
    """A value as JSON knows it: missing is null, never a zero or 'NaN'."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if pd.isna(value):
        return None
    value = value.item() if hasattr(value, "item") else value
    return round(value, 6 if decimals is None else decimals) if isinstance(value, float) else value


def _as_json(meta: dict[str, Any], rows: list[dict[str, Any]]) -> bytes:
    return json.dumps({"meta": meta, "rows": rows}, ensure_ascii=False, indent=1).encode()


def _as_csv(_meta: dict[str, Any], rows: list[dict[str, Any]]) -> bytes:
    return csv_bytes(rows)


def csv_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as a CSV file in which no cell is a formula."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    # The mark at the start tells spreadsheet programs that this is UTF-8.
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        value = "; ".join(f"{name}: {reason}" for name, reason in value.items())
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _as_xlsx(meta: dict[str, Any], rows: list[dict[str, Any]]) -> bytes:
    """A sheet of notes and one marked table; hidden is [c], missing is [x], as government
    statisticians write them."""
    body = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(body, options) as book:
        bold = book.add_format({"bold": True})
        notes = book.add_worksheet("Notes")
        notes.set_column(0, 0, 28)
        notes.set_column(1, 1, 90)
        notes.write_string(0, 0, f"{meta['subject'].capitalize()} of {meta['icb_code']}", bold)
        lines = [(name, value) for name, value in meta.items() if name not in ("sources",)]
        lines += [
            (
                "source",
                f"{s['dataset']}: {s['file']}, SHA-256 {s['sha256']}, loaded {s['loaded_at']}",
            )
            for s in meta["sources"]
        ]
        lines += [("[c]", "hidden so that nobody can be recognised"), ("[x]", "not available")]
        for place, (name, value) in enumerate(lines, start=1):
            notes.write_string(place, 0, name)
            notes.write_string(place, 1, value if isinstance(value, str) else json.dumps(value))
        sheet = book.add_worksheet(meta["subject"].capitalize())
        names = list(rows[0]) if rows else []
        for place, row in enumerate(rows, start=1):
            for column, name in enumerate(names):
                value = (
                    "; ".join(f"{k}: {v}" for k, v in row[name].items())
                    if name == "missing"
                    else row[name]
                )
                if value is None:
                    value = "[x]"
                elif value == HIDDEN_MARK:
                    value = "[c]"
                sheet.write(place, column, value)
        if names:
            sheet.add_table(
                0, 0, max(len(rows), 1), len(names) - 1,
                {"name": meta["subject"].replace("-", "_"), "columns": [{"header": name} for name in names]},
            )  # fmt: skip
            sheet.freeze_panes(1, 2)
            sheet.set_column(0, len(names) - 1, 16)
    return body.getvalue()


_WRITERS: Mapping[str, Callable[[dict[str, Any], list[dict[str, Any]]], bytes]] = {
    "csv": _as_csv,
    "json": _as_json,
    "xlsx": _as_xlsx,
}
