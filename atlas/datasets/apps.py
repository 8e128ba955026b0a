from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "atlas.datasets"

    def ready(self) -> None:
        from atlas.datasets import members  # noqa: F401  # connects the receiver
