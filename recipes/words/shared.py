"""The words that several recipes or verbs take, by their names: what each takes, and its help; and what reads its value, if that
doesn't follow from its type. The standard library alone is imported here."""

from collections.abc import Callable
from typing import Any

from recipes.words import values

Says = tuple[str, str] | tuple[str, str, Callable[[str], Any]]

SHARED: dict[str, Says] = {
    "input": (
        "WHERE",
        "a folder, a glob, a file, an archive, or a list (.parquet, .jsonl) with a uri column",
        values.path,
    ),
    "limit": ("N", "at most N documents, chosen by seed, in turn from each language; or N pictures or texts"),
    "deep": ("0|1", "look inside every document before sharding: pages, sha256, language"),
    "passwords": ("FILE", "a text file with one password in each line, for encrypted documents", values.path),
    "benchmarks": ("DIR", "a folder of benchmark pages; pages that are like one of them are never trained on", values.path),
    "engines": (
        "WHO",
        "who annotates pages: embedded (default), paper, or kinds of work by name, as layout:pp-doclayout@FOLDER,tables:none",
        values.engines,
    ),
    "list": ("NAME", "the list that pictures are of, such as relaion2b-en-research-safe or wukong; other: your own"),
    "unsafe_list": ("0|1", "read pictures of a list that is older than Re-LAION-5B, which linked to illegal images"),
    "download": ("0|1", "have img2dataset download a list of urls into downloads of the output"),
    "only": ("A:V,…", "which pictures to take, as max_punsafe:0.1,licences:cc-by+cc0; default: all but those opted out"),
    "seed": ("N", "the seed of what is drawn; of a training: of its weights and of what it learns from"),
    "gold": ("FILE", "what a person answered, as the pages of make flywheel review=N and audit=N save it", values.path),
    "reader": ("FOLDER", "a reader that a round trained, such as out/multilingual/round-2/reader/Cyrl", values.path),
    "data": (
        "A,B,…",
        "datasets to train on: folders, .jsonl, .tar; text:A is in another group; or a mixture's .json",
        values.datasets,
    ),
    "start": (
        "FOLDER",
        "weights and tokenizer to go on from; or the name of a training in the output, or a hub's OWNER/NAME",
        values.places,
    ),
    "start_encoder": ("FOLDER", "weights whose encoder is taken alone; or SAM's and CLIP's folders, as A,B", values.places),
    "variant": ("NAME", "full: the paper's settings; tiny: minutes on two cores"),
    "lora": ("N", "train adapters of rank N beside the decoder's layers, in place of the weights"),
    "modes": ("A,B,…", "image modes, of which each sample draws one: tiny, small, base, large, gundam, gundam-m, line"),
    "steps": ("N", "how many steps to train, in place of the variant's"),
    "out": ("DIR", "the output: a local folder or an fsspec URL; out/NAME by default for a recipe"),
    "on": ("WHERE", "inline, local, slurm, or a dask scheduler's tcp://HOST:PORT; srun: in a job of SLURM"),
    "workers": ("N", "how many processes or jobs; default: one for each core"),
    "gpus": ("N", "GPUs of each machine that train, or processes where there are none; default: all; on=slurm: 8"),
    "nodes": ("N", "with on=slurm, how many machines train"),
    "overwrite": ("0|1", "replace what an earlier run left in out"),
    "plan": ("0|1", "print what would run, and run nothing"),
    "verbose": ("0|1", "log one line for each shard"),
    "help": ("0|1", "print these words"),
}
