"""Boards are judged before anybody asks for them, once for each state of the data."""

from __future__ import annotations

import sqlite3
import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from dashboard import beforehand, data, drain
from dashboard.all_boards import all_boards
from dashboard.coverage import ward_coverage
from dashboard.filters import newest_as_at
from queries.database import writing
from queries.load import bump_version
from queries.scope import EVERYTHING
from tests.small_board import BOARD


@pytest.fixture(autouse=True)
def without_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "draining", threading.Event())
    monkeypatch.setattr(drain.draining, "wait", lambda _seconds: drain.draining.is_set())


def worked_out() -> int:
    return data.lookups()[1]


def test_whoever_comes_later_finds_every_board_judged(own: Engine) -> None:
    assert beforehand.judge_new(None) is not None
    before = worked_out()
    data.fetch_shared(ward_coverage, EVERYTHING, BOARD, newest_as_at(), False)
    assert worked_out() == before
    data.fetch_shared(all_boards, EVERYTHING, newest_as_at(), False)
    assert worked_out() == before + 1


def test_the_same_state_is_judged_once(own: Engine) -> None:
    done = beforehand.judge_new(None)
    before = data.lookups()
    assert beforehand.judge_new(done) == done
    assert data.lookups() == before


def test_a_load_and_another_day_are_judged_anew(
    own: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = beforehand.judge_new(None)
    before = worked_out()
    with writing(own) as connection:
        bump_version(connection)
    loaded = beforehand.judge_new(done)
    assert loaded != done
    assert worked_out() > before
    before, tomorrow = worked_out(), newest_as_at() + timedelta(days=1)
    monkeypatch.setattr(beforehand, "newest_as_at", lambda: tomorrow)
    assert beforehand.judge_new(loaded) != loaded
    assert worked_out() > before


def test_a_load_in_the_middle_is_begun_again(own: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is judged of two states is not said to be done of either."""
    monkeypatch.setattr(beforehand, "boards", lambda *_: boards_and_load(own))
    assert beforehand.judge_new(None) is None


def boards_and_load(engine: Engine) -> object:
    from queries.places import boards

    found = boards(engine, EVERYTHING)
    with writing(engine) as connection:
        bump_version(connection)
    return found


def test_a_process_that_drains_judges_no_more(own: Engine) -> None:
    drain.draining.set()
    assert beforehand.judge_new(None) is None


@pytest.mark.parametrize(("sign_in", "begun"), [("none", 1), ("oidc", 0)])
def test_only_where_nobody_signs_in(
    monkeypatch: pytest.MonkeyPatch, sign_in: str, begun: int
) -> None:
    started: list[object] = []
    monkeypatch.setattr(beforehand, "settings", lambda: type("S", (), {"sign_in": sign_in}))
    monkeypatch.setattr(threading.Thread, "start", lambda thread: started.append(thread))
    beforehand.start()
    assert len(started) == begun


def test_a_database_that_is_away_is_asked_again_and_a_defect_is_reported_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    reported: list[Exception] = []
    away = OperationalError("SELECT 1", None, sqlite3.OperationalError("gone"))
    defect = ValueError("a row of somebody")

    def judge(done: object) -> object:
        asked.append(done)
        raise away if len(asked) < 3 else defect

    monkeypatch.setattr(beforehand, "judge_new", judge)
    monkeypatch.setattr(beforehand, "report_error", reported.append)
    beforehand._look_after()
    assert asked == [None] * 3
    assert reported == [defect]
