"""Which languages need text to typeset, and what text there is for them."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence

from datagen.engines import ppocr
from datagen.writing import scripts
from flywheel.pools import pools
from flywheel.pools import texts as gathering
from flywheel.pools.pools import Language
from flywheel.pools.texts import Texts
from flywheel.step import Flywheel

log = logging.getLogger(__name__)


def texts(step: Flywheel, languages: Sequence[Language]) -> dict[str, Texts]:
    """The text of each language that needs some, by language.

    It needs some if it is in the user's folder; if few lines of its documents train; or, if the step says so, if it isn't served
    without. A language of the user's folder whose letters the embedded reader knows isn't served, and the log says so.
    """
    wanted: dict[str, tuple[str, list[str]]] = {}
    given = _given(step, {language.lang: language.script for language in languages})
    parted = pools.assign(languages, step.seed, step.min_train_lines)
    for language, p in zip(languages, parted, strict=True):
        few = pools.num_train_lines(language, p) < step.text_below
        if language.lang in given or (step.text_packages and few and (step.serve_by_text or not p.not_served)):
            wanted[language.lang] = (language.script, given.get(language.lang, (language.script, []))[1])
    known = {language.lang for language in languages}
    wanted |= {lang: of for lang, of in given.items() if lang not in known}
    found = {}
    for lang, (script, paragraphs) in sorted(wanted.items()):
        made = gathering.gather(lang, script, paragraphs, step.text_packages, step.max_text_lines, step.seed)
        if made is None:
            log.info("%s (%s): no text to typeset", lang, script)
            continue
        if lang not in known and share(made) >= step.min_alphabet_share:
            log.info("%s (%s) needs no reader of its own: the embedded one knows its letters", lang, script)
            continue
        sources = ", ".join(f"{n} of {name}" for name, n in made.paragraphs.items())
        counts = f"{len(made.train)} lines to typeset, {len(made.held_out)} to test, of paragraphs: {sources}"
        faces = f"typefaces: {', '.join(made.families.train)}; to test {', '.join(made.families.test)}"
        log.info("%s (%s): %s; %s", lang, script, counts, faces)
        found[lang] = made
    return found


def share(texts: Texts) -> float:
    """The share of the text's letters that are in the embedded reader's alphabet."""
    return ppocr.alphabet_share(Counter(char for line in texts.train for char in line if char.isalpha()))


def _given(step: Flywheel, known: Mapping[str, str]) -> dict[str, tuple[str, list[str]]]:
    """The script and paragraphs of each language in the user's folder. One that the corpus has in another script is another
    language here: `sr-Latn` beside `sr`."""
    found: dict[str, tuple[str, list[str]]] = {}
    for lang, paths in gathering.languages(step.text).items() if step.text else ():
        paragraphs = gathering.read(paths)
        script = scripts.main_script(" ".join(paragraphs))[0]
        if script in scripts.NO_SCRIPT:
            raise ValueError(f"text={step.text}: the text in {lang} has no letters")
        name = lang if known.get(lang, script) == script else f"{lang}-{script}"
        found[name] = (script, paragraphs)
    return found
