from typing import Any

from django.db import migrations

from atlas.teams.sealing import seal, unseal
from atlas.teams.second_steps import change_secrets


def seal_all(apps: Any, _: Any) -> None:
    change_secrets(apps.get_model("mfa", "Authenticator").objects, seal)


def unseal_all(apps: Any, _: Any) -> None:
    change_secrets(apps.get_model("mfa", "Authenticator").objects, unseal)


class Migration(migrations.Migration):
    """Second steps that were set up before their secrets were sealed."""

    dependencies = [
        ("teams", "0004_keys_and_audit"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(seal_all, unseal_all)]
