"""Views that somebody saved by a name: their page and choices, and who saved them."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from queries import tables
from queries.database import writing
from queries.frames import in_utc, read_frame
from queries.scope import Scope

_VIEW = tables.saved_view.c


class NameTakenError(ValueError):
    """A view of the board has this name already."""


def saved_views(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per saved view of the board, by name: its address as a link has it, who, and when."""
    columns = {"id": "int64", "view_name": "str", "address": "str", "saved_by": "str"}
    with engine.connect() as connection:
        frame = read_frame(
            connection,
            select(*(_VIEW[column] for column in columns), _VIEW.saved_at)
            .where(_VIEW.icb_code == icb_code, scope.within(_VIEW.icb_code))
            .order_by(_VIEW.view_name),
            {**columns, "saved_at": "object"},
        )
    frame["saved_at"] = pd.Series(map(in_utc, frame["saved_at"]), frame.index, dtype="object")
    return frame


def save_view(
    engine: Engine, scope: Scope, icb_code: str, name: str, address: str, saved_by: str
) -> None:
    """Save a view; `NameTakenError` where the board has one of this name, `LookupError` outside
    the scope: nothing that somebody saved is lost."""
    if not scope.admits(icb_code):
        raise LookupError(f"there is no board {icb_code!r}")
    try:
        with writing(engine) as connection:
            connection.execute(
                insert(tables.saved_view).values(
                    icb_code=icb_code,
                    view_name=name,
                    address=address,
                    saved_by=saved_by,
                    saved_at=datetime.now(UTC),
                )
            )
    except IntegrityError as error:
        raise NameTakenError(f"A view is called “{name}” already: choose another name.") from error


def delete_view(engine: Engine, scope: Scope, icb_code: str, name: str) -> None:
    """Delete a saved view of the board; nothing where there is none."""
    with writing(engine) as connection:
        connection.execute(
            delete(tables.saved_view).where(
                _VIEW.icb_code == icb_code,
                _VIEW.view_name == name,
                scope.within(_VIEW.icb_code),
            )
        )
