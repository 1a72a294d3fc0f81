"""Many sessions, sessions that are cut, and processes that end under them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from queries.database import make_engine
from tests.faults.person import Person, Shown, look
from tests.faults.tcp import line_to, to_port
from tests.faults.worker import offered, referrals, rows_in, start_worker, states, torn
from tests.served import ROOT, Server, free_port, serving
from tests.small_board import Board

pytestmark = [pytest.mark.slow, pytest.mark.timeout(580)]

SESSIONS = 50
CUTS = 40
BATCH, BATCHES = 50, 10
# What a process may have more after the last batch than when it was warm.
GROWTH = 0.15
BURST, BURST_SECONDS = 100, 5.0


@pytest.fixture
def board(tmp_path: Path, upgraded_file: Path) -> Path:
    path = tmp_path / "board.db"
    shutil.copy(upgraded_file, path)
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    Board().save(engine)
    engine.dispose()
    return path


@pytest.fixture
def dashboard(board: Path, tmp_path: Path) -> Iterator[tuple[Server, int, int]]:
    """A dashboard, its port, and the port of its metrics."""
    metrics = free_port()
    with serving(
        board, tmp_path / "served", also={"DASHBOARD_METRICS_PORT": str(metrics)}
    ) as server:
        yield server, int(server.url.rsplit(":", 1)[1]), metrics


def open_sessions(metrics: int) -> int:
    said = httpx.get(f"http://127.0.0.1:{metrics}/metrics", timeout=20).text
    found = re.search(r"^dashboard_open_sessions(?:\{\})? (\S+)$", said, re.MULTILINE)
    assert found, said
    return int(float(found[1]))


def assert_well(shown: Shown) -> None:
    assert not shown.faults
    assert shown.elements > 10


def visited(port: int) -> Person:
    person = Person(port)
    assert_well(person.looks())
    return person


def left_of(pids: set[int]) -> set[int]:
    """Those that still run, or are dead and nobody's."""
    return {pid for pid in pids if psutil.pid_exists(pid)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ended_under_fifty_sessions(
    board: Path, tmp_path: Path, number: signal.Signals, read_here: None
):
    """With a load under way, whose worker goes the same way."""
    engine, port = make_engine(f"sqlite:///{board.as_posix()}"), free_port()
    before, as_it_was = rows_in(engine), torn(engine, thoroughly=True)
    job = offered(engine, referrals(40_000))
    also = {"DASHBOARD_DRAIN_SECONDS": "2"}
    folder = tmp_path / "served"
    with serving(board, folder, port=port, also=also) as server:
        with ThreadPoolExecutor(8) as threads:
            people = list(threads.map(visited, [port] * SESSIONS))
        worker = start_worker(engine)
        while states(engine)[job] == "waiting":
            time.sleep(0.02)
        app = psutil.Process(server.pid)
        ours = {server.pid, worker.pid} | {
            child.pid for each in (app, psutil.Process(worker.pid)) for child in each.children(True)
        }
        began = time.monotonic()
        for pid in (worker.pid, server.pid):
            os.kill(pid, number)
        worker.wait(20)
        app.wait(30)
        print(
            f"{number.name}: {len(people)} sessions, ended after {time.monotonic() - began:.1f} s"
        )
        assert torn(engine, thoroughly=True) == as_it_was
        assert rows_in(engine) == before or states(engine)[job] == "loaded"
        until = time.monotonic() + 20
        while left_of(ours - {server.pid}) and time.monotonic() < until:
            time.sleep(0.1)
        assert left_of(ours - {server.pid}) == set()
        for each in people:
            each.close()
        began = time.monotonic()
        with serving(board, folder, port=port, also=also):
            print(f"ready again on the same port after {time.monotonic() - began:.1f} s")
            with ThreadPoolExecutor(8) as threads:
                for person in threads.map(visited, [port] * 10):
                    person.close()
    assert start_worker(engine).wait(60) == 0
    assert states(engine)[job] == "loaded"
    assert rows_in(engine)["referral"] == before.get("referral", 0) + 40_000
    assert torn(engine, thoroughly=True) == as_it_was
    engine.dispose()


# A reader of files that is busy, under a process that will be killed.
_READS = """
import sys, threading
from dashboard.intake import sandbox
from dashboard.intake.known import Known
from dashboard.intake.source import Source
from tests.faults.worker import referrals
import psutil
source = Source.of("file.csv", referrals(400_000).encode())
import inspect
def read():
    for _ in sandbox.read(source, KNOWN):
        pass
from queries.database import make_engine
from dashboard import intake
KNOWN = intake.known_so_far(make_engine(sys.argv[1]), b"k" * 32)
threading.Thread(target=read, daemon=True).start()
me = psutil.Process()
while not (found := me.children()):
    pass
print(found[0].pid, flush=True)
sys.stdin.read()
"""


def test_a_reader_of_files_goes_with_its_process(board: Path):
    with subprocess.Popen(
        [sys.executable, "-c", _READS, f"sqlite:///{board.as_posix()}"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        time.sleep(1)
        assert child.is_running()
        parent.kill()
        parent.wait()
        began = time.monotonic()
        while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() - began < 60
            time.sleep(0.1)
        print(f"gone after {time.monotonic() - began:.1f} s")


def test_cut_again_and_again(dashboard: tuple[Server, int, int]):
    """A browser on a bad line: each time it comes back it is the same session, not one more."""
    _, port, metrics = dashboard
    with line_to(to_port(port)) as line:
        person = Person(line.port)
        assert_well(person.looks())
        first, same = person.session_id, 0
        assert first
        for _ in range(CUTS):
            line.cut()
            # The server has to notice; a browser takes longer.
            time.sleep(0.2)
            person = Person(line.port, session_id=person.session_id)
            assert_well(person.looks())
            same += person.session_id == first
        assert same == CUTS
        assert open_sessions(metrics) == 1
        person.close()
    until = time.monotonic() + 20
    while open_sessions(metrics) and time.monotonic() < until:
        time.sleep(0.2)
    assert open_sessions(metrics) == 0


def test_five_hundred_sessions_one_after_the_other(dashboard: tuple[Server, int, int]):
    """Memory is flat once as many sessions were seen as Streamlit keeps for who may come back (128)."""
    server, port, metrics = dashboard
    process, used = psutil.Process(server.pid), []
    for _ in range(BATCHES):
        with ThreadPoolExecutor(6) as threads:
            people = list(threads.map(visited, [port] * BATCH))
        for person in people:
            person.close()
        until = time.monotonic() + 30
        while open_sessions(metrics) and time.monotonic() < until:
            time.sleep(0.2)
        assert open_sessions(metrics) == 0
        used.append(process.memory_info().rss / 1e6)
    print("MB after each batch of", BATCH, ":", [round(each) for each in used])
    warm = used[-(-128 // BATCH)]
    assert used[-1] < warm * (1 + GROWTH)


def test_a_hundred_in_five_seconds(dashboard: tuple[Server, int, int]):
    """Each gets a page, none a fault; how long it takes is told, not judged."""
    server, port, metrics = dashboard
    began = time.monotonic()

    def comes(number: int) -> tuple[Shown, float]:
        time.sleep(max(0.0, began + number * BURST_SECONDS / BURST - time.monotonic()))
        here = time.monotonic()
        return look(port), time.monotonic() - here

    with ThreadPoolExecutor(BURST) as threads:
        found = list(threads.map(comes, range(BURST)))
    for shown, _ in found:
        assert_well(shown)
    seconds = sorted(each for _, each in found)
    marks = {
        f"{share}%": round(seconds[int(len(seconds) * share / 100)], 1) for share in (5, 50, 95)
    }
    print(f"a page after {marks}, the last after {seconds[-1]:.1f} s")
    assert httpx.get(f"{server.url}/readyz", timeout=20).status_code == 200
    until = time.monotonic() + 30
    while open_sessions(metrics) and time.monotonic() < until:
        time.sleep(0.2)
    assert open_sessions(metrics) == 0
