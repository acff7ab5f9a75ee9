"""Mail the news of this version to the members who asked for that; run again it mails nobody twice."""

from typing import Any

from django.core.management.base import BaseCommand

from arapp.news import announce
from arapp.releases import NEWEST


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{NEWEST.version}: {announce()} members are told")
