"""Recipes say what to build: each is a plain function that returns a frozen `Recipe`. This table is what there is.

Only the standard library is imported here, so that listing works before anything is set up.
"""

from recipes.words.words import Entry

RECIPES = {
    "coarse": Entry(
        "recipes.coarse:coarse",
        "page images and text layers of any PDFs, in shards, with a report",
        ("input", "limit", "deep", "passwords", "benchmarks"),
    ),
    "fine": Entry(
        "recipes.fine:fine",
        "pages of any PDFs and images with labelled regions, tables, reading order, and what each label is worth",
        ("input", "limit", "deep", "passwords", "benchmarks", "engines"),
    ),
    "word": Entry(
        "recipes.word:word",
        "pages, tables and formulas of Word documents, with labels from the files themselves",
        ("input", "limit", "benchmarks"),
    ),
    "multilingual": Entry(
        "recipes.multilingual:multilingual",
        "a corpus, readers and a small model from documents in some forty languages, fetched if no input is given",
        ("input", "limit", "deep", "rounds", "gold", "text", "passwords", "benchmarks", "existing", "readers", "start", "lora"),
    ),
    "scene": Entry(
        "recipes.scene:scene",
        "photographs with the text in them, as lists of LAION's have them; and signs set onto photographs, with exact labels",
        (
            *("input", "list", "unsafe_list", "download", "only", "judge", "agreement", "engines", "reader", "photographs"),
            *("limit", "seed"),
            "benchmarks",
        ),
    ),
    "figures": Entry(
        "recipes.figures:figures",
        "figures made here, with exact labels: charts as tables, chemical structures as SMILES, plane geometry",
        ("limit", "kinds", "molecules", "seed", "benchmarks"),
    ),
    "texts": Entry(
        "recipes.texts:texts",
        "texts alone, from Parquet, JSON Lines, plain text and datasets saved to disk; of packages if no input is given",
        ("input", "column", "filters", "limit", "benchmarks"),
    ),
    "vision": Entry(
        "recipes.vision:vision",
        "pictures with captions and objects: others' as they have them; without input, cut-outs set on photographs",
        ("input", "limit", "list", "unsafe_list", "download", "only", "captioner", "seed", "benchmarks"),
    ),
    "corpus30m": Entry(
        "recipes.corpus30m:corpus30m",
        "the paper's 30M pages from a list of documents; plan=1: what they cost",
        ("input", "limit", "deep", "passwords", "benchmarks"),
    ),
    "mixture": Entry(
        "recipes.mixture:mixture",
        "one mixture for a training: each part's dataset made where it is missing, weighted as in the paper",
        (
            "pages",
            "fine",
            "minority",
            "word",
            "scene",
            "figures",
            "vision",
            "texts",
            "scene_list",
            "vision_list",
            "limit",
            "benchmarks",
        ),
    ),
    "train": Entry(
        "recipes.train:train",
        "a model from datasets: DeepEncoder with a compact decoder (stage=1), or all of it",
        ("data", "start", "start_encoder", "start_decoder", "stage", "variant", "layout", "steps"),
        trains=True,
    ),
    "finetune": Entry(
        "recipes.finetune:finetune",
        "a model that goes on from the released weights, or others, on your own images, prompts and answers",
        ("data", "start", "lora", "freeze", "modes", "rate", "epochs", "steps", "variant"),
        trains=True,
    ),
    "reads": Entry(
        "recipes.reads:reads",
        "a small model that reads lines of text, from nothing and without any input",
        ("seed",),
        trains=True,
    ),
    "ablate": Entry(
        "recipes.ablate:ablate",
        "what a label is worth: the same training on two corpora, with seeds and intervals, measured on one truth",
        (
            *("a", "b", "c", "truth", "of", "corpus", "input", "limit", "start", "start_encoder", "steps", "seeds", "variant"),
            "modes",
        ),
    ),
}

VERBS = {
    "status": Entry(
        "recipes.verbs.functions:status", "what is done, left and dropped in an output, step by step", ("out",), ("out",)
    ),
    "verify": Entry("recipes.verbs.functions:verify", "re-read every shard of an output against its report", ("out",), ("out",)),
    "report": Entry(
        "recipes.verbs.functions:report", "make the report of an output anew, as far as a run has come", ("out",), ("out",)
    ),
    "forget": Entry(
        "recipes.verbs.functions:forget",
        "take a source, uri=… or sha256=…, out of an output, and keep it out",
        ("out", "uri", "sha256"),
        ("out",),
    ),
    "retry": Entry(
        "recipes.verbs.functions:retry",
        "read again what dropped for a reason, reason=…, and nothing else",
        ("out", "reason", "passwords", "on", "workers"),
        ("out",),
    ),
    "flywheel": Entry(
        "recipes.verbs.functions:flywheel",
        "the rounds of an output; rollback=N: back to an earlier one; review=N, audit=N: pages for a person to work on",
        ("out", "rollback", "review", "audit", "gold"),
        ("out",),
    ),
    "read": Entry(
        "recipes.verbs.functions:read",
        "read images of lines or pages with a round's reader, a JSON line each",
        ("reader", "input", "out", "kind", "on", "workers", "overwrite"),
        ("reader", "input", "out"),
    ),
    "score": Entry(
        "recipes.verbs.functions:score",
        "how good predictions are, pred=DIR, against a ground truth, gt=FILE: text, order, tables, formulas, boxes",
        ("pred", "gt", "out"),
        ("pred", "gt"),
    ),
}

# What make asks for: no recipe may be called that.
RESERVED = ("words",)
