"""The numbers for Prometheus: what they count, and that no label is a person, an area or a file."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from dashboard import data, errors, health, metrics, warm_up
from dashboard.request_log import RequestLog
from dashboard.settings import settings
from queries import jobs
from tests import served
from tests.made_once import HASH_KEY, demonstration_file

NHS_NUMBER = "9434765919"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def told(port: int) -> dict[tuple[str, ...], float]:
    """Every number by its name and the values of its labels, those of the buckets left out."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, upgraded_file: Path, tmp_path: Path) -> Iterator[Engine]:
    """The dashboard reads an empty database of the newest form."""
    path = Path(shutil.copy(upgraded_file, tmp_path / "own.db"))
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{path.as_posix()}")
    monkeypatch.setenv("DASHBOARD_HASH_KEY", HASH_KEY)
    monkeypatch.setattr(health, "_ASKED", None)
    monkeypatch.setattr(warm_up, "_DONE", [])
    settings.cache_clear()
    yield data.engine()
    data.engine().dispose()
    settings.cache_clear()


@pytest.fixture
def port(own: Engine) -> Iterator[int]:
    """Where the numbers are told until the end of the test."""
    port = free_port()
    metrics.start(port, "127.0.0.1")
    yield port
    metrics.stop()


def ask(*asked: tuple[str, str]) -> None:
    """Ask for addresses: one that answers, one that fails."""

    def answers(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("x")

    def fails(_request: Request) -> PlainTextResponse:
        raise ValueError(NHS_NUMBER)

    app = Starlette(
        routes=[Route("/export/{subject}.{form}", answers), Route("/fails/{x}", fails)],
        middleware=[Middleware(RequestLog)],
    )

    async def all_of_them() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for method, path in asked:
                await client.request(method, path)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, all_of_them()).result()


def test_off_by_default():
    assert settings().metrics_port == 0
    assert settings().metrics_address == "127.0.0.1"
    metrics.start(0, "127.0.0.1")
    assert metrics._METERS is None
    # Counting is nothing then.
    metrics.count_request("page", 200, 0.1)
    metrics.count_error("page")


def test_requests_by_kind_of_address(port: int):
    ask(
        ("GET", f"/export/{NHS_NUMBER}.csv?icb={NHS_NUMBER}"),
        ("GET", "/export/coverage.xlsx"),
        ("GET", f"/fails/{NHS_NUMBER}"),
        ("GET", f"/{NHS_NUMBER}"),
        (NHS_NUMBER, "/"),
    )
    found = told(port)
    assert found["dashboard_requests_total", "/export/{subject}.{form}", "200"] == 2
    assert found["dashboard_requests_total", "/fails/{x}", "500"] == 1
    assert found["dashboard_requests_total", "other", "404"] == 2
    assert found["dashboard_request_seconds_count", "/export/{subject}.{form}"] == 2
    assert found["dashboard_errors_total", "request"] == 1
    assert not any(NHS_NUMBER in " ".join(key) for key in found)


def test_errors_by_what_failed(port: int):
    errors.report_error(ValueError(NHS_NUMBER))
    errors.report_error(ValueError(NHS_NUMBER), "page")
    errors.report_error(ValueError(NHS_NUMBER), "page")
    found = told(port)
    assert found["dashboard_errors_total", "work"] == 1
    assert found["dashboard_errors_total", "page"] == 2


def test_what_the_database_knows(port: int, own: Engine):
    for number in range(3):
        jobs.offer(own, f"{NHS_NUMBER}.csv", 1, str(number) * 64, "Ann")
    jobs.ended(own, 1, "failed", "no")
    with jobs.workers_lock(own), own.connect():
        found = told(port)
    assert found["dashboard_jobs", "checking"] == 2
    assert found["dashboard_jobs", "failed"] == 1
    assert found["dashboard_worker",] == 1
    assert found["dashboard_ready",] == 1
    assert found["dashboard_database_connections",] == 1
    assert found["process_resident_memory_bytes",] > 1e6
    later = told(port)
    assert later["dashboard_worker",] == 0
    assert later["dashboard_database_connections",] == 0
    assert not any(NHS_NUMBER in " ".join(key) or "Ann" in key for key in found)


def test_a_database_that_does_not_answer_has_no_numbers(
    port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "odd.db").write_text("no database" * 1000)
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{(tmp_path / 'odd.db').as_posix()}")
    settings.cache_clear()
    found = told(port)
    assert found["dashboard_ready",] == 0
    assert ("dashboard_worker",) not in found


def test_a_port_that_is_taken_stops_nothing(own: Engine, caplog: pytest.LogCaptureFixture):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        metrics.start(taken.getsockname()[1], "127.0.0.1")
        metrics.count_request("page", 200, 0.1)
        metrics.stop()
    assert "metrics_port" in caplog.text


def test_the_port_is_free_again(own: Engine):
    port = free_port()
    for _ in range(2):
        metrics.start(port, "127.0.0.1")
        assert told(port)["dashboard_ready",] == 1
        metrics.stop()
    with pytest.raises(httpx.TransportError):
        told(port)


def _open(stream: object, page: str) -> None:
    message = BackMsg()
    message.rerun_script.query_string = f"icb={NHS_NUMBER}"
    message.rerun_script.page_name = page
    stream.send(message.SerializeToString())  # type: ignore[attr-defined]
    while True:
        found = ForwardMsg.FromString(stream.recv(timeout=60, decode=False))  # type: ignore[attr-defined]
        # A run that begins anew on the way ends by another word.
        if found.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY and found.HasField(
            "script_finished"
        ):
            return


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_of_a_dashboard_that_is_used(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
):
    folder, port = tmp_path_factory.mktemp("used"), free_port()
    path = Path(shutil.copy(demonstration_file(tmp_path_factory), folder / "board.db"))
    environment = served.environment
    monkeypatch.setattr(
        served,
        "environment",
        lambda file: environment(file) | {"DASHBOARD_METRICS_PORT": str(port)},
    )
    with served.serving(path, folder) as server:
        assert told(port)["dashboard_open_sessions",] == 0
        with connect(
            server.url.replace("http", "ws") + "/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            origin=Origin(server.url),
            max_size=None,
        ) as stream:
            for page in ("", "coverage", NHS_NUMBER):
                _open(stream, page)
            found = told(port)
        assert found["dashboard_open_sessions",] == 1
        runs = {key[1:]: n for key, n in found.items() if key[0].endswith("run_seconds_count")}
        # A page that is not there is answered with the first.
        assert runs == {("this-week", "page"): 2, ("coverage", "page"): 1}
        assert found["dashboard_answers_total", "dashboard.data._shared", "miss"] > 0
        assert found["dashboard_loads", "workforce"] > 0
        assert ("dashboard_errors_total", "page") not in found
        assert not any(NHS_NUMBER in " ".join(key) for key in found)
        # The numbers that Streamlit tells by itself are for nobody: these are, at a port of their own.
        assert httpx.get(f"{server.url}/_stcore/metrics").status_code == 404
    with pytest.raises(httpx.TransportError):
        told(port)
