"""Reads a file in a process of its own, so that a hostile one costs nothing but that process."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dashboard.intake.known import Known
from dashboard.intake.mapping import Mapping
from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.source import Source

ROOT = Path(__file__).resolve().parents[2]
# The largest published file needs under 500 MB; what is mapped but not used counts as well.
MEMORY_BYTES = 3_000_000_000
CPU_SECONDS = 300
WALL_SECONDS = 600.0
# A block of rows is a few megabytes; whoever claims more is not our reader any more.
LARGEST_MESSAGE = 1_000_000_000


@dataclass(frozen=True)
class Request:
    """What the reading process is told; the bytes of an uploaded file follow it."""

    name: str
    path: Path | None
    known: Known
    dataset: str | None
    mapping: Mapping | None
    is_first_round: bool
    memory_bytes: int
    cpu_seconds: int

    def source(self, requests: BinaryIO) -> Source:
        """The file to read: where it lies, or the rest of what was sent."""
        if self.path is not None:
            return Source.open(self.path)
        return Source.of(self.name, requests.read())


def read(
    source: Source,
    known: Known,
    *,
    dataset: str | None = None,
    mapping: Mapping | None = None,
    is_first_round: bool = False,
    memory_bytes: int = MEMORY_BYTES,
    cpu_seconds: int = CPU_SECONDS,
    wall_seconds: float = WALL_SECONDS,
) -> Iterator[bytes]:
    """The messages of the file, as `staged` has them, while the process writes them.

    In the first round of several files, one that needs lookups says so instead of its rows.
    `RefusedError` when it ends without an answer: out of memory, time, or crashed.
    """
    path = source.sent.resolve() if isinstance(source.sent, Path) else None
    request = Request(
        source.name, path, known, dataset, mapping, is_first_round, memory_bytes, cpu_seconds
    )
    child = subprocess.Popen(  # nosec B603 - our own words only
        [sys.executable, "-m", "dashboard.intake.child"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # What a parser prints may hold a value of the file.
        stderr=subprocess.DEVNULL,
        # No address of a database, no secret; Windows starts nothing without its own folder.
        env={
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            **{name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ},
        },
    )
    assert child.stdin is not None
    assert child.stdout is not None
    feeder = threading.Thread(target=_feed, args=(child.stdin, request, source), daemon=True)
    alarm = threading.Timer(wall_seconds, child.kill)
    try:
        feeder.start()
        alarm.start()
        while length := child.stdout.read(8):
            size = int.from_bytes(length, "big")
            if size > LARGEST_MESSAGE:
                child.kill()
                break
            message = child.stdout.read(size)
            if len(message) < size:
                break
            yield message
        if code := child.wait():
            raise RefusedError(source.name, [Problem(_why(code, alarm))])
    finally:
        alarm.cancel()
        child.kill()
        child.wait()
        feeder.join()
        child.stdout.close()


def _feed(pipe: BinaryIO, request: Request, source: Source) -> None:
    # A process that has seen enough closes its end.
    with suppress(BrokenPipeError), pipe:
        said = pickle.dumps(request)
        pipe.write(len(said).to_bytes(8, "big") + said)
        if request.path is None:
            with source.opened() as file:
                shutil.copyfileobj(file, pipe)


def _why(code: int, alarm: threading.Timer) -> str:
    if not alarm.is_alive() and code < 0:
        return "took too long to read: no known file needs so much time; split it"
    return (
        "could not be read: it needs more memory or time than any known file, or is built to "
        "break what reads it; export it again from where it came, and send a smaller one"
    )
