"""The map of all boards and its lists, with mouse, keyboard and finger."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from dashboard.rules.coverage import Status
from dashboard.style import STATUS_COLOURS, STATUS_TEXTURES
from tests.browser.visit import Visit

# A browser takes its time.
pytestmark = pytest.mark.slow

Open = Callable[..., Visit]
PAGE = "/all-boards?icb=QDK"
KENT_WARDS = 255
# Where an area is on the screen: its code, name and board, a point in it, and the colour there.
_SPOT = """(root, code) => {
    const { shapes, canvas, scale, x, y } = root.areaMap;
    const place = shapes.codes.indexOf(code), box = shapes.boxes[place];
    const path = new Path2D();
    for (const ring of shapes.areas[place]) {
        path.moveTo(ring[0], ring[1]);
        for (let at = 2; at < ring.length; at += 2) path.lineTo(ring[at], ring[at + 1]);
        path.closePath();
    }
    const pen = document.createElement("canvas").getContext("2d");
    const inside = (px, py) => pen.isPointInPath(path, px, py, "evenodd");
    // The point that is furthest from the edge, of a few.
    let best = null;
    const steps = 24, far = 0.75 * Math.min(box[2] - box[0], box[3] - box[1]);
    for (let reach = far; reach > 0 && !best; reach *= 0.7) {
        for (let i = 1; i < steps && !best; i += 1) for (let j = 1; j < steps && !best; j += 1) {
            const px = box[0] + (box[2] - box[0]) * i / steps, py = box[1] + (box[3] - box[1]) * j / steps;
            const around = [[0, 0], [reach / 2, 0], [-reach / 2, 0], [0, reach / 2], [0, -reach / 2]];
            if (around.every(([dx, dy]) => inside(px + dx, py + dy))) best = [px, py];
        }
    }
    const frame = canvas.getBoundingClientRect();
    const left = (best[0] - x) * scale + canvas.clientWidth / 2;
    const top = (best[1] - y) * scale + canvas.clientHeight / 2;
    const ratio = canvas.width / canvas.clientWidth;
    const [red, green, blue] = canvas.getContext("2d").getImageData(left * ratio, top * ratio, 1, 1).data;
    return {
        name: shapes.names[place], board: shapes.groups[shapes.group[place]][1],
        x: frame.left + left, y: frame.top + top,
        isInSight: left > 0 && left < canvas.clientWidth && top > 0 && top < canvas.clientHeight,
        colour: "#" + [red, green, blue].map(n => n.toString(16).padStart(2, "0")).join("").toUpperCase(),
    };
}"""
# The largest area of a board: the easiest to hit.
_LARGEST = """(root, [board, chosen]) => {
    const { shapes } = root.areaMap;
    const of = shapes.groups.findIndex(([code]) => code === board);
    const size = (box) => (box[2] - box[0]) * (box[3] - box[1]);
    const sized = shapes.codes.map((code, place) => [size(shapes.boxes[place]), code, shapes.group[place]]);
    const found = sized.filter(([, code, group]) => group === of && (!chosen || chosen.includes(code)));
    return found.sort((a, b) => b[0] - a[0])[0]?.[1];
}"""


def root(here: Visit) -> Locator:
    return here.page.locator(".area-canvas[data-drawn]")


def tip(here: Visit) -> Locator:
    return here.page.locator(".area-tip")


def drawn(here: Visit) -> Visit:
    """Until the map is drawn, and in sight."""
    expect(root(here)).to_be_attached()
    here.done()
    here.page.locator(".area-frame").scroll_into_view_if_needed()
    return settled(here)


def settled(here: Visit) -> Visit:
    """Until what was asked for is painted: a picture is drawn at most once a frame."""
    here.page.evaluate(
        "() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))"
    )
    return here


def picture(here: Visit) -> str:
    return str(settled(here).page.locator(".area-frame canvas").evaluate("e => e.toDataURL()"))


def view(here: Visit) -> tuple[float, float, float]:
    """How near the map is, and what its middle is."""
    told = root(here).evaluate("e => [e.areaMap.scale, e.areaMap.x, e.areaMap.y]")
    return told[0], told[1], told[2]


def spot(here: Visit, code: str) -> dict[str, Any]:
    found: dict[str, Any] = root(here).evaluate(_SPOT, code)
    assert found["isInSight"]
    return found


def largest(here: Visit, board: str, among: list[str] | None = None) -> str:
    return str(root(here).evaluate(_LARGEST, [board, among]))


def statuses(here: Visit) -> dict[str, str]:
    """The status of each ward, as the list of wards has it."""
    told: dict[str, str] = here.page.evaluate(
        """async () => {
            const answer = await fetch("/table/all-wards.json?icb=QDK&as_at=2026-06-30");
            const { columns, rows } = await answer.json();
            const place = columns.findIndex(column => column.title === "Status");
            return Object.fromEntries(rows.map(row => [row.key, row.cells[place][0]]));
        }"""
    )
    return told


def test_every_ward_has_the_colour_of_its_status(visit: Open):
    here = drawn(visit(PAGE))
    expect(here.page.get_by_role("heading", level=1)).to_have_text(
        "Which boards have wards without social prescribing?"
    )
    told = statuses(here)
    # What was drawn says how many areas were in sight: all of them.
    expect(root(here)).to_have_attribute("data-drawn", re.compile(rf"\|{len(told)}$"))
    seen = set()
    for status in Status:
        if status in STATUS_TEXTURES:
            continue
        codes = [code for code, of in told.items() if of == status]
        for board in ("QDK", "QDM"):
            if code := root(here).evaluate(_LARGEST, [board, codes]):
                assert spot(here, code)["colour"] == STATUS_COLOURS[status].upper(), (status, code)
                seen.add(status)
    assert len(seen) > 3


def test_its_shapes_are_fetched_once(visit: Open):
    asked: list[str] = []
    here = visit("/methods")
    here.page.on("request", lambda request: asked.append(request.url))
    drawn(here.go(PAGE))
    here.choose("Map shows", "Services")
    expect(root(here)).to_have_attribute("data-drawn", re.compile("^Map of wards by services"))
    shapes = [url for url in asked if "/geo/" in url]
    assert len(shapes) == 1
    assert "/geo/all/" in shapes[0]


def test_pointing_at_a_ward_says_what_it_is(visit: Open):
    here = drawn(visit(PAGE))
    told = statuses(here)
    for board in ("QDK", "QDM"):
        code = largest(here, board)
        at = spot(here, code)
        here.page.mouse.move(at["x"], at["y"])
        expect(tip(here)).to_be_visible()
        words = tip(here).inner_text()
        assert words.splitlines()[0] == f"{at['name']}, {at['board']}"
        assert words.splitlines()[1].startswith(told[code])
    # By Escape, wherever the focus is, and when the pointer has gone.
    here.page.keyboard.press("Escape")
    expect(tip(here)).to_be_hidden()
    here.page.mouse.move(at["x"] + 1, at["y"])
    expect(tip(here)).to_be_visible()
    here.page.mouse.move(5, 5)
    expect(tip(here)).to_be_hidden()


def test_where_no_ward_is_nothing_is_said_or_picked(visit: Open):
    here = drawn(visit(PAGE))
    box = here.page.locator(".area-frame canvas").bounding_box()
    assert box
    here.page.mouse.move(box["x"] + 3, box["y"] + 3)
    expect(tip(here)).to_be_hidden()
    here.page.mouse.click(box["x"] + 3, box["y"] + 3)
    here.done()
    assert "ward=" not in here.page.url


def test_a_ward_by_mouse_on_the_map(visit: Open):
    here = drawn(visit(f"{PAGE}&rows=wards"))
    expect(here.rows.first).to_be_visible()
    at = spot(here, code := largest(here, "QDM"))
    far, before = view(here)[0], root(here).get_attribute("data-drawn") or ""
    here.page.mouse.click(at["x"], at["y"])
    expect(here.page).to_have_url(re.compile(f"ward={code}"))
    expect(here.page).to_have_url(re.compile("icb=QDM"))
    expect(here.page.get_by_role("link", name=f"Open {at['name']} on Coverage")).to_be_visible()
    # Its board is looked at from near, with a line around it and around the ward.
    expect(root(here)).not_to_have_attribute("data-drawn", before)
    assert view(here)[0] > far
    here.page.get_by_label("Search the list").fill(at["name"])
    expect(here.page.locator("tr.picked")).to_have_count(1)
    expect(here.page.locator("tr.picked .board-pick")).to_have_text(at["name"])


def test_and_its_link_opens_it_on_coverage(visit: Open):
    here = drawn(visit(PAGE))
    at = spot(here, largest(here, "QDM"))
    here.page.mouse.click(at["x"], at["y"])
    here.page.get_by_role("link", name=f"Open {at['name']} on Coverage").click()
    expect(here.panel).to_contain_text(at["name"])
    expect(here.page.locator(".chosen")).to_contain_text("Medway (demonstration)")


def test_what_is_picked_has_a_line_around_it(visit: Open):
    here = drawn(visit(PAGE))
    code = largest(here, "QDK")
    picked = drawn(visit(f"{PAGE}&ward={code}"))
    assert view(picked) == view(here)
    assert picture(picked) != picture(here)
    other = drawn(visit("/all-boards?icb=QDM"))
    assert picture(other) != picture(here)


def test_buttons_bring_it_nearer_and_back(visit: Open):
    here = drawn(visit("/all-boards?icb=QDM"))
    everything, first = view(here), picture(here)

    def press(name: str) -> tuple[float, float, float]:
        before = picture(here)
        here.page.get_by_role("button", name=name, exact=True).click()
        assert picture(here) != before, name
        return view(here)

    nearer = press("Nearer")
    assert nearer[0] == pytest.approx(everything[0] * 1.6)
    assert nearer[1:] == everything[1:]
    assert press("Farther") == pytest.approx(everything)
    # No farther than everything.
    here.page.get_by_role("button", name="Farther", exact=True).click()
    assert view(settled(here)) == pytest.approx(everything)
    board = press("The chosen board")
    assert board[0] > everything[0]
    # All of Medway is in sight, and not all of Kent.
    in_sight = int((root(here).get_attribute("data-drawn") or "").rsplit("|", 1)[1])
    medway = root(here).evaluate(
        "e => e.areaMap.shapes.group.filter(g => e.areaMap.shapes.groups[g][0] === 'QDM').length"
    )
    assert medway <= in_sight < KENT_WARDS
    assert press("Everything") == pytest.approx(everything)
    assert picture(here) == first


def test_by_keyboard_only(visit: Open):
    here = drawn(visit(PAGE))
    here.page.get_by_role("button", name="Everything", exact=True).focus()
    here.page.keyboard.press("Tab")
    expect(here.page.locator(".area-frame")).to_be_focused()
    everything = view(here)

    def press(key: str) -> tuple[float, float, float]:
        before = picture(here)
        here.page.keyboard.press(key)
        assert picture(here) != before, key
        return view(here)

    near = press("+")
    assert near[0] == pytest.approx(everything[0] * 1.6)
    assert press("=")[0] == pytest.approx(everything[0] * 1.6**2)
    assert press("-") == pytest.approx(near)
    for key, way, other in (
        ("ArrowRight", (1, 0), "ArrowLeft"),
        ("ArrowDown", (0, 1), "ArrowUp"),
    ):
        after = press(key)
        # 60 pixels of the screen.
        assert after[1] - near[1] == pytest.approx(60 * way[0] / near[0], abs=1e-6)
        assert after[2] - near[2] == pytest.approx(60 * way[1] / near[0], abs=1e-6)
        assert press(other) == pytest.approx(near)
    assert press("0") == pytest.approx(everything)
    # The browser's own keys stay its own.
    here.page.keyboard.press("Control+ArrowRight")
    assert view(settled(here)) == pytest.approx(everything)


def test_it_is_moved_with_the_mouse_held_and_nothing_is_picked(visit: Open):
    here = drawn(visit(PAGE))
    here.page.get_by_role("button", name="Nearer", exact=True).click()
    before = view(settled(here))
    box = here.page.locator(".area-frame canvas").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    here.page.mouse.move(x, y)
    here.page.mouse.down()
    here.page.mouse.move(x - 20, y - 10)
    here.page.mouse.move(x - 80, y - 30)
    here.page.mouse.up()
    after = view(settled(here))
    assert after[0] == before[0]
    assert after[1] - before[1] == pytest.approx(80 / before[0], abs=1e-6)
    assert after[2] - before[2] == pytest.approx(30 / before[0], abs=1e-6)
    expect(tip(here)).to_be_hidden()
    here.done()
    assert "ward=" not in here.page.url


def test_another_layer_draws_another_map_where_it_was(visit: Open):
    here = drawn(visit(PAGE))
    here.page.get_by_role("button", name="Nearer", exact=True).click()
    before, near = picture(here), view(here)
    here.choose("Map shows", "Deprivation, 1 is most deprived")
    expect(root(here)).to_have_attribute("data-drawn", re.compile("^Map of wards by deprivation"))
    expect(here.page.locator(".key h2")).to_have_text("Deprivation, 1 is most deprived")
    expect(here.page).to_have_url(re.compile("layer=deprivation"))
    assert view(here) == near
    assert picture(here) != before
    expect(here.page.locator(".area-frame canvas")).to_have_attribute(
        "aria-label", re.compile("^Map of wards by deprivation")
    )


def test_a_board_in_the_list_is_looked_at_from_near(visit: Open):
    here = drawn(visit(PAGE))
    far, before = view(here)[0], root(here).get_attribute("data-drawn") or ""
    here.page.get_by_role("button", name="Medway (demonstration)", exact=True).click()
    expect(here.page).to_have_url(re.compile("icb=QDM"))
    expect(here.page.locator("tr.picked .board-pick")).to_have_text("Medway (demonstration)")
    expect(
        here.page.get_by_role("link", name="Open Medway (demonstration) on Coverage")
    ).to_be_visible()
    expect(root(here)).not_to_have_attribute("data-drawn", before)
    assert view(here)[0] > far


def test_a_ward_in_the_list(visit: Open):
    here = drawn(visit(PAGE))
    here.page.get_by_role("radio", name="Wards").click()
    expect(here.page.get_by_role("table", name="Wards of every board, worst first")).to_be_visible()
    here.page.get_by_label("Search the list").fill("Medway (demonstration)")
    pick = here.rows.nth(1).locator(".board-pick")
    name = pick.inner_text()
    pick.click()
    expect(here.page.get_by_role("link", name=f"Open {name} on Coverage")).to_be_visible()
    expect(here.page.locator("tr.picked .board-pick")).to_have_text(name)
    # What was searched for stays.
    expect(here.page.get_by_label("Search the list")).to_have_value("Medway (demonstration)")


def test_a_small_screen_has_all_of_it(visit: Open):
    here = drawn(visit(PAGE, width=400))
    assert here.scrolls_sideways() == 0
    box = here.page.locator(".area-frame canvas").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 400
    at = spot(here, largest(here, "QDK"))
    here.page.mouse.move(at["x"], at["y"])
    expect(tip(here)).to_be_visible()
    said = tip(here).bounding_box()
    assert said
    assert box["x"] <= said["x"]
    assert said["x"] + said["width"] <= box["x"] + box["width"] + 1


def test_another_width_shows_everything_again(visit: Open):
    here = drawn(visit(PAGE))
    told = root(here).get_attribute("data-drawn") or ""
    here.page.set_viewport_size({"width": 700, "height": 900})
    here.page.wait_for_function("width => document.documentElement.clientWidth <= width", arg=700)
    settled(here)
    expect(root(here)).to_have_attribute("data-drawn", told)
    spot(here, largest(here, "QDM"))


def test_and_who_has_come_near_stays_there(visit: Open):
    here = drawn(visit("/all-boards?icb=QDM"))
    here.page.get_by_role("button", name="Nearer", exact=True).click()
    near = view(settled(here))
    here.page.set_viewport_size({"width": 900, "height": 900})
    here.page.wait_for_function("width => document.documentElement.clientWidth <= width", arg=900)
    settled(here)
    assert view(here) == near
    # Everything is now what fits the width.
    here.page.get_by_role("button", name="Everything", exact=True).click()
    assert view(settled(here))[0] < near[0] / 1.6


def test_shapes_that_do_not_come_are_said(visit: Open):
    here = visit("/methods")
    here.page.route("**/geo/all/**", lambda route: route.abort())
    here.go(PAGE)
    expect(here.page.locator(".area-said")).to_have_text(
        "The map could not be fetched. Reload the page to try again."
    )
    # The list has the same, and is there.
    expect(here.rows.first).to_be_visible()
    here.page.keyboard.press("Escape")
    here.page.get_by_role("button", name="Nearer", exact=True).click()
    # What was just provoked is no fault of the page.
    here.complaints.clear()
