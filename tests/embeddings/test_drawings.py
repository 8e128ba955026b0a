import json
import random
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from embeddings import drawings
from embeddings.__main__ import main
from embeddings.drawings.art import Art, build_art
from embeddings.drawings.artist import Artist, colour_in, flatten, main_colours
from embeddings.drawings.captions import captions_for, spoken_name
from embeddings.drawings.emoji import Emoji, Sources, read_emoji
from embeddings.drawings.sample import write_sample
from embeddings.drawings.scenes import GROUNDS, composed_scenes, single_scenes
from embeddings.drawings.source import DrawnScenes
from embeddings.drawings.uses import uses_of
from embeddings.errors import EmbeddingError
from embeddings.towers import load_vision

GOLDEN = Path(__file__).parents[1] / "golden"
SAMPLE = Path(__file__).parents[2] / "atlas" / "datasets" / "sample"
USES = Path(drawings.__file__).with_name("uses.txt")
DEBIAN = Sources()
needs_fonts = pytest.mark.skipif(
    not all(path.is_file() for path in (DEBIAN.colour_font, *DEBIAN.line_fonts)), reason="fonts are missing"
)

EMOJI_TEST = """\
# group: Smileys & Emotion
# subgroup: face-smiling
1F600                                                  ; fully-qualified     # 😀 E1.0 grinning face
263A FE0F                                              ; fully-qualified     # ☺️ E0.6 smiling face
263A                                                   ; unqualified         # ☺ E0.6 smiling face
# group: People & Body
# subgroup: hand-fingers-open
1F44B 1F3FF                                  ; fully-qualified     # 👋🏿 E1.0 waving hand: dark skin tone
# group: Food & Drink
# subgroup: food-fruit
1F34E                                                  ; fully-qualified     # 🍎 E0.6 red apple
# group: Flags
# subgroup: country-flag
1F1F9 1F1F3                                            ; fully-qualified     # 🇹🇳 E2.0 flag: Tunisia
"""
ANNOTATIONS = """<?xml version="1.0" encoding="UTF-8"?><ldml><annotations>
<annotation cp="😀">face | grin</annotation><annotation cp="😀" type="tts">grinning face</annotation>
<annotation cp="☺">face | smile</annotation><annotation cp="🍎">apple | fruit | red</annotation>
</annotations></ldml>"""
DERIVED = """<?xml version="1.0" encoding="UTF-8"?><ldml><annotations>
<annotation cp="👋🏿">dark skin tone | hand | wave</annotation><annotation cp="🇹🇳">flag</annotation>
</annotations></ldml>"""


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    for name, text in (("test.txt", EMOJI_TEST), ("en.xml", ANNOTATIONS), ("derived.xml", DERIVED)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    colour_font = DEBIAN.colour_font if DEBIAN.colour_font.is_file() else tmp_path / "test.txt"
    return Sources(tmp_path / "test.txt", tmp_path / "en.xml", tmp_path / "derived.xml", colour_font)


@pytest.fixture
def emoji(sources: Sources) -> list[Emoji]:
    return read_emoji(sources)


def test_it_reads_every_fully_qualified_emoji_with_its_sets_and_keywords(emoji: list[Emoji]) -> None:
    assert [one.name for one in emoji] == [
        "grinning face", "smiling face", "waving hand: dark skin tone", "red apple", "flag: Tunisia",
    ]  # fmt: skip
    assert emoji[1] == Emoji("☺️", "smiling face", "Smileys & Emotion", "face-smiling", ("face", "smile"))
    assert emoji[2].keywords == ("dark skin tone", "hand", "wave")


def test_a_skin_tone_variant_knows_its_base(emoji: list[Emoji]) -> None:
    assert [one.toned for one in emoji] == [False, False, True, False, False]
    assert emoji[2].base_name == "waving hand"
    assert emoji[4].base_name == "flag: Tunisia"
    couple = replace(emoji[2], name="kiss: man, man, light skin tone, dark skin tone")
    assert couple.base_name == "kiss: man, man"


@pytest.mark.parametrize(
    ("field", "package"),
    [
        ("emoji_test", "unicode-data"),
        ("annotations", "unicode-cldr-core"),
        ("colour_font", "fonts-noto-color-emoji"),
    ],
)
def test_a_missing_file_is_named_with_the_package_that_has_it(
    sources: Sources, field: str, package: str
) -> None:
    changed: dict[str, Any] = {field: Path("nowhere")}
    with pytest.raises(EmbeddingError, match=f"nowhere is missing.*apt-get install {package}"):
        read_emoji(replace(sources, **changed))


def test_captions_begin_with_the_name_and_do_not_repeat(emoji: list[Emoji]) -> None:
    for one in emoji:
        captions = captions_for(one, random.Random(0))
        assert captions[0] == one.name
        assert len(captions) == len(set(captions))


def test_captions_say_what_kind_of_thing_it_is(emoji: list[Emoji]) -> None:
    apple, flag = (captions_for(emoji[i], random.Random(0)) for i in (3, 4))
    assert {"apple, fruit, red", "fruit"} <= set(apple)
    assert {"flag of Tunisia", "a flag with a star", "a flag with a crescent moon"} <= set(flag)
    assert "a flag with a cross" not in flag


def test_captions_say_what_a_thing_is_for(emoji: list[Emoji]) -> None:
    assert "a fruit that is red when ripe" in captions_for(emoji[3], random.Random(0))
    assert uses_of(emoji[2]) == ["greeting someone"]  # the tone makes no difference
    assert uses_of(emoji[4]) == []


@pytest.mark.skipif(not DEBIAN.emoji_test.is_file(), reason="the Unicode files are missing")
def test_every_use_is_of_an_emoji_there_is() -> None:
    names = {one.base_name for one in read_emoji(DEBIAN)}
    lines = USES.read_text(encoding="utf-8").splitlines()
    assert {name for line in lines for name in line.partition(": ")[2].split("|")} <= names


def test_names_are_spoken_as_people_would(emoji: list[Emoji]) -> None:
    assert [spoken_name(emoji[i]) for i in (2, 3, 4)] == [
        "waving hand with dark skin", "red apple", "flag of Tunisia",
    ]  # fmt: skip


def test_a_composed_caption_names_every_member_and_the_ground(emoji: list[Emoji]) -> None:
    rng = random.Random(3)
    scenes = composed_scenes(emoji, single_scenes(emoji, rng), 200, rng)
    assert {len(scene.members) for scene in scenes} == {1, 2, 3}
    for scene in scenes:
        said = scene.captions[0]
        assert all(spoken_name(emoji[member]) in said for member in scene.members)
        assert all(emoji[member].name in scene.also_true for member in scene.members)
        if scene.ground is not None:
            colour = next(name for name, rgb in GROUNDS.items() if rgb == scene.ground)
            assert said.endswith(f"on a {colour} background")


def square() -> Image.Image:
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    picture.paste((220, 40, 40, 255), (16, 16, 32, 48))
    picture.paste((40, 40, 220, 255), (32, 16, 48, 48))
    return picture


def test_flattening_draws_lines_around_and_between_the_colours() -> None:
    drawn = flatten(square(), 4, line=3, line_colour=(0, 0, 0))
    assert drawn.getpixel((2, 2))[3] == 0  # type: ignore[index]
    assert drawn.getpixel((24, 32)) == (220, 40, 40, 255)
    assert drawn.getpixel((31, 32)) == drawn.getpixel((15, 32)) == (0, 0, 0, 255)


def test_line_art_leaves_the_areas_white() -> None:
    drawn = flatten(square(), 4, line=3, line_colour=(0, 0, 0), filled=False)
    assert drawn.getpixel((24, 32)) == drawn.getpixel((40, 32)) == (255, 255, 255, 255)
    assert drawn.getpixel((31, 32)) == (0, 0, 0, 255)


def test_colouring_in_fills_what_the_lines_enclose_and_nothing_else() -> None:
    ink = Image.new("L", (32, 32))
    ink.paste(255, (8, 8, 24, 24))
    ink.paste(0, (11, 11, 21, 21))
    drawn = colour_in(ink, (250, 200, 0), (10, 10, 10))
    assert drawn.getpixel((16, 16)) == (250, 200, 0, 255)
    assert drawn.getpixel((9, 16)) == (10, 10, 10, 255)
    assert drawn.getpixel((2, 2))[3] == 0  # type: ignore[index]
    assert colour_in(ink, None, (10, 10, 10)).getpixel((16, 16))[3] == 0  # type: ignore[index]


def test_the_main_colour_is_the_one_that_covers_most() -> None:
    picture = square()
    picture.paste((250, 210, 60, 255), (10, 10, 54, 44))
    assert np.allclose(main_colours(picture, 1), [(250, 210, 60)], atol=6)


@needs_fonts
def test_a_joined_sequence_is_drawn_as_one_picture(emoji: list[Emoji]) -> None:
    artist = Artist(DEBIAN)
    family = replace(emoji[0], text="👩‍👩‍👧")
    drawn = [artist.draw(one) for one in (*emoji, family)]
    assert all(picture.size == (128, 128) and picture.getbbox() is not None for picture in drawn)
    assert main_colours(drawn[3], 1)[0][0] > 180  # the apple is red
    assert artist.draw(emoji[2]).tobytes() != artist.draw(replace(emoji[2], text="👋")).tobytes()


@needs_fonts
def test_every_emoji_gets_art_in_several_styles(sources: Sources, emoji: list[Emoji], tmp_path: Path) -> None:
    art = build_art(emoji, sources, 24)
    counts = np.diff(art.starts)
    assert counts[2] == 3  # a skin-tone variant has no line art
    assert (counts[[0, 1, 3]] > 5).all()
    assert np.allclose(np.add.reduceat(art.weights, art.starts[:-1]), 1)
    art.save(tmp_path / "art.npz")
    assert np.array_equal(Art.load(tmp_path / "art.npz").pixels, art.pixels)


def plain_art(colours: list[tuple[int, int, int]]) -> Art:
    pixels = np.zeros((len(colours), 16, 16, 4), np.uint8)
    for i, colour in enumerate(colours):
        pixels[i, 2:14, 2:14] = (*colour, 255)
    return Art(pixels, np.arange(len(colours) + 1), np.ones(len(colours)))


def test_scenes_are_drawn_the_same_for_the_same_generator_state(emoji: list[Emoji]) -> None:
    scenes = DrawnScenes(emoji, plain_art([(200, 0, 0)] * 5), composed=10)
    chosen = np.arange(len(scenes.weights))
    one, same, other = (scenes.draw(chosen, 24, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert one.shape == (15, 3, 24, 24)
    assert bool((one >= 0).all() and (one <= 1).all())
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_flag_is_never_mirrored_and_its_colours_stay(emoji: list[Emoji]) -> None:
    art = plain_art([(200, 0, 0)] * 5)
    art.pixels[4, 2:14, 8:14] = (0, 0, 200, 255)  # red on the left, blue on the right
    scenes = DrawnScenes(emoji, art, composed=0)
    pictures = scenes.draw(np.full(40, 4), 24, torch.Generator().manual_seed(0))
    left, right = pictures[..., :12].mean(dim=(2, 3)), pictures[..., 12:].mean(dim=(2, 3))
    redder = (left[:, 0] - left[:, 2]) >= (right[:, 0] - right[:, 2])
    assert redder.float().mean() > 0.9  # holes cut out of it may hide a side


@needs_fonts
def test_the_command_trains_on_drawings_and_goes_on_where_it_stopped(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("embeddings.drawings.source.Sources", lambda: sources)
    work, output = tmp_path / "work", tmp_path / "tower"
    towers = ["--model", "nomic-v1.5", "--text-tower", str(GOLDEN / "text_v1_5")]
    sizes = ["--image-size", "16", "--layers", "1", "--inner", "32", "--batch", "4", "--device", "cpu"]
    command = ["train", "--drawings", *towers, *sizes, "--work", str(work), "--output", str(output)]
    assert main([*command, "--steps", "2"]) == 0
    drawn = (work / "art.npz").stat().st_mtime_ns
    assert main([*command, "--steps", "4"]) == 0
    assert (work / "art.npz").stat().st_mtime_ns == drawn
    lines = [json.loads(line) for line in (work / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    bars = capsys.readouterr().err
    assert "5/5" in bars  # emoji drawn
    assert "4/4" in bars  # steps
    assert load_vision(output).dimensions == 64


def test_the_command_names_a_folder_without_icon_sets(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("embeddings.drawings.source.Sources", lambda: sources)
    towers = ["--model", "nomic-v1.5", "--text-tower", str(GOLDEN / "text_v1_5")]
    places = ["--work", str(tmp_path / "work"), "--output", str(tmp_path / "tower")]
    assert main(["train", "--drawings", "--art", str(tmp_path), *towers, *places, "--steps", "1"]) == 2
    assert capsys.readouterr().err.endswith("holds no icon sets (folders with an icons.json)\n")


@needs_fonts
def test_the_sample_dataset_is_the_same_bytes_every_time(sources: Sources, tmp_path: Path) -> None:
    paths = [tmp_path / "one.tar.gz", tmp_path / "two.tar.gz"]
    assert [write_sample(path, sources) for path in paths] == [5, 5]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with tarfile.open(paths[0]) as tar:
        assert tar.getnames()[:4] == ["00000.png", "00000.txt", "00000.json", "00001.png"]
        columns = json.load(tar.extractfile("00003.json"))  # type: ignore[arg-type]
    assert columns == {
        "name": "red apple", "emoji": "🍎", "group": "Food & Drink", "subgroup": "food-fruit",
        "keywords": ["apple", "fruit", "red"],
    }  # fmt: skip


def test_the_sample_dataset_is_small_and_licensed() -> None:
    archive = SAMPLE / "emoji.tar.gz"
    assert archive.stat().st_size <= 8_000_000
    with tarfile.open(archive) as tar:
        assert sum(name.endswith(".png") for name in tar.getnames()) == 3655
    licence = (SAMPLE / "LICENSE").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE" in licence
    assert "UNICODE" in licence
