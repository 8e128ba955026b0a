"""The tus 1.0.0 protocol for resumable uploads: https://tus.io/protocols/resumable-upload

Core, creation, creation-with-upload, expiration, checksum and termination.
"""

import base64
import errno
import hashlib
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import http_date

from atlas.connections import let_go
from atlas.datasets import uploads
from atlas.datasets.models import Upload
from atlas.datasets.streaming import MOST_DISCARDED, SenderGoneError, pieces
from atlas.patience import require_room
from atlas.teams.asker import Asker, asker_of_async, key_of_request
from atlas.teams.models import KeyScope, User

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
CHECKSUMS = ("sha1", "sha256")
CONTENT_TYPE = "application/offset+octet-stream"
CHECKSUM_MISMATCH = 460  # the protocol's own status

View = Callable[..., Coroutine[Any, Any, HttpResponse]]


class RefusalError(Exception):
    """The request cannot be served: a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def speaks_tus(*methods: str) -> Callable[[View], View]:
    """What all requests of the protocol share: version, methods, who asks, refusals as plain text."""

    def decorate(view: View) -> View:
        @wraps(view)
        async def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            request.method = request.headers.get("X-HTTP-Method-Override", request.method or "")
            try:
                if request.method == "OPTIONS":
                    response = _abilities()
                else:
                    _check_request(request, methods)
                    response = await view(request, await _asker(request), *args, **kwargs)
            except RefusalError as refusal:
                response = HttpResponse(str(refusal), status=refusal.status, content_type="text/plain")
            response["Tus-Resumable"] = VERSION
            response["Cache-Control"] = "no-store"
            if response.status_code == 405:
                response["Allow"] = ", ".join(("OPTIONS", *methods))
            if response.status_code == 412:
                response["Tus-Version"] = VERSION
            return response

        return wrapped

    return decorate


@speaks_tus("POST")
async def all_uploads(request: HttpRequest, asker: Asker) -> HttpResponse:
    if "Upload-Defer-Length" in request.headers:
        raise RefusalError(400, "This server must know the length of an upload when it begins.")
    size = _number(request, "Upload-Length")
    metadata = _metadata(request.headers.get("Upload-Metadata", ""))
    filename = _label(metadata.get("filename") or metadata.get("name") or "upload", 255)
    relative_path = _printable(metadata.get("relativePath", ""))
    if relative_path == "null":  # what Uppy sends for a file that was not picked with a folder
        relative_path = ""
    if len(relative_path) > 1000:
        raise RefusalError(400, "The path of the file inside its folder is longer than 1,000 characters.")
    try:
        upload = await sync_to_async(uploads.create_upload)(
            cast(User, asker.user),
            filename,
            size,
            relative_path=relative_path,
            team=asker.key.team if asker.key else None,
        )
    except uploads.UploadTooLargeError as error:
        raise RefusalError(413, str(error)) from error
    except uploads.DiskFullError as error:
        raise RefusalError(507, str(error)) from error
    if request.headers.get("Content-Type") == CONTENT_TYPE:
        await _receive(request, upload, 0)
    response = HttpResponse(status=201)
    response["Location"] = reverse("datasets:upload", args=[upload.pk])
    return _with_progress(response, upload)


@speaks_tus("HEAD", "PATCH", "DELETE")
async def one_upload(request: HttpRequest, asker: Asker, upload_id: UUID) -> HttpResponse:
    upload = await Upload.objects.of(asker).filter(pk=upload_id).afirst()
    if upload is None:
        raise RefusalError(404, "There is no such upload. It may have expired.")
    try:
        if request.method == "HEAD":
            return await _tell(upload)
        if request.method == "PATCH":
            if request.headers.get("Content-Type") != CONTENT_TYPE:
                raise RefusalError(415, f"The content type must be {CONTENT_TYPE}.")
            await _receive(request, upload, _number(request, "Upload-Offset"))
            return _with_progress(HttpResponse(status=204), upload)
        if not await sync_to_async(uploads.discard)(upload) and await upload.imports.aexists():
            raise RefusalError(409, "An import reads this upload.")
        return HttpResponse(status=204)
    except FileNotFoundError as error:
        raise RefusalError(410, "This upload has ended.") from error


async def _tell(upload: Upload) -> HttpResponse:
    await sync_to_async(uploads.measure)(upload)
    response = HttpResponse()
    response["Upload-Length"] = str(upload.size)
    response["Upload-Metadata"] = "filename " + base64.b64encode(upload.filename.encode()).decode()
    return _with_progress(response, upload)


async def _receive(request: HttpRequest, upload: Upload, offset: int) -> None:
    """Append the body. What arrived before a broken connection stays, unless a checksum was promised."""
    checksum = _checksum(request)
    try:
        file = await sync_to_async(uploads.open_end)(upload)
    except uploads.UploadBusyError as error:
        raise RefusalError(423, str(error)) from error
    with file:
        if offset != upload.offset:
            raise RefusalError(409, f"The upload is at byte {upload.offset}, not {offset}.")
        if checksum:
            await Upload.objects.filter(pk=upload.pk).aupdate(offset=offset, unchecked=True)
        await sync_to_async(let_go)()
        digest = await _append(request, upload, file, checksum.algorithm if checksum else None)
        if checksum and digest != checksum.digest:
            raise RefusalError(CHECKSUM_MISMATCH, "The data does not match its checksum. It was not kept.")
        await sync_to_async(uploads.settle)(upload, file.tell())


async def _append(
    request: HttpRequest, upload: Upload, file: BinaryIO, algorithm: str | None
) -> bytes | None:
    digest = hashlib.new(algorithm) if algorithm else None
    end = upload.offset
    full: RefusalError | None = None
    discarded = 0
    try:
        async with aclosing(pieces(request)) as body:
            async for piece in body:
                end += len(piece)
                if end > upload.size:
                    raise RefusalError(
                        413, f"The upload was announced with {upload.size} bytes; this is more."
                    )
                if full is None:
                    try:
                        await _write(file, piece)
                    except RefusalError as error:
                        full = error
                elif (discarded := discarded + len(piece)) > MOST_DISCARDED:
                    break
                if digest:
                    digest.update(piece)
    except SenderGoneError as error:
        raise full or RefusalError(400, "The connection ended early.") from error
    if full is not None:
        raise full
    return digest.digest() if digest else None


async def _write(file: BinaryIO, piece: bytes) -> None:
    try:
        # In a thread of its own: on a slow disk the event loop must not stand still.
        await sync_to_async(_write_all, thread_sensitive=False)(file, piece)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RefusalError(507, "The server's disk is full.") from error
        raise


def _write_all(file: BinaryIO, piece: bytes) -> None:
    require_room(Path(file.name))
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


def _check_request(request: HttpRequest, methods: tuple[str, ...]) -> None:
    if request.method not in methods:
        raise RefusalError(405, f"Only {', '.join(methods)} are understood here.")
    if request.headers.get("Tus-Resumable") != VERSION:
        raise RefusalError(412, f"This server speaks tus {VERSION}.")


async def _asker(request: HttpRequest) -> Asker:
    if not (await request.auser()).is_authenticated:
        raise RefusalError(401, "Sign in to upload.")
    key = key_of_request(request)
    if key is not None and not key.allows(KeyScope.WRITE):
        raise RefusalError(403, "This API key may not upload: this takes the scope “write”.")
    return await asker_of_async(request)


def _abilities() -> HttpResponse:
    response = HttpResponse(status=204)
    response["Tus-Version"] = VERSION
    response["Tus-Extension"] = EXTENSIONS
    response["Tus-Max-Size"] = str(settings.ATLAS_UPLOAD_BYTES)
    response["Tus-Checksum-Algorithm"] = ",".join(CHECKSUMS)
    return response


def _with_progress(response: HttpResponse, upload: Upload) -> HttpResponse:
    response["Upload-Offset"] = str(upload.offset)
    response["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    return response


def _number(request: HttpRequest, header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise RefusalError(400, f"{header} must be a whole number, 0 or more.")
    return int(text)


def _metadata(header: str) -> dict[str, str]:
    """`key base64,key base64,key` as a dictionary; bytes that are no UTF-8 become replacement characters."""
    metadata = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, encoded = pair.partition(" ")
        try:
            metadata[key] = base64.b64decode(encoded, validate=True).decode("utf-8", "replace")
        except ValueError as error:
            raise RefusalError(400, f"The metadata {key!r} is not base64.") from error
    return metadata


def _label(filename: str, length: int) -> str:
    """The last part of a file name, printable; cut in the middle, since its end says what it is."""
    name = _printable(filename.replace("\\", "/").rpartition("/")[2]) or "upload"
    return name if len(name) <= length else name[: length - 20] + name[-20:]


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable()).strip()


class Checksum(NamedTuple):
    algorithm: str
    digest: bytes


def _checksum(request: HttpRequest) -> Checksum | None:
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return None
    name, _, encoded = header.partition(" ")
    if name not in CHECKSUMS:
        raise RefusalError(400, f"The checksum must be one of {', '.join(CHECKSUMS)}.")
    try:
        return Checksum(name, base64.b64decode(encoded, validate=True))
    except ValueError as error:
        raise RefusalError(400, "The checksum is not base64.") from error
