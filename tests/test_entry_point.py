"""The two ways in, as a person uses them: `streamlit run` and `python -m dashboard`, from another
folder, in a process of their own."""

from __future__ import annotations

import json
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from dashboard.routes import SAFE_HEADERS
from dashboard.warm_up import GETTING_READY
from tests.made_once import demonstration_file
from tests.served import ROOT, Server, environment, serving

# Each test starts a server or a shell; the browser tests of the fast run start one from another
# folder too.
pytestmark = pytest.mark.slow


def read(server: Server) -> list[ForwardMsg]:
    """Everything a browser is sent that opens the first page."""
    message = BackMsg()
    message.rerun_script.query_string = ""
    found = []
    with connect(
        server.url.replace("http", "ws") + "/_stcore/stream",
        subprotocols=[Subprotocol("streamlit")],
        origin=Origin(server.url),
        max_size=None,
    ) as stream:
        stream.send(message.SerializeToString())
        while not found or found[-1].WhichOneof("type") != "script_finished":
            found.append(ForwardMsg.FromString(stream.recv(timeout=60, decode=False)))
    return found


def words(server: Server) -> str:
    """What the page is made of; not the session's own facts, which name the script."""
    return "\n".join(str(message.delta) for message in read(server))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Far from the code, with nothing in it."""
    return tmp_path_factory.mktemp("another folder")


@pytest.fixture(scope="module")
def first(folder: Path) -> Iterator[Server]:
    """A server whose database was not there when it started."""
    with serving(folder / "new.db", folder) as server:
        yield server


def loads(path: Path) -> list[tuple]:
    with sqlite3.connect(path) as connection:
        found = connection.execute(
            "select id, sha256, loaded_at, is_demonstration from load"
        ).fetchall()
    connection.close()
    return found


def test_the_first_start_shows_the_demonstration(first: Server, folder: Path):
    shown = words(first)
    assert "What changed since we last met, and what do we decide?" in shown
    assert "Demonstration." in shown
    made = loads(folder / "new.db")
    assert len(made) > 40
    assert all(is_demonstration for *_, is_demonstration in made)
    assert "First start" in first.said()
    assert "Traceback" not in first.said()


def test_every_answer_of_the_real_server_has_the_safe_headers(first: Server):
    for address in (
        "/",
        "/coverage",
        "/methods",
        "/no/such/page",
        "/healthz",
        "/readyz",
        "/_stcore/health",
        "/_stcore/host-config",
        "/geo/topo/world_110m.json",
        "/export/coverage.csv?icb=QDK&as_at=2026-06-30",
        "/export/coverage.csv?icb=none&as_at=2026-06-30",
        "/static/no-such-script.js",
    ):
        headers = httpx.get(first.url + address).headers
        assert {name: headers.get(name) for name in SAFE_HEADERS} == SAFE_HEADERS, address


def test_the_theme_reaches_the_browser_from_any_folder(first: Server):
    wanted = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    session = next(m.new_session for m in read(first) if m.WhichOneof("type") == "new_session")
    theme = session.custom_theme
    assert theme.light.primary_color == wanted["theme"]["light"]["primaryColor"]
    assert theme.dark.background_color == wanted["theme"]["dark"]["backgroundColor"]
    assert theme.body_font == wanted["theme"]["font"]
    assert session.config.gather_usage_stats is False


def test_only_this_machine_can_reach_it(first: Server):
    """The address of the settings file holds from any folder: who may come is a decision."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent: it only finds the own address
        own = probe.getsockname()[0]
    if own.startswith("127."):
        pytest.skip("this machine has no address but its own")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://{own}:{httpx.URL(first.url).port}/healthz", timeout=5)


def test_nothing_is_told_to_streamlit_from_any_folder(first: Server):
    """Neither usage statistics, nor the question to another host what address this one has."""
    assert "Collecting usage statistics" not in first.said()
    assert "external IP" not in first.said()


def test_no_upload_is_taken(first: Server):
    for address in ("/_stcore/upload_file/x/y", "/upload_file/x/y"):
        answer = httpx.put(first.url + address, files={"file": b"x" * 1000})
        assert answer.status_code >= 400


def test_the_second_start_makes_nothing_and_an_error_shows_no_data(first: Server, folder: Path):
    """The copy stands for the database after a stop: the first server may still use its own."""
    path = folder / "again.db"
    with sqlite3.connect(folder / "new.db") as source, sqlite3.connect(path) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    before = loads(path)
    with serving(path, folder) as server:
        assert "Demonstration." in words(server)
        assert loads(path) == before
        assert "First start" not in server.said()
        with sqlite3.connect(path) as broken:
            broken.execute("drop table ward_population")
            broken.execute("update data_version set version = version + 1")
        broken.close()
        shown = words(server)
        error_id = re.search(r"could not be shown \(error ([0-9a-f]{8})\)", shown)
        assert error_id
        (line,) = [line for line in server.said().splitlines() if error_id[1] in line]
        assert json.loads(line)["type"] == "OperationalError"
        for secret in ("ward_population", "SELECT", "sqlite", "Traceback", str(ROOT)):
            assert secret not in shown


def run(folder: Path, database: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m dashboard`, with the code on the path and the folder elsewhere."""
    return subprocess.run(
        [sys.executable, "-m", "dashboard", *arguments],
        cwd=folder,
        env=environment(database) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def test_help_names_every_command(folder: Path):
    told = run(folder, folder / "none.db", "--help")
    assert told.returncode == 0
    for command in ("load", "demo", "export", "upgrade"):
        assert re.search(rf"\b{command}\b", told.stdout)
    assert not (folder / "none.db").exists()


def test_what_the_shell_gets_back(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    """One of each end, in a real process; the rest is in tests/app/test_commands.py."""
    database = folder / "shell.db"
    shutil.copy(demonstration_file(tmp_path_factory), database)
    (folder / "odd.csv").write_text("a,b\n1,2\n")
    refused = run(folder, database, "load", "odd.csv")
    assert refused.returncode == 1
    assert "odd.csv" in refused.stderr
    assert "Traceback" not in refused.stderr
    exported = run(folder, database, "export", "coverage", "--icb", "QDM")
    assert exported.returncode == 0
    assert exported.stdout.lstrip("\ufeff").startswith("ward_code,")
    assert "Traceback" not in exported.stderr


def test_whoever_comes_while_the_demonstration_is_made_is_told(folder: Path, tmp_path: Path):
    with serving(tmp_path / "new.db", folder, ready="/healthz") as server:
        first = words(server)
        again = words(server)
    assert GETTING_READY in first
    assert "What changed since" in first
    assert GETTING_READY not in again
