"""Where FTE goes if it changes as it did in the last year, and when a target is reached then.

Source: Hyndman and Athanasopoulos, Forecasting: principles and practice, 3rd edition, 5.2 and
5.5, the drift method (a random walk with drift) and its prediction intervals; Student's t in
place of the normal distribution, since the changes are few.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from math import isfinite, sqrt
from statistics import mean, stdev

from scipy.special import stdtrit

from dashboard.rules.rates import CONFIDENCE
from dashboard.rules.take_up import months_before

# How far back is looked, and how many of these months must be known.
MONTHS_BACK, LEAST_KNOWN = 12, 7
# Months can be known and none follow another; the spread of one change is not known.
LEAST_CHANGES = 2
# How far ahead a projection is shown, and how far a target is looked for.
HORIZON_MONTHS, SEARCH_MONTHS = 24, 60
# An FTE this near to a target has reached it: sums of decimals miss by their last digits.
NEAR_FTE = 1e-9


@dataclass(frozen=True)
class Projection:
    """Monthly FTE after the last known month: the central path and its 95% range, none below 0.

    Rates are net changes in FTE a month, `rate_lower` to `rate_upper` the 95% interval of their
    mean; `sd` is that of the `changes` monthly changes they rest on.
    """

    last_month: date
    last_fte: float
    rate_per_month: float
    rate_lower: float
    rate_upper: float
    sd: float
    changes: int
    months: tuple[date, ...] = field(init=False)
    central: tuple[float, ...] = field(init=False)
    lower: tuple[float, ...] = field(init=False)
    upper: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        ahead = range(1, HORIZON_MONTHS + 1)
        for name, path in (
            ("months", self.month_ahead),
            ("central", self.central_fte),
            ("lower", self.lower_fte),
            ("upper", self.upper_fte),
        ):
            object.__setattr__(self, name, tuple(path(months) for months in ahead))

    def month_ahead(self, months: int) -> date:
        """The first day of the month so many after the last known one."""
        return months_before(self.last_month, -months)

    def central_fte(self, months: int) -> float:
        """FTE so many months ahead at the mean rate."""
        return max(0.0, self.last_fte + months * self.rate_per_month)

    def lower_fte(self, months: int) -> float:
        """The lower end of the 95% range so many months ahead."""
        return self._fte(months, -1)

    def upper_fte(self, months: int) -> float:
        """The upper end of the 95% range so many months ahead."""
        return self._fte(months, 1)

    def _fte(self, months: int, side: int) -> float:
        # Each month adds its own chance; that the rate itself is not known adds the square.
        spread = self.sd * sqrt(months + months**2 / self.changes)
        reach = _t(self.changes) * spread
        return max(0.0, self.last_fte + months * self.rate_per_month + side * reach)


@dataclass(frozen=True)
class Reached:
    """When FTE reaches a target: on the central path, and at the ends of the 95% range.

    A month is `None` where the path does not reach the target within the months looked at.
    """

    is_already: bool
    central: date | None = None
    earliest: date | None = None
    latest: date | None = None


def project(fte: Sequence[tuple[date, float | None]]) -> tuple[Projection | None, str]:
    """The projection of monthly FTE, or `None` and the reason why there is none.

    `fte` is a month (its first day) and its FTE, missing where not returned. The last 12 months
    count, up to the newest in `fte`, known or not. Missing months are not interpolated: a change
    is counted only between two known months that follow one another. `ValueError` for a month
    that is there twice.
    """
    values = {month: value for month, value in fte if value is not None and isfinite(value)}
    if len({month for month, _ in fte}) < len(fte):
        raise ValueError("expected each month once")
    if not values:
        return None, "no month is known"
    earliest = months_before(max(month for month, _ in fte), MONTHS_BACK - 1)
    known = sorted((month, value) for month, value in values.items() if month >= earliest)
    if len(known) < LEAST_KNOWN:
        return None, (
            f"{len(known)} of the last {MONTHS_BACK} months are known, {LEAST_KNOWN} are needed"
        )
    changes = [
        later - earlier
        for (before, earlier), (month, later) in pairwise(known)
        if months_before(month, 1) == before
    ]
    if len(changes) < LEAST_CHANGES:
        return None, f"fewer than {LEAST_CHANGES} changes from one known month to the next"
    rate, sd = mean(changes), stdev(changes)
    reach = _t(len(changes)) * sd / sqrt(len(changes))
    (last_month, last_fte) = known[-1]
    return Projection(last_month, last_fte, rate, rate - reach, rate + reach, sd, len(changes)), ""


def month_reached(
    projection: Projection, target_fte: float, horizon_months: int = SEARCH_MONTHS
) -> Reached:
    """When the target is reached: already, or the first month in which each path is at or above
    it. The upper path gives the earliest month, the lower the latest."""

    def first(path: Callable[[int], float]) -> date | None:
        for months in range(1, horizon_months + 1):
            if path(months) >= target_fte - NEAR_FTE:
                return projection.month_ahead(months)
        return None

    if projection.last_fte >= target_fte - NEAR_FTE:
        return Reached(is_already=True)
    return Reached(
        is_already=False,
        central=first(projection.central_fte),
        earliest=first(projection.upper_fte),
        latest=first(projection.lower_fte),
    )


def reached_words(reached: Reached) -> str:
    """'reached already', 'March 2027 (between November 2026 and May 2027)', 'March 2027 (November
    2026 at the earliest, or not at this rate)', 'not at this rate'."""
    if reached.is_already:
        return "reached already"
    words = _month(reached.central)
    if reached.central == reached.earliest == reached.latest:
        return words
    if reached.central is None:
        return f"{words} ({_month(reached.earliest)} at the earliest)"
    if reached.latest is None:
        return f"{words} ({_month(reached.earliest)} at the earliest, or {_month(None)})"
    return f"{words} (between {_month(reached.earliest)} and {_month(reached.latest)})"


def _month(month: date | None) -> str:
    return "not at this rate" if month is None else f"{month:%B %Y}"


def _t(changes: int) -> float:
    return float(stdtrit(changes - 1, (1 + CONFIDENCE) / 2))
