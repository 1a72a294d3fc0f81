"""Why a problem of site selection has no plan, in words for the screen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from geodata.site_problem import NEARLY, Case, Flags, Goal, Numbers, SiteProblem
from geodata.site_program import Limit, Solver, chosen_of, limits_of, solution_of, weights_of

_MOST_ROUNDS = 20  # of Dinkelbach's method: it settles in about five


def plainly_infeasible(problem: SiteProblem, case: Case) -> str:
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
    most = budget + NEARLY
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


def why_infeasible(case: Case, solver: Solver) -> str:
    """In words, every limit that is alone in the way: without it there is a plan."""
    limits = limits_of(case.problem)
    told = []
    for limit in limits:
        others = [other for other in limits if other is not limit]
        if words := _in_the_way(case, limit, others, solver):
            told.append(words)
    if told:
        return "; ".join(told)
    if solver.is_over():
        return "no plan fits, and time ran out before it was clear why"
    if solution_of(case, [], solver).is_impossible:
        return "the candidates cannot take everybody, even if all are chosen"
    return "no limit is alone in the way: loosen two or more"


def why_without_sites(case: Case, solver: Solver, chosen: Flags | None) -> str:
    """That the share rules out every site; "" where there are sites, or nothing to reach."""
    limits = limits_of(case.problem)
    has_sites = chosen is None or chosen.any()
    if has_sites or len(case.need) == 0 or Limit.SHARE not in limits:
        return ""
    others = [limit for limit in limits if limit is not Limit.SHARE]
    return _in_the_way(case, Limit.SHARE, others, solver)


def _in_the_way(case: Case, limit: Limit, others: Sequence[Limit], solver: Solver) -> str:
    """What holds of the limit when only the others are kept; "" where there is no plan even so."""
    problem, m = case.problem, len(case.sites)
    columns = len(weights_of(case, case.way < np.inf, problem.goal))

    def least(weights: Numbers) -> Numbers | None:
        padded = np.concatenate([weights, np.zeros(columns - len(weights))])
        found = solution_of(case, others, solver, padded)
        return found.columns if found.is_proven else None

    match limit:
        case Limit.NUMBER:
            if (found := least(np.ones(m))) is None:
                return ""
            wanted, fewest = f"{_sites(problem.sites_wanted or 0)} wanted", chosen_of(case, found)
            if fewest.sum() > (problem.sites_wanted or 0):
                return f"{wanted}, at least {fewest.sum()} needed"
            if (found := least(-np.ones(m))) is None:
                return ""
            most = chosen_of(case, found).sum()
            if most < (problem.sites_wanted or 0):
                return f"{wanted}, at most {most} fit the other limits"
            return f"{wanted}, only fewer or more fit the other limits"
        case Limit.BUDGET:
            if (found := least(case.money)) is None:
                return ""
            cost = case.money[chosen_of(case, found)].sum()
            return f"it costs at least {_money(cost)}, the budget is {_money(problem.budget or 0)}"
        case Limit.SHARE:
            share = -1.0
            for _ in range(_MOST_ROUNDS):  # Dinkelbach (1967): the largest share there can be
                worth = case.need * (case.is_priority - share)
                if (found := least(np.concatenate([np.zeros(m), -worth]))) is None:
                    return ""
                served = case.need * found[m : m + len(case.need)]
                before, reached = share, served.sum()
                if reached > NEARLY:
                    share = max(share, served[case.is_priority].sum() / reached)
                if share <= before + NEARLY:
                    break
            if share < 0:
                return ""  # nobody can be reached
            # Rounded down: it must not look like what was asked.
            most = f"at most {math.floor(1000 * share + NEARLY) / 10:g}%"
            asked = f"at least {100 * problem.least_priority_share:g}%"
            return f"{most} of the need newly reached can be in priority areas, {asked} wanted"
        case Limit.MUST_HAVE:
            is_possible = least(np.zeros(m)) is not None
            return "the sites that must be chosen rule out every plan" if is_possible else ""


def _sites(count: int) -> str:
    return "1 site" if count == 1 else f"{count:,} sites"


def _candidates(count: int) -> str:
    return "there is 1 candidate" if count == 1 else f"there are {count:,} candidates"


def _money(amount: float) -> str:
    return f"£{amount:,.0f}" if amount == round(amount) else f"£{amount:,.2f}"
