"""Datasets, their records, and how they come in: uploads and imports."""

import uuid
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse

from atlas.teams.asker import Asker
from atlas.teams.models import Guest, GuestRole, Role, Scope, ShareLink, Team, User


class Visibility(models.TextChoices):
    PRIVATE = "private", "Private: the team only"
    LINK = "link", "By link: the team, and whoever has a share link"
    PUBLIC = "public", "Public: anyone"


class DatasetQuerySet(models.QuerySet["Dataset"]):
    """Every query starts with one of these: access is a filter, so what may not be seen does not exist."""

    def visible_to(self, asker: Asker) -> "DatasetQuerySet":
        return self._open_to(asker, asker.links)

    def with_originals_for(self, asker: Asker) -> "DatasetQuerySet":
        """The visible ones whose pictures may be had as they were uploaded."""
        return self._open_to(asker, [link for link in asker.links if not link.hide_originals])

    def with_captions_for(self, asker: Asker) -> "DatasetQuerySet":
        """The visible ones whose captions may be read."""
        return self._open_to(asker, [link for link in asker.links if not link.hide_captions])

    def commentable_by(self, asker: Asker) -> "DatasetQuerySet":
        return self.discussed_by(asker) if asker.may_write else self.none()

    def discussed_by(self, asker: Asker) -> "DatasetQuerySet":
        """Those of which the asker may read what is said: by those who may comment, and by their keys."""
        links = [link for link in asker.links if link.scope in (Scope.COMMENT, Scope.TAG)]
        return self.filter(_workers(asker) | _linked(links), deleting=False)

    def worked_on_by(self, asker: Asker) -> "DatasetQuerySet":
        """Those of which the asker may read who did what: no visitor by link, who may be anybody."""
        return self.filter(_workers(asker), deleting=False)

    def taggable_by(self, asker: Asker) -> "DatasetQuerySet":
        links = [link for link in asker.links if link.scope == Scope.TAG]
        return self.filter(
            _team(asker, Role.EDITOR) | _guest(asker, GuestRole.EDITOR) | _linked(links), deleting=False
        )

    def editable_by(self, asker: Asker) -> "DatasetQuerySet":
        return self.filter(_team(asker, Role.EDITOR) | _guest(asker, GuestRole.EDITOR), deleting=False)

    def owned_by(self, asker: Asker) -> "DatasetQuerySet":
        return self.filter(_team(asker, Role.OWNER), deleting=False)

    def shared_with(self, asker: Asker) -> "DatasetQuerySet":
        """What the asker sees as a guest or by a link."""
        return self.filter(_guest(asker, GuestRole.VIEWER) | _linked(asker.links), deleting=False)

    def _open_to(self, asker: Asker, links: Iterable[ShareLink]) -> "DatasetQuerySet":
        opens = Q(visibility=Visibility.PUBLIC)
        # What can open nothing is left out: every search asks this, and to write it out takes its time.
        if asker.user.is_authenticated:
            opens |= _team(asker, Role.VIEWER) | _guest(asker, GuestRole.VIEWER)
        if links := list(links):
            opens |= _linked(links)
        return self.filter(opens, deleting=False)


def _team(asker: Asker, at_least: Role) -> Q:
    return Q(team__in=Team.objects.of(asker, at_least))


def _guest(asker: Asker, at_least: GuestRole) -> Q:
    return Q(pk__in=Guest.objects.of(asker, at_least).values("dataset_id"))


def _workers(asker: Asker) -> Q:
    return _team(asker, Role.VIEWER) | _guest(asker, GuestRole.COMMENTER)


def _linked(links: Iterable[ShareLink]) -> Q:
    """Links sleep while their dataset is private."""
    return Q(pk__in=[link.dataset_id for link in links]) & ~Q(visibility=Visibility.PRIVATE)


class Dataset(models.Model):
    """A set of records that were uploaded together or appended later."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="datasets")
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=80)
    description = models.TextField(blank=True, max_length=10_000)
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PRIVATE)
    #: The pair of towers that embeds it, by its name in `embeddings.models`.
    model = models.CharField(max_length=60)
    #: The next free row number = records ever imported; row numbers are never reused.
    row_count = models.PositiveIntegerField(default=0)
    #: How many of these were removed: `RemovedRecord` has their numbers.
    removed_count = models.PositiveIntegerField(default=0)
    #: The records' own columns, in order: [{"name": str, "type": "category|number|date|text|list"}].
    columns = models.JSONField(default=list)
    #: Dimensions of the vectors that came with the records (see `vectors.py`); NULL: the towers embed them.
    vector_size = models.PositiveIntegerField(null=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    #: Other sites that may show it in a frame while it is public, as the header of the page names them.
    embed_hosts = models.JSONField(default=list)
    #: Set when its owner deletes it: hidden from then on, removed by a task that may be run again.
    deleting = models.BooleanField(default=False)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=["team", "slug"], name="one_dataset_per_team_and_slug"),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("datasets:dataset", args=[self.team.slug, self.slug])

    @property
    def record_count(self) -> int:
        """The records that there are."""
        return self.row_count - self.removed_count

    def folder(self, kind: str) -> str:
        """Where the files of one kind ("originals", "thumbnails") lie in the storage: deleted as a whole."""
        return f"{kind}/{self.pk}"


class Record(models.Model):
    """One item: picture and/or captions plus its own columns.

    Loaded by COPY (see `ingest.py`), so no `save()` hook would ever run.
    """

    pk = models.CompositePrimaryKey("dataset_id", "row")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="records")
    #: Its number in the dataset, 0…N-1, never reused, never moved: the row of every vector matrix.
    row = models.PositiveIntegerField()
    #: The id that the uploaded data gave it; unique in the dataset where there is one.
    key = models.TextField(null=True)
    #: Where it came from: "fruit.zip/images/1.jpg", "table.csv:12".
    source = models.TextField()
    #: The first caption is the one that is embedded and shown; "" = none.
    caption = models.TextField(blank=True)
    captions = models.JSONField(default=list)
    #: {column name: value}; dates as ISO strings.
    values = models.JSONField(default=dict)
    #: The original's content address, in hex; NULL = no picture. File: `originals/<dataset>/<ab>/<sha256>`.
    sha256 = models.CharField(max_length=64, null=True)
    #: Of the upright picture, EXIF orientation applied, in pixels.
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    #: Pillow's name: JPEG, PNG, WEBP, …
    format = models.CharField(max_length=12, null=True)
    #: Bytes of the original.
    size = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["dataset", "key"],
                condition=Q(key__isnull=False),
                name="one_record_per_dataset_and_key",
            ),
        )

    def __str__(self) -> str:
        return self.key or f"record {self.row}"

    @property
    def original(self) -> str | None:
        """The storage name of the picture as uploaded, byte for byte."""
        return self.sha256 and original_name(self.dataset_id, self.sha256)

    @property
    def thumbnail(self) -> str | None:
        """The storage name of its WebP thumbnail, longest side 256."""
        return self.sha256 and thumbnail_name(self.dataset_id, self.sha256)


class RemovedRecord(models.Model):
    """A row that is empty for ever: its record was removed (see `remove.py`)."""

    pk = models.CompositePrimaryKey("dataset_id", "row")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="removed_records")
    row = models.PositiveIntegerField()
    #: Of its picture; NULL = it had none, or the files are gone.
    sha256 = models.CharField(max_length=64, null=True)
    #: Whether its files and its own vector are gone, too.
    cleared = models.BooleanField(default=False)

    class Meta:
        indexes = (
            models.Index(fields=["dataset"], condition=Q(cleared=False), name="removed_records_to_clear"),
        )

    def __str__(self) -> str:
        return f"removed record {self.row}"


def original_name(dataset_id: uuid.UUID, sha256: str) -> str:
    return f"originals/{dataset_id}/{sha256[:2]}/{sha256}"


def thumbnail_name(dataset_id: uuid.UUID, sha256: str) -> str:
    return f"thumbnails/{dataset_id}/{sha256[:2]}/{sha256}.webp"


class UploadQuerySet(models.QuerySet["Upload"]):
    def of(self, asker: Asker) -> "UploadQuerySet":
        """A person's own; of an API key those that came with a key of its team."""
        if not asker.user.is_authenticated:
            return self.none()
        own = self.filter(user=asker.user)
        return own if asker.key is None else own.filter(team=asker.key.team_id)


class Upload(models.Model):
    """A file on its way in, by the tus protocol; its bytes: `ATLAS_HOME/uploads/<id>` until imported."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="uploads")
    #: That of the API key with which it came; NULL: the person brought it, and no key sees it.
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, related_name="+")
    #: As the browser named it: a label, never a path of ours.
    filename = models.CharField(max_length=255)
    #: The folder-relative path for files picked as a folder, else "".
    relative_path = models.CharField(max_length=1000, blank=True)
    size = models.PositiveBigIntegerField()
    #: Bytes safely here. The length of the file is the truth, this follows it (see `uploads.py`).
    offset = models.PositiveBigIntegerField(default=0)
    #: A request that promised a checksum is writing: what the file holds beyond `offset` does not count yet.
    unchecked = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects = UploadQuerySet.as_manager()

    def __str__(self) -> str:
        return self.filename

    @property
    def complete(self) -> bool:
        return self.offset == self.size

    @property
    def path(self) -> Path:
        return Path(settings.ATLAS_HOME) / "uploads" / str(self.pk)


class State(models.TextChoices):
    """Of any job kept in Postgres. Celery only carries its number; the row says what is true."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class ImportState(models.TextChoices):
    DESCRIBING = "describing", "Looking at the files"
    DESCRIBED = "described", "Waiting for your go"
    QUEUED = "queued", "Waiting for a worker"
    RUNNING = "running", "Importing"
    DONE = "done", "Imported"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class ImportManager(models.Manager["Import"]):
    def get_queryset(self) -> models.QuerySet["Import"]:
        """Descriptions hold pictures and are wanted by few: they are read when they are asked for."""
        return super().get_queryset().defer("description", "choices")


class Import(models.Model):
    """One run of the readers over uploaded files, into records.

    Batches are committed with `read`, so a killed worker repeats at most one batch (see `ingest.py`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="imports")
    uploads = models.ManyToManyField(Upload, related_name="imports")
    #: The first of what was uploaded, for people: [{"filename": str, "size": int}]; outlives the uploads.
    files = models.JSONField(default=list)
    file_count = models.PositiveIntegerField(default=0)
    #: Bytes of all files.
    size = models.PositiveBigIntegerField(default=0)
    #: What the readers understood, as shown to the user before the start; {} until then.
    description = models.JSONField(default=dict)
    #: What the user corrected (`embeddings.readers.Choices` as JSON).
    choices = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.DESCRIBING)
    #: NULL until the user has confirmed the description and started it.
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    #: Last sign of life of the worker that describes or runs it; an older one means that it was killed.
    heartbeat_at = models.DateTimeField(null=True)
    #: The run that holds it: a batch commits under its own claim only, so a worker taken for dead stops.
    claim = models.UUIDField(null=True)
    #: Runs that ended with their worker since a batch went in, or since somebody started it.
    deaths = models.PositiveSmallIntegerField(default=0)
    #: How many records the dataset had before its first batch; NULL until then.
    first_row = models.PositiveIntegerField(null=True)
    #: Items read so far, in the readers' order: imported + skipped. The place to resume.
    read = models.PositiveIntegerField(default=0)
    imported = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    #: Items in all, where the form tells before reading; else NULL.
    total = models.PositiveIntegerField(null=True)
    #: Items a second, lately; NULL before the first batch.
    rate = models.FloatField(null=True)
    #: Why it failed, as a sentence for the user.
    error = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ImportManager()

    class Meta:
        ordering = ("created_at",)

    def __str__(self) -> str:
        return f"import into {self.dataset}: {self.state}"

    @property
    def more_files(self) -> int:
        """How many there are besides the first."""
        return self.file_count - 1

    @property
    def file_names(self) -> str:
        """ "fruit.zip and 3 more"."""
        first = self.files[0]["filename"]
        return f"{first} and {self.more_files} more" if self.more_files else str(first)

    @property
    def has_its_files(self) -> bool:
        """Whether none of the uploads that it reads has expired. A query."""
        return self.uploads.count() == self.file_count

    @property
    def open(self) -> bool:
        """Whether somebody or something still has to act."""
        return self.state not in (ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED)

    @property
    def seconds_left(self) -> int | None:
        """None where it cannot be told."""
        if self.state != ImportState.RUNNING or not self.rate or self.total is None:
            return None
        return round(max(0, self.total - self.read) / self.rate)


class Tag(models.Model):
    """A word that people put on records."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=60)
    #: Its place in the palette of the pages.
    colour = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("created_at", "id")
        constraints = (
            models.UniqueConstraint("dataset", Lower("name"), name="one_tag_per_dataset_and_name"),
        )

    def __str__(self) -> str:
        return self.name


class TaggedRecord(models.Model):
    """A tag on a record: who put it there, and when."""

    id = models.BigAutoField(primary_key=True)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="tagged")
    row = models.PositiveIntegerField()
    who = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["tag", "row"], name="one_tag_per_record"),)

    def __str__(self) -> str:
        return f"{self.tag} on {self.row}"


class Event(models.Model):
    """A line of a dataset's activity: who did what, for the people who work on it together."""

    id = models.BigAutoField(primary_key=True)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="events")
    #: A stable machine word: "uploaded", "renamed", "shared", …
    verb = models.CharField(max_length=30)
    #: NULL: somebody without an account, or whose account is gone.
    who = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    #: The rest of the sentence: "added 120 records from fruit.zip".
    text = models.CharField(max_length=300)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["dataset", "-id"], name="events_of_a_dataset"),)

    def __str__(self) -> str:
        return f"{self.who or 'somebody'} {self.text}"


class SkippedItem(models.Model):
    """A line of the import report: what was left out and why, or a remark about a record."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="skipped_items")
    #: The record that it is about; NULL = it did not become one.
    row = models.PositiveIntegerField(null=True)
    source = models.TextField()
    #: A stable machine word: `embeddings.readers.Reason`, or one of those in `report.py`.
    reason = models.CharField(max_length=30)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"
