"""For everybody: a reader of screens, a phone, large text, no motion, paper, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.visit import Visit

# The whole file takes a browser most of a minute.
pytestmark = pytest.mark.slow
Open = Callable[..., Visit]
THANET = "/coverage?icb=QDK&locality=E07000114"
PICKED = f"{THANET}&ward=E05DM0229"
NETWORK = "/workforce?icb=QDK&pcn=UDK006"
PROVIDERS = "/providers?icb=QDK&locality=E07000114"
NEED = f"{PROVIDERS}&ward=E05DM0234&theme=long-term+condition"
OUTCOMES = "/outcomes?icb=QDK&locality=E07000114"
TAKE_UP, FUND = "/take-up?icb=QDK&locality=E07000113", "/where-to-fund?icb=QDK"
ALL_BOARDS = "/all-boards?icb=QDK&ward=E05DM0229"
SERVICES, SERVICE_MAP = f"{PROVIDERS}&part=services", f"{PROVIDERS}&part=map"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

# What axe finds in Streamlit itself: the rule, and a piece of the element it is in. Nothing of
# ours has these pieces.
FROM_STREAMLIT: dict[str, tuple[str, ...]] = {
    "presentation-role-conflict": ("stFileUploaderDropzone",),
}


def findings(here: Visit) -> list[str]:
    """What axe finds that is not Streamlit's own."""
    answer = Axe().run(here.page, options=RULES).response
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))} {node['html'][:160]}"
        for violation in answer["violations"]
        for node in violation["nodes"]
        if not any(piece in node["html"] for piece in FROM_STREAMLIT.get(violation["id"], ()))
    ]


@pytest.mark.parametrize(
    ("address", "scheme"),
    [
        (PICKED, "light"),
        (PICKED, "dark"),
        ("/coverage", "light"),
        ("/coverage", "dark"),
        (f"{THANET}&pcn=none&layer=take-up", "light"),
    ],
)
def test_axe_finds_nothing_of_ours_on_coverage(visit: Open, address: str, scheme: str):
    here = visit(address, color_scheme=scheme).painted(20)
    expect(here.rows.first).to_be_visible()
    assert findings(here) == []


@pytest.mark.parametrize(
    ("address", "scheme", "width"),
    [
        (NETWORK, "light", 1400),
        (NETWORK, "dark", 1400),
        (NETWORK, "light", 400),
        (NETWORK, "dark", 400),
        ("/workforce?icb=QDK&view=funnel&trend=referrals", "dark", 1400),
        ("/workforce?icb=QDK&view=pressure&months=12", "light", 1400),
    ],
)
def test_axe_finds_nothing_of_ours_on_workforce(visit: Open, address: str, scheme: str, width: int):
    here = charted(visit(address, color_scheme=scheme, width=width))
    # What is folded away is read too, by who opens it.
    folded = here.page.locator("[data-testid=stMain] details:not([open]) > summary")
    while folded.count():
        folded.first.click()
    here.done()
    assert findings(here) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("address", [NEED, SERVICES, SERVICE_MAP])
def test_axe_finds_nothing_of_ours_on_providers(visit: Open, address: str, width: int, scheme: str):
    here = listed(visit(address, color_scheme=scheme, width=width), address)
    if address == SERVICES:
        here.rows.first.locator(".board-pick").click()
        expect(here.page.locator("#service")).to_be_visible()
        here.done()
    assert findings(here) == []


def listed(here: Visit, address: str) -> Visit:
    """Until the list of a part of Providers, or its map, is drawn."""
    if address == SERVICE_MAP:
        expect(here.page.locator(".geo .frontplot path.point").first).to_be_attached()
        return here.painted(20)
    expect(here.rows.first).to_be_visible()
    return here.done()


@pytest.mark.parametrize(
    ("part", "scheme", "width"),
    [
        ("pathway", "light", 1400),
        ("pathway", "dark", 400),
        ("endings", "dark", 1400),
        ("change", "dark", 1400),
        ("change", "light", 400),
        ("equity", "light", 1400),
        ("networks", "dark", 1400),
        ("gp", "light", 400),
    ],
)
def test_axe_finds_nothing_of_ours_on_outcomes(visit: Open, part: str, scheme: str, width: int):
    here = visit(f"{OUTCOMES}&part={part}", color_scheme=scheme, width=width)
    expect(here.page.locator(f"#{part}")).to_be_visible()
    folded = here.page.locator("[data-testid=stMain] details:not([open]) > summary")
    while folded.count():
        folded.first.click()
    here.done()
    assert findings(here) == []


@pytest.mark.parametrize(
    ("address", "scheme", "width"),
    [
        (f"{TAKE_UP}&part=wards", "light", 1400),
        (f"{TAKE_UP}&part=wards&ward=E05DM0210", "dark", 400),
        (f"{TAKE_UP}&part=leak", "dark", 1400),
        (f"{TAKE_UP}&part=leads", "light", 400),
        (f"{TAKE_UP}&part=complex", "dark", 1400),
        (f"{TAKE_UP}&part=brief&ward=E05DM0210", "light", 1400),
        (f"{FUND}&part=plan", "light", 1400),
        (f"{FUND}&part=plan", "dark", 400),
        (f"{FUND}&part=need", "dark", 1400),
        (f"{FUND}&part=sure", "light", 400),
        (f"{FUND}&part=whatif&close=Harbour+Community+Trust", "light", 1400),
        (f"{FUND}&part=fairness", "dark", 1400),
        (f"{FUND}&part=compare", "light", 1400),
    ],
)
def test_axe_finds_nothing_of_ours_on_take_up_and_funding(
    visit: Open, address: str, scheme: str, width: int
):
    here = visit(address, color_scheme=scheme, width=width)
    part = address.split("part=")[1].split("&")[0]
    expect(here.page.locator(f"#{part}")).to_be_visible()
    folded = here.page.locator("[data-testid=stMain] details:not([open]) > summary")
    while folded.count():
        folded.first.click()
    here.done()
    assert findings(here) == []


@pytest.mark.parametrize(
    ("address", "scheme", "width"),
    [
        (ALL_BOARDS, "light", 1400),
        (ALL_BOARDS, "dark", 400),
        (f"{ALL_BOARDS}&rows=wards&layer=take-up", "dark", 1400),
        (f"{ALL_BOARDS}&rows=wards&layer=take-up", "light", 400),
    ],
)
def test_axe_finds_nothing_of_ours_on_all_boards(
    visit: Open, address: str, scheme: str, width: int
):
    here = painted_whole(visit(address, color_scheme=scheme, width=width))
    here.page.get_by_role("button", name="Nearer", exact=True).click()
    assert findings(here) == []


def painted_whole(here: Visit) -> Visit:
    """Until the map of all boards, and the list below it, are drawn."""
    expect(here.page.locator(".area-canvas[data-drawn]")).to_be_attached()
    expect(here.rows.first).to_be_visible()
    return here.done()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_of_ours_on_methods(visit: Open, scheme: str):
    here = visit("/methods", color_scheme=scheme)
    expect(here.page.get_by_role("heading", name="Glossary")).to_be_visible()
    assert findings(here) == []


def charted(here: Visit) -> Visit:
    """Until the list of networks and every chart is drawn."""
    expect(here.rows.first).to_be_visible()
    charts = here.page.locator("[data-testid=stPlotlyChart]")
    expect(charts).to_have_count(4)
    expect(here.page.locator("[data-testid=stPlotlyChart] .main-svg:first-child")).to_have_count(4)
    return here.done()


@pytest.mark.parametrize("width", [320, 400])
@pytest.mark.parametrize(
    "address",
    [
        PICKED,
        ALL_BOARDS,
        NETWORK,
        NEED,
        SERVICE_MAP,
        OUTCOMES,
        f"{OUTCOMES}&part=networks",
        f"{TAKE_UP}&part=leak",
        f"{TAKE_UP}&part=brief&ward=E05DM0210",
        f"{FUND}&part=plan",
        "/methods",
    ],
)
def test_a_phone_never_scrolls_sideways(visit: Open, address: str, width: int):
    here = visit(address, width=width)
    expect(here.page.get_by_role("heading", level=1)).to_be_visible()
    if address == PICKED:
        here.painted(20)
        expect(here.rows.first).to_be_visible()
    if address == ALL_BOARDS:
        painted_whole(here)
    if address == NETWORK:
        charted(here)
    if address in (NEED, SERVICE_MAP):
        listed(here, address)
    assert here.scrolls_sideways() == 0


def test_a_phone_shows_the_page_and_not_the_filters(visit: Open):
    here = visit(THANET, width=400).painted(20)
    assert here.page.evaluate(
        "() => document.querySelector('h1').contains(document.elementFromPoint("
        "...(b => [b.x + b.width / 2, b.y + b.height / 2])(document.querySelector('h1')"
        ".getBoundingClientRect())))"
    )


@pytest.mark.parametrize("address", [PICKED, ALL_BOARDS, NETWORK, NEED, OUTCOMES, "/methods"])
def test_text_at_twice_its_size(visit: Open, address: str):
    here = visit(address, width=1280)
    here.page.add_style_tag(content="html { font-size: 200% !important; }")
    expect(here.page.get_by_role("heading", level=1)).to_be_visible()
    if address == NETWORK:
        charted(here)
    if address == NEED:
        listed(here, address)
    assert here.scrolls_sideways() == 0
    # Our own boxes grow with the text: none hides a part of it.
    cut = here.page.evaluate(
        """() => [...document.querySelectorAll('.tiles li, .chips li, .key li, .finding p, .facts dd')]
        .filter(e => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)
        .map(e => e.outerHTML.slice(0, 100))"""
    )
    assert cut == []


def test_nothing_moves_for_who_asks_for_stillness(visit: Open):
    here = visit(THANET, reduced_motion="reduce").painted(20)
    moving = here.page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] *')].filter(e => {
          const s = getComputedStyle(e);
          return s.animationName !== 'none' || parseFloat(s.transitionDuration) > 0.01;
        }).length"""
    )
    assert moving == 0


def test_paper_has_no_sidebar_and_the_whole_list(visit: Open):
    here = visit(PICKED).painted(20)
    here.page.emulate_media(media="print")
    for part in ("stSidebar", "stHeader"):
        expect(here.page.locator(f"[data-testid={part}]")).to_be_hidden()
    expect(here.page.locator(".downloads")).to_be_hidden()
    expect(here.page.locator(".board-bar")).to_be_hidden()
    expect(here.page.locator(".chosen")).to_be_visible()
    box = here.page.locator(".board-scroll")
    assert box.evaluate("e => e.scrollHeight - e.clientHeight") <= 1
    assert here.scrolls_sideways() == 0


def test_the_dark_theme_is_dark_and_readable(visit: Open):
    here = visit(THANET, color_scheme="dark").painted(20)
    ground = here.page.locator("[data-testid=stApp]").evaluate(
        "e => getComputedStyle(e).backgroundColor"
    )
    assert ground == "rgb(16, 24, 29)"
    ink = here.page.locator(".finding p").first.evaluate("e => getComputedStyle(e).color")
    assert ink == "rgb(240, 244, 245)"


def test_the_map_has_a_text_alternative_and_a_twin(visit: Open):
    here = visit(THANET).painted(20)
    named = here.page.locator("[aria-label^='Map of wards by'], [alt^='Map of wards by']")
    expect(named.first).to_be_attached()
    expect(
        here.page.get_by_role("table", name="Wards, worst and most people first")
    ).to_be_visible()


def test_the_map_of_all_boards_has_a_text_alternative_and_a_twin(visit: Open):
    here = painted_whole(visit(f"{ALL_BOARDS}&rows=wards"))
    expect(here.page.get_by_role("img", name="Map of wards by provision status.")).to_be_attached()
    expect(here.page.get_by_role("table", name="Wards of every board, worst first")).to_be_visible()


def test_every_chart_of_workforce_has_a_text_alternative(visit: Open):
    here = charted(visit(NETWORK))
    for words in (
        "FTE in post, vacant, planned and target by network",
        "FTE in post by month",
        "FTE in post, planned and projected by month",
        "FTE per 10,000 patients by fifth of deprivation and month",
    ):
        named = here.page.locator(f"[aria-label^='{words}'], [alt^='{words}']")
        expect(named.first).to_be_attached()
    expect(
        here.page.get_by_role("table", name="Networks, the shortest of target or plan first")
    ).to_be_visible()
