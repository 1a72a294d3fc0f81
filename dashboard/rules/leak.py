"""Where a ward's take-up is lost: step by step against the board, adding up to the whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import pandas as pd

from dashboard.rules.pathway import IS_HIDDEN, NOT_RECORDED, REFERRED, STEPS
from dashboard.rules.rates import funnel_limits

# What comes after attending is told of too few; a plan is a part of the way to a service.
_CHAIN = STEPS[: STEPS.index("attended") + 1]
_PART_OF_THE_NEXT = "planned"


class Loss(StrEnum):
    """Why people who would have come did not."""

    NOT_OFFERED = "not offered"
    NO_LINK_WORKER = "no link worker"
    DECLINED = "declined"
    NOT_REACHED = "not reached"
    NO_SERVICE = "no service"
    FULL = "full"
    NOT_CONNECTED = "not connected"
    NOT_ATTENDED = "not attended"


@dataclass(frozen=True)
class Provision:
    """What is known to be missing in a ward; False where it is there or nobody told us."""

    link_worker_absent: bool = False
    services_absent: bool = False
    # There are services of the ward's own, and none has room.
    all_full: bool = False


class Part(NamedTuple):
    """People lost at one point, below 0 where the ward does better than the board."""

    loss: Loss
    people: float
    # The first: fewer were referred than the lower 95% limit around the expected. The others: the
    # board's share lies outside the ward's 95% interval, below or above.
    is_beyond_chance: bool


@dataclass(frozen=True)
class Leak:
    """The shortfall of people who reach `until`, and the parts it is made of, in order.

    They add up to it. Below 0, more reach it than the board's rates and shares would give.
    """

    parts: tuple[Part, ...]
    shortfall: float
    until: str

    @property
    def by_loss(self) -> dict[Loss, float]:
        """People by loss, in order: one that stands at two points is added up."""
        return {
            loss: sum(part.people for part in self.parts if part.loss is loss)
            for loss in dict.fromkeys(part.loss for part in self.parts)
        }

    @property
    def main(self) -> Loss | None:
        """The loss of most people, the earlier of two; `None` where there is no shortfall."""
        by_loss = self.by_loss
        most = max(by_loss, key=lambda loss: by_loss[loss])
        # A shortfall of no more than a last digit has no part above 0.
        return most if self.shortfall > 0 and by_loss[most] > 0 else None

    @property
    def main_share(self) -> float | None:
        """The main loss as a share (0-1) of all that is lost, whatever is gained elsewhere."""
        main = self.main
        if main is None:
            return None
        return self.by_loss[main] / sum(max(people, 0) for people in self.by_loss.values())


class _Share(NamedTuple):
    share: float
    lower: float
    upper: float


_UNKNOWN = _Share(math.nan, math.nan, math.nan)


def decompose(
    expected: float,
    referred: float,
    ward_steps: pd.DataFrame,
    board_shares: Mapping[str, float | None],
    reason: Provision,
) -> Leak:
    """The leak of one ward: expected x the board's shares, less referred x the ward's own.

    `ward_steps`: the rows of `judge_steps` of the ward (step, share, lower, upper, state).
    `board_shares`: the board's share (0-1) by step; a step that is not there or missing was not
    recorded. From accepted to attended. First the referrals that are missing, at the board's
    shares; then at each step the referred at the ward's own shares so far, the difference of the
    two shares, and the board's from there on.

    A share is of the last recorded step before. So a step that is not recorded, in the ward or in
    the board, is judged with the next that is recorded in both, and so is a plan. After a hidden
    share nobody knows what the next is of: the chain ends before it, and where no later step is
    known in both. `until` is the last step in it, "referred" where there is none. `ValueError` for
    a missing or negative number of expected or referred.
    """
    if pd.isna(expected) or pd.isna(referred) or expected < 0 or referred < 0:
        raise ValueError(f"expected numbers from 0 up, found {expected} and {referred}")
    ends, ward, board = _chain(ward_steps, board_shares)
    board_after = [math.prod(board[place:]) for place in range(len(board) + 1)]
    is_low = bool(referred < funnel_limits(expected)[0])
    parts = [Part(_at(REFERRED, reason), (expected - referred) * board_after[0], is_low)]
    reached = float(referred)
    for place, step in enumerate(ends):
        (own, lower, upper), theirs = ward[place], board[place]
        people = reached * (theirs - own) * board_after[place + 1]
        parts.append(Part(_at(step, reason), people, theirs < lower or theirs > upper))
        reached *= own
    return Leak(tuple(parts), expected * board_after[0] - reached, ends[-1] if ends else REFERRED)


def _chain(
    ward_steps: pd.DataFrame, board_shares: Mapping[str, float | None]
) -> tuple[list[str], list[_Share], list[float]]:
    """The steps at which both are known, and the shares of the ward and of the board between."""
    shares = ward_steps[["share", "lower", "upper"]].astype("Float64")
    rows = shares.to_numpy(float, na_value=np.nan).tolist()
    told = {
        str(step): (_Share(*row), state)
        for step, row, state in zip(ward_steps["step"], rows, ward_steps["state"], strict=True)
    }
    ends: list[str] = []
    ward: list[_Share] = []
    board: list[float] = []
    own_since: list[_Share] = []
    theirs_since: list[float] = []
    for step in _CHAIN:
        own, state = told.get(step, (_UNKNOWN, NOT_RECORDED))
        if state == IS_HIDDEN:
            break
        told_share = board_shares.get(step)
        theirs = math.nan if told_share is None or pd.isna(told_share) else told_share
        if not math.isnan(own.share):
            own_since.append(own)
        if not math.isnan(theirs):
            theirs_since.append(theirs)
        if step != _PART_OF_THE_NEXT and not math.isnan(own.share + theirs):
            ends.append(step)
            ward.append(_product(own_since))
            board.append(math.prod(theirs_since))
            own_since, theirs_since = [], []
    return ends, ward, board


def _product(shares: Sequence[_Share]) -> _Share:
    """The product of shares one after the other, with its 95% interval.

    Source: Zou and Donner 2008 (Statistics in Medicine 27:1693-1702), limits recovered from those
    of each share, on the log scale; of one share its own. Nobody at one: from 0 up.
    """
    if len(shares) == 1:
        return shares[0]
    share, lower, upper = (np.array(values, dtype=float) for values in zip(*shares, strict=True))
    if not share.all():
        return _Share(0.0, 0.0, float(np.where(share == 0, upper, share).prod()))
    down, up = (np.linalg.norm(np.log(limit / share)) for limit in (lower, upper))
    middle = share.prod()
    return _Share(float(middle), float(middle * np.exp(-down)), float(middle * np.exp(up)))


def _at(step: str, reason: Provision) -> Loss:
    """The loss before a step, by what the ward lacks."""
    if step in (REFERRED, "contacted") and reason.link_worker_absent:
        return Loss.NO_LINK_WORKER
    if step in (REFERRED, "connected") and reason.services_absent:
        return Loss.NO_SERVICE
    if step == "connected" and reason.all_full:
        return Loss.FULL
    return {
        REFERRED: Loss.NOT_OFFERED,
        "accepted": Loss.DECLINED,
        "contacted": Loss.NOT_REACHED,
        "connected": Loss.NOT_CONNECTED,
        "attended": Loss.NOT_ATTENDED,
    }[step]
