"""Figures drawn again from their labels, plainly, for people to compare with the images."""

from datagen.record import Region


def again(region: Region, side: int = 300) -> bytes | None:
    """A PNG of what the region's text says, at least `side` pixels wide and high; None where its format isn't drawn, or
    nothing can be drawn from it, or what draws it isn't installed."""
    try:
        if region.format == "smiles":
            from datagen.figures.chemistry import depict

            return depict.plain_picture(region.text, side)
        if region.format == "geometry":
            from datagen.figures.geometry import geometry

            return geometry.plain_picture(region.text, side)
    except (ValueError, RuntimeError, ImportError):
        return None
    return None
