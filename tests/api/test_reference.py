"""The pages about the APIs name everything that their schemas do."""

import pytest
from django.test import Client


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
