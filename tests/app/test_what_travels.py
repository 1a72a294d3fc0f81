"""What a page sends to the browser and fetches from the database: no more than now, whatever the machine.

Counted on the demonstration. Times are measured by `tests/bench`; these are what they rest on.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import Result

from dashboard.coverage import ward_coverage
from dashboard.coverage_words import LAYERS
from dashboard.demonstration import DEMONSTRATION_DATE
from dashboard.maps import ALL_BOARDS, board_map, outlines_of
from dashboard.page_list import TITLES
from queries.scope import EVERYTHING
from tests.bench.client import Session
from tests.bench.pages import MONTHS
from tests.served import Server, serving

pytestmark = pytest.mark.slow

KENT = "QDK"
# Bytes over the WebSocket of a rerun for which nothing is new to the browser, and of another layer.
RERUN_BYTES = {
    "this-week": 9_000,
    "coverage": 7_600,
    "all-boards": 7_800,
    "workforce": 11_000,
    "providers": 7_600,
    "outcomes": 8_600,
    "take-up": 8_700,
    "where-to-fund": 11_200,
    "commitments": 7_800,
    "actions": 6_700,
    "data": 7_900,
    "methods": 7_300,
}
LAYER_BYTES = {"coverage": 13_500, "all-boards": 7_100}
# Of another month, which is new to the browser: over the WebSocket, and the list that it fetches.
MONTH_BYTES = {"coverage": 21_500, "all-boards": 15_600}
LIST_BYTES = {"coverage": 15_900, "all-boards": 660, "all-wards": 17_800}
# All of a board's shapes or of every board's, compressed.
SHAPE_BYTES = {KENT: 25_000, ALL_BOARDS: 15_500}
# Rows that the judgement of a board takes from the database.
COVERAGE_ROWS = 8_200


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


@pytest.mark.parametrize("page", MONTH_BYTES)
def test_another_month_sends_no_more(server: Server, page: str) -> None:
    session = opened(server, page)
    sent = [
        session.rerun(page, session.query, as_at=label).bytes
        for label in ("31 May 2026", "30 April 2026", "31 March 2026")
    ]
    session.close()
    # The first also brings boxes as they are once something is chosen.
    assert max(sent[1:]) <= MONTH_BYTES[page], sent


@pytest.mark.parametrize("subject", LIST_BYTES)
def test_a_list_is_as_small_as_now(server: Server, subject: str) -> None:
    asked = {"icb": KENT, "as_at": "2026-05-31"}
    with httpx.stream(
        "GET", f"{server.url}/table/{subject}.json", params=asked, timeout=60
    ) as answer:
        sent = sum(len(part) for part in answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert 300 < sent <= LIST_BYTES[subject], sent


def test_shapes_are_as_small_as_now_and_kept_by_the_browser(
    demonstration: Engine, server: Server
) -> None:
    names = {KENT: f"/geo/{KENT}/{board_map(EVERYTHING, KENT).wards.name}.json"}
    names[ALL_BOARDS] = f"/geo/{ALL_BOARDS}/{outlines_of(EVERYTHING).name}.json"
    for area, name in names.items():
        answer = httpx.get(server.url + name, headers={"accept-encoding": "gzip"})
        assert "immutable" in answer.headers["cache-control"]
        sent = int(answer.headers["content-length"])
        assert answer.headers["content-encoding"] == "gzip"
        assert 1_000 < sent <= SHAPE_BYTES[area], area


def test_a_board_is_judged_from_no_more_rows(
    demonstration: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[int] = []
    fetchall = Result.fetchall

    def counting(result: Result) -> object:
        rows = fetchall(result)
        fetched.append(len(rows))
        return rows

    monkeypatch.setattr(Result, "fetchall", counting)
    ward_coverage(demonstration, EVERYTHING, KENT, DEMONSTRATION_DATE)
    assert 1_000 < sum(fetched) <= COVERAGE_ROWS, fetched
