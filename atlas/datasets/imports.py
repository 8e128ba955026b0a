"""The verbs of an import: begun, started, cancelled, corrected, tried again, found where a worker was killed.

Every change of state is an update with the old state in its condition: of two that want different things the
first wins, and the other is told so.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.text import slugify

from atlas.datasets.claims import announce_records
from atlas.datasets.events import publish_import
from atlas.datasets.models import Dataset, Import, ImportState, Upload, Visibility
from atlas.datasets.queue import BYTES, priority, send_on_commit
from atlas.datasets.reading import FILES_GONE
from atlas.patience import SILENCE
from atlas.slugs import save_with_free_slug
from atlas.teams.models import Team, User
from atlas.text import one_line

#: A message that no worker has taken up for so long is sent again; a second one does no harm.
MESSAGE_LOST = timedelta(seconds=60)

#: Of an import whose files people are told; a picked folder has tens of thousands.
NAMED_FILES = 10

OPEN = (ImportState.DESCRIBING, ImportState.DESCRIBED, ImportState.QUEUED, ImportState.RUNNING)
#: The task that an import in this state is waiting for or held by.
TASKS = {
    ImportState.DESCRIBING: "describe_import",
    ImportState.QUEUED: "run_import",
    ImportState.RUNNING: "run_import",
}


class ImportRefusedError(Exception):
    """What was asked does not fit the state of things; one sentence for the user."""


class UnknownColumnError(Exception):
    """A choice names a column that the files do not have; one sentence for the user."""


@transaction.atomic
def create_dataset(
    team: Team,
    name: str,
    user: User,
    uploads: Sequence[Upload],
    *,
    description: str = "",
    visibility: Visibility = Visibility.PRIVATE,
) -> Dataset:
    """A new dataset and its first import. Raises ImportRefusedError.

    Without a name it is called after the first file.
    """
    name = one_line(name.strip() or _name_after(uploads))
    dataset = Dataset(
        team=team, name=name[:120], description=description, visibility=visibility, created_by=user,
        model=settings.ATLAS_MODEL,
    )  # fmt: skip
    others = Dataset.objects.filter(team=team)
    save_with_free_slug(dataset, slugify(dataset.name) or "dataset", others, 80)
    append(dataset, user, uploads)
    return dataset


@transaction.atomic
def append(dataset: Dataset, user: User, uploads: Sequence[Upload]) -> Import:
    """A new import into a dataset: its files are described first. Raises ImportRefusedError."""
    if not uploads:
        raise ImportRefusedError("Upload at least one file first.")
    for upload in uploads:
        if not upload.complete:
            raise ImportRefusedError(f"{upload.filename} has not been uploaded completely.")
    _claim_uploads(uploads)
    job = Import.objects.create(
        dataset=dataset,
        created_by=user,
        files=[
            {"filename": upload.relative_path or upload.filename, "size": upload.size}
            for upload in uploads[:NAMED_FILES]
        ],
        file_count=len(uploads),
        size=sum(upload.size for upload in uploads),
    )
    job.uploads.set(uploads)
    _send(job)
    transaction.on_commit(lambda: publish_import(job))
    return job


def start_import(job: Import, choices: dict[str, Any]) -> None:
    """Go, with what the user corrected (as `Choices`, see `reading.py`).

    Raises UnknownColumnError, and ImportRefusedError unless it was described and its files are still here.
    """
    _check_columns(job, choices)
    if job.state == ImportState.DESCRIBED:
        _check_files(job)
    _move(
        job,
        (ImportState.DESCRIBED,),
        ImportState.QUEUED,
        "This import has been started already.",
        choices=choices,
        started_at=timezone.now(),
        heartbeat_at=Now(),
    )


def cancel_import(job: Import) -> None:
    """Stop it. A worker notices at its next batch; what was imported stays. Raises ImportRefusedError."""
    _move(job, OPEN, ImportState.CANCELLED, "This import is over already.", finished_at=timezone.now())
    announce_records(job)


def retry_import(job: Import) -> None:
    """Go on where it stopped. Raises ImportRefusedError when the files are gone."""
    _check_files(job)
    # What was corrected is said of a description: one that is made again is corrected anew.
    again: dict[str, Any] = {} if job.started_at else {"choices": {}}
    _move(
        job,
        (ImportState.FAILED, ImportState.CANCELLED),
        ImportState.QUEUED if job.started_at else ImportState.DESCRIBING,
        "Only an import that failed or was cancelled can be tried again.",
        error="",
        finished_at=None,
        heartbeat_at=Now(),
        **again,
    )


@transaction.atomic
def review_import(job: Import) -> None:
    """Back to what was understood of it, to be corrected. Raises ImportRefusedError when it brought records
    or the files are gone."""
    _check_files(job)
    refusal = "Only an import that failed or was cancelled before it brought a record can be corrected."
    _move(
        job,
        (ImportState.FAILED, ImportState.CANCELLED),
        ImportState.DESCRIBED,
        refusal,
        error="",
        started_at=None,
        finished_at=None,
        first_row=None,
        read=0,
        skipped=0,
        total=None,
        rate=None,
    )
    # Asked when it is locked; the refusal takes the move back.
    if job.imported or not job.description:
        raise ImportRefusedError(refusal)
    job.skipped_items.all().delete()


def requeue_orphans() -> int:
    """Send the imports again whose worker was killed or whose message was lost; returns how many."""
    silent = Q(heartbeat_at__isnull=True, created_at__lt=Now() - MESSAGE_LOST) | Q(
        heartbeat_at__lt=Now() - SILENCE
    )
    orphans = Import.objects.filter(silent, state__in=TASKS, dataset__deleting=False)
    for job in orphans:
        _send(job)
    return len(orphans)


def _send(job: Import) -> None:
    send_on_commit(TASKS[ImportState(job.state)], job.pk, level=priority(job.size, BYTES))


def _claim_uploads(uploads: Sequence[Upload]) -> None:
    """Locked until the transaction ends: of two imports that want them one comes first."""
    own = Upload.objects.filter(pk__in=[upload.pk for upload in uploads])
    here = own.select_for_update().order_by("pk").values_list("pk", flat=True)
    if len(here) < len(uploads):
        raise ImportRefusedError(FILES_GONE)
    # Asked when they are locked: what was read before may be out of date.
    if taken := own.filter(imports__isnull=False).first():
        raise ImportRefusedError(f"{taken.filename} belongs to another import already.")


def _check_files(job: Import) -> None:
    if not job.has_its_files:
        raise ImportRefusedError(FILES_GONE)


def _check_columns(job: Import, choices: dict[str, Any]) -> None:
    known = {
        *job.description.get("all_columns", ()),
        *(each["name"] for each in job.description.get("columns", ())),
    }
    named = [
        choices.get("picture"),
        choices.get("id"),
        choices.get("vector"),
        *(choices.get("captions") or ()),
    ]
    for name in [*named, *choices.get("types", ()), *choices.get("leave_out", ())]:
        if name and name not in known:
            raise UnknownColumnError(f"The files have no column called “{name}”.")


def _move(
    job: Import, before: Iterable[ImportState], after: ImportState, refusal: str, **fields: Any
) -> None:
    with transaction.atomic():
        # A worker that still holds it lets go by itself once it has stopped; nobody else starts before.
        changed = Import.objects.filter(pk=job.pk, state__in=before).update(state=after, deaths=0, **fields)
        job.refresh_from_db()
        if not changed:
            raise ImportRefusedError(refusal)
        if after in TASKS:
            _send(job)
        transaction.on_commit(lambda: publish_import(job))


def _name_after(uploads: Sequence[Upload]) -> str:
    """ "fruit.tar.gz" → "Fruit"; a folder's files → the folder's name."""
    if not uploads:
        return "Dataset"
    first = uploads[0].relative_path.partition("/")[0] or uploads[0].filename
    stem = first
    while (shorter := PurePosixPath(stem).stem) != stem:
        stem = shorter
    words = stem.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:] or "Dataset"
