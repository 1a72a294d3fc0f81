"""People who signed in, the roles they were given, and their sign-ins."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, Engine, insert, or_, select, update

from queries import tables
from queries.database import writing
from queries.frames import in_utc, moments, read_frame

_PERSON, _GRANT, _SIGN_IN = tables.person.c, tables.role_grant.c, tables.sign_in.c
_IN_FORCE = _GRANT.ended_at.is_(None)
SIGNED_OUT, ROLE_CHANGED = "signed out", "role changed"


@dataclass(frozen=True)
class Grant:
    """A role for an area: everything ("all"), a board ("icb"), or a network of one ("pcn")."""

    role: str
    area_kind: str
    icb_code: str | None = None
    pcn_code: str | None = None


@dataclass(frozen=True)
class SignIn:
    """A sign-in that goes on: whose, since when, when they last did something, and their roles."""

    person_id: int
    shown_name: str
    started_at: datetime
    seen_at: datetime
    grants: frozenset[Grant]


def sign_in(
    engine: Engine,
    token_hash: str,
    issuer: str,
    subject: str,
    shown_name: str,
    groups: Collection[str],
    now: datetime,
) -> int:
    """Note that somebody signed in; the number of the person, who is new here the first time.

    Of the groups those are kept that were given a role here.
    """
    with writing(engine) as connection:
        mine = (_PERSON.issuer == issuer) & (_PERSON.subject == subject)
        person_id: int | None = connection.scalar(select(_PERSON.id).where(mine))
        if person_id is None:
            person_id = connection.execute(
                insert(tables.person)
                .values(issuer=issuer, subject=subject, shown_name=shown_name, first_at=now)
                .returning(_PERSON.id)
            ).scalar_one()
        connection.execute(
            update(tables.person).where(mine).values(shown_name=shown_name, last_at=now)
        )
        known = set(connection.scalars(select(_GRANT.group_name).where(_IN_FORCE)))
        connection.execute(
            insert(tables.sign_in).values(
                token_hash=token_hash,
                person_id=person_id,
                groups=json.dumps(sorted(known.intersection(groups))),
                started_at=now,
                seen_at=now,
            )
        )
    return person_id


def sign_in_of(engine: Engine, token_hash: str) -> SignIn | None:
    """Whose sign-in this is, with their roles as they are now; `None` where it has ended or never
    was. How long it lasts is for the caller to judge."""
    with engine.connect() as connection:
        found = connection.execute(
            select(
                _SIGN_IN.person_id, _PERSON.shown_name, _SIGN_IN.started_at, _SIGN_IN.seen_at,
                _SIGN_IN.groups,
            )
            .join(tables.person, _PERSON.id == _SIGN_IN.person_id)
            .where(_SIGN_IN.token_hash == token_hash, _SIGN_IN.ended_at.is_(None))
        ).first()  # fmt: skip
        if found is None:
            return None
        rows = connection.execute(
            select(_GRANT.role, _GRANT.area_kind, _GRANT.icb_code, _GRANT.pcn_code).where(
                _IN_FORCE,
                or_(
                    _GRANT.person_id == found.person_id,
                    _GRANT.group_name.in_(json.loads(found.groups)),
                ),
            )
        ).all()
    return SignIn(
        found.person_id,
        found.shown_name,
        in_utc(found.started_at),
        in_utc(found.seen_at),
        frozenset(Grant(*row) for row in rows),
    )


def touch(engine: Engine, token_hash: str, now: datetime) -> None:
    """Note that somebody did something: their sign-in goes on from here."""
    with writing(engine, in_line=False) as connection:
        connection.execute(
            update(tables.sign_in)
            .where(_SIGN_IN.token_hash == token_hash, _SIGN_IN.ended_at.is_(None))
            .values(seen_at=now)
        )


def end_sign_in(engine: Engine, token_hash: str, why: str, now: datetime) -> int | None:
    """End one sign-in, whichever browser keeps its token; whose it was, `None` where it had ended."""
    with writing(engine) as connection:
        person_id: int | None = connection.scalar(
            update(tables.sign_in)
            .where(_SIGN_IN.token_hash == token_hash, _SIGN_IN.ended_at.is_(None))
            .values(ended_at=now, ended_why=why)
            .returning(_SIGN_IN.person_id)
        )
    return person_id


def _end_all(connection: Connection, person_id: int, now: datetime) -> None:
    connection.execute(
        update(tables.sign_in)
        .where(_SIGN_IN.person_id == person_id, _SIGN_IN.ended_at.is_(None))
        .values(ended_at=now, ended_why=ROLE_CHANGED)
    )


def give(
    connection: Connection,
    grant: Grant,
    by: str,
    now: datetime,
    *,
    person_id: int | None = None,
    group_name: str | None = None,
) -> int:
    """Give a person, or everybody of a group, a role for an area; the number of the grant.

    The person is signed out everywhere: what they see next is what they may see now.
    `LookupError` for a person who is not there, `ValueError` for a grant of neither or both.
    """
    if (person_id is None) == (not group_name):
        raise ValueError("a role is given to a person or to a group")
    if person_id is not None:
        if connection.scalar(select(_PERSON.id).where(_PERSON.id == person_id)) is None:
            raise LookupError(f"there is no person {person_id}")
        _end_all(connection, person_id, now)
    number: int = connection.execute(
        insert(tables.role_grant)
        .values(
            person_id=person_id,
            group_name=group_name,
            role=grant.role,
            area_kind=grant.area_kind,
            icb_code=grant.icb_code,
            pcn_code=grant.pcn_code,
            given_at=now,
            given_by=by,
        )
        .returning(_GRANT.id)
    ).scalar_one()
    return number


def take_away(connection: Connection, grant_id: int, by: str, now: datetime) -> bool:
    """End a role that was given; whether it was in force. Whoever had it is signed out everywhere."""
    found = connection.execute(
        update(tables.role_grant)
        .where(_GRANT.id == grant_id, _IN_FORCE)
        .values(ended_at=now, ended_by=by)
        .returning(_GRANT.person_id, _GRANT.group_name)
    ).first()
    if found is None:
        return False
    people = [found.person_id] if found.person_id else _signed_in_of_group(connection, found[1])
    for person_id in people:
        _end_all(connection, person_id, now)
    return True


def _signed_in_of_group(connection: Connection, group_name: str) -> list[int]:
    open_ones = connection.execute(
        select(_SIGN_IN.person_id, _SIGN_IN.groups).where(_SIGN_IN.ended_at.is_(None))
    )
    return sorted({who for who, groups in open_ones if group_name in json.loads(groups)})


def people(engine: Engine) -> pd.DataFrame:
    """One row per person who ever signed in, the newest first."""
    with engine.connect() as connection:
        frame = read_frame(
            connection,
            select(
                _PERSON.id.label("person_id"), _PERSON.shown_name, _PERSON.first_at, _PERSON.last_at
            ).order_by(_PERSON.id.desc()),
            {"person_id": "int64", "shown_name": "str", "first_at": "object", "last_at": "object"},
        )
    return moments(frame, "first_at", "last_at")


def grants(engine: Engine) -> pd.DataFrame:
    """One row per role that was ever given, the newest first; `shown_name` is missing for a group,
    `ended_at` for a role in force."""
    with engine.connect() as connection:
        frame = read_frame(
            connection,
            select(
                _GRANT.id.label("grant_id"), _GRANT.person_id, _PERSON.shown_name,
                _GRANT.group_name, _GRANT.role, _GRANT.area_kind, _GRANT.icb_code, _GRANT.pcn_code,
                _GRANT.given_at, _GRANT.given_by, _GRANT.ended_at, _GRANT.ended_by,
                _PERSON.last_at,
            )
            .outerjoin(tables.person, _PERSON.id == _GRANT.person_id)
            .order_by(_GRANT.id.desc()),
            {
                "grant_id": "int64", "person_id": "Int64", "shown_name": "str",
                "group_name": "str", "role": "str", "area_kind": "str", "icb_code": "str",
                "pcn_code": "str", "given_at": "object", "given_by": "str", "ended_at": "object",
                "ended_by": "str", "last_at": "object",
            },
        )  # fmt: skip
    return moments(frame, "given_at", "ended_at", "last_at")


def person_named(engine: Engine, issuer: str, subject: str, now: datetime) -> int:
    """The number of a person by their identity; noted here if they never signed in yet."""
    with writing(engine) as connection:
        mine = (_PERSON.issuer == issuer) & (_PERSON.subject == subject)
        found: int | None = connection.scalar(select(_PERSON.id).where(mine))
        if found is None:
            found = connection.execute(
                insert(tables.person)
                .values(
                    issuer=issuer, subject=subject, shown_name="not signed in yet", first_at=now
                )
                .returning(_PERSON.id)
            ).scalar_one()
    return found
