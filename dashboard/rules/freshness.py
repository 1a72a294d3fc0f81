"""How long ago somebody confirmed an entry, and whether it still counts."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import pandas as pd

AGEING_MONTHS = 6


class Freshness(StrEnum):
    """The age of a confirmation, freshest first."""

    FRESH = "under 6 months"
    AGEING = "6 to 12 months"
    STALE = "over 12 months"
    NEVER = "never confirmed"


# Whose entry was confirmed recently enough that people can be sent there.
COUNTING = (Freshness.FRESH.value, Freshness.AGEING.value)


def freshness(confirmed_on: pd.Series[date], as_at: date, stale_months: int) -> pd.Series[str]:
    """The class of each date; a missing one was never confirmed.

    Confirmed 12 months ago today is stale, a day later is not; at 6 months likewise.
    """
    days = pd.to_datetime(confirmed_on)
    classes = pd.Series(Freshness.FRESH.value, confirmed_on.index, dtype="str")
    ageing = pd.Timestamp(as_at) - pd.DateOffset(months=min(AGEING_MONTHS, stale_months))
    stale = pd.Timestamp(as_at) - pd.DateOffset(months=stale_months)
    classes = classes.mask(days <= ageing, Freshness.AGEING.value)
    classes = classes.mask(days <= stale, Freshness.STALE.value)
    return classes.mask(days.isna(), Freshness.NEVER.value)
