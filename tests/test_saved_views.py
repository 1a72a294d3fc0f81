"""What is kept of a view, and what is believed of it when it is read again."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import parse_qs, urlparse

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.filters import MEETING, NAMES
from dashboard.saved_views import (
    LONGEST_NAME,
    address_of,
    in_words,
    list_markup,
    read_address,
    refused,
)
from dashboard.search import PAGES
from tests.app.reading import Markup

HOSTILE = '"><script>alert(1)</script>&amp;'
CHOSEN = {"icb": "QZ1", "pcn": "U90001", "months": "24", "ward": "", "search": "x"}


def view(name: str, address: str) -> SimpleNamespace:
    when = pd.Timestamp("2026-06-30T12:00Z")
    return SimpleNamespace(view_name=name, address=address, saved_by="ann", saved_at=when)


def links(*views: SimpleNamespace) -> list[str]:
    markup = Markup.of(list_markup(list(views), "QZ1", {}))
    return [value for name, value in markup.attributes if name == "href"]


def test_what_is_kept_is_the_page_and_what_is_chosen() -> None:
    assert address_of("take-up", CHOSEN) == "take-up?icb=QZ1&pcn=U90001&months=24"
    assert read_address(address_of("take-up", CHOSEN)) == (
        "take-up", {"icb": "QZ1", "pcn": "U90001", "months": "24"},
    )  # fmt: skip
    assert address_of("", {}) == "?"
    assert read_address("?") == ("", {})


def test_the_meeting_in_which_it_was_saved_is_not_kept() -> None:
    assert address_of("coverage", {"icb": "QZ1", MEETING: "on"}) == "coverage?icb=QZ1"


@given(
    st.sampled_from(sorted(PAGES)),
    st.dictionaries(
        st.sampled_from([name for name in NAMES if name != MEETING]),
        st.text(min_size=1),
        max_size=5,
    ),
)
def test_what_was_kept_is_read_again(path: str, chosen: dict[str, str]) -> None:
    try:
        "".join(chosen.values()).encode()
    except UnicodeEncodeError:
        return
    assert read_address(address_of(path, chosen)) == (path, chosen)


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/?pcn=U1", "//elsewhere.example/", "javascript:alert(1)",
        "../data?x=1", "/take-up?pcn=U1", "no-page?pcn=U1", "\\\\elsewhere.example",
    ],
)  # fmt: skip
def test_another_host_or_no_page_is_no_view(address: str) -> None:
    assert read_address(address) is None
    assert links(view("View", address)) == []


def test_names_that_are_no_filters_are_left_out() -> None:
    assert read_address("take-up?pcn=U1&next=//elsewhere.example&streamlit=1") == (
        "take-up", {"pcn": "U1"},
    )  # fmt: skip


def test_a_view_is_of_the_board_that_keeps_it() -> None:
    (address,) = links(view("View", "take-up?icb=QZ2&pcn=U1"))
    assert urlparse(address).path == "/take-up"
    assert parse_qs(urlparse(address).query) == {"icb": ["QZ1"], "pcn": ["U1"]}


def test_names_are_text() -> None:
    markup = Markup.of(list_markup([view(HOSTILE, f"take-up?pcn={HOSTILE}")], "QZ1", {}))
    assert markup.tags == {"ul", "li", "a", "span"}
    assert {name for name, _ in markup.attributes} == {"class", "href", "target", "aria-label"}
    assert HOSTILE in markup.text


def test_in_words() -> None:
    names = {"U90001": "North PCN"}
    assert in_words("take-up", {"icb": "QZ1", "pcn": "U90001", "months": "12"}, names) == (
        "Take-up · pcn North PCN · months 12 · newest date"
    )
    assert in_words("", {"as_at": "2026-05-31"}, {}) == "This week · as at 2026-05-31"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "A view needs a name."),
        ("  \n ", "A view needs a name."),
        ("a" * LONGEST_NAME, ""),
        (f"  {'a' * LONGEST_NAME} ", ""),
        ("a" * (LONGEST_NAME + 1), f"A name has at most {LONGEST_NAME} letters."),
        ("two\nlines", "A name is one line of letters."),
        ("Café & Co <b>", ""),
    ],
)
def test_which_names_are_refused(name: str, said: str) -> None:
    assert refused(name) == said
