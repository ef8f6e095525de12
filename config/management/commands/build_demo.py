"""``manage.py build_demo``: the invented city of the demonstration."""

from __future__ import annotations

import secrets
import shutil
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, call_command

from analysis.indices.computing import IndexQuestion
from analysis.indices.editions import index_public, index_publish
from config.people import demo_people_put
from fixtures.khorramabad.build import build
from fixtures.khorramabad.provinces import provinces_put
from geo.models import Place
from geo.querysets import system_user
from interventions.loading import network_load, outcomes_load
from interventions.services import notices_write
from maps.indices.presenters import suggested_titles


class Command(BaseCommand):
    help = "Build the demo city, load it, compute its coverage and priority, and make a person for each role."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scale", type=int, default=1, help="times the size of the city; 1 by default")
        parser.add_argument("--seed", type=int, default=1404)

    def handle(self, *args: Any, **options: Any) -> None:
        folder = settings.VAR_DIR / "demo"
        shutil.rmtree(folder, ignore_errors=True)
        self.stderr.write("Building the demo city (illustrative data, not official boundaries) …")
        build(folder, scale=options["scale"], seed=options["seed"])
        call_command("load_city", str(settings.CITY_DIR / "khorramabad.toml"), data=str(folder), stderr=self.stderr)
        city = Place.objects.get(kind=Place.Kind.CITY, code="khorramabad")
        if options["scale"] == 1:
            fixture = settings.BASE_DIR / "fixtures" / "khorramabad"
            network_load(city, fixture / "network.toml")
            outcomes_load(city, fixture / "outcomes.csv")
            self.stderr.write("Publishing an index of the informal settlements …")
            _index_publish(city)
            provinces_put(Place.objects.get(path=city.path.partition("/")[0]), fixture / "network.toml")
        password_file = settings.VAR_DIR / "demo-password"
        if not password_file.exists():
            password_file.touch(mode=0o600)
            password_file.write_text(secrets.token_urlsafe(9))
        names = demo_people_put(password=password_file.read_text())
        notices_write()
        sys.stderr.write(f"Sign in as {', '.join(names)}; the password is in {password_file}.\n")


def _index_publish(city: Place) -> None:
    """Rank the settlements by all that is measured there, and publish it with its finding as the title."""
    question = IndexQuestion(kinds=("settlement",), first=3)
    public = index_public(city=city, user=system_user(), question=question)
    titles = suggested_titles(public.document)
    index_publish(city=city, author=system_user(), question=question, reversals_seen=True, public=public, **titles)
