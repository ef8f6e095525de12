"""``manage.py import_layer <city> <layer> <file>``: a file as the next release of a layer."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand
from django.db import transaction

from geo.errors import InvalidInput, MahallehError, NotFound
from geo.models import Place
from layers.models import Layer
from layers.reading import RasterPlan, read_file, summary
from layers.services import LayerSpec, layer_put, raster_release_create, release_create


class Command(BaseCommand):
    help = "Read a file, say what is wrong with it, and store it as the next release of a layer: whole, or not at all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("city", help="code of the city")
        parser.add_argument("layer", help="code of the layer; a new one is made where --theme and names are given")
        parser.add_argument("file", type=Path, help="GeoPackage, GeoJSON, Shapefile, FlatGeobuf, CSV or GeoTIFF")
        parser.add_argument("--check", action="store_true", help="only read and report; write nothing")
        parser.add_argument("--reference-date", type=date.fromisoformat, default=None, help="the day the data describe")
        new = parser.add_argument_group("a new layer")
        new.add_argument("--theme", default="")
        new.add_argument("--name-fa", default="")
        new.add_argument("--name-en", default="")
        new.add_argument("--source", default="")
        new.add_argument("--source-fa", default="", help="the source in Persian")
        new.add_argument("--licence", default="")
        new.add_argument("--public", action="store_true", help="let everybody see it")
        reading = parser.add_argument_group("how to read the file")
        reading.add_argument(
            "--source-epsg", type=int, default=None, help="the file's reference system where it says none"
        )
        reading.add_argument("--encoding", default=None)
        reading.add_argument("--layer", dest="file_layer", default=None, help="layer inside the file")
        reading.add_argument("--name-field", default=None)
        reading.add_argument("--fields", default=None, help="attributes to keep, separated by commas")
        reading.add_argument("--x-field", default=None)
        reading.add_argument("--y-field", default=None)
        reading.add_argument("--band", type=int, default=None)
        reading.add_argument("--repair", action="store_true", help="repair invalid geometries where that can be done")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._import(options)
        except MahallehError as error:
            self.stderr.write(str(error))
            sys.exit(2)

    def _import(self, options: dict[str, Any]) -> None:
        city = Place.objects.filter(kind=Place.Kind.CITY, code=options["city"]).first()
        if city is None:
            raise NotFound(
                f"There is no city {options['city']!r}.", code="unknown_city", remedy="Load it with load_city."
            )
        layer = Layer.objects.filter(city=city, code=options["layer"]).first()
        fields = options["fields"].split(",") if options["fields"] else None
        reading = {
            key: options[key] for key in ("source_epsg", "encoding", "name_field", "x_field", "y_field", "repair")
        }
        plan = read_file(
            options["file"],
            **reading,
            layer=options["file_layer"],
            fields=fields,
            expect=layer.kind if layer and layer.kind != Layer.Kind.RASTER else None,
            **({"band": options["band"]} if options["band"] else {}),
        )
        self.stderr.write(summary(plan))
        plan.require_loadable()
        if options["check"]:
            return
        with transaction.atomic():
            layer = layer or self._made(city, plan.kind if not isinstance(plan, RasterPlan) else "raster", options)
            when = options["reference_date"]
            if isinstance(plan, RasterPlan):
                release = raster_release_create(layer=layer, plan=plan, path=options["file"], reference_date=when)
            else:
                release = release_create(layer=layer, plan=plan, reference_date=when)
        self.stderr.write(f"{layer} is at release {release.number}, with {release.row_count:,} rows.")

    def _made(self, city: Place, kind: str | None, options: dict[str, Any]) -> Layer:
        missing = [
            f"--{key.replace('_', '-')}" for key in ("theme", "name_fa", "name_en", "source") if not options[key]
        ]
        if missing or kind is None:
            raise InvalidInput(
                f"{city.name_en} has no layer {options['layer']!r} yet.",
                code="unknown_layer",
                remedy=f"To make it, give {', '.join(missing) or 'a file with rows'}.",
            )
        return layer_put(
            LayerSpec(
                city, options["theme"], options["layer"], kind, options["name_fa"], options["name_en"],
                options["source"], options["licence"],
                Layer.Visibility.PUBLIC if options["public"] else Layer.Visibility.ASSIGNED, options["source_fa"],
            )
        )  # fmt: skip
