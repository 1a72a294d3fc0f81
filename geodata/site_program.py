"""The integer programs of site selection, and HiGHS that solves them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from geodata.site_problem import NEARLY, Case, Flags, Goal, Numbers, Places, SiteProblem

# What scipy's `milp` says of a program.
_OPTIMAL, _INFEASIBLE, _INFEASIBLE_OR_UNBOUNDED = 0, 2, 4


class Limit(StrEnum):
    """What a choice may be held to."""

    NUMBER = "number"
    BUDGET = "budget"
    SHARE = "share"
    MUST_HAVE = "must-have"


def limits_of(problem: SiteProblem) -> list[Limit]:
    """The limits that are set."""
    is_set = {
        Limit.NUMBER: problem.sites_wanted is not None,
        Limit.BUDGET: problem.budget is not None,
        Limit.SHARE: problem.least_priority_share > 0,
        Limit.MUST_HAVE: bool(problem.must_have),
    }
    return [limit for limit in Limit if is_set[limit]]


@dataclass
class Program:
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


def program_of(
    case: Case,
    limits: Sequence[Limit],
    pairs: Flags,
    all_that_can_be: float = 0.0,
) -> Program:
    """What every choice within the limits keeps to, over some of the pairs."""
    problem, m, units = case.problem, len(case.sites), len(case.need)
    unit, site, is_within = case.unit[pairs], case.site[pairs], case.is_within[pairs]
    k = len(unit)
    z = m + np.arange(units)
    y = m + units + np.arange(k if case.has_flows else 0)
    program = Program(np.zeros(m + units + len(y)))
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
            program.add(1, all_that_can_be * (1 - NEARLY), np.inf, (0, z, case.need))
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
    if Limit.SHARE in limits:
        program.add(1, -np.inf, 0, (0, z, case.need * (share - case.is_priority)))
    fewest, most = 0, m
    if Limit.NUMBER in limits and problem.sites_wanted is not None:
        most = problem.sites_wanted
        fewest = 0 if problem.goal is Goal.REACH else most
    program.add(1, fewest, most, (0, np.arange(m), 1))
    if Limit.BUDGET in limits and problem.budget is not None:
        program.add(1, -np.inf, problem.budget, (0, np.arange(m), case.money))
    if Limit.MUST_HAVE in limits:
        program.least[:m] = case.is_must
    return program


def weights_of(case: Case, pairs: Flags, goal: Goal) -> Numbers:
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
class Found:
    """What a program came to: its columns, missing where it has no solution or time ran out."""

    columns: Numbers | None
    bound: float = math.nan
    is_proven: bool = False  # to the gap
    is_impossible: bool = False


@dataclass(frozen=True)
class Solver:
    """HiGHS until a moment of `time.perf_counter`."""

    until: float
    gap: float = 0.0
    log: bool = False

    def is_over(self) -> bool:
        return time.perf_counter() >= self.until

    def solve(
        self, program: Program, weights: Numbers, sites: int, chosen: Flags | None = None
    ) -> Found:
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
                return Found(None)
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
        return Found(found.x, bound, is_proven, found.status == _INFEASIBLE)

    def never(self, program: Program, weights: Numbers, most: float, sites: int) -> Flags:
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
        spare = most - found.fun + NEARLY * max(abs(most), 1)
        never: Flags = found.lower.marginals[:sites] > spare
        return never


def chosen_of(case: Case, columns: Numbers) -> Flags:
    """Which sites are chosen, of the columns of a solved program."""
    return columns[: len(case.sites)] > 0.5


def solution_of(
    case: Case,
    limits: Sequence[Limit],
    solver: Solver,
    weights: Numbers | None = None,
    longest: float = math.inf,
) -> Found:
    """The choice within some limits that makes the weights least (by default those of the goal),
    over ways at most so long."""
    pairs = case.way <= longest
    if weights is None:
        weights = weights_of(case, pairs, case.problem.goal)
    program = program_of(case, limits, pairs, most_to_reach(case))
    return solver.solve(program, weights, len(case.sites))


def most_to_reach(case: Case) -> float:
    """The need that all candidates together reach."""
    if case.problem.goal is not Goal.FEWEST or not case.has_flows:
        return float(case.need.sum())
    return most_served(case, case.need)(list(range(len(case.sites))))


def most_served(case: Case, demand: Numbers) -> Callable[[list[int]], float]:
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
