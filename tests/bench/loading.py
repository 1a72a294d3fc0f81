"""Loading a million referrals beside pandas and the database's own loader, in one run:
`python -m tests.bench.loading [ROWS]`.

The file is read in its own process, searched for NHS numbers, checked, placed in wards, hashed,
counted into facts, and written in one transaction. pandas reads and writes the same file as it
is. The limit is the database's own loader, given rows that need no reading. Times depend on the
machine, so nothing here is asserted; ratios are what counts.
"""

from __future__ import annotations

import csv
import multiprocessing
import os
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
from sqlalchemy import create_engine, make_url, text

from dashboard import intake, loading
from dashboard.intake.source import Source
from dashboard.settings import settings
from queries.database import make_engine, upgrade
from tests.postgres import in_database, running_server

MILLION = 1_000_000
WARDS, PCNS = 279, 45
LSOA_WARD = "LSOA21CD,LSOA21NM,WD24CD,WD24NM,LAD24CD,LAD24NM"


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as name, running_server(Path(name)) as server:
        folder = Path(name)
        os.environ["DASHBOARD_HASH_KEY"] = "k" * 32
        settings.cache_clear()
        # In a process of its own: the size of this one counts in those it starts.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            files = {n: pool.apply(write_referrals, (folder, n)) for n in (rows // 4, rows)}
        lookup = write_lookup(folder)
        size = files[rows].stat().st_size / 1e6
        print(f"{rows:,} referrals, {size:,.0f} MB of CSV, {os.cpu_count()} cores\n")
        for kind, fresh in (
            ("SQLite", lambda: f"sqlite:///{tempfile.mkdtemp(dir=folder)}/bench.db"),
            ("PostgreSQL", lambda: new_database(server)),
        ):
            ours = measured(load_ours, fresh(), lookup, files[rows])
            small = measured(load_ours, fresh(), lookup, files[rows // 4])
            peer = measured(load_with_pandas, fresh(), lookup, files[rows])
            limit = measured(load_without_reading, fresh(), lookup, files[rows])
            print(f"{kind:12}{'seconds':>10}{'rows/s':>12}{'MB here':>10}{'MB reading':>12}")
            for words, (seconds, here, reading), count in (
                ("ours", ours, rows),
                ("ours, a quarter", small, rows // 4),
                ("pandas", peer, rows),
                ("limit", limit, rows),
            ):
                child = f"{reading:>12,.0f}" if reading else ""
                print(f"  {words:16}{seconds:>4,.1f}{count / seconds:>12,.0f}{here:>10,.0f}{child}")
            print(
                f"  {peer[0] / ours[0]:.1f} times as fast as pandas, "
                f"{limit[0] / ours[0]:.0%} of the limit\n"
            )


def new_database(server: str) -> str:
    """The address of an empty database of the server."""
    name = f"bench_{time.monotonic_ns()}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return in_database(server, name)


def measured(
    task: Callable[[str, Path, Path], float], url: str, lookup: Path, file: Path
) -> tuple[float, float, float]:
    """Seconds, and the most megabytes of the process that writes and of the one that reads."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (task, url, lookup, file))


def _measured(
    task: Callable[[str, Path, Path], float], url: str, lookup: Path, file: Path
) -> tuple[float, float, float]:
    seconds = task(url, lookup, file)
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return seconds, here, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def load_ours(url: str, lookup: Path, file: Path) -> float:
    engine = make_engine(url)
    upgrade(engine)
    loading.load_now(engine, Source.open(lookup), "bench")
    started = time.perf_counter()
    record = loading.load_now(engine, Source.open(file), "bench")
    seconds = time.perf_counter() - started
    assert record.rows_refused == 0
    return seconds


def load_with_pandas(url: str, _lookup: Path, file: Path) -> float:
    engine = create_engine(url)
    started = time.perf_counter()
    pd.read_csv(file).to_sql("referrals", engine, index=False, chunksize=50_000)
    return time.perf_counter() - started


def load_without_reading(url: str, _lookup: Path, file: Path) -> float:
    """SQLite: rows in hand through the driver; PostgreSQL: COPY of the file by the server."""
    with file.open(encoding="utf-8") as opened:
        headings = next(csv.reader(opened))
    table = f"CREATE TABLE referrals ({', '.join(f'{name} text' for name in headings)})"
    if url.startswith("sqlite"):
        rows = [tuple(row) for row in csv.reader(file.open(encoding="utf-8"))][1:]
        with sqlite3.connect(str(make_url(url).database)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(table)
            started = time.perf_counter()
            marks = ", ".join("?" * len(headings))
            connection.executemany(f"INSERT INTO referrals VALUES ({marks})", rows)
            connection.commit()
        return time.perf_counter() - started
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(False)) as to:
        to.execute(table)
        started = time.perf_counter()
        command = "COPY referrals FROM STDIN (FORMAT csv, HEADER)"
        with to.cursor().copy(command) as copy, file.open("rb") as opened:
            while chunk := opened.read(1 << 20):
                copy.write(chunk)
        to.commit()
        return time.perf_counter() - started


def write_lookup(folder: Path) -> Path:
    """1,107 LSOAs in 279 wards, as the published lookup has them."""
    path = folder / "lookup.csv"
    lines = [
        f"E0102{4000 + i:04d},x,E0501{i % WARDS:04d},Ward {i % WARDS},E07000{100 + i % 13},District"
        for i in range(1107)
    ]
    path.write_text("\n".join([LSOA_WARD, *lines]) + "\n", encoding="utf-8")
    return path


def write_referrals(folder: Path, rows: int) -> Path:
    """Simulated referrals over 30 months: three networks to a ward, and every step dated."""
    random = np.random.default_rng(1)
    received = np.datetime64("2024-01-01") + random.integers(0, 900, rows)
    lsoa = random.integers(0, 1107, rows)

    def after(share: float, days: int) -> pd.Series:
        dates = pd.Series(received + random.integers(1, days, rows)).dt.strftime("%Y-%m-%d")
        return dates.where(random.random(rows) < share, "")

    path = folder / f"referrals-{rows}.csv"
    pd.DataFrame(
        {
            "reference": [f"R{number:07d}" for number in range(rows)],
            "received": pd.Series(received).dt.strftime("%Y-%m-%d"),
            "lsoa_code": [f"E0102{4000 + number:04d}" for number in lsoa],
            "pcn_code": [
                f"U{number:05d}"
                for number in (lsoa % WARDS * PCNS // WARDS + random.integers(0, 3, rows)) % PCNS
            ],
            "source": random.choice(list(intake.referrals.SOURCES), rows),
            "reasons": random.choice(["loneliness; housing", "money", "mental health"], rows),
            "long_term_conditions": random.integers(0, 6, rows),
            "age": random.integers(18, 95, rows),
            "sex": random.choice(["female", "male"], rows),
            "ethnicity_group": random.choice(["White", "Asian", "Black", "Mixed"], rows),
            "complexity": random.choice(["low", "medium", "high"], rows),
            "offered": after(0.9, 5),
            "accepted": after(0.8, 9),
            "first_contact": after(0.7, 30),
            "plan_agreed": after(0.6, 50),
            "connected": after(0.5, 70),
            "connected_service": random.choice(["S-01", "S-02", ""], rows),
            "attended": after(0.4, 90),
            "closed": after(0.4, 200),
            "closed_reason": random.choice(["completed", "moved", ""], rows),
        }
    ).to_csv(path, index=False)
    return path


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION)
