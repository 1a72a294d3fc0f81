"""What somebody saved by a name: each board has a name once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Engine, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from queries.database import reading, writing
from queries.frames import moments, read_frame
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


def saved(engine: Engine, scope: Scope, shelf: Shelf, icb_code: str) -> pd.DataFrame:
    """One row per saved thing of the board, by name: id, name, content, who saved it, and when."""
    c = shelf.table.c
    columns = {"id": "int64", shelf.name: "str", shelf.content: "str", "saved_by": "str"}
    with reading(engine, scope) as connection:
        frame = read_frame(
            connection,
            select(*(c[column] for column in columns), c.saved_at)
            .where(c.icb_code == icb_code, scope.within(c.icb_code))
            .order_by(c[shelf.name]),
            {**columns, "saved_at": "object"},
        )
    return moments(frame, "saved_at")


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
