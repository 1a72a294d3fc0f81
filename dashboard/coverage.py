"""Coverage by ward: the answers of the queries, judged and released. The page and the export
show the same frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from dashboard.own_networks import own_rows, unnamed
from dashboard.reach import ward_reach
from dashboard.rules import apportion, moves, take_up
from dashboard.rules.coverage import (
    Component,
    SchemeVoice,
    ServiceCount,
    ServingPcn,
    State,
    Status,
    classify_ward,
    explain,
    judge_link_worker,
    judge_route_in,
    judge_services,
    judge_take_up,
)
from dashboard.rules.disclosure import PROFILES, Released, hidden_flag, release, stand_in
from dashboard.rules.rates import funnel_limits, poisson_limits
from dashboard.rules.returns import referral_window
from dashboard.services import Services, board_services, service_counts
from dashboard.settings import settings
from geodata.shapes import centroids_metres, geometries_of, neighbours
from geodata.shares import modelled_patients
from queries import places, posts, practices, provision, referrals, workforce
from queries.frames import each_row
from queries.scope import Scope

REFERRALS = "referrals_12_months"
# Money that ends within this many months is said on the ward it leaves.
FUNDING_ENDS_MONTHS = 6
# When more of the months than this are hidden, a trend by quarter says more.
MOST_HIDDEN = 0.5


@dataclass(frozen=True)
class Basis:
    """What the judgement rests on, for the words around the figures.

    `people` is "adults", or "people" where the population has no ages. `shares` is
    "registered", "modelled" or "" (not known). `window` is the first and last month of the
    12 that are counted, `None` with the reason in `no_window`.
    """

    as_at: date
    people: str
    population_vintages: tuple[str, ...]
    shares: str
    strata: str
    window: tuple[date, date] | None
    no_window: str
    census: date | None
    index_year: str
    services_returned: bool
    reach: str


@dataclass(frozen=True)
class Coverage:
    """One row per ward of the board, released; one per ward and PCN; and what they rest on."""

    wards: Released
    shares: Released
    basis: Basis


@dataclass(frozen=True)
class WhatIf:
    """What is supposed: services that close, by their key, and FTE of link workers that come, or
    below 0 go, by PCN."""

    closed: tuple[str, ...] = ()
    fte: tuple[tuple[str, float], ...] = ()


AS_IT_IS = WhatIf()


def ward_coverage(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    with_stale: bool = False,
    what_if: WhatIf = AS_IT_IS,
) -> Coverage:
    """Every ward of one board judged at a date. A query by its signature: `fetch` keeps it.

    With `with_stale`, services that nobody confirmed in time count like the others.
    """
    wards = places.wards(engine, scope, icb_code)
    people, basis_people = _populations(places.population(engine, scope, icb_code))
    deprivation = places.ward_deprivation(engine, scope, icb_code)
    patients, basis_shares = ward_patients(engine, scope, icb_code, as_at)
    pcns = _serving_pcns(engine, scope, icb_code, as_at, patients)
    changes = dict(what_if.fte)
    # Who did not return has no known FTE, whoever comes or goes.
    moved = [changes.get(code, 0.0) for code in pcns["pcn_code"]]
    pcns["fte"] = (pcns["fte"] + moved).clip(lower=0)
    shares = apportion.apportion(patients, pcns, settings().served_share)
    shares = unnamed(scope, icb_code, shares)
    frame = (
        wards.merge(people, on="ward_code", how="left")
        .merge(deprivation.drop(columns="lsoas"), on="ward_code", how="left")
        .merge(apportion.fte_by_ward(shares).rename("fte"), on="ward_code", how="left")
    )
    silent = apportion.silent_pcns(shares)
    frame["fte_reason"] = [
        silent.get(code, "" if known else "not known which PCNs serve the ward")
        for code, known in zip(frame["ward_code"], frame["fte"].notna(), strict=True)
    ]
    frame["imd_fifth"] = take_up.deprivation_fifth(frame["imd_rank"], frame["index_year"])
    frame["fte_per_10k"] = (
        frame["fte"] / frame["population"].mask(frame["population"] == 0) * apportion.PER_PEOPLE
    )
    found = board_services(engine, scope, icb_code, as_at).without(what_if.closed)
    schemes = provision.scheme_areas(engine, scope, icb_code, as_at)
    provision_judged = _judge_provision(found, schemes, icb_code, as_at, frame, shares, with_stale)
    frame = frame.join(
        _marked_modelled(provision_judged) if basis_shares == "modelled" else provision_judged
    )
    reach, reach_words = ward_reach(
        engine,
        scope,
        icb_code,
        found,
        frame.set_index("ward_code")["population"],
        with_stale=with_stale,
    )
    frame["places_per_1000"] = frame["ward_code"].map(reach).astype("Float64")
    frame["flags"] = _with_vacancies(engine, scope, icb_code, as_at, frame, shares)

    told = _told(engine, scope, icb_code, as_at, shares)
    frame["take_up_reason"] = [told.silent.get(code, told.no_window) for code in frame["ward_code"]]
    counted, strata = _observed(engine, scope, icb_code, frame, told)
    frame = frame.merge(counted, on="ward_code", how="left")
    services_returned = bool((frame["services"] != State.NO_RETURN).any())
    basis = Basis(
        as_at=as_at,
        people=basis_people,
        population_vintages=tuple(places.population_vintages(engine)),
        shares=basis_shares,
        strata=strata,
        window=told.window,
        no_window=told.no_window,
        census=workforce.census_date(engine, scope, icb_code, as_at),
        index_year=str(frame["index_year"].max()) if frame["index_year"].notna().any() else "",
        services_returned=services_returned,
        reach=reach_words,
    )
    profile = PROFILES[settings().disclosure_profile]
    released = release(
        frame,
        profile,
        people=[REFERRALS],
        derive=lambda disclosed: _judge_take_up(disclosed, basis),
    )
    served = own_rows(scope, icb_code, shares)
    return Coverage(released, release(served, profile, people=[]), basis)


def ward_patients(
    engine: Engine, scope: Scope, icb_code: str, as_at: date
) -> tuple[pd.DataFrame, str]:
    """One row per ward and PCN: patients there and the PCN's list; and how that is known.

    "registered" from the published file by LSOA; else "modelled" from where the practices
    are and how long their lists; "" and no rows where neither can be said.
    """
    known = practices.patients_by_ward_and_pcn(engine, scope, icb_code, as_at)
    if len(known):
        return known, "registered"
    placed = practices.practice_places(engine, scope, icb_code, as_at).dropna()
    shapes = places.shapes(engine, scope, icb_code)
    if placed.empty or shapes.empty:
        return known, ""
    centres = centroids_metres(shapes["ward_code"].tolist(), geometries_of(shapes))
    # An LSOA holds 1,000 to 3,000 people: counting them says roughly how large a ward is.
    size = places.wards(engine, scope, icb_code).set_index("ward_code")["lsoas"].clip(lower=1)
    modelled = modelled_patients(placed, centres.assign(people=centres["ward_code"].map(size)))
    modelled["pcn_code"] = modelled["practice_code"].map(
        placed.set_index("practice_code")["pcn_code"]
    )
    by_pcn = modelled.groupby(["ward_code", "pcn_code"], as_index=False)["patients"].sum()
    lists = by_pcn.groupby("pcn_code")["patients"].sum()
    by_pcn["pcn_patients"] = by_pcn["pcn_code"].map(lists)
    return by_pcn.assign(icb_code=icb_code), "modelled"


def _serving_pcns(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, patients: pd.DataFrame
) -> pd.DataFrame:
    """One row per PCN of the board, and of others whose patients live in its wards."""
    others = sorted(set(patients["icb_code"].dropna()) - {icb_code})
    return pd.concat(
        [workforce.fte_by_pcn(engine, scope, code, as_at) for code in (icb_code, *others)]
    ).drop_duplicates("pcn_code")


def ward_neighbours(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per ordered pair of wards of the board that share an edge."""
    shapes = places.shapes(engine, scope, icb_code)
    return neighbours(shapes["ward_code"].tolist(), geometries_of(shapes))


def ward_trend(
    engine: Engine, scope: Scope, icb_code: str, ward_code: str, last: date, months: int
) -> tuple[Released, str]:
    """One row per period, oldest first, to the last month returned: referrals of one ward.

    The periods are months, or quarters where most months would be hidden; the second answer
    says which. `month` is the first of the period. A period before the first return is
    missing; one inside the returns without a referral is 0.
    """
    wanted = [take_up.months_before(last, back) for back in reversed(range(months))]
    counted = referrals.referrals_by_month(engine, scope, icb_code, ward_code, wanted[0], last)
    told_from = referrals.first_month(engine, scope, icb_code)
    frame = pd.DataFrame({"month": wanted}).merge(counted, on="month", how="left")
    is_told = [told_from is not None and month >= told_from for month in wanted]
    frame["referrals"] = frame["referrals"].fillna(0).where(pd.Series(is_told)).astype("Int64")
    profile = PROFILES[settings().disclosure_profile]
    by_month = release(frame, profile, people=["referrals"])
    if by_month.frame["referrals_hidden"].mean() <= MOST_HIDDEN:
        return by_month, "month"
    quarters = frame.groupby(np.arange(months) // 3).agg(
        month=("month", "first"),
        referrals=("referrals", lambda counts: counts.sum(min_count=len(counts))),
    )
    return release(quarters, profile, people=["referrals"]), "quarter"


def _populations(bands: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """One row per ward: population, and adults where the file has ages; and which counts."""
    wide = bands.pivot_table(index="ward_code", columns="age_band", values="people", aggfunc="sum")
    adult = [band for band in wide.columns if band not in ("all ages", "0-17")]
    frame = pd.DataFrame(
        {
            "population": wide.get("all ages", pd.Series(dtype="Int64")),
            "adults": wide[adult].sum(axis=1, min_count=len(adult)) if adult else pd.NA,
        },
        index=wide.index,
    ).astype("Int64")
    for band in adult:
        frame[f"people {band}"] = wide[band].astype("Int64")
    return frame.reset_index(), "adults" if adult else "people"


def _judge_provision(
    found: Services,
    schemes: pd.DataFrame,
    icb_code: str,
    as_at: date,
    frame: pd.DataFrame,
    shares: pd.DataFrame,
    with_stale: bool,
) -> pd.DataFrame:
    """The three components of each ward, on the frame's index."""
    serving: dict[str, list[ServingPcn]] = {}
    for row in each_row(shares[shares["serves"]]):
        fte = None if pd.isna(row.fte) else float(row.fte)
        serving.setdefault(row.ward_code, []).append(ServingPcn(row.pcn_name, row.ward_share, fte))
    voices = _voices(schemes, frame, icb_code)
    counts = service_counts(found, frame["ward_code"].tolist(), as_at, with_stale=with_stale)
    services = {row.Index: row for row in each_row(counts)}
    rows = []
    for ward_code in frame["ward_code"]:
        link_worker = judge_link_worker(serving.get(ward_code, ()))
        route_in = judge_route_in(voices[ward_code], link_worker)
        near = services[ward_code]
        count = ServiceCount(found.is_returned, int(near.own), int(near.wide), int(near.stale))
        something = judge_services(count)
        rows.append(
            {
                **_named("route_in", route_in),
                "route_in_inferred": route_in.is_inferred,
                **_named("link_worker", link_worker),
                **_named("services", something),
                "service_count": count.own + count.area_wide if count.is_returned else pd.NA,
                "flags": "; ".join(_service_flags(near, as_at)),
            }
        )
    columns = [*_COMPONENT_COLUMNS, "service_count", "flags"]
    judged = pd.DataFrame(rows, columns=columns, index=frame.index)
    return judged.astype({"service_count": "Int64", "route_in_inferred": bool})


def _with_vacancies(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    frame: pd.DataFrame,
    shares: pd.DataFrame,
) -> list[str]:
    """The flags of each ward, and that a PCN which serves it has a vacant post."""
    now = moves.posts_at(posts.posts(engine, scope, icb_code, as_at), as_at)
    vacant = now[now["status"].isin(moves.VACANT)]["pcn_code"]
    serving = shares[shares["serves"] & shares["pcn_code"].isin(vacant)]["ward_code"]
    return [
        "; ".join(filter(None, (flags, "vacancy" if is_short else "")))
        for flags, is_short in zip(frame["flags"], frame["ward_code"].isin(serving), strict=True)
    ]


def _marked_modelled(judged: pd.DataFrame) -> pd.DataFrame:
    """The same, where who serves a ward is modelled: every reason that rests on it says so."""
    marked = judged.copy()
    marked["link_worker_reason"] += " (modelled shares)"
    return marked


_COMPONENT_COLUMNS = (
    "route_in",
    "route_in_reason",
    "route_in_inferred",
    "link_worker",
    "link_worker_reason",
    "services",
    "services_reason",
)


def _named(name: str, component: Component) -> dict[str, str]:
    return {name: component.state.value, f"{name}_reason": component.reason}


def _voices(schemes: pd.DataFrame, frame: pd.DataFrame, icb_code: str) -> dict[str, SchemeVoice]:
    running = schemes[schemes["is_running"]]
    served_by = running.groupby("served_code")["scheme"].agg(list).to_dict()
    spoken_for = set(schemes["speaks_for_code"])
    voices = {}
    for ward in each_row(frame):
        speaks = ""
        if ward.lad_code in spoken_for:
            speaks = ward.lad_name
        elif icb_code in spoken_for:
            speaks = "the whole board"
        own = [*served_by.get(ward.ward_code, ()), *served_by.get(ward.lad_code, ())]
        voices[ward.ward_code] = SchemeVoice(speaks, tuple(own), tuple(served_by.get(icb_code, ())))
    return voices


def _service_flags(near: Any, as_at: date) -> list[str]:
    """What the services of a ward, a row of `service_counts`, should be watched for."""
    soon = pd.Timestamp(as_at) + pd.DateOffset(months=FUNDING_ENDS_MONTHS)
    flags = {
        "at capacity": near.own and near.own == near.own_full,
        "stale directory": near.stale,
        "funding ends within 6 months": near.funding_ends <= soon,
    }
    return [words for words, holds in flags.items() if holds]


@dataclass(frozen=True)
class _Told:
    """Which months of referrals were returned, and for which wards a return is missing."""

    window: tuple[date, date] | None
    no_window: str
    silent: dict[str, str]


def _told(engine: Engine, scope: Scope, icb_code: str, as_at: date, shares: pd.DataFrame) -> _Told:
    returned = referrals.returned_months(engine, scope, icb_code, as_at)
    told = referral_window(returned, as_at, settings().late_months)
    serving = shares[shares["serves"]] if told.window else shares.iloc[:0]
    why = serving["pcn_code"].map(told.silence)
    silent: dict[str, str] = {}
    # A return that never came weighs more than one that began late: it is said last.
    for reason in ("less than 12 months of referrals", "no referral return"):
        for ward_code, names in serving[why == reason].groupby("ward_code")["pcn_name"]:
            silent[str(ward_code)] = f"{reason} from {' and '.join(sorted(set(names)))}"
    return _Told(told.window, told.no_window, silent)


def _observed(
    engine: Engine, scope: Scope, icb_code: str, frame: pd.DataFrame, told: _Told
) -> tuple[pd.DataFrame, str]:
    """One row per ward: referrals in the window and the number expected; and by which strata.

    A ward of which a return is missing has neither: it is not part of the reference.
    """
    if told.window is None:
        empty = frame[["ward_code"]].copy()
        empty[[REFERRALS, "expected"]] = pd.NA
        return empty.astype({REFERRALS: "Int64", "expected": "Float64"}), ""
    counted = referrals.referrals_by_ward(engine, scope, icb_code, *told.window)
    told_wards = frame[~frame["ward_code"].isin(told.silent)]
    observed = told_wards[["ward_code"]].merge(counted, on="ward_code", how="left")
    observed["referrals"] = observed["referrals"].fillna(0)
    ages = [column for column in frame.columns if column.startswith("people ")]
    if ages:
        by_age = referrals.referrals_by_ward_and_age(engine, scope, icb_code, *told.window)
        strata = _age_strata(told_wards, ages, by_age)
        words = (
            "age band and deprivation fifth"
            if told_wards["imd_fifth"].notna().any()
            else "age band"
        )
    else:
        strata = observed.merge(told_wards[["ward_code", "population"]], on="ward_code").assign(
            stratum="all"
        )
        strata = strata.rename(columns={"population": "people"})
        words = "population alone"
    profile = PROFILES[settings().disclosure_profile]
    expected = take_up.expected_referrals(strata, lambda counts: stand_in(counts, profile))
    observed = observed.rename(columns={"referrals": REFERRALS})
    return observed.merge(expected, on="ward_code", how="left"), words


def _age_strata(wards: pd.DataFrame, ages: Iterable[str], by_age: pd.DataFrame) -> pd.DataFrame:
    people = wards.melt(["ward_code", "imd_fifth"], list(ages), "age_band", "people")
    people["age_band"] = people["age_band"].str.removeprefix("people ")
    told = by_age[by_age["ward_code"].isin(wards["ward_code"])]
    strata = people.merge(told, on=["ward_code", "age_band"], how="outer")
    fifth = strata["imd_fifth"].astype("string").fillna("?")
    strata["stratum"] = strata["age_band"] + " in fifth " + fifth
    # Children and people whose age was not told belong to no stratum of adults.
    outside = strata["people"].isna() & ~strata["age_band"].isin(people["age_band"])
    strata["stratum"] = strata["stratum"].mask(outside)
    strata["referrals"] = strata["referrals"].fillna(0)
    return strata[["ward_code", "stratum", "people", "referrals"]]


def _judge_take_up(frame: pd.DataFrame, basis: Basis) -> pd.DataFrame:
    """Rates, ratios, status and reason, from disclosed counts only."""
    count = frame[REFERRALS].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    adults = frame["adults" if basis.people == "adults" else "population"]
    people = adults.astype("Float64").mask(adults == 0).to_numpy(dtype=float, na_value=np.nan)
    expected = frame["expected"].to_numpy(dtype=float, na_value=np.nan)
    lower, upper = poisson_limits(count)
    low, high = funnel_limits(expected)
    frame = frame.assign(
        take_up_per_1000=count / people * take_up.PER_ADULTS,
        take_up_lower=lower / people * take_up.PER_ADULTS,
        take_up_upper=upper / people * take_up.PER_ADULTS,
        take_up_ratio=count / np.where(expected > 0, expected, np.nan) * 100,
    )
    # A ward without a population of its own codes has no rate: say so, where it is the reason.
    unjudged = "no population for this ward's code"
    statuses, reasons = [], []
    for row, below, above in zip(each_row(frame), low, high, strict=True):
        referrals_told = getattr(row, REFERRALS)
        verdict = judge_take_up(
            None if pd.isna(referrals_told) else int(referrals_told),
            is_hidden=getattr(row, hidden_flag(REFERRALS)),
            lower=None if np.isnan(below) else float(below),
            upper=None if np.isnan(above) else float(above),
        )
        status = classify_ward(
            State(row.route_in), State(row.link_worker), State(row.services), verdict
        )
        if pd.isna(row.population) and status is Status.UNKNOWN and not row.take_up_reason:
            told = unjudged
        else:
            told = row.take_up_reason or _take_up_words(status, row, basis)
        statuses.append(status.value)
        reasons.append(
            explain(
                status,
                Component(State(row.route_in), row.route_in_reason, row.route_in_inferred),
                Component(State(row.link_worker), row.link_worker_reason),
                Component(State(row.services), row.services_reason),
                told,
            )
        )
    numbers = ["take_up_per_1000", "take_up_lower", "take_up_upper", "take_up_ratio"]
    # The expected number is hidden with the count: beside a star it says more than the star. Plans
    # rest on it all the same: it comes from disclosed sums, and says nothing of the count itself.
    frame["expected_for_plans"] = frame["expected"]
    frame["expected"] = frame["expected"].mask(frame[hidden_flag(REFERRALS)])
    frame = frame.assign(status=statuses, reason=reasons).astype(dict.fromkeys(numbers, "Float64"))
    order = {status.value: place for place, status in enumerate(Status)}
    return frame.sort_values(
        ["status", "population", "ward_name", "ward_code"],
        key=lambda column: column.map(order) if column.name == "status" else column,
        ascending=[True, False, True, True],
    ).reset_index(drop=True)


def _take_up_words(status: Status, row: object, basis: Basis) -> str:
    match status:
        case Status.NOT_REACHED:
            return "all three are there, and nobody was referred in 12 months"
        case Status.HIDDEN:
            return "the number of referrals is hidden, so that nobody can be recognised"
        case Status.LOW | Status.AS_EXPECTED | Status.HIGH:
            return f"{getattr(row, REFERRALS):,} referrals, {row.expected:.0f} expected"  # type: ignore[attr-defined]
    return ""
