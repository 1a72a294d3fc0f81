"""`.ci/audit`: what it says of a known vulnerability, of none, and of a service that is not there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.served import ROOT

# Each asks about every package that is installed.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bash") is None, reason="a script of the shell"),
]


@contextmanager
def service(vulnerable: dict[str, str]) -> Iterator[str]:
    """Answers as OSV does, on this machine, for these packages in these versions."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, number = asked["package"]["name"].lower(), asked["version"]
            found = [
                {
                    "id": "TEST-1",
                    "details": "Made up for a test.",
                    "published": "2026-01-01T00:00:00Z",
                    "affected": [{"package": {"name": name, "ecosystem": "PyPI"}, "ranges": []}],
                }
            ]
            said = json.dumps({"vulns": found} if vulnerable.get(name) == number else {}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()


def audit(address: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(ROOT / ".ci" / "audit"), "-s", "osv", "--osv-url", address],
        env=os.environ
        | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        | environment,
        capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip


def test_what_is_installed_and_vulnerable_fails():
    with service({"jinja2": "2.4.1", "pandas": version("pandas")}) as address:
        told = audit(address)
    assert told.returncode == 1
    assert "TEST-1" in told.stdout
    assert "pandas" in told.stdout
    assert "NOT AUDITED" not in told.stderr


def test_nothing_that_is_known_passes():
    with service({"jinja2": "2.4.1"}) as address:
        told = audit(address)
    assert told.returncode == 0, told.stderr
    assert "No known vulnerabilities found" in told.stderr
    assert "NOT AUDITED" not in told.stderr


def test_a_service_that_knows_nothing_is_no_audit():
    with service({}) as address:
        told = audit(address)
        required = audit(address, DASHBOARD_AUDIT="required")
    assert (told.returncode, required.returncode) == (0, 1)
    assert "NOT AUDITED" in told.stderr


def test_a_service_that_is_not_there_is_no_audit():
    told = audit("http://127.0.0.1:9/v1/query", DASHBOARD_AUDIT="required")
    assert told.returncode == 1
    assert "NOT AUDITED" in told.stderr
