"""What people do on the Coverage page, with mouse and keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.visit import Visit

Open = Callable[..., Visit]
WARDS = 255
THANET = "/coverage?icb=QDK&locality=E07000114"


def test_the_first_page_paints_its_map(visit: Open):
    here = visit("/coverage").painted(WARDS)
    expect(here.page.get_by_role("heading", level=1)).to_have_text(
        "Which wards have no social prescribing?"
    )
    expect(here.page).to_have_title(re.compile("Social prescribing|Coverage"))
    expect(here.rows).to_have_count(100)
    expect(here.page.locator(".board-status")).to_have_text(f"100 of {WARDS} wards shown")


@pytest.mark.slow
def test_a_layer(visit: Open):
    here = visit(THANET).painted(20)
    before = here.areas.first.evaluate("e => getComputedStyle(e).fill")
    here.choose("Map shows", "Deprivation, 1 is most deprived")
    expect(here.page.locator(".key h2")).to_have_text("Deprivation, 1 is most deprived")
    expect(here.page).to_have_url(re.compile("layer=deprivation"))
    here.painted(20)
    assert here.areas.first.evaluate("e => getComputedStyle(e).fill") != before


@pytest.mark.slow
def test_a_ward_by_mouse_on_the_map(visit: Open):
    here = visit(THANET).painted(20)
    here.page.locator("[data-testid=stPlotlyChart]").first.scroll_into_view_if_needed()
    # The smallest that is drawn: the one that is hardest to hit.
    centre = here.page.evaluate(
        """() => {
          const seen = [...document.querySelectorAll('.choroplethlayer path')];
          const sized = seen.map(e => [e, e.getBoundingClientRect()]);
          sized.sort((a, b) => a[1].width * a[1].height - b[1].width * b[1].height);
          for (const [path, box] of sized) {
            const x = box.x + box.width / 2, y = box.y + box.height / 2;
            const inside = new DOMPoint(x, y).matrixTransform(path.getScreenCTM().inverse());
            if (path.isPointInFill(inside)) return [x, y, path.__data__.loc];
          }
        }"""
    )
    assert centre, "no area holds its own centre"
    # What is clicked is what the chart last saw pointed at: on a busy machine that takes a moment.
    here.page.mouse.move(centre[0] - 1, centre[1])
    here.page.mouse.move(centre[0], centre[1])
    expect(here.page.locator(".hoverlayer .hovertext").first).to_be_visible()
    here.page.mouse.click(centre[0], centre[1])
    expect(here.panel).to_be_visible()
    expect(here.page).to_have_url(re.compile(r"ward=E05"))
    assert f"ward={centre[2]}" in here.page.url
    expect(here.page.locator("tr.picked")).to_have_count(1)
    assert here.page.locator("tr.picked .board-pick").inner_text() in here.panel.inner_text()


@pytest.mark.slow
def test_a_ward_in_the_list(visit: Open):
    here = visit(THANET).painted(20)
    pick = here.rows.nth(3).locator(".board-pick")
    name = pick.inner_text()
    pick.click()
    expect(here.panel).to_have_text(f"{name}, Thanet")
    expect(here.page.locator("tr.picked .board-pick")).to_have_text(name)
    expect(here.page.locator("tr.picked .board-pick")).to_have_attribute("aria-pressed", "true")
    # The list stays as it is: nothing is fetched or drawn again.
    expect(here.rows.nth(3).locator(".board-pick")).to_have_text(name)


@pytest.mark.slow
def test_a_ward_by_keyboard_only(visit: Open):
    here = visit(THANET).painted(20)
    for _ in range(60):
        here.page.keyboard.press("Tab")
        if here.page.evaluate("document.activeElement.getAttribute('aria-label') || ''").endswith(
            "Ward"
        ):
            break
    else:
        raise AssertionError("the Ward box cannot be reached by Tab")
    here.page.keyboard.type("Thanet central 4")
    here.page.keyboard.press("Enter")
    expect(here.panel).to_have_text("Thanet central 4, Thanet")


@pytest.mark.slow
def test_a_row_by_keyboard(visit: Open):
    here = visit(THANET).painted(20)
    pick = here.rows.nth(1).locator(".board-pick")
    pick.focus()
    here.page.keyboard.press("Enter")
    expect(here.panel).to_contain_text(pick.inner_text())


@pytest.mark.slow
def test_another_board(visit: Open):
    here = visit(THANET).painted(20)
    here.choose("Integrated care board", "Medway (demonstration)")
    expect(here.page.locator(".chosen")).to_have_text("Medway (demonstration) · as at 30 June 2026")
    expect(here.page).not_to_have_url(re.compile("locality="))
    expect(here.page.locator(".board-status")).to_have_text(re.compile(r"^(\d+) of \1 wards shown"))
    here.painted(20)


@pytest.mark.slow
def test_a_link_opens_the_same_view_for_somebody_else(visit: Open):
    here = visit(THANET).painted(20)
    here.choose("Map shows", "Services")
    here.rows.nth(2).locator(".board-pick").click()
    expect(here.panel).to_be_visible()
    here.done()
    other = visit(here.page.url.removeprefix(here.url)).painted(20)
    assert other.chosen() == here.chosen()
    assert other.panel.inner_text() == here.panel.inner_text()
    expect(other.page.locator(".key h2")).to_have_text("Services")
    expect(other.page.locator("tr.picked")).to_have_count(1)
    assert other.page.locator(".finding").all_inner_texts() == (
        here.page.locator(".finding").all_inner_texts()
    )


@pytest.mark.slow
def test_the_back_button(visit: Open):
    here = visit("/coverage?icb=QDK").painted(WARDS)
    here.choose("Locality (district)", "Dover")
    expect(here.page.locator(".chosen")).to_contain_text("> Dover")
    expect(here.page).to_have_url(re.compile("locality=E07000108"))
    here.page.go_back()
    expect(here.page.locator(".chosen")).to_have_text("Kent (demonstration) · as at 30 June 2026")


@pytest.mark.slow
def test_the_list_is_searched_sorted_and_shown_whole(visit: Open):
    here = visit("/coverage").painted(WARDS)
    status = here.page.locator(".board-status")
    search = here.page.get_by_label("Search the list")
    search.fill("thanet no provision")
    expect(status).to_have_text(re.compile(rf"^\d+ of {WARDS} wards shown"))
    assert 0 < here.rows.count() < 60
    assert all("Thanet" in row for row in here.rows.all_inner_texts())
    search.fill("")
    more = here.page.get_by_role("button", name="Show all 255")
    more.click()
    expect(here.rows).to_have_count(WARDS)
    expect(more).to_be_hidden()
    referrals = here.page.get_by_role("columnheader", name="Referrals, 12 months")
    place = referrals.evaluate("e => [...e.parentElement.children].indexOf(e)")
    for direction in ("descending", "ascending"):
        referrals.get_by_role("button").click()
        expect(referrals).to_have_attribute("aria-sort", direction)
        cells = [
            row.split("\n")[0]
            for row in here.page.locator(
                f".board-table tbody tr > :nth-child({place + 1})"
            ).all_inner_texts()
        ]
        numbers = [int(cell.replace(",", "")) for cell in cells if cell not in ("*", "–")]
        assert numbers == sorted(numbers, reverse=direction == "descending")
        assert cells[: len(numbers)] == [f"{number:,}" for number in numbers]
        assert set(cells[len(numbers) :]) == {"*", "–"}


@pytest.mark.slow
def test_downloads_deliver_files(visit: Open, tmp_path: Path):
    here = visit("/coverage?icb=QDM").painted(20)
    for words, end, starts in (
        ("CSV", "csv", b"\xef\xbb\xbfward_code"),
        ("Excel", "xlsx", b"PK"),
        ("JSON", "json", b"{"),
    ):
        with here.page.expect_download() as waiting:
            here.page.locator(".downloads").get_by_role("link", name=words).click()
        path = tmp_path / f"file.{end}"
        waiting.value.save_as(path)
        assert waiting.value.suggested_filename == f"coverage-QDM-2026-06-30.{end}"
        assert path.read_bytes().startswith(starts)


@pytest.mark.slow
def test_methods_and_back(visit: Open):
    here = visit(THANET).painted(20)
    here.page.get_by_role("link", name="Methods").click()
    expect(here.page.get_by_role("heading", level=1)).to_have_text("What does each figure mean?")
    here.page.get_by_role("link", name="Coverage").click()
    here.painted(20)
    expect(here.page.locator(".chosen")).to_contain_text("> Thanet")


@pytest.mark.slow
def test_filters_that_leave_no_ward_can_be_cleared(visit: Open):
    """Medway's networks serve no ward of Dover."""
    here = visit("/coverage?icb=QDK&locality=E07000108").painted(10)
    here.choose("Primary care network", "Ashford North PCN")
    expect(here.page.get_by_role("heading", name="No ward fits these filters")).to_be_visible()
    here.choose("Primary care network", "All networks")
    here.painted(10)
    here.choose("Locality (district)", "All localities")
    expect(here.page.locator(".chosen")).to_have_text("Kent (demonstration) · as at 30 June 2026")


@pytest.mark.slow
def test_a_network_by_keyboard_only(visit: Open):
    """From the top of the page by Tab into the list; Enter opens the panel."""
    here = visit("/workforce?icb=QDK")
    expect(here.rows.first).to_be_visible()
    here.page.locator("h1").click()
    focused = here.page.locator(".board-pick:focus")
    for _ in range(80):
        here.page.keyboard.press("Tab")
        if focused.count():
            break
    else:
        raise AssertionError("the list cannot be reached by Tab")
    name = focused.inner_text()
    here.page.keyboard.press("Enter")
    expect(here.page.locator("#network")).to_have_text(name)
    expect(here.page).to_have_url(re.compile(r"pcn=UDK\d{3}"))
    expect(here.page.locator("tr.picked .board-pick")).to_have_text(name)
    expect(here.page.locator("tr.picked .board-pick")).to_have_attribute("aria-pressed", "true")
    expect(here.page.locator(".chosen")).to_contain_text(f"> {name}")


@pytest.mark.slow
def test_a_network_by_mouse_on_its_bar(visit: Open):
    here = visit("/workforce?icb=QDM")
    bar = here.page.locator("[data-testid=stPlotlyChart]").first.locator(".bars .point path").first
    expect(bar).to_be_visible()
    bar.evaluate("e => e.scrollIntoView({block: 'center'})")
    box = bar.bounding_box()
    assert box
    here.page.mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
    here.page.mouse.click(box["x"] + 9, box["y"] + box["height"] / 2)
    expect(here.page.locator("#network")).to_be_visible()
    expect(here.page).to_have_url(re.compile(r"pcn=UDM\d{3}"))
    expect(here.page.locator("tr.picked")).to_have_count(1)
    name = here.page.locator("tr.picked .board-pick").inner_text()
    expect(here.page.locator("#network")).to_have_text(name)
    here.page.get_by_role("button", name="Show every network").click()
    expect(here.page.locator("#network")).to_have_count(0)
    expect(here.page).not_to_have_url(re.compile("pcn="))


PROVIDERS = "/providers?icb=QDK&locality=E07000114"


@pytest.mark.slow
def test_a_need_by_keyboard_only(visit: Open):
    """From the top of the page by Tab into the matrix; Enter on a cell says what is there."""
    here = visit(PROVIDERS)
    expect(here.rows.first).to_be_visible()
    here.page.locator("h1").click()
    focused = here.page.locator(".board-cell:focus")
    for _ in range(80):
        here.page.keyboard.press("Tab")
        if focused.count():
            break
    else:
        raise AssertionError("the matrix cannot be reached by Tab")
    here.page.keyboard.press("Tab")
    need, ward = (focused.get_attribute("aria-label") or "").split(", ")[:2]
    key = focused.get_attribute("data-key") or ""
    here.page.keyboard.press("Enter")
    expect(here.page.locator("#cell")).to_have_text(f"{need} in {ward}, Thanet")
    expect(here.page).to_have_url(re.compile(rf"ward={key.split('|')[0]}.*theme="))
    pressed = here.page.locator(".board-cell[aria-pressed=true]")
    expect(pressed).to_have_count(1)
    expect(pressed).to_have_attribute("data-key", key)
    # Who goes on by keyboard goes on from there.
    expect(pressed).to_be_focused()


@pytest.mark.slow
def test_services_by_postcode_district(visit: Open):
    here = visit("/providers?icb=QDK&part=services")
    expect(here.rows).to_have_count(100)
    here.page.get_by_label("Search by name, provider, need, place or postcode district").fill("ct5")
    expect(here.page.locator(".board-status")).to_have_text(
        re.compile(r"^([1-9]|1\d) of \d+ services shown")
    )
    found = here.rows.all_inner_texts()
    assert all("CT5 " in row for row in found)
    name = here.rows.first.locator(".board-pick").inner_text()
    here.rows.first.locator(".board-pick").click()
    expect(here.page.locator("#service")).to_contain_text(name)
    # What was searched for stays.
    expect(here.rows).to_have_count(len(found))


@pytest.mark.slow
def test_a_place_by_mouse_on_the_map_of_services(visit: Open):
    """And, as at the end of every visit, nothing was asked of another host."""
    here = visit("/providers?icb=QDK&locality=E07000114&part=map").painted(20)
    point = here.page.locator(".geo .frontplot path.point").first
    expect(point).to_be_visible()
    here.page.locator("[data-testid=stPlotlyChart]").first.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    here.page.mouse.move(x - 1, y)
    here.page.mouse.move(x, y)
    expect(here.page.locator(".hoverlayer .hovertext").first).to_be_visible()
    before = here.areas.count()
    here.page.mouse.click(x, y)
    expect(here.page).to_have_url(re.compile("service="))
    # The wards it serves have a line around them, a dark one on a light one.
    here.painted(before + 2)


@pytest.mark.slow
@pytest.mark.slow
def test_outcomes_by_keyboard_only(visit: Open):
    """The switch of its parts, and a line of its table."""
    here = visit("/outcomes?icb=QDK&locality=E07000114")
    expect(here.page.locator("#pathway")).to_have_text("Pathway")
    expect(here.rows.first).to_be_visible()
    # The table may stand in a shadow of its own.
    active = """() => {
      let e = document.activeElement;
      while (e && e.shadowRoot && e.shadowRoot.activeElement) e = e.shadowRoot.activeElement;
      return [String(e.className), e.innerText || ''];
    }"""
    for _ in range(120):
        here.page.keyboard.press("Tab")
        kind, name = here.page.evaluate(active)
        if kind.startswith("board-pick"):
            break
    else:
        raise AssertionError("no line of the table can be reached by Tab")
    here.page.keyboard.press("Enter")
    expect(here.page.locator(".chosen")).to_contain_text(f"> {name}")
    expect(here.page).to_have_url(re.compile("pcn=UDK"))
    expect(here.page.locator("tr.picked .board-pick")).to_have_text(name)
    # What the table says of it is what the finding says.
    here.done()
    said = here.page.locator("tr.picked td").first.inner_text().split()[0]
    expect(here.page.locator(".finding").first).to_contain_text(f"Of {said} referrals")
    # One stop for the whole switch, then the arrows.
    here.page.get_by_role("radio", name="Why it ended").focus()
    here.page.keyboard.press("ArrowRight")
    if here.page.evaluate("document.activeElement.innerText") != "Change":
        here.page.get_by_role("radio", name="Change").focus()
    here.page.keyboard.press("Enter")
    expect(here.page).to_have_url(re.compile("part=change"))
    expect(here.page.locator("#change")).to_be_visible()
    expect(here.page.get_by_role("table", name="Change in every question asked")).to_be_visible()


@pytest.mark.slow
def test_how_sure_is_tried_with_progress_and_can_be_stopped(visit: Open):
    """Some 50 plans beside the page: begun, stopped, begun again, and told."""
    here = visit("/where-to-fund?icb=QDK&locality=E07000114&part=sure&sites=3")
    button = here.page.get_by_role("button", name="Try the plan under other assumptions")
    button.click()
    stop = here.page.get_by_role("button", name="Stop")
    stop.click()
    expect(button).to_be_visible()
    button.click()
    told = here.page.get_by_role("table", name="How often each site was chosen")
    expect(told).to_be_visible(timeout=60_000)
    expect(here.page.locator(".finding").last).to_contain_text("plans")
    assert here.calls_outside == []


@pytest.mark.slow
def test_a_plan_is_changed_saved_and_opened_by_link(visit: Open):
    here = visit("/where-to-fund?icb=QDK&part=compare&sites=3")
    expect(here.page.locator(".finding").first).to_contain_text("3 sites")
    box = here.page.get_by_role("textbox", name="Name of this plan")
    box.fill("Three for the coast")
    box.press("Enter")
    here.page.get_by_role("button", name="Save this plan").click()
    link = here.page.get_by_role("link", name=re.compile("Three for the coast"))
    expect(link).to_be_visible()
    here.go("/where-to-fund?icb=QDK&part=compare&sites=2")
    expect(here.page.locator(".finding").first).to_contain_text("2 sites")
    here.page.get_by_role("link", name=re.compile("Three for the coast")).click()
    expect(here.page.locator(".finding").first).to_contain_text("3 sites")


@pytest.mark.slow
def test_a_brief_is_downloaded_as_a_pdf(visit: Open):
    here = visit("/take-up?icb=QDK&part=brief&ward=E05DM0210")
    with here.page.expect_download() as download:
        here.page.get_by_role("link", name="Brief as PDF").click()
    found = download.value
    assert found.suggested_filename == "brief-E05DM0210-2026-06-30.pdf"
    assert found.path().read_bytes().startswith(b"%PDF-1.7")
