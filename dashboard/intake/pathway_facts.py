"""What pages read of referrals' steps: counts by month, PCN and group, and the days steps took."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboard.rules.complex_need import complex_need
from dashboard.rules.endings import Ending
from dashboard.rules.needs import themes_of
from dashboard.rules.pathway import endings, step_facts
from queries.day_counts import DAY_CODES, WAITS, day_code, packed

FACT = "pathway_fact"
_KEY = ["part_key", "category", "value"]
_OPEN = WAITS.index("open")
# Columns of a referral whose values are groups, by the category they make.
_GROUPS = {
    "ward": "ward_code",
    "source": "source",
    "age band": "age_band",
    "sex": "sex",
    "ethnicity": "ethnicity_group",
}
_DATES = {
    "received": "received_on",
    "offered": "offered_on",
    "declined": "declined_on",
    "accepted": "accepted_on",
    "contacted": "first_contact_on",
    "planned": "plan_agreed_on",
    "connected": "connected_on",
    "attended": "attended_on",
    "closed": "closed_on",
    "ot_referred": "ot_referred_on",
    "ot_accepted": "ot_accepted_on",
}
# From the date of one name to that of another, by wait.
_BETWEEN = {
    **{step: ("received", step) for step in WAITS[:_OPEN]},
    "to_ot": ("received", "ot_referred"),
    "ot": ("ot_referred", "ot_accepted"),
}
Whole = npt.NDArray[np.int64]


class PathwayFacts:
    """Counts that are gathered block by block, and put together when the last date is known.

    A cell is a part, a category and a value of it. Columns are added up as arrays: by groupby the
    same took 8 times as long.
    """

    def __init__(self) -> None:
        self._parts: dict[Any, tuple[Any, Any]] = {}
        self._cells: dict[tuple[Any, str, Any], int] = {}
        self._columns: list[str] = []
        self._sums = np.empty((0, 0), dtype="int64")
        # Referrals by cell and day code; and those that still wait by cell and the day since which
        # they do, as the last day until which they were watched is known at the end.
        self._days = _Tally()
        self._waiting = {wait: _Tally() for wait in ("open", "ot_waiting")}
        self._last_day = 0

    def add(self, rows: pd.DataFrame) -> None:
        """Count a block of referrals as they are kept, with their `part_key` and `month`."""
        if rows.empty:
            return
        rows = rows.reset_index(drop=True)
        ending = endings(rows)
        steps, days = step_facts(rows), _days(rows, ending)
        steps = steps.join(complex_need(rows))
        self._last_day = max(self._last_day, int(np.nanmax(days.to_numpy())))
        waits = pd.DataFrame(
            {wait: days[until] - days[since] for wait, (since, until) in _BETWEEN.items()}
        )
        # Who was contacted, or is taken to have been, did not end before it.
        uncontacted = steps["contacted"] == 0
        waits["ended"] = waits["ended"].clip(lower=0).where(uncontacted)
        steps["negative_waits"] = (waits < 0).sum(axis=1)
        self._columns, sums = steps.columns.tolist(), steps.to_numpy()
        codes = np.column_stack(
            [
                np.where(
                    wait >= 0, day_code(WAITS.index(name), np.nan_to_num(wait).astype("int64")), -1
                )
                for name, wait in ((name, waits[name].to_numpy()) for name in waits)
            ]
        )
        since = {
            "open": days["received"].where(uncontacted & days["ended"].isna()).to_numpy(),
            "ot_waiting": days["ot_referred"].where(steps["ot_waiting"] == 1).to_numpy(),
        }
        parts, found = pd.factorize(rows["part_key"])
        part_keys: list[str] = found.tolist()
        firsts = rows.iloc[np.unique(parts, return_index=True)[1]]
        keys = zip(part_keys, firsts["pcn_code"], firsts["month"], strict=True)
        self._parts |= {key: (pcn_code, month) for key, pcn_code, month in keys}
        for category, place, values in _each_category(rows, ending):
            cell = self._cells_of(parts[place], part_keys, category, values)
            self._add_up(cell, sums[place])
            day = codes[place]
            where = (cell[:, None] * DAY_CODES + day)[day >= 0]
            self._days.add(where)
            for wait, tally in self._waiting.items():
                begun = since[wait][place]
                waits_on = ~np.isnan(begun)
                tally.add(cell[waits_on] * _LATEST + begun[waits_on].astype("int64"))

    def frame(self) -> pd.DataFrame:
        """One row per PCN, month, category and value, as `queries.tables.pathway_fact` says."""
        keys = pd.DataFrame(list(self._cells), columns=_KEY, dtype=object)
        parts = [self._parts[key] for key in keys["part_key"]]
        keys["pcn_code"], keys["month"] = zip(*parts, strict=True)
        # A mistyped year must not make everybody wait for it.
        today = (datetime.now(UTC).date() - date(1970, 1, 1)).days
        for wait, tally in self._waiting.items():
            cell, day = np.divmod(tally.keys, _LATEST)
            waited = np.maximum(min(self._last_day, today) - day, 0)
            self._days.add(cell * DAY_CODES + day_code(WAITS.index(wait), waited), tally.counts)
        cell, code = np.divmod(self._days.keys, DAY_CODES)
        ends = np.searchsorted(cell, np.arange(len(keys) + 1)).tolist()
        pairs = np.column_stack([code, self._days.counts])
        keys["days"] = pd.Series(
            [packed(pairs[first:after]) for first, after in itertools.pairwise(ends)],
            dtype=object,
        )
        sums = pd.DataFrame(self._sums[: len(keys)], columns=self._columns)
        return pd.concat([keys.astype({"part_key": "str", "pcn_code": "str"}), sums], axis=1)

    def _cells_of(
        self,
        parts: npt.NDArray[np.intp],
        part_keys: list[str],
        category: str,
        values: pd.Series[Any],
    ) -> Whole:
        """The number of each row's cell, new or known."""
        codes, found = pd.factorize(values, use_na_sentinel=False)
        named = [None if pd.isna(value) else value for value in found.tolist()]
        both, local = np.unique(parts * len(named) + codes, return_inverse=True)
        cells = [
            self._cells.setdefault((part_keys[part], category, named[code]), len(self._cells))
            for part, code in (divmod(key, len(named)) for key in both.tolist())
        ]
        return np.array(cells, dtype="int64")[local]

    def _add_up(self, cell: Whole, sums: Whole) -> None:
        if not len(cell):
            return
        order = np.argsort(cell, kind="stable")
        cells, firsts = np.unique(cell[order], return_index=True)
        missing = len(self._cells) - len(self._sums)
        if missing > 0:
            # Twice as long each time, so that it is seldom copied.
            more = np.zeros((missing + len(self._sums), sums.shape[1]), dtype="int64")
            self._sums = np.vstack([self._sums.reshape(-1, sums.shape[1]), more])
        self._sums[cells] += np.add.reduceat(sums[order], firsts, axis=0)


class _Tally:
    """How often each number was met, told a block at a time; in order of the numbers."""

    # Merged when this many more have come: the memory grows with the numbers, not with the blocks.
    MERGE_AT = 4_000_000

    def __init__(self) -> None:
        self._keys = [np.empty(0, dtype="int64")]
        self._counts = [np.empty(0, dtype="int64")]
        self._waiting = 0

    def add(self, keys: Whole, counts: Whole | None = None) -> None:
        if counts is None:
            keys, counts = np.unique(keys, return_counts=True)
        self._keys.append(keys)
        self._counts.append(counts)
        self._waiting += len(keys)
        if self._waiting > self.MERGE_AT:
            self._merge()

    @property
    def keys(self) -> Whole:
        self._merge()
        return self._keys[0]

    @property
    def counts(self) -> Whole:
        self._merge()
        return self._counts[0]

    def _merge(self) -> None:
        if len(self._keys) == 1:
            return
        keys, place = np.unique(np.concatenate(self._keys), return_inverse=True)
        counts = np.bincount(place, np.concatenate(self._counts), len(keys)).astype("int64")
        self._keys, self._counts, self._waiting = [keys], [counts], 0


# No day since 1970 of a referral is as late.
_LATEST = 1 << 20


def _each_category(
    rows: pd.DataFrame, ending: pd.Series[str]
) -> Iterator[tuple[str, Whole, pd.Series[Any]]]:
    """Each category: which rows are in it (one twice with two values), and their values."""
    everyone = np.arange(len(rows))
    yield "all", everyone, pd.Series(None, rows.index, dtype=object)
    for category, column in _GROUPS.items():
        yield category, everyone, rows[column]
    themes = {said: themes_of(said) or (None,) for said in rows["reasons"].dropna().unique()}
    reasons = pd.Series([themes.get(said, (None,)) for said in rows["reasons"]]).explode()
    yield "reason", reasons.index.to_numpy(), reasons
    ended = np.flatnonzero(ending.notna())
    yield "ending", ended, ending.iloc[ended]


def _days(rows: pd.DataFrame, ending: pd.Series[str]) -> pd.DataFrame:
    """Days since 1970 of every date by its name, of completion, and of the end."""
    days = pd.DataFrame({name: _ordinals(rows[column]) for name, column in _DATES.items()})
    is_completed = (ending == Ending.COMPLETED).to_numpy(dtype=bool, na_value=False)
    return days.assign(
        completed=days["closed"].where(is_completed),
        ended=np.fmin(days["declined"], days["closed"]),
    )


def _ordinals(days: pd.Series[date]) -> npt.NDArray[np.float64]:
    """Whole days since 1970; missing where there is no date."""
    moments = pd.to_datetime(days).astype("datetime64[s]")
    seconds = moments.astype("int64").to_numpy(dtype="float64")
    return np.where(moments.isna(), np.nan, seconds / 86_400)
