"""What is set on pages once the browser has cut the text: running heads, numbers, notes; and whether text is covered there."""

from typing import Any

from datagen.markup.block import Frame
from datagen.markup.browser import Document
from datagen.markup.look import Look
from datagen.markup.look_css import FIT

_TITLE_CHARS = 70
# Takes the notes out of the text, and says how many pages the text fills.
_COUNT = """([pitch, isVertical]) => {
  const flow = document.getElementById("flow");
  window.notes ??= [...flow.querySelectorAll("[role=doc-footnote]")].map((note) => (note.remove(), note));
  const extent = isVertical ? flow.scrollHeight : flow.scrollWidth;
  const count = Math.max(1, Math.floor((extent - 1) / pitch) + 1);
  document.body.style.minWidth = (isVertical ? 1 : count) * pitch + "px";
  document.body.style.minHeight = (isVertical ? count : 1) * pitch + "px";
  return count;
}"""
# Puts each note on the page of its reference while there is room. Those without room or reference come behind the text.
_NOTES = """([boxes, pitch, isVertical]) => {
  const flow = document.getElementById("flow"), columns = flow.querySelector(".columns"), areas = {};
  const left = new Map(window.notes.map((note) => [note.id, note]));
  for (const reference of flow.querySelectorAll("[role=doc-noteref]")) {
    const note = left.get((reference.getAttribute("href") || "").slice(1)), rect = reference.getClientRects()[0];
    if (!note || !rect) continue;
    const page = Math.floor((isVertical ? rect.top + scrollY : rect.left + scrollX) / pitch), box = boxes[page];
    if (!box) continue;
    const area = areas[page] ??= document.createElement("div");
    if (!area.parentElement) {
      area.className = "page-notes";
      area.style.cssText = `left:${box[0]}px;top:${box[1]}px;width:${box[2]}px;height:${box[3]}px`;
      document.body.append(area);
    }
    area.append(note);
    if (area.scrollHeight > area.clientHeight + 1 || area.scrollWidth > area.clientWidth + 1) note.remove();
    else left.delete(note.id);
    if (!area.childElementCount) { area.remove(); delete areas[page]; }
  }
  for (const note of window.notes) if (!note.isConnected) columns.append(note);
}"""
_HEADS = """([boxes, pitch, isVertical, most]) => {
  const flow = document.getElementById("flow"), titles = [...flow.querySelectorAll("h1, h2")].map((heading) => {
    const rect = heading.getClientRects()[0] || new DOMRect(), at = isVertical ? rect.top + scrollY : rect.left + scrollX;
    return [Math.floor(at / pitch), heading.querySelector("rt") ? "" : heading.innerText.replace(/\\s+/g, " ").trim()];
  }).filter(([, text]) => text && text.length <= most);
  for (const [page, name, left, top, width, height, align, number, lang, dir] of boxes) {
    const before = titles.filter(([at]) => at <= page);
    const text = number || (page % 2 || before.length < 2 ? titles[0] : before[before.length - 1])?.[1];
    if (!text) continue;
    const box = document.createElement("div");
    box.className = name;
    box.lang = lang;
    box.dir = dir;
    box.textContent = text;
    box.style.cssText = `left:${left}px;top:${top}px;width:${width}px;height:${height}px;text-align:${align}`;
    document.body.append(box);
    while (box.scrollWidth > box.clientWidth + 1 && /\\s/.test(box.textContent))
      box.textContent = box.textContent.replace(/\\s+\\S*$/, "");
    if (box.scrollWidth > box.clientWidth + 1) box.remove();
  }
}"""
COVERED = """([left, top, wants]) => {
  window.scrollTo(left, top);
  window.texts ??= (() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), out = [];
    for (let node; (node = walker.nextNode());) out.push(node);
    return out;
  })();
  // Something transparent doesn't: a tall typeface's line reaches into the lines above it.
  const hides = (element, text) => {
    for (; element && !element.contains(text); element = element.parentElement) {
      const style = getComputedStyle(element);
      const isClear = /^(transparent|rgba\\(.*, 0\\))$/.test(style.backgroundColor) && style.backgroundImage === "none";
      if (!isClear || element.tagName === "IMG") return true;
    }
    return false;
  };
  return wants.map(([number, x0, y0, x1, y1]) => {
    const parent = window.texts[number].parentElement;
    let covered = 0, num = 0;
    const across = x1 - x0 < 8 ? [(x0 + x1) / 2] : [x0 + 2, (x0 + x1) / 2, x1 - 2];
    const down = y1 - y0 < 8 ? [(y0 + y1) / 2] : [0.42, 0.58].map((share) => y0 + share * (y1 - y0));
    for (const x of across)
      for (const y of down) {
        const there = document.elementFromPoint(x, y);
        num += 1;
        covered += !there || (!parent.contains(there) && hides(there, parent));
      }
    return covered / num;
  });
}"""
"""JavaScript: scrolls, and says at which share of a few points in each line of text something else is on top."""


def paged(document: Document, look: Look, notes: int) -> int:
    """Sets tables and formulas to the width of their columns, and puts notes, heads and numbers on the pages. Returns the number
    of pages."""
    pitch = look.height if look.is_vertical else look.width
    document.evaluate(FIT)
    where = [pitch, look.is_vertical]
    count = document.evaluate(_COUNT, where)
    if notes:
        boxes = [_of_canvas(look, number, look.boxes(number, notes)["page-notes"])[:4] for number in range(count)]
        document.evaluate(_NOTES, [boxes, *where])
        count = document.evaluate(_COUNT, where)
    heads = []
    for number in range(count):
        for name, box in look.boxes(number, notes).items():
            if name != "page-notes":
                text = look.page_number(number) if name == "page-number" else ""
                heads.append([number, name, *_of_canvas(look, number, box), text, look.lang, look.direction])
    document.evaluate(_HEADS, [heads, *where, _TITLE_CHARS])
    return count


def _of_canvas(look: Look, number: int, box: Any) -> tuple[float, float, float, float, str]:
    """A rectangle of a page on the canvas."""
    x, y = Frame(look.width, look.height, look.writing).origin(number)
    return x + box.left, y + box.top, box.width, box.height, box.align
