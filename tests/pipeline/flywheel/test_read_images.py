"""`make read`: what comes of line images, of pages, and of what is neither; and that it goes on after a kill.

The reader is a small one with random weights: what it reads is nonsense, and the same nonsense every time. That words come out,
the last test says of the readers that come with the package.
"""

import json
import os

import numpy
import pytest
import torch
from PIL import Image, ImageDraw
from rapidfuzz.distance import Levenshtein

from datagen.disk.storage import Folder
from datagen.engines.compact import Alphabet, CompactConfig, CompactNet, Reader
from flywheel.labels import read_images
from flywheel.pools.typefaces import in_family
from recipes.__main__ import main
from tests.commits import Killed
from tests.inputs.samples import encoded


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    torch.manual_seed(0)
    config = CompactConfig(channels=(4, 8, 8), width=32, layers=1, heads=2)
    folder, net = tmp_path_factory.mktemp("reader"), CompactNet(config, 8)
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            module.weight.data *= 4  # else biases alone decide, and all lines read alike
    Reader(net, Alphabet("Cyrl", "абвгдеж"), config, bf16=False).save(Folder(str(folder)), {})
    return folder


def drawn(size=(300, 40), seed=0) -> Image.Image:
    """Paper with bars for words."""
    image = Image.new("L", size, 255)
    draw, left = ImageDraw.Draw(image), numpy.random.default_rng(seed)
    for top in range(10, size[1] - 20, 40):
        for start in range(10, size[0] - 40, 50):
            draw.rectangle((start, top, start + int(left.integers(20, 40)), top + 18), fill=0)
    return image


def read(reader, folder, out, *words: str) -> int:
    return main(["read", f"reader={reader}", f"input={folder}", f"out={out}", "on=inline", *words])


def rows(out) -> dict[str, dict]:
    """The rows by the file's name; of a TIFF's page, by name and page."""
    read = [json.loads(line) for line in out.read_text().splitlines()]
    return {os.path.basename(r["image"]) + (f" {r['page']}" if "page" in r else ""): r for r in read}


HOSTILE = {
    "empty.png": (b"", "empty"),
    "cut.png": (encoded(drawn(), "PNG")[:150], "damaged_image"),
    "cut.jpg": (encoded(drawn((900, 40)), "JPEG")[:700], "damaged_image"),
    "flat.png": (encoded(Image.new("L", (300, 1), 255), "PNG"), "image_too_small"),
    "words.png": (b"not an image at all", "other_format"),
}


def test_what_cannot_be_read_is_a_row_with_an_error_and_the_others_are_read(reader, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, (data, _) in HOSTILE.items():
        (folder / name).write_bytes(data)
    Image.new("1", (30_000, 30_000)).save(folder / "bomb.png")
    (folder / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (folder / "good.png").write_bytes(encoded(drawn(), "PNG"))
    out = tmp_path / "rows.jsonl"
    assert read(reader, folder, out) == 0
    got = rows(out)
    reasons = {name: row["error"].partition(":")[0] for name, row in got.items() if "error" in row}
    of_files = {name: reason for name, (_, reason) in HOSTILE.items()}
    assert reasons == of_files | {"bomb.png": "image_too_large", "gone.png": "not_found"}
    assert got["good.png"].keys() == {"image", "text", "score"}
    assert all(row.keys() == {"image", "error"} for name, row in got.items() if name != "good.png")


def test_a_page_has_lines_with_boxes_and_a_word_overrules_the_shape(reader, tmp_path):
    (tmp_path / "in").mkdir()
    drawn((600, 400)).save(tmp_path / "in/page.png")
    drawn((600, 40)).save(tmp_path / "in/line.png")
    assert read(reader, tmp_path / "in", tmp_path / "auto.jsonl") == 0
    got = rows(tmp_path / "auto.jsonl")
    assert got["line.png"].keys() == {"image", "text", "score"}
    assert got["page.png"]["size"] == [600, 400]
    lines = got["page.png"]["lines"]
    assert len(lines) >= 5
    assert all(0 <= x0 < x1 <= 600 and 0 <= y0 < y1 <= 400 for x0, y0, x1, y1 in (line["box"] for line in lines))
    assert all(line.keys() - {"doubt"} == {"box", "text", "score"} for line in lines)
    assert [line["box"][1] for line in lines] == sorted(line["box"][1] for line in lines)
    assert read(reader, tmp_path / "in", tmp_path / "line.jsonl", "kind=line") == 0
    assert "text" in rows(tmp_path / "line.jsonl")["page.png"]
    assert read(reader, tmp_path / "in", tmp_path / "page.jsonl", "kind=page") == 0
    assert "lines" in rows(tmp_path / "page.jsonl")["line.png"]


@pytest.fixture
def many(tmp_path):
    (tmp_path / "in").mkdir()
    for n in range(40):
        drawn(seed=n).save(tmp_path / f"in/{n:02d}.png")
    pages = [drawn(seed=n) for n in range(3)]
    pages[0].save(tmp_path / "in/20-pages.tiff", save_all=True, append_images=pages[1:])
    return tmp_path / "in"


def test_workers_and_runs_after_a_kill_write_the_same_file_and_written_rows_stay(reader, many, tmp_path, monkeypatch, cluster):
    assert read(reader, many, tmp_path / "whole.jsonl") == 0
    whole = (tmp_path / "whole.jsonl").read_bytes()
    assert len({row["text"] for row in rows(tmp_path / "whole.jsonl").values()}) > 10
    assert main(["read", f"reader={reader}", f"input={many}", f"out={tmp_path / 'two.jsonl'}", f"on={cluster}"]) == 0
    assert (tmp_path / "two.jsonl").read_bytes() == whole
    out, run_read, calls = tmp_path / "rows.jsonl", read_images.run_read, []

    def killed(task):
        calls.append(task)
        if len(calls) == 2:
            raise Killed
        return run_read(task)

    monkeypatch.setattr(read_images, "run_read", killed)
    with pytest.raises(Killed):
        read(reader, many, out)
    assert 0 < len(out.read_bytes()) < len(whole)
    monkeypatch.setattr(read_images, "run_read", run_read)
    assert read(reader, many, out) == 0
    assert out.read_bytes() == whole
    ends = [n for n in range(len(whole)) if whole[n : n + 1] == b"\n"]
    for end in (ends[3] + 1, ends[20] + 9, ends[21] + 1, len(whole) - 1, 5):  # between rows, amid one, amid a TIFF's pages
        out.write_bytes(whole[:end])
        assert read(reader, many, out) == 0
        assert out.read_bytes() == whole
    before = [(p.name, p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(tmp_path.glob("rows*"))]
    monkeypatch.setattr(read_images, "run_read", None)  # all is read: nothing is read or written
    assert read(reader, many, out) == 0
    assert [(p.name, p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(tmp_path.glob("rows*"))] == before


def test_what_fails_and_is_no_images_fault_is_tried_again(reader, many, tmp_path, monkeypatch):
    out, run_read = tmp_path / "rows.jsonl", read_images.run_read

    def full(task):
        if task.items[0].uri.endswith("00.png"):
            raise OSError(28, "No space left on device")
        return run_read(task)

    monkeypatch.setattr(read_images, "run_read", full)
    assert read(reader, many, out) == 1
    assert len(rows(out)) == 43 - 16
    monkeypatch.setattr(read_images, "run_read", run_read)
    assert read(reader, many, out) == 0
    assert len(rows(out)) == 43


def test_rows_of_another_reader_or_of_somebody_else_stay_alone(reader, many, tmp_path, capsys):
    out = tmp_path / "rows.jsonl"
    out.write_text('{"mine": 1}\n')
    assert read(reader, many, out) == 2
    assert "has rows that this command didn't write" in capsys.readouterr().err
    assert out.read_text() == '{"mine": 1}\n'
    assert read(reader, many, out, "overwrite=1") == 0
    assert len(rows(out)) == 43
    before = out.read_bytes()
    assert read(reader, many, out, "kind=line") == 2
    assert "overwrite=1" in capsys.readouterr().err
    assert out.read_bytes() == before
    out.write_bytes(b"{}\n" + before)
    assert read(reader, many, out) == 2
    assert "line 1 is no row of an image" in capsys.readouterr().err
    assert read(reader, many, tmp_path) == 2
    assert "a file on a local disk is needed" in capsys.readouterr().err


def test_without_a_reader_each_line_is_read_by_that_of_its_script(tmp_path):
    lines = {
        "greek": ("el", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι"),
        "latin": ("en", "All human beings are born free"),
    }
    (tmp_path / "in").mkdir()
    for name, (lang, text) in lines.items():
        pixels, *_ = in_family(("DejaVu Serif",), text, lang, numpy.random.default_rng(0))
        Image.fromarray(pixels).save(tmp_path / f"in/{name}.png")
    out = tmp_path / "rows.jsonl"
    assert main(["read", f"input={tmp_path / 'in'}", f"out={out}", "on=inline"]) == 0
    for name, row in rows(out).items():
        text = lines[name.removesuffix(".png")][1]
        assert Levenshtein.distance(row["text"], text) <= 0.06 * len(text) and row["score"] > 0.8
    assert read(tmp_path / "no-reader", tmp_path / "in", out) == 2
