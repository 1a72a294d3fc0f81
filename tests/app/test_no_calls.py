"""Nothing here asks another host for anything: neither a page nor a command."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from streamlit.web.server import server_util
from typer.testing import CliRunner

from dashboard import commands, network
from tests.app.reading import ROOT, View
from tests.conftest import rest_is_slow
from tests.small_board import AS_AT, BOARD

PAGES = sorted(page.stem.replace("_", "-") for page in (ROOT / "pages").glob("*.py"))


@pytest.fixture
def calls_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every address beyond this machine that is looked up or connected to; none may be."""
    found: list[str] = []
    connect_as_is, look_up_as_is = socket.socket.connect, socket.getaddrinfo

    def is_here(host: object) -> bool:
        name = host.decode() if isinstance(host, bytes) else host
        return name in (None, "", "localhost", "::1") or str(name).startswith("127.")

    def note(host: object) -> None:
        if not is_here(host):
            found.append(str(host))
            raise OSError("a test does not call out")

    def connecting(line: socket.socket, address: Any) -> None:
        if line.family in (socket.AF_INET, socket.AF_INET6):
            note(address[0])
        connect_as_is(line, address)

    def looking_up(host: Any, *more: Any, **named: Any) -> Any:
        note(host)
        return look_up_as_is(host, *more, **named)

    monkeypatch.setattr(socket.socket, "connect", connecting)
    monkeypatch.setattr(socket.socket, "connect_ex", connecting)
    monkeypatch.setattr(socket, "getaddrinfo", looking_up)
    yield found
    assert found == []


def test_a_call_would_be_seen(calls_outside: list[str]):
    for call in (
        lambda: socket.create_connection(("192.0.2.1", 80), 1),
        lambda: httpx.get("http://elsewhere.example"),
    ):
        with pytest.raises((OSError, httpx.TransportError)):
            call()
    assert calls_outside == ["192.0.2.1", "elsewhere.example"]
    calls_outside.clear()


def test_a_foreign_origin_makes_nobody_ask_who_we_are(
    calls_outside: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server_util.net_util, "get_external_ip", lambda: "192.0.2.1")
    monkeypatch.setattr(server_util.net_util, "get_internal_ip", lambda: "192.0.2.2")
    network.ask_nobody_for_own_address()
    assert not server_util.is_url_from_allowed_origins("http://elsewhere.example")
    assert not server_util.is_url_from_allowed_origins("http://192.0.2.1")


@pytest.mark.parametrize("page", rest_is_slow(*PAGES))
def test_no_page_calls_out(small_board: Engine, calls_outside: list[str], page: str):
    seen = View.open(page, {"icb": BOARD})
    assert not seen.app.exception


@pytest.mark.parametrize(
    "words",
    rest_is_slow(
        ["export", "coverage", "--icb", BOARD, "--as-at", str(AS_AT)],
        ["upgrade"],
        ["--help"],
    ),
)
def test_no_command_calls_out(own: Engine, calls_outside: list[str], words: list[str]):
    told = CliRunner().invoke(commands.app, words)
    assert told.exit_code == 0, told.output
