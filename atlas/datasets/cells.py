"""Text as cells of a CSV file that a spreadsheet may open."""

import re

#: A spreadsheet takes a cell that begins like this for a formula and runs it: somebody's caption could fetch
#: an address or start a program on the machine of whoever opens the file (OWASP, "CSV injection").
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def harmless(cell: str) -> str:
    """The text as a cell that no spreadsheet runs: a quote in front says that it is text.

    One more quote is put before those there are, so that the readers of tables can take one off again.
    Numbers stay numbers: they are not to be given to this.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell
