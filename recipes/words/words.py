"""The words that recipes and verbs take, each as name=value, declared once.

The command line, its help, make's check and what recipe.json remembers follow from this table. It imports the standard library
alone, so that make can ask it before anything is set up.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from recipes.words import engine_words


class Entry(NamedTuple):
    """A recipe or a verb: the function behind it as "module:function", what it does, the words that the function takes, and those
    that it needs. `trains`: its work is to train, so that it also takes the words `TRAINING`."""

    function: str
    does: str
    words: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    trains: bool = False


def text(value: str) -> str:
    return value


def number(value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise ValueError("a whole number is needed, 0 or more")
    return int(value)


AUTO_ROUNDS = -1
"""What `rounds=auto` is as a number: `flywheel.step.AUTO`."""


def rounds(value: str) -> int:
    return AUTO_ROUNDS if value == "auto" else number(value)


def flag(value: str) -> bool:
    if value not in ("0", "1"):
        raise ValueError("allowed are 0 and 1")
    return value == "1"


GROUPS = ("ocr", "vision", "text")
"""The groups of a mixture, which may stand before a dataset, as in `text:prose.jsonl`."""
_FILES = (".json", ".jsonl", ".tar")


def places(value: str) -> str:
    """Folders and files joined by commas, made absolute, so that the next command may come from another folder. A name stays: of
    a training or a dataset of the output, or a hub's OWNER/NAME."""
    return ",".join(map(_place, value.split(",")))


def datasets(value: str) -> str:
    """Places, each with its group before it if that isn't "ocr", as `text:prose.jsonl`."""
    return ",".join(map(_dataset, value.split(",")))


def _dataset(text: str) -> str:
    group, colon, where = text.partition(":")
    return f"{group}:{_place(where)}" if colon and group in GROUPS else _place(text)


def _place(where: str) -> str:
    """`where` as it is if it is a name or an address: nothing is there, and it doesn't look like a path."""
    if "://" in where or where == "random":
        return where
    is_path = where.startswith((".", "/", "~")) or where.endswith(_FILES) or os.path.exists(where)
    return _absolute(where) if where and is_path else where


def _absolute(path: str) -> str:
    return path if not path or "://" in path else os.path.abspath(os.path.expanduser(path))


def readers(value: str) -> str:
    """Folders joined by commas, made absolute; `ppocr` is a name."""
    return ",".join(part if part == "ppocr" else _absolute(part) for part in value.split(","))


def engines(value: str) -> str:
    """Engines by the kind of their work, folders made absolute."""
    return engine_words.absolute(value)


def captioner(value: str) -> str:
    """An address and a model, as they are."""
    engine_words.server(value)
    return value


def texts(value: str) -> str:
    """A folder, made absolute, and `packages` or `none`, one of them or a folder and one, joined by a comma."""
    parts, known = value.split(","), ("packages", "none")
    folders, named = [part for part in parts if part not in known], [part for part in parts if part in known]
    if len(folders) > 1 or len(named) > 1 or not all(parts):
        raise ValueError("a folder is needed, or packages, or none, or a folder and one of them, as DIR,packages")
    return ",".join(part if part in known else _absolute(part) for part in parts)


def part(value: str) -> str:
    """What a part of a mixture is made of: `packages`, `none`, an address, or a path, made absolute."""
    return value if value in ("packages", "none") else _absolute(value)


def positive(value: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise ValueError("a number above 0 is needed, such as 2e-5")
    return found


class Word(NamedTuple):
    """`takes` stands for its value in the help. `read` makes a value of what was typed, and raises `ValueError` that says what is
    allowed. `is_path`: a relative value is relative to where the user is."""

    name: str
    takes: str
    help: str
    read: Callable[[str], Any] = text
    is_path: bool = False


_ALL = (
    Word("input", "WHERE", "a folder, a glob, a file, an archive, or a list (.parquet, .jsonl) with a uri column", is_path=True),
    Word("list", "NAME", "the list that pictures are of, such as relaion2b-en-research-safe or wukong; other: your own"),
    Word("unsafe_list", "0|1", "read pictures of a list that is older than Re-LAION-5B, which linked to illegal images", flag),
    Word("download", "0|1", "have img2dataset download a list of urls into downloads of the output", flag),
    Word("only", "A:V,…", "which pictures to take, as max_punsafe:0.1,licences:cc-by+cc0; default: all but those opted out"),
    Word(
        "judge",
        "A:V,…",
        "what a picture that was read is worth, as min_score:0.95,languages:zh:0.5+other:0.1; see scene/judge_scene.py",
    ),
    Word("agreement", "0|1", "read each picture at two sizes, and say how far both agree: it takes 1.7 times as long", flag),
    Word("photographs", "DIR", "photographs without text, which signs are set onto; default: of packages", is_path=True),
    Word(
        "out", "DIR", "the output: a local folder or an fsspec URL; out/NAME by default for a recipe; a file for read and score"
    ),
    Word("on", "WHERE", "inline, local (default), slurm, or a dask scheduler's tcp://HOST:PORT; srun: in a job of SLURM"),
    Word("workers", "N", "how many processes or jobs; default: one for each core", number),
    Word("gpus", "N", "GPUs of each machine that train, or processes where there are none; default: all; on=slurm: 8", number),
    Word("nodes", "N", "with on=slurm, how many machines train", number),
    Word("limit", "N", "at most N documents, chosen by seed, in turn from each language; or N pictures or texts", number),
    Word("rounds", "N", "how many rounds of the flywheel to have in all; 0: none; auto: until one brings no gain", rounds),
    Word("gold", "FILE", "what a person answered, as the pages of make flywheel review=N and audit=N save it", is_path=True),
    Word(
        "text",
        "DIR",
        "text to typeset for readers, as km.txt or km/*.txt; packages: theirs, for all languages; none: not theirs",
        texts,
    ),
    Word("existing", "A,B,…", "readers beside Tesseract, of which the best one votes: ppocr, folders of its models", readers),
    Word("readers", "KIND", "what the flywheel trains: compact (default); or got_ocr, ours, which start from start=FOLDER"),
    Word(
        "engines",
        "WHO",
        "who annotates pages: embedded (default), paper, or kinds of work by name, as layout:pp-doclayout@FOLDER,tables:none",
        engines,
    ),
    Word(
        "captioner",
        "URL#MODEL",
        "a model behind OpenAI's chat completions that describes pictures without a caption; default: none, since each one costs",
        captioner,
    ),
    Word("passwords", "FILE", "a text file with one password in each line, for encrypted documents", is_path=True),
    Word("benchmarks", "DIR", "a folder of benchmark pages; pages that are like one of them are never trained on", is_path=True),
    Word("kinds", "A,B,…", "which kinds of figures to make; default: all but figure-pages, which are pages with some of each"),
    Word(
        "molecules",
        "FILE",
        "a list of SMILES to draw, as .smi, .csv or PubChem's CID-SMILES.gz; default: packaged ones",
        is_path=True,
    ),
    Word("column", "NAME", "the column that has the text; default: one called text, content or the like"),
    Word("filters", "A,B,…", "datatrove's filters of texts: gopher_quality, gopher_repetition (both: default), fineweb; none"),
    Word(
        "pages",
        "WHERE",
        "of a mixture: what its coarse pages are made of: an input, packages, none, or an output that has them",
        part,
    ),
    Word("fine", "WHERE", "of a mixture: its annotated pages; as pages", part),
    Word("minority", "DIR", "of a mixture: an output of multilingual, whose rounds labelled pages and lines", part),
    Word("word", "WHERE", "of a mixture: its Word documents; as pages", part),
    Word("scene", "WHERE", "of a mixture: its pictures with text; as pages", part),
    Word(
        "figures",
        "WHERE",
        "of a mixture: its figures: packages (default), molecules to draw, none, or an output that has them",
        part,
    ),
    Word("vision", "WHERE", "of a mixture: its described pictures; as pages", part),
    Word("texts", "WHERE", "of a mixture: its texts alone; as pages", part),
    Word("scene_list", "NAME", "of a mixture: the list that the pictures of scene are of, as list"),
    Word("vision_list", "NAME", "of a mixture: the list that the pictures of vision are of, as list"),
    Word(
        "data", "A,B,…", "datasets to train on: folders, .jsonl, .tar; text:A is in another group; or a mixture's .json", datasets
    ),
    Word("start", "FOLDER", "weights and tokenizer that a training goes on from", places),
    Word("start_encoder", "FOLDER", "weights whose encoder is taken alone; or SAM's and CLIP's folders, as A,B", places),
    Word("start_decoder", "FOLDER", "weights whose decoder and tokenizer are taken alone; random: a fresh decoder", places),
    Word("stage", "N", "1: the encoder with a compact decoder; 2: all of it (default); 3: going on in gundam-m", number),
    Word(
        "variant", "NAME", "full: the paper's settings (default); tiny: minutes on two cores; for ablate lines (default) or full"
    ),
    Word(
        "layout", "NAME", "shard: the GPUs of a machine share the weights (default); paper: a pipeline of four stages, and copies"
    ),
    Word("lora", "N", "train adapters of rank N beside the decoder's layers, in place of the weights", number),
    Word("freeze", "A,B,…", "what isn't trained: sam, clip, projector, experts, embeddings, decoder, or patterns of names"),
    Word("modes", "A,B,…", "image modes, of which each sample draws one: tiny, small, base, large, gundam, gundam-m, line"),
    Word("rate", "X", "the learning rate at its highest, in place of the variant's", positive),
    Word("epochs", "N", "how often to learn from each row, in place of the variant's", number),
    Word("steps", "N", "how many steps to train, in place of the variant's", number),
    Word("seed", "N", "the seed of what is drawn; of a training: of its weights and of what it learns from", number),
    Word("a", "DATASET", "what an arm of an ablation learns from, as in data; b and c are the others", datasets),
    Word("b", "DATASET", "what the second arm learns from", datasets),
    Word("c", "DATASET", "what a third arm learns from", datasets),
    Word("truth", "DATASET", "what all arms are measured on; none learns from its documents", datasets),
    Word("of", "KIND", "an ablation that comes with pagewheel: raw_text, rounds or degradations, in place of a and b"),
    Word("corpus", "DIR", "an output of multilingual, of which pages or rounds are compared", is_path=True),
    Word("seeds", "N", "how many seeds each arm is trained with", number),
    Word("deep", "0|1", "look inside every document before sharding: pages, sha256, language", flag),
    Word("overwrite", "0|1", "replace what an earlier run left in out", flag),
    Word("plan", "0|1", "print what would run, and run nothing", flag),
    Word("verbose", "0|1", "log one line for each shard", flag),
    Word("help", "0|1", "print these words", flag),
    Word("rollback", "N", "set aside all rounds of the flywheel after the round N; 0: all", number),
    Word("reader", "FOLDER", "a reader that a round trained, such as out/multilingual/round-2/reader/Cyrl", is_path=True),
    Word(
        "kind",
        "WHAT",
        "what each image shows: line, page, or auto (default): a line is at most 160 px high, or 6 times as wide",
    ),
    Word("uri", "URI", "where the source lies, as its samples' records have it under origin"),
    Word("sha256", "HEX", "the content of the source, wherever it lies"),
    Word(
        "review", "N", "write a page for a browser with the N refused lines that teach most when a person corrects them", number
    ),
    Word("audit", "N", "write a page for a browser with N accepted lines to transcribe; it shows no reading", number),
    Word("pred", "DIR", "predictions: a folder of STEM.md, each called as its page's image, or a dataset", is_path=True),
    Word("gt", "FILE", "the truth: OmniDocBench's JSON, a .jsonl of olmOCR-bench's tests, or a dataset's folder", is_path=True),
    Word("reason", "NAME", "why documents or pages dropped, as drops.jsonl has it, such as timeout or not_found"),
)
WORDS = {word.name: word for word in _ALL}

EVERY_RECIPE = ("out", "on", "workers", "overwrite", "plan", "verbose", "help")
"""What a recipe takes beside the words of its own function: where it runs, and what of it."""
TRAINING = ("gpus", "nodes")
"""What one takes beside these whose work is to train."""
EVERY_VERB = ("help",)


def parse(owner: str, names: Sequence[str], arguments: Sequence[str]) -> dict[str, Any]:
    """The values of the words given to `owner`, a recipe or a verb that takes the words `names`: `name=value`, `--name=value` or
    `--name value`, `--name` alone for a flag; anything else is `out`, if that is one of them. An empty value is none.

    Raises `ValueError`, one sentence, for any other word, one given twice, and a wrong value.
    """
    values: dict[str, Any] = {}
    left = list(arguments)
    while left:
        name, typed = _split(left.pop(0))
        if name not in names:
            raise ValueError(f"{owner} has no word {name!r}: its words are {', '.join(names)}")
        word = WORDS[name]
        if typed is None and word.read is flag:
            typed = "1"
        if typed is None:
            if not left or left[0].startswith("--"):
                raise ValueError(f"{name} needs a value: {name}={word.takes}")
            typed = left.pop(0)
        if name in values:
            raise ValueError(f"{owner}: {name} is given twice")
        if typed:
            try:
                values[name] = word.read(typed)
            except ValueError as error:
                raise ValueError(f"{name}={typed}: {error}") from None
    return values


def _split(argument: str) -> tuple[str, str | None]:
    """The name of a word, and its value if it is joined to it."""
    name, joined, typed = argument.partition("=")
    if name.startswith("--"):
        return name[2:], typed if joined else None
    if argument == "-h":
        return "help", "1"
    if joined and name.isidentifier():
        return name, typed
    return "out", argument


def explained(names: Sequence[str]) -> list[str]:
    """A line a word, for people."""
    words = [WORDS[name] for name in names]
    width = max(len(f"{word.name}={word.takes}") for word in words)
    return [f"  {f'{word.name}={word.takes}':<{width}}  {word.help}" for word in words]
