"""What a rerun of each page costs: `python -m tests.bench pages [--database URL] [--board CODE]`.

One person with a browser of their own goes through the menu. "first ms" is the first visit of a
page since the server started, in the order of the menu: what pages share is there from the one
before. Then the number of months is chosen back and forth, which every page has: both choices have
been seen, so that this is what a warm rerun costs. "ms" is the median until the script has
finished; CPU is the whole server's, a rerun; bytes are what travels over the WebSocket; statements
are what a rerun asks the database, counted in this process, and "SQL ms" how long they took there.
Ratios are to the empty page of Streamlit in the same run; beside it, pages of Streamlit alone with a
menu, boxes and as many parts as ours have, which say nothing.

Times depend on the machine, so nothing here is asserted. At most 2 minutes, Linux only.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, event

from dashboard import demonstration
from dashboard.all_boards import all_boards
from dashboard.data import fetch_shared
from dashboard.filters import newest_as_at
from dashboard.page_list import TITLES
from dashboard.settings import settings
from queries.database import make_engine, upgrade
from queries.scope import EVERYTHING
from tests.app.reading import View, sound
from tests.bench.client import Rerun, Session
from tests.bench.sessions import (
    cpu_seconds,
    load_average,
    machine,
    markdown,
    process,
    ratio,
    wait_until_ready,
)
from tests.made_once import HASH_KEY
from tests.proxies import free_ports
from tests.served import ROOT, environment

BOARD = "QDK"
RERUNS = 20
# What is chosen in turn: every page has this box, at the left.
MONTHS = ("12 months", "24 months")
EMPTY = "an empty Streamlit page"
# What a page of ours has beside its menu and its boxes: the fewest and the most.
PARTS = (30, 60)


@dataclass(frozen=True)
class Cost:
    """What a page costs: milliseconds, bytes and statements of one run, and how long the database had
    those for."""

    page: str
    first_ms: float
    ms: float
    cpu_ms: float
    bytes: float
    statements: int | None
    database_ms: float | None


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench pages", description=__doc__)
    parser.add_argument("--database", help="URL of a database; else the demonstration is made")
    parser.add_argument("--board", default=BOARD, help="code of the board that is looked at")
    given = parser.parse_args(arguments)
    print(machine(), flush=True)
    began = time.monotonic()
    print(f"\n{table(costs_of(given.database, given.board))}")
    print(f"\nThe whole run took {time.monotonic() - began:.0f} s; {load_average()}")


def costs_of(database: str | None, board: str) -> list[Cost]:
    """Of the empty page, of Streamlit's parts and of each page of ours, with this database or with the
    demonstration. Sets the settings of this process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        variables = environment(folder / "bench.db")
        if database:
            variables["DASHBOARD_DATABASE_URL"] = database
        os.environ.update(variables)
        settings.cache_clear()
        if not database:
            engine = make_engine(settings().database_url)
            upgrade(engine)
            demonstration.make(engine, HASH_KEY.encode())
            engine.dispose()
        return [
            of_peer(EMPTY, "empty", variables, folder),
            *(
                of_peer(f"{parts} parts that say nothing", "elements", variables, folder, parts)
                for parts in PARTS
            ),
            *of_pages(variables, folder, board),
        ]


def of_peer(
    name: str, script: str, variables: dict[str, str], folder: Path, parts: int = 0
) -> Cost:
    """A page of Streamlit alone, with the settings that this dashboard has."""
    options = ("--runner.postScriptGC", "false")
    told = variables | {"BENCH_PARTS": str(parts)}
    with serving(f"tests/bench/peers/{script}.py", told, folder, *options) as (port, process_id):
        session = Session(port)
        first = session.rerun()
        session.rerun()
        return _cost(name, process_id, first, lambda _: session.rerun(), (None, None))


def of_pages(variables: dict[str, str], folder: Path, board: str) -> Iterator[Cost]:
    """Each page of the menu, in its order."""
    with serving("dashboard/app.py", variables, folder) as (port, process_id):
        # As the server does by itself after a load: here for the statements, which are counted here.
        fetch_shared(all_boards, EVERYTHING, newest_as_at(), False)
        until_idle(process_id)
        for path, title in TITLES.items():
            session = Session(port)
            first = session.rerun(path, f"icb={board}")

            def again(turn: int, path: str = path, session: Session = session) -> Rerun:
                return session.rerun(path, session.query, months=MONTHS[turn % 2])

            # Both choices, and a page as it is when nothing is new: the last is the first choice.
            for turn in range(3):
                again(turn)
            asked = statements_of_rerun(path, board)
            yield _cost(title, process_id, first, again, asked)
            session.close()


def until_idle(process_id: int) -> None:
    """Until the server has judged every board, which it does where nobody waits for it."""
    before = -1.0
    while (now := cpu_seconds([process_id])) - before > 0.2:
        before = now
        time.sleep(4)


def _cost(
    page: str,
    process_id: int,
    first: Rerun,
    again: Callable[[int], Rerun],
    asked: tuple[int, float] | tuple[None, None],
) -> Cost:
    cpu = cpu_seconds([process_id])
    found = [again(turn) for turn in range(1, RERUNS + 1)]
    return Cost(
        page,
        first.seconds * 1000,
        statistics.median(each.seconds for each in found) * 1000,
        (cpu_seconds([process_id]) - cpu) * 1000 / RERUNS,
        statistics.median(each.bytes for each in found),
        *asked,
    )


def statements_of_rerun(path: str, board: str) -> tuple[int, float]:
    """How many statements a warm rerun of a page sends to the database of the settings, and their
    milliseconds there."""
    view = View.open(path, {"icb": board})
    view.app.run()
    began: list[float] = []
    took: list[float] = []

    def begin(*_of: object) -> None:
        began.append(time.perf_counter())

    def end(*_of: object) -> None:
        took.append(time.perf_counter() - began[-1])

    event.listen(Engine, "before_cursor_execute", begin)
    event.listen(Engine, "after_cursor_execute", end)
    try:
        with counted_statements() as asked:
            view.app.run()
    finally:
        event.remove(Engine, "before_cursor_execute", begin)
        event.remove(Engine, "after_cursor_execute", end)
    sound(view)
    return len(asked), 1000 * sum(took)


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """The statements that any engine of this process sends inside the block, beginnings left out."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@contextmanager
def serving(
    script: str, variables: dict[str, str], folder: Path, *options: str
) -> Iterator[tuple[int, int]]:
    """The port and the process of a script under `streamlit run`."""
    (port,) = free_ports(1)
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(ROOT / script)),
        *("--server.port", str(port), "--server.address", "127.0.0.1"),
        *("--server.headless", "true", "--browser.gatherUsageStats", "false", *options),
    ]
    with process(command, variables, folder) as started:
        ready = "/readyz" if script == "dashboard/app.py" else "/_stcore/health"
        wait_until_ready(f"http://127.0.0.1:{port}{ready}")
        yield port, started.pid


def table(costs: Sequence[Cost]) -> str:
    """One row per page, as Markdown; the first is what the others are measured by."""
    limit = costs[0]
    heads = [
        "warm rerun", "first ms", "ms", "CPU ms", "bytes", "statements", "SQL ms", "ms / empty",
        "CPU / empty",
    ]  # fmt: skip
    lines = [
        [
            cost.page,
            f"{cost.first_ms:,.0f}",
            f"{cost.ms:.1f}",
            f"{cost.cpu_ms:.1f}",
            f"{cost.bytes:,.0f}",
            "–" if cost.statements is None else str(cost.statements),
            "–" if cost.database_ms is None else f"{cost.database_ms:.1f}",
            ratio(cost.ms, limit.ms),
            ratio(cost.cpu_ms, limit.cpu_ms),
        ]
        for cost in costs
    ]
    return markdown(heads, lines)


if __name__ == "__main__":
    main(sys.argv[1:])
