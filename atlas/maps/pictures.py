"""The thumbnails of a dataset's pictures, by row."""

from dataclasses import dataclass
from typing import Self

from django.core.files.storage import default_storage

from atlas.datasets.models import Dataset, Record, thumbnail_name
from atlas.maps.build import content
from atlas.maps.models import Space
from atlas.maps.steps import Watch


@dataclass(frozen=True)
class Thumbnails:
    names: dict[int, str]

    @classmethod
    def of(cls, dataset: Dataset, watch: Watch) -> Self:
        pictures = content(Record.objects.filter(dataset=dataset), Space.IMAGE)
        stored = watch.over(pictures.values_list("row", "sha256").iterator(5000))
        return cls({row: thumbnail_name(dataset.pk, sha256) for row, sha256 in stored if sha256})

    def load(self, row: int) -> bytes | None:
        """None where the file is gone, or never was."""
        if row not in self.names:
            return None
        try:
            with default_storage.open(self.names[row]) as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None
