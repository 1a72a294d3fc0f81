"""Giving roles and taking them away, each written down; and the review of who has which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from dashboard.access import Reader
from dashboard.filters import newest_as_at
from dashboard.rules import roles
from dashboard.style import day
from queries import people, places, trail, workforce
from queries.database import writing
from queries.frames import each_row
from queries.people import Grant
from queries.scope import EVERYTHING

# A role of somebody who did not sign in for so long is to be asked after.
UNUSED = timedelta(days=90)
NEVER = "never"
REVIEW = (
    "number", "who", "role", "area", "given", "given by", "last signed in", "to be asked after",
)  # fmt: skip


class RefusedError(ValueError):
    """Why a role is not given or taken away: what was expected, what was found, what to do."""


@dataclass(frozen=True)
class Holder:
    """Who gets a role: a person by number, or a group by the name that their organisation gives it."""

    person_id: int | None = None
    group_name: str | None = None


def grant_of(engine: Engine, role: str, icb_code: str = "", pcn_code: str = "") -> Grant:
    """A role for an area that is here; without codes for everything.

    `RefusedError` for a role nobody knows, an area it is not given for, or codes of nothing.
    """
    if role not in roles.ROLES:
        raise RefusedError(f"Expected a role of {', '.join(roles.ROLES)}, found {role!r}.")
    kind = "pcn" if pcn_code else "icb" if icb_code else "all"
    if kind not in roles.AREAS[role]:
        wanted = " or ".join(_KINDS[each] for each in roles.AREAS[role])
        raise RefusedError(f"{roles.ROLES[role]} is given for {wanted}, not for {_KINDS[kind]}.")
    boards = places.boards(engine, EVERYTHING)["icb_code"]
    if icb_code and icb_code not in set(boards):
        known = ", ".join(boards) or "none yet: load its boundaries and lookups first"
        raise RefusedError(f"Expected the code of a board that is loaded ({known}).")
    if pcn_code:
        networks = workforce.fte_by_pcn(engine, EVERYTHING, icb_code, newest_as_at())["pcn_code"]
        if not icb_code or pcn_code not in set(networks):
            raise RefusedError("Expected a board and the code of one of its networks.")
    return Grant(role, kind, icb_code or None, pcn_code or None)


_KINDS = {"all": "everything here", "icb": "a board", "pcn": "a network of a board"}


def give(engine: Engine, by: Reader, holder: Holder, grant: Grant) -> int:
    """Give a role; the number of the grant. `RefusedError` to those who may not, or for nobody."""
    _check(by)
    with writing(engine) as connection:
        try:
            number = people.give(
                connection,
                grant,
                _name(by),
                datetime.now(UTC),
                person_id=holder.person_id,
                group_name=holder.group_name,
            )
        except LookupError as error:
            raise RefusedError(f"{str(error).capitalize()}: see the list of people.") from None
        trail.note(connection, trail.ROLE_GIVEN, by.person_id, _told(number, holder, grant))
    return number


def take_away(engine: Engine, by: Reader, grant_id: int) -> None:
    """End a role. `RefusedError` to those who may not, for a role that is not in force, and for the
    last administrator: nobody could give access any more."""
    _check(by)
    given = people.grants(engine)
    in_force = given[given["ended_at"].isna()]
    mine = in_force[in_force["grant_id"] == grant_id]
    if mine.empty:
        raise RefusedError(f"Role number {grant_id} is not in force.")
    is_administrator = in_force["role"] == "administrator"
    if mine["role"].item() == "administrator" and is_administrator.sum() == 1:
        raise RefusedError("This is the last administrator: give the role to somebody else first.")
    with writing(engine) as connection:
        people.take_away(connection, grant_id, _name(by), datetime.now(UTC))
        trail.note(connection, trail.ROLE_TAKEN, by.person_id, {"role number": grant_id})


def _check(by: Reader) -> None:
    if not by.may(roles.GIVE_ACCESS):
        raise RefusedError("Only an administrator gives roles and takes them away.")


def _name(by: Reader) -> str:
    return f"{by.name} (number {by.person_id})" if by.person_id else f"{by.name}, on the machine"


def _told(number: int, holder: Holder, grant: Grant) -> dict[str, str | int | None]:
    # Not the group by name: who is in it may be somebody's business.
    to = {"person": holder.person_id} if holder.person_id else {"to": "a group"}
    area = {"board": grant.icb_code, "network": grant.pcn_code}
    return {"role number": number, "role": grant.role, **to, **area}


def review(engine: Engine, now: datetime) -> list[dict[str, str]]:
    """One row per role in force, with the columns of `REVIEW`: for whoever checks once a quarter
    that everybody still needs what they have."""
    given = people.grants(engine)
    return [
        {
            "number": str(row.grant_id),
            "who": holder_words(row),
            "role": roles.ROLES.get(row.role, row.role),
            "area": area_words(row),
            "given": day(row.given_at.date()),
            "given by": row.given_by,
            "last signed in": day(row.last_at.date()) if row.last_at else NEVER,
            "to be asked after": _question(row, now),
        }
        for row in each_row(given[given["ended_at"].isna()])
    ]


def _question(row: Any, now: datetime) -> str:
    if isinstance(row.group_name, str):
        return "who is in the group is told by their organisation"
    unused_since = row.last_at or row.given_at
    return f"not used for {UNUSED.days} days" if now - unused_since > UNUSED else ""


def holder_words(row: Any) -> str:
    """'Pat Lead (number 3)', or 'everybody of the group ...'."""
    if isinstance(row.group_name, str):
        return f"everybody of the group {row.group_name}"
    return f"{row.shown_name} (number {row.person_id})"


def area_words(row: Any) -> str:
    """The area of a role by its codes."""
    codes = [code for code in (row.icb_code, row.pcn_code) if isinstance(code, str)]
    return " > ".join(codes) or _KINDS["all"]
