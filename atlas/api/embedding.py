"""Vectors of texts and pictures, by the warm query worker.

It gets them in pieces, one at a time and after every search that waits: so all of its threads but one are
there for searches.
"""

import secrets
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from threading import Event, Lock
from uuid import UUID

import numpy as np
from django.core.cache import cache
from ninja.errors import HttpError

from atlas.connections import let_go
from atlas.maps.towers import Vectors
from atlas.search import asking, tasks
from atlas.search.api import checked
from atlas.search.replies import Answer, Answering
from atlas.teams.limits import TooManyError

#: What the worker gets at a time: a few seconds of its work. One long text is a piece of its own.
PIECE_TEXTS, PIECE_TOKENS, PIECE_PICTURES = 16, 2_000, 4
#: For each piece, from when its turn has come.
WAIT_SECONDS = 120
#: Of a text that is read whole: about what one core reads in `WAIT_SECONDS` by the slowest model. Estimated
#: from 2,000 tokens.
MOST_TOKENS = 12_500
#: Requests that wait here at a time, of all keys and of one: each keeps one of the threads that all of the
#: site is answered with (`atlas/handler.py`), a tenth of them in all. The official client sends ten requests
#: at once, and gives the whole list up where one of them finds no place for half a minute.
MOST_WAITING, MOST_OF_A_KEY = 20, 10
#: When one that found no place may try again, in seconds.
TRY_AGAIN = 2
_waiting: Counter[UUID] = Counter()
_line: deque[Event] = deque()
_lock = Lock()


@contextmanager
def place_of(key_id: UUID) -> Iterator[None]:
    """One of the places to wait in, taken meanwhile. Raises TooManyError."""
    with _lock:
        if _waiting.total() >= MOST_WAITING or _waiting[key_id] >= MOST_OF_A_KEY:
            raise TooManyError("Too many such requests are waiting. Try again in a moment.", TRY_AGAIN)
        _waiting[key_id] += 1
    try:
        yield
    finally:
        with _lock:
            _waiting[key_id] -= 1


@contextmanager
def _turn() -> Iterator[None]:
    """The piece of this thread is the one that the worker has. Whoever goes on with another one stands behind
    those who wait: so all requests get on."""
    let_go()
    mine = Event()
    with _lock:
        _line.append(mine)
        _line[0].set()
    mine.wait()
    try:
        yield
    finally:
        with _lock:
            _line.popleft()
            if _line:
                _line[0].set()


def embed_texts(
    texts: Sequence[str], task: str, dimensions: int | None, long_text_mode: str
) -> tuple[Vectors, int]:
    """(n, dimensions) vectors, and the tokens read. Raises HttpError 422, WorkerAwayError."""
    vectors, tokens = [], 0
    for piece in _pieces(texts):
        with _turn():
            found = _ask(tasks.embed_texts, piece, task, dimensions, long_text_mode)
        vectors.append(_unpacked(found["content"], len(piece)))
        tokens += found["tokens"]
    return np.concatenate(vectors), tokens


def embed_pictures(pictures: Iterator[bytes]) -> Vectors:
    """(n, d) vectors. Raises WorkerAwayError, and HttpError 422 by the first picture that cannot be read.

    Only those of a piece are read at a time: all of a request have up to 256 MB.
    """
    vectors: list[Vectors] = []
    while piece := list(islice(pictures, PIECE_PICTURES)):
        start = len(vectors) * PIECE_PICTURES
        with _turn():
            found = _of_pictures(piece)
        for place, reason in found["unreadable"]:
            raise HttpError(422, f"Picture {start + place} of the request cannot be read: {reason}")
        vectors.append(_unpacked(found["content"], len(piece)))
    return np.concatenate(vectors)


def _of_pictures(pictures: Sequence[bytes]) -> Answer:
    """A task's message is no place for megabytes: they wait in the cache."""
    parked = {f"embed-picture:{secrets.token_urlsafe(16)}": picture for picture in pictures}
    cache.set_many(parked, WAIT_SECONDS)
    try:
        return _ask(tasks.embed_pictures, list(parked))
    finally:
        cache.delete_many(parked)


def _ask(task: Answering, *arguments: object) -> Answer:
    return checked(asking.ask_later(task, *arguments, wait=WAIT_SECONDS))


def about_tokens(text: str) -> int:
    """How many tokens a text has, about: where letters are not Latin ones each is a token of its own."""
    latin = len(text.encode("ascii", "ignore"))
    return latin // 4 + len(text) - latin


def _pieces(texts: Sequence[str]) -> Iterator[list[str]]:
    piece: list[str] = []
    tokens = 0
    for text in texts:
        tokens += about_tokens(text)
        if piece and (len(piece) == PIECE_TEXTS or tokens > PIECE_TOKENS):
            yield piece
            piece, tokens = [], about_tokens(text)
        piece.append(text)
    yield piece


def _unpacked(vectors: bytes, count: int) -> Vectors:
    return np.frombuffer(vectors, "<f4").reshape(count, -1)
