"""The commands of `python -m dashboard`."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import DBAPIError

from dashboard import (
    access_commands,
    database_commands,
    demonstration,
    export,
    intake,
    loading,
    mail,
    role_commands,
    warm_up,
)
from dashboard.access import at_the_command_line, current_scope, current_user
from dashboard.data import as_worker, engine, prepare_database
from dashboard.errors import AWAY, BUSY, IN_DOUBT, NotReadyError, fault_of_database, report_error
from dashboard.fetch import Fetched, UsageError, fetch
from dashboard.filters import Area, newest_as_at
from dashboard.intake import templates
from dashboard.intake.mapping import Mapping
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source, plain_name
from dashboard.intake.staged import LaterError
from dashboard.rules.control_chart import Improvement
from dashboard.settings import ROOT, settings
from queries import history, mappings, trail
from queries.load import AlreadyLoadedError, remove_demonstration

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Social prescribing coverage.",
)
app.add_typer(database_commands.app)
app.add_typer(access_commands.app)
app.add_typer(role_commands.app)
_TELL = Console(stderr=True, highlight=False)
STAND_BY_SECONDS = 5


@app.callback()
def _begin(context: typer.Context) -> None:
    context.with_resource(at_the_command_line())
    context.with_resource(as_worker())


@app.command()
def load(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    dataset: Annotated[
        str | None, typer.Option(help="Take the files for this dataset, such as workforce.")
    ] = None,
    mapping: Annotated[
        str | None, typer.Option(help="Read them by this saved mapping, or a .json file of one.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Load files: each is recognised by its content, checked, and taken whole or refused."""
    prepare_database()
    if dataset is not None and dataset not in {known.name for known in intake.DATASETS}:
        known = ", ".join(known.name for known in intake.DATASETS)
        raise _stopped(f"There is no dataset {dataset!r}: expected one of {known}.", 2)
    chosen = _mapping_named(mapping) if mapping else None
    if chosen and dataset not in (None, chosen.dataset):
        raise _stopped(f"The mapping is of {chosen.dataset!r}, not of {dataset!r}.", 2)
    outcomes = _load_files(files, dataset, chosen, dry_run)
    if as_json:
        sys.stdout.write(json.dumps([asdict(outcome) for outcome in outcomes], indent=2) + "\n")
    raise typer.Exit(1 if any(outcome.state == "refused" for outcome in outcomes) else 0)


@dataclass(frozen=True)
class Outcome:
    """What became of one file; `parts_...` count areas and periods."""

    file: str
    state: str
    dataset: str | None = None
    load: int | None = None
    rows_read: int = 0
    rows_refused: int = 0
    parts_added: int = 0
    parts_replaced: int = 0
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def _load_files(
    paths: list[Path],
    dataset: str | None = None,
    mapping: Mapping | None = None,
    dry_run: bool = False,
) -> list[Outcome]:
    """Load the files, those that need the lookups of others last; tell of each on the way."""
    outcomes: list[Outcome] = []
    with Progress(console=_TELL) as progress:
        task = progress.add_task("Loading", total=len(paths))
        waiting, is_first_round = paths, len(paths) > 1 and not dry_run
        while waiting:
            later = []
            for path in waiting:
                progress.update(task, description=plain_name(path.name))
                try:
                    outcome = _load_one(path, dataset, mapping, dry_run, is_first_round)
                except LaterError:
                    later.append(path)
                    continue
                outcomes.append(outcome)
                _tell(outcome)
                progress.advance(task)
            waiting, is_first_round = later, False
    return outcomes


def _load_one(
    path: Path, dataset: str | None, mapping: Mapping | None, dry_run: bool, is_first_round: bool
) -> Outcome:
    try:
        source = Source.open(path)
        if dry_run:
            preview, _ = loading.dry_run(engine(), source, dataset=dataset, mapping=mapping)
            return Outcome(
                source.name,
                "would be loaded",
                preview.dataset,
                None,
                preview.rows_read,
                preview.rows_refused,
                preview.parts_added,
                preview.parts_replaced,
                preview.notes,
            )
        record = loading.load_now(
            engine(),
            source,
            current_user(),
            dataset=dataset,
            mapping=mapping,
            is_first_round=is_first_round,
        )
    except RefusedError as error:
        problems = tuple(str(problem) for problem in error.problems)
        return Outcome(error.file_name, "refused", problems=problems)
    except AlreadyLoadedError as error:
        return Outcome(source.name, "unchanged", notes=(str(error),))
    except DBAPIError as error:
        return Outcome(source.name, "refused", problems=(loading.failure(error),))
    removed = ("the demonstration was removed",) if record.removed_demonstration else ()
    return Outcome(
        source.name,
        "loaded",
        record.dataset,
        record.load_id,
        record.rows_read,
        record.rows_refused,
        record.parts_added - record.parts_replaced,
        record.parts_replaced,
        (*record.notes, *removed),
    )


def _tell(outcome: Outcome) -> None:
    if outcome.state == "refused":
        problems = outcome.problems[: RefusedError.SHOWN]
        lines = [f"{outcome.file} was refused and nothing of it was loaded:"]
        lines += [f"- {problem}" for problem in problems]
        if more := len(outcome.problems) - len(problems):
            lines.append(f"- and {more} more")
    elif outcome.dataset is None:
        lines = [f"{outcome.file}: {outcome.state}", *outcome.notes]
    else:
        change = f"adds {outcome.parts_added:,}, replaces {outcome.parts_replaced:,}"
        words = outcome.dataset.replace("_", " ")
        lines = [f"{outcome.file}: {words}, {outcome.rows_read:,} rows, {change}", *outcome.notes]
        if outcome.rows_refused:
            which = f": `history --load {outcome.load}` says which" if outcome.load else ""
            lines.append(f"{outcome.rows_refused:,} rows refused{which}")
        if outcome.load:
            lines.append(f"load {outcome.load}")
    colours = {"refused": "red", "unchanged": "yellow"}
    _TELL.print("\n  ".join(lines), style=colours.get(outcome.state), markup=False)


def _mapping_named(name: str) -> Mapping:
    saved = mappings.saved_mappings(engine()).set_index("mapping_name")["content"]
    try:
        if name.endswith(".json"):
            found = Mapping.from_json(Path(name).read_text(encoding="utf-8"))
            intake.dataset_named(found.dataset)
            return found
        if name in saved.index:
            return Mapping.from_json(saved[name])
    except (OSError, ValueError, LookupError) as error:
        raise _stopped(f"{name}: {error}.", 2) from None
    known = ", ".join(saved.index) or "none is saved yet"
    raise _stopped(f"There is no mapping {name!r}: {known}.", 2)


def _stopped(words: str, code: int) -> typer.Exit:
    _TELL.print(words, style="red", markup=False)
    return typer.Exit(code)


def _write_whole(out: Path, body: bytes) -> None:
    """Write all of a file, or leave what was there."""
    if out.exists() and not out.is_file():
        out.write_bytes(body)
        return
    part = out.with_name(f"{out.name}.part")
    try:
        part.write_bytes(body)
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _stopped(
            f"{out.name} was not written ({error.strerror}), and nothing of it is left: look whether the "
            "disk is full and whether the folder may be written to, and try again.",
            1,
        ) from None


@app.command(name="history")
def history_command(
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
    load: Annotated[int | None, typer.Option(help="The rows refused of this load.")] = None,
    job: Annotated[
        int | None, typer.Option(help="The same of a file that was not loaded, by its job.")
    ] = None,
) -> None:
    """What was offered and loaded: who, when, which file, and what became of it."""
    prepare_database()
    table = history.history(engine(), current_scope())
    if load is not None or job is not None:
        is_it = table["load_id"] == load if load is not None else table["job_id"] == job
        numbers = table.loc[is_it, "job_id"].dropna()
        if numbers.empty:
            raise _stopped("There is no such load or job with refusals.", 1)
        table = history.problems(engine(), current_scope(), int(numbers.iloc[0]))
    if as_json:
        sys.stdout.write(table.to_json(orient="records", date_format="iso", indent=2) + "\n")
    else:
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        sys.stdout.buffer.write(export.csv_bytes(rows))  # type: ignore[arg-type]


@app.command(name="undo")
def undo_command(load: Annotated[int, typer.Argument(help="Number of the load.")]) -> None:
    """Take a load back: what it replaced is in force again."""
    prepare_database()
    try:
        record = loading.undo(engine(), load, current_user())
    except history.UndoError as error:
        raise _stopped(str(error), 1) from None
    words = f"Load {load} ({record.file_name}) was undone: {record.parts_withdrawn:,} withdrawn"
    words += f", {record.parts_restored:,} restored."
    if record.leaves_demonstration:
        words += " The demonstration is there again."
    _TELL.print(words, markup=False)


@app.command(name="templates")
def templates_command(folder: Path) -> None:
    """Write a template of each local return, as CSV and as XLSX with notes."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in templates.write_templates(folder):
        _TELL.print(path.name, markup=False)


@app.command()
def worker(
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when nothing waits any more.")
    ] = False,
) -> None:
    """Load what waits to be loaded. One machine starts it by itself; a team keeps one running."""
    while not _works(until_idle):
        # Another worker is at work, or the database is away: stand by.
        time.sleep(STAND_BY_SECONDS)


def _works(until_idle: bool) -> bool:
    """Whether this was the worker, and has done what it was started for."""
    try:
        prepare_database()
        return loading.work(engine(), until_idle=until_idle, wait=_between_files) or until_idle
    except DBAPIError as error:
        if until_idle or fault_of_database(error) not in (AWAY, BUSY, IN_DOUBT):
            raise
        report_error(error)
        return False


@app.command(name="serve")
def serve_command(
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many app processes.")] = 2,
    port: Annotated[
        int, typer.Option(min=1, max=65_000, help="The first has this port, the others the next.")
    ] = 8501,
    address: Annotated[str, typer.Option(help="Where they listen.")] = "127.0.0.1",
    workers: Annotated[int, typer.Option(min=0, max=8, help="How many workers.")] = 1,
) -> None:
    """Serve the dashboard for a team: several app processes and a worker, watched, behind a proxy."""
    # Once, before there are several who could do it at the same time.
    try:
        warm_up.prepare()
    except NotReadyError as error:
        raise _stopped(str(error), 1) from None
    # What only watches needs none of what was imported until here: a sixth of the memory.
    asked = map(str, (processes, port, address, workers))
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "dashboard.serve", *asked])  # noqa: S606  # nosec B606


def _between_files() -> None:
    """What the worker does while no file waits: send the e-mails that are due."""
    mail.send_due(engine(), current_scope(), datetime.now().astimezone())
    time.sleep(1)


@app.command(name="mail")
def mail_command(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write what it says, and send nothing.")
    ] = False,
    to: Annotated[
        str | None, typer.Option(help="Send now, once a day, to this address of the list alone.")
    ] = None,
) -> None:
    """Send the weekly e-mail to everybody to whom it is due now, as the settings say."""
    prepare_database()
    if why := mail.why_none():
        raise _stopped(why, 1)
    now, address = datetime.now().astimezone(), to.strip().lower() if to else None
    if address and address not in settings().mail_to:
        raise _stopped("The address is not in mail_to.", 2)
    if dry_run:
        try:
            made = mail.letter(engine(), current_scope(), now.date())
        except mail.NoLetterError as error:
            raise _stopped(f"No e-mail: {error}.", 1) from None
        sys.stdout.buffer.write(f"{made.text}\n".encode())
        when = f"{settings().mail_day.capitalize()}s from {settings().mail_hour}:00"
        _TELL.print(f"On {when} to: {', '.join(mail.wanted_by(engine()))}", markup=False)
        return
    if address:
        outcomes = mail.send_to(engine(), current_scope(), now, address)
    else:
        outcomes = mail.send_due(engine(), current_scope(), now)
    for outcome in outcomes:
        _TELL.print(
            f"{outcome.address}: {outcome.words}",
            style=None if outcome.went else "red",
            markup=False,
        )
    if not outcomes:
        _TELL.print("Nothing to send now: not due, sent already, tried a moment ago, or stopped.")
    raise typer.Exit(0 if all(outcome.went for outcome in outcomes) else 1)


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
    count_stale: Annotated[
        bool, typer.Option(help="Count services that nobody confirmed in time.")
    ] = False,
    choice: Annotated[
        list[str] | None,
        typer.Option(help="Of a site plan: name=value, as in the address of its page."),
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
        asked = dict(one.split("=", 1) for one in choice or () if "=" in one)
        made = export.make(engine(), current_scope(), subject, icb, day, form, count_stale, asked)
    except export.NotThereError as error:
        _TELL.print(
            f"Nothing to export: {error}. Load its ward boundaries and LSOA lookups first.",
            style="red",
        )
        raise typer.Exit(1) from error
    _note_export(made.file_name, icb)
    if out:
        _write_whole(out, made.body)
    else:
        sys.stdout.buffer.write(made.body)


@app.command()
def pack(
    out: Annotated[Path, typer.Option(help="File to write: .pptx, .pdf, .xlsx or .zip.")],
    icb: Annotated[str, typer.Option(help="Code of the integrated care board, such as QKS.")] = "",
    as_at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Default: the newest.")
    ] = None,
    since: Annotated[
        str,
        typer.Option(help="Day (2026-06-23) or meeting (meeting-12); default: the last meeting."),
    ] = "",
    locality: Annotated[str, typer.Option(help="Code of a district of the board.")] = "",
    pcn: Annotated[str, typer.Option(help="Code of a network of the board.")] = "",
    count_stale: Annotated[
        bool, typer.Option(help="Count services that nobody confirmed in time.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="config.json of a pack: make it again."),
    ] = None,
) -> None:
    """The pack for a meeting: every page of a board as slides, document, workbook or CSV files."""
    from dashboard import meeting_pack, pack_work

    form = out.suffix.removeprefix(".").lower()
    if form not in pack_work.FORMS:
        endings = ", ".join(f".{ending}" for ending in pack_work.FORMS)
        raise _stopped(f"Expected a file ending in one of {endings}, found {out.name!r}.", 2)
    if bool(icb) == bool(config):
        raise _stopped("Expected either --icb or --config.", 2)
    prepare_database()
    day: date = as_at.date() if as_at else newest_as_at()
    area = Area(icb, day, count_stale, locality, pcn)
    try:
        if config:
            area, since = meeting_pack.asked_by(config.read_text(encoding="utf-8"))
        with _TELL.status("Putting the pages together") as status:
            made = meeting_pack.meeting_pack(engine(), current_scope(), area, since)
            if made is None:
                raise LookupError(
                    f"no ward of {area.icb_code!r} is there with these filters, or no meeting or day "
                    f"{since!r}"
                )
            status.update(f"Writing {pack_work.FORMS[form].title}")
            body = pack_work.write(made, form)
    except (LookupError, ValueError) as error:
        raise _stopped(f"{str(error).removesuffix('.')}.", 1) from None
    if config and (changed := meeting_pack.changed_since(config.read_text("utf-8"), made)):
        _TELL.print(f"Not the same as then: {changed}.", style="yellow", markup=False)
    _note_export(pack_work.file_name(made, form), area.icb_code)
    _write_whole(out, body)
    _TELL.print(out.name, markup=False)


def _note_export(file_name: str, icb_code: str) -> None:
    detail: trail.Detail = {"file": file_name, "board": icb_code}
    trail.note_alone(engine(), trail.EXPORTED, trail.NOBODY, detail)


@app.command(name="audit")
def audit_command(
    icb: Annotated[str, typer.Option(help="Code of the integrated care board.")],
    as_at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Date; the newest if not given.")
    ] = None,
) -> None:
    """Try to work hidden numbers out of everything a board's exports show, as somebody might."""
    from dashboard.audit import audit

    prepare_database()
    day: date = as_at.date() if as_at else newest_as_at()
    try:
        found = audit(engine(), current_scope(), icb, day)
    except (LookupError, ValueError) as error:
        raise _stopped(f"{error}.", 1) from None
    _TELL.print(f"{found.shown:,} numbers of people shown, {found.hidden:,} hidden.")
    if found.exposed:
        lines = [f"{key}: {low} to {high}" for key, (low, high) in found.exposed.items()]
        raise _stopped("\n  ".join(["These can be worked out:", *lines]), 1)
    _TELL.print("None of the hidden ones can be worked out.")


@app.command()
def chart(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: date, value.")],
    improvement: Annotated[Improvement, typer.Option(help="Which way is better.")],
    target: Annotated[float | None, typer.Option(help="The value to be reached.")] = None,
    recalculate_from: Annotated[
        list[str] | None, typer.Option(help="First date of new limits; may be given again.")
    ] = None,
    baseline_until: Annotated[
        str | None, typer.Option(help="Last date of those that make the limits of all.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="json, png or svg.")] = "json",
    out: Annotated[
        Path | None,
        typer.Option(help="File to write; default: standard output, a picture beside FILE."),
    ] = None,
) -> None:
    """A control chart (XmR) of a file of dates and values, by NHS England's rules."""
    from dashboard import chart_file

    if form not in chart_file.FORMS:
        raise _stopped(f"Expected one of {', '.join(chart_file.FORMS)}, found {form!r}.", 2)
    try:
        asked = chart_file.Asked.of(improvement, target, recalculate_from or (), baseline_until)
        written = chart_file.place_to_write(file, form, out)
        source = Source.open(file)
        body = chart_file.make(source, asked, form)
        if written:
            written.write_bytes(body)
            _TELL.print(written.name, markup=False)
        else:
            sys.stdout.buffer.write(body)
    except RefusedError as error:
        problems = [f"- {problem}" for problem in error.problems[: RefusedError.SHOWN]]
        if more := len(error.problems) - len(problems):
            problems.append(f"- and {more} more")
        raise _stopped("\n  ".join([f"{error.file_name} was refused:", *problems]), 1) from None
    except (OSError, ValueError) as error:
        raise _stopped(f"{error}.", 2) from None


@app.command(name="fetch")
def fetch_command(
    icb_code: Annotated[str, typer.Argument(help="Code of the integrated care board: QKS.")],
    only: Annotated[
        list[str] | None, typer.Option(help="One thing of the list; may be given again.")
    ] = None,
    directory: Annotated[
        str | None, typer.Option(help="Address of an Open Referral UK feed of services.")
    ] = None,
) -> None:
    """Fetch the published files of a board from their publishers, and load them.

    The one command that asks other hosts: those of dashboard/intake/addresses.toml.
    """
    try:
        with _TELL.status("Fetching") as status:
            done = fetch(icb_code, only or (), directory=directory, progress=status.update)
    except UsageError as error:
        _TELL.print(f"{error}.", style="red", markup=False)
        raise typer.Exit(2) from error
    prepare_database()
    outcomes = _load_files(_tell_fetched(done))
    bad = any(outcome.state == "refused" for outcome in outcomes)
    raise typer.Exit(1 if bad or any(one.state == "failed" for one in done) else 0)


def _tell_fetched(done: list[Fetched]) -> list[Path]:
    """A line for each item; the files that are there."""
    for one in done:
        if one.state == "failed":
            words = f"{one.name}: failed, {one.why}\n  {one.address}\n  By hand: {one.by_hand}."
        else:
            files = ", ".join(path.name for path in one.paths)
            words = f"{one.name}: {one.state}, {files}" + (f" ({one.why})" if one.why else "")
        _TELL.print(words, style="red" if one.state == "failed" else None, markup=False)
    return [path for one in done for path in one.paths]
