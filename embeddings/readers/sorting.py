"""Which members are pictures, tables, words beside a picture, or none of these."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from embeddings.readers.arrows import ArrowTable
from embeddings.readers.csvs import DelimitedTable
from embeddings.readers.excels import ExcelTable
from embeddings.readers.jsons import JsonTable
from embeddings.readers.labels import NAMES_SUFFIXES, ClassNames, may_name_classes
from embeddings.readers.limits import Limits
from embeddings.readers.members import (
    ARROW_SUFFIXES,
    EXCEL_SUFFIXES,
    PICTURE_SUFFIXES,
    READ_ERRORS,
    TABLE_SUFFIXES,
    Container,
    Member,
    read_up_to,
    said,
    suffix_of,
)
from embeddings.readers.opening import OFFICE, OFFICE_SUFFIXES
from embeddings.readers.parquets import ParquetTable
from embeddings.readers.pictures import looks_like_picture
from embeddings.readers.reasons import ReadError, Reason, Skipped
from embeddings.readers.record_files import RecordFilesTable, files_beside
from embeddings.readers.sidecars import SUFFIXES as SIDECAR_SUFFIXES
from embeddings.readers.sidecars import TEXT_SUFFIXES, SidecarTable, group_sidecars, group_texts
from embeddings.readers.tables import Table

_ARCHIVES = frozenset(["zip", "tar", "tgz", "gz", "bz2", "xz", "zst", "7z", "rar"])
_ABOUT = frozenset(["readme", "license", "licence", "attribution", "notice", "changelog", "dataset_infos"])
_ABOUT_SAVED = frozenset(["dataset_dict.json", "dataset_info.json", "state.json"])  # by Hugging Face
_ARROW_STARTS = (b"ARROW1", b"\xff\xff\xff\xff")  # the second in what Hugging Face's save_to_disk writes
_IS_ABOUT = "It is a text about the upload, not a part of it."
_NEITHER = "It is neither a picture nor a table."
_NO_WORDS = "It is neither a table nor the words of a picture."
_XML = "It is XML that goes with no picture; save its records as CSV or JSON."
_MOST_JSON_TABLES = 20  # in one folder; more of them are records, or something else


@dataclass(slots=True)
class Sorted:
    pictures: list[Member] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def sort_members(containers: Sequence[Container], limits: Limits) -> Sorted:
    """Every member in one place: among the pictures, as a table, beside a picture, or skipped with a
    reason.
    """
    result = Sorted()
    tables: list[Member] = []
    words: list[Member] = []
    naming: list[Member] = []
    total = 0
    for container in containers:
        for member in container.members:
            total += member.size
            if total > limits.total_bytes:
                detail = f"With it the upload expands to more than {limits.total_bytes:,} bytes, the limit."
                result.skipped.append(Skipped(member.source, Reason.OVER_LIMIT, detail))
                total -= member.size
                continue
            try:
                match _kind(member):
                    case "picture":
                        result.pictures.append(member)
                    case "words":
                        words.append(member)
                    case "table":
                        tables.append(member)
                    case "names":
                        naming.append(member)
            except ReadError as error:
                result.skipped.append(error.at(member.source))
    _bring_together(result, tables, words, naming, limits)
    return result


def table_kind(member: Member) -> str:
    """The suffix that tells how a table is written; a gzip around it is looked through."""
    name = member.name.casefold().removesuffix(".gz")
    suffix = suffix_of(name)
    return suffix if suffix in TABLE_SUFFIXES else ""


def _kind(member: Member) -> str:
    suffix = member.suffix
    if suffix in PICTURE_SUFFIXES:
        return "picture"
    if suffix in SIDECAR_SUFFIXES:
        if member.name.rpartition("/")[2].partition(".")[0].casefold() in _ABOUT:
            raise ReadError(Reason.UNSUPPORTED, _IS_ABOUT)
        return "words"
    if table_kind(member):
        return "table"
    if suffix in NAMES_SUFFIXES:
        return "names"
    if not member.size:
        raise ReadError(Reason.EMPTY, "It is empty.")
    if suffix in _ARCHIVES and not member.container.name:  # by itself, and yet not opened
        raise ReadError(
            Reason.UNSUPPORTED, "It is no archive that is understood; pack it as zip, tar or tar.gz."
        )
    if suffix in _ARCHIVES:
        detail = "It is an archive inside the upload; upload what is in it as a folder or a zip of its own."
        raise ReadError(Reason.UNSUPPORTED, detail)
    return _kind_by_start(member)


def _kind_by_start(member: Member) -> str:
    try:
        with member.open() as stream:
            start = read_up_to(stream, 64)
    except READ_ERRORS as error:
        raise ReadError(Reason.CORRUPT, f"Its bytes cannot be read: {said(error)}.") from error
    if looks_like_picture(start):
        return "picture"
    if start.startswith(b"PAR1"):
        return "table"
    raise ReadError(Reason.UNSUPPORTED, _what_else(member.suffix, start))


def _what_else(suffix: str, start: bytes) -> str:
    if start.startswith(b"%PDF"):
        return "It is a PDF document; save its pages as PNG or JPEG."
    if start[4:8] == b"ftyp":
        return "It is a video; save pictures of it as PNG or JPEG."
    if suffix in OFFICE_SUFFIXES or any(mark in start for mark in OFFICE):
        return "It is an office document; save its table as CSV or XLSX."
    if start.startswith(_ARROW_STARTS):
        return "It is an Arrow file; let its name end in “.arrow”."
    return _NEITHER


def _bring_together(
    result: Sorted, tables: list[Member], words: list[Member], naming: list[Member], limits: Limits
) -> None:
    groups = group_sidecars(words, result.pictures)
    beside = {id(member) for group in groups.values() for member in group}
    rest = [member for member in words if id(member) not in beside]
    naming = [*naming, *(member for member in rest if may_name_classes(member))]
    sidecars = SidecarTable(groups, result.pictures, limits, ClassNames(naming)) if groups else None
    if sidecars is not None and sidecars.has_labels:
        used = {id(member) for member in naming}
        rest = [member for member in rest if id(member) not in used]
    else:
        others = (member for member in naming if member.suffix in NAMES_SUFFIXES)
        result.skipped += [Skipped(member.source, Reason.UNSUPPORTED, _NEITHER) for member in others]
    if not result.pictures and not tables:
        texts = group_texts(rest)
        if len(texts) > 1:
            used = {id(member) for group in texts.values() for member in group}
            rest = [member for member in rest if id(member) not in used]
            result.tables.append(SidecarTable(texts, None, limits, ClassNames(())))
    _take_tables(result, tables, rest, limits)
    if sidecars is not None:
        result.tables.append(sidecars)


def _take_tables(result: Sorted, tables: list[Member], rest: Sequence[Member], limits: Limits) -> None:
    text_may_be_table = (bool(result.pictures) or not tables) and not result.tables
    folders: dict[tuple[int, str], list[Member]] = {}
    for member in rest:
        is_about = _is_about_saved(member, tables)
        if member.suffix == "json" and not is_about:
            folders.setdefault((id(member.container), member.folder), []).append(member)
        elif text_may_be_table and member.suffix != "xml" and not is_about:
            tables.append(member)
        else:
            detail = _IS_ABOUT if is_about else _XML if member.suffix == "xml" else _NO_WORDS
            result.skipped.append(Skipped(member.source, Reason.UNSUPPORTED, detail))
    crowds = [members for members in folders.values() if len(members) > _MOST_JSON_TABLES]
    alone = (members for members in folders.values() if len(members) <= _MOST_JSON_TABLES)
    tables += chain.from_iterable(alone)
    for member in tables:
        try:
            result.tables.append(_reader_of(member)(member, limits))
        except ReadError as error:
            result.skipped.append(error.at(member.source))
    for members in crowds:
        try:
            result.tables.append(RecordFilesTable(members, limits))
        except ReadError as error:
            result.skipped.append(error.at(files_beside(members[0])))


def _is_about_saved(member: Member, tables: Sequence[Member]) -> bool:
    """Whether it is what Hugging Face's `save_to_disk` writes about the Arrow files beside or below it."""
    folder, slash, base = member.name.rpartition("/")
    return base in _ABOUT_SAVED and any(
        table_kind(table) in ARROW_SUFFIXES
        and table.container is member.container
        and table.name.startswith(folder + slash)
        for table in tables
    )


def _reader_of(member: Member) -> Callable[[Member, Limits], Table]:
    kind = table_kind(member)
    if kind in {"jsonl", "ndjson", "json"}:
        return JsonTable
    if kind in {"csv", "tsv", "tab"} or member.suffix in TEXT_SUFFIXES:
        return DelimitedTable
    if kind in ARROW_SUFFIXES:
        return ArrowTable
    return ExcelTable if kind in EXCEL_SUFFIXES else ParquetTable
