"""Images in the report: small, and inside the file."""

import base64
import io

from PIL import Image

_NEARLY = 0.85  # of the wanted side: 960 pixels of a page of 1,920 do for 1,100


def decode(encoded: bytes | None, side: int = 0) -> Image.Image | None:
    """The image as RGB, None if it can't be decoded. A JPEG may be smaller, which its decoder does in a tenth of the time, but is
    at least nearly `side` pixels long."""
    try:
        with Image.open(io.BytesIO(encoded or b"")) as file:
            if side:
                nearly = _NEARLY * side / max(file.size)
                file.draft("RGB", (int(nearly * file.width), int(nearly * file.height)))
            return file.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def data_uri(image: Image.Image, size: tuple[int, int], quality: int, kind: str = "webp") -> str:
    """The image as a data URI, reduced to fit into `size`."""
    scale = min(1.0, size[0] / image.width, size[1] / image.height)
    if scale < 1:
        small = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(small, Image.Resampling.BICUBIC, reducing_gap=2.0)
    file = io.BytesIO()
    image.save(file, kind, quality=quality, method=2)  # JPEG's writer ignores the method
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
