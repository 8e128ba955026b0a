import argparse
import itertools
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from PIL import Image
from torch import Generator, Tensor

from embeddings.album import Album
from embeddings.contrastive import MAX_SCALE, Scale, backward_in_chunks, contrastive_loss
from embeddings.encode import load_model
from embeddings.errors import TrainingError
from embeddings.muon import orthogonal
from embeddings.pixels import PixelRecipe
from embeddings.samples import Batches, BatchShape, EmbedTexts
from embeddings.train import (
    Run,
    TrainConfig,
    add_arguments,
    cached_vectors,
    export,
    learning_rate,
    run,
    train,
)
from embeddings.vision_tower import VisionConfig, VisionTower

GOLDEN = Path(__file__).parents[1] / "golden"
TINY = VisionConfig(
    img_size=8, patch_size=4, n_embd=16, n_head=2, n_layer=1, n_inner=16, ref_feat_shape=(2, 2)
)


class Colours:
    """Plain squares and their colours' names; red and crimson share a caption."""

    captions: tuple[tuple[str, ...], ...] = (("red", "warm"), ("crimson", "warm"), ("green",), ("blue",))
    also_true: tuple[tuple[str, ...], ...] = ((), ("red",), (), ())
    weights = np.ones(4)
    _rgb = torch.tensor([[1.0, 0, 0], [0.6, 0, 0.1], [0, 1, 0], [0, 0, 1]])

    def draw(self, chosen: NDArray[np.int64], side: int, generator: Generator) -> Tensor:
        pictures = self._rgb[chosen][:, :, None, None].expand(-1, -1, side, side)
        return pictures + torch.rand(pictures.shape, generator=generator) * 0.1


def embed_texts(texts: list[str]) -> NDArray[np.float32]:
    seeds = [sum(map(ord, text)) for text in texts]
    vectors = np.stack([np.random.default_rng(seed).normal(size=16) for seed in seeds]).astype(np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def config(**changes: Any) -> TrainConfig:
    settings: dict[str, Any] = {
        "vision": TINY,
        "steps": 4,
        "batch": 6,
        "chunk": 6,
        "bank": 3,
        "checkpoint_every": 2,
    }
    return TrainConfig(**(settings | changes))


def unit(*shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape, generator=Generator().manual_seed(sum(shape))), dim=-1)


NONE = torch.zeros(4, 4, dtype=torch.bool)
NO_BANK = {"bank": torch.empty(0, 8), "true_in_bank": torch.empty(4, 0, dtype=torch.bool)}


def test_the_loss_is_the_formula_written_out() -> None:
    pictures, texts = unit(4, 8), unit(4, 8).flip(0)
    scores = (10 * pictures @ texts.T).exp()
    expected = (
        -(scores.diag() / scores.sum(1)).log().mean() / 2 - (scores.diag() / scores.sum(0)).log().mean() / 2
    )
    found = contrastive_loss(pictures, texts, torch.tensor(10.0), true=NONE, **NO_BANK)
    torch.testing.assert_close(found, expected)


def test_captions_that_are_also_right_are_left_out_of_the_loss() -> None:
    pictures, texts = unit(4, 8), unit(4, 8).flip(0)
    true = NONE.clone()
    true[0, 2] = True
    without = contrastive_loss(pictures, texts, torch.tensor(10.0), true=true, **NO_BANK)
    texts_away = texts.clone()
    scores = 10 * pictures @ texts_away.T
    scores[0, 2] = -torch.inf
    target = torch.arange(4)
    expected = (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)) / 2
    torch.testing.assert_close(without, expected)


def test_a_right_caption_in_the_bank_costs_nothing_and_a_wrong_one_does() -> None:
    pictures = texts = unit(4, 8)
    plain = contrastive_loss(pictures, texts, torch.tensor(10.0), true=NONE, **NO_BANK)
    bank = texts[:1]
    own = torch.tensor([[True], [False], [False], [False]])
    right = contrastive_loss(pictures, texts, torch.tensor(10.0), true=NONE, bank=bank, true_in_bank=own)
    wrong = contrastive_loss(pictures, texts, torch.tensor(10.0), true=NONE, bank=bank, true_in_bank=~own)
    assert plain < right < wrong


def test_chunks_give_the_gradients_of_the_whole_batch() -> None:
    weight = torch.randn(5, 8, generator=Generator().manual_seed(1), requires_grad=True)
    inputs, texts = torch.randn(7, 5, generator=Generator().manual_seed(2)), unit(7, 8)

    def gradient(size: int) -> tuple[Tensor, Tensor]:
        weight.grad = None
        nothing = torch.zeros(7, 7, dtype=torch.bool)
        bank, none = torch.empty(0, 8), torch.empty(7, 0, dtype=torch.bool)
        loss = backward_in_chunks(
            lambda start: F.normalize(inputs[start : start + size] @ weight, dim=-1),
            range(0, 7, size),
            lambda all_: contrastive_loss(
                all_, texts, torch.tensor(10.0), true=nothing, bank=bank, true_in_bank=none
            ),
        )
        assert weight.grad is not None
        return loss, weight.grad

    whole, parts = gradient(7), gradient(3)
    torch.testing.assert_close(whole[0], parts[0])
    torch.testing.assert_close(whole[1], parts[1])


def test_the_scale_stops_at_its_limit() -> None:
    assert Scale(start=500.0)().item() == pytest.approx(MAX_SCALE)


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4)])
def test_an_orthogonal_update_has_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_the_learning_rate_warms_up_and_falls_to_a_hundredth() -> None:
    settings = config(warm_up=0.1, learning_rate=1.0)
    rates = [learning_rate(percent / 100, settings) for percent in range(101)]
    assert rates[:3] == pytest.approx([0.0, 0.1, 0.2])
    assert max(rates) == rates[10] == 1.0
    assert rates[55] == pytest.approx(0.505)
    assert rates[100] == pytest.approx(0.01)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def batches(bank: int = 0) -> Batches:
    return Batches(Colours(), embed_texts, BatchShape(40, bank, 8, (0, 0, 0), (1, 1, 1)), seed=5)


def test_the_same_step_gives_the_same_batch_and_another_step_another() -> None:
    one, same, other = batches(7)(3), batches(7)(3), batches(7)(4)
    assert all(torch.equal(getattr(one, name), getattr(same, name)) for name in vars(one))
    assert not torch.equal(one.pixels, other.pixels)


def test_a_shared_caption_is_right_for_every_picture_that_has_it() -> None:
    batch = batches()(0)
    vectors = {text: torch.from_numpy(embed_texts([text])[0]) for text in ("red", "crimson", "warm", "green")}
    shown = [next((t for t, v in vectors.items() if torch.equal(v, row)), "blue") for row in batch.texts]
    colours = batch.pixels.mean(dim=(2, 3))
    for row, (red, green, _) in enumerate(colours.tolist()):
        kind = "green" if green > 0.5 else "red" if red > 0.9 else "crimson" if red > 0.5 else "blue"
        right = {"red": {"red", "warm"}, "crimson": {"crimson", "warm", "red"}}.get(kind, {kind})
        assert batch.true[row].tolist() == [text in right for text in shown]


@pytest.mark.parametrize("bfloat16", [False, True])
def test_it_learns_to_name_colours(tmp_path: Path, bfloat16: bool) -> None:
    settings = config(steps=120, batch=16, chunk=16, patch_dropout=0.0, bfloat16=bfloat16)
    tower = train(settings, Colours(), embed_texts, tmp_path)
    pictures = Colours().draw(np.arange(4), 8, Generator().manual_seed(99))
    mean, std = (
        torch.tensor(three)[:, None, None] for three in ((0.4815, 0.4578, 0.4082), (0.2686, 0.2613, 0.2758))
    )
    with torch.inference_mode():
        scores = (
            tower((pictures - mean) / std)
            @ torch.from_numpy(embed_texts(["red", "crimson", "green", "blue"])).T
        )
    assert scores.argmax(dim=1).tolist() == [0, 1, 2, 3]


class StopHereError(Exception):
    pass


def test_a_resumed_run_gives_the_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    def interrupt(run: Run) -> dict[str, Any]:
        raise StopHereError

    unbroken = train(config(), Colours(), embed_texts, tmp_path / "unbroken")
    with pytest.raises(StopHereError):
        train(config(), Colours(), embed_texts, tmp_path / "broken", on_checkpoint=interrupt)
    resumed = train(config(), Colours(), embed_texts, tmp_path / "broken")
    for key, value in unbroken.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key


def test_it_logs_every_checkpoint(tmp_path: Path) -> None:
    train(config(), Colours(), embed_texts, tmp_path, on_checkpoint=lambda run: {"seen": run.step * 6})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["seen"]) for line in lines] == [(2, 12), (4, 24)]
    assert all(math.isfinite(line["loss"]) for line in lines)


def test_chunks_of_a_batch_train_to_the_same_weights(tmp_path: Path) -> None:
    whole = train(config(steps=2), Colours(), embed_texts, tmp_path / "whole").state_dict()
    parts = train(config(steps=2, chunk=2), Colours(), embed_texts, tmp_path / "parts").state_dict()
    for key, value in whole.items():
        torch.testing.assert_close(value, parts[key], atol=1e-4, rtol=1e-3)


def test_the_last_steps_see_all_patches() -> None:
    run = Run(config(steps=10, patch_dropout=0.5, whole=0.2))
    seen = []
    for run.step in range(10):
        kept = run.kept_patches()
        seen.append(4 if kept is None else len(kept))
    assert seen == [2] * 8 + [4] * 2


def test_a_run_by_the_clock_ends_on_time_and_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count(step=2)  # asked twice a step: every step takes two seconds, plus two beside it
    monkeypatch.setattr(time, "monotonic", lambda: float(next(ticks)))
    seen: list[tuple[int, float, bool]] = []

    def note(run: Run) -> dict[str, Any]:
        seen.append((run.step, run.progress, run.kept_patches() is None))
        if len(seen) == 1:
            raise StopHereError
        return {}

    settings = config(steps=None, minutes=0.4, whole=0.3)  # 24 seconds
    with pytest.raises(StopHereError):
        train(settings, Colours(), embed_texts, tmp_path, on_checkpoint=note)
    train(settings, Colours(), embed_texts, tmp_path, on_checkpoint=note)
    steps, progress, whole = zip(*seen, strict=True)
    assert steps == tuple(range(2, steps[-1] + 1, 2))
    assert progress == pytest.approx([min(1.0, step * 2 / 24) for step in steps])
    assert whole == tuple(part > 0.7 for part in progress)
    assert progress[-1] == 1.0


def test_a_new_run_may_start_from_a_trained_tower(tmp_path: Path) -> None:
    trained = train(config(), Colours(), embed_texts, tmp_path / "one")
    run = Run(config(), trained)
    for key, value in trained.state_dict().items():
        assert torch.equal(value, run.tower.state_dict()[key]), key
        assert torch.equal(value, run.averaged.state_dict()[key]), key
    gone_on = train(config(), Colours(), embed_texts, tmp_path / "two", start=trained).state_dict()
    anew = train(config(), Colours(), embed_texts, tmp_path / "three").state_dict()
    assert not torch.equal(gone_on["embeddings.proj.weight"], anew["embeddings.proj.weight"])


def test_bfloat16_changes_the_products_and_not_the_weights_type(tmp_path: Path) -> None:
    plain = train(config(), Colours(), embed_texts, tmp_path / "plain").state_dict()
    fast = train(config(bfloat16=True), Colours(), embed_texts, tmp_path / "fast").state_dict()
    name = "layers.0.attn.Wqkv.weight"
    assert fast[name].dtype == torch.float32
    assert not torch.equal(plain[name], fast[name])
    torch.testing.assert_close(plain[name], fast[name], atol=5e-3, rtol=0)


def test_it_refuses_the_checkpoint_of_another_tower(tmp_path: Path) -> None:
    train(config(), Colours(), embed_texts, tmp_path)
    other = VisionConfig(
        img_size=8, patch_size=4, n_embd=16, n_head=4, n_layer=1, n_inner=16, ref_feat_shape=None
    )
    with pytest.raises(TrainingError, match="another tower"):
        train(config(vision=other), Colours(), embed_texts, tmp_path)


class Shapes(Colours):
    captions = (("square", "flat"), ("box", "flat"), ("disc",), ("ring",))
    also_true = ((), (), (), ())


@pytest.mark.parametrize(
    ("named", "source", "texts", "changes"),
    [
        ("set of captions", Shapes(), embed_texts, {}),
        ("text tower", Colours(), lambda texts: embed_texts([text.upper() for text in texts]), {}),
        ("learning rate, seed", Colours(), embed_texts, {"learning_rate": 1e-4, "seed": 3}),
    ],
)
def test_it_does_not_pass_off_the_tower_of_an_earlier_run(
    tmp_path: Path, named: str, source: Colours, texts: EmbedTexts, changes: dict[str, Any]
) -> None:
    train(config(), Colours(), embed_texts, tmp_path)
    with pytest.raises(TrainingError, match=f"with another {named}; use another folder"):
        train(config(**changes), source, texts, tmp_path)


def test_a_run_may_go_on_for_longer_and_on_another_machine(tmp_path: Path) -> None:
    train(config(), Colours(), embed_texts, tmp_path)
    nearly = lambda texts: embed_texts(texts) + np.float32(1e-6)  # noqa: E731
    train(config(steps=6, chunk=2, checkpoint_every=1, bfloat16=True), Colours(), nearly, tmp_path)
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [2, 4, 5, 6]


def test_it_stops_when_the_loss_is_no_number(tmp_path: Path) -> None:
    broken = lambda texts: embed_texts(texts) * np.float32(np.nan)  # noqa: E731
    with pytest.raises(TrainingError, match="step 0"):
        train(config(), Colours(), broken, tmp_path)


@torch.inference_mode()
def test_an_exported_tower_loads_as_a_published_one_does(tmp_path: Path) -> None:
    tower = Run(config()).tower.eval()
    export(tower, tmp_path)
    pixels = torch.randn(2, 3, 8, 8, generator=Generator().manual_seed(0))
    torch.testing.assert_close(VisionTower.from_folder(tmp_path)(pixels), tower(pixels), atol=5e-3, rtol=0)
    assert PixelRecipe.from_folder(tmp_path).crop == (8, 8)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "dataset"
    folder.mkdir()
    for name, colour in (("a", "red"), ("b", "green"), ("c", "blue")):
        Image.new("RGB", (30, 20), colour).save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(f"a {colour} square")
    (folder / "d.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    (folder / "d.txt").write_text("a broken square")
    return folder


def test_an_album_keeps_the_pictures_that_can_be_read(dataset: Path, tmp_path: Path) -> None:
    album = Album(dataset, 16, tmp_path)
    assert album.captions == [("a red square",), ("a green square",), ("a blue square",)]
    assert album.skipped == 1
    pictures = album.draw(np.array([0, 2]), 16, Generator().manual_seed(0))
    assert pictures.shape == (2, 3, 16, 16)
    assert pictures.mean(dim=(2, 3)).argmax(dim=1).tolist() == [0, 2]


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    towers = ["--model", "nomic-v1.5", "--text-tower", str(GOLDEN / "text_v1_5")]
    small = ["--image-size", "16", "--layers", "1", "--inner", "32", "--batch", "4", "--device", "cpu"]
    return parser.parse_args([*towers, *small, *arguments])


def test_the_command_trains_a_tower_on_a_folder_of_pictures(dataset: Path, tmp_path: Path) -> None:
    work, output = tmp_path / "work", tmp_path / "tower"
    run(options("--dataset", str(dataset), "--work", str(work), "--output", str(output), "--steps", "3"))
    assert VisionTower.from_folder(output).config.n_embd == 64
    assert (work / "checkpoint.pt").exists()


def test_the_command_names_what_is_wrong(dataset: Path, tmp_path: Path) -> None:
    places = ["--work", str(tmp_path / "work"), "--output", str(tmp_path / "tower")]
    with pytest.raises(TrainingError, match="--steps"):
        run(options("--dataset", str(dataset), *places, "--steps", "0"))
    for file in dataset.glob("*.txt"):
        file.unlink()
    with pytest.raises(TrainingError, match="no readable picture with a caption"):
        run(options("--dataset", str(dataset), *places, "--steps", "1"))


def test_a_run_that_is_killed_while_it_keeps_vectors_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(file: Any, _: Any) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    embed = cached_vectors(load_model("mini", text_tower=GOLDEN / "text_v1_5"), tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(np, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            embed(["a", "b"])
    first = embed(["a", "b"])
    assert (embed(["a", "b"]) == first).all()
    assert [path.suffix for path in tmp_path.iterdir()] == [".npy"]
