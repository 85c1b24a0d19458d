"""Samples that are alike, or like a page of a benchmark: marked in every script, over shards and generations, never rewritten."""

import random
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy
import pymupdf
import pytest
from PIL import Image

from datagen.curation import duplicates, mark_similar, picture_hashes, signatures
from datagen.curation.mark_similar import MarkAlike
from datagen.disk import marks
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.record import Origin
from datagen.work.runner import InProcess
from tests.inputs import pdfs
from tests.inputs.samples import encoded, sample
from tests.inputs.udhr import UDHR
from tests.outputs import check_corpus, files, make_small, samples, shards, write_dataset

pytestmark = pytest.mark.usefixtures("small_recipe")


def jpeg(seed: int) -> bytes:
    """An image like no other."""
    return encoded(Image.fromarray(numpy.random.default_rng(seed).integers(0, 255, (16, 16, 3), numpy.uint8)), "JPEG")


def pages(*texts: str, start: int = 0, images=()) -> list:
    made = []
    for i, text in enumerate(texts, start):
        image = images[i - start] if images else jpeg(i)
        origin = Origin(f"{i}.pdf", f"{i:064x}", 0)
        made.append(sample(f"page-{i:03}", text=text, image=image, size=(16, 16), regions=(), origin=origin))
    return made


def marked(folder, found, **values) -> dict[str, tuple[str, str]]:
    write_dataset(folder, found)
    mark_similar.mark(MarkAlike(("coarse",), **values), Folder(str(folder)), InProcess())
    return {row["key"]: (row["mark"], row["of"]) for row in marks.read(Folder(str(folder))).to_pylist()}


def scrambled(text: str, share: float) -> str:
    """`text` with so many of its letters replaced by others of it."""
    rng = random.Random(0)
    letters = [c for c in text if c.isalpha()]
    return "".join(rng.choice(letters) if c.isalpha() and rng.random() < share else c for c in text)


@pytest.mark.parametrize("script", ["Latn", "Thai", "Khmr", "Hans", "Arab", "Deva", "Kore"])
def test_near_duplicates_are_found_in_every_script(tmp_path, script):
    text = UDHR[script][1]
    text, other = text + text[::-1], "".join(sorted(text))
    found = marked(tmp_path / "coarse", pages(text, scrambled(text, 0.01), f"7 {text} 8.", other))
    assert found == {"page-001": ("near_duplicate", "page-000"), "page-002": ("near_duplicate", "page-000")}


LATIN = UDHR["Latn"][1]


@pytest.mark.parametrize(
    ("texts", "images", "found"),
    [
        ((LATIN, scrambled(LATIN, 0.2)), None, {}),  # only alike
        (("Chapter 1", "Chapter 1"), None, {}),  # too short to compare
        (("one", "two", ""), (1, 1, 2), {"page-001": ("duplicate", "page-000")}),
        (  # a text may be that of a copy of its image
            ("", LATIN, scrambled(LATIN, 0.01)),
            (9, 9, 1),
            {"page-001": ("duplicate", "page-000"), "page-002": ("near_duplicate", "page-000")},
        ),
    ],
)
def test_what_is_a_copy_of_what(tmp_path, texts, images, found):
    assert marked(tmp_path / "coarse", pages(*texts, **({"images": [*map(jpeg, images)]} if images else {}))) == found


def test_a_duplicate_is_of_its_own_image_and_the_similarity_that_of_the_two_that_are_named(tmp_path):
    """The first of an image may be a near-duplicate itself, and the last of a chain less like its first than its neighbour."""
    texts = [UDHR["Latn"][1] * 2]
    for _ in range(4):
        texts.append(scrambled(texts[-1], 0.01))
    image = jpeg(90)
    made = pages(*texts, "entirely other words " * 30, images=[*map(jpeg, range(4)), image, image])
    assert marked(tmp_path / "coarse", made)["page-005"] == ("duplicate", "page-004")
    hashes = {page.key: signatures.minhash(page.text) for page in made}
    rows = marks.read(Folder(str(tmp_path / "coarse"))).to_pylist()
    assert [row["of"] for row in rows] == ["page-000"] * 4 + ["page-004"]
    near = [(row["similarity"], (hashes[row["key"]] == hashes[row["of"]]).mean()) for row in rows[:4]]
    assert [found for found, _ in near] == pytest.approx([true for _, true in near], abs=0.001)
    assert rows[4]["similarity"] == 1.0


def test_minhash_estimates_jaccards_similarity():
    """Against the sets of n-grams themselves."""
    text = UDHR["Latn"][1] * 3
    for share in (0.0, 0.02, 0.05, 0.2, 1.0):
        other = scrambled(text, share)
        a, b = (signatures.letters_of(t) for t in (text, other))
        a, b = ({t[i : i + signatures.NGRAM] for i in range(len(t) - signatures.NGRAM + 1)} for t in (a, b))
        estimated = (signatures.minhash(text) == signatures.minhash(other)).mean()
        assert estimated == pytest.approx(len(a & b) / len(a | b), abs=4 * 0.5 / signatures.NUM_HASHES**0.5)


def test_over_generations_the_older_stays_and_shards_keep_their_bytes(corpus, tmp_path):
    out = tmp_path / "out"
    assert make_small(corpus, out) == 0
    before = shards(out)
    (corpus / "0-first-by-name.pdf").write_bytes((corpus / "english.pdf").read_bytes())
    assert make_small(corpus, out) == 0
    assert before.items() <= shards(out).items()
    by_key = {s.key: s for s in samples(out)}
    found = marks.read(Folder(f"{out}/coarse")).to_pylist()
    copies = [row for row in found if by_key[row["key"]].origin.uri.endswith("0-first-by-name.pdf")]
    assert len(copies) == 4
    assert all(by_key[row["of"]].origin.uri.endswith("english.pdf") for row in copies)
    assert {row["mark"] for row in copies} == {"duplicate"}
    state = files(out)
    assert make_small(corpus, out) == 0
    assert files(out) == state
    check_corpus(out, "--datasets")


@pytest.mark.slow
def test_pages_of_a_benchmark_are_marked_by_its_texts_pdfs_and_images(tmp_path):
    folder = tmp_path / "benchmark"
    latin, thai, hindi = (UDHR[s][1] for s in ("Latn", "Thai", "Deva"))
    pdfs.write(folder / "english.pdf", pdfs.lines(latin))
    (folder / "sub").mkdir()
    (folder / "sub/thai.png").write_bytes(jpeg(9))
    (folder / "sub/thai.txt").write_text(thai)
    with pymupdf.open() as doc:
        page = doc.new_page()
        page.insert_textbox((50, 50, 550, 800), "Nobody shall be held in slavery or servitude; " * 8 + latin[::-1], fontsize=14)
        (folder / "picture.png").write_bytes(page.get_pixmap(dpi=150).tobytes())
    texts = (f"Preface {latin}", scrambled(thai, 0.03), hindi, "Nobody shall be held in slavery or servitude; " * 8 + latin[::-1])
    found = marked(tmp_path / "coarse", pages(*texts), benchmarks=str(folder))
    assert found == {
        "page-000": ("contaminated", "english.pdf page 0"),
        "page-001": ("contaminated", "sub/thai.txt"),
        "page-003": ("contaminated", "picture.png"),
    }


def test_a_folder_without_a_page_is_no_benchmark(corpus, tmp_path, capsys):
    (tmp_path / "none").mkdir()
    assert make_small(corpus, tmp_path / "out", "--benchmarks", str(tmp_path / "none")) == 2
    assert "no page with text in it" in capsys.readouterr().err


def test_a_damaged_file_in_a_benchmark_is_passed_over(tmp_path, caplog):
    folder = tmp_path / "benchmark"
    pdfs.write(folder / "a.pdf", pdfs.lines(UDHR["Latn"][1]))
    (folder / "b.pdf").write_bytes(b"%PDF-1.7\n" + b"\xde\xad" * 500)
    (folder / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    found = marked(tmp_path / "coarse", pages(UDHR["Latn"][1]), benchmarks=str(folder))
    assert found == {"page-000": ("contaminated", "a.pdf page 0")}
    assert "b.pdf" in caplog.text and "an image can't be read" in caplog.text


def test_signatures_of_another_state_of_a_shard_are_made_again(tmp_path):
    folder = Folder(str(tmp_path / "coarse"))
    write_dataset(tmp_path / "coarse", pages(UDHR["Latn"][1]))
    (report,) = read_reports(folder)
    with pytest.raises(ValueError, match="isn't signed"):
        list(duplicates.find(folder, [report], 0.8))
    for task in signatures.tasks(folder, [report.shard]):
        assert signatures.sign_shard(task) == 1
    assert signatures.read(folder, report.shard, report.sha256).num_rows == 1
    assert signatures.read(folder, report.shard, "0" * 64) is None


def test_tables_of_numbers_are_no_copies_of_each_other_and_a_table_that_fills_its_page_no_copy_of_that(tmp_path):
    def table(word: str) -> str:
        return f"<table>{''.join(f'<tr><td>{row}</td><td>{word}{row * 7}</td></tr>' for row in range(20))}</table>"

    numbers = pages(table(""), table("-"))
    whole = pages(UDHR["Latn"][1], start=2)[0]
    html = f"<table><tr><td>{UDHR['Latn'][1]}</td></tr></table>"
    values = {"task": "table", "image": jpeg(8), "size": (16, 16), "regions": (), "origin": whole.origin}
    its_table = sample(f"{whole.key}-t0000", text=html, **values)
    its_copy = sample(f"{whole.key}-t0001", text=html, **values | {"image": jpeg(7)})
    copy = pages(UDHR["Latn"][1], start=9)[0]
    assert marked(tmp_path / "coarse", [*numbers, whole, its_table, its_copy, copy]) == {
        copy.key: ("near_duplicate", whole.key),
        its_copy.key: ("near_duplicate", its_table.key),
    }


def scenes(*pictures: tuple[Image.Image, str] | tuple[bytes, str], task: str = "scene") -> list:
    images = [picture if isinstance(picture, bytes) else encoded(picture) for picture, _ in pictures]
    made = pages(*(text for _, text in pictures), images=images)
    return [replace(page, task=task) for page in made]


@pytest.fixture(scope="module")
def photograph():
    with Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg") as picture:
        return picture.convert("RGB")


def test_copies_of_a_picture_are_found_whatever_was_done_to_the_file(tmp_path, photograph):
    width, height = photograph.size
    found = marked(
        tmp_path / "coarse",
        scenes(
            (photograph, "GRACE HOPPER, NAVY"),
            (photograph.resize((width // 3, height // 3)), "GRACE HOPPER, NAVV"),
            (encoded(photograph, quality=25), ""),
            (encoded(photograph, "WEBP", quality=40), "GRACE HOPPER, NAVY"),
            (photograph.crop((4, 4, width - 4, height - 4)), "GRACE HOPPER, NAVY"),
            (photograph.point(lambda value: min(255, round(1.2 * value))), "GRACE HOPPER, NAVY"),
        ),
    )
    assert found == {f"page-00{i}": ("near_duplicate", "page-000") for i in range(1, 6)}
    rows = marks.read(Folder(str(tmp_path / "coarse")))
    assert 0.84 <= min(rows["similarity"].to_pylist()) <= max(rows["similarity"].to_pylist()) <= 1


def test_pictures_that_only_look_alike_are_not_marked(tmp_path, photograph):
    """Another photograph's part, other words on the same poster, a mirrored copy, flat colours, another task."""
    width, height = photograph.size
    made = scenes(
        (photograph, "GRAND OPENING"),
        (encoded(photograph, quality=50), "closed today"),
        (encoded(photograph, quality=60), "GRAN APERTURA"),
        (photograph.crop((0, 0, width, height // 2)), ""),
        (photograph.transpose(Image.Transpose.FLIP_LEFT_RIGHT), ""),
        (Image.new("RGB", (64, 64), "white"), ""),
        (Image.new("RGB", (64, 48), "#fefefe"), ""),
    )
    assert (
        marked(tmp_path / "coarse", [*made, replace(made[0], key="page-009", task="page", image=encoded(photograph, quality=40))])
        == {}
    )


def test_pictures_with_captions_are_alike_whatever_their_captions_say(tmp_path, photograph):
    made = scenes((photograph, "an admiral"), (encoded(photograph, quality=30), "Grace Hopper, 1984"), task="caption")
    assert marked(tmp_path / "coarse", made) == {"page-001": ("near_duplicate", "page-000")}


def test_all_copies_are_found_among_many_pictures():
    """Of hashes in which up to 16 bits were changed 99% are found beside 4,000 others, and nothing else is."""
    generator = numpy.random.default_rng(0)
    hashes = generator.integers(0, 256, (4300, 32), numpy.uint8)
    for i in range(300):
        flipped = generator.choice(256, i % 17, replace=False)
        hashes[4000 + i] = hashes[i]
        numpy.bitwise_xor.at(hashes[4000 + i], flipped >> 3, (1 << (flipped & 7)).astype(numpy.uint8))
    pairs = {(first, other): bits for first, other, bits in picture_hashes.near(hashes, 40)}
    assert set(pairs) <= {(i, 4000 + i) for i in range(300)} and len(pairs) >= 297
    assert all(bits == first % 17 for (first, _), bits in pairs.items())
