"""Control charts: each rule on both sides of its line, published series, a slow second version."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.control_chart import (
    ASSURANCE_WORDS,
    COLOUR_WORDS,
    VARIATION_WORDS,
    Assurance,
    Colour,
    ControlChart,
    Limits,
    Rule,
    Variation,
    judge_series,
)

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "control_charts.json"
FIRST = date(2026, 1, 1)
# Mean 0 and every range 3: limits at ±7.98, two-sigma lines at ±5.32.
STEADY = [1.5, -1.5] * 7


def day(place: int) -> date:
    return FIRST + timedelta(days=place)


def judged(
    values: Sequence[float],
    improvement: str = "high",
    *,
    target: float | None = None,
    starts: Sequence[int] = (),
    baseline: int | None = None,
) -> ControlChart:
    """A value a day from `FIRST`; `starts` and the number of points of a baseline by place."""
    return judge_series(
        [day(place) for place in range(len(values))],
        values,
        improvement=improvement,
        target=target,
        recalculate_from=[day(place) for place in starts],
        baseline_until=None if baseline is None else day(baseline - 1),
    )


def fired(chart: ControlChart, rule: Rule) -> str:
    """A letter for each point: + or - where the rule fired, x where both, else a dot."""
    letters = {(): ".", (True,): "+", (False,): "-", (False, True): "x"}
    return "".join(
        letters[tuple(signal.is_high for signal in point.signals if signal.rule is rule)]
        for point in chart.points
    )


def after_steady(tail: Sequence[float]) -> ControlChart:
    return judged([*STEADY, *tail], baseline=len(STEADY))


def test_limits_by_hand() -> None:
    # Mean 26 / 13; ranges 1, 0, 1 and so on: seven times 1 and five times 0.
    chart = judged([1, 2, 2, 3, 3, 2, 1, 2, 3, 3, 2, 1, 1])
    reach = 2.66 * 8 / 12
    (limits,) = chart.limits
    assert (limits.start, limits.end, limits.mean) == (FIRST, day(12), 2)
    assert (limits.lower, limits.upper) == pytest.approx((2 - reach, 2 + reach))
    assert (limits.lower_two_sigma, limits.upper_two_sigma) == pytest.approx(
        (2 - reach * 2 / 3, 2 + reach * 2 / 3)
    )


def test_twelve_points_have_a_mean_only() -> None:
    climb = [*range(12), 12]
    short, long = judged(climb[:12], target=3), judged(climb, target=3)
    assert short.limits == (Limits(FIRST, day(11), 5.5, None, None, None, None),)
    assert {point.colour for point in short.points} == {Colour.COMMON_CAUSE}
    assert {point.signals for point in short.points} == {()}
    assert (short.variation, short.assurance) == (None, None)
    assert short.words == "Points: 12. Limits and a judgement need at least 13."
    assert long.limits[0].upper == pytest.approx(6 + 2.66)
    assert {point.colour for point in long.points} == {Colour.IMPROVEMENT}
    assert (long.variation, long.assurance) == (Variation.IMPROVEMENT_HIGH, Assurance.PASS)


def test_thirteen_are_of_the_whole_series() -> None:
    """A recalculation leaves phases shorter than that, and they have limits."""
    chart = judged([1, 2] * 7, starts=[9])
    assert [limits.upper is None for limits in chart.limits] == [False, False]
    assert [limits.upper is None for limits in judged([1, 2] * 6, starts=[6]).limits] == [True] * 2


@pytest.mark.parametrize("sign", [1, -1])
def test_a_single_point_is_outside_the_limit_not_on_it(sign: int) -> None:
    chart = after_steady([sign * value for value in (7.98, 7.99, 0)])
    assert fired(chart, Rule.SINGLE)[-3:] == ("." + "-+"[sign > 0] + ".")


@pytest.mark.parametrize("scale", [1, 0.1, 0.7])
@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ("+++++-----+-+-", ".............."),
        ("++++++-----+--", "++++++........"),
        ("-+--+-----++++++", "..........++++++"),
        ("------+++++-++", "------........"),
        # A point on the mean breaks it, and is in no run.
        ("+++0+++-----+--", "..............."),
        ("0++++++-----+--", ".++++++........"),
    ],
)
def test_a_shift_is_six_on_one_side(offsets: str, expected: str, scale: float) -> None:
    """The offsets add up to nothing, so that the mean is 10.2, also where floats would miss it."""
    step = {"+": scale, "-": -scale, "0": 0}
    chart = judged([round(10.2 + step[offset], 1) for offset in offsets])
    assert chart.limits[0].mean == 10.2
    assert fired(chart, Rule.SHIFT) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5, 1, 2, 3, 4, 5, 4, 5, 4, 5, 4, 5, 4], "............."),
        ([7, 1, 2, 3, 4, 5, 6, 5, 6, 5, 6, 5, 6], ".++++++......"),
        ([0, 6, 5, 4, 3, 2, 1, 2, 1, 2, 1, 2, 1], ".------......"),
        ([0, 6, 5, 4, 3, 2, 3, 2, 3, 2, 3, 2, 3], "............."),
        # A tie breaks it, and its points begin and end runs of their own.
        ([7, 1, 2, 3, 3, 4, 5, 6, 5, 6, 5, 6, 5], "............."),
        ([1, 1, 2, 3, 4, 5, 6, 6, 5, 6, 5, 6, 5], ".++++++......"),
        # The point at the top is in both.
        ([1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1, 2, 1], "+++++x-----.."),
    ],
)
def test_a_trend_is_six_points_each_beyond_the_last(values: list[int], expected: str) -> None:
    assert fired(judged(values), Rule.TREND) == expected


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ([6, 6, 1], "##."),
        ([6, 1, 6], "#.#"),
        ([1, 6, 6], ".##"),
        ([6, 6, 6], "###"),
        # The third is on the other side, on the mean, or before the series turned.
        ([6, 6, -1], "..."),
        ([6, -1, 6], "..."),
        ([6, 0, 6], "..."),
        ([6, 1, 1, 6, 1], "....."),
        # On the two-sigma line, and just beyond it; on the limit.
        ([5.32, 5.32, 1], "..."),
        ([5.33, 5.33, 1], "##."),
        ([7.98, 7.98, 1], "##."),
        # Beyond the limit is not between the lines, but the point is on the side.
        ([6, 7.99, 1], "..."),
        ([6, 7.99, 6], "#.#"),
        ([7.99, 7.99, 7.99], "..."),
    ],
)
def test_two_of_three_between_the_lines(sign: int, tail: list[float], expected: str) -> None:
    values = [sign * value for value in (*STEADY, *tail)]
    chart = judged(values, baseline=len(STEADY))
    found = fired(chart, Rule.TWO_SIGMA)
    assert found == "." * len(STEADY) + expected.replace("#", "-+"[sign > 0])


def test_two_points_at_the_end_are_no_window() -> None:
    assert fired(after_steady([6, 6]), Rule.TWO_SIGMA) == "." * 16


def test_runs_cross_a_recalculation_each_against_its_own_lines() -> None:
    before, after = [-1, 1, -1, -1, -1, 1, 1, 1], [101, 101, 101, 99, 99, 99, 101, 99]
    chart = judged(before + after, starts=[8])
    assert [(limits.start, limits.end, limits.mean) for limits in chart.limits] == [
        (FIRST, day(7), 0),
        (day(8), day(15), 100),
    ]
    # Ranges 2 2 0 0 2 0 0, and 0 0 2 0 0 2 2: that from 1 to 101 is in neither.
    assert [limits.upper for limits in chart.limits] == [
        pytest.approx(2.66 * 6 / 7),
        pytest.approx(100 + 2.66 * 6 / 7),
    ]
    assert fired(chart, Rule.SHIFT) == ".....++++++....."


def test_a_trend_crosses_a_recalculation() -> None:
    chart = judged([3, 2, 3, 2, 3, 2, 1, 2, 3, 4, 5, 6, 5, 6], starts=[9])
    assert fired(chart, Rule.TREND) == "......++++++.."


def test_a_window_of_two_sigma_crosses_a_recalculation() -> None:
    # 6 lies between the lines of the first phase, 106 between those of the second.
    phase = [1.5, -1.5] * 14
    chart = judged([*phase, 6, 106, *(100 + value for value in phase)], starts=[29])
    assert fired(chart, Rule.TWO_SIGMA) == "." * 28 + "++" + "." * 28
    alone = judged([*phase, 6, 100, *(100 + value for value in phase)], starts=[29])
    assert fired(alone, Rule.TWO_SIGMA) == "." * 58


def test_a_recalculation_begins_on_or_after_its_date() -> None:
    days = [date(2026, month, 1) for month in range(1, 13)] + [date(2027, 1, 1)]
    chart = judge_series(
        days, [1] * 13, improvement="high", recalculate_from=[date(2026, 6, 2), date(2025, 1, 1)]
    )
    assert [limits.start for limits in chart.limits] == [days[0], date(2026, 7, 1)]


def test_a_phase_of_one_point_has_a_mean_only() -> None:
    chart = judged([*STEADY, 90], target=3, starts=[14])
    assert chart.limits[1] == Limits(day(14), day(14), 90.0, None, None, None, None)
    assert (chart.points[-1].colour, chart.assurance) == (Colour.COMMON_CAUSE, None)
    assert chart.words == f"{VARIATION_WORDS[Variation.COMMON_CAUSE]}."


def test_a_baseline_makes_the_lines_of_the_whole_series() -> None:
    chart = judged([*STEADY, 20, 21], starts=[5, 15], baseline=14)
    assert chart.limits == (
        Limits(
            FIRST,
            day(15),
            0.0,
            -7.98,
            7.98,
            -5.32,
            5.32,
        ),
    )
    assert fired(chart, Rule.SINGLE) == "." * 14 + "++"


def test_a_series_that_never_changes_has_limits_on_its_mean() -> None:
    chart = judged([5] * 13, target=5)
    assert (chart.limits[0].lower, chart.limits[0].upper) == (5, 5)
    assert {point.colour for point in chart.points} == {Colour.COMMON_CAUSE}
    assert (chart.variation, chart.assurance) == (Variation.COMMON_CAUSE, Assurance.PASS)


# Ten about 20, then a climb that stays below the mean: a trend up and a shift down in one.
CLIMB = [20, 21] * 5 + [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("sign", "improvement", "colour", "variation"),
    [
        (1, "high", "improvement", "improvement_high"),
        (1, "low", "improvement", "improvement_low"),
        (1, "neither", "neither", "neither_high"),
        (-1, "high", "improvement", "improvement_high"),
        (-1, "low", "improvement", "improvement_low"),
        (-1, "neither", "neither", "neither_low"),
    ],
)
def test_improvement_wins_and_a_trend_gives_the_side(
    sign: int, improvement: str, colour: str, variation: str
) -> None:
    chart = judged([sign * value for value in CLIMB], improvement)
    assert {point.colour for point in chart.points[-6:]} == {colour}
    assert {signal.rule for signal in chart.points[-1].signals} >= {Rule.SHIFT, Rule.TREND}
    assert chart.variation == variation


@pytest.mark.parametrize(
    ("last", "improvement", "variation"),
    [
        (9, "high", "improvement_high"),
        (9, "low", "concern_high"),
        (9, "neither", "neither_high"),
        (-9, "high", "concern_low"),
        (-9, "low", "improvement_low"),
        (-9, "neither", "neither_low"),
        (0, "high", "common_cause"),
        (0, "neither", "common_cause"),
    ],
)
def test_the_icon_is_that_of_the_last_point(last: float, improvement: str, variation: str) -> None:
    # The point before it is far out and says nothing.
    chart = judged([*STEADY, -50, last], improvement, baseline=14)
    assert chart.variation == variation


@pytest.mark.parametrize(
    ("target", "high", "low"),
    [
        (-7.99, "pass", "fail"),
        (-7.98, "pass", "fail"),
        (-7.97, "hit_or_miss", "hit_or_miss"),
        (7.97, "hit_or_miss", "hit_or_miss"),
        (7.98, "fail", "pass"),
        (7.99, "fail", "pass"),
    ],
)
def test_assurance(target: float, high: str, low: str) -> None:
    found = [judged(STEADY, way, target=target).assurance for way in ("high", "low", "neither")]
    assert found == [high, low, None]
    assert judged(STEADY).assurance is None


def test_assurance_looks_at_the_latest_limits() -> None:
    values = [*STEADY, *(100 + value for value in STEADY)]
    assert judged(values, target=50, starts=[14]).assurance == "pass"
    assert judged(values, target=50, starts=[14]).limits[0].upper == 7.98


def test_every_judgement_has_words() -> None:
    assert set(COLOUR_WORDS) == set(Colour)
    assert set(VARIATION_WORDS) == set(Variation)
    assert set(ASSURANCE_WORDS) == set(Assurance)
    words = [*COLOUR_WORDS.values(), *VARIATION_WORDS.values(), *ASSURANCE_WORDS.values()]
    assert len(set(words)) == len(words)
    chart = judged([*STEADY, 9], target=100, baseline=14)
    assert chart.words == (
        "Special cause, improving: higher. Target out of reach as things are: fail."
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"expected a number on 2026-01-15, found .*leave the row"):
        judged([*STEADY, value])


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(ValueError, match="no points"):
        judged([])
    with pytest.raises(ValueError, match="the date 2026-01-02 stands twice"):
        judge_series([day(1), day(0), day(1)], [1, 2, 3], improvement="low")
    with pytest.raises(ValueError, match="shorter"):
        judge_series([day(0), day(1)], [1], improvement="low")
    with pytest.raises(ValueError, match="upwards"):
        judged(STEADY, "upwards")
    with pytest.raises(ValueError, match="recalculation of 2026-01-15"):
        judged(STEADY, starts=[14])
    with pytest.raises(ValueError, match="at least 2 points in the baseline to 2026-01-01"):
        judged(STEADY, baseline=1)
    assert judged(STEADY, baseline=2).limits[0].mean == 0


def slow_signals(
    values: Sequence[int], starts: Sequence[int], baseline: int | None
) -> list[set[tuple[str, bool]]]:
    """The rules as they are written: each point asks every run and window that holds it."""
    count = len(values)
    if count < 13:
        return [set() for _ in values]
    means: list[Fraction] = []
    reaches: list[Fraction | None] = []
    for place in range(count):
        first = max([0, *(start for start in starts if start <= place)])
        last = min([count, *(start for start in starts if start > place)])
        own = values[:baseline] if baseline else values[first:last]
        means.append(Fraction(sum(own), len(own)))
        ranges = [abs(own[k] - own[k - 1]) for k in range(1, len(own))]
        reaches.append(Fraction(266 * sum(ranges), 100 * len(ranges)) if ranges else None)

    def is_beyond(place: int, sigmas: int, is_high: bool) -> bool:
        reach = reaches[place]
        if reach is None:
            return False
        line = means[place] + (reach if is_high else -reach) * sigmas / 3
        return values[place] > line if is_high else values[place] < line

    def is_on_side(place: int, is_high: bool) -> bool:
        return values[place] > means[place] if is_high else values[place] < means[place]

    def windows(place: int, size: int) -> list[list[int]]:
        return [
            list(range(start, start + size))
            for start in range(count - size + 1)
            if start <= place < start + size
        ]

    found: list[set[tuple[str, bool]]] = []
    for place in range(count):
        mine = set()
        for is_high in (True, False):
            if is_beyond(place, 3, is_high):
                mine.add(("single", is_high))
            for window in windows(place, 6):
                if all(is_on_side(other, is_high) for other in window):
                    mine.add(("shift", is_high))
                inside = [values[other] for other in window]
                # Strictly one way: sorted, and no two alike.
                if inside == sorted(inside, reverse=not is_high) and len(set(inside)) == 6:
                    mine.add(("trend", is_high))
            for window in windows(place, 3):
                between = [
                    other
                    for other in window
                    if is_beyond(other, 2, is_high) and not is_beyond(other, 3, is_high)
                ]
                one_side = all(is_on_side(other, is_high) for other in window)
                if one_side and len(between) in (2, 3) and place in between:
                    mine.add(("two_sigma", is_high))
        found.append(mine)
    return found


@st.composite
def series(draw: st.DrawFn) -> tuple[list[int], list[int], int | None]:
    """Steps up and down, so that runs are frequent; few different values, so that ties are."""
    steps = draw(st.lists(st.sampled_from([-3, -1, -1, 0, 1, 1, 1, 3, 9, -9]), max_size=45))
    is_walk = draw(st.booleans())
    values = [0]
    for step in steps:
        values.append(values[-1] + step if is_walk else step)
    starts = draw(st.lists(st.integers(0, len(values) - 1), max_size=2))
    most = len(values)
    baseline = draw(st.none() | st.integers(2, most)) if most >= 2 else None
    return values, starts, baseline


@given(series(), st.sampled_from(["high", "low", "neither"]))
def test_the_same_as_the_slow_version(
    one: tuple[list[int], list[int], int | None], improvement: str
) -> None:
    values, starts, baseline = one
    chart = judged(values, improvement, starts=starts, baseline=baseline)
    expected = slow_signals(values, [] if baseline else starts, baseline)
    assert [{(str(s.rule), s.is_high) for s in point.signals} for point in chart.points] == expected
    good = {"high": {True}, "low": {False}, "neither": set()}[improvement]
    for point, signals in zip(chart.points, expected, strict=True):
        sides = {is_high for _, is_high in signals}
        special = "neither" if improvement == "neither" else "concern"
        special = "improvement" if sides & good else special
        assert point.colour == (special if sides else "common_cause")
    if len(values) >= 13:
        assert chart.variation is not None
        assert str(chart.variation).removesuffix("_high").removesuffix("_low") == (
            chart.points[-1].colour
        )


@given(series(), st.randoms(use_true_random=False))
def test_turned_round_and_in_any_order(
    one: tuple[list[int], list[int], int | None], chance: random.Random
) -> None:
    values, starts, baseline = one
    chart = judged(values, "high", starts=starts, baseline=baseline)
    turned = judged([-value for value in values], "low", starts=starts, baseline=baseline)
    assert [point.colour for point in turned.points] == [point.colour for point in chart.points]
    rows = [(day(place), value) for place, value in enumerate(values)]
    chance.shuffle(rows)
    shuffled = judge_series(
        [when for when, _ in rows],
        [value for _, value in rows],
        improvement="high",
        recalculate_from=[day(place) for place in starts],
        baseline_until=None if baseline is None else day(baseline - 1),
    )
    assert shuffled == chart


PUBLISHED = {
    "blue": "improvement",
    "orange": "concern",
    "purple": "neither",
    "grey": "common_cause",
}


def published_chart(case: dict[str, Any], target: float | None = None) -> ControlChart:
    days = [date.fromisoformat(text) for text in case["dates"]]
    return judge_series(
        days,
        case["values"],
        improvement=case["improvement"],
        target=target,
        recalculate_from=[days[place] for place in case["recalculation_starts"]],
        baseline_until=days[case["baseline_end"] - 1] if case["baseline_end"] else None,
    )


@pytest.mark.skipif(not VECTORS.exists(), reason="the worked cases are not here")
def test_published_series() -> None:
    cases = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]
    assert len(cases) == 12
    for case in cases:
        days = [date.fromisoformat(text) for text in case["dates"]]
        expected = case["expected"]
        found = published_chart(case)
        assert [point.colour for point in found.points] == [
            PUBLISHED[colour] for colour in case["published_colours"]
        ], case["id"]
        assert [
            {f"{signal.rule}{'+' if signal.is_high else '-'}" for signal in point.signals}
            for point in found.points
        ] == [set(rules) for rules in case["rules"]], case["id"]
        assert found.variation == expected["variation_icon"], case["id"]
        for limits, known in zip(found.limits, expected["limits"] or (), strict=False):
            assert limits.start == days[known["start"]]
            assert (limits.mean, limits.upper, limits.lower) == pytest.approx(
                (known["mean"], known["upl"], known["lpl"]), rel=1e-9
            )
        assert len(found.limits) == len(case["recalculation_starts"])
        for target, assurance in (expected["assurance_by_target"] or {}).items():
            assert published_chart(case, float(target)).assurance == assurance, (case["id"], target)
        if known := expected["published_stats"]:
            assert found.limits[0].mean == pytest.approx(known["mean"], rel=1e-9)


@pytest.mark.skipif(not VECTORS.exists(), reason="the worked cases are not here")
def test_published_assurance() -> None:
    for case in json.loads(VECTORS.read_text(encoding="utf-8"))["assurance_extra"]:
        targets = {float(target): found for target, found in case["assurance"].items()}
        targets |= {case["upl"]: case["target_equal_upl"], case["lpl"]: case["target_equal_lpl"]}
        for target, expected in targets.items():
            chart = judged(case["values"], case["improvement"], target=target)
            assert chart.assurance == expected, target
