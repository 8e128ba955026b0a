"""What can go wrong in this package, each with a sentence a person can act on."""


class EmbeddingError(Exception):
    """The base of every error this package raises on purpose."""


class ModelError(EmbeddingError):
    """A model's name, folder or configuration is not one we can run."""


class FolderError(ModelError):
    """A file of a model's folder is missing, damaged or of another model: the sentence says where it lies."""


class WeightsError(EmbeddingError):
    """A weights file is missing, damaged, or does not belong to the model it is loaded into."""


class TrainingError(EmbeddingError):
    """A training run's settings, data or checkpoint cannot be used."""


class ItemError(EmbeddingError):
    """One text or picture of a request cannot be embedded.

    `item` is its place in the list it came in, or its file name; `reason` is a sentence without the item.
    """

    def __init__(self, item: int | str, reason: str) -> None:
        super().__init__(item, reason)
        self.item = item
        self.reason = reason

    def __str__(self) -> str:
        where = f"Item {self.item}" if isinstance(self.item, int) else self.item
        return f"{where}: {self.reason}"
