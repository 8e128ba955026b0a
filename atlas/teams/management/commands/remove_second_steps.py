"""`manage.py remove_second_steps EMAIL`: for who lost the phone, passkeys and recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from atlas.teams.models import User
from atlas.teams.second_steps import remove_second_steps


class Command(BaseCommand):
    help = "Let a person sign in by the password alone again. Make sure first that it is they who ask."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *_args: Any, email: str, **_options: Any) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"{email} has no account.")
        if not remove_second_steps(user):
            raise CommandError(f"{email} has no second step.")
        self.stdout.write(f"{email} signs in by the password alone.")
