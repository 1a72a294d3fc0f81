"""The tables of a slide: native, as many of their rows as fit, in the largest size that does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.slide import Slide
from pptx.util import Inches

from dashboard.pack.content import MARKS, Table, as_shown, as_words
from dashboard.pack.slide_words import (
    BOLD,
    CAPTION,
    CAPTION_SIZE,
    LIGHT,
    LINE_HEIGHT,
    NHS_DARK_BLUE,
    Box,
    add_words,
    cut,
    describe,
    line_count,
    rgb,
    say,
    tall,
    wide,
)

SIZES = (14, 12, 11, 10)  # points, the largest first: the first at which all fits
CUT_SIZES = (12, 11, 10)  # of a table that does not fit: the one at which most rows do
# Inches.
PADDING = 0.07  # of a cell, on the left and right; half of it above and below
MOST_AIR = 0.12  # rows are so much higher, where there is room
BELOW = 0.08  # between a table and what is told below it
STEP = 0.1  # by which a column is widened
LONGEST_CELL = 300
NO_TABLE_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"


class Grid(NamedTuple):
    """A table as it stands on a slide; `rows` are its header and the rows shown, `words` how many
    rows are left out and what the marks mean. Lengths in inches, `size` in points."""

    rows: tuple[tuple[str, ...], ...]
    is_number: tuple[bool, ...]
    words: str
    size: int
    widths: tuple[float, ...]
    heights: tuple[float, ...]

    def height_in(self, width: float) -> float:
        return sum(self.heights) + self.below(width)

    def below(self, width: float) -> float:
        return tall([self.words], CAPTION_SIZE, width) + BELOW if self.words else 0.0

    @property
    def is_divided(self) -> bool:
        """Whether a word is longer than its column."""
        return any(
            _inches(word, self.size) > width
            for row in self.rows
            for cell, width in zip(row, self.widths, strict=True)
            for word in cell.split()
        )


def fits(table: Table, box: Box) -> bool:
    """Whether all the rows that a table shows can stand in the box."""
    return _whole(table, _inside(table, box)) is not None


def add_table(slide: Slide, table: Table, box: Box, alt: str = "") -> Any:
    """A native table with its title above it; below it what is left out, as it does not fit, and
    what its marks mean."""
    if table.title:
        add_words(slide, [table.title], box._replace(height=CAPTION), 12, LIGHT.ink, bold=True)
    box = _inside(table, box)
    grid = _whole(table, box) or max(
        (_cut_to(table, box, size) for size in CUT_SIZES), key=lambda grid: len(grid.rows)
    )
    spare = (box.height - grid.height_in(box.width)) / len(grid.rows)
    heights = [height + max(0.0, min(MOST_AIR, spare)) for height in grid.heights]
    columns = len(grid.widths)
    frame: Any = slide.shapes.add_table(
        len(heights), columns, *box._replace(height=sum(heights)).inches()
    )
    told = f"{len(grid.rows) - 1} rows. Columns: {', '.join(grid.rows[0])}."
    describe(frame, f"{alt or table.title or 'Table'}: {told}")
    made = frame.table
    made.horz_banding = False
    made._tbl.tblPr.find(qn("a:tableStyleId")).text = NO_TABLE_STYLE
    for column, width in zip(made.columns, grid.widths, strict=True):
        column.width = Inches(width + 2 * PADDING)
    for at, (row, height) in enumerate(zip(made.rows, heights, strict=True)):
        row.height = Inches(height)
        ground = NHS_DARK_BLUE if at == 0 else "#FFFFFF" if at % 2 else LIGHT.tint
        for cell, text, is_number in zip(row.cells, grid.rows[at], grid.is_number, strict=True):
            cell.margin_left = cell.margin_right = Inches(PADDING)
            cell.margin_top = cell.margin_bottom = Inches(PADDING / 2)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            cell.fill.solid()
            cell.fill.fore_color.rgb = rgb(ground)
            say(
                cell.text_frame.paragraphs[0],
                text,
                grid.size,
                "#FFFFFF" if at == 0 else LIGHT.ink,
                bold=at == 0,
                align=PP_ALIGN.RIGHT if is_number else PP_ALIGN.LEFT,
            )
    if grid.words:
        below = Box(box.left, box.top + sum(heights) + BELOW, box.width, grid.below(box.width))
        add_words(
            slide, [grid.words], below._replace(height=below.height - BELOW), CAPTION_SIZE,
            LIGHT.muted,
        )  # fmt: skip
    return made


def _inside(table: Table, box: Box) -> Box:
    """The box below the title."""
    above = CAPTION if table.title else 0.0
    return box._replace(top=box.top + above, height=box.height - above)


def _whole(table: Table, box: Box) -> Grid | None:
    """All rows that the table shows, in the largest size; `None` where they do not fit."""
    for size in SIZES:
        grid = _grid(table, table.shown, size, box.width)
        if grid.height_in(box.width) <= box.height and not grid.is_divided:
            return grid
    return None


def _cut_to(table: Table, box: Box, size: int) -> Grid:
    """As many rows as fit, at least one."""
    shown = min(table.shown, len(table.rows))
    grid = _grid(table, shown, size, box.width)
    while shown > 1 and grid.height_in(box.width) > box.height:
        shown -= 1
        grid = _grid(table, shown, size, box.width)
    return grid


def _grid(table: Table, shown: int, size: int, width: float) -> Grid:
    said = as_shown(table, shown)
    columns, rows = said.columns, said.rows
    texts = [
        tuple(cut(column.title, LONGEST_CELL) for column in columns),
        *(
            tuple(
                cut(as_words(value, column.decimals), LONGEST_CELL)
                for value, column in zip(row, columns, strict=True)
            )
            for row in rows
        ),
    ]
    more = len(table.rows) - len(rows)
    told = [f"and {more:,} more in the workbook"] if more else []
    told += [
        f"{as_words(mark, 0)} {meaning}"
        for mark, meaning in MARKS.items()
        if any(mark in row for row in rows)
    ]
    widths = _widths(texts, width - 2 * PADDING * len(columns), size)
    lines = zip(*(_lines(texts, at, size, one) for at, one in enumerate(widths)), strict=True)
    return Grid(
        tuple(texts),
        tuple(column.decimals is not None for column in columns),
        "; ".join(told),
        size,
        tuple(widths),
        tuple(max(row) * size * LINE_HEIGHT / 72 + PADDING for row in lines),
    )


def _inches(text: str, size: float) -> float:
    return wide(text) * size / 72


def _lines(texts: Sequence[Sequence[str]], at: int, size: float, width: float) -> list[int]:
    """How many lines each cell of a column takes; the header is bold."""
    return [line_count(row[at], size * BOLD if row is texts[0] else size, width) for row in texts]


def _widths(texts: Sequence[Sequence[str]], width: float, size: float) -> list[float]:
    """As wide as the longest word, and the header on two lines; what is left goes, a step each, to
    the column that takes most lines, and when each cell is on one line to all."""
    header, *rows = texts
    widths = []
    for at, title in enumerate(header):
        heads = [_inches(title, size * BOLD) * 0.6]
        heads += [_inches(word, size * BOLD) for word in title.split()]
        words = [_inches(word, size) for row in rows for word in row[at].split()]
        widths.append(max(heads + words) * 1.03)
    spare = width - sum(widths)
    if spare < 0:
        # Too long: the widest give way.
        most = max(widths)
        while sum(min(one, most) for one in widths) > width:
            most *= 0.97
        return [min(one, most) for one in widths]
    lines = [sum(_lines(texts, at, size, one)) for at, one in enumerate(widths)]
    while spare >= STEP and max(lines) > len(texts):
        at = lines.index(max(lines))
        widths[at] += STEP
        spare -= STEP
        lines[at] = sum(_lines(texts, at, size, widths[at]))
    return [one + spare * one / sum(widths) for one in widths]
