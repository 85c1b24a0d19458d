// An audit: a region at a time, whose label the page doesn't have. What stands in the box is typed.

const HOW = {
  markdown: "Type what stands in the box, line by line or as a paragraph.",
  html: "Type the table: a line a row, cells parted by a tab, or HTML.",
  latex: "Type the formula in LaTeX.",
  smiles: "Type the molecule as SMILES.",
  geometry: "Type the figure’s label.",
};
const answer = el("textarea", { id: "answer", rows: 2, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-label": "What stands in the box",
  oninput: () => quietly(() => setWork(at, { ...NO_WORK, verdict: "", text: answer.value }, `type ${idOf(at)}`)) });

function showItem(entry) {
  at = entry;
  sample = { ...entry, task: "page", doubts: [], regions: [], caption: "" };
  const dir = entry.format === "markdown" ? entry.dir : "ltr";
  const page = { ...entry, task: "page", doubts: [], regions: [{ label: "text", box: entry.box, polygon: entry.polygon, text: "", format: "markdown", lines: [], dir }] };
  stage.replaceChildren(drawSheet(page, "look-arrow", () => {}, () => {}));
  const shape = stage.querySelector(".region");
  shape.classList.add("chosen");
  const work = workOf(entry);
  answer.value = work.text ?? "";
  for (const name of ["dir", "data-dir", "lang", "data-script"]) answer.removeAttribute(name);
  for (const [name, value] of Object.entries({ ...directed(dir, entry.lang), "data-script": entry.script })) if (value !== null) answer.setAttribute(name, value);
  const verdict = (name, label, key) => el("button", { type: "button", "data-verdict": name, "aria-pressed": String(work.verdict === name), onclick: () => answerWith(name) }, label, el("kbd", {}, key));
  pane.replaceChildren(
    el("p", { class: "note" }, `${entry.lang} ${languageName(entry.lang)} · `, el("bdi", {}, fileOf(entry.uri)), entry.page >= 0 ? ` · page ${entry.page + 1}` : ""),
    entry.image ? ofHalfTheWindow(cutOut(entry, entry.box), entry.box) : el("p", { class: "note" }, "This sample has no image that a browser shows."),
    el("p", {}, HOW[entry.format] ?? HOW.markdown), answer);
  verdictBar.replaceChildren(verdict("typed", "Take it", "Ctrl Enter"), verdict("nothing", "Nothing stands there", "X"), verdict("skip", "Skip: nobody can tell", "S"));
  requestAnimationFrame(() => scrollWithin(stage, shape));
  markPlace();
  location.replace(`#key=${encodeURIComponent(idOf(entry))}`);
  answer.focus({ preventScroll: true });
}

function answerWith(verdict) {
  if (verdict === "typed" && !clean(answer.value)) return say("Type what stands in the box. Escape, then X says that nothing does, S that nobody can tell.");
  setWork(at, { ...NO_WORK, verdict, text: verdict === "typed" ? answer.value : null });
  step(1, true);
}
