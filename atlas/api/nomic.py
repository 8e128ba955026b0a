"""What the official `nomic` client calls for vectors, so that it works with its base URL pointed here.

    export ATLAS_API_PATH=https://atlas.example.org     # no slash at the end
    nomic login nk-…                                    # a key with the scope “embed”
    python -c "from nomic import embed; print(embed.text(['a red fruit']))"

It sends texts by tens and pictures by up to 512, as JPEG, ten requests at a time, and tries again for half a
minute after 429 and 5xx.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from django.http import HttpRequest, JsonResponse
from ninja import File, Form, UploadedFile
from ninja.errors import HttpError

from atlas.api.auth import Key, embedding_key
from atlas.api.document import DocumentedAPI
from atlas.api.embed_api import MOST_ITEMS, EmbedOut, TextsIn, admit_pictures, answer_pictures, answer_texts
from atlas.api.errors import tell_errors
from atlas.api.parser import ShallowParser
from atlas.api.reference import Reference
from atlas.search.remote import RemoteError, fetch_picture, time_out
from atlas.teams.asker import key_of_request
from atlas.teams.models import Membership

#: They are waited for one after the other, for as long as a search waits for its own.
MOST_URLS = 16

api = DocumentedAPI(
    title="Atlas, for the nomic client",
    version="1",
    auth=Key(),
    parser=ShallowParser(),
    docs=Reference(),
    urls_namespace="v1",
)
tell_errors(api)


@api.get("/user")
def user(request: HttpRequest) -> dict[str, Any]:
    """Its first call: which organisation is meant. That of the key: its team."""
    key = key_of_request(request)
    assert key is not None  # nobody else gets here
    role = Membership.objects.get(team=key.team_id, user=key.created_by_id).role
    organisation = {
        "organization_id": str(key.team_id),
        "slug": key.team.slug,
        "nickname": key.team.name,
        "user_id": str(key.created_by_id),
        "access_role": role.upper(),
    }
    return {
        "sub": str(key.created_by_id),
        "default_organization": str(key.team_id),
        "organizations": [organisation],
    }


@api.post("/embedding/text", response=EmbedOut)
def embed_text(request: HttpRequest, body: TextsIn) -> JsonResponse:
    return answer_texts(embedding_key(request), body.texts, body)


@api.post("/embedding/image", response=EmbedOut)
def embed_image(
    request: HttpRequest,
    images: Annotated[list[UploadedFile], File(max_length=MOST_ITEMS)] = [],  # noqa: B006 - ninja copies it
    urls: Annotated[list[str], Form(max_length=MOST_URLS)] = [],  # noqa: B006
    model: Annotated[str | None, Form(max_length=100)] = None,
) -> JsonResponse:
    """Files as `images`, or addresses as `urls` where the server fetches pictures."""
    key = embedding_key(request)
    if bool(images) == bool(urls):
        raise HttpError(422, "Send either `images` or `urls`.")
    named = admit_pictures(model, [each.size or 0 for each in images] or [0] * len(urls))
    if images:
        return answer_pictures(key, named, len(images), (each.read() for each in images))
    return answer_pictures(key, named, len(urls), _fetched(urls))


def _fetched(urls: list[str]) -> Iterator[bytes]:
    """All as soon as the first is wanted: those that wait for them have one limit of time."""
    pictures, until = [], time_out()
    for place, url in enumerate(urls):
        try:
            pictures.append(fetch_picture(url, until))
        except RemoteError as error:
            raise HttpError(422, f"Picture {place} of the request: {error}") from None
    yield from pictures
