"""Lines in another script than their page's: found by their image, and read by who knows that script."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from datagen.engines import Choice
from datagen.reading.cuts import LineView
from datagen.reading.line_readers import PP_SCRIPTS, SCRIPT_OF_LINES, LineReaders, Reading, sureness
from datagen.writing.scripts import main_script

_DOUBTFUL = 0.85  # what a reader is less sure of may be in a script that it doesn't know
_FEW = 3  # lines of a script, at least
_LIKELIER = 10.0  # by how much the logarithm of another script's likelihood is higher, at least, than that of the page's
_CONFIDENT, _SURER = 0.7, 0.1  # how sure their reader is of them, at least, and how much surer than the page's


def in_other_scripts(
    lines: Sequence[LineView],
    readings: Mapping[int, Reading],
    page: Choice,
    script: str,
    readers: LineReaders,
) -> list[tuple[LineView, Reading, Choice]]:
    """Those of the `lines`, which the reader `page` has read as `readings` by the `id` of a cut, that are in another script than
    `script`, with what that script's reader says, and that reader.

    A reader of one script writes any other in its own letters. So lines that it isn't sure of are told by their image; where some
    of them are in one other script, its reader reads them, and is believed where it is much surer of them together, and surer of
    the line.
    """
    doubtful = [of for of in lines if readings[id(of)].sure < _DOUBTFUL]
    if len(doubtful) < _FEW:
        return []
    classifier = readers.engines.get(SCRIPT_OF_LINES)
    likelihoods = classifier.likelihoods([of.image for of in doubtful])
    of_page = PP_SCRIPTS if page == readers.ppocr else {script}
    own = [i for i, known in enumerate(classifier.scripts) if known in of_page]
    of_script: dict[str, list[LineView]] = defaultdict(list)
    for of, row in zip(doubtful, likelihoods, strict=True):
        best = int(row.argmax())
        if not own or row[best] > row[own].max() + _LIKELIER:
            other = classifier.scripts[best]
            of_script["Zyyy" if other in PP_SCRIPTS else other].append(of)
    read_anew = []
    for other, group in sorted(of_script.items()):
        reader, lang = readers.who("und", other)
        if len(group) < _FEW or reader == page:
            continue
        read = readers.read_surely(reader, [of.image for of in group], lang)
        before = [readings[id(of)] for of in group]
        if sureness(read) < max(_CONFIDENT, sureness(before) + _SURER):
            continue
        for of, new, old in zip(group, read, before, strict=True):
            script_read = main_script(new.text)[0]
            if new.sure > old.sure and (script_read == other or (other == "Zyyy" and script_read in PP_SCRIPTS)):
                read_anew.append((of, new, reader))
    return read_anew
