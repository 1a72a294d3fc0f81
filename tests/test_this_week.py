"""What changed between two meetings: the small board with a week between its loads, every change in
its order with its words and links, what is held back, and what is missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import pytest
from sqlalchemy import Engine, select, update

from dashboard import data, demonstration, intake
from dashboard.filters import Choices
from dashboard.intake.source import Source
from dashboard.rules.changes import Kind
from dashboard.rules.take_up import months_before
from dashboard.seen import seen
from dashboard.settings import settings
from dashboard.style import day
from dashboard.this_week import ThisWeek, judged_twice, this_week
from dashboard.this_week_words import (
    compared_with,
    finding,
    held_back_table,
    items,
    looked_at,
    missing_items,
    since_options,
    tiles,
)
from queries import tables
from queries.load import CleanLoad, save
from queries.meetings import close_meeting, meetings, open_meeting
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.small_board import ABBEY, BOARD, BROOK, CASTLE, DALE, ELM, NORTH, NORTHAM, SOUTH, Scheme

Use = Callable[[Callable[[Engine], object]], Engine]
# Two meetings, a week apart.
BEFORE, NOW = date(2026, 7, 7), date(2026, 7, 14)
MAY, JUNE, MARCH = date(2026, 5, 1), date(2026, 6, 1), date(2026, 3, 1)

# Referrals in a usual month, as many for each person of every ward; North's come from Northam.
USUAL = {(NORTH, ABBEY): 100, (NORTH, BROOK): 200, (NORTH, CASTLE): 100, (SOUTH, DALE): 50,
         (SOUTH, ELM): 50}  # fmt: skip
# What Abbey and Dale have more or less in a month, over and over; 12 and 2 in March 2026.
MORE = {ABBEY: (-10, 6, 12, 0, -8), DALE: (4, -4, 2, 0, -2)}
# The garden fills, the choir has room again; the old list is confirmed a year ago on 10 July, and
# the walk's money ends in 6 months from 10 July on.
GARDEN = replace(b.GARDEN, lies_in=())
CHOIR = replace(b.CHOIR, cost_per_place=None)
OLD_LIST = replace(b.OLD_LIST, confirmed_on=date(2025, 7, 10))
WALK = b.Service("walk", (DALE,), funding_ends=date(2027, 1, 10), offered=6, filled=1)
FIRST = (GARDEN, CHOIR, b.HELPLINE, OLD_LIST, WALK)
SECOND = (
    replace(GARDEN, state="full", filled=10),
    replace(CHOIR, state="has capacity", filled=5, waiting=0),
    b.HELPLINE,
    OLD_LIST,
    WALK,
)
BOARD_BEFORE = b.Board(
    services=FIRST, weeks=(), directory=(), matches=(), needs={}, referrals=(), workforce=False,
    posts=(), plans=(), budgets=False,
    targets=((NORTH, 5.0, date(2026, 4, 1), None), (SOUTH, 1.0, date(2026, 4, 1), None)),
)  # fmt: skip


def month_of(month: date) -> dict[tuple[str, str], int]:
    """Referrals of a month by network and ward."""
    place = (month.year * 12 + month.month - 2026 * 12 - 3) % 5
    more = {ward: found[(place + 2) % 5] for ward, found in MORE.items()}
    return {key: usual + more.get(key[1], 0) for key, usual in USUAL.items()}


def referral_file(name: str, told: Mapping[date, Mapping[tuple[str, str], int]]) -> CleanLoad:
    """Referrals by month, network and ward, each ended in the month after."""
    rows = pd.DataFrame(
        [
            (f"{month:%Y-%m} {pcn}", ward, pcn, month, months_before(month, -1), number)
            for month, counts in told.items()
            for (pcn, ward), number in counts.items()
            if number
        ],
        columns=["part_key", "ward_code", "pcn_code", "month", "ended_month", "referrals"],
    )
    parts = rows.drop_duplicates("part_key")
    made = b.made_of(
        "referrals",
        parts["part_key"],
        {
            "referral_fact": b.counted(rows, "ward_code", "pcn_code", "month"),
            "referral_episode_fact": b.counted(rows, "pcn_code", "month", "ended_month"),
        },
        starts=parts["month"],
        ends=parts["month"].map(b.month_end),
    )
    return replace(made, file_name=name)


def census(month: date, north: float, south: float) -> CleanLoad:
    workers = [(NORTH, False, north, "person 1"), (SOUTH, False, south, "person 2")]
    made = b.census(b.month_end(month), BOARD, {NORTH: 1, SOUTH: 1}, workers)
    return replace(made, file_name=f"census {month:%B}.csv")


def week_one(engine: Engine) -> None:
    """23 months of referrals to May 2026, and the census of May."""
    BOARD_BEFORE.save(engine)
    months = [months_before(MAY, back) for back in range(23)]
    save(engine, referral_file("to may.csv", {month: month_of(month) for month in months}))
    save(engine, census(MAY, 4.0, 1.0))


def corrected_march() -> dict[tuple[str, str], int]:
    """North sent 412 and means 398, South 102 and means 101."""
    march = month_of(MARCH)
    assert (march[NORTH, ABBEY], march[SOUTH, DALE]) == (112, 52)
    return march | {(NORTH, ABBEY): 98, (SOUTH, DALE): 51}


def week_two(engine: Engine) -> None:
    """What came in the week: Castle is served instead of Abbey and Brook; the services again; the
    referrals of June, with March corrected; the census of June."""
    save(engine, b.scheme_areas([Scheme("Links", NORTHAM, CASTLE)]))
    save(engine, b.services(SECOND))
    save(engine, referral_file("june.csv", {MARCH: corrected_march(), JUNE: month_of(JUNE)}))
    save(engine, census(JUNE, 5.0, 0.95))


def chosen(as_at: date, **more: str | bool) -> Choices:
    """The whole small board at a date."""
    usual = Choices(BOARD, "Small board", "", "", "", "", as_at, 24)
    return replace(usual, **more)  # type: ignore[arg-type]


def meet(engine: Engine, as_at: date, board: str = BOARD, with_stale: bool = False) -> str:
    """Hold a meeting that sees the board at a date: what a comparison with it is called."""
    number = open_meeting(engine, EVERYTHING, board, as_at, "", "Ann")
    kept = seen(engine, EVERYTHING, board, as_at, with_stale).to_json()
    close_meeting(engine, EVERYTHING, number, as_at, "", kept, "Ann")
    return f"meeting-{number}"


def changed(engine: Engine, since: str, choices: Choices) -> ThisWeek:
    found = this_week(engine, EVERYTHING, choices, since)
    assert found is not None
    return found


@pytest.fixture
def use(
    upgraded_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings_as_shipped: None
) -> Iterator[Use]:
    """Makes the dashboard read a new database, filled as told."""

    def become(fill: Callable[[Engine], object]) -> Engine:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
        path.write_bytes(upgraded_file.read_bytes())
        monkeypatch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{path.as_posix()}")
        settings.cache_clear()
        fill(data.engine())
        return data.engine()

    yield become
    data.engine().dispose()


@pytest.fixture(scope="module")
def two_weeks_made(
    upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A week's loads, a meeting, and the next week's; and what the meeting is called. Only read."""
    path = Path(shutil.copy(upgraded_file, tmp_path_factory.mktemp("two weeks") / "board.db"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{path.as_posix()}")
        settings.cache_clear()
        engine = data.engine()
        week_one(engine)
        since = meet(engine, BEFORE)
        week_two(engine)
        engine.dispose()
    settings.cache_clear()
    return path, since


@pytest.fixture
def two_weeks(
    two_weeks_made: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, settings_as_shipped: None
) -> Iterator[tuple[Engine, str]]:
    """The dashboard reads it: its answers are kept from test to test."""
    path, since = two_weeks_made
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{path.as_posix()}")
    settings.cache_clear()
    yield data.engine(), since
    data.engine().dispose()


@pytest.fixture
def own_weeks(two_weeks_made: tuple[Path, str], use: Use) -> tuple[Engine, str]:
    """A copy of it, to be written to."""
    path, since = two_weeks_made

    def fill(engine: Engine) -> None:
        Path(str(engine.url.database)).write_bytes(path.read_bytes())

    return use(fill), since


AT = {"icb": BOARD, "as_at": "2026-07-14"}
# Rank by hand: one of its kind among 6 wards is 2 of 7, among 2 networks 2 of 3, among 5 services 2
# of 6; log10 of 10 and the people or places. 10 of 410 referrals are 0.49 of their spread: 0.21.
TOLD = [
    ("Provision lost", "Northam, 2 wards: Abbey, Brook",
     "As expected, now No provision. 15,000 people live there.", 2.27),
    ("Provision gained", "Northam: Castle",
     "No provision, now As expected. 5,000 people live there.", 2.01),
    ("Target or plan met", "North PCN",
     "4.0 of 5.0 FTE, now 5.0 of 5.0 FTE. 8,000 people on its list.", 0.69),
    ("Full", "Garden (Together CIC)", "had room, now full. 10 places.", 0.62),
    ("Has room again", "Choir (Together CIC)", "was full, now room. 8 places.", 0.60),
    ("Funding ends within 6 months", "Walk (Together CIC)",
     "ends on 10 January 2027. 6 places.", 0.57),
    ("Figure corrected", "North PCN",
     "New referrals, Mar 2026 was 410, now 400: file june.csv.", 0.54),
    ("Gone stale", "Old List (Together CIC)", "6 to 12 months, now over 12 months.", 0.48),
    ("Return arrived", "2 networks: North PCN, South PCN",
     "Referrals, local return, Jun 2026: not due yet, now received. 12,000 people on their lists.",
     0.0),
    ("Return arrived", "2 networks: North PCN, South PCN",
     "Workforce, published, Jun 2026: not due yet, now received. 12,000 people on their lists.",
     0.0),
]  # fmt: skip
HELD_BACK = [
    ("Below target or plan", "South PCN", "1.0 of 1.0 FTE", "0.9 of 1.0 FTE",
     "moved by less than 0.1 FTE"),
    ("Figure corrected", "South PCN", "100", "100", "no difference is left after rounding"),
]  # fmt: skip
# The page of each, and what its address says beside the board and the date.
LINKS = [
    ("/coverage", "The wards", {"locality": NORTHAM}),
    ("/coverage", "The ward", {"ward": CASTLE}),
    # What changed is its FTE.
    ("/workforce", "The network", {"pcn": NORTH, "trend": "fte"}),
    ("/providers", "The service", {"part": "services", "service": "Together CIC / garden"}),
    ("/providers", "The service", {"part": "services", "service": "Together CIC / choir"}),
    ("/providers", "The service", {"part": "funding", "service": "Together CIC / walk"}),
    ("/workforce", "The network", {"pcn": NORTH, "trend": "referrals"}),
    ("/providers", "The service", {"part": "freshness", "service": "Together CIC / old list"}),
    ("/data", "Returns by network", {}),
    ("/data", "Returns by network", {}),
]


def test_the_whole_list_of_a_week(two_weeks: tuple[Engine, str]) -> None:
    """These changes, no others, in this order; and of those held back each with its reason."""
    engine, since = two_weeks
    found = changed(engine, since, chosen(NOW))
    listed = items(found, chosen(NOW))
    assert [(item.title, item.subject, item.words) for item in listed] == [row[:3] for row in TOLD]
    assert [round(change.rank, 2) for change in found.told] == [row[3] for row in TOLD]
    headings, rows = held_back_table(found)
    assert (len(headings), rows) == (5, HELD_BACK)
    assert found.looked_at == {
        "statuses of wards": 6,
        "networks against their target": 2,
        "services": 5,
        # Two datasets, three networks, six months.
        "returns": 36,
        # FTE, new and open referrals; new referrals of North and of South.
        "control charts": 4,
    }
    # Of two censuses no limits.
    assert (found.charts, found.people) == (4, "people")


def links(found: ThisWeek, choices: Choices) -> list[tuple[str, str, dict[str, str]]]:
    """The page, the words and the address of each change."""
    read = []
    for item in items(found, choices):
        at = urlsplit(item.address)
        read.append((at.path, item.link, dict(parse_qsl(at.query))))
    return read


def test_where_each_change_leads(two_weeks: tuple[Engine, str]) -> None:
    engine, since = two_weeks
    expected = [(page, words, AT | more) for page, words, more in LINKS]
    assert links(changed(engine, since, chosen(NOW)), chosen(NOW)) == expected


def test_in_words(two_weeks: tuple[Engine, str]) -> None:
    engine, since = two_weeks
    found = changed(engine, since, chosen(NOW))
    today = day(found.before.taken_at.date())
    assert finding(found, since) == [
        f"**8 changes** since the meeting closed on {today}, of 53 things looked at.",
        "1 missing return would change the reading: 1 ward cannot be judged without them.",
    ]
    assert looked_at(found, "the profile") == [
        "Looked at: 6 statuses of wards; 2 networks against their target; 5 services; 36 "
        "returns; 4 control charts.",
        "Of 4 control charts about 0.1 would be by chance alone.",
        "2 smaller changes held back.",
        "Small numbers: the profile.",
    ]
    assert [(t.label, t.value, t.unit, t.note) for t in tiles(found, 3, 4)] == [
        ("Wards that lost provision", "2", "wards", "1 gained it"),
        ("Control-chart signals", "0", "of 4 charts", "about 0.1 would be by chance alone"),
        ("Figures corrected", "1", "by newer files", ""),
        ("Returns missing", "1", "that would change the reading", ""),
        ("Actions overdue", "3", "", "4 due within 7 days"),
    ]


@pytest.mark.slow
def test_the_same_meeting_twice_is_nothing_unusual(own_weeks: tuple[Engine, str]) -> None:
    engine, _ = own_weeks
    found = changed(engine, since := meet(engine, NOW), chosen(NOW))
    assert (found.told, found.held_back) == ([], [])
    assert finding(found, since)[0].startswith("**Nothing unusual** since the meeting closed on ")


@pytest.mark.slow
def test_a_return_that_comes_when_it_is_due_is_nothing_unusual(use: Use) -> None:
    engine = use(week_one)
    since = meet(engine, BEFORE)
    save(engine, referral_file("june.csv", {JUNE: month_of(JUNE)}))
    found = changed(engine, since, chosen(BEFORE))
    assert [change.kind for change in found.told] == [Kind.ARRIVED]
    assert finding(found, since)[0].startswith("**Nothing unusual** since ")


def test_a_new_month_that_is_more_than_chance(use: Use) -> None:
    """In June South has 140 after 23 months of about 100, 101.7 with June; North has 390."""
    engine = use(week_one)
    since = meet(engine, BEFORE)
    june = month_of(JUNE) | {(SOUTH, DALE): 90}
    save(engine, referral_file("june.csv", {JUNE: june}))
    found = changed(engine, since, chosen(BEFORE))
    told = [item for item in items(found, chosen(BEFORE)) if item.title == "More than chance"]
    assert [(item.subject, item.words, item.link) for item in told] == [
        ("New referrals, South PCN",
         "140 in June 2026, above the mean (102): outside the limits.",
         "The network"),
        ("New referrals, Small board",
         "530 in June 2026, above the mean (500): outside the limits.",
         "The chart"),
        ("Open referrals, Small board",
         "530 in June 2026, above the mean (500): outside the limits.",
         "The chart"),
    ]  # fmt: skip
    at = AT | {"as_at": "2026-07-07"}
    assert [at for _, _, at in links(found, chosen(BEFORE))[:3]] == [
        at | {"pcn": SOUTH, "trend": "referrals"},
        at | {"trend": "referrals"},
        at | {"trend": "open_referrals"},
    ]
    assert tiles(found, 0, 0)[1].value == "3"
    # Told once: at the next meeting June is no news.
    assert changed(engine, meet(engine, BEFORE), chosen(BEFORE)).told == []


# The chosen area.


def kinds(found: ThisWeek) -> list[tuple[str, str]]:
    return [(change.kind.name, " ".join(change.names)) for change in found.told]


def test_of_a_locality(two_weeks: tuple[Engine, str]) -> None:
    """Southam: Dale, Elm and Ford; South and East; the helpline, the old list and the walk."""
    engine, since = two_weeks
    southam = chosen(NOW, lad_code=b.SOUTHAM, lad_name="Southam")
    found = changed(engine, since, southam)
    assert kinds(found) == [
        ("FUNDING", "Walk (Together CIC)"),
        ("STALE", "Old List (Together CIC)"),
        ("ARRIVED", "South PCN"),
        ("ARRIVED", "South PCN"),
    ]
    assert [(change.kind.name, change.code) for change in found.held_back] == [
        ("TARGET_MISSED", SOUTH), ("CORRECTED", SOUTH)
    ]  # fmt: skip
    assert (found.looked_at["statuses of wards"], found.looked_at["returns"]) == (3, 24)
    assert [at["locality"] for _, _, at in links(found, southam)] == [b.SOUTHAM] * 4
    assert [missing.name for missing in found.missing] == ["East PCN"]


def test_of_a_network(two_weeks: tuple[Engine, str]) -> None:
    """North serves Northam's wards and Dale, so Elm's old list is not its own."""
    engine, since = two_weeks
    north = chosen(NOW, pcn_code=NORTH, pcn_name="North PCN")
    found = changed(engine, since, north)
    assert sorted(kinds(found)) == [
        ("ARRIVED", "North PCN"),
        ("ARRIVED", "North PCN"),
        ("CORRECTED", "North PCN"),
        ("FULL", "Garden (Together CIC)"),
        ("FUNDING", "Walk (Together CIC)"),
        ("GAINED", "Castle"),
        ("LOST", "Abbey Brook"),
        ("REOPENED", "Choir (Together CIC)"),
        ("TARGET_MET", "North PCN"),
    ]
    assert (found.held_back, found.missing) == ([], [])
    assert {at["pcn"] for _, _, at in links(found, north)} == {NORTH}
    assert found.looked_at["control charts"] == 2


def test_a_reader_of_another_board(two_weeks: tuple[Engine, str]) -> None:
    engine, since = two_weeks
    scope = Scope(frozenset({b.NEIGHBOUR}))
    assert this_week(engine, scope, chosen(NOW, icb_code=b.NEIGHBOUR), since) is None


def test_lost_by_none_is_a_nought_only_where_some_could_be_judged(
    two_weeks: tuple[Engine, str],
) -> None:
    """Gorse, the neighbour's one ward, was never judged: none of theirs is known to have lost anything.
    Of ours five wards were judged both times, Ford never."""
    engine, _ = two_weeks
    ours = changed(engine, "2026-07-07", chosen(NOW))
    theirs = changed(
        engine, "2026-07-07", chosen(NOW, icb_code=b.NEIGHBOUR, icb_name="Neighbour board")
    )
    assert (ours.judged, theirs.judged) == (5, 0)
    told = [(tiles(found, 0, 0)[0].value, tiles(found, 0, 0)[0].note) for found in (ours, theirs)]
    assert told == [("0", "0 gained it"), ("–", "none could be judged both times")]


def test_a_ward_is_compared_where_it_was_judged_both_times() -> None:
    """Nobody told us of the second ward then, of the third now, of the fourth ever."""
    silent, well = "No return", "As expected"
    before = pd.DataFrame({"ward_code": list("abcd"), "status": [well, silent, well, silent]})
    now = pd.DataFrame({"ward_code": list("abcd"), "status": [well, well, silent, silent]})
    assert judged_twice(before, now) == 1
    assert judged_twice(before.iloc[1:], now.iloc[1:]) == 0


# What it is compared with.


@pytest.mark.parametrize(
    "since", ["meeting-999", "meeting-x", "meeting-", "", "yesterday", "2026-13-01"]
)
def test_nothing_to_compare_with(two_weeks: tuple[Engine, str], since: str) -> None:
    assert this_week(two_weeks[0], EVERYTHING, chosen(NOW), since) is None


@pytest.mark.slow
def test_a_meeting_that_is_still_open(own_weeks: tuple[Engine, str]) -> None:
    engine, _ = own_weeks
    number = open_meeting(engine, EVERYTHING, BOARD, NOW, "", "Ann")
    assert this_week(engine, EVERYTHING, chosen(NOW), f"meeting-{number}") is None


@pytest.mark.slow
def test_compared_with_a_day(own_weeks: tuple[Engine, str]) -> None:
    """The day is judged by what is loaded now: room and areas are as they are. What came since and
    what has passed since is told."""
    engine, _ = own_weeks
    loaded_on(engine, {"june.csv": 10, "census June.csv": 10})
    found = changed(engine, "2026-07-07", chosen(NOW))
    assert (
        kinds(found)
        == [
            ("TARGET_MET", "North PCN"),
            ("FUNDING", "Walk (Together CIC)"),
            ("CORRECTED", "North PCN"),
            ("STALE", "Old List (Together CIC)"),
            ("ARRIVED", "North PCN South PCN"),
            ("ARRIVED", "North PCN South PCN"),
        ][1:]
    )
    assert compared_with("2026-07-07", found) == "7 July 2026"


def loaded_on(engine: Engine, days: Mapping[str, int]) -> None:
    """All files as if loaded on 6 July, those named on a later day."""
    with engine.begin() as connection:
        for clean in connection.execute(select(tables.load)).all():
            at = datetime(2026, 7, days.get(clean.file_name, 6), 9, tzinfo=UTC)
            row = update(tables.load).where(tables.load.c.id == clean.id)
            connection.execute(row.values(loaded_at=at))


@pytest.mark.slow
def test_the_end_of_a_day_is_the_line(own_weeks: tuple[Engine, str]) -> None:
    engine, _ = own_weeks
    loaded_on(engine, {"june.csv": 10})
    corrected = {
        since: [c.kind for c in changed(engine, since, chosen(NOW)).told].count(Kind.CORRECTED)
        for since in ("2026-07-09", "2026-07-10")
    }
    assert corrected == {"2026-07-09": 1, "2026-07-10": 0}


@pytest.mark.slow
def test_what_can_be_compared_with(own_weeks: tuple[Engine, str]) -> None:
    engine, first = own_weeks
    second = meet(engine, NOW)
    open_meeting(engine, EVERYTHING, BOARD, NOW, "", "Ann")
    meet(engine, NOW, board=b.NEIGHBOUR)
    found = meetings(engine, EVERYTHING, BOARD)
    options = since_options(found, NOW)
    closed = found["closed_at"].dropna().tolist()
    assert list(options) == [second, first, "2026-07-07", "2026-06-16", "2026-04-30", "2025-07-31"]
    assert options[second] == f"Meeting closed {day(closed[0].date())} at {closed[0]:%H:%M} UTC"
    assert options["2026-06-16"] == "16 June 2026"


@pytest.mark.slow
def test_services_counted_otherwise_than_at_the_meeting_are_no_change(use: Use) -> None:
    """Elm has nothing but the old list, which counts where stale entries do: choosing so is nothing
    that happened since."""
    board = BOARD_BEFORE.but(
        services=(GARDEN, CHOIR, replace(OLD_LIST, confirmed_on=date(2025, 1, 1)))
    )

    def fill(engine: Engine) -> None:
        board.save(engine)
        save(engine, census(MAY, 4.0, 1.0))

    engine = use(fill)
    since = meet(engine, BEFORE, with_stale=True)
    assert kinds(changed(engine, since, chosen(BEFORE, with_stale=True))) == []
    otherwise = changed(engine, since, chosen(BEFORE))
    assert kinds(otherwise) == []
    # No ward is compared then, so that none is known to have lost anything.
    assert (otherwise.judged, tiles(otherwise, 0, 0)[0].value) == (0, "–")


def test_a_meeting_at_a_later_date_than_the_one_chosen_is_not_offered(
    two_weeks: tuple[Engine, str],
) -> None:
    """What changed since then cannot be seen from a day before."""
    engine, since = two_weeks
    found = meetings(engine, EVERYTHING, BOARD)
    assert since in since_options(found, BEFORE)
    assert since not in since_options(found, date(2026, 3, 31))


# Missing returns.


@pytest.mark.slow
def test_a_missing_return_says_what_cannot_be_judged(use: Use) -> None:
    """South sends no census: Elm, which is South's alone, cannot be judged."""

    def fill(engine: Engine) -> None:
        week_one(engine)
        workers = [(NORTH, False, 5.0, "person 1")]
        save(engine, b.census(b.month_end(JUNE), BOARD, {NORTH: 1}, workers))

    engine = use(fill)
    found = changed(engine, "2026-07-07", chosen(NOW))
    assert [
        (missing.title, missing.name, missing.why, missing.ward_codes) for missing in found.missing
    ] == [
        ("Workforce, published", "South PCN", "no return", (ELM,)),
        ("Workforce, published", "East PCN", "no return", (b.FORD,)),
    ]
    item = missing_items(found, chosen(NOW))[0]
    assert (item.title, item.subject) == ("Workforce, published", "South PCN")
    assert item.words == "no return: 1 ward cannot be judged; 2,500 people live there."
    assert urlsplit(item.address).path == "/data"


def test_nobody_knows_how_many_live_in_a_ward_without_a_population(
    two_weeks: tuple[Engine, str],
) -> None:
    """Ford's population stands under an older code: that is not nobody."""
    engine, since = two_weeks
    (item,) = missing_items(changed(engine, since, chosen(NOW)), chosen(NOW))
    assert "1 ward cannot be judged" in item.words
    assert "0 people" not in item.words


@pytest.mark.slow
def test_no_services_were_ever_returned(use: Use) -> None:
    def fill(engine: Engine) -> None:
        BOARD_BEFORE.but(services=()).save(engine)
        save(engine, census(MAY, 4.0, 1.0))

    engine = use(fill)
    first, *rest = changed(engine, "2026-07-07", chosen(NOW)).missing
    assert (first.title, first.pcn_code, first.name, first.why) == (
        "Services", "", "Small board", "never returned"
    )  # fmt: skip
    # Castle has no provision, whatever services there are; Ford is East's in any case.
    assert set(first.ward_codes) == {ABBEY, BROOK, DALE, ELM, b.FORD}
    assert [missing.name for missing in rest] == ["East PCN"]


@pytest.mark.slow
def test_a_hidden_figure_is_corrected_without_being_told(use: Use) -> None:
    """South's March was 3 and is 5: neither is told, and that they differ is held back."""
    few = {(SOUTH, DALE): 3, (SOUTH, ELM): 0}

    def fill(engine: Engine) -> None:
        week_one(engine)
        save(engine, referral_file("few.csv", {MARCH: month_of(MARCH) | few}))

    engine = use(fill)
    since = meet(engine, BEFORE)
    more = {(SOUTH, DALE): 5, (SOUTH, ELM): 0}
    save(engine, referral_file("more.csv", {MARCH: month_of(MARCH) | more}))
    (held_back,) = changed(engine, since, chosen(BEFORE)).held_back
    assert (held_back.was, held_back.now, held_back.people) == ("hidden", "hidden", 0)
    none = {(SOUTH, DALE): 9, (SOUTH, ELM): 0}
    save(engine, referral_file("nine.csv", {MARCH: month_of(MARCH) | none}))
    (told,) = changed(engine, since, chosen(BEFORE)).told
    assert (told.was, told.now) == ("hidden", "10")


# The demonstration's own returns, as if they were real: Kent, a week apart.

KENT, KEY = "QDK", b"k" * 32
STANDING = (
    "ward boundaries 2025.geojson", "LSOA to ward lookup.csv", "LSOA to ICB lookup.csv",
    "ward population on 2025 wards.csv", "deprivation IMD 2019 File 1.csv",
    "practices 2026-06.csv", "list sizes 2026-06.csv", "registered patients by LSOA 2026-06.csv",
    "PCN workforce 2026-05 corrected.csv", "scheme areas.csv", "scheme areas Thanet.csv",
    "referrals Kent from 2024-07.csv", "local targets Kent.csv",
)  # fmt: skip
Rows = list[dict[str, str]]


def rewritten(source: Source, name: str, change: Callable[[Rows], Rows]) -> Source:
    """A CSV file of the demonstration with other rows, under another name."""
    head, *lines = source.raw.decode().splitlines()
    columns = head.split(",")
    rows = change([dict(zip(columns, line.split(","), strict=True)) for line in lines])
    text = "\n".join([head, *(",".join(row[column] for column in columns) for row in rows)])
    return Source(name, f"{text}\n".encode())


def told_of(number: str, **said: str) -> Callable[[Rows], Rows]:
    """Says something else of one service."""
    return lambda rows: [row | said if row["service_id"] == number else row for row in rows]


def both(*changes: Callable[[Rows], Rows]) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        for each in changes:
            rows = each(rows)
        return rows

    return change


# A year confirmed and half a year from the end of its money on 10 July.
FIRST_SERVICES = both(
    told_of("DS015", confirmed_on="2025-07-10"), told_of("DS014", funding_ends="2027-01-10")
)
SECOND_SERVICES = both(
    FIRST_SERVICES,
    told_of("DS025", state="full", places_filled="12"),
    told_of("DS027", state="has capacity", places_filled="10", waiting="0"),
)


def march_of_swale(rows: Rows) -> Rows:
    """The same without 13 of the 93 of UDK026 in March 2026."""
    march = [
        row for row in rows if row["pcn_code"] == "UDK026" and row["received"].startswith("2026-03")
    ]
    assert len(march) == 93
    gone = {row["reference"] for row in march[:13]}
    return [row for row in rows if row["reference"] not in gone]


def one_ward_of_thanet(rows: Rows) -> Rows:
    """One ward is served that was not, and the two that were are not."""
    assert {row["serves"] for row in rows} == {"E05DM0234", "E05DM0238"}
    return [rows[0] | {"serves": "E05DM0232"}]


def dover_east_has_a_little_less(rows: Rows) -> Rows:
    """0.05 FTE less of the one link worker of UDK011."""
    changed = []
    for row in rows:
        mine = row["PCN_CODE"] == "UDK011" and "Social Prescribing" in row["DETAILED_STAFF_ROLE"]
        changed.append(row | {"FTE": "0.95"} if mine else row)
    assert sum(a != b for a, b in zip(rows, changed, strict=True)) == 1
    return changed


@pytest.fixture(scope="module")
def kent_made(upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = Path(shutil.copy(upgraded_file, tmp_path_factory.mktemp("kent") / "kent.db"))
    files = {source.name.removeprefix("demonstration "): source for source in demonstration.files()}
    services, referred = files["services.csv"], files["referrals Kent from 2025-07.csv"]
    to_may = rewritten(
        referred,
        "referrals to May.csv",
        lambda rows: [r for r in rows if r["received"] < "2026-06"],
    )
    first = [
        *(files[name] for name in STANDING),
        rewritten(services, "services.csv", FIRST_SERVICES),
        to_may,
    ]
    second = [
        rewritten(files["scheme areas Thanet.csv"], "Thanet.csv", one_ward_of_thanet),
        rewritten(services, "services again.csv", SECOND_SERVICES),
        rewritten(referred, "referrals to June.csv", march_of_swale),
        rewritten(files["PCN workforce 2026-06.csv"], "June.csv", dover_east_has_a_little_less),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{path.as_posix()}")
        settings.cache_clear()
        engine = data.engine()
        for source in first:
            intake.take_in(engine, source, KEY)
        since = meet(engine, BEFORE, board=KENT)
        for source in second:
            intake.take_in(engine, source, KEY)
        engine.dispose()
    settings.cache_clear()
    return path, since


# What was planted, and what the simulated June brings of itself: four wards whose take-up moved far
# (of others it is held back), one network's 35 new referrals after some 26 a month.
KENT_TOLD = [
    ("Provision lost", "Thanet, 2 wards: Thanet central 1, Thanet central 3",
     "High take-up, now No provision. 10,879 adults live there."),
    ("Provision gained", "Thanet: Thanet north-east 2",
     "No provision, now Low take-up. 7,817 adults live there."),
    ("Target or plan met", "Thanet East PCN",
     "2.0 of 2.5 FTE, now 2.5 of 2.5 FTE. 51,781 people on its list."),
    ("Take-up changed", "Sevenoaks: Sevenoaks north-east 2",
     "High take-up, now As expected. 5,062 adults live there."),
    ("More than chance", "New referrals, Folkestone and Hythe North East PCN",
     "35 in June 2026, above the mean (26): outside the limits."),
    ("Take-up changed", "Ashford: Ashford central 5",
     "As expected, now High take-up. 3,665 adults live there."),
    ("Take-up changed", "Dartford: Dartford east 1",
     "High take-up, now As expected. 2,765 adults live there."),
    ("Take-up changed", "Sevenoaks: Sevenoaks north 2",
     "Low take-up, now As expected. 2,608 adults live there."),
    ("Has room again", "Walking group Thanet (Steady Steps Activity)",
     "was full, now room. 23 places."),
    ("Gone stale", "Befriending Maidstone (Lamp Post Befriending)",
     "6 to 12 months, now over 12 months. 21 places."),
    ("Funding ends within 6 months", "Community garden Maidstone (Old Orchard Growers)",
     "ends on 10 January 2027. 21 places."),
    ("Full", "Arts on prescription Thanet (Bright Thread Arts)", "had room, now full. 12 places."),
    ("Figure corrected", "Swale South West PCN",
     "New referrals, Mar 2026 was 95, now 80: file referrals to June.csv."),
    ("Return arrived", "Referrals, local return, Jun 2026: not due yet, now received. 1,563,788 "
     "people on their lists."),
    ("Return arrived", "Workforce, published, Jun 2026: not due yet, now received. 1,531,085 "
     "people on their lists."),
]  # fmt: skip
SMALL_MOVE, HIDDEN, ON = (
    "smoothed take-up moved by less than 10 in 100",
    "the number is hidden",
    "the same was there before, and goes on",
)
KENT_HELD_BACK = [
    ("Below target or plan", "Dover East PCN", "moved by less than 0.1 FTE"),
    ("More than chance", "New referrals, Dover East PCN", ON),
    ("More than chance", "New referrals, Kent and Medway", ON),
    ("More than chance", "New referrals, Tunbridge Wells West 2 PCN", ON),
    ("More than chance", "Open referrals, Kent and Medway", ON),
    ("Take-up changed", "Ashford: Ashford central 22", HIDDEN),
    ("Take-up changed", "Ashford: Ashford central 23", HIDDEN),
    ("Take-up changed", "Canterbury: Canterbury east", SMALL_MOVE),
    ("Take-up changed", "Dartford: Dartford east 2", HIDDEN),
    ("Take-up changed", "Dartford: Dartford west 3", SMALL_MOVE),
    ("Take-up changed", "Dover, 2 wards: Dover north 2, Dover north-east 4", SMALL_MOVE),
    ("Take-up changed", "Sevenoaks: Sevenoaks north 1", SMALL_MOVE),
    ("Take-up changed", "Tonbridge and Malling: Tonbridge and Malling north", HIDDEN),
]


@pytest.mark.slow  # loads half the demonstration
def test_the_demonstrations_own_returns_a_week_apart(
    kent_made: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, settings_as_shipped: None
) -> None:
    path, since = kent_made
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{path.as_posix()}")
    settings.cache_clear()
    kent = Choices(KENT, "Kent and Medway", "", "", "", "", NOW, 24)
    found = changed(data.engine(), since, kent)
    data.engine().dispose()
    told = [(item.title, item.subject, item.words) for item in items(found, kent)]
    # 37 of 38 networks sent each return: their names are too many to be read.
    assert all(row[1].startswith("37 networks: ") for row in told[-2:])
    assert [*told[:-2], *((title, words) for title, _, words in told[-2:])] == KENT_TOLD
    rows = held_back_table(found)[1]
    assert sorted((row[0], row[1], row[4]) for row in rows) == KENT_HELD_BACK
    assert {urlsplit(item.address).path for item in items(found, kent)} == {
        "/coverage", "/workforce", "/take-up", "/providers", "/data"
    }  # fmt: skip
    assert take_up_moved(found) == {
        name for c in found.told if c.kind is Kind.TAKE_UP for name in c.names
    }


def take_up_moved(found: ThisWeek) -> set[str]:
    """A second way: wards judged by their take-up at both times, otherwise, and by 10 or more."""
    sort = ["Not reached", "Low take-up", "As expected", "High take-up"]
    then, now = (
        {row.ward_code: row for row in each.tables["wards"].itertuples()}
        for each in (found.before, found.now)
    )
    return {
        row.ward_name
        for code, row in now.items()
        if row.status != then[code].status
        and {row.status, then[code].status} <= set(sort)
        and abs(row.smoothed - then[code].smoothed) >= 10
    }
