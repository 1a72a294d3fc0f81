"""Words on a slide: where they stand, how large they can be, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.slide import Slide
from pptx.util import Inches, Pt

from dashboard.pack.content import plain
from dashboard.style import Theme

LIGHT = Theme(is_dark=False)
NHS_DARK_BLUE, SIMULATED_GROUND = "#003087", "#FFE8B3"

# Inches.
GUTTER = 0.35
CAPTION = 0.28
# Points.
CAPTION_SIZE = 10
LINE_HEIGHT = 1.2  # of the size
APART = 0.5  # of the size, between paragraphs

# The widths of Arial, of its size, rounded up.
NARROW, CAPITAL, BROAD = re.compile(r"[ !'\",./:;I|\[\]()fijlrt-]"), re.compile("[A-Z&]"), "mwMW@%"
WIDTHS = {"narrow": 0.3, "capital": 0.74, "broad": 0.95, "other": 0.56}
BOLD = 1.07


class Box(NamedTuple):
    """A place on a slide, in inches."""

    left: float
    top: float
    width: float
    height: float

    def inches(self) -> tuple[Any, ...]:
        return tuple(Inches(side) for side in (self.left, self.top, self.width, self.height))


def cut(text: str, longest: int) -> str:
    text = plain(text)
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


@lru_cache(maxsize=4096)
def wide(text: str) -> float:
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


def line_count(text: str, size: float, width: float) -> int:
    """How many lines a text takes; a word that is longer than a line is divided."""
    room = width * 72 / size
    lines, used = 1, 0.0
    for word in text.split():
        long = wide(word)
        if used and used + WIDTHS["narrow"] + long > room:
            lines, used = lines + 1, 0.0
        used += long + (WIDTHS["narrow"] if used else 0)
        if used > room:
            lines, used = lines + int(used / room), used % room
    return lines


def tall(texts: Sequence[str], size: float, width: float) -> float:
    """The height of paragraphs in inches, with a part of the size between them."""
    lines = sum(line_count(text, size, width) for text in texts)
    return (lines * LINE_HEIGHT + APART * max(len(texts) - 1, 0)) * size / 72


def fitting(texts: Sequence[str], sizes: Sequence[int], box: Box, *, bold: bool = False) -> int:
    """The largest size at which the texts are in the box; the smallest where none is."""
    width = box.width / BOLD if bold else box.width
    return next((size for size in sizes if tall(texts, size, width) <= box.height), sizes[-1])


def shorter(
    texts: Sequence[str], size: float, width: float, lines: int, *, joined: bool = False
) -> list[str]:
    """The texts, of which the longest loses its end until they take so many lines."""
    kept = [plain(text) for text in texts]

    def count() -> int:
        return sum(line_count(text, size, width) for text in ([" ".join(kept)] if joined else kept))

    while count() > lines and len(longest := max(kept, key=len)) > 2:
        at = kept.index(longest)
        kept[at] = longest[: -max(2, len(longest) // 20)].rstrip("… ") + "…"
    return kept


def write(shape: Any, texts: Sequence[str], size: float, colour: str, **how: Any) -> None:
    """Paragraphs in a shape: each text is a run, never markup."""
    frame = shape.text_frame
    frame.word_wrap = True
    for at, text in enumerate(text for text in texts if text):
        paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
        say(paragraph, text, size, colour, **how)


def say(
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
    paragraph.alignment = align
    # Of an empty paragraph this is the height: without it, that of 18 points.
    paragraph._p.get_or_add_endParaRPr().set("sz", str(int(size * 100)))
    if not text:
        return
    run = paragraph.add_run()
    run.text = plain(text)
    run.font.size, run.font.bold = Pt(size), bold
    run.font.color.rgb = rgb(colour)
    if apart:
        paragraph.space_after = Pt(size * APART)


def add_words(
    slide: Slide, texts: Sequence[str], box: Box, size: float, colour: str, **how: Any
) -> Any:
    shape = slide.shapes.add_textbox(*box.inches())
    no_margins(shape.text_frame)
    write(shape, texts, size, colour, **how)
    return shape


def add_label(slide: Slide, text: str, box: Box, size: float) -> None:
    shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *box.inches())
    shape.fill.solid()
    shape.fill.fore_color.rgb = rgb(SIMULATED_GROUND)
    shape.line.fill.background()
    flat(shape)
    no_margins(shape.text_frame)
    shape.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    write(shape, [text], size, LIGHT.ink, bold=True, align=PP_ALIGN.CENTER)
    describe(shape, text)


def flat(shape: Any) -> None:
    """Without the shadow of the theme."""
    shape._element.remove(shape._element.find(qn("p:style")))


def no_margins(frame: Any) -> None:
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0


def rgb(code: str) -> RGBColor:
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return RGBColor(red, green, blue)  # type: ignore[no-untyped-call]


def describe(shape: Any, alt: str) -> None:
    """What a screen reader says in place of the shape."""
    shape._element.xpath("./*/p:cNvPr")[0].set("descr", plain(alt))
