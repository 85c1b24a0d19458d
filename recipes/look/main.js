// The page's head, its keys, saving and loading; and the start.

const message = el("p", { class: "message", id: "message", role: "status" });
const countsOf = el("b", { id: "counts", "aria-live": "polite" });
const who = el("input", { type: "text", id: "who", autocomplete: "off", placeholder: "your name", "aria-label": "Your name", oninput: () => store("pagewheel/by", who.value) });
const loader = el("input", { type: "file", id: "load", accept: ".json", hidden: true, onchange: () => loadPatch() });

function say(text, good = false) {
  message.textContent = text;
  message.classList.toggle("good", good);
}

const KEYS = isAudit ? [
  ["Ctrl Enter", "take what was typed, on to the next"], ["Esc", "leave the field"], ["E", "into the field"], ["X", "nothing stands in the box"],
  ["S", "skip: nobody can tell"], ["← →", "the one before, the next"], ["Ctrl Z", "undo, outside the field"], ["Ctrl S", "save the patch"], ["?", "these keys"],
] : [
  ["Enter", "the sample is right as it stands now, or is no longer rejected; on to the next that isn’t judged"], ["X", "wrong: it is of no use"], ["S", "skip: can’t tell"],
  ["← →", "the sample before, the next"], ["↑ ↓", "the region before, the next"], ["E F2", "edit the text; Esc leaves it, Ctrl Enter goes on to the next region"],
  ["1 … 9", "take this reading"], ["L F", "the region’s label, its format"], ["N", "draw a new box on the image; with Shift, beside the chosen one"], ["Del", "delete the region"],
  ["Alt ↑ ↓", "the region earlier, later in reading order"], ["R", "click regions in reading order"], ["V J", "split the region, join it with the next; in the text Alt V splits at the caret"],
  ["Shift ← ↑ → ↓", "move the box"], ["Ctrl ← ↑ → ↓", "move its lower right corner; with Shift, its upper left one"], ["U G", "unread; goes on elsewhere"],
  ["Ctrl Z", "undo; with Shift, or Ctrl Y: redo"], ["K", "the sample as it was"], ["M /", "a note; search"], ["B O T I Z", "boxes, order, text, image, zoom"],
  ["Ctrl S", "save the patch"], ["?", "these keys"],
];
const keysDialog = el("dialog", { id: "keys", "aria-label": "Keys" }, el("h3", {}, "Keys"),
  el("dl", {}, ...KEYS.map(([key, does]) => el("div", {}, el("dt", {}, ...key.split(" ").map((each) => el("kbd", {}, each))), el("dd", {}, does)))),
  el("p", { class: "note" }, "What you do is kept in this browser, also when the tab is closed. Saving writes a patch, which goes back with ",
    el("code", {}, look.command), "."),
  el("p", { class: "note", id: "stranded" }), el("button", { type: "button", onclick: () => keysDialog.close() }, "Close"));
keysDialog.addEventListener("click", (event) => event.target === keysDialog && keysDialog.close());

function showKeys() {
  const stranded = strandedWork().length;
  document.getElementById("stranded").textContent = stranded
    ? `This browser also has work on ${stranded} samples that this page no longer shows, or that have changed since. No patch has it.` : "";
  keysDialog.showModal();
}

function buildHead() {
  document.body.append(el("header", { class: "look-head" },
    el("h1", {}, el("bdi", {}, look.dataset.name), el("small", {}, isAudit ? " audit" : "")), countsOf,
    el("span", { class: "end" }, who, el("button", { type: "button", title: "Go on with a patch that was saved", onclick: () => loader.click() }, "Load"), loader,
      el("button", { type: "button", id: "save", onclick: () => savePatch() }, "Save", el("kbd", {}, "Ctrl S")),
      el("button", { type: "button", id: "help", onclick: showKeys }, "Keys", el("kbd", {}, "?")))), message, keysDialog);
  who.value = look.by || (stored("pagewheel/by") ?? "");
}

function paintCounts() {
  const judged = entries.filter((entry) => workOf(entry).verdict);
  const changed = judged.filter((entry) => workOf(entry).verdict === "corrected").length;
  countsOf.textContent = `${judged.length.toLocaleString("en")} of ${entries.length.toLocaleString("en")} judged${changed ? `, ${changed} corrected` : ""}`;
}

function savePatch() {
  flushField();
  const by = clean(who.value);
  if (!by) {
    who.focus();
    return say("Write your name first: the patch says whose work it is.");
  }
  const patch = patchOf(by);
  const blob = new Blob([JSON.stringify(patch, null, 1) + "\n"], { type: "application/json" });
  const link = el("a", { href: URL.createObjectURL(blob), download: `${isAudit ? "audit" : "patch"}-${look.dataset.name}.json` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  unsaved = false;
  say(`Saved ${isAudit ? patch.samples.reduce((n, { answers }) => n + answers.length, 0) : patch.samples.length} in ${link.download}.`, true);
}

async function loadPatch() {
  const file = loader.files[0];
  if (!file) return;
  const before = unsaved;
  try {
    const [taken, left] = takePatch(JSON.parse(await file.text()));
    say(`${taken} taken from the file${left ? `; ${left} are of samples that the page doesn’t have, or has otherwise` : ""}.`, true);
    unsaved = before;
  } catch (error) {
    say(error instanceof SyntaxError ? "This file is no JSON." : error.message);
  }
  loader.value = "";
}

// Letters as the keyboard types them, or by their place on it where it types another script.
const code = (event) => (/^[a-z]$/i.test(event.key) ? `Key${event.key.toUpperCase()}` : event.code);
const openSelect = (name) => {
  const select = typeof chosen === "number" && cardOf(chosen)?.querySelector(`[data-select="${name}"]`);
  if (!select) return say("Choose a region first: ↑ ↓ or a click.");
  select.focus();
  try {
    select.showPicker();
  } catch {
    // Some browsers open it for a click alone: it has the focus, and letters choose in it.
  }
};
const ofRegion = (does) => () => (typeof chosen === "number" && chosen >= 0 ? does() : say("Choose a region first: ↑ ↓ or a click."));
const COMMANDS = isAudit ? {
  KeyE: () => answer.focus(), KeyX: () => answerWith("nothing"), KeyS: () => answerWith("skip"), ArrowLeft: () => step(-1), ArrowRight: () => step(1),
} : {
  Enter: () => judge("right"), KeyX: () => judge("wrong"), KeyS: () => judge("skip"), KeyE: edit, F2: edit, KeyK: asRead,
  ArrowLeft: () => step(-1), ArrowRight: () => step(1), ArrowUp: () => stepRegion(-1), ArrowDown: () => stepRegion(1),
  KeyL: () => openSelect("label"), KeyF: () => openSelect("format"), KeyN: () => setMode("new"), KeyR: () => setMode("order"),
  Delete: ofRegion(removeRegion), Backspace: ofRegion(removeRegion), KeyV: ofRegion(() => splitRegion()), KeyJ: ofRegion(joinRegions),
  KeyU: ofRegion(() => toggleRegion(chosen, "is_unread")), KeyG: ofRegion(() => toggleRegion(chosen, "continues")), KeyM: () => note.focus(),
  Slash: () => { searchField.closest("details").open = true; searchField.focus(); }, ...Object.fromEntries(SHOWS.map(([letter]) => [`Key${letter.toUpperCase()}`, () => toggleShow(letter)])),
};
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

let waiting = Promise.resolve();
let numWaiting = 0;

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229 || keysDialog.open || !entries.length) return;
  const key = code(event);
  const control = event.ctrlKey || event.metaKey;
  const isField = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
  const does = commandOf(event, key, control, isField);
  if (!does) return;
  event.preventDefault();
  if (asked === at && !numWaiting) return does();
  // A key that is pressed while a sample is on its way is meant for that sample.
  numWaiting += 1;
  waiting = waiting.then(() => going).then(() => {
    numWaiting -= 1;
    does();
  });
});

function commandOf(event, key, control, isField) {
  if (control && key === "KeyS") return savePatch;
  if (isField) return commandOfField(event, key, control);
  if (control && key === "KeyZ") return event.shiftKey ? redo : undo;
  if (control && key === "KeyY") return redo;
  if (!isAudit && key in ARROWS && !event.altKey && (control || event.shiftKey)) {
    const [dx, dy] = ARROWS[key].map((n) => n * (control ? 2 : 4));
    return () => nudge(dx, dy, control ? (event.shiftKey ? "nw" : "se") : "");
  }
  if (!isAudit && event.altKey && key === "ArrowUp") return () => moveRegion(-1);
  if (!isAudit && event.altKey && key === "ArrowDown") return () => moveRegion(1);
  if (control || event.altKey) return null;
  if (!isAudit && event.shiftKey && key === "KeyN") return addBeside;
  if (key === "Escape" && (drag || mode)) return () => { cancelDrag(); if (mode) setMode(mode); };
  if (event.key === "?") return showKeys;
  if (event.key === "/" && !isAudit) return COMMANDS.Slash;
  if (event.key === "Enter" && ["BUTTON", "A", "SUMMARY"].includes(event.target.tagName)) return null;
  if (!isAudit && /^[1-9]$/.test(event.key)) return ofRegion(() => pickReading(chosen, Number(event.key) - 1));
  return COMMANDS[key] ?? COMMANDS[event.key] ?? null;
}

function commandOfField(event, key, control) {
  const leave = () => desk.focus({ preventScroll: true });
  if (key === "Escape") return event.target.tagName === "TEXTAREA" && !isAudit ? endEdit : leave;
  if (event.target.tagName === "TEXTAREA") {
    if (control && event.key === "Enter") return isAudit ? () => answerWith("typed") : () => { endEdit(); stepRegion(1); };
    if (!isAudit && event.altKey && key === "KeyV" && typeof chosen === "number") return () => splitRegion(event.target.selectionStart);
    return null;
  }
  if (event.target.tagName === "INPUT" && event.key === "Enter") return event.target === searchField ? () => { search(searchField.value); leave(); } : leave;
  return null;
}

addEventListener("hashchange", () => {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key && entryOf.has(key) && (!at || idOf(at) !== key)) goTo(entryOf.get(key));
});
addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});

buildHead();
buildDesk();
recall();
for (const entry of entries) paintItem(entry);
paintCounts();
paintList();
if (entries.length) {
  const asked = entryOf.get(new URLSearchParams(location.hash.slice(1)).get("key"));
  goTo(asked ?? entries.find((entry) => !workOf(entry).verdict) ?? entries[0]);
  if (works.size) say(`Going on: ${works.size} samples were worked on.`, true);
  if (!keeps) say("This browser keeps nothing for this page: save before you close it.");
} else stage.replaceChildren(el("p", { class: "message" }, "There is nothing to look at."));
