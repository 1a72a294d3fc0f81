"""A quick look at every page and every file: that each opens, answers and says what it is.

What each of them says is tested page by page, in the slow run.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from dashboard import export
from dashboard.filters import newest_as_at
from queries.scope import EVERYTHING
from tests.app.reading import View

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
KENT = {"icb": "QDK", "as_at": "2026-06-30"}


def test_every_page_is_looked_at():
    assert {"coverage", "all_boards", "workforce", "providers", "outcomes", "commitments"} <= set(
        PAGES
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_the_demonstration(demonstration: Engine, page: str):
    # By its address: of an unknown one the first page would answer.
    view = View.open(page.replace("_", "-"), KENT)
    assert not view.app.exception
    assert "Demonstration" in view.markup()[0]


@pytest.mark.parametrize("part", ["endings", "change", "equity", "networks", "gp"])
def test_a_part_of_the_outcomes(demonstration: Engine, part: str):
    view = View.open("outcomes", {**KENT, "part": part})
    assert not view.app.exception


@pytest.mark.parametrize("part", ["leak", "leads", "complex"])
def test_a_part_of_take_up(demonstration: Engine, part: str):
    view = View.open("take-up", {**KENT, "part": part})
    assert not view.app.exception
    assert view.address["part"] == part
    assert "Where is take-up low" in view.words()


@pytest.mark.parametrize("subject", sorted(export.SUBJECTS))
def test_a_file_of_the_demonstration(demonstration: Engine, subject: str):
    made = export.make(demonstration, EVERYTHING, subject, "QDK", newest_as_at(), "csv")
    assert len(made.body.splitlines()) > 10
