"""Words of recipes about the samples of trainings. This file loads nothing, so that a recipe is quick to build."""

TEXT = "text"
"""The task of texts without an image, and their group in a mixture."""
MIN_WORTH = 0.9
"""The default least worth of labels, where it was measured."""
LEVELS = ("easy", "medium", "hard", "unknown")
"""Degrees of difficulty; `unknown` is for samples that weren't measured."""
DIVERSE = ("document", "source", "lang", "layout")
"""Parts that may not dominate. Sources and layouts are known only for datasets of ours."""
UNREAD = ("leave", "cut")
"""The treatment of pages with unread regions: they are left out, or these regions are cut out of their images."""
