"""Backups that bring everything back, or say why not; and what is kept before an upgrade."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from dashboard import backup
from dashboard.backup import BackupError, back_up, checksum_path, keep_before_upgrade, restore
from dashboard.drill import drill
from dashboard.errors import NotReadyError
from queries import copy, sqlite_file
from queries.database import NEWEST_REVISION, make_engine, revision, writing
from queries.load import save
from queries.loads import data_state
from queries.scope import EVERYTHING
from tests import outcome_board
from tests import small_board as b
from tests.queries.test_copy import every_row
from tests.release import fill, said

NEWER = "9999"


def at(path: Path) -> Engine:
    return make_engine(f"sqlite:///{path.as_posix()}")


@pytest.fixture(scope="module")
def full_path(upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small board with referrals and scores, and what people write themselves."""
    engine = outcome_board.loaded(upgraded_file, tmp_path_factory.mktemp("full"))
    fill(engine)
    engine.dispose()
    path = Path(str(engine.url.database))
    assert sqlite_file.settle(path)
    return path


@pytest.fixture
def full(full_path: Path, tmp_path: Path) -> Iterator[Engine]:
    """A database of its own, in a folder of its own."""
    (tmp_path / "live").mkdir()
    shutil.copy(full_path, tmp_path / "live" / "dashboard.db")
    engine = at(tmp_path / "live" / "dashboard.db")
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, full: Engine) -> Engine:
    """The same on both databases."""
    if request.param == "sqlite":
        return full
    engine: Engine = request.getfixturevalue("postgres_engine")
    backup.copy_all(full, engine)
    return engine


@pytest.fixture
def file(full: Engine, tmp_path: Path) -> Path:
    """A backup of it."""
    made = tmp_path / "kept.backup"
    back_up(full, made)
    return made


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def own(file: Path) -> None:
    """Write the checksum that the file has now."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    checksum_path(file).write_text(f"{digest}  {file.name}\n")


def mark(path: Path, form: str) -> None:
    """As if another version had been here."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (form,))


def test_a_backup_holds_every_row_and_is_one_file(filled: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    made = back_up(filled, folder / "one.backup")
    assert left(folder) == {"one.backup", "one.backup.sha256"}
    assert (made.size, made.form) == (made.path.stat().st_size, NEWEST_REVISION)
    digest = hashlib.sha256(made.path.read_bytes()).hexdigest()
    # As `sha256sum -c` reads it.
    assert checksum_path(made.path).read_text() == f"{digest}  one.backup\n"
    assert every_row(at(made.path)) == every_row(filled)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps rights otherwise")
def test_nobody_else_may_read_a_backup(filled: Engine, tmp_path: Path) -> None:
    made = back_up(filled, tmp_path / "one.backup")
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600


def test_a_backup_while_others_write(filled: Engine, tmp_path: Path) -> None:
    """Whole loads only, whenever it is made; and nobody waits for it to end."""
    stop, failed = threading.Event(), []

    def write() -> None:
        number = 0
        while not stop.is_set() and number < 200:
            number += 1
            service = b.Service(f"s{number}", (b.ABBEY, b.BROOK), provider=f"P{number}")
            try:
                save(filled, b.services((service,)))
            except Exception as error:
                failed.append(error)
                return

    writer = threading.Thread(target=write)
    writer.start()
    versions = []
    try:
        for number in range(3):
            made = back_up(filled, tmp_path / f"{number}.backup")
            engine = at(made.path)
            with engine.connect() as connection:
                versions.append(copy.data_version(connection))
                rows = " UNION ALL ".join(
                    f"SELECT part_id FROM {name}"
                    for name in ("service", "service_area", "service_theme", "service_place")
                )
                torn = connection.execute(
                    text(
                        "SELECT id, row_count, count(part_id) FROM load_part "
                        f"LEFT JOIN ({rows}) AS r ON part_id = id WHERE dataset = 'services' "
                        "GROUP BY id, row_count HAVING count(part_id) <> row_count"
                    )
                ).all()
            engine.dispose()
            assert torn == []
    finally:
        stop.set()
        writer.join()
    assert failed == []
    assert versions == sorted(versions)
    assert data_state(filled).version > versions[0]


def test_what_was_deleted_is_not_in_a_backup(full: Engine, tmp_path: Path) -> None:
    with writing(full) as connection:
        connection.execute(text("UPDATE action SET words = 'Mrs Zebedee called'"))
    with writing(full) as connection:
        connection.execute(text("UPDATE action SET words = 'x'"))
        connection.execute(text("DELETE FROM action_change"))
    assert b"Zebedee" not in back_up(full, tmp_path / "one.backup").path.read_bytes()


def test_a_file_that_is_there_is_never_written_over(filled: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "one.backup").write_text("something else")
    with pytest.raises(BackupError, match=r"one\.backup is there already"):
        back_up(filled, folder / "one.backup")
    assert left(folder) == {"one.backup"}
    assert (folder / "one.backup").read_text() == "something else"


def test_a_file_that_comes_meanwhile_is_not_written_over_either(
    full: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    write = sqlite_file.write_copy

    def slowly(engine: Engine, path: Path) -> None:
        write(engine, path)
        (folder / "one.backup").write_text("something else")

    monkeypatch.setattr(sqlite_file, "write_copy", slowly)
    with pytest.raises(BackupError, match=r"one\.backup is there already"):
        back_up(full, folder / "one.backup")
    assert left(folder) == {"one.backup"}
    assert (folder / "one.backup").read_text() == "something else"


def test_no_folder_and_nothing_to_back_up(full: Engine, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="There is no folder"):
        back_up(full, tmp_path / "nowhere" / "one.backup")
    empty = at(tmp_path / "empty.db")
    with pytest.raises(BackupError, match="nothing to back up"):
        back_up(empty, tmp_path / "one.backup")
    empty.dispose()
    assert not (tmp_path / "one.backup").exists()


def test_a_damaged_database_makes_no_backup(full: Engine, tmp_path: Path) -> None:
    path = Path(str(full.url.database))
    full.dispose()
    sqlite_file.settle(path)
    torn = bytearray(path.read_bytes())
    for start in range(len(torn) // 3, len(torn), 40_000):
        torn[start : start + 3_000] = b"\x07" * len(torn[start : start + 3_000])
    path.write_bytes(torn)
    with pytest.raises(BackupError, match=r"can't be read|No backup was made"):
        back_up(full, tmp_path / "one.backup")
    assert left(tmp_path) == {"live"}


@pytest.mark.slow
def test_what_was_backed_up_comes_back_on_either_database(
    filled: Engine, any_bare_engine: Engine, tmp_path: Path
) -> None:
    before, wanted = every_row(filled), said(filled)
    back_up(filled, tmp_path / "one.backup")
    done = restore(tmp_path / "one.backup", any_bare_engine)
    assert (done.form, done.old) == (NEWEST_REVISION, None)
    assert done.rows == sum(map(len, before.values()))
    assert every_row(any_bare_engine) == before
    assert said(any_bare_engine) == wanted
    # And it goes on there.
    save(any_bare_engine, b.services((b.Service("new", (b.ABBEY,), provider="Another"),)))


def test_a_database_with_rows_is_not_restored_into(
    file: Path, both_engines: Engine, tmp_path: Path
) -> None:
    save(both_engines, b.services(b.SERVICES))
    before = every_row(both_engines)
    with pytest.raises(BackupError, match=r"holds data already \(load, .*nothing was changed"):
        restore(file, both_engines)
    assert every_row(both_engines) == before


def test_an_empty_database_is(file: Path, full: Engine, both_engines: Engine) -> None:
    restore(file, both_engines)
    assert every_row(both_engines) == every_row(full)


def test_what_makes_way_is_kept(file: Path, full: Engine, tmp_path: Path) -> None:
    path = Path(str(full.url.database))
    then = every_row(full)
    save(full, b.services((b.Service("new", (b.ABBEY,), provider="Another"),)))
    later = every_row(full)
    done = restore(file, full, replace=True)
    assert done.old is not None
    assert left(path.parent) >= {path.name, done.old.name}
    assert done.old.name.startswith("dashboard-before-restore-")
    now = every_row(full)
    # A page that runs again knows what it kept by this number: it must be another.
    assert now.pop("data_version")[0][1] == later["data_version"][0][1] + 1
    assert then.pop("data_version")[0][1] < later["data_version"][0][1]
    assert now == then
    kept = at(done.old)
    assert every_row(kept) == later
    kept.dispose()


def test_a_database_in_use_is_not_replaced(file: Path, full: Engine) -> None:
    path = Path(str(full.url.database))
    before = every_row(full)
    with closing(sqlite3.connect(path)) as page:
        page.execute("SELECT count(*) FROM load").fetchone()
        with pytest.raises(BackupError, match="in use: stop the dashboard"):
            restore(file, full, replace=True)
    full.dispose()
    assert left(path.parent) <= {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    assert every_row(full) == before
    assert restore(file, full, replace=True).old


def test_a_damaged_database_is_replaced_and_kept_as_it_is(file: Path, full: Engine) -> None:
    path = Path(str(full.url.database))
    before = every_row(full)
    full.dispose()
    sqlite_file.settle(path)
    path.write_bytes(b"no database any more")
    path.with_name(f"{path.name}-wal").write_bytes(b"old news")
    with pytest.raises(BackupError, match="holds data already"):
        restore(file, full)
    done = restore(file, full, replace=True)
    assert done.old
    assert done.old.read_bytes() == b"no database any more"
    assert every_row(full) == before


def test_on_postgresql_nothing_is_replaced(file: Path, postgres_engine: Engine) -> None:
    with pytest.raises(BackupError, match="--replace is for SQLite"):
        restore(file, postgres_engine, replace=True)


@pytest.mark.parametrize("harm", ["a byte", "the end", "another file", "no checksum", "not there"])
def test_a_damaged_file_is_refused(
    file: Path, both_engines: Engine, tmp_path: Path, harm: str
) -> None:
    raw = bytearray(file.read_bytes())
    if harm == "a byte":
        # In the middle of the rows, where SQLite itself would notice nothing.
        place = raw.index(b"Call the provider")
        raw[place] ^= 1
        file.write_bytes(raw)
        assert sqlite_file.fault_of(file) is None
    elif harm == "the end":
        file.write_bytes(raw[: len(raw) // 2])
    elif harm == "another file":
        file.write_bytes(b"PK" * 1000)
        own(file)
    elif harm == "no checksum":
        checksum_path(file).unlink()
    else:
        file.unlink()
    before = every_row(both_engines)
    words = {
        "another file": "no SQLite database",
        "no checksum": "give --unchecked",
        "not there": "can't be read",
    }
    with pytest.raises(BackupError, match=words.get(harm, r"kept\.backup is damaged")):
        restore(file, both_engines)
    assert every_row(both_engines) == before


def test_half_a_file_with_a_checksum_of_its_own_is_refused(
    file: Path, sqlite_engine: Engine
) -> None:
    raw = file.read_bytes()
    file.write_bytes(raw[: len(raw) // 2 // 4096 * 4096])
    own(file)
    with pytest.raises(BackupError, match="damaged"):
        restore(file, sqlite_engine)
    with pytest.raises(BackupError, match="damaged"):
        restore(file, sqlite_engine, unchecked=True)


def test_a_file_without_its_checksum_when_that_is_said(
    file: Path, full: Engine, sqlite_engine: Engine
) -> None:
    checksum_path(file).unlink()
    restore(file, sqlite_engine, unchecked=True)
    assert every_row(sqlite_engine) == every_row(full)


def test_another_database_is_no_backup(sqlite_engine: Engine, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("CREATE TABLE load (id)")
    own(tmp_path / "other.db")
    with pytest.raises(BackupError, match="no database of the dashboard"):
        restore(tmp_path / "other.db", sqlite_engine)


def test_a_backup_of_a_newer_version_is_refused(file: Path, both_engines: Engine) -> None:
    mark(file, NEWER)
    own(file)
    before = every_row(both_engines)
    words = rf"made by a newer version: it has the form {NEWER}, .* forms up to {NEWEST_REVISION}"
    with pytest.raises(BackupError, match=words):
        restore(file, both_engines)
    assert every_row(both_engines) == before


def test_a_backup_is_not_changed_by_restoring_it(
    file: Path, both_engines: Engine, tmp_path: Path
) -> None:
    raw = file.read_bytes()
    beside = left(tmp_path)
    restore(file, both_engines)
    assert file.read_bytes() == raw
    assert left(tmp_path) == beside


def test_a_restore_that_fails_at_the_end_leaves_what_was_there(
    file: Path, full: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(str(full.url.database))
    before = every_row(full)
    full.dispose()
    real = Path.replace

    def no_room(self: Path, target: Path) -> Path:
        if target == path:
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", no_room)
    with pytest.raises(BackupError, match="No space left"):
        restore(file, full, replace=True)
    assert every_row(full) == before
    full.dispose()
    assert not [name for name in left(path.parent) if name.startswith(".")]


def test_a_row_that_postgresql_refuses_restores_nothing(
    full: Engine, postgres_engine: Engine, tmp_path: Path
) -> None:
    with writing(full) as connection:
        connection.execute(text("UPDATE ward SET lad_code = 'A secret that is long' "))
    back_up(full, tmp_path / "one.backup")
    before = every_row(postgres_engine)
    with pytest.raises(BackupError, match=r"one\.backup was not restored") as told:
        restore(tmp_path / "one.backup", postgres_engine)
    assert "secret" not in str(told.value)
    assert every_row(postgres_engine) == before


@pytest.mark.slow
def test_a_drill_finds_the_same(filled: Engine) -> None:
    before = every_row(filled)
    found = drill(filled, EVERYTHING, b.AS_AT)
    assert found.differences == []
    assert found.rows == sum(map(len, before.values()))
    assert (found.tables, found.exports) == (len(before), 8)
    assert list(found.seconds) == ["backup", "restore", "compare"]
    assert every_row(filled) == before


@pytest.mark.slow
def test_a_drill_into_another_database(full: Engine, postgres_engine: Engine) -> None:
    assert drill(full, EVERYTHING, b.AS_AT, postgres_engine).differences == []
    with pytest.raises(BackupError, match="holds data already"):
        drill(full, EVERYTHING, b.AS_AT, postgres_engine)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM saved_view", ["table saved_view: 1 rows here, 0 restored"]),
        ("UPDATE data_version SET version = 7000", ["version of the data: "]),
        (
            "UPDATE ward_population SET people = people + 1000",
            ["export coverage: other figures than here", "export take-up: other figures"],
        ),
    ],
)
def test_a_drill_finds_a_difference(
    full: Engine, monkeypatch: pytest.MonkeyPatch, change: str, told: list[str]
) -> None:
    def restored(file: Path, target: Engine, **_: object) -> None:
        restore(file, target)
        with writing(target) as connection:
            connection.execute(text(change))

    monkeypatch.setattr("dashboard.drill.restore", restored)
    found = drill(full, EVERYTHING, b.AS_AT).differences
    assert found
    assert any(one.startswith(told[0]) for one in found)
    if "coverage" in told[0]:
        assert any(one.startswith(told[1]) for one in found)


@pytest.mark.slow
def test_a_drill_while_something_is_loaded_says_so(
    full: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restored(file: Path, target: Engine, **_: object) -> None:
        restore(file, target)
        save(full, b.services((b.Service("new", (b.ABBEY,), provider="Another"),)))

    monkeypatch.setattr("dashboard.drill.restore", restored)
    with pytest.raises(BackupError, match="changed while the drill ran"):
        drill(full, EVERYTHING, b.AS_AT)


def test_what_is_kept_before_an_upgrade(full: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(str(full.url.database))
    names = []

    class Clock:
        second = 0

        @classmethod
        def now(cls) -> Clock:
            cls.second += 1
            return cls()

        def __format__(self, _form: str) -> str:
            return f"20260630-{self.second:06}"

    monkeypatch.setattr(backup, "datetime", Clock)
    # The form is not what decides which are the newest.
    for form in ("0009", "0003", "0008"):
        kept = keep_before_upgrade(full, form)
        assert kept
        assert every_row(at(kept)) == every_row(full)
        names.append(kept.name)
    assert names[0] == "dashboard-form-0009-20260630-000001.db"
    made = {name for name in left(path.parent) if "-form-" in name and "-wal" not in name}
    assert {name for name in made if name.endswith((".db", ".sha256"))} == {
        *names[1:],
        *(f"{name}.sha256" for name in names[1:]),
    }


def test_nothing_is_kept_of_nothing(
    sqlite_engine: Engine, postgres_engine: Engine, full: Engine
) -> None:
    assert keep_before_upgrade(sqlite_engine, "0007") is None
    backup.copy_all(full, postgres_engine)
    assert keep_before_upgrade(postgres_engine, "0007") is None


def test_a_form_that_is_not_known(full: Engine, tmp_path: Path) -> None:
    mark(Path(str(full.url.database)), NEWER)
    with pytest.raises(NotReadyError, match=rf"the form {NEWER}, which a newer version"):
        back_up(full, tmp_path / "one.backup")
    assert left(tmp_path) == {"live"}


def test_the_way_back_from_a_newer_version(file: Path, full: Engine) -> None:
    """What an operator does who goes back to the older version: the newer database is kept."""
    before = every_row(full)
    mark(Path(str(full.url.database)), NEWER)
    with pytest.raises(BackupError, match="holds data already"):
        restore(file, full)
    done = restore(file, full, replace=True)
    assert done.old
    now = every_row(full)
    del now["data_version"], before["data_version"]
    assert now == before
    assert revision(at(done.old)) == NEWER
