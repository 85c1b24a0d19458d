"""What an image file says beside its pixels: where and when it was taken, by whom and with which camera. A corpus needs none of
it, and whoever published a picture may not have meant to say it.

Formats: JPEG (ITU-T T.81, B.1.1.3), PNG (W3C, 11.3), WebP (RFC 9649).
"""

import re
import struct

_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_JPEG_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")  # the next one behind a scan's data
# Of the application's segments, those that decoders need: JFIF's density, ICC's profile, Adobe's way of storing colours.
_JPEG_KEPT = {0xE0: (b"JFIF\0", b"JFXX\0"), 0xE2: (b"ICC_PROFILE\0",), 0xEE: (b"Adobe",)}
_JPEG_APPLICATIONS, _JPEG_COMMENT = range(0xE0, 0xF0), 0xFE
_PNG_LEFT_OUT = frozenset((b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"caBX"))
_WEBP_LEFT_OUT = frozenset((b"EXIF", b"XMP "))
_WEBP_HAS = 0b1100  # flags in VP8X: of EXIF and XMP


def without_metadata(image: bytes) -> bytes:
    """A JPEG, PNG or WebP without EXIF, XMP, IPTC, comments and what follows its end; the pixels' data stay as they are, and so
    does a colour profile. Raises `ValueError` where the file isn't built as its format says."""
    try:
        if image.startswith(b"\xff\xd8"):
            return _jpeg(image)
        if image.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(image)
        if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
            return _webp(image)
    except (struct.error, IndexError) as error:
        raise ValueError(f"a part of the file is missing: {error}") from error
    raise ValueError("neither a JPEG nor a PNG nor a WebP")


def _jpeg(image: bytes) -> bytes:
    kept, at = [image[:2]], 2
    while True:
        while image[at] == 0xFF and image[at + 1] == 0xFF:  # filling
            at += 1
        if image[at] != 0xFF:
            raise ValueError("no marker stands where one should")
        marker = image[at + 1]
        if marker == _JPEG_END:
            return b"".join((*kept, image[at : at + 2]))
        end = at + 2 if marker in _JPEG_ALONE else at + 2 + struct.unpack_from(">H", image, at + 2)[0]
        if marker == _JPEG_SCAN:
            following = _JPEG_MARKER.search(image, end)
            if following is None:
                raise ValueError("a scan has no end")
            end = following.start()
        content = image[at + 4 : at + 18]
        is_left_out = marker == _JPEG_COMMENT or (
            marker in _JPEG_APPLICATIONS and not content.startswith(_JPEG_KEPT.get(marker, ()))
        )
        if not is_left_out:
            kept.append(image[at:end])
        at = end


def _png(image: bytes) -> bytes:
    kept, at = [image[:8]], 8
    while True:
        length, name = struct.unpack_from(">I4s", image, at)
        end = at + 12 + length
        if end > len(image):
            raise ValueError("a chunk is longer than the file")
        if name not in _PNG_LEFT_OUT:
            kept.append(image[at:end])
        if name == b"IEND":
            return b"".join(kept)
        at = end


def _webp(image: bytes) -> bytes:
    stop = 8 + struct.unpack_from("<I", image, 4)[0]
    kept, at = [b"WEBP"], 12
    while at + 8 <= min(stop, len(image)):
        name, length = struct.unpack_from("<4sI", image, at)
        end = at + 8 + length + length % 2
        chunk = image[at:end]
        if name == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_HAS]) + chunk[9:]
        if name not in _WEBP_LEFT_OUT:
            kept.append(chunk)
        at = end
    content = b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(content)) + content
