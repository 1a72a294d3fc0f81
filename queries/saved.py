"""What somebody saved by a name: each board has a name once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Engine, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from queries.database import reading, writing
from queries.frames import in_utc
from queries.scope import Scope


class NameTakenError(ValueError):
    """The board has one of this name already."""


@dataclass(frozen=True)
class Shelf:
    """A table of saved things: what one is called, and the columns of its name and content."""

    table: Table
    thing: str
    name: str
    content: str


# Id, name, content, who saved it, and when (UTC).
Row = tuple[int, str, str, str, datetime]


def saved_rows(engine: Engine, scope: Scope, shelf: Shelf, icb_code: str) -> list[Row]:
    """The saved things of the board, by name."""
    c = shelf.table.c
    with reading(engine, scope) as connection:
        rows = connection.execute(
            select(c.id, c[shelf.name], c[shelf.content], c.saved_by, c.saved_at)
            .where(c.icb_code == icb_code, scope.within(c.icb_code))
            .order_by(c[shelf.name])
        ).all()
    return [(*row[:-1], in_utc(row.saved_at)) for row in rows]


def saved(engine: Engine, scope: Scope, shelf: Shelf, icb_code: str) -> pd.DataFrame:
    """One row per saved thing of the board, by name: id, name, content, who saved it, and when."""
    types = {"id": "int64", shelf.name: "str", shelf.content: "str", "saved_by": "str"}
    rows = saved_rows(engine, scope, shelf, icb_code)
    columns = [*types, "saved_at"]
    return pd.DataFrame(rows, columns=columns, dtype="object").astype(types)


def save(
    engine: Engine,
    scope: Scope,
    shelf: Shelf,
    icb_code: str,
    name: str,
    content: str,
    saved_by: str,
) -> None:
    """Save a thing; `NameTakenError` where the board has one of this name, `LookupError` outside
    the scope: nothing that somebody saved is lost."""
    if not scope.admits(icb_code):
        raise LookupError(f"there is no board {icb_code!r}")
    values = {
        "icb_code": icb_code,
        shelf.name: name,
        shelf.content: content,
        "saved_by": saved_by,
        "saved_at": datetime.now(UTC),
    }
    try:
        with writing(engine, scope=scope) as connection:
            connection.execute(insert(shelf.table).values(values))
    except IntegrityError as error:
        raise NameTakenError(
            f"A {shelf.thing} is called {name!r} already: choose another name."
        ) from error


def remove(engine: Engine, scope: Scope, shelf: Shelf, icb_code: str, name: str) -> None:
    """Delete a saved thing of the board; nothing where there is none."""
    c = shelf.table.c
    with writing(engine, scope=scope) as connection:
        connection.execute(
            delete(shelf.table).where(
                c.icb_code == icb_code, c[shelf.name] == name, scope.within(c.icb_code)
            )
        )
