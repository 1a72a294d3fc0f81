// A map of many areas on a canvas: one byte an area says which class it is in. Shapes come by URL, once.
// data: { url, values, classes: [{ label, colour, texture }], marks: [{ label, sign }], marked, group, area,
// alt }: `values` and `marked` are base64, in the order of the areas; 255 is none. The url answers with what
// geodata/outlines.py made. Picking an area triggers "picked" with its code.
const INK = "#10181D", LINE = "#425563", PALE = "#FFFFFF", PICKED = "#FFB81C";
const PAPER = "#E3E8EB";
// From this many pixels an area (on average) has a line around it, and its sign or mark.
const LINE_FROM = 9, SIGN_FROM = 16;
const CLOSEST = 60;
const fetched = new Map();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".area-canvas");
  const map = (root.areaMap ??= started(root));
  map.trigger = setTriggerValue;
  map.data = data;
  map.values = bytes(data.values);
  map.marked = bytes(data.marked);
  map.canvas.setAttribute("aria-label", data.alt);
  shapesOf(data.url).then(
    (shapes) => {
      if (map.data.url !== data.url) return;
      if (map.shapes !== shapes) {
        map.shapes = shapes;
        map.group = data.group;
        map.show(true);
      }
      // Who chooses another board looks at it from near; otherwise the map stays as it was moved.
      if (map.group !== data.group) {
        map.group = data.group;
        map.show(false);
      }
      map.draw();
    },
    () => { root.querySelector(".area-said").textContent = "The map could not be fetched. Reload the page to try again."; },
  );
}

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function shapesOf(url) {
  if (!fetched.has(url)) {
    if (fetched.size > 3) fetched.clear();
    const answer = fetch(url).then((found) => {
      if (!found.ok) throw new Error(String(found.status));
      return found.json();
    }).then(unpacked);
    fetched.set(url, answer);
    answer.catch(() => fetched.delete(url));
  }
  return fetched.get(url);
}

// Rings as running numbers with y downwards, and the box of each area.
function unpacked(body) {
  const [west, south, east, north] = body.box;
  const ring = (steps) => {
    const points = new Float32Array(steps.length);
    let x = 0, y = 0;
    for (let at = 0; at < steps.length; at += 2) {
      points[at] = x += steps[at];
      y += steps[at + 1];
      points[at + 1] = -y;
    }
    return points;
  };
  const areas = body.areas.map((rings) => rings.map(ring));
  const boxes = areas.map(boxOf);
  return { ...body, areas, boxes, edges: body.edges.map((rings) => rings.map(ring)), box: [west, -north, east, -south] };
}

function boxOf(rings) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const points of rings) {
    for (let at = 0; at < points.length; at += 2) {
      box[0] = Math.min(box[0], points[at]); box[2] = Math.max(box[2], points[at]);
      box[1] = Math.min(box[1], points[at + 1]); box[3] = Math.max(box[3], points[at + 1]);
    }
  }
  return box;
}

function started(root) {
  const canvas = root.querySelector("canvas"), frame = root.querySelector(".area-frame");
  const said = root.querySelector(".area-said"), tip = root.querySelector(".area-tip");
  const map = { canvas, values: new Uint8Array(), marked: new Uint8Array(), scale: 1, x: 0, y: 0 };
  const context = canvas.getContext("2d");

  const size = () => [canvas.clientWidth, canvas.clientHeight];
  // Everything, or the chosen board.
  map.show = (everything) => {
    if (!map.shapes) return;
    const place = everything ? -1 : map.shapes.groups.findIndex(([code]) => code === map.data.group);
    const box = place < 0 ? map.shapes.box : boxOf(map.shapes.edges[place]);
    const [width, height] = size();
    if (!width) return;
    map.least = fit(map.shapes.box, width, height);
    map.scale = fit(box, width, height);
    map.x = (box[0] + box[2]) / 2;
    map.y = (box[1] + box[3]) / 2;
  };
  const fit = (box, width, height) => 0.96 * Math.min(width / (box[2] - box[0] || 1), height / (box[3] - box[1] || 1));
  const zoom = (times) => {
    map.scale = Math.min(Math.max(map.scale * times, map.least), map.least * CLOSEST);
    map.draw();
  };
  const move = (right, down) => {
    const [west, north, east, south] = map.shapes.box;
    map.x = Math.min(Math.max(map.x + right / map.scale, west), east);
    map.y = Math.min(Math.max(map.y + down / map.scale, north), south);
    map.draw();
  };

  // At most once a frame, whatever asks.
  let asked = 0;
  map.draw = () => { asked ||= requestAnimationFrame(() => { asked = 0; paint(); }); };

  function paint() {
    const { shapes, data } = map, [width, height] = size();
    if (!shapes || !width) return;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const toScreen = [map.scale * ratio, 0, 0, map.scale * ratio, (width / 2 - map.x * map.scale) * ratio, (height / 2 - map.y * map.scale) * ratio];
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = PAPER;
    context.fillRect(0, 0, canvas.width, canvas.height);
    const west = map.x - width / 2 / map.scale, east = map.x + width / 2 / map.scale;
    const north = map.y - height / 2 / map.scale, south = map.y + height / 2 / map.scale;
    const seen = [];
    let sides = 0;
    shapes.boxes.forEach((box, place) => {
      if (box[0] > east || box[2] < west || box[1] > south || box[3] < north) return;
      seen.push(place);
      sides += Math.sqrt((box[2] - box[0]) * (box[3] - box[1])) * map.scale;
    });
    const pixels = seen.length ? sides / seen.length : 0;
    const paths = data.classes.map(() => new Path2D());
    const none = new Path2D();
    for (const place of seen) trace(paths[map.values[place]] ?? none, shapes.areas[place]);
    context.setTransform(...toScreen);
    context.fillStyle = PALE;
    context.fill(none, "evenodd");
    data.classes.forEach(({ colour, texture }, place) => {
      context.fillStyle = colour;
      context.fill(paths[place], "evenodd");
      if (texture) {
        context.fillStyle = pattern(texture, toScreen, ratio);
        context.fill(paths[place], "evenodd");
      }
    });
    const line = (path, colour, wide) => {
      context.strokeStyle = colour;
      context.lineWidth = wide / map.scale;
      context.lineJoin = "round";
      context.stroke(path);
    };
    if (pixels > LINE_FROM) for (const path of [...paths, none]) line(path, LINE, 0.5);
    const edges = new Path2D();
    for (const rings of shapes.edges) trace(edges, rings);
    line(edges, PALE, 2.2);
    line(edges, INK, 1);
    outlined(shapes.edges[shapes.groups.findIndex(([code]) => code === data.group)], 5, 2.5);
    outlined(shapes.areas[shapes.codes.indexOf(data.area)], 6, 3);
    function outlined(rings, wide, inner) {
      if (!rings) return;
      const path = new Path2D();
      trace(path, rings);
      line(path, INK, wide);
      line(path, PICKED, inner);
    }
    if (pixels > SIGN_FROM) signs(seen);
    // Which map this is a picture of: for whoever waits for it.
    root.dataset.drawn = `${data.alt}|${seen.length}`;
  }

  function trace(path, rings) {
    for (const points of rings) {
      path.moveTo(points[0], points[1]);
      for (let at = 2; at < points.length; at += 2) path.lineTo(points[at], points[at + 1]);
      path.closePath();
    }
  }

  // Stripes, stars and dashes as in the key, of the same size however near the map is.
  const tiles = {};
  function pattern(texture, toScreen, ratio) {
    const tile = (tiles[texture] ??= drawnTile(texture));
    const made = context.createPattern(tile, "repeat");
    made.setTransform(new DOMMatrix(toScreen).inverse().scale(ratio));
    return made;
  }

  function drawnTile(texture) {
    const tile = document.createElement("canvas"), pen = tile.getContext("2d");
    tile.width = tile.height = 7;
    pen.strokeStyle = pen.fillStyle = LINE;
    pen.lineWidth = 1.2;
    if (texture === "hatched") {
      for (const shift of [-7, 0, 7]) { pen.moveTo(shift, 7); pen.lineTo(shift + 7, 0); }
      pen.stroke();
    } else if (texture === "starred") pen.fillRect(2.5, 2.5, 2, 2);
    else { pen.moveTo(1, 3.5); pen.lineTo(5, 3.5); pen.stroke(); }
    return tile;
  }

  function signs(seen) {
    const ratio = window.devicePixelRatio || 1, [width, height] = size();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = "700 13px Arial, Helvetica, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const place of seen) {
      const mark = map.data.marks[map.marked[place]];
      if (!mark) continue;
      const box = map.shapes.boxes[place];
      const x = ((box[0] + box[2]) / 2 - map.x) * map.scale + width / 2, y = ((box[1] + box[3]) / 2 - map.y) * map.scale + height / 2;
      context.lineWidth = 3;
      context.strokeStyle = PALE;
      context.strokeText(mark.sign, x, y);
      context.fillStyle = INK;
      context.fillText(mark.sign, x, y);
    }
  }

  // The area under a point of the screen, or -1.
  function areaAt(event) {
    const frameBox = canvas.getBoundingClientRect(), [width, height] = size();
    const x = (event.clientX - frameBox.left - width / 2) / map.scale + map.x;
    const y = (event.clientY - frameBox.top - height / 2) / map.scale + map.y;
    return map.shapes ? map.shapes.boxes.findIndex((box, place) =>
      x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3] && inside(map.shapes.areas[place], x, y)) : -1;
  }

  function inside(rings, x, y) {
    let odd = false;
    for (const points of rings) {
      for (let at = 0, last = points.length - 2; at < points.length; last = at, at += 2) {
        const [ax, ay, bx, by] = [points[at], points[at + 1], points[last], points[last + 1]];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
      }
    }
    return odd;
  }

  function point(event) {
    const place = areaAt(event);
    tip.hidden = place < 0;
    canvas.style.cursor = place < 0 ? "default" : "pointer";
    if (place < 0) return;
    const { shapes, data } = map, found = data.classes[map.values[place]], mark = data.marks[map.marked[place]];
    const name = document.createElement("b");
    name.textContent = shapes.names[place];
    tip.replaceChildren(name, `, ${shapes.groups[shapes.group[place]][1]}`, document.createElement("br"), [found?.label, mark?.label].filter(Boolean).join(" · "));
    const box = frame.getBoundingClientRect(), left = event.clientX - box.left, top = event.clientY - box.top;
    tip.style.left = `${Math.min(Math.max(left + 12, 0), Math.max(box.width - tip.offsetWidth - 4, 0))}px`;
    tip.style.top = `${top + 18 + tip.offsetHeight > box.height ? top - tip.offsetHeight - 8 : top + 18}px`;
  }

  let from = null;
  canvas.addEventListener("pointerdown", (event) => { from = { x: event.clientX, y: event.clientY, moved: false }; });
  canvas.addEventListener("pointermove", (event) => {
    if (from && event.buttons && map.scale > map.least * 1.01) {
      const right = from.x - event.clientX, down = from.y - event.clientY;
      from.moved ||= Math.hypot(right, down) > 4;
      if (from.moved) {
        tip.hidden = true;
        from.x = event.clientX; from.y = event.clientY;
        move(right, down);
        return;
      }
    }
    point(event);
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  canvas.addEventListener("click", (event) => {
    const wasMoved = from?.moved, place = areaAt(event);
    from = null;
    if (!wasMoved && place >= 0) map.trigger("picked", map.shapes.codes[place]);
  });
  // A finger scrolls the page; once the map is near it moves the map.
  canvas.addEventListener("touchmove", (event) => { if (map.scale > map.least * 1.01) event.preventDefault(); }, { passive: false });

  const keys = {
    ArrowLeft: () => move(-60, 0), ArrowRight: () => move(60, 0), ArrowUp: () => move(0, -60), ArrowDown: () => move(0, 60),
    "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), 0: () => { map.show(true); map.draw(); },
  };
  frame.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey || !map.shapes ? null : keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  // Whoever points at an area need not have come to the map by keyboard.
  const hide = (event) => {
    if (!root.isConnected) window.removeEventListener("keydown", hide);
    else if (event.key === "Escape") tip.hidden = true;
  };
  window.addEventListener("keydown", hide);
  const buttons = { nearer: () => zoom(1.6), farther: () => zoom(1 / 1.6), everything: () => { map.show(true); map.draw(); }, board: () => { map.show(false); map.draw(); } };
  for (const [name, act] of Object.entries(buttons)) root.querySelector(`.area-${name}`).addEventListener("click", () => map.shapes && act());
  // Whoever has come near stays there, whatever the width.
  new ResizeObserver(() => {
    if (!map.shapes) return;
    if (map.scale > map.least * 1.01) map.least = fit(map.shapes.box, ...size());
    else map.show(true);
    map.draw();
  }).observe(canvas);
  said.textContent = "";
  return map;
}
