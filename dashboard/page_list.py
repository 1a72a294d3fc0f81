"""The pages that are there for a reader, in the order of the menu."""

from __future__ import annotations

import streamlit as st

from dashboard.access import Reader
from dashboard.rules import roles
from dashboard.settings import ROOT

FIRST = "this-week"
# By their place in the address.
TITLES = {
    FIRST: "This week",
    "coverage": "Coverage",
    "all-boards": "All boards",
    "workforce": "Workforce",
    "providers": "Providers",
    "outcomes": "Outcomes",
    "take-up": "Take-up",
    "where-to-fund": "Where to fund next",
    "commitments": "National commitments",
    "actions": "Actions",
    "data": "Data",
    "methods": "Methods",
}
_FOR_ADMINISTRATORS = {"access": "Access"}
# These say something where no board is loaded, or none may be seen.
WITHOUT_A_BOARD = ("data", "methods", "access")


def pages_of(who: Reader) -> dict[str, st.Page]:
    """The pages by their place in the address. What is not listed is not there: asked for by its
    address it is unknown."""
    # What the dashboard opens with has no address of its own: it must be a page of no other address.
    titles = TITLES if who.may_somewhere(roles.READ) else {FIRST: "Start"}
    if who.may(roles.GIVE_ACCESS):
        titles = titles | _FOR_ADMINISTRATORS
    return _pages(titles | {"methods": TITLES["methods"]})


def every_page() -> dict[str, st.Page]:
    """All there are, whoever may see them."""
    return _pages(TITLES | _FOR_ADMINISTRATORS)


def _pages(titles: dict[str, str]) -> dict[str, st.Page]:
    first = next(iter(titles))
    return {
        path: st.Page(
            ROOT / "pages" / f"{path.replace('-', '_')}.py",
            title=title,
            url_path=path,
            default=path == first,
        )
        for path, title in titles.items()
    }
