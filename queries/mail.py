"""E-mails of a pack: to whom one is due, how often it was tried, what became of it; who wants none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, func, insert, or_, select, update

from queries import tables
from queries.database import writing
from queries.frames import in_utc

# Longer than a try can take, with each answer of a mail server waited for as long as we do.
LONGEST_TRY = timedelta(minutes=10)
# While a worker sends it; stays when the worker is stopped in the middle.
BEING_SENT = "Being sent."
TOO_LATE = "Given up: its day was over."

_MAIL, _STOP = tables.pack_mail.c, tables.mail_stop.c


@dataclass(frozen=True)
class Mail:
    """One e-mail: `sent_at` when it went; else `message` says why it never will."""

    id: int
    address: str
    due_on: date
    attempts: int
    tried_at: datetime | None
    sent_at: datetime | None
    message: str | None


def last_made(engine: Engine, icb_code: str) -> dict[str, date]:
    """The last day for which each address has an e-mail of the board."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(_MAIL.address, func.max(_MAIL.due_on).label("day"))
            .where(_MAIL.icb_code == icb_code)
            .group_by(_MAIL.address)
        )
        return {row.address: row.day for row in rows}


def make(engine: Engine, icb_code: str, due_on: date, addresses: Iterable[str]) -> None:
    """Note an e-mail of the board and day for each address that has none yet, and wants some."""
    with writing(engine) as connection:
        there = select(_MAIL.address).where(_MAIL.icb_code == icb_code, _MAIL.due_on == due_on)
        without = {*connection.scalars(there), *connection.scalars(select(_STOP.address))}
        for address in dict.fromkeys(addresses):
            if address not in without:
                connection.execute(
                    insert(tables.pack_mail).values(
                        icb_code=icb_code, due_on=due_on, address=address, attempts=0
                    )
                )


def mails(engine: Engine, icb_code: str, due_on: date) -> list[Mail]:
    """Every e-mail of the board and day, in the order in which they were made."""
    with engine.connect() as connection:
        return [
            Mail(
                row.id,
                row.address,
                row.due_on,
                row.attempts,
                row.tried_at and in_utc(row.tried_at),
                row.sent_at and in_utc(row.sent_at),
                row.message,
            )
            for row in connection.execute(
                select(tables.pack_mail)
                .where(_MAIL.icb_code == icb_code, _MAIL.due_on == due_on)
                .order_by(_MAIL.id)
            )
        ]


def waiting(engine: Engine, icb_code: str, due_on: date, now: datetime) -> list[Mail]:
    """Those of them that did not go, nobody sends at this moment, and are still wanted."""
    with engine.connect() as connection:
        free = set(connection.scalars(select(_MAIL.id).where(_free(now))))
    return [mail for mail in mails(engine, icb_code, due_on) if mail.id in free]


def _free(now: datetime) -> ColumnElement[bool]:
    """One that a stopped worker left in the middle is free again after `LONGEST_TRY`."""
    is_left = (_MAIL.message == BEING_SENT) & (_MAIL.tried_at <= now.astimezone(UTC) - LONGEST_TRY)
    is_stopped = select(_STOP.address).where(_STOP.address == _MAIL.address).exists()
    return _MAIL.sent_at.is_(None) & or_(_MAIL.message.is_(None), is_left) & ~is_stopped


def claim(engine: Engine, mail: Mail, now: datetime) -> bool:
    """Whether this process may send it: of several that read it at once, one may."""
    with writing(engine) as connection:
        return (
            connection.execute(
                update(tables.pack_mail)
                .where(_MAIL.id == mail.id, _MAIL.attempts == mail.attempts, _free(now))
                .values(
                    attempts=_MAIL.attempts + 1, tried_at=now.astimezone(UTC), message=BEING_SENT
                )
            ).rowcount
            == 1
        )


def sent(engine: Engine, mail: Mail, now: datetime) -> None:
    """It went."""
    _note(engine, mail, sent_at=now.astimezone(UTC), message=None)


def failed(engine: Engine, mail: Mail, now: datetime, given_up: str | None = None) -> None:
    """It did not go: to be tried again, unless `given_up` says why it never will."""
    _note(engine, mail, tried_at=now.astimezone(UTC), message=given_up)


def _note(engine: Engine, mail: Mail, **values: datetime | str | None) -> None:
    with writing(engine) as connection:
        connection.execute(update(tables.pack_mail).where(_MAIL.id == mail.id).values(**values))


def give_up_before(engine: Engine, day: date, now: datetime) -> int:
    """Give up what did not go on its own day, and say so; how many."""
    late = (_MAIL.due_on < day) & _free(now)
    # Asked often, and hardly ever true: nobody else has to wait for that.
    with engine.connect() as connection:
        if connection.scalar(select(_MAIL.id).where(late).limit(1)) is None:
            return 0
    with writing(engine) as connection:
        return connection.execute(
            update(tables.pack_mail).where(late).values(message=TOO_LATE)
        ).rowcount


def addresses(engine: Engine) -> set[str]:
    """Every address to which an e-mail was ever due."""
    with engine.connect() as connection:
        return set(connection.scalars(select(_MAIL.address).distinct()))


def stop(engine: Engine, address: str) -> None:
    """No more e-mail to this address; the first time counts."""
    with writing(engine) as connection:
        if connection.scalar(select(_STOP.address).where(_STOP.address == address)) is None:
            connection.execute(
                insert(tables.mail_stop).values(address=address, stopped_at=datetime.now(UTC))
            )


def stopped(engine: Engine) -> set[str]:
    """The addresses that want no e-mail."""
    with engine.connect() as connection:
        return set(connection.scalars(select(_STOP.address)))
