// The page viewer. The address is the one source of what it shows: everything that is clicked or typed changes the address,
// and the address changes the viewer. So each state is a link, and back and forward need no code of their own.

// The state of one viewer as it stands in the address: #v=coarse&key=…&lang=…&show=bo. Any other fragment is an anchor.
const FILTERS = ["lang", "script", "verdict", "level", "reason"];

function readHash() {
  const text = location.hash.slice(1);
  if (!text.includes("=")) return null;
  const params = new URLSearchParams(text);
  const state = { v: params.get("v") ?? "", key: params.get("key") ?? "", show: params.get("show") };
  for (const name of FILTERS) state[name] = params.get(name) ?? "";
  return state;
}

function writeHash(state) {
  const out = new URLSearchParams({ v: state.v });
  if (state.key) out.set("key", state.key);
  for (const name of FILTERS) if (state[name]) out.set(name, state[name]);
  if (state.show !== null) out.set("show", state.show);
  return "#" + out;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { readonly: true, class: "offscreen" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

const TOGGLES = [
  ["b", "regions", "Region boxes"], ["l", "lines", "Line boxes"], ["o", "order", "Reading order"],
  ["t", "text", "Text over the image"], ["i", "image", "Page image"], ["z", "zoom", "Twice the width"],
];
const viewers = [];
let ownChange = false;

class Viewer {
  constructor(root) {
    this.root = root;
    this.name = root.dataset.viewer;
    const index = JSON.parse(document.getElementById(`${this.name}-index`).textContent);
    this.pages = index.pages;
    this.total = index.total;
    this.first = index.show; // the toggles that are on where the address names none
    this.state = { v: this.name, key: "", show: null, ...Object.fromEntries(FILTERS.map((f) => [f, ""])) };
    root.replaceChildren();
    if (!this.pages.length) {
      const why = this.total ? "None of the dataset’s pages fits in this report." : "There are no pages to look at yet.";
      root.append(el("p", { class: "note" }, why));
      root.classList.add("empty");
      return;
    }
    this.build();
    this.apply(this.state);
  }

  build() {
    this.selects = {};
    const filters = el("div", { class: "filters" });
    for (const name of FILTERS) {
      const counts = countsBy(this.pages, (page) => this.values(page, name));
      const title = name === "lang" ? "language" : name;
      const select = filterSelect(name, title, counts, { onchange: () => this.go({ [name]: select.value }) });
      select.disabled = !counts.size;
      this.selects[name] = select;
      if (counts.size || name !== "level") filters.append(el("label", {}, el("span", {}, title), select));
    }
    this.count = el("p", { class: "count", "aria-live": "polite" });
    this.clear = el("button", { type: "button", class: "clear", onclick: () => this.go(Object.fromEntries(FILTERS.map((f) => [f, ""]))) }, "Clear");
    this.list = el("ol", { class: "list", "aria-label": "Pages" });
    this.items = new Map(this.pages.map((page) => [page.key, this.listItem(page)]));
    const side = el("aside", {}, filters, el("div", { class: "counted" }, this.count, this.clear), this.list);

    const button = (text, label, action, more = {}) => el("button", { type: "button", "aria-label": label, title: label, onclick: action, ...more }, text);
    this.toggles = TOGGLES.map(([letter, name, title]) =>
      button(name, `${title} (${letter})`, () => this.toggle(letter), { "data-toggle": letter, "aria-pressed": "false" }));
    this.position = el("span", { class: "position" });
    const copy = button("copy link", "Copy a link to what is shown (c)", () => this.copy());
    this.copyButton = copy;
    const bar = el("div", { class: "bar-top", role: "toolbar", "aria-label": "Page" },
      el("div", { class: "group" }, button("←", "Previous page (left arrow)", () => this.step(-1), { "data-step": "-1" }), this.position,
        button("→", "Next page (right arrow)", () => this.step(1), { "data-step": "1" })),
      el("div", { class: "group" }, ...this.toggles),
      el("div", { class: "group end" }, copy, button("?", "Keys (?)", showHelp)));
    this.stage = el("div", { class: "stage", tabindex: -1 });
    this.side = el("div", { class: "beside" });
    this.root.append(side, bar, this.stage, this.side);
  }

  listItem(page) {
    const link = el("a", { "data-key": page.key, title: page.uri, onclick: (event) => this.chosen(event, page.key) },
      el("i", { class: page.verdict, title: page.verdict }), el("code", {}, page.lang), el("span", { class: "file" }, fileOf(page.uri)),
      el("span", { class: "num" }, page.page >= 0 ? `p. ${page.page + 1}` : ""),
      ...(page.difficulty >= 0 ? [el("span", { class: "num", title: "difficulty, from 0 to 1" }, page.difficulty.toFixed(2))] : []));
    return el("li", {}, link);
  }

  values(page, name) {
    if (name === "level") return page.level ? [page.level] : [];
    return name === "reason" ? page.reasons : [page[name]];
  }

  chosen(event, key) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.go({ key });
  }

  // The state that `change` leads to, in the address. Filters lead to their first page unless the one shown passes them.
  go(change, replace = false) {
    const next = { ...this.state, key: this.shownKey ?? this.state.key, ...change };
    if (FILTERS.some((name) => name in change)) {
      const matching = this.matching(next);
      if (!matching.some((page) => page.key === next.key)) next.key = matching[0]?.key ?? "";
    }
    const hash = writeHash(next);
    if (hash === location.hash) return this.apply(next);
    ownChange = true;
    if (replace) location.replace(hash);
    else location.hash = hash;
  }

  step(by) {
    if (!this.matched?.length) return;
    const at = this.matched.findIndex((page) => page.key === this.shownKey);
    const to = at < 0 ? 0 : Math.min(this.matched.length - 1, Math.max(0, at + by));
    if (to !== at) this.go({ key: this.matched[to].key });
  }

  toggle(letter) {
    const on = new Set(this.state.show ?? this.first);
    if (!on.delete(letter)) on.add(letter);
    // Replaced, not added: going back should leave the page, not undo each box that was switched on.
    const show = TOGGLES.map(([l]) => l).filter((l) => on.has(l)).join("");
    this.go({ show: show === this.first ? null : show }, true);
  }

  async copy() {
    const url = location.href.split("#")[0] + writeHash({ ...this.state, key: this.shownKey ?? "" });
    this.copyButton.textContent = (await copyText(url)) ? "copied" : "not allowed";
    setTimeout(() => (this.copyButton.textContent = "copy link"), 1500);
  }

  matching(state) {
    return this.pages.filter((page) => FILTERS.every((name) => !state[name] || this.values(page, name).includes(state[name])));
  }

  apply(state) {
    if (!this.selects) return;
    this.state = state;
    this.matched = this.matching(state);
    for (const name of FILTERS) {
      const select = this.selects[name];
      select.querySelector("[data-extra]")?.remove();
      const known = [...select.options].some((option) => option.value === state[name]);
      if (!known) select.append(el("option", { value: state[name], "data-extra": true }, `${state[name]} (0)`));
      select.value = state[name];
      select.classList.toggle("set", Boolean(state[name]));
    }
    this.clear.hidden = !FILTERS.some((name) => state[name]);
    for (const button of this.toggles) {
      const on = (state.show ?? this.first).includes(button.dataset.toggle);
      button.setAttribute("aria-pressed", String(on));
      this.root.classList.toggle(`show-${button.dataset.toggle}`, on);
    }
    this.count.textContent = `${this.matched.length} of ${this.pages.length} pages`;
    this.count.title = this.shows();
    this.list.replaceChildren(...this.matched.map((page) => this.items.get(page.key)));
    for (const page of this.matched) {
      this.items.get(page.key).firstChild.setAttribute("href", writeHash({ ...state, key: page.key }));
    }
    const key = state.key || this.matched[0]?.key;
    if (!key) this.say("No page in this report passes these filters.", this.shows());
    else if (!this.items.has(key)) this.say(`This report has no page “${key}”.`, this.shows());
    else if (key !== this.shownKey) this.show(key);
    this.mark();
  }

  mark() {
    const at = this.matched.findIndex((page) => page.key === this.shownKey);
    this.position.textContent = `${at < 0 ? "–" : at + 1} / ${this.matched.length}`;
    this.root.querySelector("[data-step='-1']").disabled = at === 0 || !this.matched.length;
    this.root.querySelector("[data-step='1']").disabled = at === this.matched.length - 1;
    this.list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const link = at < 0 ? null : this.items.get(this.shownKey).firstChild;
    link?.setAttribute("aria-current", "page");
    if (link) scrollWithin(this.list, link);
  }

  shows() {
    const all = this.pages.length === this.total;
    return all ? `It shows all ${this.total} pages of the dataset.` : `It shows ${this.pages.length} of the dataset’s ${this.total} pages.`;
  }

  say(what, more) {
    this.shownKey = null;
    this.stage.hidden = false;
    const reset = el("button", { type: "button", onclick: () => this.go({ ...Object.fromEntries(FILTERS.map((f) => [f, ""])), key: this.pages[0].key }) }, "Show all pages");
    this.stage.replaceChildren(el("div", { class: "message", role: "status" }, el("p", {}, what), el("p", { class: "note" }, more), reset));
    this.side.replaceChildren();
  }

  show(key) {
    this.shownKey = key;
    // Parsed and decoded only now: what makes a file of many pages open at once.
    const page = JSON.parse(document.getElementById(`${this.name}-page-${key}`).textContent);
    this.stage.hidden = page.task === "text";
    const hot = (i) => this.hot(i);
    this.stage.replaceChildren(drawSheet(page, `${this.name}-arrow`, hot, (i) => this.side.querySelector(`article[data-region="${i}"]`)?.focus()));
    this.side.replaceChildren(drawFacts(page), drawDoubts(page), drawText(page, hot, (i) => this.reveal(i)));
    this.stage.scrollTop = this.side.scrollTop = 0;
  }

  hot(i) {
    for (const node of this.root.querySelectorAll(".hot")) node.classList.remove("hot");
    // Where the pointer points at nothing, the region with the focus has it.
    if (i < 0) i = Number(this.side.querySelector("article:focus")?.dataset.region ?? -1);
    if (i < 0) return;
    for (const node of this.root.querySelectorAll(`[data-region="${i}"]`)) node.classList.add("hot");
    const card = this.side.querySelector(`article[data-region="${i}"]`);
    if (card && !card.matches(":hover")) scrollWithin(this.side, card);
  }

  reveal(i) {
    const shape = this.stage.querySelector(`.region[data-region="${i}"]`);
    if (shape) scrollWithin(this.stage, shape);
  }
}

function fromHash() {
  const own = ownChange;
  ownChange = false;
  const state = readHash();
  if (!state) return;
  const viewer = viewers.find((v) => v.name === state.v) ?? viewers[0];
  if (!viewer) return;
  viewer.apply({ ...state, v: viewer.name });
  if (!own) viewer.root.closest("section").scrollIntoView();
}

// Keys go to the viewer that most of the window shows.
function currentViewer() {
  const seen = (v) => {
    const { top, bottom } = v.root.getBoundingClientRect();
    return Math.min(bottom, innerHeight) - Math.max(top, 0);
  };
  return viewers.filter((v) => v.selects).sort((a, b) => seen(b) - seen(a))[0];
}

function showHelp() {
  let dialog = document.getElementById("keys");
  if (!dialog) {
    const keys = [["← →", "previous and next page within the filters"], ...TOGGLES.map(([letter, , title]) => [letter, title.toLowerCase() + " on and off"]),
      ["c", "copy a link to what is shown"], ["Tab", "from region to region of the text"], ["?", "this list"], ["Esc", "close"]];
    dialog = el("dialog", { id: "keys", "aria-label": "Keys" }, el("h3", {}, "Keys"),
      el("dl", {}, ...keys.map(([key, does]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, does)))),
      el("button", { type: "button", onclick: () => dialog.close() }, "Close"));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    document.body.append(dialog);
  }
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.("input, select, textarea")) return;
  if (event.key === "?") return showHelp();
  const viewer = currentViewer();
  if (!viewer || document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (key === "arrowleft") viewer.step(-1);
  else if (key === "arrowright") viewer.step(1);
  else if (key === "c") viewer.copy();
  else if (TOGGLES.some(([letter]) => letter === key)) viewer.toggle(key);
  else return;
  event.preventDefault();
});

for (const root of document.querySelectorAll(".viewer")) viewers.push(new Viewer(root));
addEventListener("hashchange", fromHash);
fromHash();
