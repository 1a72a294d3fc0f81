"""This week in words: what it is compared with, each change, and what was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from urllib.parse import urlencode

import pandas as pd

from dashboard import filters, show
from dashboard.filters import Choices
from dashboard.outcomes_compared import SHARES
from dashboard.rules.changes import Change, Kind
from dashboard.rules.take_up import month_end, months_before
from dashboard.style import MISSING, counted, day
from dashboard.this_week import MEETING, Missing, ThisWeek
from dashboard.workforce_trend import RECEIVED
from dashboard.workforce_view import TRENDS
from queries.frames import each_row

# A meeting is held each week: without one before it, a week is looked back.
USUAL_DAYS = 7
MEETINGS_OFFERED = 12
# Of wards that changed alike so many are named.
NAMED = 6
# Of a control chart whose values are chance alone the newest point fires so often: measured on 3,000
# series of 24 normal values by our own rules, see tests/rules/test_changes.py.
FALSE_SIGNALS = 0.025
ABOUT = show.Explanation(
    shows="Everything that stands otherwise than at the last meeting, or on the chosen day: the most "
    "unusual that touch most people first.",
    useful="A meeting can begin with what is new, and knows how much was looked at to find it.",
    limits=(
        "The rank is how rare a change of its kind is among all that was looked at (of a control "
        "chart or a correction: its chance), times the order of magnitude of the people it touches. "
        "It orders a list; it is no test.",
        "A month on a control chart is told when it is new and more than chance; two months are no "
        "trend.",
        "Numbers of people are compared as they are shown, after small ones are hidden and others "
        "rounded.",
        "Compared with a day, that day is judged by what is loaded now. Compared with a meeting, by "
        "what was seen when it was closed.",
        "Services and wards that one side does not know are not compared: new ones stand on their "
        "own pages.",
    ),
)


def since_options(meetings: pd.DataFrame, as_at: date, asked: str = "") -> dict[str, str]:
    """What can be compared with, by its name in an address: meetings that were closed and looked at no
    later day, the newest first, then days; also the day that a link asks for."""
    is_before = meetings["as_at"].map(lambda day: day <= as_at).astype(bool)
    closed = meetings[meetings["closed_at"].notna() & is_before].head(MEETINGS_OFFERED)
    options = {
        f"{MEETING}{row.id}": f"Meeting closed {day(row.closed_at.date())} at {row.closed_at:%H:%M} UTC"
        for row in each_row(closed)
    }
    days = [as_at - timedelta(days=USUAL_DAYS), as_at - timedelta(days=4 * USUAL_DAYS)]
    days += [month_end(months_before(as_at, back)) for back in (3, 12)]
    days += [each for each in (_day(asked),) if each and each < as_at]
    return options | {each.isoformat(): day(each) for each in days}


def _day(asked: str) -> date | None:
    try:
        return date.fromisoformat(asked)
    except ValueError:
        return None


def compared_with(since: str, found: ThisWeek) -> str:
    """'the meeting closed on 16 November 2026' or 'on 23 June 2026'."""
    if since.startswith(MEETING):
        return f"the meeting closed on {day(found.before.taken_at.date())}"
    return day(found.before.as_at)


def finding(found: ThisWeek, since: str) -> list[str]:
    """How many changes, out of how much, and how many are too small to be told."""
    looked = sum(found.looked_at.values())
    events = [change for change in found.told if change.kind is not Kind.ARRIVED]
    then = compared_with(since, found)
    if events:
        first = f"**{counted(len(events), 'change')}** since {then}"
    else:
        first = f"**Nothing unusual** since {then}"
    words = [f"{first}, of {looked:,} things looked at."]
    if found.missing:
        wards = {code for each in found.missing for code in each.ward_codes}
        words.append(
            f"{counted(len(found.missing), 'missing return')} would change the reading: "
            f"{counted(len(wards), 'ward')} cannot be judged without them."
        )
    return words


def tiles(found: ThisWeek, overdue: int, due: int) -> list[show.Tile]:
    """Gaps that came and went, signals, missing returns, and what is due."""
    kinds = [change.kind for change in found.told]
    wards = {
        kind: sum(len(c.names) for c in found.told if c.kind is kind)
        for kind in (Kind.LOST, Kind.GAINED)
    }
    return [
        # Of a ward that nobody told us about, then or now, it is not known: no nought.
        show.Tile("Wards that lost provision", f"{wards[Kind.LOST]:,}" if found.judged else MISSING,
                  "wards", f"{wards[Kind.GAINED]:,} gained it" if found.judged
                  else "none could be judged both times"),
        show.Tile("Control-chart signals", f"{kinds.count(Kind.SIGNAL):,}",
                  f"of {counted(found.charts, 'chart')}", _by_chance(found.charts)),
        show.Tile("Figures corrected", f"{kinds.count(Kind.CORRECTED):,}", "by newer files"),
        show.Tile("Returns missing", f"{len(found.missing):,}", "that would change the reading"),
        show.Tile("Actions overdue", f"{overdue:,}", "", f"{due:,} due within 7 days"),
    ]  # fmt: skip


def _by_chance(charts: int) -> str:
    return (
        f"about {charts * FALSE_SIGNALS:.1f} would be by chance alone"
        if charts
        else "no limits yet"
    )


def missing_items(found: ThisWeek, choices: Choices) -> list[show.Item]:
    """Each missing return, and what cannot be said without it."""
    return [
        show.Item(
            each.title,
            each.name,
            f"{each.why}: {counted(len(each.ward_codes), 'ward')} cannot be judged; "
            f"{_living(each, found.people)}.",
            "Returns by network" if each.pcn_code else "What is loaded",
            "/data?" + urlencode(choices.address()),
        )
        for each in found.missing
    ]


def _living(missing: Missing, people: str) -> str:
    if missing.people is None:
        return "how many live there is not known"
    return f"{'at least ' if missing.at_least else ''}{missing.people:,} {people} live there"


def items(found: ThisWeek, choices: Choices) -> list[show.Item]:
    """The changes in order, with the numbers behind each and the page it is from."""
    return [
        show.Item(
            change.kind.value,
            _subject(change),
            _words(change, found.people),
            *_link(change, choices),
        )
        for change in found.told
    ]


def _subject(change: Change) -> str:
    names = ", ".join(change.names[:NAMED])
    if (more := len(change.names) - NAMED) > 0:
        names += f" and {more} more"
    if len(change.names) > 1:
        things = "networks" if change.kind in (Kind.ARRIVED, Kind.LATE) else "wards"
        names = f"{len(change.names):,} {things}: {names}"
    if not change.place:
        return names
    return f"{change.place}{', ' if len(change.names) > 1 else ': '}{names}"


_PEOPLE = {
    Kind.FULL: "places",
    Kind.REOPENED: "places",
    Kind.STALE: "places",
    Kind.FUNDING: "places",
    Kind.TARGET_MET: "people on its list",
    Kind.TARGET_MISSED: "people on its list",
    Kind.ARRIVED: "people on their lists",
    Kind.LATE: "people on their lists",
}


def _words(change: Change, people_there: str) -> str:
    detail = f"{change.detail}: " if change.detail else ""
    if change.kind is Kind.CORRECTED:
        figure, _, file_name = change.detail.partition("; ")
        return f"{figure} was {change.was}, now {change.now}: {file_name}."
    if change.kind is Kind.SIGNAL:
        return f"{change.now} ({change.was.removeprefix('mean ')}): {change.detail}."
    moved = f"{change.was}, now {change.now}" if change.was else change.now
    unit = _PEOPLE.get(change.kind, f"{people_there} live there")
    least = "At least " if change.at_least else ""
    people = f" {least}{change.people:,} {unit}." if change.people else ""
    return f"{detail}{moved}.{people}"


_PARTS = {Kind.FUNDING: "funding", Kind.STALE: "freshness"}


def _link(change: Change, choices: Choices) -> tuple[str, str]:
    """What the link says, and where it leads with the same filters."""
    at = {filters.LOCALITY: choices.lad_code, filters.PCN: choices.pcn_code}
    match change.kind:
        case Kind.ARRIVED | Kind.LATE:
            page, words = "data", "Returns by network"
        case Kind.FULL | Kind.REOPENED | Kind.STALE | Kind.FUNDING:
            page, words = "providers", "The service"
            at[filters.PART] = _PARTS.get(change.kind, "services")
            at[filters.SERVICE] = change.code
        case Kind.SIGNAL if change.code in SHARES:
            page, words = "outcomes", "The control chart"
            at |= {filters.PART: "networks", filters.SHOWS: change.code}
        case Kind.SIGNAL | Kind.CORRECTED | Kind.TARGET_MET | Kind.TARGET_MISSED:
            page, words = "workforce", "The network" if change.code not in TRENDS else "The chart"
            if change.code in TRENDS:
                at[filters.TREND] = change.code
            else:
                at |= {filters.PCN: change.code, filters.TREND: _trend(change)}
        case Kind.TAKE_UP:
            page, words = "take-up", "The wards" if len(change.names) > 1 else "The ward"
            at |= _ward(change)
        case _:
            page, words = "coverage", "The wards" if len(change.names) > 1 else "The ward"
            at |= _ward(change)
    chosen = choices.address(**{name: value for name, value in at.items() if value})
    return words, f"/{page}?{urlencode(chosen)}"


def _trend(change: Change) -> str:
    """Which trend of a network a change is of."""
    of_staff = change.kind in (Kind.TARGET_MET, Kind.TARGET_MISSED)
    of_staff |= change.kind is Kind.CORRECTED and change.detail.startswith(TRENDS["fte"][0])
    return "fte" if of_staff else RECEIVED


def _ward(change: Change) -> Mapping[str, str]:
    if change.code:
        return {filters.WARD: change.code}
    return {filters.LOCALITY: change.place_code}


def held_back_table(found: ThisWeek) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """One row per change that is too small to be told, and why."""
    rows = [
        (change.kind.value, _subject(change), change.was, change.now, change.held_back)
        for change in found.held_back
    ]
    return ("What", "Of whom", "Before", "Now", "Held back because"), rows


def counted_looks(found: ThisWeek) -> list[str]:
    """How much was looked at, and what was held back."""
    parts = "; ".join(f"{count:,} {name}" for name, count in found.looked_at.items())
    words = [f"Looked at: {parts}."]
    if found.charts:
        charts = counted(found.charts, "control chart")
        words.append(f"Of {charts} {_by_chance(found.charts)}.")
    if found.held_back:
        words.append(f"{counted(len(found.held_back), 'smaller change')} held back.")
    if found.before.with_stale != found.now.with_stale:
        words.append(
            "Entries that nobody confirmed in time were counted otherwise then: statuses of wards are "
            "not compared."
        )
    if found.before.profile != found.now.profile:
        words.append("The disclosure profile was another one then: numbers are not comparable.")
    return words


def looked_at(found: ThisWeek, profile: str) -> list[str]:
    """The same, and the profile."""
    return [*counted_looks(found), f"Small numbers: {profile}."]
