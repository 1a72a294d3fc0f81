"""Every board that the reader may see, ward by ward: each judged as on its own page, then put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage import REFERRALS, Basis, ward_coverage
from dashboard.data import fetch_shared
from dashboard.errors import NotThereError
from dashboard.rules.apportion import PER_PEOPLE
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import Released, hidden_flag
from queries import places
from queries.scope import Scope

# A ward of one of these has referrals that can be set against the number expected.
_TAKE_UP_KNOWN = (Status.NOT_REACHED, Status.LOW, Status.AS_EXPECTED, Status.HIGH)
# Told after each board: how many of how many are judged.
Tell = Callable[[int, int], None]
_TELL: ContextVar[Tell | None] = ContextVar("who is told how far it is", default=None)


@contextmanager
def telling(tell: Tell) -> Iterator[None]:
    """Inside, `tell` hears how far it is where boards are judged, and nothing where all are."""
    token = _TELL.set(tell)
    try:
        yield
    finally:
        _TELL.reset(token)


@dataclass(frozen=True)
class AllBoards:
    """`wards`: one row per ward as Coverage has it, with its board; `boards`: one row per board; and what
    the judgement of each rests on, by its code."""

    wards: Released
    boards: Released
    bases: Mapping[str, Basis]

    def board_of(self, ward_code: str) -> str:
        """The board of a ward; "" for a code that is none of theirs."""
        frame = self.wards.frame
        return next(iter(frame.loc[frame["ward_code"] == ward_code, "icb_code"]), "")

    def known(self, ward_code: str) -> str:
        """The same code; "" for one that is none of theirs."""
        return ward_code if self.board_of(ward_code) else ""

    def name_of(self, code: str) -> str:
        """What a ward or a board is called; "" for a code that is none of theirs."""
        wards, boards = self.wards.frame, self.boards.frame
        named = wards.loc[wards["ward_code"] == code, "ward_name"]
        return next(iter([*named, *boards.loc[boards["icb_code"] == code, "icb_name"]]), "")


def all_boards(engine: Engine, scope: Scope, as_at: date, with_stale: bool = False) -> AllBoards:
    """Every ward of every board in scope, judged at a date; a query by its signature.

    `NotThereError` where no board is in scope. Nothing is judged anew: rates are against the own board, and
    what is hidden on a board's page is hidden here.
    """
    names = places.boards(engine, scope)
    if names.empty:
        raise NotThereError("no board is in scope")
    names["icb_name"] = names["icb_name"].fillna(names["icb_code"])
    judged, tell = {}, _TELL.get()
    for place, code in enumerate(codes := names["icb_code"].tolist()):
        if tell:
            tell(place, len(codes))
        judged[code] = fetch_shared(ward_coverage, scope, code, as_at, with_stale)
    called = dict(zip(names["icb_code"], names["icb_name"], strict=True))
    first = next(iter(judged.values())).wards
    frame = pd.concat(
        [
            found.wards.frame.assign(icb_code=code, icb_name=called[code])
            for code, found in judged.items()
        ],
        ignore_index=True,
    ).astype({"icb_code": "str", "icb_name": "str"})
    order = {status.value: place for place, status in enumerate(Status)}
    frame = frame.iloc[frame["status"].map(order).argsort(kind="stable")].reset_index(drop=True)
    return AllBoards(
        Released(frame, first.people, first.profile),
        Released(by_board(frame), (), first.profile),
        {code: found.basis for code, found in judged.items()},
    )


def by_board(wards: pd.DataFrame) -> pd.DataFrame:
    """One row per board, of released wards: wards by what they lack, adults who live there, FTE and
    referrals; most wards without provision first."""
    status, board = wards["status"], [wards["icb_code"], wards["icb_name"]]
    is_gap = status.isin([each.value for each in Status if each.is_gap])
    is_none = status == Status.NO_PROVISION
    # Rates of the wards where both are known: what is missing is no 0.
    covered = wards["fte"].notna() & wards["population"].notna()
    # Adults, or people in a board whose population has no ages.
    has_ages = wards.groupby("icb_code")["adults"].transform("count") > 0
    adults = wards["adults"].where(has_ages, wards["population"])
    told = pd.DataFrame(
        {
            "wards": status.notna(),
            "no_provision": is_none,
            "other_gap": is_gap & ~is_none,
            "low": status == Status.LOW,
            "not_judged": status == Status.NO_RETURN,
            "take_up_known": status.isin(_TAKE_UP_KNOWN),
            "adults_without": adults.where(is_none),
            "adults_unknown": is_none & adults.isna(),
            "fte": wards["fte"].where(covered),
            "people_covered": wards["population"].where(covered),
            "referrals": wards[REFERRALS],
            "referrals_hidden": wards[hidden_flag(REFERRALS)],
        }
    )
    sums = told.groupby(board, sort=False).sum(min_count=1)
    counts = [
        "wards",
        "no_provision",
        "other_gap",
        "low",
        "not_judged",
        "take_up_known",
        "adults_unknown",
        "referrals_hidden",
    ]
    sums = sums.astype(dict.fromkeys(counts, "int64")).reset_index()
    sums["fte_per_10k"] = (
        sums["fte"] / sums["people_covered"].mask(sums["people_covered"] == 0) * PER_PEOPLE
    )
    return sums.sort_values(
        ["no_provision", "other_gap", "wards", "icb_code"],
        ascending=[False, False, False, True],
        ignore_index=True,
    )
