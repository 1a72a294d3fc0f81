"""A return of outcome measurements: how people say they do at the start, the end and later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboard.demonstration.losses import MOST_DEPRIVED
from dashboard.demonstration.pathway import Pathway, day_texts
from dashboard.demonstration.places import KENT
from dashboard.demonstration.practices import Practices
from dashboard.demonstration.referrals import LAST_DAY, NEVER, Days, Referrals, Rows
from dashboard.demonstration.story import Story
from dashboard.demonstration.tables import csv_file
from dashboard.intake.outcomes import POINTS, SWEMWBS, TOTAL
from dashboard.intake.source import Source
from dashboard.rules.wellbeing import swemwbs_metric

Floats = npt.NDArray[np.float64]

# Nothing was measured of people referred earlier. A year, and shares as small as they may be: every
# score takes its time when the demonstration is made.
MEASURED_SINCE = np.datetime64("2025-07-01")
# Of those who closed, and of these.
WITH_END, WITH_FOLLOW_UP = 0.8, 0.1
NOT_ANSWERED = 0.01
# How much of its change is told in the most deprived fifth.
DEPRIVED_CHANGE = 0.75
# How much of it is left later.
SHARE_LATER = 0.8


class Question(NamedTuple):
    """What is asked: where people stand at the start, how far apart, and how far they move.

    `slip` is by how much an answer misses how somebody does: the more, the more of a low start is
    made up for by the end, whatever is done.
    """

    item: str
    lowest: int
    highest: int
    start: float
    spread: float
    change: float
    slip: float
    step: float = 1


_CONCERN, _FEELING = (0, 6, 4.4, 0.9, -1.2, 0.9), (1, 5, 2.7, 0.6, 0.3, 0.5)
# By measure: the share of people contacted, and its questions.
MEASURES: dict[str, tuple[float, tuple[Question, ...]]] = {
    "ONS4": (
        0.2,
        (
            Question("life satisfaction", 0, 10, 5.1, 1.7, 0.9, 1.1),
            Question("worthwhile", 0, 10, 5.6, 1.7, 0.8, 1.1),
            Question("happy", 0, 10, 5.2, 1.6, 0.8, 1.5),
            Question("anxious", 0, 10, 5.3, 1.9, -0.8, 1.6),
        ),
    ),
    SWEMWBS: (0.08, tuple(Question(item, *_FEELING) for item in "1234567")),
    "UCLA-3": (0.06, (Question(TOTAL, 3, 9, 6.6, 1.4, -0.6, 0.7),)),
    "MYCaW": (
        0.03,
        tuple(Question(item, *_CONCERN) for item in ("concern 1", "concern 2", "wellbeing")),
    ),
    "PAM": (0.02, (Question(TOTAL, 0, 100, 49, 11, 5, 5, 0.1),)),
}


def outcome_files(
    made: Practices,
    referrals: Referrals,
    pathway: Pathway,
    story: Story,
    rng: np.random.Generator,
) -> list[Source]:
    """One file of both boards: Kent sends metric totals of SWEMWBS, Medway its seven answers."""
    pcn = pathway.columns["pcn_code"]
    measured = (pathway.days["first_contact"] <= LAST_DAY) & (referrals.received >= MEASURED_SINCE)
    measured &= pcn != story.without_outcomes
    board = made.practices["board"].to_numpy(dtype=object)[referrals.practice]
    pieces = []
    for measure, (share, questions) in MEASURES.items():
        who = np.flatnonzero(measured & (rng.random(len(pcn)) < share))
        days = _days(referrals, pathway, who, rng)
        days["end"][pcn[who] == story.outcomes_at_start_only] = NEVER
        days["follow-up"][days["end"] > LAST_DAY] = NEVER
        less = np.where(referrals.place[who] < MOST_DEPRIVED, DEPRIVED_CHANGE, 1.0)
        sends_totals = board[who] == KENT.icb_code
        for point, answers in _answers(questions, less, rng):
            told = days[point] <= LAST_DAY
            rows = pd.DataFrame({"row": who, "measure": measure, "point": point})
            rows["day"] = days[point]
            if measure == SWEMWBS:
                metric = pd.Series(answers.sum(axis=1)).map(swemwbs_metric)
                pieces.append(rows.assign(item=TOTAL, score=metric)[told & sends_totals])
                told &= ~sends_totals
            for question, scores in zip(questions, answers.T, strict=True):
                pieces.append(rows.assign(item=question.item, score=scores)[told])
    found = pd.concat(pieces).sort_values(["day", "row"], kind="stable", ignore_index=True)
    is_total = (found["item"] == TOTAL).to_numpy()
    blank = ~is_total & (rng.random(len(found)) < NOT_ANSWERED)
    said = np.array([f"{score:g}" for score in found["score"]], dtype=object)
    columns = {
        "reference": pathway.columns["reference"][found["row"]],
        "measure": found["measure"],
        "point": found["point"],
        "date": day_texts(found["day"].to_numpy(dtype="datetime64[D]")),
        "item": np.where(is_total, "", found["item"]),
        "score": np.where(is_total | blank, "", said),
        "total": np.where(is_total, said, ""),
    }
    return [csv_file("demonstration outcome measurements.csv", columns)]


def _days(
    referrals: Referrals, pathway: Pathway, who: Rows, rng: np.random.Generator
) -> dict[str, Days]:
    """The day of each point of `POINTS`; later than the last day where nothing was measured."""
    count = len(who)
    contact, closed = (pathway.days[step][who] for step in ("first_contact", "closed"))
    # A contact may be dated before the referral by mistake: what was measured then is not.
    start = np.maximum(contact + rng.integers(0, 8, count), referrals.received[who])
    has_end = (closed <= LAST_DAY) & (rng.random(count) < WITH_END)
    end = np.where(has_end, np.maximum(closed - rng.integers(0, 11, count), start + 1), NEVER)
    has_more = has_end & (rng.random(count) < WITH_FOLLOW_UP)
    later = np.where(has_more, end + rng.integers(80, 111, count), NEVER)
    return dict(zip(POINTS, (start, end, later), strict=True))


def _answers(
    questions: tuple[Question, ...], less: Floats, rng: np.random.Generator
) -> Iterator[tuple[str, Floats]]:
    """For each point, what people answer: rows are people, columns questions."""
    shape = (len(less), len(questions))
    _items, lowest, highest, start, spread, change, slip, step = (
        np.array(told) for told in zip(*questions, strict=True)
    )
    # How somebody does shows in every answer, the same way.
    person = rng.normal(0, 1, (len(less), 1)) * np.sign(change)
    is_so = start + spread * (0.75 * person + 0.66 * rng.normal(0, 1, shape))
    for point, share in zip(POINTS, (0, 1, SHARE_LATER), strict=True):
        moved = share * change * less[:, None]
        answered = is_so + moved + slip * rng.normal(0, 1, shape)
        yield point, np.clip(np.round(answered / step) * step, lowest, highest)
