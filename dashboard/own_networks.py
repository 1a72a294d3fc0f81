"""What a reader who leads networks of a board is shown of its other networks: nothing of any single one.

What is hidden is decided for the whole board, as for everybody; rows are taken away after that, so that
two readers together learn no more than one. Totals of the board, its localities and its wards stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import pandas as pd

from dashboard.rules.disclosure import Released
from queries.scope import Scope

LEFT_OUT = (
    "Other networks of the board are not shown one by one: they are in the figures of its wards, its "
    "localities and the whole board."
)
# What a network is chosen by, as a link names it: in the filter, and in what is supposed.
CHOSEN_NETWORKS = ("pcn", "worker_from", "worker_to")
# In place of a name, where a sentence about a ward needs one.
OTHER = "another network"


def own_rows(scope: Scope, icb_code: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows (by `pcn_code`) of the networks of a board that are shown in detail."""
    mine = scope.networks_of(icb_code)
    return frame if mine is None else frame[frame["pcn_code"].isin(mine)].reset_index(drop=True)


def own_released(scope: Scope, icb_code: str, found: Released) -> Released:
    """The same of rows that have passed the disclosure gate."""
    return Released(own_rows(scope, icb_code, found.frame), found.people, found.profile)


def unnamed(scope: Scope, icb_code: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Every row, with `OTHER` as the `pcn_name` of networks that are not shown in detail."""
    mine = scope.networks_of(icb_code)
    if mine is None:
        return frame
    return frame.assign(pcn_name=frame["pcn_name"].where(frame["pcn_code"].isin(mine), OTHER))


def is_shown(scope: Scope, icb_code: str, chosen: Mapping[str, str]) -> bool:
    """Whether these choices name no other single network, under any of the names for one."""
    codes = (chosen.get(name, "") for name in CHOSEN_NETWORKS)
    return all(not code or scope.admits_network(icb_code, code) for code in codes)


def own_saved(scope: Scope, icb_code: str, saved: pd.DataFrame, column: str) -> pd.DataFrame:
    """The saved things that name no other single network in their `column` of choices."""
    keep = [is_shown(scope, icb_code, read_choices(choices)) for choices in saved[column]]
    return saved[pd.Series(keep, saved.index, dtype=bool)]


def own_choices(scope: Scope, icb_code: str, choices: pd.Series[str]) -> pd.Series[bool]:
    """Which saved choices the reader may take away: who leads networks of the board, those of theirs."""
    keep = [is_own(scope, icb_code, each) for each in choices]
    return pd.Series(keep, choices.index, dtype=bool)


def is_own(scope: Scope, icb_code: str, choices: str) -> bool:
    """Whether the reader may take away what was saved with these choices."""
    mine = scope.networks_of(icb_code)
    return mine is None or read_choices(choices).get("pcn", "") in mine


def read_choices(choices: str) -> dict[str, str]:
    """Choices as they are kept: of a link, or of what follows its question mark."""
    return dict(parse_qsl(choices.rpartition("?")[2]))
