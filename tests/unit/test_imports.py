"""Which way imports point, read from the source; and what importing and building a recipe loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from recipes import RECIPES, RESERVED, VERBS

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "recipes": {"datagen", "flywheel", "model"},
    "flywheel": {"datagen", "model"},
    "model": {"datagen"},
    "datagen": set(),
}
_MODEL_READS = ("manifest", "marks", "pageink", "progress", "record", "shards", "storage", "synth.lines", "target", "temporary")
MODEL_MAY_READ = {f"datagen.{name}" for name in _MODEL_READS}
HEAVY = ("torch", "dask", "distributed", "pymupdf", "fitz", "onnxruntime", "paddleocr", "tokenizers", "transformers", "datasets")


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package):
    others = set(MAY_IMPORT) - {package} - MAY_IMPORT[package]
    for path in (ROOT / package).rglob("*.py"):
        for module in imported(path):
            assert module.split(".")[0] not in others, f"{path.relative_to(ROOT)} imports {module}"
            if package == "model" and module.startswith("datagen"):
                assert module in MODEL_MAY_READ, f"{path.relative_to(ROOT)} imports {module}"


def loaded_by(code: str) -> set[str]:
    code += "\nimport sys; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name.split(".")[0] for name in out.split()}


@pytest.mark.parametrize("name", RECIPES)
def test_building_a_recipe_loads_nothing_heavy(name):
    entry = RECIPES[name]
    words = {word: "somewhere" for word in ("input", "data", "start") if word in entry.words}
    words |= {"readers": "ours"} if "readers" in entry.words else {}  # others than compact ask for a start
    words |= {"of": "raw_text"} if "of" in entry.words else {}
    loaded = loaded_by(f"from pkgutil import resolve_name; repr(resolve_name({entry.function!r})(**{words!r}))")
    assert not loaded & set(HEAVY)


def test_listing_loads_the_standard_library_alone():
    loaded = loaded_by("from recipes.__main__ import listing; listing()")
    assert not loaded & {"datagen", "fsspec", "msgspec", "numpy", "pyarrow", "rich", *HEAVY}


def test_names_are_not_used_twice():
    assert not set(RECIPES) & {*VERBS, *RESERVED}


def test_a_child_loads_pymupdf_without_its_layout_model_and_can_have_it():
    child = "import datagen.sources.pdf_lines, datagen.sources.pdf_page, datagen.sources.pdf_text"
    assert not loaded_by(child) & {"onnxruntime", "pymupdf4llm", "psutil", "pyarrow", "fsspec"}
    assert "onnxruntime" in loaded_by(f"{child}, pymupdf.layout")
    loaded_by(f"{child}, pymupdf; assert pymupdf.TOOLS.unset_quad_corrections()")
