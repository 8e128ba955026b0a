from django.db import migrations, models

#: A picked folder had tens of thousands of files, and each request that looked at the dataset read all names.
MEASURE = """UPDATE datasets_import SET file_count = jsonb_array_length(files), size = coalesce((
 SELECT sum((file ->> 'size')::bigint) FROM jsonb_array_elements(files) AS file
), 0), files = jsonb_path_query_array(files, '$[0 to 9]')"""


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0009_import_first_row"),
    ]

    operations = [
        migrations.AddField(
            model_name="import",
            name="file_count",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="import",
            name="size",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.RunSQL(MEASURE, migrations.RunSQL.noop),
    ]
