"""`manage.py up`: the whole system, until Ctrl-C."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from atlas.services.errors import ServiceError
from atlas.services.home import Home
from atlas.services.supervisor import Stopped
from atlas.services.system import Plan, run_system


class Command(BaseCommand):
    help = "Start Postgres, Redis, the web server and the workers; Ctrl-C stops them all."
    # The servers are not there yet: nothing may be asked of the database before they are started.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--then", default="", metavar="COMMAND", help="a management command to run once all is ready"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        plan = Plan(
            home=Home(settings.ATLAS_HOME),
            project=settings.BASE_DIR,
            port=settings.ATLAS_PORT,
            workers=settings.ATLAS_WORKERS,
            own_postgres=settings.OWN_POSTGRES,
            own_redis=settings.OWN_REDIS,
            static_inputs=(settings.VITE_MANIFEST, settings.BASE_DIR / "requirements.lock"),
            after_ready=tuple(options["then"].split()),
        )
        try:
            run_system(plan)
        except Stopped:
            self.stdout.write("stopped")
        except ServiceError as error:
            raise CommandError(str(error)) from error
