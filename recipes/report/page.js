// One page: its image under an overlay in image pixels, its text region by region, and what is known of it.

// By label, so that what belongs together looks alike.
const HUES = new Map(Object.entries({
  title: 265, sub_title: 265, toc: 265, text: 212, reference: 212, code: 240, list: 190, equation: 320, molecule: 320, geometry: 320,
  table: 150, table_caption: 170, table_footnote: 170, image: 28, chart: 28, image_caption: 48, seal: 10, header: 0, footer: 0,
  page_number: 0, footnote: 90,
}));
const hueOf = (label) => HUES.get(label) ?? 212;

// A resting pointer enters whatever is scrolled under it; only one that moved may take the highlight from the keyboard.
let pointerAt = "";
const placeOf = (event) => `${event.screenX},${event.screenY}`;
const pointerMoved = (event) => placeOf(event) !== pointerAt;
addEventListener("mousemove", (event) => (pointerAt = placeOf(event)), { capture: true, passive: true });

// Keeps a right-to-left name from reordering what stands around it, where no element can.
const isolate = (text) => `\u2068${text}\u2069`;

const fileOf = (uri) => uri.split(/[\\/]/).filter(Boolean).pop() ?? uri;

// A field that lets through what has one of these values: `counts` is by value, in the order of the list.
function filterSelect(name, title, counts, attributes) {
  const known = { lang: languageName, script: scriptName }[name] ?? (() => "");
  const options = [...counts].map(([value, count]) =>
    el("option", { value }, `${isolate(value)}${known(value) ? ` ${isolate(known(value))}` : ""}${count ? ` (${count})` : ""}`));
  return el("select", { "data-filter": name, ...attributes }, el("option", { value: "" }, `any ${title}`), ...options);
}

// How many entries have each value, by the value.
function countsBy(entries, valuesOf) {
  const counts = new Map();
  for (const entry of entries) for (const value of valuesOf(entry)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const center = (box) => [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
const boxShape = (box, attributes) =>
  el("rect", { x: box[0], y: box[1], width: box[2] - box[0], height: box[3] - box[1], ...attributes });
const outline = (box, polygon, attributes) =>
  polygon.length > 2 ? el("polygon", { points: polygon.map((p) => p.join(",")).join(" "), ...attributes }) : boxShape(box, attributes);

// `hot(i)` tells the other half which region the pointer or the focus is on, -1 for none; `pick(i)` that it was chosen.
function drawSheet(page, markerId, hot, pick) {
  const [width, height] = page.size;
  const sheet = el("div", { class: "sheet", style: `--w:${width};--h:${height}` });
  if (page.image) {
    const image = el("img", { alt: `Image of page ${page.page + 1}`, draggable: "false" });
    image.src = page.image;
    sheet.append(image);
  }
  if (page.doubts.some((doubt) => doubt.whole)) sheet.classList.add("shaded");
  const regions = el("g", { class: "regions" });
  const lines = el("g", { class: "lines" });
  const order = el("g", { class: "order" });
  const text = el("g", { class: "text" });
  const path = [];
  page.regions.forEach((region, i) => {
    const style = `--hue:${hueOf(region.label)}`;
    const events = { onmouseenter: (event) => pointerMoved(event) && hot(i), onmouseleave: () => hot(-1), onclick: () => pick(i) };
    const shape = { class: "region", "data-region": i, style, ...events };
    regions.append(outline(region.box, region.polygon, shape));
    // What a picture's objects are called stands in their boxes: there is no other text to show.
    if (page.task === "caption") regions.append(el("text", { x: region.box[0], y: region.box[1], class: "name" }, region.text));
    for (const line of region.lines) {
      lines.append(outline(line, line[7], { style }));
      text.append(...lineText(line, page.lang));
    }
    if (!region.lines.length && region.text) text.append(blockText(region, page.lang));
    // The badge stands where reading starts, outside the box, so that it hides no letter.
    const fromRight = region.dir === "rtl" || region.dir === "ttb";
    const start = [fromRight ? region.box[2] : region.box[0], region.box[1]];
    path.push(start.join(","));
    const tag = el("text", { x: start[0], y: start[1] }, String(i + 1));
    order.append(el("g", { style, class: fromRight ? "from-right" : "from-left" }, el("circle", { cx: start[0], cy: start[1] }), tag));
  });
  const arrow = el("marker", { id: markerId, viewBox: "0 0 8 8", refX: 5, refY: 4, markerWidth: 5, markerHeight: 5, orient: "auto" });
  arrow.append(el("path", { d: "M0 0 L8 4 L0 8 Z" }));
  order.prepend(el("polyline", { points: path.join(" "), "marker-mid": `url(#${markerId})`, "marker-end": `url(#${markerId})` }));
  const overlay = el("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  overlay.append(el("defs", {}, arrow), text, lines, regions, order);
  sheet.append(overlay);
  // Strokes and badges keep their size on screen: --u is the image pixels that one screen pixel covers.
  new ResizeObserver(() => sheet.clientWidth && sheet.style.setProperty("--u", width / sheet.clientWidth)).observe(sheet);
  return sheet;
}

// A line's text stretched over its box, whatever font the browser has for it.
function lineText([x0, y0, x1, y1, text, dir], lang) {
  const [w, h] = [x1 - x0, y1 - y0];
  const ground = boxShape([x0, y0, x1, y1], { class: "ground" });
  if (!text.trim()) return [ground];
  const [x, y] = center([x0, y0, x1, y1]);
  const down = dir === "ttb";
  const node = el("text", {
    x, y, lang: lang === "und" ? null : lang, class: down ? "down" : "", direction: dir === "rtl" ? "rtl" : "ltr",
    "font-size": Math.max(1, (down ? w : h) * 0.76), textLength: Math.max(1, down ? h : w), lengthAdjust: "spacingAndGlyphs",
  }, text.trim());
  return [ground, node];
}

// A region without lines: its text set in the box, at the size that about fills it.
function blockText(region, lang) {
  const [x0, y0, x1, y1] = region.box;
  const [w, h] = [x1 - x0, y1 - y0];
  const size = Math.max(4, Math.min(h * 0.7, Math.sqrt((w * h) / (region.text.length + 1)) * 0.95));
  const inner = el("div", { class: "block", style: `font-size:${size}px`, ...directed(region.dir, lang) });
  inner.append(isTable(region) ? drawTable(region.text) : region.text);
  return el("foreignObject", { x: x0, y: y0, width: w, height: h }, inner);
}

function directed(dir, lang) {
  return { dir: dir === "ttb" ? "ltr" : dir, "data-dir": dir, lang: lang === "und" ? null : lang };
}

const isTable = (region) => region.format === "html" && region.text;

// The parser meets nothing but these tags, and of attributes the spans: browsers complain of handlers that they don't run, too.
const TABLE_TAGS = new Set("table thead tbody tfoot tr td th caption br sub sup b i u s strong em".split(" "));

function tableMarkup(html) {
  const spans = (tag) => [...tag.matchAll(/\s((?:row|col)span)\s*=\s*["']?(\d{1,4})/gi)].map(([, name, n]) => ` ${name}="${n}"`).join("");
  return html.replace(/<(script|style)\b[^]*?<\/\1\s*>/gi, "").replace(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/gi, (tag, end, name) =>
    (TABLE_TAGS.has(name.toLowerCase()) ? `<${end}${name}${end ? "" : spans(tag)}>` : ""));
}

// A table's rows and cells are built anew from the parsed text: no element or attribute of the document's own gets in. `inside`
// makes the nodes of a cell.
function drawTable(html, inside = (cell) => [cell.textContent]) {
  const table = el("table");
  for (const row of new DOMParser().parseFromString(tableMarkup(html), "text/html").querySelectorAll("tr")) {
    const out = el("tr");
    for (const cell of row.querySelectorAll("td,th")) {
      const span = (name) => Math.min(100, Math.max(1, parseInt(cell.getAttribute(name), 10) || 1));
      out.append(el(cell.localName, { rowspan: span("rowspan"), colspan: span("colspan") }, ...inside(cell)));
    }
    table.append(out);
  }
  return table;
}

function drawText(page, hot, pick) {
  const list = el("div", { class: "reading" });
  page.regions.forEach((region, i) => {
    const formula = ["latex", "smiles", "geometry"].includes(region.format);
    const body = el("div", { class: formula ? "body formula" : "body", ...(formula || !region.text ? {} : directed(region.dir, page.lang)) });
    if (isTable(region)) body.append(drawTable(region.text));
    else if (region.text) body.append(...clamped(region.text));
    else body.append(el("em", {}, region.is_unread ? "not read yet" : "no text"));
    if (region.again) {
      const image = el("img", { class: "again", alt: "Drawn again from this text" });
      image.src = region.again;
      body.append(image);
    }
    const head = el("header", {}, el("b", {}, String(i + 1)), el("span", { class: "label" }, region.label));
    head.append(el("span", { class: "by" }, madeBy(region)));
    list.append(el("article", {
      tabindex: 0, "data-region": i, style: `--hue:${hueOf(region.label)}`, "aria-label": `Region ${i + 1}, ${region.label}`,
      onmouseenter: (event) => pointerMoved(event) && hot(i), onmouseleave: () => hot(-1), onfocus: () => hot(i), onblur: () => hot(-1), onclick: () => pick(i),
    }, head, body));
  });
  if (!page.regions.length) {
    const body = page.text ? clamped(page.text) : ["This page has no text."];
    list.append(el("article", {}, el("div", { class: page.text ? "body" : "body note", ...directed(page.dir, page.lang) }, ...body)));
  }
  if (page.cut) list.append(el("p", { class: "note" }, "The report has no room for all of this page’s text. The dataset has all of it."));
  return list;
}

// Why the page is in doubt: what each reason means, and the lines that show it, the image above what the text layer says there.
function drawDoubts(page) {
  const out = el("div", { class: "doubts" });
  for (const doubt of page.doubts) {
    const signals = doubt.signals.map(([name, value]) => el("span", { class: "num" }, `${name} ${value}`));
    const notes = [doubt.sentence];
    if (doubt === page.doubts.find(({ whole }) => whole)) notes.push("The layer has text where the page is shaded.");
    if (doubt.gone) notes.push("The text no longer has such characters.");
    const article = el("article", {}, el("header", {}, el("code", {}, doubt.reason), ...signals), el("p", {}, notes.join(" ")));
    if (doubt.box && page.image) article.append(cutOut(page, doubt.box));
    const down = doubt.lines.length && doubt.lines.every((line) => line.dir === "ttb");
    const layer = el("div", { class: down ? "layer down" : "layer", lang: page.lang === "und" ? null : page.lang });
    for (const line of doubt.lines) layer.append(el("div", { dir: line.dir === "rtl" ? "rtl" : "auto" }, ...line.runs.map(drawRun)));
    if (doubt.cut) layer.append(el("div", {}, "…"));
    if (!doubt.whole) article.append(doubt.lines.length ? layer : el("p", { class: "note" }, "The layer has no text here."));
    out.append(article);
  }
  if (!page.doubts.length && page.verdict !== "trusted") out.append(el("article", {}, "This page has no reason of doubt beside its verdict."));
  return out;
}

const drawRun = ([kind, text]) => (kind === "odd" ? el("span", { class: "odd" }, text) : kind === "mark" ? el("mark", {}, text) : text);

// The part of the page's image in `box`, as wide as there is room and no larger than the page was.
function cutOut(page, [x0, y0, x1, y1]) {
  const [w, h] = [x1 - x0, y1 - y0];
  // Margins in percent are of the width, whichever side they are on.
  const place = `width:${(100 * page.size[0]) / w}%;margin:${(-100 * y0) / w}% 0 0 ${(-100 * x0) / w}%`;
  const image = el("img", { alt: `Lines of page ${page.page + 1}`, style: place });
  image.src = page.image;
  return el("div", { class: "cutout", style: `aspect-ratio:${w}/${h};max-width:${w}px` }, image);
}

// The engines of a region's box and text, its scores, and what is unusual about it.
function madeBy(region) {
  const facts = [region.score === null ? region.by : `${region.by} ${region.score}`];
  if (region.detected_by) facts.unshift(`box by ${region.detected_by}`);
  const scores = region.lines.map((line) => line[6]).filter((score) => score !== null);
  if (scores.length) facts.push(`lines ${Math.min(...scores)} to ${Math.max(...scores)}`);
  if (region.format !== "markdown") facts.push(region.format);
  if (region.continues) facts.push("goes on elsewhere");
  return facts.join(" · ");
}

function drawFacts(page) {
  const row = (name, ...value) => el("div", {}, el("dt", {}, name), el("dd", {}, ...value));
  const verdict = el("span", { class: `verdict ${page.verdict}` }, page.verdict);
  const table = (pairs) => el("table", {}, ...pairs.map(([name, value]) => el("tr", {}, el("th", {}, name), el("td", {}, String(value)))));
  const many = [];
  if (page.signals.length) many.push(row("signals", table(page.signals)));
  if (page.engines.length) many.push(row("engines", table(page.engines)));
  const round = page.round >= 0 ? ` · round ${page.round}` : "";
  many.push(row("made by", `${page.stage}${round} · ${page.task} · ${page.size.join(" × ")} px`), row("key", el("code", {}, page.key)));
  const script = scriptName(page.script);
  return el("div", { class: "about" },
    el("dl", {},
      row("source", el("span", { class: "uri" }, page.uri), page.page >= 0 ? ` page ${page.page + 1}` : ""),
      row("language", el("code", {}, page.lang), ` ${languageName(page.lang)}`, el("br"), el("code", {}, page.script), script ? ` ${script}` : ""),
      row("verdict", verdict),
      row("licence", page.licence || "not known"),
      row("sha256", el("code", { title: page.sha256 }, page.sha256.slice(0, 12))),
      ...page.more.map(([name, value]) => row(name, value))),
    el("details", {}, el("summary", {}, "Signals and engines"), el("dl", {}, ...many)));
}

// Scrolls `box` alone, and only as far as needed: scrollIntoView would move the whole report.
function scrollWithin(box, node) {
  const [outer, inner] = [box.getBoundingClientRect(), node.getBoundingClientRect()];
  if (inner.top < outer.top || inner.height > outer.height) box.scrollTop += inner.top - outer.top - 12;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 12;
  if (inner.left < outer.left) box.scrollLeft += inner.left - outer.left - 12;
  else if (inner.right > outer.right) box.scrollLeft += Math.min(inner.right - outer.right + 12, inner.left - outer.left);
}
