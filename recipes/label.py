"""Bulk labelling: a model labels each page of any documents, and no page is lost or bought twice.

    make recipe=label input=DIR server=http://gpu-1:8000/v1 model=deepseek-ai/DeepSeek-OCR
    make recipe=label input=DIR model=out/finetune/train/model

Answers go into a ledger before they are used. A page without a label in the end is a drop with its reason and its answer.
"""

import shlex
from typing import Annotated, Any

from datagen.asking import profiles
from datagen.asking.client import BESIDE, Servers
from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.judge_ink import CompareInk
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.disk.storage import Folder
from datagen.engines import Choice, is_folder
from datagen.fine.annotate_image import AnnotateImage
from datagen.fine.source import FORMATS, PageFiles
from datagen.inputs.census import Census
from datagen.labelling.label_pages import Labelling, LabelPages
from datagen.pictures.source import ImageSource
from datagen.reading.language import IdentifyLanguage
from datagen.samples.documents import DebianSamples
from datagen.work.pipeline import Source, Stage
from datagen.work.samples_of import SamplesOf, ShardsOf
from recipes.recipe import Recipe, corpus, listed, read_passwords
from recipes.words import values
from recipes.words.engines import of_word

NAME = "label"
DEFAULT_PAGES = 4  # of each of the default documents
SHARD_PAGES = 256
LEDGER = "ledger"
SERVE = "recipes/run/serve.sh"
_CLIENT = {"tries": int, "timeout_s": float, "wait_s": float, "most_failed": int, "patience_s": float}
"""Settings of `Servers` that may follow an address, for all addresses."""
OURS = "flywheel.readers.network_answers:NetworkAnswers"


def label(
    input: Annotated[
        str,
        "WHERE",
        "a folder, a glob, an archive, a list, a dataset; or omnidocbench:DIR, fox:DIR, olmocr:DIR, which is scored by "
        "make score pred=out/label/label gt=omnidocbench:DIR",
        values.path,
    ] = "",
    model: Annotated[
        str, "NAME", "the model: a hub's OWNER/NAME as the server has it, or a folder of a network of ours", values.places
    ] = "",
    server: Annotated[str, "URL,…", "addresses, each maybe with ?together=N&timeout_s=S; ledger: answers that are there"] = "",
    family: Annotated[str, "NAME", "whose words to ask in, where the model's name doesn't tell: olmocr, markdown…"] = "",
    together: Annotated[int, "N", "questions that a server has at a time, by all workers together"] = 64,
    key: Annotated[str, "VARIABLE", "the environment variable that holds the servers' key"] = "OPENAI_API_KEY",
    mode: Annotated[str, "NAME", "the image size that a network of ours reads in"] = "gundam",
    layout: Annotated[str, "WHO", "where regions are, for models asked about regions: cdla (default), pp-doclayout@FOLDER"] = "",
    answers: Annotated[
        str, "DIR", "the ledger's folder, on a disk that all workers see; default: the output's", values.path
    ] = "",
    second: Annotated[bool, "0|1", "read pages without a trusted text layer by the embedded engines, too: seconds each"] = False,
    price: Annotated[float, "X", "what an hour of a server costs, for the cost so far and of a million pages"] = 0.0,
    pages: Annotated[int, "N", "with plan=1 and no input: plan for so many pages"] = 0,
    servers: Annotated[int, "N", "with plan=1 and pages=N: GPUs, a server each"] = 160,
    limit: int = 0,
    deep: bool = False,
    passwords: str = "",
    benchmarks: str = "",
) -> Recipe:
    """Pages of PDFs, images or a dataset of ours, labelled by any model behind a server or in this process. Raises `ValueError`
    for words that exclude each other."""
    if server.startswith("http") and not model and not pages:
        raise ValueError("server=… needs model=NAME, as the server calls it")
    folder = model if is_folder(model) and server in ("", LEDGER) else ""
    profile = profiles.profile_of(profiles.DEEPSEEK_OCR.named if folder or not model else model, family)
    where = _layout(layout) if profile.form == profiles.REGIONS and profiles.LAYOUT not in profile.prompts else None
    asks = LabelPages(
        profile,
        model.rstrip("/").rpartition("/")[2] if folder else model,
        folder=folder,
        layout=where,
        answerer=_answerer(model, server, together, key, mode),
        answers=answers,
    )
    census, source, before = _pages(input, profile.long_side, passwords, second)
    made = Labelling(
        NAME,
        census,
        source,
        (*before, asks),
        limit=limit,
        deep=deep,
        price=price,
        planned=pages,
        servers=servers,
        beside="" if server or folder else shlex.join(["source", SERVE, model, *profile.serve]),
    )
    return corpus(NAME, (made,), benchmarks)


def _pages(input: str, long_side: int, passwords: str, second: bool) -> tuple[Census, Source, tuple[Stage, ...]]:
    """The pages' census and source, and the stages before labelling."""
    if input and "://" not in input and (dataset := _dataset(input)):
        return ShardsOf(dataset), SamplesOf(stage=NAME), ()
    pdfs = PdfSource(
        long_side=long_side,
        max_pages=0 if input else DEFAULT_PAGES,
        passwords=read_passwords(passwords),
        shard_pages=SHARD_PAGES,
        few_pages=0,  # a shard's pages are labelled in one batch
        stage=NAME,
    )
    images = ImageSource(task="page", long_side=long_side, shard_images=SHARD_PAGES, stage=NAME)
    census: Census = listed(input, FORMATS) if input else DebianSamples()
    reads = (AnnotateImage(),) if second else ()
    return census, PageFiles(pdfs, images), (IdentifyLanguage(), CompareInk(budget_s=9.0), JudgeTextLayer(), *reads)


def _dataset(input: str) -> str:
    """The folder of a dataset of ours, "" for other inputs."""
    folder = Folder(input)
    return folder.url if folder.local and all((folder.local / name).is_dir() for name in ("shards", "manifest")) else ""


def _answerer(model: str, server: str, together: int, key: str, mode: str) -> Choice:
    """The model that answers. Raises `ValueError` if there is none."""
    if server == LEDGER:
        return Choice("nobody")
    if server:
        url, settings = _addresses(server)
        Servers(url, model, key, **settings)  # refuses a wrong address, and a wrong name of a key
        return Choice.of("servers", url=url, model=model, together=together, key=key, **settings)
    if is_folder(model):
        return Choice.of(OURS, folder=model, mode=mode)
    return Choice.of("servers", url=BESIDE, model=model, together=together, key=key)


def _addresses(server: str) -> tuple[str, dict[str, Any]]:
    """The addresses, each with its own ?together=N, and the settings behind them. Raises `ValueError` for an unknown setting."""
    urls: list[str] = []
    settings: dict[str, Any] = {}
    for one in server.split(","):
        url, _, options = one.partition("?")
        given = dict(option.partition("=")[::2] for option in options.split("&") if option)
        own = given.pop("together", "")
        if unknown := sorted(given.keys() - _CLIENT.keys()):
            raise ValueError(f"server={server}: {unknown[0]!r} is no setting: allowed are together, {', '.join(_CLIENT)}")
        settings |= {name: _CLIENT[name](value) for name, value in given.items()}
        urls.append(f"{url}?together={own}" if own else url)
    return ",".join(urls), settings


def _layout(word: str) -> Choice:
    """The engine that finds regions."""
    if not word or word == "cdla":
        return Choice("cdla")
    return of_word(f"layout:{word}").layout
