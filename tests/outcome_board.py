"""Referrals, scores and attendances on the small board, few enough to add up by hand.

The places, practices and workforce of `tests.small_board`, with ages; files of referrals, outcomes,
contacts with the GP and appointments read through the real intake. North told of July 2024 to June
2026, South of July 2025 to June 2026, East never. Judged at its AS_AT, 30 June 2026.

Ranks are other than the small board's, so that each fifth has one ward: Abbey 2,000 -> 1; Brook
(2,000 x 8,000 + 500 x 11,000)/2,500 = 8,600 -> 2; Castle 16,000 -> 3; Dale 22,000 -> 4; Elm
31,000 -> 5; Ford none. Adults 4,000, 8,000, 4,000, 2,000, 2,000.

Days are since the referral; a bracket is how it ended. All but one group are of the 12 months:

              network ward   received people accepted contact plan connected attended end
    fast      North   Abbey  1 July       60        1       5   10        20       30  60 (completed)
    slow      North   Abbey  1 Oct        40        3      15   20        40       50  90 (completed)
    unanswered North  Brook  1 Jan        30        3      25    .         .        .  40 (not reached)
    declining North   Brook  1 Apr        30        3       .    .         .        .  10 (declined)
    waiting   North   Brook  10 June      20        5       .    .         .        .  open
    no place  North   Abbey  1 Apr        10        .       .    .         .        .   7 (no service)
    from afar North   Gorse  1 Apr        10        .       .    .         .        .   7 (no service)
    carers    South   Castle 1 July       50        2       8    .        20       25  70 (completed)
    turned    South   Castle 1 July        5        2       8    .         .        .  30 (no service)
    moving    South   Dale   1 Nov        30        2      20    .         .        .  30 (moved)
    new       South   Elm    1 June       12        4       .    .         .        .  open
    unwilling South   Elm    1 Apr         3        .       .    .         .        .   2 (declined)
    nameless  none    Abbey  1 June       15        2       9    .         .        .  25 (needs met)
    year before North Brook  July 2024    25        2       7    .        20       30  60 (completed)

                referrals accepted contacted planned connected attended completed  declined
    North             200      180       130     100       100      100       100        30
      open                       0        20       0         0        0         0
    South             100       97        85       .        50       50        50         3, hidden
      open                       0        12       .         0        0         0
    board             300  277/275       215     150       150      150       150     33/35
      open                       0     32/30       0         0        0         0
    Northam is North; Southam is South, as East is silent. South never dates a plan; the 50 who went
    on without one count as planned in the sum. Numbers after a stroke are those shown.
    Of the people of no network only figures by ward and by fifth know, and those from Gorse are in
    no ward of this board: Abbey 60 + 40 + 10 + 15 = 125, Brook 80, Castle 55, Dale 30, Elm 15.

                source   reasons               age    sex     ethnicity
    fast        GP       loneliness            40-64  female  White
    slow        GP       loneliness, housing   65-79  male    White
    unanswered  self     money                 18-39  female  Asian
    declining   self     money                 18-39  male    Asian
    waiting     nurse    none said             40-64  male    Black
    no place    hospital housing               80+    female  White   (from afar the same)
    carers      GP       carers                65-79  female  White
    turned      GP       carers, money         65-79  female  White
    moving      council  housing               80+    male    White
    new         VCSE     money                 40-64  female  Mixed
    unwilling   other    housing               18-39  other   Black
    nameless    GP       loneliness            40-64  female  White   (the year before the same)

    source: GP 155, self 60, nurse 20, hospital 20, council 30, VCSE 12, other 3
    reason: loneliness 100, housing 93, money and debt 77, carers 55, not said 20 (45 are for two)
    age: 18-39 63, 40-64 92, 65-79 95, 80+ 50; sex: female 177, male 120, other 3
    ethnicity: White 205, Asian 60, Black 23, Mixed 12; each = 300
    ending: completed 150, declined 33, could not be reached 30, moved 30, no suitable service 25;
      with the 32 open = 300

Scores, before -> after:
    life satisfaction, of the fast: 10 4 -> 8, 10 5 -> 6, 10 6 -> 6, 10 7 -> 5; 12 with 3 before
      only, 8 with 9 after only. Matched 40 of 52: mean 5.5 -> 6.25, change (40 + 10 - 20)/40 = 0.75;
      squares 10 x (3.25^2 + 0.25^2 + 0.75^2 + 2.75^2) = 187.5, over 39. Rose 20 (one point is the
      threshold), unchanged 10, fell 10.
    anxious, of the slow: 20 8 -> 5, 20 5 -> 5; of the unanswered: 3 8 -> 8. Matched 43: -60/43.
    SWEMWBS, of the carers, as raw totals: 20 20 -> 22 (18.59 -> 19.98 metric points, 1.39), 20
      20 -> 21 (19.25, 0.66), 10 22 -> 20. Change (20 x 1.39 + 20 x 0.66 - 10 x 1.39)/50 = 0.542.
    UCLA-3, of the slow: 40 with 6 before only. GAD-7, of the slow: 8, of a scale not known here.
    attendances at the GP, of the fast: 30 6 -> 4, 20 4 -> 5, 10 with 3 before only.
      Change (-60 + 20)/50 = -0.8.

Appointments for social prescribing: North's practice 40 in May and 50 in June 2026 of 1,000 each,
South's none recorded of 500.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from dashboard import intake
from dashboard.intake.source import Source
from queries.database import make_engine
from queries.load import CleanLoad, save
from tests import small_board as b
from tests.small_board import ABBEY, BROOK, CASTLE, DALE, ELM, GORSE, LSOAS, NORTH, SOUTH

BOARD, AS_AT = b.BOARD, b.AS_AT
PLACES = b.Board(ages=True, referrals=())
KEY = b"a key that nobody else has, of 32 bytes"
RANKS = b.RANKS | {3: 8000, 4: 11000}


@dataclass(frozen=True)
class People:
    """So many people who were referred alike: days since the referral by step, as in the return.

    `closed` and `declined` are days too; whoever has neither is still open.
    """

    name: str
    number: int
    pcn_code: str
    ward_code: str
    received: date
    steps: Mapping[str, int]
    closed_reason: str = ""
    source: str = "GP"
    reasons: str = "loneliness"
    age_band: str = "40-64"
    sex: str = "female"
    ethnicity_group: str = "White"

    def rows(self) -> list[dict[str, Any]]:
        days = {step: self.received + timedelta(days=day) for step, day in self.steps.items()}
        told = {
            name: getattr(self, name)
            for name in (
                "pcn_code", "ward_code", "received", "closed_reason", "source", "reasons",
                "age_band", "sex", "ethnicity_group",
            )
        }  # fmt: skip
        return [{"reference": f"{self.name} {n}", **told, **days} for n in range(self.number)]


def steps(*days: int | None, declined: int | None = None) -> dict[str, int]:
    """Days to acceptance, contact, plan, connection, attendance and end, as many as there are."""
    names = ("accepted", "first_contact", "plan_agreed", "connected", "attended", "closed")
    told = {**dict(zip(names, days, strict=False)), "declined": declined}
    return {name: day for name, day in told.items() if day is not None}


def ended(day: int, *days: int | None) -> dict[str, int]:
    """The same of those who were closed on a day before they came to the end."""
    return steps(*days) | {"closed": day}


_1_JULY, _1_APRIL, _1_JUNE = date(2025, 7, 1), date(2026, 4, 1), date(2026, 6, 1)
NO_SERVICE = "no suitable service"
PEOPLE = (
    People("fast", 60, NORTH, ABBEY, _1_JULY, steps(1, 5, 10, 20, 30, 60), "completed"),
    People("slow", 40, NORTH, ABBEY, date(2025, 10, 1), steps(3, 15, 20, 40, 50, 90), "completed",
        reasons="loneliness; housing", age_band="65-79", sex="male"),
    People("unanswered", 30, NORTH, BROOK, date(2026, 1, 1), ended(40, 3, 25), "no response",
        "self", "money", "18-39", "female", "Asian"),
    People("declining", 30, NORTH, BROOK, _1_APRIL, steps(3, declined=10), "",
        "self", "money", "18-39", "male", "Asian"),
    People("waiting", 20, NORTH, BROOK, date(2026, 6, 10), steps(5), "",
        "nurse", "", "40-64", "male", "Black"),
    People("no place", 10, NORTH, ABBEY, _1_APRIL, ended(7), NO_SERVICE,
        "hospital", "housing", "80+"),
    People("from afar", 10, NORTH, GORSE, _1_APRIL, ended(7), NO_SERVICE,
        "hospital", "housing", "80+"),
    People("carers", 50, SOUTH, CASTLE, _1_JULY, steps(2, 8, None, 20, 25, 70), "completed",
        reasons="carers", age_band="65-79"),
    People("turned", 5, SOUTH, CASTLE, _1_JULY, ended(30, 2, 8), NO_SERVICE,
        reasons="carers; money", age_band="65-79"),
    People("moving", 30, SOUTH, DALE, date(2025, 11, 1), ended(30, 2, 20), "moved away",
        "council", "housing", "80+", "male"),
    People("new", 12, SOUTH, ELM, _1_JUNE, steps(4), "", "VCSE", "money", "40-64", "female", "Mixed"),
    People("unwilling", 3, SOUTH, ELM, _1_APRIL, steps(declined=2), "",
        "other", "housing", "18-39", "other", "Black"),
    People("nameless", 15, "", ABBEY, _1_JUNE, ended(25, 2, 9), "needs met"),
    People("year before", 25, NORTH, BROOK, date(2024, 7, 1), steps(2, 7, None, 20, 30, 60),
        "completed"),
)  # fmt: skip


@dataclass(frozen=True)
class Scores:
    """So many of a group, from the first that is not told yet, with the same score before and
    after; `None` where it was not asked."""

    group: str
    number: int
    measure: str
    item: str
    before: float | None
    after: float | None


LIFE, ANXIOUS = ("ONS4", "life satisfaction"), ("ONS4", "anxious")
SWEMWBS, UCLA3 = ("SWEMWBS", "total"), ("UCLA-3", "total")
SCORES = (
    Scores("fast", 10, *LIFE, 4, 8), Scores("fast", 10, *LIFE, 5, 6),
    Scores("fast", 10, *LIFE, 6, 6), Scores("fast", 10, *LIFE, 7, 5),
    Scores("fast", 12, *LIFE, 3, None), Scores("fast", 8, *LIFE, None, 9),
    Scores("slow", 20, *ANXIOUS, 8, 5), Scores("slow", 20, *ANXIOUS, 5, 5),
    Scores("unanswered", 3, *ANXIOUS, 8, 8),
    Scores("carers", 20, *SWEMWBS, 20, 22), Scores("carers", 20, *SWEMWBS, 20, 21),
    Scores("carers", 10, *SWEMWBS, 22, 20),
    Scores("slow", 40, *UCLA3, 6, None), Scores("slow", 8, "GAD-7", "total", 11, None),
)  # fmt: skip
GP = ("GP attendances", "attendances")
ATTENDANCES = (
    Scores("fast", 30, *GP, 6, 4), Scores("fast", 20, *GP, 4, 5), Scores("fast", 10, *GP, 3, None),
)  # fmt: skip
# Practice, month, for social prescribing (`None` where none was recorded), all others.
APPOINTMENTS: tuple[tuple[str, date, int | None, int], ...] = (
    ("Y90001", date(2026, 5, 1), 40, 960),
    ("Y90001", date(2026, 6, 1), 50, 950),
    ("Y90002", date(2026, 6, 1), None, 500),
)


@dataclass(frozen=True)
class OutcomeBoard:
    """What is loaded. Change pieces of it with `but`."""

    people: tuple[People, ...] = PEOPLE
    scores: tuple[Scores, ...] = SCORES
    attendances: tuple[Scores, ...] = ATTENDANCES
    appointments: tuple[tuple[str, date, int | None, int], ...] = APPOINTMENTS
    places: b.Board = PLACES

    def but(self, **changes: Any) -> OutcomeBoard:
        return replace(self, **changes)

    def with_people(self, **changes: Mapping[str, Any]) -> OutcomeBoard:
        """Some groups otherwise, by their names with _ for a space."""
        known = {each.name: each for each in self.people}
        for name, change in changes.items():
            known[name.replace("_", " ")] = replace(known[name.replace("_", " ")], **change)
        return self.but(people=tuple(known.values()))

    def files(self) -> dict[str, bytes]:
        """The files by name, in the order in which they load."""
        made = {"referrals.csv": pd.DataFrame([row for g in self.people for row in g.rows()])}
        if self.scores:
            made["outcomes.csv"] = self._outcomes()
        if self.attendances:
            made["gp contacts.csv"] = self._gp_contacts()
        if self.appointments:
            made["appointments.csv"] = self._appointments()
        return {name: _csv(frame) for name, frame in made.items()}

    def save(self, engine: Engine) -> None:
        """Load all of it into an empty database."""
        self.places.save(engine)
        save(engine, _ranks())
        for name, raw in self.files().items():
            intake.take_in(engine, Source(name, raw), KEY)

    def _outcomes(self) -> pd.DataFrame:
        received = {group.name: group.received for group in self.people}
        rows = [
            (reference, told.measure, point, received[told.group] + timedelta(days=day), told.item,
             score)
            for reference, told in _each(self.scores)
            for point, day, score in (("start", 5, told.before), ("end", 60, told.after))
            if score is not None
        ]  # fmt: skip
        columns = ["reference", "measure", "point", "date", "item", "score"]
        frame = pd.DataFrame(rows, columns=columns)
        is_total = frame["item"] == "total"
        return frame.assign(
            item=frame["item"].mask(is_total, ""),
            score=frame["score"].mask(is_total),
            total=frame["score"].where(is_total),
        )

    def _gp_contacts(self) -> pd.DataFrame:
        rows = [(name, told.before, told.after) for name, told in _each(self.attendances)]
        columns = ["reference", "attendances_before", "attendances_after"]
        return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], "Int64"))

    def _appointments(self) -> pd.DataFrame:
        pcn_of = {practice: pcn for pcn, practice in b.PRACTICE_OF.items()}
        rows = [
            (month, practice, pcn_of[practice], "99Z", category, count)
            for practice, month, social, others in self.appointments
            for category, count in (("Social Prescribing Service", social), ("General", others))
            if count is not None
        ]
        columns = [
            "APPOINTMENT_MONTH_START_DATE", "GP_CODE", "PCN_CODE", "SUB_ICB_LOCATION_CODE",
            "NATIONAL_CATEGORY", "COUNT_OF_APPOINTMENTS",
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=columns)


def _each(scores: Iterable[Scores]) -> Iterable[tuple[str, Scores]]:
    """A reference of each person with these scores: none has two of one question."""
    told: dict[tuple[str, str, str], int] = {}
    for each in scores:
        key = (each.group, each.measure, each.item)
        first = told.get(key, 0)
        told[key] = first + each.number
        for n in range(first, first + each.number):
            yield f"{each.group} {n}", each


def _csv(frame: pd.DataFrame) -> bytes:
    text = io.StringIO()
    frame.to_csv(text, index=False)
    return text.getvalue().encode()


def _ranks() -> CleanLoad:
    lsoas = list(LSOAS)
    rows = pd.DataFrame(
        [("2025 all", lsoas[n - 1], rank, 1 + rank * 10 // 33_755) for n, rank in RANKS.items()],
        columns=["part_key", "lsoa_code", "imd_rank", "imd_decile"],
    )
    return b.made_of("deprivation", ["2025 all"], {"deprivation": rows})


def loaded(upgraded_file: Path, folder: Path, board: OutcomeBoard | None = None) -> Engine:
    """The board in a file of its own, for fixtures of a whole module: to read from only."""
    path = folder / "outcomes.db"
    shutil.copy(upgraded_file, path)
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    (board or OutcomeBoard()).save(engine)
    return engine
