"""Image files as samples, from folders, zips and WebDataset's tars; good ones and hostile ones."""

import io
import json
import zipfile
from pathlib import Path

import numpy
import pytest
from PIL import Image

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.pictures.image_files import FORMATS
from datagen.pictures.source import ImageSource
from datagen.record import Drop, Range, Sample
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe
from recipes.run.execute import run
from recipes.steps import Place
from recipes.verbs.status import verify
from tests.inputs.picture_files import tar
from tests.inputs.samples import encoded
from tests.outputs import check_corpus, dataset_samples


def picture(kind: str, size: tuple[int, int] = (48, 32), mode: str = "RGB", color: object = "navy", **options: object) -> bytes:
    return encoded(Image.new(mode, size, color), kind, **options)


def recipe(input: Path, **values: object) -> Recipe:
    census = Listing(str(input), formats=FORMATS, whole_archives=True)
    return Recipe("images", (Pipeline("coarse", census, ImageSource(**values), ()),))


def read(path: Path, **values: object) -> list[Sample | Drop]:
    pipeline = recipe(path, **values).steps[0]
    return list(pipeline.process(tuple(pipeline.census.items()), []))


def pixels(sample: Sample) -> numpy.ndarray:
    return numpy.asarray(Image.open(io.BytesIO(sample.image)).convert("RGB"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("images")
    files = {
        "a.jpg": picture("JPEG"),
        "b.png": picture("PNG"),
        "c.webp": picture("WEBP"),
        "e.JPEG": picture("JPEG", mode="L", color=9),
    }
    for name, data in files.items():
        (path / name).write_bytes(data)
    (path / "a.txt").write_text(" A navy field. \n")
    (path / "a.json").write_text(json.dumps({"url": "https://example.org/a", "punsafe": 0.01, "exif": {"no": "object"}}))
    second = Image.new("RGB", (40, 30), "red")
    Image.new("RGB", (40, 30), "white").save(path / "d.tif", save_all=True, append_images=[second])
    Image.new("L", (40, 30), 255).save(path / "f.gif", save_all=True, append_images=[Image.new("L", (40, 30), 9)])
    with zipfile.ZipFile(path / "more.zip", "w") as archive:
        archive.writestr("sub/z.png", picture("PNG", color="green"))
        archive.writestr("sub/z.txt", "Green.")
        archive.writestr("readme.md", "no image")
    web = {"000.jpg": picture("JPEG"), "000.txt": b"caption 0", "000.json": b'{"sha": "x"}', "001.webp": picture("WEBP")}
    tar(path / "web.tar", web)
    return path


def test_folders_zips_and_tars_give_a_dataset(folder, tmp_path):
    assert run(recipe(folder, shard_images=4), Place(str(tmp_path / "out"), "inline")) == 0
    samples = {(Path(s.origin.uri).name, s.origin.page): s for s in dataset_samples(Folder(f"{tmp_path}/out/coarse"))}
    assert sorted(samples) == [
        ("a.jpg", 0), ("b.png", 0), ("c.webp", 0), ("d.tif", 0), ("d.tif", 1), ("e.JPEG", 0), ("f.gif", 0),
        ("more.zip", 0), ("web.tar", 0), ("web.tar", 1),
    ]  # fmt: skip
    assert samples["a.jpg", 0].caption == "A navy field."
    assert samples["a.jpg", 0].metadata == {"name": "a.jpg", "url": "https://example.org/a", "punsafe": "0.01"}
    assert samples["a.jpg", 0].image == (folder / "a.jpg").read_bytes()
    assert samples["more.zip", 0].caption == "Green."
    assert samples["web.tar", 0].metadata == {"name": "000.jpg", "sha": "x"}
    assert (pixels(samples["d.tif", 1])[0, 0] == (255, 0, 0)).all()
    assert samples["d.tif", 1].image.startswith(b"\x89PNG") and (pixels(samples["f.gif", 0]) == 255).all()
    assert len(read_reports(Folder(f"{tmp_path}/out/coarse"))) > 1
    check_corpus(tmp_path / "out", "--datasets")
    assert verify(str(tmp_path / "out"))[1]


def test_bad_files_are_drops_with_reasons(tmp_path):
    (tmp_path / "cut.png").write_bytes(picture("PNG", (300, 300))[:60])
    (tmp_path / "cut.jpg").write_bytes(picture("JPEG", (300, 300))[:400])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "pdf.jpg").write_bytes(b"%PDF-1.7 not an image")
    (tmp_path / "tiny.png").write_bytes(picture("PNG", (400, 3)))
    (tmp_path / "large.png").write_bytes(picture("PNG", (2000, 2000)))
    (tmp_path / "none.zip").write_bytes(b"PK\5\6" + bytes(18))
    (tmp_path / "broken.tar").write_bytes(b"x" * 2000)
    reasons = {Path(d.uri).name: d.reason for d in read(tmp_path, max_pixels=1_000_000)}
    assert reasons == {
        "cut.png": "damaged_image", "cut.jpg": "damaged_image", "empty.jpg": "empty", "pdf.jpg": "other_format",
        "tiny.png": "image_too_small", "large.png": "image_too_large", "none.zip": "no_images", "broken.tar": "broken_archive",
    }  # fmt: skip


def test_a_bad_member_or_hostile_metadata_costs_its_image_alone(tmp_path):
    texts = (json.dumps({"by": "\ud800", "\udfff": 1}), "{}", "[" * 100_000, "{not json", "{}")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number, text in enumerate(texts):
            archive.writestr(f"{number}.png", b"no image" if number == 1 else picture("PNG"))
            archive.writestr(f"{number}.json", text)
    first, *dropped, last = read(tmp_path)
    assert isinstance(last, Sample) and first.metadata == {"name": "0.png", "by": "\ufffd", "\ufffd": "1"}
    reasons = ("damaged_image", "bad_metadata", "bad_metadata")
    assert [(one.part, one.reason) for one in dropped] == [(Range(n, n + 1), reason) for n, reason in enumerate(reasons, 1)]


def test_a_file_elsewhere_gives_what_it_gives_here(folder):
    there = Folder("memory://pagewheel-test-images")
    there.write("d.tif", (folder / "d.tif").read_bytes())
    here, elsewhere = (list(ImageSource().read(Item(uri))) for uri in (str(folder / "d.tif"), f"{there.url}/d.tif"))
    assert len(here) == 2
    assert [(s.image, s.metadata) for s in here] == [(s.image, s.metadata) for s in elsewhere]
