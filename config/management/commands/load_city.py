"""``manage.py load_city <description>``: any city, from one description file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand

from analysis.services import priority_compute, run_record
from config.loading import city_load, description_of, taxonomy_load
from geo.errors import MahallehError
from geo.querysets import system_user


class Command(BaseCommand):
    help = "Load a city: places, layers, services, standards. Everything is checked first; all is written, or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "description", help="a description file (fixtures/cities/*.toml), or a folder of data that one describes"
        )
        parser.add_argument("--data", default=None, help="folder of the files the description names")
        parser.add_argument("--repair", action="store_true", help="repair invalid geometries where that can be done")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            description, data = description_of(
                Path(options["description"]), Path(options["data"]) if options["data"] else None
            )
            taxonomy_load()
            city = city_load(description, data=data, repair=options["repair"], say=lambda line: self.stderr.write(line))
            self.stderr.write("Computing coverage and priority …")
            result = priority_compute(city=city, user=system_user())
            run_record(result.coverage)
            run_record(result)
        except MahallehError as error:
            self.stderr.write(str(error))
            sys.exit(2)
        self.stderr.write(
            f"{city.name_en} is loaded: {len(result.coverage.places)} places, {len(result.coverage.services)} services."
        )
