"""Colours, the chart template, and how numbers and dates are written."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from dashboard.charts.area_map import HATCHED, STARRED
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import HIDDEN_MARK
from dashboard.rules.gaps import Cell

MISSING = "–"
FONT = "Arial, Helvetica, sans-serif"


# One hue from pale to dark for what is there, warm and darker for what is missing: the order
# survives grey printing. Tested in `tests/test_style.py`.
STATUS_COLOURS = {
    Status.NO_PROVISION: "#5B1A2E",
    Status.NO_LINK_WORKER: "#A23E48",
    Status.NOTHING_TO_REFER_TO: "#C55A11",
    Status.NOT_REACHED: "#E07B39",
    Status.LOW: "#F4B183",
    Status.NO_RETURN: "#FFFFFF",
    Status.HIDDEN: "#BFC5CA",
    Status.UNKNOWN: "#E7EDF3",
    Status.AS_EXPECTED: "#9DC3E6",
    Status.HIGH: "#2E75B6",
}
# Drawn over the colour, so that the reason for a blank never depends on colour alone.
STATUS_TEXTURES = {Status.NO_RETURN: HATCHED, Status.HIDDEN: STARRED}

# Take-up against the limits of the number expected, in the hues of the statuses.
PLACE_COLOURS = ("#C55A11", "#F4B183", "#E7EDF3", "#9DC3E6", "#2E75B6")
# A ward among its neighbours: low, low among high, none, high among low, high.
CLUSTER_COLOURS = ("#C55A11", "#F4B183", "#E7EDF3", "#9DC3E6", "#2E75B6")
# A cell of the gap matrix: its ground, and ink that can be read on it.
CELL_COLOURS = {
    Cell.NONE: ("#5B1A2E", "#FFFFFF"),
    Cell.STALE: ("#A23E48", "#FFFFFF"),
    Cell.FULL: ("#F4B183", "#10181D"),
    Cell.AREA_WIDE: ("#E7EDF3", "#10181D"),
    Cell.NO_RETURN: ("#FFFFFF", "#10181D"),
    Cell.SERVED: ("#9DC3E6", "#10181D"),
}

SEQUENCE = ("#E7EDF3", "#BCD3E9", "#7FB0DA", "#3F83C1", "#0B4F93")
# Beside it, with a dash where the other has a star.
NO_POPULATION_COLOUR = "#DFE3E6"
NO_RETURN_COLOUR, HIDDEN_COLOUR = STATUS_COLOURS[Status.NO_RETURN], STATUS_COLOURS[Status.HIDDEN]


class Theme:
    """The colours of the page a chart is drawn on."""

    def __init__(self, is_dark: bool):
        self.is_dark = is_dark
        self.ink = "#F0F4F5" if is_dark else "#10181D"
        self.page = "#10181D" if is_dark else "#FFFFFF"
        self.muted = "#B4C0C8" if is_dark else "#425563"
        self.line = "#4C6272" if is_dark else "#AEB7BD"
        self.bar = "#6CB4EE" if is_dark else "#005EB8"
        self.tint = "#1B262D" if is_dark else "#F0F4F5"
        self.faint = "#36454F" if is_dark else "#D8DDE0"
        self.warm = "#FFB98A" if is_dark else "#8A3A00"

    def as_css(self) -> str:
        """The colours as variables for our own elements."""
        colours = {
            "ink": self.ink, "muted": self.muted, "line": self.faint, "tint": self.tint,
            "blue": self.bar, "warm": self.warm, "page": self.page,
        }  # fmt: skip
        return (
            ":root{" + "".join(f"--board-{name}:{value};" for name, value in colours.items()) + "}"
        )


def template(theme: Theme) -> dict[str, Any]:
    """The layout every chart starts from: our font, transparent ground, quiet lines."""
    axis = {
        "gridcolor": theme.line,
        "linecolor": theme.muted,
        "zeroline": False,
        "automargin": True,
    }
    return {
        # Without one of its own, Plotly adds 3 kB of its default template to every figure.
        "template": {"data": {}},
        "font": {"family": FONT, "size": 14, "color": theme.ink},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "showlegend": False,
        "hoverlabel": {"font": {"family": FONT, "size": 14}, "align": "left"},
        "xaxis": axis,
        "yaxis": axis,
    }


def map_layout(theme: Theme) -> dict[str, Any]:
    """The same for a map: on light paper in both themes, where the darkest areas stand out."""
    return {**template(theme), "paper_bgcolor": "#C9D3DA" if theme.is_dark else "rgba(0,0,0,0)"}


def number(value: Any, decimals: int = 0) -> str:
    """'1,234' or '12.3'; a dash where it is missing."""
    # Adding 0 takes the sign from a 0 that was rounded from below.
    return MISSING if pd.isna(value) else f"{round(float(value), decimals) + 0.0:,.{decimals}f}"


def count(value: Any, *, is_hidden: bool = False) -> str:
    """A disclosed count: '1,235', '*' where hidden, a dash where missing."""
    return HIDDEN_MARK if is_hidden else number(value)


def counted(number_of: int, one: str, many: str = "") -> str:
    """'1 ward', '1,234 wards'."""
    return f"{number_of:,} {one if number_of == 1 else many or one + 's'}"


def interval(value: Any, lower: Any, upper: Any, decimals: int = 1) -> str:
    """'12.3 (10.9 to 13.8)'; a dash where it is missing."""
    if pd.isna(value):
        return MISSING
    return f"{number(value, decimals)} ({number(lower, decimals)} to {number(upper, decimals)})"


def day(value: date | None) -> str:
    """'30 June 2026'; a dash where it is missing."""
    return MISSING if value is None else f"{value.day} {value:%B %Y}"


def month(value: date) -> str:
    """'Jun 2026'."""
    return f"{value:%b %Y}"
