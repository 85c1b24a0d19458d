"""Recipes: plain functions that return a frozen `Recipe`; their parameters are its words.

Only the standard library is imported here, so that listing works before anything is set up.
"""

from recipes.words.words import Entry

RECIPES = {
    "coarse": Entry("recipes.coarse:coarse"),
    "fine": Entry("recipes.fine:fine"),
    "word": Entry("recipes.word:word"),
    "markup": Entry("recipes.markup:markup"),
    "multilingual": Entry("recipes.multilingual:multilingual"),
    "scene": Entry("recipes.scene:scene"),
    "figures": Entry("recipes.figures:figures"),
    "texts": Entry("recipes.texts:texts"),
    "vision": Entry("recipes.vision:vision"),
    "scripts": Entry("recipes.scripts:scripts"),
    "corpus30m": Entry("recipes.corpus30m:corpus30m"),
    "mixture": Entry("recipes.mixture:mixture"),
    "lengths": Entry("recipes.lengths:lengths"),
    "train": Entry("recipes.train:train", trains=True),
    "finetune": Entry("recipes.finetune:finetune", trains=True),
    "reads": Entry("recipes.reads:reads", trains=True),
    "layouts": Entry("recipes.layouts:layouts", trains=True),
    "ablate": Entry("recipes.ablate:ablate", trains=True),
    "label": Entry("recipes.label:label"),
    "agree": Entry("recipes.agree:agree"),
    "compression": Entry("recipes.compression:compression"),
}

VERBS = {
    "status": Entry("recipes.verbs.status:status"),
    "verify": Entry("recipes.verbs.status:verify"),
    "report": Entry("recipes.verbs.status:report"),
    "look": Entry("recipes.verbs.look:look"),
    "forget": Entry("recipes.verbs.forget:forget"),
    "retry": Entry("recipes.verbs.retry:retry"),
    "patch": Entry("recipes.verbs.patch:patch"),
    "flywheel": Entry("recipes.verbs.rounds:flywheel"),
    "read": Entry("recipes.verbs.read:read"),
    "score": Entry("recipes.verbs.score:score"),
    "publish": Entry("recipes.verbs.publish:publish"),
    "export": Entry("recipes.verbs.publish:export"),
    "label_studio": Entry("recipes.verbs.patch:label_studio"),
}
