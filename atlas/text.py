"""What people type, as it is kept: validators for the schemas of the API."""


def storable(text: str) -> str:
    """As it is. Raises ValueError for what Postgres does not take: a NUL, half a character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("Text must not hold half a character.") from error
    if "\0" in text:
        raise ValueError("Text must not hold the character NUL.")
    return text


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
