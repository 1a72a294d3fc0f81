"""Unmet need: how many fewer are referred than expected, how sure that is, and draws of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboard.rules.rates import poisson_limits

Floats = npt.NDArray[np.float64]
SEED = 1999


def unmet_need(
    observed: pd.Series[float],
    hidden: pd.Series[bool],
    expected: pd.Series[float],
    hide_from: int,
    hide_to: int,
) -> pd.DataFrame:
    """One row per ward, indexed as `observed`: unmet, lower, upper (people), is_estimated, and what
    they come from: observed_from, observed_to, expected.

    Unmet need is expected less observed, never below 0; its 95% interval is that of the observed
    (`poisson_limits`). A hidden count lies from `hide_from` to `hide_to`, as everybody may know:
    it counts as the middle, its interval reaches from the lower limit of the least to the upper of
    the most, and `is_estimated` says so. Without a count that is not hidden, or without an expected
    number, all is missing.
    """
    is_hidden = hidden.reindex(observed.index).fillna(False).astype(bool)
    counts = observed.astype("Float64")
    least, most = (counts.mask(is_hidden, float(end)) for end in (hide_from, hide_to))
    wanted = expected.reindex(observed.index).astype("Float64")
    (lowest, _), (_, highest) = poisson_limits(_floats(least)), poisson_limits(_floats(most))
    is_known = least.notna() & wanted.notna()

    def short_of(seen: pd.Series[float] | Floats) -> pd.Series[float]:
        return (wanted - seen).clip(lower=0)

    return pd.DataFrame(
        {
            "unmet": short_of((least + most) / 2),
            "lower": short_of(highest),
            "upper": short_of(lowest),
            "is_estimated": is_hidden & is_known,
            "observed_from": least,
            "observed_to": most,
            "expected": wanted,
        }
    )


def share_without_provision(unmet: pd.Series[float], has_gap: pd.Series[bool]) -> float | None:
    """The share (0-1) of all known unmet need that is in wards known to lack a component.

    `None` where no unmet need is known, or all of it is 0.
    """
    known = unmet.dropna().astype("float64")
    in_gaps = has_gap.reindex(known.index).fillna(False).astype(bool)
    total = known.sum()
    return float(known[in_gaps].sum() / total) if total else None


def resampled(needs: pd.DataFrame, draws: int, seed: int = SEED) -> Floats:
    """Unmet need as it might as well be: draws x wards (people), wards in the order of `needs`.

    `needs` as `unmet_need` gives them. The mean behind an observed count is drawn from the gamma
    distribution of count + 1/2 (Jeffreys' prior; Brown, Cai and DasGupta 2003, Statistica Sinica
    13:19-49), a hidden count first from its range, each as likely. Missing stays missing. The same
    wards and seed give the same draws in whatever order the wards come.
    """
    ordered = needs.sort_index()
    least, most, wanted = (
        _floats(ordered[name]) for name in ("observed_from", "observed_to", "expected")
    )
    is_known = ~np.isnan(_floats(ordered["unmet"]))
    least, most = np.where(is_known, least, 0), np.where(is_known, most, 0)
    generator = np.random.default_rng(seed)
    counts = least + np.floor(generator.random((draws, len(ordered))) * (most - least + 1))
    short = np.maximum(wanted - generator.standard_gamma(counts + 0.5), 0)
    found: Floats = np.where(is_known, short, np.nan)[:, ordered.index.get_indexer(needs.index)]
    return found


def _floats(numbers: pd.Series[float]) -> Floats:
    return np.asarray(numbers.astype("Float64").to_numpy(float, na_value=np.nan), np.float64)
