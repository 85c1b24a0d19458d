"""Pictures that look alike: a perceptual hash of each, and which of many are near each other.

The hash is imagehash's `phash` with 16 x 16 frequencies: 256 bits, of the gray picture alone. Of 43 photographs, copies at a
third of the size, as JPEG of quality 30, as WebP or made brighter differed by at most 14 bits, and copies without 2% on each side
by 36 (median); different photographs by 104 at least. So a turned, mirrored or well cropped copy isn't found.

Two pictures may look alike and say different things, such as posters of one design, or a diagram in two languages. So what they
say is compared, too, where both say something.
"""

import functools
import io
import unicodedata
import warnings
from collections.abc import Iterator

import imagehash
import numpy
import xxhash
from PIL import Image

LOOK_BITS = 256
GIST_HASHES = 128
_FORMATS = ("JPEG", "PNG", "WEBP")  # of pictures in shards
_SIDE = 128  # pixels that a hash needs: the lesser side of a picture may be made so small
_FLAT = 4.0  # standard deviation of brightness, of 255, under which a hash is noise
_MIN_CHARS, _NGRAM, _SEED = 4, 2, 3
_NUM_BANDS, _BAND_BITS = 24, 24  # a pair that differs in 14 bits shares a band in 99.9% of the cases, one in 36 in 50%
_NEIGHBOURS = 8  # of a picture, in a band, that it is compared with
_POPULATION = numpy.array([value.bit_count() for value in range(1 << 16)], numpy.uint8)


def look(image: bytes | None) -> bytes | None:
    """The hash of an encoded picture, 32 bytes; None of none, of one that can't be decoded, and of one without features."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(image or b""), formats=_FORMATS) as picture:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture.draft("L", (_SIDE, _SIDE))
            gray = picture.convert("L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    gray = gray.reduce(max(1, min(gray.size) // _SIDE))
    if float(numpy.asarray(gray).std()) < _FLAT:
        return None
    return numpy.packbits(imagehash.phash(gray, hash_size=16).hash).tobytes()


def gist(text: str) -> bytes | None:
    """`GIST_HASHES` uint32 of what a text says, a MinHash of its pairs of letters and digits; None where these are too few."""
    chars = "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if unicodedata.category(c)[0] in "LMN")
    if len(chars) < _MIN_CHARS:
        return None
    return min_hashes({chars[i : i + _NGRAM] for i in range(len(chars) - _NGRAM + 1)}, GIST_HASHES, _SEED).tobytes()


def min_hashes(pieces: set[str], num: int, seed: int) -> numpy.ndarray:
    """The MinHash of a text's pieces: `num` uint32."""
    from datasketch import MinHash  # takes half a second with what it loads of scipy, which a plan needn't wait for

    words = {"hashfunc": xxhash.xxh32_intdigest, "permutations": _permutations(num, seed), "scheme": "affine32"}
    signature = MinHash(num, seed, **words)
    signature.update_batch({piece.encode() for piece in pieces})
    return signature.hashvalues.astype(numpy.uint32)


@functools.cache
def _permutations(num: int, seed: int) -> tuple:
    """Made once: they cost more than a page."""
    from datasketch import MinHash

    return MinHash(num, seed, hashfunc=xxhash.xxh32_intdigest, scheme="affine32").permutations


def near(looks: numpy.ndarray, most: int) -> Iterator[tuple[int, int, int]]:
    """The pairs of rows of `looks`, (N, 32) bytes, that differ in at most `most` bits, the lower one first, with how many these
    are; some pairs come several times, and of very many that are alike, each comes with some of the others."""
    generator = numpy.random.Generator(numpy.random.PCG64(_SEED))
    for _ in range(_NUM_BANDS):
        chosen = generator.choice(LOOK_BITS, _BAND_BITS, replace=False)
        bands = numpy.zeros(len(looks), numpy.uint32)
        for bit in chosen.tolist():
            bands = bands << 1 | (looks[:, bit >> 3] >> (7 - (bit & 7)) & 1)
        order = numpy.argsort(bands, kind="stable")
        ordered = bands[order]
        for step in range(1, min(_NEIGHBOURS + 1, len(order))):
            same = numpy.flatnonzero(ordered[step:] == ordered[:-step])
            first, other = order[same], order[same + step]
            distances = _POPULATION[(looks[first] ^ looks[other]).view(numpy.uint16)].sum(axis=1, dtype=numpy.int64)
            for i in numpy.flatnonzero(distances <= most).tolist():
                yield int(first[i]), int(other[i]), int(distances[i])
