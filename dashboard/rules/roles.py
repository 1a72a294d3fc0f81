"""Who may do what: the roles of a team, and what each is for."""

from __future__ import annotations

from collections.abc import Collection

ROLES = {
    "icb_lead": "ICB lead",
    "pcn_lead": "PCN lead",
    "commissioner": "Commissioner",
    "ot_lead": "Occupational therapy lead",
    "analyst": "Analyst",
    "administrator": "Administrator",
}
# What a role is given for. A PCN lead has a network, and sees others in totals of the board only; an
# administrator gives access to everything here, and sees no figures by it.
AREAS = dict.fromkeys(ROLES, ("all", "icb")) | {
    "pcn_lead": ("pcn",),
    "administrator": ("all",),
}

# What somebody may do. Files speak for several boards, so loading also asks for every board.
READ, WRITE, MEET, SET_TARGETS, LOAD, GIVE_ACCESS = (
    "read", "write", "meet", "set targets", "load", "give access",
)  # fmt: skip
_READERS = frozenset(ROLES) - {"administrator"}
MAY = {
    READ: _READERS,
    # Actions, notes, saved views and plans.
    WRITE: _READERS,
    # Opening and closing the meeting of a board.
    MEET: _READERS - {"pcn_lead"},
    SET_TARGETS: frozenset({"icb_lead", "commissioner"}),
    LOAD: frozenset({"analyst"}),
    GIVE_ACCESS: frozenset({"administrator"}),
}


def may(roles: Collection[str], what: str) -> bool:
    """Whether somebody with these roles may do it; `KeyError` for what nobody knows."""
    return not MAY[what].isdisjoint(roles)
