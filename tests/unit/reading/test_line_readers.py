"""What readers of lines say, as labels have it."""

import numpy

from datagen.engines import ENGINES, Choice, Engines
from datagen.reading.line_readers import LineReaders

MICRO, MU = "\u00b5", "\u03bc"


class Said:
    def read(self, crops, lang="und"):
        return [(text, None) for text in (f"κό{MICRO}{MICRO}α και {MICRO}έρα", f"5 {MICRO}m", f"{MICRO}")]

    def versions(self):
        return {"said": "1"}

    def close(self):
        pass


def test_the_micro_sign_is_a_mu_in_greek_words_alone(monkeypatch):
    monkeypatch.setitem(ENGINES, "said", f"{__name__}:Said")
    with Engines() as engines:
        read = LineReaders(engines).read(Choice("said"), [numpy.zeros((9, 9), numpy.uint8)] * 3)
    assert read == [(f"κό{MU}{MU}α και {MU}έρα", None), (f"5 {MICRO}m", None), (MICRO, None)]
