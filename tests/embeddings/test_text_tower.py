"""The text tower against the numbers of the publishers' own code, and against settings it cannot honour."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from embeddings.errors import ModelError, WeightsError
from embeddings.pooling import Recipe, finish
from embeddings.text_tower import TextConfig, TextTower, masked_mean

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = sorted(
    (folder.name, path.stem)
    for folder in (GOLDEN / "cases").glob("text_*")
    for path in folder.glob("*.npz")
    if path.stem != "tokens"
)
Case = dict[str, NDArray[Any]]


def read_case(model: str, name: str) -> Case:
    with np.load(GOLDEN / "cases" / model / f"{name}.npz") as arrays:
        return dict(arrays)


def run(model: str, case: Case) -> tuple[Tensor, Tensor]:
    """Hidden states and means."""
    override = case.get("rotary_scaling_factor_override")
    tower = TextTower.from_folder(
        GOLDEN / model, rotary_scaling_factor=None if override is None else float(override)
    )
    lengths = torch.from_numpy(case["attention_mask"].sum(axis=1))
    with torch.inference_mode():
        hidden = tower.hidden(
            torch.from_numpy(case["input_ids"]), lengths, torch.from_numpy(case["token_type_ids"])
        )
    return hidden, masked_mean(hidden, lengths)


@pytest.mark.parametrize(("model", "name"), CASES)
def test_it_gives_the_published_codes_numbers(model: str, name: str) -> None:
    case = read_case(model, name)
    hidden, means = run(model, case)
    # The published code stretches the short row of this case by the long row's length; ours never does.
    rows = slice(0, 1) if name == "mixed_long_short" else slice(None)
    kept = case["attention_mask"][rows].astype(bool)
    # Tolerances: ten times what two implementations in float32 differed by (tests/golden/README.md).
    np.testing.assert_allclose(hidden[rows].numpy()[kept], case["last_hidden_state"][rows][kept], atol=1e-4)
    np.testing.assert_allclose(means[rows], case["pooled_mean"][rows], atol=1e-4)
    length_one = finish(means[rows], Recipe.LENGTH_ONE, means.shape[1])
    np.testing.assert_allclose(length_one, case["embedding_l2"][rows], atol=1e-5)
    shortened = [key for key in case if key.startswith("embedding_ln_")]
    assert len(shortened) >= 3
    for key in shortened:
        vectors = finish(means[rows], Recipe.SHORTENABLE, int(key.rsplit("_", 1)[1]))
        np.testing.assert_allclose(vectors, case[key][rows], atol=1e-5, err_msg=key)


@pytest.mark.parametrize("model", ["text_v1", "text_v1_5"])
def test_it_gives_a_short_row_beside_a_long_one_the_numbers_it_has_alone(model: str) -> None:
    _, beside = run(model, read_case(model, "mixed_long_short"))
    alone = read_case(model, "mixed_short_alone")
    np.testing.assert_allclose(beside[1], alone["pooled_mean"][0], atol=1e-4)


def test_it_reads_a_config_with_the_newer_names_only() -> None:
    both = json.loads((GOLDEN / "text_v1_5" / "config.json").read_text())
    older = {"n_embd", "n_head", "n_layer", "n_inner", "n_positions"}
    older |= {"layer_norm_epsilon", "activation_function", "rotary_emb_base"}
    newer = {key: value for key, value in both.items() if key not in older}
    config = TextConfig.from_dict(newer)
    assert (config.n_embd, config.n_head, config.n_layer, config.n_inner) == (64, 4, 2, 256)
    assert (config.rotary_emb_base, config.activation_function) == (1000.0, "silu")
    assert config.max_trained_positions == 32


def test_it_takes_2048_as_the_trained_length_where_the_config_is_silent() -> None:
    values = json.loads((GOLDEN / "text_v1" / "config.json").read_text())
    del values["max_trained_positions"]
    # The newer v1 file says 8192 here, which is not the length it was trained at.
    config = TextConfig.from_dict(values | {"max_position_embeddings": 8192})
    assert config.max_trained_positions == 2048


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("prenorm", True),
        ("causal", True),
        ("rotary_emb_fraction", 0.5),
        ("rotary_emb_interleaved", True),
        ("activation_function", "relu"),
        ("n_head", 5),
        ("n_layer", "two"),
        ("n_layer", None),
        ("rotary_scaling_factor", 0.5),
        ("rope_parameters", {"rope_type": "yarn"}),
    ],
)
def test_it_names_the_setting_it_cannot_honour(key: str, value: object) -> None:
    values = json.loads((GOLDEN / "text_v1" / "config.json").read_text())
    with pytest.raises(ModelError, match=key):
        TextConfig.from_dict(values | {key: value})


def test_it_refuses_weights_of_another_size(tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((GOLDEN / "text_v1" / name).read_bytes())
    values = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(values | {"n_layer": 3}))
    with pytest.raises(WeightsError, match=r"missing encoder\.layers\.2\."):
        TextTower.from_folder(tmp_path)


def test_it_gives_a_text_nearly_the_same_vector_in_any_company() -> None:
    tower = TextTower.from_folder(GOLDEN / "text_v1")
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 192, (5, 60), generator=generator)
    lengths = torch.tensor([60, 3, 30, 24, 25])  # the trained length is 24
    with torch.inference_mode():
        together = tower(ids, lengths)
        alone = torch.cat([tower(ids[i : i + 1, : lengths[i]], lengths[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
