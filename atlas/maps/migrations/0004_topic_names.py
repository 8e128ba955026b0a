from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("maps", "0003_comments_and_views"),
    ]

    operations = [
        migrations.AddField(
            model_name="topic",
            name="given_name",
            field=models.CharField(blank=True, max_length=80),
        ),
    ]
