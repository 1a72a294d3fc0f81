"""A control chart as a picture in a file: PNG, or SVG whose text stays text."""

from __future__ import annotations

import io
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dashboard.charts.control_chart import COLOURS, MEAN, apart, lines_of
from dashboard.rules.control_chart import Colour, ControlChart

# Nothing of a page follows these: it is the only picture drawn by this library.
matplotlib.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        # The same file each time, its words as words, and a $ in a name no formula.
        "svg.hashsalt": "control chart",
        "svg.fonttype": "none",
        "text.parse_math": False,
        "date.converter": "concise",
    }
)
INK, GREY = "#10181D", "#425563"
MARKERS = {
    Colour.IMPROVEMENT: "s",
    Colour.CONCERN: "D",
    Colour.NEITHER: "*",
    Colour.COMMON_CAUSE: "o",
}
INCHES, DOTS_PER_INCH = (10, 5), 150
# Between two names at the right, as a share of the height.
LEAST_GAP = 0.055


def control_picture(
    chart: ControlChart, form: str, *, title: str, target: float | None = None
) -> bytes:
    """A PNG or SVG of one judged series, with the words of its icons below."""
    figure = Figure(figsize=INCHES, layout="constrained")
    axes = figure.subplots()
    days: list[Any] = [point.date for point in chart.points]
    for limits in chart.limits:
        for height, words in lines_of(limits):
            style = "-" if words == MEAN else "--"
            phase: list[Any] = [limits.start, limits.end]
            axes.plot(phase, [height] * 2, style, color=INK, lw=1.2)
    if target is not None:
        axes.axhline(target, color=INK, lw=1.5, ls=":")
    axes.plot(days, [point.value for point in chart.points], color=GREY, lw=1, zorder=2)
    for colour in Colour:
        points = [point for point in chart.points if point.colour is colour]
        if points:
            own_days: list[Any] = [point.date for point in points]
            axes.scatter(
                own_days,
                [point.value for point in points],
                s=110 if colour is Colour.NEITHER else 45,
                marker=MARKERS[colour],
                color=COLOURS[colour],
                edgecolors=INK,
                linewidths=0.7,
                zorder=3,
                label=chart.colour_words(colour),
            )
    _name_lines(axes, chart, target)
    axes.set_title(title, loc="left", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        loc="outside lower left", ncols=len(Colour), frameon=False,
        title=chart.words, title_fontsize="large", alignment="left",
    )  # fmt: skip
    made = io.BytesIO()
    if form == "png":
        figure.savefig(made, format="png", dpi=DOTS_PER_INCH)
        return made.getvalue()
    figure.savefig(made, format="svg", metadata={"Title": title, "Date": None})
    # What a screen reader says of the picture, beside its title.
    told = f"</title>\n <desc>{chart.words}</desc>"
    return made.getvalue().replace(b"</title>", told.encode(), 1)


def _name_lines(axes: Axes, chart: ControlChart, target: float | None) -> None:
    """Each line of the last phase by name and number at the right, none over another."""
    named = lines_of(chart.limits[-1])
    if target is not None:
        named.append((target, "target"))
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top)
    shares = [
        ((height - bottom) / (top - bottom), f"{words} {_short(height)}") for height, words in named
    ]
    for place, words in apart(shares, LEAST_GAP):
        axes.text(1.01, place, words, transform=axes.transAxes, va="center", color=INK)


def _short(value: float) -> str:
    """Four digits, and large numbers whole: '25.17', '12,346'."""
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e15 else f"{value:.4g}"
