"""Files of simulated referrals: who is referred for what, and each step that follows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dashboard.demonstration.losses import (
    COMPLETED,
    DECLINED,
    NO_SERVICE,
    NOT_REACHED,
    with_losses,
)
from dashboard.demonstration.places import BOARDS, KENT, Board, Places
from dashboard.demonstration.practices import Practices
from dashboard.demonstration.referrals import (
    FIRST_MONTH,
    LAST_DAY,
    MONTHS,
    NEVER,
    Days,
    Lots,
    Referrals,
    Texts,
)
from dashboard.demonstration.services import Entry, service_id
from dashboard.demonstration.story import Story
from dashboard.demonstration.tables import csv_file
from dashboard.intake.source import Source
from dashboard.rules.needs import themes_of

# One for all, or one each.
Share = float | npt.NDArray[np.float64]

FIRST_DAY = np.datetime64("2023-01-01")
# Every day that can be written, as text; the last stands for "did not happen".
DAYS = np.append(np.datetime_as_string(np.arange(FIRST_DAY, LAST_DAY + 1)), "").astype(object)

SOURCES = ("GP", "nurse", "hospital", "council", "self", "VCSE", "other")
REASONS = {
    "long-term condition": 0.16,
    "alcohol or smoking": 0.05,
    "mental health": 0.22,
    "loneliness": 0.2,
    "complex social need": 0.08,
    "money": 0.09,
    "housing": 0.07,
    "carers": 0.05,
    "physical activity": 0.08,
}
# Why a referral ends with nobody seen: shares of each, first usually, then where the district has
# no service for any of its reasons.
NO_GO = {
    DECLINED: (0.34, 0.27),
    NOT_REACHED: (0.3, 0.24),
    "moved away": (0.08, 0.07),
    "needs met elsewhere": (0.12, 0.1),
    NO_SERVICE: (0.08, 0.26),
    "waiting too long": (0.08, 0.06),
}


@dataclass(frozen=True)
class Pathway:
    """One entry a referral, in the order of `Referrals`: the columns of the return, and the day
    of each step, later than the last day where it has not happened."""

    columns: dict[str, Texts]
    days: dict[str, Days]


def make_pathway(
    places: Places,
    made: Practices,
    entries: list[Entry],
    referrals: Referrals,
    story: Story,
    rng: np.random.Generator,
    losses: np.random.Generator,
) -> Pathway:
    """Draw who is referred for what, and how far each comes."""
    count = len(referrals.received)
    lsoas = places.lsoas
    # Complex need is commoner where there is more deprivation.
    score = rng.random(count) + 0.25 * (0.5 - referrals.place)
    complexity = _where(score > 0.82, "high", _where(score > 0.45, "medium", "low"))
    district = lsoas["LAD25NM"].to_numpy(dtype=object)[referrals.lsoa]
    steps = step_days(referrals.received, score > 0.82, rng)
    service = _services(entries, district, rng)
    columns = {
        "reference": np.array([f"DR{number:06d}" for number in range(1, count + 1)], dtype=object),
        "received": day_texts(referrals.received),
        "ward_code": lsoas["WD25CD"].to_numpy(dtype=object)[referrals.lsoa],
        "lsoa_code": lsoas["LSOA11CD"].to_numpy(dtype=object)[referrals.lsoa],
        "pcn_code": made.practices["pcn_code"].to_numpy(dtype=object)[referrals.practice],
        "practice_code": made.practices["practice_code"].to_numpy(dtype=object)[referrals.practice],
        "source": _lot(SOURCES, (0.58, 0.12, 0.08, 0.06, 0.08, 0.05, 0.03), count, rng),
        "reasons": _reasons(count, rng),
        "long_term_conditions": np.minimum(rng.poisson(0.9 + 0.9 * score), 8).astype(object),
        "age_band": _where(rng.random(count) < 0.015, "", referrals.age_band),
        "sex": _lot(("female", "male", "not stated"), (0.6, 0.38, 0.02), count, rng),
        "ethnicity_group": _lot(
            ("White", "Asian", "Black", "Mixed", "Other", "not stated"),
            (0.82, 0.05, 0.03, 0.02, 0.02, 0.06),
            count,
            rng,
        ),
        "complexity": complexity,
    }
    drawn = rng.random(count)
    usually, without = (
        _chosen(list(NO_GO), shares, drawn) for shares in zip(*NO_GO.values(), strict=True)
    )
    no_go = _where(_is_without_service(entries, district, columns["reasons"]), without, usually)
    ended = _where(steps["attended"] <= LAST_DAY, COMPLETED, no_go)
    ended = _where(steps["closed"] > LAST_DAY, "", ended)
    steps, ended = with_losses(steps, ended, columns["pcn_code"], referrals, story, losses)
    columns |= {step: day_texts(days) for step, days in steps.items()}
    columns["connected_service"] = _where(steps["connected"] <= LAST_DAY, service, "")
    return Pathway({**columns, "closed_reason": ended}, steps)


def referral_files(made: Practices, referrals: Referrals, pathway: Pathway) -> list[Source]:
    """One file a board and year; a referral is told by the board of the PCN it came through."""
    board = made.practices["board"].to_numpy()[referrals.practice]
    starts = [(FIRST_MONTH + 12 * year).astype("datetime64[D]") for year in range(MONTHS // 12 + 1)]
    sources = []
    for owner in BOARDS:
        for first, after in itertools.pairwise(starts):
            inside = (referrals.received >= first) & (referrals.received < after)
            rows = np.flatnonzero(inside & (board == owner.icb_code))
            name = f"{owner.name.split()[0]} from {first.astype(str)[:7]}"
            sources.append(
                _file(f"demonstration referrals {name}.csv", pathway.columns, rows, owner)
            )
    return sources


def _file(
    name: str, columns: dict[str, Texts], rows: npt.NDArray[np.int64], owner: Board
) -> Source:
    # Kent sends ward and PCN, Medway LSOA and practice: both are good returns.
    left_out = {"lsoa_code", "practice_code"} if owner is KENT else {"ward_code", "pcn_code"}
    chosen = {
        heading: column[rows] for heading, column in columns.items() if heading not in left_out
    }
    return csv_file(name, chosen)


def step_days(
    received: Any,
    is_complex: Lots,
    rng: np.random.Generator,
    *,
    never: Any = NEVER,
    declining: Share = 0.12,
    reached: Share = 0.93,
) -> dict[str, Any]:
    """The day of each step, as a date or a number; `never` where it has not happened.

    `declining` are the shares that decline, `reached` those of the accepted who are contacted.
    """
    count = len(received)

    def after(day: Any, share: Share, soonest: int, latest: int) -> Any:
        follows = (day != never) & (rng.random(count) < share)
        return np.where(follows, day + rng.integers(soonest, latest + 1, count), never)

    declined = after(received, declining, 1, 14)
    accepted = after(np.where(declined == never, received, never), 0.97, 0, 9)
    contact = after(accepted, reached, 3, 35)
    plan = after(contact, 0.84, 3, 21)
    connected = after(plan, 0.74, 2, 28)
    attended = after(connected, 0.8, 5, 35)
    furthest = np.where(declined == never, accepted, declined)
    for step in (contact, plan, connected):
        furthest = np.where(step == never, furthest, step)
    closed = np.where(
        attended == never, after(furthest, 0.97, 14, 70), after(attended, 0.98, 20, 120)
    )
    ot_referred = after(contact, np.where(is_complex, 0.18, 0.03), 5, 30)
    return {
        "offered": np.where(rng.random(count) < 0.8, received - rng.integers(0, 10, count), never),
        "declined": declined,
        "accepted": accepted,
        "first_contact": contact,
        "plan_agreed": plan,
        "connected": connected,
        "attended": attended,
        "closed": closed,
        "ot_referred": ot_referred,
        "ot_accepted": after(ot_referred, 0.8, 7, 45),
    }


def day_texts(days: Days) -> Texts:
    """Days as a return has them; blank after the last day."""
    known = np.minimum(days, LAST_DAY + 1)
    return DAYS[(known - FIRST_DAY).astype(np.int64)]


def _where(condition: Lots, yes: object, no: object) -> Texts:
    chosen: Texts = np.where(condition, np.asarray(yes, dtype=object), np.asarray(no, dtype=object))
    return chosen


def _lot(
    words: Sequence[str], shares: Sequence[float], count: int, rng: np.random.Generator
) -> Texts:
    return _chosen(words, shares, rng.random(count))


def _chosen(words: Sequence[str], shares: Sequence[float], drawn: npt.NDArray[np.float64]) -> Texts:
    """The word at each number drawn, from 0 to 1."""
    upto = np.cumsum(shares)
    chosen = np.searchsorted(upto, drawn * upto[-1], side="right")
    texts: Texts = np.array(words, dtype=object)[chosen]
    return texts


def _reasons(count: int, rng: np.random.Generator) -> Texts:
    """One reason, or two."""
    shares = {reason: 0.7 * share for reason, share in REASONS.items()}
    for first, second in itertools.permutations(REASONS, 2):
        shares[f"{first};{second}"] = 0.3 * REASONS[first] * REASONS[second]
    return _lot(list(shares), list(shares.values()), count, rng)


def _is_without_service(entries: list[Entry], district: Texts, reasons: Texts) -> Lots:
    """Whether the district has no service for any of the reasons of a referral."""
    offered: dict[str, set[str]] = {}
    for entry in entries:
        if not entry.is_of_one_ward:
            offered.setdefault(entry.district, set()).update(entry.themes)
    themes = {said: set(themes_of(said)) for said in set(reasons)}
    return np.array(
        [
            themes[said].isdisjoint(offered.get(name, ()))
            for name, said in zip(district, reasons, strict=True)
        ]
    )


def _services(entries: list[Entry], district: Texts, rng: np.random.Generator) -> Texts:
    """A service of the district for each referral; "" where it has none."""
    chosen = np.full(len(district), "", dtype=object)
    for name in sorted({entry.district for entry in entries}):
        ids = [
            service_id(place)
            for place, entry in enumerate(entries)
            if entry.district == name and not entry.is_of_one_ward
        ]
        rows = np.flatnonzero(district == name)
        chosen[rows] = np.array(ids, dtype=object)[rng.integers(0, len(ids), len(rows))]
    return chosen
