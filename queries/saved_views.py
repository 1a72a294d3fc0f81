"""Views that somebody saved by a name: their page and choices as a link has them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine

from queries import saved, tables
from queries.saved import NameTakenError, Shelf
from queries.scope import Scope

__all__ = ["NameTakenError", "SavedView", "delete_view", "save_view", "saved_views"]

_VIEWS = Shelf(tables.saved_view, "view", "view_name", "address")


class SavedView(NamedTuple):
    """A view: its address as a link has it, who saved it, and when (UTC)."""

    id: int
    view_name: str
    address: str
    saved_by: str
    saved_at: datetime


def saved_views(engine: Engine, scope: Scope, icb_code: str) -> list[SavedView]:
    """The saved views of the board, by name. Every run of a page asks for them."""
    return [SavedView(*row) for row in saved.saved_rows(engine, scope, _VIEWS, icb_code)]


def save_view(
    engine: Engine, scope: Scope, icb_code: str, name: str, address: str, saved_by: str
) -> None:
    """Save a view, as `saved.save` does."""
    saved.save(engine, scope, _VIEWS, icb_code, name, address, saved_by)


def delete_view(engine: Engine, scope: Scope, icb_code: str, name: str) -> None:
    """Delete a saved view of the board; nothing where there is none."""
    saved.remove(engine, scope, _VIEWS, icb_code, name)
