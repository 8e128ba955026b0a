"""The rooms of the house, read from the imports: arrows point up the list only, and never in a circle."""

import ast
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
# Lower rooms first; a room may use those before it.
ROOMS = ("teams", "datasets", "maps", "search", "api")
# What an app may not reach for in `embeddings`, except through these doors.
DOORS = {"atlas.maps.towers": "embeddings", "atlas.datasets": "embeddings.readers"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name, migrations left out."""
    paths = [path for top in ("atlas", "embeddings") for path in (ROOT / top).rglob("*.py")]
    return {module_name(path): path for path in paths if "migrations" not in path.parts}


@cache
def imports(module: str) -> frozenset[str]:
    """The dotted names that a module imports, at any depth of its code, those for type checkers left out."""
    path = modules()[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in runtime_nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            # `from package import module` names a module; `from module import thing` names a thing in it.
            names = {f"{source}.{alias.name}" for alias in node.names}
            found.update(name if name in modules() else source for name in names)
    return frozenset(found)


def runtime_nodes(tree: ast.AST) -> list[ast.AST]:
    """Every node that can run: the bodies of `if TYPE_CHECKING:` are left out."""
    nodes: list[ast.AST] = []
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        nodes.append(node)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            todo.extend(node.orelse)
        else:
            todo.extend(ast.iter_child_nodes(node))
    return nodes


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def users_of(package: str) -> dict[str, list[str]]:
    """The modules outside a package that import from it, and what."""
    found = {
        module: sorted(name for name in imports(module) if is_in(name, package))
        for module in modules()
        if not is_in(module, package)
    }
    return {module: names for module, names in found.items() if names}


def test_it_reads_this_project() -> None:
    assert "atlas.services.postgres" in modules()
    assert "atlas.services.errors" in imports("atlas.services.postgres")
    assert "atlas.health" in imports("atlas.urls")


@pytest.mark.parametrize("stranger", ["django", "atlas", "celery", "redis", "psycopg"])
def test_embeddings_knows_nothing_of_the_application(stranger: str) -> None:
    offenders = [module for module in users_of(stranger) if is_in(module, "embeddings")]
    assert offenders == []


def test_services_know_no_app() -> None:
    for room in ROOMS:
        assert [module for module in users_of(f"atlas.{room}") if is_in(module, "atlas.services")] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_never_imports_a_higher_one(room: str) -> None:
    lower = ROOMS[: ROOMS.index(room)]
    offenders = [module for module in users_of(f"atlas.{room}") if module.split(".")[1] in lower]
    assert offenders == []


def test_only_the_doors_lead_to_embeddings() -> None:
    for module, names in users_of("embeddings").items():
        allowed = [package for door, package in DOORS.items() if is_in(module, door)]
        strays = [name for name in names if not any(is_in(name, package) for package in allowed)]
        assert strays == [], module


def test_no_module_imports_itself_in_a_circle() -> None:
    finished: set[str] = set()

    def visit(module: str, path: list[str]) -> None:
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module in finished:
            return
        for name in imports(module) & modules().keys():
            # A package's own `__init__` is a menu: importing a dish does not read the menu first.
            if not is_in(module, name):
                visit(name, [*path, module])
        finished.add(module)

    for module in modules():
        visit(module, [])
