"""The verb `change_dataset`."""

from atlas.datasets.models import Dataset, Visibility
from atlas.text import one_line


def change_dataset(
    dataset: Dataset,
    *,
    name: str | None = None,
    description: str | None = None,
    visibility: Visibility | None = None,
) -> None:
    """Set what is given, and nothing else: somebody may change the rest at the same time. The slug stays, so
    that links keep working."""
    line = None if name is None else one_line(name)
    given = {"name": line, "description": description, "visibility": visibility}
    changes = {field: value for field, value in given.items() if value is not None}
    for field, value in changes.items():
        setattr(dataset, field, value)
    dataset.save(update_fields=changes)
