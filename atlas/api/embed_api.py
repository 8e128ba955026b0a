"""`POST /api/embed`: vectors for programs with an API key."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from ninja import Field, Router, Schema
from ninja.errors import HttpError
from pydantic import model_validator

from atlas.api import embedding
from atlas.api.auth import Key, embedding_key
from atlas.maps import towers
from atlas.maps.towers import Vectors
from atlas.teams.limits import require_within
from atlas.teams.models import ApiKey

router = Router(tags=["embed"], auth=Key())

MOST_ITEMS = 512
#: Of one text, and of all texts of a request; of one picture, and of all.
MOST_CHARACTERS, MOST_IN_ALL = 50_000, 1_000_000
MOST_PICTURE_BYTES, MOST_BYTES_IN_ALL = 16 << 20, 256 << 20
#: Texts and pictures that one key may send in so many seconds. Short: clients try again for half a minute.
ITEMS, ITEM_SECONDS = 2_000, 10

TaskType = Literal["search_document", "search_query", "classification", "clustering"]
Text = Annotated[str, Field(max_length=MOST_CHARACTERS)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=MOST_ITEMS)]


class Wish(Schema):
    #: Left out: the server's.
    model: Annotated[str | None, Field(max_length=100)] = None
    task_type: TaskType = "search_document"
    dimensionality: Annotated[int | None, Field(ge=1, le=100_000)] = None
    long_text_mode: Literal["truncate", "mean"] = "truncate"


class TextsIn(Wish):
    texts: Texts


class EmbedIn(Wish):
    """Texts or pictures."""

    texts: Texts | None = None
    #: Files in base64.
    images: Annotated[list[str], Field(min_length=1, max_length=MOST_ITEMS)] | None = None

    @model_validator(mode="after")
    def one_kind(self) -> "EmbedIn":
        if (self.texts is None) == (self.images is None):
            raise ValueError("Send either `texts` or `images`.")
        return self


class EmbedOut(Schema):
    model: str
    embeddings: list[list[float]]
    usage: dict[str, int]


@router.post("/embed", response=EmbedOut)
def embed(request: HttpRequest, body: EmbedIn) -> JsonResponse:
    key = embedding_key(request)
    if body.texts is not None:
        return answer_texts(key, body.texts, body)
    images = body.images or []
    model = admit_pictures(body.model, [len(each) * 3 // 4 for each in images])
    read = (_decoded(place, each) for place, each in enumerate(images))
    return answer_pictures(key, model, len(images), read)


def answer_texts(key: ApiKey, texts: list[str], wish: Wish) -> JsonResponse:
    model = _model(wish.model, towers.names_of(settings.ATLAS_MODEL)[0])
    if sum(map(len, texts)) > MOST_IN_ALL:
        raise HttpError(422, f"The texts of one request have at most {MOST_IN_ALL:,} characters in all.")
    if wish.long_text_mode == "mean":
        _check_lengths(texts)
    with _room_for(key, len(texts)):
        vectors, tokens = embedding.embed_texts(
            texts, wish.task_type, wish.dimensionality, wish.long_text_mode
        )
    return _answer(model, vectors, {"prompt_tokens": tokens, "total_tokens": tokens})


def admit_pictures(model: str | None, sizes: list[int]) -> str:
    """The model that will embed pictures of so many bytes, before any of them is read. Raises HttpError."""
    named = _model(model, towers.names_of(settings.ATLAS_MODEL)[1])
    for place, size in enumerate(sizes):
        if size > MOST_PICTURE_BYTES:
            raise HttpError(
                422, f"Picture {place} of the request is larger than {MOST_PICTURE_BYTES >> 20} MB."
            )
    if sum(sizes) > MOST_BYTES_IN_ALL:
        raise HttpError(422, f"The pictures of one request have at most {MOST_BYTES_IN_ALL >> 20} MB in all.")
    return named


def answer_pictures(key: ApiKey, model: str, count: int, pictures: Iterator[bytes]) -> JsonResponse:
    with _room_for(key, count):
        vectors = embedding.embed_pictures(pictures)
    return _answer(model, vectors, {"prompt_tokens": 0, "total_tokens": 0, "images": count})


def _model(asked: str | None, names: set[str]) -> str:
    """One model is warm: to load another would take the time of everybody who searches. Raises HttpError."""
    if asked is None:
        return str(settings.ATLAS_MODEL)
    if asked not in names:
        known = " or ".join(f"“{name}”" for name in sorted(names))
        raise HttpError(422, f"This server embeds with {known}, not with “{asked}”.")
    return asked


def _check_lengths(texts: list[str]) -> None:
    for place, text in enumerate(texts):
        if embedding.about_tokens(text) > embedding.MOST_TOKENS:
            raise HttpError(
                422,
                f"Text {place} of the request is too long for “mean”: send it in parts of about"
                f" {embedding.MOST_TOKENS:,} tokens, or with “truncate”.",
            )


@contextmanager
def _room_for(key: ApiKey, items: int) -> Iterator[None]:
    """A place to wait in, and only then so many of the items that the key may send: a client that is refused
    tries again and again, and would use them up. Raises TooManyError."""
    sentence = f"A key may send {ITEMS:,} texts and pictures in {ITEM_SECONDS} seconds. Go on in a moment."
    with embedding.place_of(key.pk):
        require_within(f"embed:{key.pk}", ITEMS, ITEM_SECONDS, sentence, count=items)
        yield


def _decoded(place: int, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise HttpError(422, f"Picture {place} of the request is not base64.") from None


def _answer(model: str, vectors: Vectors, usage: dict[str, int]) -> JsonResponse:
    # Made here, so nothing is left to check. Eight decimals are what a number of length 1 has as float32.
    rows: list[list[Any]] = vectors.astype(float).round(8).tolist()
    return JsonResponse({"model": model, "embeddings": rows, "usage": usage})
