"""A pack as slides that can be edited: one finding a slide, with native charts and tables."""

from __future__ import annotations

import io
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from itertools import groupby, zip_longest
from typing import Any

import pptx
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.slide import Slide

from dashboard.pack.content import AUTHOR, FIXED_DATE, Column, Pack, Page, Table, plain
from dashboard.pack.slide_charts import MANY_BARS, add_chart
from dashboard.pack.slide_map import add_map
from dashboard.pack.slide_tables import add_table, fits
from dashboard.pack.slide_template import (
    BODY,
    COVER_TITLE,
    FOOTER,
    LEFT,
    TITLE,
    WIDTH,
    template,
    zipped,
)
from dashboard.pack.slide_words import (
    BOLD,
    GUTTER,
    LIGHT,
    LINE_HEIGHT,
    NHS_DARK_BLUE,
    Box,
    add_label,
    add_words,
    cut,
    fitting,
    shorter,
    tall,
    write,
)

# Inches.
PICTURE_SHARE = 0.56  # of the width, where a table stands beside it
MOST_FOR_SENTENCES = 1.3  # of the height, where a picture or table stands below
LEAST_FOR_SENTENCES = 0.6  # above many bars
ABOVE = Box(LEFT, 0.28, 8.3, 0.28)

# Points, the largest first: the first at which all fits.
TITLE_SIZES = (26, 24, 22, 20, 18, 16, 14)
COVER_SIZES = (44, 40, 36, 32, 28, 24, 20)
ABOVE_SIZES = (13, 12, 11, 10)
WORDS_SIZES = (24, 20, 18, 16, 14)
SENTENCE_SIZES = (18, 16, 14, 12)
METHOD_SIZES = (16, 14, 12, 10)
FOOTER_SIZE = 9

MOST_SENTENCES = 3  # beside a chart, map or table; the notes have them all
LONGEST_IN_CONTENTS = 115  # on one line


def slides(pack: Pack) -> bytes:
    """A PowerPoint file of 16 by 9: a cover, contents, a slide a page and one a table that needs
    its own, method and sources; the same bytes for the same pack."""
    show = pptx.Presentation(io.BytesIO(template()))
    deck = _Deck(show, pack)
    deck.cover()
    contents = deck.slide("Contents", pack.area, [])
    firsts = [deck.page(page) for page in pack.pages]
    deck.method()
    deck.sources()
    deck.contents(contents, firsts)
    for slide in show.slides:
        for part in (slide.element, slide.notes_slide.element):
            for run in part.iter(qn("a:r")):
                run.get_or_add_rPr().set("lang", "en-GB")
    _sign(show, pack)
    made = io.BytesIO()
    show.save(made)
    return zipped(made.getvalue())


class _Deck:
    """The slides so far, and what stands on every one of them."""

    def __init__(self, show: Any, pack: Pack):
        self.show, self.pack = show, pack

    def cover(self) -> None:
        pack = self.pack
        slide = self.show.slides.add_slide(self.show.slide_layouts[0])
        size = fitting([pack.title], COVER_SIZES, COVER_TITLE, bold=True)
        write(slide.shapes.title, [pack.title], size, "#FFFFFF", bold=True)
        since = f"Changes since {pack.since}" if pack.since else ""
        frame = slide.placeholders[1]
        write(frame, [pack.area, f"As at {pack.as_at}", since], 22, "#FFFFFF")
        frame.text_frame.paragraphs[0].runs[0].font.bold = True
        rest = shorter(pack.stamp[1:] if pack.is_simulated else pack.stamp, 14, 11.5, 5)
        add_words(slide, rest, Box(0.9, 5.35, 11.5, 1.5), 14, "#FFFFFF")
        if pack.is_simulated:
            add_label(slide, pack.stamp[0], Box(0.9, 0.6, 6.2, 0.42), 14)
        _note(slide, [pack.title, *pack.stamp])

    def slide(self, title: str, above: str, notes: Sequence[str], link: str = "") -> Any:
        """A slide with its title, what stands above it, the stamp and its number."""
        slide: Any = self.show.slides.add_slide(self.show.slide_layouts[1])
        title = plain(title)
        size = fitting([title], TITLE_SIZES, TITLE, bold=True)
        lines = int(TITLE.height / (size * LINE_HEIGHT / 72))
        whole = shorter([title], size * BOLD, WIDTH, lines)
        write(slide.shapes.title, whole, size, NHS_DARK_BLUE, bold=True)
        size = fitting([above], ABOVE_SIZES, ABOVE, bold=True)
        (above,) = shorter([above], size * BOLD, ABOVE.width, 1)
        add_words(slide, [above], ABOVE, size, LIGHT.bar, bold=True)
        if link.startswith(("https://", "http://")):
            box = Box(9.0, ABOVE.top, 1.9, ABOVE.height)
            opened = add_words(slide, ["Open in the dashboard"], box, 11, LIGHT.bar)
            opened.text_frame.paragraphs[0].runs[0].hyperlink.address = link
        if self.pack.is_simulated:
            add_label(slide, "Simulated data", Box(LEFT + WIDTH - 1.7, 0.24, 1.7, 0.32), 12)
        for place in slide.slide_layout.placeholders:
            kind = place.placeholder_format.type
            if kind in (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER):
                copied = deepcopy(place.element)
                copied.xpath("./*/p:cNvPr")[0].set("id", str(slide.shapes._next_shape_id))
                slide.shapes._spTree.append(copied)
            if kind == PP_PLACEHOLDER.FOOTER:
                stamp = shorter(self.pack.stamp, FOOTER_SIZE, FOOTER.width, 3, joined=True)
                write(slide.shapes[-1], [" ".join(stamp)], FOOTER_SIZE, LIGHT.muted)
        _note(slide, [title, *notes, *self.pack.stamp])
        return slide

    def contents(self, slide: Slide, firsts: Sequence[int]) -> None:
        """Each finding opens its slide."""
        columns = (Column("Subject"), Column("What was found"), Column("Slide", 0))
        rows = tuple(
            (page.subject, cut(page.finding, LONGEST_IN_CONTENTS), at)
            for page, at in zip(self.pack.pages, firsts, strict=True)
        )
        table = add_table(slide, Table("", columns, rows, len(rows)), BODY, "Contents")
        for row, at in zip(list(table.rows)[1:], firsts, strict=False):
            target = self.show.slides[at - 1].part
            for run in row.cells[1].text_frame.paragraphs[0].runs:
                reference = slide.part.relate_to(target, RELATIONSHIP_TYPE.SLIDE)
                click = run._r.get_or_add_rPr().add_hlinkClick(reference)
                click.set("action", "ppaction://hlinksldjump")

    def page(self, page: Page) -> int:
        """The number of the first of its slides."""
        first = len(self.show.slides) + 1
        above = " · ".join(words for words in (page.subject, page.period) if words)
        notes = _notes_of(page)
        if not (page.chart or page.map or page.tables):
            size, parts = _parts(page.sentences, BODY, WORDS_SIZES)
            for at, part in enumerate(parts):
                slide = self.slide(_continued(page.finding, at), above, notes, page.link)
                if part:
                    add_words(slide, part, BODY, size, LIGHT.ink, apart=True)
            return first
        slide = self.slide(page.finding, above, notes, page.link)
        has_many = (
            page.chart and page.chart.kind != "lines" and len(page.chart.categories) > MANY_BARS
        )
        box = _below(slide, page.sentences, LEAST_FOR_SENTENCES if has_many else MOST_FOR_SENTENCES)
        left = box._replace(width=box.width * PICTURE_SHARE - GUTTER)
        right = box._replace(
            left=box.left + left.width + GUTTER, width=box.width - left.width - GUTTER
        )
        room = right if page.chart or page.map else box
        # Two pictures leave no room.
        beside = next((one for one in page.tables if fits(one, room)), None)
        if page.chart and page.map:
            beside = None
        if page.chart:
            add_chart(slide, page.chart, left if beside or page.map else box)
        if page.map:
            add_map(
                slide,
                page.map,
                right if page.chart else left if beside else box,
                is_alone=room is box,
            )
        if beside:
            add_table(slide, beside, room)
        for table in page.tables:
            if table is not beside:
                title = plain(table.title) or _continued(page.finding, 1)
                slide = self.slide(title, above, [page.finding, *notes], page.link)
                add_table(slide, replace(table, title=""), BODY, title)
        return first

    def method(self) -> None:
        """In two columns."""
        told = [
            f"Small numbers: {self.pack.profile}.",
            *(f"{term}: {meaning}" for term, meaning in self.pack.method),
        ]
        left = BODY._replace(width=(WIDTH - GUTTER) / 2)
        size, parts = _parts(told, left, METHOD_SIZES)
        for at, columns in enumerate(zip_longest(parts[::2], parts[1::2])):
            slide = self.slide(_continued("Small numbers and method", at), self.pack.area, [])
            for column, offset in zip(columns, (0.0, left.width + GUTTER), strict=True):
                if column:
                    box = left._replace(left=LEFT + offset)
                    add_words(slide, column, box, size, LIGHT.ink, apart=True)

    def sources(self) -> None:
        """A row a dataset; the notes have every file and its checksum."""
        notes = [f"{dataset}: {name}, SHA-256 {sum_}." for dataset, name, sum_ in self.pack.sources]
        slide = self.slide("Sources", self.pack.area, notes)
        rows = []
        for dataset, found in groupby(self.pack.sources, lambda source: source[0]):
            *others, (_, last, _) = found
            more = f" and {len(others)} more, named in the notes" if others else ""
            rows.append((dataset, last + more))
        columns = (Column("Dataset"), Column("File"))
        add_table(slide, Table("", columns, tuple(rows), len(rows)), BODY, "Sources")


def _continued(title: str, at: int) -> str:
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
    frame.text = "\n".join(plain(line) for line in lines if line)


def _below(slide: Slide, sentences: Sequence[str], most: float) -> Box:
    """The first sentences on a slide, and the box that is left below them."""
    box = BODY._replace(height=most)
    shown = [plain(sentence) for sentence in sentences[:MOST_SENTENCES]]
    smallest = SENTENCE_SIZES[-1]
    while len(shown) > 1 and tall(shown, smallest, box.width) > box.height:
        shown.pop()
    if not shown:
        return BODY
    if len(shown) == 1:
        shown = shorter(shown, smallest, box.width, int(most * 72 / (smallest * LINE_HEIGHT)))
    size = fitting(shown, SENTENCE_SIZES, box)
    height = tall(shown, size, box.width)
    add_words(slide, shown, box._replace(height=height), size, LIGHT.ink, apart=True)
    used = height + 0.2
    return BODY._replace(top=BODY.top + used, height=BODY.height - used)


def _parts(texts: Sequence[str], box: Box, sizes: Sequence[int]) -> tuple[int, list[list[str]]]:
    """The size of texts, and the texts as they fit in boxes; without a text one empty part."""
    size = fitting(texts, sizes, box)
    most = int(box.height * 72 / (size * LINE_HEIGHT))
    parts: list[list[str]] = [[]]
    for text in texts:
        (whole,) = shorter([text], size, box.width, most)
        if parts[-1] and tall([*parts[-1], whole], size, box.width) > box.height:
            parts.append([])
        parts[-1].append(whole)
    return size, parts


def _sign(show: Any, pack: Pack) -> None:
    """Who made the file and when, from the pack only: no name of a person or machine."""
    about = show.core_properties
    about.title, about.subject = plain(pack.title), plain(pack.area)
    about.author = about.last_modified_by = AUTHOR
    about.language, about.comments, about.revision = "en-GB", "", 1
    about.created = about.modified = _made_at(pack)


def _made_at(pack: Pack) -> datetime:
    try:
        return datetime.strptime(pack.as_at, "%d %B %Y")
    except ValueError:
        return FIXED_DATE
