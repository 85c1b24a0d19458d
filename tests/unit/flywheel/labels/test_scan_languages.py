"""The languages of documents without a valid text layer."""

from collections import Counter
from dataclasses import replace

from datagen.disk.storage import Folder
from datagen.record import Origin, Quality
from flywheel.labels import scan_languages
from flywheel.pools.page_lists import PlaceFile
from flywheel.step import SCANS, Flywheel
from tests.inputs.samples import page_sample
from tests.outputs import write_dataset

HINDI, RUSSIAN = "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता प्राप्त है", "Все люди рождаются свободными и равными"


def page(doc: str, number: int = 0, text: str = "", reasons: tuple[str, ...] = ("no_text",), size=(1000, 1400), name=""):
    one = page_sample(f"{doc * 16}-00000000-{number:06d}", text, page=number, sha256=doc * 64)
    verdict = "trusted" if text and not reasons else "suspect" if text else "none"
    origin = replace(one.origin, uri=f"/in/{name or doc + '.pdf'}")
    return replace(one, size=size, lang="und", script="Zyyy", quality=Quality(verdict, reasons), origin=origin)


def told(doc: str, text: str, lang: str, script: str):
    one = page_sample(f"{doc * 16}-00000000-000000", text, lang=lang, script=script, sha256=doc * 64)
    return replace(one, origin=Origin("/in", doc * 64, 0))


def test_one_page_of_each_document_without_words_that_hold_is_asked(tmp_path):
    pages = [
        page("a", 0, "слова", ()), page("a", 1),  # it has a page with words
        page("b", 0, reasons=("picture_page",)), page("b", 1, reasons=("picture_page",)),
        page("c", 0, "ложь", ("ink_disagrees",)),
        page("d", 0, reasons=("blank",)),
        page("e", 0, name="e.png"),
    ]  # fmt: skip
    write_dataset(tmp_path / "coarse", pages)
    asked = scan_languages.pipeline(Flywheel("coarse", lang="hi"), Folder(str(tmp_path)))
    assert asked is not None and asked.name == SCANS
    languages = PlaceFile.written(Folder(str(tmp_path / "flywheel")), scan_languages.ASKED).languages()
    assert {doc[0] for doc, _ in languages} == {"b", "c", "e"} and len(languages) == 3
    assert {*languages.values()} == {"hi"}


def test_of_many_folders_fewer_images_are_asked_each(tmp_path, monkeypatch):
    monkeypatch.setattr(scan_languages, "_OF_ALL", 20)
    docs = [f"{number:016x}" for number in range(48)]
    pages = [page(doc[-1], name=f"{int(doc, 16) // 8}/{doc}.png", size=(900, 60)) for doc in docs]
    pages = [
        replace(one, key=f"{doc}-0-0", origin=replace(one.origin, sha256=doc * 4)) for one, doc in zip(pages, docs, strict=True)
    ]
    write_dataset(tmp_path / "coarse", pages)
    scan_languages.pipeline(Flywheel("coarse"), Folder(str(tmp_path)))
    places = PlaceFile.written(Folder(str(tmp_path / "flywheel")), scan_languages.ASKED).languages()
    assert Counter(int(doc[:16], 16) // 8 for doc, _ in places) == dict.fromkeys(range(6), 4)


def test_images_of_lines_are_in_the_language_of_their_folder_and_pages_in_their_own(tmp_path):
    docs = "0123456789"
    pages = [page(doc, name=f"lines/{doc}.png", size=(900, 60)) for doc in docs]
    write_dataset(tmp_path / "coarse", [*pages, page("a"), page("b"), page("b", 1), page("c")])
    read = [told(doc, HINDI, "hi", "Deva") for doc in docs[:6]] + [told("6", "ΩΣ", "und", "Grek")]
    write_dataset(tmp_path / SCANS, [*read, told("a", RUSSIAN, "ru", "Cyrl"), told("b", "ሀ ለ", "und", "Ethi")])
    scans = {scan.sha256[0]: scan for scan in scan_languages.scans(Flywheel("coarse"), Folder(str(tmp_path)))}
    assert {doc: (scan.lang, scan.script) for doc, scan in scans.items()} == dict.fromkeys(docs, ("hi", "Deva")) | {
        "a": ("ru", "Cyrl"),
        "b": ("am", "Ethi"),  # the language that the script is known by
    }
    assert scans["b"].pages == [0, 1] and scans["a"].letters["л"] == 1 and not scans["9"].letters


def test_greek_with_breathings_is_ancient(tmp_path):
    write_dataset(tmp_path / "coarse", [page("a"), page("b")])
    texts = {"a": "ἐπλημμέλησεν ἐν αὐτῷ. ἔσωθεν δέ εἰσι λύκοι ἅρπαγες", "b": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι"}
    write_dataset(tmp_path / SCANS, [told(doc, text, "el", "Grek") for doc, text in texts.items()])
    languages = {scan.sha256[0]: scan.lang for scan in scan_languages.scans(Flywheel("coarse"), Folder(str(tmp_path)))}
    assert languages == {"a": "grc", "b": "el"}


def test_the_step_may_name_the_language_and_how_many_pages_are_read(tmp_path):
    write_dataset(tmp_path / "coarse", [page(doc, number) for doc in "abc" for number in range(4)])
    write_dataset(tmp_path / SCANS, [told(doc, RUSSIAN, "ru", "Cyrl") for doc in "abc"])
    out = Folder(str(tmp_path))
    scans = scan_languages.scans(Flywheel("coarse", lang="kv", max_scan_pages=7), out)
    assert {(scan.lang, scan.script, scan.is_named) for scan in scans} == {("kv", "Cyrl", True)}
    assert sorted(len(scan.pages) for scan in scans) == [2, 2, 3]
