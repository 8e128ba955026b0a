from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("maps", "0007_unfinished_vectors")]

    operations = [
        migrations.AddField(
            model_name="vectorset", name="generation", field=models.PositiveIntegerField(default=0)
        ),
    ]
