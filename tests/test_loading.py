"""Loading for the page and the command line: what is said before, done, kept, and taken back."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, event, select

from dashboard import intake, loading
from dashboard.intake import sandbox
from dashboard.intake.mapping import Mapping, fingerprint
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from dashboard.intake.staged import LaterError
from dashboard.intake.templates import template_bytes
from dashboard.loading import Preview
from dashboard.settings import settings
from queries import history, jobs, mappings, tables
from queries.database import make_engine
from queries.load import AlreadyLoadedError, remove_demonstration
from queries.scope import EVERYTHING
from tests.intake import files
from tests.made_once import HASH_KEY, demonstration_file
from tests.queries.test_save import contents, rows_in

# Northton's wards and their people are known; Southton's are not sent again.
FEWER_SERVICES = "\n".join(files.SERVICES.splitlines()[:3]) + "\n"
# One row in twenty breaks a rule, which is as many as a file may have.
MANY_REFERRALS = "reference,received,ward_code,pcn_code\n" + "".join(
    f"r{n},2026-01-{n:02},E05000001,U00001\n" for n in range(1, 20)
)
WITH_A_BAD_ROW = MANY_REFERRALS + "r20,nonsense,E05000001,U00001\n"
SUPPLIERS = "Case ID,Date seen first by us,Electoral area\nr1,2026-01-31,E05000001\n"
MAPPING = Mapping(
    "referrals",
    {"reference": "Case ID", "received": "Date seen first by us", "ward_code": "Electoral area"},
)


def source_of(text: str, name: str = "file.csv") -> Source:
    return Source.of(name, text.encode())


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DASHBOARD_HASH_KEY", HASH_KEY)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def engine(sqlite_engine: Engine, read_here: None) -> Engine:
    return sqlite_engine


def states(engine: Engine) -> list[tuple[str, str]]:
    found = history.history(engine, EVERYTHING)
    return list(zip(found["file_name"], found["state"], strict=True))


def state(engine: Engine, job_id: int) -> str:
    return jobs.one(engine, job_id).state


def checked(engine: Engine, text: str, name: str = "file.csv", who: str = "Ann") -> int:
    """A file whose check has ended; its job."""
    source = source_of(text, name)
    job_id = jobs.offer(engine, source.name, source.size, source.sha256, who)
    loading.check(engine, job_id, source)
    return job_id


def work(engine: Engine) -> None:
    assert loading.work(engine, until_idle=True, wait=lambda: pytest.fail("it waits"))


# Before: what would change.


def on_disk(engine: Engine) -> list[bytes]:
    path = engine.url.database
    assert path
    return [found.read_bytes() for found in (Path(path), Path(f"{path}-wal")) if found.exists()]


def test_a_dry_run_changes_nothing(engine: Engine) -> None:
    loading.load_now(engine, source_of(FEWER_SERVICES), "Ann")
    before, bytes_before = contents(engine), on_disk(engine)
    loading.dry_run(engine, source_of(files.SERVICES))
    with pytest.raises(RefusedError):
        loading.dry_run(engine, source_of("a,b\n1,2\n"))
    with pytest.raises(RefusedError):
        loading.dry_run(engine, source_of(files.SERVICES), dataset="workforce")
    assert on_disk(engine) == bytes_before
    assert contents(engine) == before


def test_what_would_change(engine: Engine) -> None:
    """Hill charity (s1 and s2) was sent before: 2 services, s1's 3 areas and 2 themes are 7 rows.
    Dale advice (s3) adds a service and a theme."""
    loading.load_now(engine, source_of(FEWER_SERVICES), "Ann")
    preview, left_out = loading.dry_run(engine, source_of(files.SERVICES))
    first, second, third = preview.first_rows
    assert replace(preview, first_rows=()) == Preview(
        dataset="services",
        vintage=None,
        period_start=None,
        period_end=None,
        rows_read=3,
        rows_refused=0,
        notes=(
            "3 services of 2 providers",
            "1 not placed: neither an area served nor online",
            "1 with more places filled than offered",
        ),
        parts_added=1,
        parts_replaced=1,
        rows_before=7,
        rows_after=9,
        filled={
            "service_id": 3, "service_name": 3, "provider": 3, "is_online": 3, "state": 2,
            "places_offered": 2, "places_filled": 2, "people_waiting": 1, "wait_days": 0,
            "cost_to_person": 1, "access": 0, "sector": 0, "minimum_age": 0, "maximum_age": 0,
            "has_safeguarding": 2, "confirmed_on": 1, "opens_on": 0, "closes_on": 0, "funder": 1,
            "funding_ends": 1, "cost_per_place": 1,
        },
        first_rows=(),
    )  # fmt: skip
    assert [row["service_id"] for row in preview.first_rows] == ["s1", "s2", "s3"]
    assert first == {
        "service_id": "s1", "service_name": "Walks", "provider": "Hill charity",
        "is_online": "False", "state": "has capacity", "places_offered": "10",
        "places_filled": "4", "people_waiting": "0", "wait_days": "",
        "cost_to_person": "free", "access": "", "sector": "", "minimum_age": "",
        "maximum_age": "", "has_safeguarding": "True", "confirmed_on": "2026-06-01",
        "opens_on": "", "closes_on": "", "funder": "Council", "funding_ends": "2027-03-31",
        "cost_per_place": "12.5",
    }  # fmt: skip
    assert (second["people_waiting"], third["state"]) == ("", "")
    assert len(left_out) == 0
    assert preview.title == intake.dataset_named("services").title
    services = intake.dataset_named("services")
    assert preview.change == (
        f"{services.parts}: adds 1, replaces 1 ({services.replaces}), 0 rows refused"
    )


def test_no_row_about_a_person_is_shown(engine: Engine) -> None:
    preview, left_out = loading.dry_run(engine, source_of(WITH_A_BAD_ROW))
    assert preview.first_rows == ()
    assert preview.filled["received_on"] == preview.filled["ward_code"] == 19
    assert not set(preview.filled) & {"part_key", "reference_hash", "person_id"}
    assert (preview.rows_read, preview.rows_refused, preview.rows_after) == (20, 1, 19)
    assert (preview.period_start, preview.period_end) == ("2026-01-01", "2026-01-31")
    assert (preview.parts_added, preview.parts_replaced, preview.rows_before) == (1, 0, 0)
    assert left_out[["row", "column"]].to_numpy().tolist() == [[21, "received"]]


def test_a_file_of_several_blocks_is_told_as_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.intake.source.ROWS_A_BLOCK", 2)
    rows = "".join(f"r{n},2026-0{n}-15,E05000001,U00001,{'F' * (n % 2)}\n" for n in range(1, 6))
    preview, _ = loading.dry_run(
        engine, source_of("reference,received,ward_code,pcn_code,sex\n" + rows)
    )
    assert (preview.rows_read, preview.rows_after, preview.parts_added) == (5, 5, 5)
    assert (preview.filled["received_on"], preview.filled["sex"]) == (5, 3)
    assert (preview.period_start, preview.period_end) == ("2026-01-01", "2026-05-31")


def test_shapes_are_not_shown_and_five_rows_are_enough(engine: Engine) -> None:
    wards = files.boundaries(
        *(files.ward_feature(f"E0500000{n}", f"Ward {n}", "E07000001", 0.5) for n in range(1, 8))
    )
    preview, _ = loading.dry_run(engine, source_of(wards))
    assert [row["area_code"] for row in preview.first_rows] == [f"E0500000{n}" for n in range(1, 6)]
    assert "geometry" not in preview.filled
    assert (preview.parts_added, preview.vintage) == (1, "2025 wards")


def test_a_preview_is_kept_whole(engine: Engine) -> None:
    job = jobs.one(engine, checked(engine, files.SERVICES))
    assert job.report is not None
    assert Preview.from_json(job.report) == loading.dry_run(engine, source_of(files.SERVICES))[0]


def test_the_demonstration_is_not_said_to_be_replaced(engine: Engine) -> None:
    source = source_of(FEWER_SERVICES)
    intake.take_in(engine, source, HASH_KEY.encode(), is_demonstration=True)
    preview, _ = loading.dry_run(engine, source_of(files.SERVICES))
    assert (preview.parts_added, preview.parts_replaced, preview.rows_before) == (2, 0, 0)


# In one go.


def test_loaded_in_one_go(engine: Engine) -> None:
    record = loading.load_now(engine, source_of(WITH_A_BAD_ROW, "june.csv"), "Ann")
    assert (record.dataset, record.rows_read, record.rows_refused) == ("referrals", 20, 1)
    row = history.history(engine, EVERYTHING).iloc[0]
    assert (row["who"], row["file_name"], row["state"]) == ("Ann", "june.csv", "loaded")
    assert (row["rows_in"], row["rows_refused"], row["load_id"]) == (20, 1, record.load_id)
    problems = history.problems(engine, EVERYTHING, int(row["job_id"]))
    assert problems[["row", "column"]].to_numpy().tolist() == [[21, "received"]]
    assert rows_in(engine)["referral"] == 19
    job = jobs.one(engine, int(row["job_id"]))
    assert (job.size_bytes, job.offered_by, job.load_id) == (
        len(WITH_A_BAD_ROW), "Ann", record.load_id,
    )  # fmt: skip


def test_a_refused_file_is_in_the_history_and_nowhere_else(engine: Engine) -> None:
    before = rows_in(engine)
    with pytest.raises(RefusedError):
        loading.load_now(engine, source_of(files.SERVICES.replace("s2", "s1"), "twice.csv"), "Ann")
    assert states(engine) == [("twice.csv", "refused")]
    problems = history.problems(engine, EVERYTHING, 1)
    assert rows_in(engine) == {**before, "job": 1, "job_problem": len(problems)}
    assert "s1" not in problems.to_csv()


def test_the_same_bytes_are_refused_before_they_are_read(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading.load_now(engine, source_of(files.SERVICES), "Ann")
    before = contents(engine)
    monkeypatch.setattr(sandbox, "read", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(AlreadyLoadedError, match=r"^Already loaded on .* as 'file\.csv'"):
        loading.load_now(engine, source_of(files.SERVICES, "copy.csv"), "Bob")
    assert contents(engine) == before
    job_id = checked(engine, files.SERVICES, "copy.csv")
    assert state(engine, job_id) == "unchanged"
    assert states(engine) == [("copy.csv", "unchanged"), ("file.csv", "loaded")]


def test_a_file_that_needs_others_is_left_for_later(engine: Engine) -> None:
    by_lsoa = "reference,received,lsoa_code,pcn_code\nr1,2026-01-31,E01000001,U00001\n"
    before = contents(engine)
    with pytest.raises(LaterError):
        loading.load_now(engine, source_of(by_lsoa), "Ann", is_first_round=True)
    assert contents(engine) == before
    loading.load_now(engine, source_of(files.LSOA_WARD), "Ann", is_first_round=True)
    assert loading.load_now(engine, source_of(by_lsoa), "Ann").rows_read == 1


def test_taken_for_the_dataset_that_was_named(engine: Engine) -> None:
    assert loading.load_now(engine, source_of(files.SERVICES), None, dataset="services").load_id
    with pytest.raises(RefusedError, match="is not a file of"):
        loading.load_now(engine, source_of(files.LSOA_WARD), None, dataset="services")


# Mappings.


def test_read_by_a_mapping(engine: Engine) -> None:
    with pytest.raises(RefusedError):
        loading.load_now(engine, source_of(SUPPLIERS), None)
    assert loading.load_now(engine, source_of(SUPPLIERS), None, mapping=MAPPING).rows_read == 1
    assert rows_in(engine)["referral"] == 1


def test_a_saved_mapping_is_used_again(engine: Engine) -> None:
    """For the same headings in another order and case, and no others."""
    headings = ["Case ID", "Date seen first by us", "Electoral area"]
    mappings.save_mapping(
        engine, "ours", "referrals", fingerprint(headings), MAPPING.to_json(), "Ann"
    )
    other_order = "electoral area,CASE ID,Date seen first by us\nE05000001,r2,2026-02-28\n"
    assert loading.load_now(engine, source_of(SUPPLIERS), None).dataset == "referrals"
    assert loading.load_now(engine, source_of(other_order), None).rows_read == 1
    with engine.connect() as connection:
        rows = connection.execute(
            select(tables.referral.c.received_on, tables.referral.c.ward_code)
        )
        assert [(str(day), ward) for day, ward in rows] == [
            ("2026-01-31", "E05000001"),
            ("2026-02-28", "E05000001"),
        ]
    one_more = "Electoral area,Case ID,Date seen first by us,x\nE05000001,r3,2026-02-28,\n"
    with pytest.raises(RefusedError):
        loading.load_now(engine, source_of(one_more), None)
    # A file that is known by itself is read as what it is.
    assert loading.load_now(engine, source_of(files.SERVICES), None).dataset == "services"


def test_a_mapping_hides_no_nhs_number(engine: Engine) -> None:
    unmapped = (
        "Case ID,Date seen first by us,Electoral area,x\nr1,2026-01-31,E05000001,9434765919\n"
    )
    with pytest.raises(RefusedError, match="NHS number"):
        loading.load_now(engine, source_of(unmapped), None, mapping=MAPPING)


# Checked, confirmed, loaded.


def test_checked_confirmed_and_loaded(engine: Engine) -> None:
    job_id = checked(engine, WITH_A_BAD_ROW, "june.csv", "Bob")
    job = jobs.one(engine, job_id)
    assert (job.state, job.dataset, job.load_id) == ("checked", "referrals", None)
    assert set(rows_in(engine)) == {"data_version", "job", "job_piece", "job_problem"}
    work(engine)
    assert state(engine, job_id) == "checked"
    assert jobs.queue(engine, job_id)
    work(engine)
    job = jobs.one(engine, job_id)
    assert (job.state, job.attempts, job.message) == ("loaded", 1, None)
    row = history.history(engine, EVERYTHING).iloc[0]
    assert (row["who"], row["job_id"], row["load_id"]) == ("Bob", job_id, job.load_id)
    assert (row["rows_in"], row["rows_out"], row["rows_refused"]) == (20, 19, 1)
    counts = rows_in(engine)
    assert (counts["referral"], counts["job_problem"]) == (19, 1)
    assert "job_piece" not in counts


def test_a_staged_load_leaves_what_a_direct_one_does(engine: Engine, upgraded_file: Path) -> None:
    other = make_engine(f"sqlite:///{shutil.copy(upgraded_file, f'{engine.url.database}2')}")
    for text in (files.SERVICES, files.WORKFORCE, files.BOUNDARIES, WITH_A_BAD_ROW):
        assert jobs.queue(engine, checked(engine, text))
        work(engine)
        loading.load_now(other, source_of(text), "Ann")
    mine, direct = contents(engine), contents(other)
    other.dispose()
    for name in mine:
        # These say when.
        if name not in ("job", "load", "trail"):
            assert mine[name] == direct[name], name


def test_a_check_that_refuses_keeps_nothing_but_why(engine: Engine) -> None:
    job_id = checked(engine, "a,b\n1,2\n", "odd.csv")
    assert state(engine, job_id) == "refused"
    assert set(rows_in(engine)) == {"data_version", "job", "job_problem"}
    assert not jobs.queue(engine, job_id)


def test_a_check_that_breaks_says_so_without_the_file(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret of the file")

    monkeypatch.setattr(sandbox, "read", broken)
    job = jobs.one(engine, checked(engine, files.SERVICES))
    assert job.state == "refused"
    assert str(job.message).startswith("Nothing was loaded: something went wrong; error ")
    assert "secret" not in str(job.message)


def test_two_jobs_of_the_same_bytes_are_one_load(engine: Engine) -> None:
    both = [checked(engine, files.SERVICES, name) for name in ("one.csv", "two.csv")]
    assert all(jobs.queue(engine, job_id) for job_id in both)
    work(engine)
    assert [state(engine, job_id) for job_id in both] == ["loaded", "unchanged"]
    assert str(jobs.one(engine, both[1]).message).startswith("Already loaded on ")
    assert "job_piece" not in rows_in(engine)


def test_what_fails_keeps_its_rows_and_others_go_on(engine: Engine) -> None:
    bad, good = checked(engine, files.SERVICES, "bad.csv"), checked(engine, files.WORKFORCE)
    piece = tables.job_piece.c
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        last = select(piece.place).where(piece.job_id == bad).order_by(piece.place.desc()).limit(1)
        lost = connection.scalar(last)
        kept = connection.scalar(select(piece.content).where(piece.place == lost))
        connection.execute(delete(tables.job_piece).where(piece.job_id == bad, piece.place == lost))
    assert jobs.queue(engine, bad)
    assert jobs.queue(engine, good)
    work(engine)
    assert [state(engine, job_id) for job_id in (bad, good)] == ["failed", "loaded"]
    words = str(jobs.one(engine, bad).message)
    assert words.startswith("Nothing was loaded: something went wrong; error ")
    assert words.endswith(". Try again.")
    assert "service" not in rows_in(engine)
    jobs.keep_piece(engine, bad, lost, kept)
    assert jobs.queue(engine, bad)
    work(engine)
    assert state(engine, bad) == "loaded"


def test_a_full_disk_fails_one_file_and_loses_nothing(engine: Engine) -> None:
    many = "reference,received,ward_code,pcn_code\n" + "".join(
        f"r{n},2026-01-01,E05000001,U00001\n" for n in range(3_000)
    )
    job_id = checked(engine, many)
    assert jobs.queue(engine, job_id)
    before = contents(engine)

    def full(connection, _record) -> None:  # type: ignore[no-untyped-def]
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 5}")

    engine.dispose()
    event.listen(engine, "connect", full)
    work(engine)
    assert state(engine, job_id) == "failed"
    assert "is the disk full?" in str(jobs.one(engine, job_id).message)
    after = contents(engine)
    assert {**after, "job": None} == {**before, "job": None}
    event.remove(engine, "connect", full)
    engine.dispose()
    assert jobs.queue(engine, job_id)
    work(engine)
    assert rows_in(engine)["referral"] == 3_000


def test_a_load_that_was_cut_off_is_done_by_the_next_worker(engine: Engine) -> None:
    job_id = checked(engine, files.SERVICES)
    assert jobs.queue(engine, job_id)
    assert jobs.take_next(engine) == job_id
    work(engine)
    job = jobs.one(engine, job_id)
    assert (job.state, job.attempts) == ("loaded", 2)


def test_a_second_worker_does_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "WAIT_FOR_LOCK_SECONDS", 0.0)
    job_id = checked(engine, files.SERVICES)
    assert jobs.queue(engine, job_id)
    with jobs.workers_lock(engine) as mine:
        assert mine
        assert not loading.work(engine, until_idle=True, wait=lambda: None)
    assert state(engine, job_id) == "waiting"


@pytest.mark.slow
def test_workers_of_postgres_share_the_files(
    postgres_engine: Engine, read_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is loaded once, by whichever worker; one that a dead worker left behind as well."""
    monkeypatch.setattr(loading, "WAIT_FOR_LOCK_SECONDS", 30.0)
    months = [MANY_REFERRALS.replace("2026-01", f"2026-0{month}") for month in range(1, 6)]
    offered = [checked(postgres_engine, text) for text in months]
    assert all(jobs.queue(postgres_engine, job_id) for job_id in offered)
    assert jobs.take_next(postgres_engine) == offered[0]

    def one_worker(_number: int) -> bool:
        return loading.work(postgres_engine, until_idle=True, wait=lambda: None)

    with ThreadPoolExecutor(3) as workers:
        assert all(workers.map(one_worker, range(3)))
    ended = [jobs.one(postgres_engine, job_id) for job_id in offered]
    assert [job.state for job in ended] == ["loaded"] * 5
    assert [job.attempts for job in ended] == [2, 1, 1, 1, 1]
    assert len({job.load_id for job in ended}) == 5


def test_a_worker_of_a_team_waits_and_goes_on(engine: Engine) -> None:
    first, second = checked(engine, files.SERVICES), checked(engine, files.WORKFORCE)
    waits = Counter[str]()

    def wait() -> None:
        waits[state(engine, first) + " " + state(engine, second)] += 1
        if not jobs.queue(engine, first) and not jobs.queue(engine, second):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loading.work(engine, until_idle=False, wait=wait)
    assert waits == {"checked checked": 1, "loaded checked": 1, "loaded loaded": 1}


def until(done: Callable[[], bool], patience: float = 60) -> None:
    give_up = time.monotonic() + patience
    while not done():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_a_check_goes_on_in_the_background(engine: Engine) -> None:
    before = datetime.now(UTC)
    job_id = loading.check_in_background(engine, source_of(SUPPLIERS), "Ann", MAPPING)
    until(lambda: state(engine, job_id) != "checking")
    job = jobs.one(engine, job_id)
    assert (job.state, job.dataset, job.offered_by) == ("checked", "referrals", "Ann")
    assert job.offered_at >= before
    assert jobs.same_under_way(engine, source_of(SUPPLIERS).sha256)


@pytest.mark.slow  # two processes
@pytest.mark.filterwarnings("ignore:subprocess:ResourceWarning")
def test_a_worker_in_a_process_of_its_own(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", str(sqlite_engine.url))
    job_id = checked(sqlite_engine, files.SERVICES)
    assert jobs.queue(sqlite_engine, job_id)
    loading.start_worker()
    until(lambda: state(sqlite_engine, job_id) == "loaded")
    assert rows_in(sqlite_engine)["service"] == 3


# Undo.


def plain_contents(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """What pages read: every row in force, without the numbers of its load and part."""
    found = {}
    with engine.connect() as connection:
        part = tables.load_part.c
        in_force = select(part.id).where(part.replaced_by.is_(None))
        for table in tables.metadata.sorted_tables:
            if "part_id" not in table.c:
                continue
            columns = [column for column in table.c if column.name != "part_id"]
            rows = connection.execute(select(*columns).where(table.c.part_id.in_(in_force)))
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
        found["ward"] = sorted(tuple(row) for row in connection.execute(select(tables.ward)))
        load = tables.load.c
        found["load"] = sorted(
            tuple(row)
            for row in connection.execute(
                select(load.dataset, load.file_name, load.sha256).where(load.is_demonstration)
            )
        )
    return found


@pytest.mark.slow  # makes the demonstration again
def test_undo_of_the_first_real_file_brings_the_demonstration_back(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, read_here: None
) -> None:
    path = shutil.copy(demonstration_file(tmp_path_factory), tmp_path / "own.db")
    engine = make_engine(f"sqlite:///{path}")
    before = plain_contents(engine)
    first = loading.load_now(engine, source_of(files.SERVICES), "Ann")
    second = loading.load_now(engine, source_of(files.LSOA_WARD), "Ann")
    assert first.removed_demonstration
    assert not loading.undo(engine, first.load_id, "Ann").leaves_demonstration
    assert plain_contents(engine)["load"] == []
    assert loading.undo(engine, second.load_id, "Ann").leaves_demonstration
    after = plain_contents(engine)
    for name in before:
        assert after[name] == before[name], name
    assert states(engine) == [("file.csv", "loaded")] * 2
    engine.dispose()


def test_undo_makes_no_demonstration_where_there_was_none(engine: Engine) -> None:
    intake.take_in(engine, source_of(files.WORKFORCE), HASH_KEY.encode(), is_demonstration=True)
    assert remove_demonstration(engine)
    record = loading.load_now(engine, source_of(files.SERVICES), "Ann")
    assert not loading.undo(engine, record.load_id, "Ann").leaves_demonstration
    assert "load" in rows_in(engine)
    assert "link_worker" not in rows_in(engine)
    with pytest.raises(history.UndoError):
        loading.undo(engine, record.load_id, "Ann")


def test_rows_that_count_a_few_people_are_not_shown_before_they_are_loaded(engine: Engine) -> None:
    dataset = intake.dataset_named("personal_health_budgets")
    source = Source.of("budgets.csv", template_bytes(dataset, "csv"))
    preview, _ = loading.dry_run(engine, source)
    assert (preview.dataset, preview.rows_read, preview.first_rows) == (dataset.name, 1, ())
