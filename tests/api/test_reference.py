"""The pages about the APIs name everything that their schemas do."""

from collections import Counter
from collections.abc import Iterator

import pytest
from django.test import Client
from ninja import Schema

from atlas.api import nomic  # noqa: F401  # brings every shape of both APIs


@pytest.mark.django_db
@pytest.mark.parametrize("room", ["api", "v1"])
def test_every_endpoint_and_shape_is_on_the_page(client: Client, room: str) -> None:
    document = client.get(f"/{room}/openapi.json").json()
    page = client.get(f"/{room}/docs").content.decode()

    for path in document["paths"]:
        assert f"<code>{path}</code>" in page
    for name in document["components"]["schemas"]:
        assert f'id="shape-{name}"' in page


@pytest.mark.django_db
def test_a_shape_that_is_named_is_there(client: Client) -> None:
    page = client.get("/api/docs").content.decode()
    named = {part.split('"')[0] for part in page.split('href="#')[1:]} - {"main"}

    assert len(named) > 20
    assert [name for name in named if f'id="{name}"' not in page] == []


def test_no_two_shapes_have_one_name() -> None:
    """The document would hold one of them in the place of both."""
    names = Counter(shape.__name__ for shape in below(Schema) if shape.__module__.startswith("atlas."))

    assert names["DatasetOut"] == 1
    assert [name for name, count in names.items() if count > 1] == []


def below(kind: type[Schema]) -> Iterator[type[Schema]]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)
