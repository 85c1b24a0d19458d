// The desk: the sample that is shown, its image, its label, and what is judged of it.

const pane = el("div", { class: "pane" }); // what scrolls beside the image
const verdictBar = el("div", { class: "verdicts" });
const beside = el("div", { class: "beside" }, verdictBar, pane);
const desk = el("main", { class: "viewer show-b show-i", id: "desk", tabindex: -1 });
const SHOWS = [["b", "boxes", "Region boxes"], ["o", "order", "Reading order"], ["t", "text", "Text over the image"], ["i", "image", "The image"], ["z", "zoom", "Twice the width"]];
let showing = new Set("bi");
let quiet = false;
let aboutIsOpen = false;

// While a field is typed into, nothing around it is drawn anew.
function quietly(does) {
  quiet = true;
  try {
    does();
  } finally {
    quiet = false;
  }
}

const verdictButtons = {
  right: el("button", { type: "button", "data-verdict": "right", onclick: () => judge("right") }, "Right", el("kbd", {}, "Enter")),
  wrong: el("button", { type: "button", "data-verdict": "wrong", onclick: () => judge("wrong") }, "Wrong", el("kbd", {}, "X")),
  skip: el("button", { type: "button", "data-verdict": "skip", onclick: () => judge("skip") }, "Skip", el("kbd", {}, "S")),
};
const note = el("input", { type: "text", id: "note", placeholder: "a note", "aria-label": "Note", autocomplete: "off",
  oninput: () => quietly(() => setWork(at, { ...workOf(at), note: note.value }, `note ${idOf(at)}`)) });
const restore = el("button", { type: "button", id: "restore", title: "As the record has it (K)", onclick: () => asRead() }, "As it was");
const position = el("span", { class: "position" });

function buildDesk() {
  const button = (text, label, does, more = {}) => el("button", { type: "button", "aria-label": label, title: label, onclick: does, ...more }, text);
  const tools = isAudit ? [] : [
    el("div", { class: "group" }, ...SHOWS.map(([letter, name, title]) => button(name, `${title} (${letter.toUpperCase()})`, () => toggleShow(letter), { "data-toggle": letter, "aria-pressed": String(showing.has(letter)) }))),
    el("div", { class: "group" }, button("new box", "Draw a new region (N)", () => setMode("new"), { "data-mode-of": "new", "aria-pressed": "false" }),
      button("reorder", "Click regions in reading order (R)", () => setMode("order"), { "data-mode-of": "order", "aria-pressed": "false" })),
  ];
  const bar = el("div", { class: "bar-top", role: "toolbar", "aria-label": "Sample" },
    el("div", { class: "group" }, button("←", "The sample before (left arrow)", () => step(-1)), position, button("→", "The next sample (right arrow)", () => step(1))),
    ...tools,
    el("div", { class: "group end" }, button("undo", "Undo (Ctrl Z)", undo), button("redo", "Redo (Ctrl Shift Z)", redo)));
  desk.append(buildList(), bar, stage, beside);
  document.body.append(desk);
}

function toggleShow(letter) {
  if (!showing.delete(letter)) showing.add(letter);
  for (const [each] of SHOWS) desk.classList.toggle(`show-${each}`, showing.has(each));
  for (const button of desk.querySelectorAll("[data-toggle]")) button.setAttribute("aria-pressed", String(showing.has(button.dataset.toggle)));
}

// Shows a sample. The last one that was asked for is shown, however long its chunk takes.
let asked = null;
let going = Promise.resolve();
function goTo(entry, stays = false) {
  going = arrive(entry, stays);
  return going;
}

async function arrive(entry, stays) {
  flushField();
  if (!entry) return;
  asked = entry;
  if (isAudit) return showItem(entry);
  let found;
  try {
    found = await sampleOf(entry);
  } catch (error) {
    if (asked !== entry) return;
    [at, sample, overlay] = [entry, null, null];
    stage.replaceChildren(el("p", { class: "message" }, `${error.message}: run make look again.`));
    verdictBar.replaceChildren();
    pane.replaceChildren();
    return markPlace();
  }
  if (asked !== entry) return;
  const isSame = at === entry;
  if (!isSame) say("");
  [at, sample, editing] = [entry, found, false];
  if (!isSame || !stays) chosen = -1;
  if (mode) setMode(mode);
  redraw();
  if (!isSame) {
    stage.scrollTop = stage.scrollLeft = pane.scrollTop = 0;
    if (!desk.querySelector("aside :is(select, input):focus")) desk.focus({ preventScroll: true });
    location.replace(`#key=${encodeURIComponent(entry.key)}`);
  }
  markPlace();
  const next = matched[matched.indexOf(entry) + 1];
  if (next) sampleOf(next).then(({ image }) => { if (image) new Image().src = image; }, () => {});
}

function redraw() {
  drawStage();
  note.value = workOf(at).note;
  verdictBar.replaceChildren(...Object.values(verdictButtons), restore, note);
  const reading = [aboutSample()];
  if (sample.doubts.length) reading.push(el("details", { class: "doubts-of" }, el("summary", {}, `In doubt: ${sample.reasons.join(", ").replaceAll("_", " ")}`), drawDoubts(sample)));
  const others = sample.decisions.filter((decision) => !sample.regions[decision.region]);
  if (others.length) reading.push(el("details", { class: "decided-of" }, el("summary", {}, `Decided of the whole, or of regions that are gone: ${others.length}`),
    ...others.map((decision) => drawReadings({ text: "", format: "markdown" }, decision, readingsOf(decision, ""), null, sample.lang, sample.dir))));
  pane.replaceChildren(...reading, cards);
  drawCards();
  paintVerdict();
}

function aboutSample() {
  const page = sample.page >= 0 ? ` · p. ${sample.page + 1}` : "";
  const difficulty = sample.difficulty >= 0 ? ` · difficulty ${sample.difficulty.toFixed(2)}` : "";
  return el("details", { class: "about-sample", open: aboutIsOpen, ontoggle: (event) => (aboutIsOpen = event.target.open) },
    el("summary", {}, el("bdi", {}, fileOf(sample.uri)), `${page} · ${sample.lang} · `, el("span", { class: `verdict ${sample.verdict}` }, sample.verdict), difficulty, at.rejected ? " · rejected" : ""), drawFacts(sample));
}

function paintVerdict() {
  const work = workOf(at);
  for (const [name, button] of Object.entries(verdictButtons)) button.setAttribute("aria-pressed", String(work.verdict === name || (name === "right" && ["corrected", "restored"].includes(work.verdict))));
  verdictButtons.right.firstChild.data = at.rejected ? "Restore" : work.verdict === "corrected" ? "Corrected" : "Right";
  restore.hidden = isEmpty(work);
}

function markPlace() {
  const place = matched.indexOf(at);
  position.textContent = `${place < 0 ? "–" : place + 1} / ${matched.length}`;
  markList();
}

// Called whenever the work on a sample changed, here or in another tab.
function workChanged(entry, elsewhere = false) {
  paintItem(entry);
  paintCounts();
  if (entry !== at) return;
  if (isAudit) return elsewhere && document.activeElement !== answer ? showItem(entry) : undefined;
  if (!sample) return;
  if (quiet) return paintVerdict();
  const top = pane.scrollTop;
  const wasHere = cards.contains(document.activeElement) && document.activeElement.tagName !== "TEXTAREA";
  if (!targets().includes(chosen)) chosen = -1;
  if (elsewhere && editing) return;
  redraw();
  pane.scrollTop = top;
  if (wasHere) cardOf(chosen)?.focus({ preventScroll: true });
}

function step(by, ofWork = false) {
  const place = matched.indexOf(at);
  if (!matched.length) return;
  if (ofWork) {
    const order = [...matched.keys()].map((n) => matched[(place + 1 + n) % matched.length]);
    const next = order.find((entry) => !workOf(entry).verdict);
    return next ? goTo(next) : say("Every sample here is judged: save the patch.", true);
  }
  const to = place + by;
  if (to < 0 || to >= matched.length) return say(by > 0 ? "This is the last sample." : "This is the first sample.");
  goTo(matched[to]);
}

// `right` on a sample that was edited says that it is right now: it stays a corrected one. On a rejected one it restores it.
function judge(verdict) {
  if (!at || !sample) return;
  const work = workOf(at);
  if (verdict === "right" && at.rejected) setWork(at, { ...NO_WORK, note: work.note, verdict: "restored" });
  else if (verdict === "right") setWork(at, { ...work, verdict: isEdited(work) ? "corrected" : "right" });
  else setWork(at, { ...work, verdict });
  step(1, true);
}

function asRead() {
  if (!at || isEmpty(workOf(at))) return;
  setWork(at, NO_WORK);
}

function stepRegion(by) {
  const all = targets();
  if (!all.length) return;
  const place = all.indexOf(chosen);
  choose(all[place < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, place + by))]);
}
