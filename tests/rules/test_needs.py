"""What people are referred for, under one name each; and that there was nothing to refer to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.needs import NEED_THEMES, OTHER, is_for_lack_of_service, themes_of


@pytest.mark.parametrize(
    ("reasons", "themes"),
    [
        ("", ()),
        (" ; | ;", ()),
        ("housing", ("housing",)),
        ("  HOUSING ", ("housing",)),
        ("money; Housing", ("money and debt", "housing")),
        ("housing|money", ("housing", "money and debt")),
        ("debt; money | benefits;finance", ("money and debt",)),
        ("Social isolation;loneliness", ("loneliness",)),
        ("long term condition; Long-term conditions", ("long-term condition",)),
        ("smoking; carer; work; arts", (
            "alcohol or smoking", "carers", "employment and learning", "arts and culture",
        )),
        # Under no known name: once, however many there are.
        ("a cat", (OTHER,)),
        ("a cat; food; a dog; other", (OTHER, "food")),
        # A comma separates nothing: names have some.
        ("housing, food", (OTHER,)),
    ],
)  # fmt: skip
def test_themes_of_reasons(reasons: str, themes: tuple[str, ...]) -> None:
    assert themes_of(reasons) == themes


@pytest.mark.parametrize("theme", NEED_THEMES)
def test_each_theme_is_its_own_name(theme: str) -> None:
    assert themes_of(theme) == themes_of(theme.upper()) == (theme,)


def test_there_are_no_two_of_one_name() -> None:
    assert len(set(NEED_THEMES)) == len(NEED_THEMES)
    assert NEED_THEMES[-1] == OTHER


@given(st.lists(st.sampled_from(NEED_THEMES)), st.sampled_from([";", "|", " ; ", "| "]))
def test_each_once_in_the_order_in_which_they_stand(themes: list[str], between: str) -> None:
    assert themes_of(between.join(themes)) == tuple(dict.fromkeys(themes))


@given(st.text())
def test_whatever_is_written_has_known_themes(reasons: str) -> None:
    found = themes_of(reasons)
    assert set(found) <= set(NEED_THEMES)
    assert len(found) == len(set(found))
    assert bool(found) == any(part.strip() for part in reasons.replace("|", ";").split(";"))


@pytest.mark.parametrize(
    ("reason", "is_lack"),
    [
        ("no service", True),
        ("No services", True),
        ("no suitable service", True),
        ("closed: NO AVAILABLE SERVICES near home", True),
        ("No appropriate service.", True),
        ("", False),
        ("moved away", False),
        ("service", False),
        ("no longer needs a service", False),
        ("no serviceable car", False),
        ("casino services", False),
        ("a suitable service", False),
    ],
)
def test_closed_for_lack_of_a_service(reason: str, is_lack: bool) -> None:
    assert is_for_lack_of_service(reason) is is_lack
