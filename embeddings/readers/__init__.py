"""Uploads of pictures and words, in the forms people have them, as rows. Knows neither Django nor torch.

with open_dataset(Path("photos.zip")) as dataset:
    description = dataset.describe()
    for item in dataset:  # Row or Skipped
        ...
"""

from embeddings.readers.dataset import Dataset, open_dataset
from embeddings.readers.limits import Limits
from embeddings.readers.reasons import DatasetError, ReadError, Reason, Skipped
from embeddings.readers.rows import (
    Choices,
    Column,
    ColumnType,
    Description,
    Form,
    Layout,
    Part,
    Picture,
    Row,
    Value,
    Vector,
)

__all__ = [
    "Choices",
    "Column",
    "ColumnType",
    "Dataset",
    "DatasetError",
    "Description",
    "Form",
    "Layout",
    "Limits",
    "Part",
    "Picture",
    "ReadError",
    "Reason",
    "Row",
    "Skipped",
    "Value",
    "Vector",
    "open_dataset",
]
