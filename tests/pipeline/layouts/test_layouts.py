"""The recipe that trains the labeller, on a few pages from markup."""

import hashlib
import json
import shutil

import pytest

pytest.importorskip("playwright", reason="pages from markup need Playwright: make setup-markup")
if not (shutil.which("chromium") or shutil.which("google-chrome")):
    pytest.skip("pages from markup need Chromium: make setup-markup", allow_module_level=True)

from datagen.layouts import annotated_pages, labeller
from datagen.layouts.groups import groups
from datagen.layouts.labeller import weights
from recipes.layouts import layouts
from recipes.run.execute import run
from recipes.steps import Place
from tests.unit.layouts.test_labeller import page

PAGE = "<html lang=en><title>T</title><body><h1>Title {n}</h1>{parts}"
PART = "<h2>Part {n}</h2><p>{words}</p><table><tr><td>a<td>{n}<tr><td>b<td>7</table><ul><li>one<li>two</ul>"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    for n in range(16):
        words = " ".join(f"word {at} of {n} stands before another" for at in range(40))
        (folder / f"{n}.html").write_text(
            PAGE.format(n=n, parts="".join(PART.format(n=k, words=words) for k in range(1 + n % 3)))
        )
    out = tmp_path_factory.mktemp("made") / "out"
    assert run(recipe(folder), Place(str(out), "inline")) == 0
    return folder, out


def recipe(folder, **words):
    return layouts(str(folder), documents=0, epochs=2, pdfs=str(folder / "pdfs"), **words)


def test_the_recipe_leaves_a_network_with_a_card(out):
    _, out = out
    card = json.loads((out / "layouts/card.json").read_text())
    assert set(card["learned"]) == {"PDFs of documents", "images of documents"} and card["bytes"] > 1_000_000
    assert {*json.loads(labeller.WEIGHTS.with_name("card.json").read_text())["unseen"]} < {*card["unseen"]}
    assert not (out / "layouts/state.pt").exists() and "| PDFs of documents |" in (out / "layouts/CARD.md").read_text()
    made = groups(page(), weights(out / "layouts/weights.safetensors"))
    assert sorted(i for group in made for i in group.lines) == list(range(len(page().lines)))


def test_a_second_run_trains_nothing_and_installs_what_is_there(out, tmp_path, monkeypatch):
    folder, out = out
    target = tmp_path / "weights.safetensors"
    monkeypatch.setattr(labeller, "WEIGHTS", target)
    before = (out / "layouts/weights.safetensors").stat().st_mtime_ns
    assert run(recipe(folder, install=True), Place(str(out), "inline")) == 0
    assert (out / "layouts/weights.safetensors").stat().st_mtime_ns == before
    assert target.read_bytes() == (out / "layouts/weights.safetensors").read_bytes() and (tmp_path / "CARD.md").exists()


def test_annotated_pages_are_learned_where_their_files_are_there(out, tmp_path, monkeypatch):
    folder, _ = out
    (tmp_path / "real").mkdir()
    shutil.copy(min((folder / "pdfs").glob("*.pdf")), tmp_path / "real/a.pdf")
    (tmp_path / "real/b.pdf").write_bytes(b"%PDF-1.4 and no more")
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((tmp_path / "real").iterdir())]
    owners = zip("bcd", [*digests, "00" * 32], strict=True)
    rows = [f"https://github.com/{owner}/b/blob/c/d.pdf\t{digest}\t0\ttext 0 0 10000 10000" for owner, digest in owners]
    table = tmp_path / "pages.tsv"
    table.write_text("\n".join(["uri\tsha256\tpage\tregions", *rows]) + "\n")
    monkeypatch.setattr(annotated_pages.annotated_pages, "__defaults__", (table,))
    words = {"documents": 0, "epochs": 1, "pdfs": str(folder / "pdfs"), "annotated": str(tmp_path / "real"), "new": True}
    assert run(layouts(str(folder), **words), Place(str(tmp_path / "out"), "inline")) == 0
    card = json.loads((tmp_path / "out/layouts/card.json").read_text())
    assert card["learned"]["PDFs of annotated"] == 1 and card["plan"]["start"] == ""


def test_documents_without_pages_are_named(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.html").write_text("")
    with pytest.raises(ValueError, match="no pages were made"):
        run(recipe(tmp_path / "in"), Place(str(tmp_path / "out"), "inline"))
