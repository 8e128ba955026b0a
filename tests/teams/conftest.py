from typing import Any

import pytest

from atlas import vite
from tests.people import Cast, make_cast


@pytest.fixture
def cast(db: None, monkeypatch: pytest.MonkeyPatch) -> Cast:
    entries: dict[str, Any] = {"src/pages/site.ts": {"file": "assets/site.js"}}
    monkeypatch.setattr(vite, "manifest", lambda: entries)
    return make_cast()
