"""What only a processor needs stays behind one door, `model/net/cpu/__init__.py`."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_files_of_model_cpu_are_imported_through_the_package_alone():
    for path in [path for package in ("model", "flywheel", "recipes") for path in (ROOT / package).rglob("*.py")]:
        if path.parent.name != "cpu":
            for node in ast.walk(ast.parse(path.read_text())):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None)]
                assert not any((name or "").startswith("model.net.cpu.") for name in names), path.relative_to(ROOT)
