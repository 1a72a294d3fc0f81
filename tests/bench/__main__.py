"""Speed of the ward map and its page beside peers, in one run: `python -m tests.bench`.

`python -m tests.bench pages` is of a warm rerun of each page, `sessions` of many people at once,
`start` of the time from the command to a page, `maps` of England's map beside four peers, `reach` of
places within reach, `growth` of what grows with the size, and `england` builds all of England in a
database: see each.

Prints one table. Times depend on the machine, so nothing here is asserted; ratios are what
counts. Needs Chromium for the painted times and says so where there is none.
"""

from __future__ import annotations

import importlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from dashboard import demonstration
from dashboard.coverage import ward_coverage
from dashboard.maps import board_map
from queries.database import make_engine, upgrade
from queries.scope import EVERYTHING
from tests.bench import usual_files
from tests.bench.client import Session
from tests.bench.painted import painted_seconds
from tests.conftest import find_chromium

ROOT = Path(__file__).resolve().parents[2]
BOARD = "QDK"
# The layers that both maps can show, by the words in the select box.
LAYERS = {
    "Provision status": "status",
    "Link workers per 10,000": "fte_per_10k",
    "Take-up rate": "take_up_per_1000",
    "Deprivation, 1 is most deprived": "imd_fifth",
}
ROUNDS = 12


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "bench.db"
        os.environ["DASHBOARD_DATABASE_URL"] = f"sqlite:///{database.as_posix()}"
        engine = make_engine(os.environ["DASHBOARD_DATABASE_URL"])
        upgrade(engine)
        started = time.perf_counter()
        demonstration.make(engine, b"k" * 32)
        print(f"demonstration made in {time.perf_counter() - started:.1f} s")
        write_peer_data(folder, engine)
        pages = {
            "empty Streamlit page (limit)": ("tests/bench/peers/empty.py", ""),
            "the usual way (px.choropleth_map)": ("tests/bench/peers/usual.py", ""),
            "this dashboard": ("dashboard/app.py", "coverage"),
        }
        results = {
            words: measure(ROOT / script, page, folder) for words, (script, page) in pages.items()
        }
    show(results)


def write_peer_data(folder: Path, engine: Engine) -> None:
    """The same wards, values and shapes for the peer, as files it reads once."""
    day = demonstration.DEMONSTRATION_DATE
    frame = ward_coverage(engine, EVERYTHING, BOARD, day).wards.frame
    place = usual_files.Place("the board", board_map(EVERYTHING, BOARD).wards, [frame])
    usual_files.write(folder, LAYERS, [day.isoformat()], [place])


def measure(script: Path, page: str, folder: Path) -> dict[str, float | None]:
    """Median cost of changing the layer: server milliseconds, kilobytes, painted milliseconds."""
    with serving(script, folder) as port:
        session = Session(port)
        session.rerun(page)
        has_layers = "layer" in session.widgets
        first: list[float] = []
        again: list[float] = []
        seconds: list[float] = []
        for turn in range(ROUNDS):
            for words in LAYERS:
                chosen = {"layer": words} if has_layers else {}
                rerun = session.rerun(page, session.query, **chosen)
                seconds.append(rerun.seconds)
                (first if turn == 0 else again).append(rerun.bytes / 1000)
        session.close()
        browser_like = Session(port, quick_acknowledgement=False)
        waits = [browser_like.rerun(page).seconds for _ in range(2 * ROUNDS)]
        browser_like.close()
        painted = None
        if has_layers and (chromium := find_chromium()):
            painted = painted_seconds(chromium, port, list(LAYERS), ROUNDS) * 1000
    # The first round meets caches that are still cold.
    warm = seconds[len(LAYERS) :]
    return {
        "server ms": statistics.median(warm) * 1000,
        "as seen ms": statistics.median(waits[2:]) * 1000,
        "kB, layer new": max(first),
        "kB, layer seen": statistics.median(again),
        "painted ms": painted,
    }


@contextmanager
def serving(script: Path, folder: Path) -> Iterator[int]:
    """The script under `streamlit run` with this project's settings, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Collection after each rerun is off for the peers too: it would be most of their time.
    options = ["--server.port", str(port), "--server.headless", "true"]
    options += ["--runner.postScriptGC", "false", "--browser.gatherUsageStats", "false"]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), *options],
        cwd=folder,
        env={**os.environ, "BENCH_FOLDER": str(folder), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                    break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def show(results: dict[str, dict[str, float | None]]) -> None:
    """The table, with each figure as a ratio of the limit or of the usual way."""
    names = list(next(iter(results.values())))
    print(f"\n{'change of layer, 255 wards':36}" + "".join(f"{name:>16}" for name in names))
    for words, figures in results.items():
        cells = ["–" if (f := figures[name]) is None else f"{f:,.1f}" for name in names]
        print(f"{words:36}" + "".join(f"{cell:>16}" for cell in cells))
    empty, usual, ours = results.values()
    print(f"\nserver time, ours over the empty page: {ratio(ours, empty, 'server ms')}")
    print(f"bytes, ours over the usual way: {ratio(ours, usual, 'kB, layer new')}")
    print(f"painted time, ours over the usual way: {ratio(ours, usual, 'painted ms')}")


def ratio(one: dict[str, float | None], other: dict[str, float | None], name: str) -> str:
    above, below = one[name], other[name]
    return "not measured: no Chromium" if above is None or not below else f"{above / below:.2f}"


# Each is imported when it is asked for.
OTHERS = {
    "sessions": "tests.bench.sessions",
    "pages": "tests.bench.pages",
    "maps": "tests.bench.maps",
    "start": "tests.bench.start",
    "reach": "tests.bench.reach",
    "growth": "tests.bench.growth",
    "england": "tests.bench.england.build",
}

if __name__ == "__main__":
    if other := OTHERS.get("".join(sys.argv[1:2])):
        importlib.import_module(other).main(sys.argv[2:])
    else:
        main()
