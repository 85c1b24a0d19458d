"""The compact reader: what it is fed, how it decodes, what it keeps on disk."""

import numpy
import pytest
import torch

from datagen.disk.storage import Folder
from datagen.engines.compact import (
    HEIGHT,
    MAX_WIDTH,
    STEP,
    Alphabet,
    CompactConfig,
    CompactNet,
    Reader,
    line_image,
    normalise,
)
from datagen.writing.lookalikes import ALIKE, fold, is_settled, mended, unfold

ALPHABET = Alphabet.of("Cyrl", ["аб в", "abв"])


def reader() -> Reader:
    torch.manual_seed(0)
    config = CompactConfig((8, 8, 8), 32, 1, 2, 2)
    return Reader(CompactNet(config, len(ALPHABET.symbols) + 1), ALPHABET, config, bf16=False)


def test_normalise():
    assert normalise(" a\u00a0 b\u00ad\t\u200bc ") == "a b c"
    assert normalise("и\u0306") == "й"


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Все люди", "Cyrl"),
        ("apt-get install расширение", "Cyrl"),
        ("с a package", "Cyrl"),  # only its neighbours say which script the first word is in: see below
        ("Οι άνθρωποι OK", "Grek"),
        ("Вася, hop.", "Cyrl"),
    ],
)
def test_words_tell_letters_apart_that_look_alike(text, script):
    folded = fold(text, script)
    assert not set("асеоВОХ") & set(folded)
    unfolded = unfold(folded, script)
    assert fold(unfolded, script) == folded
    if text != "с a package" and "OK" not in text:
        assert unfolded == text


def test_a_letter_of_the_wrong_script_that_is_similar_is_mended():
    assert unfold("каталоr", "Cyrl") == "каталог"
    assert unfold("gгep", "Cyrl") == "grep"
    assert unfold("ps", "Cyrl") == "ps"  # hardly any language has Cyrillic ѕ
    assert unfold("3апустить 3 раза, 3км, файл3", "Cyrl") == "Запустить 3 раза, 3км, файл3"


def test_a_line_becomes_32_pixels_high_and_ink_is_one():
    image = line_image(numpy.full((64, 200), 255, numpy.uint8))
    assert image.shape == (HEIGHT, 104)  # of 100 pixels: steps are whole
    assert image.max() == 0
    narrow = line_image(numpy.zeros((64, 31), numpy.uint8))
    assert narrow.shape[1] == 2 * STEP
    assert (narrow[:, :15].min(), narrow[:, 16:].size) == (1, 0)
    assert line_image(numpy.zeros((32, 9000), numpy.uint8)).shape == (HEIGHT, MAX_WIDTH)


def test_the_best_path_and_its_probability_by_hand():
    r = reader()
    a, b = r.alphabet.encode("аб")
    # Two frames, classes blank, а, б: "а" is а-, -а and аа.
    p = torch.full((1, 2, len(r.alphabet.symbols) + 1), 1e-9)
    p[0, :, 0], p[0, :, a], p[0, :, b] = 0.3, 0.6, 0.1
    (text, score), *_ = r._decode(p.log(), torch.tensor([2]))
    assert text == "а"
    assert score == pytest.approx(0.6 * 0.3 + 0.3 * 0.6 + 0.6 * 0.6, abs=1e-3)


@pytest.mark.parametrize("damage", ["missing", "cut", "other", "pickle", "old"])
def test_a_damaged_folder_is_named(tmp_path, damage):
    folder = Folder(str(tmp_path / "reader"))
    reader().save(folder, {})
    weights = tmp_path / "reader" / "model.safetensors"
    if damage == "missing":
        weights.unlink()
    elif damage == "cut":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "pickle":
        torch.save({"a": torch.zeros(1)}, weights)
    elif damage == "old":
        config = tmp_path / "reader" / "config.json"
        config.write_text(config.read_text().replace('"format": 3', '"format": 1'))
    else:
        (tmp_path / "reader" / "alphabet.json").write_text('{"script": "Cyrl", "symbols": "ab"}')
    with pytest.raises(ValueError, match="holds no compact reader: .*" + ("its format is 1" if damage == "old" else "")):
        Reader.load(folder)


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        *((text, True) for text in ("слово", "он и она", "С помощью команды", "Также и все люди", "rw, nodev", "102")),
        # A label, an abbreviation, and a word between two scripts say nothing.
        *((text, False) for text in ("cp", "C.2 Структура", "(x) архив", "TEX да узнае", "1o2", "пакет LATEX u да")),
    ],
)
def test_whether_a_picture_says_which_script_its_words_are_in(text, settled):
    as_cyrillic = text.translate(str.maketrans(ALIKE["Cyrl"][1], ALIKE["Cyrl"][0]))
    assert is_settled(text, "Cyrl") == is_settled(as_cyrillic, "Cyrl") == settled
    assert is_settled(text, "Latn")


def test_letters_of_another_script_within_a_word_are_mended_and_other_words_stay():
    assert mended("\u0441\u043bo\u0432o cp TEX", "Cyrl") == "слово cp TEX"  # Latin o within a Cyrillic word
    assert mended("слово", "Hang") == "слово"
