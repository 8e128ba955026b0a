"""The commands `list`, `info` and `download`."""

import argparse

from embeddings.errors import WeightsError
from embeddings.models import ModelCard, TowerCard, find_model, list_models
from embeddings.weights import SIDES, download, find_tower, is_present


def add_arguments(parser: argparse.ArgumentParser) -> None:
    if not parser.prog.endswith(" list"):
        parser.add_argument("name", metavar="NAME", help=", ".join(card.name for card in list_models()))


def run(options: argparse.Namespace) -> None:
    if options.command == "list":
        for card in list_models():
            place = "here" if is_present(card) else f"{card.download_bytes / 1e6:,.0f} MB to download"
            print(f"{card.name:13} {card.dimensions} dimensions, {place}. {card.description}")
    elif options.command == "info":
        print(_described(find_model(options.name)))
    else:
        card = find_model(options.name)
        download(card)
        for side in SIDES:
            print(f"{side:6} {find_tower(card, side)}")


def _described(card: ModelCard) -> str:
    lines = {
        "name": card.name,
        "what": card.description,
        "licence": card.licence,
        "dimensions": " ".join(map(str, card.shortened)),
        "context": f"{card.context_length} tokens",
        "pixels": card.pixels,
        "prefixes": " ".join(repr(prefix) for prefix in card.prefixes.values() if prefix) or "none",
    }
    for side in SIDES:
        tower = card.tower(side)
        lines[f"{side} tower"] = _source(tower)
        try:
            lines[f"{side} files"] = str(find_tower(card, side))
        except WeightsError as error:
            lines[f"{side} files"] = str(error)
    return "\n".join(f"{key:12} {value}" for key, value in lines.items())


def _source(tower: TowerCard) -> str:
    where = {"hub": "Hugging Face", "package": "Python package", "bundled": "part of this project"}[
        tower.source
    ]
    return " ".join(filter(None, (f"{tower.repository} ({where})", tower.revision)))
