"""What a page sends to the browser and fetches from the database: no more than now, whatever the machine.

Counted on the demonstration. Times are measured by `tests/bench`; these are what they rest on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import Result

from dashboard.coverage_words import LAYERS
from dashboard.maps import ALL_BOARDS, board_map, outlines_of
from dashboard.page_list import TITLES
from queries.scope import EVERYTHING
from tests.app.reading import View, sound
from tests.bench.client import Session
from tests.bench.pages import MONTHS
from tests.served import Server, serving

pytestmark = pytest.mark.slow

KENT = "QDK"
WARDS = 255
# Bytes over the WebSocket of a rerun for which nothing is new to the browser, and of another layer.
RERUN_BYTES = dict.fromkeys(TITLES, 0)
LAYER_BYTES = {"coverage": 0, "all-boards": 0}
# Rows that a page's first run takes from the database.
FIRST_ROWS = dict.fromkeys(TITLES, 0)
# Compressed, a ward.
SHAPE_BYTES = {KENT: 0, ALL_BOARDS: 0}


@pytest.fixture(scope="module")
def server(demonstration_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("travels")
    shutil.copy(demonstration_path, folder / "board.db")
    with serving(folder / "board.db", folder) as found:
        yield found


def opened(server: Server, page: str) -> Session:
    session = Session(int(server.url.rsplit(":", 1)[1]))
    session.rerun(page, f"icb={KENT}")
    return session


@pytest.mark.parametrize("page", TITLES)
def test_a_rerun_sends_no_more(server: Server, page: str) -> None:
    session = opened(server, page)
    sent = [session.rerun(page, session.query, months=MONTHS[turn % 2]).bytes for turn in range(6)]
    session.close()
    assert max(sent[-2:]) <= RERUN_BYTES[page], sent


@pytest.mark.parametrize("page", LAYER_BYTES)
def test_another_layer_sends_no_shapes(server: Server, page: str) -> None:
    session = opened(server, page)
    sent = [
        session.rerun(page, session.query, layer=layer.title).bytes for layer in LAYERS.values()
    ]
    session.close()
    assert max(sent) <= LAYER_BYTES[page], sent


def test_shapes_are_as_small_and_kept_by_the_browser(demonstration: Engine, server: Server) -> None:
    names = {KENT: f"/geo/{KENT}/{board_map(EVERYTHING, KENT).wards.name}.json"}
    names[ALL_BOARDS] = f"/geo/{ALL_BOARDS}/{outlines_of(EVERYTHING).name}.json"
    for area, name in names.items():
        answer = httpx.get(server.url + name, headers={"accept-encoding": "gzip"})
        assert "immutable" in answer.headers["cache-control"]
        assert int(answer.headers["content-length"]) <= SHAPE_BYTES[area]


@pytest.mark.parametrize("page", TITLES)
def test_a_first_run_fetches_no_more(
    demonstration: Engine,
    open_page: Callable[..., View],
    page: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetched = 0
    fetchall = Result.fetchall

    def counting(result: Result) -> object:
        nonlocal fetched
        rows = fetchall(result)
        fetched += len(rows)
        return rows

    monkeypatch.setattr(Result, "fetchall", counting)
    sound(open_page(page, icb=KENT))
    assert 0 < fetched <= FIRST_ROWS[page], fetched
