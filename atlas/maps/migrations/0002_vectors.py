"""The table of vectors: partitioned by dataset, so not a model (see `vectors.py`)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("maps", "0001_initial")]

    operations = [
        migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS vector", migrations.RunSQL.noop),
        migrations.RunSQL(
            """
            CREATE TABLE maps_vector (
                dataset_id uuid NOT NULL,
                space text NOT NULL,
                row integer NOT NULL,
                vector halfvec NOT NULL,
                PRIMARY KEY (dataset_id, space, row)
            ) PARTITION BY LIST (dataset_id)
            """,
            "DROP TABLE maps_vector",
        ),
    ]
