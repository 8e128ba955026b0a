from django.apps import AppConfig


class MapsConfig(AppConfig):
    name = "atlas.maps"

    def ready(self) -> None:
        from atlas.maps import signals  # noqa: F401  # connects the receivers
