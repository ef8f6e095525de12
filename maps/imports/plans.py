"""What the page of an upload shows of its report: facts, choices, faults with their places, fields, preview, difference."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import shapely
from django.utils.translation import gettext as _

from geo.core.text import normalise
from geo.errors import NotFound
from layers.models import Upload
from layers.reading.encodings import LIKELY
from layers.reading.osm_rules import KEY_FIELD
from layers.reading.problems import RefusedError
from layers.reading.text import codec_of
from layers.selectors import made_of
from maps.imports import osm, pictures, wording
from maps.pages import formats
from maps.pages.reader import language
from maps.problems import fault_told

Json = Mapping[str, Any]

MOST_ROWS: Final = 60
"""Rows named below one kind of fault; the map shows more."""
MOST_MENDINGS: Final = 8
MOST_EDITED: Final = 200
"""Fields that can be changed on the page; what a form can carry has an end."""

_RECODED: Final = frozenset({"ESRI Shapefile", "CSV", "GeoJSON"})
_TABLES: Final = frozenset({"CSV", "XLSX"})
_CRS_FAULTS: Final = frozenset({
    "no_crs", "unknown_crs", "wrong_crs", "unusable_crs", "far_from_city", "swapped_coordinates", "wrong_unit",
    "far_from_crs_area", "out_of_range",
})  # fmt: skip
_TEXT_FAULTS: Final = frozenset({"undeclared_encoding", "unknown_encoding", "wrong_encoding", "lost_letters"})
_TWICE: Final = ("duplicate_row", "duplicate_geometry", "same_place", "duplicate_name")
_CHOSEN_BELOW: Final = frozenset({"no_crs", "several_layers"})
"""Faults that are a choice, which the page shows with all there is to choose from."""
_MENDED: Final = frozenset({
    "invalid_geometry", "broken_geometry", "no_geometry", "geometry_collection", "wrong_encoding"
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways of reading a file."""

    value: str
    label: str
    is_chosen: bool
    share: float | None = None
    dots: pictures.Dots | None = None
    texts: tuple[str, ...] = ()

    @property
    def is_misread(self) -> bool:
        """Whether bytes of the texts are none of the encoding."""
        return any("\ufffd" in text for text in self.texts)


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One place of a fault; message and remedy are in the reader's language."""

    where: str
    lon: float | None
    lat: float | None
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class FaultGroup:
    """Faults of one kind.

    Attributes
    ----------
    advice
        What can be done, in the words of the page; else the remedy that all of its rows have in common.
    """

    code: str
    severity: str
    severity_word: str
    title: str
    advice: str
    count: int
    rows: tuple[FaultRow, ...]
    more: int
    mendings: tuple[pictures.Mending, ...]
    is_mended: bool


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard field that a field of a file could be.

    Attributes
    ----------
    is_taken : bool
        Whether the field has its name already.
    """

    name: str
    title: str
    type: str
    unit: str
    is_taken: bool


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a file and what it becomes."""

    number: int
    source: str
    found: str
    filled: str
    examples: str
    name: str
    type: str
    unit_from: str
    unit_to: str
    is_kept: bool
    is_name: bool
    is_key: bool
    is_known: bool
    standard: Standard | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a release would change, of one kind."""

    word: str
    count: int
    examples: tuple[tuple[str, float | None, float | None], ...]


@dataclass(slots=True)
class PlanView:
    """All that the page of an examined upload shows; see the modules it comes from.

    Attributes
    ----------
    is_unknown
        Whether it is no kind of file that can be read, however one chooses.
    """

    facts: list[tuple[str, str, str]] = field(default_factory=list)
    crs: list[Choice] = field(default_factory=list)
    is_crs_open: bool = False
    encodings: list[Choice] = field(default_factory=list)
    is_encoding_open: bool = False
    file_layers: list[Choice] = field(default_factory=list)
    osm: osm.OfferView | None = None
    is_table: bool = False
    is_table_open: bool = False
    is_raster: bool = False
    faults: list[FaultGroup] = field(default_factory=list)
    fields: list[FieldRow] = field(default_factory=list)
    fields_beyond: int = 0
    missing: list[str] = field(default_factory=list)
    preview_columns: list[str] = field(default_factory=list)
    preview_rows: list[list[str]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    changes_sentence: str = ""
    can_mend: bool = False
    has_map: bool = False
    has_target: bool = True
    is_unknown: bool = False
    has_dots: bool = False


def plan_view(upload: Upload, city: shapely.Geometry | None, *, options: Json, mapping: Sequence[Json]) -> PlanView:
    """Return what the page of an upload shows of its report.

    Parameters
    ----------
    city : shapely geometry, optional
        The outline of the city, over which points are drawn where there is a choice of coordinate systems.
    options, mapping
        What stands in the form, where it differs from what the upload was examined with.
    """
    report: Json = upload.report
    view = PlanView(is_raster=report.get("kind") == "raster")
    if not report:
        view.is_crs_open = view.is_encoding_open = True
        view.crs, view.encodings = _crs({}, options, None), _encodings({}, options)
        return view
    codes = {code for by_code in report.get("counts", {}).values() for code in by_code}
    view.osm = osm.offer_view(report, options)
    view.is_unknown = "unsupported_format" in codes
    if view.osm is None and not view.is_unknown:  # OpenStreetMap has one coordinate system, which is known
        view.crs = _crs(report, options, city)
    view.has_dots = any(one.dots is not None for one in view.crs)
    view.is_crs_open = bool(codes & _CRS_FAULTS) or (report.get("crs") or {}).get("is_plausible") is False
    view.is_encoding_open = bool(codes & _TEXT_FAULTS)
    if view.is_encoding_open or report.get("format") in _RECODED or options.get("encoding"):
        view.encodings = _encodings(report, options)
    named = options.get("layer") or report.get("layer") or ""
    if view.osm is None and len(report.get("layers", [])) > 1:
        view.file_layers = [Choice(name, name, name == named) for name in report["layers"]]
    view.is_table = report.get("format") in _TABLES
    view.is_table_open = bool(
        codes & {"no_coordinates", "unknown_place", "not_in_layer", "shared_name", "bad_coordinate"}
    )
    view.faults = _faults(upload, report)
    is_mending = bool(options.get("repair") or upload.options.get("repair"))
    view.can_mend = is_mending or any(group.is_mended for group in view.faults)
    view.fields = _fields(upload, report, options, mapping)
    view.fields_beyond = max(len(report.get("fields", [])) - MOST_EDITED, 0)
    taken = {row.name for row in view.fields if row.is_kept}
    view.missing = [
        str(one.get("title_en" if language() == "en" else "title_fa") or one["name"])
        for one in (upload.layer.schema if upload.layer else [])
        if one.get("name") and one["name"] not in taken
    ]
    preview = report.get("preview") or {"columns": [], "rows": []}
    view.preview_columns = [str(name) for name in preview["columns"]]
    view.preview_rows = [[cell(value) for value in row] for row in preview["rows"]]
    view.changes_sentence, view.changes = difference_view(report.get("difference") or {}, upload)
    view.facts = _facts(upload, report)
    view.has_map = bool(report.get("bounds"))
    view.has_target = bool(report.get("n_rows") or upload.new_layer or upload.layer_id)
    return view


def cell(value: Any) -> str:
    """Write a value of a table as the reader does.

    Examples
    --------
    >>> from django.utils.translation import override
    >>> with override("en"):
    ...     [cell(v) for v in (None, "", True, 3, 0.25, "متن")]
    ['–', '–', 'yes', '3', '0.25', 'متن']
    """
    if value is None or value == "":
        return formats.DASH
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        text = f"{value:.12g}" if isinstance(value, float) else str(value)
        return formats.digits(text.replace(".", "٫"), "fa") if language() == "fa" else text
    return str(value)


# ---- facts


def _facts(upload: Upload, report: Json) -> list[tuple[str, str, str]]:
    crs: Json = report.get("crs") or {}
    n_twice = sum(_count(report, code) for code in _TWICE)
    found = [
        (_("File"), f"{_isolated(upload.file_name)} · {wording.size(upload.size)}", str(report.get("format") or ""))
    ]
    place = wording.crs_name(crs.get("epsg"), crs["label"]) if crs.get("label") else ""
    if not place and any(_count(report, code) for code in _CRS_FAULTS):
        place = _("not known yet")
    note = ""
    if crs.get("is_plausible") is not None:
        note = _("the data lie in the city or near it") if crs["is_plausible"] else _("the data lie far from the city")
    if crs.get("is_guessed"):
        note = ("، " if language() == "fa" else ", ").join(filter(None, [_("guessed"), note]))
    if place:
        found.append((_("Coordinate system"), place, note))
    if report.get("kind") == "raster" and report.get("raster"):
        raster = report["raster"]
        values = f"{cell(raster['minimum'])} … {cell(raster['maximum'])}"
        found.append((_("Values"), values, _("sum %(sum)s") % {"sum": cell(raster["total"])}))
        return found
    encoding = report.get("encoding") or {}
    if encoding.get("name"):
        found.append(
            (_("Encoding of the text"), _isolated(encoding["name"]), _("guessed") if encoding.get("is_guessed") else "")
        )
    if report.get("layer") and "offers" not in report:
        found.append((_("Layer within the file"), _isolated(report["layer"]), ""))
    if report.get("n_rows"):
        found.append((_("Rows"), wording.things(report.get("kind"), report["n_rows"]), ""))
        found.append((_("Twice"), wording.n_(n_twice) if n_twice else _("none found"), ""))
    return found


def _isolated(text: object) -> str:
    return f"\u2068{text}\u2069"


def _count(report: Json, code: str) -> int:
    return sum(int(by_code.get(code, 0)) for by_code in report.get("counts", {}).values())


# ---- ways of reading


def _crs(report: Json, options: Json, city: shapely.Geometry | None) -> list[Choice]:
    crs: Json = report.get("crs") or {}
    chosen = crs_value(options)
    declared = wording.crs_name(crs.get("epsg"), str(crs.get("label") or ""))
    is_own = bool(declared) and not chosen
    as_file = (
        _("As the file says: %(crs)s") % {"crs": declared} if is_own else _("As the file says, if it says anything")
    )
    candidates = crs.get("candidates") or []
    is_needed = not declared and not chosen and bool(candidates)  # the file says nothing: the best is suggested
    as_read = _dots(crs.get("points"), city)
    found = [Choice("", as_file, not chosen and not is_needed, dots=None if chosen else as_read)]
    for number, candidate in enumerate(candidates):
        value = f"{candidate['epsg']}:{int(bool(candidate.get('swap_xy')))}:{candidate.get('scale') or 1:g}"
        is_chosen = value == chosen or (is_needed and number == 0)
        name = wording.candidate_name(candidate)
        drawn = _dots(candidate.get("points"), city)
        found.append(Choice(value, name, is_chosen, candidate.get("share_inside"), drawn))
    if chosen and all(one.value != chosen for one in found):
        epsg, swap, scale = chosen.split(":")
        label = wording.candidate_name({"epsg": epsg, "swap_xy": swap == "1", "scale": scale})
        found.append(Choice(chosen, label, True, dots=as_read))
    return found


def _dots(points: Any, city: shapely.Geometry | None) -> pictures.Dots | None:
    return pictures.dots(points, city) if points and city is not None else None


def crs_value(options: Json) -> str:
    """Return the choice of a coordinate system as the form writes it; empty where the file's own is used."""
    if not (options.get("source_epsg") or options.get("swap_xy") or options.get("scale")):
        return ""
    epsg = options.get("source_epsg") or 4326
    return f"{epsg}:{int(bool(options.get('swap_xy')))}:{float(options.get('scale') or 1):g}"


def _encodings(report: Json, options: Json) -> list[Choice]:
    encoding: Json = report.get("encoding") or {}
    chosen = _codec(str(options.get("encoding") or "")) or str(encoding.get("name") or "")
    samples: Json = encoding.get("samples") or {}
    names = dict.fromkeys([*(encoding.get("candidates") or LIKELY), *filter(None, [chosen])])
    return [
        Choice(name, wording.encoding_name(name), name == chosen, texts=tuple(samples.get(name) or ()))
        for name in names
    ]


def _codec(encoding: str) -> str:
    """Return an encoding by the name that the report has for it."""
    try:
        return codec_of(encoding) if encoding else ""
    except RefusedError:
        return encoding


# ---- faults


def _faults(upload: Upload, report: Json) -> list[FaultGroup]:
    shapes = _geometries(upload)
    found: list[FaultGroup] = []
    for severity in ("error", "repaired", "warning"):
        by_code = report.get("counts", {}).get(severity, {})
        for code, count in sorted(by_code.items(), key=lambda item: -item[1]):
            told = [p for p in report.get("problems", []) if p["code"] == code and p["severity"] == severity]
            kind = wording.fault(code, fault_told(told[0]) if told else None)
            rows, advice = _fault_rows(told[:MOST_ROWS], kind)
            mendings = _mendings(told, shapes) if (severity, code) == ("error", "invalid_geometry") else ()
            if code in _CHOSEN_BELOW:
                rows, count = (), min(count, 1)
            found.append(
                FaultGroup(
                    code, severity, str(wording.SEVERITIES[severity]), kind.title, advice, count, rows,
                    max(count - len(rows), 0) if rows else 0, mendings, severity == "error" and code in _MENDED,
                )
            )  # fmt: skip
    return found


def _fault_rows(problems: Sequence[Json], kind: wording.Fault) -> tuple[tuple[FaultRow, ...], str]:
    """Return the places of a kind of fault, and what can be done about all of them: said once, not at every row."""
    rows = [_fault_row(problem) for problem in problems]
    remedies = {row.remedy for row in rows}
    advice = kind.advice or (remedies.pop() if len(remedies) == 1 else "")
    if advice:
        rows = [replace(row, remedy="") for row in rows]
    said = kind.title.rstrip(".")
    rows = [replace(row, message="" if row.message.rstrip(".") == said else row.message) for row in rows]
    return tuple(row for row in rows if row.where or row.lon is not None or row.message or row.remedy), advice


def _fault_row(problem: Json) -> FaultRow:
    parts = []
    if problem.get("row") is not None:
        parts.append(_("row %(n)s") % {"n": wording.n_(problem["row"])})
    if problem.get("field"):
        parts.append(_("field %(name)s") % {"name": f"\u2068{problem['field']}\u2069"})
    said = fault_told(problem)
    return FaultRow(
        ("، " if language() == "fa" else ", ").join(parts),
        problem.get("lon"),
        problem.get("lat"),
        said.message,
        said.remedy,
    )


def _geometries(upload: Upload) -> dict[int, Json]:
    """Return the shapes that an examination kept of rows with faults, by row."""
    return {
        one["properties"]["row"]: one["geometry"]
        for one in kept_features(upload, "problems.geojson")
        if one["geometry"]["type"] != "Point" and one["properties"].get("row") is not None
    }


def kept_features(upload: Upload, name: str) -> list[dict[str, Any]]:
    """Return features that an examination left to look at; none where they are not kept."""
    try:
        found: list[dict[str, Any]] = json.loads(made_of(upload, name))["features"]
    except (NotFound, ValueError, KeyError):
        return []
    return found


def _mendings(problems: Sequence[Json], shapes: Mapping[int, Json]) -> tuple[pictures.Mending, ...]:
    drawn: list[pictures.Mending] = []
    for problem in problems:
        if len(drawn) >= MOST_MENDINGS:
            break
        shape = shapes.get(problem.get("row") or -1)
        if shape is None:
            continue
        has_place = problem.get("lon") is not None and problem.get("lat") is not None
        one = pictures.mending(problem["row"], shape, (problem["lon"], problem["lat"]) if has_place else None)
        drawn += [one] if one is not None else []
    return tuple(drawn)


def repairs(upload: Upload) -> dict[str, Any]:
    """Return what the repair would make of the shapes that are not valid, for the map."""
    features = []
    for one in kept_features(upload, "problems.geojson"):
        properties = one["properties"]
        if one["geometry"]["type"] == "Point" or properties.get("code") != "invalid_geometry":
            continue
        if properties.get("severity") != "error":  # mended already
            continue
        after = pictures.mended(one["geometry"])
        if after is not None:
            features.append(
                {"type": "Feature", "geometry": after.__geo_interface__, "properties": {"row": properties.get("row")}}
            )
    return {"type": "FeatureCollection", "features": features}


# ---- fields


def _fields(upload: Upload, report: Json, options: Json, mapping: Sequence[Json]) -> list[FieldRow]:
    rules = {rule["source"]: rule for rule in mapping}
    known = {str(one.get("name")) for one in (upload.layer.schema if upload.layer else [])}
    named = options.get("name_field") or report.get("name_field")
    key = upload.layer.key_field if upload.layer else upload.new_layer.get("key_field")
    if not upload.layer and not upload.new_layer and "offers" in report:
        key = KEY_FIELD
    found = []
    for number, one in enumerate(report.get("fields", [])[:MOST_EDITED]):
        rule = rules.get(one["name"]) or one.get("suggested") or {}
        name = str(rule.get("name") or one["name"])
        filled = one.get("filled")
        found.append(
            FieldRow(
                number=number,
                source=one["name"],
                found=str(wording.FOUND_TYPES.get(one["type"], one["type"])),
                filled="" if filled is None or one.get("type") == "empty" else wording.n_(filled),
                examples=" · ".join(cell(value) for value in one.get("examples", [])[:3])[:120],
                name=name,
                type=str(rule.get("type") or ""),
                unit_from=str(rule.get("unit_from") or ""),
                unit_to=str(rule.get("unit_to") or ""),
                is_kept=bool(rule.get("keep", True)),
                is_name=one["name"] == named,
                is_key=bool(key) and name == key,
                is_known=name in known,
                standard=None if name in known else _standard(one.get("standard"), name),
            )
        )
    return found


def _standard(said: Json | None, name: str) -> Standard | None:
    if not said:
        return None
    title = said["title_en" if language() == "en" else "title_fa"]
    return Standard(said["name"], title, said["type"], said["unit"], said["name"] == name)


# ---- difference


def difference_view(said: Json, upload: Upload) -> tuple[str, list[Change]]:
    """Say what a file changes in its layer: a sentence, and the changes of each kind with examples."""
    if not said:
        return "", []
    if said.get("is_first"):
        return _("This will be the first release of the layer."), []
    against = said.get("release") or said.get("against")
    sentence = ""
    if against:
        sentence = _("Compared with release %(number)s.") % {"number": wording.n_(int(against))}
    if said.get("rows_before") is not None:
        sentence = _("Release %(number)s has %(before)s rows, this file %(now)s.") % {
            "number": wording.n_(int(against or 0)),
            "before": wording.n_(said["rows_before"]),
            "now": wording.n_(said.get("rows_now")),
        }
    words = {
        "added": _("new"), "removed": _("gone"), "moved": _("moved"), "changed": _("with other values"),
        "unchanged": _("unchanged"),
    }  # fmt: skip
    places: dict[str, tuple[float, float]] | None = None
    found = []
    for name, word in words.items():
        part = said.get(name)
        if part is None:
            continue
        count = int(part["count"]) if isinstance(part, Mapping) else int(part)
        rows = part.get("examples", []) if isinstance(part, Mapping) else (said.get("examples") or {}).get(name, [])
        if rows and isinstance(rows[0], str) and places is None:
            places = _places(upload)
        examples = tuple(_example(row, places or {}) for row in rows[:12])
        found.append(Change(word, count, examples))
    if not found:
        sentence += " " + _("Things cannot be told apart by name or key, so only their number is compared.")
    return sentence, [one for one in found if one.count] or found


def _example(row: Any, places: Mapping[str, tuple[float, float]]) -> tuple[str, float | None, float | None]:
    if isinstance(row, str):
        lon, lat = places.get(row, (None, None))
        return row, lon, lat
    label = row.get("name") or row.get("key") or _("row %(n)s") % {"n": wording.n_(row.get("row"))}
    return str(label), row.get("lon"), row.get("lat")


def _places(upload: Upload) -> dict[str, tuple[float, float]]:
    """Return where named things of the file lie, as far as the preview shows them."""
    found = {}
    for one in kept_features(upload, "preview.geojson"):
        point = one["geometry"]["coordinates"]
        while point and isinstance(point[0], list):
            point = point[0]
        if len(point) >= 2 and one["properties"].get("name"):
            found[normalise(one["properties"]["name"])] = (float(point[0]), float(point[1]))
    return found
