"""Where low wards lie among low ones: local Moran's I, by permutation, with few false finds.

Source: Anselin 1995 (Geographical Analysis 27:93-115), conditional permutation; Caldas de Castro
and Singer 2006 (Geographical Analysis 38:180-208) for the false discovery rate over all wards.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

# Of all wards found, at most this share by chance. Source: Benjamini and Hochberg 1995 (Journal of
# the Royal Statistical Society B 57:289-300).
FALSE_DISCOVERY_RATE = 0.05
# The least p of two sides is 2 / (permutations + 1), and one ward alone is found among n only at
# 0.05 / n or less. So 999 would find fewer than 11 wards of 255 never, and 9,999 one alone never;
# these find one alone among up to 500.
PERMUTATIONS = 19_999
SEED = 1995
# Sums of the same values in another order differ in their last digits: they are equal.
TIE = 1e-9


class Cluster(StrEnum):
    """A ward among its neighbours, both against the mean of all wards."""

    LOW = "low cluster"
    HIGH = "high cluster"
    LOW_AMONG_HIGH = "low among high"
    HIGH_AMONG_LOW = "high among low"
    NONE = "none"
    ISLAND = "island"
    NOT_JUDGED = "not judged"


def judge_clusters(
    values: pd.Series[float],
    pairs: pd.DataFrame,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = SEED,
) -> pd.DataFrame:
    """One row per ward, indexed as `values` (by ward code): neighbours, neighbours_mean, moran, p,
    cluster.

    `pairs` has ward_code and neighbour_code, each pair both ways. Neighbours without a value don't
    count; those that do weigh the same and add up to 1 (`neighbours` of them). `moran` is positive
    among the like. `p` is two-sided: how often as many wards drawn from all others would have a
    mean as far out. A `cluster` is named where p passes the false discovery rate and the
    neighbours' mean lies on the side of the mean of all that p speaks of.

    Without a neighbour with a value a ward is an "island", without a value "not judged", with the
    rest missing. Where all wards have one value, nothing stands out: "none", without moran and p.
    The same values give the same answer in whatever order they come.
    """
    known = values.dropna().astype("float64").sort_index()
    number = len(known)
    ward, neighbour = _sorted_pairs(known.index, pairs)
    counts = np.bincount(ward, minlength=number)
    has_neighbours = counts > 0
    divisor = np.where(has_neighbours, counts, np.nan)
    raw = known.to_numpy()
    differs = number > 0 and not np.allclose(raw, raw[0], rtol=TIE, atol=0)
    score = (raw - raw.mean()) / raw.std() if differs else np.full(number, np.nan)
    sums = np.asarray(np.bincount(ward, score[neighbour], number), dtype=np.float64)
    if differs:
        above, below = _as_far_out(score, sums, counts, permutations, seed)
    else:
        above = below = np.zeros(number, dtype=np.int64)
    least = np.minimum(above, below)
    p = np.minimum(2 * (least + 1) / (permutations + 1), 1)
    p = np.where(has_neighbours & differs, p, np.nan)
    is_found = _discoveries(p)
    among_low = is_found & (below < above) & (sums < 0)
    among_high = is_found & (above < below) & (sums > 0)
    words = np.select(
        [
            ~has_neighbours,
            among_low & (score < 0),
            among_high & (score > 0),
            among_high & (score < 0),
            among_low & (score > 0),
        ],
        [
            Cluster.ISLAND.value,
            Cluster.LOW.value,
            Cluster.HIGH.value,
            Cluster.LOW_AMONG_HIGH.value,
            Cluster.HIGH_AMONG_LOW.value,
        ],
        Cluster.NONE.value,
    )
    judged = pd.DataFrame(
        {
            "neighbours": pd.Series(counts, known.index).astype("Int64"),
            "neighbours_mean": np.bincount(ward, raw[neighbour], number) / divisor,
            # As in GeoDa and PySAL: over n - 1, with scores of the variance over n.
            "moran": (number - 1) / max(number, 1) * score * sums / divisor,
            "p": p,
            "cluster": pd.Series(words, known.index, dtype="str"),
        },
        index=known.index,
    ).reindex(values.index)
    floats = ["neighbours_mean", "moran", "p"]
    return judged.astype(dict.fromkeys(floats, "Float64")).fillna(
        {"cluster": Cluster.NOT_JUDGED.value}
    )


def _sorted_pairs(codes: pd.Index, pairs: pd.DataFrame) -> tuple[Whole, Whole]:
    """The places of both wards of each pair that are among the codes, once, in order."""
    ward = codes.get_indexer(pd.Index(pairs["ward_code"]))
    neighbour = codes.get_indexer(pd.Index(pairs["neighbour_code"]))
    kept = (ward >= 0) & (neighbour >= 0) & (ward != neighbour)
    key = np.unique(ward[kept] * len(codes) + neighbour[kept])
    return key // max(len(codes), 1), key % max(len(codes), 1)


def _as_far_out(
    score: Floats, sums: Floats, counts: Whole, permutations: int, seed: int
) -> tuple[Whole, Whole]:
    """How many draws of as many others as a ward has neighbours add up to its neighbours' sum or
    more, and to it or less. The ward keeps its own value: only the others are drawn from."""
    others = np.tile(np.arange(len(score) - 1, dtype=np.int32), (permutations, 1))
    np.random.default_rng(seed).permuted(others, axis=1, out=others)
    # The first k of each order are k drawn without replacement, the same for every ward.
    drawn = np.ascontiguousarray(others[:, : counts.max()].T)
    above, below = np.zeros_like(counts), np.zeros_like(counts)
    for each in np.flatnonzero(counts):
        found = np.delete(score, each)[drawn[: counts[each]]].sum(axis=0)
        above[each] = (found >= sums[each] - TIE).sum()
        below[each] = (found <= sums[each] + TIE).sum()
    return above, below


def _discoveries(p: Floats) -> npt.NDArray[np.bool_]:
    """Which pass the false discovery rate; the missing are not tested."""
    ordered = np.sort(p[~np.isnan(p)])
    passes = ordered <= FALSE_DISCOVERY_RATE * np.arange(1, len(ordered) + 1) / len(ordered)
    found: npt.NDArray[np.bool_] = p <= (ordered[passes].max() if passes.any() else -1)
    return found
