"""What pages read of referrals' steps: counts by month, PCN and group, and the days steps took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from dashboard.rules.complex_need import complex_need
from dashboard.rules.endings import Ending
from dashboard.rules.needs import themes_of
from dashboard.rules.pathway import endings, step_facts
from queries.day_counts import DAY_CODES, WAITS, day_code, packed

FACT = "pathway_fact"
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
# Waits of which only the beginning is known: they last until the last day told.
_WAITING = ("open", "ot_waiting")
Whole = npt.NDArray[np.integer[Any]]
# So many rows are counted at once; a part is never divided.
_AT_ONCE = 100_000


class _Block(NamedTuple):
    """A block of referrals as small numbers: a row a referral, as places in lists; -1 is none."""

    part: Whole
    labels: Whole
    # Of the day each wait took.
    codes: Whole
    # The day since 1970 since which somebody waits.
    since: Whole
    counts: Whole


class PathwayFacts:
    """Counts of referrals, put together when the last date is known.

    A label is a category with one of its values, a cell a label in a part. Until the end each
    referral is kept as some 100 bytes: sums by cell of every block, added up one after the other,
    took twice the memory and 4 times as long.
    """

    def __init__(self) -> None:
        # By key; by number where a load is counted again.
        self._parts: dict[str | int, tuple[str | None, date]] = {}
        self._labels: dict[tuple[str, Any], int] = {}
        self._blocks: list[_Block] = []
        self._columns: list[str] = []
        self._last_day = 0

    def add(self, rows: pd.DataFrame) -> None:
        """Take in a block of referrals as they are kept, with their `part_key` and `month`."""
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
        self._columns = steps.columns.tolist()
        since = {
            "open": days["received"].where(uncontacted & days["ended"].isna()),
            "ot_waiting": days["ot_referred"].where(steps["ot_waiting"] == 1),
        }
        self._blocks.append(
            _Block(
                self._parts_of(rows),
                np.column_stack(list(self._labels_of(rows, ending))),
                np.column_stack([_codes(wait, waits[wait].to_numpy()) for wait in _BETWEEN]),
                np.column_stack([since[wait].fillna(-1).astype("int32") for wait in _WAITING]),
                steps.to_numpy(dtype="uint8"),
            )
        )

    def frame(self) -> pd.DataFrame:
        """One row per PCN, month, category and value, as `queries.tables.pathway_fact` says."""
        widest = max(block.labels.shape[1] for block in self._blocks)
        blocks = [block._replace(labels=_padded(block.labels, widest)) for block in self._blocks]
        rows = _Block(*(np.concatenate(column) for column in zip(*blocks, strict=True)))
        order = np.argsort(rows.part, kind="stable")
        part = rows.part[order]
        chunk = np.searchsorted(part, part) // _AT_ONCE
        counted = [
            self._counted(_Block(*(column[chosen] for column in rows)))
            for chosen in np.split(order, np.flatnonzero(np.diff(chunk)) + 1)
        ]
        return pd.concat(counted, ignore_index=True)

    def _counted(self, rows: _Block) -> pd.DataFrame:
        """The rows of `frame` of these parts."""
        # A mistyped year must not make everybody wait for it.
        last_day = min(self._last_day, (datetime.now(UTC).date() - date(1970, 1, 1)).days)
        waiting = [
            _codes(wait, np.where(since < 0, -1, np.maximum(last_day - since, 0)))
            for wait, since in zip(_WAITING, rows.since.T, strict=True)
        ]
        row, place = np.nonzero(rows.labels >= 0)
        key = rows.part[row].astype("int64") * len(self._labels) + rows.labels[row, place]
        cell, found = pd.factorize(key)
        is_in = _indicator(cell, row, (len(found), len(rows.part)))
        codes = np.column_stack([rows.codes, *waiting])
        row, place = np.nonzero(codes >= 0)
        days = is_in @ _indicator(row, codes[row, place], (len(codes), DAY_CODES))
        days.sort_indices()
        part, label = np.divmod(found, len(self._labels))
        part_keys, labels = list(self._parts), list(self._labels)
        named = [part_keys[number] for number in part]
        keys = {
            "part_key": pd.Series(named, dtype="str"),
            "category": pd.Series([labels[number][0] for number in label], dtype=object),
            "value": pd.Series([labels[number][1] for number in label], dtype=object),
            "pcn_code": pd.Series([self._parts[key][0] for key in named], dtype="str"),
            "month": pd.Series([self._parts[key][1] for key in named], dtype=object),
            "days": pd.Series(
                packed(np.column_stack([days.indices, days.data]), days.indptr[1:].tolist()),
                dtype=object,
            ),
        }
        sums = pd.DataFrame(is_in @ rows.counts.astype("int64"), columns=self._columns)
        return pd.concat([pd.DataFrame(keys), sums], axis=1)

    def _parts_of(self, rows: pd.DataFrame) -> Whole:
        """The place of each row's part, new or known."""
        local, keys = pd.factorize(rows["part_key"])
        firsts = rows.iloc[np.unique(local, return_index=True)[1]]
        for key, pcn_code, month in zip(keys, firsts["pcn_code"], firsts["month"], strict=True):
            self._parts.setdefault(key, (pcn_code, month))
        place = {key: number for number, key in enumerate(self._parts)}
        return np.array([place[key] for key in keys], dtype="int32")[local]

    def _labels_of(self, rows: pd.DataFrame, ending: pd.Series[str]) -> Iterator[Whole]:
        """The places of each row's labels, as many columns as one category has at most."""
        for category, said, values_of in _each_category(rows, ending):
            local, found = pd.factorize(said, use_na_sentinel=False)
            labels = [
                [
                    self._labels.setdefault((category, value), len(self._labels))
                    for value in values_of(None if pd.isna(each) else each)
                ]
                for each in found.tolist()
            ]
            widest = max(map(len, labels))
            places = [[*places, *[-1] * (widest - len(places))] for places in labels]
            yield np.array(places, dtype="int32")[local]


def _each_category(
    rows: pd.DataFrame, ending: pd.Series[str]
) -> Iterator[tuple[str, pd.Series[Any], Callable[[Any], Sequence[Any]]]]:
    """Each category: what its rows say, and the values of it in which one that says so counts."""
    yield "all", pd.Series(None, rows.index, dtype=object), lambda _: (None,)
    for category, column in _GROUPS.items():
        yield category, rows[column], lambda said: (said,)
    yield "reason", rows["reasons"], lambda said: themes_of(said or "") or (None,)
    yield "ending", ending, lambda said: () if said is None else (said,)


def _codes(wait: str, days: npt.NDArray[Any]) -> Whole:
    """The day codes of a wait; -1 where the days are missing or below 0."""
    whole = np.where(days >= 0, days, 0).astype("int64")
    return np.where(days >= 0, day_code(WAITS.index(wait), whole), -1).astype("int16")


def _padded(labels: Whole, width: int) -> Whole:
    return np.pad(labels, ((0, 0), (0, width - labels.shape[1])), constant_values=-1)


def _indicator(row: Whole, column: Whole, shape: tuple[int, int]) -> csr_array:
    """1 at each of these places, or how often it is named."""
    return csr_array((np.ones(len(row), dtype="int64"), (row, column)), shape=shape)


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
