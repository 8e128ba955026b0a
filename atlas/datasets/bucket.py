"""Where pictures lie when they lie in a bucket of S3."""

from typing import Any

from botocore.exceptions import ClientError
from storages.backends.s3 import S3Storage

_NOT_FOUND = 404


class ContentBucket(S3Storage):  # type: ignore[misc]  # untyped
    """Opening a file fetches it: one that is cleared between the library's look for it and its fetching of it
    is not there, as on a disk, and breaks off no download."""

    def _open(self, name: str, mode: str = "rb") -> Any:
        opened = super()._open(name, mode)
        try:
            opened.open()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == _NOT_FOUND:
                raise FileNotFoundError(name) from None
            raise
        return opened
