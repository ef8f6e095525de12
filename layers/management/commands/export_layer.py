"""``manage.py export_layer <city> <layer> <file>``: a release of a layer as a file."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand

from geo.errors import InvalidInput, MahallehError, NotFound
from layers.models import Layer, Release
from layers.writing import FORMATS, bare_file, export_folder, export_of, zip_stream


class Command(BaseCommand):
    help = (
        "Write a release of a layer as a file: the data alone, or a zip with the codebook where the name ends in .zip."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("city", help="code of the city")
        parser.add_argument("layer", help="code of the layer")
        parser.add_argument("file", type=Path, help="where to write; its ending says the format if --format does not")
        parser.add_argument("--format", choices=[*FORMATS], default=None)
        parser.add_argument("--crs", type=int, default=None, help="EPSG code; 4326 or the raster's own if left out")
        parser.add_argument("--release", type=int, default=None, help="number; the newest if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._export(options)
        except MahallehError as error:
            self.stderr.write(str(error))
            sys.exit(2)

    def _export(self, options: dict[str, Any]) -> None:
        target: Path = options["file"]
        release = _release(options["city"], options["layer"], options["release"])
        form = options["format"] or next((one.code for one in FORMATS.values() if one.suffix == target.suffix), "")
        if not form or (target.suffix == ".zip" and options["format"] is None):
            raise InvalidInput(
                f"The name {target.name!r} does not say the format.",
                code="bad_format",
                where="--format",
                remedy=f"Give --format, one of {', '.join(FORMATS)}.",
            )
        if not target.parent.is_dir():
            raise InvalidInput(
                f"There is no folder {str(target.parent)!r}.", code="no_folder", where="file", remedy="Make it first."
            )
        wanted = export_of(release, format=form, epsg=options["crs"])
        # A file of that name stays as it is until the new one is whole.
        part = target.with_name(f".{target.name}.part")
        try:
            if target.suffix == ".zip":
                with part.open("wb") as file:
                    for piece in zip_stream(wanted):
                        file.write(piece)
            else:
                with export_folder() as folder:
                    shutil.copyfile(bare_file(wanted, folder).path, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        self.stderr.write(f"Wrote {target}: {release}, EPSG:{wanted.epsg}, {target.stat().st_size:,} bytes.")


def _release(city: str, code: str, number: int | None) -> Release:
    layer = Layer.objects.filter(city__kind="city", city__code=city, code=code).first()
    if layer is None:
        raise NotFound(
            f"There is no layer {code!r} of a city {city!r}.", code="unknown_layer", remedy="Look at /layers/."
        )
    known = Release.objects.filter(layer=layer).select_related("layer__city", "layer__theme", "raster")
    found: Release | None = known.filter(**({} if number is None else {"number": number})).order_by("-number").first()
    if found is None:
        raise NotFound(
            f"{layer} has no release{f' {number}' if number else ''}.",
            code="unknown_release",
            remedy="Import one first.",
        )
    return found
