"""A new database for each test, and postcodes that need no download."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard.intake import practices, services
from queries.database import make_engine, upgrade


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = make_engine(f"sqlite:///{tmp_path / 'coverage.db'}")
    upgrade(engine)
    return engine


@pytest.fixture
def one_postcode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only ZZ1 1AA is known."""

    def place(postcodes: pd.Series) -> pd.DataFrame:
        known = [postcode == "ZZ1 1AA" for postcode in postcodes]
        where = [600_000.0 if k else None for k in known]
        return pd.DataFrame({"postcode": list(postcodes), "easting": where, "northing": where})

    for module in (practices, services):
        monkeypatch.setattr(module, "place_postcodes", place)
