"""Choosing 25 of 500 sites for England beside PySAL, in one run:
`python -m tests.bench.site_selection`.

A made England: 6,800 areas clustered like towns and 500 candidates. Ours and `spopt`'s MCLP get the
same instance and the same solver (HiGHS: ours through scipy, theirs through PuLP), each in a process
of its own; ours is also asked with a budget, a priority share, limited room, and the other goals.
Seconds to build (from ways and needs to a program), seconds to solve, the need reached, the proven
gap, and the most memory. Times depend on the machine, so nothing here is asserted; ratios are what
counts. Needs `spopt`, `pulp` and `highspy`; without them ours is measured alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from geodata.reach import straight_lines
from geodata.site_selection import Goal, SiteProblem, select_sites

AREAS, CANDIDATES, TOWNS, WANTED = 6_800, 500, 250, 25
WEST, SOUTH, EAST, NORTH = 100_000, 50_000, 650_000, 650_000
METRES = (10_000, 20_000, 35_000, 60_000)
SECONDS = 120.0
NO_GAP, SMALL_GAP = 0.0, 1e-3


def made_england(reach: float, seed: int = 1, areas: int = AREAS) -> SiteProblem:
    """Towns of very different sizes, a fifth of the areas scattered between them; deprivation by
    town and towards its middle, and more need where there is more."""
    random = np.random.default_rng(seed)
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
    sites = where[random.choice(areas, CANDIDATES, replace=False)]
    sites = sites + random.normal(0, 300, sites.shape)
    here, there = _places("E", where), _places("S", sites)
    return SiteProblem(
        need=pd.Series(need, here["code"]),
        reached=frozenset(),
        priority=frozenset(here.loc[is_deprived, "code"]),
        sites=pd.DataFrame(
            {
                "code": there["code"],
                "cost": random.integers(30, 90, CANDIDATES) * 1_000.0,
                "capacity": np.nan,
            }
        ),
        costs=straight_lines(here, there, reach),
        reach=reach,
        sites_wanted=WANTED,
    )


def _places(prefix: str, where: np.ndarray) -> pd.DataFrame:
    codes = [f"{prefix}{n:05}" for n in range(len(where))]
    return pd.DataFrame({"code": codes, "easting": where[:, 0], "northing": where[:, 1]})
