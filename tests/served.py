"""A dashboard served as its users start it: `streamlit run`, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.made_once import HASH_KEY

ROOT = Path(__file__).resolve().parent.parent
# Imports and, on an empty database, the whole demonstration.
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """Where a running dashboard answers, and what it has said so far."""

    url: str
    log: Path
    pid: int

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def serving(
    database: Path,
    folder: Path,
    *options: str,
    port: int = 0,
    also: Mapping[str, str] | None = None,
    ready: str = "/readyz",
) -> Iterator[Server]:
    """`streamlit run dashboard/app.py` from another folder, on a free port, until the block ends;
    `also` are further variables. The block begins when the address `ready` answers 200."""
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"server-{port}.log"
    command = [
        sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py"),
        "--server.port", str(port), "--server.headless", "true", *options,
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(database) | dict(also or {}),
            stdout=output,
            stderr=output,
        )
        server = Server(f"http://127.0.0.1:{port}", log, process.pid)
        try:
            _wait_until_ready(server, process, ready)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
            # Shown with a test that failed, and with no other.
            print(server.said()[-4000:])


def environment(database: Path) -> dict[str, str]:
    """The variables of a dashboard on this database, without this machine's own settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DASHBOARD_", "STREAMLIT_", "PYTEST_")) and name != "PYTHONPATH"
    }
    return kept | {
        "DASHBOARD_DATABASE_URL": f"sqlite:///{database.as_posix()}",
        "DASHBOARD_HASH_KEY": HASH_KEY,
    }


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes], ready: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}: {server.said()}")
        try:
            if httpx.get(f"{server.url}{ready}", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        # It answers at once that it is not ready, and has better to do than that.
        time.sleep(0.1)
    raise RuntimeError(f"the server did not get ready: {server.said()}")
