"""The picture of a control chart: its words can be read, and it is the same each time."""

from __future__ import annotations

import struct
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from dashboard.charts.control_picture import MARKERS, control_picture
from dashboard.rules.control_chart import Colour, ControlChart, judge_series

# Mean 0 and every range 3: limits at ±7.98.
STEADY = [1.5, -1.5] * 7
SVG = "{http://www.w3.org/2000/svg}"


def judged(values: list[float], target: float | None = None) -> ControlChart:
    days = [date(2026, 1, 1) + timedelta(days=place) for place in range(len(values))]
    return judge_series(days, values, improvement="high", target=target, baseline_until=days[13])


def svg(chart: ControlChart, title: str = "a.csv", target: float | None = None) -> list[str]:
    """The title, the description, and every text in the picture."""
    root = ElementTree.fromstring(control_picture(chart, "svg", title=title, target=target))
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]
    return [root.findtext(f"{SVG}title", ""), root.findtext(f"{SVG}desc", ""), *texts]


def test_the_words_of_an_svg_are_text() -> None:
    title, description, *texts = svg(judged([*STEADY, 9], 8), target=8)
    words = "Special cause, improving: higher. Target out of reach as things are: fail."
    assert (title, description) == ("a.csv", words)
    assert set(texts) >= {
        "a.csv", words, "mean 0", "lower limit -7.98", "upper limit 7.98", "target 8",
        "Special cause, improving", "Common cause",
    }  # fmt: skip
    assert "Special cause, concerning" not in texts


def test_twelve_points_have_no_limits() -> None:
    days = [date(2026, 1, 1) + timedelta(days=place) for place in range(12)]
    chart = judge_series(days, [20_000 + value for value in STEADY[:12]], improvement="high")
    _, description, *texts = svg(chart)
    assert description == "Points: 12. Limits and a judgement need at least 13."
    assert "mean 20,000" in texts
    assert "Not judged" in texts
    assert not [text for text in texts if "limit " in text]


@pytest.mark.parametrize("title", ["a_$5_$x_{.csv", "<b>&amp;.csv", "]]></title>.csv"])
def test_a_name_is_only_a_name(title: str) -> None:
    found, description, *texts = svg(judged(STEADY), title)
    assert (found, description) == (title, "Common cause: no change beyond chance.")
    assert title in texts


def test_a_png_has_its_size_and_is_the_same_each_time() -> None:
    made = control_picture(judged(STEADY), "png", title="a.csv")
    assert made.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", made[16:24]) == (1500, 750)
    for form in ("png", "svg"):
        again = [control_picture(judged(STEADY), form, title="a.csv") for _ in range(2)]
        assert again[0] == again[1]


def test_every_colour_has_a_shape_of_its_own() -> None:
    assert set(MARKERS) == set(Colour)
    assert len(set(MARKERS.values())) == 4


@pytest.mark.parametrize("values", [[5.0] * 14, [0.0] * 14, [1e99, -1e99] * 7, [1e-9, 2e-9] * 7])
def test_any_height_can_be_drawn(values: list[float]) -> None:
    assert svg(judged(values))[0] == "a.csv"
