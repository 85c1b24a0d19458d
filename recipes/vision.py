"""Pictures with descriptions: captions, objects with boxes, and phrases about places."""

from typing import Annotated

from datagen.engines import Choice
from datagen.pictures.filter_pictures import FilterPictures
from datagen.vision.captions import CaptionPictures, JudgeCaptions
from datagen.vision.source import described
from datagen.work.draws import DrawSource
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe, corpus
from recipes.words import engine_words, values
from recipes.words.fields import of_word

NAME = "vision"
DEFAULT_LIMIT = 2_000
BLOCK = 50  # draws of an item


def vision(
    input: str = "",
    limit: int = 0,
    list: str = "",
    unsafe_list: bool = False,
    download: str = "",
    only: str = "",
    captioner: Annotated[
        str,
        "URL#MODEL",
        "a server and model that write missing captions; default: none, since captions cost money",
        values.captioner,
    ] = "",
    seed: int = 0,
    benchmarks: str = "",
) -> Recipe:
    """Pictures with captions and objects: others' as they have them; without input, cut-outs set on photographs. Others' pictures
    are in any of the forms that `datagen.vision.source` reads. Without `input`, about `limit` pictures are made, by `seed`, in
    whole blocks. Raises `ValueError` as `described` does, and for words about others' pictures without `input`."""
    for word, value in {"list": list, "only": only}.items():
        if value and not input:
            raise ValueError(f"{word}={value}: it is about the pictures at input=WHERE, which is missing")
    if captioner and not input:
        raise ValueError(
            "captioner describes pictures of others: name them with input=DIR; those that are made here have captions"
        )
    if input:
        census, source = described(input, list, unsafe_list, download, limit, seed, bool(captioner), stage=NAME)
        captions = (CaptionPictures(Choice("captioner", engine_words.server(captioner))),) if captioner else ()
        made = Pipeline(NAME, census, source, (of_word(FilterPictures, "only", only), *captions, JudgeCaptions()))
    else:
        made = _stamps(limit or DEFAULT_LIMIT, seed)
    return corpus(NAME, (made,), benchmarks, seed=seed)


def _stamps(limit: int, seed: int) -> Pipeline:
    from datagen.vision.maker import StampDraws, Stamps

    draws = StampDraws("stamps", max(1, limit // BLOCK) * BLOCK, seed, BLOCK)
    return Pipeline(NAME, draws, DrawSource(Stamps(), stage=NAME, core_s=0.022, num_bytes=90_000), ())
