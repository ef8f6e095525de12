"""``manage.py load_taxonomy``: the words shared by all cities."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand

from config.loading import taxonomy_load


class Command(BaseCommand):
    help = "Bring themes, services and standards up to date with fixtures/taxonomy."

    def handle(self, *args: Any, **options: Any) -> None:
        taxonomy_load()
