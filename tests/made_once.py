"""The demonstration as a database that a whole test run makes once, whatever the number of workers."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path

import pytest

from dashboard import demonstration
from queries.database import make_engine, upgrade
from queries.load import LoadRecord

HASH_KEY = "k" * 32
# Longer than making it takes on a slow machine.
PATIENCE_SECONDS = 90


def demonstration_file(factory: pytest.TempPathFactory) -> Path:
    """The SQLite file; the first worker that asks makes it, the others wait. Read it only."""
    folder = factory.getbasetemp()
    # Each worker has a folder of its own; the one above is the run's.
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    path, claim, ready, failed = (
        folder / f"shared-demonstration.{end}" for end in ("db", "claimed", "ready", "failed")
    )
    try:
        claim.mkdir()
    except FileExistsError:
        _wait_for(ready, failed)
    else:
        try:
            _make(path)
        except BaseException:
            failed.touch()
            raise
        ready.touch()
    return path


def _make(path: Path) -> None:
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    upgrade(engine)
    records = demonstration.make(engine, HASH_KEY.encode())
    engine.dispose()
    path.with_suffix(".records").write_bytes(pickle.dumps(records))


def demonstration_records(path: Path) -> list[LoadRecord]:
    """What its making said."""
    records: list[LoadRecord] = pickle.loads(path.with_suffix(".records").read_bytes())
    return records


def _wait_for(ready: Path, failed: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not ready.exists():
        if failed.exists() or time.monotonic() > until:
            pytest.fail("another worker began the demonstration and did not finish it")
        time.sleep(0.05)
