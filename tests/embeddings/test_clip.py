"""CLIP behind our interface gives what transformers' own model gives."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import CLIPConfig, CLIPModel

import embeddings
from embeddings.errors import WeightsError

WORDS = ["quick", "brown", "fox", "hello"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny CLIP checkpoint in the layout of the published one."""
    folder = tmp_path_factory.mktemp("clip")
    vocabulary = {"<|startoftext|>": 0, **{word: i + 1 for i, word in enumerate(WORDS)}, "<|endoftext|>": 6}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="hello"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|startoftext|> $A <|endoftext|>",
        special_tokens=[("<|startoftext|>", 0), ("<|endoftext|>", 6)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    half = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "hidden_size": 32}
    text = half | {
        "vocab_size": 7,
        "max_position_embeddings": 9,
        "bos_token_id": 0,
        "eos_token_id": 6,
        "pad_token_id": 6,
    }
    vision = half | {"image_size": 16, "patch_size": 8}
    torch.manual_seed(2)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24))
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(model.config.to_dict()))
    recipe = {"size": 16, "crop_size": 16, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(recipe))
    return folder


def reference(folder: Path) -> CLIPModel:
    values = json.loads((folder / "config.json").read_text())
    model: CLIPModel = CLIPModel(CLIPConfig(**values))
    model.load_state_dict(torch.load(folder / "pytorch_model.bin", weights_only=True))
    return model


def test_texts_have_the_vectors_of_transformers(folder: Path) -> None:
    ours = embeddings.load_model("clip-vit-b16", text_tower=folder)
    texts = ["quick fox", "brown", "hello " * 30]
    vectors = ours.encode_texts(texts, task="search_query").vectors
    assert ours.dimensions == 24
    ids = [[0, 1, 3, 6], [0, 2, 6], [0] + [4] * 7 + [6]]
    with torch.inference_mode():
        for row, vector in zip(ids, vectors, strict=True):
            expected = reference(folder).get_text_features(torch.tensor([row])).pooler_output[0]
            np.testing.assert_allclose(vector, expected / expected.norm(), atol=1e-5)


def test_pictures_have_the_vectors_of_transformers(folder: Path) -> None:
    ours = embeddings.load_model("clip-vit-b16", vision_tower=folder)
    grey = Image.new("RGB", (30, 20), (51, 102, 204))
    vector = ours.encode_images([grey]).vectors[0]
    pixels = (torch.tensor([51, 102, 204]) / 255 - 0.5) / 0.25
    with torch.inference_mode():
        features = reference(folder).get_image_features(pixels[None, :, None, None].expand(1, 3, 16, 16))
    expected = features.pooler_output[0]
    np.testing.assert_allclose(vector, expected / expected.norm(), atol=1e-5)


def test_a_file_that_lacks_a_key_is_refused(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    values = torch.load(tmp_path / "pytorch_model.bin", weights_only=True)
    del values["text_projection.weight"]
    torch.save(values, tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"text_projection\.weight"):
        embeddings.load_model("clip-vit-b16", text_tower=tmp_path).encode_texts(["fox"], task=None)
