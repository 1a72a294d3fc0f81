"""Who is reading, and what they may see."""

from __future__ import annotations

from queries.scope import EVERYTHING, Scope


def current_scope() -> Scope:
    """On one machine there is no sign-in: whoever sits at it sees everything."""
    return EVERYTHING
