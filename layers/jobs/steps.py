"""What is done with a file apart from the worker: it is examined, or stored as a release."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction

from geo.core.text import normalise
from geo.errors import InvalidInput
from layers.jobs import report
from layers.jobs.difference import Things, difference_estimated
from layers.jobs.offers import is_osm, offers
from layers.models import Layer, Release, Upload
from layers.reading import (
    DEFAULT,
    FieldFacts,
    FieldRule,
    Places,
    Plan,
    RasterPlan,
    Reading,
    ReadingOptions,
    Wording,
    is_raster,
    read_raster,
    reading,
)
from layers.selectors import city_bounds, file_of, made_folder, mapping_kept, places_to_join
from layers.services.osm_rules import rule_used, rules_remembered, rules_wanted
from layers.services.rasters import raster_release_create
from layers.services.releases import how_read, release_create
from layers.services.uploads import upload_layer, upload_locked, upload_stored

Tell = Callable[[str, int, int], None]
"""Tells the step, how much of it is done, and how much there is; 0 where that is not known."""

REQUEST: Final = Wording(with_value="“{name}: {value}”", alone="“{name}”", renamed={})
"""How options are called in the interface."""


def examine(task: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Read a file, check it, and return the report; what is looked at on the map goes into the upload's folder."""
    upload = Upload.objects.select_related("city", "layer__theme").get(pk=task["upload"])
    path, layer, folder = file_of(upload), upload.layer, made_folder(upload.pk)
    sample = report.Sample()
    if layer is not None and "layer" not in upload.options and is_osm(path):
        upload.options |= rules_remembered(layer)
    if is_raster(path):
        raster = _raster(upload, path, tell)
        plan: Plan | RasterPlan = raster
        found = report.raster_report(raster)
    else:
        things = Things(layer.key_field if layer is not None else "")
        tell("reading", 0, 0)
        places = _places(upload)
        columns = _columns(upload, path, places)
        kept = mapping_kept(layer, upload.options.get("organisation", ""), [c.name for c in columns]) if layer else None
        schema = list(layer.schema) if layer is not None else []
        mapping = upload.mapping or (kept.mapping if kept else report.suggested([c.name for c in columns], schema))
        name_field = upload.options.get("name_field") or report.name_field(columns)
        name_field = name_field or _join_column(upload, columns)
        with _opened(upload, path, mapping, name_field, places, tell) as file:
            for rows in file.batches():
                sample.add(rows)
                things.add(rows)
            vector = file.plan()
            joining = file.joining()
        plan = vector
        found = report.vector_report(vector, columns, mapping)
        found["joining"] = joining.as_dict() if joining is not None else None
        found["name_field"] = name_field
        found["is_mapping_kept"] = kept is not None and not upload.mapping
        found["options"] = upload.options
        found["fields"] = report.with_standard_fields(found["fields"], *_purpose(upload))
        if plan.format == "OSM":
            tell("counting", 0, 0)
            found["offers"] = offers(path, folder, rules_wanted(upload.options), DEFAULT)
        if layer is not None and plan.is_loadable:
            tell("comparing", 0, 0)
            found["difference"] = difference_estimated(layer, things)
    tell("reporting", 0, 0)
    _write(folder / "preview.geojson", sample.features())
    _write(folder / "problems.geojson", report.problem_features(plan))
    return found


def store(task: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Store a file as the next release of its layer, whole or not at all; the upload says so in the same transaction."""
    with connection.cursor() as cursor:  # a statement of a process that was killed ends with it
        cursor.execute("SET client_connection_check_interval = '1s'")
    with transaction.atomic():
        upload = upload_locked(task["upload"], task["job"])
        if upload is None:
            return {"release": None}
        path = file_of(upload)
        release = _raster_stored(upload, path, tell) if is_raster(path) else _rows_stored(upload, path, tell)
        if release.file_name == path.name:  # new: it came under a name that is no path of ours
            release.file_name = upload.file_name
            release.save(update_fields=["file_name"])
        tell("finishing", 0, 0)
        upload_stored(upload, task["job"], release.layer, release)
    return {"release": release.pk}


STEPS: Final[Mapping[str, Callable[[Mapping[str, Any], Tell], dict[str, Any]]]] = {"examine": examine, "store": store}


@contextmanager
def _opened(
    upload: Upload,
    path: Path,
    mapping: Sequence[Mapping[str, Any]],
    name_field: str | None,
    places: Places | None,
    tell: Tell,
) -> Iterator[Reading]:
    """Open a file of rows, to be read as its upload says."""

    def progress(done: int, of: int) -> None:
        tell("reading", done, max(of, 0))

    options = replace(_options(upload), mapping=_rules(mapping), name_field=name_field)
    with reading(path, options, wording=REQUEST, progress=progress, places=places) as file:
        yield file


def _places(upload: Upload, release: int | None = None) -> Places | None:
    """Return what a file's rows are joined to; None where they are not."""
    said = upload.options
    return places_to_join(upload.city, said.get("code_field"), said.get("join_layer"), upload.author, release)


def _join_column(upload: Upload, columns: Sequence[FieldFacts]) -> str | None:
    """Return the column by which rows are joined, which names them where no other does."""
    asked = normalise(upload.options.get("code_field") or "")
    return next((one.name for one in columns if asked and normalise(one.name) == asked), None)


def _columns(upload: Upload, path: Path, places: Places | None) -> tuple[FieldFacts, ...]:
    """Look at the first rows: which columns there are, under the names that the file has."""
    options = replace(_options(upload), fields=None, sum_fields=())
    with reading(path, options, wording=REQUEST, places=places) as file:
        next(file.batches(), None)
        return file.plan().fields


def _rules(mapping: Sequence[Mapping[str, Any]]) -> tuple[FieldRule, ...]:
    """Return the rules of a mapping that change something: a file that stays as it is is read faster."""
    rules = (
        FieldRule(
            source=rule["source"],
            name=rule.get("name", ""),
            type=rule.get("type") or None,
            unit_from=rule.get("unit_from", ""),
            unit_to=rule.get("unit_to", "") if rule.get("unit_from") else "",
            keep=rule.get("keep", True),
        )
        for rule in mapping
    )
    return tuple(
        rule for rule in rules if not rule.keep or rule.type or rule.unit_from or rule.name not in ("", rule.source)
    )


def _purpose(upload: Upload) -> tuple[str, str]:
    """Return what the layer of an upload stands for, and its theme, as far as it is known."""
    if upload.layer is not None:
        return upload.layer.purpose, upload.layer.theme.code
    by_rule = next((one for one in rules_wanted(upload.options).rules if one.code == upload.options.get("layer")), None)
    said, rule = upload.new_layer, by_rule
    purpose = said.get("purpose") or (rule.purpose if rule and not said else "") or Layer.Purpose.GENERAL
    return str(purpose), str(said.get("theme") or (rule.theme if rule and not said else ""))


def _options(upload: Upload) -> ReadingOptions:
    said = {name: value for name, value in upload.options.items() if name != "organisation"}
    kind = upload.layer.kind if upload.layer is not None else None
    expect: Any = kind if kind != Layer.Kind.RASTER else None
    said["rules"] = rules_wanted(upload.options)
    return ReadingOptions(**said, expect=expect, near=city_bounds(upload.city))


def _raster(upload: Upload, path: Path, tell: Tell) -> RasterPlan:
    """Read a raster as its upload says."""
    tell("reading", 0, 0)
    asked = _options(upload)
    return read_raster(
        path,
        band=asked.band,
        source_epsg=asked.source_epsg,
        near=asked.near,
        non_negative=asked.non_negative,
        wording=REQUEST,
    )


def _rows_stored(upload: Upload, path: Path, tell: Tell) -> Release:
    """Store the rows of a file, as they are read."""

    def progress(step: str, done: int, of: int) -> None:
        tell(step, done, max(of, 0))

    name_field = upload.report.get("name_field")
    settled = (upload.report.get("joining") or {}).get("release")  # what was looked at is what is stored
    places = _places(upload, settled)
    with _opened(upload, path, upload.mapping, name_field, places, lambda *_: None) as file:
        layer = _layer(upload, file.require_kind())
        return release_create(
            layer=layer,
            reading=file,
            reference_date=upload.reference_date,
            author=upload.author,
            how=how_read(file.options) | ({"rules": rule_used(upload.options)} if "offers" in upload.report else {}),
            progress=progress,
        )


def _raster_stored(upload: Upload, path: Path, tell: Tell) -> Release:
    """Store a raster."""
    plan = _raster(upload, path, tell)
    plan.require_loadable()
    layer = _layer(upload, Layer.Kind.RASTER)
    tell("storing", 0, 0)
    how = {name: value for name, value in upload.options.items() if name != "organisation"}
    return raster_release_create(
        layer=layer, plan=plan, path=path, reference_date=upload.reference_date, author=upload.author, how=how
    )


def _layer(upload: Upload, kind: str) -> Layer:
    """Return the layer that a file of a kind goes into; a new one is made."""
    layer = upload_layer(upload, kind)
    if layer.kind != kind:
        raise InvalidInput(
            f"The layer holds {layer.kind} data, the file {kind} data.",
            code="kind_changed",
            where=upload.file_name,
            remedy="Choose another layer, or make a new one.",
            details={"layer": layer.code, "kind": kind},
        )
    return layer


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    part.replace(path)
