"""Weights of the Hugging Face hub, fetched once into its library's cache (https://huggingface.co/docs/huggingface_hub). Only
safetensors and JSON files are fetched, the tokenizer's, too: no code and no pickle."""

import os
import re
from collections.abc import Sequence

from datagen.disk.storage import Folder

ALL, CONFIG_ALONE = ("*.safetensors", "*.json"), ("config.json",)
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_SAYS = {
    401: "the hub has no such weights, or the key in HF_TOKEN may not see them",
    403: "the hub lets only those read it who accepted its terms, with their key in HF_TOKEN",
    404: "the hub has no such weights",
}


def is_name(where: str) -> bool:
    """Whether `where` is an OWNER/NAME, and there is no local file of that name."""
    return bool(_NAME.fullmatch(where)) and not os.path.exists(where)


def place(where: str, files: Sequence[str] = ALL, fetches: bool = True) -> str:
    """`where` itself, or the local folder of the fetched `files` of the repository of that name. Without `fetches`, an earlier
    copy; `where` if there is none. Raises `ValueError` for a missing or forbidden repository, and `OSError` if the hub fails."""
    if not is_name(where):
        return where
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    try:
        return snapshot_download(
            where,
            allow_patterns=list(files),
            endpoint=os.environ.get("HF_ENDPOINT") or None,
            local_files_only=not fetches,
        )
    except LocalEntryNotFoundError:
        if not fetches:
            return where
        raise ValueError(f"{where}: nothing of that name lies here, and the hub can't be reached") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if says := _SAYS.get(status, ""):
            raise ValueError(f"{where}: nothing of that name lies here, and {says} ({status})") from None
        raise OSError(f"{where}: the hub fails ({status or 'no answer'})") from None
    except HTTPError as error:
        raise OSError(f"{where}: the hub can't be reached ({type(error).__name__})") from None


def folder(where: str, files: Sequence[str] = ALL, fetches: bool = True) -> Folder:
    """As `place`, as a `Folder`."""
    return Folder(place(where, files, fetches))
