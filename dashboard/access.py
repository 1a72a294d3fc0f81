"""Who is reading, what they may see, and what they may do."""

from __future__ import annotations

import getpass
import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dashboard.data import engine
from dashboard.gate import COOKIE
from dashboard.rules import roles
from dashboard.settings import settings
from queries import trail
from queries.people import Grant, SignIn, sign_in_of
from queries.scope import EVERYTHING, Scope
from queries.trail import NOBODY

# The clocks of two processes may differ by so much, or one be put right by so much.
CLOCKS_DIFFER = timedelta(minutes=15)


class NotAllowedError(PermissionError):
    """Something was to be done that none of the reader's roles allows."""


@dataclass(frozen=True)
class Reader:
    """Somebody who reads: their roles with areas, and when their sign-in ends unless they do
    something (`None` where there is none)."""

    person_id: int
    name: str
    grants: frozenset[Grant]
    idle_ends: datetime | None = None
    ends: datetime | None = None
    is_signed_in: bool = True
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scope", scope_of(self.grants))

    def may(self, what: str, icb_code: str | None = None) -> bool:
        """Whether one of the roles allows it: for this board, or (`None`) for every board."""
        return any(
            roles.may([grant.role], what)
            for grant in self.grants
            if grant.area_kind == "all" or (icb_code is not None and grant.icb_code == icb_code)
        )

    @property
    def mark(self) -> str:
        """What files that were made for this reader are bound to: who they are and what they see."""
        return f"{self.person_id} {self.scope.as_text()} {sorted(self.scope.networks)}"

    def may_somewhere(self, what: str) -> bool:
        """Whether one of the roles allows it for any area."""
        return roles.may([grant.role for grant in self.grants], what)


def scope_of(grants: frozenset[Grant]) -> Scope:
    """What may be seen with these roles together: the widest of each board."""
    seen = [grant for grant in grants if roles.may([grant.role], roles.READ)]
    if any(grant.area_kind == "all" for grant in seen):
        return EVERYTHING
    whole = {grant.icb_code for grant in seen if grant.area_kind == "icb"}
    return Scope(
        frozenset(grant.icb_code for grant in seen if grant.icb_code),
        frozenset(
            (grant.icb_code, grant.pcn_code)
            for grant in seen
            if grant.icb_code and grant.pcn_code and grant.icb_code not in whole
        ),
    )


def _local(name: str) -> Reader:
    return Reader(NOBODY, name, frozenset(Grant(role, "all") for role in roles.ROLES))


NOT_SIGNED_IN = Reader(NOBODY, "nobody", frozenset(), is_signed_in=False)
# Who asks over HTTP, as the gate found out; and whoever runs a command, who has the machine.
_ASKING: ContextVar[Reader | None] = ContextVar("reader of this request", default=None)


def reader() -> Reader:
    """Who reads now. Asked anew in each run of a page: a role may have been taken away since.

    Nobody, who may see nothing, where that cannot be told.
    """
    return _ASKING.get() or reader_now()


def reader_now() -> Reader:
    """The same, asked of the database also where it was asked in this run."""
    if settings().sign_in == "none":
        return _local(_machine_user())
    return reader_by(_cookie_of_page())


@contextmanager
def asking(who: Reader) -> Iterator[None]:
    """Inside, this is who reads: one request, or one run of a page."""
    token = _ASKING.set(who)
    try:
        yield
    finally:
        _ASKING.reset(token)


def at_the_command_line() -> AbstractContextManager[None]:
    """Inside, whoever runs a command on the machine reads: they have its database, and so all."""
    return asking(_local(_machine_user()))


def reader_by(token: str | None) -> Reader:
    """Whose browser keeps this token, if their sign-in goes on."""
    found = sign_in_of(engine(), hashed(token)) if token else None
    now = datetime.now(UTC)
    if found is None or now >= min(idle_ends(found), ends(found)):
        return NOT_SIGNED_IN
    # A clock that was put back would let it go on for as long.
    if max(found.started_at, found.seen_at) > now + CLOCKS_DIFFER:
        return NOT_SIGNED_IN
    return Reader(found.person_id, found.shown_name, found.grants, idle_ends(found), ends(found))


def idle_ends(found: SignIn) -> datetime:
    """When the sign-in ends if nothing more is done."""
    return found.seen_at + timedelta(minutes=settings().idle_minutes)


def ends(found: SignIn) -> datetime:
    """When it ends whatever is done."""
    return found.started_at + timedelta(hours=settings().session_hours)


def hashed(token: str) -> str:
    """How a token is kept: who reads the database cannot sign in with it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _cookie_of_page() -> str | None:
    import streamlit as st

    return st.context.cookies.get(COOKIE)


def current_scope() -> Scope:
    """What the reader may see."""
    return reader().scope


def current_user() -> str:
    """The name under which the reader is known, for what they write and load."""
    return reader().name


def _machine_user() -> str:
    try:
        return getpass.getuser()
    # In a container the account may have no name.
    except (KeyError, OSError):
        return "unknown"


def check(what: str, icb_code: str | None = None) -> None:
    """`NotAllowedError` unless the reader may do it, for a board or (`None`) for every one: asked
    where something is written, whatever a page offered before."""
    who = reader()
    if not who.may(what, icb_code):
        trail.note_alone(engine(), trail.DENIED, who.person_id, {"what": what, "board": icb_code})
        raise NotAllowedError(f"expected a reader who may {what}")


def may_set_targets(icb_code: str) -> bool:
    """Whether the reader may set targets and plans of a board."""
    return reader().may(roles.SET_TARGETS, icb_code)
