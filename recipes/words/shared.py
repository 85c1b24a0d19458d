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
        "trust pages of which at most these shares are wrong, as 0.05,0.10, by judged pages; one number sets both",
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
    "gold": ("FILE", "the patch that a review or audit page saved", values.path),
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
