"""What this room announces; rooms above listen. Receivers must be idempotent: all but
`records_removed` may be sent again."""

from django.dispatch import Signal

#: `dataset_id: UUID`: new records can be read. Sent after the commit.
records_imported = Signal()

#: `dataset: Dataset, rows: NDArray[np.int64]`: the records of these rows are removed. Sent inside the
#: transaction, with the dataset locked: what was derived from them goes in the same moment.
records_removed = Signal()

#: `dataset_id: UUID`: its records and files are gone; remove whatever was derived from them. The row of the
#: dataset itself goes last, after the receivers, so a deletion that was cut short can be run again.
dataset_deleted = Signal()
