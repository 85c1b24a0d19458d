"""PyMuPDF without the layout model and the converter to Markdown that it loads with itself. A child then starts in 0.4 s of CPU,
not 1.0, and takes 72 MB, not 150.

A page function that wants the model imports `pymupdf.layout` itself.
"""

import sys

_EXTRAS = ("pymupdf.layout", "pymupdf4llm")

if "pymupdf" in sys.modules:
    import pymupdf
else:
    blocked = [name for name in _EXTRAS if name not in sys.modules]
    for name in blocked:
        sys.modules[name] = None  # type: ignore[assignment]  # makes importing it fail
    import pymupdf

    for name in blocked:
        del sys.modules[name]

# Glyphs' boxes as MuPDF says them. The converter asks for this as it loads, so it must not hang on whether that is installed.
pymupdf.TOOLS.unset_quad_corrections(True)

__all__ = ["pymupdf"]
