"""All that the server answers to: every kind of answer has the safe headers, and what nobody uses
is closed."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from dashboard.closed_paths import ClosedPaths
from dashboard.routes import ROUTES, SAFE_HEADERS, SafeHeaders
from dashboard.settings import settings
from tests.made_once import demonstration_file
from tests.served import ROOT, Server, environment, serving

# What Streamlit answers to: a new version's new address is looked at, and then listed here.
OPEN = {
    "/_stcore/health": "GET HEAD OPTIONS",
    "/_stcore/host-config": "GET HEAD",
    "/_stcore/stream": "",
    "/_stcore/upload_file/{session_id}/{file_id}": "DELETE OPTIONS PUT",
    "/media/{file_id:path}": "GET HEAD OPTIONS",
    "": "",  # its own page and scripts
}
CLOSED = {
    "/_stcore/metrics": "GET HEAD OPTIONS",
    "/_stcore/bidi-components/{path:path}": "GET HEAD OPTIONS",
    "/_stcore/agent/interact": "DELETE GET HEAD OPTIONS PATCH POST PUT",
    "/_stcore/agent/openapi.json": "DELETE GET HEAD OPTIONS PATCH POST PUT",
    "/_stcore/agent/mcp": "DELETE GET HEAD OPTIONS PATCH POST PUT",
    "/component/{path:path}": "GET HEAD OPTIONS",
    "/auth/login": "GET HEAD",
    "/auth/logout": "GET HEAD",
    "/oauth2callback": "GET HEAD",
}
# Not there as it is set; closed should it ever be.
OFF = ["/_stcore/script-health-check", "/app/static/x", "/_stcore/whatever-comes-next"]
_LIST = """
import json
from streamlit import config
config.set_option("server.address", "127.0.0.1")
from dashboard.app import app
found = {}
for route in app._build_starlette_app().routes:
    found.setdefault(route.path, set()).update(getattr(route, "methods", None) or ())
print(json.dumps({path: " ".join(sorted(methods)) for path, methods in found.items()}))
"""


def run(work: Any) -> Any:
    # In a thread: the browser tests of the same worker leave an event loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def ask(app: Any, address: str, method: str = "GET") -> httpx.Response:
    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, address)

    found: httpx.Response = run(answer())
    return found


# The headers, without a server.


def small_app() -> Starlette:
    def broken(_request: Request) -> PlainTextResponse:
        raise ValueError("the number 4711 of a person")

    def figures(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("42")

    def kept(request: Request) -> PlainTextResponse:
        return PlainTextResponse(
            "", int(request.query_params["status"]), {"Cache-Control": "private"}
        )

    def unchanged(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("", 304)

    routes = [
        Route("/broken", broken),
        Route("/figures", figures),
        Route("/kept", kept),
        Route("/unchanged", unchanged),
    ]
    return Starlette(routes=routes, middleware=[Middleware(SafeHeaders)])


def test_an_error_has_the_safe_headers_and_says_nothing():
    answer = ask(small_app(), "/broken")
    assert answer.status_code == 500
    assert answer.text == "Internal Server Error"
    assert {name: answer.headers.get(name) for name in SAFE_HEADERS} == SAFE_HEADERS
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("address", "kept_how"),
    [
        ("/figures", "no-store"),
        ("/not/there", "no-store"),
        ("/kept?status=200", "private"),
        ("/kept?status=404", "private"),
        # It would forbid what the browser has already.
        ("/unchanged", None),
    ],
)
def test_nothing_is_kept_that_does_not_say_so(address: str, kept_how: str | None):
    assert ask(small_app(), address).headers.get("cache-control") == kept_how


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("https://board.example.nhs.uk", "max-age=31536000"),
        ("http://localhost:8501", None),
        ("", None),
    ],
)
def test_https_is_asked_for_where_the_public_address_has_it(
    address: str, wanted: str | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DASHBOARD_PUBLIC_ADDRESS", address)
    settings.cache_clear()
    try:
        headers = ask(small_app(), "/figures").headers
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert headers.get("strict-transport-security") == wanted


def test_scripts_are_streamlits_own_and_nothing_is_made_one():
    policy = dict(
        part.strip().split(" ", 1) for part in SAFE_HEADERS["Content-Security-Policy"].split(";")
    )
    assert "unsafe" not in policy["script-src"]
    assert re.fullmatch(r"'self' ('sha256-[\w+/]{43}=' ?)+ blob:", policy["script-src"])
    assert policy["connect-src"] == "'self'"


# What is open, and what is not.


@pytest.mark.slow
def test_every_address_of_streamlit_is_known(tmp_path: Path):
    told = subprocess.run(
        [sys.executable, "-c", _LIST],
        env=environment(tmp_path / "none.db") | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    found: dict[str, str] = json.loads(told.stdout.splitlines()[-1])
    for ours in ROUTES:
        found.pop(ours.path)
    assert found == OPEN | CLOSED


@pytest.mark.parametrize("path", [*CLOSED, *OFF])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_what_is_closed_is_not_found(path: str, method: str):
    # Behind it everything answers.
    everything = ClosedPaths(PlainTextResponse("here"))
    answer = ask(everything, path.replace("{path:path}", "x/y"), method)
    assert answer.status_code == 404


@pytest.mark.parametrize("path", OPEN)
def test_what_is_open_passes(path: str):
    passed = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])

    run(ClosedPaths(app)({"type": "http", "path": path}, None, None))  # type: ignore[arg-type]
    assert passed == [path]


# The real server.


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database = demonstration_file(tmp_path_factory)
    with serving(database, tmp_path_factory.mktemp("surface")) as running:
        yield running


def raw(server: Server, request: str) -> httpx.Headers:
    """The headers of what is answered to a request as it stands: a client would tidy it."""
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 80), timeout=10) as line:
        line.sendall(
            f"{request} HTTP/1.1\r\nHost: {url.host}\r\nConnection: close\r\n\r\n".encode()
        )
        said = b"".join(iter(lambda: line.recv(65_536), b""))
    head = said.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return httpx.Headers(
        [("status", head[0].split()[1]), *(tuple(each.split(": ", 1)) for each in head[1:])]  # type: ignore[list-item]
    )


KINDS = {
    "GET /": "200",
    "GET /coverage": "200",
    "HEAD /coverage": "200",
    "POST /coverage": "405",
    "GET /no/such/page": "200",
    "GET /coverage/": "301",
    "GET /this-week": "307",
    "GET /favicon.png": "200",
    "GET /static/no-such-script.js": "200",
    "GET /healthz": "200",
    "HEAD /readyz": "200",
    "POST /healthz": "405",
    "GET /export/coverage.csv?icb=QDK&as_at=2026-06-30": "200",
    "GET /export/coverage.csv?icb=QDK&as_at=x": "400",
    "GET /export/coverage.csv?icb=none&as_at=2026-06-30": "404",
    "GET /table/coverage.json?icb=QDK&as_at=2026-06-30": "200",
    "GET /history.csv": "200",
    "GET /geo/topo/world_110m.json": "200",
    "GET /template/scheme_areas.csv": "200",
    "GET /media/none.svg": "404",
    "OPTIONS /media/none.svg": "204",
    "GET /_stcore/health": "200",
    "OPTIONS /_stcore/health": "204",
    "GET /_stcore/host-config": "200",
    "GET /_stcore/stream": "200",
    "GET /_stcore/metrics": "404",
    "POST /_stcore/agent/mcp": "404",
    "PUT /_stcore/upload_file/x/y": "403",
    "DELETE /_stcore/upload_file/x/y": "403",
    "GET //elsewhere.example/x": "400",
    "GET /..%2f..%2fetc%2fpasswd": "400",
    "GET /static/..%5c..%5cx": "400",
    "PROPFIND /": "405",
}


@pytest.mark.slow
@pytest.mark.parametrize(("request_line", "status"), KINDS.items())
def test_every_kind_of_answer_has_the_safe_headers(server: Server, request_line: str, status: str):
    headers = raw(server, request_line)
    assert headers["status"] == status
    assert {name: headers.get(name) for name in SAFE_HEADERS} == SAFE_HEADERS
    kept_how = headers["cache-control"]
    assert "no-store" in kept_how or "no-cache" in kept_how or "max-age" in kept_how
    if "csv" in request_line:
        assert kept_how == "no-store"


@pytest.mark.slow
def test_streamlits_scripts_are_kept_and_asked_for_once(server: Server):
    page = httpx.get(server.url).text
    script = re.search(r'src="\./(static/js/index\.[^"]+)"', page)
    assert script
    first = httpx.get(f"{server.url}/{script[1]}")
    assert "immutable" in first.headers["cache-control"]
    again = httpx.get(f"{server.url}/{script[1]}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert "no-store" not in again.headers.get("cache-control", "")


@pytest.mark.slow
def test_a_page_of_another_origin_is_refused_at_once(server: Server):
    began = time.monotonic()
    with pytest.raises(InvalidStatus) as refused:
        connect(
            server.url.replace("http", "ws") + "/_stcore/stream",
            origin=Origin("http://elsewhere.example"),
        )
    answer = refused.value.response
    assert answer.status_code == 403
    assert {name: answer.headers.get(name) for name in SAFE_HEADERS} == SAFE_HEADERS
    # Streamlit would first ask two other hosts, five seconds each.
    assert time.monotonic() - began < 60
    assert httpx.get(f"{server.url}/_stcore/host-config").json()["allowedOrigins"] == []
