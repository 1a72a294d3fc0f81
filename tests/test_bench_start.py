"""The benches of the start and of reach: their tables, and that both sides are asked the same."""

from __future__ import annotations

import numpy as np

from geodata.reach import floating_catchment, stepped, straight_lines
from tests.bench.reach import METRES, made, theirs
from tests.bench.start import Start, table


def test_each_start_stands_beside_the_empty_page() -> None:
    told = table(
        [
            ("empty", [Start(0.5, None, 2.0), Start(0.7, None, 3.0), Start(0.6, None, 2.5)]),
            ("This week", [Start(0.5, 4.0, 5.0), Start(0.5, 6.0, 10.0)]),
        ]
    )
    _, _, empty, ours = told.splitlines()
    assert empty == "| empty | 0.6 | – | 2.5 | 1.00 |"
    assert ours == "| This week | 0.5 | 5.0 | 7.5 | 3.00 |"


def test_the_same_england_each_time_and_everything_is_shared_out() -> None:
    areas, services = made(0.1)
    again, _ = made(0.1)
    assert areas.equals(again)
    pairs = straight_lines(areas, services, METRES)
    supply = services.set_index("code")["supply"].astype("Float64")
    people = areas.set_index("code")["people"]
    access = floating_catchment(people, supply, pairs, METRES, stepped(METRES))
    # Every service with somebody within reach is shared out whole.
    reached = supply[supply.index.isin(pairs["to_code"])].sum()
    assert np.isclose((access * people).sum(), reached)


def test_the_peer_says_the_same() -> None:
    areas, services = made(0.1)
    pairs = straight_lines(areas, services, METRES)
    supply = services.set_index("code")["supply"].astype("Float64")
    ours = floating_catchment(
        areas.set_index("code")["people"], supply, pairs, METRES, stepped(METRES)
    ).dropna()
    found = theirs(areas, services, pairs).reindex(ours.index)
    np.testing.assert_allclose(found, ours.astype(float), rtol=1e-12)
