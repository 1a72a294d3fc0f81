"""The commands that keep, bring back, move and upgrade the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from dashboard.access import current_scope, reader
from dashboard.backup import (
    BackupError,
    back_up,
    check_known,
    copy_all,
    keep_before_upgrade,
    restore,
)
from dashboard.data import engine, make_file_if_new, owner_engine, prepare_database
from dashboard.errors import NotReadyError
from dashboard.facts import count_missing
from dashboard.filters import newest_as_at
from dashboard.settings import settings
from queries import copy, retention
from queries.database import (
    NEWEST_REVISION,
    make_engine,
    revision,
    upgrade,
    why_not_this_server,
)
from queries.load import NotWrittenError

app = typer.Typer()
_TELL = Console(stderr=True, highlight=False)
_DATABASES = ("sqlite", "postgresql+psycopg")
_MB = 1_000_000


@app.command(name="backup")
def backup_command(
    file: Annotated[Path, typer.Argument(help="File to write; it must not be there yet.")],
) -> None:
    """Write the whole database to a file, with a checksum beside it, while pages and loads go on."""
    with _told(), _progress("Backing up", None if settings().is_sqlite else engine()) as tell:
        made = back_up(engine(), file, tell)
    _TELL.print(
        f"{made.path.name}: {made.size / _MB:,.1f} MB, form {made.form}, with its checksum in "
        f"{made.path.name}.sha256. Keep both where only those who may see referrals can read them.",
        markup=False,
    )
    if settings().hash_key is None:
        _TELL.print(
            "The secret for local references is not in it: keep local/hash.key too, in another place.",
            style="yellow",
        )


@app.command(name="restore")
def restore_command(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    into: Annotated[
        str | None, typer.Option(help="Address of another database; default: of the settings.")
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="SQLite: take the place of data, which is kept beside it."),
    ] = False,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Do without the checksum, where it was lost.")
    ] = False,
) -> None:
    """Put a backup into an empty database, and bring it to the form of this version."""
    with _told(), _at(into) as target, _progress("Restoring", None) as tell:
        done = restore(file, target, replace=replace, unchecked=unchecked, tell=tell)
    words = f"{done.rows:,} rows were restored; the backup had the form {done.form}."
    if done.old:
        words += f" The old database is now {done.old.name}."
    _TELL.print(
        f"{words} Who may see what, and what is to be e-mailed, is as it was when the backup was made: "
        "look at both.",
        markup=False,
    )


@app.command(name="drill")
def drill_command(
    into: Annotated[
        str | None,
        typer.Option(help="Address of an empty database to restore into; default: a scratch file."),
    ] = None,
) -> None:
    """Rehearse a restore: back up, restore elsewhere, and compare rows and figures."""
    from dashboard.drill import drill

    prepare_database()
    with _told(), _at(into) as target, _TELL.status("Rehearsing"):
        done = drill(engine(), current_scope(), newest_as_at(), target if into else None)
    steps = ", ".join(f"{step} {seconds:,.1f} s" for step, seconds in done.seconds.items())
    what = f"{done.tables} tables with {done.rows:,} rows, and {done.exports} exports"
    _TELL.print(f"{steps}.", markup=False)
    if done.differences:
        _stop("\n  ".join([f"Of {what} not everything came back:", *done.differences]))
    _TELL.print(f"The same came back: {what}.", markup=False)


@app.command(name="copy")
def copy_command(
    to: Annotated[
        str,
        typer.Option(
            envvar="DASHBOARD_COPY_TO",
            help="Address of the empty database to copy to; with a password better in the environment.",
        ),
    ],
) -> None:
    """Copy the whole database into an empty one, such as from SQLite to PostgreSQL."""
    prepare_database()
    with _told(), _at(to) as target, _progress("Copying", engine()) as tell:
        counts = copy_all(engine(), target, tell)
    _TELL.print(
        f"{sum(counts.values()):,} rows of {len(counts)} tables were copied. Set DASHBOARD_DATABASE_URL "
        "to that database, leave DASHBOARD_HASH_KEY as it is, and start again.",
        markup=False,
    )


@app.command(name="upgrade")
def upgrade_command(
    backup: Annotated[
        Path | None, typer.Option(help="Write a backup to this file before anything is changed.")
    ] = None,
) -> None:
    """Bring the database to the form this version needs; an SQLite file is copied beside it before."""
    with _told():
        make_file_if_new()
        if why := why_not_this_server(owner_engine()):
            raise NotReadyError(why)
        form = revision(owner_engine())
        check_known(form)
        if form not in (None, NEWEST_REVISION):
            if backup:
                back_up(owner_engine(), backup)
            elif kept := keep_before_upgrade(owner_engine(), form):
                _TELL.print(f"The database as it was is kept in {kept.name}.", markup=False)
            elif not settings().is_sqlite:
                _TELL.print(
                    "No backup was asked for: `upgrade --backup FILE` makes one before.",
                    style="yellow",
                )
        upgrade(owner_engine())
        count_missing(owner_engine())
    _TELL.print(f"The database has the form {NEWEST_REVISION}.")


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong inside is said in one message, and the command ends with 1."""
    try:
        yield
    except (BackupError, NotReadyError, NotWrittenError) as error:
        _stop(str(error))
    except DBAPIError as error:
        # The message itself may hold data, or an address with a password.
        _stop(f"The database can't be reached, or did not take it ({type(error).__name__}).")


def _stop(words: str, code: int = 1) -> NoReturn:
    _TELL.print(words, style="red", markup=False)
    raise typer.Exit(code)


@contextmanager
def _at(address: str | None) -> Iterator[Engine]:
    """The engine of an address, or of the settings, as who may make tables."""
    if address is None:
        yield owner_engine()
        return
    try:
        name = make_url(address).drivername
    except ArgumentError:
        name = ""
    if name not in _DATABASES:
        _stop(
            "Expected the address of a database: sqlite:///FILE or "
            f"postgresql+psycopg://user:password@host/name; found one of {name or 'no known kind'!r}.",
            2,
        )
    if make_url(address) == make_url(settings().database_url):
        _stop("That is the database of the settings itself: give another.", 2)
    found = make_engine(address)
    try:
        yield found
    finally:
        found.dispose()


@contextmanager
def _progress(words: str, source: Engine | None) -> Iterator[copy.Tell]:
    """A bar of rows, out of those of `source`; without one nobody knows how many come."""
    total = None
    if source is not None:
        with copy.snapshot(source) as connection:
            total = sum(copy.row_counts(connection).values())
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_TELL, transient=True) as progress:
        task = progress.add_task(words, total=total)

        def tell(table: str, rows: int) -> None:
            progress.update(task, description=f"{words} {table}", advance=rows)

        yield tell


@app.command(name="forget")
def forget_command(
    before: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Months that ended before this day."),
    ] = None,
    corrected: Annotated[
        bool, typer.Option("--corrected", help="Versions that were corrected or undone.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Delete; without it only say what would go.")
    ] = False,
) -> None:
    """Delete rows about persons, for good, with the counts made of them. Published files stay."""
    if (before is None) != corrected:
        _TELL.print("Expected either --before DAY or --corrected.", style="red")
        raise typer.Exit(2)
    prepare_database()
    which = retention.parts_before(before.date()) if before else retention.parts_corrected()
    rows = retention.rows_of(owner_engine(), which)
    if not yes:
        _TELL.print(
            f"{rows:,} rows about persons would be deleted for good, and the figures made of them. "
            "Make a backup, and say it again with --yes."
        )
        return
    why = f"before {before.date().isoformat()}" if before else "corrected"
    parts = retention.forget(owner_engine(), which, why, reader().person_id)
    _TELL.print(
        f"{rows:,} rows about persons in {parts:,} parts were deleted. To give the room back, and the "
        "bytes up: VACUUM. Backups still hold them."
    )
