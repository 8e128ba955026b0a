"""`manage.py close_person EMAIL`: nobody signs in with this account until `--reopen`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from atlas.teams.models import User
from atlas.teams.people import close_person, reopen_person


class Command(BaseCommand):
    help = "Close an account, with all that it made kept, or open it again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reopen", action="store_true", help="let its person sign in again")

    def handle(self, *_args: Any, email: str, reopen: bool, **_options: Any) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"{email} has no account.")
        if user.is_active == reopen:
            raise CommandError(f"The account of {email} is {'open' if reopen else 'closed'} already.")
        if reopen:
            reopen_person(user)
        else:
            close_person(user)
        self.stdout.write(f"The account of {email} is {'open' if reopen else 'closed'}.")
