"""Groups of people under one name each, whatever a return calls them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.ages import AGE_BANDS
from dashboard.rules.groups import (
    ETHNICITY_GROUPS,
    NOT_STATED,
    ORDERS,
    SEXES,
    ethnicity_group_of,
    sex_of,
)

SAID_OF_SEX = {
    "female": ("F", "f", "Female", " FEMALE ", "woman", "Women", "2"),
    "male": ("M", "m", "Male", "man", "MEN", "1", "Male (including trans man)"),
    "other": ("other", "non-binary", "transgender", "intersex", "3", "9"),
    "not stated": (
        "not stated", "Not known", "not specified", "Unknown", "U", "prefer not to say", "declined",
        "Declined to say", "refused", "withheld", "no answer", "0", "X",
    ),
}  # fmt: skip
SAID_OF_ETHNICITY = {
    "White": ("White", "white british", "White: Irish", "A", "b", "C", "Gypsy or Irish Traveller",
        "Any other White background", "Roma", "White South African"),
    "Mixed": ("Mixed", "Mixed or multiple ethnic groups", "White and Asian", "d", "E", "F", "G",
        "White and Black Caribbean", "Mixed: White and Black African"),
    "Asian": ("Asian", "Asian or Asian British: Chinese", "Indian", "Pakistani", "Bangladeshi",
        "Chinese", "H", "J", "K", "l", " H "),
    "Black": ("Black", "Black, Black British, Caribbean or African", "African", "Caribbean",
        "West Indian", "M", "N", "P"),
    "Other": ("Other", "Arab", "Any other ethnic group", "R", "S", "Other ethnic group"),
    "not stated": ("not stated", "Not known", "unknown", "Z", "z", "Prefer not to say", "Refused",
        "declined", "no answer", "99"),
}  # fmt: skip


def each(said: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(word, name) for name, words in said.items() for word in words]


@pytest.mark.parametrize(("said", "name"), each(SAID_OF_SEX))
def test_sex(said: str, name: str):
    assert sex_of(said) == name


@pytest.mark.parametrize(("said", "name"), each(SAID_OF_ETHNICITY))
def test_ethnicity(said: str, name: str):
    assert ethnicity_group_of(said) == name


@pytest.mark.parametrize("name", SEXES)
def test_a_name_of_a_sex_stays(name: str):
    assert sex_of(name) == name


@pytest.mark.parametrize("name", ETHNICITY_GROUPS)
def test_a_name_of_a_group_stays(name: str):
    assert ethnicity_group_of(name) == name


@given(st.text(max_size=12))
def test_whatever_is_said_has_a_known_name(said: str):
    assert sex_of(said) in SEXES
    assert ethnicity_group_of(said) in ETHNICITY_GROUPS
    assert sex_of(sex_of(said)) == sex_of(said)
    assert ethnicity_group_of(ethnicity_group_of(said)) == ethnicity_group_of(said)


def test_what_is_not_stated_stands_last():
    assert ORDERS == {"age band": AGE_BANDS, "sex": SEXES, "ethnicity": ETHNICITY_GROUPS}
    assert SEXES[-1] == ETHNICITY_GROUPS[-1] == NOT_STATED
