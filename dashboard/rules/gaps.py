"""Whether a need can be met in a ward: one judgement for each ward and need theme."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import pandas as pd


class Cell(StrEnum):
    """What there is in a ward for one need, worst first."""

    NONE = "none"
    STALE = "stale only"
    FULL = "full"
    AREA_WIDE = "area-wide only"
    NO_RETURN = "no return"
    SERVED = "served"

    @property
    def is_unmet(self) -> bool:
        """Whether a person referred for it now could be sent nowhere."""
        return self in UNMET


UNMET = (Cell.NONE, Cell.STALE, Cell.FULL)


def judge_cells(cells: pd.DataFrame, *, is_returned: bool) -> pd.Series[str]:
    """The state of each cell, the first that holds: served by a service of the ward's own with
    room; area-wide only, where one for everybody has room; full, all that there are being so;
    stale only; none.

    `cells` count services: own, own_full (some of `own`), wide, wide_full (of those), stale.
    Where nobody said which need any service answers, every cell is "no return".
    """
    if not is_returned:
        return pd.Series(Cell.NO_RETURN.value, cells.index, dtype="str")
    chosen = np.select(
        [
            cells["own"] > cells["own_full"],
            cells["wide"] > cells["wide_full"],
            cells["own"] + cells["wide"] > 0,
            cells["stale"] > 0,
        ],
        [Cell.SERVED.value, Cell.AREA_WIDE.value, Cell.FULL.value, Cell.STALE.value],
        Cell.NONE.value,
    )
    return pd.Series(chosen, cells.index, dtype="str")


def worst(states: pd.Series[str]) -> str:
    """The worst of several wards' states: a locality is served where each of its wards is."""
    order = [cell.value for cell in Cell]
    return min(states, key=order.index)
