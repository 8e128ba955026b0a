from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0010_import_size"),
    ]

    operations = [
        migrations.AddField(
            model_name="import",
            name="deaths",
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
