import argparse
import gc
import io
import json
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from embeddings import evaluate
from embeddings.encode import Encoded, Model, load_model
from embeddings.errors import EmbeddingError
from embeddings.evaluate import Pairs, add_arguments, read_pairs, retrieval, run, zero_shot
from embeddings.metrics import (
    Vectors,
    class_vectors,
    ranks_of_classes,
    ranks_of_pictures,
    ranks_of_texts,
    recall,
)
from embeddings.models import find_model
from embeddings.readers import Row
from embeddings.weights import is_present
from tests.readers.builders import png

GOLDEN = Path(__file__).parents[1] / "golden"
SAMPLE = Path(__file__).parents[2] / "atlas" / "datasets" / "sample" / "emoji.tar.gz"


def directions(*degrees: float) -> Vectors:
    radians = np.radians(degrees)
    return np.stack((np.cos(radians), np.sin(radians)), axis=1).astype(np.float32)


def test_a_caption_ranks_its_picture_by_how_many_others_come_first() -> None:
    pictures = directions(0, 30, 90)
    texts = directions(5, 20, 100)  # the second is nearer to picture 1 than to its own picture 0
    assert ranks_of_pictures(pictures, texts, np.array([0, 0, 2])).tolist() == [0, 1, 0]


def test_a_picture_is_found_by_the_best_of_its_captions() -> None:
    pictures = directions(0, 90)
    texts = directions(60, 10, 80, 20)  # the first two belong to picture 0
    owner = np.array([0, 0, 1, 1])
    assert ranks_of_texts(pictures, texts, owner).tolist() == [0, 0]
    assert ranks_of_texts(pictures, directions(60, 30, 80, 20), owner).tolist() == [1, 0]


def test_more_of_its_own_captions_ahead_do_not_count_against_a_picture() -> None:
    assert ranks_of_texts(directions(0), directions(0, 1, 2), np.array([0, 0, 0])).tolist() == [0]


def test_a_tie_counts_against_the_model() -> None:
    same = directions(0, 0, 0)
    assert ranks_of_pictures(same, same, np.arange(3)).tolist() == [2, 2, 2]
    assert ranks_of_texts(same, same, np.arange(3)).tolist() == [2, 2, 2]


def test_recall_is_the_share_of_ranks_below_k() -> None:
    ranks = np.array([0, 0, 3, 9, 10])
    assert [recall(ranks, k) for k in (1, 5, 10)] == [0.4, 0.6, 0.8]


def test_more_queries_than_a_block_give_the_same_ranks() -> None:
    vectors = np.random.default_rng(0).normal(size=(1500, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    noisy = vectors + 0.4 * vectors[::-1]
    ranks = ranks_of_pictures(vectors, noisy, np.arange(1500))
    scores = noisy @ vectors.T
    expected = [(scores[i] > scores[i, i]).sum() for i in range(1500)]
    assert ranks.tolist() == expected
    assert 0 < recall(ranks, 1) < 1


def test_a_class_is_the_mean_of_its_prompts() -> None:
    classes = class_vectors([directions(0, 80), directions(20, 100)])
    np.testing.assert_allclose(classes, directions(10, 90), atol=1e-6)
    ranks = ranks_of_classes(directions(0, 70, 40), classes, np.array([0, 1, 1]))
    assert ranks.tolist() == [0, 0, 1]


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(
        "nomic-v1.5", text_tower=GOLDEN / "text_v1_5", vision_tower=GOLDEN / "vision_v1_5", device="cpu"
    )


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Six pictures in two classes; one of them is cut short, one has no caption."""
    folder = tmp_path / "dataset"
    folder.mkdir()
    lines = ["file_name,caption,kind"]
    for number in range(6):
        file = io.BytesIO()
        Image.effect_noise((20, 20), 10 + 20 * number).save(file, "PNG")
        data = file.getvalue()
        (folder / f"{number}.png").write_bytes(data[:60] if number == 3 else data)
        lines.append(
            f"{number}.png,{'' if number == 4 else f'noise {number}'},{'even' if number % 2 == 0 else 'odd'}"
        )
    (folder / "metadata.csv").write_text("\n".join(lines))
    return folder


def test_it_reads_what_can_be_compared_and_counts_what_cannot_be_read(model: Model, dataset: Path) -> None:
    pairs = read_pairs(model, dataset, None, None, 0)
    assert [own[0] for own in pairs.captions] == ["noise 0", "noise 1", "noise 2", "noise 5"]
    assert pairs.pictures.shape == (4, 64)
    assert pairs.skipped == 1


def test_it_classifies_by_a_column(model: Model, dataset: Path) -> None:
    pairs = read_pairs(model, dataset, "kind", None, 0)
    assert pairs.labels == ["even", "odd", "even", "even", "odd"]
    figures = zero_shot(model, pairs, ["a photo of {}", "{}"])
    assert figures["classes"] == 2
    assert figures["top-5"] == 1.0


def test_a_sample_is_the_same_for_the_same_seed(model: Model, dataset: Path) -> None:
    one, same = (read_pairs(model, dataset, None, 2, 7).captions for _ in range(2))
    assert one == same
    assert len(one) <= 2


def test_a_model_whose_pictures_equal_their_captions_scores_full_marks(model: Model) -> None:
    captions = [["a cat"], ["dogs", "two dogs"], ["a red apple"]]
    texts = model.encode_texts(["a cat", "two dogs", "a red apple"], task="search_query").vectors
    figures = retrieval(model, Pairs(texts, captions, ["", "", ""], 0))
    assert figures["captions"] == 4
    assert figures["picture to caption, recall@1"] == 1.0
    assert figures["caption to picture, recall@5"] == 1.0


def test_it_says_what_is_missing(model: Model, dataset: Path) -> None:
    with pytest.raises(EmbeddingError, match="no readable picture with a colour"):
        read_pairs(model, dataset, "colour", None, 0)
    with pytest.raises(EmbeddingError, match="nowhere"):
        read_pairs(model, dataset / "nowhere", None, None, 0)
    with pytest.raises(EmbeddingError, match=r"no \{\}"):
        zero_shot(model, read_pairs(model, dataset, "kind", None, 0), ["a photo"])


def test_the_command_prints_its_figures_as_json(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    towers = ["--text-tower", str(GOLDEN / "text_v1_5"), "--vision-tower", str(GOLDEN / "vision_v1_5")]
    run(parser.parse_args([*towers, "--dataset", str(dataset)]))
    figures = json.loads(capsys.readouterr().out)
    assert figures["pictures"] == 4
    assert figures["caption to picture, recall@10"] == 1.0


@pytest.mark.skipif(
    not is_present(find_model("mini")), reason="the package with mini's text tower is not installed"
)
def test_mini_finds_drawings_by_their_names() -> None:
    figures = retrieval(load_model("mini"), read_pairs(load_model("mini"), SAMPLE, None, 200, 0))
    assert figures["caption to picture, recall@10"] >= 0.9


def test_no_more_pictures_of_a_table_are_in_memory_than_are_embedded_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    class Blind:
        def encode_images(self, pictures: list[bytes], **_: str) -> Encoded:
            held.append(sum(type(each) is Row and each.picture is not None for each in gc.get_objects()))
            return Encoded(np.ones((len(pictures), 2), np.float32))

    table = pa.table({"image": [png(at) for at in range(9)], "text": [f"words {at}" for at in range(9)]})
    pq.write_table(table, tmp_path / "t.parquet")
    monkeypatch.setattr(evaluate, "_CHUNK", 3)
    pairs = read_pairs(cast(Model, Blind()), tmp_path / "t.parquet", None, None, 0)
    assert (len(pairs.captions), len(held)) == (9, 3)
    assert max(held) <= 6
