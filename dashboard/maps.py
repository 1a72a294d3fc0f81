"""Ward shapes as the browser fetches them: built once a process, named by what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import shapely
import streamlit as st

from dashboard.data import data_state, engine
from dashboard.settings import settings
from geodata.outlines import Outlines, outlines
from geodata.shapes import MapLayer, geometries_of, hatch_layer, ward_layer
from queries import places
from queries.scope import EVERYTHING, Scope

# Boards whose shapes are kept in memory: about 0.2 MB each; and sets of boards, about 2 MB each.
MOST_BOARDS, MOST_SETS = 50, 4
# Where the shapes of all boards stand in an address in place of a board's code.
ALL_BOARDS = "all"


@dataclass(frozen=True)
class BoardMap:
    """The shapes of a board's wards and the hatching that is drawn over some of them."""

    icb_code: str
    wards: MapLayer
    hatching: MapLayer
    boxes: Mapping[str, tuple[float, float, float, float]]

    def layer(self, name: str) -> MapLayer | None:
        """The layer with this name, or `None`: an old link, or an invented one."""
        return next((layer for layer in (self.wards, self.hatching) if layer.name == name), None)

    def bounds_of(self, ward_codes: Iterable[str]) -> tuple[float, float, float, float]:
        """West, south, east and north of some wards, with a little air; of all where none has
        a shape."""
        boxes = [self.boxes[code] for code in ward_codes if code in self.boxes]
        if not boxes:
            return self.wards.bounds
        west, south = min(box[0] for box in boxes), min(box[1] for box in boxes)
        east, north = max(box[2] for box in boxes), max(box[3] for box in boxes)
        air_x, air_y = (east - west) * 0.02, (north - south) * 0.02
        return west - air_x, south - air_y, east + air_x, north + air_y

    def url(self, layer: MapLayer) -> str:
        """Where the browser fetches a layer: another address whenever the shapes change."""
        return f"/geo/{self.icb_code}/{layer.name}.json"


def board_map(scope: Scope, icb_code: str) -> BoardMap:
    """The map of one board; an empty one where it has no boundaries or is out of scope."""
    if not scope.admits(icb_code):
        icb_code = ""
    return _built(icb_code, data_state().version, settings().database_url)


@st.cache_resource(max_entries=MOST_BOARDS, show_spinner=False)
def _built(icb_code: str, version: int, url: str) -> BoardMap:
    shapes = places.shapes(engine(), EVERYTHING, icb_code)
    wards = places.wards(engine(), EVERYTHING, icb_code)
    names = dict(zip(wards["ward_code"], wards["ward_name"], strict=True))
    codes = shapes["ward_code"].tolist()
    geometries = geometries_of(shapes)
    return BoardMap(
        icb_code,
        ward_layer(codes, geometries, names=[names[code] for code in codes]),
        hatch_layer(codes, geometries),
        dict(zip(codes, map(tuple, shapely.bounds(geometries).tolist()), strict=True)),
    )


def outlines_of(scope: Scope) -> Outlines:
    """The shapes of the wards of every board that the reader may see, for the map of all boards."""
    names = places.boards(engine(), scope).sort_values("icb_code")
    boards = tuple(zip(names["icb_code"], names["icb_name"].fillna(names["icb_code"]), strict=True))
    return _built_outlines(boards, data_state().version, settings().database_url)


@st.cache_resource(max_entries=MOST_SETS, show_spinner=False)
def _built_outlines(boards: tuple[tuple[str, str], ...], version: int, url: str) -> Outlines:
    codes: list[str] = []
    names: list[str] = []
    groups: list[str] = []
    geometries: list[shapely.Geometry] = []
    for icb_code, _ in boards:
        shapes = places.shapes(engine(), EVERYTHING, icb_code)
        wards = places.wards(engine(), EVERYTHING, icb_code)
        called = dict(zip(wards["ward_code"], wards["ward_name"], strict=True))
        codes += shapes["ward_code"].tolist()
        names += [called[code] for code in shapes["ward_code"]]
        groups += [icb_code] * len(shapes)
        geometries += geometries_of(shapes)
    return outlines(codes, names, groups, dict(boards), geometries)
