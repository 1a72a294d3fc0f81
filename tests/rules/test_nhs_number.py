"""The check digit against worked cases, and columns of numbers on both sides of the line."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.nhs_number import are_nhs_numbers, is_nhs_number, ten_digits_in

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "nhs_number.csv"

# In the range 999, which is never given to a person.
VALID = ["9990000018", "9990000026", "9990000034", "9990000042", "9990000050", "9990000069"]
INVALID = ["9990000010", "9990000020", "9990000030", "9990000040", "9990000051", "9990000060"]


@pytest.mark.skipif(not VECTORS.exists(), reason="the worked cases are not here")
def test_agrees_with_the_worked_cases():
    with VECTORS.open(encoding="utf-8", newline="") as file:
        cases = list(csv.DictReader(file))
    wrong = [c["input"] for c in cases if is_nhs_number(c["input"]) != (c["mod11_valid"] == "1")]
    assert len(cases) > 30
    assert wrong == []


@pytest.mark.parametrize("number", VALID)
def test_valid(number: str):
    assert is_nhs_number(number)
    assert is_nhs_number(f"{number[:3]} {number[3:6]} {number[6:]}")
    assert is_nhs_number(f"{number[:3]}-{number[3:6]}-{number[6:]}")


@pytest.mark.parametrize("number", INVALID)
def test_invalid(number: str):
    assert not is_nhs_number(number)


@given(st.integers(0, 999_999_999))
def test_at_most_one_check_digit_is_right(first_nine: int):
    right = [d for d in range(10) if is_nhs_number(f"{first_nine:09}{d}")]
    total = sum(w * int(d) for w, d in zip(range(10, 1, -1), f"{first_nine:09}", strict=True))
    assert right == [d for d in range(10) if (total + d) % 11 == 0]


@given(st.text())
def test_any_text_has_an_answer(text: str):
    assert is_nhs_number(text) in (True, False)
    assert all(
        len(found) == 10 and found.isascii() and found.isdigit() for found in ten_digits_in(text)
    )


@pytest.mark.parametrize(
    "text",
    [
        "9990000018",
        " 999 000 0018 ",
        "999-000-0018",
        "99 90 00 00 18",
        "９９９０００００１８",
        "NHS no. 999 000 0018",
    ],
)
def test_ten_digits_are_found_in_any_disguise(text: str):
    assert ten_digits_in(text) == ["9990000018"]


@pytest.mark.parametrize(
    "text",
    ["", "999000001", "99900000180", "0.9990000018", "2026-06-30 10:15:00", "07700 900123"],
)
def test_other_numbers_are_not_ten_digits(text: str):
    assert ten_digits_in(text) == []


@pytest.mark.parametrize(
    ("heading", "values", "expected"),
    [
        ("reference", VALID[:5], True),
        ("reference", VALID[:3] + INVALID[:2], True),  # 60% of five
        ("reference", VALID[:3] + INVALID[:3], False),  # 50% of six
        ("reference", VALID[:3] + INVALID[:1], False),  # too few to judge by their share
        ("reference", VALID[:2], True),  # but all of them
        ("reference", VALID[:1] * 9, False),
        ("reference", ["x", "y"], False),
        ("nhs reference", [*INVALID, VALID[0]], True),
        ("nhs reference", INVALID, False),
        ("Patient ID", VALID[:1], True),
    ],
)
def test_a_column_of_them(heading: str, values: list[str], expected: bool):
    assert are_nhs_numbers(heading, values) is expected
