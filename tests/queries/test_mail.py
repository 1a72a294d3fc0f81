"""E-mails of a pack: one a board, day and address; sent by one; stopped for good."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine

from queries import mail
from queries.mail import BEING_SENT, LONGEST_TRY, TOO_LATE
from tests.small_board import BOARD, NEIGHBOUR

MONDAY = date(2026, 11, 23)
SEVEN = datetime(2026, 11, 23, 7, tzinfo=UTC)
ANN, BOB = "ann@example.org", "bob@example.org"


def stands(engine: Engine, day: date = MONDAY, icb_code: str = BOARD) -> list[tuple[object, ...]]:
    return [
        (found.address, found.attempts, found.tried_at, found.sent_at, found.message)
        for found in mail.mails(engine, icb_code, day)
    ]


def waiting(engine: Engine, now: datetime = SEVEN, day: date = MONDAY) -> list[str]:
    return [found.address for found in mail.waiting(engine, BOARD, day, now)]


def test_made_once_a_board_day_and_address(any_engine: Engine) -> None:
    mail.make(any_engine, BOARD, MONDAY, [ANN, ANN])
    mail.make(any_engine, BOARD, MONDAY, [ANN, BOB])
    mail.make(any_engine, NEIGHBOUR, MONDAY, [ANN])
    mail.make(any_engine, BOARD, MONDAY - timedelta(7), [ANN])
    assert stands(any_engine) == [(ANN, 0, None, None, None), (BOB, 0, None, None, None)]
    assert mail.last_made(any_engine, BOARD) == {ANN: MONDAY, BOB: MONDAY}
    assert mail.last_made(any_engine, NEIGHBOUR) == {ANN: MONDAY}
    assert mail.addresses(any_engine) == {ANN, BOB}


def test_one_of_many_may_send_it(both_engines: Engine) -> None:
    """All read it before one of them takes it."""
    mail.make(both_engines, BOARD, MONDAY, [ANN])
    (found,) = mail.mails(both_engines, BOARD, MONDAY)
    with ThreadPoolExecutor(6) as pool:
        mine = list(pool.map(lambda _: mail.claim(both_engines, found, SEVEN), range(6)))
    assert sorted(mine) == [False] * 5 + [True]
    assert stands(both_engines) == [(ANN, 1, SEVEN, None, BEING_SENT)]
    assert waiting(both_engines) == []


def test_what_went_is_never_sent_again(any_engine: Engine) -> None:
    mail.make(any_engine, BOARD, MONDAY, [ANN])
    (found,) = mail.mails(any_engine, BOARD, MONDAY)
    assert mail.claim(any_engine, found, SEVEN)
    mail.sent(any_engine, found, SEVEN)
    assert stands(any_engine) == [(ANN, 1, SEVEN, SEVEN, None)]
    (now,) = mail.mails(any_engine, BOARD, MONDAY)
    assert not mail.claim(any_engine, now, SEVEN + timedelta(days=1))
    assert waiting(any_engine, SEVEN + timedelta(days=1)) == []


def test_what_failed_waits_unless_it_is_given_up(any_engine: Engine) -> None:
    mail.make(any_engine, BOARD, MONDAY, [ANN, BOB])
    for found, why in zip(mail.mails(any_engine, BOARD, MONDAY), (None, "Refused."), strict=True):
        assert mail.claim(any_engine, found, SEVEN)
        mail.failed(any_engine, found, SEVEN, why)
    assert stands(any_engine) == [(ANN, 1, SEVEN, None, None), (BOB, 1, SEVEN, None, "Refused.")]
    assert waiting(any_engine) == [ANN]
    ann, bob = mail.mails(any_engine, BOARD, MONDAY)
    assert (mail.claim(any_engine, ann, SEVEN), mail.claim(any_engine, bob, SEVEN)) == (True, False)


def test_a_worker_that_was_stopped_in_the_middle(any_engine: Engine) -> None:
    mail.make(any_engine, BOARD, MONDAY, [ANN])
    (found,) = mail.mails(any_engine, BOARD, MONDAY)
    assert mail.claim(any_engine, found, SEVEN)
    (left,) = mail.mails(any_engine, BOARD, MONDAY)
    soon = SEVEN + LONGEST_TRY - timedelta(seconds=1)
    assert (waiting(any_engine, soon), mail.claim(any_engine, left, soon)) == ([], False)
    then = SEVEN + LONGEST_TRY
    assert (waiting(any_engine, then), mail.claim(any_engine, left, then)) == ([ANN], True)


def test_of_another_day_it_is_given_up(any_engine: Engine) -> None:
    mail.make(any_engine, BOARD, MONDAY, [ANN, BOB])
    ann, bob = mail.mails(any_engine, BOARD, MONDAY)
    mail.claim(any_engine, bob, SEVEN)
    mail.sent(any_engine, bob, SEVEN)
    assert mail.give_up_before(any_engine, MONDAY, SEVEN) == 0
    assert mail.give_up_before(any_engine, MONDAY + timedelta(1), SEVEN) == 1
    assert mail.give_up_before(any_engine, MONDAY + timedelta(1), SEVEN) == 0
    assert stands(any_engine) == [(ANN, 0, None, None, TOO_LATE), (BOB, 1, SEVEN, SEVEN, None)]
    assert not mail.claim(any_engine, ann, SEVEN)


def test_who_stops_gets_none_that_is_made_and_none_that_waits(any_engine: Engine) -> None:
    mail.make(any_engine, BOARD, MONDAY, [ANN, BOB])
    ann, _bob = mail.mails(any_engine, BOARD, MONDAY)
    mail.stop(any_engine, ANN)
    mail.stop(any_engine, ANN)
    assert mail.stopped(any_engine) == {ANN}
    assert waiting(any_engine) == [BOB]
    assert not mail.claim(any_engine, ann, SEVEN)
    mail.make(any_engine, BOARD, MONDAY + timedelta(7), [ANN, BOB])
    assert [row[0] for row in stands(any_engine, MONDAY + timedelta(7))] == [BOB]
