"""Words that recipes say of the samples they learn from. This file loads nothing, so that a recipe is quick to build."""

TEXT = "text"
"""The task of texts without an image, and the group of a mixture that they are in."""
MIN_WORTH = 0.9
"""What a sample's labels must be worth to be learned from, where that was measured, if nobody says otherwise."""
LEVELS = ("easy", "medium", "hard", "unknown")
"""Degrees of difficulty, the last of which is that of samples that nobody measured."""
DIVERSE = ("document", "source", "lang", "layout")
"""What no part of may dominate. Sources and layouts are known of datasets of ours alone."""
UNREAD = ("leave", "cut")
"""What becomes of pages with regions that nobody read: they are left out, or these regions are cut out of their images."""
