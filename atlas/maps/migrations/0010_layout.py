import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("maps", "0009_build_removed_count")]

    operations = [
        migrations.AddField(
            model_name="mapversion", name="layout", field=models.UUIDField(default=uuid.uuid4)
        ),
        # Nobody wrote down which of them were appended to which.
        migrations.RunSQL("UPDATE maps_mapversion SET layout = id", migrations.RunSQL.noop),
    ]
