"""What people do on the Data page: files in by the browser, loaded behind it, and taken back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import FilePayload, Locator, Request, Route, expect

from dashboard.rules.take_up import months_before
from queries.database import make_engine, upgrade
from tests.browser.test_everybody import findings
from tests.browser.visit import Visit
from tests.intake import files
from tests.served import Server, serving
from tests.small_board import Board

# Each test drives a browser, and loads in processes of its own.
pytestmark = pytest.mark.slow
Open = Callable[..., Visit]
MOST_MEGABYTES = 4
LAST_MONTH = months_before(date.today(), 1)
WORKFORCE = files.WORKFORCE.replace(",2026,6,", f",{LAST_MONTH.year},{LAST_MONTH.month},")
EXPORT = "Case ID,Date Received,Electoral Ward,Referrer Type\nr{n},2026-0{n}-15,E05000001,Surgery\n"


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server would put temporary files."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, temporary: Path) -> Iterator[Server]:
    """The dashboard on a small board of its own, to be loaded into."""
    folder = tmp_path_factory.mktemp("loading")
    engine = make_engine(f"sqlite:///{(folder / 'board.db').as_posix()}")
    upgrade(engine)
    Board().save(engine)
    engine.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        limit = ("--server.maxUploadSize", str(MOST_MEGABYTES))
        with serving(folder / "board.db", folder, *limit) as running:
            yield running


def named(name: str, text: str | bytes) -> FilePayload:
    raw = text if isinstance(text, bytes) else text.encode()
    return {"name": name, "mimeType": "text/csv", "buffer": raw}


def send(here: Visit, *sent: FilePayload) -> None:
    here.page.locator("input[type=file]").set_input_files(sent)


def card(here: Visit, title: str) -> Locator:
    """The newest card that has this title."""
    return here.page.locator(".card-title", has_text=title).first


def choose(here: Visit, label: str, option: str) -> None:
    # A list that has just been opened closes when the page scrolls.
    here.box(label).first.scroll_into_view_if_needed()
    here.page.wait_for_timeout(500)
    here.choose(label, option)


def month(here: Visit) -> Locator:
    """Last month's cell in the workforce's row of the first grid."""
    return here.page.locator(".grid").first.locator("tbody tr").first.locator("td").nth(-2)


def button(here: Visit, words: str) -> Locator:
    return here.page.get_by_role("button", name=words, exact=True)


def test_two_files_are_loaded_and_one_taken_back(visit: Open):
    here = visit("/data")
    expect(month(here)).not_to_contain_text("✓")
    send(here, named("workforce.csv", WORKFORCE), named("places.csv", files.SERVICES))
    for name in ("workforce.csv", "places.csv"):
        expect(card(here, name)).to_have_text(f"{name} checked: not loaded yet")
    facts = here.page.locator(".facts").all_inner_texts()
    assert sum("PCN workforce, individual level" in text for text in facts) == 1
    assert sum("Services and capacity" in text for text in facts) == 1
    here.done()
    button(here, "Load all 2").click()
    expect(card(here, "places.csv")).to_contain_text(re.compile("waits|is being loaded"))
    # Elsewhere meanwhile; it goes on.
    here.page.get_by_role("link", name="Methods").click()
    expect(here.page.get_by_role("heading", level=1)).to_have_text("What does each figure mean?")
    here.page.get_by_role("link", name="Data").click()
    for name in ("workforce.csv", "places.csv"):
        expect(card(here, name)).to_have_text(f"{name} loaded")
    # The grid and the history follow by themselves.
    expect(month(here)).to_contain_text("✓")
    history = here.page.locator(".small-table", has_text="Files offered and loaded")
    expect(history.locator("tbody tr").filter(has_text="places.csv")).to_contain_text("in force")

    # The same bytes again change nothing.
    other = visit("/data")
    send(other, named("copy.csv", WORKFORCE))
    expect(card(other, "copy.csv")).to_have_text("copy.csv nothing changed")
    expect(other.page.get_by_text("as 'workforce.csv': the same bytes")).to_be_visible()

    # Back again.
    here.done()
    rows = history.locator("tbody tr").all_inner_texts()
    census = next(r for r in rows if "workforce.csv" in r and "in force" in r)
    number = re.findall(r"load (\d+),", census)[0]
    here.box("Load to undo").scroll_into_view_if_needed()
    here.page.wait_for_timeout(500)
    here.box("Load to undo").click()
    here.page.get_by_role("option", name=re.compile(rf"^{number}: workforce\.csv")).click()
    button(here, f"Undo load {number}").click()
    said = f"Load {number} (workforce.csv) was undone: 1 withdrawn, 0 restored."
    expect(here.page.get_by_text(said)).to_be_visible()
    expect(month(here)).not_to_contain_text("✓")


def test_the_progress_of_one_file_is_followed_to_its_end(visit: Open):
    """Without leaving the page, and without a reload by hand."""
    here = visit("/data")
    send(here, named("schemes.csv", files.SCHEME_AREAS))
    expect(card(here, "schemes.csv")).to_contain_text("checked: not loaded yet")
    here.done()
    button(here, "Load").first.click()
    expect(card(here, "schemes.csv")).to_have_text("schemes.csv loaded")
    history = here.page.locator(".small-table", has_text="Files offered and loaded")
    expect(history.locator("tbody tr").first).to_contain_text("schemes.csv")


def test_a_suppliers_export_is_mapped_once(visit: Open):
    here = visit("/data")
    send(here, named("export.csv", EXPORT.format(n=1)))
    expect(card(here, "export.csv")).to_contain_text("refused")
    here.done()
    choose(here, "Is it an export of one of these?", "Referrals (local return)")
    page = here.page
    for label, chosen in (
        ("reference (needed)", "Case ID: hidden (2 characters)"),
        ("received (needed)", "Date Received: 2026-01-15"),
        ("source: Who referred", "Referrer Type: Surgery"),
        ("In source, “Surgery” means", "GP"),
    ):
        expect(here.box(label)).to_have_value(chosen)
    save = button(here, "Save and check the file")
    expect(save).to_be_disabled()
    name = page.get_by_label("Name of this mapping")
    name.fill("Supplier")
    name.press("Enter")
    expect(save).to_be_enabled()
    here.done()
    save.click()
    expect(card(here, "export.csv")).to_have_text("export.csv checked: not loaded yet")
    # The next of the same headings is read at once.
    other = visit("/data")
    send(other, named("next.csv", EXPORT.format(n=2)))
    expect(card(other, "next.csv")).to_have_text("next.csv checked: not loaded yet")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_axe_finds_nothing_of_ours(visit: Open, scheme: str, width: int):
    here = visit("/data", color_scheme=scheme, width=width)
    unique = f"{scheme} {width}"
    send(
        here,
        named("good.csv", files.SERVICES.replace("Walks", f"Walks {unique}")),
        named("wrong.csv", files.SERVICES.replace("2026-06-01", f"soon {unique}")),
        named("unknown.csv", f"Case ID,x\nr1,{unique}\n"),
    )
    expect(card(here, "good.csv")).to_contain_text("checked: not loaded yet")
    for name in ("wrong.csv", "unknown.csv"):
        expect(card(here, name)).to_contain_text("refused")
    here.done()
    choose(here, "Is it an export of one of these?", "Contacts with the GP (local return)")
    expect(here.page.get_by_label("Name of this mapping")).to_be_visible()
    here.done()
    assert findings(here) == []


@pytest.mark.parametrize("width", [320, 400])
def test_a_phone_cuts_nothing_off(visit: Open, width: int):
    here = visit("/data", width=width)
    send(here, named("places.csv", files.SERVICES.replace("Walks", f"Walks {width}")))
    expect(card(here, "places.csv")).to_contain_text("checked: not loaded yet")
    here.done()
    assert here.scrolls_sideways() == 0
    # What is wider than the screen stands in a part that scrolls, and that a keyboard reaches.
    cut = here.page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] :is(p, li, td, th, dd, dt, h3,'
        + ' button, caption)')].filter(e => {
          if (e.matches('.unseen, .unseen *') || !e.offsetParent) return false;
          if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'hidden')
            return true;
          return e.getBoundingClientRect().right > innerWidth + 1
            && !e.closest('.small-table[tabindex="0"]');
        }).map(e => e.outerHTML.slice(0, 100))"""
    )
    assert cut == []


def test_the_keyboard_reaches_everything(visit: Open):
    here = visit("/data")
    send(here, named("keyboard.csv", files.SERVICES.replace("Walks", "Walks by keyboard")))
    expect(card(here, "keyboard.csv")).to_contain_text("checked: not loaded yet")
    here.done()
    wanted = {"Files to check", "Load", "Do not load", "Load to undo", "history as CSV"}
    found: set[str] = set()
    for _ in range(150):
        here.page.keyboard.press("Tab")
        label = here.page.evaluate(
            """() => { const e = document.activeElement;
            const box = e.closest('[data-testid=stFileUploader]') ? 'Files to check' : '';
            return [box, e.getAttribute('aria-label') || '', e.innerText || ''].join('|'); }"""
        )
        found |= {words for words in wanted if words in label.split("|")}
        if found == wanted:
            break
    assert found == wanted
    here.page.get_by_role("button", name="Load", exact=True).first.focus()
    here.page.keyboard.press("Enter")
    expect(card(here, "keyboard.csv")).to_have_text("keyboard.csv loaded")


def test_a_file_above_the_limit_is_refused_early(visit: Open):
    here = visit("/data")
    sent: list[str] = []
    here.page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    send(here, named("large.csv", b"a,b\n" * (MOST_MEGABYTES << 18) + b"more"))
    box = here.page.locator("[data-testid=stFileUploader]")
    expect(box).to_contain_text(re.compile(rf"{MOST_MEGABYTES}\.?0?MB or smaller"))
    here.page.wait_for_timeout(500)
    assert [request for request in sent if request.startswith("PUT")] == []
    assert "large.csv" not in here.page.locator(".card-title").all_inner_texts()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="which files are open: /proc")
def test_what_is_uploaded_stays_in_memory_and_within_the_limit(
    visit: Open, server: Server, temporary: Path
):
    here = visit("/data")
    asked: list[Request] = []

    def keep_back(route: Route) -> None:
        asked.append(route.request)
        route.fulfill(status=204)

    # The server waits for a file at each of these addresses, once; the browser sends none.
    here.page.route("**/upload_file/**", keep_back)
    # Together: of a file that is chosen just as the page runs again, Streamlit may lose the
    # address on its way to the browser.
    with here.page.expect_response(lambda _: len(asked) == 3):
        send(here, *(named(f"{n}.csv", "a,b\n1,2\n") for n in range(3)))
    addresses = [request.url for request in asked]
    headers = asked[0].all_headers()
    kept = {n: headers[n] for n in ("cookie", "x-xsrftoken") if n in headers}
    kept["content-type"] = "multipart/form-data; boundary=edge"
    opened: list[str] = []

    def body(megabytes: int, look: bool = False) -> Iterator[bytes]:
        yield b'--edge\r\nContent-Disposition: form-data; name="f"; filename="f.csv"\r\n\r\n'
        for _ in range(megabytes):
            yield b"secret,b" * (1 << 17)
            if look:
                # Until the server has read it.
                time.sleep(0.3)
                opened.extend(open_files(server.pid))
        yield b"\r\n--edge--\r\n"

    answer = httpx.put(addresses[0], content=body(3, look=True), headers=kept)
    assert answer.status_code == 204
    assert [path for path in opened if str(temporary) in path] == []
    assert any("board.db" in path for path in opened)
    assert list(temporary.rglob("*")) == []
    # One that does not say how long it is, is cut.
    answer = httpx.put(addresses[1], content=body(2 * MOST_MEGABYTES), headers=kept)
    assert answer.status_code == 413
    # Nor is one taken that no page asked for, or without the word against forged requests.
    assert httpx.put(f"{addresses[0]}-1", content=body(1), headers=kept).status_code == 403
    kept.pop("x-xsrftoken")
    assert httpx.put(addresses[2], content=body(1), headers=kept).status_code == 403


def open_files(pid: int) -> list[str]:
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(str(entry.readlink()))
        except OSError:
            continue
    return found
