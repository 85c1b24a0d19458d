"""Which way imports point, read from the source; and what importing and building a recipe loads."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

from recipes import RECIPES
from recipes.__main__ import words_of

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "recipes": {"datagen", "flywheel", "model"},
    "flywheel": {"datagen", "model"},
    "model": {"datagen"},
    "datagen": set(),
}
LEVELS = (
    "record",
    "contract labels writing",
    "drawing markdown tables",
    "target",
    "disk",
    "sandbox",
    "inputs",
    "page samples",
    "asking patching",
    "engines",
    "work",
    "figures formulas pictures reading texts",
    "coarse layouts scene score vision",
    "curation risk rewards",
    "fine",
    "agreement labelling markup publishing word",
)
"""The rooms of datagen, from the ground up: folders, and the files of its root. A room knows only rooms of lower levels."""
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms.split()}
_MODEL_READS = (
    *("asking.loops", "disk.manifest", "disk.marks", "disk.shards", "disk.storage", "disk.temporary", "drawing.endless_lines"),
    *("inputs.items", "pictures.source"),  # pages that a network is to read
    *("drawing.wear", "inputs.chat_turns", "page.masked", "record", "target", "work.progress"),
)
MODEL_MAY_READ = {f"datagen.{name}" for name in _MODEL_READS}
HEAVY = {"torch", "dask", "distributed", "pymupdf", "fitz", "onnxruntime", "paddleocr", "tokenizers", "transformers", "datasets"}


def files_of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for package in MAY_IMPORT for path in files_of(package)}


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@functools.cache
def imported(path: Path, at_run: bool = False) -> set[str]:
    """The modules that a file imports, and those that it names in strings: "module", or "module:name". With `at_run` those alone
    that are imported while it runs: neither strings count, nor what is imported for types."""
    tree, names = parsed(path), set()
    nodes = tuple(ast.walk(tree))
    for_types = [n for n in nodes if at_run and isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    left_out = {id(inner) for node in for_types for inner in ast.walk(node)}
    for node in nodes:
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= inner & MODULES.keys() or {node.module}
        elif not at_run and isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= {node.value.partition(":")[0]} & MODULES.keys() - MAY_IMPORT.keys()
    return names


def room(module: str) -> str:
    """A module's folder in its package, or its own name if it lies in the package's root."""
    return [*module.split("."), ""][1]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package):
    others = set(MAY_IMPORT) - {package} - MAY_IMPORT[package]
    for path in files_of(package):
        for module in imported(path):
            assert module.split(".")[0] not in others, f"{path.relative_to(ROOT)} names {module}"
            if package == "model" and module.startswith("datagen"):
                assert module in MODEL_MAY_READ, f"{path.relative_to(ROOT)} names {module}"


def test_rooms_of_datagen_know_only_rooms_below_them():
    assert {room(name) for name in MODULES if name.startswith("datagen.")} == LEVEL.keys()
    for name, path in MODULES.items():
        for module in imported(path) if name.startswith("datagen.") else ():
            if module.startswith("datagen.") and room(module) != room(name):
                assert LEVEL[room(module)] < LEVEL[room(name)], f"{name} names {module}, which isn't below it"


def test_no_files_import_each_other_in_a_ring():
    imports = {name: {m for m in imported(path, at_run=True) if m in MODULES and m != name} for name, path in MODULES.items()}
    while free := [name for name, others in imports.items() if not others & imports.keys()]:
        for name in free:
            del imports[name]
    assert not imports, f"in a ring, or above one: {', '.join(imports)}"


def loaded_by(code: str) -> set[str]:
    code += "\nimport sys; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name.split(".")[0] for name in out.split()}


def test_building_a_recipe_loads_nothing_heavy(tmp_path):
    calls = []
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        (tmp_path / name).touch()
    for name, entry in RECIPES.items():
        words = {word: "somewhere" for word in ("input", "data", "start") if word in words_of(name)}
        words |= {"readers": "ours"} if "readers" in words_of(name) else {}  # others than compact ask for a start
        words |= {"of": "raw_text"} if "of" in words_of(name) else {}
        words = {"model": str(tmp_path)} if name == "compression" else words  # which looks whether there is one
        calls.append((name, entry.function, words))
    build = f"""
import sys
from pkgutil import resolve_name
for name, function, words in {calls!r}:
    repr(resolve_name(function)(**words))
    heavy = sorted({HEAVY!r} & sys.modules.keys())
    assert not heavy, f"{{name}} loads {{heavy}}"
"""
    loaded_by(build)


def test_listing_loads_the_standard_library_alone():
    loaded = loaded_by("from recipes.__main__ import listing; listing()")
    assert not loaded & {"datagen", "fsspec", "msgspec", "numpy", "pyarrow", "rich", *HEAVY}


def test_a_plan_loads_neither_a_client_of_http_nor_what_trains_or_asks_models(corpus, tmp_path):
    unwanted = {"requests", "langcodes", "scipy", "pyarrow.compute", "datagen.asking.profiles", "model.train.step", *HEAVY}
    plan = f"""
import sys
from recipes.__main__ import main
assert main(["coarse", "input={corpus}", "out={tmp_path}/out", "plan=1"]) == 0
assert not sys.modules.keys() & {unwanted!r}, sorted(sys.modules.keys() & {unwanted!r})
"""
    assert "numpy" in loaded_by(plan)


def test_a_child_loads_pymupdf_without_its_layout_model_and_can_have_it():
    child = "import datagen.coarse.line_crops_child, datagen.coarse.page, datagen.coarse.text_layer"
    assert not loaded_by(child) & {"onnxruntime", "pymupdf4llm", "psutil", "pyarrow", "fsspec"}
    assert "onnxruntime" in loaded_by(f"{child}, pymupdf.layout")
    loaded_by(f"{child}, pymupdf; assert pymupdf.TOOLS.unset_quad_corrections()")
