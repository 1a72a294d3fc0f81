"""Who is reading, and what they may see."""

from __future__ import annotations

import getpass

from queries.scope import EVERYTHING, Scope


def current_scope() -> Scope:
    """On one machine there is no sign-in: whoever sits at it sees everything."""
    return EVERYTHING


def current_user() -> str:
    """The name under which this machine knows whoever sits at it, for the history."""
    try:
        return getpass.getuser()
    # In a container the account may have no name.
    except (KeyError, OSError):
        return "unknown"


def may_set_targets() -> bool:
    """Whether the reader may set targets and plans: on one machine, whoever sits at it."""
    return True
