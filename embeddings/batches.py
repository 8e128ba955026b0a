"""Long lists of texts cut into windows that fit in memory, and windows into batches of similar length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from embeddings.errors import ItemError
from embeddings.tokens import Tokens

_WINDOW_TEXTS = 4096
_WINDOW_TOKENS = 1 << 20  # a window that reaches this many is full, so one text more is in memory at most


@dataclass
class Window:
    """Neighbouring texts of a list, tokenised: the row `rows[j]` belongs to the text `first + owners[j]`."""

    first: int
    texts: int = 0
    owners: list[int] = field(default_factory=list)
    rows: list[NDArray[np.int32]] = field(default_factory=list)
    tokens: int = 0

    def add(self, rows: list[list[int]]) -> None:
        self.owners += [self.texts] * len(rows)
        self.rows += [np.array(row, np.int32) for row in rows]
        self.tokens += sum(map(len, rows))
        self.texts += 1

    @property
    def full(self) -> bool:
        return self.texts >= _WINDOW_TEXTS or self.tokens >= _WINDOW_TOKENS

    def join(self, means: NDArray[np.float32]) -> NDArray[np.float32]:
        """(rows, D) means of the rows to (texts, D) means of the texts, each row counted by its tokens."""
        if len(self.rows) == self.texts:
            return means
        lengths = np.array([len(row) for row in self.rows], np.float32)[:, None]
        sums = np.zeros((self.texts, means.shape[1]), np.float32)
        counts = np.zeros((self.texts, 1), np.float32)
        np.add.at(sums, self.owners, means * lengths)
        np.add.at(counts, self.owners, lengths)
        return sums / counts


def windows(texts: Sequence[str], tokens: Tokens, prefix: str, *, chunked: bool) -> Iterator[Window]:
    """The texts in windows. A text is one row, cut to the context length; with `chunked`, as many as it
    fills.

    Raises ItemError for an item that is not a text.
    """
    window = Window(first=0)
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise ItemError(index, f"is not a text but {type(text).__name__}")
        window.add(tokens.rows(text, prefix) if chunked else [tokens.row(prefix + text)])
        if window.full:
            yield window
            window = Window(first=index + 1)
    if window.texts:
        yield window


def by_length(rows: Sequence[NDArray[np.int32]], budget: int) -> Iterator[list[int]]:
    """Places of the rows in batches of similar length, longest first, each at most `budget` tokens with its
    padding.

    A row longer than that is a batch of its own.
    """
    batch: list[int] = []
    for place in sorted(range(len(rows)), key=lambda place: -len(rows[place])):
        if batch and (len(batch) + 1) * len(rows[batch[0]]) > budget:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def padded(rows: Sequence[NDArray[np.int32]]) -> tuple[Tensor, Tensor]:
    """Rows of ids as one tensor, padded with 0 on the right, (N, S) int64, and their lengths (N,) int64."""
    lengths = torch.tensor([len(row) for row in rows])
    ids = np.zeros((len(rows), int(lengths.max())), np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
    return torch.from_numpy(ids), lengths
