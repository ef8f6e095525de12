"""Loading a whole city from its description: all of it is written, or nothing.

Places are read and checked before anything is written; layers are stored as they are read, so that memory does not grow
with their files.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from django.conf import settings
from django.db import transaction
from django.db.models import Model

from analysis.services import index_put
from config.retiring import layers_left, places_reopen, places_retire, settings_retire
from geo.core.text import clean_name, slugify
from geo.db import sql
from geo.errors import InvalidInput, MahallehError, NotFound
from geo.models import Boundary, Place
from geo.services import PlaceSpec, boundary_approve, place_put, places_import
from layers import services as layers_services
from layers.models import Feature, Layer, Release, Service, Theme
from layers.partitions import SEARCHED_BY
from layers.reading import (
    DESCRIPTION,
    Bounds,
    CityDescription,
    Plan,
    RasterPlan,
    ReadingOptions,
    is_raster,
    read_city,
    read_file,
    summary,
)
from layers.reading import reading as opened
from layers.reading.city_parts import FileReference, LayerFile, NamedPlace, PlaceFile, TravelRule

Say = Callable[[str], object]

_NEAR_MARGIN_DEGREES = 0.5


def taxonomy_load() -> None:
    """Bring themes, services, general standards and classes of frequency up to date with the data files of the project."""

    def table(name: str) -> list[dict[str, object]]:
        return list(tomllib.loads((settings.TAXONOMY_DIR / f"{name}.toml").read_text(encoding="utf-8"))[name])

    layers_services.taxonomy_put(table("themes"), table("services"), table("standards"), table("frequencies"))


def description_of(path: Path, data: Path | None) -> tuple[Path, Path | None]:
    """Return a city's description file and data folder, from either of them.

    Parameters
    ----------
    path : Path
        A description, or a folder of data: then its own ``city.toml`` is taken, or the project's description of that name.
    data : Path or None
        Folder of the data where the person gave one.

    Raises
    ------
    NotFound
        Where neither is there.
    """
    if not path.exists():
        raise NotFound("There is no such file or folder.", code="no_file", where=str(path), remedy="Check the path.")
    if path.is_file():
        return path, data
    own = path / "city.toml"
    shipped = settings.CITY_DIR / f"{path.resolve().name.replace('_', '-')}.toml"
    for candidate in (own, shipped):
        if candidate.is_file():
            return candidate, data or path
    raise NotFound(
        "No description of this city was found.",
        code="no_description",
        where=str(path),
        remedy=f"Write {own}, as docs/city-description.md explains, or name a description file.",
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """A description with every place it names read and found loadable.

    Attributes
    ----------
    outlines, places
        What the files of places hold.
    near
        Bounds around the places, in which layers should lie; None if there are none.
    repair
        Whether to repair invalid geometries in all files.
    """

    description: CityDescription
    outlines: dict[str, Plan]
    places: tuple[tuple[PlaceFile, Plan], ...]
    near: Bounds | None
    repair: bool

    def asked(self, file: FileReference, **more: Any) -> dict[str, Any]:
        """Return how a file is to be read."""
        return {**file.options(), "repair": self.repair or file.repair, "near": self.near, **more}

    def asked_of_layer(self, layer: LayerFile) -> dict[str, Any]:
        """Return how the file of a layer is to be read."""
        counted = {people.layer for people in self.description.populations}
        return self.asked(
            layer.file,
            name_field=layer.name_field or None,
            fields=layer.fields,
            expect=layer.kind if layer.kind != "raster" else None,
            non_negative=layer.code in counted,
        )


def city_load(path: Path, *, data: Path | None = None, repair: bool = False, say: Say = lambda line: None) -> Place:
    """Load a city from its description; loading it again brings it up to date with new editions and releases.

    What the description no longer names is retired: settings are deleted, boundaries end, data stay (`config.retiring`).

    Parameters
    ----------
    path : Path
        The description (``docs/city-description.md``).
    data : Path, optional
        Folder of the files it names; the description's own otherwise.
    repair : bool
        Repair invalid geometries in all files.
    say : callable
        Told one line at a time what is being done.

    Raises
    ------
    InvalidInput
        Where the description or a file cannot be used; all problems found were told before.
    """
    reading = _read(path, data, repair, say)
    with transaction.atomic():
        city = _write(reading, say)
        outdated = [table for table in _STATISTICS if sql.rows_changed(table) >= _MANY_ROWS]
    for table in outdated:
        sql.analyze(table, _STATISTICS[table])
    layers_services.raster_sweep()
    return city


_STATISTICS: Final[Mapping[type[Model], Sequence[str]]] = {Place: (), Boundary: (), Release: (), Feature: SEARCHED_BY}
"""What PostgreSQL's planner is told of when many rows were written, and of which columns (none: all)."""
_MANY_ROWS: Final = 100
"""The planner would take rows that it was not told of for a few, and search them pair by pair; of fewer, let it."""


# ---- reading


def _read(path: Path, data: Path | None, repair: bool, say: Say) -> _Reading:
    description = read_city(
        path,
        data=data,
        services=tuple(Service.objects.values_list("code", flat=True)),
        themes=tuple(Theme.objects.values_list("code", flat=True)),
    )
    failed: list[Plan | RasterPlan] = []
    reading = _Reading(description, {}, (), None, repair)

    def read(file: FileReference, **options: Any) -> Plan | RasterPlan:
        plan = read_file(file.path, **reading.asked(file, **options), wording=DESCRIPTION)
        say(summary(plan))
        if not plan.is_loadable:
            failed.append(plan)
        return plan

    places = []
    for place_file in description.places:
        plan = read(place_file.outline.file, name_field=place_file.name_fa, expect="polygon")
        if isinstance(plan, Plan) and plan.is_loadable:
            _check_fields(place_file, plan)
            places.append((place_file, plan))
    outlines = {}
    for named in (*description.chain, description.city):
        if named.outline:
            plan = read(named.outline.file, expect="polygon")
            if isinstance(plan, Plan):
                outlines[named.code] = plan
    reading = replace(reading, outlines=outlines, places=tuple(places), near=_around(places))
    if failed:
        for layer in description.layers:  # so that all problems are told at once
            _layer_checked(reading, layer, say)
        failed[0].require_loadable()
    return reading


def _around(places: list[tuple[PlaceFile, Plan]]) -> Bounds | None:
    """Return bounds in which the layers should lie: a file of another city, or one with swapped axes, is noticed."""
    if not places:
        return None
    west, south, east, north = shapely.total_bounds(np.concatenate([p.rows.geometries_4326 for _, p in places]))
    margin = _NEAR_MARGIN_DEGREES
    return west - margin, south - margin, east + margin, north + margin


def _layer_checked(reading: _Reading, layer: LayerFile, say: Say) -> None:
    """Read the file of a layer only to tell its problems."""
    path, asked = layer.file.path, reading.asked_of_layer(layer)
    if is_raster(path):
        say(summary(read_file(path, **asked, wording=DESCRIPTION)))
        return
    with opened(path, ReadingOptions(**asked), wording=DESCRIPTION) as file:
        file.read()
        say(summary(file.plan()))


def _check_fields(place_file: PlaceFile, plan: Plan) -> None:
    for key in ("name_fa", "name_en", "code", "parent", "zone"):
        field = getattr(place_file, key)
        if field and field not in plan.rows.columns:
            raise InvalidInput(
                f"The file has no field {field!r}.",
                code="no_field",
                where=f"{plan.file_name}, {key}",
                remedy=f"Name one of: {', '.join(plan.rows.fields)}.",
            )


# ---- writing


def _write(reading: _Reading, say: Say) -> Place:
    description = reading.description
    parent: Place | None = None
    illustrative = description.city.illustrative
    for named in (*description.chain, description.city):
        parent = place_put(
            PlaceSpec(
                "city" if named is description.city else named.kind,
                named.code,
                named.name_fa,
                named.name_en,
                parent,
                is_illustrative=named.illustrative or (illustrative and named is description.city),
            )
        )
        _outline_put(reading, named, parent)
    city = parent
    if city is None:  # the description always names a city
        raise InvalidInput("The description names no city.", code="no_city", where=str(description.path))
    districts: dict[str, Place] = {}
    paths: set[str] = set()
    days: dict[str, date] = {}
    for place_file, plan in sorted(reading.places, key=lambda pair: pair[0].kind != "district"):
        paths |= _places_put(city, place_file, plan, districts)
        days[place_file.kind] = max(place_file.outline.valid_from, days.get(place_file.kind, date.min))
        say(f"Placed {len(plan.rows)} {place_file.kind}s.")
    places_reopen(paths, days, say)
    places_retire(city, paths, days, say)
    layers = _layers_put(reading, city, say)
    for rule in description.supply:
        layers_services.supply_put(
            city=city, service_code=rule.service, layer=layers[rule.layer], where=dict(rule.where)
        )
    for told in description.timetables:
        layers_services.timetable_put(
            city=city, service_code=told.service, lines=layers[told.lines] if told.lines else None,
            line_field=told.line_field, departures_field=told.departures_field, stop_field=told.stop_field,
            match_m=told.match_m,
        )  # fmt: skip
    for number, people in enumerate(description.populations):
        layers_services.population_source_put(
            city=city, layer=layers[people.layer], field=people.field, code=people.code, is_main=number == 0,
            groups=people.groups, name_fa=people.name_fa, name_en=people.name_en,
            source=people.source, source_fa=people.source_fa, reference_date=people.reference_date,
        )  # fmt: skip
    if description.travel:
        layers_services.travel_data_put(city, _travel_spec(description.travel, layers))
    for code, standard in description.standards.items():
        said = standard.source or standard.source_fa
        layers_services.standard_put(
            service_code=code,
            value=standard.threshold_m,
            source=said or f"{description.city.name_en}: city description",
            source_fa=standard.source_fa if said else f"{description.city.name_fa}: توصیف شهر",
            city=city,
        )
    settings_retire(
        city,
        services={rule.service for rule in description.supply},
        timetables={rule.service for rule in description.timetables},
        standards=description.standards,
        populations={rule.code for rule in description.populations},
        travel=description.travel is not None,
        say=say,
    )
    layers_left(city, layers, say)
    index_put(city=city, weights=description.weights, cell_m=description.cell_m)
    return city


def _travel_spec(rule: TravelRule, layers: dict[str, Layer]) -> layers_services.TravelSpec:
    """Return what a description says of travel, with its layers in place of their codes."""
    said = {one.name: getattr(rule, one.name) for one in fields(rule)}
    named = {use: layers[said[use]] if said[use] else None for use in ("roads", "elevation", "land_cover")}
    return layers_services.TravelSpec(**said | named)


def _outline_put(reading: _Reading, named: NamedPlace, place: Place) -> None:
    if named.outline and named.code in reading.outlines:
        geometry = shapely.union_all(reading.outlines[named.code].rows.geometries_4326)
        outline, source, source_fa, certainty = (
            named.outline,
            named.outline.source,
            named.outline.source_fa,
            named.outline.certainty,
        )
    elif place.kind == Place.Kind.CITY:
        found = [(f, plan) for f, plan in reading.places if f.kind == "neighbourhood"] or list(reading.places)
        geometry = shapely.union_all(np.concatenate([plan.rows.geometries_4326 for _, plan in found]))
        outline, certainty = found[0][0].outline, "modelled"
        source = f"Union of its places: {outline.source}"
        source_fa = f"اجتماع محله‌های آن: {outline.source_fa or outline.source}"
    else:
        return
    boundary_approve(
        place=place,
        geometry_4326=geometry,
        valid_from=outline.valid_from,
        source=source,
        source_fa=source_fa,
        certainty=certainty,
    )


def _places_put(city: Place, place_file: PlaceFile, plan: Plan, districts: dict[str, Place]) -> set[str]:
    """Put the places of a file with their boundaries; return their paths."""
    rows = plan.rows

    def column(field: str) -> list[str]:
        return (
            [clean_name(str(value)) if value is not None else "" for value in rows.columns[field]]
            if field
            else [""] * len(rows)
        )

    names_fa, names_en, zones, parents = (
        column(f) for f in (place_file.name_fa, place_file.name_en, place_file.zone, place_file.parent)
    )
    codes = [slugify(c) for c in column(place_file.code)] if place_file.code else [slugify(n) for n in names_en]
    items: list[tuple[PlaceSpec, shapely.Geometry]] = []
    for number, name_fa, name_en, code, zone, parent_code, geometry in zip(
        rows.numbers, names_fa, names_en, codes, zones, parents, rows.geometries_4326, strict=True
    ):
        where = f"{plan.file_name}, row {number}"
        if not name_fa and not name_en:
            raise InvalidInput("The place has no name.", code="no_name", where=where, remedy="Fill in the name.")
        if not code:
            raise InvalidInput(
                "No code can be made of the place's name.",
                code="no_code",
                where=where,
                remedy="Name a field of codes in the description.",
            )
        if parent_code and slugify(parent_code) not in districts:
            raise InvalidInput(
                f"There is no district {parent_code!r}.",
                code="no_parent",
                where=where,
                remedy="Load districts first, or correct the field.",
            )
        parent = districts[slugify(parent_code)] if parent_code else city
        items.append(
            (PlaceSpec(place_file.kind, code, name_fa or name_en, name_en or name_fa, parent, zone=zone,
                       is_illustrative=city.is_illustrative), geometry)
        )  # fmt: skip
    outline = place_file.outline
    places_import(
        items,
        valid_from=outline.valid_from,
        source=outline.source,
        source_fa=outline.source_fa,
        certainty=outline.certainty,
    )
    if place_file.kind == "district":
        districts.update({p.code: p for p in Place.objects.filter(parent=city, kind="district")})
    return {f"{spec.parent.path}/{spec.code}" for spec, _ in items if spec.parent}


def _layers_put(reading: _Reading, city: Place, say: Say) -> dict[str, Layer]:
    """Store the layers, each as it is read; once one has an error, the others are read to tell theirs, and it is raised."""
    layers: dict[str, Layer] = {}
    fault: MahallehError | None = None
    for layer_file in reading.description.layers:
        if fault is not None:
            _layer_checked(reading, layer_file, say)
            continue
        try:
            release = _release_put(reading, city, layer_file, say)
        except MahallehError as error:
            fault = error
        else:
            layers[layer_file.code] = release.layer
            say(f"Stored {layer_file.code}, release {release.number}.")
    if fault is not None:
        raise fault
    return layers


def _release_put(reading: _Reading, city: Place, layer_file: LayerFile, say: Say) -> Release:
    path, day = layer_file.file.path, layer_file.reference_date
    asked = reading.asked_of_layer(layer_file)
    if is_raster(path):
        plan = read_file(path, **asked, wording=DESCRIPTION)
        say(summary(plan))
        plan.require_loadable()
        if not isinstance(plan, RasterPlan):  # `is_raster` says so
            raise TypeError(layer_file.code)
        layer = _layer_put(reading, city, layer_file, "raster")
        return layers_services.raster_release_create(layer=layer, plan=plan, path=path, reference_date=day)
    with opened(path, ReadingOptions(**asked), wording=DESCRIPTION) as file:
        try:
            kind = file.require_kind()
            layer = _layer_put(reading, city, layer_file, layer_file.kind or kind)
            return layers_services.release_create(layer=layer, reading=file, reference_date=day)
        finally:
            say(summary(file.plan()))


def _layer_put(reading: _Reading, city: Place, layer_file: LayerFile, kind: str) -> Layer:
    counted = {people.layer for people in reading.description.populations}
    if kind == Layer.Kind.RASTER and layer_file.code in counted:
        purpose: str = Layer.Purpose.POPULATION
    else:  # what somebody said meanwhile stays
        known = Layer.objects.filter(city=city, code=layer_file.code).values_list("purpose", flat=True)
        purpose = known.first() or Layer.Purpose.GENERAL
    return layers_services.layer_put(
        layers_services.LayerSpec(
            city, layer_file.theme, layer_file.code, kind, layer_file.name_fa, layer_file.name_en, layer_file.source,
            layer_file.licence,
            Layer.Visibility.PUBLIC if layer_file.public else Layer.Visibility.ASSIGNED,
            layer_file.source_fa,
            purpose,
        )
    )  # fmt: skip
