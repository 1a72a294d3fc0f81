"""What changed between two looks at a board: which changes are told, which are held back as too
small, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from math import erfc, log10, sqrt
from typing import Any

import pandas as pd

from dashboard.rules.control_chart import ControlChart, Limits, Point, Rule
from dashboard.rules.coverage import Status
from dashboard.rules.freshness import COUNTING
from dashboard.rules.returns import ReturnState

# A ward's take-up is told when its smoothed ratio (100 is as expected) moved by so much.
LEAST_RATIO = 10.0
# A network crossed its target when its FTE moved by so much: four hours a week.
LEAST_FTE = 0.1
# Of a service with fewer places, full and free alternate by one person.
LEAST_PLACES = 5
# A surprise of more says no more: one in a million.
MOST_SURPRISE = 6.0

# By chance alone a point of an XmR chart fires so often: a run of six on one side of the mean, six
# in a row up or down, two of three beyond two sigma on one side (normal values, known limits).
CHANCE = {
    Rule.SHIFT: 2 * 0.5**6,
    Rule.TREND: 2 / 720,
    Rule.TWO_SIGMA: 2 * 3 * 0.02275**2 * 0.97725,
}
SIGMAS_TO_LIMIT = 3


class Kind(StrEnum):
    """What sort of change, in words of the screen."""

    LOST = "Provision lost"
    GAINED = "Provision gained"
    OTHER_GAP = "Without provision for another reason"
    UNJUDGED = "Can no longer be judged"
    JUDGED = "Can be judged again"
    TAKE_UP = "Take-up changed"
    TARGET_MISSED = "Below target or plan"
    TARGET_MET = "Target or plan met"
    SIGNAL = "More than chance"
    FULL = "Full"
    REOPENED = "Has room again"
    STALE = "Gone stale"
    FUNDING = "Funding ends within 6 months"
    ARRIVED = "Return arrived"
    LATE = "Return late"
    CORRECTED = "Figure corrected"


@dataclass(frozen=True)
class Change:
    """One change: of one thing, or of several that changed alike (wards of one district).

    `code` and `place_code` are what a link picks: a ward, network, service or measure, and the
    district. `people` are those it touches, 0 where nobody can say, and `at_least` where of some
    nobody can. `surprise` is -log10 of the chance that it is nothing. `held_back` is why it is too
    small to be told, "" where it is told.
    """

    kind: Kind
    code: str
    names: tuple[str, ...]
    was: str
    now: str
    people: int
    surprise: float
    place_code: str = ""
    place: str = ""
    detail: str = ""
    held_back: str = ""
    at_least: bool = False

    @property
    def rank(self) -> float:
        """How far up it stands: how unusual it is, times the order of magnitude of people."""
        return self.surprise * log10(10 + self.people)


@dataclass(frozen=True)
class Judged:
    """A series as a control chart: what it is of, since when its points are new, how many people
    its newest point counts, and how its values are written."""

    code: str
    name: str
    chart: ControlChart
    new_from: date
    people: int
    decimals: int
    unit: str = ""


def _rows(frame: pd.DataFrame) -> Iterable[Any]:
    return frame.itertuples()


def surprise(chance: float) -> float:
    """-log10 of a chance, from 0 to `MOST_SURPRISE`."""
    return min(-log10(max(chance, 10**-MOST_SURPRISE)), MOST_SURPRISE) + 0.0


def in_order(changes: Sequence[Change]) -> list[Change]:
    """The most unusual that touch most people first; equals by kind and name."""
    kinds = list(Kind)
    return sorted(
        changes,
        key=lambda c: (
            -round(c.rank, 9), kinds.index(c.kind), c.names, c.code, c.detail, c.was, c.now
        ),
    )  # fmt: skip


def _weighed(changes: Sequence[Change], looked_at: int) -> list[Change]:
    """How unusual each kind is: so many of all that was looked at changed like this."""
    events = pd.Series([change.kind for change in changes], dtype=object).value_counts()
    return [
        replace(change, surprise=surprise((int(events[change.kind]) + 1) / (looked_at + 1)))
        for change in changes
    ]


_GAPS = (Status.NO_PROVISION, Status.NO_LINK_WORKER, Status.NOTHING_TO_REFER_TO)
_OF_TAKE_UP = (Status.NOT_REACHED, Status.LOW, Status.AS_EXPECTED, Status.HIGH)


def _ward_kind(was: Status, now: Status) -> Kind | None:
    if was == now:
        return None
    if Status.NO_RETURN in (was, now):
        return Kind.UNJUDGED if now is Status.NO_RETURN else Kind.JUDGED
    if was in _GAPS and now in _GAPS:
        return Kind.OTHER_GAP
    if was in _GAPS or now in _GAPS:
        return Kind.GAINED if was in _GAPS else Kind.LOST
    if Status.UNKNOWN in (was, now):
        return Kind.UNJUDGED if now is Status.UNKNOWN else Kind.JUDGED
    return Kind.TAKE_UP


def ward_changes(before: pd.DataFrame, now: pd.DataFrame) -> list[Change]:
    """Changes of status, wards of a district that changed alike as one.

    Both have one row per ward: ward_code, ward_name, lad_code, lad_name, status, people, smoothed.
    A ward that only one of them has is not compared: its code may be new.
    """
    both = now.merge(
        before[["ward_code", "status", "smoothed"]], on="ward_code", suffixes=("", "_was")
    )
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row in _rows(both):
        was, status = Status(row.status_was), Status(row.status)
        kind = _ward_kind(was, status)
        if kind is None:
            continue
        held_back = _too_small(was, status, row) if kind is Kind.TAKE_UP else ""
        found.setdefault((kind, was, status, row.lad_code, held_back), []).append(row)
    changes = [
        Change(
            kind,
            rows[0].ward_code if len(rows) == 1 else "",
            tuple(sorted(str(row.ward_name) for row in rows)),
            was.value,
            status.value,
            sum(int(row.people) for row in rows if pd.notna(row.people)),
            0.0,
            "" if pd.isna(lad_code) else lad_code,
            "" if pd.isna(rows[0].lad_name) else rows[0].lad_name,
            held_back=held_back,
            at_least=any(pd.isna(row.people) for row in rows),
        )
        for (kind, was, status, lad_code, held_back), rows in found.items()
    ]  # fmt: skip
    return _weighed(changes, len(both))


def _too_small(was: Status, now: Status, row: Any) -> str:
    if Status.HIDDEN in (was, now):
        return "the number is hidden"
    if pd.isna(row.smoothed) or pd.isna(row.smoothed_was):
        return "take-up cannot be smoothed"
    moved = round(abs(float(row.smoothed) - float(row.smoothed_was)), 6)
    return (
        f"smoothed take-up moved by less than {LEAST_RATIO:g} in 100" if moved < LEAST_RATIO else ""
    )


def target_changes(before: pd.DataFrame, now: pd.DataFrame) -> list[Change]:
    """Networks that crossed what they aim at. Both have one row per network: pcn_code, pcn_name, fte,
    aim_fte, people. Where either cannot be compared with its aim nothing crossed."""
    both = now.merge(before[["pcn_code", "fte", "aim_fte"]], on="pcn_code", suffixes=("", "_was"))
    both = both.dropna(subset=["fte", "aim_fte", "fte_was", "aim_fte_was"])
    changes = []
    for row in _rows(both):
        was_met, is_met = row.fte_was >= row.aim_fte_was, row.fte >= row.aim_fte
        if was_met == is_met:
            continue
        moved = max(abs(row.fte - row.fte_was), abs(row.aim_fte - row.aim_fte_was))
        is_small = round(moved, 6) < LEAST_FTE
        raised = row.aim_fte - row.aim_fte_was
        changes.append(
            Change(
                Kind.TARGET_MET if is_met else Kind.TARGET_MISSED,
                row.pcn_code,
                (str(row.pcn_name),),
                f"{row.fte_was:.1f} of {row.aim_fte_was:.1f} FTE",
                f"{row.fte:.1f} of {row.aim_fte:.1f} FTE",
                int(row.people) if pd.notna(row.people) else 0,
                0.0,
                detail="" if not raised else f"the aim was {'raised' if raised > 0 else 'lowered'}",
                held_back=f"moved by less than {LEAST_FTE:g} FTE" if is_small else "",
            )
        )
    return _weighed(changes, len(both))


def service_changes(before: pd.DataFrame, now: pd.DataFrame) -> list[Change]:
    """Services that are full or have room again, that nobody confirmed in time any more, and whose
    funding has come within sight of its end.

    Both have one row per service: service_key, service_name, provider, is_full, freshness,
    places_offered, ends_soon (a day in words, "" where none). A new service has not changed.
    """
    columns = ["service_key", "is_full", "freshness", "ends_soon"]
    both = now.merge(before[columns], on="service_key", suffixes=("", "_was"))
    changes = []
    for row in _rows(both):
        places = int(row.places_offered) if pd.notna(row.places_offered) else 0
        is_few = pd.notna(row.places_offered) and places < LEAST_PLACES
        told: list[tuple[Kind, str, str, str]] = []
        if pd.notna(row.is_full_was) and bool(row.is_full) != bool(row.is_full_was):
            kind = Kind.FULL if row.is_full else Kind.REOPENED
            few = f"fewer than {LEAST_PLACES} places" if is_few else ""
            told.append(
                (kind, *(("had room", "full") if row.is_full else ("was full", "room")), few)
            )
        if row.freshness_was in COUNTING and row.freshness not in COUNTING:
            told.append((Kind.STALE, row.freshness_was, row.freshness, ""))
        if row.ends_soon and not row.ends_soon_was:
            told.append((Kind.FUNDING, "", row.ends_soon, ""))
        names = (f"{row.service_name} ({row.provider})",)
        changes += [
            Change(kind, row.service_key, names, was, then, places, 0.0, held_back=held_back)
            for kind, was, then, held_back in told
        ]
    return _weighed(changes, len(both))


def return_changes(before: pd.DataFrame, now: pd.DataFrame) -> list[Change]:
    """Returns that arrived, and returns that are late: both have one row per dataset, network and
    month (dataset, title, pcn_code, pcn_name, people, month in words, state), the months of a network
    in their order."""
    key = ["dataset", "pcn_code", "month"]
    both = now.merge(before[[*key, "state"]], on=key, suffixes=("", "_was"), how="left")
    # A month that had not begun was not due.
    was = both["state_was"].fillna(ReturnState.NOT_DUE.value)
    arrived = (both["state"] == ReturnState.RECEIVED) & (was != ReturnState.RECEIVED)
    late = both["state"].isin([ReturnState.LATE, ReturnState.MISSING]) & (
        was == ReturnState.NOT_DUE
    )
    changes = []
    same = ["dataset", "title", "was", "state"]
    for kind, rows in ((Kind.ARRIVED, both[arrived]), (Kind.LATE, both[late])):
        # Several months of a network are one piece of news, and so are networks of the same months.
        of_each = rows.assign(was=was).groupby([*same, "pcn_code"], sort=False)
        joined = of_each.agg(
            months=("month", ", ".join), pcn_name=("pcn_name", "first"), people=("people", "first")
        ).reset_index()
        for (_, title, then, state, months), mine in joined.groupby([*same, "months"], sort=False):
            codes = mine["pcn_code"].tolist()
            changes.append(
                Change(
                    kind,
                    codes[0] if len(codes) == 1 else "",
                    tuple(sorted(str(name) for name in mine["pcn_name"])),
                    str(then),
                    str(state),
                    int(mine["people"].sum()),
                    0.0,
                    detail=f"{title}, {months}",
                    at_least=bool(mine["people"].isna().any()),
                )
            )
    # A return that comes when it is due is as usual as can be.
    return [
        replace(change, surprise=0.0) if change.was == ReturnState.NOT_DUE and change.kind is Kind.ARRIVED
        else change
        for change in _weighed(changes, len(both))
    ]  # fmt: skip


def corrections(frame: pd.DataFrame) -> list[Change]:
    """Figures that a newer file tells otherwise: one row each (code, name, figure, month in words,
    was, now, file_name, decimals), as they are shown; `missing` is why a number is not there."""
    changes = []
    for row in _rows(frame):
        is_told = pd.notna(row.was) and pd.notna(row.now)
        difference = abs(float(row.now) - float(row.was)) if is_told else 0.0
        was, now = (
            row.missing if pd.isna(value) else f"{value:,.{row.decimals}f}"
            for value in (row.was, row.now)
        )
        # As if it were counts: how far from the old number is the new one, in its own spread.
        away = difference / sqrt(max(float(row.was), 1.0)) if is_told else 0.0
        changes.append(
            Change(
                Kind.CORRECTED,
                row.code,
                (row.name,),
                was,
                now,
                int(max(row.was, row.now)) if is_told else 0,
                surprise(erfc(away / sqrt(2))),
                detail=f"{row.figure}, {row.month}; file {row.file_name}",
                held_back="" if was != now else "no difference is left after rounding",
            )
        )
    return changes


def signals(series: Sequence[Judged]) -> list[Change]:
    """Control charts of which a point that is new since then is more than chance: the newest such.

    What the last point before was judged for as well goes on, and is no news: it is held back.
    """
    changes = []
    for judged in series:
        points = judged.chart.points
        new = [p for p in points if p.date >= judged.new_from and p.signals]
        if not new:
            continue
        point = new[-1]
        before = [p for p in points if p.date < judged.new_from]
        news = [each for each in point.signals if not before or each not in before[-1].signals]
        limits = next(each for each in judged.chart.limits if each.start <= point.date <= each.end)
        rules = [signal.rule for signal in news or point.signals]
        changes.append(
            Change(
                Kind.SIGNAL,
                judged.code,
                (judged.name,),
                f"mean {limits.mean:,.{judged.decimals}f}{judged.unit}",
                f"{point.value:,.{judged.decimals}f}{judged.unit} in {point.date:%B %Y}, "
                f"{'above' if point.value > limits.mean else 'below'} the mean",
                judged.people,
                max(surprise(_chance(rule, point, limits)) for rule in rules),
                detail=", ".join(dict.fromkeys(_RULE_WORDS[rule] for rule in rules)),
                held_back="" if news else "the same was there before, and goes on",
            )
        )
    return changes


_RULE_WORDS = {
    Rule.SINGLE: "outside the limits",
    Rule.SHIFT: "six or more in a row on one side of the mean",
    Rule.TREND: "six or more in a row up or down",
    Rule.TWO_SIGMA: "two of three near a limit",
}


def _chance(rule: Rule, point: Point, limits: Limits) -> float:
    if rule is not Rule.SINGLE:
        return CHANCE[rule]
    assert limits.upper is not None
    sigma = (limits.upper - limits.mean) / SIGMAS_TO_LIMIT
    # In a series that never changed any other value is as unlikely as can be.
    return erfc(abs(point.value - limits.mean) / sigma / sqrt(2)) if sigma else 0.0
