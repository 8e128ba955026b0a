"""The page about an API for people: what its schema says, in the site's own look."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

Document = dict[str, Any]


class Reference(DocsBase):
    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        document: Document = api.get_openapi_schema(path_params=kwargs)
        shapes = document["components"]["schemas"]
        context = {
            "groups": _groups(document["paths"]),
            "shapes": [(name, json.dumps(shapes[name], indent=1)) for name in sorted(shapes)],
            "schema": self.get_openapi_url(api, kwargs),
        }
        return render(request, "api/reference.html", context)


def _groups(paths: Document) -> dict[str, list[Document]]:
    """Operations by the word that their router goes by, in the order of the schema."""
    groups: dict[str, list[Document]] = {}
    for path, operations in paths.items():
        for method, operation in operations.items():
            group = operation.get("tags", ["more"])[0]
            groups.setdefault(group, []).append(_operation(method.upper(), path, operation))
    return groups


def _operation(method: str, path: str, operation: Document) -> Document:
    """What one endpoint takes and answers; errors are the same everywhere."""
    answers = [answer for status, answer in operation["responses"].items() if int(status) < 400]
    return {
        "method": method,
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "query": [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"],
        "takes": _shape(operation.get("requestBody", {})),
        "answers": _shape(answers[0]) if answers else "",
    }


def _shape(part: Document) -> str:
    """The name of the schema of a body; nothing where it has none of a name."""
    contents = list(part.get("content", {}).values())
    reference: str = contents[0].get("schema", {}).get("$ref", "") if contents else ""
    return reference.rpartition("/")[2]
