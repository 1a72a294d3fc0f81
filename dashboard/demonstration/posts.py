"""Returns of link-worker posts: the spells behind the published workforce, and the gaps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from dashboard.demonstration.places import BOARDS, MEDWAY
from dashboard.demonstration.practices import Pcn
from dashboard.demonstration.story import Story
from dashboard.demonstration.tables import csv_file
from dashboard.demonstration.workforce import LINK_WORKER, MONTHS, Spell, Spells
from dashboard.intake.source import Source
from dashboard.intake.workforce import CONTRACTED

LAST_DAY = date(2026, 6, 30)
FIXED_TERM_ENDS = date(2026, 12, 31)
ONE_DAY = timedelta(days=1)
# Before this month (counted from the first) nobody remembers when somebody came.
REMEMBERED = -12
RECRUITING_DAYS = 35
SET_UP_DAYS = 45  # from the money for a new post to its first worker
SUPERVISED_DAYS = (5, 200)
# What became of the posts that nobody follows in.
LEFT = ("recruiting", "ended", "vacant")
# Newly funded and never filled: vacant for so many days, the longest in the PCN that has a
# post and no link worker.
NEVER_FILLED = (20, 45, 90, 150, 210, 300)
LONGEST_VACANT = 400
CONTRACTOR = "contracted provider"
EMPLOYERS = {"NHS": 0.45, "VCSE": 0.25, "consortium": 0.15, CONTRACTOR: 0.15}
TITLES = {
    "Social prescribing link worker": 0.6,
    "Community connector": 0.15,
    "Village agent": 0.15,
    "Care navigator": 0.1,
}
SUPERVISORS = {
    "GP": 0.35,
    "manager": 0.2,
    "nurse": 0.15,
    "occupational therapist": 0.1,
    "social worker": 0.1,
    "link worker": 0.1,
}
# Shares of the posts in which somebody works: the second holds the first.
WITHOUT_SUPERVISOR, WITHOUT_DATE = 0.06, 0.12
HEADINGS = (
    "post_id",
    "pcn_code",
    "status",
    "role_title",
    "employer_type",
    "funded_fte",
    "since",
    "until",
    "supervised_by",
    "last_supervision",
)


class State(NamedTuple):
    """How a post stands, and from when until when: `None` where nobody knows, or it lasts."""

    status: str
    since: date | None
    until: date | None


class Post(NamedTuple):
    """One post, and how it stood and stands, in order."""

    pcn: Pcn
    employer: str
    funded_fte: float
    states: Sequence[State]


def post_files(spells: Spells, story: Story, rng: np.random.Generator) -> list[Source]:
    """One return a board, one row a spell of a post; three PCNs of Kent are not in it."""
    silent = {*story.without_posts_return, story.without_link_worker[1]}
    told = {pcn: mine for pcn, mine in spells.items() if pcn.code not in silent}
    left = itertools.chain(LEFT, itertools.repeat(LEFT[-1]))
    posts = [post for pcn, mine in told.items() for post in _posts(pcn, mine, story, left, rng)]
    posts += _never_filled(list(told), story, rng)
    rows: dict[str, list[tuple[str, ...]]] = {board.icb_code: [] for board in BOARDS}
    for number, post in enumerate(posts, start=1):
        rows[post.pcn.board.icb_code] += _rows(f"DP{number:03d}", post, rng)
    return [
        csv_file(
            f"demonstration link-worker posts {board.name.split()[0]}.csv",
            dict(zip(HEADINGS, zip(*rows[board.icb_code], strict=True), strict=True)),
        )
        for board in BOARDS
    ]


def _posts(
    pcn: Pcn, spells: Sequence[Spell], story: Story, left: Iterator[str], rng: np.random.Generator
) -> Iterator[Post]:
    """The posts in which the link workers of the published workforce are."""
    employer = _lot(EMPLOYERS, rng)
    workers = [spell for spell in spells if spell.role == LINK_WORKER]
    newest = max(workers, key=lambda spell: spell.first, default=None)
    for number, group in itertools.groupby(workers, key=lambda spell: spell.post):
        chain = list(group)
        fte = chain[0].fte
        if chain[0].origin == CONTRACTED:
            # A service is published as one number, and paid for by the post.
            since = _first_day(chain[0].first)
            while fte > 0:
                yield Post(pcn, CONTRACTOR, min(fte, 1.0), [State("filled", since, None)])
                fte = round(fte - 1, 1)
            continue
        # Some work fewer hours than there is money for.
        funded = min(1.0, round(fte + 0.2, 1)) if rng.random() < 0.2 else fte
        states = list(_states(chain, left, rng))
        if pcn.code == story.fixed_term and newest and number == newest.post:
            states[-1] = states[-1]._replace(until=FIXED_TERM_ENDS)
        yield Post(pcn, employer, funded, states)


def _states(
    chain: Sequence[Spell], left: Iterator[str], rng: np.random.Generator
) -> Iterator[State]:
    """Filled, and between those who follow each other vacant and recruiting."""
    until = None
    for spell in chain:
        since = _first_day(spell.first) + int(rng.choice([0, 0, 7, 14])) * ONE_DAY
        if until:
            yield from _gap(until + ONE_DAY, since - ONE_DAY)
        elif spell.first > 0:
            yield State("recruiting", since - SET_UP_DAYS * ONE_DAY, since - ONE_DAY)
        until = _first_day(spell.last + 1) - ONE_DAY if spell.last < len(MONTHS) - 1 else None
        yield State("filled", since if spell.first >= REMEMBERED else None, until)
    if until:
        became = next(left)
        if became == "recruiting":
            *earlier, now = _gap(until + ONE_DAY, LAST_DAY)
            yield from [*earlier, now._replace(until=None)]
        else:
            yield State(became, until + ONE_DAY, None)


def _gap(since: date, until: date) -> Iterator[State]:
    """Vacant, and then recruiting; nothing when the next comes as the last one goes."""
    advertised = max(since, until - (RECRUITING_DAYS - 1) * ONE_DAY)
    if since < advertised:
        yield State("vacant", since, advertised - ONE_DAY)
    if advertised <= until:
        yield State("recruiting", advertised, until)


def _never_filled(pcns: Sequence[Pcn], story: Story, rng: np.random.Generator) -> Iterator[Post]:
    staffed = [pcn for pcn in pcns if pcn.code not in story.without_link_worker]
    chosen = rng.choice(len(staffed), len(NEVER_FILLED), replace=False)
    vacant = [(staffed[place], days) for place, days in zip(chosen, NEVER_FILLED, strict=True)]
    vacant += [(pcn, LONGEST_VACANT) for pcn in pcns if pcn.code in story.without_link_worker]
    for pcn, days in vacant:
        states = [State("vacant", LAST_DAY - days * ONE_DAY, None)]
        yield Post(pcn, _lot(EMPLOYERS, rng), 1.0, states)


def _rows(post_id: str, post: Post, rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    title = _lot(TITLES, rng)
    for place, (status, since, until) in enumerate(post.states, start=1):
        # Medway leaves out what the next row says: both are good returns.
        is_said = post.pcn.board is not MEDWAY or place == len(post.states)
        is_now = status == "filled" and (until is None or until > LAST_DAY)
        yield (
            post_id,
            post.pcn.code,
            status,
            title,
            post.employer,
            f"{post.funded_fte:g}",
            since.isoformat() if since else "",
            until.isoformat() if until and is_said else "",
            *(_supervision(since, rng) if is_now else ("", "")),
        )


def _supervision(since: date | None, rng: np.random.Generator) -> tuple[str, str]:
    """Who supervises, and when last; a few posts have nobody, a few no date."""
    by, lot = _lot(SUPERVISORS, rng), rng.random()
    soonest, latest = SUPERVISED_DAYS
    if since:
        latest = min(latest, (LAST_DAY - since).days)
    last = LAST_DAY - int(rng.integers(soonest, latest + 1)) * ONE_DAY
    if lot < WITHOUT_SUPERVISOR:
        return "", ""
    return by, "" if lot < WITHOUT_DATE else last.isoformat()


def _first_day(month: int) -> date:
    """The first day of a month counted from the first of `MONTHS`."""
    year, number = MONTHS[0]
    years, months = divmod(number - 1 + month, 12)
    return date(year + years, months + 1, 1)


def _lot(shares: Mapping[str, float], rng: np.random.Generator) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))
