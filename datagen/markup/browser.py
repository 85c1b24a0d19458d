"""Chromium, headless, driven by Playwright: it lays a document out in pages, tells where everything is, and draws the pages.

One browser serves many documents of a process. It opens no network: the sandbox closes it, requests are refused by name
resolution and by the page's content security policy, and the scripts of documents don't run.
"""

import base64
import contextlib
import functools
import importlib.metadata
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import psutil

from datagen.record import SampleError

MEMORY_BYTES = 3 << 30
"""The most memory (resident) that the browser's processes may hold together."""
_DOCUMENTS = 500  # after which a new browser is started
_LOADING_MS = 60_000
_WATCHED_S = 0.25
_ARGUMENTS = (
    "--no-sandbox",  # ours is around it; a root user can have no other
    "--disable-gpu",
    "--disable-lcd-text",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--renderer-process-limit=1",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
    "--disable-remote-playback-api",
    "--disable-dev-shm-usage",
)
STYLES = (
    *("display", "visibility", "hyphens", "font-weight", "font-style", "font-size", "line-height", "vertical-align"),
    *("direction", "writing-mode", "white-space-collapse", "caption-side"),
)
# The rectangles of every text node, of formulas, pictures and parts of tables, in the order of the document. A displayed <math>
# is as wide as its column, and what is in it as wide as the formula.
_RECTANGLES = """() => {
  const texts = [], range = document.createRange(), rounded = (list) => {
    const out = [];
    for (const r of list) out.push(r.left + scrollX, r.top + scrollY, r.right + scrollX, r.bottom + scrollY);
    return out;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) { range.selectNodeContents(node); texts.push(rounded(range.getClientRects())); }
  const all = {}, inner = (element) => element.querySelector(":scope > semantics") ?? element;
  for (const name of ["math", "img", "table", "tr", "td, th"])
    all[name] = [...document.body.querySelectorAll(name)].map((element) => rounded(inner(element).getClientRects()));
  return {texts, all};
}"""
_WITHOUT_TEXT = """(isHidden) => document.documentElement.classList.toggle("without-text", isHidden)"""
# Puts all into a frame that shows one page: what sticks out of a page would have the printer shrink it.
_ONLY = """([x, y, width, height]) => {
  const frame = document.createElement("div"), sheet = document.createElement("div");
  frame.id = "frame";
  sheet.id = "sheet";
  frame.dataset.body = document.body.style.cssText;
  sheet.append(...document.body.childNodes);
  frame.append(sheet);
  document.body.append(frame);
  document.body.style.cssText = "margin: 0; min-width: 0; min-height: 0";
  const plain = "all: unset; display: block"; // the document may have styles for every <div>
  frame.style.cssText = `${plain}; position: relative; overflow: hidden; width: ${width}px; height: ${height - 1}px`;
  sheet.style.cssText = `${plain}; position: absolute; left: ${-x}px; top: ${-y}px`;
}"""
_ALL_AGAIN = """() => {
  const frame = document.getElementById("frame");
  document.body.style.cssText = frame.dataset.body;
  document.body.append(...document.getElementById("sheet").childNodes);
  frame.remove();
}"""
WITHOUT_TEXT_CSS = (
    ":is(.without-text, .without-text *), .without-text *::before, .without-text *::after, .without-text *::marker "
    "{ -webkit-text-fill-color: transparent !important; "
    "-webkit-text-stroke-color: transparent !important; text-shadow: none !important }"
)
"""Makes letters transparent, and nothing else: borders and rules have the colour of the text, too."""


class Snapshot(NamedTuple):
    """A document as it is laid out. `nodes` is what DOMSnapshot.captureSnapshot of the DevTools protocol answers; `texts` are
    the rectangles of each text node in <body>, in order: left, top, right, bottom in CSS pixels of the whole canvas, one after
    the other. `elements` are those of the elements that match a selector."""

    nodes: dict[str, Any]
    texts: list[list[float]]
    elements: dict[str, list[list[float]]]


def program() -> str:
    """Chromium's path. Raises `ValueError`, with the way to install it, where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise ValueError("pages from markup are drawn by Chromium, and there is none here: `make setup-markup` installs it")


@functools.cache
def versions() -> dict[str, str]:
    """Raises `ValueError` as `program` does, and where Playwright is missing."""
    try:
        driver = importlib.metadata.version("playwright")
    except importlib.metadata.PackageNotFoundError:
        raise ValueError("Chromium is driven by Playwright, which isn't installed: `make setup-markup` installs it") from None
    done = subprocess.run([program(), "--version", "--no-sandbox"], capture_output=True, text=True, timeout=120)
    words = done.stdout.split()
    number = next((word for word in words if word[:1].isdigit()), "")
    if not number:
        raise ValueError(f"{program()} doesn't say which Chromium it is: {(done.stdout or done.stderr).strip()[-200:]}")
    return {"chromium": number, "playwright": driver}


class Browser:
    """A Chromium that is started when it is first needed, and anew after `_DOCUMENTS` documents or when it has died."""

    def __init__(self, memory_bytes: int = MEMORY_BYTES):
        self._memory_bytes = memory_bytes
        self._num_documents = 0
        self._browser: Any = None
        self._driver: Any = None
        self._is_too_large = False

    @contextlib.contextmanager
    def document(self, html: str, size: tuple[int, int], zoom: float) -> Iterator["Document"]:
        """The document, laid out in a window of `size` CSS pixels, each of which is `zoom` pixels of a picture. Raises
        `SampleError` (`memory`, `not_rendered`) if the browser ends over it."""
        from playwright.sync_api import Error

        self._is_too_large = False
        try:
            self._start()
            context = self._browser.new_context(
                java_script_enabled=False,
                offline=True,
                no_viewport=True,
                service_workers="block",
                accept_downloads=False,
            )
            try:
                page = context.new_page()
                session = context.new_cdp_session(page)
                window = {"width": size[0], "height": size[1], "deviceScaleFactor": zoom, "mobile": False}
                session.send("Emulation.setDeviceMetricsOverride", window)
                page.set_content(html, wait_until="load", timeout=_LOADING_MS)
                yield Document(page, session)
            finally:
                context.close()
        except Error as error:
            self.close()
            if self._is_too_large:
                detail = f"the browser's processes held over {self._memory_bytes >> 20} MB"
                raise SampleError("memory", detail) from None
            raise SampleError("not_rendered", str(error).strip().partition("\n")[0][:300]) from None

    def close(self) -> None:
        browser, self._browser = self._browser, None
        with contextlib.suppress(Exception):  # it may be dead
            if browser is not None:
                browser.close()
        driver, self._driver = self._driver, None
        with contextlib.suppress(Exception):
            if driver is not None:
                driver.stop()

    def _start(self) -> None:
        from playwright.sync_api import sync_playwright

        self._num_documents += 1
        if self._browser is not None and (self._num_documents > _DOCUMENTS or not self._browser.is_connected()):
            self.close()
        if self._browser is None:
            self._driver = sync_playwright().start()
            self._browser = self._driver.chromium.launch(executable_path=program(), args=list(_ARGUMENTS), chromium_sandbox=False)
            self._num_documents = 1
            threading.Thread(target=self._watch, args=(self._browser,), daemon=True).start()

    def _watch(self, browser: Any) -> None:
        """Kill the renderers once the browser holds too much. Shared pages count for each process: the bound is an upper one."""
        waiting = threading.Event()
        while self._browser is browser and not waiting.wait(_WATCHED_S):
            total, renderers = 0, []
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    total += process.memory_info().rss
                    if "--type=renderer" in process.cmdline():
                        renderers.append(process)
            if total > self._memory_bytes:
                self._is_too_large = True
                for process in renderers:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()


class Document:
    """A document in the browser's window."""

    def __init__(self, page: Any, session: Any):
        self.page = page
        self._session = session

    def snapshot(self) -> Snapshot:
        wants = {"computedStyles": list(STYLES), "includeDOMRects": False, "includePaintOrder": False}
        nodes = self._session.send("DOMSnapshot.captureSnapshot", wants)
        places = self.evaluate(_RECTANGLES)
        return Snapshot(nodes, places["texts"], places["all"])

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """What a JavaScript function says of an argument. Both go as JSON: Playwright looks at each number of others."""
        code = f"(json) => JSON.stringify(({function})(JSON.parse(json))) ?? 'null'"
        return json.loads(self.page.evaluate(code, json.dumps(argument)))

    def scroll(self, x: float, y: float) -> None:
        self.evaluate("([x, y]) => window.scrollTo(x, y)", [x, y])

    def picture(self, quality: int, part: tuple[float, float, float, float] | None = None) -> bytes:
        """The window as JPEG, or the part of it that is at (x, y) on the canvas, and as wide and high, in CSS pixels."""
        wants: dict[str, Any] = {"format": "jpeg", "quality": quality, "optimizeForSpeed": True}
        if part is not None:
            wants["clip"] = dict(zip(("x", "y", "width", "height", "scale"), (*part, 1), strict=True))
        return base64.b64decode(self._session.send("Page.captureScreenshot", wants)["data"])

    def pdf(self, x: float, y: float, size: tuple[int, int]) -> bytes:
        """The part of the canvas from (x, y), of `size` CSS pixels, as a PDF of one page."""
        self.page.emulate_media(media="screen")
        self.evaluate(_ONLY, [x, y, *size])
        wants = {"paperWidth": size[0] / 96, "paperHeight": size[1] / 96, "printBackground": True, "pageRanges": "1"}
        margins = dict.fromkeys(("marginTop", "marginBottom", "marginLeft", "marginRight"), 0)
        pdf = self._session.send("Page.printToPDF", wants | margins)["data"]
        self.evaluate(_ALL_AGAIN)
        return base64.b64decode(pdf)

    def hide_text(self, is_hidden: bool = True) -> None:
        """From now on pictures show everything but text and formulas, or everything again. Nothing moves."""
        self.evaluate(_WITHOUT_TEXT, is_hidden)
