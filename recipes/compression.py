"""The paper's table of compression, of any model: section 4.1."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from datagen.score.compression import VISION_TOKENS, fox_pages
from datagen.target import Prompt
from datagen.work.draws import Draws, DrawSource
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe, Report
from recipes.words.values import path

FOX = "fox:"
BLOCK = 10
PROMPTS = {one.name.lower(): one for one in (Prompt.FREE, Prompt.PLAIN_MARKDOWN, Prompt.MARKDOWN)}


@dataclass(frozen=True)
class MeasureCompression:
    """Pages read by the network in the folder `model`, in each of the `modes`: those of the dataset `pages`, or Fox's in the
    folder `fox`. `rows` pages are read at a time, each with the `prompt`."""

    model: str
    modes: tuple[str, ...]
    pages: str = ""
    fox: str = ""
    lang: str = "en"
    rows: int = 8
    max_new_tokens: int = 2048
    prompt: Prompt = Prompt.FREE
    name: str = "compression"


def compression(
    model: Annotated[str, "FOLDER", "weights in .safetensors files, config.json and tokenizer.json", path] = "",
    input: Annotated[str, "fox:DIR", "Fox's pages as they are downloaded; default: pages that are set here", path] = "",
    limit: Annotated[int, "N", "how many pages are set, a multiple of 10; default: 100"] = 0,
    lang: Annotated[str, "CODE", "the language of pages that are set; of Fox's, en or cn"] = "en",
    modes: Annotated[str, "A,B", "the modes to read in"] = "tiny,small",
    together: Annotated[int, "N", "how many pages are read at once"] = 8,
    max_new_tokens: Annotated[int, "N", "tokens of an answer, at most"] = 2048,
    prompt: Annotated[
        str, "NAME", "what is asked: free, or plain_markdown or markdown if it learned pages with regions"
    ] = "free",
    seed: int = 0,
) -> Recipe:
    """How much of a page's text a model reads out of few vision tokens: the paper's table 2. Pages of 600 to 1,299 tokens of the
    model's own tokenizer. Raises `ValueError` for words that name nothing."""
    if not model:
        raise ValueError("compression needs model=FOLDER: a network as make recipe=train exports it, or the released one")
    folder = Path(model).expanduser().resolve()
    if missing := [name for name in ("*.safetensors", "config.json", "tokenizer.json") if not any(folder.glob(name))]:
        raise ValueError(f"model={model}: there is no {missing[0]} in it")
    chosen = tuple(dict.fromkeys(mode for mode in modes.split(",") if mode))
    if not chosen or set(chosen) - VISION_TOKENS.keys():
        raise ValueError(f"modes={modes}: allowed are {', '.join(VISION_TOKENS)}")
    if prompt not in PROMPTS:
        raise ValueError(f"prompt={prompt}: allowed are {', '.join(PROMPTS)}")
    step = MeasureCompression(
        str(folder), chosen, lang=lang, rows=together, max_new_tokens=max_new_tokens, prompt=PROMPTS[prompt]
    )
    if input:
        if not input.startswith(FOX):
            raise ValueError(f"input={input}: fox:DIR is allowed, the folder of Fox's benchmark; without it pages are set here")
        if limit:
            raise ValueError("limit is for pages that are set here: all of Fox's pages in the bins are read")
        fox = Path(input.removeprefix(FOX)).expanduser().resolve()
        fox_pages(str(fox), lang)
        return Recipe("compression", (replace(step, fox=str(fox)), Report(datasets=())))
    from datagen.score.compression_pages import TokenPages

    maker = TokenPages.of(str(folder / "tokenizer.json"), lang)
    count = -(-(limit or 100) // BLOCK) * BLOCK
    pages = Pipeline("pages", Draws(maker.name, count, seed, BLOCK), DrawSource(maker, 50, "typeset", 0.3, 250_000), ())
    return Recipe("compression", (pages, replace(step, pages=pages.name), Report(datasets=(pages.name,))))
