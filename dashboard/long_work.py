"""Long calculations, each in a process of its own: how far it is, what came of it, and stopping it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from dashboard.long_work_child import TASKS

ROOT = Path(__file__).resolve().parent.parent
MOST_AT_ONCE = 2  # two processors are the least a server has
MOST_KEPT = 20
WAITING = "waiting"
DIED = "ended before it was done: start it again"

State = Literal["none", "running", "done", "cancelled", "failed"]


@dataclass(frozen=True)
class Status:
    """How far a calculation is: `done` of `of` steps, and `words` about the step.

    `seconds` are from when it was asked for to now or to its end; `result` is there when it is
    done, `message` when it failed.
    """

    state: State = "none"
    done: int = 0
    of: int = 0
    words: str = ""
    seconds: float = 0.0
    result: Any = None
    message: str = ""


@dataclass
class _Work:
    status: Status = Status("running", words=WAITING)
    started: float = field(default_factory=time.monotonic)
    process: subprocess.Popen[str] | None = None

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def end(self, state: State, **found: Any) -> None:
        self.status = replace(self.status, state=state, seconds=self.seconds(), **found)


_works: dict[str, _Work] = {}
_lock = threading.Lock()  # held while either of these is read or changed
_places = threading.Semaphore(MOST_AT_ONCE)


def start(key: str, task: str, payload: dict[str, Any]) -> None:
    """Begin a task of `long_work_child.TASKS`, unless this key is under way or done already.

    The key names all that the result depends on. No more than `MOST_AT_ONCE` run; others wait.
    `KeyError` for a task there is not.
    """
    request = json.dumps({"task": TASKS[task], "payload": payload}) + "\n"
    work = _Work()
    with _lock:
        if key in _works and _works[key].status.state in ("running", "done"):
            return
        _works.pop(key, None)
        _works[key] = work  # at the end: the newest
    threading.Thread(target=_run, args=(work, request), daemon=True).start()


def status(key: str) -> Status:
    """How far it is; state `none` where it was never asked for, or is forgotten: of those that
    ended, the `MOST_KEPT` asked for last are kept."""
    with _lock:
        work = _works.get(key)
        if work is None:
            return Status()
        if work.status.state == "running":
            return replace(work.status, seconds=work.seconds())
        return work.status


def cancel(key: str) -> None:
    """End it at once; nothing where it has ended, or was never asked for."""
    with _lock:
        work = _works.get(key)
        if work is not None and work.status.state == "running":
            work.end("cancelled")
            if work.process is not None:
                work.process.kill()


def _run(work: _Work, request: str) -> None:
    """From waiting for a place to the end, whatever that is."""
    with _places:
        try:
            with _lock:
                if work.status.state != "running":
                    return
                work.status = replace(work.status, words="")
                work.process = _child()
            _follow(work, work.process, request)
        finally:
            if work.process is not None:
                work.process.kill()
                work.process.communicate()
            with _lock:
                if work.status.state == "running":
                    work.end("failed", message=DIED)
                _forget()


def _child() -> subprocess.Popen[str]:
    return subprocess.Popen(  # nosec B603 - our own words only
        [sys.executable, "-m", "dashboard.long_work_child"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        # No address of a database, no secret; Windows starts nothing without its own folder.
        env={
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            **{name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ},
        },
    )


def _follow(work: _Work, process: subprocess.Popen[str], request: str) -> None:
    """Send the request, and note what is told until there is no more."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):  # a process that has died already says so by its silence
        process.stdin.write(request)
        process.stdin.flush()
    # Its input stays open: the process ends when that does.
    for line in process.stdout:
        if not line.endswith("\n"):  # it died over it
            return
        told = json.loads(line)
        with _lock:
            if work.status.state != "running":
                return
            if "result" in told:
                work.end("done", result=told["result"])
            elif "message" in told:
                work.end("failed", message=told["message"])
            else:
                work.status = replace(work.status, **told)


def _forget() -> None:
    """Drop what was asked for longest ago of what has ended, down to `MOST_KEPT`."""
    ended = [key for key, work in _works.items() if work.status.state != "running"]
    for key in ended[: max(len(ended) - MOST_KEPT, 0)]:
        del _works[key]
