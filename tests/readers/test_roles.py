"""Which column is what: suggestions, and the corrections people make."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from embeddings.readers import Choices, ColumnType, DatasetError, Reason, open_dataset
from tests.readers.builders import Files, file_of, names_of, png, read, zip_of

PICTURES: Files = {f"images/{at}.png": png(at) for at in range(3)}


def zipped(tmp_path: Path, table: str, files: Files = PICTURES) -> Path:
    return zip_of(tmp_path / "x.zip", {"table.csv": table, **files})


def test_it_describes_before_anything_is_imported(tmp_path: Path) -> None:
    table = "uid,path,title,colour,year\n" + "".join(
        f"u{at},images/{at}.png,words for number {at},{'red' if at else 'blue'},{1900 + at}\n"
        for at in range(3)
    )
    with open_dataset(zipped(tmp_path, table + "u9,images/9.png,gone,red,1\n")) as dataset:
        described = dataset.describe()
    assert (described.picture, described.captions, described.id) == ("path", ("title",), "uid")
    assert described.vector is None
    assert {column.name: column.type for column in described.columns} == {
        "colour": ColumnType.CATEGORY,
        "year": ColumnType.NUMBER,
    }
    assert described.columns[0].examples == ("blue", "red")
    assert described.all_columns == ("uid", "path", "title", "colour", "year")
    assert (described.pictures, described.rows) == (3, 3)
    assert [row.id for row in described.head] == ["u0", "u1", "u2"]


@pytest.mark.parametrize(
    "cell",
    ["images/{}.png", "{}.png", "{}", "./images/{}.png", "/home/me/data/images/{}.png", "images\\{}.PNG",
     "C:\\data\\images\\{}.png", "https://example.org/images/{}.png?width=100", " images/{}.png "],
)  # fmt: skip
def test_it_finds_pictures_however_they_are_named(tmp_path: Path, cell: str) -> None:
    table = "where,caption\n" + "".join(f'"{cell.format(at)}",some words {at}\n' for at in range(3))
    rows, skipped = read(zipped(tmp_path, table))
    assert not skipped
    assert [row.captions for row in rows] == [["some words 0"], ["some words 1"], ["some words 2"]]
    assert [row.picture and row.picture.name for row in rows] == [f"x.zip/images/{at}.png" for at in range(3)]


@pytest.mark.parametrize(
    ("name", "address", "is_told"),
    [
        ("url", "https://a.example/{}.jpg?w=3", True), ("imageUrl", "http://a.example/{}", True),
        ("image {}", "https://a.example/{}", True), ("url", "https://a.example/{}", False),
        ("image", "images/{}.jpg", False), ("imagery", "https://a.example/{}", False),
    ],
)  # fmt: skip
def test_it_says_that_pictures_at_addresses_are_not_fetched(
    tmp_path: Path, name: str, address: str, is_told: bool
) -> None:
    table = f"{name},caption\n" + "".join(f"{address.format(at)},some words {at}\n" for at in range(3))
    rows, skipped = read(file_of(tmp_path / "t.csv", table))
    assert [row.captions for row in rows] == [[f"some words {at}"] for at in range(3)]
    assert [item.reason for item in skipped] == [Reason.NOTE] * is_told
    assert all(f"“{name}”" in item.detail for item in skipped)


def test_a_table_of_nothing_but_addresses_says_what_is_missing(tmp_path: Path) -> None:
    lines = "".join(f"https://a.example/{at}.jpg,{at}\n" for at in range(3))
    with pytest.raises(DatasetError, match="“url” are addresses"):
        read(file_of(tmp_path / "t.csv", f"url,width\n{lines}"))


def test_addresses_of_pictures_that_were_uploaded_are_no_remark(tmp_path: Path) -> None:
    table = "url,caption\nhttps://a.example/1.png,some words\nhttps://a.example/2.png,more words\n"
    _, skipped = read(zipped(tmp_path, table))
    assert not skipped


def test_one_name_in_two_folders_is_not_guessed_at(tmp_path: Path) -> None:
    files: Files = {"a/1.png": png(1), "b/1.png": png(2), "a/2.png": png(3)}
    rows, skipped = read(zipped(tmp_path, "file,caption\n1.png,which one\n2.png,this one\n", files))
    assert [row.captions for row in rows] == [["this one"], [], []]
    assert [(item.source, item.reason) for item in skipped] == [("x.zip/table.csv:2", Reason.MISSING)]
    assert "a/1.png" in skipped[0].detail
    assert "b/1.png" in skipped[0].detail


@pytest.mark.parametrize("path", ["{}", "/data/{}", "set\\\\{}"])
def test_a_path_without_suffix_tells_the_folder(tmp_path: Path, path: str) -> None:
    files: Files = {f"{kind}s/1.png": png(at) for at, kind in enumerate(("cat", "dog"))}
    table = "file,caption\n" + "".join(f"{path.format(kind)}s/1,a {kind}\n" for kind in ("dog", "cat"))
    rows, skipped = read(zipped(tmp_path, table, files))
    assert not skipped
    assert [(row.picture and row.picture.name, row.captions) for row in rows] == [
        (f"x.zip/{kind}s/1.png", [f"a {kind}"]) for kind in ("dog", "cat")
    ]


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("cats/1.png", "images/cats/1.png"), ("cats/1", "images/cats/1.png"),
        ("dogs/1.PNG", "images/dogs/1.png"), ("b/cats/3.png", "images/b/cats/3.png"),
        ("data/a/cats/3", "images/a/cats/3.png"),
    ],
)  # fmt: skip
def test_the_end_of_a_path_tells_the_folder(tmp_path: Path, cell: str, name: str) -> None:
    names = [f"{kind}/1.png" for kind in ("cats", "dogs")] + [f"{at}/cats/3.png" for at in "abc"]
    files: Files = {f"images/{name}": png(at) for at, name in enumerate(names)}
    rows, skipped = read(zipped(tmp_path, f"file,caption\n{cell},some words\n", files))
    assert not skipped
    assert [row.picture.name for row in rows if row.picture and row.captions] == [f"x.zip/{name}"]


CATS_AND_DOGS = "file,caption\n" + "".join(
    f"{kind}s/{at}.png,a {kind}\n" for kind in ("cat", "dog") for at in (1, 2)
)


@pytest.mark.parametrize("folder", ["dogs/", ""])
def test_a_row_of_a_missing_picture_is_not_given_to_another_folders(tmp_path: Path, folder: str) -> None:
    files: Files = {f"{folder}{at}.png": png(at) for at in (1, 2)}
    rows, skipped = read(zipped(tmp_path, CATS_AND_DOGS, files))
    captions, missing = ([["a dog"]] * 2, [2, 3]) if folder else ([[]] * 2, [2, 3, 4, 5])
    assert [row.captions for row in rows] == captions
    assert [(item.source, item.reason) for item in skipped] == [
        (f"x.zip/table.csv:{line}", Reason.MISSING) for line in missing
    ]


def test_a_picture_missing_in_its_folder_is_not_looked_for_in_others(tmp_path: Path) -> None:
    files: Files = {"cats/1.png": png(1), "dogs/2.png": png(2), "dogs/3.png": png(3)}
    rows, skipped = read(zipped(tmp_path, "file,caption\ncats/1.png,a cat\ncats/2.png,another\n", files))
    assert [row.captions for row in rows] == [["a cat"], [], []]
    assert "dogs/2.png lies in another folder" in skipped[0].detail


def test_pictures_are_found_under_a_folders_new_name(tmp_path: Path) -> None:
    files: Files = {
        "a.csv": "file,caption\ndata/images/1.png,one\ndata/images/2.png,two\n",
        "b.csv": "file,year\nimages/1.png,1909\n2,1910\n",
        **{f"photos/{at}.png": png(at) for at in (1, 2)},
    }
    rows, skipped = read(zip_of(tmp_path / "x.zip", files))
    assert not skipped
    assert [(row.captions, row.values) for row in rows] == [
        (["one"], {"year": 1909}),
        (["two"], {"year": 1910}),
    ]


def test_small_numbers_are_not_taken_for_stems(tmp_path: Path) -> None:
    table = "age,caption,file\n" + "".join(f"{at % 2},some words {at},images/{at}.png\n" for at in range(3))
    rows, _ = read(zipped(tmp_path, table))
    assert [row.values for row in rows] == [{"age": 0}, {"age": 1}, {"age": 0}]


def test_repeated_ids_are_reported(tmp_path: Path) -> None:
    table = "id,text\n" + "".join(f"{at},some words {at}\n" for at in [*range(20), 3, 20])
    rows, skipped = read(file_of(tmp_path / "t.csv", table))
    assert len(rows) == 21
    assert [(item.source, item.reason) for item in skipped] == [("t.csv:22", Reason.DUPLICATE_ID)]


def test_an_id_is_cut_to_what_an_index_takes(tmp_path: Path) -> None:
    rows, _ = read(file_of(tmp_path / "t.csv", f"id,text\nx{'画' * 900},some words\n"))
    assert rows[0].id == "x" + "画" * 666  # 1,999 bytes


def test_a_column_that_repeats_itself_is_no_id(tmp_path: Path) -> None:
    rows, skipped = read(file_of(tmp_path / "t.csv", "id,text\n" + "1,some words\n" * 10))
    assert not skipped
    assert [row.id for row in rows] == [None] * 10


def test_what_several_pictures_share_is_no_id(tmp_path: Path) -> None:
    lines = [f"images/{at}.png,words {at},{'ab'[at % 2]},p{at}\n" for at in range(3)]
    table = "file_name,caption,sku,key\n" + "".join(2 * line for line in lines)
    rows, skipped = read(zipped(tmp_path, table))
    assert not skipped
    assert [(row.id, row.values) for row in rows] == [
        (f"p{at}", {"sku": sku}) for at, sku in enumerate("aba")
    ]


def test_the_longest_text_is_the_caption_where_no_name_tells(tmp_path: Path) -> None:
    rows, _ = read(
        file_of(tmp_path / "t.csv", "a,b\nx y,a much longer text than the other\nz w,and one more of these\n")
    )
    assert rows[0].captions == ["a much longer text than the other"]


def test_numbered_captions_belong_together(tmp_path: Path) -> None:
    rows, _ = read(file_of(tmp_path / "t.jsonl", '{"caption_0": "one", "caption_1": "two", "caption_2": ""}'))
    assert rows[0].captions == ["one", "two"]


def test_captions_in_several_languages_belong_together(tmp_path: Path) -> None:
    table = "file,caption_en,caption_DE,note_en\n" + "".join(
        f"{at}.png,a red apple,ein roter Apfel,{at} of a longer note\n" for at in range(3)
    )
    rows, _ = read(zipped(tmp_path, table))
    assert [row.captions for row in rows] == [["a red apple", "ein roter Apfel"]] * 3


@pytest.mark.parametrize("name", ["image_id", "ImageID", "img"])
def test_pictures_named_by_their_stems_may_have_several_rows(tmp_path: Path, name: str) -> None:
    lines = "".join(f"{at},some words {at} {many}\n" for at in range(3) for many in "abcde")
    rows, skipped = read(zipped(tmp_path, f"{name},caption\n{lines}"))
    assert not skipped
    assert [row.captions for row in rows] == [
        [f"some words {at} {many}" for many in "abcde"] for at in range(3)
    ]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("sentences", [{"raw": "A dog runs.", "tokens": ["a"]}, {"raw": "Ein Hund.", "tokens": []}]),
        ("captions", [{"caption": "A dog runs.", "id": 3}, "Ein Hund."]),
        (
            "texts",
            [{"user": "What?", "assistant": "A dog runs."}, {"user": "Was?", "assistant": "Ein Hund."}],
        ),
        ("caption", {"en": "A dog runs.", "de-AT": "Ein Hund.", "fr": None}),
    ],
)
def test_captions_inside_of_objects_are_found(tmp_path: Path, name: str, cell: object) -> None:
    lines = "\n".join(json.dumps({"file": f"{at}.png", name: cell}) for at in range(3))
    rows, skipped = read(zip_of(tmp_path / "x.zip", {"t.jsonl": lines, **PICTURES}))
    assert not skipped
    assert [(row.captions, row.values) for row in rows] == [(["A dog runs.", "Ein Hund."], {})] * 3


@pytest.mark.parametrize(
    ("image", "name", "turns"),
    [
        (
            "set/{}.png",
            "conversations",
            [
                {"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A dog runs."},
                {"from": "human", "value": "And then?"}, {"from": "gpt", "value": "It sleeps."},
            ],
        ),
        (
            ["images/{}.png"],
            "messages",
            [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "A dog runs."}]},
                {"role": "assistant", "content": "It sleeps."}, {"role": "assistant", "content": None},
            ],
        ),
    ],
)  # fmt: skip
def test_what_the_assistant_says_of_a_picture_is_its_caption(
    tmp_path: Path, image: str | list[str], name: str, turns: list[dict[str, object]]
) -> None:
    records = [
        {"id": f"r{at}", "image": json.loads(json.dumps(image).replace("{}", str(at))), name: turns}
        for at in range(3)
    ]
    rows, skipped = read(zip_of(tmp_path / "x.zip", {"train.json": json.dumps(records), **PICTURES}))
    assert not skipped
    assert names_of(rows) == ["0.png", "1.png", "2.png"]
    assert [(row.id, row.captions, row.values) for row in rows] == [
        (f"r{at}", ["A dog runs.", "It sleeps."], {}) for at in range(3)
    ]


def test_of_several_pictures_that_are_named_the_first_is_the_records(tmp_path: Path) -> None:
    line = json.dumps({"images": ["images/0.png", "images/1.png"], "caption": "some words"})
    rows, _ = read(zip_of(tmp_path / "x.zip", {"t.jsonl": line, **PICTURES}))
    assert [(row.captions, len(row.notes)) for row in rows] == [(["some words"], 1), ([], 0), ([], 0)]
    assert rows[0].notes == ("Of its 2 pictures the first was kept.",)


def test_the_name_of_a_picture_is_no_caption(tmp_path: Path) -> None:
    files: Files = {
        f"Takeout/{at}.png{suffix}": json.dumps({"title": f"{at}.png", "description": ""})
        if suffix
        else png(at)
        for at in range(3)
        for suffix in ("", ".supplemental-metadata.json")
    }
    rows, skipped = read(zip_of(tmp_path / "x.zip", files))
    assert not skipped
    assert [(row.captions, row.values) for row in rows] == [([], {"title": f"{at}.png"}) for at in range(3)]


def test_an_object_without_a_text_is_no_caption(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"file": f"{at}.png", "caption": {"x": 1, "y": [2]}}) for at in range(3))
    rows, _ = read(zip_of(tmp_path / "x.zip", {"t.jsonl": lines, **PICTURES}))
    assert [row.captions for row in rows] == [[]] * 3


@pytest.mark.parametrize("prefix", ["dc:", "dcterms.", "DC_"])
def test_names_of_dublin_core_are_known_with_their_prefix(tmp_path: Path, prefix: str) -> None:
    names = ",".join(prefix + name for name in ("identifier", "title", "creator"))
    table = f"{names},file\n" + "".join(f"inv {at},Still life {at},Monet,{at}.png\n" for at in range(3))
    rows, _ = read(zipped(tmp_path, table))
    assert [(row.id, row.captions) for row in rows] == [
        (f"inv {at}", [f"Still life {at}"]) for at in range(3)
    ]


@pytest.mark.parametrize(
    "name",
    ["Beschriftung", "Légende", "LE\u0301GENDE", "Beschreibung", "Titre", "Título"],
)
def test_captions_are_known_by_their_names_in_other_languages(tmp_path: Path, name: str) -> None:
    table = f"Dateiname;{name};Standort\n" + "".join(
        f"{at}.png;Apfel {at};im Magazin des Hauses, Regal {at}, ganz oben\n" for at in range(3)
    )
    rows, _ = read(zipped(tmp_path, table))
    assert [row.captions for row in rows] == [[f"Apfel {at}"] for at in range(3)]


def test_a_title_in_another_language_may_be_that_of_a_class(tmp_path: Path) -> None:
    table = "Datei,Titel,Notiz\n" + "".join(f"{at}.png,Apfel,eine längere Notiz zu {at}\n" for at in range(3))
    rows, _ = read(zipped(tmp_path, table))
    assert [row.captions for row in rows] == [[f"eine längere Notiz zu {at}"] for at in range(3)]


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("cls", "010110", ColumnType.CATEGORY), ("category_id", "775577", ColumnType.CATEGORY),
        ("Label", ["1.0", "2.0", "", "1.0", "2.0", "1.0"], ColumnType.CATEGORY),
        ("label", ["0.5", "1", "0.5", "1", "1", "1"], ColumnType.NUMBER),
        ("label", "012345", ColumnType.NUMBER), ("year", "010110", ColumnType.NUMBER),
    ],
)  # fmt: skip
def test_numbers_of_classes_are_categories(
    tmp_path: Path, name: str, cells: Sequence[str], kind: ColumnType
) -> None:
    table = f"caption,{name}\n" + "".join(f"some words {at},{cell}\n" for at, cell in enumerate(cells))
    with open_dataset(file_of(tmp_path / "t.csv", table)) as dataset:
        assert [column.type for column in dataset.describe().columns] == [kind]


def test_people_may_choose_otherwise(tmp_path: Path) -> None:
    table = "file,alias,caption,remark,n,secret\n" + "".join(
        f"images/{at}.png,a{at},words {at},remark {at},{at},hidden\n" for at in range(3)
    )
    choices = Choices(
        captions=("remark", "caption"),
        id="alias",
        types={"n": ColumnType.CATEGORY},
        leave_out=frozenset({"secret"}),
    )
    rows, _ = read(zipped(tmp_path, table), choices=choices)
    assert rows[2].captions == ["remark 2", "words 2"]
    assert rows[2].id == "a2"
    assert rows[2].values == {"n": "2"}


def test_people_may_choose_no_such_column(tmp_path: Path) -> None:
    table = "id,file,caption\n" + "".join(f"i{at},images/{at}.png,words {at}\n" for at in range(3))
    rows, _ = read(zipped(tmp_path, table), choices=Choices(id="", captions=()))
    assert [(row.id, row.captions) for row in rows] == [(None, [])] * 3
    assert rows[0].values["caption"] == "words 0"


@pytest.mark.parametrize(
    ("name", "length", "is_vector"),
    [
        ("Vector", 2, True), ("image_emb", 8, True), ("clipEmbeddings", 8, True), ("word2vec", 8, True),
        ("CLIP_EMBEDDING", 8, True), ("motion_vector", 3, False), ("member_ids", 2, False),
        ("remembered", 8, False), ("MEMBERS", 8, False), ("features", 2, False), ("feature_box", 4, False),
        ("member_ids", 16, True),
    ],
)  # fmt: skip
def test_a_short_list_of_numbers_is_a_vector_only_where_its_name_says_so(
    tmp_path: Path, name: str, length: int, is_vector: bool
) -> None:
    lines = [
        json.dumps({"caption": f"some words {at}", name: list(range(at + 1, at + 1 + length))})
        for at in range(3)
    ]
    with open_dataset(file_of(tmp_path / "t.jsonl", "\n".join(lines))) as dataset:
        described = dataset.describe()
    assert described.vector == (name if is_vector else None)
    assert [column.name for column in described.columns] == ([] if is_vector else [name])


@pytest.mark.parametrize("name", ["id", "caption", "embedding"])
def test_what_is_left_out_is_no_id_caption_or_vector_either(tmp_path: Path, name: str) -> None:
    cells = {"id": "i{}", "caption": "words {}", "embedding": "[1.5, {}, 0, 0, 0, 0, 0, 0]"}
    lines = "".join(
        f"images/{at}.png," + ",".join(f'"{cell.format(at)}"' for cell in cells.values()) + "\n"
        for at in range(3)
    )
    path = zipped(tmp_path, f"file,{','.join(cells)}\n{lines}")
    with open_dataset(path, choices=Choices(leave_out=frozenset({name}))) as dataset:
        described = dataset.describe()
    roles = {described.id, *described.captions, described.vector} - {None}
    assert (described.picture, roles) == ("file", cells.keys() - {name})
    assert not described.columns


def test_a_choice_that_is_no_column_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="“nope”"):
        read(zipped(tmp_path, "file,caption\nimages/1.png,x\n"), choices=Choices(id="nope"))


def test_a_cell_that_does_not_fit_its_type_is_left_empty_with_a_note(tmp_path: Path) -> None:
    table = "text,n\n" + "".join(f"some words {at},{at if at < 2_500 else 'many'}\n" for at in range(2_600))
    rows, _ = read(file_of(tmp_path / "t.csv", table))
    assert rows[0].values == {"n": 0}
    assert rows[-1].values == {}
    assert "“many” is not a number" in rows[-1].notes[0]


def test_a_column_of_two_types_in_two_tables_is_text(tmp_path: Path) -> None:
    first = file_of(tmp_path / "a.csv", "text,n\nsome words,1\nmore words,2\n")
    second = file_of(tmp_path / "b.csv", "text,n\nother words,2020-01-01\nlast words,2020-01-02\n")
    rows, notes = read([first, second])
    assert [row.values["n"] for row in rows] == ["1", "2", "2020-01-01", "2020-01-02"]
    said = "The column “n” holds numbers in a.csv and dates in b.csv; it was read as text."
    assert [(note.source, note.reason, note.detail) for note in notes] == [("b.csv", Reason.NOTE, said)]


@pytest.mark.parametrize(
    ("kind", "words", "said"),
    [
        (ColumnType.NUMBER, ["old"], "holds numbers in the dataset, but “old” here is none: it becomes text"),
        (ColumnType.DATE, ["old"], "holds dates in the dataset, but “old” here is none: it becomes text"),
        (ColumnType.LIST, ["x" * 41, "y" * 42], "holds lists in the dataset, but text here: it becomes text"),
        (ColumnType.TEXT, ["old"], None),
    ],
)
def test_it_says_that_a_known_column_becomes_text_and_how_to_keep_it(
    tmp_path: Path, kind: ColumnType, words: list[str], said: str | None
) -> None:
    lines = [f"{at},some words {at},{word}\n" for at, word in enumerate(words)]
    path = file_of(tmp_path / "t.csv", "id,text,x\n" + "".join(lines))
    with open_dataset(path, types={"x": kind}) as dataset:
        notes = dataset.describe().skipped
    assert [note.reason for note in notes] == [Reason.NOTE] * bool(said)
    for note in notes:
        assert str(said) in note.detail
    chosen = Choices(types={"x": kind})
    with open_dataset(path, types={"x": kind}, choices=chosen) as dataset:
        assert not dataset.describe().skipped


def test_a_word_among_many_numbers_makes_no_text_of_a_known_column(tmp_path: Path) -> None:
    cells = ["old" if at == 7 else str(at) for at in range(20)]
    table = "id,text,x\n" + "".join(f"{at},some words {at},{cell}\n" for at, cell in enumerate(cells))
    rows, notes = read(file_of(tmp_path / "t.csv", table), types={"x": ColumnType.NUMBER})
    assert not notes
    assert [row.values.get("x") for row in rows[6:9]] == [6, None, 8]
    assert rows[7].notes == ("x: “old” is not a number; it was left empty.",)


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_a_short_last_table_spoils_no_column_of_the_others(tmp_path: Path, names: str) -> None:
    header = "id,text,artist,tags\n"
    lines = [f"{n},some words {n},{'Monet' if n % 2 else 'Manet'},{n};all\n" for n in range(30)]
    long = file_of(tmp_path / f"{names[0]}.csv", header + "".join(lines))
    few = "x,one,Goya,red\ny,two,Dali,blue\nz,three,Klee,green\n"
    short = file_of(tmp_path / f"{names[1]}.csv", header + few)
    with open_dataset([long, short]) as dataset:
        types = {column.name: column.type for column in dataset.describe().columns}
    assert types == {"artist": ColumnType.CATEGORY, "tags": ColumnType.LIST}
    rows, _ = read([long, short])
    values = {row.id: row.values for row in rows}
    assert values["1"] == {"artist": "Monet", "tags": ["1", "all"]}
    assert values["x"] == {"artist": "Goya", "tags": ["red"]}


@pytest.mark.parametrize(
    ("kind", "cells", "kept"),
    [
        (ColumnType.CATEGORY, ["Goya", "12"], True),
        (ColumnType.CATEGORY, ["x" * 81, "12"], False),
        (ColumnType.LIST, ["red", "a;b"], True),
        (ColumnType.LIST, ["x" * 41, "red"], False),
        (ColumnType.NUMBER, ["old", "12"], False),
        (ColumnType.DATE, ["1909", "1910"], False),
    ],
)
def test_a_known_type_is_kept_where_the_cells_fit_it(
    tmp_path: Path, kind: ColumnType, cells: list[str], kept: bool
) -> None:
    table = "id,text,x\n" + "".join(f"{at},some words {at},{cell}\n" for at, cell in enumerate(cells))
    with open_dataset(file_of(tmp_path / "t.csv", table), types={"x": kind}) as dataset:
        [column] = dataset.describe().columns
    assert (column.type is kind) is kept


def test_thousands_of_pictures_of_one_name_are_told_apart_in_time(tmp_path: Path) -> None:
    count = 3_000
    files: Files = {f"{at}/image.png": png() for at in range(count)}
    lines = "".join(f"elsewhere/{at}/image.png,words {at}\n" for at in range(count))
    lines += "".join(f"none/image.png,words {at}\n" for at in range(count))
    began = time.process_time()
    rows, skipped = read(zipped(tmp_path, f"file,caption\n{lines}", files))
    assert time.process_time() - began < 5
    assert [row.captions for row in rows] == [[f"words {at}"] for at in range(count)]
    assert {item.reason for item in skipped} == {Reason.MISSING}
    assert len(skipped) == count
