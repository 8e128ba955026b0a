"""The verb `describe_import`: what was understood of the uploaded files, for the user to correct."""

from uuid import UUID

from django.db import transaction

from atlas.datasets.claims import claim_import, lock, working_on
from atlas.datasets.events import publish_import
from atlas.datasets.models import ImportState
from atlas.datasets.reading import description_as_json, open_import


def describe_import(import_id: UUID) -> None:
    job = claim_import(import_id, (ImportState.DESCRIBING,), ImportState.DESCRIBING)
    if job is None:
        return
    with working_on(job):
        with open_import(job) as source:
            description = description_as_json(source.describe())
        with transaction.atomic():
            now, _ = lock(job)
            now.description, now.state, now.claim = description, ImportState.DESCRIBED, None
            now.save(update_fields=["description", "state", "claim"])
            transaction.on_commit(lambda: publish_import(now))
