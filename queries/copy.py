"""Every row of a database into another: between SQLite and PostgreSQL, for backups and for moving."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    MetaData,
    Table,
    delete,
    func,
    inspect,
    literal,
    select,
    update,
)

from queries import tables
from queries.database import (
    NEWEST_REVISION,
    bring_to,
    changing_form,
    form_of,
    reading,
    take_time,
)
from queries.frames import in_utc
from queries.load import NotWrittenError
from queries.row_security import lifted
from queries.scope import EVERYTHING

# Rows that are in memory at a time.
ROWS_AT_ONCE = 10_000
# Told after each piece: the table, and how many rows more of it are there.
Tell = Callable[[str, int], None]


class NotEmptyError(ValueError):
    """There are rows where an empty database was expected; `tables` names where."""

    def __init__(self, names: Sequence[str]):
        self.tables = tuple(names)
        super().__init__(f"the database holds rows already: {', '.join(names)}")


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One transaction that reads everything as it stood when it began, whatever is written
    meanwhile; it holds up nobody."""
    if engine.dialect.name != "postgresql":
        with reading(engine, EVERYTHING) as connection:
            yield connection
        return
    still = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with reading(still, EVERYTHING) as connection:
        # A whole table takes longer than a page's question may.
        take_time(connection)
        yield connection


def tables_with_rows(connection: Connection) -> list[str]:
    """The tables of ours that hold a row, but the one of the version, which always does."""
    there = set(inspect(connection).get_table_names())
    return [
        table.name
        for table in tables.metadata.sorted_tables
        if table.name in there
        and table is not tables.data_version
        and connection.execute(select(literal(1)).select_from(table).limit(1)).first()
    ]


def row_counts(connection: Connection) -> dict[str, int]:
    """How many rows each table of ours has that is there."""
    there = set(inspect(connection).get_table_names())
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in tables.metadata.sorted_tables
        if table.name in there
    }


def data_version(connection: Connection) -> int:
    """The number by which caches know the data; 0 where there is none."""
    return connection.scalar(select(tables.data_version.c.version)) or 0


def set_data_version(engine: Engine, version: int) -> None:
    """Give the data another number, for caches that may remember another database by it."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(update(tables.data_version).values(version=version))


def copy_into(source: Connection, target: Engine, tell: Tell) -> dict[str, int]:
    """Copy every row into a database without any, in one transaction there; rows by table.

    The target is brought to the form of the source first. `NotEmptyError` where it holds rows,
    `NotWrittenError` where it refuses one.
    """
    form = form_of(source)
    if form is None:
        raise ValueError("the database to copy from has no form: it is empty")
    with changing_form(target) as connection:
        if names := tables_with_rows(connection):
            raise NotEmptyError(names)
        bring_to(connection, form)
        return copy_rows(source, connection, tables_of(source, connection), tell)


def tables_of(source: Connection, target: Connection) -> MetaData:
    """The tables as this version knows them, or, of an older form, as SQLite tells of them."""
    if form_of(source) == NEWEST_REVISION:
        return tables.metadata
    found = MetaData()
    found.reflect(source if source.dialect.name == "sqlite" else target)
    found.remove(found.tables["alembic_version"])
    return found


def copy_rows(
    source: Connection, target: Connection, metadata: MetaData, tell: Tell
) -> dict[str, int]:
    """Copy every row of every table; rows by table.

    On PostgreSQL the numbers that are given next follow those that were copied.
    """
    # A migration writes the first version.
    target.execute(delete(tables.data_version))
    with lifted(target):
        copied = {
            table.name: _copy(source, target, table, tell) for table in metadata.sorted_tables
        }
    there = {
        name: target.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one()
        for name in copied
    }
    if there != copied:
        wrong = sorted(name for name in copied if copied[name] != there[name])
        raise NotWrittenError(f"not every row arrived in {', '.join(wrong)}: nothing was copied")
    if target.dialect.name == "postgresql":
        _set_sequences(target, metadata)
    return copied


def _copy(source: Connection, target: Connection, table: Table, tell: Tell) -> int:
    found = source.execute(
        select(table).order_by(*table.primary_key),
        execution_options={"yield_per": ROWS_AT_ONCE},
    )
    converters = [_converter(target, column) for column in table.columns]
    errors, copied = target.dialect.loaded_dbapi.Error, 0
    try:
        with _writer(target, table) as write:
            for rows in found.partitions():
                columns = zip(*rows, strict=True)
                converted = (
                    values if converter is None else map(converter, values)
                    for values, converter in zip(columns, converters, strict=True)
                )
                write(zip(*converted, strict=True))
                copied += len(rows)
                tell(table.name, len(rows))
    except (errors, ValueError) as error:
        # The message itself may repeat a row, and the row may be about a person.
        why = "the disk is full" if "full" in str(error) else type(error).__name__
        raise NotWrittenError(
            f"table {table.name}: the database refused a row after {copied:,} ({why}): nothing was "
            "copied"
        ) from None
    return copied


def _converter(target: Connection, column: Column[Any]) -> Callable[[Any], Any] | None:
    """How the driver of the target wants a value of this column; `None` for as it is."""
    if target.dialect.name == "sqlite":
        written = column.type.dialect_impl(target.dialect).bind_processor(target.dialect)
    else:
        written = None
    if not isinstance(column.type, DateTime):
        return written

    def moment(value: datetime | None) -> Any:
        # SQLite keeps no zone: what it holds is UTC.
        known = None if value is None else in_utc(value)
        return written(known) if written else known

    return moment


@contextmanager
def _writer(target: Connection, table: Table) -> Iterator[Callable[[Iterable[Any]], None]]:
    """Appends rows by the driver's own bulk way, as `queries.load.insert_rows` does."""
    quote = target.dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in table.columns)
    with closing(target.connection.cursor()) as cursor:
        if target.dialect.name == "postgresql":
            with cursor.copy(f"COPY {quote(table.name)} ({names}) FROM STDIN") as copy:

                def send(rows: Iterable[Any]) -> None:
                    for row in rows:
                        copy.write_row(row)

                yield send
            return
        marks = ", ".join("?" * len(table.columns))
        # Names of our own tables and columns only.
        statement = f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})"  # noqa: S608  # nosec B608
        yield lambda rows: cursor.executemany(statement, rows)  # type: ignore[arg-type]


def _set_sequences(connection: Connection, metadata: MetaData) -> None:
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        newest = func.max(column)
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(
            select(func.setval(sequence, func.coalesce(newest, 1), newest.is_not(None)))
        )


def analyse(engine: Engine, names: Iterable[str]) -> None:
    """Tell PostgreSQL's planner of rows that came all at once."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect() as connection, connection.begin():
        take_time(connection)
        for name in names:
            quoted = connection.dialect.identifier_preparer.quote(name)
            connection.exec_driver_sql(f"ANALYZE {quoted}")
