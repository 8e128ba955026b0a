"""The one door to `embeddings`: one model per process, loaded at first use and kept warm.

Nothing of it is imported before that: torch takes seconds and 300 MB, and only workers that embed need it.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, cast

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from atlas.cores import cores
from atlas.datasets.models import Dataset

if TYPE_CHECKING:
    from embeddings.encode import LongTextMode, Model

log = logging.getLogger(__name__)

Vectors = NDArray[np.float32]


class TowerError(Exception):
    """A model cannot be used: a sentence that says what to do."""


# Another dataset's model takes the place of this one: two large ones would not fit beside each other.
_loading = Lock()


def model(name: str) -> "Model":
    """Raises TowerError for a name that there is no model of."""
    with _loading:  # of two threads that ask, one loads
        return _model(name)


@lru_cache(maxsize=1)
def _model(name: str) -> "Model":
    with _told():
        import torch

        from embeddings import load_model

        # All worker processes embed at the same time: together they get the cores once.
        torch.set_num_threads(max(1, cores() // settings.ATLAS_WORKERS))
        return load_model(name)


def revision(name: str) -> str:
    """Which weights are behind the name now. May load the model."""
    with _told():
        return model(name).revision


def on_gpu(name: str) -> bool:
    """Where the model embeds. May load it."""
    return model(name).device.type == "cuda"


def maker(dataset: Dataset) -> dict[str, str | int]:
    """Who makes the vectors of a dataset now: the fields of a `VectorSet`. May load the model."""
    if dataset.vector_size:
        return {"model": "", "revision": "", "dimensions": dataset.vector_size}
    with _told():
        towers = model(dataset.model)
        return {"model": dataset.model, "revision": towers.revision, "dimensions": towers.dimensions}


def embed_captions(name: str, captions: Sequence[str], check: Callable[[], None]) -> Vectors:
    """(n, d) vectors of length 1. `check` is called between batches and may raise, to stop it."""
    with _told():
        encoded = model(name).encode_texts(captions, task="search_document", progress=lambda *_: check())
        return encoded.vectors


def embed_queries(name: str, texts: Sequence[str]) -> Vectors:
    """(n, d) the vectors of what people type to find records, of length 1."""
    with _told():
        return model(name).encode_texts(texts, task="search_query").vectors


def embed_texts(
    name: str, texts: Sequence[str], task: str, dimensions: int | None, long_text_mode: str
) -> tuple[Vectors, int]:
    """(n, dimensions) vectors of length 1, and how many tokens were read."""
    with _told():
        encoded = model(name).encode_texts(
            texts, task=task, dimensions=dimensions, long_text_mode=cast("LongTextMode", long_text_mode)
        )
        return encoded.vectors, encoded.tokens


def embed_each(name: str, pictures: Sequence[bytes]) -> tuple[Vectors, dict[int, str]]:
    """(n, d) vectors of length 1, and why the pictures at these places cannot be read; theirs are NaN."""
    with _told():
        encoded = model(name).encode_images(pictures, on_error="skip")
        return encoded.vectors, encoded.errors


def names_of(name: str) -> tuple[set[str], set[str]]:
    """What a model may be called where it embeds texts, and pictures: the names of its towers too."""
    from embeddings import find_model

    card = find_model(name)
    texts, pictures = ({each.folder} if each.source == "hub" else set() for each in (card.text, card.vision))
    return {name} | texts, {name} | pictures


def embed_words(name: str, words: Sequence[str], check: Callable[[], None]) -> Vectors:
    """(n, d) vectors that lie near the pictures that show these things."""
    with _told():
        encoded = model(name).encode_texts(words, task="search_query", progress=lambda *_: check())
        return encoded.vectors


def embed_pictures(
    name: str, pictures: Sequence[bytes], check: Callable[[], None]
) -> tuple[NDArray[np.intp], Vectors, dict[int, str]]:
    """The places (m,) of the pictures that can be read, and their vectors (m, d) of length 1; by place, why
    the others cannot."""
    with _told():
        encoded = model(name).encode_images(pictures, on_error="skip", progress=lambda *_: check())
    readable = np.array([place for place in range(len(pictures)) if place not in encoded.errors], np.intp)
    return readable, encoded.vectors[readable], encoded.errors


@contextmanager
def _told() -> Iterator[None]:
    """Errors of `embeddings` as sentences for those who use the site; the log has those for who runs it."""
    from embeddings.errors import EmbeddingError, FolderError, WeightsError

    try:
        yield
    except (FolderError, WeightsError) as error:
        # It names folders of the server, which are nobody's business.
        log.error("%s", error)  # noqa: TRY400 - the sentence is the whole news
        raise TowerError(
            "The model's files are missing on this server, or damaged: its log says what to do."
        ) from error
    except EmbeddingError as error:
        raise TowerError(str(error)) from error
