"""Ratios of observed to expected, the less certain drawn further towards the overall ratio.

Source: Marshall 1991 (Applied Statistics 40:283-294), the global estimator. Its variance between
wards can come out below 0, and the ratios then too: it is held at 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


def smoothed_ratios(observed: pd.Series[float], expected: pd.Series[float]) -> pd.Series[float]:
    """Observed over expected by ward, smoothed: 1.0 is as expected. Indexed as `observed`.

    Each lies between the ward's own ratio and that of all wards together: `own_weights` says
    where. Missing where either number is, or none are expected.
    """
    seen, wanted = _told(observed, expected)
    weight, overall = _weights(seen, wanted)
    return pd.Series(weight * (seen / wanted) + (1 - weight) * overall, observed.index).astype(
        "Float64"
    )


def own_weights(observed: pd.Series[float], expected: pd.Series[float]) -> pd.Series[float]:
    """How much of a smoothed ratio is the ward's own (0-1), indexed as `observed`.

    0 in every ward where they differ by no more than chance; missing as the ratio is.
    """
    weight, _ = _weights(*_told(observed, expected))
    return pd.Series(weight, observed.index).astype("Float64")


def _told(observed: pd.Series[float], expected: pd.Series[float]) -> tuple[Floats, Floats]:
    """Both numbers ward by ward; missing in both where the ratio is."""
    seen, wanted = (
        numbers.reindex(observed.index).astype("Float64").to_numpy(float, na_value=np.nan)
        for numbers in (observed, expected)
    )
    there = ~np.isnan(seen) & (wanted > 0)
    return np.where(there, seen, np.nan), np.where(there, wanted, np.nan)


def _weights(seen: Floats, wanted: Floats) -> tuple[Floats, float]:
    """The weight of each ward's own ratio, and the overall ratio."""
    there = ~np.isnan(seen)
    total = wanted[there].sum()
    if not total:
        return seen, np.nan
    overall = float(seen[there].sum() / total)
    spread = (wanted[there] * (seen[there] / wanted[there] - overall) ** 2).sum() / total
    between = max(spread - overall / (total / there.sum()), 0.0)
    # Between wards nothing differs where there is no referral at all.
    weight: Floats = between / (between + overall / wanted) if between else wanted * 0
    return weight, overall
