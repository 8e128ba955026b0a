"""Searches that people keep, and the pictures that they search with."""

from django.db import models
from django.utils import timezone

from atlas.datasets.models import Dataset
from atlas.maps.models import Saved


class SavedSearch(Saved):
    """A query, for its maker alone or for all who see the dataset."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="saved_searches")
    #: The explorer's link: the part of its address after "#".
    query = models.TextField(max_length=100_000)
    shared = models.BooleanField(default=False)


class QueryPicture(models.Model):
    """A picture of somebody's query, see `pictures.py`."""

    id = models.BigAutoField(primary_key=True)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="query_pictures")
    #: The first half of its content's SHA-256, in hex.
    key = models.CharField(max_length=32)
    #: WebP, at most 384 pixels a side.
    content = models.BinaryField()
    #: When somebody last searched with it or looked at it, to a day.
    used_at = models.DateTimeField(default=timezone.now, db_index=True)
    #: Whether all who sent it were not signed in.
    nameless = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["key", "dataset"], name="one_query_picture_per_key_and_dataset"),
        )

    def __str__(self) -> str:
        return f"query picture {self.key} of {self.dataset}"
