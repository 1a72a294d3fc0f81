"""Choosing 25 of 500 sites for England beside PySAL, in one run:
`python -m tests.bench.site_selection`.

A made England: 6,800 areas clustered like towns and 500 candidates. Ours and `spopt`'s MCLP get the
same instance and the same solver (HiGHS: ours through scipy, theirs through PuLP), each in a process
of its own; ours is also asked with a budget, a priority share, limited room, and the other goals
(those that send everybody to a site, of one board). Seconds to build (from ways and needs to a
program), seconds to solve, the need reached, the proven gap, and the most memory: each is stopped
after a minute, or at a gap of a thousandth. Ours also looks for the cheapest of choices as good, theirs
does not: that about doubles the time to solve. Times depend on the machine, so nothing here is asserted;
ratios are what counts. Needs `spopt` 0.7.0, `pulp` and `highspy`; without them ours is measured alone.
"""

from __future__ import annotations

import itertools
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from geodata.reach import straight_lines
from geodata.site_problem import Goal, SiteProblem
from geodata.site_selection import select_sites

AREAS, CANDIDATES, TOWNS, WANTED = 6_800, 500, 250, 25
WEST, SOUTH, EAST, NORTH = 100_000, 50_000, 650_000, 650_000
METRES = (10_000, 20_000, 35_000, 60_000)
SECONDS, GAP = 60.0, 1e-3
KINDS: dict[str, dict[str, Any]] = {
    "a budget": {"sites_wanted": None, "budget": 1_200_000.0},
    "a priority share of 35%": {"least_priority_share": 0.35},
    "budget and share": {
        "sites_wanted": None, "budget": 1_200_000.0, "least_priority_share": 0.35,
    },
    "limited room": {},
    "fewest": {"goal": Goal.FEWEST, "sites_wanted": None},
}  # fmt: skip
# Of one board: everybody is sent to a site, so all its ways count.
BOARD_KINDS = {"nearest": {"goal": Goal.NEAREST}, "furthest": {"goal": Goal.FURTHEST}}
BOARD_AREAS, BOARD_SITES = 255, 10


def main() -> None:
    if sys.argv[1:]:
        print(json.dumps(measured(*sys.argv[1:])))
        return
    print(f"{'':44}{'build s':>9}{'solve s':>9}{'reached':>10}{'gap %':>8}{'MB':>7}")
    for metres in METRES:
        name = f"reach {metres // 1_000} km"
        ours = told(f"{name}, ours", "ours", metres, "plain")
        theirs = told(f"{name}, spopt", "spopt", metres, "plain")
        if ours and theirs:
            whole = [found["build"] + found["solve"] for found in (theirs, ours)]
            print(
                f"{name}: spopt / ours {whole[0] / whole[1]:.1f} in time, "
                f"{theirs['megabytes'] / ours['megabytes']:.1f} in memory",
                flush=True,
            )
    for metres, kind in itertools.product((20_000, 35_000), KINDS):
        told(f"reach {metres // 1_000} km, ours, {kind}", "ours", metres, kind)
    for kind in BOARD_KINDS:
        told(f"one board of {BOARD_AREAS} wards, ours, {kind}", "ours", 20_000, kind)


def told(words: str, whose: str, metres: int, kind: str) -> dict[str, float] | None:
    """What a process of its own measured, printed as a line; `None` where it ended badly."""
    command = [sys.executable, "-m", "tests.bench.site_selection", whose, str(metres), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{words:44}{done.stderr.strip().splitlines()[-1]}", flush=True)
        return None
    # HiGHS prints now and then even when told not to.
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    print(
        f"{words:44}{found['build']:>9.2f}{found['solve']:>9.2f}{found['reached']:>10,.0f}"
        f"{100 * found['gap']:>8.3f}{found['megabytes']:>7.0f}",
        flush=True,
    )
    return found


def measured(whose: str, metres: str, kind: str) -> dict[str, float]:
    """Seconds, need reached, proven gap and the most memory of one way to solve an instance."""
    if kind in BOARD_KINDS:
        problem = made_england(float(metres), BOARD_AREAS, BOARD_AREAS, furthest=NORTH * 2)
        problem = replace(problem, sites_wanted=BOARD_SITES)
    else:
        problem = made_england(float(metres))
    found = by_spopt(problem) if whose == "spopt" else by_ours(problem, kind)
    return found | {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024}


def by_ours(problem: SiteProblem, kind: str) -> dict[str, float]:
    """Building is everything but the solver: it is also measured, by a run without time."""
    problem = replace(problem, **(KINDS | BOARD_KINDS).get(kind, {}))
    if kind == "limited room":
        random = np.random.default_rng(3)
        room = random.integers(1_500, 6_000, CANDIDATES).astype(float)
        problem = replace(problem, sites=problem.sites.assign(capacity=room))
    plan = select_sites(problem, time_limit_seconds=SECONDS, gap=GAP)
    build = select_sites(problem, time_limit_seconds=0).seconds
    return {
        "build": build,
        "solve": plan.seconds - build,
        "reached": plan.reached_need,
        "gap": plan.gap,
    }


def by_spopt(problem: SiteProblem) -> dict[str, float]:
    """Theirs takes the whole matrix; its gap is what HiGHS says."""
    import pulp
    from spopt.locate import MCLP

    sites = pd.Index(problem.sites["code"])
    matrix = np.full((len(problem.need), len(sites)), np.inf)
    area = problem.need.index.get_indexer(pd.Index(problem.costs["from_code"]))
    matrix[area, sites.get_indexer(pd.Index(problem.costs["to_code"]))] = problem.costs["cost"]
    started = time.perf_counter()
    model = MCLP.from_cost_matrix(matrix, problem.need.to_numpy(), problem.reach, WANTED)
    built = time.perf_counter()
    model.solve(pulp.HiGHS(msg=False, timeLimit=SECONDS, gapRel=GAP), results=False)
    solved = time.perf_counter()
    return {
        "build": built - started,
        "solve": solved - built,
        "reached": float(model.problem.objective.value()),
        "gap": float(model.problem.solverModel.getInfo().mip_gap),
    }


def made_england(
    reach: float, areas: int = AREAS, candidates: int = CANDIDATES, furthest: float | None = None
) -> SiteProblem:
    """Towns of very different sizes, a fifth of the areas scattered between them; deprivation by
    town and towards its middle, and more need where there is more."""
    random = np.random.default_rng(1)
    towns = random.uniform((WEST, SOUTH), (EAST, NORTH), (TOWNS, 2))
    size = random.pareto(1.1, TOWNS) + 1
    town = random.choice(TOWNS, areas, p=size / size.sum())
    off = random.normal(0, 1, (areas, 2))
    where = towns[town] + off * 2_000 * np.sqrt(size[town])[:, None]
    scattered = random.random(areas) < 0.2
    where[scattered] = random.uniform((WEST, SOUTH), (EAST, NORTH), (scattered.sum(), 2))
    deprivation = random.normal(0, 1, TOWNS)[town] - np.hypot(*off.T) / 2
    deprivation = np.where(scattered, -1.0, deprivation) + random.normal(0, 0.7, areas)
    is_deprived = deprivation >= np.quantile(deprivation, 0.8)
    need = (random.gamma(2, 30, areas) * np.where(is_deprived, 1.5, 1)).round()
    sites = where[random.choice(areas, candidates, replace=False)]
    sites = sites + random.normal(0, 300, sites.shape)
    here, there = _places("E", where), _places("S", sites)
    return SiteProblem(
        need=pd.Series(need, here["code"]),
        reached=frozenset(),
        priority=frozenset(here.loc[is_deprived, "code"]),
        sites=pd.DataFrame(
            {
                "code": there["code"],
                "cost": random.integers(30, 90, candidates) * 1_000.0,
                "capacity": np.nan,
            }
        ),
        costs=straight_lines(here, there, furthest or reach),
        reach=reach,
        sites_wanted=WANTED,
    )


def _places(prefix: str, where: np.ndarray) -> pd.DataFrame:
    codes = [f"{prefix}{n:05}" for n in range(len(where))]
    return pd.DataFrame({"code": codes, "easting": where[:, 0], "northing": where[:, 1]})


if __name__ == "__main__":
    main()
