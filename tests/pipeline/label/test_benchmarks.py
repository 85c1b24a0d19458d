"""Pages of benchmarks, as they are downloaded, labelled and scored."""

import json

import numpy
from PIL import Image

from datagen.target.grammar import DET, DET_END, REF, REF_END
from recipes.__main__ import main
from tests.chat_server import says, serving, shown
from tests.inputs import pdfs
from tests.inputs.small_pages import page
from tests.labelling import run, words

SAID = f"{REF}text{REF_END}{DET}[[70, 70, 950, 280]]{DET_END}\nEveryone has the right to life"


def scores(tmp_path, benchmark):
    out = tmp_path / "scores.json"
    assert main(["score", f"pred={tmp_path / 'out/label'}", f"gt={benchmark}", f"out={out}"]) == 0
    return json.loads(out.read_text())


def test_omnidocbench_is_labelled_and_scored(tmp_path):
    folder = tmp_path / "benchmark"
    (folder / "images").mkdir(parents=True)
    names = [f"{stem}.pdf_3.png" for stem in ("right", "loop", "empty", "gone")]
    for name in names[:2]:
        (folder / "images" / name).write_bytes(page(name))
    Image.new("L", (160, 220), 255).save(folder / "images" / names[2])
    box = {"category_type": "text_block", "anno_id": 0, "order": 1, "poly": [7, 7, 95, 7, 95, 28, 7, 28]}
    truth = [box | {"text": "Everyone has the right to life"}]
    sizes = {"width": 160, "height": 220}
    pages = [{"layout_dets": truth, "page_info": {"image_path": name} | sizes, "extra": {"relation": []}} for name in names]
    (folder / "OmniDocBench.json").write_text(json.dumps(pages))
    loops = numpy.asarray(Image.open(folder / "images" / names[1]))

    def reply(request):
        return says(SAID + " and so on" * 400, "length") if numpy.array_equal(shown(request), loops) else says(SAID)

    with serving(reply) as (server, _):
        assert run(words(f"omnidocbench:{folder}", tmp_path / "out", server)) == 3  # three of four pages have no label
    kept = json.loads((tmp_path / "out/recipe.json").read_text())["values"]["input"]
    assert kept == f"omnidocbench:{folder}"
    scored = scores(tmp_path, f"omnidocbench:{folder}")
    assert scored["missing"] == ["gone.pdf_3"]
    assert scored["unused"] == []
    of_page = {page: values["text"] for page, values in scored["pages"].items()}
    assert of_page["right.pdf_3"] == 0
    assert of_page["loop.pdf_3"] > 0.9
    assert of_page["empty.pdf_3"] == of_page["gone.pdf_3"] == 1


def test_olmocr_bench_is_labelled_and_scored(tmp_path):
    folder = tmp_path / "benchmark/bench_data"
    (folder / "pdfs/scans").mkdir(parents=True)
    pdfs.write(folder / "pdfs/scans/a_pg7.pdf", pdfs.LATIN, pdfs.LATIN)
    test = {"pdf": "scans/a_pg7.pdf", "max_diffs": 0, "type": "present"}
    tests = [test | {"page": 2, "id": "there", "text": "right to life"}, test | {"page": 1, "id": "not", "text": "liberty"}]
    (folder / "scans.jsonl").write_text("".join(json.dumps(one) + "\n" for one in tests))
    with serving(lambda request: says(SAID)) as (server, _):
        assert run(words(f"olmocr:{folder.parent}", tmp_path / "out", server)) == 0
    scored = scores(tmp_path, f"olmocr:{folder}")
    holds = {one["id"]: one["holds"] for one in scored["tests"]}
    assert holds == {"there": True, "not": False, "scans/a_pg7.pdf_baseline": True}
    assert scored["unused"] == scored["missing"] == []


def test_a_folder_that_is_no_benchmark_is_refused_and_so_is_one_without_its_images(tmp_path, capsys):
    assert run(words(f"fox:{tmp_path}", tmp_path / "out", "http://127.0.0.1:9/v1")) == 2
    assert f"input=fox:{tmp_path}: " in (said := capsys.readouterr().err) and "the folder focus_benchmark_test with" in said
    texts = [{"from": "human", "value": "OCR:"}, {"from": "gpt", "value": "words"}]
    (tmp_path / "en_page_ocr.json").write_text(json.dumps([{"image": "en_1.png", "conversations": texts}]))
    assert run(words(f"fox:{tmp_path}", tmp_path / "out", "http://127.0.0.1:9/v1")) == 2
    assert "none of its 1 pages is there, such as" in capsys.readouterr().err
