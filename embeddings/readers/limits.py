"""How much one upload may hold."""

from dataclasses import dataclass

RATIO_FLOOR = 8 * 2**20  # a flat bitmap may well shrink a thousandfold; only large expansions hurt


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes past which an item is skipped with `Reason.OVER_LIMIT` (`ratio`: `Reason.BOMB`); `entries`
    refuses a whole archive, because its list of contents alone would fill the memory. Sizes are in bytes,
    lengths in characters.
    """

    pixels: int = 120_000_000  # a medium-format camera makes 102 million
    picture_bytes: int = 100 * 2**20
    ratio: int = 200  # expanded size against packed size, for items over 8 MiB
    total_bytes: int = 2**40  # of everything in the upload, expanded
    entries: int = 4_000_000  # per archive or folder: each row may have a picture and a sidecar
    rows: int = 2_000_000
    caption_length: int = 10_000  # longer captions are cut, with a note on the row
    captions: int = 50  # per row; further ones are dropped, with a note on the row
    value_length: int = 10_000  # longer text values are cut, with a note on the row
    list_items: int = 1_000  # of a list value; further ones are dropped, with a note on the row
    line_length: int = 16 * 2**20  # of a table's physical line, or of one JSON record
    columns: int = 256  # per table; further ones are not read
    dimensions: int = 16_000  # of a vector: what pgvector's halfvec can store
