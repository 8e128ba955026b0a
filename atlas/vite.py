"""Template tags for what Vite built: `{% vite "src/pages/site.ts" %}` in a page's head."""

import json
from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@cache
def manifest() -> dict[str, dict[str, Any]]:
    """Vite's list of sources and what each became; read once, a new build needs a restart."""
    try:
        entries: dict[str, dict[str, Any]] = json.loads(settings.VITE_MANIFEST.read_text())
    except FileNotFoundError as error:
        raise ImproperlyConfigured(
            "The pages' scripts and styles are not built: run `make build`."
        ) from error
    return entries


@register.simple_tag
def vite(entry: str) -> SafeString:
    """The style sheets and the module script of one entry, styles first, those of its imports included."""
    chunks = manifest()
    if entry not in chunks:
        raise ImproperlyConfigured(
            f"{entry} is not an entry that Vite built; there are: {', '.join(chunks)}."
        )
    seen = reachable(entry, chunks)
    styles = [style for name in seen for style in chunks[name].get("css", [])]
    main = chunks[entry]["file"]
    if main.endswith(".css"):
        styles, scripts = [*styles, main], []
    else:
        scripts = [main]
    preload = [chunks[name]["file"] for name in seen if name != entry]
    return SafeString(
        format_html_join(
            "", '<link rel="stylesheet" href="{}">', ((static(name),) for name in dict.fromkeys(styles))
        )
        + format_html_join(
            "", '<script type="module" src="{}"></script>', ((static(name),) for name in scripts)
        )
        + format_html_join("", '<link rel="modulepreload" href="{}">', ((static(name),) for name in preload))
    )


def reachable(entry: str, chunks: dict[str, dict[str, Any]]) -> list[str]:
    """The entry and all it imports, imported first."""
    seen: set[str] = set()
    order: list[str] = []

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        for imported in chunks[name].get("imports", []):
            visit(imported)
        order.append(name)

    visit(entry)
    return order
