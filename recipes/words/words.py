"""The words of recipes and verbs, each as name=value, read from the source of their functions without an import, so that make can
check them before anything is set up. Only the standard library is imported here.

    def figures(limit: int = 0, kinds: Annotated[str, "A,B,…", "which kinds of figures to make"] = "") -> Recipe:
        \"\"\"Figures made here, with exact labels. …\"\"\"

A parameter is a word. Its placeholder and help are declared with it, or in `SHARED` by its name. Its type decides how its
value is read, unless a function of `values` is named, too. Without a default the word is needed. Parameters behind a `*` in the
signature aren't words; behind `**words: Unpack[NAME]` are those of a `TypedDict` that several recipes share, which the file
imports. The first sentence of the docstring describes the recipe or verb.
"""

import ast
import functools
import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from recipes.words import values

_READ_BY_TYPE = {"str": values.text, "int": values.number, "bool": values.flag, "float": values.positive}
Says = tuple[str, str] | tuple[str, str, Callable[[str], Any]]
SHARED: dict[str, Says] = {
    "input": (
        "WHERE",
        "a folder, a glob, a file, an archive, or a list (.parquet, .jsonl) with a uri column",
        values.path,
    ),
    "limit": ("N", "at most N documents (pictures, texts or figures, where a recipe makes those), spread over languages"),
    "deep": ("0|1", "open every document first, to count its pages and tell its language; the run starts later"),
    "passwords": ("FILE", "a text file with one password in each line, for encrypted documents", values.path),
    "benchmarks": ("DIR", "a folder of test pages; pages like one of them are marked, and no training takes them", values.path),
    "engines": (
        "WHO",
        "models for each job: embedded (default), paper, or JOB:ENGINE, as layout:pp-doclayout@FOLDER,tables:none",
        values.engines,
    ),
    "risk": (
        "TEXT,STRUCTURE",
        "paint over regions of PDFs; of the rest at most STRUCTURE is wrong. TEXT isn’t shown yet, and no image is trusted",
        values.risks,
    ),
    "list": ("NAME", "the published list that the pictures come from: relaion2b-en-research-safe, wukong…; other: your own"),
    "unsafe_list": ("0|1", "allow lists older than Re-LAION-5B; such lists link to illegal images"),
    "download": (
        "0|1|private",
        "download the list's urls with img2dataset into OUT/downloads; private: of your own network's addresses, too",
        values.download,
    ),
    "only": ("A:V,…", "filters by the list's columns: max_punsafe:0.1,licences:cc-by+cc0; default: only owners' opt-outs go"),
    "seed": ("N", "the seed of all random choices"),
    "gold": ("PLACE", "a review or audit page's patch; or a folder of images of lines, with NAME.gt.txt beside", values.path),
    "reader": (
        "FOLDER",
        "a reader that a round trained, such as out/multilingual/round-1/reader/Cyrl; default: the package's",
        values.path,
    ),
    "data": (
        "A,B,…",
        "datasets: folders, .jsonl, .tar; ocr:A (default), vision:A, text:A name a group; or a mixture.json",
        values.datasets,
    ),
    "start": (
        "FOLDER",
        "weights and tokenizer to go on from; or a training of the output, a hub's OWNER/NAME",
        values.places,
    ),
    "start_encoder": ("FOLDER", "take only the encoder of these weights; or SAM's and CLIP's folders, as A,B", values.places),
    "variant": ("NAME", "full: the paper's settings; tiny: minutes on two cores"),
    "lora": ("N", "train adapters of rank N beside the decoder's layers, in place of the weights"),
    "modes": ("A,B,…", "image sizes to train with; each sample gets one: tiny, small, base, large, gundam, gundam-m, line"),
    "steps": ("N", "number of steps; default: the variant's"),
    "dataset": ("A,B,…", "datasets of the output; default: all of them"),
    "licences": ("A,B,…", "pass on these licences, too, besides those that let anybody: names as counted; unstated; all"),
    "out": ("DIR", "the output: a local folder or an fsspec URL; a recipe's default is out/NAME"),
    "on": ("WHERE", "inline (this process), local, slurm, tcp://HOST:PORT (dask), or srun (trainings, within salloc)"),
    "workers": ("N", "how many processes or jobs; default: one for each core"),
    "gpus": ("N", "GPUs of each machine to train on (without GPUs: processes); default: all; on=slurm: 8"),
    "nodes": ("N", "with on=slurm, how many machines train"),
    "overwrite": ("0|1", "start anew; the earlier output is replaced"),
    "plan": ("0|1", "print what would run, and run nothing"),
    "verbose": ("0|1", "log each finished shard"),
    "help": ("0|1", "print the settings of this recipe or verb"),
}


class Word(NamedTuple):
    """`takes` is the value's placeholder in the help. `read` makes a value of the user's text, and raises `ValueError` with the
    allowed values."""

    name: str
    takes: str
    help: str
    read: Callable[[str], Any]
    is_needed: bool = False


class Signature(NamedTuple):
    does: str
    words: dict[str, Word]


class Entry(NamedTuple):
    """A recipe or a verb: its function, as "module:function". `trains`: the recipe trains, so machines with GPUs can be asked
    for."""

    function: str
    trains: bool = False

    @property
    def does(self) -> str:
        return signature(self.function).does

    @property
    def words(self) -> dict[str, Word]:
        """The function's own words by name."""
        return signature(self.function).words


@functools.cache
def signature(function: str) -> Signature:
    """The signature in the source of "module:function". Raises `TypeError` for a parameter without a declaration."""
    module, _, name = function.partition(":")
    tree = _tree(module)
    (node,) = (each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == name)
    does, *_ = re.split(r"\.(?:\s|$)", " ".join((ast.get_docstring(node) or "").split()), maxsplit=1)
    defaults = [None] * (len(node.args.args) - len(node.args.defaults)) + node.args.defaults
    words = [_word(parameter, default, function) for parameter, default in zip(node.args.args, defaults, strict=True)]
    if node.args.kwarg:
        words += _unpacked(tree, node.args.kwarg.annotation, function)
    return Signature(does, {word.name: word for word in words})


def _tree(module: str) -> ast.Module:
    spec = importlib.util.find_spec(module)
    assert spec and spec.origin, f"there is no {module}"
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def _unpacked(tree: ast.Module, annotation: ast.expr | None, function: str) -> list[Word]:
    """The fields of the `TypedDict` that `tree` imports for `annotation`, as words with a default."""
    assert isinstance(annotation, ast.Subscript), f"{function}: its other words need Unpack[NAME]"
    name = ast.unparse(annotation.slice)
    (module,) = (
        each.module for each in tree.body if isinstance(each, ast.ImportFrom) and name in [one.name for one in each.names]
    )
    (kind,) = (each for each in _tree(module or "").body if isinstance(each, ast.ClassDef) and each.name == name)
    fields = (each for each in kind.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name))
    return [_word(ast.arg(ast.unparse(field.target), field.annotation), ast.Constant(""), function) for field in fields]


def _word(parameter: ast.arg, default: ast.expr | None, function: str) -> Word:
    kind: ast.expr | None = parameter.annotation
    own: tuple[Any, ...] = SHARED.get(parameter.arg, ())
    if isinstance(kind, ast.Subscript) and isinstance(kind.slice, ast.Tuple):  # Annotated[type, takes, help], or with a reader
        kind, *says = kind.slice.elts
        own = tuple(each.value if isinstance(each, ast.Constant) else _function(each) for each in says)
    if not own or not isinstance(kind, ast.Name):
        raise TypeError(f"{function}: nothing says what the word {parameter.arg} is: annotate it, or add it to SHARED")
    takes, help, read = (*own, _READ_BY_TYPE[kind.id])[:3]
    if isinstance(default, ast.Constant) and default.value:
        help += f"; default: {ast.literal_eval(default)}"
    return Word(parameter.arg, takes, help, read, default is None)


def _function(named: ast.expr) -> Callable[[str], Any]:
    """The function of `values`, imported from there or named as `values.places`."""
    read: Callable[[str], Any] = getattr(values, ast.unparse(named).removeprefix("values."))
    return read


def parse(owner: str, words: Mapping[str, Word], arguments: Sequence[str]) -> dict[str, Any]:
    """The values of the words given to `owner`, a recipe or a verb with the `words`: `name=value`, `--name=value` or `--name
    value`, `--name` alone for a flag; anything else is `out`, if that is one of them. An empty value counts as missing. Raises
    `ValueError`, one sentence, for an unknown word, a repeated one, and a wrong value."""
    given: dict[str, Any] = {}
    left = list(arguments)
    while left:
        name, typed = _split(left.pop(0))
        if name not in words:
            raise ValueError(f"{owner} has no word {name!r}: its words are {', '.join(words)}")
        word = words[name]
        if typed is None and word.read is values.flag:
            typed = "1"
        if typed is None:
            if not left or left[0].startswith("--"):
                raise ValueError(f"{name} needs a value: {name}={word.takes}")
            typed = left.pop(0)
        if name in given:
            raise ValueError(f"{owner}: {name} is given twice")
        if typed:
            try:
                given[name] = word.read(typed)
            except ValueError as error:
                raise ValueError(f"{name}={typed}: {error}") from None
    return given


def _split(argument: str) -> tuple[str, str | None]:
    """The name of a word, and its value if they are joined."""
    name, joined, typed = argument.partition("=")
    if name.startswith("--"):
        return name[2:], typed if joined else None
    if argument == "-h":
        return "help", "1"
    if joined and name.isidentifier():
        return name, typed
    return "out", argument


def explained(words: Mapping[str, Word]) -> list[str]:
    """A line a word, for people."""
    width = max(len(f"{word.name}={word.takes}") for word in words.values())
    return [f"  {f'{word.name}={word.takes}':<{width}}  {word.help}" for word in words.values()]
