"""Readers of languages from text and typefaces alone: no document, no line of code that knows the language.

    python -m tests.bench.flywheel.languages [LANG …] [--steps N] [--lines DIR]

For each language (all of `LANGUAGES` that `languages.jsonl` has no row of, if none is named), text is brought from packages, a
compact reader learns lines typeset from it for a number of steps, and reads lines that it never saw in typefaces that it never
saw, as they are and degraded as a scan. Tesseract reads the same. `--lines` is a folder of line images with their text beside
them, `a.png` and `a.gt.txt`, in a folder a language: `DIR/km/a.png`. Each row is added to `languages.jsonl`, so that languages
can be done one at a time, and the table of the last row of each is printed.
"""

import dataclasses
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy
from PIL import Image

from datagen.disk.storage import Folder
from datagen.engines import tesseract
from datagen.engines.compact import Reader
from flywheel.labels import gate
from flywheel.labels.evaluate import MARGIN
from flywheel.lines import typeset_lines
from flywheel.lines.crops import Crop, degraded
from flywheel.pools import texts
from flywheel.readers.compact import fit
from flywheel.step import Fit
from recipes.sample_costs import processor
from tests.bench.measuring import options

LANGUAGES = {
    "ar": "Arab", "fa": "Arab", "he": "Hebr", "hi": "Deva", "bn": "Beng", "ta": "Taml", "th": "Thai", "ka": "Geor", "hy": "Armn",
    "am": "Ethi", "km": "Khmr",
}  # fmt: skip
ROWS = Path(__file__).with_name("languages.jsonl")
NUM_LINES, NUM_TEST = 8_000, 300


def measured(lang: str, script: str, steps: int, lines: str) -> dict[str, object]:
    """The row of a language. Raises `ValueError` if there is no text or no typeface for it."""
    text = texts.gather(lang, script, [], tuple(texts.PACKAGES), NUM_LINES, 0)
    if text is None:
        raise ValueError(f"{lang}: no text, or no typeface to set it in")
    crops = typeset_lines.to_train(text)
    began, spent = time.monotonic(), time.process_time()
    config = Fit(steps=steps, learning_rate=2e-3, short_steps=steps // 9)
    with tempfile.TemporaryDirectory() as tmp:
        reader = fit(config, crops, Folder(tmp), None, f"bench-{lang}")
    minutes, of_core = (time.monotonic() - began) / 60, (time.process_time() - spent) / 60
    tests = typeset_lines.to_test(text, NUM_TEST, 0)
    truths = [crop.text for crop in tests]
    images = {
        "clean": [crop.line(MARGIN) for crop in tests],
        "degraded": [degraded(crop, numpy.random.default_rng([1, i])) for i, crop in enumerate(tests)],
    }
    row: dict[str, object] = {"lang": lang, "steps": steps, "minutes": round(minutes, 1)}
    row |= {"minutes_of_a_core": round(of_core, 1), "lines": len(crops)}
    row |= {"typefaces": len(text.families.train), "tested_in": list(text.families.test), "held_out": text.families.has_held_out}
    for name, of_name in images.items():
        row |= _rates(name, reader, lang, of_name, truths)
    row["by_typeface"] = _by_typeface(reader, tests)
    real = sorted(Path(lines, lang).rglob("*.gt.txt")) if lines else []
    if real:
        images_of = [(path, _image(path)) for path in real]
        pairs = [(path.read_text(encoding="utf-8").strip(), image) for path, image in images_of if image is not None]
        row |= _rates("real", reader, lang, [image for _, image in pairs], [truth for truth, _ in pairs])
    return row | {"day": time.strftime("%Y-%m-%d"), "processor": processor(), "fit": dataclasses.asdict(config)}


def _rates(name: str, reader: Reader, lang: str, images: Sequence[numpy.ndarray], truths: Sequence[str]) -> dict[str, object]:
    """The character error rates of the reader and of Tesseract on the same images."""
    ours = gate.errors(truths, [text for text, _ in reader.read(images)])
    row: dict[str, object] = {name: ours.cer, f"{name}_interval": [ours.cer_low, ours.cer_high], f"{name}_lines": ours.num_lines}
    if tesseract.language(lang):
        row[f"{name}_tesseract"] = gate.errors(truths, [text for text, _ in tesseract.Tesseract().read(images, lang)]).cer
    return row


def _by_typeface(reader: Reader, tests: Sequence[Crop]) -> dict[str, float]:
    """The reader's character error rate on the clean lines of each typeface that tests."""
    lines = {name: [crop for crop in tests if crop.families == (name,)] for name in sorted({crop.families[0] for crop in tests})}
    readings = {name: [text for text, _ in reader.read([crop.line(MARGIN) for crop in crops])] for name, crops in lines.items()}
    return {name: gate.errors([crop.text for crop in crops], readings[name]).cer for name, crops in lines.items()}


def _image(truth: Path) -> numpy.ndarray | None:
    """The gray image beside a file of truth; None if there is none."""
    stem = truth.name.removesuffix(".gt.txt")
    image = next((p for p in sorted(truth.parent.glob(f"{stem}.*")) if p.suffix.lower() in (".png", ".jpg", ".jpeg")), None)
    return None if image is None else numpy.asarray(Image.open(image).convert("L"))


def rows() -> list[dict[str, object]]:
    """All rows that were added, the oldest first."""
    return [json.loads(line) for line in ROWS.read_text().splitlines()] if ROWS.exists() else []


def table(measured_rows: Sequence[dict[str, object]]) -> str:
    """The last row of each language."""
    last = {str(row["lang"]): row for row in measured_rows}
    names = ("clean", "clean_tesseract", "degraded", "degraded_tesseract", "real", "real_tesseract")
    lines = ["".join(f"{name.replace('_tesseract', ', Tess.'):>17}" for name in ("language", "minutes", "typefaces", *names))]
    for lang in sorted(last):
        cells = [lang, str(last[lang]["minutes"]), str(last[lang]["typefaces"])]
        cells += [f"{100 * float(str(last[lang][name])):.2f}%" if name in last[lang] else "-" for name in names]
        lines.append("".join(f"{cell:>17}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    parser = options(__doc__, steps=10_000, lines="")
    parser.add_argument("languages", nargs="*", metavar="LANG", help=", ".join(LANGUAGES))
    args = parser.parse_args()
    done = {row["lang"] for row in rows()}
    for lang in args.languages or [lang for lang in LANGUAGES if lang not in done]:
        row = measured(lang, LANGUAGES[lang], args.steps, args.lines)
        with open(ROWS, "a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    print("character errors on lines and in typefaces that no reader saw, clean and degraded; on real lines if a folder is given")
    print(table(rows()))


if __name__ == "__main__":
    main()
