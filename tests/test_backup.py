"""The database comes back from a dump as README.md makes it."""

import subprocess
from pathlib import Path

import pytest
from django.db import connection

from atlas.services.postgres import find_binaries


@pytest.mark.django_db
def test_a_dump_is_restored_without_an_error(tmp_path: Path) -> None:
    parts = connection.settings_dict
    server = ["--host", parts["HOST"], "--username", parts["USER"]]
    binaries = find_binaries(None)
    dump, restored = tmp_path / "atlas.dump", f"{parts['NAME']}_restored"

    def call(program: str, *arguments: str) -> None:
        subprocess.run([binaries / program, *server, *arguments], check=True)

    call("pg_dump", "-Fc", "-f", str(dump), parts["NAME"])
    call("createdb", restored)
    try:
        call("pg_restore", "--exit-on-error", "-d", restored, str(dump))
    finally:
        call("dropdb", restored)
