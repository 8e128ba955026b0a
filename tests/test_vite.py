"""The template tag for what Vite built."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from atlas.vite import manifest, reachable, vite

CHUNKS = {
    "src/pages/map.ts": {"file": "assets/map-1.js", "css": ["assets/map-1.css"], "imports": ["_shared.js"]},
    "src/pages/site.ts": {"file": "assets/site-1.js", "css": ["assets/base-1.css"]},
    "_shared.js": {"file": "assets/shared-1.js", "css": ["assets/base-1.css"], "imports": ["_core.js"]},
    "_core.js": {"file": "assets/core-1.js", "imports": ["_shared.js"]},
}


@pytest.fixture(autouse=True)
def built(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    settings.VITE_MANIFEST = tmp_path / "manifest.json"
    settings.VITE_MANIFEST.write_text(json.dumps(CHUNKS))
    manifest.cache_clear()
    yield settings.VITE_MANIFEST
    manifest.cache_clear()


def test_styles_come_first_those_of_imports_before_those_of_the_entry() -> None:
    html = vite("src/pages/map.ts")
    order = ["assets/base-1.css", "assets/map-1.css", "assets/map-1.js", "assets/shared-1.js"]
    places = [html.index(name) for name in order]
    assert places == sorted(places)
    assert '<script type="module" src="/static/assets/map-1.js"></script>' in html
    assert '<link rel="modulepreload" href="/static/assets/core-1.js">' in html


def test_what_two_chunks_share_comes_before_both() -> None:
    chunks: dict[str, dict[str, Any]] = {
        "page": {"imports": ["one", "two"]},
        "one": {"imports": ["base"]},
        "two": {"imports": ["base"]},
        "base": {},
    }
    assert reachable("page", chunks) == ["base", "one", "two", "page"]


def test_nothing_is_named_twice() -> None:
    assert vite("src/pages/map.ts").count("base-1.css") == 1


def test_an_unknown_entry_is_told_with_what_there_is() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"typo\.ts is not an entry .* src/pages/map\.ts"):
        vite("src/pages/typo.ts")


def test_pages_that_are_not_built_are_told(built: Path) -> None:
    built.unlink()
    with pytest.raises(ImproperlyConfigured, match="run `make build`"):
        vite("src/pages/map.ts")
