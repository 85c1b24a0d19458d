// A label as it would be drawn: Markdown, HTML tables, formulas. Every node is made here, of an allowlist, and all text of a label
// becomes text nodes: no address in one is followed or loaded, and no element, attribute or style of its own gets in.

// What is drawn of one text, and of one formula: the rest is shown as its source, or counted.
const MOST_DRAWN = 20_000;
const MOST_OF_FORMULA = 4_000;

const INLINE = new RegExp([
  String.raw`\\\((?<inline>[^]{0,${MOST_OF_FORMULA}}?)\\\)`,
  String.raw`\\\[(?<displayed>[^]{0,${MOST_OF_FORMULA}}?)\\\]`,
  String.raw`\$\$(?<dollars>[^$]{1,${MOST_OF_FORMULA}}?)\$\$`,
  String.raw`(?<ticks>${"`"}{1,3})(?<code>[^${"`"}\n][^\n]{0,400}?)\k<ticks>`,
  String.raw`<(?<tag>sub|sup|b|i|u|s|strong|em)>(?<inner>[^]{0,2000}?)</\k<tag>>`,
  String.raw`(?<br><br\s{0,3}/?>)`,
  String.raw`(?<image>!?)\[(?<said>[^\]\n]{0,500})\]\((?<address>[^)\s]{0,2000})\)`,
  String.raw`(?<stars>\*\*|__)(?=\S)(?<bold>[^\n]{1,2000}?\S|\S)\k<stars>`,
  String.raw`(?<![\p{L}\p{N}*])\*(?=[^\s*])(?<slanted>[^*\n]{0,1000}[^\s*]|[^\s*])\*(?![\p{L}\p{N}*])`,
  String.raw`\\(?<escaped>[\\${"`"}*_{}\[\]#+\-.!|<>~$])`,
].join("|"), "gu");

const ROUND = { b: "strong", strong: "strong", i: "em", em: "em", u: "u", s: "s", sub: "sub", sup: "sup" };

// The nodes of a text within a block.
function inlineNodes(text, depth = 0) {
  const nodes = [];
  let at = 0;
  if (depth > 8) return [text];
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) nodes.push(text.slice(at, match.index));
    at = match.index + match[0].length;
    const g = match.groups;
    if (g.inline !== undefined) nodes.push(formula(g.inline, false));
    else if (g.displayed !== undefined || g.dollars !== undefined) nodes.push(formula(g.displayed ?? g.dollars, true));
    else if (g.code !== undefined) nodes.push(el("code", {}, g.code));
    else if (g.tag) nodes.push(el(ROUND[g.tag], {}, ...inlineNodes(g.inner, depth + 1)));
    else if (g.br) nodes.push(el("br"));
    else if (g.address !== undefined) nodes.push(el("span", { class: "link" }, g.image ? "▨ " : "", g.said, el("small", {}, ` ${g.address}`)));
    else if (g.bold !== undefined) nodes.push(el("strong", {}, ...inlineNodes(g.bold, depth + 1)));
    else if (g.slanted !== undefined) nodes.push(el("em", {}, ...inlineNodes(g.slanted, depth + 1)));
    else nodes.push(g.escaped);
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

const BLOCK = /^(?:(?<fence>`{3,}|~{3,})(?<lang>[^\n`]{0,40})|(?<marks>#{1,6})\s+(?<heading>.*)|(?<indent>[ \t]*)(?<bullet>[-*+]|\d{1,9}[.)])[ \t]+(?<item>.*)|(?<quote>>)\s?(?<quoted>.*)|(?<rule>\s*(?:-{3,}|\*{3,}|_{3,})\s*))$/u;

// The blocks of a text in Markdown. Line breaks stay as they stand in the label.
function markdownNodes(text) {
  const nodes = [];
  const lines = text.split("\n");
  let prose = [];
  const endProse = () => {
    const said = prose.join("\n").replace(/^\n+|\s+$/g, "");
    if (said) nodes.push(el("p", {}, ...inlineNodes(said)));
    prose = [];
  };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    if (/^\s*<table[\s>]/i.test(line)) {
      endProse();
      const whole = [];
      while (at < lines.length && !/<\/table>/i.test(lines[at])) whole.push(lines[at++]);
      whole.push(lines[at] ?? "");
      nodes.push(richTable(whole.join("\n")));
      continue;
    }
    const g = BLOCK.exec(line)?.groups;
    if (!line.trim()) endProse();
    else if (!g) prose.push(line);
    else {
      endProse();
      if (g.fence) {
        const code = [];
        while (++at < lines.length && !lines[at].startsWith(g.fence)) code.push(lines[at]);
        nodes.push(el("pre", {}, el("code", {}, code.join("\n"))));
      } else if (g.marks) nodes.push(el(`h${g.marks.length}`, {}, ...inlineNodes(g.heading)));
      else if (g.bullet) {
        const item = [g.item];
        while (at + 1 < lines.length && lines[at + 1].trim() && !BLOCK.test(lines[at + 1])) item.push(lines[++at]);
        const depth = Math.min(6, Math.floor(g.indent.replaceAll("\t", "    ").length / 2));
        nodes.push(el("div", { class: "item", style: `--depth:${depth}` }, el("span", { class: "bullet" }, /\d/.test(g.bullet) ? g.bullet : "•"),
          el("span", {}, ...inlineNodes(item.join("\n")))));
      } else if (g.quote) nodes.push(el("blockquote", {}, ...inlineNodes(g.quoted)));
      else nodes.push(el("hr"));
    }
  }
  endProse();
  return nodes;
}

// A table's cells are drawn as text in Markdown, with their breaks; `page.js` builds the table.
const richTable = (html) => drawTable(html, (cell) => inlineNodes(cellText(cell)));

// The text of a parsed cell, which never was part of this document: breaks and what raises or lowers stay, as tags that
// `inlineNodes` knows.
function cellText(cell) {
  let out = "";
  for (const node of cell.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) out += node.data;
    else if (node.localName === "br") out += "\n";
    else if (node.localName in ROUND) out += `<${node.localName}>${cellText(node)}</${node.localName}>`;
    else if (!["script", "style", "template"].includes(node.localName)) out += cellText(node);
  }
  return out;
}

const MATH = new Set(("math semantics annotation mrow mi mn mo ms mtext mspace msup msub msubsup mfrac msqrt mroot mover munder munderover mtable "
  + "mtr mtd mlabeledtr mstyle mpadded mphantom menclose mmultiscripts mprescripts none merror").split(" "));
const MATH_ATTRIBUTES = new Set(("mathvariant stretchy fence separator lspace rspace minsize maxsize accent accentunder displaystyle scriptlevel columnalign "
  + "rowspacing columnspacing columnlines rowlines rowalign linethickness width height depth voffset mathcolor mathsize mathbackground notation "
  + "movablelimits symmetric encoding display form side").split(" "));

// A formula as MathML, which browsers draw themselves. Where KaTeX isn't there, or can't parse it, its LaTeX stands there.
function formula(latex, isDisplayed) {
  const source = (why) => el("code", { class: why ? "latex wrong" : "latex", title: why || null }, latex);
  if (!window.katex) return source("");
  if (latex.length > MOST_OF_FORMULA) return source("too long to be drawn");
  const node = el("span", { class: isDisplayed ? "formula-drawn displayed" : "formula-drawn" });
  try {
    const options = { output: "mathml", displayMode: isDisplayed, throwOnError: true, strict: "ignore", trust: false, maxExpand: 1000, maxSize: 20 };
    window.katex.render(latex, node, options);
  } catch (error) {
    return source(String(error.message));
  }
  for (const each of node.querySelectorAll("*")) {
    if (each.localName === "span") {
      each.removeAttribute("style");
      continue;
    }
    if (!MATH.has(each.localName)) {
      each.replaceWith(each.textContent);
      continue;
    }
    for (const { name } of [...each.attributes]) if (!MATH_ATTRIBUTES.has(name)) each.removeAttribute(name);
  }
  return node;
}

// The nodes of a region's label. `region` has text, format and label.
function labelNodes(region) {
  const text = region.text.slice(0, MOST_DRAWN);
  const nodes = [];
  if (region.format === "html") nodes.push(/<t[rdh][\s>]/i.test(text) ? richTable(text) : el("p", {}, text));
  else if (region.format === "latex") nodes.push(formula(bareLatex(text), true));
  else if (region.format !== "markdown") nodes.push(el("code", {}, text));
  else if (region.label === "code" && !text.startsWith("```")) nodes.push(el("pre", {}, el("code", {}, text)));
  else if (region.label === "title" || region.label === "sub_title") {
    const marks = /^#{1,6} /.exec(text)?.[0].trim().length ?? (region.label === "title" ? 1 : 2);
    nodes.push(el(`h${marks}`, {}, ...inlineNodes(text.replace(/^#{1,6} /, ""))));
  } else nodes.push(...markdownNodes(text));
  const left = region.text.length - text.length;
  if (left > 0) nodes.push(el("p", { class: "note" }, `… and ${left.toLocaleString("en")} characters more`));
  return nodes;
}

const bareLatex = (text) => text.trim().replace(/^(?:\\\[([^]*)\\\]|\\\(([^]*)\\\)|\$\$([^]*)\$\$)$/, (_, a, b, c) => a ?? b ?? c);
