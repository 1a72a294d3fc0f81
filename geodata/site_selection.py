"""Site selection: which candidates to fund next, proven best by integer programming (HiGHS)."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

# HiGHS takes a number this near to a whole one for whole, and a row this near for kept.
_NEARLY = 1e-6
# The cheapest of choices as good is looked for as long as the first took, or so much of the limit.
_TIES_SHARE = 0.05
# What scipy's `milp` says of a program.
_OPTIMAL, _INFEASIBLE, _INFEASIBLE_OR_UNBOUNDED = 0, 2, 4
_MOST_ROUNDS = 20  # of Dinkelbach's method: it settles in about five


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


@dataclass(frozen=True)
class SitePlan:
    """The best choice, and how far it is proven to be the best.

    `sites`: one row a chosen site, each next adding most of the need that the plan reaches (ties
    by code): code, gain, reached_so_far, cost, cost_so_far, cost_per_person (missing where the
    gain is 0). Gains add up to `reached_need`; where room is limited, each is found by sending as
    many of those reached as possible to the sites so far (greedy, by linear programs).

    `objective` is people (REACH), people times cost (NEAREST), sites (FEWEST) or cost (FURTHEST);
    `bound` is what no plan can do better than, `gap` the difference relative to the objective.
    Without a plan `objective`, `bound` and `gap` are NaN and `infeasible` says why. A budget below
    the cheapest candidate, or a share that no choice has, is a plan without sites for REACH, and
    `infeasible` says that too.

    `served`: one row an area and a chosen site within reach that serves it, by code: area_code,
    site_code, people (more than 0). Without limited room that is all the area's need at the nearest
    chosen site, else what the plan sends there, within the rooms; areas with the same sites within
    reach share alike. People add up to `reached_need`, as gains do, but those of one site need not
    be its gain: that counts, in order, whom the sites before it could not take.
    """

    sites: pd.DataFrame
    served: pd.DataFrame
    reached_by: pd.Series  # by area code: the site that serves most of its people
    reached_need: float
    objective: float
    bound: float
    gap: float
    seconds: float
    is_optimal: bool
    infeasible: str = ""


def select_sites(
    problem: SiteProblem,
    *,
    time_limit_seconds: float = 60.0,
    gap: float = 0.0,
    log: bool = False,
) -> SitePlan:
    """The best sites for the goal within every limit, or why there are none.

    Of choices as good for the goal, as far as the solver can tell, it takes the cheapest (a missing
    cost counts as 0), then that of fewest sites, then that whose places in the order of codes have
    the least sum. That search, to the same `gap`, ends after as long as the first took, or a
    twentieth of the limit where that is more: what was chosen before then stands.

    Stops at the relative `gap`, or after `time_limit_seconds` with the best found so far. The same
    problem gives the same plan whatever the order of its rows, unless time ran out. Raises
    ValueError for missing or negative numbers, codes and pairs that stand twice, and codes in
    `must_have` that are no candidates.
    """
    started = time.perf_counter()
    _refuse_unusable(problem)
    case = _case(problem)
    solver = _Solver(started + time_limit_seconds, gap, log)
    words = _plainly_infeasible(problem, case)
    best = _Best()
    if not words:
        best = _best(case, solver)
        if best.is_impossible:
            words = _why_infeasible(case, replace(solver, gap=0.0))
        elif best.chosen is None:
            words = f"no plan was found in {time_limit_seconds:g} seconds"
        else:
            now = time.perf_counter()
            more = max(now - started, _TIES_SHARE * time_limit_seconds)
            ties = replace(solver, until=min(solver.until, now + more))
            best = _cheapest(case, ties, best, best.chosen)
            words = _why_without_sites(case, replace(solver, gap=0.0), best)
    elif not problem.must_have and _may_be_none(case):
        best = _Best(np.zeros(len(case.sites), bool), 0.0)
    return _plan(case, best, words, started)


# --- What is refused, and a problem in numbers -----------------------------------------------


def _refuse_unusable(problem: SiteProblem) -> None:
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
    return np.isfinite(_floats(numbers))


def _floats(numbers: pd.Series) -> Numbers:
    return numbers.to_numpy(float, na_value=np.nan)


def _refuse_numbers(numbers: pd.Series, expected: str, bad: Flags | None = None) -> None:
    bad = (_floats(numbers) < 0) | (False if bad is None else bad)
    if bad.any():
        first = numbers.index[int(bad.argmax())]
        raise ValueError(f"Expected {expected}; found {bad.sum()} without, first {first}.")


@dataclass(frozen=True)
class _Case:
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


def _case(problem: SiteProblem) -> _Case:
    sites = problem.sites.sort_values("code")
    codes = pd.Index(sites["code"])
    need = problem.need[(problem.need > 0) & ~problem.need.index.isin(problem.reached)].sort_index()
    area = need.index.get_indexer(pd.Index(problem.costs["from_code"]))
    site = codes.get_indexer(pd.Index(problem.costs["to_code"]))
    way = _floats(problem.costs["cost"])
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
    area_need = _floats(need)[counted]
    stays = np.isin(area, first)
    return _Case(
        problem=problem,
        sites=codes,
        money=_floats(sites["cost"]),
        room=np.nan_to_num(_floats(sites["capacity"]), nan=np.inf),
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


# --- Programs --------------------------------------------------------------------------------


class _Limit(StrEnum):
    NUMBER = "number"
    BUDGET = "budget"
    SHARE = "share"
    MUST_HAVE = "must-have"


def _limits(problem: SiteProblem) -> list[_Limit]:
    is_set = {
        _Limit.NUMBER: problem.sites_wanted is not None,
        _Limit.BUDGET: problem.budget is not None,
        _Limit.SHARE: problem.least_priority_share > 0,
        _Limit.MUST_HAVE: bool(problem.must_have),
    }
    return [limit for limit in _Limit if is_set[limit]]


@dataclass
class _Program:
    """Rows over three blocks of columns: x (a site is chosen), z (share of a unit's people who
    are reached), y (share of a unit's people who go to a site; only where there are flows)."""

    least: Numbers
    rows: list[tuple[Places, Places, Numbers]] = field(default_factory=list)
    low: list[Numbers] = field(default_factory=list)
    high: list[Numbers] = field(default_factory=list)

    def add(
        self,
        count: int,
        low: float | Numbers,
        high: float | Numbers,
        *entries: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike],
    ) -> None:
        """`count` rows between `low` and `high`, from entries (row, column, value)."""
        before = sum(map(len, self.low))
        for row, column, value in entries:
            row, column, value = np.broadcast_arrays(row, column, np.asarray(value, float))
            self.rows.append((row + before, column, value))
        self.low.append(np.broadcast_to(low, count).astype(float))
        self.high.append(np.broadcast_to(high, count).astype(float))

    def limits(self) -> tuple[Any, Numbers, Numbers]:
        """All rows as a matrix, and between what each stays."""
        from scipy.sparse import coo_array

        row, column, value = (np.concatenate(part) for part in zip(*self.rows, strict=True))
        low, high = np.concatenate(self.low), np.concatenate(self.high)
        matrix = coo_array((value, (row, column)), shape=(len(low), len(self.least)))
        return matrix.tocsr(), low, high


def _program(
    case: _Case,
    limits: Sequence[_Limit],
    pairs: Flags,
    all_that_can_be: float = 0.0,
) -> _Program:
    """What every choice within the limits keeps to, over some of the pairs."""
    problem, m, units = case.problem, len(case.sites), len(case.need)
    unit, site, is_within = case.unit[pairs], case.site[pairs], case.is_within[pairs]
    k = len(unit)
    z = m + np.arange(units)
    y = m + units + np.arange(k if case.has_flows else 0)
    program = _Program(np.zeros(m + units + len(y)))
    if case.has_flows:
        low = 1.0 if case.must_send_all else 0.0
        program.add(units, low, 1, (unit, y, 1))
        program.add(k, -np.inf, 0, (np.arange(k), y, 1), (np.arange(k), site, -1))
        reached = (unit[is_within], y[is_within], -1)
        program.add(units, 0, 0, (np.arange(units), z, 1), reached)
        limited = np.isfinite(case.room)
        of_limited = limited[site]
        program.add(
            m, -np.inf, 0,
            (site[of_limited], y[of_limited], case.need[unit[of_limited]]),
            (np.flatnonzero(limited), np.flatnonzero(limited), -case.room[limited]),
        )  # fmt: skip
        if problem.goal is Goal.FEWEST:
            program.add(1, all_that_can_be * (1 - _NEARLY), np.inf, (0, z, case.need))
    else:
        reached = (unit[is_within], site[is_within], -1)
        program.add(units, -np.inf, 0, (np.arange(units), z, 1), reached)
        if problem.goal is Goal.FEWEST:
            program.least[z] = 1
        if problem.goal is Goal.FURTHEST:
            program.add(units, 1, np.inf, (unit, site, 1))

    share = problem.least_priority_share
    if share > 0:
        # Whoever a site with room for all reaches is reached: no one is left out for the share.
        # One row a site says it as one row a pair does, and is solved twice as fast.
        forced = is_within & ~case.is_priority[unit] & np.isinf(case.room)[site]
        theirs, x = case.need[unit[forced]], np.arange(m)
        all_theirs = (x, x, np.bincount(site[forced], theirs, m))
        program.add(m, -np.inf, 0, all_theirs, (site[forced], z[unit[forced]], -theirs))
    if _Limit.SHARE in limits:
        program.add(1, -np.inf, 0, (0, z, case.need * (share - case.is_priority)))
    fewest, most = 0, m
    if _Limit.NUMBER in limits and problem.sites_wanted is not None:
        most = problem.sites_wanted
        fewest = 0 if problem.goal is Goal.REACH else most
    program.add(1, fewest, most, (0, np.arange(m), 1))
    if _Limit.BUDGET in limits and problem.budget is not None:
        program.add(1, -np.inf, problem.budget, (0, np.arange(m), case.money))
    if _Limit.MUST_HAVE in limits:
        program.least[:m] = case.is_must
    return program


def _weights(case: _Case, pairs: Flags, goal: Goal) -> Numbers:
    """What is made least: by column of a program over the same pairs."""
    m, k = len(case.sites), pairs.sum() if case.has_flows else 0
    x, z, y = np.zeros(m), np.zeros(len(case.need)), np.zeros(k)
    match goal:
        case Goal.REACH:
            z = -case.need
        case Goal.NEAREST:
            y = (case.need[case.unit] * case.way)[pairs]
        case _:
            x = np.ones(m)
    return np.concatenate([x, z, y])


@dataclass(frozen=True)
class _Found:
    columns: Numbers | None
    bound: float = math.nan
    is_proven: bool = False  # to the gap
    is_impossible: bool = False


@dataclass(frozen=True)
class _Solver:
    """HiGHS until a moment of `time.perf_counter`."""

    until: float
    gap: float = 0.0
    log: bool = False

    def is_over(self) -> bool:
        return time.perf_counter() >= self.until

    def solve(
        self, program: _Program, weights: Numbers, sites: int, chosen: Flags | None = None
    ) -> _Found:
        """The columns with the least weighted sum; with `chosen` the first are as given."""
        from scipy.optimize import Bounds, LinearConstraint, milp  # read only where one asks

        rows, low, high = program.limits()
        most = np.ones(len(weights))
        least = program.least.copy()
        if chosen is not None:
            least[:sites] = most[:sites] = chosen
        # HiGHS 1.12 has called a program infeasible in presolve that is not: it is asked again.
        for presolve in (True, False):
            if self.is_over():
                return _Found(None)
            left = self.until - time.perf_counter()
            found = milp(
                weights,
                integrality=np.arange(len(weights)) < (sites if chosen is None else 0),
                bounds=Bounds(least, most),
                constraints=LinearConstraint(rows, low, high),
                options={
                    "mip_rel_gap": self.gap,
                    "time_limit": left,
                    "presolve": presolve,
                    "disp": self.log,
                },
            )
            if found.status not in (_INFEASIBLE, _INFEASIBLE_OR_UNBOUNDED):
                break
        is_proven = found.status == _OPTIMAL
        bound = getattr(found, "mip_dual_bound", None)
        if bound is None:
            bound = found.fun if is_proven else -np.inf
        return _Found(found.x, bound, is_proven, found.status == _INFEASIBLE)

    def never(self, program: _Program, weights: Numbers, most: float, sites: int) -> Flags:
        """Sites in no choice whose weighted sum is at most so much: their reduced cost in the linear
        program is more than that leaves (Dantzig, Fulkerson and Johnson 1954)."""
        from scipy.optimize import linprog
        from scipy.sparse import vstack

        rows, low, high = program.limits()
        has_low, has_high = np.isfinite(low), np.isfinite(high)
        found = linprog(
            weights,
            vstack([rows[has_high], -rows[has_low]]),
            np.concatenate([high[has_high], -low[has_low]]),
            bounds=np.stack([program.least, np.ones(len(weights))], axis=1),
            method="highs",
            options={"time_limit": max(self.until - time.perf_counter(), 0)},
        )
        if found.status != _OPTIMAL:
            return np.zeros(sites, bool)
        spare = most - found.fun + _NEARLY * max(abs(most), 1)
        never: Flags = found.lower.marginals[:sites] > spare
        return never


def _chosen(case: _Case, columns: Numbers) -> Flags:
    return columns[: len(case.sites)] > 0.5


# --- The best choice ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Best:
    chosen: Flags | None = None
    bound: float = math.nan
    longest: float = math.inf  # the longest way that is used
    is_impossible: bool = False  # proven: no choice keeps to the limits


def _may_be_none(case: _Case) -> bool:
    """Whether no site at all is a plan."""
    is_any_number = case.problem.sites_wanted is None
    return case.problem.goal is Goal.REACH or (is_any_number and _all_that_can_be(case) == 0)


def _best(case: _Case, solver: _Solver) -> _Best:
    if len(case.sites) == 0:
        return _Best(np.zeros(0, bool), 0.0)
    limits = _limits(case.problem)
    if case.problem.goal is Goal.REACH and not case.has_flows:
        return _most_reached(case, limits, solver)
    found = _solved(case, limits, solver)
    if found.columns is None:
        return _Best(is_impossible=found.is_impossible)
    if case.problem.goal is Goal.FURTHEST:
        return _shortest_longest_way(case, limits, solver, _chosen(case, found.columns))
    bound = -found.bound if case.problem.goal is Goal.REACH else found.bound
    return _Best(_chosen(case, found.columns), bound)


def _most_reached(case: _Case, limits: Sequence[_Limit], solver: _Solver) -> _Best:
    """Maximal covering: a good choice first, then only what is as good is searched for.

    With 500 sites that reach 400 of 6,800 areas each that takes 19 s, without the first choice 50 s.
    """
    start = _swapped(case)
    value = -math.inf if start is None else _evaluated(case, start).objective
    pairs = np.ones(len(case.way), bool)
    weights = _weights(case, pairs, Goal.REACH)
    program = _program(case, limits, pairs)
    everything = np.arange(len(weights))
    program.add(1, -np.inf, -value * (1 - _NEARLY), (0, everything, weights))
    found = solver.solve(program, weights, len(case.sites))
    if found.columns is None and start is None:
        return _Best(is_impossible=found.is_impossible)
    best = start if found.columns is None else _chosen(case, found.columns)
    return _Best(best, -found.bound)


def _swapped(case: _Case) -> Flags | None:
    """A choice within the limits that no swap of one site betters (Teitz and Bart 1968), from the
    greedy one; `None` where that finds none. Nothing is proven of it."""
    from scipy.sparse import csr_array

    problem, m = case.problem, len(case.sites)
    wanted = problem.sites_wanted
    money = np.zeros(m) if problem.budget is None else case.money
    budget = math.inf if problem.budget is None else problem.budget + _NEARLY
    shape = (m, len(case.need))
    reaches = csr_array((np.ones(len(case.unit)), (case.site, case.unit)), shape=shape)
    need, spare = case.need, case.need * (case.is_priority - problem.least_priority_share)

    def after(times: Numbers, cost: float) -> tuple[Numbers, Flags]:
        """The need reached with each one site more, and whether that is within the limits."""
        is_new = times == 0
        keeps = spare[~is_new].sum() + reaches @ (spare * is_new) >= -_NEARLY
        reached = need[~is_new].sum() + reaches @ (need * is_new)
        return reached, keeps & (cost + money <= budget)

    chosen = case.is_must.copy()
    while wanted is None or chosen.sum() < wanted:
        reached, _ = after(chosen @ reaches, 0)
        gain = reached - need[chosen @ reaches > 0].sum()
        fits = ~chosen & (money[chosen].sum() + money <= budget)
        if not fits.any() or gain[fits].max() <= _NEARLY:
            break
        worth = gain if problem.budget is None else gain / np.maximum(money, _NEARLY)
        chosen[np.argmax(np.where(fits, worth, -1))] = True
    times = chosen @ reaches
    best = need[times > 0].sum() if spare[times > 0].sum() >= -_NEARLY else -1.0
    while True:
        swap: list[int] = []
        for out in np.flatnonzero(chosen & ~case.is_must):
            rest = times - reaches[[out]].toarray()[0]
            reached, is_kept = after(rest, money[chosen].sum() - money[out])
            reached = np.where(is_kept & ~chosen, reached, -1)
            if reached.max() > best + _NEARLY:
                swap, best = [int(out), int(reached.argmax())], reached.max()
        if not swap:
            return chosen if best >= 0 else None
        chosen[swap] = False, True
        times = chosen @ reaches


def _solved(
    case: _Case,
    limits: Sequence[_Limit],
    solver: _Solver,
    weights: Numbers | None = None,
    longest: float = math.inf,
) -> _Found:
    pairs = case.way <= longest
    if weights is None:
        weights = _weights(case, pairs, case.problem.goal)
    program = _program(case, limits, pairs, _all_that_can_be(case))
    return solver.solve(program, weights, len(case.sites))


def _all_that_can_be(case: _Case) -> float:
    """The need that all candidates together reach."""
    if case.problem.goal is not Goal.FEWEST or not case.has_flows:
        return float(case.need.sum())
    return _most_served(case, case.need)(list(range(len(case.sites))))


def _shortest_longest_way(
    case: _Case, limits: Sequence[_Limit], solver: _Solver, chosen: Flags
) -> _Best:
    """From a first choice, by halving which way can be the longest: each time a set covering."""
    lengths = np.unique(case.way)
    nearest = np.full(len(case.need), np.inf)
    np.minimum.at(nearest, case.unit, case.way)
    # No way shorter than `low` can be the longest; the best choice so far has `longest`.
    low = int(np.searchsorted(lengths, nearest.max(initial=0)))
    longest = _evaluated(case, chosen).objective
    while low < (high := int(np.searchsorted(lengths, longest))):
        middle = (low + high) // 2
        found = _solved(case, limits, solver, longest=lengths[middle])
        if found.is_impossible:
            low = middle + 1
        elif found.columns is None:
            break
        else:
            chosen = _chosen(case, found.columns)
            longest = _evaluated(case, chosen, lengths[middle]).objective
    return _Best(chosen, float(lengths[low]) if len(lengths) else 0.0, longest)


def _cheapest(case: _Case, solver: _Solver, best: _Best, chosen: Flags) -> _Best:
    """Of the choices as good for the goal the cheapest, then of fewest sites, then by code: two
    more programs, in which what came before is held. If time runs out, what came before stands."""
    goal, m = case.problem.goal, len(case.sites)
    if m == 0 or solver.is_over():
        return best
    pairs, x = case.way <= best.longest, np.arange(m)
    limits, everybody = _limits(case.problem), _all_that_can_be(case)
    program, weights = _program(case, limits, pairs, everybody), _weights(case, pairs, goal)
    if goal is not Goal.FURTHEST:  # of that no longer way is among the pairs
        # Nothing is added: HiGHS 1.12 has left out the best where there is room for a millionth of x.
        most = _evaluated(case, chosen).objective * (-1 if goal is Goal.REACH else 1)
        # Without the sites that are in no such choice it takes a third to half of the time.
        never = solver.never(program, weights, most, m) & ~chosen
        pairs &= ~never[case.site]
        program, weights = _program(case, limits, pairs, everybody), _weights(case, pairs, goal)
        program.add(1, -np.inf, most, (0, np.arange(len(weights)), weights))
        program.add(1, 0, 0, (0, x, never))
    for least in (np.nan_to_num(case.money), m * m + x.astype(float)):
        columns = np.concatenate([least, np.zeros(len(weights) - m)])
        found = solver.solve(program, columns, m)
        if found.columns is None or not found.is_proven:
            break
        other = _chosen(case, found.columns)
        if least[other].sum() < least[chosen].sum() - _NEARLY:
            chosen = other
        program.add(1, -np.inf, least[chosen].sum(), (0, x, least))
    return replace(best, chosen=chosen)


@dataclass(frozen=True)
class _Outcome:
    served: Numbers  # people reached, by unit
    objective: float
    flows: pd.DataFrame  # unit, site, share of the unit's people; those reached. Only with flows


def _evaluated(case: _Case, chosen: Flags, longest: float = math.inf) -> _Outcome:
    """What the chosen sites do, worked out anew with x at exactly 0 and 1."""
    goal, units = case.problem.goal, len(case.need)
    pairs = chosen[case.site] & (case.way <= longest)
    unit, site, way = case.unit[pairs], case.site[pairs], case.way[pairs]
    is_within = case.is_within[pairs]
    sent = np.zeros(0, int)
    flows = np.zeros(0)
    if case.has_flows and units:
        limits = [limit for limit in _limits(case.problem) if limit is _Limit.SHARE]
        program = _program(case, limits, pairs)
        weights = _weights(case, pairs, Goal.NEAREST if case.must_send_all else Goal.REACH)
        columns = _Solver(math.inf).solve(program, weights, len(case.sites), chosen).columns
        if columns is None:
            raise RuntimeError("the flows of a plan were not found")
        flows = columns[len(case.sites) + units :]
        goes = flows > _NEARLY
        total, furthest = float(weights @ columns), way[goes].max(initial=0)
        sent = np.flatnonzero(goes & is_within)
        flows = flows[sent]
        served = np.bincount(unit[sent], case.need[unit[sent]] * flows, units).astype(float)
    else:
        served = np.where(np.bincount(unit[is_within], minlength=units) > 0, case.need, 0.0)
        nearest = np.full(units, np.inf)
        np.minimum.at(nearest, unit, way)
        total, furthest = 0.0, nearest.max(initial=0)
    objective = {
        Goal.REACH: float(served.sum()),
        Goal.NEAREST: total,
        Goal.FEWEST: float(chosen.sum()),
        Goal.FURTHEST: float(furthest),
    }[goal]
    shares = {"unit": unit[sent], "site": site[sent], "share": flows}
    return _Outcome(served, objective, pd.DataFrame(shares))


def _most_served(case: _Case, demand: Numbers) -> Callable[[list[int]], float]:
    """How much of the demand (people, by unit) some sites can serve between them."""
    unit, site = case.unit[case.is_within], case.site[case.is_within]

    def covered(sites: list[int]) -> float:
        is_there = np.zeros(len(demand), bool)
        is_there[unit[np.isin(site, sites)]] = True
        return float(demand[is_there].sum())

    def sent(sites: list[int]) -> float:
        if np.isinf(case.room[sites]).all():
            return covered(sites)
        from scipy.optimize import linprog
        from scipy.sparse import coo_array

        flows = np.flatnonzero(np.isin(site, sites))
        limited = flows[np.isfinite(case.room[site[flows]])]
        of_limited = np.searchsorted(flows, limited)
        if len(flows) == 0:
            return 0.0
        rows = np.concatenate([unit[flows], len(demand) + site[limited]])
        columns = np.concatenate([np.arange(len(flows)), of_limited])
        most = np.concatenate([demand, case.room])
        kept = np.isfinite(most)
        matrix = coo_array((np.ones(len(rows)), (rows, columns)), (len(most), len(flows)))
        found = linprog(-np.ones(len(flows)), matrix.tocsr()[kept], most[kept], method="highs")
        if found.x is None:
            raise RuntimeError(f"the flows to some sites were not found: {found.message}")
        return float(-found.fun)

    return sent


def _in_order(case: _Case, chosen: Flags, served: Numbers) -> Iterator[tuple[int, float]]:
    """The chosen sites and their gains, each next adding most; ties by code.

    What one more site adds falls as others are there (people served are submodular), so a gain
    that still leads when worked out anew is the most.
    """
    value = _most_served(case, served)
    taken: list[int] = []
    so_far = 0.0
    digits = 9 - math.ceil(math.log10(max(served.sum(), 1)))  # what a linear program is good to

    def entry(site: int) -> tuple[float, int, int, float]:
        total = value([*taken, site])
        return -round(total - so_far, digits), site, len(taken), total

    queue = [entry(int(site)) for site in np.flatnonzero(chosen)]
    heapq.heapify(queue)
    while queue:
        _, site, when, total = heapq.heappop(queue)
        if when < len(taken):
            heapq.heappush(queue, entry(site))
            continue
        gain = total - so_far
        yield site, gain if gain > _NEARLY else 0.0
        taken, so_far = [*taken, site], total


def _plan(case: _Case, best: _Best, words: str, started: float) -> SitePlan:
    problem, chosen, bound = case.problem, best.chosen, best.bound
    if chosen is None:
        nobody = np.zeros(len(case.need))
        outcome = _Outcome(nobody, math.nan, pd.DataFrame(columns=["unit", "site", "share"]))
        order = []
    else:
        outcome = _evaluated(case, chosen, best.longest)
        order = list(_in_order(case, chosen, outcome.served))
        if problem.goal is Goal.REACH:
            needed = _needed(case, [site for site, _ in order], outcome.served)
            if len(needed) < len(order):
                chosen = np.isin(np.arange(len(chosen)), needed)
                outcome = _evaluated(case, chosen)
                order = list(_in_order(case, chosen, outcome.served))
    places = np.array([site for site, _ in order], dtype=np.intp)
    gains = pd.Series([gain for _, gain in order], dtype="Float64")
    money = pd.Series(case.money[places], dtype="Float64")
    sites = pd.DataFrame(
        {
            "code": pd.Series(case.sites[places], dtype="str"),
            "gain": gains,
            "reached_so_far": gains.cumsum(),
            "cost": money,
            "cost_so_far": money.cumsum(skipna=False),
            "cost_per_person": money / gains.mask(gains == 0),
        }
    )
    served = _served(case, places, outcome)
    objective = outcome.objective
    gap = abs(bound - objective) / max(abs(objective), _NEARLY)
    is_optimal = gap <= _NEARLY
    return SitePlan(
        sites=sites,
        served=served,
        reached_by=_reached_by(served),
        reached_need=float(outcome.served.sum()),
        objective=objective,
        bound=objective if is_optimal else bound,
        gap=0.0 if is_optimal else gap,
        seconds=time.perf_counter() - started,
        is_optimal=is_optimal,
        infeasible=words,
    )


def _needed(case: _Case, sites: list[int], served: Numbers) -> list[int]:
    """The sites without those, last first, whose people the others can take."""
    value = _most_served(case, served)
    for site in sites[::-1]:
        others = [other for other in sites if other != site]
        if not case.is_must[site] and value(others) >= served.sum() - _NEARLY:
            sites = others
    return sites


def _served(case: _Case, places: Places, outcome: _Outcome) -> pd.DataFrame:
    """People by codes of area and site, in the order of codes."""
    if np.isfinite(case.room).any():
        units = pd.DataFrame({"unit": case.unit_of, "area": np.arange(len(case.areas))})
        found = units.merge(outcome.flows.astype({"unit": int, "site": int}), on="unit")
        found = found.sort_values(["area", "site"])
    else:
        near = case.near[case.near["site"].isin(places)].sort_values(["area", "way", "site"])
        found = near.drop_duplicates("area").assign(share=1.0)
    area, site = found["area"].to_numpy(), found["site"].to_numpy()
    return pd.DataFrame(
        {
            "area_code": pd.Series(case.areas[area], dtype="str"),
            "site_code": pd.Series(case.sites[site], dtype="str"),
            "people": pd.Series(case.area_need[area] * found["share"].to_numpy(), dtype="Float64"),
        }
    )


def _reached_by(served: pd.DataFrame) -> pd.Series:
    """The code of the site by code of the area, in the order of codes."""
    most = served.assign(people=-served["people"].round(6))
    most = most.sort_values(["area_code", "people", "site_code"]).drop_duplicates("area_code")
    return most.set_index("area_code")["site_code"]


# --- Why there is no plan ----------------------------------------------------------------------


def _plainly_infeasible(problem: SiteProblem, case: _Case) -> str:
    """What can be said without a program; "" where nothing can."""
    wanted, budget = problem.sites_wanted, problem.budget
    must, count = len(problem.must_have), len(case.sites)
    is_most = problem.goal is Goal.REACH
    if wanted is not None and wanted > count and not is_most:
        return f"{_sites(wanted)} wanted, {_candidates(count)}"
    if wanted is not None and must > wanted:
        return f"{_sites(must)} must be chosen, {_sites(wanted)} wanted"
    if budget is None or count == 0 or wanted == 0:
        return ""
    number = max(1 if is_most else wanted or 1, must)
    has = f"the budget is {_money(budget)}"
    most = budget + _NEARLY
    set_cost = case.money[case.is_must].sum()
    others = np.sort(case.money[~case.is_must])[: number - must].sum()
    free = np.sort(case.money)[:number].sum()
    at_least = f"{_sites(number)} cost{'s' if number == 1 else ''} at least"
    if free > most:
        return f"{at_least} {_money(free)}, {has}"
    if set_cost > most:
        return f"the sites that must be chosen cost {_money(set_cost)}, {has}"
    if set_cost + others > most:
        told = f"{at_least} {_money(set_cost + others)}"
        return f"with those that must be chosen, {told}, {has}"
    return ""


def _why_infeasible(case: _Case, solver: _Solver) -> str:
    """In words, every limit that is alone in the way: without it there is a plan."""
    limits = _limits(case.problem)
    told = []
    for limit in limits:
        others = [other for other in limits if other is not limit]
        if words := _in_the_way(case, limit, others, solver):
            told.append(words)
    if told:
        return "; ".join(told)
    if solver.is_over():
        return "no plan fits, and time ran out before it was clear why"
    if _solved(case, [], solver).is_impossible:
        return "the candidates cannot take everybody, even if all are chosen"
    return "no limit is alone in the way: loosen two or more"


def _why_without_sites(case: _Case, solver: _Solver, best: _Best) -> str:
    """That the share rules out every site; "" where there are sites, or nothing to reach."""
    limits = _limits(case.problem)
    has_sites = best.chosen is None or best.chosen.any()
    if has_sites or len(case.need) == 0 or _Limit.SHARE not in limits:
        return ""
    others = [limit for limit in limits if limit is not _Limit.SHARE]
    return _in_the_way(case, _Limit.SHARE, others, solver)


def _in_the_way(case: _Case, limit: _Limit, others: Sequence[_Limit], solver: _Solver) -> str:
    """What holds of the limit when only the others are kept; "" where there is no plan even so."""
    problem, m = case.problem, len(case.sites)
    columns = len(_weights(case, case.way < np.inf, problem.goal))

    def least(weights: Numbers) -> Numbers | None:
        padded = np.concatenate([weights, np.zeros(columns - len(weights))])
        found = _solved(case, others, solver, padded)
        return found.columns if found.is_proven else None

    match limit:
        case _Limit.NUMBER:
            if (found := least(np.ones(m))) is None:
                return ""
            wanted, fewest = f"{_sites(problem.sites_wanted or 0)} wanted", _chosen(case, found)
            if fewest.sum() > (problem.sites_wanted or 0):
                return f"{wanted}, at least {fewest.sum()} needed"
            if (found := least(-np.ones(m))) is None:
                return ""
            most = _chosen(case, found).sum()
            if most < (problem.sites_wanted or 0):
                return f"{wanted}, at most {most} fit the other limits"
            return f"{wanted}, only fewer or more fit the other limits"
        case _Limit.BUDGET:
            if (found := least(case.money)) is None:
                return ""
            cost = case.money[_chosen(case, found)].sum()
            return f"it costs at least {_money(cost)}, the budget is {_money(problem.budget or 0)}"
        case _Limit.SHARE:
            share = -1.0
            for _ in range(_MOST_ROUNDS):  # Dinkelbach (1967): the largest share there can be
                worth = case.need * (case.is_priority - share)
                if (found := least(np.concatenate([np.zeros(m), -worth]))) is None:
                    return ""
                served = case.need * found[m : m + len(case.need)]
                before, reached = share, served.sum()
                if reached > _NEARLY:
                    share = max(share, served[case.is_priority].sum() / reached)
                if share <= before + _NEARLY:
                    break
            if share < 0:
                return ""  # nobody can be reached
            # Rounded down: it must not look like what was asked.
            most = f"at most {math.floor(1000 * share + _NEARLY) / 10:g}%"
            asked = f"at least {100 * problem.least_priority_share:g}%"
            return f"{most} of the need newly reached can be in priority areas, {asked} wanted"
        case _Limit.MUST_HAVE:
            is_possible = least(np.zeros(m)) is not None
            return "the sites that must be chosen rule out every plan" if is_possible else ""


def _sites(count: int) -> str:
    return "1 site" if count == 1 else f"{count:,} sites"


def _candidates(count: int) -> str:
    return "there is 1 candidate" if count == 1 else f"there are {count:,} candidates"


def _money(amount: float) -> str:
    return f"£{amount:,.0f}" if amount == round(amount) else f"£{amount:,.2f}"
