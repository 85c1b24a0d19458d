// The label beside its image: a card a region, in reading order, with what can be done to it. A sample's caption, and the text of one
// without regions, have a card, too. `chosen` is the number of the region, or the name of that card.

const cards = el("div", { class: "reading", id: "cards" });
let at = null; // the entry that is shown
let sample = null; // and its record
let chosen = -1;
let editing = false;
let mode = ""; // "new": a box is drawn; "order": regions are clicked in the order in which they are read
let inOrder = 0;

const PARTS = ["caption", "text"];
const partsOf = () => PARTS.filter((part) => (part === "caption" ? sample.task === "caption" || sample.caption : !regionsOf(sample).length && sample.task !== "caption"));
const targets = () => [...partsOf(), ...regionsOf(sample).keys()];

// How a region's text runs: as the record's did, or as most of the sample's do.
function dirOf(region) {
  const known = sample.regions[region.of]?.dir;
  if (known) return known;
  const counts = new Map();
  for (const { dir } of sample.regions) counts.set(dir, (counts.get(dir) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? sample.dir;
}

const directedAs = (dir) => ({ ...directed(dir, sample.lang), "data-script": sample.script });

function changeRegions(change, token = "", then = undefined) {
  const regions = structuredClone(regionsOf(sample));
  const result = change(regions) ?? regions;
  if (then !== undefined) chosen = then;
  setWork(at, settled(sample, { ...workOf(at), regions: result }), token);
}

const changeRegion = (i, change, token = "") => changeRegions((regions) => regions.with(i, change(regions[i])), token);
const setPart = (part, text, token) => setWork(at, settled(sample, { ...workOf(at), [part]: text }), token);

function addRegion(box) {
  const after = typeof chosen === "number" ? chosen : regionsOf(sample).length - 1;
  const region = { box, polygon: [], label: sample.task === "caption" ? "image" : "text", format: "markdown", text: "", is_unread: false, continues: false, of: -1 };
  setMode("");
  changeRegions((regions) => void regions.splice(after + 1, 0, region), "", after + 1);
  edit();
}

// By keys: a box of the size of the chosen one, below it, or beside it where text runs down.
function addBeside() {
  const region = regionsOf(sample)[chosen];
  const [w, h] = sample.size;
  const [x0, y0, x1, y1] = region?.box ?? [w * 0.1, 0, w * 0.9, h * 0.05];
  const [dx, dy] = region && dirOf(region) === "ttb" ? [x0 - x1, 0] : [0, region ? y1 - y0 : h * 0.1];
  addRegion(shifted(fitted([x0, y0, x1, y1]), dx, dy));
}

function removeRegion() {
  if (typeof chosen !== "number" || chosen < 0) return;
  const i = chosen;
  editing = false;
  changeRegions((regions) => void regions.splice(i, 1), "", Math.min(i, regionsOf(sample).length - 2));
}

function moveRegion(by) {
  const to = chosen + by;
  if (typeof chosen !== "number" || to < 0 || to >= regionsOf(sample).length) return;
  const i = chosen;
  changeRegions((regions) => void regions.splice(to, 0, ...regions.splice(i, 1)), "", to);
}

function putInOrder(i) {
  if (i < inOrder) return say(`Region ${i + 1} has its place already.`);
  changeRegions((regions) => void regions.splice(inOrder, 0, ...regions.splice(i, 1)), "", inOrder);
  inOrder += 1;
  say(inOrder === regionsOf(sample).length ? "All regions are in order." : `Click what is read next: number ${inOrder + 1}.`, true);
  if (inOrder === regionsOf(sample).length) setMode("");
}

function setMode(name) {
  mode = mode === name ? "" : name;
  inOrder = 0;
  desk.dataset.mode = mode;
  for (const button of desk.querySelectorAll("[data-mode-of]")) button.setAttribute("aria-pressed", String(button.dataset.modeOf === mode));
  if (mode === "new") say("Drag over the image to draw a box. Escape leaves it.", true);
  else if (mode === "order") say("Click the regions in the order in which they are read. R ends it.", true);
  else say("");
}

// Scripts whose words have no space between them.
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]$/u;

function joinRegions() {
  const regions = regionsOf(sample);
  if (typeof chosen !== "number" || chosen + 1 >= regions.length) return say("There is no region behind it to join.");
  const [a, b] = [regions[chosen], regions[chosen + 1]];
  const box = [Math.min(a.box[0], b.box[0]), Math.min(a.box[1], b.box[1]), Math.max(a.box[2], b.box[2]), Math.max(a.box[3], b.box[3])];
  const isProse = a.format === "markdown" && !["list", "code"].includes(a.label);
  const between = !a.text || !b.text ? "" : !isProse ? "\n" : UNSPACED.test(a.text) ? "" : " ";
  const text = a.text + between + b.text;
  const i = chosen;
  changeRegions((all) => void all.splice(i, 2, { ...a, box, polygon: [], text, is_unread: a.is_unread && b.is_unread, continues: b.continues }));
}

// In two: the text at the caret, or at the line's or word's end next to the middle; the box in the same proportion.
function splitRegion(caret = -1) {
  const region = regionsOf(sample)[chosen];
  if (!region) return;
  const { text } = region;
  let place = caret;
  if (place < 0) {
    const breaks = [...text.matchAll(text.includes("\n") ? /\n/g : /\s/g)].map(({ index }) => index);
    place = breaks.sort((a, b) => Math.abs(a - text.length / 2) - Math.abs(b - text.length / 2))[0] ?? text.length;
  }
  const share = Math.min(0.9, Math.max(0.1, text && place < text.length ? place / text.length : 0.5));
  const [x0, y0, x1, y1] = region.box;
  const down = dirOf(region) === "ttb";
  const cut = down ? Math.round(x1 - share * (x1 - x0)) : Math.round(y0 + share * (y1 - y0));
  if ((down ? x1 - x0 : y1 - y0) < 2 * LEAST_SIDE) return say("The box is too small to be split.");
  const [first, second] = down ? [[cut, y0, x1, y1], [x0, y0, cut, y1]] : [[x0, y0, x1, cut], [x0, cut, x1, y1]];
  const i = chosen;
  const parts = [[first, text.slice(0, place).trimEnd()], [second, text.slice(place).trimStart()]];
  changeRegions((all) => void all.splice(i, 1, ...parts.map(([box, said], n) => ({ ...region, box: fitted(box), polygon: [], text: said, continues: n === 1 && region.continues }))));
}

// Another label brings the format that its text has: bare LaTeX for formulas, HTML for tables.
function relabel(i, label) {
  changeRegion(i, (region) => {
    let { format } = region;
    if (label === "equation" && format !== "latex") format = "latex";
    else if (label === "table" && /<table[\s>]/i.test(region.text)) format = "html";
    else if (region.label !== label && ["latex", "html"].includes(format) && !["equation", "table", "chart"].includes(label)) format = "markdown";
    return { ...region, label, format };
  });
}

const toggleRegion = (i, name) => changeRegion(i, (region) => (name === "is_unread" && !region.is_unread ? { ...region, is_unread: true, text: "" } : { ...region, [name]: !region[name] }));

function pickReading(i, number) {
  const region = regionsOf(sample)[i];
  const reading = region && readingsFor(region)[number];
  if (!reading) return say("This region has no such reading.");
  changeRegion(i, (each) => ({ ...each, text: reading.text, is_unread: false }));
}

const decisionFor = (region) => sample.decisions.find((decision) => decision.region === region.of);
const readingsFor = (region) => readingsOf(decisionFor(region), sample.regions[region.of]?.text ?? "");

function choose(target, focus = true) {
  if (target === chosen && !editing) return focus ? cardOf(chosen)?.focus({ preventScroll: true }) : undefined;
  const before = chosen;
  flushField();
  editing = false;
  chosen = target;
  paintCard(before);
  paintCard(chosen);
  if (overlay) paintHandles();
  const card = cardOf(chosen);
  if (!card) return;
  reveal(card);
  if (focus) card.focus({ preventScroll: true });
  const shape = overlay?.querySelector(`.region[data-region="${chosen}"]`);
  if (shape) scrollWithin(stage, shape);
}

function edit() {
  if (chosen === -1) choose(targets()[0] ?? -1, false);
  if (chosen === -1) return;
  editing = true;
  paintCard(chosen);
  const field = cardOf(chosen).querySelector("textarea");
  field.focus({ preventScroll: true });
  field.setSelectionRange(field.value.length, field.value.length);
  reveal(cardOf(chosen));
}

function endEdit() {
  flushField();
  editing = false;
  paintCard(chosen);
  cardOf(chosen)?.focus({ preventScroll: true });
}

// On a small screen the whole page scrolls.
const isSmall = matchMedia("(max-width: 1080px)");

function reveal(card) {
  if (isSmall.matches) card.scrollIntoView({ block: "nearest" });
  else scrollWithin(pane, card);
}

const cardOf = (target) => cards.querySelector(`[data-target="${target}"]`);

function drawCards() {
  const lazily = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      lazily.unobserve(target);
      if (!target.hasChildNodes()) paintCard(targetOf(target));
    }
  }, { root: isSmall.matches ? null : pane, rootMargin: "600px" });
  cards.replaceChildren(...targets().map((target) => {
    const card = el("article", {
      tabindex: 0, "data-target": target, "data-region": typeof target === "number" ? target : null,
      style: typeof target === "number" ? `--hue:${hueOf(regionsOf(sample)[target].label)}` : null,
      "aria-label": typeof target === "number" ? `Region ${target + 1}, ${regionsOf(sample)[target].label}` : target,
      onfocus: () => target !== chosen && choose(target, false), onclick: (event) => event.target.closest("button, select, textarea, input") || choose(target, false),
      ondblclick: (event) => event.target.closest("button, select, textarea") || edit(),
      onmouseenter: (event) => pointerMoved(event) && typeof target === "number" && highlight(target), onmouseleave: () => highlight(-1),
    });
    lazily.observe(card);
    return card;
  }));
  if (chosen !== -1) paintCard(chosen);
}

const targetOf = (card) => (card.dataset.region === undefined ? card.dataset.target : Number(card.dataset.region));

function paintCard(target) {
  const card = cardOf(target);
  if (!card) return;
  card.classList.toggle("chosen", target === chosen);
  if (typeof target === "string") return paintPart(card, target);
  const region = regionsOf(sample)[target];
  if (!region) return;
  const isOpen = target === chosen;
  const original = sample.regions[region.of];
  const changed = !original || !same(regionOf(original, region.of), region);
  const head = el("header", {}, el("b", {}, String(target + 1)));
  if (isOpen) {
    const select = (name, values, value, change) => el("select", { "aria-label": name, "data-select": name, onchange: (event) => change(event.target.value) },
      ...(values.includes(value) ? values : [value, ...values]).map((each) => el("option", { value: each, selected: each === value }, each)));
    head.append(select("label", look.labels, region.label, (label) => relabel(target, label)),
      select("format", look.formats, region.format, (format) => changeRegion(target, (each) => ({ ...each, format }))));
  } else head.append(el("span", { class: "label" }, region.label));
  if (region.is_unread) head.append(el("span", { class: "tag" }, "unread"));
  if (region.continues) head.append(el("span", { class: "tag" }, "goes on"));
  if (changed) head.append(el("span", { class: "tag mine" }, original ? "changed" : "new"));
  head.append(el("span", { class: "by" }, original ? madeBy({ ...original, score: original.score < 0 ? null : original.score, lines: [], continues: false, format: "markdown" }) : ""));
  const parts = [head];
  const dir = dirOf(region);
  if (isOpen && editing) {
    const runs = region.format === "markdown" ? dir : "ltr";
    parts.push(el("div", { class: runs === "ttb" ? "upright" : "" }, sample.image ? ofHalfTheWindow(cutOut(sample, region.box), region.box) : null,
      field(region.text, runs, (text) => changeRegion(target, (each) => ({ ...each, text, is_unread: each.is_unread && !text }), `type ${sample.key} ${target}`))));
    const preview = el("div", { class: "preview" });
    if (region.text.length <= LONG) drawInto(preview, region, dir);
    parts.push(preview);
  } else {
    const body = el("div", {});
    drawInto(body, region, dir);
    if (original?.again && original.text === region.text) body.append(el("img", { class: "again", src: original.again, alt: "Drawn again from this label", draggable: "false" }));
    parts.push(body);
  }
  const decision = decisionFor(region);
  const found = decision ? readingsFor(region) : [];
  if (decision && (found.length > 1 || !["kept", "alone"].includes(decision.outcome))) {
    parts.push(isOpen ? drawReadings(region, decision, found, (i) => pickReading(target, i), sample.lang, dir)
      : el("p", { class: "decided" }, el("b", { class: `outcome ${decision.outcome}` }, String(decision.outcome)), ` ${found.length} readings`));
  }
  if (isOpen) parts.push(toolsOf(target, region));
  const top = pane.scrollTop;
  card.replaceChildren(...parts);
  pane.scrollTop = top;
}

// A tall part of the image is made smaller, since the text that it stands above must stay in sight; a small one is made larger.
function ofHalfTheWindow(cut, [x0, y0, x1, y1]) {
  cut.style.maxWidth = `${1.6 * (x1 - x0)}px`;
  cut.style.width = `min(100%, ${Math.round(45 * (x1 - x0) / (y1 - y0))}vh)`;
  return cut;
}

function drawInto(node, region, dir) {
  const isRunning = region.format === "markdown" && region.label !== "code";
  node.className = `${node.classList.contains("preview") ? "preview " : ""}body drawn`;
  if (isRunning && region.text) for (const [name, value] of Object.entries(directedAs(dir))) if (value !== null) node.setAttribute(name, value);
  const nodes = region.text ? labelNodes(region) : [el("em", {}, region.is_unread ? "not read yet" : "no text")];
  node.replaceChildren(...nodes);
}

const LONG = 5_000; // characters of a text that isn't kept at each key, nor drawn before it is left
let flushField = () => {};
addEventListener("pagehide", () => flushField());

// A field that shows what is typed below it, as it would be drawn.
function field(text, dir, typed) {
  const area = el("textarea", { rows: 1, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-label": "The label’s text", ...directedAs(dir) });
  area.value = text;
  const grow = () => {
    const [side, extent] = dir === "ttb" ? ["width", "scrollWidth"] : ["height", "scrollHeight"];
    if (area.value.length > LONG) return void (area.style[side] = "45vh");
    area.style[side] = dir === "ttb" ? "3rem" : "auto";
    area.style[side] = `${Math.min(innerHeight * 0.6, area[extent] + 4)}px`;
  };
  let timer = 0;
  const keep = () => {
    clearTimeout(timer);
    timer = 0;
    quietly(() => typed(area.value));
    const preview = area.closest("article")?.querySelector(".preview");
    if (preview && typeof chosen === "number" && area.value.length > LONG) preview.replaceChildren(el("p", { class: "note" }, "Too long to be drawn at each key: it is when you leave the field."));
    else if (preview && typeof chosen === "number") drawInto(preview, regionsOf(sample)[chosen], dir);
  };
  flushField = () => timer && keep();
  area.addEventListener("input", () => {
    grow();
    if (area.value.length <= LONG) keep();
    else timer ||= setTimeout(keep, 1_500);
  });
  requestAnimationFrame(grow);
  return area;
}

function toolsOf(i, region) {
  const tool = (label, key, does, more = {}) => el("button", { type: "button", title: `${label} (${key})`, onclick: does, ...more }, label, el("kbd", {}, key));
  return el("div", { class: "tools" },
    tool("Edit", "E", edit), tool("Up", "Alt ↑", () => moveRegion(-1)), tool("Down", "Alt ↓", () => moveRegion(1)), tool("Split", "V", () => splitRegion()),
    tool("Join", "J", joinRegions), tool("Delete", "Del", removeRegion),
    tool("Unread", "U", () => toggleRegion(i, "is_unread"), { "aria-pressed": String(region.is_unread) }),
    tool("Goes on", "G", () => toggleRegion(i, "continues"), { "aria-pressed": String(region.continues) }));
}

function paintPart(card, part) {
  const text = part === "text" ? textOf(sample) : captionOf(sample);
  const original = part === "text" ? sample.text : sample.caption;
  const head = el("header", {}, el("b", {}, part), text !== original ? el("span", { class: "tag mine" }, "changed") : null);
  if (part === chosen && editing) card.replaceChildren(head, field(text, sample.dir, (typed) => setPart(part, typed, `type ${sample.key} ${part}`)));
  else {
    const body = el("div", { class: "body", ...directedAs(sample.dir) }, ...(text ? clamped(text.slice(0, MOST_DRAWN * 5)) : [el("em", {}, "no text")]));
    if (text.length > MOST_DRAWN * 5) body.append(el("p", { class: "note" }, `… and ${(text.length - MOST_DRAWN * 5).toLocaleString("en")} characters more`));
    card.replaceChildren(head, body, el("div", { class: "tools" }, el("button", { type: "button", onclick: () => { choose(part, false); edit(); } }, "Edit", el("kbd", {}, "E"))));
  }
}
