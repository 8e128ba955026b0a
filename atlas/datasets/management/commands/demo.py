"""`manage.py demo`: a person to sign in as, and the sample dataset as a ready map."""

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from atlas.datasets.demo import DemoError, load_sample
from atlas.teams.models import User
from atlas.teams.people import create_person

EMAIL = "demo@atlas.local"


class Command(BaseCommand):
    help = "Load the sample dataset into the running system, as a user of its own would."

    def handle(self, *_args: Any, **_options: Any) -> None:
        password = demo_password(Path(settings.ATLAS_HOME) / "demo_password")
        if not User.objects.filter(email=EMAIL).exists():
            create_person(EMAIL, password, name="Demo")
        self.stdout.write(f"sign in: {EMAIL}, password {password}")
        try:
            url = load_sample(f"http://127.0.0.1:{settings.ATLAS_PORT}", EMAIL, password)
        except DemoError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"map: {url}")


def demo_password(path: Path) -> str:
    """Made at the first start, the same ever after, readable by the owner of the data folder only."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.new")  # killed in between, the file would stay empty
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(9))
        fresh.rename(path)
    return path.read_text()
