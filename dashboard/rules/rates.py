"""Rates, ratios, proportions, means and their intervals.

Source of the formulae: Office for Health Improvement and Disparities, technical guide to
confidence intervals (Byar's method from 10 events, exact Poisson below; Wilson; Student t).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, ndtri, pdtr, pdtrik, stdtrit

Floats = npt.NDArray[np.float64]

# Below this many events Byar's approximation is replaced by exact limits.
BYAR_FROM = 10
CONFIDENCE = 0.95


def poisson_limits(events: Any, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Limits of a count that follows the Poisson distribution, one pair per value.

    Exact by chi-square below 10 events (the lower limit at 0 events is 0), Byar's from 10.
    """
    observed = np.asarray(events, dtype=float)
    tail = (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        exact_lower = np.where(observed == 0, 0.0, chdtri(2 * observed, 1 - tail) / 2)
        exact_upper = chdtri(2 * observed + 2, tail) / 2
    byar_lower, byar_upper = byar_limits(observed, confidence)
    exact = observed < BYAR_FROM
    return np.where(exact, exact_lower, byar_lower), np.where(exact, exact_upper, byar_upper)


def byar_limits(events: Any, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Byar's approximation to the same at any number of events: `poisson_limits` for use.

    The lower limit is 0 where the formula falls below it, as with one event.
    """
    observed = np.asarray(events, dtype=float)
    z = ndtri((1 + confidence) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = observed * (1 - 1 / (9 * observed) - z / (3 * np.sqrt(observed))) ** 3
        more = observed + 1
        upper = more * (1 - 1 / (9 * more) + z / (3 * np.sqrt(more))) ** 3
    return np.where(observed == 0, 0.0, np.maximum(lower, 0)), upper


def wilson_limits(events: Any, of: Any, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Limits of a share (0-1), one pair per value, by Wilson's score.

    Missing where there is nothing to have a share of, or rounding left more events than that.
    """
    seen, total = np.asarray(events, dtype=float), np.asarray(of, dtype=float)
    z = ndtri((1 + confidence) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((total > 0) & (seen <= total), seen / total, np.nan)
        middle = share + z**2 / (2 * total)
        reach = z * np.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
        whole = 1 + z**2 / total
        # At 0 and at all events the formula comes to 0 and 1, but for its last digit.
        return (
            np.where(share == 0, 0.0, (middle - reach) / whole),
            np.where(share == 1, 1.0, (middle + reach) / whole),
        )


def t_limits(mean: Any, sd: Any, n: Any, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Limits of a mean by Student's t, one pair per value; missing below 2 values.

    `sd` is that of the sample, divided by n - 1.
    """
    number = np.asarray(n, dtype=float)
    enough = np.where(number >= 2, number, np.nan)
    reach = stdtrit(enough - 1, (1 + confidence) / 2) * np.asarray(sd, dtype=float)
    reach = reach / np.sqrt(enough)
    middle = np.asarray(mean, dtype=float)
    return middle - reach, middle + reach


def funnel_limits(expected: Any, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """The range in which a count lies with this confidence when so many are expected.

    Exact Poisson quantiles: a count below the first or above the second is outside.
    """
    mean = np.asarray(expected, dtype=float)
    tail = (1 - confidence) / 2
    return _poisson_quantile(tail, mean), _poisson_quantile(1 - tail, mean)


def smooth_funnel_limits(expected: Any, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """The same for what is no whole number, such as FTE: the quantiles between the counts.

    Half a step is added, so that the middle of the range is the expected number; the lower limit
    is 0 where even a count of 0 is within it.
    """
    mean = np.asarray(expected, dtype=float)
    tail = (1 - confidence) / 2
    lower = np.where(pdtr(0, mean) >= tail, 0.0, pdtrik(tail, mean) + 0.5)
    return lower, pdtrik(1 - tail, mean) + 0.5


def _poisson_quantile(share: float, mean: Floats) -> Floats:
    """The smallest count that at least this share of a Poisson distribution does not exceed.

    `scipy.stats` has the same, and takes most of a second to import.
    """
    above = np.ceil(pdtrik(share, mean))
    below = np.maximum(above - 1, 0)
    found: Floats = np.where(pdtr(below, mean) >= share, below, above)
    return found
