// The image with its boxes, which are chosen, dragged, resized and drawn anew. Coordinates are pixels of the record's image.

const HANDLES = [["nw", 0, 0], ["n", 0.5, 0], ["ne", 1, 0], ["e", 1, 0.5], ["se", 1, 1], ["s", 0.5, 1], ["sw", 0, 1], ["w", 0, 0.5]];
const LEAST_SIDE = 2;
const SMALL = 40; // screen pixels
const STARTS_AFTER = 4; // screen pixels: what moves less is a click

const stage = el("div", { class: "stage", tabindex: -1, "aria-label": "Image" });
let overlay = null; // the svg
let drag = null; // {kind, box, from, moved}

function fitted([x0, y0, x1, y1]) {
  const [w, h] = sample.size;
  const [left, right] = [Math.min(x0, x1), Math.max(x0, x1)].map((x) => Math.round(Math.min(w, Math.max(0, x))));
  const [top, bottom] = [Math.min(y0, y1), Math.max(y0, y1)].map((y) => Math.round(Math.min(h, Math.max(0, y))));
  const [x, y] = [Math.min(left, Math.max(0, w - LEAST_SIDE)), Math.min(top, Math.max(0, h - LEAST_SIDE))];
  return [x, y, Math.min(w, Math.max(right, x + LEAST_SIDE)), Math.min(h, Math.max(bottom, y + LEAST_SIDE))];
}

function shifted(box, dx, dy) {
  const [w, h] = sample.size;
  const x = Math.min(w - box[2], Math.max(-box[0], Math.round(dx)));
  const y = Math.min(h - box[3], Math.max(-box[1], Math.round(dy)));
  return [box[0] + x, box[1] + y, box[2] + x, box[3] + y];
}

// The region with another box. A moved outline moves along; one that is resized becomes its box.
function withBox(region, box) {
  const [dx, dy] = [box[0] - region.box[0], box[1] - region.box[1]];
  const isMoved = box[2] - region.box[2] === dx && box[3] - region.box[3] === dy;
  return { ...region, box, polygon: isMoved ? region.polygon.map(([x, y]) => [x + dx, y + dy]) : [] };
}

function drawStage() {
  stage.hidden = !sample.image && sample.task === "text";
  const page = { ...sample, regions: regionsOf(sample).map((region) => ({ ...region, dir: dirOf(region), lines: [] })) };
  const kept = stage.querySelector("img");
  const sheet = drawSheet(page, "look-arrow", highlight, (i) => mode !== "order" && choose(i));
  const image = sheet.querySelector("img");
  if (kept && image && kept.src === image.src) image.replaceWith(kept);
  overlay = sheet.querySelector("svg");
  // Small boxes lie above large ones, so that both can be reached.
  const area = (node) => { const [x0, y0, x1, y1] = page.regions[node.dataset.region].box; return (x1 - x0) * (y1 - y0); };
  const layer = overlay.querySelector(".regions");
  layer.append(...[...layer.querySelectorAll(".region")].sort((a, b) => area(b) - area(a)), ...layer.querySelectorAll(".name"));
  overlay.append(el("g", { class: "handles" }));
  if (!sample.image) sheet.append(el("p", { class: "note no-image" }, "This sample has no image that a browser shows."));
  stage.replaceChildren(sheet);
  paintHandles();
}

function paintHandles(box = null) {
  const region = typeof chosen === "number" ? regionsOf(sample)[chosen] : null;
  for (const node of overlay.querySelectorAll(".region")) node.classList.toggle("chosen", Number(node.dataset.region) === chosen);
  const group = overlay.querySelector(".handles");
  const at = box ?? region?.box;
  if (!at) return group.replaceChildren();
  const [x0, y0, x1, y1] = at;
  // Of a small box only the corners have handles, so that its inside can be dragged.
  const perPixel = overlay.getBoundingClientRect().width / sample.size[0];
  const corners = Math.min(x1 - x0, y1 - y0) * perPixel < SMALL;
  group.classList.toggle("small", corners);
  group.replaceChildren(boxShape(at, { class: "frame" }),
    ...HANDLES.filter(([name]) => !corners || name.length === 2).map(([name, x, y]) => el("circle", { class: `handle ${name}`, "data-handle": name, cx: x0 + x * (x1 - x0), cy: y0 + y * (y1 - y0) })));
}

function pixelOf(event) {
  const rect = overlay.getBoundingClientRect();
  return [(event.clientX - rect.left) / rect.width * sample.size[0], (event.clientY - rect.top) / rect.height * sample.size[1]];
}

stage.addEventListener("pointerdown", (event) => {
  if (event.button || !overlay || !event.target.closest(".sheet")) return;
  const shape = event.target.closest(".region");
  const handle = event.target.dataset.handle;
  const from = pixelOf(event);
  if (mode === "new") drag = { kind: "new", box: [...from, ...from], from };
  else if (mode === "order") return void (shape && putInOrder(Number(shape.dataset.region)));
  else if (handle) drag = { kind: handle, box: regionsOf(sample)[chosen].box, from };
  else if (shape && Number(shape.dataset.region) === chosen) drag = { kind: "move", box: regionsOf(sample)[chosen].box, from };
  else if (event.target.closest(".frame")) drag = { kind: "move", box: regionsOf(sample)[chosen].box, from };
  else return;
  drag = { ...drag, moved: null, screen: [event.clientX, event.clientY], pointer: event.pointerId };
  event.preventDefault();
  stage.setPointerCapture(event.pointerId);
});

function dragged(event) {
  const [x, y] = pixelOf(event);
  const [dx, dy] = [x - drag.from[0], y - drag.from[1]];
  if (drag.kind === "move") return shifted(drag.box, dx, dy);
  if (drag.kind === "new") return fitted([...drag.from, x, y]);
  const [x0, y0, x1, y1] = drag.box;
  const has = (letter) => drag.kind.includes(letter);
  return fitted([has("w") ? x0 + dx : x0, has("n") ? y0 + dy : y0, has("e") ? x1 + dx : x1, has("s") ? y1 + dy : y1]);
}

stage.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.pointer) return;
  if (!drag.moved && Math.hypot(event.clientX - drag.screen[0], event.clientY - drag.screen[1]) < STARTS_AFTER) return;
  drag.moved = dragged(event);
  paintHandles(drag.moved);
});

stage.addEventListener("pointerup", (event) => {
  if (!drag || event.pointerId !== drag.pointer) return;
  const { kind, moved } = drag;
  drag = null;
  if (!moved) return mode === "new" ? say("Drag over the image to draw a box.") : undefined;
  if (kind === "new") addRegion(moved);
  else changeRegion(chosen, (region) => withBox(region, moved));
});

function cancelDrag() {
  drag = null;
  if (overlay) paintHandles();
}

stage.addEventListener("pointercancel", cancelDrag);

function highlight(i) {
  for (const node of desk.querySelectorAll(".hot")) node.classList.remove("hot");
  if (i < 0) return;
  for (const node of desk.querySelectorAll(`[data-region="${i}"]`)) node.classList.add("hot");
}

// By keys: moves the chosen box, or one of its corners.
function nudge(dx, dy, corner) {
  if (typeof chosen !== "number") return;
  const token = `nudge ${corner} ${at.key} ${chosen}`;
  changeRegion(chosen, (region) => {
    const [x0, y0, x1, y1] = region.box;
    if (corner === "se") return withBox(region, fitted([x0, y0, Math.max(x0 + LEAST_SIDE, x1 + dx), Math.max(y0 + LEAST_SIDE, y1 + dy)]));
    if (corner === "nw") return withBox(region, fitted([Math.min(x1 - LEAST_SIDE, x0 + dx), Math.min(y1 - LEAST_SIDE, y0 + dy), x1, y1]));
    return withBox(region, shifted(region.box, dx, dy));
  }, token);
}
