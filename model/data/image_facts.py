"""An index's facts about images that rows name, kept beside the rows: each image is read once, however many rows name it.

Missing and broken images aren't kept, so they are found when they come. A file that was written anew is read again.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.disk.storage import Folder
from datagen.record import SampleError
from model.data import lengths
from model.data.images import Look, Unusable, look, stamp

KEPT = "lengths/images-1"
_AT_A_TIME = 4096
_THREADS = 16
NAMED = 5
_INLINE = "\0"


def inline(seen: Look) -> str:
    """The reference of an image that is in the row itself: its facts."""
    return f"{_INLINE}{seen.key:x} {seen.width} {seen.height}"


class Looks:
    """The facts about different `references`, in arrays: `width_M`, `height_M`, `key_M`, and `bad_M`, 0 or the number of the
    fault, from 1, in `reasons`. `details` has more about the first bad images. Raises `ValueError` if a storage that they name
    can't be used."""

    def __init__(self, references: pa.Array, images: Folder, beside: Folder, part: str, made_of: str):
        self.references, self.images, num = references, images, len(references)
        self.width_M, self.height_M = (np.zeros(num, np.int32) for _ in range(2))
        self.key_M, self._stamp_M = (np.zeros(num, np.uint64) for _ in range(2))
        self.bad_M, self.reasons, self.details = np.zeros(num, np.int8), list[str](), dict[int, str]()
        is_inline_M = np.asarray(pc.starts_with(references, pattern=_INLINE))
        for at in np.flatnonzero(is_inline_M).tolist():
            key, width, height = references[at].as_py()[1:].split(" ")
            self._put(at, Look(int(width), int(height), int(key, 16), 0))
        table = lengths.found(beside, KEPT, part, made_of)
        is_known_M = is_inline_M | (self._fill(table) if table is not None else False)
        changed = self._changed(np.flatnonzero(is_known_M & (self._stamp_M != 0)))
        is_known_M[changed] = False
        unknown = np.flatnonzero(~is_known_M)
        self._look(unknown)
        if table is None or len(unknown):
            keeps_M = ~is_inline_M & (self.bad_M == 0)
            columns: dict[str, Any] = {"reference": references.filter(pa.array(keeps_M))}
            columns |= {name: array[keeps_M] for name, array in self._arrays.items()}
            lengths.keep(beside, KEPT, part, made_of, pa.table(columns))

    @property
    def _arrays(self) -> dict[str, np.ndarray]:
        return {"width": self.width_M, "height": self.height_M, "key": self.key_M, "stamp": self._stamp_M}

    def _fill(self, table: pa.Table) -> np.ndarray:
        """Take over the kept facts. (M,): whether an image had some."""
        at_M = pc.index_in(self.references, value_set=table["reference"])
        is_kept_M = np.asarray(at_M.is_valid())
        at = at_M.drop_null().to_numpy()
        for name, array in self._arrays.items():
            array[is_kept_M] = table[name].to_numpy()[at]
        return is_kept_M

    def _changed(self, at: np.ndarray) -> np.ndarray:
        """Which of the images have files that were written since, or are gone."""
        stamps = self._each(at, lambda reference: stamp(self.images, reference))
        return at[np.fromiter(stamps, np.uint64, len(at)) != self._stamp_M[at]]

    def _look(self, at: np.ndarray) -> None:
        for number, seen in zip(at.tolist(), self._each(at, self._seen), strict=True):
            if isinstance(seen, Look):
                self._put(number, seen)
                continue
            if seen.reason not in self.reasons:
                self.reasons.append(seen.reason)
            self.bad_M[number] = self.reasons.index(seen.reason) + 1
            if len(self.details) < NAMED:
                self.details[number] = seen.detail

    def _seen(self, reference: str) -> Look | SampleError:
        try:
            return look(self.images, reference)
        except SampleError as error:
            return error
        except Unusable as error:
            raise ValueError(str(error)) from error

    def _put(self, at: int, seen: Look) -> None:
        for array, value in zip(self._arrays.values(), seen, strict=True):
            array[at] = value

    def _each(self, at: np.ndarray, make: Any) -> Iterator[Any]:
        with ThreadPoolExecutor(_THREADS) as pool:
            for start in range(0, len(at), _AT_A_TIME):
                some: Sequence[str] = self.references.take(pa.array(at[start : start + _AT_A_TIME])).to_pylist()
                made: Iterable[Any] = pool.map(make, some)
                yield from made
