"""The map of a slide: a picture, and its key in shapes."""

from __future__ import annotations

import io

import typst
from PIL import Image
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR
from pptx.slide import Slide
from pptx.util import Pt

from dashboard.pack.content import MapPicture
from dashboard.pack.slide_words import (
    GUTTER,
    LIGHT,
    Box,
    add_words,
    describe,
    flat,
    rgb,
    shorter,
    wide,
)
from dashboard.style import number

# Inches.
LEAST_KEY_WIDTH, KEY_WIDTH = 2.4, 3.9
KEY_ROW = 0.3
PIXELS_WIDE = 1600
MAP_COLOURS = 128  # a map has few, and those between them at its lines


def add_map(slide: Slide, picture: MapPicture, box: Box, *, is_alone: bool) -> None:
    """The map, with its key to the right of it, or below where a table is to the right."""
    png, shape = _map_png(picture.svg)
    size = 13 if is_alone else 11
    row = KEY_ROW * size / 11
    # A tall map leaves room on the right.
    right = KEY_WIDTH if is_alone else box.width - box.height * shape - GUTTER
    is_right = right >= LEAST_KEY_WIDTH
    half = box.width / 2
    labels = (f"{label}: {number(count)}" for _, label, count in picture.key)
    is_short = all(wide(label) * size / 72 < half - 2 * KEY_ROW for label in labels)
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
    describe(drawn, picture.alt)
    key = Box(
        room.left + width + GUTTER if is_right else box.left,
        room.top if is_right else room.top + width / shape + 0.12,
        right if is_right else box.width / columns,
        row * 0.9,
    )
    for at, (fill, label, count) in enumerate(picture.key):
        # Down the first column, then the second.
        place = key._replace(left=key.left + at // rows * key.width, top=key.top + at % rows * row)
        _add_key(slide, fill, (label, f": {number(count)}"), place, size)


def _add_key(slide: Slide, fill: str, words: tuple[str, str], box: Box, size: float) -> None:
    """A square in its colour, and its label and count, of which the label may be cut."""
    side = box.height * 0.62
    square = slide.shapes.add_shape(
        MSO_SHAPE.RECTANGLE,
        *Box(box.left, box.top + (box.height - side) / 2, side, side).inches(),
    )
    square.fill.solid()
    square.fill.fore_color.rgb = rgb(fill)
    square.line.color.rgb, square.line.width = rgb(LIGHT.muted), Pt(0.75)
    flat(square)
    label, count = words
    describe(square, f"Colour of {label}")
    beside = box._replace(left=box.left + side + 0.1, width=box.width - side - 0.2)
    (label,) = shorter([label], size, beside.width - wide(count) * size / 72, 1)
    told = add_words(slide, [label + count], beside, size, LIGHT.ink)
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
