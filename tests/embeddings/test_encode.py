"""Lists in, matrices out: order, windows, lengths, modes and errors."""

import hashlib
import random
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import embeddings
from embeddings import batches, weights
from embeddings.batches import Window, by_length
from embeddings.errors import FolderError, ItemError, ModelError, WeightsError

GOLDEN = Path(__file__).parents[1] / "golden"
WORDS = ["quick", "brown", "fox", "jump", "over", "lazy", "hello", "world"]


@pytest.fixture(scope="module")
def model() -> embeddings.Model:
    return embeddings.load_model(text_tower=GOLDEN / "text_v1_5", vision_tower=GOLDEN / "vision_v1_5")


def mixed_texts(count: int) -> list[str]:
    """Texts of 1 to 60 words; the trained length of the golden tower is 32 tokens."""
    random.seed(7)
    return [" ".join(random.choices(WORDS, k=random.randint(1, 60))) + f" {i}" for i in range(count)]


def pictures(count: int) -> list[Image.Image]:
    generator = np.random.default_rng(3)
    sizes = generator.integers(8, 60, (count, 2))
    return [Image.fromarray(generator.integers(0, 255, (h, w, 3), np.uint8)) for h, w in sizes]


def test_texts_keep_their_order_and_their_vector_in_any_company(
    model: embeddings.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = mixed_texts(150)
    alone = np.concatenate([model.encode_texts([text], task=None).vectors for text in texts])
    order = random.sample(range(150), 150)
    monkeypatch.setattr(batches, "_WINDOW_TEXTS", 40)
    shuffled = model.encode_texts([texts[i] for i in order], task=None)
    np.testing.assert_allclose(shuffled.vectors, alone[order], atol=1e-5)
    assert shuffled.vectors.dtype == np.float32
    # No two of the texts are so near that a swap could pass.
    closeness = alone @ alone.T - 2 * np.eye(150)
    assert closeness.max() < 1 - 1e-4


def test_pictures_keep_their_order(model: embeddings.Model) -> None:
    images = pictures(30)
    alone = np.concatenate([model.encode_images([image]).vectors for image in images])
    order = random.sample(range(30), 30)
    shuffled = model.encode_images([images[i] for i in order]).vectors
    np.testing.assert_allclose(shuffled, alone[order], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(shuffled, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("long", "few"), [("texts", 8), ("pictures", 1)])
def test_a_few_short_texts_or_a_picture_do_not_wait_for_long_lists(
    long: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All threads are busy with those."""
    model = embeddings.load_model(text_tower=GOLDEN / "text_v1_5", vision_tower=GOLDEN / "vision_v1_5")
    busy, go_on = threading.Event(), threading.Event()
    run = model._run

    def slow(module: nn.Module, *inputs: torch.Tensor) -> np.ndarray:
        if len(inputs[0]) > few:
            busy.set()
            assert go_on.wait(60)
        return run(module, *inputs)

    monkeypatch.setattr(model, "_run", slow)
    with ThreadPoolExecutor(2) as pool:
        if long == "texts":
            listed = pool.submit(model.encode_texts, mixed_texts(300), task=None)
        else:
            listed = pool.submit(model.encode_images, pictures(60))
        try:
            assert busy.wait(60)
            words = ["fox"] * few
            assert len(pool.submit(model.encode_texts, words, task=None).result(30).vectors) == few
            assert len(pool.submit(model.encode_images, pictures(1)).result(30).vectors) == 1
        finally:
            go_on.set()
        assert np.isfinite(listed.result(60).vectors).all()


@pytest.mark.parametrize("side", ["text", "vision"])
def test_what_a_gpu_has_no_room_for_goes_in_halves(
    model: embeddings.Model, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tight = embeddings.load_model(text_tower=GOLDEN / "text_v1_5", vision_tower=GOLDEN / "vision_v1_5")
    tower = (tight._text_half if side == "text" else tight._vision_half).module
    forward, room, sizes = tower.forward, 2, []

    def short_of_memory(*inputs: torch.Tensor) -> torch.Tensor:
        sizes.append(len(inputs[0]))
        if len(inputs[0]) > room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return forward(*inputs)  # type: ignore[no-any-return]

    monkeypatch.setattr(tower, "forward", short_of_memory)
    texts, images = mixed_texts(30), pictures(11)

    def vectors(of: embeddings.Model) -> np.ndarray:
        found = of.encode_texts(texts, task=None) if side == "text" else of.encode_images(images)
        return found.vectors

    np.testing.assert_allclose(vectors(tight), vectors(model), atol=1e-5)
    assert max(sizes) > 2
    room = 0
    with pytest.raises(ModelError, match="too little memory"):
        vectors(tight)


@pytest.mark.parametrize(
    ("capability", "dtype"), [((9, 0), torch.bfloat16), ((8, 0), torch.bfloat16), ((7, 5), torch.float32)]
)
def test_a_gpu_that_only_imitates_bfloat16_computes_in_float32(
    capability: tuple[int, int], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)

    assert embeddings.load_model(device="cuda").dtype == dtype
    assert embeddings.load_model(device="cuda", dtype=torch.float16).dtype == torch.float16
    assert embeddings.load_model(device="cpu").dtype == torch.float32


def test_empty_lists_give_empty_matrices(model: embeddings.Model) -> None:
    assert model.encode_texts([], task=None).vectors.shape == (0, 64)
    assert model.encode_texts([], task=None, dimensions=16).vectors.shape == (0, 16)
    assert model.encode_images([]).vectors.shape == (0, 64)


@pytest.mark.parametrize(
    "text", ["", " \t\n", "\x00", "\ud800", "\udfff\ud800", "☃" * 5000, "fox " * 300_000]
)
def test_any_text_has_a_vector(model: embeddings.Model, text: str) -> None:
    vector = model.encode_texts([text], task="clustering").vectors[0]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_task_is_its_prefix(model: embeddings.Model) -> None:
    with_task = model.encode_texts(["fox"], task="search_query")
    np.testing.assert_array_equal(
        with_task.vectors, model.encode_texts(["search_query: fox"], task=None).vectors
    )
    assert with_task.tokens > model.encode_texts(["fox"], task=None).tokens == 3
    with pytest.raises(ModelError, match="search_query, search_document, classification, clustering"):
        model.encode_texts(["fox"], task="search")


def test_shortened_vectors_are_the_recipes(model: embeddings.Model) -> None:
    full = model.encode_texts(["quick brown fox"], task=None).vectors
    short = model.encode_texts(["quick brown fox"], task=None, dimensions=16).vectors
    np.testing.assert_allclose(short, full[:, :16] / np.linalg.norm(full[:, :16]), atol=1e-6)
    for wrong in (0, -1, 65):
        with pytest.raises(ModelError, match="dimensions"):
            model.encode_texts(["fox"], task=None, dimensions=wrong)


def test_a_published_model_gives_lengths_that_it_was_not_trained_for_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The official client asks for them, and warns of it."""
    monkeypatch.setenv("ATLAS_MODELS_DIR", str(tmp_path))
    shutil.copytree(GOLDEN / "text_v1_5", tmp_path / "nomic-embed-text-v1.5")
    published = embeddings.load_model("nomic-v1.5")
    for length in (1, 32, 50, 64):
        vectors = published.encode_texts(["fox"], task=None, dimensions=length).vectors
        assert vectors.shape == (1, length)
        assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-5)
    for wrong in (0, -1, 65):
        with pytest.raises(ModelError, match="dimensions"):
            published.encode_texts(["fox"], task=None, dimensions=wrong)


def test_a_tower_of_the_first_generation_cannot_shorten() -> None:
    first = embeddings.load_model("nomic-v1", text_tower=GOLDEN / "text_v1")
    assert first.encode_texts(["fox"], task=None, dimensions=48).vectors.shape == (1, 48)
    with pytest.raises(ModelError, match="cannot be shortened"):
        first.encode_texts(["fox"], task=None, dimensions=32)


def test_a_long_text_is_cut_or_averaged_by_tokens(model: embeddings.Model) -> None:
    long = " ".join(mixed_texts(20))
    cut = model.encode_texts([long, "fox"], task="clustering")
    assert cut.tokens == 128 + model.encode_texts(["fox"], task="clustering").tokens
    mean = model.encode_texts([long, "fox"], task="clustering", long_text_mode="mean")
    assert mean.tokens > 3 * 128
    np.testing.assert_allclose(mean.vectors[1], cut.vectors[1], atol=1e-5)
    assert mean.vectors[0] @ cut.vectors[0] < 0.9999


def test_rows_of_one_text_are_joined_by_their_tokens() -> None:
    window = Window(first=0)
    window.add([[1] * 3, [1]])
    window.add([[1] * 2])
    means = np.array([[1.0], [5.0], [7.0]], np.float32)
    np.testing.assert_allclose(window.join(means), [[2.0], [7.0]])


def test_batches_hold_the_budget_and_every_row_once() -> None:
    rows = [np.zeros(n, np.int32) for n in (5, 100, 3, 40, 41, 1, 7)]
    made = list(by_length(rows, budget=82))
    assert sorted(place for batch in made for place in batch) == list(range(7))
    assert made[0] == [1]  # beyond the budget alone
    assert all(len(batch) == 1 or len(batch) * max(len(rows[i]) for i in batch) <= 82 for batch in made)


def test_progress_ends_at_the_end(model: embeddings.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_WINDOW_TEXTS", 4)
    seen: list[tuple[int, int]] = []
    model.encode_texts(WORDS, task=None, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(4, 8), (8, 8)]
    seen.clear()
    model.encode_images(pictures(9), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(4, 9), (8, 9), (9, 9)]


def test_an_item_that_is_no_text_is_named(model: embeddings.Model) -> None:
    with pytest.raises(ItemError, match="Item 1: is not a text but NoneType"):
        model.encode_texts(["fox", None], task=None)  # type: ignore[list-item]


def test_a_damaged_picture_is_named_or_skipped(model: embeddings.Model, tmp_path: Path) -> None:
    good = pictures(3)
    mixed: list[bytes | Path | Image.Image] = [
        good[0],
        b"not a picture",
        good[1],
        tmp_path / "none.png",
        good[2],
    ]
    with pytest.raises(ItemError) as caught:
        model.encode_images(mixed)
    assert caught.value.item == 1
    skipped = model.encode_images(mixed, on_error="skip")
    assert sorted(skipped.errors) == [1, 3]
    assert np.isnan(skipped.vectors[[1, 3]]).all()
    np.testing.assert_allclose(skipped.vectors[[0, 2, 4]], model.encode_images(good).vectors, atol=1e-6)


def test_it_names_what_it_cannot_run(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nomic-v1\.5, nomic-v1, clip-vit-b16, mini"):
        embeddings.load_model("nomic")
    with pytest.raises(ModelError, match="tpu"):
        embeddings.load_model(device="tpu")
    with pytest.raises(ModelError, match="int8"):
        embeddings.load_model(dtype=torch.bfloat16, quantize="int8")
    with pytest.raises(FolderError, match=r"config\.json"):
        embeddings.load_model(text_tower=tmp_path).encode_texts(["fox"], task=None)


def test_a_tower_is_loaded_whole_or_not_at_all(tmp_path: Path) -> None:
    for path in (GOLDEN / "text_v1").iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights[:-1000])
    model = embeddings.load_model(text_tower=tmp_path)
    for _ in range(2):
        with pytest.raises(WeightsError, match=r"model\.safetensors"):
            model.encode_texts(["fox"], task=None)
    (tmp_path / "model.safetensors").write_bytes(weights)
    assert model.encode_texts(["fox"], task=None).vectors.shape == (1, 48)


def test_the_revision_names_the_files_of_a_folder_of_local_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = embeddings.find_model("nomic-v1.5")
    monkeypatch.setenv("ATLAS_MODELS_DIR", str(tmp_path))
    (tmp_path / card.text.folder).mkdir()
    for name in card.text.files:
        (tmp_path / card.text.folder / name).write_text(name)
    other = weights.revision_of(card, "text")
    published = hashlib.sha256(card.text.weights.encode()).hexdigest()
    known = replace(card, text=replace(card.text, sha256=published))
    assert weights.revision_of(known, "text") == other
    (tmp_path / card.text.folder / "tokenizer.json").write_text("another")
    another = weights.revision_of(known, "text")  # though the weights are the published ones
    assert len({other, another, card.text.revision[:12]}) == 3


def test_the_revision_tells_weights_and_settings_apart() -> None:
    def revision(**options: object) -> str:
        return embeddings.load_model(text_tower=GOLDEN / "text_v1_5", **options).revision  # type: ignore[arg-type]

    assert revision() == revision()
    others = {
        revision(rotary_scaling_factor=2.0),
        revision(quantize="int8"),
        embeddings.load_model(text_tower=GOLDEN / "text_v1").revision,
        embeddings.load_model("mini", vision_tower=GOLDEN / "vision_v1").revision,
    }
    assert len(others - {revision()}) == 4


def test_threads_may_share_a_model(model: embeddings.Model) -> None:
    from concurrent.futures import ThreadPoolExecutor

    fresh = embeddings.load_model(text_tower=GOLDEN / "text_v1_5")
    expected = model.encode_texts(WORDS, task=None).vectors
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda _: fresh.encode_texts(WORDS, task=None).vectors, range(8))
        for vectors in results:
            np.testing.assert_allclose(vectors, expected, atol=1e-5)
