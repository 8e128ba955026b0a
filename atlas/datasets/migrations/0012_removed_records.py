import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0011_import_deaths")]

    operations = [
        migrations.AddField(
            model_name="dataset", name="removed_count", field=models.PositiveIntegerField(default=0)
        ),
        migrations.CreateModel(
            name="RemovedRecord",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "dataset_id", "row", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("row", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64, null=True)),
                ("cleared", models.BooleanField(default=False)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="removed_records",
                        to="datasets.dataset",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("cleared", False)),
                        fields=["dataset"],
                        name="removed_records_to_clear",
                    )
                ],
            },
        ),
    ]
