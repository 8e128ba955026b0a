"""New records start a build, removed ones too; a deleted dataset takes its vectors and maps along."""

import logging
from typing import Any
from uuid import UUID

import numpy as np
from django.dispatch import receiver
from numpy.typing import NDArray

from atlas.datasets.models import Dataset
from atlas.datasets.signals import dataset_deleted, records_imported, records_removed
from atlas.maps.build import BuildError, create_build
from atlas.maps.publish import remove_everything
from atlas.maps.removal import take_out

log = logging.getLogger(__name__)


@receiver(records_imported)
def build_new_records(sender: Any, dataset_id: UUID, **_: Any) -> None:  # noqa: ARG001 - Django's signature
    try:
        create_build(dataset_id, append=True)
    except BuildError as reason:
        # The build that is open ends with a look for newer records.
        log.info("dataset %s: no build now: %s", dataset_id, reason)


@receiver(records_removed)
def remove_from_maps(sender: Any, dataset: Dataset, rows: NDArray[np.int64], **_: Any) -> None:  # noqa: ARG001 - Django's signature
    take_out(dataset, rows)


@receiver(dataset_deleted)
def remove_maps(sender: Any, dataset_id: UUID, **_: Any) -> None:  # noqa: ARG001 - Django's signature
    remove_everything(dataset_id)
