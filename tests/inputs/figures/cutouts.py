"""A small folder of cut-outs, and what stands for the packages that have real ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from datagen.samples import cutouts
from datagen.samples.cutouts import Photograph, read
from datagen.vision import maker

COLOURS = {"frog": (220, 30, 30), "cow": (30, 30, 220), "hat": (20, 160, 20), "star": (250, 240, 20)}
WORDS = {
    "frog": "A frog.\nde.utf8=Ein Frosch.\nfa.utf8=.قورباغه\nzh_CN.utf8=青蛙。\nsr@latin.utf8=A frog.\nta.utf8=´Õ ¾Å¨Ç.\n",
    "cow": "A cow!\nde.utf8=Eine Kuh.\nfa.utf8=A cow.\nzh_CN.utf8=牛。\nta.utf8=ஒரு பசு.\n",
    "hat": "A hat.\nde.utf8=Ein Hut. Er ist grün.\nfa.utf8=کلاه.\nzh_CN.utf8="
    + "帽" * 61
    + "\nja.utf8=かぶろう。かぶってみよう。\n",
    "star": 'A star.\nde.utf8=Ein Stern.\nfa.utf8=ستاره.\nml.utf8=ഒരു സ്റ്റാർ.\nhe.utf8=ירוק תפוח.\nson.utf8="Handaray".\n',
}


def write(root: Path) -> None:
    """Four discs with pale halos, two of them of one kind; a letter, a sentence, a name without a picture; gray photographs."""
    for name, kind in {"frog": "animals", "cow": "animals/cartoon", "hat": "clothes", "star": "space"}.items():
        disc = Image.new("RGBA", (120, 100), (*COLOURS[name], 0))
        draw = ImageDraw.Draw(disc)
        draw.ellipse((5, 5, 105, 95), (*COLOURS[name], 30))
        draw.ellipse((20, 20, 90, 80), (*COLOURS[name], 255))
        (root / kind).mkdir(parents=True, exist_ok=True)
        disc.save(root / kind / f"{name}.png")
        (root / kind / f"{name}.txt").write_text(WORDS[name])
    (root / "animals/frog.dat").write_text("nomirror\n")
    (root / "symbols/alphabets").mkdir(parents=True)
    for name, words in {
        "symbols/alphabets/a": "The letter a.",
        "space/moon": "The moon is far away.",
        "space/sun": "The sun.",
    }.items():
        (root / f"{name}.txt").write_text(words)
        if not name.endswith("sun"):
            disc.save(root / f"{name}.png")
    for n, gray in enumerate((90, 140)):
        Image.new("RGB", (900, 700), (gray,) * 3).save(root / f"photo{n}.jpg")


@contextmanager
def packaged(root: Path) -> Iterator[None]:
    """In this block, `datagen.samples.cutouts` has the pictures of this folder, and drawn pictures are small."""
    photographs = (Photograph(str(root / "photo0.jpg")), Photograph(str(root / "photo1.jpg"), ("space",)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutouts, "packaged", lambda: (read(root), photographs))
        patch.setattr(cutouts, "versions", lambda: {"tuxpaint-stamps-default": "1"})
        patch.setattr(cutouts, "missing", lambda: [])
        patch.setattr(maker, "_MIN_NAMES", 3)
        patch.setattr(maker, "_SIDES", (400, 512))
        maker._named.cache_clear()
        yield
    maker._named.cache_clear()
