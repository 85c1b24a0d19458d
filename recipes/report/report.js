// What the report's parts share: elements, names of languages, long texts.

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

for (const node of document.querySelectorAll("[data-lang-name]")) node.textContent = languageName(node.dataset.langName);
for (const node of document.querySelectorAll("[data-script-name]")) node.textContent = scriptName(node.dataset.scriptName);

// A text as nodes: more than three blank lines in a row become one that counts them. A model may write hundreds.
function clamped(text) {
  const nodes = [];
  let lines = [];
  let blank = 0;
  const endBlank = () => {
    if (blank > 3) {
      nodes.push(lines.join("\n"), el("span", { class: "blank" }, `⋯ ${blank} blank lines`));
      lines = [];
    } else lines.push(...Array(blank).fill(""));
    blank = 0;
  };
  for (const line of text.split("\n")) {
    if (!line.trim()) blank += 1;
    else {
      endBlank();
      lines.push(line);
    }
  }
  endBlank();
  return [...nodes, lines.join("\n")].filter((node) => node !== "");
}

for (const node of document.querySelectorAll("[data-clamp]")) node.replaceChildren(...clamped(node.textContent));

