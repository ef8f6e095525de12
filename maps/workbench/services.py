"""What the workbench writes: change sets through `geo.services`, unsaved work, presence; and files that are traced."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import shapely
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from analysis.ground import people_counter
from analysis.selectors import people_reading
from geo.core.lineage import difference
from geo.core.measuring import area_m2
from geo.core.topology import findings as findings_in
from geo.core.topology import repaired
from geo.core.validity import MAX_VERTICES
from geo.errors import InvalidInput
from geo.models import ChangeSet, Place, Presence, WorkingCopy
from geo.querysets import User
from geo.services import Edit, Saved, change_set_restore, change_set_save
from layers.reading import Limits, Plan, read_file
from layers.reading.wording import PAGE
from maps.api.bodies import MOST_BYTES
from maps.workbench.effort import MOST_VERTICES, effort_required, is_mendable
from maps.workbench.geometries import lines_of, polygon_of
from maps.workbench.readout import Drawing
from maps.workbench.schemas import ChangeSetBody, RestoreBody
from maps.workbench.selectors import bounds_of, geojson, ground_in_force

TRACED: Final = Limits(
    file_bytes=5 * MOST_BYTES,
    table_bytes=MOST_BYTES,
    rows=5_000,
    fields=200,
    vertices_per_row=MOST_VERTICES,
    vertices=MAX_VERTICES,
    pixels=1,
    problems=50,
    problems_per_code=20,
)
"""What a traced file may hold: a drawing, not a national layer."""

_KNOWN_SUFFIXES: Final = (".geojson", ".json", ".gpkg", ".zip", ".fgb", ".shp")


def save(
    city: Place, user: User, body: ChangeSetBody, change_set: ChangeSet | None = None, version: int | None = None
) -> Saved:
    """Save a change set as it was sent.

    Raises
    ------
    GeometryError, LimitExceeded, InvalidInput
        Where a member cannot be stored; ``where`` names it.
    Forbidden, StaleEdit, Conflict
        As `geo.services.change_set_save`.
    """
    edits = edits_of(body)
    reading = people_reading(city, user)
    drawn = [(f"place {edit.code}", edit.geometry) for edit in edits if edit.geometry is not None]
    effort_required(drawn, ground_in_force(reading))
    return change_set_save(
        city=city,
        user=user,
        edits=edits,
        title=body.title.strip(),
        comment=body.comment.strip(),
        valid_from=body.valid_from,
        change_set=change_set,
        version=version,
        acknowledged=tuple(body.acknowledged),
        people_of=people_counter(reading),
        repair=body.repair and all(_is_soon_mended(edit.geometry) for edit in edits),
    )


def undo(change_set: ChangeSet, user: User, body: RestoreBody) -> Saved:
    """Draft the undoing of an approved change set, as `geo.services.change_set_restore`."""
    return change_set_restore(
        change_set,
        user,
        title=body.title.strip(),
        comment=body.comment.strip(),
        valid_from=body.valid_from,
        people_of=people_counter(people_reading(change_set.place, user)),
    )


def edits_of(body: ChangeSetBody) -> list[Edit]:
    """Return the edits of a body.

    Raises
    ------
    GeometryError, LimitExceeded
        Where a geometry is none; ``where`` names the member.
    """
    room, found = MAX_VERTICES, []
    for index, told in enumerate(body.edits):
        geometry = polygon_of(told.geometry, f"edits[{index}].geometry", room=room)
        room -= int(shapely.get_num_coordinates(geometry))
        found.append(
            Edit(
                code=told.code,
                base_edition_id=told.base_edition_id,
                geometry=geometry,
                name_fa=told.name_fa.strip(),
                name_en=told.name_en.strip(),
                kind=told.kind,
                source=told.source.strip(),
                certainty=told.certainty,
                disputed=lines_of(told.disputed, f"edits[{index}].disputed"),
                from_codes=tuple(told.from_codes),
                is_revival=told.is_revival,
            )
        )
    return found


def _is_soon_mended(geometry: shapely.Geometry | None) -> bool:
    return geometry is None or shapely.is_valid(geometry) or is_mendable(geometry)


# ---- work in progress


def working_copy_put(city: Place, user: Any, document: dict[str, Any], based_on: dict[str, int | None]) -> WorkingCopy:
    """Keep a user's unsaved work on a city, in place of what was kept before."""
    kept, _ = WorkingCopy.objects.update_or_create(
        user=user, city=city, defaults={"document": document, "based_on": based_on}
    )
    return kept


def working_copy_drop(city: Place, user: Any) -> None:
    """Forget a user's unsaved work on a city."""
    WorkingCopy.objects.filter(user=user, city=city).delete()


def presence_put(city: Place, user: Any, places: Sequence[str]) -> None:
    """Say that a user edits some places of a city now."""
    told = {"places": list(dict.fromkeys(places))[:50], "seen_at": timezone.now()}
    Presence.objects.update_or_create(user=user, city=city, defaults=told)


# ---- shapes from elsewhere


def repair_preview(drawing: Drawing, finding: str, repair: str) -> dict[str, Any]:
    """Return what a repair of a finding would change; nothing is written.

    Raises
    ------
    InvalidInput
        Where there is no such finding any more, or it has no such repair.
    GeometryError
        Where the repair cannot be made here.
    """
    tiles = drawing.neighbourhoods(drawing.after)
    mended = next((s for s in drawing.shapes if s.note and repair == f"mend:{s.code}" and s.geometry), None)
    if mended is not None:
        return {"changes": {mended.code: _change(drawing.before.get(mended.code), mended.geometry)}}
    found = next((one for one in findings_in(tiles) if one.key == finding), None)
    if found is None:
        raise InvalidInput(
            "The finding is not there any more.",
            code="unknown_finding",
            where="finding",
            remedy="Check the boundaries again.",
        )
    changes = repaired(tiles, found, repair)
    return {"changes": {code: _change(tiles.get(code), shape) for code, shape in changes.items()}}


def _change(before: shapely.Geometry | None, after: shapely.Geometry | None) -> dict[str, Any]:
    gap = difference(before, after)
    return {
        "geometry": geojson(after),
        "gained": geojson(gap.gained),
        "lost": geojson(gap.lost),
        "gained_m2": round(gap.gained_m2, 2),
        "lost_m2": round(gap.lost_m2, 2),
    }


def trace(city: Place, user: User, upload: UploadedFile | None) -> dict[str, Any]:
    """Read the areas of a file that somebody wants to draw after; nothing of it is kept.

    Raises
    ------
    InvalidInput, LimitExceeded
        Where the file holds no area that can be used; with the place of the first fault.
    """
    if upload is None or not upload.name:
        raise InvalidInput("No file was sent.", code="no_file", where="file", remedy="Choose a file.")
    with tempfile.TemporaryDirectory(prefix="mahalleh-trace-") as folder:
        path = Path(folder) / _safe_name(upload.name)
        with path.open("wb") as file:
            for chunk in upload.chunks():
                file.write(chunk)
        west, south, east, north = bounds_of(city, user)
        plan = read_file(path, expect="polygon", near=(west, south, east, north), limits=TRACED, wording=PAGE)
    if not isinstance(plan, Plan):
        raise InvalidInput(
            "The file is a raster.", code="not_a_vector_file", where="file", remedy="Choose a file of areas."
        )
    rows = plan.rows
    usable = [index for index, shape in enumerate(rows.geometries_4326) if shape is not None]
    if not usable:
        plan.require_loadable()
    if not usable:
        raise InvalidInput("The file has no area.", code="no_rows", where="file", remedy="Choose another file.")
    areas_m2 = area_m2(rows.geometries_4326[usable])
    return {
        "file": plan.file_name,
        "format": plan.format,
        "crs": plan.crs,
        "shapes": [
            {
                "number": int(rows.numbers[index]),
                "name": rows.names[index] if index < len(rows.names) else "",
                "geometry": geojson(rows.geometries_4326[index]),
                "area_m2": round(float(area), 2),
            }
            for index, area in zip(usable, areas_m2, strict=True)
        ],
        "problems": [{**problem.as_dict(), "where": problem.where} for problem in plan.problems],
    }


def _safe_name(name: str) -> str:
    """Return a name under which an upload can be opened, its ending kept where it is one we know.

    Examples
    --------
    >>> _safe_name("../../etc/محله.GeoJSON"), _safe_name("x.vrt")
    ('محله.geojson', 'x.vrt.unknown')
    """
    stem = re.sub(r"[^\w.-]+", "_", name.replace("\\", "/").rsplit("/", 1)[-1]).lstrip(".")[-60:] or "file"
    suffix = Path(stem).suffix.lower()
    return f"{Path(stem).stem}{suffix}" if suffix in _KNOWN_SUFFIXES else f"{stem}.unknown"
