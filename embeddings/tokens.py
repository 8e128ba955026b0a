"""Texts to token ids, exactly as the checkpoint's own tokenizer.json does, in bounded time and memory."""

import re
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer

from embeddings.configs import read_json
from embeddings.errors import FolderError, ModelError

# Every tokenizer we run splits at these characters, so that a text may be cut there and tokenised in pieces.
_BLANK = re.compile(r"[ \t\r\n]")
_PIECE = 1 << 16  # characters handed to the tokenizer at once; its memory is about 100 times as much
_LONGEST_RUN = 1 << 17  # characters; a run without a blank is cut here: no language writes such words
# WordPiece calls a word of more than 100 characters [UNK], and byte-pair encoding fills any context with
# one of 10,000: what follows in the same word changes nothing, but costs time.
_LONG_WORD = re.compile(r"([A-Za-z0-9]{10000})[A-Za-z0-9]+")
_LONG_END = re.compile(r"[A-Za-z0-9]{10000}\Z")
_REST_OF_WORD = re.compile(r"[A-Za-z0-9]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Tokens:
    """A checkpoint folder's tokenizer. `max_tokens` is the longest row it makes, special tokens included."""

    def __init__(self, folder: Path, max_tokens: int) -> None:
        """Reads `tokenizer.json`, and `model_max_length` and `max_seq_length` where the folder states them:
        the smallest of them and `max_tokens` counts. Raises FolderError when the folder holds no usable
        tokenizer.
        """
        path = folder / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception for every fault
            raise FolderError(f"{path} cannot be read as a tokenizer: {error}") from error
        # Files carry settings of their author's last run (MiniLM's: cut and pad to 128).
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        special = self._tokenizer.encode("").ids
        if len(special) != 2:
            raise FolderError(
                f"{path} puts {len(special)} special tokens around a text, not one on each side"
            )
        self._first, self._last = special
        self.max_tokens = min([max_tokens, *_stated_lengths(folder)])
        if self.max_tokens < 3:
            raise FolderError(f"{folder} allows {self.max_tokens} tokens a text, too few for a word")

    def row(self, text: str) -> list[int]:
        """Ids of one text with its special tokens, cut to `max_tokens`. A lone surrogate counts as U+FFFD.

        Reads no more of the text than the row needs.
        """
        return self._wrap(self._ids(text, self.max_tokens - 2))

    def rows(self, text: str, prefix: str) -> list[list[int]]:
        """Ids of one text in as many rows as it fills, each with the prefix and the special tokens.

        A text that fits in one row gives exactly `[row(prefix + text)]`.
        """
        ids = self._ids(prefix + text, None)
        if len(ids) <= self.max_tokens - 2:
            return [self._wrap(ids)]
        head = self._ids(prefix, None)
        room = self.max_tokens - 2 - len(head)
        if room < 1:
            raise ModelError(f"The prefix {prefix!r} alone fills the model's {self.max_tokens} tokens")
        body = ids[len(head) :]
        return [self._wrap(head + body[start : start + room]) for start in range(0, len(body), room)]

    def _wrap(self, ids: list[int]) -> list[int]:
        return [self._first, *ids, self._last]

    def _ids(self, text: str, enough: int | None) -> list[int]:
        """Ids without special tokens; stops after `enough` of them."""
        ids: list[int] = []
        for piece in _pieces(text):
            ids += self._tokenizer.encode(piece, add_special_tokens=False).ids
            if enough is not None and len(ids) >= enough:
                return ids[:enough]
        return ids


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces that end at a blank, so that tokenising them one by one changes nothing.

    Only a run of 131,072 characters without a blank is cut elsewhere; plain letters and digits not even then.
    """
    start = 0
    while start < len(text):
        end = len(text)
        if end - start > _PIECE:
            blank = _BLANK.search(text, start + _PIECE, start + _LONGEST_RUN)
            end = blank.end() if blank else min(start + _LONGEST_RUN, end)
        yield _LONG_WORD.sub(r"\1", _SURROGATE.sub("\ufffd", text[start:end]))
        if _LONG_END.search(text, max(start, end - 10_000), end) and (rest := _REST_OF_WORD.match(text, end)):
            end = rest.end()
        start = end


def _stated_lengths(folder: Path) -> list[int]:
    stated = []
    for name, key in (
        ("tokenizer_config.json", "model_max_length"),
        ("sentence_bert_config.json", "max_seq_length"),
    ):
        if (folder / name).exists():
            value = read_json(folder / name).get(key)
            # Some files say 1e30 for "no limit": a float, and no length.
            if isinstance(value, int) and not isinstance(value, bool):
                stated.append(value)
    return stated
