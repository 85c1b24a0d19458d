"""What people correct becomes records of the same dataset, whatever runs before, between and afterwards."""

import json
import shutil

import pytest

from datagen.disk import marks
from datagen.disk.storage import Folder
from datagen.patching import form
from datagen.patching.form import dataset_id
from recipes.__main__ import main
from recipes.look.choose import census
from recipes.steps.mixture import _num_samples
from recipes.verbs.forget import forget
from recipes.verbs.look import look
from recipes.verbs.patch import patch
from recipes.verbs.score import score
from recipes.verbs.status import report, status, verify
from tests.commits import at_every_commit
from tests.inputs import patches, pdfs
from tests.outputs import check_corpus, dataset_samples, files, make_small, shards

pytestmark = pytest.mark.usefixtures("small_recipe")


@pytest.fixture
def out(corpus, tmp_path):
    """The nine pages of the corpus, the first one blank, made on the command line."""
    assert make_small(corpus, tmp_path / "out") == 0
    return tmp_path / "out"


def folder_of(out) -> Folder:
    return Folder(str(out / "coarse"))


def written(folder: Folder, page: str) -> list[str]:
    """The keys of the records of a file's pages, in order, but for those that are blank or marked."""
    return [key for key, (record, _) in patches.records(folder).items() if page in record["origin"]["uri"] and record["regions"]]


def corrected(folder: Folder, key: str, text: str, **fields) -> dict:
    """An answer that gives the first region of a sample another text."""
    record, digest = patches.records(folder)[key]
    return {"key": key, "record": digest, "verdict": "corrected", "regions": patches.regions(record, r0={"text": text})} | fields


def three_answers(folder: Folder) -> list[dict]:
    """A Russian page corrected, an English one called wrong, a Chinese one right."""
    ru, en, zh = (written(folder, name)[0] for name in ("russian", "english", "chinese"))
    known = patches.records(folder)
    return [
        corrected(folder, ru, "Исправлено"),
        {"key": en, "record": known[en][1], "verdict": "wrong", "note": "another page's text"},
        {"key": zh, "record": known[zh][1], "verdict": "right"},
    ]


def test_what_is_corrected_is_a_record_of_the_same_dataset(out, corpus, tmp_path):
    folder, before = folder_of(out), shards(out)
    old = {s.key: s for s in dataset_samples(folder)}
    answers = three_answers(folder)
    known = dataset_id(folder)
    num_before = _num_samples(folder)
    file = patches.write(tmp_path / "p.json", patches.patch(folder, answers))
    said = patch(str(out), file)
    assert "1 corrected, 1 wrong, 1 right, by Ada" in said and "1 records made" in said
    assert before.items() <= shards(out).items() and dataset_id(folder) == known
    (new,) = [s for s in dataset_samples(folder) if s.key not in old]
    was = old[answers[0]["key"]]
    assert new.key.startswith(f"{was.key}-p") and new.image == was.image and new.origin == was.origin
    assert (new.regions[0].text, new.regions[0].by, new.regions[0].score) == ("Исправлено", "person/Ada", None)
    assert new.regions[0].detected_by == "pymupdf" and not new.regions[0].lines and new.regions[1:] == was.regions[1:]
    assert new.text == "\n\n".join(r.text for r in new.regions)
    assert (new.quality.verdict, new.quality.reasons, new.quality.signals["person"]) == ("trusted", (), 1.0)
    said_of = {(m.key, m.mark, m.of) for m in marks.of_people(folder)}
    assert said_of == {(was.key, "corrected", new.key), (answers[1]["key"], "rejected", "")}
    # Two marked, one new: whoever trains sees one sample fewer.
    assert _num_samples(folder) == num_before - 1
    check_corpus(out, "--datasets")
    assert verify(str(out))[1]
    # Scores are of what stands now: nine pages, one of them rejected.
    assert score(f"{out}/coarse", f"{out}/coarse").startswith("8 pages of")
    assert "marked 1 corrected" in status(str(out)) and "aren't made yet" not in status(str(out))
    assert report(str(out)) == 0 and "Исправлено" in (out / "report/index.html").read_text()
    # Twice is once; and a run that finds nothing new leaves the patch alone, but for the marks of what is alike, made anew.
    state = files(out)
    assert "no record made anew" in patch(str(out), file)
    assert files(out) == state
    assert make_small(corpus, out) == 0
    assert marks.of_people(folder) and not [m for m in marks.read(folder).to_pylist() if m["mark"] == "duplicate"]
    state = files(out)
    assert make_small(corpus, out) == 0
    assert files(out) == state


def test_documents_that_come_later_get_shards_of_their_own_and_lost_ones_are_made_again(out, corpus, tmp_path):
    folder = folder_of(out)
    patch(str(out), patches.write(tmp_path / "p.json", patches.patch(folder, three_answers(folder))))
    patched = shards(out)
    pdfs.write(corpus / "later.pdf", pdfs.lines(f"Another page. {pdfs.LATIN}"))
    assert make_small(corpus, out) == 0
    assert patched.items() < shards(out).items() and written(folder, "later")
    lost = max(patched)
    (out / "coarse/shards" / lost).unlink()
    assert make_small(corpus, out) == 0
    assert patched.items() < shards(out).items()
    assert verify(str(out))[1]


def test_a_corrected_record_can_be_corrected_again_and_the_old_one_not(out, tmp_path):
    folder = folder_of(out)
    key = written(folder, "english")[0]
    first = patches.patch(folder, [corrected(folder, key, "Once")])
    same_page = patches.patch(folder, [corrected(folder, key, "Otherwise")])
    patch(str(out), patches.write(tmp_path / "1.json", first))
    with pytest.raises(ValueError, match="was corrected since"):
        patch(str(out), patches.write(tmp_path / "no.json", same_page))
    (second_key,) = (k for k in written(folder, "english") if k.startswith(key))
    patch(str(out), patches.write(tmp_path / "2.json", patches.patch(folder, [corrected(folder, second_key, "Twice")])))
    (third_key,) = (k for k in written(folder, "english") if k.startswith(key))
    assert patches.records(folder)[third_key][0]["regions"][0]["text"] == "Twice"
    assert len(third_key) == len(second_key)
    patch(str(out), str(tmp_path / "1.json"))  # again, and it changes nothing
    assert written(folder, "english")[-1] == third_key
    check_corpus(out)
    assert verify(str(out))[1]


def test_a_patch_that_does_not_fit_is_refused_and_nothing_is_written(out, tmp_path):
    folder = folder_of(out)
    answers = three_answers(folder)
    last = [*answers[1:], corrected(folder, answers[0]["key"], "x")]
    last[-1]["regions"][0]["box"] = [0, 0, 10**40, 10]
    state = files(out)
    for values, said in (
        (patches.patch(folder, answers, dataset={"name": "coarse", "id": "0" * 32}), "another dataset"),
        (patches.patch(folder, [*answers[1:], answers[0] | {"record": "0" * 64}]), "isn't the one"),
        (patches.patch(folder, [answers[2], answers[0] | {"key": "nothing-here"}]), "has none"),
        (patches.patch(folder, last), "outside of"),
    ):
        with pytest.raises(ValueError, match=said):
            patch(str(out), patches.write(tmp_path / "p.json", values))
    with pytest.raises(ValueError, match="name the output folder"):
        patch(str(out / "coarse"), str(tmp_path / "p.json"))
    assert main(["patch", f"out={out}", f"patch={tmp_path / 'p.json'}"]) == 2
    assert files(out) == state


def test_what_was_rejected_is_restored_for_good(out, tmp_path):
    folder = folder_of(out)
    key, (_, record) = next(iter(patches.records(folder).items()))

    def judged(verdict: str, note: str = "") -> str:
        answer = {"key": key, "record": record, "verdict": verdict, "note": note}
        return patches.write(tmp_path / f"{verdict}{note}.json", patches.patch(folder, [answer]))

    with pytest.raises(ValueError, match="it isn't rejected"):
        patch(str(out), judged("restored"))
    patch(str(out), judged("wrong"))
    assert key not in patches.records(folder) and [entry.row["key"] for entry in census(folder).rejected] == [key]
    patch(str(out), judged("restored"))
    state = files(out)
    for verdict in ("wrong", "restored"):  # taken again, in whatever order
        assert "no record made anew" in patch(str(out), judged(verdict))
    assert files(out) == state
    assert key in patches.records(folder) and not marks.of_people(folder) and not census(folder).rejected
    with pytest.raises(ValueError, match="it was rejected and restored"):
        patch(str(out), judged("wrong", "again"))


def test_a_forgotten_document_goes_from_patches_marks_and_their_shards(out, corpus, tmp_path):
    folder = folder_of(out)
    file = patches.write(tmp_path / "p.json", patches.patch(folder, three_answers(folder)))
    patch(str(out), file)
    look(str(out))
    assert forget(str(out), uri=str(corpus / "russian.pdf"))[1]
    assert not [path for path in (out / "look").rglob("*") if path.is_file()]
    (digest,) = form.digests(folder)
    assert "Исправлено" not in (out / f"coarse/patches/{digest}.json").read_text()
    assert [m.mark for m in marks.of_people(folder)] == ["rejected"]
    assert not [s for s in dataset_samples(folder) if "russian" in s.origin.uri]
    assert "no record made anew" in patch(str(out), file)
    assert b"russian.pdf" not in (out / "coarse/README.md").read_bytes()
    assert make_small(corpus, out) == 0
    check_corpus(out)
    assert verify(str(out))[1]


def test_overwriting_keeps_what_people_did_so_that_it_can_be_taken_again(out, corpus, tmp_path):
    folder = folder_of(out)
    patch(str(out), patches.write(tmp_path / "p.json", patches.patch(folder, three_answers(folder))))
    patched = shards(out)
    assert make_small(corpus, out, "--overwrite") == 0
    assert len(shards(out)) < len(patched) and not marks.of_people(folder)
    (digest,) = form.digests(folder)
    patch(str(out), str(out / f"coarse/patches/{digest}.json"))
    assert shards(out) == patched


def test_a_patch_killed_at_any_commit_goes_on_to_the_same_files(out, tmp_path):
    folder = folder_of(out)
    shutil.rmtree(out / "report")
    file = patches.write(tmp_path / "p.json", patches.patch(folder, three_answers(folder)))
    fresh, num_before = shutil.copytree(out, tmp_path / "fresh"), len(shards(out))

    def contents() -> dict[str, str]:
        """Of all files but the shards' reports, which say when they were made."""
        return {
            name: digest for name, (_, _, digest) in files(out).items() if not ("/shards/" in name and name.endswith(".json"))
        }

    def take(_: int) -> None:
        shutil.rmtree(out)
        shutil.copytree(fresh, out)
        patch(str(out), file)

    take(0)
    done = contents()

    def goes_on(number: int, name: str) -> None:
        is_marked, is_made = bool(marks.of_people(folder)), len(shards(out)) > num_before
        assert is_marked or not is_made
        assert ("aren't made yet" in status(str(out))) == (is_marked and not is_made)
        patch(str(out), file)
        assert contents() == done

    names = at_every_commit(take, goes_on)
    assert [name.partition("/")[0] for name in names][:3] == ["patches", "marks", "census"]


def test_an_audit_gives_the_share_of_wrong_labels_and_changes_no_sample(out, tmp_path):
    folder, before = folder_of(out), shards(out)
    samples = []
    for sample in dataset_samples(folder):
        for region in sample.regions[:1]:
            answers = [{"region": 0, "box": region.box, "verdict": "typed", "text": f"  {region.text} "}]
            samples.append({"key": sample.key, "record": "", "answers": answers})
    samples[0]["answers"][0]["text"] += "x"
    samples[1]["answers"][0] |= {"verdict": "nothing", "text": ""}
    samples[2]["answers"][0] |= {"verdict": "skip", "text": ""}
    said = patch(str(out), patches.write(tmp_path / "a.json", patches.patch(folder, samples, kind="audit")))
    assert f"all: 2 of {len(samples) - 1} wrong" in said and "1 skipped" in said
    found = json.loads((out / "coarse/audits.json").read_text())
    (of_all,) = (audit["kinds"]["all"] for audit in found.values())
    assert of_all["num_wrong"] == 2 and 0 < of_all["rate_low"] < of_all["rate"] < of_all["rate_high"] < 1
    assert shards(out) == before and not marks.of_people(folder)
    assert "audit by Ada: all: 2 of" in status(str(out))
    assert report(str(out)) == 0 and "without seeing a label" in (out / "report/index.html").read_text()
    samples[3]["answers"][0]["box"] = [0, 0, 5, 5]
    with pytest.raises(ValueError, match="lies elsewhere"):
        patch(str(out), patches.write(tmp_path / "a.json", patches.patch(folder, samples, kind="audit")))
