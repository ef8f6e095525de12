"""``manage.py import_layer <city> <layer> <file>``: a file as the next release of a layer."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any, Final

from django.core.management import BaseCommand
from django.db import transaction

from geo.errors import InvalidInput, MahallehError, NotFound
from geo.models import Place
from geo.querysets import system_user
from layers.models import Layer, Release
from layers.reading import (
    ACCEPTED,
    Bounds,
    Kind,
    Reading,
    ReadingOptions,
    is_raster,
    read_raster,
    reading,
    summary,
)
from layers.selectors import city_bounds, places_to_join
from layers.services import LayerSpec, layer_put, raster_release_create, release_create
from layers.services.osm_rules import rule_used, rules_wanted
from layers.services.releases import how_read

_KINDS: Final[dict[str, Kind]] = {"point": "point", "line": "line", "polygon": "polygon"}


class Command(BaseCommand):
    help = "Read a file, say what is wrong with it, and store it as the next release of a layer: whole, or not at all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("city", help="code of the city")
        parser.add_argument("layer", help="code of the layer; a new one is made where --theme and names are given")
        parser.add_argument("file", type=Path, help=ACCEPTED)
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
        how = parser.add_argument_group("how to read the file")
        how.add_argument("--source-epsg", type=int, default=None, help="the file's reference system where it says none")
        how.add_argument("--encoding", default=None)
        how.add_argument("--layer", dest="file_layer", default=None, help="layer inside the file")
        how.add_argument("--name-field", default=None)
        how.add_argument("--fields", default=None, help="attributes to keep, separated by commas")
        how.add_argument("--x-field", default=None)
        how.add_argument("--y-field", default=None)
        how.add_argument("--wkt-field", default=None, help="column of a table with geometries as text")
        how.add_argument("--code-field", default=None, help="column of a table with codes or names of places")
        how.add_argument("--join-layer", default=None, help="layer of the city to whose features --code-field refers")
        how.add_argument("--sum-fields", default="", help="columns added up over rows of one place, by commas")
        how.add_argument("--leave-out", action="store_true", help="leave out rows that belong to no place")
        how.add_argument("--swap-xy", action="store_true", help="x and y are exchanged in the file")
        how.add_argument("--scale", type=float, default=None, help="factor of the coordinates; 0.3048 for feet")
        how.add_argument(
            "--rules", type=Path, default=None, help="of OpenStreetMap: a file of rules in TOML, see docs/data.md"
        )
        how.add_argument("--band", type=int, default=None)
        how.add_argument("--repair", action="store_true", help="repair invalid geometries where that can be done")

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
        near = city_bounds(city)
        if is_raster(options["file"]):
            band = {"band": options["band"]} if options["band"] else {}
            plan = read_raster(options["file"], source_epsg=options["source_epsg"], near=near, **band)
            self.stderr.write(summary(plan))
            plan.require_loadable()
            if options["check"]:
                return
            with transaction.atomic():
                layer = layer or self._made(city, "raster", options)
                release = raster_release_create(
                    layer=layer, plan=plan, path=options["file"], reference_date=options["reference_date"]
                )
        else:
            found = self._store(city, layer, near, options)
            if found is None:
                return
            release = found
        self.stderr.write(f"{release.layer} is at release {release.number}, with {release.row_count:,} rows.")

    def _store(self, city: Place, layer: Layer | None, near: Bounds | None, options: dict[str, Any]) -> Release | None:
        """Read a file in one pass, storing it as it goes by; None where it is only checked."""
        said = {"layer": options["file_layer"], "rules": _rules_text(options["rules"])}
        asked = ReadingOptions(
            layer=options["file_layer"],
            rules=rules_wanted(said) if said["rules"] else None,
            **{
                key: options[key]
                for key in ("source_epsg", "encoding", "name_field", "x_field", "y_field", "wkt_field", "code_field",
                            "join_layer", "leave_out", "repair", "swap_xy", "scale")
            },
            fields=options["fields"].split(",") if options["fields"] else None,
            sum_fields=tuple(filter(None, options["sum_fields"].split(","))),
            expect=_KINDS.get(layer.kind) if layer else None,
            near=near,
        )  # fmt: skip
        places = places_to_join(city, asked.code_field, asked.join_layer, system_user())
        with reading(options["file"], asked, places=places) as file:
            if options["check"]:
                file.read()
                plan = file.plan()
                self._tell(file)
                plan.require_loadable()
                return None
            try:
                with transaction.atomic():
                    target = layer or self._made(city, file.require_kind(), options)
                    rule = rule_used(said) if file.plan().format == "OSM" else ""
                    return release_create(
                        layer=target,
                        reading=file,
                        reference_date=options["reference_date"],
                        how=how_read(asked) | ({"rules": rule} if rule else {}),
                    )
            finally:
                self._tell(file)

    def _tell(self, file: Reading) -> None:
        joining = file.joining()
        self.stderr.write("\n".join([summary(file.plan()), *(joining.lines() if joining is not None else ())]))

    def _made(self, city: Place, kind: str, options: dict[str, Any]) -> Layer:
        missing = [
            f"--{key.replace('_', '-')}" for key in ("theme", "name_fa", "name_en", "source") if not options[key]
        ]
        if missing:
            raise InvalidInput(
                f"{city.name_en} has no layer {options['layer']!r} yet.",
                code="unknown_layer",
                remedy=f"To make it, give {', '.join(missing)}.",
            )
        return layer_put(
            LayerSpec(
                city, options["theme"], options["layer"], kind, options["name_fa"], options["name_en"],
                options["source"], options["licence"],
                Layer.Visibility.PUBLIC if options["public"] else Layer.Visibility.ASSIGNED, options["source_fa"],
            )
        )  # fmt: skip


def _rules_text(path: Path | None) -> str:
    """Return the text of a file of rules; empty where there is none."""
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"The rules cannot be read: {error}.",
            code="bad_rules",
            where=str(path),
            remedy="Name a text file in UTF-8 that is there.",
        ) from error
