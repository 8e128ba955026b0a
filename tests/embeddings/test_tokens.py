"""Token ids: the published tokenizer's exactly, for any text, in bounded time."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from embeddings import tokens as tokens_module
from embeddings.errors import FolderError
from embeddings.tokens import Tokens

GOLDEN = Path(__file__).parents[1] / "golden"
CLS, SEP, UNK = 5, 6, 4  # of the golden vocabulary


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return Tokens(GOLDEN / "text_v1", max_tokens=96)


@pytest.mark.parametrize("model", ["text_v1", "text_v1_5"])
def test_it_gives_the_published_ids(model: str) -> None:
    texts = json.loads((GOLDEN / "cases" / model / "texts.json").read_text())
    with np.load(GOLDEN / "cases" / model / "tokens.npz") as case:
        for limit, prefix in ((96, ""), (texts["truncate_to"], "trunc_")):
            rows = Tokens(GOLDEN / model, max_tokens=limit)
            ids, lengths = case[f"{prefix}input_ids"], case[f"{prefix}attention_mask"].sum(axis=1)
            for text, expected, length in zip(texts["texts"], ids, lengths, strict=True):
                assert rows.row(text) == expected[:length].tolist(), text


def test_it_ignores_the_cutting_and_padding_that_a_file_asks_for(tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(GOLDEN / "text_v1" / "tokenizer.json"))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert Tokens(tmp_path, max_tokens=96).row("quick brown fox jump")[3] != SEP
    assert len(Tokens(tmp_path, max_tokens=96).row("fox")) == 3


def test_it_takes_the_shortest_of_the_stated_lengths(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((GOLDEN / "text_v1" / "tokenizer.json").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 1e30}')
    assert Tokens(tmp_path, max_tokens=50).max_tokens == 50
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 20}')
    assert Tokens(tmp_path, max_tokens=50).max_tokens == 20


def test_it_reads_a_lone_surrogate_as_an_unknown_character(tokens: Tokens) -> None:
    assert tokens.row("fox \ud800 fox") == tokens.row("fox \ufffd fox")
    assert tokens.row("\x00") == [CLS, SEP]


@settings(deadline=None)
@given(text=st.text(st.sampled_from("fox jump.[SEP] \n\t\x00é中☃🙂a1"), max_size=300))
def test_it_gives_the_same_ids_in_pieces_as_at_once(text: str) -> None:
    tokens = Tokens(GOLDEN / "text_v1", max_tokens=96)
    whole = Tokenizer.from_file(str(GOLDEN / "text_v1" / "tokenizer.json"))
    whole.enable_truncation(96)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens_module, "_PIECE", 7)
        assert tokens.row(text) == whole.encode(text).ids


@pytest.mark.parametrize("unit", ["a", "fox ", "中", " ", "☃", "["])
def test_it_cuts_a_text_of_20_megabytes_without_reading_it_all(tokens: Tokens, unit: str) -> None:
    text = unit * (20_000_000 // len(unit.encode()))
    started = time.process_time()
    row = tokens.row(text)
    assert time.process_time() - started < 20
    assert row == tokens.row(text[:100_000]) or unit in "☃ "
    assert row[0] == CLS
    assert row[-1] == SEP
    assert len(row) <= 96


def test_it_fills_rows_with_a_long_text_each_with_the_prefix(tokens: Tokens) -> None:
    prefix = tokens.row("search_query: ")[1:-1]
    body = tokens.row("fox")[1:-1] * 200
    rows = tokens.rows("fox " * 200, "search_query: ")
    assert all(row[: 1 + len(prefix)] == [CLS, *prefix] and row[-1] == SEP for row in rows)
    assert [token for row in rows for token in row[1 + len(prefix) : -1]] == body
    assert [len(row) for row in rows[:-1]] == [96] * (len(rows) - 1)
    assert len(rows) > 1


def test_it_makes_one_row_of_a_text_that_fits(tokens: Tokens) -> None:
    assert tokens.rows("quick fox", "clustering: ") == [tokens.row("clustering: quick fox")]
    assert tokens.rows("", "") == [[CLS, SEP]]


def test_it_names_the_tokenizer_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"tokenizer\.json"):
        Tokens(tmp_path, max_tokens=96)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(FolderError, match=r"tokenizer\.json"):
        Tokens(tmp_path, max_tokens=96)
