"""A restore drill: whether a backup made now would bring back the same database and figures."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from dashboard import export
from dashboard.backup import BackupError, back_up, restore
from dashboard.workforce import profile
from queries import copy
from queries.database import make_engine
from queries.places import boards
from queries.scope import Scope


@dataclass
class Drill:
    """What was compared, each difference in words, and how many seconds each step took."""

    tables: int = 0
    rows: int = 0
    exports: int = 0
    differences: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[step] = time.monotonic() - began


@dataclass(frozen=True)
class State:
    """What a database holds: rows by table, and the number of its data."""

    rows: Mapping[str, int]
    version: int


def drill(engine: Engine, scope: Scope, as_at: date, into: Engine | None = None) -> Drill:
    """Back up, restore into a scratch database (`into`, which must be empty, or a file that is
    deleted afterwards), and compare: rows by table, the number of the data, and every export of the
    first board. `BackupError` when a step fails, or the data changed meanwhile."""
    found = Drill()
    # In a folder that only this user may look into.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scratch = into or make_engine(f"sqlite:///{(folder / 'scratch.db').as_posix()}")
        try:
            before = _state(engine)
            with found.timed("backup"):
                back_up(engine, folder / "backup.db")
            with found.timed("restore"):
                restore(folder / "backup.db", scratch)
            with found.timed("compare"):
                _compare(found, before, _state(scratch))
                _compare_exports(found, engine, scratch, scope, as_at)
            if found.differences and _state(engine) != before:
                raise BackupError(
                    "The data changed while the drill ran, so nothing can be said: run it again when "
                    "nothing is loaded."
                )
        finally:
            scratch.dispose()
    return found


def _state(engine: Engine) -> State:
    with copy.snapshot(engine) as connection:
        return State(copy.row_counts(connection), copy.data_version(connection))


def _compare(found: Drill, here: State, there: State) -> None:
    found.tables, found.rows = len(here.rows), sum(here.rows.values())
    for name in sorted({*here.rows, *there.rows}):
        ours, restored = here.rows.get(name), there.rows.get(name)
        if ours != restored:
            found.differences.append(f"table {name}: {ours} rows here, {restored} restored")
    if here.version != there.version:
        found.differences.append(
            f"version of the data: {here.version} here, {there.version} restored"
        )


def _compare_exports(
    found: Drill, engine: Engine, scratch: Engine, scope: Scope, as_at: date
) -> None:
    # Under a profile that hides nothing no figure leaves the pages, not even for this.
    if not profile().may_leave:
        return
    for icb_code in boards(engine, scope)["icb_code"].head(1):
        for subject in export.SUBJECTS:
            try:
                here, restored = (
                    export.make(each, scope, subject, icb_code, as_at, "json").body
                    for each in (engine, scratch)
                )
            except export.NotThereError:
                found.differences.append(f"export {subject}: the board was not restored")
                continue
            found.exports += 1
            if here != restored:
                found.differences.append(f"export {subject}: other figures than here")
