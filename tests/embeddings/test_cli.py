"""`python -m embeddings`: files written, exit status, and one sentence when something is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings.__main__ import main

GOLDEN = Path(__file__).parents[1] / "golden"
TEXT, VISION = str(GOLDEN / "text_v1_5"), str(GOLDEN / "vision_v1_5")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    strings = json.loads((GOLDEN / "cases" / "text_v1_5" / "texts.json").read_text())["texts"]
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(string) + "\n" for string in strings))
    return path


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The sentence on stderr."""
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        status = int(str(exit_.code))
    written = capsys.readouterr().err
    assert status == 2
    assert written.count("\n") == 1, written
    return written


def test_it_writes_the_vectors_of_texts(tmp_path: Path, texts: Path) -> None:
    output = tmp_path / "out.npy"
    arguments = [
        "embed",
        "--text-tower",
        TEXT,
        "--texts",
        str(texts),
        "--task",
        "none",
        "--output",
        str(output),
    ]
    assert main([*arguments, "--dimensions", "32", "--rotary-scaling-factor", "2"]) == 0
    vectors = np.load(output)
    with np.load(GOLDEN / "cases" / "text_v1_5" / "batch.npz") as case:
        np.testing.assert_allclose(vectors, case["embedding_ln_32"], atol=1e-5)
    assert vectors.dtype == np.float32
    assert main([*arguments, "--binary"]) == 0
    with np.load(GOLDEN / "cases" / "text_v1_5" / "batch.npz") as case:
        np.testing.assert_array_equal(np.load(output), np.packbits(case["embedding_ln_64"] > 0, axis=1))


def test_it_writes_the_vectors_of_pictures(tmp_path: Path) -> None:
    names = json.loads((GOLDEN / "images" / "order.json").read_text())
    paths = [str(GOLDEN / "images" / name) for name in names]
    output = tmp_path / "out.npy"
    assert main(["embed", "--vision-tower", VISION, "--output", str(output), "--images", *paths]) == 0
    with np.load(GOLDEN / "cases" / "vision_v1_5" / "images.npz") as case:
        opaque = np.setdiff1d(np.arange(len(names)), case["alpha_rows"])
        np.testing.assert_allclose(np.load(output)[opaque], case["embedding_l2"][opaque], atol=1e-5)


def test_int8_runs_on_the_cpu_of_a_machine_with_a_gpu(
    tmp_path: Path, texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    output = tmp_path / "out.npy"
    arguments = ["--text-tower", TEXT, "--texts", str(texts), "--output", str(output)]
    assert main(["embed", "--int8", *arguments]) == 0


def test_a_blank_file_gives_an_empty_matrix(tmp_path: Path) -> None:
    (tmp_path / "texts").write_text("\n\n")
    output = tmp_path / "out.npy"
    arguments = ["--text-tower", TEXT, "--texts", str(tmp_path / "texts"), "--output", str(output)]
    assert main(["embed", *arguments]) == 0
    assert np.load(output).shape == (0, 64)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'"fox"\nfox\n', "line 2 is not a JSON string"),
        (b'"fox"\n\n"fox"\n', "line 2 is not a JSON string"),
        (b'"fox"\n12\n', "line 2 is not a JSON string but int"),
        (b'"\xff"\n', "line 1 is not a JSON string"),
        (b"[" * 100_000 + b"\n", "line 1 is not a JSON string"),
    ],
)
def test_a_bad_line_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, sentence: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    written = refused(
        capsys, "embed", "--text-tower", TEXT, "--texts", path, "--output", tmp_path / "out.npy"
    )
    assert sentence in written
    assert "bad.jsonl" in written
    assert not (tmp_path / "out.npy").exists()


def test_wrong_arguments_are_one_sentence(
    tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = ("--output", tmp_path / "out.npy")
    image = GOLDEN / "images" / "00_RGB_48x40.png"
    assert "COMMAND" in refused(capsys)
    assert "'nonsense'" in refused(capsys, "nonsense")
    assert "--output" in refused(capsys, "embed", "--texts", texts)
    assert "--texts --images" in refused(capsys, "embed", *output)
    assert "no model 'x'" in refused(capsys, "embed", "--model", "x", "--texts", texts, *output)
    assert "--text-tower" in refused(capsys, "embed", "--vision-tower", VISION, "--texts", texts, *output)
    assert "--vision-tower" in refused(capsys, "embed", "--text-tower", TEXT, "--images", image, *output)
    for extra in (("--dimensions", "16"), ("--task", "clustering"), ("--rotary-scaling-factor", "2")):
        written = refused(capsys, "embed", "--vision-tower", VISION, "--images", image, *output, *extra)
        assert extra[0] in written
    for extra in (("--dimensions", "65"), ("--dimensions", "0"), ("--rotary-scaling-factor", "nan")):
        refused(capsys, "embed", "--text-tower", TEXT, "--texts", texts, *output, *extra)
    first = ("--text-tower", GOLDEN / "text_v1", "--dimensions", "32")
    assert "cannot be shortened" in refused(capsys, "embed", *first, "--texts", texts, *output)
    assert "none.jsonl" in refused(
        capsys, "embed", "--text-tower", TEXT, "--texts", tmp_path / "none.jsonl", *output
    )
    assert "no folder" in refused(
        capsys, "embed", "--text-tower", TEXT, "--texts", texts, "--output", tmp_path / "no" / "out.npy"
    )
    assert "a folder" in refused(
        capsys, "embed", "--text-tower", TEXT, "--texts", texts, "--output", tmp_path
    )
    assert not (tmp_path / "out.npy").exists()


def test_a_damaged_picture_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes((GOLDEN / "images" / "00_RGB_48x40.png").read_bytes()[:100])
    output = ("--output", tmp_path / "out.npy")
    assert "bad.png" in refused(capsys, "embed", "--vision-tower", VISION, *output, "--images", bad)


def test_a_model_that_is_not_here_says_how_to_get_it(
    tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATLAS_MODELS_DIR", str(tmp_path))
    monkeypatch.setattr("embeddings.weights._cached_folder", lambda _: None)
    written = refused(capsys, "embed", "--texts", texts, "--output", tmp_path / "out.npy")
    for part in ("nomic-v1.5", "python -m embeddings download nomic-v1.5", "920 MB", "ATLAS_MODELS_DIR"):
        assert part in written


def test_list_and_info_name_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    for name in ("nomic-v1.5", "nomic-v1", "clip-vit-b16", "mini"):
        assert name in listed
        assert main(["info", name]) == 0
        assert "licence" in capsys.readouterr().out
    assert "no model 'x'" in refused(capsys, "info", "x")


def test_importing_the_package_costs_no_torch() -> None:
    code = "import embeddings, embeddings.models, embeddings.weights, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
