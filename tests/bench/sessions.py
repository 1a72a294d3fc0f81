"""Many people at once on Coverage and This week: `python -m tests.bench sessions [--short]`.

Each session clicks about every 10 seconds (a single one without pause): another layer, ward or
locality, or the other page; over a WebSocket of its own, with what a browser keeps, sends back and
fetches. Beside it in the same run: the same pages as they are usually written in Streamlit
(`peers/board.py`), as they come and with the collection of garbage after each run switched off, as
this dashboard has it. A row per number of sessions; those of one configuration are one server, to
which more and more people come.

"p50" and so on are from a click until the script has finished, after somebody has opened every
locality once (what that took stands in the last table); "with files" until what the page then
names is fetched too, which in the usual page is part of the run. A click that is not answered within
60 s is an error and counts as 60 s. Memory is what the processes have more than before anybody came,
a session; CPU is of one core. The visitors run on the same machine, and their own share of a core is
in the last column. Times depend on the machine, so nothing here is asserted; ratios of one run are
what counts. At most 12 minutes (with `--short` 2 to 3), Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import platform
import random
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pandas as pd
import streamlit
from sqlalchemy import Engine

from dashboard import demonstration
from dashboard.access import hashed
from dashboard.coverage import ward_coverage
from dashboard.coverage_words import LAYERS
from dashboard.filters import Area
from dashboard.gate import COOKIE
from dashboard.maps import board_map
from dashboard.meeting_pack import choices_of
from dashboard.seen import seen
from dashboard.settings import settings
from dashboard.this_week import this_week
from queries import people
from queries.database import make_engine, upgrade, writing
from queries.people import Grant
from queries.scope import EVERYTHING
from tests.bench.visitor import Click, Visitor
from tests.made_once import HASH_KEY
from tests.proxies import free_ports, proxy
from tests.served import ROOT, environment

BOARD = "QDK"
THINK_SECONDS = 10.0
# So long is measured with so many sessions. A single one does not pause: fewer clicks are no figure.
FULL = {1: 10.0, 10: 25.0, 50: 20.0, 100: 25.0}
SHORT = {1: 5.0, 10: 8.0, 50: 10.0}
ALONE_THINK_SECONDS = 0.3
# People come a few at a time.
AT_ONCE = 4
START_SECONDS = 60.0
# The whole run: no configuration begins after the first, and none goes on after the second.
LAST_START_SECONDS, LAST_END_SECONDS = 570.0, 700.0
SECRET = "s" * 32
TEAM = {
    "DASHBOARD_SIGN_IN": "oidc",
    "DASHBOARD_OIDC_METADATA_URL": "https://login.example/.well-known/openid-configuration",
    "DASHBOARD_OIDC_CLIENT_ID": "board",
    "DASHBOARD_OIDC_CLIENT_SECRET": SECRET,
    "DASHBOARD_COOKIE_SECRET": SECRET,
    "DASHBOARD_PUBLIC_ADDRESS": "https://board.example.nhs.uk",
}


@dataclass(frozen=True)
class Configuration:
    """What is served: the dashboard, or the usual page with options of Streamlit; `beside` is the
    configuration in whose terms it is told too."""

    name: str
    is_ours: bool
    processes: int = 1
    sign_in: bool = False
    behind_proxy: bool = False
    options: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


NO_COLLECTION = ("--runner.postScriptGC", "false")
USUAL, USUAL_FASTER = "usual page", "usual page, no collection"
OURS, SIGNED_IN, TWO = "this dashboard", "with sign-in", "with sign-in, 2 processes"
CONFIGURATIONS = (
    Configuration(OURS, True, beside=(USUAL, USUAL_FASTER)),
    Configuration(USUAL_FASTER, False, options=NO_COLLECTION),
    Configuration(SIGNED_IN, True, sign_in=True, beside=(OURS, USUAL_FASTER)),
    Configuration(
        TWO, True, 2, sign_in=True, behind_proxy=True, beside=(SIGNED_IN, "usual page, 2 processes")
    ),
    Configuration(USUAL, False),
    Configuration("usual page, 2 processes", False, 2, options=NO_COLLECTION),
)
IN_SHORT = (OURS, USUAL_FASTER, SIGNED_IN)


@dataclass(frozen=True)
class Row:
    """One configuration under so many sessions. Seconds, but for `mb_a_session`; CPU seconds of the
    processes and of the visitors during `measured_seconds`."""

    configuration: str
    sessions: int
    window_seconds: float
    measured_seconds: float
    clicks: Sequence[Click]
    finished_in_window: int
    cpu_seconds: float
    own_cpu_seconds: float
    mb_a_session: float
    # Of the visit that opened every locality for the first time since the server was started.
    first_clicks: Sequence[Click] = ()

    @property
    def errors(self) -> int:
        return sum(click.error != "" for click in self.clicks)

    @property
    def reruns_a_second(self) -> float:
        return self.finished_in_window / self.window_seconds

    @property
    def cpu_ms_a_rerun(self) -> float:
        return self.cpu_seconds * 1000 / len(self.clicks) if self.clicks else math.nan

    def milliseconds(self, share: float, kind: str = "", *, with_files: bool = False) -> float:
        """So many of the clicks (of one kind) took no longer; nan where there was none."""
        return 1000 * percentile(
            [
                click.seconds_with_files if with_files else click.seconds
                for click in self.clicks
                if kind in ("", click.kind)
            ],
            share,
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share (0-1) of them do not exceed; nan of none."""
    if not values:
        return math.nan
    # A hair less: 0.95 times 20 is 19, and not the next number above it.
    return sorted(values)[max(0, math.ceil(share * len(values) - 1e-9) - 1)]


def ratio(one: float, other: float) -> str:
    """How many times the other the one is; a dash where that cannot be said."""
    is_known = math.isfinite(one) and math.isfinite(other) and other > 0
    return f"{one / other:.2f}" if is_known else "–"


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench sessions", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a look, within 2 to 3 minutes")
    parser.add_argument(
        "--sessions", type=int, nargs="+", help="these numbers of sessions, each more than the last"
    )
    given = parser.parse_args(arguments)
    stages = SHORT if given.short else FULL
    if given.sessions:
        longest = max(stages.values())
        stages = {count: stages.get(count, longest) for count in sorted(set(given.sessions))}
    # Whoever ends this ends what it has started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(machine(), flush=True)
    began, rows = time.monotonic(), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Each process is visited once before, too.
        tokens = prepare(folder, max(2, *stages))
        for chosen in CONFIGURATIONS:
            if given.short and chosen.name not in IN_SHORT:
                continue
            if time.monotonic() - began > LAST_START_SECONDS:
                print(f"left out for want of time: {chosen.name}", flush=True)
                continue
            started = time.monotonic()
            try:
                rows += measure(chosen, folder, tokens, stages, began + LAST_END_SECONDS - started)
            except TimeoutError:
                print(f"given up for want of time: {chosen.name}", flush=True)
                continue
            print(f"{chosen.name}: {time.monotonic() - started:.0f} s", flush=True)
    print(f"\n{table(rows)}\n\n{ratios(rows)}\n\n{by_kind(rows)}")
    print(f"\nThe whole run took {time.monotonic() - began:.0f} s; {load_average()}")


def machine() -> str:
    """Which machine this is, and how busy it was before."""
    found = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in found if "model name" in line), "unknown")
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"{os.cpu_count()} cores of {model}, {gigabytes:.0f} GB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, Streamlit "
        f"{streamlit.__version__}; {load_average()}"
    )


def load_average() -> str:
    return f"load average of the last minute {os.getloadavg()[0]:.1f}"


def prepare(folder: Path, sessions: int) -> list[str]:
    """The demonstration with the tables of the usual page, and so many people who are signed in; what
    their browsers keep."""
    os.environ.update(environment(folder / "bench.db"))
    # Read when something was imported.
    settings.cache_clear()
    engine = make_engine(settings().database_url)
    upgrade(engine)
    demonstration.make(engine, HASH_KEY.encode())
    write_peer_data(folder, engine)
    now, tokens = datetime.now(UTC), [f"token-{number}" for number in range(sessions)]
    for token in tokens:
        number = people.person_named(engine, "bench", token, now)
        with writing(engine) as connection:
            people.give(connection, Grant("analyst", "icb", BOARD), "bench", now, person_id=number)
        people.sign_in(engine, hashed(token), "bench", token, f"Person {number}", [], now)
    engine.dispose()
    return tokens


def write_peer_data(folder: Path, engine: Engine) -> None:
    """What the usual page reads: the same rows in tables of the same file, and the same shapes."""
    as_at = demonstration.DEMONSTRATION_DATE
    choices = choices_of(engine, EVERYTHING, Area(BOARD, as_at))
    assert choices is not None
    changed = this_week(engine, EVERYTHING, choices, "2026-06-23")
    assert changed is not None
    tables = seen(engine, EVERYTHING, BOARD, as_at, False).tables
    changes = [
        {"name": ", ".join(each.names), "kind": str(each.kind), "was": each.was, "now": each.now}
        for each in changed.told
    ]
    with engine.execution_options(writes=True).begin() as connection:
        for name, frame in {
            "peer_ward": ward_coverage(engine, EVERYTHING, BOARD, as_at).wards.frame,
            "peer_change": pd.DataFrame(changes),
            "peer_service": tables["services"],
            "peer_network": tables["networks"],
        }.items():
            frame.to_sql(name, connection, index=False)
    layers = {layer.title: layer.column or "status" for layer in LAYERS.values()}
    shapes = board_map(EVERYTHING, BOARD).wards
    (folder / "layers.json").write_text(json.dumps(layers), encoding="utf-8")
    (folder / "shapes.json").write_bytes(shapes.body)
    (folder / "bounds.json").write_text(json.dumps(shapes.bounds), encoding="utf-8")


def measure(
    chosen: Configuration,
    folder: Path,
    tokens: Sequence[str],
    stages: dict[int, float],
    at_most_seconds: float,
) -> list[Row]:
    """A row for each number of sessions; `TimeoutError` when it takes too long."""

    async def in_time() -> list[Row]:
        async with asyncio.timeout(at_most_seconds):
            return await _measure(chosen, addresses, straight, process_ids, tokens, stages)

    with serving(chosen, folder) as (addresses, straight, process_ids):
        return asyncio.run(in_time())


async def _measure(
    chosen: Configuration,
    addresses: Sequence[str],
    straight: Sequence[str],
    process_ids: Sequence[int],
    tokens: Sequence[str],
    stages: dict[int, float],
) -> list[Row]:
    tls = None
    if addresses[0].startswith("https"):
        # Made for this run, by itself.
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    visitors = [
        Visitor(
            addresses[number % len(addresses)],
            {COOKIE: token} if chosen.sign_in else {},
            random.Random(number),
            tls,
        )
        for number, token in enumerate(tokens)
    ]
    first_clicks = [
        click
        for number, address in enumerate(straight)
        for click in await warm(
            Visitor(address, visitors[number].cookies, random.Random(number), page="Coverage")
        )
    ]
    before, rows, here = memory(process_ids), [], 0
    one_at_a_time = asyncio.Semaphore(AT_ONCE)

    async def come(visitor: Visitor) -> None:
        async with one_at_a_time:
            await visitor.open()

    try:
        for count, seconds in stages.items():
            await asyncio.gather(*(come(each) for each in visitors[here:count]))
            here = count
            row = await _stage(chosen.name, visitors[:count], process_ids, seconds, before)
            rows.append(replace(row, first_clicks=first_clicks))
    finally:
        await asyncio.gather(*(each.close() for each in visitors[:here]), return_exceptions=True)
    return rows


async def warm(visitor: Visitor) -> list[Click]:
    """Every locality on both pages, and every kind of click: what a process keeps for everybody is
    there then. The first clicks of each kind in each locality."""
    clicks: list[Click] = []
    await visitor.open()
    for locality in visitor.offered("locality")[::-1]:
        if clicks:
            clicks.append(await visitor.click("locality", locality))
        for kind in ("layer", "ward", "This week", "Coverage"):
            clicks.append(await visitor.click(kind))
    await visitor.close()
    for click in clicks:
        if click.error:
            raise RuntimeError(
                f"expected pages that can be measured, found {click.error} ({click.kind})"
            )
    return clicks


async def _stage(
    name: str,
    visitors: Sequence[Visitor],
    process_ids: Sequence[int],
    seconds: float,
    before: float,
) -> Row:
    think = THINK_SECONDS if len(visitors) > 1 else ALONE_THINK_SECONDS
    clicks: list[Click] = []
    cpu, own, began = cpu_seconds(process_ids), time.process_time(), time.monotonic()
    until = began + seconds

    async def in_time() -> int:
        await asyncio.sleep(seconds)
        return len(clicks)

    finished = asyncio.create_task(in_time())
    await asyncio.gather(*(each.visit(think, until, clicks) for each in visitors))
    return Row(
        configuration=name,
        sessions=len(visitors),
        window_seconds=seconds,
        measured_seconds=time.monotonic() - began,
        clicks=clicks,
        finished_in_window=await finished,
        cpu_seconds=cpu_seconds(process_ids) - cpu,
        own_cpu_seconds=time.process_time() - own,
        mb_a_session=(memory(process_ids) - before) / len(visitors),
    )


def memory(process_ids: Sequence[int]) -> float:
    """Megabytes that these processes hold in memory."""
    pages = sum(
        int(Path(f"/proc/{number}/statm").read_text(encoding="utf-8").split()[1])
        for number in process_ids
    )
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds(process_ids: Sequence[int]) -> float:
    """Seconds of CPU that these processes have used."""
    ticks = 0
    for number in process_ids:
        # The name may hold blanks and brackets: what counts comes after the last.
        told = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(
    chosen: Configuration, folder: Path
) -> Iterator[tuple[list[str], list[str], list[int]]]:
    """The addresses to which people go, one after the other; those of the processes themselves; and
    the numbers of the processes."""
    first, second, front, plain = free_ports(4)
    ports = [first, second][: chosen.processes]
    script = "dashboard/app.py" if chosen.is_ours else "tests/bench/peers/board.py"
    variables = environment(folder / "bench.db") | {"BENCH_FOLDER": str(folder)}
    variables |= TEAM if chosen.sign_in else {}
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                process(
                    [
                        *(sys.executable, "-m", "streamlit", "run", str(ROOT / script)),
                        *("--server.port", str(port), "--server.address", "127.0.0.1"),
                        *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
                        *chosen.options,
                    ],
                    variables,
                    # The settings of this project are not those of the usual page.
                    folder,
                )
            )
            for port in ports
        ]
        addresses = straight = [f"http://127.0.0.1:{port}" for port in ports]
        for address in straight:
            wait_until_ready(address + ("/readyz" if chosen.is_ours else "/_stcore/health"))
        if chosen.behind_proxy and shutil.which("haproxy", path="/usr/sbin:/usr/bin"):
            before = stack.enter_context(proxy("haproxy", folder / "proxy", front, plain, ports))
            wait_until_ready(f"{before.url}/healthz")
            addresses = [before.url]
        yield addresses, straight, [each.pid for each in started]


@contextmanager
def process(
    command: Sequence[str], variables: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=folder, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        # Not SIGTERM, at which the dashboard waits for its sessions.
        process.kill()
        process.wait(10)


def wait_until_ready(url: str) -> None:
    """Until it answers 200; `RuntimeError` when it takes too long."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            if httpx.get(url, timeout=5, verify=False, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"expected an answer of {url} within {START_SECONDS:.0f} s, found none")


def table(rows: Sequence[Row]) -> str:
    """One row per configuration and number of sessions, as Markdown."""
    lines = [
        [
            row.configuration,
            str(row.sessions),
            str(len(row.clicks)),
            f"{row.reruns_a_second:.1f}",
            *(f"{row.milliseconds(share):,.0f}" for share in (0.5, 0.95, 0.99)),
            f"{row.milliseconds(0.95, with_files=True):,.0f}",
            str(row.errors),
            f"{row.mb_a_session:.2f}",
            f"{row.cpu_ms_a_rerun:.0f}",
            f"{100 * row.cpu_seconds / row.measured_seconds:.0f}%",
            f"{100 * row.own_cpu_seconds / row.measured_seconds:.0f}%",
        ]
        for row in rows
    ]
    heads = [
        "", "sessions", "clicks", "reruns/s", "p50 ms", "p95 ms", "p99 ms", "p95 with files ms",
        "errors", "MB a session", "CPU ms a rerun", "CPU", "visitors' CPU",
    ]  # fmt: skip
    return markdown(heads, lines)


def ratios(rows: Sequence[Row]) -> str:
    """Each configuration over those beside which it stands, at the same number of sessions."""
    found = {(row.configuration, row.sessions): row for row in rows}
    lines = []
    for chosen in CONFIGURATIONS:
        for other in chosen.beside:
            for count in sorted({row.sessions for row in rows}):
                one, two = found.get((chosen.name, count)), found.get((other, count))
                if one and two:
                    lines.append(
                        [
                            f"{chosen.name} / {other}",
                            str(count),
                            *(
                                ratio(one.milliseconds(share), two.milliseconds(share))
                                for share in (0.5, 0.95)
                            ),
                            ratio(one.mb_a_session, two.mb_a_session),
                            ratio(one.cpu_ms_a_rerun, two.cpu_ms_a_rerun),
                        ]
                    )
    return markdown(["ratio", "sessions", "p50", "p95", "MB a session", "CPU a rerun"], lines)


def by_kind(rows: Sequence[Row]) -> str:
    """The median of each kind of click in milliseconds: of one session alone, where nobody waits for
    another, and of the visit that opened everything for the first time, with the longest."""
    found = []
    for row in rows:
        if row.sessions == min(each.sessions for each in rows):
            found.append((row.configuration, row))
            found.append(
                (f"{row.configuration}, first time", replace(row, clicks=row.first_clicks))
            )
    kinds = sorted({click.kind for _, row in found for click in row.clicks})
    lines = [
        [
            name,
            *(_whole(row.milliseconds(0.5, kind)) for kind in kinds),
            _whole(row.milliseconds(1)),
        ]
        for name, row in found
    ]
    return markdown(["p50 ms by what is clicked", *kinds, "longest ms"], lines)


def _whole(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}" if math.isfinite(milliseconds) else "–"


def markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table; its first column are words, the others numbers."""
    rule = ["---", *("---:" for _ in heads[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *lines))


if __name__ == "__main__":
    main(sys.argv[1:])
