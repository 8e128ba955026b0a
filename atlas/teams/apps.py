from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "atlas.teams"

    def ready(self) -> None:
        from atlas.teams import audit_signals, signals  # noqa: F401  # connects the receivers
