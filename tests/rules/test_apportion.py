"""Link workers shared out by where patients live: never whole, never a zero out of silence."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.apportion import apportion, fte_by_ward


def patients(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    columns = ["ward_code", "pcn_code", "patients", "pcn_patients"]
    types = dict(zip(columns, ("str", "str", "float64", "float64"), strict=True))
    return pd.DataFrame(rows, columns=columns).astype(types)


def pcns(**fte: float | None) -> pd.DataFrame:
    frame = pd.DataFrame(
        [(code, f"PCN {code}", value) for code, value in fte.items()],
        columns=["pcn_code", "pcn_name", "fte"],
    )
    return frame.astype({"pcn_code": "str", "pcn_name": "str", "fte": "Float64"})


def test_shared_out_by_hand() -> None:
    # A's list of 8,000: a quarter in W1, an eighth in W2; B's of 4,000: a quarter in W2.
    shares = apportion(
        patients(("W1", "A", 2000, 8000), ("W2", "A", 1000, 8000), ("W2", "B", 1000, 4000)),
        pcns(A=4.0, B=2.0),
        0.05,
    )
    found = shares.set_index(["ward_code", "pcn_code"])
    assert found["list_share"].to_dict() == {
        ("W1", "A"): 0.25,
        ("W2", "A"): 0.125,
        ("W2", "B"): 0.25,
    }
    assert found["ward_share"].to_dict() == {
        ("W1", "A"): 1.0,
        ("W2", "A"): 0.5,
        ("W2", "B"): 0.5,
    }
    assert fte_by_ward(shares).to_dict() == {"W1": 1.0, "W2": 0.5 + 0.5}


@pytest.mark.parametrize(("in_ward", "serves"), [(49, False), (50, True), (51, True), (1000, True)])
def test_a_pcn_serves_from_exactly_the_share(in_ward: int, serves: bool) -> None:
    """5% of 1,000 registered people is 50."""
    rows = [("W", "A", in_ward, 5000)]
    if in_ward < 1000:
        rows.append(("W", "B", 1000 - in_ward, 5000))
    shares = apportion(patients(*rows), pcns(A=1.0, B=1.0), 0.05).set_index("pcn_code")
    assert shares.loc["A", "serves"] == serves


def test_people_in_no_pcn_count_in_the_ward_and_have_no_worker() -> None:
    shares = apportion(
        patients(("W", "A", 40, 400), ("W", "U", 960, 1000)), pcns(A=1.0, U=9.0), 0.05
    )
    assert shares["pcn_code"].tolist() == ["A"]
    assert shares["ward_share"].tolist() == [0.04]
    assert not shares["serves"].any()
    assert fte_by_ward(shares).to_dict() == {"W": 0.1}


def test_a_silent_pcn_that_serves_makes_the_ward_unknown() -> None:
    shares = apportion(
        patients(("W", "A", 500, 1000), ("W", "B", 500, 1000), ("V", "A", 500, 1000)),
        pcns(A=1.0, B=None),
        0.05,
    )
    found = fte_by_ward(shares)
    assert pd.isna(found["W"])
    assert found["V"] == 0.5


def test_a_silent_pcn_with_few_patients_does_not() -> None:
    shares = apportion(
        patients(("W", "A", 960, 1000), ("W", "B", 40, 1000)), pcns(A=1.0, B=None), 0.05
    )
    assert fte_by_ward(shares)["W"] == pytest.approx(0.96)


def test_nothing_but_silence_is_unknown_even_where_nobody_serves() -> None:
    shares = apportion(
        patients(("W", "A", 500, 1000), ("W", "B", 500, 1000)), pcns(A=None, B=None), 0.6
    )
    assert not shares["serves"].any()
    assert pd.isna(fte_by_ward(shares)["W"])


def test_returned_without_a_worker_is_zero() -> None:
    shares = apportion(patients(("W", "A", 500, 1000)), pcns(A=0.0), 0.05)
    assert fte_by_ward(shares)["W"] == 0


def test_a_pcn_from_across_the_border_goes_by_its_code() -> None:
    shares = apportion(patients(("W", "Z9", 500, 1000)), pcns(A=1.0), 0.05)
    assert shares["pcn_name"].tolist() == ["Z9"]
    assert pd.isna(fte_by_ward(shares)["W"])


def test_largest_share_of_a_ward_first() -> None:
    shares = apportion(
        patients(("W", "A", 100, 1000), ("W", "B", 900, 1000), ("V", "A", 900, 1000)),
        pcns(A=1.0, B=1.0),
        0.05,
    )
    assert list(zip(shares["ward_code"], shares["pcn_code"], strict=True)) == [
        ("V", "A"),
        ("W", "B"),
        ("W", "A"),
    ]


def test_no_patients_no_rows() -> None:
    shares = apportion(patients(), pcns(A=1.0), 0.05)
    assert len(shares) == 0
    assert len(fte_by_ward(shares)) == 0


@given(
    st.lists(st.lists(st.integers(0, 5000), min_size=3, max_size=3), min_size=1, max_size=6).filter(
        lambda rows: all(sum(column) > 0 for column in zip(*rows, strict=True))
    ),
    st.lists(st.floats(0, 20), min_size=3, max_size=3),
)
def test_what_is_shared_out_is_what_there_was(rows: list[list[int]], fte: list[float]) -> None:
    """Where everybody lives in some ward, the wards' FTE add up to the PCNs'."""
    lists = [sum(column) for column in zip(*rows, strict=True)]
    frame = patients(
        *(
            (f"W{ward}", code, number, lists[place])
            for ward, numbers in enumerate(rows)
            for place, (code, number) in enumerate(zip("ABC", numbers, strict=True))
            if number
        )
    )
    shares = apportion(frame, pcns(**dict(zip("ABC", fte, strict=True))), 0.05)
    assert fte_by_ward(shares).sum() == pytest.approx(sum(fte), abs=1e-9)
    assert shares.groupby("ward_code")["ward_share"].sum().to_numpy() == pytest.approx(1.0)
    assert shares.groupby("pcn_code")["list_share"].sum().to_numpy() == pytest.approx(1.0)
