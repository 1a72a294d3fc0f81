"""Rates, ratios and their intervals.

Source of the formulae: Office for Health Improvement and Disparities, technical guide to
confidence intervals (Byar's method from 10 events, exact Poisson below).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, ndtri, pdtr, pdtrik

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
        z = ndtri(1 - tail)
        byar_lower = observed * (1 - 1 / (9 * observed) - z / (3 * np.sqrt(observed))) ** 3
        more = observed + 1
        byar_upper = more * (1 - 1 / (9 * more) + z / (3 * np.sqrt(more))) ** 3
    exact = observed < BYAR_FROM
    return np.where(exact, exact_lower, byar_lower), np.where(exact, exact_upper, byar_upper)


def funnel_limits(expected: Any, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """The range in which a count lies with this confidence when so many are expected.

    Exact Poisson quantiles: a count below the first or above the second is outside.
    """
    mean = np.asarray(expected, dtype=float)
    tail = (1 - confidence) / 2
    return _poisson_quantile(tail, mean), _poisson_quantile(1 - tail, mean)


def _poisson_quantile(share: float, mean: Floats) -> Floats:
    """The smallest count that at least this share of a Poisson distribution does not exceed.

    `scipy.stats` has the same, and takes most of a second to import.
    """
    above = np.ceil(pdtrik(share, mean))
    below = np.maximum(above - 1, 0)
    found: Floats = np.where(pdtr(below, mean) >= share, below, above)
    return found
