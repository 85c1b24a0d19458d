"""What of a page is ink: what differs from the gray that its paper has, which is its commonest."""

import numpy

CONTRAST = 64
"""Of 255, of ink to paper."""


def paper_gray(gray: numpy.ndarray) -> int:
    """The commonest of the gray bytes, of any shape."""
    return int(numpy.bincount(gray.ravel(), minlength=256).argmax())


def inked(gray: numpy.ndarray, contrast: int = CONTRAST, paper: int | None = None) -> numpy.ndarray:
    """Which of the gray bytes are ink: darker or lighter than the `paper`, by default their own, by more than `contrast`."""
    paper = paper_gray(gray) if paper is None else paper
    return (gray < max(0, paper - contrast)) | (gray > min(255, paper + contrast))
