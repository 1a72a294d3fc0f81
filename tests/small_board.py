"""A board small enough to add up by hand: six wards, three PCNs, one neighbour.

Everything is judged at AS_AT, 30 June 2026. Figures without a change to the knobs:

    registered patients (rows: where they live; columns: whose list)
                       North   South   East   no PCN    in the ward
      Abbey    L01     1,000       .      .        .
               L02     1,000       .      .        .          2,000
      Brook    L03     1,500       .      .      500
               L04       500       .      .        .          2,500
      Castle   L05     1,000   1,000      .        .          2,000
      Dale     L06     1,000       .      .        .
               L07         .   1,000      .        .          2,000
      Elm      L08         .   1,000      .        .
               L09         .   1,000      .        .          2,000
      Ford     L10         .       .  2,000        .          2,000
      Gorse    L11     2,000       .      .        .          2,000  (of the neighbour board)
      list             8,000   4,000  2,000      500

    link workers: North 2.0 FTE own staff (2 people) + 2.0 contracted = 4.0; South returned
    3 staff, no link worker: 0; East did not return.
      share of North's list, and with it of its 4.0 FTE:
        Abbey 1/4 -> 1.0, Brook 1/4 -> 1.0, Castle 1/8 -> 0.5, Dale 1/8 -> 0.5,
        Gorse 1/4 -> 1.0 (of the neighbour: in no ward of this board)
      Elm 0 of South's 0 -> 0.0; Ford unknown
      over the population, per 10,000: Abbey 1.0/5,000 -> 2.0, Brook 1.0/10,000 -> 1.0,
        Castle 0.5/5,000 -> 1.0, Dale 0.5/2,500 -> 2.0, Elm 0.0, Ford unknown

    population: Abbey 5,000, Brook 10,000, Castle 5,000, Dale 2,500, Elm 2,500 = 25,000;
    Ford's stands under an older code. Four in five are adults.

    referrals, July 2025 to June 2026: Abbey 40, Brook 40 (North's), Castle 17, Dale 3
    (South's), Elm 0 = 100; Ford unknown, since East sends no return. One before the window,
    in June 2025 (Brook), does not count.
      expected from the population alone: 100 / 25,000 = 0.004 a person:
        Abbey 20, Brook 40, Castle 20, Dale 10, Elm 10 = 100
      expected by age and fifth (Abbey and Brook are both in fifth 1; North's referrals):
                      Abbey people  Brook people   sum   referrals   rate     Abbey   Brook
        18-39                1,000         4,000  5,000     4+6=10   0.0020     2.0     8.0
        40-64                1,000         2,000  3,000     8+7=15   0.0050     5.0    10.0
        65-79                1,000         1,000  2,000   10+10=20   0.0100    10.0    10.0
        80+                  1,000         1,000  2,000   18+17=35   0.0175    17.5    17.5
                                                               80              34.5    45.5

    deprivation, ranks of 33,755 (a fifth is 6,751), weighted by registered patients:
      Abbey (1,000 + 3,000)/2 = 2,000; Brook (2,000 x 5,000 + 500 x 10,000)/2,500 = 6,000
      (7,500, another fifth, if unweighted); Castle 16,000; Dale 22,000; Elm 31,000; Ford none

    referrals by PCN: North 40 + 40 = 80 in the window, South 17 + 3 = 20 (both multiples of 5);
    the first of each ward, and the one before the window, ended in the month after they came:
      North: June 1, July 2, June 78 began; July 1, August 2 ended -> 78 open (shown as 80)
      South: July 2, June 18 began; August 2 ended -> 18 open (shown as 20)

    posts: North P1 filled (1.0), P2 vacant for 121 days, since 1 March (1.0, filled before, from
      April 2025), P3 recruiting for 29 days, since 1 June (0.5), P4 filled without a funded FTE
      or a date, P5 ended on 31 January, P6 begins on 1 July: 4 posts, 2.5 FTE funded, 2 vacant
      with 1.5 FTE. South has one post, ended: 0 posts. East returned none.
    targets: North 2.0 to March 2026, then 5.0 to 30 June 2026 -> 1.0 short; South's of 1.5 ended
      on 31 May. Plans: North 3.0 in June and 5.0 in July; South 1.0 in June -> 1.0 short.
    personal health budgets: 30 in March; 40 in June, and a group that is hidden in the return.

    services: the garden (Abbey; also in the directory; newest week 12 offered, 9 filled, 9 waiting)
      with a place in Abbey; the choir (all of Northam: Abbey, Brook, Castle; 8 of 8, 12 waiting);
      the helpline (online, for Southam: Dale, Elm, Ford); the old list (Elm, stale).
    places within reach, by bus in 30 minutes (1 up to 10, 0.68 up to 20): 12 places over Abbey's
      5,000 x 1 and Brook's 10,000 x 0.68 = 11,800 people: Abbey 1.0169 per 1,000, Brook 0.6915.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import pandas as pd
import pyproj
import shapely
from sqlalchemy import Engine

from queries.load import CleanLoad, LoadRecord, save

BOARD, NEIGHBOUR = "QZ1", "QZ2"
AS_AT = date(2026, 6, 30)
NORTHAM, SOUTHAM, EASTHAM = "E07000901", "E07000902", "E07000903"
ABBEY, BROOK, CASTLE, DALE, ELM, FORD, GORSE = (f"E0590000{n}" for n in range(1, 8))
NORTH, SOUTH, EAST, GORSE_PCN = "U90001", "U90002", "U90003", "U90009"
FORD_BEFORE = "E05800006"
OUTSIDER_ICB = "QZ9"  # a board that is nowhere in the data

WARDS = {
    ABBEY: ("Abbey", NORTHAM),
    BROOK: ("Brook", NORTHAM),
    CASTLE: ("Castle", NORTHAM),
    DALE: ("Dale", SOUTHAM),
    ELM: ("Elm", SOUTHAM),
    FORD: ("Ford", SOUTHAM),
    GORSE: ("Gorse", EASTHAM),
}
LADS = {NORTHAM: "Northam", SOUTHAM: "Southam", EASTHAM: "Eastham"}
PCNS = {NORTH: "North PCN", SOUTH: "South PCN", EAST: "East PCN", GORSE_PCN: "Gorse PCN"}
BOARD_WARDS = (ABBEY, BROOK, CASTLE, DALE, ELM, FORD)
LSOAS = {
    f"E010000{n:02}": ward
    for n, ward in enumerate(
        (ABBEY, ABBEY, BROOK, BROOK, CASTLE, DALE, DALE, ELM, ELM, FORD, GORSE), start=1
    )
}
PRACTICE_OF = {NORTH: "Y90001", SOUTH: "Y90002", EAST: "Y90003", "U": "Y90009"}
# (list of, LSOA number): patients
PATIENTS = {
    (NORTH, 1): 1000, (NORTH, 2): 1000, (NORTH, 3): 1500, (NORTH, 4): 500, (NORTH, 5): 1000,
    (NORTH, 6): 1000, (NORTH, 11): 2000,
    (SOUTH, 5): 1000, (SOUTH, 7): 1000, (SOUTH, 8): 1000, (SOUTH, 9): 1000,
    (EAST, 10): 2000,
    ("U", 3): 500,
}  # fmt: skip
LISTS = {NORTH: 8000, SOUTH: 4000, EAST: 2000, "U": 500}
POPULATION = {
    ABBEY: (1000, 1000, 1000, 1000, 1000),
    BROOK: (2000, 4000, 2000, 1000, 1000),
    CASTLE: (1000, 1000, 1000, 1000, 1000),
    DALE: (500, 500, 500, 500, 500),
    ELM: (500, 500, 500, 500, 500),
    FORD_BEFORE: (600, 600, 600, 600, 600),
    GORSE: (800, 800, 800, 800, 800),
}
BANDS = ("0-17", "18-39", "40-64", "65-79", "80+")
RANKS = {1: 1000, 2: 3000, 3: 5000, 4: 10000, 5: 16000, 6: 21000, 7: 23000, 8: 30000, 9: 32000}


@dataclass(frozen=True)
class Referrals:
    """Referrals of one ward from one PCN in the 12 months, by adult age band."""

    ward_code: str | None
    pcn_code: str | None
    by_age: tuple[int, int, int, int]

    @property
    def total(self) -> int:
        return sum(self.by_age)


REFERRALS = (
    Referrals(ABBEY, NORTH, (4, 8, 10, 18)),  # 40
    Referrals(BROOK, NORTH, (6, 7, 10, 17)),  # 40
    Referrals(CASTLE, SOUTH, (5, 4, 4, 4)),  # 17, shown as 15
    Referrals(DALE, SOUTH, (0, 1, 1, 1)),  # 3, hidden
)


@dataclass(frozen=True)
class Service:
    """One service, the areas it serves, and the wards in whose middle it has a place."""

    service_id: str
    areas: tuple[str, ...]
    confirmed_on: date | None = date(2026, 5, 1)
    is_online: bool = False
    state: str | None = "has capacity"
    opens_on: date | None = None
    closes_on: date | None = None
    funding_ends: date | None = None
    provider: str = "Together CIC"
    theme: str = "loneliness"
    also_for: tuple[str, ...] = ()
    lies_in: tuple[str, ...] = ()
    postcode: str | None = None
    offered: int | None = None
    filled: int | None = None
    waiting: int | None = None
    wait_days: int | None = None
    cost: str | None = None
    safeguarding: bool | None = None
    funder: str | None = None
    cost_per_place: float | None = None
    minimum_age: float | None = None
    maximum_age: float | None = None
    sector: str | None = None
    access: str | None = None
    name: str = ""


GARDEN = Service("garden", (ABBEY,), lies_in=(ABBEY,), offered=10, filled=4, waiting=0,
    cost="free", safeguarding=True, funder="Council", cost_per_place=20.0, sector="VCSE")  # fmt: skip
CHOIR = Service("choir", (NORTHAM,), state="full", funding_ends=date(2026, 9, 30), offered=8,
    filled=8, waiting=12, safeguarding=False, cost_per_place=10.0, sector="VCSE")  # fmt: skip
HELPLINE = Service("helpline", (SOUTHAM,), is_online=True)
OLD_LIST = Service("old list", (ELM,), confirmed_on=date(2025, 6, 29))  # 12 months and a day
SERVICES = (GARDEN, CHOIR, HELPLINE, OLD_LIST)


@dataclass(frozen=True)
class Week:
    """What one service returned for one week."""

    service_id: str
    week: date
    offered: int | None = None
    filled: int | None = None
    waiting: int | None = None
    state: str | None = None
    provider: str = "Together CIC"


WEEKS = (Week("garden", date(2026, 6, 15), 10, 5, 2), Week("garden", date(2026, 6, 22), 12, 9, 9))
# The directory lists the garden under the same id: the two are one service.
DIRECTORY = (Service("garden", (ABBEY,), provider="Together", name="The garden", state=None),)
# Minutes by bus; Castle is too far from Abbey, where the garden is.
TIMES = {(ABBEY, ABBEY): 5.0, (BROOK, ABBEY): 15.0, (CASTLE, ABBEY): 40.0}
# (ward, theme): people referred, and closed for lack of a service, in June 2026.
NEEDS = {
    (ABBEY, "loneliness"): (20, 0), (ABBEY, "money and debt"): (12, 8), (ABBEY, None): (10, 0),
    (BROOK, "loneliness"): (30, 0), (CASTLE, "housing"): (11, 11), (DALE, "loneliness"): (3, 1),
}  # fmt: skip


@dataclass(frozen=True)
class Scheme:
    """One row of a scheme-area return."""

    scheme: str
    speaks_for: str
    serves: str | None
    valid_from: date | None = None
    valid_until: date | None = None


# Northam's return names two of its three wards; nobody returned for Southam.
SCHEMES = (Scheme("Links", NORTHAM, ABBEY), Scheme("Links", NORTHAM, BROOK))


@dataclass(frozen=True)
class Post:
    """One spell of one post."""

    post_id: str
    pcn_code: str
    status: str
    funded_fte: float | None = None
    since: date | None = None
    until: date | None = None


POSTS = (
    Post("P1", NORTH, "filled", 1.0, date(2026, 1, 1)),
    Post("P2", NORTH, "filled", 1.0, date(2025, 4, 1), date(2026, 2, 28)),
    Post("P2", NORTH, "vacant", 1.0, date(2026, 3, 1)),
    Post("P3", NORTH, "recruiting", 0.5, date(2026, 6, 1)),
    Post("P4", NORTH, "filled"),
    Post("P5", NORTH, "filled", 1.0, None, date(2026, 1, 31)),
    Post("P5", NORTH, "ended", 1.0, date(2026, 2, 1)),
    Post("P6", NORTH, "vacant", 2.0, date(2026, 7, 1)),
    Post("P7", SOUTH, "ended", 1.0, date(2026, 4, 1)),
)
# PCN, FTE, first and last day.
TARGETS: tuple[tuple[str, float, date, date | None], ...] = (
    (NORTH, 2.0, date(2025, 4, 1), date(2026, 3, 31)),
    (NORTH, 5.0, date(2026, 4, 1), AS_AT),
    (SOUTH, 1.5, date(2026, 1, 1), date(2026, 5, 31)),
)
# PCN, month, FTE.
PLANS = (
    (NORTH, date(2026, 6, 1), 3.0),
    (NORTH, date(2026, 7, 1), 5.0),
    (SOUTH, date(2026, 6, 1), 1.0),
)


@dataclass(frozen=True)
class Board:
    """What is loaded. Leave pieces out, or change them, with `replace`."""

    ages: bool = False
    populations: bool = True
    registered: bool = True
    practices: bool = True
    workforce: bool = True
    deprivation: bool = True
    schemes: tuple[Scheme, ...] = SCHEMES
    services: tuple[Service, ...] = SERVICES
    weeks: tuple[Week, ...] = WEEKS
    directory: tuple[Service, ...] = DIRECTORY
    # provider, id, the directory's id, whether they are the same
    matches: tuple[tuple[str, str, str, bool], ...] = (("Together CIC", "choir", "garden", False),)
    times: Mapping[tuple[str, str], float] = field(default_factory=lambda: TIMES)
    needs: Mapping[tuple[str, str | None], tuple[int, int]] = field(default_factory=lambda: NEEDS)
    referrals: tuple[Referrals, ...] = REFERRALS
    # Each PCN's first and newest month; those not named have the first entry's.
    months: Mapping[str | None, tuple[date, date]] = field(
        default_factory=lambda: {"": (date(2025, 7, 1), date(2026, 6, 1))}
    )
    before_window: int = 1
    ward_names: Mapping[str, str] = field(default_factory=dict)
    east_fte: float | None = None  # East returns after all
    # FTE of own staff by PCN, month after month to the last at AS_AT, `None` where it sent
    # nothing; instead of the two censuses. Each PCN has one person, the same throughout.
    monthly: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    posts: tuple[Post, ...] = POSTS
    targets: tuple[tuple[str, float, date, date | None], ...] = TARGETS
    plans: tuple[tuple[str, date, float], ...] = PLANS
    budgets: bool = True

    def but(self, **changes: Any) -> Board:
        return replace(self, **changes)

    def loads(self) -> list[CleanLoad]:
        """What few tests change comes first: it is copied, see `save`."""
        made = [self.boundaries(), lookup_of_wards(), lookup_of_boards()]
        made += [self.population()] if self.populations else []
        made += [ranks()] if self.deprivation else []
        made += [practices(), list_sizes()] if self.practices else []
        made += [registered()] if self.registered else []
        made += [travel_times(self.times)] if self.times else []
        made += [budgets()] if self.budgets else []
        made += [plans(self.plans)] if self.plans else []
        made += [targets(self.targets)] if self.targets else []
        made += [self.referral_return()] if self.referrals else []
        made += [scheme_areas(self.schemes)] if self.schemes else []
        made += self.censuses() if self.workforce else []
        made += [posts(self.posts)] if self.posts else []
        made += [services(self.services)] if self.services else []
        # What is told of the garden comes with it.
        if GARDEN in self.services:
            made += [capacity(self.weeks)] if self.weeks else []
            made += [directory(self.directory)] if self.directory else []
            made += [matches(self.matches)] if self.matches else []
        return made

    def save(self, engine: Engine, *, is_demonstration: bool = False) -> list[LoadRecord]:
        """Load all of it.

        Into an empty SQLite database what was loaded before is copied: this very board, or as much
        of its beginning as it shares with the board that has no knob changed. The same bytes, in a
        tenth of the time.
        """
        if engine.dialect.name != "sqlite" or not _is_empty(engine):
            return [save(engine, each, is_demonstration=is_demonstration) for each in self.loads()]
        with closing(engine.raw_connection()) as raw:
            here = raw.driver_connection
            assert isinstance(here, sqlite3.Connection)
            whole = (is_demonstration, repr(self))
            if whole in _SAVED:
                return _copied(whole, here)
            loads = self.loads()
            hashes = [each.sha256 for each in loads]
            records: list[LoadRecord] = []
            for upto in range(len(hashes), 0, -1):
                if (is_demonstration, *hashes[:upto]) in _SAVED:
                    records = _copied((is_demonstration, *hashes[:upto]), here)
                    break
            for load in loads[len(records) :]:
                records.append(save(engine, load, is_demonstration=is_demonstration))
                first = hashes[: len(records)]
                if first == _usual()[: len(records)]:
                    _keep((is_demonstration, *first), records, here)
            _keep(whole, records, here)
        return records

    def boundaries(self) -> CleanLoad:
        wards = pd.DataFrame(
            [
                (f"2025 {lad}", "ward", code, self.ward_names.get(code, name), 2025, lad)
                for code, (name, lad) in WARDS.items()
            ],
            columns=["part_key", "kind", "area_code", "area_name", "vintage", "parent_code"],
        )
        lads = pd.DataFrame(
            [(f"2025 {code}", "lad", code, name, 2025, None) for code, name in LADS.items()],
            columns=wards.columns,
        )
        shapes = pd.DataFrame(
            {
                "part_key": wards["part_key"],
                "ward_code": wards["area_code"],
                "geometry": [square(code).wkb for code in WARDS],
            }
        )
        keys = wards["part_key"].unique()
        rows = {"area": pd.concat([wards, lads]), "boundary": shapes}
        return made_of("ward_boundaries", keys, rows, vintage="2025 wards")

    def population(self) -> CleanLoad:
        lad_of = {code: lad for code, (_, lad) in WARDS.items()} | {FORD_BEFORE: SOUTHAM}
        rows = pd.DataFrame(
            [
                (f"2023 {lad_of[ward]}", ward, lad_of[ward], band, people)
                for ward, by_age in POPULATION.items()
                for band, people in (
                    ("all ages", sum(by_age)),
                    *(zip(BANDS, by_age, strict=True) if self.ages else ()),
                )
            ],
            columns=["part_key", "ward_code", "lad_code", "age_band", "people"],
        )
        return made_of(
            "ward_population",
            rows["part_key"].unique(),
            {"ward_population": rows},
            vintage="2023 wards",
        )

    def censuses(self) -> list[CleanLoad]:
        if self.monthly:
            return self.monthly_censuses()
        now = [
            (NORTH, False, 1.0, "person 1"),
            (NORTH, False, 1.0, "person 2"),
            (NORTH, True, 2.0, None),
        ]
        staff = {NORTH: 5, SOUTH: 3}
        if self.east_fte is not None:
            now.append((EAST, False, self.east_fte, "person 3"))
            staff[EAST] = 1
        return [
            census(date(2025, 11, 30), BOARD, {NORTH: 1}, [(NORTH, False, 1.0, "person 1")]),
            census(AS_AT, BOARD, staff, now),
            census(AS_AT, NEIGHBOUR, {GORSE_PCN: 1}, [(GORSE_PCN, False, 1.0, "person 9")]),
        ]

    def monthly_censuses(self) -> list[CleanLoad]:
        made = []
        for back in range(max(map(len, self.monthly.values()))):
            sent = {
                pcn: fte[-1 - back]
                for pcn, fte in self.monthly.items()
                if back < len(fte) and fte[-1 - back] is not None
            }
            workers = [(pcn, False, fte, f"person of {pcn}") for pcn, fte in sent.items() if fte]
            if sent:
                made.append(census(month_ends(back), BOARD, dict.fromkeys(sent, 1), workers))
        return made[::-1]

    def referral_return(self) -> CleanLoad:
        """Each PCN's first month has one referral of each ward, the newest has the rest."""
        facts: list[tuple[str | None, str | None, date, str, int]] = []
        for sent in self.referrals:
            default = next(iter(self.months.values()))
            first, newest = self.months.get(sent.pcn_code, default)
            left = 1
            for band, number in zip(BANDS[1:], sent.by_age, strict=True):
                early = min(left, number)
                left -= early
                facts.append((sent.ward_code, sent.pcn_code, first, band, early))
                facts.append((sent.ward_code, sent.pcn_code, newest, band, number - early))
        if self.before_window:
            facts.append((BROOK, NORTH, date(2025, 6, 1), "18-39", self.before_window))
        columns = ["ward_code", "pcn_code", "month", "age_band", "referrals"]
        rows = pd.DataFrame([fact for fact in facts if fact[-1]], columns=columns)
        is_newest = [
            month == self.months.get(pcn, next(iter(self.months.values())))[1]
            for pcn, month in zip(rows["pcn_code"], rows["month"], strict=True)
        ]
        following = [month_end(month) + timedelta(days=1) for month in rows["month"]]
        rows["ended_month"] = pd.Series(following, dtype=object).mask(is_newest, None)
        rows["part_key"] = [
            f"{month:%Y-%m} {pcn if isinstance(pcn, str) else 'no PCN'}"
            for month, pcn in zip(rows["month"], rows["pcn_code"], strict=True)
        ]
        parts = rows.drop_duplicates("part_key")
        needs = pd.DataFrame(
            [
                (ward, date(2026, 6, 1), theme, people, lost)
                for (ward, theme), (people, lost) in self.needs.items()
            ],
            columns=["ward_code", "month", "theme", "referrals", "without_service"],
        ).assign(part_key=parts["part_key"].iloc[-1])
        return made_of(
            "referrals",
            parts["part_key"],
            {
                "referral_need_fact": needs,
                "referral_fact": counted(rows, "ward_code", "pcn_code", "month"),
                "referral_age_fact": counted(rows, "ward_code", "month", "age_band"),
                "referral_episode_fact": counted(rows, "pcn_code", "month", "ended_month"),
            },
            starts=parts["month"],
            ends=parts["month"].map(month_end),
        )


# What was saved, and the database after it; named by the board, or by the hashes of its first loads.
_SAVED: dict[tuple[object, ...], tuple[list[LoadRecord], sqlite3.Connection]] = {}


@cache
def _usual() -> list[str]:
    return [each.sha256 for each in Board().loads()]


def _keep(name: tuple[object, ...], records: list[LoadRecord], here: sqlite3.Connection) -> None:
    _SAVED[name] = list(records), sqlite3.connect(":memory:")
    here.backup(_SAVED[name][1])


def _copied(name: tuple[object, ...], here: sqlite3.Connection) -> list[LoadRecord]:
    records, copy = _SAVED[name]
    copy.backup(here)
    return list(records)


def _is_empty(engine: Engine) -> bool:
    with engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM load").scalar() == 0


def counted(rows: pd.DataFrame, *key: str) -> pd.DataFrame:
    return rows.groupby(["part_key", *key], dropna=False)["referrals"].sum().reset_index()


def month_end(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def month_ends(back: int) -> date:
    """The last day of the month so many before AS_AT's."""
    day = AS_AT
    for _ in range(back):
        day = day.replace(day=1) - timedelta(days=1)
    return day


def square(ward_code: str) -> shapely.Polygon:
    """Wards lie in two rows of three, 0.02 degrees wide; the neighbour's east of the first."""
    place = list(WARDS).index(ward_code)
    column, row = (3, 0) if ward_code == GORSE else (place % 3, place // 3)
    west, south = 1.0 + 0.02 * column, 51.0 + 0.02 * row
    return shapely.box(west, south, west + 0.02, south + 0.02)


@cache
def lookup_of_wards() -> CleanLoad:
    rows = pd.DataFrame(
        [(f"2021 2024 {WARDS[w][1]}", lsoa, w, WARDS[w][1]) for lsoa, w in LSOAS.items()],
        columns=["part_key", "lsoa_code", "ward_code", "lad_code"],
    )
    return made_of("lsoa_ward", rows["part_key"].unique(), {"lsoa_ward": rows})


@cache
def lookup_of_boards() -> CleanLoad:
    rows = pd.DataFrame(
        [
            (
                f"2021 2024 {NEIGHBOUR if ward == GORSE else BOARD}",
                lsoa,
                "99Z",
                NEIGHBOUR if ward == GORSE else BOARD,
            )
            for lsoa, ward in LSOAS.items()
        ],
        columns=["part_key", "lsoa_code", "sub_icb_code", "icb_code"],
    )
    names = pd.DataFrame(
        [
            (f"2021 2024 {BOARD}", "icb", BOARD, "Small board"),
            (f"2021 2024 {NEIGHBOUR}", "icb", NEIGHBOUR, "Neighbour board"),
        ],
        columns=["part_key", "kind", "area_code", "area_name"],
    )
    return made_of("lsoa_icb", rows["part_key"].unique(), {"lsoa_icb": rows, "area": names})


@cache
def ranks() -> CleanLoad:
    lsoas = list(LSOAS)
    rows = pd.DataFrame(
        [("2025 all", lsoas[n - 1], rank, 1 + rank * 10 // 33_755) for n, rank in RANKS.items()],
        columns=["part_key", "lsoa_code", "imd_rank", "imd_decile"],
    )
    return made_of("deprivation", ["2025 all"], {"deprivation": rows})


@cache
def practices(extracted: date = date(2026, 6, 1), **moved: str) -> CleanLoad:
    """Each practice stands in the middle of a ward; `moved` puts a practice in another PCN."""
    to_metres = pyproj.Transformer.from_crs(4326, 27700, always_xy=True)
    stands_in = {NORTH: ABBEY, SOUTH: ELM, EAST: FORD, "U": BROOK}
    rows = []
    for pcn, practice in PRACTICE_OF.items():
        middle = square(stands_in[pcn]).centroid
        place = to_metres.transform(middle.x, middle.y)
        rows.append((practice, moved.get(practice, pcn), "99Z", BOARD, *place))
    columns = ["practice_code", "pcn_code", "sub_icb_code", "icb_code", "easting", "northing"]
    frame = pd.DataFrame(rows, columns=columns).assign(part_key=f"{extracted}")
    names = pd.DataFrame(
        [(f"{extracted}", "pcn", code, name) for code, name in PCNS.items() if code != GORSE_PCN],
        columns=["part_key", "kind", "area_code", "area_name"],
    )
    return made_of(
        "practices",
        [f"{extracted}"],
        {"practice": frame, "area": names},
        starts=[extracted],
        ends=[extracted],
    )


@cache
def list_sizes(extracted: date = date(2026, 6, 1), times: int = 1) -> CleanLoad:
    rows = pd.DataFrame(
        [
            (f"{extracted}", PRACTICE_OF[pcn], "all ages", times * patients)
            for pcn, patients in LISTS.items()
        ],
        columns=["part_key", "practice_code", "age_band", "patients"],
    )
    key = [f"{extracted}"]
    return made_of("list_sizes", key, {"list_size": rows}, starts=[extracted], ends=[extracted])


@cache
def registered(extracted: date = date(2026, 6, 1), times: int = 1) -> CleanLoad:
    lsoas = list(LSOAS)
    rows = pd.DataFrame(
        [
            (f"{extracted}", PRACTICE_OF[pcn], lsoas[n - 1], times * patients)
            for (pcn, n), patients in PATIENTS.items()
        ],
        columns=["part_key", "practice_code", "lsoa_code", "patients"],
    )
    key = [f"{extracted}"]
    return made_of(
        "registered_patients",
        key,
        {"registered_patients": rows},
        starts=[extracted],
        ends=[extracted],
    )


def census(
    day: date,
    icb_code: str,
    staff: Mapping[str, int],
    workers: Iterable[tuple[str, bool, float, str | None]],
) -> CleanLoad:
    """A workforce file: rows of staff by PCN, and its link workers (PCN, contracted, FTE, who)."""
    key = f"{day:%Y-%m} {icb_code}"
    returns = pd.DataFrame(
        [(key, pcn, icb_code, rows) for pcn, rows in staff.items()],
        columns=["part_key", "pcn_code", "icb_code", "staff_rows"],
    )
    people = pd.DataFrame(
        [(key, pcn, icb_code, bought, "worker", fte, who) for pcn, bought, fte, who in workers],
        columns=[
            "part_key", "pcn_code", "icb_code", "is_contracted", "role_title", "fte", "person_id",
        ],
    )  # fmt: skip
    rows = {"workforce_return": returns, "link_worker": people}
    return made_of("workforce", [key], rows, starts=[day], ends=[day])


def scheme_areas(rows: Iterable[Scheme]) -> CleanLoad:
    frame = pd.DataFrame(
        [
            (r.speaks_for, r.scheme, "Links CIC", "consortium", r.speaks_for, r.serves,
             r.valid_from, r.valid_until)
            for r in rows
        ],
        columns=[
            "part_key", "scheme", "organisation", "delivery_model", "speaks_for_code",
            "served_code", "valid_from", "valid_until",
        ],
    )  # fmt: skip
    return made_of("scheme_areas", frame["part_key"].unique(), {"scheme_area": frame})


def services(rows: Iterable[Service]) -> CleanLoad:
    """A return of services: a part is a provider."""
    return _services("services", [(row.provider, row) for row in rows])


def directory(rows: Iterable[Service], *closed: str) -> CleanLoad:
    """A feed of a directory, without needs and capacity: a part is a service. `closed` are ids that
    the feed before had."""
    made = _services("directory", [(row.service_id, row) for row in rows])
    rows_of = {name: frame for name, frame in made.rows.items() if name != "service_theme"}
    if not closed:
        return made_of("directory", made.parts["part_key"], rows_of)
    gone = pd.DataFrame({"service_id": list(closed), "closed_on": date(2026, 6, 20)})
    rows_of["service_closure"] = gone.assign(part_key="closed")
    return made_of("directory", [*made.parts["part_key"], "closed"], rows_of)


def _services(dataset: str, rows: list[tuple[str, Service]]) -> CleanLoad:
    frame = pd.DataFrame(
        [
            (part, r.service_id, r.name or r.service_id.title(), r.provider, r.is_online, r.state,
             r.offered, r.filled, r.waiting, r.wait_days, r.cost, r.safeguarding, r.confirmed_on,
             r.opens_on, r.closes_on, r.funder, r.funding_ends, r.cost_per_place, r.minimum_age,
             r.maximum_age, r.sector, r.access)
            for part, r in rows
        ],
        columns=[
            "part_key", "service_id", "service_name", "provider", "is_online", "state",
            "places_offered", "places_filled", "people_waiting", "wait_days", "cost_to_person",
            "has_safeguarding", "confirmed_on", "opens_on", "closes_on", "funder", "funding_ends",
            "cost_per_place", "minimum_age", "maximum_age", "sector", "access",
        ],
    ).astype(WHOLE | {"has_safeguarding": "boolean"})  # fmt: skip
    areas = pd.DataFrame(
        [(part, r.service_id, area) for part, r in rows for area in r.areas],
        columns=["part_key", "service_id", "area_code"],
    )
    themes = pd.DataFrame(
        [(part, r.service_id, theme) for part, r in rows for theme in (r.theme, *r.also_for)],
        columns=["part_key", "service_id", "theme"],
    )
    sites = pd.DataFrame(
        [
            (part, r.service_id, square(ward).centroid.y, square(ward).centroid.x, r.postcode,
             "postcode" if r.postcode else "point")
            for part, r in rows
            for ward in r.lies_in
        ],
        columns=["part_key", "service_id", "latitude", "longitude", "postcode", "placed_by"],
    )  # fmt: skip
    return made_of(
        dataset,
        frame["part_key"].unique(),
        {
            "service": frame,
            "service_area": areas,
            "service_theme": themes,
            "service_place": sites,
        },
    )


WHOLE = dict.fromkeys(("places_offered", "places_filled", "people_waiting", "wait_days"), "Int64")


def capacity(rows: Iterable[Week]) -> CleanLoad:
    frame = pd.DataFrame(
        [
            (f"{r.week} {r.provider}", r.provider, r.service_id, r.week, r.state, r.offered,
             r.filled, r.waiting, None)
            for r in rows
        ],
        columns=["part_key", "provider", "service_id", "week", "state", *WHOLE],
    ).astype(WHOLE)  # fmt: skip
    parts = frame.drop_duplicates("part_key")
    return made_of(
        "capacity",
        parts["part_key"],
        {"service_capacity": frame},
        starts=parts["week"],
        ends=[week + timedelta(days=6) for week in parts["week"]],
    )


def matches(rows: Iterable[tuple[str, str, str, bool]]) -> CleanLoad:
    columns = ["provider", "service_id", "other_service_id", "is_same"]
    frame = pd.DataFrame(list(rows), columns=columns)
    frame["part_key"] = frame["provider"] + " " + frame["service_id"]
    return made_of("service_matches", frame["part_key"].unique(), {"service_match": frame})


def travel_times(times: Mapping[tuple[str, str], float]) -> CleanLoad:
    frame = pd.DataFrame(
        [(f"bus {start}", "bus", start, end, minutes) for (start, end), minutes in times.items()],
        columns=["part_key", "mode", "from_ward_code", "to_ward_code", "minutes"],
    )
    return made_of("travel_times", frame["part_key"].unique(), {"travel_time": frame})


def posts(rows: Iterable[Post]) -> CleanLoad:
    frame = pd.DataFrame(
        [
            (r.pcn_code, r.post_id, r.pcn_code, r.funded_fte, r.status, r.since, r.until)
            for r in rows
        ],
        columns=["part_key", "post_id", "pcn_code", "funded_fte", "status", "since", "until"],
    )
    return made_of("posts", frame["part_key"].unique(), {"post": frame})


def targets(rows: Iterable[tuple[str, float, date, date | None]]) -> CleanLoad:
    columns = ["pcn_code", "target_fte", "valid_from", "valid_until"]
    frame = pd.DataFrame(list(rows), columns=columns)
    frame = frame.assign(part_key=frame["pcn_code"], reason="agreed")
    return made_of("targets", frame["part_key"].unique(), {"local_target": frame})


def plans(rows: Iterable[tuple[str, date, float]]) -> CleanLoad:
    """Months of one financial year."""
    frame = pd.DataFrame(list(rows), columns=["pcn_code", "month", "planned_fte"])
    frame["part_key"] = "2026-27 " + frame["pcn_code"]
    parts = frame.groupby("part_key")["month"]
    return made_of(
        "recruitment_plan",
        list(parts.groups),
        {"recruitment_plan": frame},
        starts=parts.min(),
        ends=parts.max().map(month_end),
    )


@cache
def budgets() -> CleanLoad:
    rows = [
        (date(2026, 3, 31), "mental health", 30),
        (AS_AT, "mental health", 40),
        (AS_AT, "wheelchair", None),
    ]
    frame = pd.DataFrame(rows, columns=["period_end", "entitlement", "in_place"])
    frame = frame.astype({"in_place": "Int64"}).assign(icb_code=BOARD)
    frame["part_key"] = [f"{day} {BOARD}" for day in frame["period_end"]]
    days = sorted(frame["period_end"].unique())
    return made_of(
        "personal_health_budgets",
        [f"{day} {BOARD}" for day in days],
        {"personal_health_budget": frame},
        starts=days,
        ends=days,
    )


def made_of(
    dataset: str,
    keys: Iterable[str],
    rows: Mapping[str, pd.DataFrame],
    *,
    starts: Iterable[date] | None = None,
    ends: Iterable[date] | None = None,
    vintage: str | None = None,
) -> CleanLoad:
    """A load whose hash is that of its rows, as a file's is that of its bytes."""
    parts = pd.DataFrame({"part_key": list(keys)})
    parts["period_start"] = None if starts is None else list(starts)
    parts["period_end"] = None if ends is None else list(ends)
    written = "".join(frame.to_csv() for frame in (parts, *rows.values()))
    return CleanLoad(
        dataset=dataset,
        file_name=f"{dataset}.csv",
        sha256=hashlib.sha256(written.encode()).hexdigest(),
        rows_read=sum(len(frame) for frame in rows.values()),
        parts=parts,
        rows=rows,
        vintage=vintage,
    )
