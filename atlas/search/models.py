"""Searches that people keep."""

import uuid

from django.db import models

from atlas.datasets.models import Dataset
from atlas.teams.models import User


class SavedSearch(models.Model):
    """A query under a name, for its maker alone or for all who work on the dataset."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=100)
    #: The explorer's link: the part of its address after "#".
    query = models.TextField(max_length=100_000)
    shared = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "created_at")

    def __str__(self) -> str:
        return self.name
