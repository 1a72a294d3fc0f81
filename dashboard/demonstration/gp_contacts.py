"""A return of contacts with the GP: attendances of some people before and after a referral."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dashboard.demonstration.outcomes import MEASURED_SINCE
from dashboard.demonstration.pathway import Pathway
from dashboard.demonstration.places import KENT
from dashboard.demonstration.practices import Practices
from dashboard.demonstration.referrals import LAST_DAY, Referrals
from dashboard.demonstration.story import Story
from dashboard.demonstration.tables import csv_file
from dashboard.intake.source import Source

# Of the referrals that closed.
TOLD = 0.15
SIX_MONTHS = 182  # days
# Attendances in six months: on average, how alike people are, and what is left of them later.
BEFORE, ALIKE, LEFT = 5.0, 2.0, 0.82


def gp_contact_files(
    made: Practices,
    referrals: Referrals,
    pathway: Pathway,
    story: Story,
    rng: np.random.Generator,
) -> list[Source]:
    """Kent's file; Medway sends none. Six months that are not over are blank."""
    count = len(referrals.received)
    pcn = pathway.columns["pcn_code"]
    board = made.practices["board"].to_numpy(dtype=object)[referrals.practice]
    told = (pathway.days["closed"] <= LAST_DAY) & (referrals.received >= MEASURED_SINCE)
    told &= (board == KENT.icb_code) & (pcn != story.without_gp_contacts)
    who = np.flatnonzero(told & (rng.random(count) < TOLD))
    usual = rng.gamma(ALIKE, BEFORE / ALIKE, len(who))
    before, after = rng.poisson(usual), rng.poisson(LEFT * usual).astype(object)
    after[referrals.received[who] + SIX_MONTHS > LAST_DAY] = ""
    columns: dict[str, Iterable[object]] = {
        "reference": pathway.columns["reference"][who],
        "attendances_before": before,
        "attendances_after": after,
        "period": [str(LAST_DAY)[:7]] * len(who),
        "pcn_code": pcn[who],
    }
    return [csv_file("demonstration contacts with the GP Kent.csv", columns)]
