"""Several processes under one command: started again, given up, drained; and the samples for a server."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from dashboard import drain, serve
from dashboard.settings import settings
from tests.conftest import skip_or_fail
from tests.proxies import COMMANDS, SHIPPED, free_ports, nginx_command
from tests.served import ROOT, START_SECONDS, environment

ENDS_AT_ONCE = (sys.executable, "-c", "raise SystemExit(7)")
STAYS = (sys.executable, "-c", "import time; time.sleep(60)")
HEEDS_NOTHING = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
)


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short pauses; and what a test started has ended with it."""
    monkeypatch.setattr(serve, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(serve, "FIRST_PAUSE_SECONDS", 0.01)
    yield
    drain.draining.clear()


def child(command: tuple[str, ...], name: str = "app") -> serve.Child:
    return serve.Child(name, command, {})


def test_each_app_process_has_its_port_and_its_metrics_port():
    apps = serve.children(2, 9000, "127.0.0.1", 1, metrics_port=9100)
    assert [each.name for each in apps] == ["app on port 9000", "app on port 9001", "worker 1"]
    assert [each.environment for each in apps] == [
        {"DASHBOARD_METRICS_PORT": "9100"},
        {"DASHBOARD_METRICS_PORT": "9101"},
        {"DASHBOARD_METRICS_PORT": "0"},
    ]
    assert [" ".join(each.command).split("--server.port ")[1][:4] for each in apps[:2]] == [
        "9000",
        "9001",
    ]
    assert apps[2].command[1:] == ("-m", "dashboard", "worker")
    assert [each.environment for each in serve.children(1, 9000, "::1", 1)] == [{}, {}]


def test_a_child_that_dies_is_started_again_after_a_pause_that_grows(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(serve, "FIRST_PAUSE_SECONDS", 1.0)
    dying, pauses = child(ENDS_AT_ONCE), []
    assert dying.look(100.0)
    for _ in range(serve.MOST_DEATHS - 1):
        assert dying.process
        dying.process.wait(20)
        assert dying.look(100.0)
        assert dying.process is None
        pauses.append(dying.start_at - 100.0)
        assert dying.look(dying.start_at - 0.01)
        assert dying.process is None
        assert dying.look(dying.start_at)
    assert pauses == [1, 2, 4, 8]
    assert dying.process
    dying.process.wait(20)
    # Once more within the minute, and it is given up; after it, that would be one death of few.
    assert not dying.look(159.9)
    assert "app: ended 5 times within 60 seconds, the last time with code 7" in caplog.text
    dying.deaths, dying.process = [100.0] * 4, subprocess.Popen(ENDS_AT_ONCE)
    dying.process.wait(20)
    assert dying.look(160.0)


def test_what_cannot_be_kept_running_ends_everything_with_a_code():
    stays = child(STAYS, "other")
    assert serve.watch([stays, child(ENDS_AT_ONCE)], 5) == 1
    assert stays.process
    assert stays.process.poll() == -signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_all_end(number: signal.Signals):
    ours, before = [child(STAYS), child(STAYS)], signal.getsignal(number)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), number))
    timer.start()
    assert serve.watch(ours, 5) == 0
    assert [each.process.poll() for each in ours if each.process] == [-signal.SIGTERM] * 2
    assert signal.getsignal(number) is before


def test_what_does_not_end_is_killed_and_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(serve, "END_SECONDS", 0.2)
    deaf = child(HEEDS_NOTHING, "deaf")
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    assert serve.watch([deaf], 0) == 1
    assert deaf.process
    assert deaf.process.poll() == -signal.SIGKILL
    assert "Killed, since it did not end: deaf" in caplog.text


def test_a_port_that_is_taken_is_named():
    first = free_ports(2)[0]
    with socket.socket() as other:
        other.bind(("127.0.0.1", first + 1))
        other.listen()
        assert serve.taken_ports("127.0.0.1", first, 2) == [first + 1]
    assert serve.taken_ports("127.0.0.1", first, 2) == []


def test_nobody_is_let_in_from_the_network_without_signing_in(
    settings_as_shipped: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.delenv("DASHBOARD_SIGN_IN", raising=False)
    settings.cache_clear()
    assert serve.main(1, free_ports(1)[0], "0.0.0.0", 0) == 1
    assert "nobody has to sign in" in caplog.text


def said_by(log: Path, words: str, times: int = 1) -> None:
    until = time.monotonic() + START_SECONDS
    while log.read_text().count(words) < times:
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)


@pytest.mark.slow  # processes, and the demonstration
def test_a_new_database_is_made_once_and_a_killed_process_comes_back(tmp_path: Path):
    first = free_ports(2)[0]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard", "serve", "--processes", "2", "--port", str(first)],
            cwd=ROOT,
            env=environment(tmp_path / "new.db"),
            stdout=output,
            stderr=output,
        )
    try:
        said_by(log, "started as process", 3)
        # Before the first process, and by none of them.
        assert log.read_text().count("making the demonstration") == 1
        assert log.read_text().index("demonstration") < log.read_text().index("started as process")
        line = next(each for each in log.read_text().splitlines() if f"{first}: started" in each)
        os.kill(int(line.split()[-1]), signal.SIGKILL)
        said_by(log, f"app on port {first}: started as process", 2)
        for port in (first, first + 1):
            until = time.monotonic() + START_SECONDS
            while time.monotonic() < until:
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            else:
                pytest.fail(log.read_text())
        assert log.read_text().count("making the demonstration") == 1
    finally:
        process.terminate()
        assert process.wait(60) == 0, log.read_text()


@pytest.mark.slow  # programs of the system
def test_haproxy_takes_the_sample(tmp_path: Path):
    command = COMMANDS["haproxy"](tmp_path, *free_ports(2), [8501, 8502])
    done = subprocess.run([*command, "-c"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


@pytest.mark.slow
def test_nginx_takes_the_sample(tmp_path: Path):
    command = nginx_command(tmp_path, *free_ports(2), [8501, 8502])
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def connect(scope_type: str) -> tuple[list[dict[str, object]], list[int]]:
    """What the app is asked and what the browser is answered, for one connection."""
    sent: list[dict[str, object]] = []
    open_inside: list[int] = []

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        open_inside.append(len(drain._open_sockets))
        raise ConnectionError

    async def send(message):  # type: ignore[no-untyped-def]
        sent.append(message)

    # In a thread: the browser tests of the same worker leave an event loop running in this one.
    with suppress(ConnectionError), ThreadPoolExecutor(1) as pool:
        asked = drain.Draining(app)({"type": scope_type}, None, send)  # type: ignore[arg-type]
        pool.submit(asyncio.run, asked).result()
    return sent, open_inside


def test_a_process_that_drains_takes_no_new_session_and_answers_the_rest():
    assert connect("websocket") == ([], [1])
    # However it ended, it is over.
    assert drain._open_sockets == set()
    assert connect("http") == ([], [0])
    drain.draining.set()
    sent, asked = connect("websocket")
    assert asked == []
    assert [each.get("status") for each in sent] == [503, None]
    assert connect("http") == ([], [0])


@pytest.mark.parametrize(("is_open", "script_runs"), [(False, True), (True, False), (True, True)])
def test_a_drain_ends_with_the_last_session_or_in_time(
    monkeypatch: pytest.MonkeyPatch, is_open: bool, script_runs: bool
):
    monkeypatch.setenv("DASHBOARD_DRAIN_SECONDS", "0.3" if is_open else "60")
    monkeypatch.setattr(drain, "FINISH_SECONDS", 0.6)
    monkeypatch.setattr(drain, "_open_sockets", {1} if is_open else set())
    settings.cache_clear()
    done = threading.Event()
    if script_runs:
        threading.Thread(target=done.wait, args=(30,), name="ScriptRunner.scriptThread").start()
    began, ended = time.monotonic(), []
    drained = partial(drain._drain, lambda: ended.append(time.monotonic() - began))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(drained())).result()
    done.set()
    settings.cache_clear()
    at_least = (0.9 if script_runs else 0.3) if is_open else 0
    assert len(ended) == 1
    assert ended[0] >= at_least
    assert is_open or ended[0] < 60


UNITS = sorted(path.name for path in SHIPPED.glob("social-prescribing*"))


@pytest.mark.slow
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_units(name: str, tmp_path: Path):
    if shutil.which("systemd-analyze") is None:
        skip_or_fail("systemd-analyze is not installed")
    for each in UNITS:
        text = (SHIPPED / each).read_text()
        # The program is looked for; here it is elsewhere.
        text = text.replace("/opt/social-prescribing/.venv/bin/python", sys.executable)
        (tmp_path / each).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", tmp_path / name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ours = [line for line in done.stderr.splitlines() if "social-prescribing" in line]
    assert ours == []


def test_the_units_leave_time_to_drain():
    lines = (SHIPPED / "social-prescribing.service").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    from dashboard.settings import Settings

    most = Settings.model_fields["drain_seconds"].default + serve.END_SECONDS
    assert float(given["TimeoutStopSec"]) > most
    assert given["KillSignal"] == "SIGTERM"
    assert given["KillMode"] == "mixed"


def test_the_samples_name_commands_and_settings_that_are_there():
    from typer.main import get_command

    from dashboard.commands import app
    from dashboard.settings import Settings

    known = get_command(app).commands  # type: ignore[attr-defined]
    for name in UNITS:
        for line in (SHIPPED / name).read_text().splitlines():
            if line.startswith("ExecStart="):
                words = line.split(" -m dashboard ")[1].split()
                offered = {one for each in known[words[0]].params for one in each.opts}
                assert {word for word in words if word.startswith("--")} <= offered
    for line in (SHIPPED / "environment").read_text().splitlines():
        if line.startswith("DASHBOARD_"):
            assert line.split("=")[0].removeprefix("DASHBOARD_").lower() in Settings.model_fields
