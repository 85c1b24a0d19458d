"""Images as the report holds them: small, and inside the file."""

import base64
import io

from PIL import Image

_SHOWN = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp"}  # by Pillow's names, what every browser shows


def own_bytes(encoded: bytes | None, most: int) -> str:
    """The image as it is, as a data URI; "" where it has more than `most` bytes, or is nothing that a browser shows.

    A page of text often takes fewer bytes so than smaller and encoded anew, and no time."""
    if not encoded or len(encoded) > most:
        return ""
    try:
        with Image.open(io.BytesIO(encoded)) as file:
            kind = _SHOWN.get(file.format or "")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode()}" if kind else ""


def decode(encoded: bytes | None, side: int = 0) -> Image.Image | None:
    """The image as RGB, None if it can't be decoded. A JPEG may come smaller, but at least `side` pixels long."""
    try:
        with Image.open(io.BytesIO(encoded or b"")) as file:
            if side:
                file.draft("RGB", (side, side))
            return file.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def data_uri(image: Image.Image, size: tuple[int, int], quality: int) -> str:
    """The image as a WebP data URI, made smaller to fit into `size`."""
    scale = min(1.0, size[0] / image.width, size[1] / image.height)
    if scale < 1:
        small = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(small, Image.Resampling.BICUBIC, reducing_gap=2.0)
    file = io.BytesIO()
    image.save(file, "WEBP", quality=quality, method=2)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
