"""What every page has, in a real browser: search by key, the tour, links to a heading, paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.visit import Visit

# A browser takes its time.
pytestmark = pytest.mark.slow

Open = Callable[..., Visit]
COVERAGE = "/coverage?icb=QDK"
WARDS = 255
# A4 less its margins, in CSS pixels.
PAPER_WIDTH = (210 - 2 * 14) / 25.4 * 96


def ready(here: Visit) -> Visit:
    """Until the script of every page listens."""
    here.page.wait_for_function("() => window.boardEverywhere === true")
    return here


def test_the_search_is_a_key_away_and_finds_a_ward(visit: Open):
    here = ready(visit(COVERAGE))
    here.page.keyboard.press("Control+k")
    box = here.page.get_by_label("Search", exact=True)
    expect(box).to_be_focused()
    box.fill("e05dm0210")
    box.press("Enter")
    link = here.page.locator(".found a")
    expect(link).to_have_count(1)
    link.click()
    here.done()
    expect(here.panel).to_be_visible()
    expect(here.page).to_have_url(re.compile("ward=E05DM0210"))


def test_the_search_is_a_key_away_on_a_narrow_screen(visit: Open):
    here = ready(visit(COVERAGE, width=400))
    here.page.keyboard.press("Control+k")
    expect(here.page.get_by_label("Search", exact=True)).to_be_focused()


def test_the_tour_is_shown_once_in_a_browser_and_takes_no_focus(visit: Open):
    here = visit("/")
    card = here.page.get_by_label("A short tour of the board")
    expect(card).to_contain_text("1 of 5")
    assert here.page.evaluate("() => document.activeElement.closest('.stBidiComponent')") is None
    card.get_by_role("button", name="Next").click()
    expect(card).to_contain_text("2 of 5")
    expect(card.get_by_role("button", name="Next")).to_be_focused()
    card.get_by_role("button", name="Skip").click()
    expect(card).to_have_count(0)
    here.go("/")
    here.page.locator(".page-header h1").wait_for()
    expect(card).to_have_count(0)
    # Asked for, it is there again.
    here.page.get_by_text("Keyboard and help").click()
    here.page.get_by_role("button", name="Show the short tour").click()
    expect(card).to_contain_text("1 of 5")


def test_a_link_to_a_definition_goes_there(visit: Open):
    here = visit("/methods?icb=QDK#take_up_ratio")
    expect(here.page.locator("#take_up_ratio")).to_be_in_viewport()


def test_paper_has_every_row_and_charts_that_fit(visit: Open):
    here = ready(visit(COVERAGE, color_scheme="dark")).painted(WARDS)
    expect(here.rows).to_have_count(100)
    # As a browser does it: the page is told first, then drawn with the rules for paper.
    here.page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    widest = here.page.locator(".js-plotly-plot .main-svg").evaluate_all(
        "all => Math.max(...all.map(e => e.getBoundingClientRect().width))"
    )
    assert 0 < widest <= PAPER_WIDTH + 1
    here.page.emulate_media(media="print")
    expect(here.rows).to_have_count(WARDS)
    expect(here.page.locator(".board-paper")).to_be_visible()
    for hidden in ("stSidebar", "stHeader", "stButton", "stSelectbox"):
        assert not any(
            each.is_visible() for each in here.page.locator(f"[data-testid={hidden}]").all()
        )
    ground = here.page.locator("[data-testid=stApp]").evaluate(
        "e => getComputedStyle(e).backgroundColor"
    )
    assert ground == "rgb(255, 255, 255)"
    ink = here.page.locator(".finding p").first.evaluate("e => getComputedStyle(e).color")
    assert ink == "rgb(16, 24, 29)"
    here.page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    here.page.emulate_media(media="screen")
    expect(here.rows).to_have_count(100)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["coverage", "workforce", "providers", "take-up"])
def test_a_page_becomes_a_pdf(visit: Open, page: str, tmp_path: Path):
    here = visit(f"/{page}?icb=QDK")
    here.page.locator(".page-header h1").wait_for()
    made = here.page.pdf(prefer_css_page_size=True, path=tmp_path / "page.pdf")
    # More than a sheet: what a screen cuts off is there.
    assert made.count(b"/Type /Page\n") + made.count(b"/Type /Page ") > 1
