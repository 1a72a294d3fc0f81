"""Clusters: the statistic by hand and against esda, few false finds, and a planted block."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from esda.moran import Moran_Local
from hypothesis import given
from hypothesis import strategies as st
from libpysal.weights import W
from scipy.stats import false_discovery_control

from dashboard.rules import clusters
from dashboard.rules.clusters import FALSE_DISCOVERY_RATE, PERMUTATIONS, Cluster, judge_clusters


def both_ways(*pairs: str) -> pd.DataFrame:
    rows = [(a, b) for pair in pairs for a, b in (tuple(pair), tuple(pair[::-1]))]
    return pd.DataFrame(rows, columns=["ward_code", "neighbour_code"], dtype="str")


def board(side: int) -> tuple[list[str], pd.DataFrame]:
    """Wards as squares of a chess board, named by place, and all that share an edge or corner."""
    squares = list(itertools.product(range(side), repeat=2))
    rows = [
        (f"{a:02}{b:02}", f"{a + down:02}{b + right:02}")
        for a, b in squares
        for down, right in itertools.product((-1, 0, 1), repeat=2)
        if (down, right) != (0, 0) and (a + down, b + right) in squares
    ]
    pairs = pd.DataFrame(rows, columns=["ward_code", "neighbour_code"], dtype="str")
    return [f"{a:02}{b:02}" for a, b in squares], pairs


def noise(codes: list[str], seed: int) -> pd.Series:
    drawn = np.random.default_rng(seed).gamma(20, 1 / 20, len(codes))
    return pd.Series(drawn, codes, dtype="Float64")


def listed(found: pd.Series) -> list[Any]:
    return found.astype(object).where(found.notna(), None).tolist()


def test_by_hand() -> None:
    """A row of 0, 1, 2 and 5: mean 2, variance 3.5. The second has 0 and 2 beside it."""
    found = judge_clusters(
        pd.Series([0, 1, 2, 5], [*"abcd"], dtype="Float64"), both_ways("ab", "bc", "cd")
    )
    assert found["neighbours"].tolist() == [1, 2, 2, 1]
    assert found["neighbours_mean"].tolist() == [1, 1, 3, 2]
    # 3 / 4 of the value's distance from 2, times the neighbours' mean distance, over 3.5.
    expected = [-2 * -1 * 0.75 / 3.5, -1 * -1 * 0.75 / 3.5, 0, 0]
    assert found["moran"].tolist() == pytest.approx(expected)
    assert list(found) == ["neighbours", "neighbours_mean", "moran", "p", "cluster"]


def test_p_is_that_of_counting_all_draws() -> None:
    """The first of a row of 0 to 10 has one neighbour, 1: of the ten others one is as low."""
    codes = [*"abcdefghijk"]
    row = both_ways(*(f"{a}{b}" for a, b in itertools.pairwise(codes)))
    found = judge_clusters(pd.Series(range(11), codes, dtype="Float64"), row)
    assert found.loc["a", "p"] == pytest.approx(2 * 1 / 10, abs=0.015)
    # 4 and 6 beside 5: of 45 pairs 23 add up to 10 or less, 22 of them to less: more than half.
    assert found.loc["f", "p"] == 1
    # 9 beside 10: of 0 to 9 the highest.
    assert found.loc["k", "p"] == pytest.approx(2 * 1 / 10, abs=0.015)
    # 0 and 2 beside 1: of 45 pairs of the others only they add up to as little.
    assert found.loc["b", "p"] == pytest.approx(2 * 1 / 45, abs=0.01)


def oracle(values: pd.Series, pairs: pd.DataFrame) -> Moran_Local:
    around: dict[Any, list[Any]] = {code: [] for code in values.index}
    for ward, neighbour in pairs.itertuples(index=False):
        around[ward].append(neighbour)
    weights = W(around, id_order=list(values.index), silence_warnings=True)
    return Moran_Local(values.to_numpy(float), weights, permutations=PERMUTATIONS, seed=1)


# What it says of its next version, and the island without spread.
@pytest.mark.filterwarnings("ignore:The alternative hypothesis")
@pytest.mark.filterwarnings("ignore:invalid value encountered in divide")
def test_as_esda() -> None:
    codes, pairs = board(12)
    values = noise(codes, 3)
    values[[*codes[:5], *codes[12:17]]] -= 0.5
    # An island, which counts for the mean of all.
    pairs = pairs[(pairs != codes[-1]).all(axis=1)]
    found, theirs = judge_clusters(values, pairs), oracle(values, pairs)
    assert found["neighbours"].iloc[-1] == 0
    assert found["moran"].iloc[:-1].tolist() == pytest.approx(theirs.Is[:-1].tolist(), abs=1e-9)
    # Theirs has one side. Both are counted in draws: of 20,000, half a percent off at most.
    ours, doubled = found["p"].iloc[:-1].to_numpy(float), np.minimum(2 * theirs.p_sim[:-1], 1)
    assert np.abs(ours - doubled).max() < 0.03
    small = doubled < 0.01
    assert small.sum() >= 3
    assert np.abs(ours - doubled)[small].max() < 0.003


@pytest.mark.slow
def test_random_values_make_no_clusters() -> None:
    """Without control a ward in twenty would be found; with it, in a board in twenty any."""
    codes, pairs = board(10)
    boards = [
        judge_clusters(noise(codes, seed), pairs, permutations=2_999).astype({"p": "float64"})
        for seed in range(60)
    ]
    assert 0.03 < np.mean([(found["p"] <= 0.05).mean() for found in boards]) < 0.08
    finds = [int((found["cluster"] != Cluster.NONE).sum()) for found in boards]
    assert sum(number > 0 for number in finds) <= 6
    assert sum(finds) <= 12  # of 6,000


def test_a_planted_block_is_found_and_nothing_else() -> None:
    codes, pairs = board(16)
    values = noise(codes, 1) + 0.3
    low = [f"{a:02}{b:02}" for a in range(3, 7) for b in range(3, 7)]
    high = [f"{a:02}{b:02}" for a in range(10, 14) for b in range(10, 14)]
    values[low] -= 0.8
    values[high] += 0.8
    # One ward of each block is as the other block.
    odd_low, odd_high = "0404", "1111"
    values[odd_low], values[odd_high] = values[high].mean(), values[low].mean()
    found = judge_clusters(values, pairs)["cluster"]
    named = {kind: set(found.index[found == kind]) for kind in Cluster}
    inside = {f"{a:02}{b:02}" for a in (4, 5) for b in (4, 5)} - {odd_low}
    assert inside <= named[Cluster.LOW] <= {f"{a:02}{b:02}" for a in range(2, 8) for b in range(8)}
    assert odd_low in named[Cluster.HIGH_AMONG_LOW]
    assert odd_high in named[Cluster.LOW_AMONG_HIGH]
    assert "1212" in named[Cluster.HIGH]
    assert len(named[Cluster.LOW]) >= 8
    assert len(named[Cluster.HIGH]) >= 8
    assert len(named[Cluster.NONE]) > 200
    assert not named[Cluster.ISLAND] | named[Cluster.NOT_JUDGED]


def test_one_ward_alone_can_be_found_among_a_board() -> None:
    """What the number of permutations is for."""
    assert 2 / (PERMUTATIONS + 1) <= FALSE_DISCOVERY_RATE / 500
    assert FALSE_DISCOVERY_RATE / 255 < 2 / (9_999 + 1)


def test_islands_and_missing() -> None:
    values = pd.Series([1.0, 2.0, None, 4.0, 5.0], [*"abcde"], dtype="Float64")
    # e touches nothing, d only c, which has no value; z is of another board.
    found = judge_clusters(values, both_ways("ab", "bc", "cd", "az"))
    assert found["cluster"].tolist() == [
        Cluster.NONE, Cluster.NONE, Cluster.NOT_JUDGED, Cluster.ISLAND, Cluster.ISLAND,
    ]  # fmt: skip
    assert listed(found["neighbours"]) == [1, 1, None, 0, 0]
    assert listed(found["neighbours_mean"]) == [2, 1, None, None, None]
    for name in ("moran", "p"):
        assert listed(found[name].isna()) == [False, False, True, True, True]
    # The mean of all is of a, b, d and e, 3: both lie below it.
    assert found.loc["a", "moran"] == pytest.approx(0.75 * -2 * -1 / 2.5)


@pytest.mark.parametrize("value", [1.0, 0.1 + 0.2])
def test_one_value_everywhere_is_no_cluster(value: float) -> None:
    values = pd.Series([value, 0.3 if value < 1 else 1.0, value], [*"abc"], dtype="Float64")
    found = judge_clusters(values, both_ways("ab", "bc"))
    assert set(found["cluster"]) == {Cluster.NONE}
    assert found[["moran", "p"]].isna().all(axis=None)
    assert found["neighbours"].tolist() == [1, 2, 1]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_few_wards(number: int) -> None:
    codes = [*"ab"][:number]
    found = judge_clusters(pd.Series([1.0, 2.0][:number], codes, dtype="Float64"), both_ways("ab"))
    expected = [[], [Cluster.ISLAND], [Cluster.NONE] * 2][number]
    assert found["cluster"].tolist() == expected
    assert [str(kind) for kind in found.dtypes] == ["Int64", "Float64", "Float64", "Float64", "str"]
    assert listed(found["p"]) == [[], [None], [1, 1]][number]


def test_all_missing() -> None:
    found = judge_clusters(pd.Series([None, None], [*"ab"], dtype="Float64"), both_ways("ab"))
    assert found["cluster"].tolist() == [Cluster.NOT_JUDGED] * 2


@given(st.randoms(use_true_random=False), st.integers(0, 2**32))
def test_the_order_of_wards_and_pairs_changes_nothing(order: Any, seed: int) -> None:
    codes, pairs = board(5)
    values = noise(codes, seed)
    values.iloc[[3, 7]] = pd.NA
    shuffled = order.sample(codes, len(codes))
    mixed = pairs.iloc[order.sample(range(len(pairs)), len(pairs))]
    found = judge_clusters(values[shuffled], mixed, permutations=199)
    pd.testing.assert_frame_equal(
        found, judge_clusters(values, pairs, permutations=199).loc[shuffled], check_exact=True
    )


def test_another_seed_is_another_draw() -> None:
    codes, pairs = board(6)
    one, other = (judge_clusters(noise(codes, 1), pairs, seed=seed)["p"] for seed in (1, 2))
    assert 0 < (one - other).abs().max() < 0.03


def test_equal_sums_are_equal() -> None:
    """Ten wards of 0.1 and ten of 0.7: any neighbours' sum comes up in draws, to the last digit
    or not. p counts those as far out on both sides, so it can't be small by rounding."""
    codes = [f"{n:02}" for n in range(20)]
    values = pd.Series([0.1, 0.7] * 10, codes, dtype="Float64")
    ring = pd.DataFrame(
        [(codes[n], codes[(n + step) % 20]) for n in range(20) for step in (-2, -1, 1, 2)],
        columns=["ward_code", "neighbour_code"],
    )
    # Two of each kind beside each: that and less, or that and more, is more than half of draws.
    assert judge_clusters(values, ring)["p"].tolist() == [1] * 20


@pytest.mark.parametrize("sign", [1, -1])
def test_more_than_chance_and_less_than_the_mean_is_no_cluster(sign: int) -> None:
    """One ward of 1,000 puts the mean of 200 at 6, and all others below it. The second's 1.5 is
    more than the first's neighbours have by chance, and less than the mean: neither low nor high.
    """
    codes = [f"{n:03}" for n in range(200)]
    values = pd.Series([1, 1.5, 1000, *[1] * 197], codes, dtype="Float64") * sign
    pair = pd.DataFrame({"ward_code": codes[:2], "neighbour_code": codes[1::-1]})
    found = judge_clusters(values, pair)
    assert found.loc["000", "p"] == pytest.approx(2 * 2 / 199, abs=0.004)
    assert clusters._discoveries(found["p"].to_numpy(float, na_value=np.nan)).tolist()[:2] == [
        True,
        False,
    ]
    assert found["cluster"].tolist()[:2] == [Cluster.NONE] * 2


def test_a_pair_told_twice_counts_once() -> None:
    values = pd.Series([1.0, 2.0, 4.0], [*"abc"], dtype="Float64")
    told_twice = both_ways("ab", "bc", "ab", "aa")
    pd.testing.assert_frame_equal(
        judge_clusters(values, told_twice), judge_clusters(values, both_ways("bc", "ab"))
    )


@given(st.lists(st.floats(1e-4, 1), min_size=1, max_size=60), st.integers(0, 3))
def test_the_discoveries_are_those_of_scipy(p: list[float], missing: int) -> None:
    told = np.array([*p, *[np.nan] * missing])
    adjusted = false_discovery_control(p)
    found = clusters._discoveries(told)
    clear = np.abs(adjusted - FALSE_DISCOVERY_RATE) > 1e-12
    assert (found[: len(p)] == (adjusted <= FALSE_DISCOVERY_RATE))[clear].all()
    assert not found[len(p) :].any()


@pytest.mark.parametrize(("third", "found"), [(0.0375, 3), (0.0376, 0)])
def test_the_largest_that_passes_takes_the_smaller_with_it(third: float, found: int) -> None:
    """Of four the lines are 0.0125, 0.025, 0.0375 and 0.05: 0.03 passes only behind the third."""
    assert clusters._discoveries(np.array([0.9, third, 0.03, 0.013])).sum() == found
