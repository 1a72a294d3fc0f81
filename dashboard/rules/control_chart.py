"""Control charts (XmR): which points of a series are more than chance, and is a target reached.

Source of the rules: NHS England, Making Data Count, as its Single Chart Tool (version 5)
applies them. Older packages and queries differ, most of all in what breaks a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from itertools import groupby, pairwise
from math import isclose, isfinite
from operator import itemgetter
from typing import NamedTuple

# Of the whole series, however it is cut into phases: with fewer no limits and no icons.
MINIMUM_POINTS = 13
# In a row: on one side of the mean (a shift), or each above or each below the last (a trend).
RUN_POINTS = 6
# From the mean to each limit, in mean moving ranges.
LIMIT_RANGES = Fraction("2.66")
# Where the two-sigma lines lie between the mean and the limits, which stand for three.
TWO_SIGMA = Fraction(2, 3)
TWO_SIGMA_WINDOW, TWO_SIGMA_POINTS = 3, 2


class Improvement(StrEnum):
    """Which direction is better."""

    HIGH = "high"
    LOW = "low"
    NEITHER = "neither"


class Colour(StrEnum):
    """The judgement of a point; a chart gives each a colour and a shape."""

    IMPROVEMENT = "improvement"
    CONCERN = "concern"
    NEITHER = "neither"
    COMMON_CAUSE = "common_cause"


class Variation(StrEnum):
    """The variation icon: the judgement of the last point, and on which side it lies."""

    IMPROVEMENT_HIGH = "improvement_high"
    IMPROVEMENT_LOW = "improvement_low"
    CONCERN_HIGH = "concern_high"
    CONCERN_LOW = "concern_low"
    NEITHER_HIGH = "neither_high"
    NEITHER_LOW = "neither_low"
    COMMON_CAUSE = "common_cause"


class Assurance(StrEnum):
    """The assurance icon: the target against the latest limits."""

    PASS = "pass"  # noqa: S105  # nosec B105 - no password
    FAIL = "fail"
    HIT_OR_MISS = "hit_or_miss"


COLOUR_WORDS = {
    Colour.IMPROVEMENT: "Special cause, improving",
    Colour.CONCERN: "Special cause, concerning",
    Colour.NEITHER: "Special cause, neither improving nor concerning",
    Colour.COMMON_CAUSE: "Common cause",
}
NOT_JUDGED = "Not judged"
VARIATION_WORDS = {
    Variation.IMPROVEMENT_HIGH: "Special cause, improving: higher",
    Variation.IMPROVEMENT_LOW: "Special cause, improving: lower",
    Variation.CONCERN_HIGH: "Special cause, concerning: higher",
    Variation.CONCERN_LOW: "Special cause, concerning: lower",
    Variation.NEITHER_HIGH: "Special cause, neither improving nor concerning: higher",
    Variation.NEITHER_LOW: "Special cause, neither improving nor concerning: lower",
    Variation.COMMON_CAUSE: "Common cause: no change beyond chance",
}
ASSURANCE_WORDS = {
    Assurance.PASS: "Target reached reliably: pass",
    Assurance.FAIL: "Target out of reach as things are: fail",
    Assurance.HIT_OR_MISS: "Target not reached reliably: hit or miss",
}


class Rule(StrEnum):
    """Why a point is special cause."""

    SINGLE = "single"
    SHIFT = "shift"
    TREND = "trend"
    TWO_SIGMA = "two_sigma"


class Signal(NamedTuple):
    """A rule that fired at a point: above the mean or below it; of a trend, up or down."""

    rule: Rule
    is_high: bool


@dataclass(frozen=True)
class Point:
    """One value, its judgement, and every rule that fired."""

    date: date
    value: float
    colour: Colour
    signals: tuple[Signal, ...]


@dataclass(frozen=True)
class Limits:
    """The lines of one phase, from its first date to its last.

    Only the mean is there below 13 points, and in a phase of a single point.
    """

    start: date
    end: date
    mean: float
    lower: float | None
    upper: float | None
    lower_two_sigma: float | None
    upper_two_sigma: float | None


@dataclass(frozen=True)
class ControlChart:
    """A series judged: points by date, limits by phase, and the two icons where there are any."""

    points: tuple[Point, ...]
    limits: tuple[Limits, ...]
    variation: Variation | None
    assurance: Assurance | None

    def colour_words(self, colour: Colour) -> str:
        """What a colour says of a point of this chart."""
        return COLOUR_WORDS[colour] if self.variation else NOT_JUDGED

    @property
    def words(self) -> str:
        """The icons as a sentence or two."""
        if len(self.points) < MINIMUM_POINTS:
            return (
                f"Points: {len(self.points)}. Limits and a judgement need at least "
                f"{MINIMUM_POINTS}."
            )
        icons = [VARIATION_WORDS[self.variation]] if self.variation else []
        icons += [ASSURANCE_WORDS[self.assurance]] if self.assurance else []
        return " ".join(f"{words}." for words in icons)


class _Lines(NamedTuple):
    mean: Fraction
    to_limit: Fraction | None


def judge_series(
    dates: Sequence[date],
    values: Sequence[float],
    *,
    improvement: Improvement | str,
    target: float | None = None,
    recalculate_from: Sequence[date] = (),
    baseline_until: date | None = None,
) -> ControlChart:
    """Judge one value per date, in any order.

    A recalculation begins a phase at the first point on or after its date; runs may cross it,
    each point against the lines of its own phase. With a baseline the points up to its date
    make the lines of the whole series, and recalculations are ignored. A point that is both
    improvement and concern is improvement. In a series that never changes the limits lie on
    the mean, and nothing is outside.

    `ValueError` without points, for a date that stands twice, a value that is missing or
    infinite (leave its row out), a baseline of fewer than two points, and a recalculation
    after the last point.
    """
    improvement = Improvement(improvement)
    if not dates:
        raise ValueError("there are no points")
    rows = sorted(zip(dates, values, strict=True), key=itemgetter(0))
    days = [day for day, _ in rows]
    for earlier, later in pairwise(days):
        if earlier == later:
            raise ValueError(f"the date {later} stands twice")
    # Exact fractions of the decimals as written: in floating point a value on the mean, which
    # breaks a shift, can come to lie beside it.
    exact = [_exact(day, value) for day, value in rows]
    starts = _phase_starts(days, () if baseline_until else recalculate_from)
    phases = [range(*ends) for ends in pairwise([*starts, len(days)])]
    bases = phases
    if baseline_until:
        bases = [range(sum(day <= baseline_until for day in days))]
        if len(bases[0]) < 2:
            raise ValueError(f"expected at least 2 points in the baseline to {baseline_until}")
    has_limits = len(days) >= MINIMUM_POINTS
    lines = [_lines([exact[place] for place in base], has_limits) for base in bases]
    by_point = [line for line, phase in zip(lines, phases, strict=True) for _ in phase]
    signals = _signals(exact, by_point) if has_limits else [()] * len(days)
    points = tuple(
        Point(day, float(value), _colour(fired, improvement), fired)
        for (day, value), fired in zip(rows, signals, strict=True)
    )
    limits = tuple(
        _limits(days[phase[0]], days[phase[-1]], line)
        for phase, line in zip(phases, lines, strict=True)
    )
    return ControlChart(
        points,
        limits,
        _variation(points[-1], improvement) if has_limits else None,
        _assurance(target, limits[-1], improvement),
    )


def _exact(day: date, value: float) -> Fraction:
    if not isfinite(value):
        raise ValueError(f"expected a number on {day}, found {value}: leave the row out")
    return Fraction(repr(float(value)))


def _phase_starts(days: Sequence[date], recalculate_from: Sequence[date]) -> list[int]:
    starts = {0}
    for start in recalculate_from:
        place = sum(day < start for day in days)
        if place == len(days):
            raise ValueError(f"expected a point on or after the recalculation of {start}")
        starts.add(place)
    return sorted(starts)


def _lines(values: Sequence[Fraction], has_limits: bool) -> _Lines:
    """The mean, and 2.66 mean moving ranges; the first range is that of the second value."""
    ranges = [abs(later - earlier) for earlier, later in pairwise(values)]
    mean = sum(values, Fraction(0)) / len(values)
    if not ranges or not has_limits:
        return _Lines(mean, None)
    return _Lines(mean, LIMIT_RANGES * sum(ranges, Fraction(0)) / len(ranges))


def _limits(start: date, end: date, lines: _Lines) -> Limits:
    mean, to_limit = lines
    if to_limit is None:
        return Limits(start, end, float(mean), None, None, None, None)
    shares = (-1, 1, -TWO_SIGMA, TWO_SIGMA)
    return Limits(start, end, float(mean), *(float(mean + share * to_limit) for share in shares))


def _signals(values: Sequence[Fraction], lines: Sequence[_Lines]) -> list[tuple[Signal, ...]]:
    """For each point the rules that fired, in the order of `Rule`."""
    offsets = [value - line.mean for value, line in zip(values, lines, strict=True)]
    sides = [_sign(offset) for offset in offsets]
    sigmas = [_sigmas_passed(abs(o), line.to_limit) for o, line in zip(offsets, lines, strict=True)]
    fired: list[set[Signal]] = [set() for _ in values]
    for place, side in enumerate(sides):
        if sigmas[place] == 3:
            fired[place].add(Signal(Rule.SINGLE, side > 0))
    for run, side in _runs(sides):
        if len(run) >= RUN_POINTS:
            for place in run:
                fired[place].add(Signal(Rule.SHIFT, side > 0))
    # A step leads from the point of its own number to the next.
    for run, step in _runs([_sign(later - earlier) for earlier, later in pairwise(values)]):
        if len(run) >= RUN_POINTS - 1:
            for place in (*run, run[-1] + 1):
                fired[place].add(Signal(Rule.TREND, step > 0))
    for start in range(len(values) - TWO_SIGMA_WINDOW + 1):
        window = range(start, start + TWO_SIGMA_WINDOW)
        # A point beyond the limit is no point between the lines, but keeps the side.
        between = [place for place in window if sigmas[place] == 2]
        if len({sides[place] for place in window}) == 1 and len(between) >= TWO_SIGMA_POINTS:
            for place in between:
                fired[place].add(Signal(Rule.TWO_SIGMA, sides[place] > 0))
    order = list(Rule)
    return [tuple(sorted(each, key=lambda s: (order.index(s.rule), s.is_high))) for each in fired]


def _sign(difference: Fraction) -> int:
    return (difference > 0) - (difference < 0)


def _sigmas_passed(distance: Fraction, to_limit: Fraction | None) -> int:
    """3 beyond the limit, 2 beyond the two-sigma line only, 0 on it or within."""
    if to_limit is None:
        return 0
    return 3 if distance > to_limit else 2 if distance > TWO_SIGMA * to_limit else 0


def _runs(signs: Sequence[int]) -> Iterator[tuple[range, int]]:
    """Stretches of places with the same sign; a 0 breaks them and is in none."""
    start = 0
    for sign, group in groupby(signs):
        stop = start + sum(1 for _ in group)
        if sign:
            yield range(start, stop), sign
        start = stop


def _colour(signals: Sequence[Signal], improvement: Improvement) -> Colour:
    if not signals:
        return Colour.COMMON_CAUSE
    if improvement is Improvement.NEITHER:
        return Colour.NEITHER
    better = improvement is Improvement.HIGH
    is_improving = any(signal.is_high == better for signal in signals)
    return Colour.IMPROVEMENT if is_improving else Colour.CONCERN


def _variation(last: Point, improvement: Improvement) -> Variation:
    if last.colour is Colour.COMMON_CAUSE:
        return Variation.COMMON_CAUSE
    if last.colour is Colour.NEITHER:
        # A trend counts before the side: at the end of a climb it is higher, even below the mean.
        trends = [signal for signal in last.signals if signal.rule is Rule.TREND]
        is_high = (trends or last.signals)[0].is_high
    else:
        is_high = (last.colour is Colour.IMPROVEMENT) == (improvement is Improvement.HIGH)
    return Variation(f"{last.colour}_{'high' if is_high else 'low'}")


def _assurance(target: float | None, limits: Limits, improvement: Improvement) -> Assurance | None:
    """A target on a limit counts as beyond it."""
    lower, upper = limits.lower, limits.upper
    if target is None or lower is None or upper is None or improvement is Improvement.NEITHER:
        return None
    # A limit has many decimals; somebody types those that are shown.
    is_below = target < lower or isclose(target, lower)
    is_above = target > upper or isclose(target, upper)
    is_high_better = improvement is Improvement.HIGH
    reached, missed = (is_below, is_above) if is_high_better else (is_above, is_below)
    return Assurance.PASS if reached else Assurance.FAIL if missed else Assurance.HIT_OR_MISS
