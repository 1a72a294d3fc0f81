"""Site selection: which candidates to fund next, proven best by integer programming (HiGHS)."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geodata.site_problem import (
    NEARLY,
    Case,
    Flags,
    Goal,
    Numbers,
    Places,
    SiteProblem,
    case_of,
    refuse_unusable,
)
from geodata.site_program import (
    Limit,
    Solver,
    chosen_of,
    limits_of,
    most_served,
    most_to_reach,
    program_of,
    solution_of,
    weights_of,
)
from geodata.site_reasons import plainly_infeasible, why_infeasible, why_without_sites

# The cheapest of choices as good is looked for as long as the first took, or so much of the limit.
_TIES_SHARE = 0.05


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
    refuse_unusable(problem)
    case = case_of(problem)
    solver = Solver(started + time_limit_seconds, gap, log)
    words = plainly_infeasible(problem, case)
    best = _Best()
    if not words:
        best = _best(case, solver)
        if best.is_impossible:
            words = why_infeasible(case, replace(solver, gap=0.0))
        elif best.chosen is None:
            words = f"no plan was found in {time_limit_seconds:g} seconds"
        else:
            now = time.perf_counter()
            more = max(now - started, _TIES_SHARE * time_limit_seconds)
            ties = replace(solver, until=min(solver.until, now + more))
            best = _cheapest(case, ties, best, best.chosen)
            words = why_without_sites(case, replace(solver, gap=0.0), best.chosen)
    elif not problem.must_have and _may_be_none(case):
        best = _Best(np.zeros(len(case.sites), bool), 0.0)
    return _plan(case, best, words, started)


@dataclass(frozen=True)
class _Best:
    chosen: Flags | None = None
    bound: float = math.nan
    longest: float = math.inf  # the longest way that is used
    is_impossible: bool = False  # proven: no choice keeps to the limits


def _may_be_none(case: Case) -> bool:
    """Whether no site at all is a plan."""
    is_any_number = case.problem.sites_wanted is None
    return case.problem.goal is Goal.REACH or (is_any_number and most_to_reach(case) == 0)


def _best(case: Case, solver: Solver) -> _Best:
    if len(case.sites) == 0:
        return _Best(np.zeros(0, bool), 0.0)
    limits = limits_of(case.problem)
    if case.problem.goal is Goal.REACH and not case.has_flows:
        return _most_reached(case, limits, solver)
    found = solution_of(case, limits, solver)
    if found.columns is None:
        return _Best(is_impossible=found.is_impossible)
    if case.problem.goal is Goal.FURTHEST:
        return _shortest_longest_way(case, limits, solver, chosen_of(case, found.columns))
    bound = -found.bound if case.problem.goal is Goal.REACH else found.bound
    return _Best(chosen_of(case, found.columns), bound)


def _most_reached(case: Case, limits: Sequence[Limit], solver: Solver) -> _Best:
    """Maximal covering: a good choice first, then only what is as good is searched for.

    With 500 sites that reach 400 of 6,800 areas each that takes 19 s, without the first choice 50 s.
    """
    start = _swapped(case)
    value = -math.inf if start is None else _evaluated(case, start).objective
    pairs = np.ones(len(case.way), bool)
    weights = weights_of(case, pairs, Goal.REACH)
    program = program_of(case, limits, pairs)
    everything = np.arange(len(weights))
    program.add(1, -np.inf, -value * (1 - NEARLY), (0, everything, weights))
    found = solver.solve(program, weights, len(case.sites))
    if found.columns is None and start is None:
        return _Best(is_impossible=found.is_impossible)
    best = start if found.columns is None else chosen_of(case, found.columns)
    return _Best(best, -found.bound)


def _swapped(case: Case) -> Flags | None:
    """A choice within the limits that no swap of one site betters (Teitz and Bart 1968), from the
    greedy one; `None` where that finds none. Nothing is proven of it."""
    from scipy.sparse import csr_array

    problem, m = case.problem, len(case.sites)
    wanted = problem.sites_wanted
    money = np.zeros(m) if problem.budget is None else case.money
    budget = math.inf if problem.budget is None else problem.budget + NEARLY
    shape = (m, len(case.need))
    reaches = csr_array((np.ones(len(case.unit)), (case.site, case.unit)), shape=shape)
    need, spare = case.need, case.need * (case.is_priority - problem.least_priority_share)

    def after(times: Numbers, cost: float) -> tuple[Numbers, Flags]:
        """The need reached with each one site more, and whether that is within the limits."""
        is_new = times == 0
        keeps = spare[~is_new].sum() + reaches @ (spare * is_new) >= -NEARLY
        reached = need[~is_new].sum() + reaches @ (need * is_new)
        return reached, keeps & (cost + money <= budget)

    chosen = case.is_must.copy()
    while wanted is None or chosen.sum() < wanted:
        reached, _ = after(chosen @ reaches, 0)
        gain = reached - need[chosen @ reaches > 0].sum()
        fits = ~chosen & (money[chosen].sum() + money <= budget)
        if not fits.any() or gain[fits].max() <= NEARLY:
            break
        worth = gain if problem.budget is None else gain / np.maximum(money, NEARLY)
        chosen[np.argmax(np.where(fits, worth, -1))] = True
    times = chosen @ reaches
    best = need[times > 0].sum() if spare[times > 0].sum() >= -NEARLY else -1.0
    while True:
        swap: list[int] = []
        for out in np.flatnonzero(chosen & ~case.is_must):
            rest = times - reaches[[out]].toarray()[0]
            reached, is_kept = after(rest, money[chosen].sum() - money[out])
            reached = np.where(is_kept & ~chosen, reached, -1)
            if reached.max() > best + NEARLY:
                swap, best = [int(out), int(reached.argmax())], reached.max()
        if not swap:
            return chosen if best >= 0 else None
        chosen[swap] = False, True
        times = chosen @ reaches


def _shortest_longest_way(
    case: Case, limits: Sequence[Limit], solver: Solver, chosen: Flags
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
        found = solution_of(case, limits, solver, longest=lengths[middle])
        if found.is_impossible:
            low = middle + 1
        elif found.columns is None:
            break
        else:
            chosen = chosen_of(case, found.columns)
            longest = _evaluated(case, chosen, lengths[middle]).objective
    return _Best(chosen, float(lengths[low]) if len(lengths) else 0.0, longest)


def _cheapest(case: Case, solver: Solver, best: _Best, chosen: Flags) -> _Best:
    """Of the choices as good for the goal the cheapest, then of fewest sites, then by code: two
    more programs, in which what came before is held. If time runs out, what came before stands."""
    goal, m = case.problem.goal, len(case.sites)
    if m == 0 or solver.is_over():
        return best
    pairs, x = case.way <= best.longest, np.arange(m)
    limits, everybody = limits_of(case.problem), most_to_reach(case)
    program, weights = program_of(case, limits, pairs, everybody), weights_of(case, pairs, goal)
    if goal is not Goal.FURTHEST:  # of that no longer way is among the pairs
        # Nothing is added: HiGHS 1.12 has left out the best where there is room for a millionth of x.
        most = _evaluated(case, chosen).objective * (-1 if goal is Goal.REACH else 1)
        # Without the sites that are in no such choice it takes a third to half of the time.
        never = solver.never(program, weights, most, m) & ~chosen
        pairs &= ~never[case.site]
        program, weights = program_of(case, limits, pairs, everybody), weights_of(case, pairs, goal)
        program.add(1, -np.inf, most, (0, np.arange(len(weights)), weights))
        program.add(1, 0, 0, (0, x, never))
    for least in (np.nan_to_num(case.money), m * m + x.astype(float)):
        columns = np.concatenate([least, np.zeros(len(weights) - m)])
        found = solver.solve(program, columns, m)
        if found.columns is None or not found.is_proven:
            break
        other = chosen_of(case, found.columns)
        if least[other].sum() < least[chosen].sum() - NEARLY:
            chosen = other
        program.add(1, -np.inf, least[chosen].sum(), (0, x, least))
    return replace(best, chosen=chosen)


@dataclass(frozen=True)
class _Outcome:
    served: Numbers  # people reached, by unit
    objective: float
    flows: pd.DataFrame  # unit, site, share of the unit's people; those reached. Only with flows


def _evaluated(case: Case, chosen: Flags, longest: float = math.inf) -> _Outcome:
    """What the chosen sites do, worked out anew with x at exactly 0 and 1."""
    goal, units = case.problem.goal, len(case.need)
    pairs = chosen[case.site] & (case.way <= longest)
    unit, site, way = case.unit[pairs], case.site[pairs], case.way[pairs]
    is_within = case.is_within[pairs]
    sent = np.zeros(0, int)
    flows = np.zeros(0)
    if case.has_flows and units:
        limits = [limit for limit in limits_of(case.problem) if limit is Limit.SHARE]
        program = program_of(case, limits, pairs)
        weights = weights_of(case, pairs, Goal.NEAREST if case.must_send_all else Goal.REACH)
        columns = Solver(math.inf).solve(program, weights, len(case.sites), chosen).columns
        if columns is None:
            raise RuntimeError("the flows of a plan were not found")
        flows = columns[len(case.sites) + units :]
        goes = flows > NEARLY
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


def _in_order(case: Case, chosen: Flags, served: Numbers) -> Iterator[tuple[int, float]]:
    """The chosen sites and their gains, each next adding most; ties by code.

    What one more site adds falls as others are there (people served are submodular), so a gain
    that still leads when worked out anew is the most.
    """
    value = most_served(case, served)
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
        yield site, gain if gain > NEARLY else 0.0
        taken, so_far = [*taken, site], total


def _plan(case: Case, best: _Best, words: str, started: float) -> SitePlan:
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
    gap = abs(bound - objective) / max(abs(objective), NEARLY)
    is_optimal = gap <= NEARLY
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


def _needed(case: Case, sites: list[int], served: Numbers) -> list[int]:
    """The sites without those, last first, whose people the others can take."""
    value = most_served(case, served)
    for site in sites[::-1]:
        others = [other for other in sites if other != site]
        if not case.is_must[site] and value(others) >= served.sum() - NEARLY:
            sites = others
    return sites


def _served(case: Case, places: Places, outcome: _Outcome) -> pd.DataFrame:
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
