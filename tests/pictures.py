"""Pictures of every page and of a pack, for eyes: `python -m tests.pictures`, into `pictures/`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from dashboard import demonstration
from dashboard.search import PAGES
from queries.database import make_engine, upgrade
from tests.browser.visit import DONE
from tests.conftest import BROWSER_ARGUMENTS, find_chromium
from tests.made_once import HASH_KEY
from tests.served import ROOT, environment, serving

FOLDER = ROOT / "pictures"
BOARD = "QDK"
WIDTHS = {"wide": 1400, "narrow": 400}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# The longest page is cut here: a picture of more is read by nobody.
TALLEST = 12_000
# Plotly draws after the script has run.
DRAWN_MS = 1_500
PACKS = ("pptx", "pdf", "xlsx")
SECONDS = 300


def main() -> None:
    """Take them all; says where each is, and what was left out for want of a program."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("No Chromium or Chrome on this machine: set CHROMIUM to its path.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        database = folder / "demonstration.db"
        engine = make_engine(f"sqlite:///{database.as_posix()}")
        upgrade(engine)
        demonstration.make(engine, HASH_KEY.encode())
        engine.dispose()
        with serving(database, folder) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS)
            for path in PAGES:
                for made in pictures_of_page(browser, server.url, path):
                    print(made.relative_to(ROOT))
            browser.close()
        for made in pictures_of_pack(database, folder):
            print(made.relative_to(ROOT))


def pictures_of_page(browser: Browser, url: str, path: str) -> Iterator[Path]:
    """One page wide and narrow, light and dark, and on paper."""
    name = path or "first"
    for theme in THEMES:
        for size, width in WIDTHS.items():
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=theme, locale="en-GB"
            )
            page = context.new_page()
            page.goto(f"{url}/{path}?icb={BOARD}")
            page.locator(DONE).wait_for()
            page.wait_for_timeout(DRAWN_MS)
            made = FOLDER / f"{name}-{size}-{theme}.png"
            page.set_viewport_size({"width": width, "height": height_of(page)})
            page.wait_for_timeout(DRAWN_MS)
            page.screenshot(path=made)
            yield made
            if theme == "dark" and size == "wide":
                printed = FOLDER / f"{name}-print.pdf"
                page.pdf(path=printed, prefer_css_page_size=True, print_background=True)
                yield printed
                yield from sheets(printed)
            context.close()


def height_of(page: Page) -> int:
    """How tall the window is in which the whole page can be seen: the page scrolls inside itself."""
    whole = page.locator("[data-testid=stMain]").evaluate("e => e.scrollHeight")
    return min(int(whole), TALLEST)


def sheets(pdf: Path) -> list[Path]:
    """A picture of each sheet of a PDF; none without `pdftoppm`."""
    if shutil.which("pdftoppm") is None:
        print(f"no pdftoppm on this machine: {pdf.name} stays as it is", file=sys.stderr)
        return []
    for old in FOLDER.glob(f"{pdf.stem}-*.png"):
        if re.fullmatch(rf"{re.escape(pdf.stem)}-\d+", old.stem):
            old.unlink()
    command = ["pdftoppm", "-r", "80", "-png", str(pdf), str(FOLDER / pdf.stem)]
    subprocess.run(command, check=True, timeout=SECONDS)
    return sorted(FOLDER.glob(f"{pdf.stem}-*.png"))


def pictures_of_pack(database: Path, folder: Path) -> Iterator[Path]:
    """A pack in each of its forms, and each of its sheets as a picture."""
    for form in PACKS:
        pack = FOLDER / f"pack-{form}.{form}"
        command = [sys.executable, "-m", "dashboard", "pack", "--icb", BOARD, "--out", str(pack)]
        made = subprocess.run(
            command, cwd=ROOT, env=environment(database), capture_output=True, timeout=SECONDS
        )
        if made.returncode:
            print(f"no pack as {form}: {made.stderr.decode(errors='replace')}", file=sys.stderr)
            continue
        yield pack
        printed = pack if form == "pdf" else printed_by_office(pack, folder)
        if printed is not None:
            yield from sheets(printed)


def printed_by_office(pack: Path, folder: Path) -> Path | None:
    """The file as a PDF, as an office program prints it; `None` without one."""
    office = shutil.which("soffice")
    if office is None:
        print(f"no soffice on this machine: no pictures of {pack.name}", file=sys.stderr)
        return None
    profile = f"-env:UserInstallation={(folder / 'office').as_uri()}"
    convert = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(FOLDER)]
    subprocess.run([*convert, str(pack)], check=True, capture_output=True, timeout=SECONDS)
    return pack.with_suffix(".pdf")


if __name__ == "__main__":
    main()
