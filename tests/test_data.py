"""fetch(): what one reader is kept is never another's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard.data import (
    MOST_ANSWERS,
    _shared,
    engine,
    fetch,
    fetch_shared,
    fetch_written,
    once,
    prepare_database,
)
from dashboard.errors import NotThereError
from dashboard.filters import Area
from dashboard.settings import settings
from queries import places
from queries.actions import ActionEdit, actions, actions_mark, add_action, change_action
from queries.load import save
from queries.meetings import close_meeting, meetings, meetings_mark, open_meeting
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


ASKED: list[str] = []


def networks(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """A query by its signature, which notes that it was asked, and takes a moment."""
    ASKED.append(icb_code)
    time.sleep(0.05)
    return places.wards(engine, scope, icb_code)


@pytest.fixture
def asked() -> list[str]:
    ASKED.clear()
    _shared.cache_clear()
    return ASKED


def test_who_asks_at_once_waits_for_one_answer(asked: list[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: fetch_shared(networks, EVERYTHING, b.BOARD), range(8)))
    assert asked == [b.BOARD]
    assert all(each is found[0] for each in found)


def test_each_caller_of_fetch_has_a_copy_of_its_own(asked: list[str]) -> None:
    mine = fetch(networks, EVERYTHING, b.BOARD)
    mine.loc[:, "ward_name"] = "changed"
    assert "changed" not in set(fetch(networks, EVERYTHING, b.BOARD)["ward_name"])
    assert asked == [b.BOARD]


def test_another_version_of_the_data_is_asked_again(asked: list[str]) -> None:
    fetch_shared(networks, EVERYTHING, b.BOARD)
    save(engine(), b.census(b.AS_AT, b.BOARD, {b.NORTH: 1, "U90008": 1}, []))
    fetch_shared(networks, EVERYTHING, b.BOARD)
    assert asked == [b.BOARD, b.BOARD]


def test_what_failed_is_not_kept(asked: list[str]) -> None:
    def fails_once(engine: Engine, scope: Scope, icb_code: str) -> int:
        asked.append(icb_code)
        if len(asked) == 1:
            raise ValueError("away")
        return len(asked)

    with pytest.raises(ValueError, match="away"):
        fetch_shared(fails_once, EVERYTHING, b.BOARD)
    assert fetch_shared(fails_once, EVERYTHING, b.BOARD) == 2


def test_no_more_is_kept_than_the_bound(asked: list[str]) -> None:
    def number(engine: Engine, scope: Scope, which: int) -> int:
        return which

    for which in range(MOST_ANSWERS + 10):
        fetch_shared(number, EVERYTHING, which)
    assert len(_shared.cache) == MOST_ANSWERS


def test_a_board_that_the_reader_may_not_see_is_never_worked_out(asked: list[str]) -> None:
    area = Area(b.BOARD, b.AS_AT)
    fetch_shared(ward_coverage_of, EVERYTHING, area)
    for ask in (fetch, fetch_shared, once_written):
        with pytest.raises(NotThereError):
            ask(ward_coverage_of, Scope(frozenset({b.NEIGHBOUR})), area)


def ward_coverage_of(engine: Engine, scope: Scope, area: Area) -> str:
    return area.icb_code


def once_written(query: Callable, scope: Scope, area: Area) -> str:
    def written(engine: Engine, scope: Scope, icb_code: str, area: Area) -> str:
        return str(query(engine, scope, area))

    return fetch_written(written, actions_mark, scope, area.icb_code, area)


def test_what_people_write_is_asked_again_when_somebody_wrote(asked: list[str]) -> None:
    def ask(scope: Scope = EVERYTHING) -> list[str]:
        found: list[str] = fetch_written(actions, actions_mark, scope, b.BOARD)["words"].tolist()
        return found

    assert ask() == []
    first = ActionEdit(kind="note", words="first")
    number = add_action(engine(), EVERYTHING, b.BOARD, first, "ann")
    assert ask() == ["first"]
    change_action(engine(), EVERYTHING, number, 1, replace(first, words="second"), "ben")
    assert ask() == ["second"]
    add_action(engine(), EVERYTHING, b.BOARD, first, "ann")
    assert sorted(ask()) == ["first", "second"]
    # Of another board's reader it is another question.
    with pytest.raises(LookupError):
        ask(Scope(frozenset({b.NEIGHBOUR})))


def test_a_meeting_that_was_opened_or_closed_is_seen_at_once(asked: list[str]) -> None:
    def ask() -> list[bool]:
        met = fetch_written(meetings, meetings_mark, EVERYTHING, b.BOARD)
        return [bool(closed) for closed in met["closed_at"].notna()]

    assert ask() == []
    number = open_meeting(engine(), EVERYTHING, b.BOARD, b.AS_AT, "", "ann")
    assert ask() == [False]
    close_meeting(engine(), EVERYTHING, number, b.AS_AT, "", "{}", "ann")
    assert ask() == [True]


def test_what_is_made_of_an_answer_is_made_once_for_each_way(asked: list[str]) -> None:
    made = []

    def words(kept: Area, of: str, *, long: bool = False) -> str:
        made.append(of)
        return f"{kept.icb_code} {of} {long}"

    one, other = Area("A", b.AS_AT), Area("B", b.AS_AT)
    for _ in range(2):
        assert once(words, one, "x") == "A x False"
        assert once(words, one, "x", long=True) == "A x True"
        assert once(words, other, "x") == "B x False"
    assert len(made) == 3
    assert one == Area("A", b.AS_AT)
