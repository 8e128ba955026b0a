"""Which column is what: the suggestions a person sees before the import, and may correct."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from embeddings.readers.csvs import is_number
from embeddings.readers.limits import Limits
from embeddings.readers.lookup import PictureIndex
from embeddings.readers.members import PICTURE_SUFFIXES, suffix_of
from embeddings.readers.pictures import looks_like_picture
from embeddings.readers.reasons import ReadError
from embeddings.readers.rows import Choices, Column, ColumnType
from embeddings.readers.tables import Record, Table
from embeddings.readers.values import (
    as_text,
    count_classes,
    fits,
    infer_type,
    is_empty,
    texts_in,
    to_array,
    words_for_nothing,
)

# In order of preference, compared without case, accents and punctuation.
_CAPTION_NAMES = (
    "caption", "captions", "beschriftung", "bildunterschrift", "bildlegende", "legende", "didascalia",
    "leyenda", "txt", "text", "texts", "texte", "description", "descriptions", "beschreibung",
    "bildbeschreibung", "descripcion", "descrizione", "sentence", "sentences", "raw", "comment", "prompt",
    "alttext", "alt", "alternativtext", "title", "titel", "titre", "titulo", "titolo", "productdisplayname",
    "summary", "abstract", "body", "content", "name", "conversations", "conversation", "messages",
)  # fmt: skip
# Of one picture, of the class it belongs to, or of its file.
_NAMES_OF_MANY = frozenset({"title", "titel", "titre", "titulo", "titolo", "name"})
# And in several languages: caption_en, caption_de.
_NUMBERED_CAPTION = re.compile(
    r"(caption|text|sentence|comment|description)s?\d+|"
    r"(caption|description|beschreibung)s?(en|de|fr|es|it|nl|pt|pl|ru|zh|ja|ko)"
)
_PICTURE_NAMES = frozenset(
    [
        "filename",
        "file",
        "dateiname",
        "datei",
        "fichier",
        "bild",
        "image",
        "picture",
        "img",
        "photo",
        "imagepath",
        "imagefile",
        "imagename",
        "imageid",
        "path",
        "filepath",
        "imgpath",
        "id",
    ]
)
_PICTURE_WORDS = frozenset({"image", "images", "img", "picture", "pictures", "photo", "photos", "thumbnail"})
_ID_NAMES = (
    "id",
    "uid",
    "uuid",
    "guid",
    "recordid",
    "itemid",
    "objectid",
    "imageid",
    "photoid",
    "sku",
    "key",
    "identifier",
)
_CLASS_NAMES = frozenset({"cls", "class", "classid", "label", "labelid", "category", "categoryid", "target"})
_VECTOR_NAME = re.compile(r"(emb|embed|embedding|vec|vector)s?", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
# A shorter list of numbers is a box, a colour or a list of ids, unless the column's name says vector.
_SHORTEST_VECTOR = 16
_SHORTEST_VECTOR_SO_NAMED = 8  # at the end of its name: a motion_vector is shorter
_SHORTEST_SENTENCE = 12  # characters on average
_SAMPLE = 2_000  # records
_SAMPLE_SIZE = 16 * 2**20  # characters or items, whichever comes first
_VECTORS_LOOKED_AT = 100
_START = 64  # bytes
_EXAMPLES = 3
_OFTEN = 0.1  # of the pictures; rarer differences are slips, not further labels


@dataclass(slots=True)
class Plan:
    """A table and what its columns are for. `dimensions` is the length of its vectors."""

    table: Table
    picture: str | None = None
    embedded: bool = False  # the picture column holds bytes, not names
    captions: tuple[str, ...] = ()
    id: str | None = None
    vector: str | None = None
    dimensions: int | None = None
    columns: dict[str, Column] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=dict)  # cells of the sample that tell the column's type
    nothing: frozenset[str] = frozenset()  # words that are no values in its columns of words
    further_vectors: tuple[str, ...] = ()  # a record has one vector
    addresses: str | None = None  # the column that says where the pictures are, which were not uploaded
    joins_by_id: bool = False  # its records belong to other tables' records with the same id


def sample_of(table: Table) -> list[Record]:
    """The first records, with no more of the pictures in them than tells what they are."""
    sample: list[Record] = []
    size = 0
    for item in islice(table.sample(), _SAMPLE):
        if isinstance(item, Record):
            item.cells = {name: _start_of(cell) for name, cell in item.cells.items()}
            sample.append(item)
            size += _size_of(item.cells)
            if size > _SAMPLE_SIZE:
                break
    return sample


def _start_of(cell: Any) -> Any:
    if isinstance(cell, bytes):
        return cell[:_START]
    if isinstance(cell, dict) and isinstance(cell.get("bytes"), bytes):
        return {**cell, "bytes": cell["bytes"][:_START]}
    if isinstance(cell, list) and any(isinstance(item, bytes | dict) for item in cell):
        return [_start_of(item) for item in cell]
    return cell


def _size_of(cell: Any) -> int:
    """Characters or items in a cell, those of the lists and objects in it included."""
    size = 0
    waiting = [cell]
    while waiting:  # no recursion: lists may lie in lists to any depth
        each = waiting.pop()
        if isinstance(each, list | dict):
            waiting.extend(each.values() if isinstance(each, dict) else each)
        size += len(each) if isinstance(each, Sized) else 0
    return size


def plan_table(
    table: Table,
    sample: Sequence[Record],
    index: PictureIndex,
    choices: Choices,
    limits: Limits,
    types: Mapping[str, ColumnType],
) -> Plan:
    """The plan for one table from its first records. Choices about columns it does not have leave it
    alone. `types`: those of columns that the records will join.
    """
    cells = {
        name: [record.cells[name] for record in sample if not is_empty(record.cells.get(name))]
        for name in table.columns
    }
    plan = Plan(table)
    offered = {name: values for name, values in cells.items() if name not in choices.leave_out}
    if not any(record.picture is not None for record in sample):
        plan.picture = _chosen(choices.picture, table, lambda: _picture_column(table, cells, index))
    if plan.picture is None and not index.pictures:
        plan.addresses = next((name for name in offered if _hold_addresses(name, offered[name])), None)
    plan.embedded = plan.picture is not None and any(_holds_bytes(cell) for cell in cells[plan.picture])
    plan.vector = _chosen(choices.vector, table, lambda: next(_vector_columns(offered, limits), None))
    if plan.vector is not None:
        plan.dimensions, _ = _vector_length(cells[plan.vector], limits)
    plan.id = _chosen(choices.id, table, lambda: _id_column(offered, sample, plan))
    if choices.captions is None:
        plan.captions = _caption_columns(offered, plan, types)
    else:
        plan.captions = tuple(name for name in choices.captions if name in cells)
    taken = {plan.picture, plan.vector, plan.id, *plan.captions} | choices.leave_out
    free = {name: values for name, values in cells.items() if name not in taken | choices.types.keys()}
    plan.further_vectors = tuple(_vector_columns(free, limits))
    taken.update(plan.further_vectors)
    subjects = _subjects(sample, plan)
    for name in table.columns:
        kind = infer_type(cells[name])
        if kind is ColumnType.NUMBER and _plain(name) in _CLASS_NAMES and count_classes(cells[name]):
            kind = ColumnType.CATEGORY
        if name not in taken and kind in {ColumnType.CATEGORY, ColumnType.TEXT}:
            several = _tells_several(name, sample, subjects) and fits(cells[name], ColumnType.LIST)
            kind = ColumnType.LIST if several else kind
        if name not in taken and kind is not None:
            examples = tuple(dict.fromkeys(as_text(cell)[:80] for cell in cells[name][:50]))[:_EXAMPLES]
            plan.columns[name] = Column(name, choices.types.get(name, kind), examples)
            plan.filled[name] = len(cells[name])
    plan.nothing = words_for_nothing(
        [record.cells.get(name) for record in sample]
        for name, column in plan.columns.items()
        if column.type in {ColumnType.NUMBER, ColumnType.DATE}
    )
    return plan


def holds_picture(cell: Any) -> bool:
    """True for the bytes of a picture, for Hugging Face's {bytes, path}, and for lists of these."""
    cell = first_of(cell)
    if isinstance(cell, dict):
        return isinstance(cell.get("bytes"), bytes) or ("bytes" in cell and isinstance(cell.get("path"), str))
    return isinstance(cell, bytes) and looks_like_picture(cell)


def first_of(cell: Any) -> Any:
    """Of a list of pictures the first one, which is the record's."""
    return cell[0] if isinstance(cell, list) and cell else cell


def _holds_bytes(cell: Any) -> bool:
    cell = first_of(cell)
    return isinstance(cell.get("bytes") if isinstance(cell, dict) else cell, bytes)


def _chosen(choice: str | None, table: Table, suggest: Callable[[], str | None]) -> str | None:
    if choice is None:
        return suggest()
    return choice if choice in table.columns else None


def _picture_column(table: Table, cells: dict[str, list[Any]], index: PictureIndex) -> str | None:
    for name, values in cells.items():
        if values and sum(holds_picture(cell) for cell in values) * 2 >= len(values):
            return name
    if not index.pictures:
        return None
    scores = {name: _picture_score(name, values, table, index) for name, values in cells.items()}
    best = max(scores, key=lambda name: scores[name], default=None)
    return best if best is not None and scores[best] > 0 else None


def _picture_score(name: str, values: list[Any], table: Table, index: PictureIndex) -> float:
    """How well a column's cells name the pictures there; 0 for not at all."""
    firsts = map(first_of, values)
    texts = [as_text(cell) for cell in firsts if isinstance(cell, str | int) and not isinstance(cell, bool)]
    if not texts or len(texts) < len(values):
        return 0
    whole = sum(index.names(text) for text in texts) / len(texts)
    found = sum(_is_found(text, table, index) for text in texts) / len(texts)
    like_files = sum(suffix_of(text.partition("#")[0]) in PICTURE_SUFFIXES for text in texts) / len(texts)
    known_name = _plain(name) in _PICTURE_NAMES
    if whole < 0.1 and like_files < 0.5:
        # Only stems may match: a column of small numbers does so by chance, unless every row has its own or
        # its name tells.
        distinct = len(set(texts)) / len(texts)
        if found < (0.1 if known_name else 0.8) or (distinct < 0.9 and not (known_name and found >= 0.8)):
            return 0
    return 2 * whole + found + 0.5 * like_files + 0.2 * known_name


def _is_found(text: str, table: Table, index: PictureIndex) -> bool:
    try:
        return index.find(text, table.member) is not None
    except ReadError:
        return True


def _hold_addresses(name: str, values: list[Any]) -> bool:
    """Whether most cells are addresses of pictures, by their ends or by the column's name."""
    texts = [cell.strip() for cell in values if isinstance(cell, str)]
    addresses = [text for text in texts if text.startswith(("http://", "https://"))]
    pictures = sum(suffix_of(text.partition("?")[0]) in PICTURE_SUFFIXES for text in addresses)
    is_so_named = any(word.casefold() in _PICTURE_WORDS for word in _WORD.findall(name))
    return 2 * len(addresses) >= len(values) > 0 and (is_so_named or 2 * pictures >= len(addresses))


def _vector_columns(cells: dict[str, list[Any]], limits: Limits) -> Iterator[str]:
    for name, values in cells.items():
        length, share = _vector_length(values, limits)
        if length is not None and length >= _shortest_vector(name) and share >= 0.9:
            yield name


def _shortest_vector(name: str) -> int:
    """How many numbers a vector in a column of this name has at least: "image_emb" and "clipEmbedding" say
    what they are, "member_ids" and "feature_box" do not."""
    if _VECTOR_NAME.fullmatch(name):
        return 2
    *_, last = ["", *_WORD.findall(name)]
    return _SHORTEST_VECTOR_SO_NAMED if _VECTOR_NAME.fullmatch(last) else _SHORTEST_VECTOR


def _vector_length(values: list[Any], limits: Limits) -> tuple[int | None, float]:
    """The length most cells have as vectors (None: they are none), and their share of the first cells. Those
    with a NaN count: each will be reported."""
    vectors = [to_array(cell, limits.dimensions) for cell in values[:_VECTORS_LOOKED_AT]]
    lengths = Counter(None if vector is None else len(vector) for vector in vectors)
    if not lengths:
        return None, 0
    length, count = lengths.most_common(1)[0]
    return length, count / len(vectors)


def _id_column(cells: dict[str, list[Any]], sample: Sequence[Record], plan: Plan) -> str | None:
    """A column called id (or alike) that tells the rows of the sample apart."""
    by_name = {_plain(name): name for name in reversed(cells)}
    for known in _ID_NAMES:
        name = by_name.get(known)
        if name is None or name == plan.vector or (name == plan.picture and plan.embedded):
            continue
        ids = _ids_of(name, sample, plan)
        if ids and len(set(ids)) > 0.9 * len(ids):
            return name
    return None


def _ids_of(name: str, sample: Sequence[Record], plan: Plan) -> list[str]:
    """What a column would give the sample's rows as ids, none if most records have none there. Records that
    name the same picture make one row."""
    ids: dict[str | int, str] = {}
    count = 0
    for subject, record in zip(_subjects(sample, plan), sample, strict=True):
        cell = record.cells.get(name)
        if is_empty(cell) or isinstance(cell, list | dict | bytes):
            continue
        ids.setdefault(subject, as_text(cell))
        count += 1
    return list(ids.values()) if 2 * count > len(sample) else []


def _subjects(sample: Sequence[Record], plan: Plan) -> list[str | int]:
    """What the records are about: the pictures that they name, else each only itself."""
    if plan.picture is None or plan.embedded:
        return list(range(len(sample)))
    pictures = [record.cells.get(plan.picture) for record in sample]
    return [
        number if is_empty(picture) else as_text(picture).partition("#")[0]
        for number, picture in enumerate(pictures)
    ]


def _tells_several(name: str, sample: Sequence[Record], subjects: Sequence[str | int]) -> bool:
    """Whether a column often differs between the records about one picture: a label a row."""
    if len(set(subjects)) == len(subjects):
        return False
    told: dict[str | int, set[str]] = {}
    for subject, record in zip(subjects, sample, strict=True):
        if not is_empty(cell := record.cells.get(name)):
            told.setdefault(subject, set()).add(as_text(cell))
    return sum(len(texts) > 1 for texts in told.values()) >= _OFTEN * len(told) > 0


def _caption_columns(
    cells: dict[str, list[Any]], plan: Plan, types: Mapping[str, ColumnType]
) -> tuple[str, ...]:
    free = {
        name: values
        for name, values in cells.items()
        if values and name not in {plan.picture, plan.vector, plan.id} and _has_words(values)
    }
    free = {name: values for name, values in free.items() if not _names_others(name, values, types)}
    by_name = {_plain(name): name for name in reversed(free)}
    known = [name for name in _CAPTION_NAMES if name in by_name]
    numbered = [name for name in free if _NUMBERED_CAPTION.fullmatch(_plain(name))]
    if known:
        lists = [name for name in known if any(isinstance(cell, list) for cell in free[by_name[name]])]
        single = [name for name in known if name not in lists][:1]
        return tuple(by_name[name] for name in single + lists) + tuple(numbered)
    return tuple(numbered) or _longest_text(free)


def _names_others(name: str, values: list[Any], types: Mapping[str, ColumnType]) -> bool:
    """Whether a title is that of a class, where a single one does not tell, or of a file."""
    if _plain(name) not in _NAMES_OF_MANY:
        return False
    if 2 * sum(suffix_of(as_text(cell)) in PICTURE_SUFFIXES for cell in values) > len(values):
        return True
    kind = types.get(name) or (infer_type(values) if len(values) > 1 else ColumnType.TEXT)
    return kind is ColumnType.CATEGORY


def _longest_text(free: dict[str, list[Any]]) -> tuple[str, ...]:
    """Without a known name: the column with the longest texts, if most of them are several words."""
    lengths: dict[str, float] = {}
    for name, values in free.items():
        texts = [as_text(cell) for cell in values]
        several_words = sum(" " in text and not text.startswith(("[", "{", "http")) for text in texts)
        if several_words * 2 >= len(texts) and infer_type(values) is ColumnType.TEXT:
            lengths[name] = sum(map(len, texts)) / len(texts)
    best = max(lengths, key=lambda name: lengths[name], default=None)
    return (best,) if best is not None and (lengths[best] >= _SHORTEST_SENTENCE or len(free) == 1) else ()


def _has_words(values: list[Any]) -> bool:
    """True unless the column is bytes, objects without texts, numbers, lines of numbers or dates."""
    values = [texts_in(cell) for cell in values]
    if any(isinstance(cell, bytes | dict) for cell in values):
        return False
    items = [item for cell in values for item in (cell if isinstance(cell, list) else [cell])]
    if all(isinstance(item, str) and all(map(is_number, item.split())) for item in items):
        return False
    if all(isinstance(cell, list) for cell in values):
        return all(isinstance(item, str) for item in items)
    return infer_type(values) not in {ColumnType.NUMBER, ColumnType.DATE, None}


def _plain(name: str) -> str:
    """Compared so; of Dublin Core's names (dc:title, dcterms.title) without the prefix."""
    parted = unicodedata.normalize("NFKD", name.casefold())  # accents come behind their letters
    return re.sub(r"^(dc|dcterms)[:._]|[^a-z0-9]", "", parted)
