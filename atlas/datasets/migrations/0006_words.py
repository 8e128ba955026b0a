"""The words of records for full-text search, as a column that Postgres itself keeps: COPY fills it too."""

from typing import Any

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Captions weigh more (A) than columns, keys and file names (D). The dataset is a word as well, so that the
# index finds the words of one dataset without reading those of all. A tsvector holds at most 1 MB: from
# records with more text than is sure to fit, only the first caption is taken.
_WORDS = """
ALTER TABLE datasets_record ADD COLUMN words tsvector GENERATED ALWAYS AS (
    array_to_tsvector(ARRAY[dataset_id::text])
    || to_tsvector('atlas_words',
        translate(left(coalesce(key, '') || ' ' || substring(source FROM '[^/]*$'), 1000), '_-./:', '     '))
    || CASE WHEN octet_length(captions::text) + octet_length("values"::text) < 200000
       THEN setweight(jsonb_to_tsvector('atlas_words', captions, '["string"]'), 'A')
            || jsonb_to_tsvector('atlas_words', "values", '["string"]')
       ELSE setweight(to_tsvector('atlas_words', left(caption, 10000)), 'A') END
) STORED;
CREATE INDEX words_of_records ON datasets_record USING gin (words);
CREATE INDEX records_by_key ON datasets_record (dataset_id, lower(left(key, 200))) WHERE key IS NOT NULL;
CREATE INDEX records_by_file_name
    ON datasets_record (dataset_id, lower(left(substring(source FROM '[^/]*$'), 200)));
"""


def add_words(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    language = schema_editor.quote_name(settings.ATLAS_LANGUAGE)
    schema_editor.execute(f"CREATE TEXT SEARCH CONFIGURATION atlas_words (COPY = pg_catalog.{language})")
    schema_editor.execute(_WORDS)


def remove_words(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute("DROP INDEX records_by_file_name, records_by_key, words_of_records")
    schema_editor.execute("ALTER TABLE datasets_record DROP COLUMN words")
    schema_editor.execute("DROP TEXT SEARCH CONFIGURATION atlas_words")


class Migration(migrations.Migration):
    dependencies = (("datasets", "0005_tags"),)

    operations = (migrations.RunPython(add_words, remove_words),)
