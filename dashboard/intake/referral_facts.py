"""What pages read of referrals beside their steps: counts by ward, age band, need, and month of the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboard.rules.needs import is_for_lack_of_service, themes_of

# Each fact by its key.
_KEYS: Mapping[str, Sequence[str]] = {
    "referral_fact": ("part_key", "ward_code", "pcn_code", "month"),
    "referral_age_fact": ("part_key", "ward_code", "month", "age_band"),
    "referral_episode_fact": ("part_key", "pcn_code", "month", "ended_month"),
}
_NEED_KEY = ("part_key", "ward_code", "month", "theme")
_COLUMNS = (
    *dict.fromkeys(name for key in _KEYS.values() for name in key),
    "reasons",
    "closed_reason",
)
_DATES = ("month", "ended_month")


class ReferralFacts:
    """Counts of referrals, put together at the end of a file.

    Until then each referral is kept as a few whole numbers: text and dates are dear to group by.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, dict[Any, int]] = {name: {} for name in (*_COLUMNS, "theme")}
        self._blocks: list[pd.DataFrame] = []

    def add(self, rows: pd.DataFrame) -> None:
        """Take in a block of referrals as they are kept, with `part_key`, `month` and
        `ended_month`."""
        self._blocks.append(
            pd.DataFrame({name: self._numbered(name, rows[name]) for name in _COLUMNS})
        )

    def frames(self) -> dict[str, pd.DataFrame]:
        """Each fact by the name of its table, a row per key of it."""
        rows = pd.concat(self._blocks, ignore_index=True).assign(referrals=1)
        return {
            **{name: self._counted(rows, key, "referrals") for name, key in _KEYS.items()},
            "referral_need_fact": self._counted(
                self._needs(rows), _NEED_KEY, "referrals", "without_service"
            ),
        }

    def _numbered(self, name: str, values: pd.Series[Any]) -> npt.NDArray[np.int32]:
        """A number for each value of a column, the same in all blocks."""
        local, found = pd.factorize(values, use_na_sentinel=False)
        named = [None if pd.isna(value) else value for value in found.tolist()]
        return np.array([self._number(name, value) for value in named], dtype="int32")[local]

    def _number(self, name: str, value: Any) -> int:
        numbers = self._numbers[name]
        return numbers.setdefault(value, len(numbers))

    def _needs(self, rows: pd.DataFrame) -> pd.DataFrame:
        """A row per referral and need it is for; one without a theme where no reason was said."""
        themes = pd.DataFrame(
            [
                (number, self._number("theme", theme))
                for said, number in self._numbers["reasons"].items()
                for theme in themes_of(said or "") or (None,)
            ],
            columns=["reasons", "theme"],
        )
        why = [is_for_lack_of_service(said or "") for said in self._numbers["closed_reason"]]
        without = np.array(why, dtype="int64")[rows["closed_reason"]]
        return rows.assign(without_service=without).merge(themes, on="reasons")

    def _counted(self, rows: pd.DataFrame, key: Sequence[str], *counts: str) -> pd.DataFrame:
        found = rows.groupby(list(key))[list(counts)].sum().reset_index()
        return found.assign(**{name: self._named(name, found[name]) for name in key})

    def _named(self, name: str, numbers: pd.Series[int]) -> pd.Series[Any]:
        values = np.array([*self._numbers[name], None], dtype=object)[numbers]
        return pd.Series(values, dtype=object if name in _DATES else "str")
