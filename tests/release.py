"""A database as this version leaves it behind, as a file for the tests of later versions.

    python -m tests.release

writes, in `tests/queries/files`, the small board with referrals and scores as SQL of SQLite
(`release_<form>.sql.gz`), and what its exports said (`release_<form>.json.gz`). To be run once, on
the version that is released, and kept: it is never made again by a later one.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from dashboard import export
from queries import jobs
from queries.actions import ActionEdit, add_action, change_action
from queries.database import NEWEST_REVISION, make_engine, upgrade
from queries.mappings import save_mapping
from queries.meetings import close_meeting, open_meeting
from queries.saved_views import save_view
from queries.scenarios import save_scenario
from queries.scope import EVERYTHING
from tests import outcome_board
from tests.small_board import ABBEY, AS_AT, BOARD

FILES = Path(__file__).parent / "queries" / "files"
# A gzip file keeps the moment it was made, if it is not told another.
NO_TIME = 0


def said(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """The rows of every export of the board, by subject, as JSON has them."""
    return {
        subject: json.loads(export.make(engine, EVERYTHING, subject, BOARD, AS_AT, "json").body)[
            "rows"
        ]
        for subject in export.SUBJECTS
    }


def fill(engine: Engine) -> None:
    """What people write themselves, beside the files."""
    meeting = open_meeting(engine, EVERYTHING, BOARD, AS_AT, f"icb={BOARD}", "Ann")
    call = ActionEdit("action", "Call the provider", "Ann", date(2026, 7, 3), meeting_id=meeting)
    number = add_action(engine, EVERYTHING, BOARD, call, "Ann")
    done = ActionEdit("action", "Called", "Ann", None, "done", "ward", ABBEY)
    change_action(engine, EVERYTHING, number, 1, done, "Ben")
    close_meeting(engine, EVERYTHING, meeting, AS_AT, f"icb={BOARD}", "{}", "Ben")
    save_view(engine, EVERYTHING, BOARD, "Näh", f"icb={BOARD}", "Ann")
    save_scenario(engine, EVERYTHING, BOARD, "Two sites", "sites=2", "Ann")
    save_mapping(engine, "ours", "referrals", "a|b", "{}", None)
    job = jobs.offer(engine, "late.csv", 3, "0" * 64, "Ann")
    jobs.keep_piece(engine, job, 0, b"\x00\xff")


def main() -> None:
    """Write both files of the form of this version."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty = folder / "empty.db"
        engine = make_engine(f"sqlite:///{empty.as_posix()}")
        upgrade(engine)
        engine.dispose()
        engine = outcome_board.loaded(empty, folder)
        fill(engine)
        rows = said(engine)
        path = str(engine.url.database)
        engine.dispose()
        with closing(sqlite3.connect(path)) as connection:
            dump = "\n".join(connection.iterdump())
    FILES.mkdir(exist_ok=True)
    for end, text in (("sql", dump), ("json", json.dumps(rows, indent=1))):
        file = FILES / f"release_{NEWEST_REVISION}.{end}.gz"
        file.write_bytes(gzip.compress(text.encode(), mtime=NO_TIME))
        print(f"{file.name}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
