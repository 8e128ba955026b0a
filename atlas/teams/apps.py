from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TeamsConfig(AppConfig):
    name = "atlas.teams"

    def ready(self) -> None:
        from atlas.teams import audit_signals, signals  # noqa: F401  # connects the receivers

        post_migrate.connect(signals.seal_with_the_present_key, sender=self)
