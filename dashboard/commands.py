"""The commands of `python -m dashboard`."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from dashboard import demonstration, export, intake
from dashboard.access import current_scope
from dashboard.data import engine, prepare_database
from dashboard.filters import newest_as_at
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from dashboard.settings import settings
from queries.database import NEWEST_REVISION, upgrade
from queries.load import AlreadyLoadedError, LoadRecord, remove_demonstration

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Social prescribing coverage.",
)
_TELL = Console(stderr=True, highlight=False)


@app.command()
def load(files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Load files: each is recognised by its content, checked, and taken whole or refused."""
    prepare_database()
    opened, refused = [], 0
    for path in files:
        try:
            opened.append(Source.open(path))
        except RefusedError as error:
            refused += 1
            _TELL.print(f"[red]refused[/red] {error}", markup=True)
    key = settings().hash_key_bytes()
    with Progress(console=_TELL) as progress:
        task = progress.add_task("Loading", total=len(opened))
        for source in intake.in_loading_order(opened):
            progress.update(task, description=source.name)
            try:
                record = intake.take_in(engine(), source, key)
            except RefusedError as error:
                refused += 1
                _TELL.print(str(error), style="red", markup=False)
            except AlreadyLoadedError as error:
                _TELL.print(f"{source.name}: {error}", style="yellow", markup=False)
            else:
                _TELL.print(_loaded(source.name, record), markup=False)
            progress.advance(task)
    raise typer.Exit(1 if refused else 0)


def _loaded(name: str, record: LoadRecord) -> str:
    words = f"{name}: {record.dataset.replace('_', ' ')}, {record.rows_read:,} rows"
    if record.parts_replaced:
        words += f", replaces {record.parts_replaced} earlier"
    if record.removed_demonstration:
        words += "; the demonstration was removed"
    return "\n  ".join([words, *record.notes])


@app.command()
def demo(
    remove: Annotated[bool, typer.Option("--remove", help="Take it out again.")] = False,
) -> None:
    """Fill the database with the demonstration; refused beside real data."""
    prepare_database()
    if remove:
        gone = remove_demonstration(engine())
        _TELL.print("The demonstration was removed." if gone else "There was no demonstration.")
        return
    try:
        made = demonstration.make(engine(), settings().hash_key_bytes())
    except demonstration.RealDataError as error:
        _TELL.print(str(error), style="red")
        raise typer.Exit(1) from error
    _TELL.print(f"{len(made)} files loaded." if made else "The demonstration is already there.")


@app.command(name="export")
def export_command(
    subject: Annotated[str, typer.Argument(help=" or ".join(export.SUBJECTS))],
    icb: Annotated[str, typer.Option(help="Code of the integrated care board, such as QKS.")],
    as_at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Default: the newest.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="csv, json or xlsx.")] = "csv",
    out: Annotated[
        Path | None, typer.Option(help="File to write; default: standard output.")
    ] = None,
) -> None:
    """The figures of a page as a file: the same numbers, through the same gate."""
    prepare_database()
    if subject not in export.SUBJECTS or form not in export.MEDIA_TYPES:
        _TELL.print(
            f"Expected one of {', '.join(export.SUBJECTS)} as {', '.join(export.MEDIA_TYPES)}, "
            f"found {subject!r} as {form!r}.",
            style="red",
        )
        raise typer.Exit(2)
    day: date = as_at.date() if as_at else newest_as_at()
    try:
        made = export.make(engine(), current_scope(), subject, icb, day, form)
    except export.NotThereError as error:
        _TELL.print(
            f"Nothing to export: {error}. Load its ward boundaries and LSOA lookups first.",
            style="red",
        )
        raise typer.Exit(1) from error
    if out:
        out.write_bytes(made.body)
    else:
        sys.stdout.buffer.write(made.body)


@app.command(name="upgrade")
def upgrade_command() -> None:
    """Bring the database to the form this version needs."""
    upgrade(engine())
    _TELL.print(f"The database has the form {NEWEST_REVISION}.")
