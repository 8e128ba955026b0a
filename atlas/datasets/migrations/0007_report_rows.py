from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0006_words")]

    operations = [
        migrations.AddField("skippeditem", "row", models.PositiveIntegerField(null=True)),
    ]
