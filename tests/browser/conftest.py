"""A real browser on a real server: one of each a worker, a context of its own a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.visit import Visit
from tests.conftest import find_chromium, skip_or_fail
from tests.made_once import demonstration_file
from tests.served import Server, serving

# No sandbox: tests run as root in containers. The rest keeps the browser itself from calling out.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard on the demonstration."""
    database = demonstration_file(tmp_path_factory)
    with serving(database, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        skip_or_fail("no Chromium or Chrome on this machine: set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


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
