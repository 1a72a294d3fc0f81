"""The only writer: one file, one transaction, all or nothing."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from sqlalchemy import (
    Connection,
    Engine,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.exc import DBAPIError

from queries import tables, trail
from queries.database import writing
from queries.frames import each_row, in_utc
from queries.places import rebuild_wards
from queries.row_security import copyable
from queries.scores import count_again

_PART = tables.load_part.c

# What decides which wards are in use; names of practices, PCNs and boards do not.
_PLACES = {"boundary", "lsoa_ward", "lsoa_icb", "ward_population"}

# What is set on a page, and of which a file too is somebody's decision.
_SET_BY_HAND = {"targets", "recruitment_plan"}

# What scores before and after are matched from.
_SCORED = {"referral", "outcome", "gp_contact"}


class AlreadyLoadedError(ValueError):
    """The same bytes are already in the database and in force."""


class NotWrittenError(ValueError):
    """The database did not take the rows: a disk that is full, for instance."""


@dataclass(frozen=True)
class CleanLoad:
    """A checked file, ready to be written.

    `parts` has one row per area and period the file speaks for: part_key, period_start,
    period_end. Each frame of `rows` is named after its table and carries `part_key`.
    `refused` has one row per broken rule (row, column, rule, found) of the rows left out.
    """

    dataset: str
    file_name: str
    sha256: str
    rows_read: int
    parts: pd.DataFrame
    rows: Mapping[str, pd.DataFrame]
    vintage: str | None = None
    notes: tuple[str, ...] = field(default=())
    refused: pd.DataFrame | None = None
    rows_refused: int = 0


# A large file is read block by block: each yields rows by table, and what is known of the
# whole comes at the end, with the rows that were still to be written.
Reading = Generator[Mapping[str, pd.DataFrame], None, CleanLoad]


def at_once(clean: CleanLoad) -> Reading:
    """A file that was read whole, as one that is read block by block."""
    yield clean.rows
    return replace(clean, rows={})


@dataclass(frozen=True)
class LoadRecord:
    """What one load did: its number, its rows, and how many parts it put in force."""

    load_id: int
    dataset: str
    rows_read: int
    parts_added: int
    parts_replaced: int
    removed_demonstration: bool
    notes: tuple[str, ...]
    rows_refused: int = 0


def save(
    engine: Engine,
    checked: CleanLoad | Reading,
    *,
    is_demonstration: bool = False,
    loaded_by: str | None = None,
    person_id: int = trail.NOBODY,
    finish: Callable[[Connection, CleanLoad, LoadRecord], None] | None = None,
    patient: bool = False,
) -> LoadRecord:
    """Write one checked file in one transaction; the demonstration makes way for real data. `patient`
    where no page waits for it.

    `finish` is called in that transaction, so that what it writes stays or goes with the load; so
    does the line of the trail, which says that `person_id` did it.
    `AlreadyLoadedError` when the same bytes of the same dataset are in force.
    """
    reading = at_once(checked) if isinstance(checked, CleanLoad) else checked
    with closing(reading), writing(engine, patient=patient) as connection:
        removed = False if is_demonstration else _remove_demonstration(connection)
        writer = _Writer(connection)
        while True:
            try:
                writer.write(next(reading))
            except StopIteration as end:
                clean: CleanLoad = end.value
                break
        writer.write(clean.rows)
        _refuse_repeat(connection, clean.sha256, clean.dataset)
        replaced = _replace_parts(connection, clean, writer.load_id)
        writer.finish(clean, removed, is_demonstration, loaded_by)
        if removed or _PLACES & writer.tables:
            rebuild_wards(connection)
        if _SCORED & writer.tables:
            count_scores(connection, parts_changed_by(connection, writer.load_id))
        bump_version(connection)
        record = LoadRecord(
            writer.load_id,
            clean.dataset,
            clean.rows_read,
            len(clean.parts),
            replaced,
            removed,
            clean.notes,
            clean.rows_refused,
        )
        if finish:
            finish(connection, clean, record)
        # What somebody sets beside the demonstration is somebody's decision too.
        if loaded_by or not is_demonstration:
            kind = trail.TARGET_SET if clean.dataset in _SET_BY_HAND else trail.LOADED
            detail: trail.Detail = {
                "load": writer.load_id,
                "dataset": clean.dataset,
                "rows": clean.rows_read,
            }
            trail.note(connection, kind, person_id, detail)
    return record


class _Writer:
    """The rows of one load: each goes to its part, which is made when it is first met."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self.tables: set[str] = set()
        self._part_ids: dict[str, int] = {}
        self._row_counts: Counter[str] = Counter()
        self._next_part = 1 + (connection.scalar(select(func.max(_PART.id))) or 0)
        self.load_id: int = connection.execute(
            insert(tables.load)
            .values(
                dataset="",
                file_name="",
                sha256="",
                rows_read=0,
                loaded_at=datetime.now(UTC),
                is_demonstration=False,
            )
            .returning(tables.load.c.id)
        ).scalar_one()

    def write(self, rows: Mapping[str, pd.DataFrame]) -> None:
        """Append rows to their tables."""
        for name, frame in rows.items():
            self.tables.add(name)
            codes, keys = pd.factorize(frame["part_key"], use_na_sentinel=False)
            counts = np.bincount(codes, minlength=len(keys)).tolist()
            # Facts are counted of rows: they are none of the file's.
            if not name.endswith("_fact"):
                self._row_counts.update(dict(zip(keys, counts, strict=True)))
            self._add_parts([key for key in keys if key not in self._part_ids])
            ids = np.array([self._part_ids[key] for key in keys], dtype="int64")[codes]
            # Part after part, so that the index of parts grows at few places at a time.
            order = np.argsort(ids, kind="stable")
            frame = frame.drop(columns="part_key").assign(part_id=ids).iloc[order]
            insert_rows(self._connection, tables.metadata.tables[name], frame)

    def _add_parts(self, keys: list[str]) -> None:
        ids = range(self._next_part, self._next_part + len(keys))
        self._next_part += len(keys)
        self._part_ids |= dict(zip(keys, ids, strict=True))
        parts = pd.DataFrame({"id": ids, "part_key": keys})
        # The dataset and the period are known at the end.
        parts = parts.assign(load_id=self.load_id, dataset="", row_count=0)
        insert_rows(self._connection, tables.load_part, parts)

    def finish(
        self, clean: CleanLoad, removed: bool, is_demonstration: bool, loaded_by: str | None
    ) -> None:
        """Say of the load and its parts what is known once all rows were read."""
        stated = clean.parts["part_key"].tolist()
        if unstated := set(self._part_ids) - set(stated):
            raise ValueError(f"rows of parts that the load does not state: {sorted(unstated)[:5]}")
        self._add_parts([key for key in stated if key not in self._part_ids])
        self._connection.execute(
            update(tables.load_part).where(_PART.id == bindparam("part")),
            [
                {
                    "part": self._part_ids[part.part_key],
                    "dataset": clean.dataset,
                    "period_start": part.period_start,
                    "period_end": part.period_end,
                    "row_count": self._row_counts[part.part_key],
                }
                for part in each_row(clean.parts.astype(object).where(clean.parts.notna(), None))
            ],
        )
        self._connection.execute(
            update(tables.load)
            .where(tables.load.c.id == self.load_id)
            .values(
                dataset=clean.dataset,
                file_name=clean.file_name,
                sha256=clean.sha256,
                rows_read=clean.rows_read,
                rows_refused=clean.rows_refused,
                vintage=clean.vintage,
                notes="\n".join(clean.notes) or None,
                is_demonstration=is_demonstration,
                removed_demonstration=removed,
                loaded_by=loaded_by,
            )
        )


def remove_demonstration(engine: Engine) -> bool:
    """Take the simulated data out, all of it; whether there was any."""
    with writing(engine) as connection:
        removed = _remove_demonstration(connection)
        if removed:
            rebuild_wards(connection)
            bump_version(connection)
    return removed


def refuse_same_bytes(engine: Engine, sha256: str) -> None:
    """`AlreadyLoadedError` when the same bytes are in force, as whatever dataset.

    Asked before a file is read, since it may take long; `save` asks again.
    """
    with engine.connect() as connection:
        _refuse_repeat(connection, sha256)


def _refuse_repeat(connection: Connection, sha256: str, dataset: str | None = None) -> None:
    earlier = connection.execute(
        select(tables.load.c.file_name, tables.load.c.loaded_at)
        .join(tables.load_part, _PART.load_id == tables.load.c.id)
        .where(
            true() if dataset is None else tables.load.c.dataset == dataset,
            tables.load.c.sha256 == sha256,
            _PART.replaced_by.is_(None),
        )
        .limit(1)
    ).first()
    if earlier:
        raise AlreadyLoadedError(
            f"Already loaded on {in_utc(earlier.loaded_at):%d %B %Y at %H:%M} UTC, "
            f"as {earlier.file_name!r}: the same bytes, so nothing was changed."
        )


def _remove_demonstration(connection: Connection) -> bool:
    removed = connection.execute(
        delete(tables.load).where(tables.load.c.is_demonstration.is_(True))
    )
    return removed.rowcount > 0


def _replace_parts(connection: Connection, clean: CleanLoad, load_id: int) -> int:
    keys = clean.parts["part_key"].tolist()
    replaced = 0
    # SQLite takes a limited number of values in one statement.
    for start in range(0, len(keys), 500):
        replaced += connection.execute(
            update(tables.load_part)
            .where(
                tables.load_part.c.dataset == clean.dataset,
                tables.load_part.c.part_key.in_(keys[start : start + 500]),
                tables.load_part.c.replaced_by.is_(None),
            )
            .values(replaced_by=load_id)
        ).rowcount
    return replaced


def insert_rows(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """Append a frame by the driver's own bulk way: about 3 times as fast as through Core."""
    columns = list(frame.columns)
    unknown = set(columns) - set(table.columns.keys())
    if unknown:
        raise ValueError(f"table {table.name} has no columns {sorted(unknown)}")
    names = ", ".join(columns)
    cursor, errors = connection.connection.cursor(), connection.dialect.loaded_dbapi.Error
    if connection.dialect.name == "postgresql":
        try:
            with (
                copyable(connection, table.name, names) as into,
                cursor.copy(f"COPY {into} ({names}) FROM STDIN (FORMAT csv)") as copy,
            ):
                copy.write(_as_csv(frame))
        except errors as error:
            # The driver's own message repeats the row, and the row may be about a person.
            raise NotWrittenError(
                f"table {table.name}: the database refused the rows ({type(error).__name__})"
            ) from None
    else:
        marks = ", ".join("?" * len(columns))
        # Names of our own tables only: `unknown` above refuses any other.
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608  # nosec B608
        rows = zip(*(_values(frame[column]) for column in columns), strict=True)
        try:
            # The driver takes the rows one by one, as they are made; its type says otherwise.
            cursor.executemany(statement, rows)  # type: ignore[arg-type]
        except errors as error:
            raise DBAPIError.instance(
                statement, None, error, errors, hide_parameters=True
            ) from None
        finally:
            cursor.close()


def _as_csv(frame: pd.DataFrame) -> bytes:
    """The rows as PostgreSQL's COPY reads them: missing is blank, and a blank text is quoted."""
    # Shapes are the only bytes, which COPY takes in hexadecimal.
    table = pa.Table.from_pandas(
        frame.apply(
            lambda column: (
                column.map(lambda shape: f"\\x{shape.hex()}")
                if column.dtype == object and isinstance(column.iloc[0], bytes)
                else column
            )
        )
        if len(frame)
        else frame,
        preserve_index=False,
    )
    file = io.BytesIO()
    pa.csv.write_csv(table, file, pa.csv.WriteOptions(include_header=False))
    return file.getvalue()


def _values(column: pd.Series[Any]) -> list[Any]:
    """The values as the drivers take them: few distinct ones are converted once."""
    if pd.api.types.is_numeric_dtype(column) and not column.hasnans:
        return column.tolist()
    codes, distinct = pd.factorize(column, use_na_sentinel=False)
    values = [
        None if is_missing else value.isoformat() if isinstance(value, date) else value
        for value, is_missing in zip(distinct.tolist(), pd.isna(distinct), strict=True)
    ]
    taken: list[Any] = np.array([*values, None], dtype=object)[codes].tolist()
    return taken


def parts_changed_by(connection: Connection, load_id: int) -> list[int]:
    """The parts of a load, and those it replaced."""
    mine = (_PART.load_id == load_id) | (_PART.replaced_by == load_id)
    return list(connection.scalars(select(_PART.id).where(mine)))


def count_scores(connection: Connection, part_ids: Collection[int]) -> None:
    """Bring the facts of scores up to date after these parts came into force or left it."""
    for counted in count_again(connection, part_ids):
        insert_rows(connection, tables.score_fact, counted)


def bump_version(connection: Connection) -> None:
    """Tell every cache that the data changed."""
    connection.execute(
        update(tables.data_version).values(version=tables.data_version.c.version + 1)
    )
