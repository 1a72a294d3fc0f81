// A table of released values: sortable, searchable, and its rows can be picked.
// data: { url, picked }; the url answers with { caption, search, things, page, swatch,
// columns: [{ title, help, number, wide, pick }], looks: [{ colour, ink, texture, sign, words }],
// rows: [{ key, cells: [[text, sort, note, look]], swatch }] }. A cell with a look is a cell of a
// matrix: it is picked by itself, as "key|pick".
const fetched = new Map();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".board-table");
  const state = (root.boardState ??= printedWhole(root, { sort: null, down: false, all: false, query: "", onPaper: false }));
  state.picked = data.picked;
  if (state.url === data.url) {
    state.mark?.();
    return;
  }
  state.url = data.url;
  if (!fetched.has(data.url)) {
    if (fetched.size > 8) fetched.clear();
    fetched.set(data.url, fetch(data.url).then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.json();
    }));
  }
  const wanted = data.url;
  fetched.get(wanted).then(
    (body) => { if (state.url === wanted) build(root, state, body, setTriggerValue); },
    () => {
      fetched.delete(wanted);
      state.url = null;
      root.textContent = "The list could not be fetched. Reload the page to try again.";
    },
  );
}

// On paper there is no button for the rest of the rows: they are all there.
function printedWhole(root, state) {
  const turn = (event) => {
    if (root.isConnected) {
      state.onPaper = event.type === "beforeprint";
      state.draw?.();
    } else for (const type of ["beforeprint", "afterprint"]) window.removeEventListener(type, turn);
  };
  for (const type of ["beforeprint", "afterprint"]) window.addEventListener(type, turn);
  return state;
}

function build(root, state, data, setTriggerValue) {
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  const search = make("input", { type: "search", id: "board-search", autocomplete: "off" });
  search.value = state.query;
  const status = make("p", { class: "board-status", role: "status" });
  const paper = make("p", { class: "board-paper" });
  const body = make("tbody");
  const head = make("tr");
  const more = make("button", { type: "button", class: "board-more" });

  const buttons = data.columns.map((column, place) => {
    const button = make("button", { type: "button", title: column.help }, column.title);
    const cell = make("th", { scope: "col", class: column.number ? "number" : column.wide ? "wide" : null }, button);
    button.addEventListener("click", () => {
      state.down = state.sort === place ? !state.down : Boolean(column.number);
      state.sort = place;
      draw();
    });
    head.append(cell);
    return cell;
  });

  function sorted(rows) {
    if (state.sort === null) return rows;
    const value = (row) => row.cells[state.sort][1] ?? row.cells[state.sort][0];
    const number = data.columns[state.sort].number;
    // What is hidden or missing has no place in an order of numbers: it stands at the end.
    const absent = (row) => (number && typeof value(row) !== "number") || row.cells[state.sort][0] === "–";
    return [...rows].sort((a, b) => {
      if (absent(a) || absent(b)) return absent(a) - absent(b);
      const order = number ? value(a) - value(b) : String(value(a)).localeCompare(String(value(b)), "en");
      return state.down ? -order : order;
    });
  }

  function judged(row, place) {
    const [text, , note, place_of_look] = row.cells[place];
    const look = data.looks[place_of_look], column = data.columns[place];
    const key = `${row.key}|${column.pick}`;
    const words = [column.title, row.cells[0][0], look.words, text, note].filter(Boolean).join(", ");
    const button = make("button", { type: "button", class: "board-cell", "data-key": key, "aria-pressed": String(key === state.picked), "aria-label": words, title: words },
      make("span", { class: "sign", "aria-hidden": "true" }, look.sign), ` ${text}`);
    if (note) button.append(make("span", { class: "note" }, note));
    button.addEventListener("click", () => setTriggerValue("picked", key));
    return make("td", { class: `judged ${look.texture}`, style: `background-color:${look.colour};color:${look.ink}` }, button);
  }

  function line(row) {
    const cells = row.cells.map(([text, , note, look], place) => {
      if (look !== undefined) return judged(row, place);
      const inside = [];
      if (place === 0) {
        const button = make("button", { type: "button", class: "board-pick", "aria-pressed": String(row.key === state.picked) }, text);
        button.addEventListener("click", () => setTriggerValue("picked", row.key));
        inside.push(button);
      } else {
        if (row.swatch && place === data.swatch) inside.push(make("span", { class: `swatch ${row.swatch[1]}`, style: `background-color:${row.swatch[0]}`, "aria-hidden": "true" }));
        inside.push(text);
      }
      if (note) inside.push(make("span", { class: "note" }, note));
      return make(place === 0 ? "th" : "td", { scope: place === 0 ? "row" : null, class: data.columns[place].number ? "number" : null }, ...inside);
    });
    return make("tr", { "data-key": row.key, class: row.key === state.picked ? "picked" : null }, ...cells);
  }

  function draw() {
    const words = state.query.toLowerCase().split(/\s+/).filter(Boolean);
    const found = data.rows.filter((row) => {
      const text = row.cells.map((cell) => cell[0] + " " + (cell[2] ?? "")).join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const shown = state.all || state.onPaper ? found : found.slice(0, data.page);
    body.replaceChildren(...sorted(found).slice(0, shown.length).map(line));
    buttons.forEach((cell, place) => {
      const order = state.sort === place ? (state.down ? "descending" : "ascending") : null;
      if (order) cell.setAttribute("aria-sort", order);
      else cell.removeAttribute("aria-sort");
    });
    const total = data.rows.length.toLocaleString("en-GB");
    status.textContent = `${shown.length.toLocaleString("en-GB")} of ${total} ${data.things} shown`;
    // What was searched for is in a box, and boxes are not on paper.
    paper.textContent = `${data.caption}: ${status.textContent}${state.query ? `, those with “${state.query}”` : ""}`;
    more.hidden = shown.length === found.length;
    more.textContent = `Show all ${found.length.toLocaleString("en-GB")}`;
  }

  state.mark = () => {
    for (const row of body.rows) {
      const picked = row.dataset.key === state.picked;
      row.classList.toggle("picked", picked);
      row.querySelector(".board-pick").setAttribute("aria-pressed", String(picked));
    }
    for (const cell of body.querySelectorAll(".board-cell"))
      cell.setAttribute("aria-pressed", String(cell.dataset.key === state.picked));
  };
  state.draw = draw;
  search.addEventListener("input", () => { state.query = search.value; draw(); });
  more.addEventListener("click", () => { state.all = true; draw(); });
  const table = make("table", {}, make("caption", {}, data.caption), make("thead", {}, head), body);
  const box = make("div", { class: "board-scroll", tabindex: "0", role: "region", "aria-label": data.caption }, table);
  const bar = make("div", { class: "board-bar" }, make("label", { for: "board-search" }, data.search), search, status);
  root.replaceChildren(bar, paper, box, more);
  draw();
}
