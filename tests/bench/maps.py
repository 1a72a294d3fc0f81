"""A change of what a map shows, beside four peers: `python -m tests.bench maps --database URL`.

All of England on the page All boards, and one board on Coverage. Beside them in the same run the same
wards, values and shapes as each peer usually has them (`peers/`): `px.choropleth_map` in Streamlit with
the shapes in the figure, `streamlit-folium`, `st.pydeck_chart`, and Dash with the figure of the first.
Folium and Dash are installed into an environment of their own under `local/bench`, the first time.

Another layer, another month and, of one board, another board is chosen. For each change: what travels
to the browser (WebSocket and HTTP, as sent), the server's CPU, and how long until the map in headless
Chromium looks as it then stays: the pictures that the browser shows are kept with their times, and the
last that differs from the end inside the map counts. So no peer is asked when it thinks that it is done.
The limit is an empty Streamlit page's rerun, and one byte a ward.

Times depend on the machine, so nothing here is asserted. Linux, with Chromium.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import psutil
from PIL import Image, ImageChops
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from sqlalchemy import Engine

from dashboard.all_boards import all_boards
from dashboard.coverage_words import LAYERS
from dashboard.rules.take_up import last_whole_month, month_end, months_before
from dashboard.settings import settings
from dashboard.style import day
from geodata.shapes import MapLayer, geometries_of, ward_layer
from queries import places
from queries.database import make_engine, upgrade
from queries.loads import data_state
from queries.scope import EVERYTHING
from tests.bench import usual_files
from tests.bench.pages import until_idle
from tests.bench.painted import FLAGS
from tests.bench.sessions import cpu_seconds, machine, markdown, ratio, wait_until_ready
from tests.conftest import find_chromium
from tests.made_once import HASH_KEY
from tests.proxies import free_ports
from tests.served import ROOT, environment

# What both our maps and the peers can show; what ours shows first is chosen last but one, and in the end
# one that is another each month.
SHOWN = ("fte", "take-up", "deprivation", "status")
# So many months before the last whole one: enough that a map of England looks otherwise.
MONTHS, BOARDS = (1, 13), 3
ROUNDS = 2
# The shapes of the peers, as small as they can be without losing a ward: as England and as a board.
TOLERANCE_METRES = {"England": 400.0, "one board": 150.0}
# All boards of a month that nobody saw before take longest.
QUIET_SECONDS, LONGEST_SECONDS = 2.5, 180.0
SETTLE_MS = 500
# So often it is looked whether somebody works, and at more than this share of a core they do.
PAUSE_MS, BUSY = 100, 0.4
# A caret that blinks is a change each half second, and no part of a map.
STILL = "* { caret-color: transparent !important; animation: none !important; }"
# Pictures of the page are kept this small: a change of colour is seen, and taking them costs little.
PICTURE_WIDTH = 700
# Of 255 in any colour: less is how pictures are compressed.
SAME = 24
PEERS_NEED = ("dash==4.4.1", "folium==0.20.0", "streamlit-folium==0.27.4")


@dataclass(frozen=True)
class Shown:
    """A map in a browser: where it is, and how another layer is chosen there."""

    name: str
    command: tuple[str, ...]
    path: str
    ready: str
    place: str
    is_streamlit: bool = True


@dataclass(frozen=True)
class Box:
    """A choice by its label, and what is chosen there in turn; the first may be chosen already."""

    label: str
    options: Sequence[str]


@dataclass(frozen=True)
class Cost:
    """Medians of a change: bytes, milliseconds of the server's CPU and to the last pixel, and the bytes
    when the same is chosen again."""

    name: str
    new_bytes: float
    bytes: float
    cpu_ms: float
    painted_ms: float


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench maps", description=__doc__)
    parser.add_argument(
        "--database", required=True, help="one that `python -m tests.bench england` made"
    )
    parser.add_argument("--board", default="QEQ", help="which board is shown alone")
    given = parser.parse_args(arguments)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("No Chromium or Chrome on this machine: set CHROMIUM to its path.")
    os.environ.update(environment(Path("unused")), DASHBOARD_DATABASE_URL=given.database)
    settings.cache_clear()
    engine = make_engine(given.database)
    upgrade(engine)
    peers = peers_python()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        months = {
            month: all_boards(engine, EVERYTHING, month).wards.frame for month in months_of(engine)
        }
        for area in TOLERANCE_METRES:
            folder = Path(name) / area
            folder.mkdir()
            wards = write_peer_data(engine, folder, area, given.board, months)
            boxes = boxes_of(engine, area, given.board)
            measured = [
                measure(browser, each, folder, peers, boxes)
                for each in shown(area, given.board, peers)
            ]
            for box, costs in zip(boxes, zip(*measured, strict=True), strict=True):
                title = f"{area}, {wards:,} wards: another choice of {box.label!r}"
                print(f"\n{title}\n\n{table(costs, wards)}", flush=True)
        browser.close()


def peers_python() -> Path:
    """The Python of an environment in which the peers are installed."""
    home = ROOT / "local" / "bench" / "peers"
    python = home / "bin" / "python"
    if not python.exists():
        print("Installing the peers once.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        wanted = [*PEERS_NEED, *(Path(ROOT / "requirements.txt").read_text().split("\n"))]
        lines = [line for line in wanted if line.split("==")[0] in
                 ("dash", "folium", "streamlit-folium", "streamlit", "plotly", "pandas")]  # fmt: skip
        install = [str(python), "-m", "pip", "install", "-q"]
        subprocess.run([*install, "pydeck", *lines], check=True)
        # It holds the script that Folium's page asks another host for.
        subprocess.run([*install, "--no-deps", "django-leaflet==0.34.0"], check=True)
    return python


def answer_here(page: Page, peers: Path) -> None:
    """What a page asks of other hosts is answered here: Leaflet's script from a copy, all else with
    nothing, so that no network is measured."""
    (script,) = peers.parent.parent.rglob("static/leaflet/leaflet.js")
    page.route(
        lambda url: urlsplit(url).hostname not in ("127.0.0.1", None),
        lambda route: (
            route.fulfill(path=script, content_type="text/javascript")
            if route.request.url.endswith("/leaflet.js")
            else route.fulfill(body="", content_type="text/javascript")
        ),
    )


def boxes_of(engine: Engine, area: str, board: str) -> list[Box]:
    """What is chosen: layers, months and, where one board is shown, it and the largest."""
    boxes = [
        Box("Map shows", [LAYERS[name].title for name in SHOWN]),
        Box("As at", [day(month) for month in months_of(engine)]),
    ]
    if area != "England":
        names = places.boards(engine, EVERYTHING).set_index("icb_code")["icb_name"]
        boxes.append(Box("Integrated care board", names[boards_of(engine, board)].tolist()))
    return boxes


def months_of(engine: Engine) -> list[date]:
    """The ends of the months that are chosen."""
    latest = last_whole_month(data_state(engine).newest_date or date.today())
    return [month_end(months_before(latest, back)) for back in MONTHS]


def boards_of(engine: Engine, board: str) -> list[str]:
    """The codes of this board and of the largest others."""
    largest = places.boards(engine, EVERYTHING).sort_values("wards", ascending=False)["icb_code"]
    return [board, *largest[largest != board][: BOARDS - 1]]


def write_peer_data(
    engine: Engine, folder: Path, area: str, board: str, months: Mapping[date, pd.DataFrame]
) -> int:
    """The same wards, values and shapes as files, which each peer reads once; how many wards the first
    place has."""
    names = places.boards(engine, EVERYTHING).set_index("icb_code")["icb_name"]
    frames = list(months.values())
    written = [
        usual_files.Place(
            "England" if code is None else names[code],
            shapes_of(engine, frames[0], code, TOLERANCE_METRES[area]),
            [frame[(frame["icb_code"] == code) | (code is None)] for frame in frames],
        )
        for code in ([None] if area == "England" else boards_of(engine, board))
    ]
    columns = {LAYERS[name].title: LAYERS[name].column or "status" for name in SHOWN}
    usual_files.write(folder, columns, [day(month) for month in months], written)
    return len(written[0].months[0])


def shapes_of(
    engine: Engine, wards: pd.DataFrame, board: str | None, tolerance_metres: float
) -> MapLayer:
    """The shapes of these wards as GeoJSON, of a board or of all of them."""
    wards = wards[(wards["icb_code"] == board) | (board is None)]
    shapes = pd.concat(
        [places.shapes(engine, EVERYTHING, code) for code in sorted(wards["icb_code"].unique())]
    )
    shapes = shapes[shapes["ward_code"].isin(wards["ward_code"])]
    names = wards.set_index("ward_code")["ward_name"]
    return ward_layer(
        shapes["ward_code"].tolist(), geometries_of(shapes),
        [names[code] for code in shapes["ward_code"]], tolerance_metres,
    )  # fmt: skip


def shown(area: str, board: str, peers: Path) -> list[Shown]:
    """Ours and the peers."""
    folder, run = ROOT / "tests" / "bench" / "peers", ("-m", "streamlit", "run")
    ours_at = {
        "England": ("/all-boards", ".area-canvas[data-drawn]", ".area-canvas canvas"),
        "one board": (f"/coverage?icb={board}", ".choroplethlayer path", ".js-plotly-plot"),
    }[area]
    plotly, deck = (".maplibregl-canvas", ".js-plotly-plot"), "[data-testid=stDeckGlJsonChart]"

    def usual(name: str) -> tuple[str, ...]:
        return str(peers), *run, str(folder / f"usual{name}.py")

    return [
        Shown("this dashboard", (sys.executable, *run, str(ROOT / "dashboard/app.py")), *ours_at),
        Shown("px.choropleth_map", usual(""), "/", *plotly),
        Shown("streamlit-folium", usual("_folium"), "/", "iframe", "iframe"),
        Shown("st.pydeck_chart", usual("_pydeck"), "/", f"{deck} canvas", deck),
        Shown("Dash", (str(peers), str(folder / "usual_dash.py")), "/", *plotly, False),
    ]


@contextmanager
def serving(chosen: Shown, folder: Path) -> Iterator[tuple[str, int]]:
    """Its address and the number of its process."""
    (port,) = free_ports(1)
    options = ["--server.port", str(port), "--server.headless", "true"]
    options += ["--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false"]
    # Collection after each rerun is off for the peers too: it would be most of their time.
    options += ["--runner.postScriptGC", "false"]
    variables = {
        "BENCH_FOLDER": str(folder),
        "PYTHONPATH": str(ROOT),
        "DASHBOARD_HASH_KEY": HASH_KEY,
    }
    process = subprocess.Popen(
        [*chosen.command, *(options if chosen.is_streamlit else [str(port)])],
        cwd=folder,
        env=os.environ | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url + ("/_stcore/health" if chosen.is_streamlit else "/"))
        yield url, process.pid
    finally:
        process.kill()
        process.wait(10)


def measure(
    browser: Browser, chosen: Shown, folder: Path, peers: Path | None, boxes: Sequence[Box]
) -> list[Cost]:
    """For each box, medians over some rounds of all its options; in the first round they are new to
    the browser. `peers` holds what the peers ask of other hosts."""
    with serving(chosen, folder) as (url, process_id):
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(240_000)
        if peers:
            answer_here(page, peers)
        watch = Watch(page)
        page.goto(url + chosen.path)
        page.wait_for_selector(chosen.ready, state="attached")
        page.add_style_tag(content=STILL)
        watch.until_quiet()
        # Ours judges boards beforehand, with rests that look as if it were done.
        until_idle(process_id)
        print(f"{chosen.name}: open", flush=True, file=sys.stderr)
        costs = [_of_box(watch, chosen, process_id, box) for box in boxes]
        page.close()
    return costs


def _of_box(watch: Watch, chosen: Shown, process_id: int, box: Box) -> Cost:
    first: list[float] = []
    again: list[tuple[float, float, float]] = []
    for turn in range(ROUNDS + 1):
        for option in [*box.options[1:], box.options[0]]:
            cpu = cpu_seconds([process_id])
            sent, painted = watch.change(chosen, box.label, option)
            cpu = cpu_seconds([process_id]) - cpu
            if turn:
                again.append((sent, cpu, painted))
            else:
                first.append(sent)
    sent, cpu, painted = (statistics.median(values) for values in zip(*again, strict=True))
    return Cost(chosen.name, statistics.median(first), sent, 1000 * cpu, 1000 * painted)


class Watch:
    """What a page receives and what it shows, with times."""

    def __init__(self, page: Page):
        self.page, self.received, self.last = page, 0, time.monotonic()
        self.pictures: list[tuple[float, bytes]] = []
        self.session: CDPSession = page.context.new_cdp_session(page)
        for name, hear in (
            ("Network.webSocketFrameReceived", self._frame),
            ("Network.loadingFinished", self._file),
            ("Page.screencastFrame", self._picture),
        ):
            self.session.on(name, hear)
        self.session.send("Network.enable")
        self.session.send(
            "Page.startScreencast",
            {
                "format": "jpeg",
                "quality": 80,
                "maxWidth": PICTURE_WIDTH,
                "maxHeight": PICTURE_WIDTH,
            },
        )

    def _frame(self, event: dict[str, Any]) -> None:
        told = event["response"]
        size = len(told["payloadData"])
        self._count(size * 3 // 4 if told["opcode"] == 2 else size)

    def _file(self, event: dict[str, Any]) -> None:
        self._count(int(event["encodedDataLength"]))

    def _count(self, size: int) -> None:
        self.received, self.last = self.received + size, time.monotonic()

    def _picture(self, event: dict[str, Any]) -> None:
        self.session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})
        self.pictures.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        self.last = time.monotonic()

    def until_quiet(self) -> None:
        """Until nothing has come, nothing has changed and nobody has worked for a while."""
        until, self.last = time.monotonic() + LONGEST_SECONDS, time.monotonic()
        # The server and the browser: either may be silent and at work.
        workers, worked = psutil.Process().children(recursive=True), 0.0
        while time.monotonic() - self.last < QUIET_SECONDS and time.monotonic() < until:
            self.page.wait_for_timeout(PAUSE_MS)
            now = sum(_cpu(each) for each in workers)
            if now - worked > BUSY * PAUSE_MS / 1000:
                self.last = time.monotonic()
            worked = now

    def change(self, chosen: Shown, label: str, choice: str) -> tuple[float, float]:
        """Bytes received and seconds to the last pixel of the map, when this is chosen in a box."""
        self.page.locator(chosen.place).first.scroll_into_view_if_needed()
        option = self._offered(chosen, label, choice)
        self.page.wait_for_timeout(SETTLE_MS)
        self.pictures, before = self.pictures[-1:], self.received
        option.evaluate(
            "(one) => one.addEventListener('click', () => { window.clickedAt = Date.now(); }, "
            "{ capture: true, once: true })"
        )
        option.click()
        # A box that has the focus is drawn again and again.
        self.page.evaluate("document.activeElement?.blur()")
        self.until_quiet()
        clicked = self.page.evaluate("window.clickedAt") / 1000
        return self.received - before, self._last_change(chosen, clicked) - clicked

    def _offered(self, chosen: Shown, label: str, choice: str) -> Any:
        if not chosen.is_streamlit:
            return self.page.get_by_label(choice, exact=True)
        self.page.get_by_role("combobox", name=label).click()
        # Of a long list only what is in sight is there.
        self.page.keyboard.type(choice)
        option = self.page.get_by_role("option", name=choice, exact=True)
        option.wait_for()
        return option

    def _last_change(self, chosen: Shown, clicked: float) -> float:
        """When the last picture came that does not look as the one before it inside the map."""
        box = self.page.locator(chosen.place).first.bounding_box()
        assert box is not None
        found = [Image.open(io.BytesIO(each)).convert("RGB") for _, each in self.pictures]
        last = clicked
        share = found[-1].width / 1400
        west, north, east = box["x"] + 4, box["y"] + 4, box["x"] + box["width"] - 4
        south = min(box["y"] + box["height"] - 4, 1000)
        inside = west * share, north * share, east * share, south * share
        ends = [picture.crop(inside) for picture in found]
        for (at, _), one, other in zip(self.pictures[1:], ends, ends[1:], strict=False):
            differs = ImageChops.difference(one, other).getextrema()
            if max(high for _, high in differs) > SAME:  # type: ignore[misc]
                last = max(last, at)
        return last


def _cpu(process: psutil.Process) -> float:
    try:
        used = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    seconds: float = used.user + used.system
    return seconds


def table(costs: Sequence[Cost], wards: int) -> str:
    """One row a map, with ratios to the usual way, as Markdown."""
    usual = costs[1]
    lines = [
        [
            cost.name,
            f"{cost.new_bytes / 1000:,.1f}",
            ratio(cost.new_bytes, usual.new_bytes),
            f"{cost.bytes / 1000:,.1f}",
            f"{cost.cpu_ms:,.0f}",
            f"{cost.painted_ms:,.0f}",
            ratio(cost.painted_ms, usual.painted_ms),
        ]
        for cost in costs
    ]
    lines.append(["limit: one byte a ward", f"{wards / 1000:.1f}", "", "", "", "", ""])
    heads = [
        "",
        "kB, new",
        "of usual",
        "kB, seen",
        "server CPU ms",
        "painted ms",
        "of usual",
    ]
    return markdown(heads, lines)


if __name__ == "__main__":
    main(sys.argv[1:])
