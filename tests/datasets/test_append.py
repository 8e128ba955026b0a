"""More imports into a dataset: what it has already, and columns and vectors that must agree."""

from pathlib import Path
from unittest.mock import DEFAULT, Mock

import pytest

from atlas.datasets import claims, ingest
from atlas.datasets.claims import LostClaimError
from atlas.datasets.models import Dataset, ImportState, Record, SkippedItem
from tests.datasets.material import added, new_import, picture, run, table, vectors_table, zip_of
from tests.people import Cast


def test_appended_records_get_the_next_rows_and_known_ids_are_skipped(cast: Cast) -> None:
    first = run(new_import(cast, "one.csv", table(5)))
    dataset = Dataset.objects.get(pk=first.dataset_id)
    second = added(dataset, cast.bob, "two.csv", table(5, first=3))
    assert (second.imported, second.skipped) == (3, 2)
    assert set(second.skipped_items.values_list("reason", flat=True)) == {"duplicate_id"}
    keys = Record.objects.filter(dataset=dataset).order_by("row").values_list("key", flat=True)
    assert list(keys) == [f"r{n}" for n in range(8)]


def test_other_pictures_under_known_ids_are_not_stored(cast: Cast, fruit: Dataset, data_folder: Path) -> None:
    before = sorted((data_folder / "media" / "originals" / str(fruit.pk)).rglob("*"))
    table = "file,caption,id\n1.png,One,a-1\n2.png,Two,a-2\n3.png,New,b-1\n"
    files = {f"{n}.png": picture(colour) for n, colour in enumerate(("black", "white", "red"), 1)}

    job = added(fruit, cast.alice, "a.zip", zip_of({"t.csv": table, **files}))

    assert (job.read, job.imported, job.skipped) == (3, 1, 2)
    assert sorted((data_folder / "media" / "originals" / str(fruit.pk)).rglob("*")) == before


def shard(first: int, count: int) -> bytes:
    """A shard of a webdataset, whose keys count from 0 in each."""
    files: dict[str, str | bytes] = {}
    for key in range(count):
        files[f"{key:06}.png"] = picture("red", width=first + key + 1)
        files[f"{key:06}.txt"] = "A red bar"
        files[f"{key:06}.json"] = f'{{"width": {first + key + 1}}}'
    return zip_of(files)


def test_the_same_webdataset_again_adds_nothing_and_is_done(cast: Cast) -> None:
    first = run(new_import(cast, "000.zip", shard(0, 3)))
    again = added(first.dataset, cast.bob, "renamed.zip", shard(0, 3))
    assert (again.state, again.error, again.imported, again.skipped) == (ImportState.DONE, "", 0, 3)
    line = SkippedItem.objects.filter(job=again).first()
    assert line is not None
    assert (line.reason, line.detail[-9:]) == ("already_here", "record 0.")


def test_the_same_ids_again_add_nothing_and_can_be_corrected(cast: Cast) -> None:
    first = run(new_import(cast, "a.csv", b"id,text\n1,some words\n2,more words\n"))
    again = added(first.dataset, cast.bob, "b.csv", b"id,text\n1,new words\n")
    assert (again.state, again.has_its_files) == (ImportState.FAILED, True)
    assert again.error == "Nothing was added: the dataset has all records of these files already."


def test_another_shard_with_the_same_keys_is_added(cast: Cast) -> None:
    first = run(new_import(cast, "000.zip", shard(0, 3)))
    more = added(first.dataset, cast.bob, "001.zip", shard(2, 3))
    assert (more.imported, more.skipped) == (2, 1)


def test_a_picture_with_other_words_and_one_repeated_in_the_files_are_added(cast: Cast) -> None:
    twice: dict[str, str | bytes] = {
        "1.png": picture("red"),
        "2.png": picture("red"),
        "metadata.csv": "file_name,caption\n1.png,One\n2.png,One\n",
    }
    first = run(new_import(cast, "a.zip", zip_of(twice)))
    assert first.imported == 2
    other: dict[str, str | bytes] = {**twice, "metadata.csv": "file_name,caption\n1.png,One\n2.png,Two\n"}
    more = added(first.dataset, cast.bob, "a.zip", zip_of(other))
    assert (more.imported, more.skipped) == (1, 1)


def test_a_note_about_many_records_counts_as_nothing_skipped(cast: Cast) -> None:
    files = {"images/1.png": picture("red"), "labels/1.txt": b"3 0.5 0.5 0.2 0.3"}
    job = run(new_import(cast, "yolo.zip", zip_of(files)))
    assert (job.state, job.read, job.imported, job.skipped) == (ImportState.DONE, 1, 1, 0)
    assert [item.reason for item in job.skipped_items.all()] == ["note"]
    again = added(job.dataset, cast.alice, "yolo.zip", zip_of(files))
    assert (again.state, again.imported, again.skipped) == (ImportState.DONE, 0, 1)


def test_a_column_with_two_types_becomes_text(cast: Cast) -> None:
    first = run(new_import(cast, "one.csv", b"id,caption,age\na,One caption,1\nb,Two captions,2\n"))
    dataset = Dataset.objects.get(pk=first.dataset_id)
    added(dataset, cast.bob, "two.csv", b"id,caption,age\nc,Three captions,old\n")
    dataset.refresh_from_db()
    assert dataset.columns == [{"name": "age", "type": "text"}]
    ages = [record.values["age"] for record in Record.objects.filter(dataset=dataset).order_by("row")]
    assert ages == ["1", "2", "old"]


def test_a_single_title_is_a_caption_unless_titles_are_a_column(cast: Cast) -> None:
    first = run(new_import(cast, "one.csv", b"id,title\na,A red house by the sea\n"))
    dataset = first.dataset
    added(dataset, cast.bob, "two.csv", b"id,title\nb,Boats at noon\n")
    dataset.refresh_from_db()
    assert dataset.columns == []
    captions = Record.objects.filter(dataset=dataset).order_by("row").values_list("caption", flat=True)
    assert list(captions) == ["A red house by the sea", "Boats at noon"]

    lines = [f"{n}.png,{'Dress' if n % 2 else 'Shirt'}" for n in range(4)]
    many: dict[str, str | bytes] = {
        f"{n}.png": picture(colour) for n, colour in enumerate(("red", "green", "blue", "white"))
    }
    many["metadata.csv"] = "\n".join(["file_name,title", *lines])
    classes = run(new_import(cast, "many.zip", zip_of(many))).dataset
    one: dict[str, str | bytes] = {
        "4.png": picture("black"),
        "metadata.csv": "file_name,title\n4.png,Skirt\n",
    }
    added(classes, cast.bob, "one.zip", zip_of(one))
    joined = Record.objects.get(dataset=classes, row=4)
    assert (joined.caption, joined.values) == ("", {"title": "Skirt"})


def test_a_column_that_a_stopped_import_left_between_two_types_is_turned_by_the_next(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record by record, each in a transaction of its own: no append locks all records of a large dataset."""
    dataset = run(new_import(cast, "one.csv", table(5))).dataset
    words = b"id,caption,n\nx,One more caption,old\n"
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "_TURNED_AT_ONCE", 1)
        locked = Mock(side_effect=[*3 * [DEFAULT], LostClaimError], wraps=claims.lock)
        patch.setattr(ingest, "lock", locked)
        stopped = added(dataset, cast.bob, "two.csv", words)
    dataset.refresh_from_db()
    assert stopped.imported == 0
    assert dataset.columns == [{"name": "n", "type": "text", "turning": True}]
    values = [record.values["n"] for record in dataset.records.order_by("row")]
    assert [type(value) for value in values] == [str, str, int, int, int]
    added(dataset, cast.bob, "two.csv", words)
    dataset.refresh_from_db()
    assert dataset.columns == [{"name": "n", "type": "text"}]
    after = [record.values["n"] for record in dataset.records.order_by("row")]
    assert after == [*map(str, values), "old"]


def test_a_small_append_keeps_category_and_list(cast: Cast) -> None:
    lines = [f"r{n},Caption {n},{'Monet' if n % 2 else 'Manet'},{n};all" for n in range(30)]
    first = run(new_import(cast, "one.csv", "\n".join(["id,caption,artist,tags", *lines]).encode()))
    dataset = first.dataset
    few = b"id,caption,artist,tags\nx,One more,Goya,red\ny,Two more,Dali,blue\nz,Three more,Klee,1\n"
    job = added(dataset, cast.bob, "two.csv", few)
    dataset.refresh_from_db()
    assert dataset.columns == [{"name": "artist", "type": "category"}, {"name": "tags", "type": "list"}]
    assert [each["type"] for each in job.description["columns"]] == ["category", "list"]
    values = [record.values for record in Record.objects.filter(dataset=dataset).order_by("row")]
    assert values[0] == {"artist": "Manet", "tags": ["0", "all"]}
    assert values[30:] == [
        {"artist": "Goya", "tags": ["red"]},
        {"artist": "Dali", "tags": ["blue"]},
        {"artist": "Klee", "tags": ["1"]},
    ]


def test_a_list_becomes_the_text_that_a_new_record_would_have(cast: Cast) -> None:
    lists: dict[str, str | bytes] = {
        "1.png": picture("red"),
        "2.png": picture("blue"),
        "t.jsonl": '{"file": "1.png", "of": ["b", "a\\"c"]}\n{"file": "2.png", "of": []}\n',
    }
    first = run(new_import(cast, "one.zip", zip_of(lists)))
    dataset = Dataset.objects.get(pk=first.dataset_id)
    texts: dict[str, str | bytes] = {
        "3.png": picture("green"),
        "t.jsonl": '{"file": "3.png", "of": "some words that are too long for an item of a list"}',
    }
    added(dataset, cast.bob, "two.zip", zip_of(texts))
    values = [record.values for record in Record.objects.filter(dataset=dataset).order_by("row")]
    assert [each.get("of") for each in values] == [
        'b, a"c',
        None,
        "some words that are too long for an item of a list",
    ]
    again = added(dataset, cast.bob, "one.zip", zip_of(lists))
    assert (again.imported, again.skipped) == (0, 2)


def test_what_brought_nothing_binds_no_later_import(cast: Cast) -> None:
    failed = run(new_import(cast, "v.csv", vectors_table([[0.0] * 4] * 3)))
    dataset = Dataset.objects.get(pk=failed.dataset_id)
    assert (failed.state, dataset.vector_size) == (ImportState.FAILED, 4)
    job = added(dataset, cast.bob, "one.csv", table(3))
    dataset.refresh_from_db()
    assert (job.imported, dataset.vector_size) == (3, None)
    assert dataset.columns == [{"name": "n", "type": "number"}]


def test_it_refuses_vectors_of_another_size(cast: Cast) -> None:
    first = run(new_import(cast, "v.csv", vectors_table([[1, 0, 0, 0.5], [0, 1, 0, 0.5]])))
    more = vectors_table([[1, 0, 0.5], [0, 1, 0.5]], first=10)
    second = added(first.dataset, cast.alice, "w.csv", more)
    assert second.state == ImportState.FAILED
    assert "3 numbers" in second.error
    assert Record.objects.filter(dataset=first.dataset_id).count() == 2
