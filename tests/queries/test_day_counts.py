"""Referrals by day, packed and unpacked: nothing is lost, and a median can be counted by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.pathway import OVER_A_YEAR, STEPS, DayQuantiles, day_quantiles
from queries.day_counts import DAY_CODES, MOST_DAYS, WAITS, day_code, packed, unpacked
from queries.tables import PATHWAY_STEPS


def pairs_of(counts: Mapping[int, int]) -> np.ndarray:
    return np.array(sorted(counts.items()), dtype="int64").reshape(-1, 2)


def packed_each(*cells: Mapping[int, int]) -> list[bytes]:
    pairs = [pairs_of(counts) for counts in cells]
    ends = np.cumsum([len(each) for each in pairs]).tolist()
    return packed(np.concatenate(pairs) if pairs else pairs_of({}), ends)


def one(wait: str, counts: dict[int, int]) -> np.ndarray:
    """Referrals by day of one wait, packed and unpacked again."""
    place = WAITS.index(wait)
    codes = Counter[int]()
    for day, count in counts.items():
        codes[int(day_code(place, np.array([day]))[0])] += count
    return unpacked(packed_each(codes), np.array([0]), 1)[0, place]


def test_the_waits_are_the_steps_the_end_the_open_and_those_of_occupational_therapy():
    assert (*STEPS, "ended", "open", "to_ot", "ot", "ot_waiting") == WAITS
    assert STEPS == PATHWAY_STEPS
    # The rules read what is packed here.
    assert MOST_DAYS == OVER_A_YEAR == 366
    assert len(one("open", {})) == OVER_A_YEAR + 1


def test_every_wait_and_day_has_a_number_of_its_own():
    codes = [day_code(wait, np.arange(MOST_DAYS + 1)) for wait in range(len(WAITS))]
    assert np.concatenate(codes).tolist() == list(range(DAY_CODES))


@pytest.mark.parametrize(
    ("day", "place"), [(0, 0), (365, 365), (366, 366), (367, 366), (30_000, 366)]
)
def test_the_last_place_is_all_that_took_longer_than_a_year(day: int, place: int):
    found = one("planned", {day: 3})
    assert (found[place], found.sum()) == (3, 3)


# A count that fills its 16 bits, one more, twice as many, and far more.
COUNTS = st.one_of(
    st.integers(1, 5), st.sampled_from([65_534, 65_535, 65_536, 131_070, 131_071, 10_000_000])
)
CELL = st.dictionaries(st.integers(0, DAY_CODES - 1), COUNTS, max_size=12)


@given(st.lists(st.tuples(CELL, st.integers(0, 2)), max_size=6))
def test_what_is_packed_comes_back(cells: list[tuple[dict[int, int], int]]):
    expected = np.zeros((3, DAY_CODES), dtype="int64")
    for counts, group in cells:
        for code, count in counts.items():
            expected[group, code] += count
    found = unpacked(
        packed_each(*(counts for counts, _ in cells)),
        np.array([group for _, group in cells], dtype="int64"),
        3,
    )
    assert found.dtype == np.int64
    assert np.array_equal(found, expected.reshape(3, len(WAITS), MOST_DAYS + 1))


def test_a_small_count_takes_four_bytes_and_a_great_one_more():
    assert packed_each({}, {}) == [b"", b""]
    # Code and count, the smaller half first.
    assert packed_each({258: 3}, {}, {7: 65_535}) == [
        bytes([2, 1, 3, 0]),
        b"",
        bytes([7, 0, 255, 255]),
    ]
    assert packed_each({}, {7: 65_536}, {258: 3}, {7: 131_070}) == [
        b"",
        bytes([7, 0, 255, 255, 7, 0, 1, 0]),
        bytes([2, 1, 3, 0]),
        bytes([7, 0, 255, 255]) * 2,
    ]


def test_packing_leaves_the_counts_as_they_were():
    pairs = pairs_of({7: 65_536})
    packed(pairs, [1])
    assert pairs.tolist() == [[7, 65_536]]


def test_no_groups_are_none():
    assert unpacked([], np.array([], dtype="int64"), 0).shape == (0, len(WAITS), MOST_DAYS + 1)


@pytest.mark.parametrize(
    ("counts", "median", "p90"),
    [
        # 10 people: the 5th waited 3 days, the 9th 8.
        ({1: 2, 3: 3, 8: 4, 20: 1}, 3, 8),
        ({1: 2, 3: 2, 8: 5, 20: 1}, 8, 8),
        ({0: 5, 400: 5}, 0, 366),
        ({366: 4, 400: 6}, 366, 366),
        ({3: 9}, None, None),
        ({3: 10}, 3, 3),
        # 100,001 people: the 50,001st counts.
        ({2: 50_000, 9: 50_001}, 9, 9),
        ({2: 50_001, 9: 50_000}, 2, 9),
    ],
)
def test_medians_by_hand(counts: dict[int, int], median: int | None, p90: int | None):
    assert day_quantiles(one("contacted", counts)) == DayQuantiles(median, p90)
