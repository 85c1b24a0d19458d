"""Pictures, tars of files, and lists as LAION writes them."""

import io
import tarfile
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from tests.inputs.samples import encoded


def image(color: str | tuple[int, ...] = "navy", kind: str = "JPEG", size: tuple[int, int] = (48, 32)) -> bytes:
    return encoded(Image.new("RGB", size, color), kind)


def tar(path: Path, files: dict[str, bytes], mode: Literal["w", "w:gz"] = "w") -> None:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def laion(path: Path, urls: list[str], **columns: object) -> None:
    table = {"URL": urls, "TEXT": [f"caption {i}" for i in range(len(urls))], **columns}
    pq.write_table(pa.table(table), path)
