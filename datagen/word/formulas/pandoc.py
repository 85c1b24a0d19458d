"""Formulas of Word read by pandoc, a separate program, which the sandboxed child starts.

All formulas of a document go into one small .docx, a numbered paragraph each, so pandoc starts once a document. Its answer is
JSON, in which each paragraph has its number and the TeX of its formula. pandoc sees nothing else of the document. Landlock keeps
pandoc from all other files; the sandbox closes the network and caps the memory.
"""

import functools
import importlib.util
import json
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from datagen.disk.temporary import in_memory, temporary_folder
from datagen.record import SampleError
from datagen.sandbox.program import SYSTEM, ending, run_program
from datagen.word.file.names import M, W

DEADLINE_S = 30.0
"""The seconds of processor time for the formulas of one document: pandoc reads thousands in a few seconds."""
_HEAP = ("+RTS", "-M1G", "-RTS")  # the limit of its heap, which its manual advises for strangers' input
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_PACKAGE = {
    "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Override PartName="/word/document.xml" ContentType="{_MAIN}"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_RELATIONSHIPS}"><Relationship Id="r" Type="{_OFFICE_DOCUMENT}" '
    'Target="word/document.xml"/></Relationships>',
}


@functools.cache
def program() -> str:
    """The path of pandoc: that of the package pypandoc_binary, else the system's. Raises `ValueError` with the way to install it
    if there is none."""
    package = importlib.util.find_spec("pypandoc")
    bundled = Path(package.origin).parent / "files/pandoc" if package is not None and package.origin else None
    path = str(bundled) if bundled is not None and bundled.exists() else shutil.which("pandoc")
    if path is None:
        raise ValueError("formulas of Word documents are read by pandoc, and there is none here: `make setup-word` installs it")
    return path


@functools.cache
def versions() -> dict[str, str]:
    """The version of pandoc, by its name. Raises `ValueError` as `program` does."""
    printed = subprocess.run([program(), "--version"], capture_output=True, text=True, timeout=120).stdout
    return {"pandoc": printed.partition("\n")[0].removeprefix("pandoc ")}


def read(formulas: Mapping[int, etree._Element]) -> dict[int, str]:
    """The TeX of each m:oMath that pandoc reads, by number; "" if pandoc finds nothing in it. Raises `SampleError`: `timeout`
    after `DEADLINE_S`, `formula_not_converted` if pandoc fails."""
    if not formulas:
        return {}
    with temporary_folder(in_memory()) as folder:
        path, answer = Path(folder) / "formulas.docx", Path(folder) / "answer.json"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in _PACKAGE.items():
                archive.writestr(name, content)
            archive.writestr("word/document.xml", _document(formulas))
        command = [program(), *_HEAP, "--sandbox", "--from=docx", "--to=json", f"--output={answer}", str(path)]
        places = {"HOME": folder, "TMPDIR": folder}
        code, output = run_program("pandoc", command, DEADLINE_S, places, [*SYSTEM, program()], [folder])
        if code or not answer.exists():
            raise SampleError("formula_not_converted", f"pandoc {ending(code)}: {output.strip()[-300:]}")
        blocks = json.loads(answer.read_bytes())["blocks"]
    return dict(_formula(block["c"]) for block in blocks)


def _document(formulas: Mapping[int, etree._Element]) -> bytes:
    names = {"w": W[1:-1], "m": M[1:-1]}  # pandoc knows elements by these prefixes
    root = etree.Element(W + "document", nsmap=names)
    body = etree.SubElement(root, W + "body")
    for number, formula in formulas.items():
        paragraph = etree.SubElement(body, W + "p")
        etree.SubElement(etree.SubElement(paragraph, W + "r"), W + "t").text = str(number)
        paragraph.append(formula)
    etree.cleanup_namespaces(root, top_nsmap=names)
    return etree.tostring(root)


def _formula(inlines: list[dict]) -> tuple[int, str]:
    """The number at the beginning of a paragraph, and the TeX behind it."""
    number, *rest = inlines
    return int(number["c"]), "".join(inline["c"][1] for inline in rest if inline["t"] == "Math")
