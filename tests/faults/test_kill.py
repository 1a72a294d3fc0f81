"""A worker that is killed at any moment: whole loads only, and each of them once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

import pytest
from sqlalchemy import Engine, text

from dashboard import loading
from dashboard.intake.source import Source
from queries import jobs
from queries.load import AlreadyLoadedError
from tests.faults.worker import (
    SMALL,
    offered,
    referrals,
    rows_in,
    start_worker,
    states,
    torn,
)
from tests.intake import files

KILLS = 100
ROWS, LATER_ROWS = 50_000, 30_000


@pytest.fixture(params=["sqlite_engine", "postgres_engine"])
def killed_engine(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.getfixturevalue(request.param)
    return engine


@pytest.mark.slow  # a hundred workers on each database
@pytest.mark.timeout(900)
def test_killed_at_a_hundred_moments(killed_engine: Engine):
    chance = random.Random(1)
    engine, longest = killed_engine, 1.0
    contents = [*SMALL[:3], referrals(ROWS), *SMALL[3:]]
    wanted = [offered(engine, content) for content in contents]
    interrupted, month = 0, 1
    for kill in range(KILLS):
        worker = start_worker(engine)
        # Three in four are killed at work: starting takes long, and there is little to break.
        while kill % 4 and worker.poll() is None and "loading" not in states(engine).values():
            time.sleep(0.01)
        time.sleep(chance.uniform(0, longest))
        worker.kill()
        worker.wait()
        assert torn(engine, thoroughly=kill % 10 == 0) == []
        now = states(engine)
        cut_off = "loading" in now.values()
        interrupted += cut_off
        # How long a load takes on this machine is found on the way.
        longest *= 1.05 if cut_off else 0.9
        # One that would be parked next time is tried again, as somebody would from the page.
        again = [job for job, state in now.items() if state in ("parked", "loading")]
        with engine.begin() as connection:
            connection.execute(text("UPDATE job SET attempts = 0 WHERE state = 'loading'"))
        for job in again:
            jobs.queue(engine, job)
        if set(now.values()) == {"loaded"}:
            month += 1
            wanted.append(offered(engine, referrals(LATER_ROWS, month=1 + month % 12, first=month)))
    assert start_worker(engine).wait(60) == 0
    print(f"{interrupted} of {KILLS} kills cut a load off, {len(wanted)} files")
    assert torn(engine, thoroughly=True) == []
    assert states(engine) == dict.fromkeys(wanted, "loaded")
    assert rows_in(engine)["load"] == len(wanted)
    assert interrupted > KILLS / 4


# Stands for whatever kills a process: it ends when it meets the file of this number.
POISONED = """
import os, runpy
from queries import jobs
pieces = jobs.pieces
jobs.pieces = lambda engine, job: os._exit(9) if job == {job} else pieces(engine, job)
runpy.run_module("dashboard", run_name="__main__")
"""


@pytest.mark.slow  # five processes
def test_a_file_that_stops_its_worker_is_parked_and_the_others_go_on(killed_engine: Engine):
    engine = killed_engine
    before, poison, after = (offered(engine, content) for content in SMALL[:3])
    codes = [
        start_worker(engine, "-c", POISONED.format(job=poison)).wait(60)
        for _ in range(jobs.MOST_ATTEMPTS + 1)
    ]
    assert codes == [9] * jobs.MOST_ATTEMPTS + [0]
    assert states(engine) == {before: "loaded", poison: "parked", after: "loaded"}
    told = jobs.one(engine, poison).message
    assert told
    assert told.startswith("Parked: the worker stopped 3 times while it loaded this file.")
    assert torn(engine) == []
    # What stopped it is mended, and somebody tries again.
    assert jobs.queue(engine, poison)
    assert start_worker(engine).wait(60) == 0
    assert states(engine)[poison] == "loaded"
    assert torn(engine) == []


@pytest.mark.slow  # three processes
def test_of_two_workers_one_stands_back(killed_engine: Engine):
    engine = killed_engine
    wanted = [offered(engine, content) for content in (referrals(20_000), *SMALL)]
    workers = [start_worker(engine) for _ in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    assert states(engine) == dict.fromkeys(wanted, "loaded")
    assert torn(engine) == []


def at_once(engine: Engine, *contents: str) -> Counter[str]:
    """What becomes of files that as many persons load at the same moment."""
    together, became = threading.Barrier(len(contents), timeout=30), Counter[str]()

    def load(content: str) -> None:
        source = Source.of("file.csv", content.encode())
        together.wait()
        try:
            loading.load_now(engine, source, "ann")
        except AlreadyLoadedError as error:
            became[str(error).split(" on ")[0]] += 1
        else:
            became["loaded"] += 1

    threads = [threading.Thread(target=load, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return became


def test_two_files_of_one_dataset_at_once(any_engine: Engine):
    first, second = referrals(300), referrals(200, first=1000)
    assert at_once(any_engine, first, second) == {"loaded": 2}
    assert torn(any_engine) == []
    # The one that came second is in force, whole.
    with any_engine.connect() as connection:
        in_force = connection.execute(
            text(
                "SELECT load_id, sum(row_count) AS rows FROM load_part JOIN load "
                "ON load.id = load_id WHERE replaced_by IS NULL GROUP BY load_id"
            )
        ).all()
        last = connection.execute(text("SELECT max(id) FROM load")).scalar_one()
    assert [row.load_id for row in in_force] == [last]


def test_files_of_several_datasets_at_once(any_engine: Engine):
    assert at_once(any_engine, *SMALL[:4]) == {"loaded": 4}
    assert torn(any_engine) == []


def test_the_same_bytes_at_once_are_loaded_once(any_engine: Engine):
    became = at_once(any_engine, *[files.WORKFORCE] * 3)
    assert became == {"loaded": 1, "Already loaded": 2}
    assert rows_in(any_engine)["load"] == 1
    assert torn(any_engine) == []


def test_the_same_bytes_waiting_twice_are_loaded_once(any_engine: Engine):
    both = [offered(any_engine, files.WORKFORCE) for _ in range(2)]
    assert loading.work(any_engine, until_idle=True, wait=lambda: None)
    assert states(any_engine) == {both[0]: "loaded", both[1]: "unchanged"}
    assert torn(any_engine) == []
