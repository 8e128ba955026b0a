"""Reading the JSON of a request."""

import json
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

#: Levels of lists and objects in each other. Whatever walks through a body may recurse: a body of a thousand
#: levels, which JSON's own reader lets pass, would end in Python's limit and in a 500.
DEEPEST = 100


class ShallowParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        """Raises ValueError, of which django-ninja makes a 400."""
        if request.content_type == "application/x-www-form-urlencoded":
            # A page that asks for a file to save has but a plain form: its field `request` is the body.
            content = json.loads(request.POST.get("request", ""))
        else:
            content = super().parse_body(request)
        if _deeper_than(content, DEEPEST):
            raise ValueError(f"The request is nested more than {DEEPEST} levels deep.")
        return content


def _deeper_than(content: Any, limit: int) -> bool:
    level = [content]
    for _ in range(limit + 1):
        level = [part for each in level for part in _parts(each) if isinstance(part, dict | list)]
        if not level:
            return False
    return True


def _parts(content: Any) -> list[Any]:
    if isinstance(content, dict):
        return list(content.values())
    return content if isinstance(content, list) else []
