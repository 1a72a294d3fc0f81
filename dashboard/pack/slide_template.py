"""What all packs of slides begin with, and a file that is the same bytes each time."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pptx
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import MSO_ANCHOR
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.util import Inches

from dashboard.pack.content import SERIES_COLOURS
from dashboard.pack.slide_words import LIGHT, NHS_DARK_BLUE, Box, no_margins, rgb

# Inches, on a slide of 16 by 9.
SLIDE_WIDTH, SLIDE_HEIGHT = 13.333, 7.5
LEFT, WIDTH = 0.6, 12.13
TITLE = Box(LEFT, 0.62, WIDTH, 0.88)
BODY = Box(LEFT, 1.6, WIDTH, 5.05)
FOOTER = Box(LEFT, 6.85, 11.3, 0.5)
COVER_TITLE = Box(0.9, 1.2, 11.5, 2.0)


@lru_cache(maxsize=1)
def template() -> bytes:
    """The slides of python-pptx at 16 by 9, in our colours and Arial: a cover and a title."""
    assert pptx.__file__ is not None
    plain = (Path(pptx.__file__).parent / "templates" / "default.pptx").read_bytes()
    show: Any = pptx.Presentation(io.BytesIO(zipped(plain, _ours)))
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
    cover.background.fill.solid()
    cover.background.fill.fore_color.rgb = rgb(LIGHT.bar)
    made = io.BytesIO()
    show.save(made)
    return made.getvalue()


def _put(place: Any, *, is_cover: bool) -> None:
    """A placeholder of the template where it stands on our slides."""
    kind = place.placeholder_format.type
    boxes = {
        PP_PLACEHOLDER.TITLE: TITLE,
        PP_PLACEHOLDER.CENTER_TITLE: COVER_TITLE,
        PP_PLACEHOLDER.SUBTITLE: Box(0.9, 3.4, 11.5, 1.6),
        PP_PLACEHOLDER.BODY: BODY,
        PP_PLACEHOLDER.FOOTER: FOOTER,
        PP_PLACEHOLDER.SLIDE_NUMBER: FOOTER._replace(left=LEFT + WIDTH - 0.7, width=0.7),
        PP_PLACEHOLDER.DATE: FOOTER._replace(width=1.0),
    }
    place.left, place.top, place.width, place.height = boxes[kind].inches()
    no_margins(place.text_frame)
    is_bottom = kind == PP_PLACEHOLDER.CENTER_TITLE
    place.text_frame.vertical_anchor = MSO_ANCHOR.BOTTOM if is_bottom else MSO_ANCHOR.TOP


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


def zipped(
    blob: bytes, change: Callable[[str, bytes], bytes] = lambda name, content: content
) -> bytes:
    """The same files with one date, so that the same pack is the same bytes."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(blob)) as source,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = change(name, source.read(name))
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()
