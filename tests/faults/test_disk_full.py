"""A disk that is full: nothing is half there, somebody is told, and it goes on when there is room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from dashboard import loading
from dashboard.intake.source import Source
from queries import jobs
from tests.conftest import rest_is_slow
from tests.faults.worker import offered, referrals, rows_in, states, torn
from tests.intake import files


@contextmanager
def full(engine: Engine, *, spare_pages: int) -> Iterator[None]:
    """Inside, the database grows by so many pages and no further."""
    with engine.connect() as connection:
        most = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + spare_pages

    def bound(pages: int) -> None:
        engine.dispose()
        for connections in [engine.connect() for _ in range(4)]:
            with connections as connection:
                connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    bound(most)
    yield
    bound(1_073_741_823)


def everything(engine: Engine) -> tuple[dict[str, int], list[str]]:
    return rows_in(engine), torn(engine, thoroughly=True)


# Pages to spare: none at all, some rows, most rows.
@pytest.mark.parametrize("spare_pages", rest_is_slow(0, 5, 60))
def test_a_file_loaded_at_once(sqlite_engine: Engine, spare_pages: int):
    loading.load_now(sqlite_engine, Source.of("a.csv", files.SERVICES.encode()), "ann")
    before = everything(sqlite_engine)
    source = Source.of("b.csv", referrals(5_000).encode())
    with full(sqlite_engine, spare_pages=spare_pages), pytest.raises(DBAPIError, match="full"):
        loading.load_now(sqlite_engine, source, "ann")
    assert everything(sqlite_engine) == before
    assert loading.load_now(sqlite_engine, source, "ann").rows_read == 5_000
    assert torn(sqlite_engine, thoroughly=True) == []


@pytest.mark.parametrize("spare_pages", rest_is_slow(0, 5, 60))
def test_a_file_loaded_by_the_worker(sqlite_engine: Engine, spare_pages: int):
    job = offered(sqlite_engine, referrals(5_000))
    before = everything(sqlite_engine)
    with full(sqlite_engine, spare_pages=spare_pages):
        assert loading.work(sqlite_engine, until_idle=True, wait=lambda: None)
    assert everything(sqlite_engine) == before
    assert states(sqlite_engine) == {job: "failed"}
    told = jobs.one(sqlite_engine, job).message
    assert told
    assert told.startswith("Nothing was loaded: the database could not be written (is the disk")
    assert jobs.queue(sqlite_engine, job)
    assert loading.work(sqlite_engine, until_idle=True, wait=lambda: None)
    assert states(sqlite_engine) == {job: "loaded"}
    assert rows_in(sqlite_engine)["referral"] == 5_000
    assert torn(sqlite_engine, thoroughly=True) == []


def test_a_file_checked(sqlite_engine: Engine):
    source = Source.of("b.csv", referrals(20_000).encode())
    job = jobs.offer(sqlite_engine, source.name, source.size, source.sha256, "ann")
    with full(sqlite_engine, spare_pages=5):
        loading.check(sqlite_engine, job, source)
    assert states(sqlite_engine) == {job: "refused"}
    told = jobs.one(sqlite_engine, job).message
    assert told
    assert "is the disk full?" in told
    with sqlite_engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM job_piece").scalar_one() == 0
