"""`manage.py make_person EMAIL`: an account, also where nobody may sign up."""

from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from atlas.teams.models import User
from atlas.teams.people import create_person


class Command(BaseCommand):
    help = "Make an account with a team of its own; asks for the password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="what others call them")

    def handle(self, *_args: Any, email: str, name: str, **_options: Any) -> None:
        if User.objects.filter(email__iexact=email).exists():
            raise CommandError(f"{email} has an account already.")
        # Never an argument: other people of the machine can read those.
        password = getpass(f"Password for {email}: ")
        try:
            validate_email(email)
            validate_password(password, User(email=email, first_name=name))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        create_person(email, password, name=name)
        self.stdout.write(f"{email} can sign in.")
