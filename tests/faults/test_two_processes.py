"""Two app processes behind a proxy as shipped: whoever's process goes is at once on the other."""

from __future__ import annotations

import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPSConnection
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from dashboard.access import hashed
from dashboard.gate import COOKIE as SIGNED_IN
from queries import people
from queries.database import make_engine, writing
from queries.people import Grant
from tests.browser.visit import DONE, SETTLE_MS, Visit
from tests.made_once import demonstration_file
from tests.proxies import Proxy, free_ports, proxy
from tests.served import ROOT, START_SECONDS, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

VIEW = "/coverage?icb=QDK&locality=E07000114"
OTHER_LAYER = "Provision status"
LAYER = "Deprivation, 1 is most deprived"
CHOSEN = re.compile("Thanet")
DRAIN_SECONDS = 8
COOKIE = "dashboard_process"
ISSUER, TOKEN = "http://127.0.0.1:9", "t" * 43
# Two cores that are busy with other tests; nobody asks how fast it is.
PATIENCE_MS = 60_000


@dataclass
class Team:
    """The app processes that `serve` watches, and the proxy before them."""

    ports: list[int]
    log: Path
    proxy: Proxy
    process: subprocess.Popen[bytes]

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def pid(self, name: str) -> int:
        """The process that runs now under the name it has in the proxy's cookie."""
        port = self.ports[int(name.removeprefix("app")) - 1]
        return int(re.findall(rf"app on port {port}: started as process (\d+)", self.said())[-1])

    def wait_until_ready(self) -> None:
        each = [f"http://127.0.0.1:{port}/readyz" for port in self.ports]
        until = time.monotonic() + 2 * START_SECONDS
        while time.monotonic() < until:
            try:
                if all(
                    httpx.get(url, timeout=5, verify=False).status_code == 200
                    for url in (*each, f"{self.proxy.url}/healthz")
                ):
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise RuntimeError(f"the app processes did not get ready: {self.said()}")


@contextmanager
def team(name: str, database: Path, folder: Path) -> Iterator[Team]:
    """`serve` with two app processes behind the named proxy, until the block ends."""
    first, second, front, plain = free_ports(4)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "serve.log"
    command = [sys.executable, "-m", "dashboard", "serve", "--processes", "2", "--workers", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(first)],
            cwd=ROOT,
            env={
                **environment(database),
                "DASHBOARD_DRAIN_SECONDS": str(DRAIN_SECONDS),
                "DASHBOARD_SIGN_IN": "oidc",
                # Whoever comes here is signed in already: nobody is asked.
                "DASHBOARD_OIDC_METADATA_URL": f"{ISSUER}/.well-known/openid-configuration",
                "DASHBOARD_OIDC_CLIENT_ID": "board",
                "DASHBOARD_OIDC_CLIENT_SECRET": "secret",
                "DASHBOARD_COOKIE_SECRET": "s" * 32,
                "DASHBOARD_PUBLIC_ADDRESS": f"https://localhost:{front}",
            },
            stdout=output,
            stderr=output,
        )
        try:
            with proxy(name, folder / name, front, plain, [first, second]) as running:
                here = Team([first, second], log, running, process)
                here.wait_until_ready()
                yield here
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(DRAIN_SECONDS + 30) == 0, log.read_text()
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@pytest.fixture(scope="module", params=["haproxy", "nginx"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    database = Path(shutil.copy(demonstration_file(tmp_path_factory), folder / "team.db"))
    engine, now = make_engine(f"sqlite:///{database.as_posix()}"), datetime.now(UTC)
    person_id = people.person_named(engine, ISSUER, "lead", now)
    with writing(engine) as connection:
        people.give(connection, Grant("icb_lead", "icb", "QDK"), "test", now, person_id=person_id)
    people.sign_in(engine, hashed(TOKEN), ISSUER, "lead", "Pat Lead", (), now)
    engine.dispose()
    with team(request.param, database, folder) as running:
        yield running


@pytest.fixture
def visit(served: Team, chromium: Browser) -> Iterator[Visit]:
    """Somebody who opened a link and then chose by hand: only the address bar knows of that."""
    served.wait_until_ready()
    context = chromium.new_context(
        viewport={"width": 1400, "height": 900}, locale="en-GB", ignore_https_errors=True
    )
    context.add_cookies([{"name": SIGNED_IN, "value": TOKEN, "url": served.proxy.url}])
    here = Visit(context, served.proxy.url)
    here.page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    here.go(VIEW)
    expect(here.page.locator(".chosen")).to_have_text(CHOSEN)
    here.choose("Map shows", LAYER)
    expect(here.page.locator(".key h2")).to_have_text(LAYER)
    expect(here.done().page).to_have_url(re.compile("layer=deprivation"))
    yield here
    expect.set_options(timeout=SETTLE_MS)
    context.close()


def where(here: Visit) -> str:
    """The process the visitor is on, by the proxy's cookie."""
    found = [each for each in here.context.cookies() if each.get("name") == COOKIE]
    assert len(found) == 1
    assert found[0].get("httpOnly")
    assert found[0].get("secure")
    return str(found[0].get("value"))


@contextmanager
def connects_again(here: Visit) -> Iterator[None]:
    """Around what cuts the connection: at its end the page is connected again, and its script ran.

    The page itself counts, since it can be away for less than a look from outside takes.
    """
    here.page.evaluate(
        """() => {
          const app = document.querySelector('[data-testid=stApp]');
          let wasAway = false;
          window.ranAgain = false;
          new MutationObserver(() => {
            const isAway = app.dataset.testConnectionState !== 'CONNECTED';
            wasAway ||= isAway;
            window.ranAgain ||= wasAway && !isAway && app.dataset.testScriptState === 'running';
          }).observe(app, {attributes: true});
        }"""
    )
    began = time.monotonic()
    yield
    here.page.wait_for_function("() => window.ranAgain", timeout=PATIENCE_MS)
    expect(here.page.locator(DONE)).to_be_visible(timeout=PATIENCE_MS)
    print(f"connected again after {time.monotonic() - began:.1f} s")


def assert_same_view_and_alive(here: Visit, address: str) -> None:
    assert here.page.url == address
    expect(here.page.locator(".chosen")).to_have_text(CHOSEN)
    expect(here.page.locator(".key h2")).to_have_text(LAYER)
    # Not a picture of it: it answers.
    here.choose("Map shows", OTHER_LAYER)
    expect(here.page.locator(".key h2")).to_have_text(OTHER_LAYER)
    expect(here.page.locator(".chosen")).to_have_text(CHOSEN)


def test_a_process_that_is_killed(served: Team, visit: Visit):
    address, before = visit.page.url, where(visit)
    with connects_again(visit):
        os.kill(served.pid(before), signal.SIGKILL)
    assert where(visit) != before
    assert_same_view_and_alive(visit, address)
    expect(visit.page.get_by_text("about to restart")).to_have_count(0)


def test_a_process_that_is_ended(served: Team, visit: Visit):
    address, before = visit.page.url, where(visit)
    notice = visit.page.get_by_role("status").filter(has_text="about to restart")
    with connects_again(visit):
        os.kill(served.pid(before), signal.SIGTERM)
        expect(notice).to_be_visible()
        own = f"http://127.0.0.1:{served.ports[int(before[-1]) - 1]}"
        ready = httpx.get(f"{own}/readyz")
        assert (ready.status_code, ready.json()) == (503, {"draining": True})
    assert where(visit) != before
    assert_same_view_and_alive(visit, address)
    expect(visit.page.get_by_text("about to restart")).to_have_count(0)


def test_a_connection_that_is_cut(served: Team, visit: Visit):
    address, before = visit.page.url, where(visit)
    with connects_again(visit):
        served.proxy.kill()
        served.proxy.start()
    assert where(visit) == before
    assert_same_view_and_alive(visit, address)


def test_what_the_proxy_lets_through(served: Team, visit: Visit):
    signed_in = {SIGNED_IN: TOKEN}
    with httpx.Client(base_url=served.proxy.url, verify=False, cookies=signed_in) as client:
        assert client.get("/readyz").status_code == 404
        assert client.get("/metrics").status_code == 404
        assert client.get("/healthz").status_code == 200
        script = re.search(r'src="\.?(/static/js/[^"]+\.js)"', client.get("/").text)
        assert script
        answer = client.get(script[1])
        assert answer.headers["content-encoding"] == "gzip"
        # Cookie and all: who has one is not given it again.
        assert COOKIE not in answer.headers.get("set-cookie", "")
    # Refused for its size, before a byte of it is sent.
    outside = ssl.create_default_context()
    outside.check_hostname, outside.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection("localhost", served.proxy.port, timeout=20, context=outside)
    connection.putrequest("PUT", "/_stcore/upload_file/a/b")
    connection.putheader("Content-Length", "400000000")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
