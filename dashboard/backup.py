"""Backup and restore: the database as one SQLite file with its checksum beside it."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from dashboard.errors import NotReadyError
from dashboard.facts import count_missing
from queries import copy, sqlite_file
from queries.database import NEWEST_REVISION, is_known, make_engine, revision, upgrade
from queries.load import NotWrittenError

# How many of the copies that are made before an upgrade are kept.
MOST_KEPT = 2
_BLOCK = 1 << 20


class BackupError(NotReadyError):
    """Nothing was changed; the message says why, and what to do."""


@dataclass(frozen=True)
class Backup:
    """A backup that was made: its file, how many bytes it has, and the form of its database."""

    path: Path
    size: int
    form: str


@dataclass(frozen=True)
class Restored:
    """What a restore did: the form of the backup, rows by table, and where the old one is now."""

    form: str
    rows: int
    old: Path | None


def checksum_path(file: Path) -> Path:
    """The file beside a backup with its SHA-256, in the form that `sha256sum -c` reads."""
    return file.with_name(f"{file.name}.sha256")


def nothing(_table: str, _rows: int) -> None:
    """Tell nobody how far it is."""


def back_up(engine: Engine, file: Path, tell: copy.Tell = nothing) -> Backup:
    """Write the database as it stands now to a new file, while others read and write.

    The file is whole or not there. `BackupError` when it can't be made.
    """
    form = _form(engine)
    if form is None:
        raise BackupError("The database is empty: there is nothing to back up.")
    check_known(form)
    if file.exists():
        raise BackupError(f"{file.name} is there already: give a name that is not used yet.")
    part = _new_name(file)
    try:
        # Only for whoever makes it: it holds what the database holds.
        part.touch(mode=0o600, exist_ok=False)
        if engine.dialect.name == "sqlite":
            sqlite_file.write_copy(engine, part)
        else:
            _write_rows(engine, part, tell)
        sqlite_file.settle(part)
        if fault := sqlite_file.fault_of(part):
            raise BackupError(
                f"No backup was made: of the copy it turned out that {fault}. The database itself may "
                "be: look at it, and keep the backups that you have."
            )
        size = part.stat().st_size
        line = f"{_sha256(part)}  {file.name}\n"
        _write_through(part)
        _name_it(part, file)
    except (OSError, sqlite3.Error, DBAPIError, NotWrittenError, RuntimeError) as error:
        raise _no_backup(file, error) from None
    finally:
        _remove(part)
    checksum_path(file).write_text(line, encoding="utf-8")
    return Backup(file, size, form)


def _no_backup(file: Path, error: Exception) -> BackupError:
    if isinstance(error, BackupError):
        return error
    if isinstance(error, FileExistsError):
        return BackupError(f"{file.name} is there already: give a name that is not used yet.")
    if isinstance(error, FileNotFoundError):
        return BackupError(f"There is no folder {file.parent}: make it, or give another.")
    return BackupError(
        f"No backup was made, and nothing is left of {file.name} ({_why(error)}): look whether there "
        "is room for it, and whether the folder may be written to."
    )


def _why(error: Exception) -> str:
    """The kind of error: the message itself may hold data."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, NotWrittenError | sqlite3.OperationalError):
        return str(error)
    return type(error).__name__


def _write_rows(engine: Engine, part: Path, tell: copy.Tell) -> None:
    target = make_engine(_url(part))
    try:
        with copy.snapshot(engine) as source:
            copy.copy_into(source, target, tell)
    finally:
        target.dispose()


def _url(path: Path) -> str:
    return f"sqlite:///{path.as_posix()}"


def _new_name(file: Path) -> Path:
    return file.with_name(f".{file.name}.{secrets.token_hex(4)}")


def _remove(path: Path) -> None:
    for end in ("", *sqlite_file.SIDE_FILES):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _name_it(part: Path, file: Path) -> None:
    """Give a whole file its name, which must not be taken."""
    try:
        file.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links, such as that of a USB stick.
        if file.exists():
            raise FileExistsError(file) from None
        part.rename(file)


def _write_through(path: Path) -> None:
    """Wait until the disk itself has it: only then is it a backup."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_known(form: str | None) -> None:
    """`NotReadyError` where the database has a form that this version does not know."""
    if form != NEWEST_REVISION and not is_known(form):
        raise NotReadyError(
            f"The database has the form {form}, which a newer version of the dashboard made; this "
            f"version knows forms up to {NEWEST_REVISION}. Nothing was changed. Install the newer "
            "version again, or go back to the backup that was made before its upgrade: "
            "`python -m dashboard restore FILE` says how."
        )


def keep_before_upgrade(engine: Engine, form: str) -> Path | None:
    """Copy an SQLite database, before its form is changed, to a file beside it: its name says the form
    and the time. The newest of them are kept. `None` where there is nothing to keep.

    `BackupError` when it can't be made: then nothing may be changed either.
    """
    path = _path_of(engine)
    if path is None or not _holds_rows(engine):
        return None
    beside = path.with_name(f"{path.stem}-form-{form}-{datetime.now():%Y%m%d-%H%M%S}{path.suffix}")
    # Another process that starts now may have made the same.
    if not beside.exists():
        back_up(engine, beside)
    pattern = f"{path.stem}-form-*{path.suffix}"
    made = sorted(path.parent.glob(pattern), key=lambda one: one.stem.split("-")[-2:])
    for old in made[:-MOST_KEPT]:
        old.unlink(missing_ok=True)
        checksum_path(old).unlink(missing_ok=True)
    return beside


def _holds_rows(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(copy.tables_with_rows(connection))


def _path_of(engine: Engine) -> Path | None:
    """The file of an SQLite database; `None` of any other."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return None
    return Path(name)


def restore(
    file: Path,
    target: Engine,
    *,
    replace: bool = False,
    unchecked: bool = False,
    tell: copy.Tell = nothing,
) -> Restored:
    """Put a backup into an empty database, brought to the form of this version: all or nothing.

    With `replace` an SQLite file that holds rows makes way, and is kept under another name.
    `BackupError` where the backup is damaged or of a newer version, or the database holds rows.
    """
    expected = None if unchecked else _expected(file)
    path = _path_of(target)
    old_version = _refuse_rows(target, path, replace)
    with _room_beside(path, file) as work:
        try:
            _copy_checked(file, work, expected)
            form = _brought_to_newest(work, file)
            _outnumber(work, old_version)
            if path is None:
                counts = _fill(work, target, tell)
                return Restored(form, sum(counts.values()), None)
            rows = sum(_counts(work).values())
            target.dispose()
            return Restored(form, rows, _take_place(work, path, replace))
        except (OSError, sqlite3.Error, DBAPIError, NotWrittenError) as error:
            raise BackupError(
                f"{file.name} was not restored, and nothing was changed ({_why(error)}): look whether "
                "there is room, and whether the database may be written to."
            ) from None


def _expected(file: Path) -> str:
    beside = checksum_path(file)
    try:
        with file.open("rb"):
            found = beside.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        if not file.is_file():
            raise BackupError(f"{file.name} can't be read: expected a file of `backup`.") from None
        raise BackupError(
            f"{beside.name} can't be read ({_why(error)}): it belongs beside {file.name} and says "
            "whether that is as it was. Copy it too, or give --unchecked, which looks at the form of "
            "the file only."
        ) from None
    return found[0] if found else ""


def _refuse_rows(target: Engine, path: Path | None, replace: bool) -> int:
    """The version of the data that is there; `BackupError` where rows would be lost."""
    if path is None and replace:
        raise BackupError(
            "--replace is for SQLite, where the old file is kept. On PostgreSQL make an empty "
            "database, restore --into it, and point the settings to it: the old one stays."
        )
    if path is not None and not path.exists():
        return 0
    try:
        form = revision(target)
        with target.connect() as connection:
            names = copy.tables_with_rows(connection)
            version = copy.data_version(connection) if form else 0
    except DBAPIError as error:
        if path is None:
            raise BackupError(
                f"The database can't be reached ({type(error).__name__}): nothing was changed."
            ) from None
        form, names, version = "unreadable", ["the file"], 0
    if not replace and (names or form not in (None, NEWEST_REVISION)):
        where = ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")
        how = "" if path is None else ", or give --replace: the old file is then kept beside it"
        raise BackupError(
            f"The database holds data already ({where or f'form {form}'}), and nothing was changed. "
            f"Restore --into an empty one{how}."
        )
    return version


@contextmanager
def _room_beside(path: Path | None, file: Path) -> Iterator[Path]:
    """A name for a working copy: beside the database that it will be, else in a folder of its own."""
    if path is not None:
        work = _new_name(path)
        try:
            yield work
        finally:
            _remove(work)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / file.name


def _copy_checked(file: Path, work: Path, expected: str | None) -> None:
    """Copy the backup, reading it once: what is checked is what is restored."""
    work.touch(mode=0o600, exist_ok=False)
    with file.open("rb") as source, work.open("wb") as target:
        found = _copy_hashed(source, target)
    if expected is not None and found != expected:
        raise BackupError(
            f"{file.name} is damaged: its checksum is not the one of {checksum_path(file).name}. "
            "Nothing was changed. Take another backup, or another copy of this one."
        )
    if fault := sqlite_file.fault_of(work):
        raise BackupError(f"{file.name} can't be restored: {fault}. Nothing was changed.")


def _copy_hashed(source: BinaryIO, target: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := source.read(_BLOCK):
        digest.update(block)
        target.write(block)
    return digest.hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[Engine]:
    engine = make_engine(_url(path))
    try:
        yield engine
    finally:
        engine.dispose()


def _brought_to_newest(work: Path, file: Path) -> str:
    """Bring the working copy to the form of this version; the form that it had."""
    with _opened(work) as engine:
        form = revision(engine)
        if form is None or not is_known(form):
            raise BackupError(
                f"{file.name} was made by a newer version: it has the form {form}, and this version "
                f"knows forms up to {NEWEST_REVISION}. Nothing was changed. Install that version."
            )
        if form != NEWEST_REVISION:
            upgrade(engine)
            count_missing(engine)
    return form


def _outnumber(work: Path, old_version: int) -> None:
    """A page that still runs knows the old data by its number: the restored have another."""
    with _opened(work) as engine:
        with engine.connect() as connection:
            version = copy.data_version(connection)
        if 0 < version <= old_version:
            copy.set_data_version(engine, old_version + 1)


def _counts(work: Path) -> dict[str, int]:
    with _opened(work) as engine, engine.connect() as connection:
        return copy.row_counts(connection)


def _fill(work: Path, target: Engine, tell: copy.Tell) -> dict[str, int]:
    with _opened(work) as engine:
        return copy_all(engine, target, tell)


def copy_all(engine: Engine, target: Engine, tell: copy.Tell = nothing) -> dict[str, int]:
    """Copy a whole database of the newest form into an empty one, in one transaction there; rows by
    table. `BackupError` where the other holds rows."""
    try:
        with copy.snapshot(engine) as source:
            counts = copy.copy_into(source, target, tell)
    except copy.NotEmptyError as error:
        where = ", ".join(error.tables[:5]) + (" and others" if len(error.tables) > 5 else "")
        raise BackupError(
            f"The database to copy to holds data already ({where}): nothing was changed. Give an "
            "empty one."
        ) from None
    copy.analyse(target, counts)
    return counts


def _take_place(work: Path, path: Path, replace: bool) -> Path | None:
    """Put the working copy in the place of the database; where the old one is kept, if it is."""
    sqlite_file.settle(work)
    _write_through(work)
    if not path.exists():
        _put_aside(path, path, sqlite_file.SIDE_FILES)
        work.replace(path)
        return None
    aside = path.with_name(
        f"{path.stem}-before-restore-{datetime.now():%Y%m%d-%H%M%S}{path.suffix}"
    )
    try:
        is_alone = sqlite_file.settle(path)
    except sqlite3.DatabaseError:
        # A damaged one can't say who uses it: it is kept as it is.
        is_alone = True
    if not is_alone:
        raise BackupError(
            "The database is in use: stop the dashboard and its worker, and restore again. Nothing "
            "was changed."
        )
    if replace:
        # A second name for the old one first: at no moment is there no database.
        try:
            aside.hardlink_to(path)
        except OSError:
            shutil.copy2(path, aside)
    # What is left beside it belongs to the old one, and would be read into the new one.
    _put_aside(path, aside, sqlite_file.SIDE_FILES)
    work.replace(path)
    return aside if replace else None


def _put_aside(path: Path, aside: Path, ends: tuple[str, ...]) -> None:
    for end in ends:
        left = path.with_name(path.name + end)
        if not left.exists():
            continue
        if aside == path:
            left.unlink()
        else:
            left.replace(aside.with_name(aside.name + end))


def _form(engine: Engine) -> str | None:
    try:
        return revision(engine)
    except DBAPIError as error:
        raise BackupError(
            f"The database can't be read ({type(error).__name__}): is it there, and sound?"
        ) from None
