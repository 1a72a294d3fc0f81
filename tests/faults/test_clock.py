"""Clocks that are wrong, are put right, or change for summer.

Where code asks for the time itself, `datetime` of that one module is another in these tests.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from dashboard import access
from dashboard.gate import COOKIE
from dashboard.rules.mail_schedule import Retry, due, retry
from queries import jobs, trail
from tests.identity_provider import Claims, Provider
from tests.test_sign_in import ANYTHING, Browser, service, team

__all__ = ["service", "team"]

# The service for tests uses parts of its library that are on their way out.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LONDON = ZoneInfo("Europe/London")
TEN_MINUTES = timedelta(minutes=10)


def put_clock(monkeypatch: pytest.MonkeyPatch, module: ModuleType, by: timedelta) -> None:
    class AnyMoment(type):
        def __instancecheck__(cls, found: object) -> bool:
            return isinstance(found, datetime)

    class Clock(datetime, metaclass=AnyMoment):
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def]
            return datetime.now(tz) + by

    monkeypatch.setattr(module, "datetime", Clock)


def is_in(browser: Browser) -> bool:
    return access.reader_by(browser.cookies[COOKIE]).is_signed_in


def test_a_clock_that_is_put_back_adds_no_more_than_that(
    service: Provider, team: Engine, monkeypatch: pytest.MonkeyPatch
):
    browser = Browser()
    browser.sign_in(service, "lead")
    put_clock(monkeypatch, access, -TEN_MINUTES)
    assert is_in(browser)
    # As far as a sign-in of now reaches, and no further: ten minutes of clock, ten of time.
    put_clock(monkeypatch, access, timedelta(minutes=29))
    assert is_in(browser)
    put_clock(monkeypatch, access, timedelta(minutes=31))
    assert not is_in(browser)
    # By more than clocks differ: nobody knows how long ago that was.
    put_clock(monkeypatch, access, -timedelta(minutes=16))
    assert not is_in(browser)
    put_clock(monkeypatch, access, -timedelta(days=400))
    assert not is_in(browser)
    # Put right, it is as before.
    put_clock(monkeypatch, access, timedelta(0))
    assert is_in(browser)
    assert browser.get(ANYTHING).status_code == 200


def shifted(by: int, lasts: int) -> object:
    def spoil(claims: Claims) -> Claims:
        made = int(claims["iat"]) + by
        return claims | {"iat": made, "auth_time": made, "exp": made + lasts}

    return spoil


# What our clock is ahead of the service's, seconds; how long its tokens hold; whether that goes.
@pytest.mark.parametrize(
    ("ahead", "lasts", "goes"),
    [
        (0, 300, True), (100, 300, True), (-100, 300, True),
        (600, 300, False), (-600, 300, False), (-600, 3_600, False), (600, 3_600, True),
    ],
)  # fmt: skip
def test_signing_in_with_a_clock_that_is_off(
    service: Provider, team: Engine, ahead: int, lasts: int, goes: bool
):
    service.spoil = shifted(-ahead, lasts)  # type: ignore[assignment]
    browser = Browser()
    answer = browser.sign_in(service, "lead")
    if goes:
        assert answer.status_code == 303
        assert is_in(browser)
    else:
        assert answer.status_code == 400
        assert "You could not be signed in" in answer.text
        assert COOKIE not in browser.cookies


@pytest.mark.parametrize("by", [TEN_MINUTES, -TEN_MINUTES])
def test_a_jump_stops_no_check_and_no_load(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch, by: timedelta
):
    checking = jobs.offer(any_engine, "a.csv", 1, "a" * 64, "ann")
    loading = jobs.offer(any_engine, "b.csv", 1, "b" * 64, "ann")
    with any_engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE job SET state = 'loading', attempts = 1 WHERE id = {loading}"
        )
    put_clock(monkeypatch, jobs, by)
    jobs.recover(any_engine)
    assert jobs.one(any_engine, checking).state == "checking"
    assert jobs.one(any_engine, loading).state == "waiting"
    # One that was cut off is given up also then, that much sooner or later.
    put_clock(monkeypatch, jobs, jobs.LONGEST_CHECK + timedelta(seconds=1))
    jobs.recover(any_engine)
    assert jobs.one(any_engine, checking).state == "refused"


def test_the_trail_holds_when_the_clock_goes_back(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    for by in (timedelta(0), TEN_MINUTES, -TEN_MINUTES, -timedelta(hours=1)):
        put_clock(monkeypatch, trail, by)
        trail.note_alone(any_engine, trail.EXPORTED, trail.NOBODY, {"file": f"{by}.csv"})
    lines = trail.lines(any_engine)
    assert len(lines) == 4
    # In the order in which it was done, whatever the clock said.
    assert lines["id"].is_monotonic_decreasing
    assert not lines["at"].is_monotonic_decreasing
    assert list(trail.broken_at(any_engine)) == []


# The Sunday on which the hour from 1 is skipped; the one on which it comes twice; those after.
@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
@pytest.mark.parametrize("hour", [0, 1, 2, 7, 23])
def test_the_mail_of_a_night_on_which_clocks_change(day: date, hour: int):
    made: list[date] = []
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=3)
    sent_at = None
    for _ in range(31 * 12):
        moment += timedelta(minutes=5)
        now = moment.astimezone(LONDON)
        if found := due(now, "sunday", hour, made[-1] if made else None):
            made.append(found)
            sent_at = now
    assert made == [day]
    assert sent_at is not None
    # By the clock on the wall: at the hour, or right after the one that was skipped.
    wanted = 2 if (day.month, hour) == (3, 1) else hour
    assert (sent_at.hour, sent_at.minute) == (wanted, 0)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_tries_go_by_time_that_has_passed(day: date):
    """Between two tries the clock on the wall may jump an hour; the wait is as long as ever."""
    tried = datetime(day.year, day.month, day.day, 0, 58, tzinfo=UTC)
    found = [
        retry(2, tried, (tried + timedelta(minutes=minutes)).astimezone(LONDON))
        for minutes in (1, 4, 5)
    ]
    assert found == [Retry.LATER, Retry.LATER, Retry.NOW]


@pytest.mark.parametrize("by", [TEN_MINUTES, -TEN_MINUTES])
def test_a_jump_around_the_hour_of_the_mail_makes_no_second(by: timedelta):
    now = datetime(2026, 6, 1, 7, 5, tzinfo=LONDON)
    first = due(now, "monday", 7, None)
    assert first == date(2026, 6, 1)
    assert due(now + by, "monday", 7, first) is None
    # Around midnight too: yesterday's clock, today's mail.
    assert due(datetime(2026, 5, 31, 23, 58, tzinfo=LONDON), "sunday", 7, first) is None
