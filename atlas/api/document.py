"""The API's OpenAPI document: what django-ninja derives, and the errors that every operation may answer."""

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

ERRORS = {
    400: "The request is not readable: no JSON, for example.",
    401: "Sign in first, or send a valid key.",
    403: "The CSRF token is missing or wrong, or the key's scope does not reach so far.",
    404: "There is no such thing, or not for who asks.",
    409: "Not in this state of things.",
    413: "The request is too large.",
    422: "The request makes no sense; a list where single fields are wrong.",
    429: "Too many requests; try again later.",
    503: "A part of the system is away; try again in a moment.",
    507: "The server's disk is full.",
}
_PROBLEM = {
    "type": "object",
    "required": ["msg"],
    "properties": {"type": {"type": "string"}, "loc": {"type": "array"}, "msg": {"type": "string"}},
}
_ERROR = {
    "title": "Error",
    "type": "object",
    "required": ["detail"],
    "properties": {"detail": {"anyOf": [{"type": "string"}, {"type": "array", "items": _PROBLEM}]}},
}


class DocumentedAPI(NinjaAPI):
    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**options)
        document["components"]["schemas"]["Error"] = _ERROR
        for path in document["paths"].values():
            for operation in path.values():
                for status, description in ERRORS.items():
                    operation["responses"].setdefault(status, _answer(description))
        return document


def _answer(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
