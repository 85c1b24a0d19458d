// The list of samples, worst first, with its filters and its search.

const LOOK_FILTERS = isAudit ? ["lang", "script", "work"] : ["lang", "script", "verdict", "reason", "outcome", "difficulty", "task", "work"];
const FILTER_NAMES = { lang: "language", work: "my work" };
const WORK_NAMES = ["not judged", ...VERDICTS];
const filters = Object.fromEntries(LOOK_FILTERS.map((name) => [name, ""]));
let searched = ""; // what is looked for
let hits = null; // the ids that have it; null while nothing is looked for
let matched = entries;
let byPointer = false;

const list = el("ol", { class: "list", "aria-label": "Samples" });
const listCount = el("p", { class: "count", "aria-live": "polite" });
const selects = {};
const items = new Map();
const searchField = el("input", { type: "search", id: "search", placeholder: "text, key or file", autocomplete: "off", "aria-label": "Search", onchange: () => search(searchField.value),
  oninput: () => searchField.value || search("") });

function difficultyOf(entry) {
  if (entry.level) return [entry.level];
  if (!(entry.difficulty >= 0)) return [];
  const low = Math.min(0.75, Math.floor(entry.difficulty * 4) / 4);
  return [`${low.toFixed(2)} to ${(low + 0.25).toFixed(2)}`];
}

function valuesOf(entry, name) {
  if (name === "reason") return entry.reasons;
  if (name === "outcome") return entry.outcomes;
  if (name === "difficulty") return difficultyOf(entry);
  if (name === "work") return [workOf(entry).verdict || "not judged"];
  return [entry[name]];
}

function buildList() {
  const filterBox = el("div", { class: "filters" });
  for (const name of LOOK_FILTERS) {
    const counts = name === "work" ? new Map(WORK_NAMES.map((value) => [value, 0])) : countsBy(entries, (entry) => valuesOf(entry, name));
    if (!counts.size || (name === "task" && counts.size < 2)) continue;
    const title = FILTER_NAMES[name] ?? name;
    const select = filterSelect(name, title, counts, { onpointerdown: () => (byPointer = true), onkeydown: () => (byPointer = false), onchange: () => filterBy(name, select.value) });
    selects[name] = select;
    filterBox.append(el("label", {}, el("span", {}, title), select));
  }
  filterBox.append(el("label", {}, el("span", {}, "search"), searchField));
  for (const [number, entry] of entries.entries()) {
    const outcome = entry.outcomes?.find((each) => each === "unread" || each === "drawn");
    const link = el("a", { href: `#key=${encodeURIComponent(idOf(entry))}`, title: entry.uri, onclick: (event) => { event.preventDefault(); goTo(entry); } },
      el("i", {}), el("code", {}, entry.lang), el("span", { class: "file" }, fileOf(entry.uri)), el("span", { class: "num" }, entry.page >= 0 ? `p. ${entry.page + 1}` : ""),
      el("span", { class: "num" }, entry.rejected ? "rejected" : outcome ?? (entry.difficulty >= 0 ? entry.difficulty.toFixed(2) : isAudit ? String(number + 1) : entry.verdict === "suspect" ? "?" : "")));
    items.set(idOf(entry), el("li", {}, link));
    list.append(items.get(idOf(entry)));
    paintItem(entry);
  }
  const clear = el("button", { type: "button", class: "clear", id: "clear", onclick: clearFilters }, "Clear");
  const said = isAudit ? [] : [el("p", { class: "note whole" }, wholeOf())];
  const folded = el("details", { class: "filters-of", open: !isSmall.matches }, el("summary", {}, "Filters and search"), filterBox);
  return el("aside", {}, folded, el("div", { class: "counted" }, listCount, clear), ...said, list);
}

// What of the dataset the page has.
function wholeOf() {
  const shown = entries.filter((entry) => !entry.rejected).length;
  const parts = [shown < look.total ? `The ${shown.toLocaleString("en")} worst of ${look.total.toLocaleString("en")} samples, worst first.` : "All samples, worst first."];
  const marked = Object.entries(look.marked).map(([mark, n]) => `${n} ${mark.replaceAll("_", " ")}`);
  const rejected = entries.length - shown;
  if (rejected) parts.push(`Then ${rejected.toLocaleString("en")} rejected.`);
  if (marked.length) parts.push(`Left out: ${marked.join(", ")}.`);
  if (look.damaged) parts.push(`${look.damaged} can’t be read.`);
  return parts.join(" ");
}

function paintItem(entry) {
  const work = workOf(entry);
  const link = items.get(idOf(entry))?.firstChild;
  if (link) link.firstChild.className = `work ${work.verdict || (isEmpty(work) ? "" : "draft")}`;
}

function filterBy(name, value) {
  filters[name] = value;
  if (byPointer) desk.focus({ preventScroll: true }); // who chose by arrow keys goes on choosing
  paintList(true);
}

function clearFilters() {
  for (const name of LOOK_FILTERS) filters[name] = "";
  searchField.value = searched = "";
  hits = null;
  paintList(true);
}

// Also in what was typed here. All chunks are loaded for it.
async function search(typed) {
  searched = typed.trim();
  if (!searched) hits = null;
  else {
    const wanted = searched.toLocaleLowerCase().normalize("NFC");
    const has = (...texts) => texts.some((text) => text.toLocaleLowerCase().normalize("NFC").includes(wanted));
    if (!isAudit) {
      say("Looking through all texts …", true);
      await Promise.allSettled([...new Set(entries.map(({ chunk }) => chunk))].map(loadChunk));
      say("");
    }
    hits = new Set(entries.filter((entry) => {
      const found = samples.get(entry.key);
      return has(entry.key, entry.uri) || (found && has(textOf(found), captionOf(found), ...regionsOf(found).map(({ text }) => text)));
    }).map(idOf));
  }
  paintList(true);
}

const passes = (entry) => (!hits || hits.has(idOf(entry))) && LOOK_FILTERS.every((name) => !filters[name] || valuesOf(entry, name).includes(filters[name]));

function paintList(moves = false) {
  matched = entries.filter(passes);
  list.replaceChildren(...matched.map((entry) => items.get(idOf(entry))));
  for (const [name, select] of Object.entries(selects)) {
    select.value = filters[name];
    select.classList.toggle("set", Boolean(filters[name]));
  }
  const isFiltered = hits || LOOK_FILTERS.some((name) => filters[name]);
  document.getElementById("clear").hidden = !isFiltered;
  listCount.textContent = `${matched.length.toLocaleString("en")} of ${entries.length.toLocaleString("en")}`;
  if (moves && matched.length && !matched.includes(at)) goTo(matched[0]);
  else if (moves && !matched.length) say("No sample passes these filters.");
  markPlace();
}

function markList() {
  list.querySelector("[aria-current]")?.removeAttribute("aria-current");
  const link = at && items.get(idOf(at))?.firstChild;
  if (!link?.isConnected) return;
  link.setAttribute("aria-current", "page");
  scrollWithin(list, link);
}
