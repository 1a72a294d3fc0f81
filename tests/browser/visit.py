"""One visit of a person with a browser: what is on the screen, and what went wrong behind it."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect

DONE = (
    "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
)
SETTLE_MS = 15_000
expect.set_options(timeout=SETTLE_MS)


class Visit:
    """A page in a context of its own. All that it asks of other hosts is logged and stopped."""

    def __init__(self, context: BrowserContext, url: str):
        self.context, self.url = context, url
        self.calls_outside: list[str] = []
        self.complaints: list[str] = []
        context.route("**/*", self._inside_only)
        self.page: Page = context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.set_default_timeout(SETTLE_MS)

    def _inside_only(self, route, request: Request) -> None:  # type: ignore[no-untyped-def]
        if request.url.startswith((self.url, "data:", "blob:")):
            route.continue_()
        else:
            self.calls_outside.append(request.url)
            route.abort()

    def _heard(self, message: ConsoleMessage) -> None:
        where = message.location["url"]
        # Opened on a page of its own path, Streamlit looks for itself below that path first.
        if "404" in message.text and re.match(rf"{self.url}/[\w-]+/_stcore/", where):
            return
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(f"{message.text} {where}")

    def go(self, address: str) -> Visit:
        self.page.goto(self.url + address)
        return self.done()

    def done(self) -> Visit:
        """Until the script has run; ask for the new state afterwards."""
        expect(self.page.locator(DONE)).to_be_visible()
        return self

    def painted(self, at_least: int = 1) -> Visit:
        """Until the map has its areas."""
        self.page.wait_for_function(
            "least => document.querySelectorAll('.choroplethlayer path').length >= least",
            arg=at_least,
        )
        return self.done()

    @property
    def areas(self) -> Locator:
        return self.page.locator(".choroplethlayer path")

    @property
    def rows(self) -> Locator:
        return self.page.locator(".board-table tbody tr")

    @property
    def panel(self) -> Locator:
        """The heading of the picked ward."""
        return self.page.locator("#ward")

    def box(self, label: str) -> Locator:
        """The input of a select box."""
        return self.page.get_by_role("combobox", name=label)

    def choose(self, label: str, option: str) -> Visit:
        self.box(label).click()
        self.page.get_by_role("option", name=option, exact=True).click()
        return self

    def chosen(self) -> str:
        return self.page.locator(".chosen").inner_text()

    def scrolls_sideways(self) -> int:
        """By how many pixels the page is wider than the screen."""
        return int(
            self.page.evaluate(
                """() => Math.max(...[document.documentElement, document.body,
                document.querySelector('[data-testid=stMain]')].map(
                e => e.scrollWidth - e.clientWidth))"""
            )
        )
