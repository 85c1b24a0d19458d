// Readings of a region side by side, with what differs marked.

const MOST_COMPARED = 4_000; // pieces of a text
const MOST_APART = 400; // pieces that two texts may differ in: above, the middle that they don't share is marked whole

// A text in letters as a reader sees them, which no mark may part.
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const pieces = (text) => [...graphemes.segment(text.slice(0, MOST_COMPARED))].map(({ segment }) => segment);

// Of two texts in pieces, which pieces of each the other hasn't: Myers' O(ND) algorithm, behind what they share at both ends.
function apart(a, b) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) [endA, endB] = [endA - 1, endB - 1];
  const [onlyA, onlyB] = [new Set(), new Set()];
  const [n, m] = [endA - start, endB - start];
  const trace = [];
  let reached = new Map([[1, 0]]);
  let found = -1;
  for (let d = 0; d <= Math.min(n + m, MOST_APART) && found < 0; d += 1) {
    trace.push(new Map(reached));
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && (reached.get(k - 1) ?? -1) < (reached.get(k + 1) ?? -1)) ? reached.get(k + 1) ?? 0 : (reached.get(k - 1) ?? 0) + 1;
      while (x < n && x - k < m && x - k >= 0 && a[start + x] === b[start + x - k]) x += 1;
      reached.set(k, x);
      if (x >= n && x - k >= m) found = d;
      if (found >= 0) break;
    }
  }
  if (found < 0) {
    for (let i = start; i < endA; i += 1) onlyA.add(i);
    for (let i = start; i < endB; i += 1) onlyB.add(i);
    return [onlyA, onlyB];
  }
  let [x, y] = [n, m];
  for (let d = found; d > 0; d -= 1) {
    const before = trace[d];
    const k = x - y;
    const down = k === -d || (k !== d && (before.get(k - 1) ?? -1) < (before.get(k + 1) ?? -1));
    const from = down ? k + 1 : k - 1;
    const [beforeX, beforeY] = [before.get(from) ?? 0, (before.get(from) ?? 0) - from];
    if (down) onlyB.add(start + beforeY);
    else onlyA.add(start + beforeX);
    [x, y] = [beforeX, beforeY];
  }
  return [onlyA, onlyB];
}

// `text` as nodes, with what `other` hasn't marked.
function markedNodes(text, other) {
  const [a, b] = [pieces(text), pieces(other)];
  const [onlyA] = apart(a, b);
  const nodes = [];
  for (let at = 0; at < a.length;) {
    const is = onlyA.has(at);
    let end = at;
    while (end < a.length && onlyA.has(end) === is) end += 1;
    const run = a.slice(at, end).join("");
    nodes.push(is ? el("mark", {}, run) : run);
    at = end;
  }
  const left = text.length - a.join("").length;
  if (left > 0) nodes.push(el("span", { class: "note" }, ` … ${left} characters more`));
  return nodes;
}

const MOST_ROWS = 6;

// A table with the cells marked that `other` has otherwise at their place. Of a long one the rows without such cells are left out.
function markedTable(html, other) {
  const table = richTable(html);
  const there = [...richTable(other).rows];
  const rows = [...table.rows];
  rows.forEach((row, r) => [...row.cells].forEach((cell, c) => {
    const known = there[r]?.cells[c];
    if (known && known.textContent === cell.textContent && known.rowSpan === cell.rowSpan && known.colSpan === cell.colSpan) return;
    cell.classList.add("differs");
    if (known && !cell.firstElementChild) cell.replaceChildren(...markedNodes(cell.textContent, known.textContent));
  }));
  if (rows.length <= MOST_ROWS || table.querySelector("[rowspan]:not([rowspan='1'])")) return table;
  const alike = rows.filter((row) => !row.querySelector(".differs"));
  for (const row of alike) row.remove();
  return el("div", {}, table, el("p", { class: "note" }, alike.length === rows.length ? "The same table." : `${alike.length} rows are the same.`));
}

// The different texts of a decision, each with who read it, in the decision's order.
function readingsOf(decision, chosenText) {
  const found = [];
  for (const reading of Array.isArray(decision?.readings) ? decision.readings : []) {
    const text = reading.same ? chosenText : String(reading.text ?? "");
    const known = found.find((each) => each.text === text);
    if (known) known.by.push(reading);
    else found.push({ text, by: [reading] });
  }
  return found;
}

// The readings of a region: a number that picks each, who says so, and the text against the one that stands there. Without `choose`
// there is none to pick from.
function drawReadings(region, decision, found, choose, lang, dir) {
  const out = el("div", { class: "readings" });
  const head = el("p", { class: "decided" }, el("b", { class: `outcome ${decision.outcome}` }, String(decision.outcome)),
    ` ${String(decision.why ?? "").replaceAll("_", " ")}`);
  out.append(head);
  found.forEach((reading, i) => {
    const standing = Boolean(choose) && reading.text === region.text;
    const body = el("div", { class: "read", ...(region.format === "markdown" ? directed(dir, lang) : {}) });
    if (!reading.text) body.append(el("em", {}, "no text"));
    else if (!choose) body.append(reading.text.slice(0, MOST_DRAWN));
    else if (region.format === "html" && /<t[rdh][\s>]/i.test(reading.text)) body.append(markedTable(reading.text.slice(0, MOST_DRAWN), region.text.slice(0, MOST_DRAWN)));
    else {
      if (region.format === "latex") body.append(formula(bareLatex(reading.text), true));
      body.append(...(standing ? [reading.text.slice(0, MOST_DRAWN)] : markedNodes(reading.text, region.text)));
    }
    const who = reading.by.map((each) => [each.voter, each.vote === "for" ? "" : each.vote, each.distance > 0 ? Number(each.distance).toFixed(2) : ""].filter(Boolean).join(" "));
    out.append(el("div", { class: standing ? "reading-of standing" : "reading-of" },
      choose && el("button", { type: "button", "data-reading": i, "aria-pressed": String(standing), title: `Take this reading (${i + 1})`, onclick: () => choose(i) }, String(i + 1)),
      el("small", {}, el("bdi", {}, who.join(" · "))), body));
  });
  return out;
}
