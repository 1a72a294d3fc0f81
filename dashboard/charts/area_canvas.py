"""A map of many areas on a canvas: one byte an area travels, and the shapes once."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.charts.area_map import AreaGroup, AreaMark

# The value of an area that is in no group.
NONE = 255
# What the key draws for each symbol stands in `show`; on the canvas it is a letter as well.
Signs = dict[str, str]


@dataclass(frozen=True)
class AreaCanvas:
    """What the browser is told of a map: where the shapes are, the class of each area, and the looks."""

    url: str
    values: str
    classes: Sequence[dict[str, str]]
    marks: Sequence[dict[str, str]]
    marked: str
    alt: str


def area_canvas(
    groups: Sequence[AreaGroup],
    marks: Sequence[AreaMark],
    signs: Signs,
    *,
    codes: Sequence[str],
    url: str,
    alt: str,
) -> AreaCanvas:
    """The classes of the areas in the order of `codes`, as the shapes at `url` have them.

    An area of no group is drawn as empty paper; a code that has no shape is left out.
    """
    held = [group for group in groups if len(group.area_codes)]
    if len(held) >= NONE:
        raise ValueError(f"expected fewer than {NONE} groups, found {len(held)}")
    return AreaCanvas(
        url=url,
        values=_bytes(codes, [group.area_codes for group in held]),
        classes=[
            {"label": group.label, "colour": group.colour, "texture": group.texture}
            for group in held
        ],
        marks=[{"label": mark.label, "sign": signs[mark.symbol]} for mark in marks],
        marked=_bytes(codes, [mark.area_codes for mark in marks]) if marks else "",
        alt=alt,
    )


def _bytes(codes: Sequence[str], parts: Sequence[Sequence[str]]) -> str:
    """One byte a code: which part it is in, as base64."""
    place = {code: at for at, code in enumerate(codes)}
    values = bytearray([NONE]) * len(codes)
    for number, part in enumerate(parts):
        for code in part:
            if code in place:
                values[place[code]] = number
    return base64.b64encode(values).decode()


def as_data(canvas: AreaCanvas, *, group: str, area: str) -> dict[str, Any]:
    """The same as plain values for the browser, with the board and the area that are picked."""
    return {**vars(canvas), "group": group, "area": area}
