"""A real browser on a real server: a server a worker, a context of its own a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.visit import Visit
from tests.made_once import demonstration_file
from tests.served import Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard on the demonstration."""
    database = demonstration_file(tmp_path_factory)
    with serving(database, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def visit(server: Server, chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Opens pages, each in a context of its own; at the end nothing may have gone wrong."""
    visits: list[Visit] = []

    def open_it(address: str = "/", **how: object) -> Visit:
        context = chromium.new_context(
            viewport={"width": int(str(how.pop("width", 1400))), "height": 900},
            locale="en-GB",
            accept_downloads=True,
            **how,  # type: ignore[arg-type]
        )
        visits.append(Visit(context, server.url))
        return visits[-1].go(address)

    yield open_it
    for each in visits:
        each.context.close()
    assert [call for each in visits for call in each.calls_outside] == []
    assert [words for each in visits for words in each.complaints] == []
