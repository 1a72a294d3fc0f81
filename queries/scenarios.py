"""Plans of where to fund that somebody saved by a name: their choices, and who saved them."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Engine

from queries import saved, tables
from queries.saved import NameTakenError, Shelf
from queries.scope import Scope

__all__ = ["NameTakenError", "delete_scenario", "save_scenario", "scenarios"]

_PLANS = Shelf(tables.scenario, "plan", "scenario_name", "choices")


def scenarios(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per saved plan of the board, by name: its choices as a link has them, who, and when."""
    return saved.saved(engine, scope, _PLANS, icb_code)


def save_scenario(
    engine: Engine, scope: Scope, icb_code: str, name: str, choices: str, saved_by: str
) -> None:
    """Save a plan, as `saved.save` does."""
    saved.save(engine, scope, _PLANS, icb_code, name, choices, saved_by)


def delete_scenario(engine: Engine, scope: Scope, icb_code: str, name: str) -> None:
    """Delete a saved plan of the board; nothing where there is none."""
    saved.remove(engine, scope, _PLANS, icb_code, name)
