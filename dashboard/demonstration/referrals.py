"""Simulated referrals: where need is high there are more, where a component is missing few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboard.demonstration.places import MEDWAY_LAD, RANKED_LSOAS, Places
from dashboard.demonstration.practices import Practices
from dashboard.demonstration.story import Story
from dashboard.rules.ages import ADULT_BANDS, age_band_of

Rows = npt.NDArray[np.int64]

Days = npt.NDArray[np.datetime64]
Texts = npt.NDArray[np.object_]
Lots = npt.NDArray[np.bool_]

FIRST_MONTH = np.datetime64("2023-07")
MONTHS = 36
LAST_DAY = np.datetime64("2026-06-30")
NEVER = np.datetime64("2200-01-01")
WINDOW = 12  # the last months, in which take-up is judged
STOPPED_MONTHS = 8
# Referrals of 1,000 adults in a year, midway between the most and the least deprived.
RATE = 12.6
BY_AGE = {"18-39": 0.8, "40-64": 0.95, "65-79": 1.1, "80+": 1.7}
# By month of the year: fewer in August and December, more after New Year.
SEASON = (1.12, 1.06, 1.05, 0.98, 1.0, 1.02, 0.97, 0.86, 1.03, 1.06, 1.03, 0.82)
FEW_A_YEAR = 5


@dataclass(frozen=True)
class Referrals:
    """One entry a referral, in the order received: day, LSOA and practice (rows of their
    frames), age band, and the LSOA's place from most (0) to least deprived (1)."""

    received: npt.NDArray[np.datetime64]
    lsoa: Rows
    practice: Rows
    age_band: npt.NDArray[np.object_]
    place: npt.NDArray[np.float64]


def make_referrals(
    places: Places, made: Practices, story: Story, rng: np.random.Generator
) -> Referrals:
    """Draw how many from each LSOA in each month, then when and through which practice."""
    place = places.lsoas["imd_rank"].to_numpy() / RANKED_LSOAS
    bands = np.array([age_band_of(age) for age in range(places.ages.shape[1])])
    people = np.stack([places.ages[:, bands == band].sum(axis=1) for band in ADULT_BANDS], axis=1)
    by_age = people * np.array([BY_AGE[band] for band in ADULT_BANDS])
    a_month = by_age.sum(axis=1) * RATE / 1_000 / 12 * (1.65 - 1.2 * place)
    months = np.arange(MONTHS)
    season = np.array(SEASON)[(months + 6) % 12]
    growing = np.linspace(0.9, 1.08, MONTHS)
    expected = a_month[:, None] * season * growing * _ward_factors(places, story, rng)
    drawn = rng.poisson(_with_few(expected, places, story))
    lsoa, month = (np.repeat(axis.ravel(), drawn.ravel()) for axis in np.indices(drawn.shape))
    practice = _by_share(made.patients, lsoa, rng)
    kept = _is_sent(made, story, practice, month, rng)
    lsoa, month, practice = lsoa[kept], month[kept], practice[kept]
    received = _working_days(month, rng)
    upto = np.cumsum(by_age, axis=1)[lsoa] / by_age.sum(axis=1)[lsoa][:, None]
    band = np.array(ADULT_BANDS, dtype=object)[(rng.random(len(lsoa))[:, None] > upto).sum(axis=1)]
    order = np.argsort(received, kind="stable")
    return Referrals(received[order], lsoa[order], practice[order], band[order], place[lsoa][order])


def _ward_factors(
    places: Places, story: Story, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """By LSOA and month: take-up of its ward against that of others like it."""
    wards = places.wards
    factor = dict(zip(wards["WD25CD"], rng.lognormal(0, 0.05, len(wards)), strict=True))
    factor |= dict.fromkeys(story.low, 0.5) | dict.fromkeys(story.high, 1.6)
    factor |= dict.fromkeys((*story.stale, *story.without_services), 0.5)
    thanet = wards.loc[wards["LAD25NM"] == "Thanet", "WD25CD"]
    factor |= {code: 0.08 for code in thanet if code not in story.served_in_thanet}
    medway = wards.loc[wards["LAD25CD"] == MEDWAY_LAD, "WD25CD"]
    factor |= dict.fromkeys(medway, 0.6)  # its schemes began late
    by_lsoa = places.lsoas["WD25CD"].map(factor).to_numpy(dtype=float)
    factors = np.repeat(by_lsoa[:, None], MONTHS, axis=1)
    factors[places.lsoas["WD25CD"].isin(story.not_reached).to_numpy(), -WINDOW:] = 0
    return factors


def _with_few(
    expected: npt.NDArray[np.float64], places: Places, story: Story
) -> npt.NDArray[np.float64]:
    """The same, scaled down in the wards that have so few that the number is hidden."""
    wards = places.lsoas["WD25CD"]
    scaled = expected.copy()
    for code in story.few:
        rows = (wards == code).to_numpy()
        scaled[rows] *= FEW_A_YEAR / expected[rows, -WINDOW:].sum()
    return scaled


def _by_share(patients: pd.DataFrame, lsoa: Rows, rng: np.random.Generator) -> Rows:
    """A practice for each referral, as the registered people of its LSOA are shared out."""
    upto = patients["patients"].cumsum().to_numpy()
    last = np.flatnonzero(np.diff(patients["lsoa"], append=-1))
    ends = upto[last]
    starts = np.concatenate([[0], ends[:-1]])
    aim = starts[lsoa] + rng.random(len(lsoa)) * (ends - starts)[lsoa]
    rows: Rows = patients["practice"].to_numpy(dtype=np.int64)
    found: Rows = rows[np.searchsorted(upto, aim, side="right")]
    return found


def _is_sent(
    made: Practices, story: Story, practice: Rows, month: Rows, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Few come without a link worker, and from the PCN that stopped none any more."""
    pcns = made.practices["pcn_code"]
    without = pcns.isin(story.without_link_worker).to_numpy(dtype=bool)[practice]
    stopped = (pcns == story.stopped_referrals).to_numpy(dtype=bool)[practice]
    lost = without & (rng.random(len(month)) > 0.25)
    return ~(lost | (stopped & (month >= MONTHS - STOPPED_MONTHS)))


def _working_days(month: Rows, rng: np.random.Generator) -> npt.NDArray[np.datetime64]:
    """A working day of each month, by lot."""
    first = (FIRST_MONTH + month).astype("datetime64[D]")
    after = (FIRST_MONTH + month + 1).astype("datetime64[D]")
    days = np.busday_count(first, after)
    chosen = (rng.random(len(month)) * days).astype(np.int64)
    return np.busday_offset(first, chosen, roll="forward")
