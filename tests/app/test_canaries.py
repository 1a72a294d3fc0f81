"""Nobody sees another's area: what is somebody's own carries their mark, and is looked for everywhere.

Each reader walks through every page with each of its choices and through every file that a page links
to; then goes where others have been. Marks that are not theirs are nowhere, and each mark is seen by who
may see it: else the walk would prove nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import Engine

from tests.app import walking
from tests.app.walking import Offers, Seen, walk
from tests.canary_board import A, B, BOARDS, made, marks, whose, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

A1, A2, A3 = A.networks


@pytest.fixture(scope="module")
def canary_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    return made(tmp_path_factory.mktemp("canaries") / "canaries.db", upgraded_file)


@pytest.fixture
def canaries(
    use_database: Callable[[Path], Engine], canary_path: Path, on_the_day: None, tmp_path: Path
) -> Engine:
    """The dashboard reads both boards, with what people have written on them."""
    engine = use_database(Path(shutil.copy(canary_path, tmp_path / "canaries.db")))
    written(engine)
    st.cache_data.clear()
    st.cache_resource.clear()
    return engine
