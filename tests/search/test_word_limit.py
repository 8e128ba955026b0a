"""Outside of any other transaction, as the query worker looks words up: in a file of its own, for it empties
the database."""

import pytest
from django.db import connection

from atlas.search import words
from tests.maps.records import add_records, make_dataset


@pytest.mark.django_db(transaction=True)
def test_the_limit_of_time_ends_with_the_words_and_so_does_what_it_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset = make_dataset()
    add_records(dataset, 9, captions=True)

    def limit() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return str(cursor.fetchone()[0])

    before = limit()
    with monkeypatch.context() as patch:
        patch.setattr(words, "_QUERY", "SET LOCAL statement_timeout = {milliseconds}; SELECT pg_sleep(20)")
        with pytest.raises(words.TooLongError):
            words.find_words(dataset.pk, 9, ["red"], [], seconds=0.05)
    found = words.find_words(dataset.pk, 9, ["red"], [], seconds=5)

    assert found.rows.tolist() == [0, 8]
    assert limit() == before
