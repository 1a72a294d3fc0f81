"""fetch(): what one reader is kept is never another's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard.data import engine, fetch, fetch_shared, prepare_database
from dashboard.settings import settings
from queries import places
from queries.scope import EVERYTHING, Scope
from tests import small_board as b


@pytest.fixture(autouse=True)
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    url = f"sqlite:///{(tmp_path / 'kept.db').as_posix()}"
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", url)
    settings.cache_clear()
    prepare_database()
    b.Board().save(engine())
    yield
    settings.cache_clear()


@pytest.mark.parametrize("keep", [fetch, fetch_shared])
def test_each_scope_is_kept_by_itself(keep: Callable) -> None:
    """A reader of no board at all comes after one of every board."""
    assert set(keep(places.boards, EVERYTHING)["icb_code"]) == {b.BOARD, b.NEIGHBOUR}
    assert keep(places.boards, Scope(frozenset())).empty
    assert keep(places.boards, Scope(frozenset({b.NEIGHBOUR})))["icb_code"].tolist() == [
        b.NEIGHBOUR
    ]
