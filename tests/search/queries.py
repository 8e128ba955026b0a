"""Asking as the cast does."""

import base64
import io
import json
from dataclasses import dataclass
from typing import Any

from PIL import Image

from atlas.datasets.models import Dataset
from tests.maps.records import COLOURS
from tests.people import Cast, client_of

COUNT = 64


@dataclass
class World:
    cast: Cast
    dataset: Dataset


def ask(cast: Cast, dataset: Dataset, body: Any, name: str | None = "alice") -> Any:
    return post(cast, f"/api/datasets/{dataset.pk}/search", body, name)


def post(cast: Cast, address: str, body: Any, name: str | None = "alice") -> Any:
    client = client_of(getattr(cast, name) if name else None)
    content = body if isinstance(body, str) else json.dumps(body)
    return client.post(address, content, content_type="application/json")


def parts(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"parts": list(parts), **more}


def colours_of(answer: Any, count: int) -> set[str]:
    return {COLOURS[hit["row"] % len(COLOURS)] for hit in answer.json()["hits"][:count]}


def red_picture() -> str:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
