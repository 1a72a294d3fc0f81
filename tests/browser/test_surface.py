"""What a browser lets a page do here: Streamlit's own scripts run, and nothing that is put in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.visit import Visit
from tests.conftest import rest_is_slow

# A browser takes its time.
pytestmark = pytest.mark.slow

Open = Callable[..., Visit]
PAGES = (
    "/", "/coverage", "/all-boards", "/workforce", "/providers", "/outcomes", "/take-up", "/where-to-fund",
    "/commitments", "/actions", "/data", "/methods",
)  # fmt: skip
# Tries to run what it was given, and tells what the browser stopped.
_TRY = """async (kind) => {
    const stopped = [];
    document.addEventListener("securitypolicyviolation",
        event => stopped.push(event.effectiveDirective));
    const made = document.createElement("div");
    if (kind === "inline") {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
    } else if (kind === "handler") {
        made.innerHTML = '<img src="data:," onerror="window.ran = true">';
        document.body.append(made);
    } else if (kind === "words") {
        setTimeout("window.ran = true", 0);
    } else if (kind === "elsewhere") {
        try { new WebSocket("ws://127.0.0.1:9/"); } catch (error) { stopped.push("thrown"); }
        await fetch("http://127.0.0.1:9/").catch(() => null);
    } else {
        const script = document.createElement("script");
        script.src = "http://127.0.0.1:9/x.js";
        document.body.append(script);
    }
    await new Promise(done => setTimeout(done, 300));
    return {ran: window.ran === true, stopped};
}"""


@pytest.mark.parametrize("address", rest_is_slow(*PAGES))
def test_every_page_does_without_what_is_forbidden(visit: Open, address: str):
    """The fixture asks that nothing was complained of; the policy is in force, or it would not be."""
    here = visit(address)
    here.page.locator(".page-header h1").first.wait_for()
    here.page.wait_for_load_state("networkidle")


@pytest.mark.parametrize(
    ("kind", "directive"),
    [
        ("inline", "script-src-elem"),
        ("handler", "script-src-attr"),
        ("words", "script-src"),
        ("elsewhere", "connect-src"),
        ("script of another host", "script-src-elem"),
    ],
)
def test_what_is_put_into_a_page_does_not_run(visit: Open, kind: str, directive: str):
    here = visit("/methods")
    found = here.page.evaluate(_TRY, kind)
    assert not found["ran"]
    assert directive in found["stopped"]
    # What was just provoked is no fault of the page.
    here.complaints.clear()
