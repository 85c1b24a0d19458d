"""The word `engines=`: taken apart, made absolute, and written again."""

import pytest

from datagen.engines import Choice
from recipes.words import engine_words
from recipes.words.engines import EMBEDDED, PAPER, of_word


def test_kinds_are_chosen_one_by_one(tmp_path):
    word = (
        f"layout:pp-doclayout@{tmp_path}?threshold=0.3&device=cpu,tables:server@http://gpu-1:8000/v1#A/B?together=64,"
        "formulas:pp-formulanet@PaddlePaddle/PP-FormulaNet-L_safetensors?revision=abc,orientation:none,text:got?max_tokens=9"
    )
    chosen = of_word(word)
    assert chosen.layout == Choice.of("pp-doclayout", model=str(tmp_path), threshold=0.3, device="cpu")
    assert chosen.tables == Choice.of("server", kind="tables", url="http://gpu-1:8000/v1", model="A/B", together=64)
    assert chosen.formulas == Choice.of("pp-formulanet", model="PaddlePaddle/PP-FormulaNet-L_safetensors", revision="abc")
    assert chosen.text == Choice.of("got", kind="text", max_tokens=9)
    assert (chosen.orientation, chosen.equations, chosen.detector) == (None, None, EMBEDDED.detector)


def test_the_papers_engines_run_without_a_gpu_where_the_word_says_so():
    chosen = of_word("paper?device=cpu,tables:tables")
    assert chosen.text == Choice.of("got", kind="text", device="cpu")
    assert [chosen.layout.gpus, chosen.text.gpus, chosen.formulas.gpus] == [0, 0, 0]
    assert chosen.tables == Choice("tables")
    with pytest.raises(ValueError, match="paper takes"):
        of_word("paper?precision=half")


def test_a_kind_is_changed_in_the_papers():
    chosen = of_word("paper,tables:tables,equations:cdla,text:none")
    assert (chosen.tables, chosen.equations, chosen.text) == (Choice("tables"), EMBEDDED.equations, None)
    assert chosen.layout == PAPER.layout


@pytest.mark.parametrize(
    "word",
    [
        "embedded",
        "paper,tables:none",
        "layout:pp-doclayout@models/layout?threshold=0.25",
        "pages:mineru@out",
        "pages:server@https://host/v1#deepseek-ai/DeepSeek-OCR?prompt=Free OCR.&timeout_s=9.5",
    ],
)
def test_the_word_that_is_remembered_means_the_same_elsewhere(word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models/layout").mkdir(parents=True)
    chosen, remembered = of_word(word), engine_words.absolute(word)
    monkeypatch.chdir("/")
    assert of_word(remembered) == chosen
    assert engine_words.absolute(remembered) == remembered


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("large", "'large': allowed are embedded, paper, and KIND:ENGINE@WHERE with a kind of pages, layout"),
        ("songs:got", "with a kind of pages, layout"),
        ("layout:got", "for layout allowed are pymupdf-layout, cdla, pp-doclayout"),
        ("tables:x", "for tables allowed are tables, slanet, got, server, none"),
        ("tables:tables@x", "tables takes no @WHERE"),
        ("pages:mineru", "mineru needs @WHERE"),
        ("text:server@http://host/v1", "an address and a model are needed, as http://HOST:PORT/v1#MODEL"),
        ("text:got,text:server@http://h/v1#m", "text has two engines"),
        ("text:got?tries=3", "'tries=3' is no setting: got takes revision, device, precision, max_tokens"),
        ("tables:tables?a=1", "tables has no settings"),
        ("text:got?max_tokens=many", "max_tokens needs a number, not 'many'"),
        ("", None),
    ],
)
def test_another_word_is_refused_in_a_sentence(word, message):
    if message is None:
        with pytest.raises(ValueError, match="allowed are embedded, paper"):
            engine_words.parse(word)
        return
    with pytest.raises(ValueError, match=message) as refused:
        of_word(word)
    assert str(refused.value).startswith(f"engines={word}: ")
    with pytest.raises(ValueError, match=message):
        engine_words.absolute(word)


def test_paragraphs_with_formulas_are_read_by_who_reads_text_and_got_is_asked_for_latex():
    assert EMBEDDED.inline is None and of_word("paper").inline == Choice.of("got", kind="inline")
    served = of_word("text:server@http://a/v1#some-vl")
    assert served.inline == served.text
