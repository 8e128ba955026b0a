"""`python -m embeddings COMMAND`: the towers from the command line.

Exit status 0, or 2 with one sentence on stderr.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from embeddings.errors import EmbeddingError

# Each module has `add_arguments(parser)` and `run(args)`, and is imported only when its command is called.
_COMMANDS = {
    "list": ("catalogue", "list the models there are"),
    "info": ("catalogue", "say what one model is, and where its files are"),
    "download": ("catalogue", "fetch a model's files"),
    "embed": ("embed", "turn texts or pictures into vectors"),
    "benchmark": ("benchmark", "measure speed against the plain reference way"),
    "train": ("train", "align a vision tower to a frozen text tower"),
    "evaluate": ("evaluate", "measure zero-shot classification and retrieval"),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")  # the usage is left out: one sentence


def main(arguments: Sequence[str]) -> int:
    parser = _Parser(prog="python -m embeddings", description="Vectors for words and pictures, in one space.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, summary) in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
        if name in arguments[:1]:
            import_module(f"embeddings.{module}").add_arguments(command)
    options = parser.parse_args(arguments)
    try:
        import_module(f"embeddings.{_COMMANDS[options.command][0]}").run(options)
    except EmbeddingError as error:
        sentence = " ".join(str(error).split())
        print(f"python -m embeddings {options.command}: {sentence}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
