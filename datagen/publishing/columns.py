"""A published row: the image, and every field of the record under a name of its own, so that a viewer can sort and filter by it.

    image key task lang script width height text caption regions verdict reasons signals difficulty group metadata
    uri sha256 page licence engines parent parent_box stage round

`uri` names no folder of the machine that the file was read on.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow as pa

from datagen.disk.card import BOOL, FLOAT, INT, RECORD, STRING
from datagen.disk.shards import image_extension
from datagen.record import Sample

FIELDS: dict[str, Any] = {
    "image": "image",
    "key": STRING,
    "task": STRING,
    "lang": STRING,
    "script": STRING,
    "width": INT,
    "height": INT,
    "text": STRING,
    "caption": STRING,
    "regions": RECORD["regions"],
    "verdict": STRING,
    "reasons": [STRING],
    "signals": [{"name": STRING, "value": FLOAT}],
    "difficulty": FLOAT,
    "group": STRING,
    "metadata": RECORD["metadata"],
    "uri": STRING,
    "sha256": STRING,
    "page": INT,
    "licence": STRING,
    "engines": [{"name": STRING, "version": STRING}],
    "parent": STRING,
    "parent_box": [INT],
    "stage": STRING,
    "round": INT,
}
_MESSAGE = [{"role": STRING, "content": STRING}]
OF_PAIRS: dict[str, Any] = {
    "images": ["image"],
    "prompt": _MESSAGE,
    "chosen": _MESSAGE,
    "rejected": _MESSAGE,
    "reward": FLOAT,
    "key": STRING,
    "task": STRING,
    "lang": STRING,
    "script": STRING,
    "uri": STRING,
    "page": INT,
    "licence": STRING,
}
"""Of a row that is a preference pair (`pairs`)."""
_ARROW = {STRING: pa.string(), INT: pa.int64(), FLOAT: pa.float64(), BOOL: pa.bool_()}
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_FETCHED = re.compile(r".*/pagewheel/(?=[^/]+/)")
_DEBIAN = re.compile(r"debian/([^/]+)/")


def arrow_schema(fields: Mapping[str, Any]) -> pa.Schema:
    """Of rows of these fields, with what `datasets` and the viewer ask for to show images: its features, as JSON in the
    metadata."""
    import datasets

    features = datasets.Features({name: _feature(kind) for name, kind in fields.items()})
    schema: pa.Schema = features.arrow_schema
    return pa.schema([pa.field(name, _arrow(kind)) for name, kind in fields.items()], metadata=schema.metadata)


def row(sample: Sample) -> dict[str, Any]:
    """A sample as a row of `FIELDS`."""
    record = msgspec.json.decode(sample.to_json())
    quality, origin = record["quality"], record["origin"]
    values = record | quality | origin | {"image": image(sample), "parent_box": origin["box"], "uri": public_uri(origin["uri"])}
    values |= {"width": sample.size[0], "height": sample.size[1]}
    return {name: values[name] for name in FIELDS}


def image(sample: Sample) -> dict[str, Any] | None:
    """A sample's image as a row has it: in the file, under the name that it has in a shard."""
    return {"bytes": sample.image, "path": f"{sample.key}.{image_extension(sample.image)}"} if sample.image else None


def public_uri(uri: str) -> str:
    """An address without what it says of this machine: of a file that a recipe fetched, the package and the path in it; of
    another local file its name. Of a member in an archive, `member::archive`, both."""
    return "::".join(map(_public, uri.split("::")))


def source_of(uri: str) -> str:
    """Where a sample comes from, as a publication counts it: a package, a site, or "files of its maker"."""
    where = uri.rpartition("::")[2]
    if "://" in where and not where.startswith("file://"):
        return where.partition("://")[2].partition("/")[0].rpartition("@")[2]
    if package := _DEBIAN.match(_public(where)):
        return f"Debian package {package[1]}"
    return _public(where).partition("/")[0] if _FETCHED.match(where) else "files of its maker"


def _public(uri: str) -> str:
    if "://" in uri and not uri.startswith("file://"):
        scheme, _, rest = uri.partition("://")
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    path = uri.removeprefix("file://")
    if fetched := _FETCHED.match(path):
        return path[fetched.end() :]
    return path.rpartition("/")[2] if path.startswith("/") else path


def _feature(kind: Any) -> Any:
    """A kind of the card's, as `datasets` has it."""
    import datasets

    if kind == "image":
        return datasets.Image()
    if isinstance(kind, dict):
        return {name: _feature(inner) for name, inner in kind.items()}
    return [_feature(kind[0])] if isinstance(kind, list) else datasets.Value(kind)


def _arrow(kind: Any) -> pa.DataType:
    if kind == "image":
        return _IMAGE
    if isinstance(kind, dict):
        return pa.struct([(name, _arrow(inner)) for name, inner in kind.items()])
    return pa.list_(_arrow(kind[0])) if isinstance(kind, list) else _ARROW[kind]
