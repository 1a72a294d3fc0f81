"""What grows with the size of England, and how: `python -m tests.bench growth --database 1=URL ...`.

At a tenth, once and three times the size: loading a file of referrals, a plan (25 of the candidate sites
within 20 km), and places within reach, which are made here; and, of each database that
`python -m tests.bench england --size` made and that is named here with its size, a warm rerun of every
page, what the database takes of it, the first visit, and another layer and month on the map of all boards;
and, in a copy of it (SQLite), another month of one board and, up to once the size, all facts of steps
counted again.

The exponent is the slope of the logarithms: 0 does not grow, 1 grows as the size does, 2 with its square.
Areas do not grow beyond England: at three times the size it has three times the rows on as many areas.
Made areas and services both grow, so that the pairs within reach grow with the square.
Times depend on the machine, so nothing here is asserted. Linux, with Chromium.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright
from sqlalchemy import Engine, make_url

from dashboard import loading
from dashboard.facts import count_missing
from dashboard.intake.referrals import SOURCES
from dashboard.intake.source import Source
from dashboard.settings import settings
from geodata.reach import floating_catchment, stepped, straight_lines
from geodata.site_selection import select_sites
from queries import places, tables, workforce
from queries.database import make_engine, writing
from queries.scope import EVERYTHING
from tests.bench import loading as bench_loading
from tests.bench import maps, pages, reach, site_selection
from tests.bench.painted import FLAGS
from tests.bench.sessions import load_average, machine, markdown
from tests.conftest import find_chromium
from tests.served import environment

SIZES = (0.1, 1.0, 3.0)
# Three times as many are a file of 250 MB: more is refused.
REFERRALS, REACH_METRES, MONTH_ROWS = 600_000, 20_000, 5_000
# Figures by size, of what is measured.
Measured = dict[str, dict[float, float]]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench growth", description=__doc__)
    parser.add_argument(
        "--database",
        action="append",
        default=[],
        metavar="SIZE=URL",
        help="may stand several times",
    )
    parser.add_argument("--board", default="QE3", help="a board of each of the databases")
    given = parser.parse_args(arguments)
    print(machine(), flush=True)
    found: Measured = {}
    for size in SIZES:
        note(found, size, made(size))
    for size, url in (named.split("=", 1) for named in given.database):
        # Each in a process of its own: what one database told must not be kept for the next.
        # Counting again takes as long as loading: minutes at three times the size.
        tasks = (of_pages, of_map, of_month, *((of_facts,) if float(size) <= 1 else ()))
        for task in tasks:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                note(found, float(size), pool.apply(task, (url, given.board)))
    print(f"\n{table(found)}\n\n{load_average()}")


def note(found: Measured, size: float, told: Mapping[str, float]) -> None:
    for name, value in told.items():
        found.setdefault(name, {})[size] = value
    words = "; ".join(f"{name} {value:,.3g}" for name, value in told.items())
    print(f"{size:g} times: {words}", file=sys.stderr, flush=True)


def made(size: float) -> dict[str, float]:
    """Seconds of what needs no England."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["DASHBOARD_HASH_KEY"] = "k" * 32
        settings.cache_clear()
        file = bench_loading.write_referrals(folder, round(REFERRALS * size))
        url = f"sqlite:///{folder}/growth.db"
        load, *_ = bench_loading.measured(
            bench_loading.load_ours, url, bench_loading.write_lookup(folder), file
        )
    problem = site_selection.made_england(
        REACH_METRES, round(site_selection.AREAS * size), round(site_selection.CANDIDATES * size)
    )
    plan = select_sites(problem, time_limit_seconds=site_selection.SECONDS, gap=site_selection.GAP)
    areas, services = reach.made(size)
    people = areas.set_index("code")["people"]
    supply = services.set_index("code")["supply"].astype("Float64")
    near, _ = reach.seconds(
        lambda: floating_catchment(
            people, supply, straight_lines(areas, services, reach.METRES), reach.METRES,
            stepped(reach.METRES),
        )
    )  # fmt: skip
    return {"load a file of referrals, s": load, "a plan, s": plan.seconds, "reach, s": near}


def of_pages(url: str, board: str) -> dict[str, float]:
    """Milliseconds of each page, warm; and the medians of the first visit and of the database."""
    costs = [cost for cost in pages.costs_of(url, board) if cost.database_ms is not None]
    return {
        **{f"{cost.page}, warm, ms": cost.ms for cost in costs},
        "all pages, median, warm, ms": statistics.median(cost.ms for cost in costs),
        "all pages, median, database, ms": statistics.median(c.database_ms or 0 for c in costs),
        "all pages, median, first visit, ms": statistics.median(cost.first_ms for cost in costs),
    }


def of_map(url: str, board: str) -> dict[str, float]:
    """Another layer and another month on the map of all boards."""
    os.environ.update(environment(Path("unused")), DASHBOARD_DATABASE_URL=url)
    settings.cache_clear()
    boxes = maps.boxes_of(make_engine(url), "England", board)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        ours = maps.shown("England", board, Path(sys.executable))[0]
        costs = maps.measure(browser, ours, Path(name), None, boxes)
        browser.close()
    return {
        f"map of all boards, {box.label}, {words}": value
        for box, cost in zip(boxes, costs, strict=True)
        for words, value in (("kB", cost.new_bytes / 1000), ("to the last pixel, ms", cost.painted_ms))
    }  # fmt: skip


def of_month(url: str, board: str) -> dict[str, float]:
    """Seconds to load another month of one board, in a copy."""
    os.environ["DASHBOARD_HASH_KEY"] = "k" * 32
    with copied(url) as engine, tempfile.TemporaryDirectory() as name:
        file = write_month(engine, board, Path(name))
        # England is told as a demonstration, which would make way for the month.
        with writing(engine) as connection:
            connection.execute(tables.load.update().values(is_demonstration=False))
        return {
            "another month of a board, s": timed(
                lambda: loading.load_now(engine, Source.open(file), "bench")
            )
        }


def of_facts(url: str, _board: str) -> dict[str, float]:
    """Seconds to count the facts of all referrals' steps again, in a copy."""
    with copied(url) as engine:
        with writing(engine) as connection:
            connection.execute(tables.pathway_fact.delete())
        return {"all facts of steps again, s": timed(lambda: count_missing(engine))}


@contextmanager
def copied(url: str) -> Iterator[Engine]:
    """A copy of a SQLite file, which is gone afterwards."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "copy.db"
        shutil.copy(str(make_url(url).database), copy)
        engine = make_engine(f"sqlite:///{copy}")
        yield engine
        engine.dispose()


def write_month(engine: Engine, board: str, folder: Path) -> Path:
    """A file of 5,000 referrals of a board's wards and networks, in one month."""
    random, day = np.random.default_rng(1), np.datetime64("2026-06-01")
    wards = places.wards(engine, EVERYTHING, board)["ward_code"]
    pcns = workforce.fte_by_pcn(engine, EVERYTHING, board, date(2026, 6, 30))["pcn_code"]
    received = day + random.integers(0, 30, MONTH_ROWS)
    path = folder / "month.csv"
    pd.DataFrame(
        {
            "reference": [f"M{number:05d}" for number in range(MONTH_ROWS)],
            "received": received,
            "ward_code": random.choice(wards, MONTH_ROWS),
            "pcn_code": random.choice(pcns, MONTH_ROWS),
            "source": random.choice(list(SOURCES), MONTH_ROWS),
            "accepted": received + random.integers(0, 9, MONTH_ROWS),
        }
    ).to_csv(path, index=False)
    return path


def timed(task: Callable[[], object]) -> float:
    began = time.perf_counter()
    task()
    return time.perf_counter() - began


def exponent(by_size: Mapping[float, float]) -> float:
    """The slope of the logarithms; nan of one size."""
    if len(by_size) < 2:
        return float("nan")
    slope, _ = np.polyfit(np.log(list(by_size)), np.log(list(by_size.values())), 1)
    return float(slope)


def table(found: Measured) -> str:
    """One row for each thing measured, as Markdown."""
    sizes = sorted({size for by_size in found.values() for size in by_size})
    lines = [
        [
            name,
            *(f"{by_size[size]:,.3g}" if size in by_size else "–" for size in sizes),
            f"{exponent(by_size):.2f}",
        ]
        for name, by_size in found.items()
    ]
    return markdown(["", *(f"{size:g}" for size in sizes), "exponent"], lines)


if __name__ == "__main__":
    main(sys.argv[1:])
