"""A pack as slides that can be edited: one finding a slide, with native charts and tables."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pptx
import typst
from PIL import Image
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_AXIS_CROSSES, XL_CHART_TYPE, XL_LABEL_POSITION, XL_LEGEND_POSITION
from pptx.enum.chart import XL_MARKER_STYLE as MARKER
from pptx.enum.chart import XL_TICK_LABEL_POSITION as TICK_LABELS
from pptx.enum.dml import MSO_LINE
from pptx.enum.lang import MSO_LANGUAGE_ID
from pptx.enum.shapes import MSO_SHAPE, PP_PLACEHOLDER
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.slide import Slide
from pptx.util import Inches, Pt
from xlsxwriter import Workbook

from dashboard.pack.content import MARKS, Chart, MapPicture, Pack, Page, Series, Table, as_words
from dashboard.style import Theme, number

AUTHOR = "Social prescribing dashboard"
LIGHT = Theme(is_dark=False)
NHS_DARK_BLUE, SIMULATED_GROUND = "#003087", "#FFE8B3"
# Of the NHS identity, in an order in which neighbours differ in grey printing too.
SERIES_COLOURS = (LIGHT.bar, "#41B6E6", LIGHT.warm, LIGHT.muted, "#78BE20", "#7C2855")

# Inches, on a slide of 16 by 9.
SLIDE_WIDTH, SLIDE_HEIGHT = 13.333, 7.5
LEFT, WIDTH = 0.6, 12.13
TITLE_TOP, TITLE_HEIGHT = 0.62, 0.88
BODY_TOP, BODY_BOTTOM = 1.6, 6.7
FOOTER_TOP, FOOTER_WIDTH, FOOTER_HEIGHT = 6.85, 11.3, 0.5
GUTTER = 0.35
PICTURE_SHARE = 0.56  # of the width, where a table stands beside it
MOST_FOR_SENTENCES = 1.3  # of the height, where a picture or table stands below
LEAST_FOR_SENTENCES = 0.6  # above many bars
AROUND_BARS = 1.1  # of a chart: its title, scale and unit
LEGEND = 0.45
BAR, THIN_BAR = 0.165, 0.09  # with a name of 9 points; one of several at a name
LEAST_KEY_WIDTH, KEY_WIDTH = 2.4, 3.6
KEY_ROW = 0.3
CAPTION = 0.28

# Points, the largest first: the first at which all fits.
TITLE_SIZES = (26, 24, 22, 20, 18, 16, 14)
COVER_SIZES = (44, 40, 36, 32, 28, 24, 20)
WORDS_SIZES = (24, 20, 18, 16, 14)
SENTENCE_SIZES = (18, 16, 14, 12)
TABLE_SIZES = (16, 14, 12, 11, 10)
DIVIDED_TABLE_SIZES = (12, 11, 10)  # of a table on several slides
CAPTION_SIZE, FOOTER_SIZE = 10, 9
LINE_HEIGHT = 1.2  # of the size
MOST_AIR = 0.12  # rows are so much higher, where there is room
PADDING = 0.07  # of a cell, on the left and right; half of it above and below

MOST_SENTENCES = 3  # beside a chart, map or table; the notes have them all
MANY_BARS = 12  # with more there are fewer sentences
LONGEST_CELL = 160
LONGEST_CATEGORY = 60
PIXELS_WIDE = 1600
MAP_COLOURS = 128  # a map has few, and those between them at its lines

# The widths of Arial, of its size, rounded up.
NARROW, CAPITAL, BROAD = re.compile(r"[ !'\",./:;I|\[\]()fijlrt-]"), re.compile("[A-Z&]"), "mwMW@%"
WIDTHS = {"narrow": 0.3, "capital": 0.74, "broad": 0.95, "other": 0.56}
BOLD = 1.07

MADE_AT = datetime(1980, 1, 1)  # where the pack does not say: the first date of a zip file
NO_TABLE_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
NOTHING_TO_DRAW = "No number can be shown: all are hidden or not available."
NO_NUMBER = {
    "bars": "No bar: the number is hidden or not available; it is not 0.",
    "stacked": "A bar lacks the parts that are hidden or not available; they are not 0.",
    "lines": "Gap in the line: the number is hidden or not available; it is not 0.",
}


class Box(NamedTuple):
    """A place on a slide, in inches."""

    left: float
    top: float
    width: float
    height: float

    def inches(self) -> tuple[Any, ...]:
        return tuple(Inches(side) for side in (self.left, self.top, self.width, self.height))


class Grid(NamedTuple):
    """A table as words, with what stands around it; `numbers` are the columns of numbers."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[bool, ...]
    more: str = ""


def slides(pack: Pack) -> bytes:
    """A PowerPoint file of 16 by 9: a cover, contents, a slide a page (more where tables need
    them), sources and method; the same bytes for the same pack."""
    show = pptx.Presentation(io.BytesIO(_template()))
    deck = _Deck(show, pack)
    deck.cover()
    deck.contents()
    for page in pack.pages:
        deck.page(page)
    deck.last()
    deck.link_contents()
    for slide in show.slides:
        for part in (slide.element, slide.notes_slide.element):
            for run in part.iter(qn("a:r")):
                run.get_or_add_rPr().set("lang", "en-GB")
    _sign(show, pack)
    made = io.BytesIO()
    show.save(made)
    return _zipped(made.getvalue())


class _Deck:
    """The slides so far, and what stands on every one of them."""

    def __init__(self, show: Any, pack: Pack):
        self.show, self.pack = show, pack
        self.first_slides: list[int] = []
        self.contents_slides: list[Slide] = []

    def cover(self) -> None:
        pack = self.pack
        slide = self.show.slides.add_slide(self.show.slide_layouts[0])
        box = Box(0.9, 1.2, 11.5, 2.0)
        size = _fitting([pack.title], COVER_SIZES, box, bold=True)
        _write(slide.shapes.title, [pack.title], size, "#FFFFFF", bold=True)
        since = f"Changes since {pack.since}" if pack.since else ""
        frame = slide.placeholders[1]
        _write(frame, [pack.area, f"As at {pack.as_at}", since], 22, "#FFFFFF")
        frame.text_frame.paragraphs[0].runs[0].font.bold = True
        rest = _shorter(pack.stamp[1:] if pack.is_simulated else pack.stamp, 14, 11.5, 5)
        _add_words(slide, rest, Box(0.9, 5.35, 11.5, 1.5), 14, "#FFFFFF")
        if pack.is_simulated:
            _add_label(slide, pack.stamp[0], Box(0.9, 0.6, 6.2, 0.42), 14)
        _note(slide, [pack.title, *pack.stamp])

    def slide(self, title: str, above: str, notes: Sequence[str], link: str = "") -> Any:
        """A slide with its title, what stands above it, the stamp and its number."""
        slide: Any = self.show.slides.add_slide(self.show.slide_layouts[1])
        box = Box(LEFT, TITLE_TOP, WIDTH, TITLE_HEIGHT)
        size = _fitting([title], TITLE_SIZES, box, bold=True)
        lines = int(TITLE_HEIGHT / (size * LINE_HEIGHT / 72))
        whole = _shorter([title], size * BOLD, WIDTH, lines)
        _write(slide.shapes.title, whole, size, NHS_DARK_BLUE, bold=True)
        _add_words(slide, [above], Box(LEFT, 0.28, 8.5, 0.32), 13, LIGHT.bar, bold=True)
        if link.startswith(("https://", "http://")):
            opened = _add_words(
                slide, ["Open in the dashboard"], Box(9.0, 0.28, 1.9, 0.32), 11, LIGHT.bar
            )
            opened.text_frame.paragraphs[0].runs[0].hyperlink.address = link
        if self.pack.is_simulated:
            _add_label(slide, "Simulated data", Box(LEFT + WIDTH - 1.7, 0.24, 1.7, 0.32), 12)
        for place in slide.slide_layout.placeholders:
            kind = place.placeholder_format.type
            if kind in (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER):
                copied = deepcopy(place.element)
                copied.xpath("./*/p:cNvPr")[0].set("id", str(slide.shapes._next_shape_id))
                slide.shapes._spTree.append(copied)
            if kind == PP_PLACEHOLDER.FOOTER:
                stamp = _shorter(self.pack.stamp, FOOTER_SIZE, FOOTER_WIDTH, 3, joined=True)
                _write(slide.shapes[-1], [" ".join(stamp)], FOOTER_SIZE, LIGHT.muted)
        _note(slide, [title, *notes, *self.pack.stamp])
        return slide

    def contents(self) -> None:
        pages = self.pack.pages
        rows = tuple((page.subject, page.finding, "00") for page in pages)
        grid = Grid("", ("Subject", "What was found", "Slide"), rows, (False, False, True))
        self.contents_parts = _parts(grid, _body())
        self.contents_slides = [
            self.slide(_continued("Contents", at), self.pack.area, [])
            for at in range(len(self.contents_parts))
        ]

    def link_contents(self) -> None:
        """Each finding opens its slide."""
        firsts = iter(self.first_slides)
        for slide, (part, size) in zip(self.contents_slides, self.contents_parts, strict=True):
            numbers = [next(firsts) for _ in part.rows]
            rows = tuple((*row[:2], str(at)) for row, at in zip(part.rows, numbers, strict=True))
            table = _add_grid(slide, part._replace(rows=rows), _body(), size, "Contents")
            for row, at in zip(list(table.rows)[1:], numbers, strict=True):
                target = self.show.slides[at - 1].part
                for run in row.cells[1].text_frame.paragraphs[0].runs:
                    reference = slide.part.relate_to(target, RELATIONSHIP_TYPE.SLIDE)
                    click = run._r.get_or_add_rPr().add_hlinkClick(reference)
                    click.set("action", "ppaction://hlinksldjump")

    def page(self, page: Page) -> None:
        self.first_slides.append(len(self.show.slides) + 1)
        above = " · ".join(words for words in (page.subject, page.period) if words)
        notes = _notes_of(page)
        grids = [_grid(table) for table in page.tables]
        made = 0

        def another() -> Any:
            nonlocal made
            made += 1
            return self.slide(_continued(page.finding, made - 1), above, notes, page.link)

        has_more = page.chart or page.map or grids
        if not has_more:
            for lines, size in _parts_of_words(page.sentences, _body()):
                _add_words(another(), lines, _body(), size, LIGHT.ink, apart=True)
            return
        slide = another()
        has_many = (
            page.chart and page.chart.kind != "lines" and len(page.chart.categories) > MANY_BARS
        )
        box = _below(slide, page.sentences, LEAST_FOR_SENTENCES if has_many else MOST_FOR_SENTENCES)
        if page.chart or page.map:
            half = box._replace(width=box.width * PICTURE_SHARE - GUTTER)
            right = box._replace(
                left=half.left + half.width + GUTTER, width=box.width - half.width - GUTTER
            )
            beside = _whole(grids[0], right) if grids else None
            if page.chart:
                _draw(slide, page.chart, half if beside else box)
            if page.map:
                _place(slide, page.map, half if beside else box, is_alone=not beside)
            if beside:
                _add_grid(slide, grids.pop(0), right, beside)
        elif size := _whole(grids[0], box):
            _add_grid(slide, grids.pop(0), box, size)
        for grid in grids:
            for part, size in _parts(grid, _body()):
                _add_grid(another(), part, _body(), size)

    def last(self) -> None:
        pack, title = self.pack, "Sources, small numbers and method"
        told = [
            f"Small numbers: {pack.profile}.",
            *(f"{term}: {meaning}" for term, meaning in pack.method),
        ]
        sources = tuple((dataset, name) for dataset, name, _ in pack.sources)
        grid = Grid("Sources", ("Dataset", "File"), sources, (False, False))
        notes = [f"{dataset}: {name}, SHA-256 {sum_}." for dataset, name, sum_ in pack.sources]
        made = 0

        def another() -> Any:
            nonlocal made
            made += 1
            return self.slide(_continued(title, made - 1), pack.area, notes)

        half = _body()._replace(width=(WIDTH - GUTTER) / 2)
        right = half._replace(left=LEFT + half.width + GUTTER)
        words, beside = _parts_of_words(told, half, SENTENCE_SIZES[1:]), _whole(grid, right)
        if len(words) == 1 and beside:
            slide = another()
            _add_words(slide, *words[0][:1], half, words[0][1], LIGHT.ink, apart=True)
            _add_grid(slide, grid, right, beside)
            return
        for lines, size in _parts_of_words(told, _body(), SENTENCE_SIZES):
            _add_words(another(), lines, _body(), size, LIGHT.ink, apart=True)
        for rows, size in _parts(grid, _body()):
            _add_grid(another(), rows, _body(), size)


def _body() -> Box:
    return Box(LEFT, BODY_TOP, WIDTH, BODY_BOTTOM - BODY_TOP)


def _continued(title: str, at: int) -> str:
    title = _plain(title)
    return title if at == 0 else f"{title}, continued" + (f" ({at})" if at > 1 else "")


def _notes_of(page: Page) -> list[str]:
    """What the speaker may be asked."""
    return [
        *page.sentences,
        f"Period: {page.period}.",
        *(f"{term}: {meaning}" for term, meaning in page.definitions),
        f"Sources: {'; '.join(page.sources)}." if page.sources else "",
        f"Open in the dashboard: {page.link}",
    ]


def _note(slide: Slide, lines: Sequence[str]) -> None:
    frame = slide.notes_slide.notes_text_frame
    assert frame is not None
    frame.text = "\n".join(_plain(line) for line in lines if line)


# Words


def _plain(text: str) -> str:
    """On one line, without what has no picture."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _cut(text: str, longest: int) -> str:
    text = _plain(text)
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


@lru_cache(maxsize=4096)
def _wide(text: str) -> float:
    """The width of a text, of its size."""
    return sum(
        WIDTHS[
            "narrow"
            if NARROW.match(sign)
            else "broad"
            if sign in BROAD
            else "capital"
            if CAPITAL.match(sign)
            else "other"
        ]
        for sign in text
    )


def _line_count(text: str, size: float, width: float) -> int:
    """How many lines a text takes; a word that is longer than a line is divided."""
    room = width * 72 / size
    lines, used = 1, 0.0
    for word in text.split():
        wide = _wide(word)
        if used and used + WIDTHS["narrow"] + wide > room:
            lines, used = lines + 1, 0.0
        used += wide + (WIDTHS["narrow"] if used else 0)
        if used > room:
            lines, used = lines + int(used / room), used % room
    return lines


def _tall(texts: Sequence[str], size: float, width: float, between: float = 0.0) -> float:
    """The height of paragraphs in inches, with a part of the size between them."""
    lines = sum(_line_count(text, size, width) for text in texts)
    return (lines * LINE_HEIGHT + between * max(len(texts) - 1, 0)) * size / 72


def _fitting(
    texts: Sequence[str],
    sizes: Sequence[int],
    box: Box,
    between: float = 0.0,
    *,
    bold: bool = False,
) -> int:
    """The largest size at which the texts are in the box; the smallest where none is."""
    stretch = BOLD if bold else 1.0
    fits = (
        size for size in sizes if _tall(texts, size, box.width / stretch, between) <= box.height
    )
    return next(fits, sizes[-1])


def _shorter(
    texts: Sequence[str], size: float, width: float, lines: int, *, joined: bool = False
) -> list[str]:
    """The texts, of which the longest loses its end until they take so many lines."""
    kept = [_plain(text) for text in texts]

    def count() -> int:
        return sum(
            _line_count(text, size, width) for text in ([" ".join(kept)] if joined else kept)
        )

    while count() > lines and len(longest := max(kept, key=len)) > 2:
        at = kept.index(longest)
        kept[at] = longest[: -max(2, len(longest) // 20)].rstrip("… ") + "…"
    return kept


def _write(shape: Any, texts: Sequence[str], size: float, colour: str, **how: Any) -> None:
    """Paragraphs in a shape: each text is a run, never markup."""
    frame = shape.text_frame
    frame.word_wrap = True
    for at, text in enumerate(text for text in texts if text):
        paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
        _say(paragraph, text, size, colour, **how)


def _say(
    paragraph: Any,
    text: str,
    size: float,
    colour: str,
    *,
    bold: bool = False,
    apart: bool = False,
    align: PP_ALIGN | None = None,
) -> None:
    for run in paragraph.runs:
        paragraph._p.remove(run._r)
    run = paragraph.add_run()
    run.text = _plain(text)
    run.font.size, run.font.bold = Pt(size), bold
    run.font.color.rgb = _colour(colour)
    paragraph.alignment = align
    if apart:
        paragraph.space_after = Pt(size * 0.5)


def _add_words(
    slide: Slide, texts: Sequence[str], box: Box, size: float, colour: str, **how: Any
) -> Any:
    shape = slide.shapes.add_textbox(*box.inches())
    _no_margins(shape.text_frame)
    _write(shape, texts, size, colour, **how)
    return shape


def _add_label(slide: Slide, text: str, box: Box, size: float) -> None:
    shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *box.inches())
    shape.fill.solid()
    shape.fill.fore_color.rgb = _colour(SIMULATED_GROUND)
    shape.line.fill.background()
    _flat(shape)
    _no_margins(shape.text_frame)
    shape.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    _write(shape, [text], size, LIGHT.ink, bold=True, align=PP_ALIGN.CENTER)
    _describe(shape, text)


def _flat(shape: Any) -> None:
    """Without the shadow of the theme."""
    shape._element.remove(shape._element.find(qn("p:style")))


def _no_margins(frame: Any) -> None:
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0


def _below(slide: Slide, sentences: Sequence[str], most: float) -> Box:
    """The first sentences on a slide, and the box that is left below them."""
    body = _body()
    box = body._replace(height=most)
    shown = [_plain(sentence) for sentence in sentences[:MOST_SENTENCES]]
    smallest = SENTENCE_SIZES[-1]
    while len(shown) > 1 and _tall(shown, smallest, box.width, 0.5) > box.height:
        shown.pop()
    if len(shown) == 1:
        shown = _shorter(shown, smallest, box.width, int(most * 72 / (smallest * LINE_HEIGHT)))
    if not shown:
        return body
    size = _fitting(shown, SENTENCE_SIZES, box, 0.5)
    tall = _tall(shown, size, box.width, 0.5)
    _add_words(slide, shown, box._replace(height=tall), size, LIGHT.ink, apart=True)
    used = tall + 0.2
    return body._replace(top=body.top + used, height=body.height - used)


def _parts_of_words(
    texts: Sequence[str], box: Box, sizes: Sequence[int] = WORDS_SIZES
) -> list[tuple[list[str], int]]:
    """The texts as they fit on slides, and their size."""
    size = _fitting(texts, sizes, box, 0.5)
    most = int(box.height * 72 / (size * LINE_HEIGHT))
    parts: list[list[str]] = [[]]
    for text in texts:
        (whole,) = _shorter([text], size, box.width, most)
        if parts[-1] and _tall([*parts[-1], whole], size, box.width, 0.5) > box.height:
            parts.append([])
        parts[-1].append(whole)
    return [(part, size) for part in parts]


# Tables


def _grid(table: Table) -> Grid:
    decimals = [column.decimals for column in table.columns]
    shown = table.rows[: table.shown]
    more = len(table.rows) - len(shown)
    found = {value for row in shown for value in row if value in MARKS}
    below = [f"and {more:,} more in the workbook"] if more else []
    below += [f"{as_words(mark, 0)} {told}" for mark, told in MARKS.items() if mark in found]
    return Grid(
        _cut(table.title, LONGEST_CELL),
        tuple(_cut(column.title, LONGEST_CELL) for column in table.columns),
        tuple(
            tuple(
                _cut(as_words(value, places), LONGEST_CELL)
                for value, places in zip(row, decimals, strict=True)
            )
            for row in shown
        ),
        tuple(places is not None for places in decimals),
        "; ".join(below),
    )


def _column_widths(grid: Grid, width: float, size: float) -> list[float]:
    """As wide as its words; where that is too much, the widest columns give way."""
    inch = size / 72
    natural = []
    for at, title in enumerate(grid.header):
        # A header may stand on two lines, but its words are not divided.
        words = [_wide(title) * BOLD * 0.6, *(_wide(word) * BOLD for word in title.split())]
        cells = (_wide(row[at]) for row in grid.rows)
        natural.append(max(words + list(cells)) * inch * 1.03 + 2 * PADDING)
    most = max(natural)
    while sum(min(wide, most) for wide in natural) > width:
        most *= 0.97
    widths = [min(wide, most) for wide in natural]
    spare = width - sum(widths)
    return [wide + spare * wide / sum(widths) for wide in widths]


def _row_heights(grid: Grid, widths: Sequence[float], size: float) -> list[float]:
    rows = [(grid.header, BOLD), *((row, 1.0) for row in grid.rows)]
    return [
        max(
            _line_count(cell, size * stretch, width - 2 * PADDING)
            for cell, width in zip(row, widths, strict=True)
        )
        * (size * LINE_HEIGHT / 72)
        + PADDING
        for row, stretch in rows
    ]


def _around(grid: Grid, width: float) -> float:
    """The height of what stands above and below a table."""
    return (CAPTION if grid.title else 0) + _below_height(grid, width)


def _below_height(grid: Grid, width: float) -> float:
    return _tall([grid.more], CAPTION_SIZE, width) + 0.08 if grid.more else 0


def _whole(grid: Grid, box: Box) -> int:
    """The largest size at which the whole table fits in the box; 0 where none."""
    for size in TABLE_SIZES:
        widths = _column_widths(grid, box.width, size)
        room = box.height - _around(grid, box.width)
        if sum(_row_heights(grid, widths, size)) <= room and not _is_divided(grid, widths, size):
            return size
    return 0


def _is_divided(grid: Grid, widths: Sequence[float], size: float) -> bool:
    """Whether a word is longer than its column."""
    return any(
        _wide(word) * size / 72 > width - 2 * PADDING
        for row in (grid.header, *grid.rows)
        for cell, width in zip(row, widths, strict=True)
        for word in cell.split()
    )


def _parts(grid: Grid, box: Box) -> list[tuple[Grid, int]]:
    """The table as it fits in boxes of this size, and the size of its words."""
    if size := _whole(grid, box):
        return [(grid, size)]
    # On the fewest slides, and among these in the largest size.
    return min((_divided(grid, box, size) for size in DIVIDED_TABLE_SIZES), key=len)


def _divided(grid: Grid, box: Box, size: int) -> list[tuple[Grid, int]]:
    heights = _row_heights(grid, _column_widths(grid, box.width, size), size)
    room = box.height - _around(grid, box.width) - heights[0]
    parts: list[list[tuple[str, ...]]] = [[]]
    used = 0.0
    for row, height in zip(grid.rows, heights[1:], strict=True):
        if parts[-1] and used + height > room:
            parts.append([])
            used = 0.0
        parts[-1].append(row)
        used += height
    return [(grid._replace(rows=tuple(part)), size) for part in parts]


def _add_grid(slide: Slide, grid: Grid, box: Box, size: float, alt: str = "") -> Any:
    """A native table with its title above it and what is left out below it."""
    top = box.top
    if grid.title:
        _add_words(slide, [grid.title], box._replace(height=CAPTION), 12, LIGHT.ink, bold=True)
        top += CAPTION
    widths = _column_widths(grid, box.width, size)
    heights = _row_heights(grid, widths, size)
    room = box.height - _around(grid, box.width)
    air = max(0.0, min(MOST_AIR, (room - sum(heights)) / len(heights)))
    heights = [height + air for height in heights]
    frame: Any = slide.shapes.add_table(
        len(heights),
        len(widths),
        *Box(box.left, top, box.width, sum(heights)).inches(),
    )
    columns = ", ".join(grid.header)
    _describe(frame, f"{alt or grid.title or 'Table'}: {len(grid.rows)} rows. Columns: {columns}.")
    table = frame.table
    table.horz_banding = False
    table._tbl.tblPr.find(qn("a:tableStyleId")).text = NO_TABLE_STYLE
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Inches(width)
    for at, (row, height) in enumerate(zip(table.rows, heights, strict=True)):
        row.height = Inches(height)
        texts = grid.header if at == 0 else grid.rows[at - 1]
        for cell, text, is_number in zip(row.cells, texts, grid.numbers, strict=True):
            cell.margin_left = cell.margin_right = Inches(PADDING)
            cell.margin_top = cell.margin_bottom = Inches(PADDING / 2)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            cell.fill.solid()
            ground = NHS_DARK_BLUE if at == 0 else "#FFFFFF" if at % 2 else LIGHT.tint
            cell.fill.fore_color.rgb = _colour(ground)
            _say(
                cell.text_frame.paragraphs[0],
                text,
                size,
                "#FFFFFF" if at == 0 else LIGHT.ink,
                bold=at == 0,
                align=PP_ALIGN.RIGHT if is_number else PP_ALIGN.LEFT,
            )
    if grid.more:
        below = Box(box.left, top + sum(heights) + 0.06, box.width, _below_height(grid, box.width))
        _add_words(slide, [grid.more], below, CAPTION_SIZE, LIGHT.muted)
    return table


# Charts


class _ChartData(CategoryChartData):
    """The numbers of a chart; in the workbook inside it, no text is read as a formula or link."""

    @property
    def xlsx_blob(self) -> bytes:
        made = io.BytesIO()
        safe = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with Workbook(made, safe) as book:
            book.set_properties({"author": AUTHOR, "created": MADE_AT})
            sheet = book.add_worksheet()
            sheet.write_column(1, 0, [category.label for category in self.categories])
            for at, series in enumerate(self, start=1):
                sheet.write_string(0, at, series.name)
                # An empty cell where there is no number.
                sheet.write_column(1, at, series.values)
        return made.getvalue()


def _draw(slide: Slide, chart: Chart, box: Box) -> None:
    """A native chart, and below it what its gaps mean."""
    shown = _bars_shown(chart, box.height)
    series = [
        Series(_cut(one.name, LONGEST_CATEGORY), one.values[:shown], one.role)
        for one in chart.series
    ]
    told = [one for one in series if one.role == "value"]
    if not any(value is not None for one in told for value in one.values):
        _add_words(slide, [NOTHING_TO_DRAW], box, WORDS_SIZES[1], LIGHT.muted)
        return
    below = _below_chart(chart, told, shown)
    data = _ChartData(number_format=_number_format(series))  # type: ignore[no-untyped-call]
    data.categories = [_cut(name, LONGEST_CATEGORY) for name in chart.categories[:shown]]
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
    _describe(frame, chart.alt)
    drawn: Any = frame.chart
    _dress(drawn, chart, len(data.categories), len(series))
    paint = _paint_line if chart.kind == "lines" else _paint_bars
    colours = iter(SERIES_COLOURS * len(series))
    for one, drawn_series in zip(series, drawn.plots[0].series, strict=True):
        paint(drawn_series, one.role, next(colours) if one.role == "value" else "")
    if chart.kind == "bars" and len(told) == 1:
        labels = drawn.plots[0].series[series.index(told[0])].data_labels
        labels.show_value = True
        labels.number_format, labels.number_format_is_linked = data.number_format, False
        labels.position = XL_LABEL_POSITION.OUTSIDE_END
        labels.font.size, labels.font.color.rgb = (
            Pt(11 if shown <= MANY_BARS else 9),
            _colour(LIGHT.ink),
        )
    if below:
        _add_words(
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
    each = max(BAR, THIN_BAR * len(chart.series) if chart.kind == "bars" else 0)
    return min(len(chart.categories), int(room / each))


def _below_chart(chart: Chart, told: Sequence[Series], shown: int) -> str:
    has_gaps = any(value is None for one in told for value in one.values)
    gap = NO_NUMBER[chart.kind]
    more = len(chart.categories) - shown
    return " ".join(
        [
            *([f"And {more:,} more in the workbook."] if more > 0 else []),
            *([gap] if has_gaps else []),
        ]
    )


def _dress(drawn: Any, chart: Chart, categories: int, series: int) -> None:
    """The title, legend and axes of a chart."""
    drawn.font.name, drawn.font.size = "Arial", Pt(12)
    drawn.font.color.rgb = _colour(LIGHT.ink)
    drawn.font.language_id = MSO_LANGUAGE_ID.ENGLISH_UK
    drawn.has_title = True
    _say(drawn.chart_title.text_frame.paragraphs[0], chart.title, 12, LIGHT.ink, bold=True)
    drawn.chart_title.include_in_layout = False
    drawn.has_legend = series > 1
    if drawn.has_legend:
        drawn.legend.position = XL_LEGEND_POSITION.BOTTOM
        drawn.legend.include_in_layout = False
        drawn.legend.font.size = Pt(11)
    along, across = drawn.category_axis, drawn.value_axis
    across.has_title = True
    _say(across.axis_title.text_frame.paragraphs[0], chart.unit, 11, LIGHT.muted)
    across.has_major_gridlines = True
    across.major_gridlines.format.line.color.rgb = _colour(LIGHT.faint)
    across.major_gridlines.format.line.width = Pt(0.75)
    across.format.line.fill.background()
    across.tick_labels.font.size = Pt(11)
    across.tick_labels.font.color.rgb = _colour(LIGHT.muted)
    along.format.line.color.rgb = _colour(LIGHT.line)
    along.tick_labels.font.size = Pt(11 if categories <= MANY_BARS else 9)
    along.tick_label_position = TICK_LABELS.LOW
    values = [value for one in chart.series for value in one.values if value is not None]
    if chart.kind != "lines":
        along.reverse_order = True  # the first on top, with the scale below all the same
        across._element._remove_crosses()
        across._element._add_crosses(val=XL_AXIS_CROSSES.MAXIMUM)
        drawn.plots[0].gap_width = 45
        # Every name is there, also where PowerPoint would leave out every second.
        skip = along._element.makeelement(qn("c:tickLblSkip"), {"val": "1"})
        along._element.find(qn("c:noMultiLvlLbl")).addprevious(skip)
        if min(values) >= 0:
            across.minimum_scale = 0


def _paint_bars(series: Any, role: str, colour: str) -> None:
    series.invert_if_negative = False
    if role == "value":
        series.format.fill.solid()
        series.format.fill.fore_color.rgb = _colour(colour)
        return
    series.format.fill.background()
    series.format.line.color.rgb = _colour(LIGHT.muted)
    series.format.line.width = Pt(1)
    series.format.line.dash_style = MSO_LINE.DASH


def _paint_line(series: Any, role: str, colour: str) -> None:
    """What is told in colour, with a mark a month, so that one between two gaps is seen; the
    lines around it thin and without marks."""
    series.smooth = False
    line = series.format.line
    if role == "value":
        line.color.rgb, line.width = _colour(colour), Pt(2.5)
        series.marker.style, series.marker.size = MARKER.CIRCLE, 7
        series.marker.format.fill.solid()
        series.marker.format.fill.fore_color.rgb = _colour(colour)
        series.marker.format.line.color.rgb = _colour(colour)
        return
    line.color.rgb = _colour(LIGHT.warm if role == "target" else LIGHT.muted)
    line.width = Pt(1.25)
    line.dash_style = {
        "mean": MSO_LINE.SOLID,
        "limit": MSO_LINE.DASH,
        "target": MSO_LINE.LONG_DASH_DOT,
    }[role]
    series.marker.style = MARKER.NONE


def _number_format(series: Sequence[Series]) -> str:
    """As many decimals as the numbers have, two at most."""
    values = [value for one in series for value in one.values if value is not None]
    places = next((n for n in (0, 1) if all(round(value, n) == value for value in values)), 2)
    return "#,##0" + ("." + "0" * places if places else "")


# Maps


def _place(slide: Slide, picture: MapPicture, box: Box, *, is_alone: bool) -> None:
    """The map, with its key to the right of it, or below where a table is to the right."""
    png, shape = _map_png(picture.svg)
    size = 14 if is_alone else 11
    row = KEY_ROW * size / 11
    # A tall map leaves room on the right.
    right = KEY_WIDTH if is_alone else box.width - box.height * shape - GUTTER
    is_right = right >= LEAST_KEY_WIDTH
    half = box.width / 2
    labels = (f"{label}: {number(count)}" for _, label, count in picture.key)
    is_short = all(_wide(label) * size / 72 < half - 2 * KEY_ROW for label in labels)
    columns = 2 if is_short and not is_right else 1
    rows = -(-len(picture.key) // columns)
    room = (
        box._replace(width=box.width - right - GUTTER)
        if is_right
        else box._replace(height=box.height - rows * row - 0.12)
    )
    width = min(room.width, room.height * shape)
    drawn = slide.shapes.add_picture(
        io.BytesIO(png), *Box(room.left, room.top, width, width / shape).inches()
    )
    drawn.name = "Map"
    _describe(drawn, picture.alt)
    key = Box(
        room.left + width + GUTTER if is_right else box.left,
        room.top if is_right else room.top + width / shape + 0.12,
        right if is_right else box.width / columns,
        row * 0.9,
    )
    for at, (colour, label, count) in enumerate(picture.key):
        # Down the first column, then the second.
        place = key._replace(left=key.left + at // rows * key.width, top=key.top + at % rows * row)
        _add_key(slide, colour, (label, f": {number(count)}"), place, size)


def _add_key(slide: Slide, colour: str, words: tuple[str, str], box: Box, size: float) -> None:
    """A square in its colour, and its label and count, of which the label may be cut."""
    side = box.height * 0.62
    square = slide.shapes.add_shape(
        MSO_SHAPE.RECTANGLE,
        *Box(box.left, box.top + (box.height - side) / 2, side, side).inches(),
    )
    square.fill.solid()
    square.fill.fore_color.rgb = _colour(colour)
    square.line.color.rgb, square.line.width = _colour(LIGHT.muted), Pt(0.75)
    _flat(square)
    label, count = words
    _describe(square, f"Colour of {label}")
    beside = box._replace(left=box.left + side + 0.1, width=box.width - side - 0.2)
    (label,) = _shorter([label], size, beside.width - _wide(count) * size / 72, 1)
    told = _add_words(slide, [label + count], beside, size, LIGHT.ink)
    told.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE


def _map_png(svg: str) -> tuple[bytes, float]:
    """The map as a picture, and how many times it is as wide as high."""
    page = typst.Compiler(
        b"#set page(width: 800pt, height: auto, margin: 0pt)\n"
        b'#image(bytes(sys.inputs.map), format: "svg", width: 100%)',
        font_paths=typst.Fonts(include_system_fonts=False),
        sys_inputs={"map": svg},
    )
    made = page.compile(format="png", ppi=PIXELS_WIDE / 800 * 72)
    assert isinstance(made, bytes)
    picture = Image.open(io.BytesIO(made)).convert("RGB")
    small = io.BytesIO()
    few = picture.quantize(MAP_COLOURS, dither=Image.Dither.NONE)
    few.save(small, "png", optimize=True)
    return small.getvalue(), picture.width / picture.height


# The file


def _colour(code: str) -> RGBColor:
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return RGBColor(red, green, blue)  # type: ignore[no-untyped-call]


def _describe(shape: Any, alt: str) -> None:
    """What a screen reader says in place of the shape."""
    shape._element.xpath("./*/p:cNvPr")[0].set("descr", _plain(alt))


@lru_cache(maxsize=1)
def _template() -> bytes:
    """The slides of python-pptx at 16 by 9, in our colours and Arial: a cover and a title."""
    assert pptx.__file__ is not None
    plain = (Path(pptx.__file__).parent / "templates" / "default.pptx").read_bytes()
    show: Any = pptx.Presentation(io.BytesIO(_zipped(plain, _ours)))
    show.slide_width, show.slide_height = Inches(SLIDE_WIDTH), Inches(SLIDE_HEIGHT)
    for kind in (RELATIONSHIP_TYPE.THUMBNAIL, RELATIONSHIP_TYPE.PRINTER_SETTINGS):
        for part in (show.part.package, show.part):
            for key in [key for key, one in part._rels.items() if one.reltype == kind]:
                part._rels.pop(key)
    for at, layout in reversed(list(enumerate(show.slide_layouts))):
        if at not in (0, 5):
            show.slide_layouts.remove(layout)
    cover, titled = show.slide_layouts
    for shapes in (show.slide_master.placeholders, cover.placeholders, titled.placeholders):
        for place in shapes:
            _put(place, is_cover=shapes is cover.placeholders)
    for layout in (cover, titled):
        for place in list(layout.placeholders):
            kind = place.placeholder_format.type
            is_footer = kind in (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)
            if kind == PP_PLACEHOLDER.DATE or (layout is cover and is_footer):
                place.element.getparent().remove(place.element)
    _fill(cover.background, LIGHT.bar)
    made = io.BytesIO()
    show.save(made)
    return made.getvalue()


def _put(place: Any, *, is_cover: bool) -> None:
    """A placeholder of the template where it stands on our slides."""
    kind = place.placeholder_format.type
    boxes = {
        PP_PLACEHOLDER.TITLE: Box(LEFT, TITLE_TOP, WIDTH, TITLE_HEIGHT),
        PP_PLACEHOLDER.CENTER_TITLE: Box(0.9, 1.2, 11.5, 2.0),
        PP_PLACEHOLDER.SUBTITLE: Box(0.9, 3.4, 11.5, 1.6),
        PP_PLACEHOLDER.BODY: Box(LEFT, BODY_TOP, WIDTH, BODY_BOTTOM - BODY_TOP),
        PP_PLACEHOLDER.FOOTER: Box(LEFT, FOOTER_TOP, FOOTER_WIDTH, FOOTER_HEIGHT),
        PP_PLACEHOLDER.SLIDE_NUMBER: Box(LEFT + WIDTH - 0.7, FOOTER_TOP, 0.7, FOOTER_HEIGHT),
        PP_PLACEHOLDER.DATE: Box(LEFT, FOOTER_TOP, 1.0, FOOTER_HEIGHT),
    }
    place.left, place.top, place.width, place.height = boxes[kind].inches()
    _no_margins(place.text_frame)
    is_bottom = kind == PP_PLACEHOLDER.CENTER_TITLE
    place.text_frame.vertical_anchor = MSO_ANCHOR.BOTTOM if is_bottom else MSO_ANCHOR.TOP


def _fill(background: Any, colour: str) -> None:
    background.fill.solid()
    background.fill.fore_color.rgb = _colour(colour)


def _ours(name: str, content: bytes) -> bytes:
    """The colours, font, language and alignment of the template, in its XML."""
    if not name.endswith(".xml"):
        return content
    text = content.decode().replace('lang="en-US"', 'lang="en-GB"')
    text = text.replace(' type="screen4x3"', "").replace("On-screen Show (4:3)", "Widescreen")
    text = text.replace('<a:tint val="75000"/>', "")  # paler than can be read
    text = text.replace('typeface="Calibri"', 'typeface="Arial"').replace('algn="ctr"', 'algn="l"')
    accents = ("4F81BD", "C0504D", "9BBB59", "8064A2", "4BACC6", "F79646")
    ours = (*SERIES_COLOURS, LIGHT.bar, NHS_DARK_BLUE, NHS_DARK_BLUE)
    for old, new in zip((*accents, "0000FF", "800080", "1F497D"), ours, strict=True):
        text = text.replace(f'srgbClr val="{old}"', f'srgbClr val="{new.removeprefix("#")}"')
    return text.encode()


def _sign(show: Any, pack: Pack) -> None:
    """Who made the file and when, from the pack only: no name of a person or machine."""
    about = show.core_properties
    about.title, about.subject = _plain(pack.title), _plain(pack.area)
    about.author = about.last_modified_by = AUTHOR
    about.language, about.comments, about.revision = "en-GB", "", 1
    about.created = about.modified = _made_at(pack)


def _made_at(pack: Pack) -> datetime:
    try:
        return datetime.strptime(pack.as_at, "%d %B %Y")
    except ValueError:
        return MADE_AT


def _zipped(
    blob: bytes, change: Callable[[str, bytes], bytes] = lambda name, content: content
) -> bytes:
    """The same files with one date, so that the same pack is the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in _unzipped(blob):
            target.writestr(zipfile.ZipInfo(name), change(name, content), zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _unzipped(blob: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(blob)) as source:
        for name in source.namelist():
            yield name, source.read(name)
