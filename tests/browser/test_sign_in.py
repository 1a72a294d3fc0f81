"""Signing in and out with a real browser, a real server and a real sign-in service."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from queries import people
from queries.database import make_engine, writing
from queries.people import Grant
from tests.browser.visit import DONE
from tests.identity_provider import Provider, provider
from tests.made_once import demonstration_file
from tests.served import Server, free_port, serving

pytestmark = [
    pytest.mark.slow,
    # The service for tests uses parts of its library that are on their way out.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
HERE = "/take-up?icb=QDK&locality=E07000114"


@dataclass
class Team:
    """A team's dashboard: its server, its database, and where its people sign in."""

    server: Server
    engine: Engine
    service: Provider

    def give(self, grant: Grant, person_id: int) -> None:
        with writing(self.engine) as connection:
            people.give(connection, grant, "test", datetime.now(UTC), person_id=person_id)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    database = Path(shutil.copy(demonstration_file(tmp_path_factory), folder / "team.db"))
    port = free_port()
    with provider() as service:
        also = {
            "DASHBOARD_SIGN_IN": "oidc",
            "DASHBOARD_OIDC_METADATA_URL": service.metadata_url,
            "DASHBOARD_OIDC_CLIENT_ID": "board",
            "DASHBOARD_OIDC_CLIENT_SECRET": "secret",
            "DASHBOARD_COOKIE_SECRET": "s" * 32,
            # Browsers take cookies for https from this machine's own name too.
            "DASHBOARD_PUBLIC_ADDRESS": f"http://localhost:{port}",
        }
        engine = make_engine(f"sqlite:///{database.as_posix()}")
        now = datetime.now(UTC)
        for number, subject in enumerate(("lead", "admin", "stranger"), 1):
            assert people.person_named(engine, service.url, subject, now) == number
        with writing(engine) as connection:
            people.give(connection, Grant("icb_lead", "icb", "QDK"), "test", now, person_id=1)
            people.give(connection, Grant("administrator", "all"), "test", now, person_id=2)
        with serving(database, folder, port=port, also=also) as server:
            yield Team(Server(f"http://localhost:{port}", server.log, server.pid), engine, service)
        engine.dispose()


@pytest.fixture
def page_of(team: Team, chromium: Browser) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_it(width: int = 1400) -> Page:
        contexts.append(
            chromium.new_context(viewport={"width": width, "height": 900}, locale="en-GB")
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        return page

    yield open_it
    for each in contexts:
        each.close()


def sign_in(page: Page, team: Team, who: str, address: str = HERE) -> None:
    page.goto(team.server.url + address)
    page.get_by_role("link", name="Sign in").click()
    at_the_service(page, who)


def at_the_service(page: Page, who: str) -> None:
    page.locator("input[name=sub]").fill(who)
    page.locator("button").first.click()
    expect(page.locator(DONE)).to_be_visible()


def test_signing_in_ends_where_it_began(team: Team, page_of: Callable[..., Page]):
    page = page_of()
    sign_in(page, team, "lead")
    expect(page.get_by_text("Signed in: Pat Lead")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/take-up\?icb=QDK&locality=E07000114"))
    expect(page.locator(".chosen")).to_contain_text("Thanet")
    # Nothing of another board is offered.
    page.get_by_role("combobox", name="Integrated care board").click()
    assert page.get_by_role("option").all_inner_texts() == ["Kent (demonstration)"]


def test_who_signs_out_is_out_in_every_tab_and_comes_back_to_the_same_place(
    team: Team, page_of: Callable[..., Page]
):
    page = page_of()
    sign_in(page, team, "lead")
    with closing(page.context.new_page()) as other:
        other.goto(f"{team.server.url}/coverage?icb=QDK")
        expect(other.locator(".choroplethlayer path").first).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        # A part of a page that runs by itself, with the area it was given.
        other.get_by_role("combobox", name="Map shows").click()
        other.get_by_role("option").nth(2).click()
        expect(other.get_by_role("heading", name="You are signed out")).to_be_visible()
        expect(other.locator(".choroplethlayer path")).to_have_count(0)
        table = other.request.get(f"{team.server.url}/export/coverage.csv?icb=QDK&as_at=2026-06-30")
        assert (table.status, table.text()) == (401, "not signed in")
    page.get_by_role("link", name="Sign in").click()
    at_the_service(page, "lead")
    expect(page.locator(".chosen")).to_contain_text("Thanet")


def test_a_role_that_is_given_counts_from_the_next_click(team: Team, page_of: Callable[..., Page]):
    page = page_of()
    sign_in(page, team, "stranger", "/coverage")
    expect(page.get_by_role("heading", name="You have no access yet")).to_be_visible()
    expect(page.get_by_text("number 3")).to_be_visible()
    team.give(Grant("ot_lead", "icb", "QDM"), 3)
    page.reload()
    page.get_by_role("link", name="Sign in").click()
    at_the_service(page, "stranger")
    expect(page.locator(".chosen")).to_contain_text("Medway")


@pytest.mark.parametrize("width", [1400, 320])
def test_what_is_there_for_signing_in_is_for_everyone(
    team: Team, page_of: Callable[..., Page], width: int
):
    page = page_of(width)
    seen = []
    for address in ("/sign-in", "/sign-in/done"):
        page.goto(team.server.url + address)
        seen.append(Axe().run(page).response["violations"])
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    sign_in(page, team, "admin", "/access")
    expect(page.get_by_role("heading", name="Who may see what?")).to_be_visible()
    found = Axe().run(page, context=".main, [data-testid=stMain]").response["violations"]
    seen.append([each for each in found if each["impact"] in ("serious", "critical")])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [each["id"] for violations in seen for each in violations] == []


def test_the_keyboard_signs_in(team: Team, page_of: Callable[..., Page]):
    page = page_of()
    page.goto(team.server.url + "/coverage")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Sign in"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(re.escape(team.service.url)))


def test_no_name_and_no_token_is_in_the_log(team: Team, page_of: Callable[..., Page]):
    page = page_of()
    sign_in(page, team, "lead")
    tokens = [cookie["value"] for cookie in page.context.cookies() if cookie["name"][0] == "_"]
    said = team.server.said()
    assert tokens
    for secret in (*tokens, "Pat Lead", "E07000114", "code=", "state="):
        assert secret not in said
