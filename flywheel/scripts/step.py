"""The step of a recipe that makes the package's readers: its values. Recipes read this file without loading training code."""

from dataclasses import dataclass, field, replace

from flywheel.step import Fit

EASY = tuple("Adlm Armn Cans Copt Cyrl Dsrt Geor Goth Grek Latn Mtei Nkoo Olck Sylo Syrc Tale Taml Tavt Tfng Vaii Yiii".split())
"""Scripts with at most 5% wrong characters after a third of the others' steps."""

HARD = ("Beng", "Cher", "Deva", "Ethi", "Hebr", "Java", "Lana", "Orya")
"""Scripts with more than twice the others' steps."""


@dataclass(frozen=True)
class Scripts:
    """A reader for each script with text in a package, or for these `scripts` (ISO 15924) alone.

    `trunk` is the training of their shared network, `change` that of a script's change to it; `hard` and `easy` those of `HARD`
    and `EASY` scripts, where few lines get fewer steps. A run for a few scripts takes the package's own trunk. At most `max_test`
    lines test a reader; Tesseract reads the first `compared` of them, too. With `install` the results become the package's.
    """

    scripts: tuple[str, ...] = ()
    trunk: Fit = field(
        default_factory=lambda: Fit(
            steps=14_000,
            learning_rate=2e-3,
            short_steps=1_000,
            told_share=0.3,
            batch_width=4_000,
            warmup=0.05,
            checkpoint_every=1_000,
            threads=2,
        )
    )
    change: Fit = field(default_factory=lambda: Fit(steps=3_000, learning_rate=6e-3, warmup=0.05, num_lines=1))
    hard: Fit = field(default_factory=lambda: Fit(steps=8_000, learning_rate=6e-3, warmup=0.05, num_lines=1))
    easy: Fit = field(default_factory=lambda: Fit(steps=1_000, learning_rate=6e-3, warmup=0.05, least_share=0.4, num_lines=9_000))
    seed: int = 0
    max_test: int = 300
    compared: int = 100
    install: bool = False
    name: str = "scripts"

    def fit_of(self, script: str) -> Fit:
        """The training of the script's change to the trunk."""
        return replace(self.easy if script in EASY else self.hard if script in HARD else self.change, seed=self.seed)
