"""Referrals by the day on which they reached a step, packed small enough to stand in a fact."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from queries.tables import PATHWAY_STEPS

Counts = npt.NDArray[np.int64]

# Days from receipt: to each step; to the end of those that were never contacted; of those that are
# open and were not contacted yet, to the last day told; and to the referral on to occupational
# therapy. From there: until it accepted; and, of those who wait for that, to the last day told.
WAITS = (*PATHWAY_STEPS, "ended", "open", "to_ot", "ot", "ot_waiting")
# The last bin holds whatever took longer.
MOST_DAYS = 366
_BINS = MOST_DAYS + 1
DAY_CODES = len(WAITS) * _BINS
# A number takes 16 bits; a greater count stands in several entries.
_MOST = 2**16 - 1


def day_code(wait: int, days: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """One number for a wait (its place in `WAITS`) and each of these days, 0 or more."""
    return wait * _BINS + np.minimum(days, MOST_DAYS)


def packed(pairs: npt.NDArray[np.int64], ends: Sequence[int]) -> list[bytes]:
    """Pairs of a day code and a count, as they stand in the column `days`: one cell after the other,
    each until its end."""
    if len(pairs) and pairs[:, 1].max() > _MOST:
        repeats = -(-pairs[:, 1] // _MOST)
        after = np.cumsum(repeats)
        rest = pairs[:, 1] - (repeats - 1) * _MOST
        pairs = np.repeat(pairs, repeats, axis=0)
        pairs[:, 1] = _MOST
        pairs[after - 1, 1] = rest
        ends = [int(after[end - 1]) if end else 0 for end in ends]
    raw = pairs.astype("<u2").tobytes()
    return [raw[4 * first : 4 * end] for first, end in itertools.pairwise([0, *ends])]


def unpacked(days: Sequence[bytes], groups: npt.NDArray[np.intp], number: int) -> Counts:
    """Counts by group, wait and day, of packed ones that each belong to a group from 0."""
    entries = np.frombuffer(b"".join(days), dtype="<u2").reshape(-1, 2).astype("int64")
    lengths = np.array([len(part) // 4 for part in days], dtype="int64")
    group = np.repeat(groups, lengths)
    sums = np.bincount(
        group * DAY_CODES + entries[:, 0], entries[:, 1], minlength=number * DAY_CODES
    )
    return sums.astype("int64").reshape(number, len(WAITS), _BINS)
