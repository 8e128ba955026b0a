"""Topics: regions are where points gather, levels nest, names say what a region has and its siblings lack."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from atlas.maps.codes import Column
from atlas.maps.names import Vocabulary, name_topics
from atlas.maps.topic import Topic, Topics
from atlas.maps.topics import find_topics
from atlas.maps.work import Cancelled

Floats = npt.NDArray[np.float32]
FRUIT = [
    "apple",
    "pear",
    "cherry",
    "plum",
    "fig",
    "quince",
    "lemon",
    "grape",
    "olive",
    "date",
    "lime",
    "peach",
]


def orchard(
    kinds: int = 12, each: int = 60, seed: int = 0
) -> tuple[Floats, Floats, list[str | None], npt.NDArray[np.intp]]:
    """Islands on a map, one for each kind of fruit, with a caption that names it among common words."""
    random = np.random.default_rng(seed)
    kind = np.repeat(np.arange(kinds), each)
    middles = random.permutation([[x * 10.0, y * 10.0] for x in range(4) for y in range(3)])[:kinds]
    coordinates = (middles[kind] + random.normal(size=(len(kind), 2))).astype(np.float32)
    axes = np.linalg.qr(random.standard_normal((24, 24)))[0][:kinds]
    vectors = axes[kind] + 0.05 * random.standard_normal((len(kind), 24))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    captions: list[str | None] = [
        f"A drawing of one ripe {FRUIT[k]} on paper, number {i}" for i, k in enumerate(kind)
    ]
    return coordinates, vectors.astype(np.float32), captions, kind


def at_level(found: Topics, level: int) -> list[Topic]:
    return [topic for topic in found.topics if topic.level == level]


def test_the_finest_regions_are_the_islands() -> None:
    coordinates, vectors, captions, kind = orchard()
    found = find_topics(coordinates, vectors, captions)
    finest = found.ids[-1]
    for topic in np.unique(finest[finest >= 0]):
        assert len(np.unique(kind[finest == topic])) == 1
    assert (finest >= 0).mean() > 0.8


def test_a_region_is_named_by_the_word_its_siblings_lack() -> None:
    coordinates, vectors, captions, kind = orchard()
    found = find_topics(coordinates, vectors, captions)
    finest = found.ids[-1]
    for topic in at_level(found, len(found.ids) - 1):
        fruit = FRUIT[int(kind[finest == topic.id][0])]
        assert topic.name.split()[0].rstrip(",") == fruit


def test_every_point_is_in_a_topic_of_every_level_but_the_finest() -> None:
    found = find_topics(*orchard()[:3])
    assert len(found.ids) >= 2
    assert (found.ids[:-1] >= 0).all()


def test_levels_nest_and_ids_run_from_coarse_to_fine() -> None:
    found = find_topics(*orchard()[:3])
    assert [topic.id for topic in found.topics] == list(range(len(found.topics)))
    assert [topic.level for topic in found.topics] == sorted(topic.level for topic in found.topics)
    for upper, lower in pairwise(found.ids):
        for topic in np.unique(lower[lower >= 0]):
            assert np.unique(upper[lower == topic]).tolist() == [found.topics[topic].parent]


def test_counts_and_places_are_those_of_the_points() -> None:
    coordinates, vectors, captions, _ = orchard()
    found = find_topics(coordinates, vectors, captions)
    for topic in found.topics:
        members = np.flatnonzero(found.ids[topic.level] == topic.id)
        assert topic.count == len(members)
        assert topic.row in members
        nearest = np.linalg.norm(coordinates[members] - [topic.x, topic.y], axis=1).min()
        assert nearest < 1e-6


def test_the_representative_is_the_record_most_like_the_others() -> None:
    coordinates, vectors, captions, kind = orchard()
    found = find_topics(coordinates, vectors, captions)
    topic = at_level(found, len(found.ids) - 1)[0]
    members = np.flatnonzero(found.ids[-1] == topic.id)
    everyone = kind == kind[topic.row]
    mean = vectors[everyone].mean(axis=0)
    likeness = vectors[members] @ mean
    assert vectors[topic.row] @ mean > np.quantile(likeness, 0.9)


def test_names_are_unique_within_a_parent() -> None:
    coordinates, vectors, _, _ = orchard()
    found = find_topics(coordinates, vectors, ["the very same words"] * len(coordinates))
    for parent in {topic.parent for topic in found.topics}:
        names = [topic.name.casefold() for topic in found.topics if topic.parent == parent]
        assert len(names) == len(set(names))


def test_without_captions_the_nearest_word_of_the_vocabulary_names_a_region() -> None:
    coordinates, vectors, _, kind = orchard()
    words = np.stack([vectors[kind == k].mean(axis=0) for k in range(12)])
    words += np.random.default_rng(1).normal(scale=0.02, size=words.shape) + 0.5  # texts lie beside pictures
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    found = find_topics(coordinates, vectors, None, Vocabulary(FRUIT, words.astype(np.float32)))
    named = 0
    finest = found.ids[-1]
    for topic in at_level(found, len(found.ids) - 1):
        named += topic.name == FRUIT[int(kind[finest == topic.id][0])]
    assert named >= 0.8 * len(at_level(found, len(found.ids) - 1))


def test_without_captions_and_vocabulary_regions_are_numbered() -> None:
    coordinates, vectors, _, _ = orchard()
    names = [topic.name for topic in at_level(find_topics(coordinates, vectors), 0)]
    assert names == [f"Group {at + 1}" for at in range(len(names))]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 15, 30])
def test_small_maps_have_few_topics(n: int) -> None:
    coordinates, vectors, captions, _ = orchard()
    found = find_topics(coordinates[:n], vectors[:n], captions[:n])
    assert len(found.topics) == (1 if n else 0)
    assert found.ids.shape == ((1, n) if n else (0, 0))


def test_points_on_one_spot_are_one_topic() -> None:
    vectors = np.ones((200, 4), np.float32) / 2
    found = find_topics(np.zeros((200, 2), np.float32), vectors, ["twin"] * 200)
    assert {topic.count for topic in found.topics} == {200}
    assert found.topics[0].name == "twin"


def test_missing_empty_and_strange_captions_are_no_obstacle() -> None:
    coordinates, vectors, captions, _ = orchard()
    odd = [None, "", "   ", "🍎🍎", "12 34", "‏تفاحة", "x" * 10_000, "<b>bold</b>", "\x00", "苹果树"]
    captions = [odd[i % len(odd)] if i % 3 else caption for i, caption in enumerate(captions)]
    found = find_topics(coordinates, vectors, captions)
    assert all(topic.name.strip() for topic in found.topics)
    assert max(len(topic.name) for topic in found.topics) < 130


def test_the_same_map_gives_the_same_topics() -> None:
    first, second = (find_topics(*orchard()[:3]) for _ in range(2))
    assert first.topics == second.topics
    assert (first.ids == second.ids).all()


def test_it_says_how_far_it_is_and_stops_when_told() -> None:
    coordinates, vectors, captions, _ = orchard()
    told: list[tuple[int, int]] = []
    find_topics(coordinates, vectors, captions, report=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert {total for _, total in told} == {100}
    assert len({done for done, _ in told}) > 20

    def stop(done: int, _total: int) -> None:
        if done >= 50:
            raise Cancelled

    with pytest.raises(Cancelled):
        find_topics(coordinates, vectors, captions, report=stop)


def names_of(captions: list[str], ids: list[list[int]], parents: list[int | None]) -> list[str]:
    means = np.eye(len(parents), 4, dtype=np.float32)
    of = np.array(ids, np.int32)
    typical = [np.argwhere(of == topic)[:, 1].astype(np.int32) for topic in range(len(parents))]
    return name_topics(of, parents, means, captions, None, typical)


def test_a_name_keeps_the_capitals_of_the_captions() -> None:
    captions = ["View of the Eiffel Tower at night", "The Eiffel Tower", "a rusty anchor", "an anchor"]
    assert names_of(captions * 5, [[0, 0, 1, 1] * 5], [None, None]) == ["Eiffel Tower", "anchor"]


def test_one_word_in_singular_and_plural_is_said_once() -> None:
    captions = ["red apples", "red apple", "apples", "apple", "blue boat", "boats", "boat", "boat"]
    names = names_of(captions * 5, [[0, 0, 0, 0, 1, 1, 1, 1] * 5], [None, None])
    assert sum(part.startswith("apple") for part in names[0].split(", ")) == 1
    assert sum(part.startswith("boat") for part in names[1].split(", ")) == 1


def test_what_the_whole_parent_says_names_none_of_its_children() -> None:
    captions = ["tulip red", "tulip red", "tulip white", "tulip white", "horse", "horse"]
    ids = [[0, 0, 0, 0, 1, 1] * 5, [2, 2, 3, 3, 4, 4] * 5]
    names = names_of(captions * 5, ids, [None, None, 0, 0, 1])
    assert names == ["tulip", "horse", "red", "white", "horse"]


def test_parts_that_no_word_tells_apart_are_numbered() -> None:
    ids = [[0] * 20, [1] * 10 + [2] * 10]
    assert names_of(["tulip"] * 20, ids, [None, 0, 0]) == ["tulip", "tulip 1", "tulip 2"]


def test_captions_that_share_no_word_name_a_topic_by_examples() -> None:
    signs = ["Aries", "Taurus", "Gemini", "Cancer", "Leo", "Virgo", "Libra", "Scorpio", "Pisces", "Aquarius"]
    ids = [[0] * 20 + [1] * 10]
    assert names_of(["tulip"] * 20 + signs, ids, [None, None]) == ["tulip", "Aries, Taurus, Gemini"]


def test_examples_are_different_and_short() -> None:
    captions = ["", "a red apple", "red apples", "a lighthouse on a very long and windy coast", "moon"]
    names = names_of(["tulip"] * 30 + captions * 2, [[0] * 30 + [1] * 10], [None, None])
    assert names[0] == "tulip"
    assert "Group" not in names[1]
    assert all(len(part) <= 28 for part in names[1].split(", "))


def test_half_a_phrase_is_never_a_name() -> None:
    captions = [
        "men holding hands",
        "two men holding hands",
        "women holding hands",
        "women holding hands at sea",
    ]
    boats = ["a boat", "boats", "the boat", "a red boat"]
    names = names_of((captions + boats * 2) * 5, [[0, 0, 1, 1, *[2] * 8] * 5], [None] * 3)
    assert names == ["men holding hands", "women holding hands", "boat"]


def test_a_species_keeps_both_its_words_below_its_genus() -> None:
    captions = ["Citrus limon (lemons)", "Citrus limon", "Citrus grandis (pummelos)", "Citrus grandis"]
    others = [
        "Malus: Hyslop (crab apple)",
        "Malus (crab apple)",
        "Vitis (grapes)",
        "Vitis: Hards Black (grapes)",
    ]
    ids = [[0, 0, 0, 0, 1, 1, 2, 2, 1, 1, 2, 2] * 5, [3, 3, 4, 4, 5, 5, 6, 6, 5, 5, 6, 6] * 5]
    names = names_of((captions + others * 2) * 5, ids, [None, None, None, 0, 0, 1, 2])
    assert names[0] == "Citrus"
    assert names[3:5] == ["Citrus limon", "Citrus grandis"]


def test_the_form_that_all_captions_share_is_in_no_name() -> None:
    captions = [f"a photo of a {thing} on a table in the kitchen" for thing in ("apple", "pear", "car")]
    assert names_of(captions * 10, [[0, 1, 2] * 10], [None] * 3) == ["apple", "pear", "car"]


def test_namesakes_get_a_word_each_that_tells_them_apart() -> None:
    captions = [
        "kiss: woman",
        "kiss",
        "kiss: man",
        "kiss",
        *["boat", "car", "tree", "house", "dog", "cat"] * 2,
    ]
    ids = [[0, 0, 1, 1, *[2, 3, 4, 5, 6, 7] * 2] * 10]
    assert names_of(captions * 10, ids, [None] * 8)[:3] == ["kiss, woman", "kiss, man", "boat"]


def test_parts_of_which_each_caption_says_another_thing_are_named_by_examples_not_numbers() -> None:
    flags = [f"flag: {place}" for place in ("Chad", "Peru", "Mali", "Fiji", "Oman", "Cuba", "Iraq", "Laos")]
    ids = [[0] * 8 + [1] * 8, [2] * 4 + [3] * 4 + [4] * 8]
    names = names_of(flags + ["boat"] * 8, ids, [None, None, 0, 0, 1])
    assert names == ["flag", "boat", "Chad, Peru, Mali", "Oman, Cuba, Iraq", "boat"]


def test_of_namesakes_all_but_one_are_named_by_examples_of_what_they_do_not_share() -> None:
    kinds = [
        f"Malus: {kind} (apples)" for kind in ("Gano", "Bosc", "St", "Akin", "Lobo", "Melba", "Joy", "J")
    ]
    names = names_of(kinds + ["boat"] * 30, [[0] * 4 + [1] * 4 + [2] * 10 + [3] * 10 + [4] * 10], [None] * 5)
    assert names[:3] == ["apples", "Lobo, Melba, Joy", "boat"]


SPECIES = Column.category("species", ["Prunus persica"] * 18 + [None] * 2 + ["malus-domestica"] * 20)


@pytest.mark.parametrize("captions", [None, ["tulip"] * 40])
def test_a_category_names_what_no_caption_tells_apart(captions: list[str] | None) -> None:
    ids = np.array([[0] * 20 + [1] * 20], np.int32)
    typical = [np.arange(3, dtype=np.int32), np.arange(20, 23, dtype=np.int32)]
    means = np.eye(2, 4, dtype=np.float32)
    names = name_topics(ids, [None, None], means, captions, None, typical, categories=[SPECIES])
    assert names == ["Prunus persica", "malus domestica"]


def test_words_of_few_captions_give_way_to_a_category_that_most_records_share() -> None:
    things = [f"thing{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(60)]
    kind = Column.category("kind", ["Animals"] * 40 + ["Tools"] * 20 + ["Food"] * 60)
    names = name_topics(
        np.array([[0] * 60 + [1] * 60], np.int32), [None, None], np.eye(2, 4, dtype=np.float32),
        things + ["apple pie"] * 60, None, [np.arange(3, dtype=np.int32)] * 2, categories=[kind],
    )  # fmt: skip
    assert names == ["Animals", "apple pie"]


@pytest.mark.parametrize(
    ("forms", "things"),
    [
        (["一只{}在桌子上", "照片里有{}", "红色的{}和盘子", "{}"], ["苹果", "向日葵", "猫"]),
        (["テーブルの上にある{}", "赤い{}の写真です", "{}が好きです"], ["りんご", "猫", "トラック"]),
        (["รูป{}บนโต๊ะ", "มี{}สองตัว", "{}สีแดง"], ["แมว", "สุนัข", "แอปเปิล"]),
        (["Красное {} на столе", "это {} и тарелка"], ["яблоко", "солнце", "Эйфелева башня"]),
        (["صورة {} على الطاولة", "هذه {} حمراء"], ["تفاحة", "سيارة", "برج إيفل"]),
        (["मेज पर {}", "यह {} है"], ["सेब", "बिल्ली", "हिन्दी किताब"]),
        (["탁자 위의 {}", "빨간 {} 사진"], ["사과", "고양이", "에펠탑"]),
        (["{}_0012.jpg", "IMG_{}_9.jpg", "{}.png"], ["apple", "boat"]),
        (["{}"], ["Apfel", "boat"]),
    ],
)  # fmt: skip
def test_captions_of_any_script_and_form_give_whole_words(forms: list[str], things: list[str]) -> None:
    captions = [form.format(thing) for thing in things for form in forms * 4]
    ids = [[at for at in range(len(things)) for _ in forms * 4]]
    assert names_of(captions, ids, [None] * len(things)) == things


def test_a_name_is_short_enough_for_the_map() -> None:
    long = "The extraordinarily long and winding road to the lighthouse of the northern coast"
    names = names_of([long] * 20 + ["boat"] * 20, [[0] * 20 + [1] * 20], [None, None])
    assert all(len(name) <= 32 and not name.endswith((" ", ",")) for name in names)
