"""Funnels with room for more than chance: limits that widen when units differ by more than that.

Source: Spiegelhalter 2005 (Quality and Safety in Health Care 14:347-351) and Spiegelhalter et al.
2012 (Journal of the Royal Statistical Society A 175:1-47): z-scores on a scale of even spread,
winsorised, and an additive variance between units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from dashboard.rules.rates import CONFIDENCE
from dashboard.rules.staffing import FunnelPlace, judge_funnel

Floats = npt.NDArray[np.float64]

# z-scores below the first and above the second quantile are set to it, so that the units that the
# funnel is to find do not widen it.
WINSORISED = (0.1, 0.9)
WIDE_CONFIDENCE = 0.998


class Kind(StrEnum):
    """Events over the number expected (or over people, as a rate), or a share of those there."""

    RATIO = "ratio"
    PROPORTION = "proportion"


# Onto the scale on which a value has the standard error 1 / (2 sqrt(of)) whatever it is, the end of
# that scale, and back.
_SCALES: Mapping[Kind, tuple[Callable[[Any], Any], float, Callable[[Any], Any]]] = {
    Kind.RATIO: (np.sqrt, np.inf, np.square),
    Kind.PROPORTION: (
        lambda value: np.arcsin(np.sqrt(value)), np.pi / 2, lambda angle: np.sin(angle) ** 2,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Funnel:
    """Limits around a centre for so many `units`.

    `phi` is the mean squared winsorised z-score: about 0.68 when many units differ by chance alone
    (1 if nothing were winsorised), so the funnel errs towards the limits of chance. `tau` is the
    standard deviation between units on the funnel's scale, 0 where it is not adjusted.
    """

    kind: Kind
    centre: float
    units: int
    phi: float | None
    tau: float

    @property
    def is_adjusted(self) -> bool:
        """Whether the limits are wider than those of chance."""
        return self.tau > 0

    def limits(self, of: npt.ArrayLike, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
        """The range of values for so many expected or there; missing for none."""
        number = np.asarray(of, dtype=float)
        onto, end, back = _SCALES[self.kind]
        with np.errstate(divide="ignore"):
            spread = np.sqrt(np.where(number > 0, 1 / (4 * number), np.nan) + self.tau**2)
        reach = ndtri((1 + confidence) / 2) * spread
        middle = onto(self.centre)
        return back(np.maximum(middle - reach, 0)), back(np.minimum(middle + reach, end))


def fit_funnel(kind: Kind, events: pd.Series[float], of: pd.Series[float], centre: float) -> Funnel:
    """The funnel of units by their events and what these are of; those without either are left out.

    With k units of weights w = 4 of, over-dispersed when k phi is above k - 1 (what chance alone
    gives): tau squared is then (k phi - (k - 1)) / (sum w - sum w squared / sum w). Else, and of
    fewer than 2 units, it is 0 and the limits are those of chance. Quantiles are interpolated.
    `ValueError` for a centre below 0, or of a proportion above 1.
    """
    if not (centre >= 0 and (kind is Kind.RATIO or centre <= 1)):
        raise ValueError(f"expected a centre of a {kind}, found {centre}")
    value, number = _values(kind, events, of), _floats(of)
    there = ~np.isnan(value)
    value, number = value[there], number[there]
    units = len(value)
    if not units:
        return Funnel(kind, centre, 0, None, 0.0)
    onto = _SCALES[kind][0]
    scores = (onto(value) - onto(centre)) * 2 * np.sqrt(number)
    scores = np.clip(scores, *np.quantile(scores, WINSORISED))
    phi = float((scores**2).mean())
    excess = units * phi - (units - 1)
    weights = 4 * number
    if units < 2 or excess <= 0:
        return Funnel(kind, centre, units, phi, 0.0)
    between = excess / (weights.sum() - (weights**2).sum() / weights.sum())
    return Funnel(kind, centre, units, phi, float(np.sqrt(between)))


def funnel_curve(funnel: Funnel, of: npt.ArrayLike) -> pd.DataFrame:
    """One row per number in `of`, in its order: of, lower_95, upper_95, lower_998, upper_998."""
    number = np.asarray(of, dtype=float)
    curve = {"of": number}
    for name, confidence in (("95", CONFIDENCE), ("998", WIDE_CONFIDENCE)):
        curve[f"lower_{name}"], curve[f"upper_{name}"] = funnel.limits(number, confidence)
    return pd.DataFrame(curve)


def funnel_places(funnel: Funnel, events: pd.Series[float], of: pd.Series[float]) -> pd.DataFrame:
    """One row per unit, indexed as the events: value, the limits of `funnel_curve` for its own
    number, and place (a word of `FunnelPlace`). Missing where events are, or what they are of, or
    where that is 0."""
    value = _values(funnel.kind, events, of)
    limits = funnel_curve(funnel, _floats(of)).drop(columns="of")
    places = [
        None if np.isnan(each) else _place(each, *row)
        for each, row in zip(value, limits.itertuples(index=False, name=None), strict=True)
    ]
    found = pd.concat([pd.Series(value, name="value"), limits], axis=1).astype("Float64")
    return found.assign(place=pd.Series(places, dtype="str")).set_axis(events.index)


def _values(kind: Kind, events: pd.Series[float], of: pd.Series[float]) -> Floats:
    """Events over what they are of, missing where either is or there is nothing."""
    number = _floats(of)
    value: Floats = _floats(events) / np.where(number > 0, number, np.nan)
    # Rounding can leave more people with an event than there are.
    return value if kind is Kind.RATIO else np.minimum(value, 1)


def _floats(numbers: pd.Series[float]) -> Floats:
    return np.asarray(numbers.astype("Float64").to_numpy(float, na_value=np.nan), np.float64)


def _place(
    value: float, lower_95: float, upper_95: float, lower_998: float, upper_998: float
) -> str:
    found: FunnelPlace = judge_funnel(value, (lower_95, upper_95), (lower_998, upper_998))
    return found.value
