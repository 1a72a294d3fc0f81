"""How long a browser takes from a choice to the last pixel of the map."""

from __future__ import annotations

import statistics

from playwright.sync_api import Page, sync_playwright

# Software rendering is what a headless machine has; the usual way needs WebGL for its map.
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",
    "--disable-background-networking",
    "--disable-component-update",
]
# Resolves with the time at which the map shows what `before` did not, and has drawn it: a WebGL
# map says when it is idle; an SVG map has drawn when its paths are there and a frame has passed.
_PAINTED = """
(before) => new Promise((resolve) => {
  const look = () => {
    const chart = document.querySelector(".js-plotly-plot");
    const names = chart?.data && JSON.stringify([chart.layout.meta, chart.data.map((t) => t.name)]);
    const webgl = chart?._fullLayout?.map?._subplot?.map;
    const drawn = webgl
      ? webgl.loaded() && !webgl.isMoving()
      : chart?.querySelectorAll(".choroplethlayer path").length > 0;
    if (names && names !== before && drawn) {
      requestAnimationFrame(() => requestAnimationFrame(() => resolve([names, performance.now()])));
    } else {
      requestAnimationFrame(look);
    }
  };
  look();
})
"""
_NOTE_THE_CLICK = """
(option) => option.addEventListener(
  "click", () => { window.clicked = performance.now(); }, { capture: true, once: true })
"""


def painted_seconds(chromium: str, port: int, layers: list[str], rounds: int) -> float:
    """The median over some rounds of all layers; the first round is not counted."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(f"http://127.0.0.1:{port}/coverage")
        page.wait_for_selector(".js-plotly-plot", timeout=60_000)
        names, _ = page.evaluate(_PAINTED, "")
        taken: list[float] = []
        for turn in range(rounds):
            for layer in [*layers[1:], layers[0]]:
                names, seconds = _change(page, layer, names)
                if turn:
                    taken.append(seconds)
        browser.close()
    return statistics.median(taken)


def _change(page: Page, layer: str, names: str) -> tuple[str, float]:
    box = page.get_by_role("combobox", name="Map shows")
    box.click()
    option = page.get_by_role("option", name=layer, exact=True)
    option.wait_for()
    # The time starts with the click itself, on the page's own clock.
    option.evaluate(_NOTE_THE_CLICK)
    option.click()
    found, at = page.evaluate(_PAINTED, names)
    return found, (at - page.evaluate("window.clicked")) / 1000
