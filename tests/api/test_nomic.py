"""What the official nomic client (3.9.0) sends and needs, by what was seen of it on the wire."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.test import Client
from PIL import Image
from pytest_django import Settings

from atlas.api import embed_api, nomic
from atlas.teams.keys import create_key
from atlas.teams.models import KeyScope
from tests.maps.fake_towers import DIMENSIONS
from tests.people import Cast

pytestmark = pytest.mark.usefixtures("model")

#: As the client writes the body: always these fields.
BODY = {
    "texts": ["red", "blue"],
    "model": "nomic-embed-text-v1.5",
    "task_type": "search_document",
    "dimensionality": None,
    "long_text_mode": "truncate",
}


@pytest.fixture(autouse=True)
def default_model(settings: Settings) -> None:
    settings.ATLAS_MODEL = "nomic-v1.5"


@pytest.fixture
def client(token: str) -> Client:
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "py-nomic/3.9.0"}
    return Client(enforce_csrf_checks=True, headers=headers)


def embed_text(client: Client, **change: Any) -> Any:
    return client.post("/v1/embedding/text", BODY | change, content_type="application/json")


def jpeg(colour: str = "red") -> bytes:
    output = BytesIO()
    Image.new("RGB", (64, 48), colour).save(output, "JPEG", quality=100, subsampling=0)
    return output.getvalue()


def multipart(pictures: list[bytes], model: str) -> tuple[bytes, str]:
    """Parts named `images` with that file name and no type of their own."""
    edge = b"----4f2b"
    parts = [b'Content-Disposition: form-data; name="model"\r\n\r\n' + model.encode()]
    head = b'Content-Disposition: form-data; name="images"; filename="images"\r\n\r\n'
    parts += [head + picture for picture in pictures]
    body = b"".join(b"--" + edge + b"\r\n" + part + b"\r\n" for part in parts)
    return body + b"--" + edge + b"--\r\n", f"multipart/form-data; boundary={edge.decode()}"


def test_the_first_call_tells_the_organisation_of_the_key(client: Client, cast: Cast) -> None:
    user = client.get("/v1/user").json()
    assert user["default_organization"] == str(cast.team.pk)
    only = user["organizations"]
    assert [each["organization_id"] for each in only] == [user["default_organization"]]
    assert (only[0]["slug"], only[0]["access_role"]) == (cast.team.slug, "OWNER")
    assert only[0]["user_id"] == user["sub"]
    assert "plan_type" not in only[0]


def test_texts_are_answered_in_the_shape_it_needs(client: Client) -> None:
    answer = embed_text(client)
    assert answer.status_code == 200
    found = answer.json()
    assert found["model"] == BODY["model"]
    assert [len(vector) for vector in found["embeddings"]] == [DIMENSIONS] * 2
    assert all(isinstance(count, int) for count in found["usage"].values())


def test_other_clients_leave_fields_out_and_add_their_own(client: Client) -> None:
    body = {"texts": ["red"], "model": "nomic-embed-text-v1.5", "max_tokens_per_text": 8192}
    assert client.post("/v1/embedding/text", body, content_type="application/json").status_code == 200
    assert embed_text(client, texts=[""]).status_code == 200
    assert embed_text(client, texts=["a\0b"]).status_code == 200


def test_pictures_come_as_files(client: Client) -> None:
    body, kind = multipart([jpeg()] * 6, "nomic-embed-vision-v1.5")
    answer = client.post("/v1/embedding/image", body, content_type=kind)
    assert answer.status_code == 200
    assert answer.json()["model"] == "nomic-embed-vision-v1.5"
    assert len(answer.json()["embeddings"]) == 6


def test_as_many_as_it_ever_sends_are_taken(client: Client) -> None:
    body, kind = multipart([jpeg()] * 512, "nomic-embed-vision-v1.5")
    answer = client.post("/v1/embedding/image", body, content_type=kind)
    assert len(answer.json()["embeddings"]) == 512


def test_more_are_refused_as_json(client: Client) -> None:
    for count, status in ((513, 422), (601, 400)):
        body, kind = multipart([b"x"] * count, "nomic-embed-vision-v1.5")
        answer = client.post("/v1/embedding/image", body, content_type=kind)
        assert answer.status_code == status
        assert answer.json()["detail"]


def test_a_picture_that_is_none_is_named(client: Client) -> None:
    images = [SimpleUploadedFile("a.jpg", jpeg()), SimpleUploadedFile("b.webp", b"text")]
    answer = client.post("/v1/embedding/image", {"model": "nomic-v1.5", "images": images})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Picture 1 of the request")


def test_addresses_are_fetched_only_where_the_server_allows_it(client: Client) -> None:
    answer = client.post(
        "/v1/embedding/image",
        "model=nomic-v1.5&urls=https%3A%2F%2Fexample.org%2Fa.jpg",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 422
    assert "does not fetch" in answer.json()["detail"]


@pytest.mark.usefixtures("one_stretch")
@pytest.mark.parametrize("limit", ["MOST_PICTURE_BYTES", "MOST_BYTES_IN_ALL", "ITEMS"])
def test_what_is_too_much_is_refused_before_any_of_it_is_read(
    client: Client, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    def unread(*_: Any) -> bytes:
        raise AssertionError("read in vain")

    monkeypatch.setattr(embed_api, limit, 1)
    monkeypatch.setattr(nomic, "fetch_picture", unread)
    monkeypatch.setattr(UploadedFile, "read", property(lambda _: unread), raising=False)
    body, kind = multipart([b"four"] * 2, "nomic-v1.5")
    assert client.post("/v1/embedding/image", body, content_type=kind).status_code in (422, 429)
    if limit == "ITEMS":
        urls = {"urls": ["https://example.org/a.jpg"] * 2}
        assert client.post("/v1/embedding/image", urls).status_code == 429


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"texts": ["a\\ud800b"]}', b'{"texts": {}}', b"\xff\xfe"]
)
def test_bad_input_is_never_a_server_error(client: Client, body: bytes) -> None:
    """429 and 5xx cost its user half a minute of new tries."""
    answer = client.post("/v1/embedding/text", body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.json()["detail"]


@pytest.mark.parametrize("change", [{"model": "gte"}, {"dimensionality": -1}, {"long_text_mode": "x"}])
def test_what_this_server_does_not_do_is_refused(client: Client, change: dict[str, Any]) -> None:
    assert embed_text(client, **change).status_code == 422


def test_errors_are_json_with_a_detail(client: Client, cast: Cast) -> None:
    reader = create_key(cast.team, cast.alice, "A", [KeyScope.READ])[1]
    weak = Client(headers={"Authorization": f"Bearer {reader}"})
    for answer, status in (
        (client.get("/v1/nothing"), 404),
        (Client().get("/v1/user"), 401),
        (Client(headers={"Authorization": "Bearer nk-x"}).get("/v1/user"), 401),
        (embed_text(weak), 403),
        (weak.get("/v1/user"), 200),
    ):
        assert answer.status_code == status
        assert status == 200 or isinstance(answer.json()["detail"], str)
