"""The charts of a slide: native, to be edited there."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import cycle
from typing import Any

from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_AXIS_CROSSES, XL_CHART_TYPE, XL_LABEL_POSITION, XL_LEGEND_POSITION
from pptx.enum.chart import XL_MARKER_STYLE as MARKER
from pptx.enum.chart import XL_TICK_LABEL_POSITION as TICK_LABELS
from pptx.enum.dml import MSO_LINE
from pptx.enum.lang import MSO_LANGUAGE_ID
from pptx.oxml.ns import qn
from pptx.slide import Slide
from pptx.util import Pt
from xlsxwriter import Workbook

from dashboard.pack.content import AUTHOR, FIXED_DATE, SERIES_COLOURS, Chart, Series, decimals_of
from dashboard.pack.slide_words import (
    CAPTION,
    CAPTION_SIZE,
    LIGHT,
    Box,
    add_words,
    cut,
    describe,
    rgb,
    say,
)

# Inches.
AROUND_BARS = 1.1  # of a chart: its title, scale and unit
LEGEND = 0.45
BAR, THIN_BAR = 0.165, 0.09  # with a name of 9 points; one of several at a name

MANY_BARS = 12  # with more the names are smaller, and of months every third has its own
LONGEST_CATEGORY = 60
NOTHING_TO_DRAW = "No number can be shown: all are hidden or not available."
NO_NUMBER = {
    "bars": "No bar: the number is hidden or not available; it is not 0.",
    "stacked": "A bar lacks the parts that are hidden or not available; they are not 0.",
    "lines": "Gap in the line: the number is hidden or not available; it is not 0.",
}


class _ChartData(CategoryChartData):
    """The numbers of a chart; in the workbook inside it, no text is read as a formula or link."""

    @property
    def xlsx_blob(self) -> bytes:
        made = io.BytesIO()
        safe = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with Workbook(made, safe) as book:
            book.set_properties({"author": AUTHOR, "created": FIXED_DATE})
            sheet = book.add_worksheet()
            sheet.write_column(1, 0, [category.label for category in self.categories])
            for at, series in enumerate(self, start=1):
                sheet.write_string(0, at, series.name)
                # An empty cell where there is no number.
                sheet.write_column(1, at, series.values)
        return made.getvalue()


def add_chart(slide: Slide, chart: Chart, box: Box) -> None:
    """A native chart, and below it what its gaps mean."""
    shown = _bars_shown(chart, box.height)
    found = [value for one in chart.series for value in one.values[:shown] if value is not None]
    decimals = decimals_of(found) if found else 0
    series = [
        # What is read, and not a digit more; adding nought makes nought of minus nought.
        Series(
            cut(one.name, LONGEST_CATEGORY),
            tuple(
                None if value is None else round(value, decimals) + 0.0
                for value in one.values[:shown]
            ),
            one.role,
        )
        for one in chart.series
    ]
    told = [one for one in series if one.role == "value"]
    if not any(value is not None for one in told for value in one.values):
        add_words(slide, [NOTHING_TO_DRAW], box, 20, LIGHT.muted)
        return
    below = _below_chart(chart, told, shown)
    number_format = "#,##0" + ("." + "0" * decimals if decimals else "")
    data = _ChartData(number_format=number_format)  # type: ignore[no-untyped-call]
    data.categories = [cut(name, LONGEST_CATEGORY) for name in chart.categories[:shown]]
    for one in series:
        data.add_series(one.name, one.values)  # type: ignore[no-untyped-call]
    kind = {
        "bars": XL_CHART_TYPE.BAR_CLUSTERED,
        "stacked": XL_CHART_TYPE.BAR_STACKED,
        "lines": XL_CHART_TYPE.LINE_MARKERS,
    }[chart.kind]
    place = box._replace(height=box.height - (CAPTION if below else 0))
    shapes: Any = slide.shapes
    frame = shapes.add_chart(kind, *place.inches(), data)
    describe(frame, chart.alt)
    drawn: Any = frame.chart
    _dress(drawn, chart, len(data.categories), len(series))
    paint = _paint_line if chart.kind == "lines" else _paint_bars
    colours = cycle(SERIES_COLOURS)
    for one, drawn_series in zip(series, drawn.plots[0].series, strict=True):
        paint(drawn_series, one.role, next(colours) if one.role == "value" else "")
    if chart.kind == "bars" and len(told) == 1:
        drawn.plots[0].overlap = 100  # a target stands around its bar
        labels = drawn.plots[0].series[series.index(told[0])].data_labels
        labels.show_value = True
        labels.number_format, labels.number_format_is_linked = number_format, False
        labels.position = XL_LABEL_POSITION.OUTSIDE_END
        labels.font.size, labels.font.color.rgb = (
            Pt(11 if shown <= MANY_BARS else 9),
            rgb(LIGHT.ink),
        )
    if below:
        add_words(
            slide,
            [below],
            Box(box.left, box.top + box.height - CAPTION + 0.06, box.width, CAPTION),
            CAPTION_SIZE,
            LIGHT.muted,
        )


def _bars_shown(chart: Chart, height: float) -> int:
    """How many of the categories a chart of this height has room for, a caption below it."""
    if chart.kind == "lines":
        return len(chart.categories)
    room = height - CAPTION - AROUND_BARS - (LEGEND if len(chart.series) > 1 else 0)
    abreast = sum(one.role == "value" for one in chart.series) if chart.kind == "bars" else 1
    each = max(BAR, THIN_BAR * abreast)
    return min(len(chart.categories), int(room / each))


def _below_chart(chart: Chart, told: Sequence[Series], shown: int) -> str:
    more = len(chart.categories) - shown
    words = [f"And {more:,} more in the workbook."] if more else []
    has_gaps = any(value is None for one in told for value in one.values)
    return " ".join([*words, *([NO_NUMBER[chart.kind]] if has_gaps else [])])


def _dress(drawn: Any, chart: Chart, categories: int, series: int) -> None:
    """The title, legend and axes of a chart."""
    drawn.font.name, drawn.font.size = "Arial", Pt(12)
    drawn.font.color.rgb = rgb(LIGHT.ink)
    drawn.font.language_id = MSO_LANGUAGE_ID.ENGLISH_UK
    drawn.has_title = True
    say(drawn.chart_title.text_frame.paragraphs[0], chart.title, 12, LIGHT.ink, bold=True)
    drawn.chart_title.include_in_layout = False
    drawn.has_legend = series > 1
    if drawn.has_legend:
        drawn.legend.position = XL_LEGEND_POSITION.BOTTOM
        drawn.legend.include_in_layout = False
        drawn.legend.font.size = Pt(11)
    along, across = drawn.category_axis, drawn.value_axis
    across.has_title = True
    say(across.axis_title.text_frame.paragraphs[0], chart.unit, 11, LIGHT.muted)
    across.has_major_gridlines = True
    across.major_gridlines.format.line.color.rgb = rgb(LIGHT.faint)
    across.major_gridlines.format.line.width = Pt(0.75)
    across.format.line.fill.background()
    across.tick_labels.font.size = Pt(11)
    across.tick_labels.font.color.rgb = rgb(LIGHT.muted)
    along.format.line.color.rgb = rgb(LIGHT.line)
    small = 8 if chart.kind == "lines" else 9
    along.tick_labels.font.size = Pt(11 if categories <= MANY_BARS else small)
    along.tick_label_position = TICK_LABELS.LOW
    values = [value for one in chart.series for value in one.values if value is not None]
    if chart.kind != "lines":
        along.reverse_order = True  # the first on top, with the scale below all the same
        across._element._remove_crosses()
        across._element._add_crosses(val=XL_AXIS_CROSSES.MAXIMUM)
        drawn.plots[0].gap_width = 45
        if min(values) >= 0:
            across.minimum_scale = 0
    # Every name is there, also where PowerPoint would leave out every second; of many months those
    # that can be read beside each other.
    skips = 3 if chart.kind == "lines" and categories > MANY_BARS else 1
    skip = along._element.makeelement(qn("c:tickLblSkip"), {"val": str(skips)})
    along._element.find(qn("c:noMultiLvlLbl")).addprevious(skip)


def _paint_bars(series: Any, role: str, colour: str) -> None:
    series.invert_if_negative = False
    if role == "value":
        series.format.fill.solid()
        series.format.fill.fore_color.rgb = rgb(colour)
        return
    series.format.fill.background()
    series.format.line.color.rgb = rgb(LIGHT.muted)
    series.format.line.width = Pt(1)
    series.format.line.dash_style = MSO_LINE.DASH


def _paint_line(series: Any, role: str, colour: str) -> None:
    """What is told in colour, with a mark a month, so that one between two gaps is seen; the
    lines around it thin and without marks."""
    series.smooth = False
    line = series.format.line
    if role == "value":
        line.color.rgb, line.width = rgb(colour), Pt(2.5)
        series.marker.style, series.marker.size = MARKER.CIRCLE, 7
        series.marker.format.fill.solid()
        series.marker.format.fill.fore_color.rgb = rgb(colour)
        series.marker.format.line.color.rgb = rgb(colour)
        return
    line.color.rgb = rgb(LIGHT.warm if role == "target" else LIGHT.muted)
    line.width = Pt(1.25)
    line.dash_style = {
        "mean": MSO_LINE.SOLID,
        "limit": MSO_LINE.DASH,
        "target": MSO_LINE.LONG_DASH_DOT,
    }[role]
    series.marker.style = MARKER.NONE
