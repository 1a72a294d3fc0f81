"""Long calculations in a process of their own: how far they are, their end, and their bounds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard import long_work
from dashboard.long_work import DIED, WAITING, Status, cancel, start, status
from dashboard.long_work_child import MEMORY_BYTES, TASKS, TOO_LARGE

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 30
Tell = Callable[[int, int, str], None]


# Tasks, done by the child.


def total(payload: dict[str, Any], tell: Tell) -> dict[str, Any]:
    tell(1, 2, "ŵ")
    print("what a solver prints")
    os.write(1, b"what a solver written in C prints\n")
    return {"total": sum(payload["numbers"]), "environment": dict(os.environ)}


def never_ends(payload: dict[str, Any], tell: Tell) -> dict[str, Any]:
    tell(3, 7, str(os.getpid()))
    while True:
        time.sleep(60)


def never_listens(payload: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Works without a pause, as a solver does."""
    tell(3, 7, str(os.getpid()))
    while True:
        pass


def goes_wrong(payload: dict[str, Any], tell: Tell) -> dict[str, Any]:
    raise ValueError(payload["number"])


def dies(payload: dict[str, Any], tell: Tell) -> dict[str, Any]:
    tell(1, 2, "half")
    os._exit(0)


def takes(payload: dict[str, Any], tell: Tell) -> dict[str, Any]:
    return {"length": len(bytearray(payload["bytes"]))}


def no_json(payload: dict[str, Any], tell: Tell) -> dict[str, Any]:
    return {"a": object()}


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for task in (total, never_ends, never_listens, goes_wrong, dies, takes, no_json):
        monkeypatch.setitem(TASKS, task.__name__, f"tests.test_long_work:{task.__name__}")
    threads = threading.active_count()
    yield
    for key in list(long_work._works):
        cancel(key)
    while threading.active_count() > threads:
        time.sleep(0.01)
    long_work._works.clear()


def until(key: str, holds: Callable[[Status], bool]) -> Status:
    for _ in range(PATIENCE_SECONDS * 50):
        found = status(key)
        if holds(found):
            return found
        time.sleep(0.02)
    raise AssertionError(f"still {found}")


def ended(key: str) -> Status:
    return until(key, lambda found: found.state != "running")


def child_of(key: str) -> int:
    """The number of its process, once it is at work."""
    return int(until(key, lambda found: found.of == 7).words)


def is_gone(process: int) -> bool:
    for _ in range(PATIENCE_SECONDS * 50):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_never_asked_for() -> None:
    assert status("a") == Status("none", 0, 0, "", 0.0, None, "")
    cancel("a")
    assert status("a").state == "none"


def test_a_result_and_nothing_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_HASH_KEY", "a secret")
    start("a", "total", {"numbers": [1, 2.5]})
    found = ended("a")
    environment = found.result.pop("environment")
    assert {name for name in environment if name.startswith("DASHBOARD")} == set()
    assert found == Status("done", 1, 2, "ŵ", found.seconds, {"total": 3.5}, "")
    assert 0 < found.seconds < PATIENCE_SECONDS
    assert status("a").seconds == found.seconds


def test_how_far_it_is() -> None:
    start("a", "never_ends", {})
    assert status("a").state == "running"
    process = child_of("a")
    assert status("a").done == 3
    before = status("a").seconds
    time.sleep(0.01)
    assert status("a").seconds > before
    os.kill(process, 0)


@pytest.mark.parametrize("task", ["never_ends", "never_listens"])
def test_cancelled_at_once(task: str) -> None:
    start("a", task, {})
    process = child_of("a")
    cancel("a")
    found = status("a")
    assert (found.state, found.done, found.of) == ("cancelled", 3, 7)
    assert is_gone(process)
    time.sleep(0.1)
    assert status("a") == found
    cancel("a")  # once more does nothing
    assert status("a") == found


@pytest.mark.slow
def test_cancelled_or_failed_can_be_started_again() -> None:
    start("a", "never_ends", {})
    cancel("a")
    start("a", "dies", {})
    assert ended("a").state == "failed"
    start("a", "total", {"numbers": [1]})
    assert ended("a").state == "done"


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_one_that_dies_says_so(times: int) -> None:
    for _ in range(times):
        start("a", "dies", {})
        found = ended("a")
        assert found == Status("failed", 1, 2, "half", found.seconds, None, DIED)


def test_killed_from_outside() -> None:
    start("a", "never_ends", {})
    os.kill(child_of("a"), signal.SIGKILL)
    assert (ended("a").state, status("a").message) == ("failed", DIED)


@pytest.mark.parametrize("task", ["goes_wrong", "no_json"])
def test_one_that_goes_wrong_tells_no_number(task: str, capfd: pytest.CaptureFixture[str]) -> None:
    start("a", task, {"number": "17 people"})
    found = ended("a")
    assert (found.state, found.result) == ("failed", None)
    assert found.message.startswith("could not be worked out (error ")
    error_id = found.message.split("(error ")[1].split(")")[0]
    logged = capfd.readouterr().err
    assert error_id in logged
    assert "17 people" not in logged


def test_a_task_nobody_knows() -> None:
    with pytest.raises(KeyError):
        start("a", "os:system", {})
    assert status("a").state == "none"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="others do not bound memory")
def test_memory_is_bounded() -> None:
    start("little", "takes", {"bytes": 1_000_000_000})
    start("much", "takes", {"bytes": MEMORY_BYTES})
    assert ended("little").result == {"length": 1_000_000_000}
    found = ended("much")
    assert found == Status("failed", seconds=found.seconds, message=TOO_LARGE)


@pytest.mark.slow
def test_a_large_payload() -> None:
    start("a", "total", {"numbers": [1] * 1_000_000})
    assert ended("a").result["total"] == 1_000_000


def test_callers_at_the_same_time_share_one() -> None:
    before, ready = threading.active_count(), threading.Barrier(8)

    def call() -> None:
        ready.wait()
        start("a", "never_ends", {})

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert threading.active_count() == before + 1
    process = child_of("a")
    start("a", "total", {"numbers": [1]})
    assert child_of("a") == process


def test_done_is_not_done_again() -> None:
    start("a", "total", {"numbers": [1]})
    first = ended("a")
    start("a", "total", {"numbers": [2]})
    assert status("a") == first


@pytest.mark.slow
def test_two_at_once_and_the_others_wait() -> None:
    for key in "abcd":
        start(key, "never_ends", {})
    until("a", lambda _: sum(status(key).of == 7 for key in "abcd") == 2)
    at_work = [key for key in "abcd" if status(key).of == 7]
    waiting = [key for key in "abcd" if key not in at_work]
    assert [(status(key).state, status(key).words) for key in waiting] == [
        ("running", WAITING),
        ("running", WAITING),
    ]
    cancel(waiting[0])  # before it ever began
    cancel(at_work[0])
    assert child_of(waiting[1])
    assert [status(key).state for key in (waiting[0], at_work[0])] == ["cancelled", "cancelled"]
    assert status(waiting[0]).words == WAITING


@pytest.mark.slow
def test_those_asked_for_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_work, "MOST_KEPT", 2)
    start("under way", "never_ends", {})
    for key in "abc":
        start(key, "total", {"numbers": [1]})
        assert ended(key).state == "done"
    until("a", lambda found: found.state == "none")
    assert [status(key).state for key in ("under way", "b", "c")] == ["running", "done", "done"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
@pytest.mark.parametrize("task", ["never_ends", "never_listens"])
def test_gone_with_whoever_started_it(task: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, task], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    process = int(parent.stdout.readline())
    os.kill(process, 0)
    parent.kill()
    parent.communicate()
    assert is_gone(process)


PARENT = """
import sys, time
from dashboard import long_work
from dashboard.long_work_child import TASKS
task = sys.argv[1]
TASKS[task] = f"tests.test_long_work:{task}"
long_work.start("a", task, {})
while long_work.status("a").of == 0:
    time.sleep(0.02)
print(long_work.status("a").words, flush=True)
time.sleep(60)
"""
