"""Sends a published folder to a dataset on the Hugging Face hub, by the hub's library
(https://huggingface.co/docs/huggingface_hub).

The first commit has published.json with the files to come, and removes other files of an earlier publication. Data follows, some
files a commit. The card is last, so it never counts rows that aren't there. Files that the hub has aren't sent again.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datagen.disk.storage import Folder
from datagen.disk.temporary import temporary_folder
from datagen.publishing import publication
from datagen.publishing.files import Written
from datagen.work.progress import OnState, State, ignore

TOKEN = "HF_TOKEN"
ADDRESS = "hf://datasets/"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_FILES_A_COMMIT, _BYTES_A_COMMIT = 100, 10_000_000_000
_OF_THE_HUB = (".gitattributes", "README.md")
_SAYS = {
    401: "the hub doesn't take the token in {token}: make a new one, with write access",
    403: "the token in {token} may not write there: give it write access, or name a dataset of your own",
    404: "the hub has no such dataset that the token in {token} may see",
    429: "too many requests: the same command goes on later",
}


def dataset_name(to: str) -> str:
    """The OWNER/NAME on the hub that `to` means; "" for a folder. hf://datasets/OWNER/NAME always means the hub. A bare
    OWNER/NAME means the hub unless a folder OWNER is here, since a folder to make looks the same."""
    name = to.removeprefix(ADDRESS)
    is_bare = name == to and not os.path.exists(to.partition("/")[0] or "/")
    return name if _NAME.fullmatch(name) and (is_bare or name != to) else ""


def token() -> str:
    """The key for the hub, from the environment. Nothing here writes it down. Raises `ValueError` if there is none."""
    key = os.environ.get(TOKEN, "").strip()
    if not key:
        raise ValueError(f"{TOKEN} isn't set: it is the key for the hub, from its page on access tokens, with write access")
    if not re.fullmatch(r"[!-~]+", key):
        raise ValueError(f"{TOKEN} has a character that no key has")
    return key


def upload(folder: Folder, name: str, key: str, on_state: OnState = ignore) -> str:
    """Send the published `folder`, on a local disk, to the dataset `name`, which is private if new; returns its address. Raises
    `ValueError` for errors that the user must mend, and `OSError` for errors that may pass; the same call goes on from there."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    api = HfApi(os.environ.get("HF_ENDPOINT") or None, token=key)
    try:
        api.create_repo(name, repo_type="dataset", private=True, exist_ok=True)
        _send(api, folder, name, on_state)
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        where = f"{api.endpoint}/datasets/{name}"
        if says := _SAYS.get(status, ""):
            raise (OSError if status == 429 else ValueError)(f"{where}: {says.format(token=TOKEN)} ({status})") from None
        if 400 <= status < 500:
            reason = (error.server_message or "no reason given").replace(key, "…")
            raise ValueError(f"{where}: the hub refuses it ({status}): {' '.join(reason.split())[:300]}") from None
        raise OSError(f"{where}: the hub fails ({status or 'no answer'}): the same command goes on later") from None
    except OfflineModeIsEnabled:
        raise ValueError("HF_HUB_OFFLINE is set, so nothing can be sent to the hub") from None
    except HTTPError as error:
        reason = f"{type(error).__name__}: {str(error).replace(key, '…')[:200]}"
        raise OSError(f"{api.endpoint} can't be reached ({reason}): the same command goes on later") from None
    return f"{api.endpoint}/datasets/{name}"


def _send(api: Any, folder: Folder, name: str, on_state: OnState) -> None:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    def add(file: str) -> Any:
        return CommitOperationAdd(file, folder.path(file))

    def commit(operations: list[Any], message: str) -> None:
        api.create_commit(name, operations, commit_message=message, repo_type="dataset")

    written, _ = publication.read(folder)
    there = set(api.list_repo_files(name, repo_type="dataset"))
    earlier = _earlier(api, name) if publication.NAME in there else set()
    if strange := sorted(there - {*_OF_THE_HUB, publication.NAME} - earlier - written.keys()):
        raise ValueError(f"{name} holds {strange[0]}, which pagewheel hasn't put there: name another dataset, or delete it there")
    stale = sorted(there & earlier - written.keys())
    commit([add(publication.NAME), *map(CommitOperationDelete, stale)], "Say which files there are")
    done, total = 0, sum(w.num_bytes for w in written.values())
    for batch in _batches(written):
        commit([add(file) for file in batch], f"Add {batch[0]}{f' and {len(batch) - 1} more' if len(batch) > 1 else ''}")
        done += sum(written[file].num_bytes for file in batch)
        on_state(State(done // 1_000_000, total // 1_000_000, "MB", name))
    commit([add("README.md")], "Add the card")


def _earlier(api: Any, name: str) -> set[str]:
    """The files of an earlier publication. Raises `ValueError` if the dataset's published.json isn't pagewheel's."""
    with temporary_folder() as place:
        path = api.hf_hub_download(name, publication.NAME, repo_type="dataset", local_dir=place)
        try:
            return set(json.loads(Path(path).read_bytes())["files"])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"{name} holds a {publication.NAME} that isn't pagewheel's: name another dataset") from None


def _batches(written: dict[str, Written]) -> Iterator[Sequence[str]]:
    batch: list[str] = []
    for name in sorted(written):
        if batch and (len(batch) == _FILES_A_COMMIT or sum(written[n].num_bytes for n in [*batch, name]) > _BYTES_A_COMMIT):
            yield batch
            batch = []
        batch.append(name)
    if batch:
        yield batch
