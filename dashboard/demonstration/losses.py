"""Where people are lost on the way: what differs between PCNs, over time and by deprivation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from dashboard.demonstration.referrals import LAST_DAY, NEVER, Days, Lots, Referrals, Texts
from dashboard.demonstration.story import Story

COMPLETED, DECLINED, NOT_REACHED = "completed", "declined support", "could not be reached"
NO_SERVICE, HANDED_ON = "no suitable service", "handed to another service"
# Shares of those who came that far; who declines is rarer the less deprived the place.
DECLINING, UNCONNECTED, HANDED, LEFT_EARLY = 0.6, 0.15, 0.12, 0.09
MOST_DEPRIVED = 0.2
UNCONTACTED, UNCONTACTED_LATELY = 0.28, 0.45
LATELY = np.datetime64("2025-10-01")
# Dates typed wrongly, each kind.
MISTAKES, MOST_DAYS_OFF = 0.001, 20
CONTACT = ("first_contact", "plan_agreed", "connected", "attended", "ot_referred", "ot_accepted")


def with_losses(
    steps: Mapping[str, Days],
    closed_reason: Texts,
    pcn: Texts,
    referrals: Referrals,
    story: Story,
    rng: np.random.Generator,
) -> tuple[dict[str, Days], Texts]:
    """The steps and the reasons of closing once people are lost on the way.

    The month in which a referral ends, and whether it ends for lack of a service, stay as they
    are: other pages tell of these.
    """
    days = {step: column.copy() for step, column in steps.items()}
    reason = closed_reason.copy()

    def drawn(share: float | npt.NDArray[np.float64]) -> Lots:
        lots: Lots = rng.random(len(reason)) < share
        return lots

    def lose(where: Lots, lost: Iterable[str], why: str) -> None:
        for step in lost:
            days[step][where] = NEVER
        reason[where & (reason == COMPLETED)] = why

    # More people decline where there is more deprivation: of those who were never contacted.
    declining = (days["accepted"] != NEVER) & (days["first_contact"] == NEVER)
    declining &= (days["closed"] <= LAST_DAY) & (reason != NO_SERVICE)
    declining &= drawn(DECLINING * (1 - referrals.place))
    days["declined"][declining] = days["closed"][declining]
    days["accepted"][declining] = NEVER
    reason[declining] = DECLINED

    is_lately = (pcn == story.fewer_contacted_lately) & (referrals.received >= LATELY)
    few = (pcn == story.few_contacted) & drawn(UNCONTACTED)
    lose(few | (is_lately & drawn(UNCONTACTED_LATELY)), CONTACT, NOT_REACHED)
    unconnected = (referrals.place < MOST_DEPRIVED) & drawn(UNCONNECTED)
    unconnected &= days["connected"] != NEVER
    lose(unconnected, ("connected", "attended"), HANDED_ON)
    usual = ~np.isin(reason, ["", COMPLETED, NO_SERVICE]) & (days["first_contact"] != NEVER)
    reason[usual & drawn(HANDED)] = HANDED_ON
    days["plan_agreed"][pcn == story.without_plan_dates] = NEVER

    for step, before in (
        ("first_contact", referrals.received),
        ("plan_agreed", days["first_contact"]),
        ("attended", days["connected"]),
    ):
        mistaken = drawn(MISTAKES) & (days[step] <= LAST_DAY) & (before <= LAST_DAY)
        wrong = before - rng.integers(1, MOST_DAYS_OFF + 1, len(reason))
        days[step] = np.where(mistaken, wrong, days[step])
    # Some go once, and don't stay.
    reason[(reason == COMPLETED) & drawn(LEFT_EARLY)] = DECLINED
    return days, reason
