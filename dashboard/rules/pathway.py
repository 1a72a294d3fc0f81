"""The steps of a referral: who reaches each, who is lost before it, and how long it takes.

Source of the curve of first contact: Aalen and Johansen 1978 (cumulative incidence), its variance
by the delta method in Greenwood's form (Marubini and Valsecchi 1995), the interval on the log-log
scale (Choudhury 2002, Statistics in Medicine 21:1129-1144).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from dashboard.rules.disclosure import hidden_flag
from dashboard.rules.endings import Ending, ending_of
from dashboard.rules.rates import CONFIDENCE, wilson_limits

REFERRED = "referred"
# In order; what was offered and what was declined stand beside them.
STEPS = ("accepted", "contacted", "planned", "connected", "attended", "completed")
STEP_TITLES: Mapping[str, str] = {
    REFERRED: "Referred",
    "accepted": "Accepted",
    "contacted": "Contacted",
    "planned": "Plan agreed",
    "connected": "Connected to a service",
    "attended": "Attended",
    "completed": "Completed",
}
_DATES = {
    "accepted": "accepted_on",
    "contacted": "first_contact_on",
    "planned": "plan_agreed_on",
    "connected": "connected_on",
    "attended": "attended_on",
}
RECORDED, NOT_RECORDED, IS_HIDDEN = "recorded", "not recorded", "hidden"
_COLUMNS = (
    "group", "step", "people", "people_hidden", "of", "open", "lost", "share", "lower", "upper",
    "state",
)  # fmt: skip
# With so many who went on or ended and not one date, a step is not recorded rather than reached by
# nobody. Ours: of 30 with none, at most a tenth would be reached (the rule of three).
ENOUGH_PEOPLE = 30
# Waits are counted by whole day; the last place of a histogram is all that took longer.
LAST_DAY = 365
OVER_A_YEAR = LAST_DAY + 1
# Of fewer, no median is shown.
LEAST_WAITS = 10


class DayQuantiles(NamedTuple):
    """Whole days; `OVER_A_YEAR` where it took longer than 365, missing of too few people."""

    median: int | None
    p90: int | None


def endings(referrals: pd.DataFrame) -> pd.Series[str]:
    """How each referral ended, in the words of `Ending`; missing while it is open.

    `referrals`: one row each, as in `step_facts`. It has ended when it was declined or closed, as
    in the open caseload; a reason without the day of closing ends nothing. Closed after attending
    with no reason said is completed.
    """
    closed, declined = referrals["closed_on"].notna(), referrals["declined_on"].notna()
    reason = referrals["closed_reason"].where(closed).astype(object).fillna("")
    ending_by = {
        (said, has_declined): ending_of(said, has_declined).value
        for said in reason.unique()
        for has_declined in (False, True)
    }
    found = pd.Series(
        [ending_by[pair] for pair in zip(reason, declined, strict=True)], referrals.index, dtype=str
    )
    no_reason = (found == Ending.NOT_SAID) & referrals["attended_on"].notna()
    return found.mask(no_reason, Ending.COMPLETED.value).where(closed | declined)


def step_facts(referrals: pd.DataFrame) -> pd.DataFrame:
    """Counts to be added up, 0 or 1 a referral: referrals, offered, declined, and for each of
    `STEPS` `<step>` (reached), `<step>_dated` and `<step>_open`.

    `referrals`: one row each with offered_on, declined_on, accepted_on, first_contact_on,
    plan_agreed_on, connected_on, attended_on, closed_on (dates or missing) and closed_reason.

    - reached: its own date is there or a later step is reached, so that a gap in between is
      filled; the order of the dates does not matter, nor whether one lies before the referral
      (its days are left out, and counted);
    - dated: its own date is there; of completed, the day of closing;
    - open: reached the step before, not this one, and neither declined nor closed;
    - declined and contacted later: both stand. It has ended, as in the open caseload.

    A referral without an offer may well have been offered: only "recorded for so many" is known.
    """
    ending = endings(referrals)
    dated = {step: referrals[column].notna() for step, column in _DATES.items()}
    dated["completed"] = (ending == Ending.COMPLETED).astype(bool)
    reached = {}
    later = pd.Series(False, referrals.index)
    for step in reversed(STEPS):
        later = later | dated[step]
        reached[step] = later
    counts = {
        "referrals": pd.Series(True, referrals.index),
        "offered": referrals["offered_on"].notna(),
        "declined": referrals["declined_on"].notna(),
    }
    before, is_open = counts["referrals"], ending.isna()
    for step in STEPS:
        counts[step] = reached[step]
        counts[f"{step}_dated"] = dated[step]
        counts[f"{step}_open"] = before & ~reached[step] & is_open
        before = reached[step]
    return pd.DataFrame(counts).astype("int64")


def judge_steps(sums: pd.DataFrame) -> pd.DataFrame:
    """One row per group and step, "referred" first: group, step, people, people_hidden, of, open,
    lost, share, lower, upper, state.

    `sums`: one row per group with `group` and the sums of `step_facts` as they may be shown, with
    their hidden flags where numbers are hidden: everything here comes from these. `of` reached the
    last recorded step before, `open` of them may still reach this one, `lost` ended without;
    `share` is people / (people + lost) with Wilson's 95% interval. Rounded numbers can leave less
    than nobody lost: then nobody is.

    `state` is "not recorded" where no date is there although people were referred, and either a
    later step has dates, or no step has, or at least `ENOUGH_PEOPLE` went on or ended: all is
    missing then, never 0. It is "hidden" where a number it takes is.
    """
    there = {step: _is_there(sums, f"{step}_dated") for step in STEPS}
    nobody = (sums["referrals"] == 0).fillna(False).astype(bool)
    any_there = pd.concat(there, axis=1).any(axis=1)
    before = sums["referrals"].astype("Int64")
    still_open = pd.Series(pd.NA, sums.index, dtype="Int64")
    was_recorded = pd.Series(True, sums.index)
    referred = {
        "people": before,
        "people_hidden": _is_hidden(sums, "referrals"),
        "state": _state(before.isna(), was_recorded),
    }
    blocks = [pd.DataFrame({"group": sums["group"], "step": REFERRED, **referred})]
    for place, step in enumerate(STEPS):
        # Nobody stands between a step that is not recorded and the next, so those still open
        # since the last recorded one are those of the first step after it.
        still_open = still_open.mask(was_recorded, sums[f"{step}_open"].astype("Int64"))
        later_there = pd.concat([there[name] for name in STEPS[place:]], axis=1).any(axis=1)
        is_enough = (before - still_open >= ENOUGH_PEOPLE).fillna(False).astype(bool)
        recorded = there[step] | nobody | ~(later_there | ~any_there | is_enough)
        people = sums[step].astype("Int64").where(recorded)
        of, open_now = before.where(recorded), still_open.where(recorded)
        lost = (of - people - open_now).clip(lower=0)
        lower, upper = _wilson(people, lost)
        block = {
            "group": sums["group"],
            "step": step,
            "people": people,
            "people_hidden": _is_hidden(sums, step) & recorded,
            "of": of,
            "open": open_now,
            "lost": lost,
            "share": _share(people, lost),
            "lower": lower,
            "upper": upper,
            "state": _state(lost.isna(), recorded),
        }
        blocks.append(pd.DataFrame(block))
        before, was_recorded = before.mask(recorded, people), recorded
    # Group by group: the blocks hold the groups in the same order.
    long = pd.concat([block.assign(place=range(len(sums))) for block in blocks])
    return long.sort_values("place", kind="stable")[list(_COLUMNS)].reset_index(drop=True)


def day_quantiles(counts: npt.ArrayLike) -> DayQuantiles:
    """The median and the 90th percentile of waits: the smallest day by which at least half, or
    nine in ten, are reached (the lower median of an even number).

    `counts` has people by whole day from 0 to 365, and in its last place those over a year.
    Missing below `LEAST_WAITS` people. `ValueError` for another length.
    """
    people = _by_day(counts)
    reached = people.cumsum()
    total = reached[-1]
    if total < LEAST_WAITS:
        return DayQuantiles(None, None)
    # In whole numbers: a share of floating ones can miss its line.
    return DayQuantiles(
        int(np.argmax(2 * reached >= total)), int(np.argmax(10 * reached >= 9 * total))
    )


def contacted_by_day(
    contacted: npt.ArrayLike, ended: npt.ArrayLike, still_open: npt.ArrayLike
) -> pd.DataFrame:
    """The share contacted by each day since the referral: day (0 to 365), share, lower, upper,
    at_risk.

    Each argument has people by whole day, as in `day_quantiles`: first contacted on the day, ended
    on it without contact, or open without contact and only so old. The open may still be
    contacted (censored, after those of their day); who ended won't be (a competing event). Whose
    contact is only implied by a later step has no day and is left out.

    Aalen-Johansen with a 95% interval on the log-log scale, missing while nobody is contacted and
    where everybody is. From the day on which nobody is left to tell, and not all have ended or
    been contacted, all is missing. `at_risk` is people at the start of the day.
    """
    contacts, ends, opens = (_by_day(counts) for counts in (contacted, ended, still_open))
    leaving = contacts + ends + opens
    at_risk = (leaving.sum() - leaving.cumsum() + leaving)[:-1].astype(float)
    contacts, ends = contacts[:-1], ends[:-1]
    people = np.where(at_risk == 0, 1, at_risk)
    contact, end = contacts / people, ends / people
    survival = np.cumprod((at_risk - contacts - ends + (at_risk == 0)) / people)
    before = np.concatenate([[1.0], survival[:-1]])
    share = np.cumsum(before * contact)
    variance = _variance(share, before, survival, contact, end, people)
    inside = (share > 0) & (share < 1) & (variance > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(variance) / (share * -np.log(share))
        reach = np.exp(ndtri((1 + CONFIDENCE) / 2) * error)
        lower, upper = share**reach, share ** (1 / reach)
    nobody_tells = (at_risk == 0) & (before > 0)
    return pd.DataFrame(
        {
            "day": np.arange(OVER_A_YEAR),
            "share": np.where(nobody_tells, np.nan, share),
            "lower": np.where(inside & ~nobody_tells, lower, np.nan),
            "upper": np.where(inside & ~nobody_tells, upper, np.nan),
            "at_risk": at_risk.astype(int),
        }
    )


def _variance(
    share: npt.NDArray[np.float64],
    before: npt.NDArray[np.float64],
    survival: npt.NDArray[np.float64],
    contact: npt.NDArray[np.float64],
    end: npt.NDArray[np.float64],
    people: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """The variance of each day's share: what the contacts and ends of the days up to it add, each
    day a multinomial draw of those at risk.

    `later` has a row for a day and a column for an earlier one: the share of those left after the
    earlier day who are contacted by the day.
    """
    gained = np.tril(share[:, None] - share[None, :])
    later = gained / np.where(survival == 0, 1, survival)
    mean = (1 - later) * contact - later * end
    spread = (1 - later) ** 2 * contact + later**2 * end - mean**2
    added: npt.NDArray[np.float64] = np.tril(before**2 / people * spread).sum(axis=1)
    return added


def _by_day(counts: npt.ArrayLike) -> npt.NDArray[np.int64]:
    people = np.asarray(counts, dtype=np.int64)
    if people.shape != (OVER_A_YEAR + 1,):
        raise ValueError(f"expected people by day in {OVER_A_YEAR + 1} places")
    return people


def _is_hidden(sums: pd.DataFrame, column: str) -> pd.Series[bool]:
    flag = hidden_flag(column)
    return sums[flag].astype(bool) if flag in sums else pd.Series(False, sums.index)


def _is_there(sums: pd.DataFrame, column: str) -> pd.Series[bool]:
    """Where a sum is above 0: a hidden one is taken to be."""
    return (sums[column] > 0).fillna(False).astype(bool) | _is_hidden(sums, column)


def _state(is_unknown: pd.Series[bool], recorded: pd.Series[bool]) -> pd.Series[str]:
    words = np.where(recorded, np.where(is_unknown, IS_HIDDEN, RECORDED), NOT_RECORDED)
    return pd.Series(words, is_unknown.index, dtype=str)


def _share(people: pd.Series[int], lost: pd.Series[int]) -> pd.Series[float]:
    told = (people + lost).astype("Float64")
    return people / told.mask(told == 0)


def _wilson(
    people: pd.Series[int], lost: pd.Series[int]
) -> tuple[pd.Series[float], pd.Series[float]]:
    seen, told = (
        values.astype("Float64").to_numpy(float, na_value=np.nan)
        for values in (people, people + lost)
    )
    lower, upper = (
        pd.Series(limit, people.index).astype("Float64") for limit in wilson_limits(seen, told)
    )
    return lower, upper
