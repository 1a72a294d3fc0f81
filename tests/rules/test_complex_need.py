"""Several conditions, high complexity, and who waits for occupational therapy."""

from datetime import date

import pandas as pd
import pytest

from dashboard.rules.complex_need import complex_need

DAY = date(2026, 6, 1)
NONE = {
    "long_term_conditions": None,
    "complexity": None,
    "ot_referred_on": None,
    "ot_accepted_on": None,
    "declined_on": None,
    "closed_on": None,
}


def counted(**said: object) -> set[str]:
    """What one referral is counted as."""
    row = pd.DataFrame([{**NONE, **said}]).astype({"long_term_conditions": "Int64"})
    row["complexity"] = row["complexity"].astype("str")
    found = complex_need(row).iloc[0]
    assert found.isin([0, 1]).all()
    return set(found.index[found == 1])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, set()),
        ({"long_term_conditions": 0}, {"conditions_told"}),
        ({"long_term_conditions": 1}, {"conditions_told"}),
        ({"long_term_conditions": 2}, {"conditions_told", "several_conditions"}),
        ({"complexity": "medium"}, {"complexity_told"}),
        ({"complexity": " HIGH "}, {"complexity_told", "highly_complex"}),
        ({"complexity": "highly unusual"}, {"complexity_told"}),
        ({"ot_referred_on": DAY}, {"ot_referred", "ot_waiting"}),
        ({"ot_referred_on": DAY, "closed_on": DAY}, {"ot_referred"}),
        ({"ot_referred_on": DAY, "declined_on": DAY}, {"ot_referred"}),
        ({"ot_referred_on": DAY, "ot_accepted_on": DAY}, {"ot_referred", "ot_accepted"}),
        ({"ot_accepted_on": DAY}, {"ot_referred", "ot_accepted"}),
    ],
)
def test_what_a_referral_counts_as(said: dict[str, object], expected: set[str]) -> None:
    assert counted(**said) == expected
