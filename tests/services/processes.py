"""Look at the processes of this machine, and wait for something to happen to them."""

import time
from collections.abc import Callable
from pathlib import Path

#: Far more than anything takes: the machine may be busy with other things.
SECONDS = 180.0


def wait_for(
    condition: Callable[[], object], what: str, seconds: float = SECONDS, seen: Callable[[], object] = str
) -> None:
    """Fails, naming `what` and what was `seen` instead, when `condition` does not hold within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        late = time.monotonic() > deadline
        assert not late, f"{what} did not happen within {seconds:.0f} seconds. {seen()}"
        time.sleep(0.05)


def parents() -> dict[int, int]:
    """Every living process and its parent; the dead that nobody has waited for are left out."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z":
            found[int(folder.name)] = int(fields[1])
    return found


def descendants(pid: int) -> set[int]:
    """The living processes that `pid` has started, and those that they have."""
    tree = parents()
    found: set[int] = set()
    todo = [pid]
    while todo:
        parent = todo.pop()
        children = {child for child, of in tree.items() if of == parent}
        found |= children
        todo.extend(children)
    return found


def command(pid: int) -> str:
    """The command line of a process, "" when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def child_with(pid: int, text: str) -> int:
    """The direct child of `pid` whose command line holds `text`, which may be starting again just now."""
    found: list[int] = []

    def is_there() -> bool:
        found[:] = [child for child, parent in parents().items() if parent == pid and text in command(child)]
        return len(found) == 1

    wait_for(is_there, f"A single child of {pid} with {text!r}", seen=lambda: found)
    return found[0]
