"""The contents of the page All boards, made once for a date and kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine

from dashboard import all_boards_words as words
from dashboard import show
from dashboard.all_boards import AllBoards, all_boards
from dashboard.charts.area_canvas import AreaCanvas, area_canvas
from dashboard.charts.area_map import AreaGroup, AreaMark
from dashboard.coverage_words import LAYERS, map_alt, map_groups, map_marks, swatch
from dashboard.data import fetch_shared
from dashboard.filters import Area
from dashboard.maps import ALL_BOARDS, outlines_of
from queries.scope import Scope


@dataclass(frozen=True)
class AllBoardsView:
    """What the page shows at a date; nobody changes it, so every session shares it."""

    found: AllBoards
    chips: Sequence[show.Chip]
    finding: Sequence[str]
    tiles: Sequence[show.Tile]


@dataclass(frozen=True)
class AllBoardsMap:
    """What the map shows in one layer."""

    canvas: AreaCanvas
    title: str
    groups: Sequence[AreaGroup]
    marks: Sequence[AreaMark]
    notes: Sequence[str]
    explanation: show.Explanation


def all_boards_view(engine: Engine, scope: Scope, as_at: date, with_stale: bool) -> AllBoardsView:
    """Every board in scope in words and numbers."""
    found = fetch_shared(all_boards, scope, as_at, with_stale)
    return AllBoardsView(found, words.chips(found), words.finding(found), words.tiles(found))


def all_boards_map(
    engine: Engine, scope: Scope, as_at: date, with_stale: bool, layer_name: str
) -> AllBoardsMap:
    """The wards of every board in the groups of one layer."""
    found = fetch_shared(all_boards, scope, as_at, with_stale)
    layer, shapes = LAYERS[layer_name], outlines_of(scope)
    groups, marks = map_groups(found.wards, layer), map_marks(found.wards, layer)
    alt = map_alt(layer, [*groups, *marks])
    url = f"/geo/{ALL_BOARDS}/{shapes.name}.json"
    canvas = area_canvas(groups, marks, show.SYMBOLS, codes=shapes.codes, url=url, alt=alt)
    return AllBoardsMap(
        canvas, layer.title, groups, marks, words.notes(found), words.explanation(found, layer)
    )


def board_list(engine: Engine, scope: Scope, area: Area) -> bytes:
    """The list of boards as the browser fetches it: JSON, compressed once. Of `area` only the date
    counts, and stale entries."""
    return fetch_shared(_board_list, scope, area.as_at, area.with_stale)


def ward_list(engine: Engine, scope: Scope, area: Area) -> bytes:
    """The list of the wards of every board, in the same form."""
    return fetch_shared(_ward_list, scope, area.as_at, area.with_stale)


# Whichever board is chosen, the list is one: it is made and kept once.
def _board_list(engine: Engine, scope: Scope, as_at: date, with_stale: bool) -> bytes:
    found = fetch_shared(all_boards, scope, as_at, with_stale)
    body = show.table_body(
        found.boards, words.board_columns(found), words.TEXTS[words.BOARDS], row_key="icb_code"
    )
    return _compressed(body)


def _ward_list(engine: Engine, scope: Scope, as_at: date, with_stale: bool) -> bytes:
    found = fetch_shared(all_boards, scope, as_at, with_stale)
    body = show.table_body(
        found.wards,
        words.ward_columns(found),
        words.TEXTS[words.WARDS],
        row_key="ward_code",
        swatch=(2, swatch),
    )
    return _compressed(body)


def _compressed(body: object) -> bytes:
    return gzip.compress(json.dumps(body, separators=(",", ":")).encode(), mtime=0)
