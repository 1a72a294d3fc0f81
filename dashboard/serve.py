"""Several app processes and their workers under one command: started, watched and ended together."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_LOG = logging.getLogger("dashboard.serve")
ROOT = Path(__file__).resolve().parent.parent
LOOK_SECONDS = 0.2
# A child that dies is started again after a pause, which doubles with each death within a minute.
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0
WITHIN_SECONDS = 60.0
# So many deaths of one child within that time are no accident: everything ends, loudly.
MOST_DEATHS = 5
# Longer than a drain: for a script that finishes, and for what a process does at its end.
END_SECONDS = 15.0


@dataclass
class Child:
    """One process of ours: how it is started, and how often it died lately."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)
    start_at: float = 0.0

    def start(self) -> None:
        """Start it, in a group of its own: a key pressed in the terminal is passed on by us alone."""
        self.process = subprocess.Popen(  # noqa: S603  # nosec B603 - our own words only
            self.command, cwd=ROOT, env={**os.environ, **self.environment}, start_new_session=True
        )
        _LOG.info("%s: started as process %d", self.name, self.process.pid)

    def is_running(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal to it, if it is there."""
        if self.process is not None and self.is_running():
            self.process.send_signal(number)

    def look(self, now: float) -> bool:
        """Start it if it is due; whether it can go on. `False` when it died too often."""
        if self.is_running():
            return True
        if self.process is not None:
            self.deaths = [at for at in self.deaths if now - at < WITHIN_SECONDS] + [now]
            code, count = self.process.returncode, len(self.deaths)
            self.process = None
            if count >= MOST_DEATHS:
                _LOG.error(
                    "%s: ended %d times within %g seconds, the last time with code %d. What it said "
                    "stands above; mend that and start again.",
                    self.name,
                    count,
                    WITHIN_SECONDS,
                    code,
                )
                return False
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (count - 1), LONGEST_PAUSE_SECONDS)
            _LOG.warning(
                "%s: ended with code %d; starts again in %g seconds", self.name, code, pause
            )
            self.start_at = now + pause
        if now >= self.start_at:
            self.start()
        return True


def children(
    processes: int, port: int, address: str, workers: int, metrics_port: int = 0
) -> list[Child]:
    """The app processes on `port` and those after it, then the workers.

    Each app process has a port of its own for its metrics too, unless `metrics_port` is 0.
    """
    python = sys.executable
    apps = [
        Child(
            f"app on port {port + number}",
            (
                *(python, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py")),
                *("--server.port", str(port + number), "--server.address", address),
                *("--server.headless", "true"),
            ),
            {"DASHBOARD_METRICS_PORT": str(metrics_port + number)} if metrics_port else {},
        )
        for number in range(processes)
    ]
    # A worker has no metrics of its own to offer, and would take the port of the first process.
    quiet = {"DASHBOARD_METRICS_PORT": "0"} if metrics_port else {}
    return apps + [
        Child(f"worker {number}", (python, "-m", "dashboard", "worker"), quiet)
        for number in range(1, workers + 1)
    ]


def taken_ports(address: str, port: int, processes: int) -> list[int]:
    """Those of the ports that something else listens on."""
    taken = []
    for each in range(port, port + processes):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as probe:
            # As the server itself does: a port that was in use a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, each))
            except OSError:
                taken.append(each)
    return taken


def watch(
    ours: Sequence[Child], drain_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> int:
    """Keep the children running until SIGTERM or SIGINT, then end them; the exit code.

    1 when a child could not be kept running or did not end in time. A second signal ends all at
    once.
    """
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda got, _frame: asked.append(got))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    code = 0
    try:
        while not asked:
            now = time.monotonic()
            if not all(child.look(now) for child in ours):
                code = 1
                break
            sleep(LOOK_SECONDS)
        _LOG.info("Ending: the app processes drain for %g seconds at most", drain_seconds)
        return max(code, _end(ours, drain_seconds, asked, sleep))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(
    ours: Sequence[Child],
    drain_seconds: float,
    asked: Sequence[int],
    sleep: Callable[[float], None],
) -> int:
    signals_so_far = len(asked)
    for child in ours:
        child.signal(signal.SIGTERM)
    until = time.monotonic() + drain_seconds + END_SECONDS
    while any(child.is_running() for child in ours):
        if time.monotonic() > until or len(asked) > signals_so_far:
            late = [child for child in ours if child.is_running()]
            _LOG.error("Killed, since it did not end: %s", ", ".join(each.name for each in late))
            for child in late:
                if child.process is not None:
                    child.process.kill()
                    child.process.wait()
            return 1
        sleep(LOOK_SECONDS)
    return 0


def main(processes: int, port: int, address: str, workers: int) -> int:
    """Serve until told to end; the exit code."""
    from dashboard.settings import settings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    if why := settings().why_not_serve(address):
        _LOG.error(why)
        return 1
    if taken := taken_ports(address, port, processes):
        _LOG.error(
            "Expected the ports %d to %d of %s to be free, found in use: %s. Choose another --port, "
            "or end what listens there.",
            port,
            port + processes - 1,
            address,
            ", ".join(map(str, taken)),
        )
        return 1
    ours = children(processes, port, address, workers, settings().metrics_port)
    return watch(ours, settings().drain_seconds)


if __name__ == "__main__":
    # Written by `python -m dashboard serve`, which has checked them.
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
