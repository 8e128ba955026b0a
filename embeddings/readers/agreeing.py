"""What is said where the types of a column disagree: it becomes text, without ranges and colours."""

from collections.abc import Sequence

from embeddings.readers.roles import Plan, sample_of
from embeddings.readers.rows import ColumnType
from embeddings.readers.values import as_text, strange_cells

_MANY = {
    ColumnType.CATEGORY: "categories",
    ColumnType.NUMBER: "numbers",
    ColumnType.DATE: "dates",
    ColumnType.TEXT: "text",
    ColumnType.LIST: "lists",
}


def disagreeing(name: str, plans: Sequence[Plan]) -> str:
    """What tables of one upload hold in a column of which they make text; nothing where it is all words."""
    holders = {plan.columns[name].type: plan.table.source for plan in reversed(plans)}
    if len(holders) < 2 or holders.keys() <= {ColumnType.CATEGORY, ColumnType.TEXT}:
        return ""
    holds = " and ".join(f"{_MANY[kind]} in {source}" for kind, source in reversed(holders.items()))
    return f"The column “{name}” holds {holds}; it was read as text."


def turned(name: str, kind: ColumnType, here: ColumnType, plans: Sequence[Plan]) -> str:
    """That tables make text of a column in which the records before them hold another kind of values; nothing
    where it is the same, or text already.
    """
    if kind in {ColumnType.TEXT, here}:
        return ""
    begin = f"The column “{name}” holds {_MANY[kind]} in the dataset, but"
    end = f"it becomes text in all records. Choose “{kind}” as its kind before the import to keep it"
    if kind not in {ColumnType.NUMBER, ColumnType.DATE}:
        return f"{begin} {_MANY[here]} here: {end}."
    cells = [record.cells.get(name) for plan in plans for record in sample_of(plan.table)]
    example = as_text(next(iter(strange_cells(cells, kind)), ""))[:40]
    return f"{begin} “{example}” here is none: {end}; what is none is then left empty."
