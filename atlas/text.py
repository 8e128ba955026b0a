"""What people type, as it is kept: validators for the schemas of the API. Postgres takes no NUL."""


def said(text: str) -> str:
    """Without white space around it. Raises ValueError where nothing is left."""
    return _not_empty(text.replace("\0", "").strip())


def one_line(text: str) -> str:
    """Words with one space between them. Raises ValueError where there are none."""
    return _not_empty(" ".join(text.replace("\0", " ").split()))


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("It is empty.")
    return text
