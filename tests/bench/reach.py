"""Places within reach of each ward of England, beside PySAL: `python -m tests.bench reach`.

A made England: areas clustered like towns, and services about them. Ours and PySAL's `access` get the
same people, places and pairs, and the same weights (E2SFCA in thirds of the reach); the pairs come from
`geodata.reach.straight_lines`, which is timed by itself, as `access` has none of that size. Both answers
are compared. At 1/10, 1 and 3 times the size: areas and services alike, so pairs grow with the square;
the exponent is of seconds over pairs. Times depend on the machine, so nothing here is asserted. Needs
`access`; without it ours is measured alone.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from geodata.reach import floating_catchment, stepped, straight_lines
from tests.bench.sessions import machine, markdown

AREAS, SERVICES, TOWNS = 6_800, 20_000, 250
WEST, SOUTH, EAST, NORTH = 100_000, 50_000, 650_000, 650_000
METRES = 5_000
SIZES = (0.1, 1.0, 3.0)
ROUNDS = 5


def made(size: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Areas with people and services with places: code, easting and northing (EPSG:27700)."""
    random = np.random.default_rng(1)
    towns = random.uniform((WEST, SOUTH), (EAST, NORTH), (TOWNS, 2))

    def about(count: int, letter: str, metres: float) -> pd.DataFrame:
        place = towns[random.integers(0, TOWNS, count)] + random.normal(0, metres, (count, 2))
        codes = [f"{letter}{number:06d}" for number in range(count)]
        return pd.DataFrame({"code": codes, "easting": place[:, 0], "northing": place[:, 1]})

    areas = about(round(AREAS * size), "A", 15_000)
    services = about(round(SERVICES * size), "S", 12_000)
    return (
        areas.assign(people=random.integers(4_000, 16_000, len(areas))),
        services.assign(supply=random.integers(5, 80, len(services))),
    )


def seconds(task: Callable[[], Any]) -> tuple[float, Any]:
    """The median of some rounds, and what came of it."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = task()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), answer


def theirs(areas: pd.DataFrame, services: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series[float]:
    """The same by PySAL's own function, with its own weights."""
    from access import fca, weights

    thirds = {METRES * third / 3: weight for third, weight in ((1, 1.0), (2, 0.68), (3, 0.22))}
    found: pd.Series[float] = fca.two_stage_fca(
        areas, services.set_index("code"), pairs, METRES,
        demand_index="code", demand_name="people", supply_name="supply",
        cost_origin="from_code", cost_dest="to_code", weight_fn=weights.step_fn(thirds),
    )  # fmt: skip
    return found


def main(_arguments: Sequence[str] = ()) -> None:
    try:
        import access  # noqa: F401

        has_peer = True
    except ImportError:
        has_peer = False
    print(machine(), flush=True)
    lines, growth = [], []
    for size in SIZES:
        areas, services = made(size)
        lines_took, pairs = seconds(lambda: straight_lines(areas, services, METRES))  # noqa: B023
        people = areas.set_index("code")["people"]
        supply = services.set_index("code")["supply"].astype("Float64")
        ours_took, ours = seconds(
            lambda: floating_catchment(people, supply, pairs, METRES, stepped(METRES))  # noqa: B023
        )
        growth.append((len(pairs), lines_took, ours_took))
        told = [f"{size:g}", f"{len(areas):,}", f"{len(services):,}", f"{len(pairs):,}"]
        told += [f"{lines_took:.2f}", f"{ours_took:.3f}"]
        if has_peer:
            theirs_took, found = seconds(lambda: theirs(areas, services, pairs))  # noqa: B023
            both = found.reindex(ours.dropna().index)
            apart = float((both / ours.dropna().astype(float) - 1).abs().max())
            told += [f"{theirs_took:.2f}", f"{theirs_took / ours_took:.0f}", f"{apart:.0e}"]
        lines.append(told)
    heads = ["size", "areas", "services", "pairs", "pairs made, s", "reach, s"]
    print(markdown(heads + (["access, s", "ratio", "apart by"] if has_peer else []), lines))
    (few, one, other), (many, more, longer) = growth[0], growth[-1]
    grown = math.log(many / few)
    print(
        f"\nseconds grow with pairs to the power of {math.log(more / one) / grown:.2f} (pairs) and "
        f"{math.log(longer / other) / grown:.2f} (reach)"
    )
    if not has_peer:
        print("`access` is not installed: ours alone")


if __name__ == "__main__":
    main(sys.argv[1:])
