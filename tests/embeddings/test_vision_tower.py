import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from embeddings.errors import ModelError, WeightsError
from embeddings.vision_tower import VisionConfig, VisionTower, rotary_angles

GOLDEN = Path(__file__).parents[1] / "golden"
MODELS = ["vision_v1", "vision_v1_5"]
CASES = [(model, case) for model in MODELS for case in ("random", "images")]
SMALL = VisionConfig(
    img_size=12, patch_size=4, n_embd=24, n_head=3, n_layer=2, n_inner=300.5, ref_feat_shape=(5, 2)
)


def golden(model: str, case: str) -> tuple[VisionTower, dict[str, Tensor]]:
    arrays = np.load(GOLDEN / "cases" / model / f"{case}.npz")
    return VisionTower.from_folder(GOLDEN / model), {name: torch.from_numpy(arrays[name]) for name in arrays}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(GOLDEN / "vision_v1_5", tmp_path / "vision")
    return tmp_path / "vision"


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def close(found: Tensor, expected: Tensor, tolerance: float) -> bool:
    return found.shape == expected.shape and bool((found - expected).abs().max() <= tolerance)


@pytest.mark.parametrize(("model", "case"), CASES)
@torch.inference_mode()
def test_it_gives_the_published_models_vectors(model: str, case: str) -> None:
    tower, arrays = golden(model, case)
    assert close(tower(arrays["pixel_values"]), arrays["embedding_l2"], 1e-5)


@pytest.mark.parametrize(("model", "case"), CASES)
@torch.inference_mode()
def test_it_gives_the_published_models_hidden_states(model: str, case: str) -> None:
    tower, arrays = golden(model, case)
    assert close(tower.hidden(arrays["pixel_values"]), arrays["last_hidden_state"], 1e-4)
    if "trunk_hidden" in arrays:
        assert close(tower.trunk(arrays["pixel_values"]), arrays["trunk_hidden"], 1e-4)


def test_the_default_sizes_are_those_of_the_published_model() -> None:
    with torch.device("meta"):
        tower = VisionTower(VisionConfig())
    assert sum(parameter.numel() for parameter in tower.parameters()) == 92_946_688


def test_the_inner_rows_are_rounded_up_to_a_multiple_of_256() -> None:
    assert [VisionConfig(n_inner=n).inner_rows for n in (0.5, 256, 256.1, 2048.0)] == [256, 256, 512, 2048]


def test_rotary_angles_follow_the_row_then_the_column_on_the_reference_grid() -> None:
    angles = rotary_angles(
        SMALL
    )  # 3 × 3 patches, 8 dimensions a head: 2 frequencies for each of row and column
    assert angles.shape == (9, 4)
    row, column = 2 / 3 * 5, 1 / 3 * 2  # patch 7 lies in row 2, column 1
    expected = [row, row / 100, column, column / 100]
    assert angles[7].tolist() == pytest.approx(expected)


@torch.inference_mode()
def test_a_picture_does_not_depend_on_the_pictures_beside_it() -> None:
    tower, arrays = golden("vision_v1", "images")
    alone = torch.cat([tower(pixels[None]) for pixels in arrays["pixel_values"]])
    assert close(alone, tower(arrays["pixel_values"]), 1e-6)


@torch.inference_mode()
def test_keeping_all_patches_in_any_order_changes_nothing_and_keeping_few_does() -> None:
    tower, arrays = golden("vision_v1", "random")
    pixels = arrays["pixel_values"]
    assert close(tower(pixels, torch.randperm(25)), tower(pixels), 1e-5)
    assert tower.trunk(pixels, torch.tensor([3, 9])).shape == (2, 3, 32)
    assert not close(tower(pixels, torch.tensor([3, 9])), tower(pixels), 1e-2)


@torch.inference_mode()
def test_it_computes_float16_files_in_float32(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file({key: value.half() for key, value in load_file(path).items()}, path)
    tower, (expected, arrays) = VisionTower.from_folder(folder), golden("vision_v1_5", "random")
    assert {parameter.dtype for parameter in tower.parameters()} == {torch.float32}
    assert close(tower(arrays["pixel_values"]), expected(arrays["pixel_values"]), 5e-3)


def test_it_writes_a_config_that_it_reads_back(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(SMALL.to_dict()))
    assert VisionConfig.from_folder(tmp_path) == SMALL


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("activation_function", "gelu"),
        ("prenorm", False),
        ("register_tokens", 4),
        ("qkv_proj_bias", False),
        ("num_channels", 1),
        ("patch_size", 7),
        ("n_head", 5),
        ("n_layer", "2"),
        ("n_embd", None),
        ("ref_feat_shape", [4]),
        ("img_size", 0),
    ],
)
def test_it_names_the_setting_it_cannot_honour(folder: Path, key: str, value: object) -> None:
    change_config(folder, **{key: value})
    with pytest.raises(ModelError, match=key):
        VisionTower.from_folder(folder)


def test_it_says_when_there_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        VisionTower.from_folder(tmp_path)


def test_it_names_missing_unexpected_and_misshapen_weights_in_one_error(folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    weights["extra.weight"] = weights.pop("selector.norm1.bias")
    weights["embeddings.cls_token"] = torch.zeros(1, 1, 32)
    save_file(weights, path)
    with pytest.raises(WeightsError) as caught:
        VisionTower.from_folder(folder)
    assert "missing selector.norm1.bias" in str(caught.value)
    assert "unexpected extra.weight" in str(caught.value)
    assert "embeddings.cls_token is (1, 1, 32), should be (1, 1, 64)" in str(caught.value)


def test_it_refuses_weights_that_are_no_floats(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file(load_file(path) | {"selector.norm1.bias": torch.zeros(64, dtype=torch.int64)}, path)
    with pytest.raises(WeightsError, match=r"selector\.norm1\.bias"):
        VisionTower.from_folder(folder)


@pytest.mark.parametrize("length", [0, 7, 5000])
def test_it_refuses_a_file_that_was_cut_short(folder: Path, length: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(WeightsError, match="cannot be read"):
        VisionTower.from_folder(folder)


def test_it_says_when_a_clone_left_a_pointer_in_the_place_of_the_weights(folder: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4616912a7cc9\nsize 371806672\n"
    (folder / "model.safetensors").write_text(pointer)
    with pytest.raises(WeightsError, match="git lfs pull"):
        VisionTower.from_folder(folder)


def test_it_says_when_there_are_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        VisionTower.from_folder(folder)


@torch.inference_mode()
def test_pooling_is_the_formula_written_out() -> None:
    tower, arrays = golden("vision_v1", "random")
    x, head = tower.trunk(arrays["pixel_values"]), tower.selector.attn
    q = head.Wq(head.latent)[0, 0].view(4, 8)
    k, v = head.Wkv(x).chunk(2, dim=-1)
    gathered = torch.cat(
        [
            torch.softmax(k[..., i * 8 : i * 8 + 8] @ q[i] / math.sqrt(8), dim=-1)[:, None]
            @ v[..., i * 8 : i * 8 + 8]
            for i in range(4)
        ],
        dim=-1,
    )
    assert close(head(x), head.out_proj(gathered), 1e-5)
