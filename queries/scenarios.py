"""Plans of where to fund that somebody saved by a name: their choices, and who saved them."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Engine, delete, insert, select

from queries import tables
from queries.database import writing
from queries.frames import in_utc, read_frame
from queries.scope import Scope

_SCENARIO = tables.scenario.c


class NameTakenError(ValueError):
    """A plan of the board has this name already."""


def scenarios(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per saved plan of the board, by name: its choices as a link has them, who, and when."""
    with engine.connect() as connection:
        frame = read_frame(
            connection,
            select(
                _SCENARIO.id,
                _SCENARIO.scenario_name,
                _SCENARIO.choices,
                _SCENARIO.saved_by,
                _SCENARIO.saved_at,
            )
            .where(_SCENARIO.icb_code == icb_code, scope.within(_SCENARIO.icb_code))
            .order_by(_SCENARIO.scenario_name),
            {
                "id": "int64",
                "scenario_name": "str",
                "choices": "str",
                "saved_by": "str",
                "saved_at": "object",
            },
        )
    frame["saved_at"] = pd.Series(map(in_utc, frame["saved_at"]), frame.index, dtype="object")
    return frame


def save_scenario(
    engine: Engine, scope: Scope, icb_code: str, name: str, choices: str, saved_by: str
) -> None:
    """Save a plan; `NameTakenError` where the board has one of this name, `LookupError` outside
    the scope: nothing that somebody saved is lost."""
    if not scope.admits(icb_code):
        raise LookupError(f"there is no board {icb_code!r}")
    with writing(engine) as connection:
        taken = select(_SCENARIO.id).where(
            _SCENARIO.icb_code == icb_code, _SCENARIO.scenario_name == name
        )
        if connection.scalar(taken) is not None:
            raise NameTakenError(f"A plan is called {name!r} already: choose another name.")
        connection.execute(
            insert(tables.scenario).values(
                icb_code=icb_code,
                scenario_name=name,
                choices=choices,
                saved_by=saved_by,
                saved_at=datetime.now(UTC),
            )
        )


def delete_scenario(engine: Engine, scope: Scope, icb_code: str, name: str) -> None:
    """Delete a saved plan of the board; nothing where there is none."""
    with writing(engine) as connection:
        connection.execute(
            delete(tables.scenario).where(
                _SCENARIO.icb_code == icb_code,
                _SCENARIO.scenario_name == name,
                scope.within(_SCENARIO.icb_code),
            )
        )
