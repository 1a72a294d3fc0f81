// What every page has: a key for the search, a jump to the heading a link names, and charts that
// fit the paper. Set up once in a window.
export default function () {
  // There and empty from the beginning, so that what the server puts into it is read out.
  document.querySelector(".st-key-server-notice")?.setAttribute("role", "status");
  if (window.boardEverywhere) return;
  window.boardEverywhere = true;

  // With a modifier: a letter alone would be taken from whoever speaks to the browser.
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    const box = () => document.querySelector('[data-testid="stSidebar"] input[aria-label="Search"]');
    event.preventDefault();
    const sidebar = document.querySelector('[data-testid="stSidebar"]');
    if (sidebar?.getAttribute("aria-expanded") !== "true") document.querySelector('[data-testid="stExpandSidebarButton"]')?.click();
    let looks = 0;
    const focus = () => {
      const found = box();
      if (found && found.getBoundingClientRect().left >= 0) { found.focus(); found.select(); } else if (looks++ < 40) window.setTimeout(focus, 50);
    };
    focus();
  });

  // Who writes does not turn the page by a key: what is half written would be gone.
  window.addEventListener("keydown", (event) => {
    if (event.altKey && event.target.closest?.("textarea, input") && event.target.value)
      event.stopImmediatePropagation();
  }, true);

  // The heading that a link names is drawn after the browser has looked for it, and by then the
  // address has been written anew without it: what was opened still has it.
  const opened = performance.getEntriesByType("navigation")[0]?.name ?? window.location.href;
  const name = decodeURIComponent(new URL(opened).hash.slice(1));
  if (name) {
    let looks = 0;
    const jump = () => {
      const heading = document.getElementById(name);
      if (heading) heading.scrollIntoView(); else if (looks++ < 100) window.setTimeout(jump, 100);
    };
    jump();
  }

  // A4 less its margins, in CSS pixels: a chart keeps the size it has on the screen, and is wider.
  const PAPER = (210 - 2 * 14) / 25.4 * 96;
  window.addEventListener("beforeprint", () => {
    for (const chart of document.querySelectorAll(".js-plotly-plot")) {
      const width = chart.getBoundingClientRect().width;
      if (width > PAPER) chart.style.zoom = PAPER / width;
    }
  });
  window.addEventListener("afterprint", () => {
    for (const chart of document.querySelectorAll(".js-plotly-plot")) chart.style.zoom = "";
  });
}
