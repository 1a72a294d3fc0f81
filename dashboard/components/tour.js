// A few steps on a card that does not stand in the way: shown once in a browser, which remembers it.
// data: { steps: [[title, words]], again }; with a new `again` it is shown once more.
const NAME = "board-tour", SEEN = "seen";

function remembered() {
  // Storage can be switched off: then it is remembered until the page is closed.
  try { return window.localStorage.getItem(NAME) === SEEN; } catch { return window.boardTourSeen === true; }
}

function remember() {
  window.boardTourSeen = true;
  try { window.localStorage.setItem(NAME, SEEN); } catch { /* Kept above. */ }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".board-tour");
  const frame = root.getRootNode().host?.closest("[data-testid=stElementContainer]");
  // In the script's own memory: a component that is drawn anew on another page was not asked again.
  const isAsked = data.again > (window.boardTourAsked ?? 0);
  window.boardTourAsked = data.again;
  if (isAsked) root.boardStep = 0;
  else if (root.boardStep === undefined) root.boardStep = remembered() ? null : 0;
  draw(false);

  function draw(isPressed) {
    // Without a card it leaves no gap either.
    if (frame) frame.style.display = root.boardStep === null ? "none" : "";
    if (root.boardStep === null) return root.replaceChildren();
    const step = root.boardStep, last = data.steps.length - 1, [title, words] = data.steps[step];
    const make = (tag, name, ...children) => {
      const element = document.createElement(tag);
      if (name) element.className = name;
      element.append(...children);
      return element;
    };
    const button = (name, text, next) => {
      const made = make("button", name, text);
      made.type = "button";
      made.addEventListener("click", () => {
        root.boardStep = next;
        if (next === null) remember();
        draw(true);
      });
      return made;
    };
    const buttons = make("p", "buttons");
    buttons.append(button("next", step === last ? "Done" : "Next", step === last ? null : step + 1));
    if (step > 0) buttons.append(button("back", "Back", step - 1));
    if (step < last) buttons.append(button("skip", "Skip", null));
    const said = make("div", "", make("p", "place", `A short tour: ${step + 1} of ${data.steps.length}`), make("p", "", make("strong", "", title), ` ${words}`));
    said.setAttribute("role", "status");
    const card = make("section", "card", said, buttons);
    card.setAttribute("aria-label", "A short tour of the board");
    root.replaceChildren(card);
    // Who pressed a button that was replaced stays on one; nobody else's focus is moved.
    if (isPressed) buttons.querySelector(".next").focus();
  }
}
