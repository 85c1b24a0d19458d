"""Known text in other typefaces: a line of the training pool set anew in a font of this machine.

A reader reads well only the typefaces that it has seen, and documents of one language rarely bring many.
"""

import functools

import numpy

from datagen import drawing, typefaces
from datagen.record import Box

_MARGIN = 0.3  # of the line's height


@functools.cache
def sha256() -> str:
    """A digest of the text faces' files: readers that were trained with these lines depend on them."""
    return typefaces.digest(typefaces.text_faces())


def typeset(text: str, random: numpy.random.Generator, heights: tuple[int, int] = (28, 48)) -> tuple[numpy.ndarray, Box] | None:
    """`text` in a random face that has all of it, and the line's box, which is `heights` pixels high.

    The image is (H, W) gray bytes, dark on white, with a margin. None if there is no such face.
    """
    able = [path for path in typefaces.text_faces() if typefaces.draws(path, text)]
    if not able:
        return None
    path = able[int(random.integers(len(able)))]
    size = drawing.size_of_height(path, int(random.integers(heights[0], heights[1] + 1)))
    ink, box = drawing.line(path, size, text, margin=round(_MARGIN * drawing.height(path, size)))
    return 255 - ink, box
