"""Scores, bands, thresholds and paired change: both sides of each line, by hand."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dashboard
from dashboard.intake.outcomes import MEASURES, TOTAL
from dashboard.rules.control_chart import Improvement
from dashboard.rules.wellbeing import (
    COLUMNS,
    ONS4_QUESTIONS,
    SCALES,
    STATUSES,
    Change,
    Scale,
    Threshold,
    is_lonely,
    ons4_band,
    paired_change,
    score_distribution,
    swemwbs_metric,
    swemwbs_score,
    thresholds_of,
    ucla3_score,
)

Rows = list[tuple[float, float, int]]
HEADING = ",".join(COLUMNS)
LINE = "PAM,total,5,Somebody 2020,published,"


def pairs(*rows: tuple[float, float, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["before", "after", "people"])


def test_a_metric_score_rises_with_the_raw_one() -> None:
    scores = [swemwbs_metric(raw) or 0 for raw in range(7, 36)]
    assert scores == sorted(set(scores))
    assert (scores[0], scores[-1]) == (7.0, 35.0)


@pytest.mark.parametrize("raw", [None, math.nan, pd.NA, 6, 36, 20.5, -7])
def test_no_metric_score(raw: float | None) -> None:
    assert swemwbs_metric(raw) is None


@pytest.mark.parametrize(
    ("items", "score"),
    [
        ([1, 1, 1, 1, 1, 1, 2], 9.51),
        ([5, 5, 5, 5, 5, 5, 4.0], 32.55),
        ([1, 1, 1, 1, 1, 1], None),
        ([1, 1, 1, 1, 1, 1, 1, 1], None),
        ([1, 1, 1, 1, 1, 1, pd.NA], None),
        ([1, 1, 1, 1, 1, 1, 5.5], None),
        ([1, 1, 1, 1, 1, 1, 1, None], None),
        ([], None),
    ],
)
def test_seven_whole_answers(items: list[float | None], score: float | None) -> None:
    assert swemwbs_score(items) == score


@pytest.mark.parametrize("question", ["life satisfaction", "worthwhile", "happy"])
def test_bands_of_the_first_three(question: str) -> None:
    bands = [ons4_band(question, score) for score in range(-1, 12)]
    low, medium, high, very_high = ["low"] * 5, ["medium"] * 2, ["high"] * 2, ["very high"] * 2
    assert bands == [None, *low, *medium, *high, *very_high, None]


def test_bands_of_anxiety() -> None:
    bands = [ons4_band("anxious", score) for score in range(-1, 12)]
    assert bands == [
        None, *["very low"] * 2, *["low"] * 2, *["medium"] * 2, *["high"] * 5, None,
    ]  # fmt: skip


def test_no_band() -> None:
    missing: tuple[Any, ...] = (None, pd.NA, math.nan, 7.5)
    assert [ons4_band("happy", score) for score in missing] == [None] * 4
    with pytest.raises(ValueError, match="expected one of life satisfaction, worthwhile"):
        ons4_band("satisfied", 7)


@pytest.mark.parametrize(
    ("answers", "score", "lonely"),
    [
        (("Often", "often", " OFTEN "), 9, True),
        (("Some of the time",) * 3, 6, True),
        (("Hardly ever or never", "Some of the time", "Some of the time"), 5, False),
        (("Often", "Often"), None, None),
        (("Often",) * 4, None, None),
        (("Often", "Often", ""), None, None),
        (("Often", "Often", "Always"), None, None),
        (("Often", None, "Often"), None, None),
    ],
)
def test_loneliness(answers: tuple[str | None, ...], score: int | None, lonely: bool) -> None:
    found = ucla3_score(answers)
    assert found == score
    assert is_lonely(found) is lonely


def test_scales_are_those_that_are_read() -> None:
    """The items of SWEMWBS are answers to be added up, and attendances are a return of their own."""
    read = {
        (measure, item)
        for measure, items in MEASURES.items()
        for item in items
        if measure != "SWEMWBS" or item == TOTAL
    }
    assert set(SCALES) - read == {("GP attendances", "attendances")}
    assert read - set(SCALES) == set()
    for measure, item in read:
        scale, taken = SCALES[measure, item], MEASURES[measure][item]
        assert (scale.lowest, scale.highest) == (taken.lowest, taken.highest)
        assert (scale.step is None) == taken.may_be_fraction
    assert tuple(item for measure, item in SCALES if measure == "ONS4") == ONS4_QUESTIONS


def test_which_end_is_better() -> None:
    lower = {key for key, scale in SCALES.items() if scale.better is Improvement.LOW}
    assert lower == {
        ("ONS4", "anxious"),
        ("UCLA-3", "total"),
        *(("MYCaW", item) for item in MEASURES["MYCaW"]),
    }
    neither = {key for key, scale in SCALES.items() if scale.better is Improvement.NEITHER}
    assert neither == {("GP attendances", "attendances")}


def test_the_thresholds_that_are_shipped() -> None:
    path = Path(dashboard.__file__).with_name("meaningful_change.csv")
    found = thresholds_of(path.read_text(encoding="utf-8"))
    assert list(found) == list(SCALES)
    assert {key: one.least_change for key, one in found.items() if one.least_change != 1} == {
        ("PAM", "total"): 5.4
    }
    assert {key for key, one in found.items() if one.status == "published"} == {
        ("SWEMWBS", "total"),
        ("PAM", "total"),
    }
    assert {one.status for one in found.values()} == set(STATUSES)
    assert all(one.source and one.note for one in found.values())


def test_thresholds_of_a_file() -> None:
    text = f'{HEADING}\n{LINE}\nONS4,happy,0.5,"A, and B",convention,why\n'
    assert thresholds_of(text) == {
        ("PAM", "total"): Threshold(5.0, "Somebody 2020", "published", ""),
        ("ONS4", "happy"): Threshold(0.5, "A, and B", "convention", "why"),
    }


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["PAM,total,0,S,published,"], "line 2: expected a least_change above 0, found '0'"),
        (["PAM,total,-1,S,published,"], "line 2: expected a least_change above 0, found '-1'"),
        (["PAM,total,nan,S,published,"], "line 2: expected a least_change above 0, found 'nan'"),
        (["PAM,total,inf,S,published,"], "line 2: expected a least_change above 0, found 'inf'"),
        (["PAM,total,five,S,published,"], "line 2: expected a least_change above 0, found 'five'"),
        (["PAM,item,5,S,published,"], "line 2: no measure and item 'PAM item'"),
        (
            ["PAM,total,5,S,proven,"],
            "line 2: expected a status of published or convention, found 'proven'",
        ),
        (["PAM,total,5, ,published,"], "line 2: expected a source"),
        (["PAM,total,5,S,published"], "line 2: expected 6 columns"),
        (["PAM,total,5,S,published,,"], "line 2: expected 6 columns"),
        ([LINE, LINE], "line 3: PAM total is there twice"),
        (
            ["PAM,x,5,S,published,", LINE, "ONS4,y,5,S,published,"],
            "line 2: no measure and item 'PAM x'; line 4: no measure and item 'ONS4 y'",
        ),
    ],
)
def test_bad_lines_are_refused(lines: list[str], why: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        thresholds_of("\n".join([HEADING, *lines]))
    assert str(refused.value) == why


@pytest.mark.parametrize("text", ["", "measure,item\n", f"{HEADING},more\n"])
def test_other_columns_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected the columns measure, item, least_change"):
        thresholds_of(text)


def test_change_by_hand() -> None:
    """Changes 2, 2, 0 and -1: mean 0.75, squares 1.5625 twice, 0.5625 and 3.0625, that is 6.75."""
    found = paired_change(
        pairs((4, 6, 2), (5, 5, 1), (7, 6, 1)), least_change=1, higher_is_better=True
    )
    assert (found.n_pairs, found.mean_before, found.mean_after) == (4, 5, 5.75)
    assert (found.mean_change, found.sd_change) == (0.75, 1.5)
    # t for 95% is 3.18245 with 3 degrees of freedom.
    assert found.lower == pytest.approx(0.75 - 3.18245 * 0.75, rel=1e-5)
    assert found.upper == pytest.approx(0.75 + 3.18245 * 0.75, rel=1e-5)
    assert (found.n_rose, found.n_unchanged, found.n_fell) == (2, 1, 1)
    assert (found.n_improved, found.n_worse, found.share_improved) == (2, 1, 0.5)
    # Wilson for 2 of 4, as in tables.
    assert found.share_lower == pytest.approx(0.15004, rel=1e-4)
    assert found.share_upper == pytest.approx(0.84996, rel=1e-4)


def test_where_lower_is_better_and_where_neither_is() -> None:
    rows = pairs((4, 6, 2), (5, 5, 1), (7, 6, 1))
    lower = paired_change(rows, least_change=1, higher_is_better=False)
    assert (lower.n_improved, lower.n_worse, lower.share_improved) == (1, 2, 0.25)
    neither = paired_change(rows, least_change=1, higher_is_better=None)
    assert (neither.n_rose, neither.n_unchanged, neither.n_fell) == (2, 1, 1)
    assert (neither.n_improved, neither.n_worse) == (None, None)
    assert (neither.share_improved, neither.share_lower, neither.share_upper) == (None,) * 3
    assert (neither.mean_change, neither.lower) == (lower.mean_change, lower.lower)


@pytest.mark.parametrize(
    ("before", "after", "rose", "fell"),
    [
        (4.0, 5.0, 1, 0),
        (4.0, 4.99, 0, 0),
        (5.0, 4.0, 0, 1),
        (4.99, 4.0, 0, 0),
        # As floating numbers the change is 1.0000000000000004 and 0.9999999999999996.
        (3.4, 4.4, 1, 0),
        (16.4, 17.4, 1, 0),
        (10.1, 11.1, 1, 0),
        (9.2, 8.2, 0, 1),
    ],
)
def test_a_change_of_exactly_the_threshold_counts(
    before: float, after: float, rose: int, fell: int
) -> None:
    found = paired_change(pairs((before, after, 1)), least_change=1, higher_is_better=True)
    assert (found.n_rose, found.n_fell, found.n_unchanged) == (rose, fell, 1 - rose - fell)


def test_a_threshold_with_decimals_and_none() -> None:
    rows = pairs((50, 55.4, 1), (50, 55.3, 1), (50.1, 55.5, 1))
    assert paired_change(rows, least_change=5.4, higher_is_better=True).n_improved == 2
    for least in (0, -1, math.nan):
        with pytest.raises(ValueError, match="expected a least change above 0"):
            paired_change(rows, least_change=least, higher_is_better=True)


def test_no_pairs_one_pair_and_no_change() -> None:
    nobody = paired_change(pairs(), least_change=1, higher_is_better=True)
    assert nobody == Change(
        0, None, None, None, None, None, None, 0, 0, 0, 0, 0, None, None, None
    )  # fmt: skip
    one = paired_change(pairs((5, 7, 1)), least_change=1, higher_is_better=True)
    assert (one.n_pairs, one.mean_change, one.sd_change, one.lower) == (1, 2, None, None)
    assert (one.share_improved, one.share_upper) == (1, 1)
    same = paired_change(pairs((5, 5, 9)), least_change=1, higher_is_better=True)
    assert (same.mean_change, same.sd_change, same.lower, same.upper) == (0, 0, 0, 0)
    assert (same.n_unchanged, same.share_improved) == (9, 0)


scores = st.floats(7, 35).map(lambda value: round(value, 2))
counted = st.lists(st.tuples(scores, scores, st.integers(1, 400)), min_size=2, max_size=30)


@given(counted, st.randoms())
def test_the_order_of_the_rows_does_not_matter_to_the_last_digit(
    rows: Rows, random: Random
) -> None:
    whole = paired_change(pairs(*rows), least_change=1, higher_is_better=True)
    shuffled = [*rows]
    random.shuffle(shuffled)
    # And some of the people in rows of their own.
    split = [
        (before, after, part)
        for before, after, people in shuffled
        for part in (people - people // 3, people // 3)
    ]
    assert paired_change(pairs(*split), least_change=1, higher_is_better=True) == whole


@given(counted)
def test_the_same_as_person_by_person(rows: Rows) -> None:
    found = paired_change(pairs(*rows), least_change=1, higher_is_better=False)
    each = [after - before for before, after, people in rows for _ in range(people)]
    assert found.n_pairs == len(each) == found.n_rose + found.n_unchanged + found.n_fell
    assert found.mean_change == pytest.approx(statistics.fmean(each), abs=1e-6)
    assert found.sd_change == pytest.approx(statistics.stdev(each), abs=1e-6)
    assert found.n_improved == sum(round(change, 6) <= -1 for change in each)


def listed(frame: pd.DataFrame) -> list[tuple[int, ...]]:
    assert list(frame) == ["from_score", "to_score", "before", "after"]
    return list(frame.itertuples(index=False, name=None))


def test_a_short_scale_score_by_score() -> None:
    found = score_distribution(pairs((3, 5, 4), (9, 5, 2), (9, 3, 1)), SCALES["UCLA-3", "total"])
    assert listed(found) == [
        (3, 3, 4, 1),
        (4, 4, 0, 0),
        (5, 5, 0, 6),
        (6, 6, 0, 0),
        (7, 7, 0, 0),
        (8, 8, 0, 0),
        (9, 9, 3, 0),
    ]
    assert len(score_distribution(pairs(), SCALES["ONS4", "happy"])) == 11


def test_a_long_scale_in_bands() -> None:
    rows = pairs((7, 10.99, 1), (11.25, 35, 2), (30.7, 32.55, 4))
    assert listed(score_distribution(rows, SCALES["SWEMWBS", "total"])) == [
        (7, 11, 1, 1),
        (11, 15, 2, 0),
        (15, 19, 0, 0),
        (19, 23, 0, 0),
        (23, 27, 0, 0),
        (27, 31, 4, 0),
        (31, 35, 0, 6),
    ]
    profile = score_distribution(pairs((0, 6, 1), (0.99, 1, 1)), SCALES["MYCaW", "total"])
    assert listed(profile) == [
        (0, 1, 2, 0),
        (1, 2, 0, 1),
        (2, 3, 0, 0),
        (3, 4, 0, 0),
        (4, 5, 0, 0),
        (5, 6, 0, 1),
    ]


def test_a_count_goes_up_to_what_there_is() -> None:
    scale = SCALES["GP attendances", "attendances"]
    assert listed(score_distribution(pairs((0, 2, 3)), scale)) == [
        (0, 0, 3, 0),
        (1, 1, 0, 0),
        (2, 2, 0, 3),
    ]
    assert listed(score_distribution(pairs((3, 12, 1), (4, 0, 2)), scale)) == [
        (0, 4, 1, 2),
        (4, 8, 2, 0),
        (8, 12, 0, 0),
        (12, 16, 0, 1),
    ]
    assert len(score_distribution(pairs((0, 10, 1)), scale)) == 11
    assert len(score_distribution(pairs((0, 11, 1)), scale)) == 3


@pytest.mark.parametrize("row", [(2, 5, 1), (5, 10, 1)])
def test_a_score_off_the_scale_is_refused(row: tuple[float, float, int]) -> None:
    with pytest.raises(ValueError, match="expected scores from 3 to 9"):
        score_distribution(pairs(row), SCALES["UCLA-3", "total"])


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100), st.integers(1, 50)), max_size=20),
    st.integers(1, 50),
)
def test_everybody_is_in_one_band(rows: Rows, band: int) -> None:
    scale = Scale("", "", 0, 100, Improvement.HIGH, None, band)
    found = score_distribution(pairs(*rows), scale)
    people = sum(row[2] for row in rows)
    assert found["before"].sum() == found["after"].sum() == people
