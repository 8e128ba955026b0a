"""What this room announces; rooms above listen. Sent after the transaction has committed."""

from django.dispatch import Signal

#: `dataset_id: UUID`: new records can be read. The receiver must be idempotent: a retried import sends it again.
records_imported = Signal()

#: `dataset_id: UUID`: the rows are gone; remove whatever was derived from them.
dataset_deleted = Signal()
