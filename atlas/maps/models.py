"""Data maps, their versions, and the builds that make them."""

import uuid
from pathlib import Path

from django.conf import settings
from django.db import models
from django.urls import reverse

from atlas.datasets.models import Dataset, State
from atlas.teams.models import User


class Space(models.TextChoices):
    """Which vectors a map shows."""

    IMAGE = "image", "Images"
    CAPTION = "caption", "Captions"
    JOINT = "joint", "Images and captions"


class VectorSet(models.Model):
    """Who made the vectors of one space of a dataset, so that vectors of two makers are never compared.

    The vectors themselves are in the partitioned table of `vectors.py`.
    """

    id = models.BigAutoField(primary_key=True)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="vector_sets")
    space = models.CharField(max_length=10, choices=Space.choices)
    #: The model's name in `embeddings.models`; "" = they came with the records.
    model = models.CharField(max_length=60, blank=True)
    #: The exact weights, as `Model.revision` says.
    revision = models.CharField(max_length=100, blank=True)
    dimensions = models.PositiveIntegerField()
    #: False from when they replace those of other weights until the last of them is there.
    complete = models.BooleanField(default=True)
    #: One more whenever a row of an older build gets a vector after all, or loses it with its record: a
    #: matrix of before is out of date.
    generation = models.PositiveIntegerField(default=0)
    #: Vectors that its HNSW index was measured with, see `hnsw.py`; NULL: there is none.
    indexed_count = models.PositiveIntegerField(null=True)
    #: The least `hnsw.ef_search` that finds enough of the neighbours; NULL: none does, the scan stays.
    ef_search = models.PositiveIntegerField(null=True)
    #: The share that was found with it, or with the largest tried.
    recall = models.FloatField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["dataset", "space"], name="one_vector_set_per_dataset_and_space"),
        )

    def __str__(self) -> str:
        return f"{self.space} vectors of {self.dataset} by {self.model or 'their owner'}"


class DataMap(models.Model):
    """A 2-D projection of one space of one dataset. What it shows is its `current` version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="maps")
    space = models.CharField(max_length=10, choices=Space.choices)
    #: NULL until the first build is published; replaced in one transaction, so no half-built map is shown.
    current = models.ForeignKey("MapVersion", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["dataset", "space"], name="one_map_per_dataset_and_space"),
        )

    def __str__(self) -> str:
        return f"{self.space} map of {self.dataset}"

    def get_absolute_url(self) -> str:
        return reverse("maps:map", args=[self.dataset.team.slug, self.dataset.slug])


class Build(models.Model):
    """One run from records to published maps: a list of steps that workers claim."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="builds")
    #: Records 0…row_count-1 are in it; later ones wait for the next build.
    row_count = models.PositiveIntegerField()
    #: How many of the dataset's records had been removed when it began: it has none of these.
    removed_count = models.PositiveIntegerField(default=0)
    #: True: old points stay, only new rows are placed, as long as these are not too many for the old layout.
    #: False: everything is projected anew.
    append = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("created_at",)
        constraints = (
            # A second import while a build runs waits: its end starts the next build.
            models.UniqueConstraint(
                fields=["dataset"],
                condition=models.Q(state__in=[State.QUEUED, State.RUNNING]),
                name="one_open_build_per_dataset",
            ),
        )

    def __str__(self) -> str:
        return f"build of {self.dataset}: {self.state}"


class Stage(models.TextChoices):
    """The stages in their order; a step starts when all steps of earlier stages of its space are done."""

    EMBED = "embed", "Embedding"
    PROJECT = "project", "Projection"
    TOPICS = "topics", "Topics"
    TILES = "tiles", "Tiles and thumbnails"
    PUBLISH = "publish", "Publishing"


class Step(models.Model):
    """A piece of work that one worker claims, does and marks done; it may die at any line and run again."""

    id = models.BigAutoField(primary_key=True)
    build = models.ForeignKey(Build, on_delete=models.CASCADE, related_name="steps")
    stage = models.CharField(max_length=10, choices=Stage.choices)
    space = models.CharField(max_length=10, choices=Space.choices, blank=True)
    #: The rows [start, stop) of an embedding shard; NULL for steps over the whole space.
    start = models.PositiveIntegerField(null=True)
    stop = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=1)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: When its number was last given to Celery; NULL = its prerequisites were not done yet.
    sent_at = models.DateTimeField(null=True)
    #: The run that holds it: a run writes under its own claim only, so a worker taken for dead stops.
    claim = models.UUIDField(null=True)
    #: Last sign of life of the worker that runs it; an older one means that it was killed.
    heartbeat_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["build", "stage", "space", "start"],
                nulls_distinct=False,
                name="one_step_per_piece_of_work",
            ),
        )

    def __str__(self) -> str:
        return f"{self.stage} {self.space} {self.start or ''}: {self.state}"


class MapVersion(models.Model):
    """The published files of one build of one map: immutable, served under its own id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    map = models.ForeignKey(DataMap, on_delete=models.CASCADE, related_name="versions")
    build = models.ForeignKey(Build, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    #: Points on it: the dataset's rows that have a vector in this space.
    count = models.PositiveIntegerField()
    #: The version that laid its points out, kept or not. Later ones have it as long as points and topics stay
    #: where they are: a link that names it means the same on all of them, and nothing on others.
    layout = models.UUIDField(default=uuid.uuid4)
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["map", "number"], name="one_version_per_map_and_number"),
            models.UniqueConstraint(fields=["map", "build"], name="one_version_per_map_and_build"),
        )

    def __str__(self) -> str:
        return f"{self.map}, version {self.number}"

    @property
    def folder(self) -> Path:
        """Its files, see FORMAT.md. By dataset, so that what a deleted dataset leaves can be found."""
        return version_folder(self.map.dataset_id, self.pk)


def version_folder(dataset_id: uuid.UUID, version_id: uuid.UUID) -> Path:
    return Path(settings.ATLAS_HOME) / "maps" / str(dataset_id) / str(version_id)


class Comment(models.Model):
    """What somebody says about a record, a place or a region of a map, or a selection; or a reply to that."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="comments")
    #: The comment that it answers; a reply has no pin and no replies of its own.
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="replies")
    #: {"row"}, {"map", "x", "y"}, {"map", "region"} or {"filter"}, see `comments.py`; {} of a reply.
    pin = models.JSONField(default=dict)
    text = models.TextField(max_length=5000)
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    #: What the author was called then; a visitor by link says a name.
    author_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    #: When its author changed what it says; NULL: never.
    edited_at = models.DateTimeField(null=True)
    resolved = models.BooleanField(default=False)

    class Meta:
        ordering = ("created_at", "id")
        indexes = (models.Index(fields=["dataset", "created_at"], name="comments_of_a_dataset"),)

    def __str__(self) -> str:
        return f"{self.author_name}: {self.text[:60]}"


class Saved(models.Model):
    """What somebody keeps of the explorer under a name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ("name", "created_at")

    def __str__(self) -> str:
        return self.name


class SavedView(Saved):
    """What the explorer showed at one moment: `#view=<id>` opens it again."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="saved_views")
    #: The explorer's link: the part of its address after "#".
    hash = models.TextField(max_length=100_000)
    #: False: listed for its maker only; whoever may see the dataset can open it by its id all the same.
    shared = models.BooleanField(default=True)


class Topic(models.Model):
    """A named region of a map version, at one of several levels (0 = coarsest)."""

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey(MapVersion, on_delete=models.CASCADE, related_name="topics")
    #: Its number in the version's topic columns.
    number = models.PositiveIntegerField()
    level = models.PositiveSmallIntegerField()
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="children")
    name = models.CharField(max_length=200)
    #: What an editor calls it; "" = by the name that the build found.
    given_name = models.CharField(max_length=80, blank=True)
    count = models.PositiveIntegerField()
    #: The row of its most representative record.
    representative = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["version", "level", "number"], name="one_topic_per_level_and_number"
            ),
        )

    def __str__(self) -> str:
        return self.given_name or self.name
