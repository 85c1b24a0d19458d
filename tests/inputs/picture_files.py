"""Pictures, tars of files, and lists as LAION writes them."""

import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def image(color: object = "navy", kind: str = "JPEG", size: tuple[int, int] = (48, 32)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, kind)
    return file.getvalue()


def tar(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def laion(path: Path, urls: list[str], **columns: object) -> None:
    table = {"URL": urls, "TEXT": [f"caption {i}" for i in range(len(urls))], **columns}
    pq.write_table(pa.table(table), path)
