"""Recipes say what to build: each is a plain function that returns a frozen `Recipe`. This table is what there is.

Only the standard library is imported here, so that listing works before anything is set up.
"""

# name -> ("module:function", what it does)
RECIPES = {
    "coarse": ("recipes.coarse:coarse", "page images and text layers of any PDFs, in shards, with a report"),
    "multilingual": (
        "recipes.multilingual:multilingual",
        "the same from real documents in some forty languages, fetched if no input is given",
    ),
    "corpus30m": ("recipes.corpus30m:corpus30m", "the paper's 30M pages from a list of documents; plan=1: what they cost"),
}

# verb -> what it does
VERBS = {
    "status": "what is done, left and dropped in an output, step by step",
    "verify": "re-read every shard of an output against its report",
    "forget": "take a source, uri=… or sha256=…, out of an output, and keep it out",
    "retry": "read again what dropped for a reason, reason=…, and nothing else",
}

# Verbs to come, which no recipe may be called.
RESERVED = ("flywheel", "score")
