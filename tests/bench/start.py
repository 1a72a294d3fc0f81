"""From `streamlit run` to what it shows: `python -m tests.bench start`.

A first start, on an empty folder, makes the demonstration; later ones find it. Each start has a
browser without anything kept, which opens the page as soon as the port is open. "words" is when the
page's heading is there, "all" when the script has finished and, on Coverage, the map's wards are
drawn. Beside it: an empty page of Streamlit (the limit), and the usual map (`peers/usual.py`), whose
data lies ready in files. Medians of some starts, one after the other, with files already in the
system's memory. Times depend on the machine, so nothing here is asserted. Linux, with Chromium.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from dashboard.settings import settings
from queries.database import make_engine
from tests.bench.__main__ import write_peer_data
from tests.bench.painted import FLAGS
from tests.bench.sessions import machine, markdown, ratio
from tests.conftest import find_chromium
from tests.proxies import free_ports
from tests.served import ROOT, environment

STARTS = 5
LONGEST_MS = 60_000
_HEADING = "h1"
_DRAWN = ".js-plotly-plot .choroplethlayer path"
# The usual map draws on one canvas, and says when it has nothing left to do.
_IDLE = (
    "() => { const c = document.querySelector('.js-plotly-plot'); "
    "const m = c?._fullLayout?.map?._subplot?.map; return !!m && m.loaded() && !m.isMoving(); }"
)
_DONE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


@dataclass(frozen=True)
class Served:
    """A script, where it is opened, and what is there when it is drawn (a selector or an expression)."""

    name: str
    script: str
    path: str = "/"
    drawn: str = ""


EMPTY = Served("an empty Streamlit page", "tests/bench/peers/empty.py")
USUAL = Served("the usual map", "tests/bench/peers/usual.py", drawn=_IDLE)
THIS_WEEK = Served("This week", "dashboard/app.py")
COVERAGE = Served("Coverage with its map", "dashboard/app.py", "/coverage", _DRAWN)


@dataclass(frozen=True)
class Start:
    """Seconds from the command until the port was open, the heading there, and all of the page."""

    port: float
    words: float | None
    all: float


def main(arguments: Sequence[str] = ()) -> None:
    chromium = find_chromium()
    if chromium is None:
        sys.exit("Chromium is not there: `apt-get install chromium`, or set CHROMIUM.")
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        told = []
        for served in (EMPTY, THIS_WEEK, COVERAGE, USUAL):
            if served.script == "dashboard/app.py":
                first = [start(browser, served, folder, f"{served.path[1:]}-{n}") for n in range(2)]
                told.append((f"{served.name}, first start", first))
            if served is USUAL:
                os.environ["DASHBOARD_DATABASE_URL"] = f"sqlite:///{folder}/later.db"
                settings.cache_clear()
                write_peer_data(folder, make_engine(settings().database_url))
            start(browser, served, folder, "later")
            later = [start(browser, served, folder, "later") for _ in range(STARTS)]
            told.append((served.name, later))
        browser.close()
    print(f"\n{table(told)}")


def start(browser: Browser, served: Served, folder: Path, database: str) -> Start:
    """One start on a database of this name, new or there already."""
    (port,) = free_ports(1)
    variables = environment(folder / f"{database}.db")
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(ROOT / served.script)),
        *("--server.port", str(port), "--server.address", "127.0.0.1"),
        *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
        *("--runner.postScriptGC", "false"),
    ]
    began = time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder,
        env=variables | {"BENCH_FOLDER": str(folder), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until_open(port)
        opened = time.monotonic() - began
        page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
        page.set_default_timeout(LONGEST_MS)
        page.goto(f"http://127.0.0.1:{port}{served.path}", wait_until="commit")
        words = None
        if served.script == "dashboard/app.py":
            page.wait_for_selector(_HEADING)
            words = time.monotonic() - began
        page.wait_for_selector(_DONE)
        if served.drawn.startswith("()"):
            page.wait_for_function(served.drawn)
        elif served.drawn:
            page.wait_for_selector(served.drawn, state="attached")
        everything = time.monotonic() - began
        page.context.close()
        return Start(opened, words, everything)
    finally:
        process.kill()
        process.wait(10)


def _until_open(port: int) -> None:
    until = time.monotonic() + LONGEST_MS / 1000
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise RuntimeError(f"expected something on port {port}, found nothing")


def table(told: Sequence[tuple[str, Sequence[Start]]]) -> str:
    """One row per page and kind of start, as Markdown; the first is what the others are measured by."""
    limit = statistics.median(each.all for each in told[0][1])
    lines = []
    for name, starts in told:
        words = [each.words for each in starts if each.words is not None]
        everything = statistics.median(each.all for each in starts)
        lines.append(
            [
                name,
                f"{statistics.median(each.port for each in starts):.1f}",
                f"{statistics.median(words):.1f}" if words else "–",
                f"{everything:.1f}",
                ratio(everything, limit),
            ]
        )
    return markdown(["seconds from the command", "port", "words", "all", "all / empty"], lines)


if __name__ == "__main__":
    main(sys.argv[1:])
