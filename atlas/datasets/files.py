"""Stored pictures as responses."""

from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.core.files import File
from django.core.files.storage import default_storage
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from atlas import csp
from atlas.datasets.models import Record

#: What a browser may show by itself: pixels only, nothing that could hold a script.
SHOWN = ("jpeg", "png", "webp", "gif", "avif", "bmp")
CHUNK = 256 * 1024
R = TypeVar("R", HttpResponse, StreamingHttpResponse)
FOR_EVER = "private, max-age=31536000, immutable"


def thumbnail_response(record: Record) -> HttpResponse:
    """Raises Http404 for a record without a picture."""
    with _open(record.thumbnail) as file:
        return picture_response(file.read())


def picture_response(webp: bytes) -> HttpResponse:
    """One of our own making, which never changes."""
    return _kept(HttpResponse(webp, content_type="image/webp"))


def original_response(record: Record) -> StreamingHttpResponse:
    """The picture as uploaded, byte for byte. Raises Http404 for a record without a picture."""
    file = _open(record.original)
    kind = (record.format or "").lower()
    response = StreamingHttpResponse(
        _pieces(file), content_type=f"image/{kind}" if kind in SHOWN else "application/octet-stream"
    )
    response["Content-Length"] = str(record.size)
    # Names in archives may hold line breaks, which would end the header.
    name = "".join(filter(str.isprintable, PurePosixPath(record.source).name)) or "picture"
    response["Content-Disposition"] = content_disposition_header(kind not in SHOWN, name) or "attachment"
    return _kept(response)


def _open(name: str | None) -> "File[bytes]":
    if name is None:
        raise Http404("This record has no picture.")
    try:
        return default_storage.open(name)
    except FileNotFoundError:
        raise Http404("The file of this picture is gone.") from None


async def _pieces(file: "File[bytes]") -> AsyncIterator[bytes]:
    with file:
        while piece := await sync_to_async(file.read, thread_sensitive=False)(CHUNK):
            yield piece


def _kept(response: R) -> R:
    response["Cache-Control"] = FOR_EVER
    # Should a browser ever take somebody's bytes for a document: one without scripts, of no origin.
    response["X-Content-Type-Options"] = "nosniff"
    response[csp.HEADER] = "default-src 'none'; sandbox"
    return response
