"""Files that wait to be loaded, and the worker that loads them, as a process that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Engine, text

from dashboard import loading
from dashboard.intake.source import Source
from queries import jobs, tables
from tests.intake import files, more_files
from tests.made_once import HASH_KEY

ROOT = Path(__file__).parents[2]
# Every table whose rows belong to a part of a load.
OF_PARTS = [table for table in tables.metadata.sorted_tables if "part_id" in table.c]


def referrals(rows: int, first: int = 0, month: int = 1) -> str:
    """A return of so many referrals, each with a reference of its own."""
    lines = ["reference,received,ward_code,pcn_code,reasons"]
    lines += [
        f"r{n},2026-{month:02}-{1 + n % 28:02},E0500000{1 + n % 9},U0000{n % 5},loneliness"
        for n in range(first, first + rows)
    ]
    return "\n".join(lines) + "\n"


SMALL = [
    files.LSOA_WARD,
    files.LSOA_ICB,
    files.BOUNDARIES,
    files.POPULATION,
    files.DEPRIVATION,
    files.WORKFORCE,
    files.LIST_SIZES,
    files.SERVICES,
    files.SCHEME_AREAS,
    more_files.APPOINTMENTS,
]


def offered(engine: Engine, content: str, name: str = "file.csv") -> int:
    """The job of a file that was checked, here and not in a process apart, and queued."""
    source = Source.of(name, content.encode())
    job_id = jobs.offer(engine, source.name, source.size, source.sha256, "ann")
    loading.check(engine, job_id, source)
    assert jobs.queue(engine, job_id), jobs.one(engine, job_id).message
    return job_id


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def start_worker(engine: Engine, *command: str) -> subprocess.Popen[bytes]:
    """A worker that ends when nothing waits; `command` in place of `-m dashboard worker`."""
    return subprocess.Popen(
        [sys.executable, *(command or ("-m", "dashboard")), "worker", "--until-idle"],
        cwd=ROOT,
        env={
            **os.environ,
            "DASHBOARD_DATABASE_URL": url_of(engine),
            "DASHBOARD_HASH_KEY": HASH_KEY,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def states(engine: Engine) -> dict[int, str]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT id, state FROM job ORDER BY id"))
        return {row.id: row.state for row in found}


def rows_in(engine: Engine) -> dict[str, int]:
    """The rows of each table that has any."""
    with engine.connect() as connection:
        counts = {
            table.name: connection.exec_driver_sql(
                f"SELECT count(*) FROM {table.name}"
            ).scalar_one()
            for table in tables.metadata.sorted_tables
            if table.name not in ("job", "job_piece", "job_problem", "data_version")
        }
    return {name: count for name, count in counts.items() if count}


def torn(engine: Engine, *, thoroughly: bool = False) -> list[str]:
    """What is wrong with the database: every sign of a load that is there in part."""
    wrong = []
    rows = (table.name for table in OF_PARTS if not table.name.endswith("_fact"))
    each = " UNION ALL ".join(f"SELECT part_id FROM {name}" for name in rows)
    questions = {
        "a part whose rows are not all there": (
            f"SELECT id FROM load_part LEFT JOIN (SELECT part_id, count(*) AS n FROM ({each}) AS r "
            "GROUP BY part_id) AS found ON part_id = id WHERE coalesce(n, 0) <> row_count"
        ),
        "facts that do not count every referral": (
            "SELECT referral.part_id FROM referral LEFT JOIN (SELECT part_id, sum(referrals) AS n "
            "FROM pathway_fact WHERE category = 'all' GROUP BY part_id) AS facts "
            "ON facts.part_id = referral.part_id GROUP BY referral.part_id, n "
            "HAVING coalesce(n, 0) <> count(*)"
        ),
        "a load without a name or parts": (
            "SELECT load.id FROM load LEFT JOIN load_part ON load_id = load.id "
            "WHERE load_part.id IS NULL OR load.dataset = '' OR load.sha256 = ''"
        ),
        "a loaded job without its load": (
            "SELECT job.id FROM job LEFT JOIN load ON load.id = load_id "
            "WHERE (state = 'loaded') <> (load.id IS NOT NULL)"
        ),
        "a load without its job": "SELECT id FROM load WHERE id NOT IN "
        "(SELECT load_id FROM job WHERE load_id IS NOT NULL)",
        "a file loaded twice": "SELECT min(id) FROM load GROUP BY sha256 HAVING count(*) > 1",
        "a part in force twice": "SELECT min(id) FROM load_part WHERE replaced_by IS NULL "
        "GROUP BY dataset, part_key HAVING count(*) > 1",
        "checked rows of a loaded file": "SELECT job_id FROM job_piece JOIN job ON job.id = job_id "
        "WHERE state = 'loaded'",
        "a file that waits without its rows": "SELECT id FROM job WHERE state IN "
        "('waiting', 'loading') AND id NOT IN (SELECT job_id FROM job_piece)",
    }
    with engine.connect() as connection:
        for what, question in questions.items():
            if found := connection.exec_driver_sql(question).scalars().all():
                wrong.append(f"{what}: {found}")
        if thoroughly and engine.dialect.name == "sqlite":
            ok = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
            wrong += [] if ok == "ok" else [ok]
    return wrong
