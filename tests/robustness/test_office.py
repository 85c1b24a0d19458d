"""LibreOffice in the sandboxed child: what it draws, what it doesn't open, and that no file holds it for ever."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pymupdf
import pytest
from PIL import Image

from datagen.record import SampleError
from datagen.sandbox import landlock
from datagen.sandbox.loop import read_parts
from datagen.sandbox.parts import Failed, Part, each
from datagen.sandbox.process import Limits, Sandbox, sandbox
from datagen.word import office
from datagen.word.file import package
from tests.inputs.word import xml as xml
from tests.office import needs_office
from tests.programs import stand_in
from tests.unit.word.test_package import docx, odt

HERE = "tests.robustness.test_office:"
LIMITS = Limits(deadline_s=60.0, memory_bytes=office.MEMORY_BYTES)

# A stand-in for LibreOffice, which writes a profile as it should, and hangs at documents.
STAND_IN = """#!/bin/sh
PATH=/usr/bin:/bin
while [ "$1" != --outdir ]; do shift; done
case "$3" in */first.rtf) touch "$2/first.pdf"; exit 0; esac
sh -c 'while true; do sleep 1; done' {folder} &
{hang}
"""


IN_LITTLE_MEMORY = """#!/bin/sh
case "$*" in *a.docx) ulimit -v 250000;; esac
exec {program} "$@"
"""


def convert(paths: list[str], folder: str, target: str, deadline_s: float) -> Iterator[list[str]]:
    yield office.convert(paths, folder, target, deadline_s)  # type: ignore[arg-type]


def convert_one(numbers: list[int], path: str, folder: str, deadline_s: float) -> Iterator[Part[list[str]] | Failed]:
    yield from each(numbers, lambda number: office.convert([path], folder, "pdf", deadline_s))


def convert_and_look(path: str, folder: str) -> Iterator[list[str]]:
    """What lies in the child's temporary folder before and after a conversion, behind the one that makes the template."""
    office.in_memory = lambda: os.environ["TMPDIR"]  # type: ignore[assignment]
    office.convert([path], folder, "pdf")
    before = sorted(os.listdir(os.environ["TMPDIR"]))
    office.convert([path], folder, "pdf")
    yield before
    yield sorted(os.listdir(os.environ["TMPDIR"]))


@pytest.fixture
def box() -> Iterator[Sandbox]:
    box = Sandbox(LIMITS)
    yield box
    box.close()


def converted(box: Sandbox, folder: Path, *paths: Path, target: str = "pdf", deadline_s: float = 60.0) -> list[str]:
    arguments = {"paths": list(map(str, paths)), "folder": str(folder), "target": target, "deadline_s": deadline_s}
    (answer,) = box.run(HERE + "convert", list[str], **arguments)
    return answer.value


def text_and_images(path: str) -> tuple[str, int]:
    with pymupdf.open(path) as pdf:
        return " ".join("".join(page.get_text() for page in pdf).split()), sum(len(page.get_images()) for page in pdf)


@pytest.mark.slow
@needs_office
def test_two_files_are_drawn_by_one_start_with_tags(box, tmp_path):
    formula = "<m:oMath><m:r><m:t>x</m:t></m:r></m:oMath>"
    for name in ("plain", "marked"):
        docx(
            tmp_path / f"{name}.docx",
            xml.paragraph(xml.run(f"the {name} one "), formula),
            xml.table([[(xml.paragraph(xml.run("cell")), 1, 1)]]),
        )
    plain, marked = converted(box, tmp_path / "out", tmp_path / "plain.docx", tmp_path / "marked.docx")
    assert text_and_images(plain) == ("the plain one x cell", 0) and text_and_images(marked) == ("the marked one x cell", 0)
    with pymupdf.open(plain) as pdf:
        tags = [pdf.xref_get_key(number, "S")[1] for number in range(1, pdf.xref_length())]
    assert "/Table" in tags and "/TD" in tags and "/Formula" in tags


@pytest.mark.slow
@needs_office
@pytest.mark.parametrize("is_cleaned", [False, True])
def test_what_an_rtf_names_is_not_opened_and_once_it_is_cleaned_not_even_asked_for(box, tmp_path, is_cleaned):
    if not is_cleaned and not landlock.holds():
        pytest.skip("this kernel has no Landlock")
    (tmp_path / "in").mkdir()
    secret = tmp_path / ("in/secret.png" if is_cleaned else "secret.png")  # in the folder that LibreOffice may read, or not
    Image.new("RGB", (200, 100), "red").save(secret)
    field = rf'{{\field{{\*\fldinst {{ INCLUDEPICTURE "file://{secret}" \\d }}}}{{\fldrslt {{shown}}}}}}'
    path = tmp_path / "in/a.rtf"
    path.write_text(rf"{{\rtf1 before {field} after\par}}")
    if is_cleaned:
        package.opened(str(path)).write(str(tmp_path / "in/b.rtf"))
        path = tmp_path / "in/b.rtf"
    text, num_images = text_and_images(converted(box, tmp_path / "out", path)[0])
    assert num_images == 0 and (text == "before shown after" or not is_cleaned)


def convert_where_landlock_fails(paths: list[str], folder: str) -> Iterator[list[str]]:
    landlock.holds = lambda: False  # type: ignore[assignment]
    yield office.convert(paths, folder, "pdf")


@pytest.mark.parametrize("name", ["a.rtf", "a.DOC", "a.odt"])
def test_where_landlock_fails_no_file_is_opened_that_may_name_others(box, tmp_path, name):
    (tmp_path / name).write_text(r"{\rtf1 text}")
    with pytest.raises(SampleError, match="no Landlock"):
        list(box.run(f"{HERE}convert_where_landlock_fails", list[str], paths=[str(tmp_path / name)], folder=str(tmp_path)))


@pytest.mark.slow
@needs_office
def test_what_an_odt_links_to_runs_or_embeds_is_not_in_its_docx(box, tmp_path):
    Image.new("RGB", (200, 100), "red").save(tmp_path / "secret.png")
    (tmp_path / "secret.txt").write_text("SECRET")
    odt(tmp_path / "other.odt", "<text:p>SECRET</text:p>")
    link = f'xlink:href="{tmp_path.as_uri()}/%s" xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"'
    linked = [("image", "secret.png"), ("floating-frame", "secret.txt"), ("plugin", "secret.txt"), ("object", "other.odt")]
    frames = (f'<draw:frame text:anchor-type="as-char"><draw:{kind} {link % name}/></draw:frame>' for kind, name in linked)
    section = f'<text:section text:name="S"><text:section-source {link % "other.odt"}/><text:p>kept</text:p></text:section>'
    macro = '<text:p><text:execute-macro text:name="M">run</text:execute-macro></text:p>'
    odt(tmp_path / "raw.odt", f"<text:p>before{''.join(frames)}</text:p>{section}{macro}")
    package.opened(str(tmp_path / "raw.odt")).write(str(tmp_path / "a.odt"))
    (path,) = converted(box, tmp_path / "out", tmp_path / "a.odt", target="docx")
    opened = package.opened(path)
    assert "".join(opened.xml(opened.main).itertext()) == "beforekeptrun"
    assert not any(b"SECRET" in part for part in opened.parts.values()) and not [n for n in opened.parts if "media" in n]
    assert opened.signs["cut_external_image"] == 1 and opened.signs["cut_field_MACROBUTTON"] == 1


@pytest.mark.slow
@needs_office
def test_a_file_that_libreoffice_refuses_is_not_rendered(box, tmp_path):
    good = docx(tmp_path / "good.docx", xml.paragraph(xml.run("a")))
    (tmp_path / "bad.docx").write_bytes(b"PK\x03\x04" + bytes(900))  # LibreOffice repairs archives that have anything in them
    with pytest.raises(SampleError, match=r"made no bad\.pdf") as error:
        converted(box, tmp_path / "out", tmp_path / "bad.docx", good)
    assert error.value.reason == "not_rendered"
    assert converted(box, tmp_path / "out", good) == [str(tmp_path / "out" / "good.pdf")]


@pytest.mark.slow
@needs_office
def test_no_profile_outlives_its_conversion(box, tmp_path):
    path = docx(tmp_path / "a.docx", xml.paragraph(xml.run("a")))
    before, after = (
        answer.value for answer in box.run(HERE + "convert_and_look", list[str], path=str(path), folder=str(tmp_path))
    )
    assert after == before


@pytest.mark.slow
@needs_office
def test_several_start_together(tmp_path):
    results: dict[int, tuple[str, int]] = {}

    def work(number: int) -> None:
        path = docx(tmp_path / f"{number}.docx", xml.paragraph(xml.run(f"number {number}")))
        box = Sandbox(LIMITS)
        results[number] = text_and_images(converted(box, tmp_path / "out", path)[0])
        box.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: (f"number {number}", 0) for number in range(2)}


@pytest.mark.slow
@needs_office
def test_memory_that_runs_out_costs_the_file(box, tmp_path, monkeypatch):
    """The cap is LibreOffice's alone: under one of its own, the child might not get as far as to start it."""
    in_little_memory = IN_LITTLE_MEMORY.format(program=office.program())
    monkeypatch.setenv("PATH", stand_in(tmp_path / "bin", "soffice", in_little_memory))
    path = docx(tmp_path / "a.docx", xml.paragraph(xml.run("a")))
    with pytest.raises(SampleError) as error:
        converted(box, tmp_path / "out", path)
    assert error.value.reason == "not_rendered"


@pytest.mark.slow
@pytest.mark.parametrize(("hang", "said"), [("while true; do :; done", "processor time"), ("sleep 600", "wall clock")])
def test_a_stuck_file_costs_its_deadline_once_and_leaves_nothing(tmp_path, monkeypatch, hang, said):
    monkeypatch.setenv("PATH", stand_in(tmp_path / "bin", "soffice", STAND_IN.format(folder=tmp_path, hang=hang)))
    path = docx(tmp_path / "a.docx", xml.paragraph(xml.run("a")))
    limits = Limits(deadline_s=61.0, memory_bytes=office.MEMORY_BYTES)
    sandbox(limits).close()  # a child that was started before has another PATH
    arguments = {"path": str(path), "folder": str(tmp_path / "out"), "deadline_s": 0.1 if "wall" in said else 1.0}
    (part,) = read_parts(HERE + "convert_one", list[str], limits, [0], **arguments)
    assert isinstance(part, Failed) and part.reason == "timeout" and said in part.detail
    assert list((tmp_path / "out").iterdir()) == []
    assert not [p.pid for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]


def test_without_libreoffice_the_error_names_what_installs_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="make setup-word"):
        office.convert([str(tmp_path / "a.docx")], str(tmp_path), "pdf")


def test_sockets_of_dead_processes_are_swept(monkeypatch, tmp_path):
    monkeypatch.setattr(office, "_SOCKETS", str(tmp_path))
    names = [f"OSL_PIPE_{os.getuid()}_{name}" for name in ("dead", "new", "live")] + ["OSL_PIPE_x_other"]
    open_sockets = {name: socket.socket(socket.AF_UNIX) for name in names}
    for name, one in open_sockets.items():
        one.bind(str(tmp_path / name))
        if not name.endswith("new"):
            os.utime(tmp_path / name, (0, 0))
    open_sockets[names[2]].listen()
    office._sweep_sockets()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])
    for one in open_sockets.values():
        one.close()
