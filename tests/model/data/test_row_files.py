"""Files of rows as people bring them: encodings and lists, images that come, go and change, and rows that belong together."""

import base64
import functools
import http.server
import importlib.util
import json
import os
import threading
from typing import ClassVar

import fsspec
import pytest
from PIL import Image

from datagen.disk.storage import Folder
from model.data import jsonl
from model.data.jsonl import Jsonl
from model.data.loader import job, maker, read
from model.data.split import opened
from tests.inputs.samples import image
from tests.model.drawn_rows import alone


def picture(path, size=(600, 700), colour="white"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def written(tmp_path, rows, name="my.jsonl"):
    file = tmp_path / name
    file.write_bytes(b"\n".join(json.dumps(row, ensure_ascii=False).encode() for row in rows))
    return str(file)


def texts(corpus):
    return [read(corpus, alone(corpus, 0, row, "tiny")).parts[-1].text for row in range(len(corpus.columns[0]))]


ROWS = [{"text": "Zwölf, [Boxkämpfer]"}, {"text": 'a "quoted" {brace}'}, {"text": "λίγα\n"}]


@pytest.mark.parametrize("indent", [None, 0, 4])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_lines_and_lists_are_the_same_rows(tmp_path, tokenizer, indent, mark):
    (tmp_path / "lines.jsonl").write_bytes(mark + b"\n".join(json.dumps(row).encode() for row in ROWS))
    (tmp_path / "list.json").write_bytes(mark + b"\n" + json.dumps(ROWS, indent=indent, ensure_ascii=False).encode() + b"\n")
    (tmp_path / "empty.json").write_bytes(mark + b" [ ] ")
    for name in ("lines.jsonl", "list.json"):
        corpus = opened([Jsonl(str(tmp_path / name))], tokenizer, 0.1)
        assert texts(corpus) == [row["text"] for row in ROWS] and not corpus.columns[0].skipped
    with pytest.raises(ValueError, match=r"no row can be used \(there are none\)"):
        opened([Jsonl(str(tmp_path / "empty.json"))], tokenizer, 0.1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps(ROWS[0]).encode("utf-16"), "UTF-16: save it as UTF-8, as by iconv"),
        (json.dumps(ROWS[0]).encode("utf-16-le"), "UTF-16: save it as UTF-8, as by iconv"),
        (b"\x1f\x8b\x08\x00", "is compressed: .*; unpack it"),
        (b'[{"text": "x"}, {"text": ', "its list is damaged behind 1 rows"),
        (b'[{"text": "x"}]\n[{"text": "y"}]', "its list ends behind 1 rows, and there is more"),
        (b'[{"text": "\xff"}]', "is no UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_one_clear_error(tmp_path, content, message):
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=rf"a\.jsonl.*{message}"):
        Jsonl(str(tmp_path / "a.jsonl"))


def test_an_image_that_comes_later_is_found_and_one_that_changes_is_seen_anew(tmp_path, tokenizer, monkeypatch, caplog):
    file = written(tmp_path, [{"image": f"{n}.png", "answer": f"{n}"} for n in range(3)])
    picture(tmp_path / "0.png")
    picture(tmp_path / "1.png", colour="red")
    first = opened([Jsonl(file)], tokenizer, 0.1)
    assert first.skipped == {"my.jsonl": {"image_missing": 1}} and len(first.train[0]) + len(first.held_out[0]) == 2
    picture(tmp_path / "2.png", (300, 400), "blue")
    picture(tmp_path / "1.png", (1300, 900), "red")
    second = opened([Jsonl(file)], tokenizer, 0.1)
    assert not second.columns[0].skipped and second.digests != first.digests
    assert [second.columns[0].sizes(row) for row in range(3)] == [((600, 700),), ((1300, 900),), ((300, 400),)]
    monkeypatch.delattr(jsonl, "look")  # no image is opened again
    assert opened([Jsonl(file)], tokenizer, 0.1).digests == second.digests
    (tmp_path / "0.png").unlink()
    with pytest.raises(NameError):
        opened([Jsonl(file)], tokenizer, 0.1)


class NoCredentials(fsspec.AbstractFileSystem):
    has_some = False

    def cat_file(self, *args, **kwargs):
        if self.has_some:
            return image(320, 200)
        raise RuntimeError("Unable to locate credentials")


def test_references_that_lead_nowhere(tmp_path, tokenizer, monkeypatch):
    picture(tmp_path / "0.png")
    os.mkfifo(tmp_path / "fifo.png")
    nowhere = ["a\0.png", "foo://bucket/a.png", "fifo.png", ".", "data:image/png;base64,!", "data:;base64,AAAA"]
    rows = [{"image": image, "answer": "x"} for image in ["0.png", *nowhere]]
    corpus = opened([Jsonl(written(tmp_path, rows))], tokenizer, 0.1)
    assert corpus.skipped == {"my.jsonl": {"image_missing": 5, "bad_image": 1}}
    fsspec.register_implementation("nocreds", NoCredentials)
    with pytest.raises(ValueError, match=r"nocreds://bucket/a.png can't be read: RuntimeError: Unable to locate credentials"):
        opened([Jsonl(written(tmp_path, [{"image": "nocreds://bucket/a.png", "answer": "x"}]))], tokenizer, 0.1)
    # While a training runs it is as if a disk had gone.
    with monkeypatch.context() as patched:
        patched.setattr(NoCredentials, "has_some", True)
        corpus = opened([Jsonl(str(tmp_path / "my.jsonl"))], tokenizer, 0.1)
    batch = maker(corpus, tokenizer, ["tiny"])[job(corpus, [[alone(corpus, 0, 0, "tiny")]])]
    assert [(skipped.reason, batch.num_samples) for skipped in batch.skipped] == [("unreadable", 0)]
    if not importlib.util.find_spec("gcsfs"):
        with pytest.raises(ValueError, match=r"gs://bucket/a.png can't be read: .*gcsfs"):
            opened([Jsonl(written(tmp_path, [{"image": "gs://bucket/a.png", "answer": "x"}]))], tokenizer, 0.1)


def groups(corpus):
    return corpus.columns[0].group_N.tolist()


def test_rows_that_share_an_image_are_one_group(tmp_path, tokenizer):
    for n in range(6):
        picture(tmp_path / "images" / f"{n}.png", (300 + n, 400))
    inline = "data:;base64," + base64.b64encode((tmp_path / "images" / "0.png").read_bytes()).decode()
    same = ["images/0.png", "./images//0.png", "images/../images/0.png", str(tmp_path / "images" / "0.png"), inline]
    rows = [{"image": image, "answer": f"{n}"} for n, image in enumerate(same)]
    rows += [{"images": [f"images/{a}.png", f"images/{b}.png"], "answer": f"{a} {b}"} for a, b in ((1, 2), (3, 4), (2, 3))]
    rows += [{"image": "images/5.png", "answer": "5"}, {"text": "alike"}, {"text": "alike"}, {"text": "another"}]
    found = groups(opened([Jsonl(written(tmp_path, rows))], tokenizer, 0.5))
    assert len({*found[:5]}) == 1 and len({*found[5:8]}) == 1 and found[9] == found[10] and len({*found}) == 5
    # Whatever the dataset is called, and whichever file names the image.
    other = written(tmp_path / "images", [{"image": "0.png", "answer": "x"}, {"text": "alike"}], "other.jsonl")
    assert groups(opened([Jsonl(other, "a/other.jsonl")], tokenizer, 0.5)) == [found[0], found[9]]


class Handler(http.server.SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def log_message(self, *args):
        self.asked.append(self.command)


def test_what_is_read_from_a_web_server_is_kept_in_the_cache(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    picture(tmp_path / "web" / "0.png")
    written(tmp_path / "web", [{"image": "0.png", "answer": "x"}, {"text": "y"}])
    handler = functools.partial(Handler, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f"http://127.0.0.1:{server.server_address[1]}/my.jsonl"
        first = opened([Jsonl(where)], tokenizer, 0.1)
        num_asked = len(Handler.asked)
        assert opened([Jsonl(where)], tokenizer, 0.1).digests == first.digests and first.columns[0].sizes(0) == ((600, 700),)
        written(tmp_path / "web", ROWS * 4, "long.jsonl")
        with pytest.raises(ValueError, match=r"long.jsonl: its server sends whole files"):
            Jsonl(where.replace("my.jsonl", "long.jsonl"))
        server.shutdown()
    assert "POST" not in Handler.asked and len(Handler.asked) < 2 * num_asked
    assert len(list((tmp_path / "cache" / "pagewheel").rglob("my.jsonl.parquet"))) == 2


def test_what_cannot_be_kept_is_said_and_counted_again(tmp_path, tokenizer, monkeypatch, caplog):
    def refuse(self, name, table):
        raise RuntimeError("this storage takes nothing")

    monkeypatch.setattr(Folder, "write_table", refuse)
    file = written(tmp_path, ROWS)
    assert opened([Jsonl(file)], tokenizer, 0.1).digests == opened([Jsonl(file)], tokenizer, 0.1).digests
    assert "can't be written, so that all is read at each start: this storage takes nothing" in caplog.text
