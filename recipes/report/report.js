// What the report's parts share: elements, names of languages, the viewer's state in the address.

// Keeps a right-to-left name from reordering what stands around it, where no element can.
const isolate = (text) => `\u2068${text}\u2069`;

// Children that are strings become text nodes: document text is never parsed as HTML.
function el(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "rect", "polygon", "polyline", "circle", "text", "marker", "path", "defs", "title", "foreignObject"];
  const node = svg.includes(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// The browser's own name of a language or script, "" where it has none (it answers with the code, or throws on a bad one).
function nameOf(type, code, locale = "en") {
  try {
    const name = new Intl.DisplayNames([locale], { type, fallback: "none" }).of(code);
    return name && name.toLowerCase() !== code.toLowerCase() ? name : "";
  } catch {
    return "";
  }
}

function languageName(code) {
  if (!code || code === "und") return "undetermined";
  const english = nameOf("language", code);
  let native = "";
  try {
    // Where the browser lacks a locale it falls back to another's names: only a locale of its own knows the native one.
    if (Intl.DisplayNames.supportedLocalesOf([code]).length) native = nameOf("language", code, code);
  } catch {
    native = "";
  }
  return native && native.toLowerCase() !== english.toLowerCase() ? `${english} · ${native}` : english;
}

const scriptName = (code) => nameOf("script", code);

function fillNames(root) {
  for (const node of root.querySelectorAll("[data-lang-name]")) node.textContent = languageName(node.dataset.langName);
  for (const node of root.querySelectorAll("[data-script-name]")) node.textContent = scriptName(node.dataset.scriptName);
}

// The state of the one viewer that the address speaks of: #v=coarse&key=…&lang=…&show=bo. Any other fragment is an anchor.
const FILTERS = ["lang", "script", "verdict", "reason"];
const SHOWN_AT_FIRST = "bi";

function readHash() {
  const text = location.hash.slice(1);
  if (!text.includes("=")) return null;
  const found = new URLSearchParams(text);
  const state = { v: found.get("v") ?? "", key: found.get("key") ?? "", show: found.get("show") ?? SHOWN_AT_FIRST };
  for (const name of FILTERS) state[name] = found.get(name) ?? "";
  return state;
}

function writeHash(state) {
  const out = new URLSearchParams({ v: state.v });
  if (state.key) out.set("key", state.key);
  for (const name of FILTERS) if (state[name]) out.set(name, state[name]);
  if (state.show !== SHOWN_AT_FIRST) out.set("show", state.show);
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
