// A sheet of lines to correct, or to transcribe. One line is shown at a time, so that hundreds cost no more than one.
// Each line's answer has a key of its own in localStorage: two tabs of a sheet don't undo each other's work.

const sheet = JSON.parse(document.getElementById("lines").textContent);
const lines = sheet.lines;
const isAudit = sheet.kind === "audit";
const VERDICTS = { accept: "right", edit: isAudit ? "transcribed" : "corrected", skip: "skipped", not_a_line: "not a line" };
const ZOOMS = [1, 1.5, 2, 3, 4];
const LINE_HEIGHT = 44;
// Letters of these stand above or below each other.
const TALL = ["Arab", "Deva", "Beng", "Gujr", "Guru", "Khmr", "Knda", "Laoo", "Lepc", "Mlym", "Mymr", "Orya", "Sinh", "Syrc", "Taml", "Telu", "Thai", "Tibt"];
const FACES = {
  Hans: "Noto Sans CJK SC", Hant: "Noto Sans CJK TC", Jpan: "Noto Sans CJK JP", Kore: "Noto Sans CJK KR", Arab: "Noto Naskh Arabic",
  Tibt: "Noto Serif Tibetan", Yiii: "Noto Sans Yi", Latn: "Noto Sans", Cyrl: "Noto Sans", Grek: "Noto Sans",
};

let answers = new Map();
let keeps = true;
// Answers that no file has. Chromium (156, tried) gives a file's page an empty localStorage of its own now and then, one load in five
// and more, and what is stored there is gone with the page: only a saved file is safe.
let unsaved = false;
let at = 0;
let zoom = 0;
const byId = new Map(lines.map((line, number) => [line.id, number]));
const place = (id) => `pagewheel/${sheet.mark}/${id}`;

function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    keeps = false;
    return null;
  }
}

function store(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    keeps = false;
    say("This browser keeps nothing for this page: save before you close it.");
  }
}

function parsed(text) {
  try {
    const answer = JSON.parse(text);
    if (typeof answer?.text === "string" && (answer.verdict === "" || answer.verdict in VERDICTS)) return answer;
  } catch {
    return null;
  }
  return null;
}

function recall() {
  answers = new Map();
  for (const line of lines) {
    const answer = parsed(stored(place(line.id)));
    if (answer) answers.set(line.id, answer);
  }
}

// "" is no verdict yet: what was typed so far.
function answer(line, verdict, text) {
  const value = { verdict, text };
  unsaved = true;
  if (!verdict && text === line.reading) {
    answers.delete(line.id);
    store(place(line.id), null);
  } else {
    answers.set(line.id, value);
    store(place(line.id), JSON.stringify(value));
  }
  paintCell(byId.get(line.id));
  paintCounts();
}

const clean = (text) => text.normalize("NFC").replace(/\s+/g, " ").trim();
const judged = (line) => Boolean(answers.get(line.id)?.verdict);
const inFilter = (line) => !language.value || line.lang === language.value;

// What the field shows at first: a line that was skipped, or is none, shows its reading again.
function standing(line) {
  const known = answers.get(line.id);
  return known && known.verdict !== "skip" && known.verdict !== "not_a_line" ? known.text : line.reading;
}

function say(text, good = false) {
  message.textContent = text;
  message.classList.toggle("good", good);
}

// The page's parts.
const who = el("input", { type: "text", id: "who", autocomplete: "off", oninput: () => store("pagewheel/by", who.value) });
const language = el("select", { id: "language", onchange: () => languageChosen() });
const counts = el("b", { id: "counts", "aria-live": "polite" });
const message = el("p", { class: "message", id: "message", role: "status" });
const cells = el("ol", { class: "cells", "aria-label": "Lines" });
const facts = el("p", { class: "facts-of-line" });
const contextPicture = el("img", { alt: "" });
const frame = el("i");
const contextInner = el("div", { class: "inner" }, contextPicture, frame);
const context = el("div", { class: "context", "aria-label": "The line on its page" }, contextInner);
const cropPicture = el("img", { alt: "The line" });
const cropInner = el("div", { class: "inner" }, cropPicture);
const crop = el("div", { class: "crop" }, cropInner);
const text = el("textarea", { id: "text", dir: "auto", rows: 1, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-label": "The line’s text" });
const pair = el("div", {}, crop, text);
const load = el("input", { type: "file", id: "load", accept: ".jsonl", hidden: true, onchange: () => loadFile() });
const button = (label, key, does, more = {}) => el("button", { type: "button", onclick: does, ...more }, label, key && el("kbd", {}, key));
const actions = {
  accept: button(isAudit ? "Take it" : "Right as it stands", "Enter", () => take(), { "data-verdict": "accept" }),
  edit: button(isAudit ? "Type" : "Correct", "E", () => edit(), { "data-verdict": "edit" }),
  skip: button("Skip: can’t tell", "S", () => judge("skip"), { "data-verdict": "skip" }),
  not_a_line: button("Not a line", "X", () => judge("not_a_line"), { "data-verdict": "not_a_line" }),
};
const desk = el("div", { class: "desk", tabindex: -1, id: "desk" }, facts, context, pair,
  el("div", { class: "actions" }, ...Object.values(actions),
    button("Previous", "←", () => step(-1)), button("Next", "→", () => step(1)),
    button("Larger", "+", () => setZoom(zoom + 1)), button("Smaller", "−", () => setZoom(zoom - 1))));

function build() {
  for (const lang of [...new Set(lines.map((line) => line.lang))].sort()) {
    const number = lines.filter((line) => line.lang === lang).length;
    language.append(el("option", { value: lang }, `${lang} ${languageName(lang)} (${number})`));
  }
  language.prepend(el("option", { value: "" }, `all languages (${lines.length})`));
  language.value = "";
  for (const [number, line] of lines.entries()) {
    cells.append(el("li", {}, button("", "", () => show(number), { title: `${number + 1}: ${line.lang}`, "aria-label": `Line ${number + 1}, ${line.lang}` })));
  }
  document.getElementById("sheet").append(
    el("div", { class: "bar-top" }, counts, el("label", {}, "language ", language), el("span", { class: "end" }, el("label", {}, "your name ", who),
      button("Load", "", () => load.click(), { title: "Go on with a file that was saved" }), load,
      button("Save", "Ctrl S", () => save(), { id: "save" }), button("Keys", "?", () => keys.showModal()))),
    message, cells,
    el("div", { class: "legend" }, ...Object.entries(VERDICTS).filter(([name]) => !isAudit || name !== "accept")
      .map(([name, label]) => el("span", {}, el("i", { class: name }), label))),
    desk);
  who.value = stored("pagewheel/by") ?? "";
}

const keys = document.getElementById("keys");

function paintCell(number) {
  const cell = cells.children[number].firstChild;
  const known = answers.get(lines[number].id);
  cell.className = known ? known.verdict || "draft" : "";
  if (number === at) cell.setAttribute("aria-current", "true");
  else cell.removeAttribute("aria-current");
  cell.parentNode.hidden = !inFilter(lines[number]);
}

function paintCounts() {
  const shown = lines.filter(inFilter);
  counts.textContent = `${shown.filter(judged).length} of ${shown.length} judged`;
  const verdict = answers.get(lines[at]?.id)?.verdict ?? "";
  for (const [name, action] of Object.entries(actions)) action.setAttribute("aria-pressed", String(name === verdict));
}

function show(number, typing = false) {
  if (!lines.length) return;
  const before = at;
  at = number;
  const line = lines[at];
  text.value = standing(line);
  text.lang = line.lang;
  const face = FACES[line.script] ?? `Noto Sans ${scriptName(line.script)}`;
  text.style.fontFamily = `"${face}", "Noto Sans", sans-serif`;
  text.classList.toggle("tall", TALL.includes(line.script));
  text.classList.toggle("left", line.script === "Mong" || line.script === "Phag");
  pair.className = line.vertical ? "upright" : "";
  facts.replaceChildren(el("b", {}, `${at + 1} of ${lines.length}`), ` · ${line.lang} ${languageName(line.lang)} · `,
    el("bdi", {}, line.document), ` · page ${line.page + 1}${isAudit ? "" : ` · ${line.reason.replaceAll("_", " ")} (${line.score.toFixed(3)})`}`);
  for (const picture of [contextPicture, cropPicture]) picture.src = line.picture;
  layOut();
  paintCell(before);
  paintCell(at);
  paintCounts();
  if (typing) edit();
  else desk.focus({ preventScroll: true });
  const next = lines[at + 1];
  if (next) new Image().src = next.picture;
}

// Sizes in CSS pixels: the line as high as large print, and at first no wider than the page.
function layOut() {
  const line = lines[at];
  const [width, height] = line.size;
  const [x0, y0, x1, y1] = line.box;
  const room = desk.clientWidth - 2 || 800;
  const scale = Math.min(1, room / width);
  contextInner.style.cssText = `width:${width * scale}px;height:${height * scale}px`;
  contextPicture.style.cssText = `left:0;top:0;width:${width * scale}px;height:${height * scale}px`;
  frame.style.cssText = `left:${x0 * scale - 3}px;top:${y0 * scale - 3}px;width:${(x1 - x0) * scale + 6}px;height:${(y1 - y0) * scale + 6}px`;
  const [long, short] = line.vertical ? [y1 - y0, x1 - x0] : [x1 - x0, y1 - y0];
  const pad = short * 0.2;
  const fit = line.vertical ? innerHeight * 0.6 : room;
  const times = Math.min(LINE_HEIGHT / short, fit / (long + 2 * pad)) * ZOOMS[zoom];
  cropInner.style.cssText = `width:${(x1 - x0 + 2 * pad) * times}px;height:${(y1 - y0 + 2 * pad) * times}px;margin-left:${line.rtl ? "auto" : 0}`;
  cropPicture.style.cssText = `left:${(pad - x0) * times}px;top:${(pad - y0) * times}px;width:${width * times}px;height:${height * times}px`;
  context.scrollTop = Math.max(0, (y0 + y1) / 2 * scale - context.clientHeight / 2);
  crop.scrollLeft = line.rtl ? crop.scrollWidth : 0;
}

function setZoom(number) {
  zoom = Math.min(ZOOMS.length - 1, Math.max(0, number));
  layOut();
}

function step(by) {
  keepDraft();
  for (let number = at + by; number >= 0 && number < lines.length; number += by) {
    if (inFilter(lines[number])) return show(number);
  }
  say(by > 0 ? "This is the last line." : "This is the first line.");
}

// The next line that has no verdict, from here on and then from the beginning.
function advance(typing) {
  const order = [...lines.keys()].map((n) => (at + 1 + n) % lines.length);
  const next = order.find((number) => inFilter(lines[number]) && !judged(lines[number]));
  if (next === undefined) {
    desk.focus({ preventScroll: true });
    return say("Every line is judged: save the file.", true);
  }
  say("");
  show(next, typing);
}

function edit() {
  text.focus();
  text.setSelectionRange(text.value.length, text.value.length);
}

// What stands in the field is right.
function take() {
  const line = lines[at];
  const typed = clean(text.value);
  if (!typed) return say("Type what the line says. S skips a line that nobody can read, X says that it is none.");
  const typing = document.activeElement === text;
  answer(line, typed === clean(line.reading) ? "accept" : "edit", typed === clean(line.reading) ? line.reading : typed);
  advance(typing || isAudit);
}

function judge(verdict) {
  answer(lines[at], verdict, "");
  advance(isAudit);
}

function keepDraft() {
  const line = lines[at];
  if (!line) return;
  if (text.value === standing(line)) return;
  answer(line, "", text.value);
}

function languageChosen() {
  for (const number of lines.keys()) paintCell(number);
  paintCounts();
  const first = [...lines.keys()].find((number) => inFilter(lines[number]) && !judged(lines[number]));
  show(first ?? [...lines.keys()].find((number) => inFilter(lines[number])) ?? 0);
}

function rows() {
  const by = clean(who.value);
  return lines.filter(judged).map((line) => {
    const { verdict, text: said } = answers.get(line.id);
    return { id: line.id, image: line.image, reading: line.reading, text: said, verdict, by };
  });
}

function save() {
  keepDraft();
  if (!clean(who.value)) {
    who.focus();
    return say("Write your name first: the file says whose work it is.");
  }
  const saved = rows();
  const blob = new Blob([saved.map((row) => JSON.stringify(row) + "\n").join("")], { type: "application/jsonl" });
  const link = el("a", { href: URL.createObjectURL(blob), download: `${sheet.name}.jsonl` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  unsaved = false;
  say(`Saved ${saved.length} lines in ${sheet.name}.jsonl.`, true);
}

async function loadFile() {
  const file = load.files[0];
  if (!file) return;
  const before = unsaved;
  let found = 0;
  for (const written of (await file.text()).split("\n")) {
    const value = parsed(written);
    const number = byId.get(value && JSON.parse(written).id);
    if (number === undefined || !value.verdict) continue;
    answer(lines[number], value.verdict, value.text);
    found += 1;
  }
  unsaved = before;
  load.value = "";
  show(at);
  say(found ? `${found} lines loaded.` : "The file has no line of this sheet.", found > 0);
}

text.addEventListener("input", () => {
  answer(lines[at], "", text.value);
});

// Letters as the keyboard types them, or by their place on it where it types another script.
const code = (event) => (/^[a-z]$/i.test(event.key) ? `Key${event.key.toUpperCase()}` : event.code);
const COMMANDS = {
  Enter: take, KeyE: edit, F2: edit, KeyS: () => judge("skip"), KeyX: () => judge("not_a_line"),
  ArrowRight: () => step(1), ArrowLeft: () => step(-1), KeyJ: () => step(1), KeyK: () => step(-1),
  "+": () => setZoom(zoom + 1), "-": () => setZoom(zoom - 1), Equal: () => setZoom(zoom + 1), NumpadAdd: () => setZoom(zoom + 1), Minus: () => setZoom(zoom - 1), NumpadSubtract: () => setZoom(zoom - 1),
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229 || keys.open || !lines.length) return;
  if ((event.ctrlKey || event.metaKey) && code(event) === "KeyS") {
    event.preventDefault();
    return save();
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === text) {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      take();
    } else if (event.key === "Escape") desk.focus({ preventScroll: true });
    return;
  }
  if (["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName)) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target === who)) desk.focus({ preventScroll: true });
    return;
  }
  if (event.key === "?") return keys.showModal();
  if (event.target.tagName === "BUTTON" && event.key === "Enter") return;
  const command = COMMANDS[code(event)] ?? COMMANDS[event.key];
  if (!command) return;
  event.preventDefault();
  command();
});

addEventListener("storage", (event) => {
  const number = event.key?.startsWith(place("")) ? byId.get(event.key.slice(place("").length)) : undefined;
  if (number === undefined) return;
  const value = parsed(event.newValue);
  if (value) answers.set(lines[number].id, value);
  else answers.delete(lines[number].id);
  paintCell(number);
  paintCounts();
  if (number === at && document.activeElement !== text) text.value = standing(lines[at]);
});
addEventListener("resize", () => lines.length && layOut());
addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});

build();
recall();
for (const number of lines.keys()) paintCell(number);
if (lines.length) {
  const first = lines.findIndex((line) => !judged(line));
  show(Math.max(0, first), isAudit);
  if (answers.size) say(`Going on: ${lines.filter(judged).length} of ${lines.length} lines are judged.`, true);
  if (!keeps) say("This browser keeps nothing for this page: save before you close it.");
}
