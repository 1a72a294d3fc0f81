"""Files are read in this process: what is tested here comes after that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard.settings import settings
from tests.made_once import HASH_KEY


@pytest.fixture(autouse=True)
def own_settings(read_here: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DASHBOARD_HASH_KEY", HASH_KEY)
    settings.cache_clear()
    yield
    settings.cache_clear()
