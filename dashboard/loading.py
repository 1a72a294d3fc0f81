"""Loading for the page and the command line: check in a process apart, then write, and undo."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from dashboard import demonstration, intake
from dashboard.errors import AWAY, IN_DOUBT, fault_of_database, report_error
from dashboard.intake import sandbox, staged
from dashboard.intake.dataset import refusals
from dashboard.intake.mapping import Mapping as ColumnMapping
from dashboard.intake.problems import RefusedError, UnknownFileError
from dashboard.intake.source import Source
from dashboard.settings import ROOT, settings
from queries import history, jobs, load
from queries.load import AlreadyLoadedError, CleanLoad, LoadRecord, NotWrittenError, Reading
from queries.trail import NOBODY

# Rows of these are about a person, or count a few: no row of a file that has them is shown.
OF_PERSONS = {"referral", "outcome", "gp_contact", "personal_health_budget"}
NOT_SHOWN = {"part_key", "geometry", "reference_hash", "person_id"}
FIRST_ROWS = 5
# How long a worker started from the page waits for one that is about to end.
WAIT_FOR_LOCK_SECONDS = 5.0


@dataclass(frozen=True)
class Preview:
    """What a file is and what loading it would change, before anything is loaded.

    A part is an area and period the file speaks for. `filled` counts the rows that state each
    column of the largest table; `first_rows` are some of them, as they would be kept.
    """

    dataset: str
    vintage: str | None
    period_start: str | None
    period_end: str | None
    rows_read: int
    rows_refused: int
    notes: tuple[str, ...]
    parts_added: int
    parts_replaced: int
    rows_before: int
    rows_after: int
    filled: Mapping[str, int]
    first_rows: tuple[Mapping[str, str], ...]

    @property
    def title(self) -> str:
        """What the dataset is called."""
        return intake.dataset_named(self.dataset).title

    @property
    def change(self) -> str:
        """What loading would change, in words."""
        dataset = intake.dataset_named(self.dataset)
        replaced = f"replaces {self.parts_replaced:,}"
        if self.parts_replaced:
            replaced += f" ({dataset.replaces})"
        refused = f"{self.rows_refused:,} rows refused"
        return f"{dataset.parts}: adds {self.parts_added:,}, {replaced}, {refused}"

    @classmethod
    def from_json(cls, text: str) -> Preview:
        """The preview that was kept with a job."""
        found = json.loads(text)
        return cls(
            **{
                **found,
                "notes": tuple(found["notes"]),
                "first_rows": tuple(found["first_rows"]),
            }
        )


class _Seen:
    """What passes by on the way of a reading, for its preview."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self.filled: dict[str, Counter[str]] = {}
        self.first: dict[str, pd.DataFrame] = {}
        self.clean: CleanLoad | None = None

    def watch(self, reading: Reading) -> Reading:
        while True:
            try:
                block = next(reading)
            except StopIteration as end:
                clean: CleanLoad = end.value
                self.clean = clean
                return clean
            for table, frame in block.items():
                self.rows[table] += len(frame)
                counts = {str(name): int(n) for name, n in frame.notna().sum().items()}
                self.filled.setdefault(table, Counter()).update(counts)
                self.first.setdefault(table, frame.head(FIRST_ROWS))
            yield block

    def preview(self, engine: Engine) -> Preview:
        assert self.clean is not None
        clean = self.clean
        replaced = history.replaced_by_parts(
            engine, clean.dataset, clean.parts["part_key"].tolist()
        )
        # Facts are counted of rows, and are none of the file's.
        kept = {table: n for table, n in self.rows.items() if not table.endswith("_fact")}
        largest = max(kept, key=lambda table: kept[table], default="")
        first = self.first.get(largest, pd.DataFrame())
        shown = [str(column) for column in first.columns if column not in NOT_SHOWN]
        rows = (
            [] if OF_PERSONS & self.rows.keys() else first[shown].astype(object).to_dict("records")
        )
        starts, ends = _dates(clean.parts["period_start"]), _dates(clean.parts["period_end"])
        return Preview(
            dataset=clean.dataset,
            vintage=clean.vintage,
            period_start=min(starts, default=None),
            period_end=max(ends, default=None),
            rows_read=clean.rows_read,
            rows_refused=clean.rows_refused,
            notes=clean.notes,
            parts_added=len(clean.parts) - len(replaced),
            parts_replaced=len(replaced),
            rows_before=int(replaced["row_count"].sum()),
            rows_after=sum(kept.values()),
            filled={name: self.filled[largest][name] for name in shown} if largest else {},
            first_rows=tuple(
                {str(name): "" if pd.isna(value) else str(value) for name, value in row.items()}
                for row in rows
            ),
        )


def _dates(days: pd.Series[date]) -> list[str]:
    return [day.isoformat() for day in days if pd.notna(day)]


def _reading(
    engine: Engine,
    source: Source,
    dataset: str | None,
    mapping: ColumnMapping | None,
    is_first_round: bool = False,
) -> Iterator[bytes]:
    known = intake.known_so_far(engine, settings().hash_key_bytes())
    return sandbox.read(
        source, known, dataset=dataset, mapping=mapping, is_first_round=is_first_round
    )


def dry_run(
    engine: Engine,
    source: Source,
    *,
    dataset: str | None = None,
    mapping: ColumnMapping | None = None,
) -> tuple[Preview, pd.DataFrame]:
    """What loading the file would change, and one row per broken rule of the rows left out.

    `RefusedError` when it would be refused; nothing is written.
    """
    seen = _Seen()
    for _ in seen.watch(staged.decode(_reading(engine, source, dataset, mapping))):
        pass
    assert seen.clean is not None
    left_out = seen.clean.refused
    return seen.preview(engine), refusals([]) if left_out is None else left_out


def load_now(
    engine: Engine,
    source: Source,
    who: str | None,
    *,
    dataset: str | None = None,
    mapping: ColumnMapping | None = None,
    is_first_round: bool = False,
) -> LoadRecord:
    """Check and load one file in one go: all of it, or nothing of it.

    `RefusedError` when it is refused, which the history keeps; `AlreadyLoadedError` when the
    same bytes are in force; `LaterError` in the first round of several files when it is to be
    read after others.
    """

    def note(connection: Connection, clean: CleanLoad, record: LoadRecord) -> None:
        jobs.note_loaded(
            connection, record.load_id, source.name, source.size, source.sha256, who, clean.refused
        )

    load.refuse_same_bytes(engine, source.sha256)
    try:
        messages = _reading(engine, source, dataset, mapping, is_first_round)
        reading = staged.decode(messages)
        return load.save(engine, reading, loaded_by=who, finish=note, patient=True)
    except RefusedError as error:
        job_id = jobs.offer(engine, error.file_name, source.size, source.sha256, who)
        _refuse(engine, job_id, error)
        raise


# Two at a time: each reads in a process of its own, and machines of teams have two cores.
_CHECKS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="check")


def check_in_background(
    engine: Engine, source: Source, who: str | None, mapping: ColumnMapping | None = None
) -> int:
    """Begin to check an uploaded file; the number of its job, which says how it goes.

    The check goes on when the page is left. The file itself is kept nowhere but in memory.
    """
    job_id = jobs.offer(engine, source.name, source.size, source.sha256, who)
    _CHECKS.submit(check, engine, job_id, source, mapping)
    return job_id


def check(
    engine: Engine, job_id: int, source: Source, mapping: ColumnMapping | None = None
) -> None:
    """Check a file, and keep its checked rows until somebody confirms them."""
    try:
        load.refuse_same_bytes(engine, source.sha256)
        seen = _Seen()
        kept = _kept(engine, job_id, _reading(engine, source, None, mapping))
        for _ in seen.watch(staged.decode(kept)):
            pass
        assert seen.clean is not None
        report = json.dumps(asdict(seen.preview(engine)))
        left_out = seen.clean.refused
        jobs.checked(
            engine,
            job_id,
            seen.clean.dataset,
            report,
            refusals([]) if left_out is None else left_out,
        )
    except RefusedError as error:
        _refuse(engine, job_id, error)
    except AlreadyLoadedError as error:
        jobs.ended(engine, job_id, "unchanged", str(error))
    except Exception as error:
        jobs.ended(engine, job_id, "refused", f"{failure(error)} Send the file again.")


def _kept(engine: Engine, job_id: int, messages: Iterator[bytes]) -> Iterator[bytes]:
    for place, message in enumerate(messages):
        jobs.keep_piece(engine, job_id, place, message)
        yield message


def _refuse(engine: Engine, job_id: int, error: RefusedError) -> None:
    columns = json.dumps(error.columns) if isinstance(error, UnknownFileError) else None
    jobs.refused(engine, job_id, str(error), refusals(error.problems), columns)


def load_checked(engine: Engine, job_id: int) -> None:
    """Load the checked rows of a job that was taken, and say what became of it."""

    def note(connection: Connection, _clean: CleanLoad, record: LoadRecord) -> None:
        jobs.loaded(connection, job_id, record.load_id)

    try:
        who = jobs.one(engine, job_id).offered_by
        reading = staged.decode(jobs.pieces(engine, job_id))
        load.save(engine, reading, loaded_by=who, finish=note, patient=True)
    except AlreadyLoadedError as error:
        jobs.ended(engine, job_id, "unchanged", str(error))
    except Exception as error:
        if fault_of_database(error) in (AWAY, IN_DOUBT):
            # `recover` looks when the database is back: it waits again, or is loaded.
            raise
        jobs.ended(engine, job_id, "failed", f"{failure(error)} Try again.")


def failure(error: Exception) -> str:
    """What to say of a load that failed for no fault of its file; the rest is in the log."""
    is_of_database = isinstance(error, (DBAPIError, NotWrittenError))
    why = "the database could not be written (is the disk full?)"
    why = why if is_of_database else "something went wrong"
    return f"Nothing was loaded: {why}; {report_error(error)}."


def work(engine: Engine, *, until_idle: bool, wait: Callable[[], None]) -> bool:
    """Load what waits, one file after the other: of several workers one at a time.

    Whether this was a worker: another one may be at work. `wait` is called when nothing
    waits, unless it ends then.
    """
    with jobs.workers_lock(engine, WAIT_FOR_LOCK_SECONDS) as check_lock:
        if not check_lock:
            return False
        while True:
            check_lock()
            with jobs.turn(engine, WAIT_FOR_LOCK_SECONDS) as is_ours:
                # Whoever had the turn before may have died.
                job_id = _next(engine) if is_ours else None
                if job_id is not None:
                    load_checked(engine, job_id)
            if job_id is None and until_idle:
                return is_ours
            # While another one loads, its end is waited for above.
            if job_id is None and is_ours:
                wait()


def _next(engine: Engine) -> int | None:
    jobs.recover(engine)
    return jobs.take_next(engine)


def start_worker() -> None:
    """Start a worker in a process of its own, which ends when nothing waits."""
    subprocess.Popen(  # nosec B603 - our own words only
        [sys.executable, "-m", "dashboard", "worker", "--until-idle"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def undo(
    engine: Engine, load_id: int, who: str | None, person_id: int = NOBODY
) -> history.UndoRecord:
    """Take a load back; where it had removed the demonstration, that is there again.

    `history.UndoError` when there is no such load, or it was taken back before.
    """
    record = history.undo(engine, load_id, who, person_id)
    if record.leaves_demonstration:
        demonstration.make(engine, settings().hash_key_bytes())
    return record
