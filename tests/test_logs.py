"""Every line of the log has its time, level and request, and no line has data."""

from __future__ import annotations

import io
import json
import logging
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from structlog.contextvars import clear_contextvars
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from dashboard import logs
from tests.made_once import demonstration_file
from tests.served import ROOT, Server, serving

# One of each kind that somebody could send, or that a message could hold.
HOSTILE = (
    "943 476 5919",
    "9434765919",
    "Ann.Example@nhs.net",
    "SW1A 2AA",
    "203.0.113.77",
    'x\r\n{"level": "forged"}',
    "%s %d %(name)s",
    "{0.__class__}",
    "refer-to-Ann.xlsx",
)


@pytest.fixture(autouse=True)
def no_request() -> Iterator[None]:
    clear_contextvars()
    yield
    clear_contextvars()


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What a library of another maker says, written as in the log."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.formatter(for_a_person=False))
    for name in ("other.library", "dashboard"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate, level = [handler], False, logger.level
        logger.setLevel(logging.INFO)
    yield written
    for name in ("other.library", "dashboard"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(level)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


OTHER = logging.getLogger("other.library")


class TestALine:
    def test_has_time_level_request_and_user(self, said: io.StringIO):
        logs.new_request("0123abcd")
        logs.bind(user="u-17")
        logs.log.warning("something happened", count=3)
        (line,) = lines(said)
        assert datetime.fromisoformat(line.pop("time")).utcoffset().total_seconds() == 0  # type: ignore[union-attr]
        assert line == {
            "level": "warning",
            "request": "0123abcd",
            "user": "u-17",
            "event": "something happened",
            "count": 3,
        }

    def test_of_the_next_request_has_nothing_of_the_last(self, said: io.StringIO):
        logs.new_request("first")
        logs.bind(user="u-17")
        logs.new_request("second")
        logs.log.info("asked")
        (line,) = lines(said)
        assert line["request"] == "second"
        assert "user" not in line

    @pytest.mark.parametrize("user", ["Ann Example", "ann@nhs.net", "", "x" * 65, "a\nb"])
    def test_takes_no_name_for_a_user(self, user: str):
        with pytest.raises(ValueError, match="expected an id") as caught:
            logs.bind(user=user)
        assert not user or user not in str(caught.value)

    def test_is_plain_for_a_person(self):
        record = logging.LogRecord("dashboard", 30, __file__, 1, "First start", (), None)
        assert re.fullmatch(r".*\bFirst start\b.*", logs.formatter(True).format(record))

    def test_of_ours_says_its_values(self, said: io.StringIO):
        logging.getLogger("dashboard").warning("Draining: %d sessions", 3)
        assert lines(said)[0]["event"] == "Draining: 3 sessions"


class TestOfOtherLibraries:
    @given(st.text(min_size=8, alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"])))
    def test_no_value_is_said(self, value: str):
        written = io.StringIO()
        handler = logging.StreamHandler(written)
        handler.setFormatter(logs.formatter(for_a_person=False))
        OTHER.handlers, OTHER.propagate = [handler], False
        try:
            OTHER.warning("refused: %s", value)
            OTHER.warning(f"refused: {value}")
            OTHER.warning(value, extra={"color_message": value, "request": value, "user": value})
            OTHER.warning("refused", stack_info=True, extra={"found": value})
            try:
                try:
                    raise KeyError(value)
                except KeyError as error:
                    raise ValueError(value) from error
            except ValueError:
                OTHER.exception("failed")
        finally:
            OTHER.handlers, OTHER.propagate = [], True
        found = lines(written)
        assert [line["event"] for line in found] == [
            "refused: %s",
            logs.LEFT_OUT,
            logs.LEFT_OUT,
            "refused",
            "failed",
        ]
        assert value not in written.getvalue()
        assert json.dumps(value, ensure_ascii=False)[1:-1] not in written.getvalue()
        assert found[-1]["type"] == "ValueError"
        assert found[-1]["because_of"] == ["KeyError"]
        assert found[-1]["place"][0].startswith("tests/test_logs.py:")

    def test_a_value_that_is_a_word_of_the_code_elsewhere_is_left_out(self, said: io.StringIO):
        elsewhere = "".join(["first", " start"])
        OTHER.warning(elsewhere)
        assert lines(said)[0]["event"] == logs.LEFT_OUT

    def test_where_it_was_said(self, said: io.StringIO):
        OTHER.warning("refused")
        assert lines(said)[0]["logger"] == "other.library"
        assert lines(said)[0]["line"].startswith("test_logs:")


# In a process of its own: it changes what all of a process says.
CONFIGURED = """
import logging, sys, threading, warnings
from dashboard import logs
SECRET = "943 476 5919"
import streamlit
theirs = logging.getLogger("uvicorn.error")
theirs.addHandler(logging.StreamHandler(sys.stderr))
theirs.propagate = False
logs.configure()
theirs.warning("Port %s is not available", SECRET)
logging.getLogger("uvicorn.access").info("%s asked", SECRET)
logging.getLogger("dashboard").warning("%d too few", SECRET)
from streamlit.logger import get_logger
get_logger("streamlit.first_imported_later").warning("found %s", SECRET)
warnings.warn(SECRET)
def fail():
    raise ValueError(SECRET)
one = threading.Thread(target=fail); one.start(); one.join()
logs.configure()
logs.log.info("once")
fail()
"""


@pytest.mark.slow  # a process
def test_everything_a_process_says_goes_through_it():
    ended = subprocess.run(
        [sys.executable, "-c", CONFIGURED], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "943" not in ended.stderr
    found = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["event"] for line in found] == [
        "Port %s is not available",
        "found %s",
        logs.LEFT_OUT,
        "a thread ended by an error",
        "once",
        "the process ends by an error",
    ]
    assert found[-1]["type"] == "ValueError"


def test_structlog_costs_no_rich():
    """Most of its import time would be the tracebacks of rich, which are never printed."""
    code = (
        "import sys; from dashboard import logs, request_log, health, metrics, errors; "
        "print(sorted({'rich', 'rich.console', 'prometheus_client', 'pandas'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.stdout == "[]\n", ended.stderr


# Served as its users start it ------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demonstration with one table gone: errors there name what it was made to refer to."""
    folder = tmp_path_factory.mktemp("hostile")
    path = Path(shutil.copy(demonstration_file(tmp_path_factory), folder / "board.db"))
    with serving(path, folder) as server:
        with sqlite3.connect(path) as broken:
            broken.execute("drop table ward_population")
            broken.execute(f'create view ward_population as select * from "{HOSTILE[0]}"')
            broken.execute("update data_version set version = version + 1")
        broken.close()
        yield server


def _say(server: Server, *messages: bytes, origin: str = "", protocol: str = "x") -> list[str]:
    """Open a page, say something, and read on until it is closed or done; the session's id."""
    sessions = []
    with (
        suppress(WebSocketException, OSError),
        connect(
            server.url.replace("http", "ws") + f"/_stcore/stream?name={HOSTILE[1]}",
            subprotocols=[Subprotocol("streamlit"), Subprotocol(protocol)],
            origin=Origin(origin or server.url),
            additional_headers={"X-Request-ID": HOSTILE[1], "Cookie": f"a={HOSTILE[1]}"},
            max_size=None,
        ) as stream,
    ):
        for message in messages:
            stream.send(message)
        for _ in range(400):
            told = ForwardMsg.FromString(stream.recv(timeout=30, decode=False))
            if told.WhichOneof("type") == "new_session":
                sessions.append(told.new_session.initialize.session_id)
            if told.WhichOneof("type") == "script_finished":
                break
    return sessions


def _rerun(value: str) -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = f"icb={value}&search={value}"
    message.rerun_script.page_name = value
    widget = message.rerun_script.widget_states.widgets.add()
    widget.id, widget.string_value = value, value
    return message.SerializeToString()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_that_is_sent_is_in_the_log(hostile_server: Server):
    server = hostile_server
    port = int(server.url.rsplit(":", 1)[1])
    with httpx.Client(base_url=server.url, timeout=30) as client:
        for value in HOSTILE:
            plain = re.sub(r"[^\x20-\x7e]", "", value)
            part = quote(value, safe="")
            sent = {"q": value, "icb": value, "as_at": "2026-06-30", "token": value}
            for path in (
                "/", f"/{part}", f"/{part}/{part}", "/export/coverage.csv", f"/geo/{part}/x.json",
                f"/export/{part}.{part}", "/table/coverage.json", f"/media/{part}", "/brief.pdf",
                "/unsubscribe", f"/_stcore/{part}", f"/static/{part}", "/readyz", "/healthz",
            ):  # fmt: skip
                client.get(path, params=sent, headers={"X-Request-ID": plain, "User-Agent": plain})
            client.get("/", headers={"X-Forwarded-For": plain, "Forwarded": f"for={plain}"})
            client.get("/", headers={"Host": plain.replace(" ", "")})
            client.request(re.sub(r"[^A-Za-z0-9]", "", value) or "X", "/")
            for session in (
                "none",
                *_say(server, _rerun(value), protocol=re.sub(r"[^A-Za-z0-9.]", "", plain) or "x"),
            ):
                client.put(
                    f"/_stcore/upload_file/{session}/{part}",
                    files={value: (value, b"a,b\n" + value.encode(), "text/csv")},
                )
            _say(server, value.encode())
            _say(server, _rerun(value), origin=f"https://{plain}.example")
            with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
                raw.sendall(f"{value} {value}\r\n\r\n".encode())
                with suppress(OSError):
                    raw.recv(4096)
        failed = client.get("/table/coverage.json", params={"icb": "QDK", "as_at": "2026-06-30"})
    assert failed.status_code == 500
    error_id = re.search(r"\(error ([0-9a-f]{8})\)", failed.text)
    assert error_id

    *said, _ = server.said().split("\n")
    # Before it goes by ours: Streamlit's word on where the pages are.
    banner = [line.strip() for line in said if line.strip() and not line.startswith("{")]
    assert banner == ["You can now view your Streamlit app in your browser.", f"URL: {server.url}"]
    found = [json.loads(line) for line in said if line.startswith("{")]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in found)
    for value in HOSTILE:
        assert value not in text
        assert json.dumps(value)[1:-1] not in text
    # Neither whose it was.
    assert "127.0.0.1" not in text
    assert not any(line["level"] == "forged" for line in found)
    (line,) = [line for line in found if line.get("error_id") == error_id[1]]
    assert (line["type"], line["of"]) == ("OperationalError", "request")
    assert line["request"] == failed.headers["X-Request-ID"]
    # The page failed by the same, and its line has the connection's id.
    pages = [line for line in found if line.get("of") == "page"]
    connections = {line["request"] for line in found if line["event"] == "connection ended"}
    assert pages
    assert {line["request"] for line in pages} <= connections
    answered = [line for line in found if line["event"] == "request"]
    assert {line["route"] for line in answered} >= {
        "page",
        "/export/{subject}.{form}",
        "/table/{subject}.json",
        "/_stcore/upload_file/{session_id}/{file_id}",
    }
    assert {line["method"] for line in answered} <= {"GET", "PUT", "other"}
    assert all(
        line["ms"] >= 0 and re.fullmatch("[0-9a-f]{16}", line["request"]) for line in answered
    )


@pytest.mark.slow
def test_every_answer_has_an_id_of_its_own(hostile_server: Server):
    ids = set()
    for path in ("/", "/healthz", "/no/such/page", "/export/coverage.csv", "/_stcore/health"):
        given_id = httpx.get(hostile_server.url + path, headers={"X-Request-ID": "mine"}).headers
        assert re.fullmatch("[0-9a-f]{16}", given_id["X-Request-ID"])
        ids.add(given_id["X-Request-ID"])
    assert len(ids) == 5
