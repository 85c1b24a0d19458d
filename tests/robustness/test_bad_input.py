"""Every way in which a file can be bad: a drop with its reason, in drops.jsonl and in the report, and the run goes on."""

import errno
import http.server
import json
import os
import threading

import pytest

from datagen.coarse.source import TEXT_LAYER, PageFunction, PdfSource
from datagen.inputs import local, web
from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.record import Drop, Sample, SampleError
from datagen.sandbox.process import Limits, sandbox
from datagen.work.pipeline import Pipeline
from tests.inputs import pdfs
from tests.outputs import check_corpus, make, samples, shards
from tests.programs import full_disk

LIMITS = Limits(deadline_s=0.5, memory_bytes=1 << 30)


PAGE_FUNCTIONS = (
    TEXT_LAYER,
    PageFunction("tests.page_functions:crash_on_request"),
    PageFunction("tests.page_functions:swallow_on_request"),
)

BAD = {
    "empty.pdf": "empty",
    "not_a_pdf.pdf": "not_a_pdf",
    "picture.pdf": "not_a_pdf",
    "encrypted.pdf": "encrypted",
    "truncated.pdf": "broken_page",
    "garbage.pdf": "broken",
    "zero_pages.pdf": "no_pages",
    "cyclic.pdf": "broken",
    "huge_page.pdf": "page_too_large",
    "hang.pdf": "timeout",
    "crash.pdf": "crash",
    "swallow.pdf": "memory",
    "dangling.pdf": "not_found",
    "fifo.pdf": "unreadable",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "in"
    folder.mkdir()
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "not_a_pdf.pdf").write_bytes(b"Dear Sir or Madam")
    (folder / "picture.pdf").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(2000))
    (folder / "garbage.pdf").write_bytes(b"%PDF-1.7\n" + b"\xde\xad" * 500)
    pdfs.encrypted(folder / "encrypted.pdf")
    pdfs.truncated(folder / "truncated.pdf")
    pdfs.zero_pages(folder / "zero_pages.pdf")
    pdfs.cyclic_page_tree(folder / "cyclic.pdf")
    pdfs.huge_page(folder / "huge_page.pdf")
    pdfs.hang(folder / "hang.pdf")
    pdfs.write(folder / "crash.pdf", "first", "CRASH", "third")
    pdfs.write(folder / "swallow.pdf", "first", "SWALLOW", "third")
    (folder / "dangling.pdf").symlink_to(folder / "nowhere.pdf")
    os.mkfifo(folder / "fifo.pdf")
    for i in range(len(BAD)):
        pdfs.write(folder / f"good{i:02d}.pdf", pdfs.LATIN)
    return folder


@pytest.fixture(scope="module")
def read_inline(hostile, tmp_path_factory):
    out = tmp_path_factory.mktemp("inline") / "out"
    assert make(hostile, out, page_functions=PAGE_FUNCTIONS, limits=LIMITS, shard_pages=8) == 0
    return out


def test_every_input_is_accounted_for(read_inline):
    out = read_inline
    drops = [json.loads(line) for line in (out / "coarse/drops.jsonl").read_text().splitlines()]
    assert sorted((os.path.basename(d["uri"]), d["reason"]) for d in drops) == sorted(BAD.items())
    assert all(set(d) == {"key", "uri", "first", "stop", "stage", "reason", "detail", "readings"} for d in drops)
    assert {os.path.basename(s.origin.uri) for s in samples(out)} >= {f"good{i:02d}.pdf" for i in range(len(BAD))}
    html = (out / "report/index.html").read_text()
    assert all(reason in html for reason in BAD.values())
    check_corpus(out)


def test_hostile_input_gives_the_same_bytes_on_workers(hostile, read_inline, cluster, tmp_path):
    out = tmp_path / "out"
    assert make(hostile, out, cluster, page_functions=PAGE_FUNCTIONS, limits=LIMITS, shard_pages=8) == 0
    assert shards(out) == shards(read_inline)
    assert (out / "coarse/drops.jsonl").read_bytes() == (read_inline / "coarse/drops.jsonl").read_bytes()


def read(path, **values) -> list[Sample | Drop]:
    source = PdfSource(long_side=512, page_functions=PAGE_FUNCTIONS, limits=LIMITS, **values)
    return list(Pipeline("test", Listing(str(path)), source, ()).process(tuple(Listing(str(path)).items()), []))


def test_a_parser_that_died_while_it_waited_costs_nothing(tmp_path):
    path = pdfs.write(tmp_path / "a.pdf", "first", "second")
    source = PdfSource(long_side=512, limits=LIMITS)
    assert len(list(source.read(Item(str(path))))) == 2
    box = sandbox(LIMITS)
    real = box._process.poll
    box._process.kill()
    box._process.wait()
    box._process.poll = lambda: None  # the moment between looking and sending
    try:
        assert [type(s) for s in source.read(Item(str(path)))] == [Sample, Sample]
    finally:
        if box._process is not None:
            box._process.poll = real


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE])
def test_what_is_not_the_files_fault_fails_the_shard(tmp_path, monkeypatch, number):
    path = pdfs.write(tmp_path / "a.pdf", "first")

    def fetch(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(local, "_fetch", fetch)
    with pytest.raises(OSError, match=os.strerror(number)):
        list(PdfSource().read(Item(str(path))))


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The address of a server that answers what the path says, such as /503,200/a.pdf; and the paths of its GETs."""
    monkeypatch.setattr(web, "_PAUSES_S", (0.0, 0.0))
    data, requests = pdfs.write(tmp_path / "served.pdf", pdfs.LATIN).read_bytes(), []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_error(405)

        def do_GET(self):
            answers = self.path.split("/")[1].split(",")
            answer = answers[min(requests.count(self.path), len(answers) - 1)]
            requests.append(self.path)
            if answer not in ("200", "cut"):
                return self.send_error(int(answer))
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            return self.wfile.write(data[: len(data) // 2] if answer == "cut" else data)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}", requests
        served.shutdown()


@pytest.mark.parametrize("uri", ["{}/{}/a.pdf", "warc://7-9/x::{}/{}/a.warc.gz", "zip://a.pdf::{}/{}/a.zip"])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [(404, "not_found"), (410, "not_found"), (403, "unreadable"), (400, "unreadable")],
)
def test_what_a_server_says_of_a_file_is_a_drop(server, uri, answer, reason):
    address, requests = server
    with pytest.raises(SampleError, match=reason), local.fetched(uri.format(address, answer), ("pdf",), 1 << 20, LIMITS):
        pass
    assert len(requests) == 1


@pytest.mark.parametrize("uri", ["{}/{}/a.pdf", "warc://7-9/x::{}/{}/a.warc.gz", "zip://a.pdf::{}/{}/a.zip"])
@pytest.mark.parametrize("answer", ["503", "429", "200,cut"])
def test_a_lost_server_is_not_the_files_fault(server, uri, answer):
    address, requests = server
    answer = "cut" if uri.startswith("warc") and answer == "200,cut" else answer  # it isn't asked for its size
    with pytest.raises(OSError, match="Error"), local.fetched(uri.format(address, answer), ("pdf",), 1 << 20, LIMITS):
        pass
    assert len(requests) == 3 + (answer == "200,cut")


@pytest.mark.parametrize("answers", ["503,503,200", "200,503,cut,200"])
def test_a_server_that_comes_back_is_asked_again(server, answers):
    address, _ = server
    assert [type(item) for item in PdfSource(long_side=512).read(Item(f"{address}/{answers}/a.pdf"))] == [Sample]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make_it", "allowed"),
    [
        (pdfs.deep_nesting, {"timeout", "memory", "crash", "broken_page", ""}),
        (pdfs.bomb_in_streams, {"timeout", "memory"}),
        (pdfs.bad_xref, {""}),
    ],
)
def test_what_is_made_to_exhaust_a_parser_costs_a_page(tmp_path, make_it, allowed):
    """Which limit it meets first is the machine's to say; the document beside it is read."""
    (tmp_path / "in").mkdir()
    make_it(tmp_path / "in/a.pdf")
    pdfs.write(tmp_path / "in/b.pdf", pdfs.LATIN)
    assert make(tmp_path / "in", tmp_path / "out", limits=LIMITS) == 0
    drops = [json.loads(line)["reason"] for line in (tmp_path / "out/coarse/drops.jsonl").read_text().splitlines()]
    assert set(drops or [""]) <= allowed
    assert [s for s in samples(tmp_path / "out") if s.origin.uri.endswith("b.pdf")]


def test_nothing_in_a_document_is_run_or_fetched(tmp_path, server):
    """Scripts, programs, addresses and other files that it names stay what they are: names."""
    address, requests = server
    secret = tmp_path / "secret.txt"
    secret.write_text("BT /F0 24 Tf 72 500 Td (a secret) Tj ET")
    pdfs.beckoning(tmp_path / "in/a.pdf", address, secret)
    assert make(tmp_path / "in", tmp_path / "out") == 0
    (page,) = samples(tmp_path / "out")
    assert page.text == "nothing but this"
    assert requests == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out", "secret.txt", "served.pdf"]


def test_an_image_that_swells_is_no_blank_page(tmp_path):
    pdfs.memory_bomb(tmp_path / "in/a.pdf")
    assert make(tmp_path / "in", tmp_path / "out", limits=LIMITS) == 0
    (page,) = samples(tmp_path / "out")
    assert page.quality.reasons == ("picture_page",)


def test_a_file_of_no_permission_is_unreadable(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    path = pdfs.write(tmp_path / "a.pdf", "x")
    path.chmod(0)
    assert [d.reason for d in read(path)] == ["unreadable"]


def test_a_full_disk_is_a_failed_shard_and_no_partial_file(corpus, tmp_path, caplog):
    with full_disk(20_000), pytest.raises(OSError, match="File too large"):  # of the report, at last
        make(corpus, tmp_path / "out")
    assert "2 shards failed" in caplog.text
    assert not list((tmp_path / "out").rglob(".tmp-*"))
    assert all(tar.with_suffix(".json").exists() for tar in (tmp_path / "out/coarse/shards").glob("*.tar"))
    assert make(corpus, tmp_path / "out") == 0
