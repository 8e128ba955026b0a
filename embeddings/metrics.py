"""Retrieval and zero-shot figures from vectors alone. All vectors are rows of length 1; scores are cosines.

A tie counts against the model: a right answer that only equals a wrong one does not beat it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
_BLOCK = 1024  # queries scored at once


def ranks_of_pictures(pictures: Vectors, texts: Vectors, picture_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """For every text the number of pictures that come before its own: (M,).

    pictures (N, D), texts (M, D); text j describes pictures[picture_of[j]].
    """
    ranks = []
    for start in range(0, len(texts), _BLOCK):
        scores = texts[start : start + _BLOCK] @ pictures.T
        own = np.take_along_axis(scores, picture_of[start : start + _BLOCK, None], axis=1)
        ranks.append((scores >= own).sum(axis=1) - 1)
    return np.concatenate(ranks)


def ranks_of_texts(pictures: Vectors, texts: Vectors, picture_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """For every picture the number of other pictures' texts that come before the best of its own: (N,).

    With several captions a picture one of them among the first k is enough, as is the practice since
    Karpathy & Fei-Fei 2015, https://arxiv.org/abs/1412.2306. Every picture must have a text.
    """
    ranks = []
    for start in range(0, len(pictures), _BLOCK):
        scores = pictures[start : start + _BLOCK] @ texts.T
        mine = picture_of[None] == np.arange(start, start + len(scores))[:, None]
        best = np.where(mine, scores, -np.inf).max(axis=1, keepdims=True)
        ranks.append(((scores >= best) & ~mine).sum(axis=1))
    return np.concatenate(ranks)


def recall(ranks: NDArray[np.int64], k: int) -> float:
    """The share of queries whose answer is among the first k."""
    return float((ranks < k).mean())


def class_vectors(by_template: Sequence[Vectors]) -> Vectors:
    """One vector a class from its vectors under several prompt templates: their mean, of length 1 again.

    by_template: T arrays (C, D). As in CLIP: Radford et al. 2021, https://arxiv.org/abs/2103.00020, 3.1.4.
    """
    mean = np.mean(by_template, axis=0)
    unit: Vectors = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return unit


def ranks_of_classes(pictures: Vectors, classes: Vectors, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """For every picture the number of wrong classes that come before the right one: (N,)."""
    return ranks_of_pictures(classes, pictures, labels)
