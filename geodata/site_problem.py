"""A problem of site selection: areas with need, candidates, ways and limits, checked and in numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

Numbers = npt.NDArray[np.float64]


Places = npt.NDArray[np.intp]


Flags = npt.NDArray[np.bool_]


# HiGHS takes a number this near to a whole one for whole, and a row this near for kept.
NEARLY = 1e-6


class Goal(StrEnum):
    """What the best choice is: the four classical problems of location."""

    REACH = "reach"  # maximal covering (Church and ReVelle 1974): most need reached
    NEAREST = "nearest"  # p-median (Hakimi 1964): shortest total way, each area times its need
    FEWEST = "fewest"  # set covering (Toregas 1971): fewest sites that reach all that can be
    FURTHEST = "furthest"  # p-centre (Hakimi 1964): shortest longest way


@dataclass(frozen=True)
class SiteProblem:
    """Areas with need, candidates, the ways between them, and the limits of a choice.

    `need` (people, 0 or more) is by area code. Areas that are `reached` already, have no need, or
    have no way to any candidate (REACH and FEWEST: none within reach) are left out whatever the
    goal. `sites` has code, cost (money; missing only where no budget is set) and capacity (people;
    missing means no limit). `costs` has from_code (area), to_code (site) and cost (metres or
    minutes), one row per pair; a missing one is no way, and codes nobody knows are passed over.

    A site reaches an area when their cost is at most `reach`. NEAREST and FURTHEST send everybody
    to a chosen site, also beyond reach, over the ways of `costs`. Sites with room for all take
    whoever they reach; where room is short, who gets it is part of the plan, and an area's people
    may be split.
    """

    need: pd.Series
    reached: frozenset[str]
    priority: frozenset[str]  # areas in deprivation deciles 1 and 2
    sites: pd.DataFrame
    costs: pd.DataFrame
    reach: float
    goal: Goal = Goal.REACH
    sites_wanted: int | None = None  # exactly, for REACH at most; None: as the budget allows
    budget: float | None = None
    least_priority_share: float = 0.0  # of the need newly reached
    must_have: frozenset[str] = frozenset()  # chosen whatever; they count and cost like the others


def refuse_unusable(problem: SiteProblem) -> None:
    """Raise ValueError, with what was expected and found, for a problem that is none."""
    sites = problem.sites
    for codes, kind in ((problem.need.index, "area"), (pd.Index(sites["code"]), "candidate")):
        if not codes.is_unique:
            first = codes[codes.duplicated()][0]
            raise ValueError(f"Expected each {kind} once; found {first} more than once.")
    _refuse_numbers(problem.need, "a need of 0 or more for every area", ~_known(problem.need))
    money, room = sites.set_index("code")["cost"], sites.set_index("code")["capacity"]
    if problem.budget is None:
        _refuse_numbers(money, "a cost of 0 or more, or none, for every candidate")
    else:
        what = "a cost of 0 or more for every candidate where a budget is set"
        _refuse_numbers(money, what, ~_known(money))
    _refuse_numbers(room, "a capacity of 0 or more, or none, for every candidate")
    ways = problem.costs.set_index("from_code")["cost"]
    _refuse_numbers(ways, "a cost of 0 or more, or none, from every area to every site")
    pairs = problem.costs.loc[problem.costs.duplicated(["from_code", "to_code"])]
    if len(pairs):
        first = f"{pairs['from_code'].iloc[0]} to {pairs['to_code'].iloc[0]}"
        raise ValueError(f"Expected one cost per area and site; found {first} more than once.")
    if unknown := sorted(problem.must_have - set(sites["code"])):
        raise ValueError(f"Expected candidates in must_have; found {', '.join(unknown)}.")
    for value, what, most in (
        (problem.reach, "a reach", math.inf),
        (problem.sites_wanted, "a number of sites", math.inf),
        (problem.budget, "a budget", math.inf),
        (problem.least_priority_share, "a share", 1),
    ):
        if value is not None and not 0 <= value <= most:
            ends = "from 0 to 1" if most == 1 else "of 0 or more"
            raise ValueError(f"Expected {what} {ends}; found {value}.")


def _known(numbers: pd.Series) -> Flags:
    return np.isfinite(floats_of(numbers))


def floats_of(numbers: pd.Series) -> Numbers:
    """Numbers of a column; NaN where one is missing."""
    return numbers.to_numpy(float, na_value=np.nan)


def _refuse_numbers(numbers: pd.Series, expected: str, bad: Flags | None = None) -> None:
    bad = (floats_of(numbers) < 0) | (False if bad is None else bad)
    if bad.any():
        first = numbers.index[int(bad.argmax())]
        raise ValueError(f"Expected {expected}; found {bad.sum()} without, first {first}.")


@dataclass(frozen=True)
class Case:
    """A problem in numbers: sites and units by their place in the order of codes.

    A unit is one area, or for REACH and FEWEST all areas with the same sites within reach. Pairs
    are of a unit and a site, in that order.
    """

    problem: SiteProblem
    sites: pd.Index
    money: Numbers
    room: Numbers  # inf: no limit
    is_must: Flags
    areas: pd.Index
    unit_of: Places  # by area, as the next
    area_need: Numbers
    need: Numbers  # by unit, as all that follow
    is_priority: Flags
    unit: Places  # by pair, as all that follow
    site: Places
    way: Numbers  # of grouped areas that of the first
    is_within: Flags
    near: pd.DataFrame  # area, site, way of every pair of areas within reach

    @property
    def has_flows(self) -> bool:
        """Whether people are sent to sites one by one, or an area is simply reached or not."""
        return self.problem.goal is Goal.NEAREST or bool(np.isfinite(self.room).any())

    @property
    def must_send_all(self) -> bool:
        return self.problem.goal in (Goal.NEAREST, Goal.FURTHEST)


def case_of(problem: SiteProblem) -> Case:
    """A usable problem in numbers, without the areas that are left out."""
    sites = problem.sites.sort_values("code")
    codes = pd.Index(sites["code"])
    need = problem.need[(problem.need > 0) & ~problem.need.index.isin(problem.reached)].sort_index()
    area = need.index.get_indexer(pd.Index(problem.costs["from_code"]))
    site = codes.get_indexer(pd.Index(problem.costs["to_code"]))
    way = floats_of(problem.costs["cost"])
    is_within = way <= problem.reach
    is_one_by_one = problem.goal in (Goal.NEAREST, Goal.FURTHEST)
    used = (area >= 0) & (site >= 0) & (np.isfinite(way) if is_one_by_one else is_within)
    order = np.flatnonzero(used)[np.lexsort((site[used], area[used]))]
    site, way, is_within = site[order], way[order], is_within[order]
    counted, area = np.unique(area[order], return_inverse=True)
    areas = need.index[counted]
    is_priority = np.asarray(areas.isin(problem.priority))
    near = pd.DataFrame({"area": area, "site": site, "way": way})[is_within]

    unit_of = np.arange(len(areas))
    if not is_one_by_one:
        ends = np.searchsorted(area, np.arange(len(areas) + 1))
        seen: dict[tuple[bytes, bool], int] = {}
        for n, is_first in enumerate(is_priority):
            key = (site[ends[n] : ends[n + 1]].tobytes(), bool(is_first))
            unit_of[n] = seen.setdefault(key, len(seen))
    units, first = np.unique(unit_of, return_index=True)
    area_need = floats_of(need)[counted]
    stays = np.isin(area, first)
    return Case(
        problem=problem,
        sites=codes,
        money=floats_of(sites["cost"]),
        room=np.nan_to_num(floats_of(sites["capacity"]), nan=np.inf),
        is_must=np.asarray(codes.isin(problem.must_have)),
        areas=areas,
        unit_of=unit_of,
        area_need=area_need,
        need=np.bincount(unit_of, area_need, len(units)).astype(float),
        is_priority=is_priority[first],
        unit=unit_of[area[stays]],
        site=site[stays],
        way=way[stays],
        is_within=is_within[stays],
        near=near,
    )
