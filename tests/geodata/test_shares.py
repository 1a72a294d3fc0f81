"""Modelled patients: lists are kept, near wards come first."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.shares import DECAY_METRES, modelled_patients

place = st.floats(0, 100_000)
counts = st.lists(st.tuples(place, place, st.integers(0, 30_000)), min_size=1, max_size=6)
peopled = st.lists(st.tuples(place, place, st.integers(1, 30_000)), min_size=1, max_size=6)


def table(rows: list[tuple[float, float, float]], kind: str, count: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["easting", "northing", count])
    return frame.assign(**{f"{kind}_code": [f"{kind}{n}" for n in range(len(rows))]})


def practices(*rows: tuple[float, float, float]) -> pd.DataFrame:
    return table(list(rows), "practice", "patients")


def wards(*rows: tuple[float, float, float]) -> pd.DataFrame:
    return table(list(rows), "ward", "people")


@given(counts, peopled)
def test_every_practice_keeps_its_list(
    lists: list[tuple[float, float, float]], areas: list[tuple[float, float, float]]
) -> None:
    given_lists = practices(*lists)
    found = modelled_patients(given_lists, wards(*areas))
    assert (found["patients"] > 0).all()
    totals = found.groupby("practice_code")["patients"].sum()
    for code, patients in zip(given_lists["practice_code"], given_lists["patients"], strict=True):
        assert totals.get(code, 0) == pytest.approx(patients)


@given(st.integers(100, 10_000), st.integers(100, 10_000), st.integers(1_000, 20_000))
def test_all_else_equal_the_nearest_ward_has_the_most(near: int, extra: int, size: int) -> None:
    """Two equal practices, each nearer to one of two equal wards."""
    gap = near + extra
    found = modelled_patients(
        practices((0, 0, size), (near + gap, 0, size)), wards((near, 0, size), (gap, 0, size))
    )
    cell = found.set_index(["practice_code", "ward_code"])["patients"]
    assert cell.get(("practice0", "ward0"), 0) > cell.get(("practice0", "ward1"), 0)


def test_a_case_by_hand() -> None:
    """At equal totals a cell and its mirror stand as 1 to exp(-1), since both pairs differ so."""
    found = modelled_patients(
        practices((0, 0, 1000), (DECAY_METRES, 0, 1000)),
        wards((0, 0, 50), (DECAY_METRES, 0, 50)),
    )
    assert found["patients"].tolist() == pytest.approx(
        [1000 / (1 + np.exp(-1)), 1000 / (1 + np.e)] * 1
        + [1000 / (1 + np.e), 1000 / (1 + np.exp(-1))]
    )


def test_wards_are_served_like_their_people() -> None:
    found = modelled_patients(practices((0, 0, 900)), wards((0, 0, 200), (9_000, 0, 100)))
    assert found["patients"].tolist() == pytest.approx([600, 300])


def test_under_half_a_patient_is_left_out_and_the_list_kept() -> None:
    found = modelled_patients(practices((0, 0, 100)), wards((0, 0, 1000), (0, 1, 4)))
    assert found["ward_code"].tolist() == ["ward0"]
    assert found["patients"].tolist() == pytest.approx([100])
    kept = modelled_patients(practices((0, 0, 100)), wards((0, 0, 1000), (0, 1, 6)))
    assert kept["patients"].sum() == pytest.approx(100)
    assert len(kept) == 2


def test_a_tiny_list_keeps_its_largest_cell() -> None:
    found = modelled_patients(practices((0, 0, 1)), wards((0, 0, 30), (0, 1, 29), (0, 2, 28)))
    assert found[["ward_code", "patients"]].to_numpy().tolist() == [["ward0", 1.0]]


@pytest.mark.parametrize(
    ("lists", "areas", "said"),
    [
        (practices((np.nan, 0, 9)), wards((0, 0, 9)), "every practice; found 1 .* practice0"),
        (practices((0, 0, -1)), wards((0, 0, 9)), "every practice"),
        (practices((0, 0, 9)), wards((0, 0, 9), (0, 0, np.nan)), "every ward; .* ward1"),
        (practices((0, 0, 9)), wards((0, 0, 0)), "wards with people"),
    ],
)
def test_unusable_input_is_refused(lists: pd.DataFrame, areas: pd.DataFrame, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        modelled_patients(lists, areas)


def test_no_practices_give_no_rows() -> None:
    assert modelled_patients(practices(), wards((0, 0, 9))).empty
