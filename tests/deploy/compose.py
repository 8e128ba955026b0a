"""Read docker-compose.yml as Compose would, as far as these tests need it."""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml
from django.conf import settings

COMPOSE_FILE = settings.BASE_DIR / "docker-compose.yml"
DOCKERFILE = settings.BASE_DIR / "Dockerfile"
# $$ is a dollar; ${NAME:-default} and ${NAME:?complaint} are the forms we use.
VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+):([-?])([^}]*)\}|(.?))")


class ComposeError(Exception):
    """The file asks for something that Compose would refuse."""


def read(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables filled in, and the command of the image where a part has none.

    Raises ComposeError when a variable is missing or misspelt.
    """
    content = dict(fill_in(yaml.safe_load(COMPOSE_FILE.read_text()), variables))
    for service in content["services"].values():
        if "build" in service:
            service.setdefault("command", image_command())
    return content


def image_command() -> list[str]:
    lines = DOCKERFILE.read_text().splitlines()
    return [str(word) for line in lines if line.startswith("CMD ") for word in json.loads(line[4:])]


def fill_in(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: fill_in(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, variables) for item in value]
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: replacement(match, variables), value)
    return value


def replacement(match: re.Match[str], variables: Mapping[str, str]) -> str:
    dollar, name, operator, text, stray = match.groups()
    if dollar:
        return "$"
    if stray is not None:
        raise ComposeError(f"{match.string!r} has a $ that is neither $$ nor ${{NAME:-default}}")
    if variables.get(name):
        return variables[name]
    if operator == "?":
        raise ComposeError(f"{name} is required: {text}")
    return str(text)
