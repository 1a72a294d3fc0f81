"""How people do before and after: scores of questionnaires, their bands and paired change.

A change is what people told at the start and later, not the effect of anything done between.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from math import fsum, sqrt

import numpy as np
import pandas as pd

from dashboard.rules.control_chart import Improvement
from dashboard.rules.rates import t_limits, wilson_limits

SWEMWBS_ITEMS = 7
# The metric score of each raw total, from 7. Source: Warwick-Edinburgh conversion table (Stewart-
# Brown et al. 2009, Health and Quality of Life Outcomes 7:15).
_METRIC = (
    7.0, 9.51, 11.25, 12.4, 13.33, 14.08, 14.75, 15.32, 15.84, 16.36, 16.88, 17.43, 17.98, 18.59,
    19.25, 19.98, 20.73, 21.54, 22.35, 23.21, 24.11, 25.03, 26.02, 27.03, 28.13, 29.31, 30.7, 32.55,
    35.0,
)  # fmt: skip
# The last score of each band. Source: Office for National Statistics, personal well-being
# thresholds.
ANXIOUS = "anxious"
_BANDS = (("low", 4), ("medium", 6), ("high", 8), ("very high", 10))
_ANXIOUS_BANDS = (("very low", 1), ("low", 3), ("medium", 5), ("high", 10))
ONS4_QUESTIONS = ("life satisfaction", "worthwhile", "happy", ANXIOUS)
# Source: Office for National Statistics, national indicators of loneliness: three questions.
UCLA3_ANSWERS: Mapping[str, int] = {
    "hardly ever or never": 1,
    "some of the time": 2,
    "often": 3,
}
UCLA3_QUESTIONS = 3
# A convention (Steptoe et al. 2013), not of the Office for National Statistics.
LONELY_FROM = 6
# To which a change is judged: scores with two decimals miss a line by their last digits.
DECIMALS = 6
# A distribution has a column for each score up to so many, and bands above.
MOST_SCORES = 11


@dataclass(frozen=True)
class Scale:
    """What a score means: `better` is the end that is good for the person.

    `step` is 1 where only whole scores exist and `None` where fractions do; `band` is the width in
    which scores are drawn where they are not drawn one by one. `highest` is `None` for a count.
    """

    title: str
    unit: str
    lowest: int
    highest: int | None
    better: Improvement
    step: int | None = 1
    band: int = 1


_LIFE, _CONCERN = ("points (0 to 10)", 0, 10), ("points (0 best to 6 worst)", 0, 6)
# By measure and item. The seven answers of SWEMWBS are scored together, and the total is its metric
# score. PAM comes as it was scored elsewhere: its levels are licensed and none are here.
SCALES: Mapping[tuple[str, str], Scale] = {
    ("ONS4", "life satisfaction"): Scale("Life satisfaction", *_LIFE, Improvement.HIGH),
    ("ONS4", "worthwhile"): Scale("Feeling that life is worthwhile", *_LIFE, Improvement.HIGH),
    ("ONS4", "happy"): Scale("Happiness yesterday", *_LIFE, Improvement.HIGH),
    ("ONS4", ANXIOUS): Scale("Anxiety yesterday", *_LIFE, Improvement.LOW),
    ("SWEMWBS", "total"): Scale(
        "Mental wellbeing (SWEMWBS)", "metric points (7 to 35)", 7, 35, Improvement.HIGH, None, 4
    ),
    ("UCLA-3", "total"): Scale("Loneliness (UCLA-3)", "points (3 to 9)", 3, 9, Improvement.LOW),
    ("MYCaW", "concern 1"): Scale("First concern (MYCaW)", *_CONCERN, Improvement.LOW),
    ("MYCaW", "concern 2"): Scale("Second concern (MYCaW)", *_CONCERN, Improvement.LOW),
    ("MYCaW", "wellbeing"): Scale("Wellbeing (MYCaW)", *_CONCERN, Improvement.LOW),
    ("MYCaW", "total"): Scale("Profile (MYCaW)", *_CONCERN, Improvement.LOW, None),
    ("PAM", "total"): Scale(
        "Patient activation (PAM)", "points (0 to 100)", 0, 100, Improvement.HIGH, None, 10
    ),
    ("GP attendances", "attendances"): Scale(
        "Attendances at the GP", "attendances in 6 months", 0, None, Improvement.NEITHER, 1, 4
    ),
}
STATUSES = ("published", "convention")
COLUMNS = ("measure", "item", "least_change", "source", "status", "note")


@dataclass(frozen=True)
class Threshold:
    """The smallest change that counts as one, and who says so."""

    least_change: float
    source: str
    status: str
    note: str


@dataclass(frozen=True)
class Change:
    """The change of `n_pairs` people who have both scores; missing where there are none.

    `lower` and `upper` are the 95% interval of the mean change by Student's t, `sd_change` that of
    the sample: both missing below 2 pairs. `n_rose`, `n_unchanged` and `n_fell` are people by the
    threshold. Improved and worse are the same said in good and bad, with the share improved (0 to
    1) and Wilson's interval: missing where neither direction is better.
    """

    n_pairs: int
    mean_before: float | None
    mean_after: float | None
    mean_change: float | None
    sd_change: float | None
    lower: float | None
    upper: float | None
    n_rose: int
    n_unchanged: int
    n_fell: int
    n_improved: int | None
    n_worse: int | None
    share_improved: float | None
    share_lower: float | None
    share_upper: float | None


def swemwbs_metric(raw: float | None) -> float | None:
    """The metric score of a raw total; missing for anything but a whole number from 7 to 35.

    >>> swemwbs_metric(7), swemwbs_metric(20), swemwbs_metric(20.5), swemwbs_metric(36)
    (7.0, 18.59, None, None)
    """
    if pd.isna(raw) or not _is_whole(raw, SWEMWBS_ITEMS, SWEMWBS_ITEMS * 5):
        return None
    return _METRIC[int(raw) - SWEMWBS_ITEMS]


def swemwbs_score(items: Sequence[float | None]) -> float | None:
    """The metric score of seven answers, each a whole number from 1 to 5; missing where one is:
    nothing is filled in."""
    known = [item for item in items if pd.notna(item) and _is_whole(item, 1, 5)]
    if not len(known) == len(items) == SWEMWBS_ITEMS:
        return None
    return swemwbs_metric(sum(known))


def ons4_band(question: str, score: float | None) -> str | None:
    """The band of an answer, missing for anything but a whole number from 0 to 10. The four
    questions stand apart: no mean of them means anything. `ValueError` for another question."""
    if question not in ONS4_QUESTIONS:
        raise ValueError(f"expected one of {', '.join(ONS4_QUESTIONS)}, found {question!r}")
    if pd.isna(score) or not _is_whole(score, 0, 10):
        return None
    bands = _ANXIOUS_BANDS if question == ANXIOUS else _BANDS
    return next(band for band, last in bands if score <= last)


def ucla3_score(answers: Sequence[str | None]) -> int | None:
    """The sum of three answers, 3 to 9 (most lonely); missing where one is, or is no such answer."""
    points = [UCLA3_ANSWERS.get((answer or "").strip().casefold()) for answer in answers]
    known = [point for point in points if point is not None]
    return sum(known) if len(known) == len(answers) == UCLA3_QUESTIONS else None


def is_lonely(ucla3: float | None) -> bool | None:
    """Whether a UCLA-3 score is at least 6; missing where it is."""
    return None if pd.isna(ucla3) else ucla3 >= LONELY_FROM


def thresholds_of(text: str) -> dict[tuple[str, str], Threshold]:
    """The thresholds of a CSV file with the columns of `COLUMNS`, by measure and item.

    `ValueError` with each bad line and why.
    """
    rows = csv.DictReader(StringIO(text))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise ValueError(f"expected the columns {', '.join(COLUMNS)}")
    found: dict[tuple[str, str], Threshold] = {}
    problems = []
    for row in rows:
        key = (row["measure"], row["item"])
        wrong = _wrong(row, found)
        if wrong:
            problems.append(f"line {rows.line_num}: {wrong}")
        else:
            least = float(row["least_change"])
            found[key] = Threshold(least, row["source"], row["status"], row["note"])
    if problems:
        raise ValueError("; ".join(problems))
    return found


def paired_change(
    pairs: pd.DataFrame, *, least_change: float, higher_is_better: bool | None
) -> Change:
    """The change of people with both scores.

    `pairs`: before, after, people; how many people have these two scores, in any order. A change
    of the threshold or more counts as one, up or down; `higher_is_better` is `None` where neither
    end is. The result does not depend on the order of the rows, to the last digit. `ValueError`
    for a threshold that is not above 0.
    """
    if not least_change > 0:
        raise ValueError(f"expected a least change above 0, found {least_change}")
    before, after, people = _counted(pairs)
    change = [round(later - first, DECIMALS) for first, later in zip(before, after, strict=True)]
    n = sum(people)
    mean = _mean(change, people)
    sd = lower = upper = None
    if mean is not None and n >= 2:
        squares = [(value - mean) ** 2 for value in change]
        sd = sqrt(fsum(_times(squares, people)) / (n - 1))
        lower, upper = (float(limit) for limit in t_limits(mean, sd, n))
    least = round(least_change, DECIMALS)
    rose = sum(count for value, count in zip(change, people, strict=True) if value >= least)
    fell = sum(count for value, count in zip(change, people, strict=True) if value <= -least)
    improved, worse = {True: (rose, fell), False: (fell, rose), None: (None, None)}[
        higher_is_better
    ]
    share, share_lower, share_upper = _share(improved, n)
    return Change(
        n_pairs=n,
        mean_before=_mean(before, people),
        mean_after=_mean(after, people),
        mean_change=mean,
        sd_change=sd,
        lower=lower,
        upper=upper,
        n_rose=rose,
        n_unchanged=n - rose - fell,
        n_fell=fell,
        n_improved=improved,
        n_worse=worse,
        share_improved=share,
        share_lower=share_lower,
        share_upper=share_upper,
    )


def score_distribution(pairs: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """One row per score, or band of scores, lowest first: from_score, to_score, before, after
    (people).

    `pairs` as in `paired_change`. A scale of at most 11 whole scores has a row for each, with
    nobody too. Others have bands of the scale's width: from `from_score` to below `to_score`, the
    last one of a scale with fractions with its upper end. A count goes up to the highest there is.
    `ValueError` for a score off the scale.
    """
    before, after, people = _counted(pairs)
    scores = [*before, *after]
    highest = scale.highest
    if highest is None:
        highest = max(scale.lowest + 1, int(np.ceil(max(scores, default=0))))
    if any(not scale.lowest <= score <= highest for score in scores):
        raise ValueError(f"expected scores from {scale.lowest} to {highest}")
    one_by_one = scale.step == 1 and highest - scale.lowest < MOST_SCORES
    if one_by_one:
        starts = ends = list(range(scale.lowest, highest + 1))
    else:
        # The last band of a scale with fractions holds its upper end; a count has a further one.
        starts = list(range(scale.lowest, highest + (scale.step or 0), scale.band))
        ends = [start + scale.band for start in starts]

    def placed(values: list[float]) -> list[int]:
        places = np.minimum(
            np.searchsorted(starts, np.array(values), side="right") - 1, len(starts) - 1
        )
        return [int(count) for count in np.bincount(places, people, len(starts))]

    return pd.DataFrame(
        {"from_score": starts, "to_score": ends, "before": placed(before), "after": placed(after)}
    )


def _counted(pairs: pd.DataFrame) -> tuple[list[float], list[float], list[int]]:
    """Each two scores once, in order, so that a sum has the same terms whatever came first."""
    whole = pairs[["before", "after", "people"]].astype(
        {"before": "float64", "after": "float64", "people": "int64"}
    )
    each = whole.groupby(["before", "after"], as_index=False)["people"].sum()
    return each["before"].tolist(), each["after"].tolist(), each["people"].tolist()


def _mean(values: Sequence[float], people: Sequence[int]) -> float | None:
    n = sum(people)
    return fsum(_times(values, people)) / n if n else None


def _times(values: Sequence[float], people: Sequence[int]) -> list[float]:
    return [value * count for value, count in zip(values, people, strict=True)]


def _share(events: int | None, of: int) -> tuple[float | None, float | None, float | None]:
    if events is None or not of:
        return None, None, None
    lower, upper = (float(limit) for limit in wilson_limits(events, of))
    return events / of, lower, upper


def _is_whole(value: float, lowest: int, highest: int) -> bool:
    return lowest <= value <= highest and value % 1 == 0


def _wrong(row: Mapping[str, str], found: Mapping[tuple[str, str], Threshold]) -> str:
    """Why a line can't be a threshold; "" where it can."""
    if None in row or None in row.values():
        return f"expected {len(COLUMNS)} columns"
    key = (row["measure"], row["item"])
    if key not in SCALES:
        return f"no measure and item {' '.join(key)!r}"
    if key in found:
        return f"{' '.join(key)} is there twice"
    try:
        least = float(row["least_change"])
    except ValueError:
        least = 0.0
    if not 0 < least < np.inf:
        return f"expected a least_change above 0, found {row['least_change']!r}"
    if row["status"] not in STATUSES:
        return f"expected a status of {' or '.join(STATUSES)}, found {row['status']!r}"
    return "" if row["source"].strip() else "expected a source"
