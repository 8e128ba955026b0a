from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("maps", "0008_vector_generation")]

    operations = [
        migrations.AddField(
            model_name="build", name="removed_count", field=models.PositiveIntegerField(default=0)
        ),
    ]
