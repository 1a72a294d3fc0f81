"""Where to fund next: candidates, the best choice of them, and what it would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Engine

from dashboard.filters import Area
from dashboard.reach import by_metres, by_minutes, lines_from_wards, travel_mode
from dashboard.rules.disclosure import Released
from dashboard.services import board_services, counted_keys
from dashboard.settings import settings
from dashboard.unmet_need import EXPECTED, GAPS, UnmetNeed
from geodata.reach import wards_of_points
from geodata.shapes import geometries_of
from geodata.site_problem import Goal, SiteProblem
from geodata.site_selection import SitePlan, select_sites
from queries import needs, places, services
from queries.scope import Scope

# What a candidate is.
WARD, VENUE, SITE = "ward", "venue", "site"
KINDS: Mapping[str, str] = {
    "": "Wards, venues and listed sites",
    WARD: "The middle of each ward",
    VENUE: "Venues where services are now",
    SITE: "Sites the board has listed",
}
# Metres, or minutes: more than between any two places.
EVERYWHERE = 1_000_000.0
MOST_DEPRIVED = 1  # the fifth that is deciles 1 and 2
_SEND_ALL = (Goal.NEAREST, Goal.FURTHEST)
# How long one plan of a page may take.
TIME_LIMIT_SECONDS = 20.0


@dataclass(frozen=True)
class PlanChoices:
    """What a plan assumes, as the address has it: each a code or a number as text, "" for none;
    "any" number of sites is as many as the budget allows."""

    need: str = EXPECTED
    whose: str = GAPS
    theme: str = ""
    kinds: str = ""
    goal: str = Goal.REACH.value
    sites: str = "2"
    budget: str = ""
    reach: str = ""
    share: str = ""
    places: str = ""
    cost_new: str = "50000"
    cost_venue: str = "40000"
    site_fte: str = "1"

    def number(self, name: str) -> float | None:
        """A choice as a number; `None` where it is not chosen."""
        text = getattr(self, name)
        return float(text) if text else None

    @property
    def sites_wanted(self) -> int | None:
        return int(self.sites) if self.sites.isdigit() else None

    @property
    def priority_share(self) -> float:
        return float(self.share or 0) / 100


@dataclass(frozen=True)
class Ways:
    """From every ward to every candidate: `costs` (from_code, to_code, cost), in `unit` ("m" or
    "minutes"); how far is within `reach`, and both in words."""

    costs: pd.DataFrame
    reach: float
    unit: str
    words: str


@dataclass(frozen=True)
class Plan:
    """One plan of an area.

    `wards`: the need of each, with `state` (one of `STATES`), `site` (that most go to), `met` (people
    of it who are newly reached) and `left` (who are not). `sites`: one row a chosen site, in order of
    what each adds: code, site_name, kind, ward_code, longitude, latitude, and the columns of
    `SitePlan`. `candidates` as `candidate_sites` gives them.
    """

    choices: PlanChoices
    need: UnmetNeed
    ways: Ways
    problem: SiteProblem
    found: SitePlan
    wards: Released
    sites: pd.DataFrame
    candidates: pd.DataFrame

    @property
    def cost(self) -> float:
        """Pounds a year of all sites."""
        return float(self.sites["cost"].sum())


PROVIDED, REACHED, PARTLY, UNREACHED, UNKNOWN, NO_NEED = STATES = (
    "provided", "reached", "partly reached", "not reached", "not known", "no need",
)  # fmt: skip
NOT_HELD = "for this goal choose a number of sites or a budget"
# People who are left out by a rounding of the solver.
LEAST_LEFT = 1e-3


def candidate_sites(
    engine: Engine, scope: Scope, area: Area, choices: PlanChoices, ward_codes: set[str]
) -> pd.DataFrame:
    """One row per candidate in the chosen wards: code, site_name, kind, ward_code, longitude,
    latitude, cost (pounds a year) and capacity (people a year; missing for no limit)."""
    shapes = places.shapes(engine, scope, area.icb_code)
    shapes = shapes[shapes["ward_code"].isin(ward_codes)]
    names = places.wards(engine, scope, area.icb_code).set_index("ward_code")["ward_name"]
    middles = shapely.centroid(geometries_of(shapes))
    wards = pd.DataFrame(
        {
            "code": shapes["ward_code"].to_numpy(),
            "site_name": shapes["ward_code"].map(names).to_numpy(),
            "kind": WARD,
            "ward_code": shapes["ward_code"].to_numpy(),
            "longitude": shapely.get_x(middles),
            "latitude": shapely.get_y(middles),
            "cost": choices.number("cost_new"),
        }
    )
    found = [wards] if choices.kinds in ("", WARD) else []
    if choices.kinds in ("", VENUE):
        found.append(_venues(engine, scope, area, choices, ward_codes))
    if choices.kinds in ("", SITE):
        found.append(_listed(engine, scope, area, choices, shapes))
    together = pd.concat(found, ignore_index=True)
    room = choices.number("places")
    if "capacity" not in together:
        together["capacity"] = np.nan
    together["capacity"] = together["capacity"].astype("float64").fillna(room or np.nan)
    # Of no candidate at all nothing says that codes are text.
    return together.astype({"code": "str", "ward_code": "str"})


def _venues(
    engine: Engine, scope: Scope, area: Area, choices: PlanChoices, ward_codes: set[str]
) -> pd.DataFrame:
    """Places of services that count as provision: one row per place."""
    services_now = board_services(engine, scope, area.icb_code, area.as_at)
    counted = counted_keys(services_now, with_stale=area.with_stale)
    sites = services_now.sites
    sites = sites[sites["service_key"].isin(counted) & sites["ward_code"].isin(ward_codes)]
    listed = services_now.listed.set_index("service_key")["service_name"]
    names = places.wards(engine, scope, area.icb_code).set_index("ward_code")["ward_name"]
    once: pd.DataFrame = sites.drop_duplicates(["longitude", "latitude"], ignore_index=True)
    return pd.DataFrame(
        {
            "code": [f"venue {n + 1}" for n in once.index],
            "site_name": once["place_name"].fillna(once["service_key"].map(listed))
            + ", "
            + once["ward_code"].map(names),
            "kind": VENUE,
            "ward_code": once["ward_code"],
            "longitude": once["longitude"].astype(float),
            "latitude": once["latitude"].astype(float),
            "cost": choices.number("cost_venue"),
        }
    )


def _listed(
    engine: Engine, scope: Scope, area: Area, choices: PlanChoices, shapes: pd.DataFrame
) -> pd.DataFrame:
    """The sites of the board's own return that lie in the chosen wards."""
    sites = needs.candidate_sites(engine, scope, area.icb_code)
    inside = wards_of_points(
        shapes["ward_code"].tolist(),
        geometries_of(shapes),
        sites["longitude"].tolist(),
        sites["latitude"].tolist(),
    )
    found = pd.DataFrame(
        {
            "code": "site " + sites["site_id"],
            "site_name": sites["site_name"],
            "kind": SITE,
            "ward_code": pd.Series(inside, sites.index, dtype="str"),
            "longitude": sites["longitude"],
            "latitude": sites["latitude"],
            "cost": sites["cost_a_year"].astype("float64").fillna(choices.number("cost_new")),
            "capacity": sites["places_a_year"].astype("float64"),
        }
    )
    is_inside = found["ward_code"].notna()
    return found.loc[is_inside].reset_index(drop=True)


def ways_to(
    engine: Engine, scope: Scope, area: Area, choices: PlanChoices, sites: pd.DataFrame
) -> Ways:
    """The ways from every ward of the board to the candidates: minutes between wards where a way of
    travelling is loaded and counts, else straight lines from the middle of the ward."""
    mode = travel_mode(services.travel_modes(engine, scope, area.icb_code))
    is_far = choices.goal in (Goal.NEAREST, Goal.FURTHEST)
    if mode:
        reach = choices.number("reach") or settings().reach_minutes
        most = EVERYWHERE if is_far else reach
        times = services.travel_times(engine, scope, area.icb_code, mode, most)
        own = pd.DataFrame({"from_code": sites["ward_code"], "to_code": sites["ward_code"]})
        times = pd.concat([times, own.drop_duplicates().assign(cost=0.0)])
        times = times.sort_values("cost").drop_duplicates(["from_code", "to_code"])
        named = sites[["code", "ward_code"]].rename(columns={"code": "site"})
        reached = times.merge(named, left_on="to_code", right_on="ward_code")
        columns = {"site": "to_code"}
        costs = reached[["from_code", "site", "cost"]].rename(columns=columns)
        return Ways(costs, reach, "minutes", by_minutes(reach, mode))
    reach = (choices.number("reach") or settings().reach_metres / 1_000) * 1_000
    most = EVERYWHERE if is_far else reach
    costs = lines_from_wards(engine, scope, area.icb_code, sites, most)
    return Ways(costs, reach, "m", by_metres(reach))


def site_plan(
    need: UnmetNeed,
    choices: PlanChoices,
    sites: pd.DataFrame,
    ways: Ways,
    ward_codes: set[str],
) -> Plan:
    """The best choice of sites for the chosen wards of a board."""
    problem = site_problem(need, choices, sites, ways, ward_codes)
    is_held = problem.goal not in _SEND_ALL or problem.budget is not None
    is_held |= problem.sites_wanted is not None
    if not is_held:
        # It would choose every candidate.
        problem = replace(problem, sites_wanted=0)
    found = select_sites(problem, time_limit_seconds=TIME_LIMIT_SECONDS)
    if not is_held:
        found = replace(found, infeasible=NOT_HELD)
    return planned(need, choices, sites, ways, ward_codes, problem, found)


def planned(
    need: UnmetNeed,
    choices: PlanChoices,
    sites: pd.DataFrame,
    ways: Ways,
    ward_codes: set[str],
    problem: SiteProblem,
    found: SitePlan,
) -> Plan:
    """A choice of sites told ward by ward."""
    frame = need.wards.frame
    frame = frame[frame["ward_code"].isin(ward_codes)].copy()
    frame["site"] = frame["ward_code"].map(found.reached_by)
    met = found.served.groupby("area_code")["people"].sum()
    frame["met"] = frame["ward_code"].map(met).astype("float64").fillna(0.0)
    is_unknown = frame["need"].isna() | frame["is_unknown"]
    left = (frame["need"] - frame["met"]).astype("float64").fillna(0.0)
    frame["state"] = np.select(
        [
            is_unknown,
            frame["ward_code"].isin(problem.reached),
            frame["site"].notna() & (left < LEAST_LEFT),
            frame["site"].notna(),
            (frame["need"] <= 0).fillna(False).astype(bool),
        ],
        [UNKNOWN, PROVIDED, REACHED, PARTLY, NO_NEED],
        UNREACHED,
    )
    frame["left"] = left.where(frame["state"].isin((PARTLY, UNREACHED)), 0.0)
    chosen = found.sites.merge(sites.drop(columns=["cost"]), on="code", how="left")
    return Plan(
        choices,
        need,
        ways,
        problem,
        found,
        Released(frame.reset_index(drop=True), (), need.wards.profile),
        chosen,
        sites,
    )


def site_problem(
    need: UnmetNeed,
    choices: PlanChoices,
    sites: pd.DataFrame,
    ways: Ways,
    ward_codes: set[str],
) -> SiteProblem:
    """The problem of the chosen wards. What is provided is kept, and counts as reached; wards whose
    need or provision is not known are in no plan."""
    frame = need.wards.frame
    frame = frame[frame["ward_code"].isin(ward_codes)]
    known = frame[frame["need"].notna() & ~frame["is_unknown"]].set_index("ward_code")
    provided = known.index[~known["has_gap"]] if choices.whose == GAPS else known.index[:0]
    priority = known.index[(known["imd_fifth"] == MOST_DEPRIVED).fillna(False).astype(bool)]
    return SiteProblem(
        need=known["need"].astype("float64"),
        reached=frozenset(provided),
        priority=frozenset(priority),
        sites=sites[["code", "cost", "capacity"]],
        costs=ways.costs,
        reach=ways.reach,
        goal=Goal(choices.goal),
        # The fewest that reach all are not held to a number.
        sites_wanted=None if choices.goal == Goal.FEWEST else choices.sites_wanted,
        budget=choices.number("budget"),
        least_priority_share=choices.priority_share,
    )


def as_payload(problem: SiteProblem) -> dict[str, Any]:
    """A problem as plain values, for a process of its own."""
    return {
        "need": problem.need.to_dict(),
        "reached": sorted(problem.reached),
        "priority": sorted(problem.priority),
        "sites": problem.sites.astype(object).where(problem.sites.notna(), None).to_dict("list"),
        "costs": problem.costs.to_dict("list"),
        "reach": problem.reach,
        "goal": problem.goal.value,
        "sites_wanted": problem.sites_wanted,
        "budget": problem.budget,
        "least_priority_share": problem.least_priority_share,
        "must_have": sorted(problem.must_have),
    }


def from_payload(payload: Mapping[str, Any]) -> SiteProblem:
    """The problem that `as_payload` made plain."""
    sites = pd.DataFrame(payload["sites"]).astype({"cost": "float64", "capacity": "float64"})
    return SiteProblem(
        **{
            **payload,
            "need": pd.Series(payload["need"], dtype="float64"),
            "reached": frozenset(payload["reached"]),
            "priority": frozenset(payload["priority"]),
            "sites": sites,
            "costs": pd.DataFrame(payload["costs"]),
            "goal": Goal(payload["goal"]),
            "must_have": frozenset(payload["must_have"]),
        }
    )
