"""What becomes of a file that was offered: each step once, and nothing lost when a process dies."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, select, update

from queries import jobs, tables
from queries.jobs import LONGEST_CHECK, LONGEST_CHECKED, MOST_ATTEMPTS, STATES, Job
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b

NOTHING = pd.DataFrame({"row": [], "column": [], "rule": [], "found": []})
# From which a file may be confirmed or dropped, and those that keep its checked rows.
MAY_BE_CONFIRMED = {"checked", "failed", "parked"}
KEEPS_ROWS = {"checking", "checked", "waiting", "loading", "failed", "parked"}


def offered(engine: Engine, name: str = "a.csv") -> int:
    """A file that is being checked, with two pieces of it kept."""
    job_id = jobs.offer(engine, name, 7, name.ljust(64, "0"), "Ann")
    # The order in which they came is not that in which the database keeps them.
    jobs.keep_piece(engine, job_id, 1, b"second")
    jobs.keep_piece(engine, job_id, 0, b"first")
    return job_id


def put(engine: Engine, state: str, name: str = "a.csv", **values: object) -> int:
    """A file in this state, whichever way it came there."""
    job_id = offered(engine, name)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(
            update(tables.job).where(tables.job.c.id == job_id).values(state=state, **values)
        )
    return job_id


def state(engine: Engine, job_id: int) -> str:
    return jobs.one(engine, job_id).state


def message(engine: Engine, job_id: int) -> str | None:
    return jobs.one(engine, job_id).message


def ended_at(engine: Engine, job_id: int) -> datetime | None:
    with engine.connect() as connection:
        return connection.scalar(
            select(tables.job.c.ended_at).where(tables.job.c.id == job_id)
        )  # fmt: skip


def pieces(engine: Engine, job_id: int) -> list[bytes]:
    return list(jobs.pieces(engine, job_id))


def long_ago(longer_than: timedelta, by: int = 60) -> datetime:
    return datetime.now(UTC) - longer_than - timedelta(seconds=by)


def test_the_way_of_a_file_that_is_loaded(any_engine: Engine) -> None:
    before = datetime.now(UTC) - timedelta(minutes=10)
    job_id = offered(any_engine)
    seen = Job(
        job_id, "checking", "a.csv", 7, None, "Ann",
        jobs.one(any_engine, job_id).offered_at, None, 0, None, None, None,
    )  # fmt: skip
    assert before < seen.offered_at < datetime.now(UTC)
    assert jobs.one(any_engine, job_id) == seen
    assert jobs.open_jobs(any_engine, EVERYTHING, "Ann", before) == [seen]

    jobs.checked(any_engine, job_id, "services", '{"rows": 1}', NOTHING)
    seen = replace(seen, state="checked", dataset="services", report='{"rows": 1}')
    assert jobs.one(any_engine, job_id) == seen

    assert jobs.queue(any_engine, job_id)
    assert jobs.one(any_engine, job_id) == replace(seen, state="waiting")

    assert jobs.take_next(any_engine) == job_id
    taken = jobs.one(any_engine, job_id)
    assert taken.started_at is not None
    assert seen.offered_at <= taken.started_at <= datetime.now(UTC)
    assert taken == replace(seen, state="loading", attempts=1, started_at=taken.started_at)
    assert pieces(any_engine, job_id) == [b"first", b"second"]

    def note(connection, _clean, record) -> None:  # type: ignore[no-untyped-def]
        jobs.loaded(connection, job_id, record.load_id)

    record = save(any_engine, b.scheme_areas(b.SCHEMES), finish=note)
    done = replace(taken, state="loaded", dataset="scheme_areas", load_id=record.load_id)
    assert jobs.one(any_engine, job_id) == done
    assert jobs.open_jobs(any_engine, EVERYTHING, "Ann", before) == [done]
    assert (
        jobs.open_jobs(any_engine, EVERYTHING, "Ann", datetime.now(UTC) + timedelta(minutes=10))
        == []
    )
    assert pieces(any_engine, job_id) == []
    assert ended_at(any_engine, job_id) is not None


def test_there_is_no_such_job(any_engine: Engine) -> None:
    with pytest.raises(LookupError, match="there is no job 99"):
        jobs.one(any_engine, 99)
    assert pieces(any_engine, 99) == []
    assert not jobs.queue(any_engine, 99)
    assert not jobs.drop(any_engine, 99)


@pytest.mark.parametrize("before", STATES)
def test_who_may_be_confirmed_and_who_dropped(any_engine: Engine, before: str) -> None:
    may = before in MAY_BE_CONFIRMED
    confirmed = put(any_engine, before, attempts=2, message="why", ended_at=datetime.now(UTC))
    dropped = put(any_engine, before)
    assert jobs.queue(any_engine, confirmed) == may
    assert state(any_engine, confirmed) == ("waiting" if may else before)
    assert jobs.drop(any_engine, dropped) == may
    assert state(any_engine, dropped) == ("dropped" if may else before)
    if may:
        again = jobs.one(any_engine, confirmed)
        assert (again.attempts, again.message, ended_at(any_engine, confirmed)) == (0, None, None)
        assert pieces(any_engine, confirmed) == [b"first", b"second"]
        assert pieces(any_engine, dropped) == []
        gone = "Not loaded: taken away before it was confirmed."
        assert message(any_engine, dropped) == gone
        assert ended_at(any_engine, dropped) is not None


def test_confirmed_twice_is_one_load(any_engine: Engine) -> None:
    job_id = put(any_engine, "checked")
    assert [jobs.queue(any_engine, job_id) for _ in range(2)] == [True, False]
    assert [jobs.take_next(any_engine) for _ in range(2)] == [job_id, None]
    assert not jobs.queue(any_engine, job_id)


def test_dropped_twice_and_then_confirmed(any_engine: Engine) -> None:
    job_id = put(any_engine, "checked")
    assert [jobs.drop(any_engine, job_id) for _ in range(2)] == [True, False]
    assert not jobs.queue(any_engine, job_id)
    assert jobs.take_next(any_engine) is None


def test_files_are_taken_in_the_order_they_were_offered(any_engine: Engine) -> None:
    first, second, third = (put(any_engine, "checked", f"{n}.csv") for n in range(3))
    for job_id in (third, first):
        jobs.queue(any_engine, job_id)
    assert [jobs.take_next(any_engine) for _ in range(3)] == [first, third, None]
    assert state(any_engine, second) == "checked"


@pytest.mark.parametrize("end", ["refused", "unchanged", "failed", "parked", "dropped"])
def test_only_what_may_be_tried_again_keeps_its_rows(any_engine: Engine, end: str) -> None:
    job_id, other = put(any_engine, "loading"), put(any_engine, "loading")
    jobs.ended(any_engine, job_id, end, "why")
    assert (state(any_engine, job_id), message(any_engine, job_id)) == (end, "why")
    kept = [b"first", b"second"]
    assert pieces(any_engine, job_id) == (kept if end in KEEPS_ROWS else [])
    assert pieces(any_engine, other) == kept
    assert ended_at(any_engine, job_id) is not None


def test_a_refused_file_keeps_its_problems_only(any_engine: Engine) -> None:
    job_id = offered(any_engine)
    wrong = pd.DataFrame(
        {
            "row": pd.array([4, None], dtype="Int64"),
            "column": ["age", None],
            "rule": ["expected a number", "too many"],
            "found": ["'ab'", None],
        }
    )
    jobs.refused(any_engine, job_id, "a.csv was refused", wrong, "[]")
    assert jobs.one(any_engine, job_id).report == "[]"
    assert (state(any_engine, job_id), pieces(any_engine, job_id)) == ("refused", [])
    problem = tables.job_problem.c
    with any_engine.connect() as connection:
        rows = connection.execute(
            select(problem.job_id, problem.row, problem.column, problem.rule, problem.found)
        ).all()
    assert [tuple(row) for row in rows] == [
        (job_id, 4, "age", "expected a number", "'ab'"),
        (job_id, None, None, "too many", None),
    ]


def test_a_load_that_was_cut_off_waits_again(any_engine: Engine) -> None:
    job_id = put(any_engine, "loading", attempts=MOST_ATTEMPTS - 1)
    jobs.recover(any_engine)
    assert state(any_engine, job_id) == "waiting"
    assert jobs.take_next(any_engine) == job_id
    assert jobs.one(any_engine, job_id).attempts == MOST_ATTEMPTS
    # Its worker dies once more.
    jobs.recover(any_engine)
    assert state(any_engine, job_id) == "parked"
    assert message(any_engine, job_id) == (
        "Parked: the worker stopped 3 times while it loaded this file. Nothing of it was loaded; "
        "other files go on."
    )
    assert ended_at(any_engine, job_id) is not None
    assert jobs.take_next(any_engine) is None
    assert pieces(any_engine, job_id) == [b"first", b"second"]
    assert jobs.queue(any_engine, job_id)
    assert jobs.take_next(any_engine) == job_id


def test_what_nobody_will_finish_is_ended(any_engine: Engine) -> None:
    old, new = long_ago(LONGEST_CHECK), long_ago(LONGEST_CHECK, by=-60)
    cut_off = put(any_engine, "checking", offered_at=old)
    checking = put(any_engine, "checking", offered_at=new)
    unconfirmed = put(any_engine, "checked", offered_at=long_ago(LONGEST_CHECKED))
    waits = put(any_engine, "checked", offered_at=long_ago(LONGEST_CHECKED, by=-60))
    queued = put(any_engine, "waiting", offered_at=long_ago(LONGEST_CHECKED))
    failed = put(any_engine, "failed", offered_at=long_ago(LONGEST_CHECKED))
    jobs.recover(any_engine)
    every = (cut_off, checking, unconfirmed, waits, queued, failed)
    assert [state(any_engine, job_id) for job_id in every] == [
        "refused", "checking", "dropped", "checked", "waiting", "failed",
    ]  # fmt: skip
    assert message(any_engine, cut_off) == (
        "The check was cut off and nothing was loaded: send the file again."
    )
    assert message(any_engine, unconfirmed) == "Not confirmed within 7 days."
    assert [len(pieces(any_engine, job_id)) for job_id in every] == [0, 2, 0, 2, 2, 2]


def test_a_check_that_was_given_up_does_not_come_back_by_halves(any_engine: Engine) -> None:
    job_id = put(any_engine, "checking", offered_at=long_ago(LONGEST_CHECK))
    jobs.recover(any_engine)
    jobs.keep_piece(any_engine, job_id, 2, b"third")
    given_up = jobs.one(any_engine, job_id)
    jobs.checked(any_engine, job_id, "services", "{}", NOTHING)
    assert jobs.one(any_engine, job_id) == given_up
    with any_engine.connect() as connection:
        assert connection.execute(select(tables.job_piece)).all() == []


def test_what_the_screen_shows(any_engine: Engine) -> None:
    """What waits for somebody stays, however old; what ended only for a while; newest first."""
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    for one in STATES:
        put(any_engine, one, f"{one} new.csv", ended_at=datetime.now(UTC))
        put(any_engine, one, f"{one} old.csv", ended_at=hour_ago - timedelta(hours=1))
    stay = {"checking", "checked", "waiting", "loading", "failed", "parked"}
    shown = [job.file_name for job in jobs.open_jobs(any_engine, EVERYTHING, "Ann", hour_ago)]
    assert shown == [
        f"{one} {when}.csv"
        for one in reversed(STATES)
        for when in (("old", "new") if one in stay else ("new",))
    ]


@pytest.mark.parametrize("boards", [frozenset({b.BOARD}), frozenset()])
def test_a_reader_of_some_boards_sees_their_own_files(
    any_engine: Engine, boards: frozenset[str]
) -> None:
    put(any_engine, "checked", "theirs.csv", offered_by="Bob")
    put(any_engine, "checked", "nobody's.csv", offered_by=None)
    mine = put(any_engine, "checked")
    now = datetime.now(UTC)
    assert [job.id for job in jobs.open_jobs(any_engine, Scope(boards), "Ann", now)] == [mine]
    assert jobs.open_jobs(any_engine, Scope(boards), "", now) == []
    assert len(jobs.open_jobs(any_engine, EVERYTHING, "Ann", now)) == 3


@pytest.mark.parametrize("one", STATES)
def test_the_same_bytes_under_way(any_engine: Engine, one: str) -> None:
    put(any_engine, one)
    under_way = one in {"checking", "checked", "waiting", "loading"}
    assert jobs.same_under_way(any_engine, "a.csv".ljust(64, "0")) == under_way
    assert not jobs.same_under_way(any_engine, "b.csv".ljust(64, "0"))


# One worker.


# Of an SQLite file there is one; of PostgreSQL any number, one of which loads.
ONE_AT_A_TIME = pytest.mark.parametrize(
    ("name", "lock"),
    [
        ("sqlite_engine", jobs.workers_lock),
        pytest.param("postgres_engine", jobs.turn, marks=pytest.mark.slow),
    ],
)


@ONE_AT_A_TIME
def test_one_worker_at_a_time(request: pytest.FixtureRequest, name: str, lock: Any) -> None:
    engine: Engine = request.getfixturevalue(name)
    with lock(engine) as first, lock(engine) as second:
        assert first
        assert not second
        # The lock holds up no reader and no writer.
        assert jobs.queue(engine, put(engine, "checked"))
    with lock(engine) as again:
        assert again


@ONE_AT_A_TIME
def test_the_lock_is_let_go_when_the_work_fails(
    request: pytest.FixtureRequest, name: str, lock: Any
) -> None:
    engine: Engine = request.getfixturevalue(name)
    with pytest.raises(ZeroDivisionError), lock(engine):
        raise ZeroDivisionError
    with lock(engine) as mine:
        assert mine


@pytest.mark.slow
def test_several_workers_of_postgres_stand_by(postgres_engine: Engine) -> None:
    with (
        jobs.workers_lock(postgres_engine) as first,
        jobs.workers_lock(postgres_engine) as second,
        jobs.turn(postgres_engine) as ours,
    ):
        assert first
        assert second
        assert ours


@pytest.mark.slow
def test_two_that_take_at_once_take_two_files(postgres_engine: Engine) -> None:
    """What one is about to take the other passes over, and does not wait for."""
    first, second = (put(postgres_engine, "waiting", name) for name in ("a.csv", "b.csv"))
    with postgres_engine.connect() as connection, connection.begin():
        held = select(tables.job.c.id).where(tables.job.c.id == first).with_for_update()
        connection.execute(held)
        assert jobs.take_next(postgres_engine) == second
        assert jobs.take_next(postgres_engine) is None
    assert jobs.take_next(postgres_engine) == first


_HOLD = """
import sys, time
from queries.database import make_engine
from queries import jobs
with getattr(jobs, sys.argv[2])(make_engine(sys.argv[1])) as mine:
    print("mine" if mine else "not mine", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow  # another process
@ONE_AT_A_TIME
def test_a_dead_worker_holds_no_lock(request: pytest.FixtureRequest, name: str, lock: Any) -> None:
    engine: Engine = request.getfixturevalue(name)
    url = engine.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, url, lock.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"mine"
        with lock(engine) as mine:
            assert not mine
        other.kill()
        other.wait()
        # PostgreSQL notices a moment later.
        with lock(engine, wait_seconds=10) as mine:
            assert mine
