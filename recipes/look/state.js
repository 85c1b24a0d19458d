// What a person did: kept sample by sample in localStorage as they go, undone and redone, saved as one patch.

const look = window.pagewheelIndex;
const entries = look.entries;
const isAudit = look.kind === "audit";
const UNDO_MOST = 500;

// Chromium (156, tried) gives a file's page an empty localStorage of its own now and then: only a saved file is safe.
let unsaved = false;
let keeps = true;
const idOf = (entry) => (isAudit ? `${entry.key}/${entry.region}` : entry.key);
const entryOf = new Map(entries.map((entry) => [idOf(entry), entry]));
// A record that has changed since has another place: what was said of the earlier one isn't said of it.
const storePrefix = `pagewheel/look/${look.dataset.id}/`;
const placeOfWork = (entry) => `${storePrefix}${look.kind}/${idOf(entry)}/${isAudit ? entry.box.join("-") : entry.record.slice(0, 16)}`;

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
    say("This browser keeps nothing more for this page: save before you close it.");
  }
}

// Chunks of samples, each loaded as a script when one of its samples is needed.
const samples = new Map();
const chunks = new Map();

window.pagewheelChunk = (name, content) => {
  for (const sample of content) samples.set(sample.key, sample);
};

function loadChunk(name) {
  if (!chunks.has(name)) {
    chunks.set(name, new Promise((resolve, reject) => {
      const script = el("script", { src: `data/${name}.js`, onload: resolve, onerror: () => reject(new Error(`data/${name}.js is missing`)) });
      document.head.append(script);
    }));
  }
  return chunks.get(name);
}

async function sampleOf(entry) {
  await loadChunk(entry.chunk);
  const sample = samples.get(entry.key);
  if (!sample) throw new Error(`data/${entry.chunk}.js hasn’t ${entry.key}`);
  return sample;
}

// The work on each sample: {verdict, regions, text, caption, note}. Null stands for what the record has. Of an audit:
// {verdict, text}.
const NO_WORK = Object.freeze({ verdict: "", regions: null, text: null, caption: null, note: "" });
const VERDICTS = isAudit ? ["typed", "nothing", "skip"] : ["right", "corrected", "wrong", "restored", "skip"];
let works = new Map();
const workOf = (entry) => works.get(idOf(entry)) ?? NO_WORK;
const isEdited = (work) => work.regions !== null || work.text !== null || work.caption !== null;
const isEmpty = (work) => !work.verdict && !isEdited(work) && !work.note;

function parsedWork(text) {
  try {
    const work = JSON.parse(text);
    if (typeof work !== "object" || work === null || (work.verdict && !VERDICTS.includes(work.verdict))) return null;
    if (work.regions && !(Array.isArray(work.regions) && work.regions.every(isRegion))) return null;
    return { ...NO_WORK, ...work };
  } catch {
    return null;
  }
}

const isRegion = (r) => Array.isArray(r?.box) && r.box.length === 4 && r.box.every(Number.isFinite) && Array.isArray(r.polygon)
  && [r.label, r.format, r.text].every((value) => typeof value === "string") && Number.isInteger(r.of);

function recall() {
  works = new Map();
  for (const entry of entries) {
    const work = parsedWork(stored(placeOfWork(entry)));
    if (work) works.set(idOf(entry), work);
  }
}

// A region as the patch has it; `of` is the number of the record's region that it came from.
const regionOf = (region, of) => ({
  box: [...region.box], polygon: region.polygon.map((point) => [...point]), label: region.label, format: region.format, text: region.text,
  is_unread: region.is_unread, continues: region.continues, of,
});
const regionsAsRead = (sample) => sample.regions.map(regionOf);
const regionsOf = (sample) => workOf(entryOf.get(sample.key)).regions ?? regionsAsRead(sample);
const textOf = (sample) => workOf(entryOf.get(sample.key)).text ?? sample.text;
const captionOf = (sample) => workOf(entryOf.get(sample.key)).caption ?? sample.caption;
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// The work after an edit: what is as the record has it again counts as untouched. An edited sample is a corrected one, but for a
// rejected one: that has to be restored first.
function settled(sample, work) {
  const next = { ...work };
  if (next.regions && same(next.regions, regionsAsRead(sample))) next.regions = null;
  if (next.text === sample.text) next.text = null;
  if (next.caption === sample.caption) next.caption = null;
  if (isEdited(next)) next.verdict = entryOf.get(sample.key).rejected ? "" : "corrected";
  else if (next.verdict === "corrected") next.verdict = "";
  return next;
}

// Undo and redo, over all samples. Changes with one `token` in a row, as while typing, are one step.
let undone = [];
let done = [];

function setWork(entry, next, token = "") {
  const before = workOf(entry);
  if (same(before, next)) return;
  const last = done.at(-1);
  if (token && last?.token === token && last.id === idOf(entry)) last.after = next;
  else done.push({ id: idOf(entry), before, after: next, token });
  if (done.length > UNDO_MOST) done.shift();
  undone = [];
  putWork(entry, next);
}

function putWork(entry, work) {
  unsaved = true;
  if (isEmpty(work)) works.delete(idOf(entry));
  else works.set(idOf(entry), work);
  store(placeOfWork(entry), isEmpty(work) ? null : JSON.stringify(work));
  workChanged(entry);
}

function undo() {
  const step = done.pop();
  if (!step) return say("There is nothing to undo.");
  undone.push(step);
  putWork(entryOf.get(step.id), step.before);
  goTo(entryOf.get(step.id), true);
}

function redo() {
  const step = undone.pop();
  if (!step) return say("There is nothing to redo.");
  done.push({ ...step, token: "" });
  putWork(entryOf.get(step.id), step.after);
  goTo(entryOf.get(step.id), true);
}

// What other tabs of this page do.
addEventListener("storage", (event) => {
  const entry = event.key && entries.find((each) => placeOfWork(each) === event.key);
  if (!entry) return;
  const work = parsedWork(event.newValue);
  if (work) works.set(idOf(entry), work);
  else works.delete(idOf(entry));
  workChanged(entry, true);
});

// Work in this browser on samples that the page doesn't have, or not as they were.
function strandedWork() {
  try {
    const known = new Set(entries.map(placeOfWork));
    return Object.keys(localStorage).filter((key) => key.startsWith(`${storePrefix}${look.kind}/`) && !known.has(key));
  } catch {
    return [];
  }
}

const clean = (text) => text.normalize("NFC").trim();

// The patch of all that was judged, in the page's order.
function patchOf(by) {
  const judged = entries.filter((entry) => workOf(entry).verdict);
  return { form: "pagewheel patch", version: 1, dataset: look.dataset, by, kind: look.kind, samples: isAudit ? answered(judged) : judged.map(corrected) };
}

function corrected(entry) {
  const work = workOf(entry);
  const out = { key: entry.key, record: entry.record, verdict: work.verdict };
  if (work.verdict === "corrected") {
    if (work.regions) out.regions = work.regions;
    if (work.text !== null) out.text = work.text;
    if (work.caption !== null) out.caption = work.caption;
  }
  return { ...out, note: work.note };
}

function answered(judged) {
  const byKey = new Map();
  for (const entry of judged) {
    const { verdict, text } = workOf(entry);
    const answer = { region: entry.region, box: entry.box, text: verdict === "typed" ? clean(text ?? "") : "", verdict };
    byKey.set(entry.key, [...(byKey.get(entry.key) ?? []), answer]);
  }
  return [...byKey].map(([key, answers]) => ({ key, record: "", answers }));
}

// Takes the work of a saved patch. Returns how many of its samples the page has, and how many it hasn't, or has otherwise.
function takePatch(patch) {
  if (patch?.form !== "pagewheel patch" || patch.kind !== look.kind || !Array.isArray(patch.samples)) throw new Error("This is no patch of such a page.");
  if (patch.dataset?.id !== look.dataset.id) throw new Error(`This patch is of another dataset, ${patch.dataset?.name}.`);
  let [taken, left] = [0, 0];
  for (const said of patch.samples) {
    for (const part of isAudit ? said.answers ?? [] : [said]) {
      const entry = entryOf.get(isAudit ? `${said.key}/${part.region}` : said.key);
      const fits = entry && (isAudit ? same(part.box, entry.box) : said.record === entry.record);
      const work = fits && parsedWork(JSON.stringify({
        verdict: part.verdict, regions: part.regions ?? null, text: part.text ?? null, caption: part.caption ?? null, note: part.note ?? "",
      }));
      if (work) {
        setWork(entry, work);
        taken += 1;
      } else left += 1;
    }
  }
  return [taken, left];
}
