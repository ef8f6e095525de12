"""``manage.py tallies``: count the sums of all counties in which something was written, so that no reader has to."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand

from interventions.services.tallies import tallies_count


class Command(BaseCommand):
    help = "Count the sums of needs and actions again where something was written; run it every few minutes."

    def handle(self, *args: Any, **options: Any) -> None:
        left = tallies_count()
        self.stdout.write("All sums hold." if not left else f"{left} areas wait: somebody else is counting.")
