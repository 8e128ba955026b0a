"""What the maps have of records that are removed: vectors, comments, points."""

import numpy as np
from numpy.typing import NDArray

from atlas.datasets.models import Dataset
from atlas.maps import vectors
from atlas.maps.build import build_without_removed
from atlas.maps.models import Comment
from atlas.maps.publish import withdraw


def take_out(dataset: Dataset, rows: NDArray[np.int64]) -> None:
    """In the transaction that removes the records. Their points stay on the maps that are shown until a build
    has made others."""
    vectors.remove(dataset.pk, rows)
    _remove_comments(dataset, set(rows.tolist()))
    build_without_removed(dataset)
    if not dataset.record_count:
        withdraw(dataset.pk, dataset.removed_count)


def _remove_comments(dataset: Dataset, rows: set[int]) -> None:
    """With what was answered to them."""
    pinned = Comment.objects.filter(dataset=dataset, pin__has_key="row").values_list("pk", "pin")
    about = [pk for pk, pin in pinned if pin["row"] in rows]
    Comment.objects.filter(pk__in=about).delete()
