"""The verb `change_dataset`."""

from atlas.datasets.models import Dataset, Visibility


def change_dataset(
    dataset: Dataset,
    *,
    name: str | None = None,
    description: str | None = None,
    visibility: Visibility | None = None,
) -> None:
    """Set what is given. The slug stays, so that links keep working."""
    if name is not None:
        dataset.name = name.strip()
    if description is not None:
        dataset.description = description
    if visibility is not None:
        dataset.visibility = visibility
    dataset.save(update_fields=["name", "description", "visibility"])
