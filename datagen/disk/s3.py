"""S3 for fsspec: `s3fs` that deletes one by one, makes no bucket, and says which object went wrong and what to do next."""

import asyncio
from typing import Any

import s3fs
from botocore import exceptions

_SETTINGS = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL and the bucket's name"
_REFUSED = (400, 401, 403)
_AT_A_TIME = 1_000


class S3(s3fs.S3FileSystem):
    def __init__(self, *args: Any, **kwargs: Any):
        """Without a memory of listings, which wouldn't know what other processes wrote since."""
        super().__init__(*args, **{"use_listings_cache": False} | kwargs)

    async def _call_s3(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """One request. Raises `ValueError` or `PermissionError` for what the user has to change, `FileNotFoundError` also if
        there is no bucket, and `ConnectionError` for what another try may change."""
        try:
            return await super()._call_s3(method, *args, **kwargs)
        except (OSError, ValueError, exceptions.BotoCoreError) as error:
            key = kwargs.get("Key") or kwargs.get("Prefix") or ""
            raise _explained(error, f"s3://{kwargs.get('Bucket', '')}/{key}") from error.__cause__

    async def _rm(self, path: str, recursive: bool = False, **kwargs: Any) -> None:
        """MinIO's code refuses a request to delete several objects, since it comes without Content-MD5. Of objects that such a
        request left, `s3fs` says nothing."""
        files = await self._find(path) if recursive else [path]
        for start in range(0, len(files), _AT_A_TIME):
            await asyncio.gather(*map(self._rm_file, files[start : start + _AT_A_TIME]))

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Nothing: S3 has no folders, and a misspelt bucket is no reason to make one."""


def _explained(error: Exception, uri: str) -> Exception:
    answer = getattr(error.__cause__, "response", {})  # s3fs keeps the answer as the cause
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code, message = (answer.get("Error", {}).get(name) or "" for name in ("Code", "Message"))
    outcome = f"HTTP {status}, {message or code}"
    if code == "NoSuchBucket":
        return FileNotFoundError(f"{uri}: there is no such bucket: correct its name, or make it first")
    if status in _REFUSED:
        return PermissionError(f"{uri}: the store refuses it ({outcome}): check {_SETTINGS}")
    if status >= 500:
        return ConnectionError(f"{uri}: the store fails ({outcome}): the same command tries again")
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return ConnectionError(f"{uri}: {error}: check AWS_ENDPOINT_URL and the network; the same command tries again")
    if isinstance(error, exceptions.ParamValidationError):
        return ValueError(f"{uri}: S3 allows no such name: correct it")
    if isinstance(error, ValueError | exceptions.BotoCoreError):
        return ValueError(f"{uri}: {error}: check {_SETTINGS}")
    return error
