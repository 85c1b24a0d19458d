"""Pick the census and the source that fit an input of pictures, by a look at the files."""

import difflib
import itertools
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from datagen.disk.storage import Folder, resolve
from datagen.inputs.census import Census, Listing, file_item, walk
from datagen.inputs.formats import suffixes
from datagen.inputs.items import Item
from datagen.inputs.selection import first_parts
from datagen.inputs.stored_items import StoredItems, in_order
from datagen.pictures.download import commands, download, url_column
from datagen.pictures.image_files import FORMATS
from datagen.pictures.join import join
from datagen.pictures.listing import Scanned, columns_at, count_images, is_input, look, scan
from datagen.pictures.metadata import is_laion
from datagen.pictures.source import ImageSource
from datagen.record import SampleError
from datagen.sandbox.process import Limits

log = logging.getLogger(__name__)

DOWNLOADS = "downloads"
"""The folder of an output that img2dataset fills."""
WHY_UNSAFE = (
    "the lists of LAION-5B and before linked to illegal images of abuse, so they were withdrawn; Re-LAION-5B of 2024 is the "
    "cleaned list: use list=relaion2b-en-research-safe and the like, or say unsafe_list=1 where you may and must use the old one"
)
SAFE = (
    *(f"relaion{of}-research{safe}" for of in ("2b-en", "2b-multi", "1b-nolang") for safe in ("-safe", "")),
    *("wukong", "coyo-700m", "cc3m", "cc12m", "datacomp"),
)
"""Names to choose from. `relaion…` are Re-LAION-5B's, of August 2024. Other names are taken, too, except LAION's older lists."""
OTHER = "other"
"""A list of one's own."""
_NEARLY = 0.9  # of the letters of a name, as difflib counts: it is misspelt


def pictures(
    input: str, list: str = "", unsafe_list: bool = False, download: str = "", limit: int = 0, seed: int = 0, **values: Any
) -> tuple["Pictures", ImageSource]:
    """The census and the source of the pictures at `input`, in any of the forms in README.md. `values` are further fields of
    `ImageSource`. `join.py` joins rows and images: rows without image (`no_image`) and images without row (`not_in_list`) are
    drops.

    `list` is the name of the pictures' list (`SAFE` has some); it is needed if columns look like LAION's. Raises `ValueError` for
    a list that is older than Re-LAION-5B, unless `unsafe_list`. A list of urls alone is refused with the command that downloads
    it; with `download`, img2dataset, which must be installed, downloads it into `downloads` of the output, and the next run goes
    on there. `download` is `public`, for public addresses alone, or `private`, for all.

    At most `limit` pictures (0: all) are read, from containers chosen by `seed`; the last one may be cut, and a larger limit goes
    on there. `download` has no limit. The pipeline's own limit counts containers, so it isn't for pictures.
    """
    name = checked(list, unsafe_list) if list else ""
    return Pictures(input, name, download, limit=limit, seed=seed), ImageSource(list_name=name, input=_absolute(input), **values)


@dataclass(frozen=True)
class Pictures(Census):
    """The census of `pictures`. In tables and archives an item is a container whose parts are pictures, so twenty million rows
    are a few thousand items. Image files without a list are an item each. `downloads` is the folder that img2dataset fills."""

    input: str
    list_name: str = ""
    download: str = ""
    downloads: str = ""
    limit: int = 0
    seed: int = 0

    def within(self, out: Folder) -> "Pictures":
        return replace(self, downloads=out.sub(DOWNLOADS).url)

    def pending(self) -> str:
        if not self.download or not is_input(self.input):
            return ""
        scanned = scan(self.input, Limits())
        return f"downloads {len(scanned.lists)} lists with img2dataset" if _is_urls_alone(scanned) else ""

    def items(self) -> Sequence[Item]:
        items = self._all()
        return first(items, self.limit, self.seed) if self.limit else items

    def _all(self) -> Sequence[Item]:
        if not is_input(self.input) or self._is_list_of_files():
            items = Listing(self.input, FORMATS, whole_archives=True).items()
            columns = next((names for item in items[:1] if is_laion(names := columns_at(item.uri, Limits()))), None)
            if columns and not self.list_name:
                raise ask_for_name(self.input, columns)
            return items
        scan.cache_clear()  # the folder may have changed since
        join.cache_clear()
        scanned = scan(self.input, Limits())
        if scanned.laion and not self.list_name:
            raise ask_for_name(self.input, scanned.laion)
        if _is_urls_alone(scanned):
            return self._downloaded(scanned)
        all_items = itertools.chain(self._archives(scanned), self._tables(scanned), self._images(scanned))
        items = StoredItems(in_order(((item.uri,), item) for item in all_items))
        if not items:
            kinds = "/".join(name.upper() for name in FORMATS)
            raise ValueError(f"input={self.input}: no {kinds}, archive or table of them to read there")
        return items

    def _is_list_of_files(self) -> bool:
        """Whether the input is a list with a column `uri`, or of Common Crawl's captures."""
        if not self.input.endswith((".parquet", ".jsonl")) or not resolve(self.input)[0].exists(resolve(self.input)[1]):
            return False
        try:
            looked = look(_absolute(self.input), Limits())
        except SampleError:
            return False  # reading it will tell
        return not looked.image and bool({"uri", "warc_filename"} & set(looked.columns))

    def _archives(self, scanned: Scanned) -> Iterator[Item]:
        for uri, table in scanned.archives.items():
            item = _item(uri)
            yield replace(item, etag=f"{item.etag} {_item(table).etag}") if table else item

    def _tables(self, scanned: Scanned) -> Iterator[Item]:
        """The tables that are read: tables with images, and lists whose images lie here. A broken table becomes a drop."""
        lists = scanned.lists if scanned.num_images else ()
        for uri in (*scanned.embedded, *lists, *scanned.broken):
            yield replace(_item(uri), count=scanned.num_rows.get(uri, -1))
        for uri in set(scanned.lists) - set(lists):
            log.info("census: %s tells of pictures that don't lie here: left alone", uri)

    def _images(self, scanned: Scanned) -> Iterator[Item]:
        if not scanned.num_images:
            return
        if scanned.lists:
            strays = len(join(_absolute(self.input), Limits()).strays()) if not self.limit else 0  # that reads all lists
            if strays:
                log.info("census: %d images are in no list", strays)
                yield Item(f"{scanned.root}/", count=strays)
            return
        fs, path = resolve(scanned.root)
        endings = suffixes(FORMATS)
        yield from (file_item(fs, info) for info in walk(fs, path) if info["name"].lower().endswith(endings))

    def _downloaded(self, scanned: Scanned) -> Sequence[Item]:
        """The items that img2dataset downloads from the lists. Raises `ValueError` with the command, unless img2dataset may and
        can run."""
        lists = {uri: scanned.columns[uri] for uri in scanned.lists if url_column(scanned.columns[uri])}
        out = Folder(self.downloads or DOWNLOADS)
        if not lists:
            raise ValueError(f"input={self.input}: lists of images, and none of the images lies here")
        if not self.download:
            raise ValueError(
                f"input={self.input}: a list of urls, without images. img2dataset (pip install img2dataset) downloads them:\n"
                f"  {commands(lists, out.url)}\nand input={out.url} reads what it wrote; download=1 does both"
            )
        download(lists, out, self.download)
        return replace(self, input=out.url, download="")._all()


def first(items: Iterable[Item], limit: int, seed: int) -> list[Item]:
    """Items with at most `limit` pictures, chosen by `seed`. The last item may be cut."""
    return first_parts(items, limit, seed, lambda item: count_images(item.uri, Limits()))


def checked(name: str, unsafe_list: bool) -> str:
    """The name of a list in small letters, without the account before it. Raises `ValueError` for a name of LAION's older than
    Re-LAION-5B, unless `unsafe_list`, and for a name that is nearly one of `SAFE`."""
    small = name.strip().lower().rpartition("/")[2].replace("_", "-")
    if "laion" in small.replace("relaion", "").replace("re-laion", "") and not unsafe_list:
        raise ValueError(f"list={name}: {WHY_UNSAFE}")
    if small not in SAFE and (meant := difflib.get_close_matches(small, SAFE, 1, _NEARLY)):
        raise ValueError(f"list={name}: say list={meant[0]} if that is meant, or list={OTHER} for one of your own")
    return small


def ask_for_name(input: str, columns: Sequence[str]) -> ValueError:
    """The error for a list that looks like LAION's and has no name."""
    return ValueError(
        f"input={input}: its columns are LAION's ({', '.join(columns[:8])}), and they don't tell which list it is: say "
        f"list=NAME, such as {', '.join(SAFE)}, or list={OTHER} for one of your own; {WHY_UNSAFE}"
    )


def _is_urls_alone(scanned: Scanned) -> bool:
    return bool(scanned.lists) and not (scanned.num_images or scanned.archives or scanned.embedded)


def _absolute(input: str) -> str:
    return input if "://" in input else os.path.abspath(os.path.expanduser(input))


def _item(uri: str) -> Item:
    fs, path = resolve(uri)
    return file_item(fs, fs.info(path))
