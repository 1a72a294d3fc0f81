"""Shapes of the areas of many boards, small enough to be sent whole: steps as whole numbers."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.shapes import metres, simplified

# The side of the triangles that are removed: less than a pixel where England fills a screen, and still
# a ward where a board does.
TOLERANCE_METRES = 300.0
# What a whole number stands for.
STEP_METRES = 25.0


@dataclass(frozen=True)
class Outlines:
    """Shapes in steps of the British National Grid, with the order in which values of areas are sent.

    `body` is JSON: `step` (metres), `box` (west, south, east, north in steps), `codes`, `names` and `group`
    (the place of its group) of each area, `groups` (code and name of each group), `areas` and `edges`: the
    rings of each area and of each group, every ring as x, y and then the way to each next point.
    """

    name: str
    body: bytes
    gzipped: bytes
    codes: tuple[str, ...]


def outlines(
    codes: Sequence[str],
    names: Sequence[str],
    groups: Sequence[str],
    group_names: dict[str, str],
    geometries: Sequence[BaseGeometry],
) -> Outlines:
    """The shapes (EPSG:4326) of areas, each in one of the named groups, simplified together.

    Neighbours keep common edges; where a group ends is the edge of its areas, so no line is drawn twice
    as another. An area that is too small to be drawn keeps a triangle.
    """
    order = np.argsort(np.array(codes, dtype=str), kind="stable")
    shapes = simplified(metres(geometries), TOLERANCE_METRES)[order]
    kept = [group for group in group_names if group in set(groups)]
    place = {group: number for number, group in enumerate(kept)}
    group_of = np.array([place[groups[each]] for each in order], dtype=int)
    whole = [shapely.coverage_union_all(shapes[group_of == number]) for number in range(len(kept))]
    box = (
        np.round(shapely.total_bounds(shapes) / STEP_METRES).astype(int).tolist()
        if codes
        else [0] * 4
    )
    body = json.dumps(
        {
            "step": STEP_METRES,
            "box": box,
            "codes": [codes[each] for each in order],
            "names": [names[each] for each in order],
            "group": group_of.tolist(),
            "groups": [[group, group_names[group]] for group in kept],
            "areas": [_rings(shape) for shape in shapes],
            "edges": [_rings(shape) for shape in whole],
        },
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()
    return Outlines(
        hashlib.sha256(body).hexdigest()[:16],
        body,
        gzip.compress(body, mtime=0),
        tuple(codes[each] for each in order),
    )


def _rings(shape: BaseGeometry) -> list[list[int]]:
    """Every ring as whole numbers: the first point, then the way to each next one. The last point is
    the first again, and not said."""
    rings = shapely.get_rings(shapely.get_parts(shape))
    told = []
    for ring in rings:
        points = np.round(shapely.get_coordinates(ring) / STEP_METRES).astype(int)
        ways = np.diff(points, axis=0)
        # Points that fell together say nothing more.
        ways = ways[ways.any(axis=1)][:-1]
        if len(ways) > 1:
            told.append(np.concatenate([points[:1], ways]).ravel().tolist())
    if not told:
        # Smaller than can be told: a triangle where it is.
        x, y = np.round(shapely.get_coordinates(shapely.point_on_surface(shape))[0] / STEP_METRES)
        told.append([int(x), int(y), 1, 0, -1, 1])
    return told
