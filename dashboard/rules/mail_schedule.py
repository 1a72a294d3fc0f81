"""When an e-mail is due, tried again or given up, and how much of a finding it may say."""

from __future__ import annotations

import re
from calendar import month_name
from datetime import date, datetime, timedelta
from enum import StrEnum

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# After each try that failed, how long until the next; after the fifth there is none.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
MOST_ATTEMPTS = len(WAITS) + 1
# Answers of a mail server (RFC 5321): one of 4xx may be another next time, one of 5xx will not.
PERMANENT = range(500, 600)

# NHS England's rule hides counts of people below this; other profiles show some of them.
LEAST_PEOPLE = 8
# A count of these is none of people.
_THINGS = (
    "action|board|change|chart|commitment|contract|day|decision|district|entry|entries|fte|locality|"
    "localities|meeting|month|need|network|pcn|place|provider|return|service|site|thing|ward|week|"
    "year"
)
_PEOPLE = "adult|carer|child|children|household|patient|people|person|referral|resident"
# Neither money, nor a share, nor the day of a date, nor a part of a word or of another number.
_NUMBER = re.compile(
    rf"(?<![\w£.,])\d[\d,]*(?:\.\d+)?(?![\w%]|[.,]\d| (?:{'|'.join(filter(None, month_name))})\b)"
)
# What a number before it counts: "3 wards", "3 of 40 wards", "3 new referrals".
_COUNTED = re.compile(
    rf"(?: of (?:the )?[\d,]+)?(?: (?!(?:{_PEOPLE})s?\b)[a-z-]+)? "
    rf"(?:(?P<thing>{_THINGS})|{_PEOPLE})s?\b",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"\*|\[c\]")
_END = re.compile(r"(?<=[\w%)])\.\s+(?=[A-Z0-9“])|;\s+")


class Retry(StrEnum):
    """What is to be done about an e-mail that did not go."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


def due(now: datetime, day: str, hour: int, last_made: date | None) -> date | None:
    """The day whose e-mail is due at a moment, by the clock on the wall; `None` for none.

    Once a week: on its day, from the hour on, unless one was made for it. A server that was off at
    the hour is in time until midnight; after that the next is a week later. Where clocks skip the
    hour, the first moment after it counts; where an hour comes twice, the second time is none.
    """
    today = now.date()
    if DAYS[now.weekday()] != day or now.hour < hour:
        return None
    # Not equal but later: a clock that was put back makes no second one.
    return today if last_made is None or last_made < today else None


def retry(attempts: int, tried_at: datetime | None, now: datetime) -> Retry:
    """Whether an e-mail that was tried so often, the last time then, is to be tried now."""
    if attempts >= MOST_ATTEMPTS:
        return Retry.NEVER
    if attempts == 0 or tried_at is None or now - tried_at >= WAITS[attempts - 1]:
        return Retry.NOW
    return Retry.LATER


def may_be_sent(finding: str) -> tuple[str, bool]:
    """The beginning of a finding that may leave in an e-mail, and whether it is all of it.

    A finding is released already, as it stands on its page. An e-mail can't be taken back and so
    says less: it ends before the first sentence, or part of one after a semicolon, that holds the
    mark of a hidden number or a number between 0 and 8 which may count people. A number counts what
    is named right after it, else what the number before it counts; if neither is known, people.
    """
    stops = [found.start() for found in _HIDDEN.finditer(finding)]
    is_of_people = True
    for number in _NUMBER.finditer(finding):
        if counted := _COUNTED.match(finding, number.end()):
            is_of_people = counted["thing"] is None
        if is_of_people and 0 < float(number[0].replace(",", "")) < LEAST_PEOPLE:
            stops.append(number.start())
    if not stops:
        return finding, True
    ends = [end.start() for end in _END.finditer(finding) if end.end() <= min(stops)]
    return finding[: ends[-1]] if ends else "", False
