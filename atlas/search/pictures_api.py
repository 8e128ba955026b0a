"""The pictures that people search with, over JSON."""

import base64
import binascii
import re
from typing import Annotated
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Field, Router, Schema, Status
from ninja.errors import HttpError

from atlas.datasets.access import visible_dataset
from atlas.datasets.files import picture_response
from atlas.datasets.images import PictureError
from atlas.search.pictures import find_picture, keep_picture
from atlas.teams.asker import asker_of
from atlas.teams.quota import count_for

router = Router(tags=["search"])

MOST_PER_MINUTE = 60
IS_KEY = re.compile("[0-9a-f]{32}")


class PictureIn(Schema):
    #: Base64 of the file.
    picture: Annotated[str, Field(max_length=8 << 20)]


class PictureKeyOut(Schema):
    key: str


@router.post("/datasets/{uuid:dataset_id}/query-pictures", response={201: PictureKeyOut})
def create_query_picture(request: HttpRequest, dataset_id: UUID, body: PictureIn) -> Status[dict[str, str]]:
    """Keep a picture to search with: whoever may see the dataset finds it under the key."""
    asker = asker_of(request)
    dataset = visible_dataset(asker, dataset_id)
    sentence = f"Those were more than {MOST_PER_MINUTE} pictures in a minute. Go on soon."
    count_for(request, "query-picture", MOST_PER_MINUTE, 60, sentence)
    try:
        key = keep_picture(dataset.pk, from_base64(body.picture), nameless=not asker.user.is_authenticated)
    except PictureError as error:
        raise HttpError(422, f"The picture of the query cannot be read. {error}") from None
    return Status(201, {"key": key})


@router.get("/query-pictures/{str:picture_key}")
def get_query_picture(request: HttpRequest, picture_key: str) -> HttpResponse:
    content = find_picture(asker_of(request), picture_key) if IS_KEY.fullmatch(picture_key) else None
    if content is None:
        raise Http404("This picture is not here any more.")
    return picture_response(content)


def from_base64(text: str) -> bytes:
    """Raises HttpError 422."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise HttpError(422, "The picture of the query is not base64.") from None
