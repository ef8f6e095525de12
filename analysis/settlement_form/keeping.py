"""Forms, alternatives and plans of paths kept as runs: what went in, how, and what came out."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from django.db.models import QuerySet

from analysis.caching import content_key
from analysis.disclosure import may_analyse
from analysis.models import Run
from analysis.settlement_form.measuring import FormReading, SettlementForm, form_of
from analysis.settlement_form.pieces import (
    GOALS,
    Piece,
    PlaceGround,
    alternative_record,
    count_record,
    ground_of,
    lines_record,
    piece_name,
)
from analysis.settlement_form.questions import FormQuestion
from analysis.settlement_form.records import form_record
from analysis.version import code_version
from geo.core.crs import STORAGE_EPSG, project, utm_epsg_of
from geo.core.text import clean_name
from geo.errors import Forbidden, InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User

LONGEST_NAME: Final = 200
LONGEST_NOTE: Final = 2_000

FORM, PATHS, PLAN = "form", "paths", "plan"
"""What a run of this kind holds: the form of a place, alternatives of new paths, or a plan somebody kept."""


def may_keep(city: Place, user: User) -> bool:
    """Tell whether a user may keep forms and plans: planners and analysts of the city, and administrators."""
    return may_analyse(city, user)


# ---- forms


def forms_kept(reading: FormReading, user: User, asked: FormQuestion) -> dict[str, Run]:
    """Return by code of a place the newest run that measured it from what there is today."""
    keys = {content_key(FORM, reading.key(number, asked)): row.code for number, row in enumerate(reading.places.rows)}
    runs = (
        Run.objects.visible_to(user)
        .filter(kind=Run.Kind.BLOCKS, city=reading.city, input_hash__in=list(keys))
        .order_by("created_at", "id")
    )
    return {keys[run.input_hash]: run for run in runs}


def form_keep(reading: FormReading, number: int, asked: FormQuestion, author: Any) -> Run:
    """Measure the form of a place and keep it; what was kept of the same inputs is returned as it is.

    Raises
    ------
    InvalidInput, LimitExceeded
        Where it cannot be measured.
    """
    hashed = content_key(FORM, reading.key(number, asked))
    known = Run.objects.filter(kind=Run.Kind.BLOCKS, city=reading.city, input_hash=hashed).order_by("-pk").first()
    if known is not None:
        return known
    form = form_of(reading, number, asked)
    warnings = []
    if form.blocks.unconnected_length_m > 0:
        warnings.append(f"{form.blocks.unconnected_length_m:.0f} m of streets are joined to no street that leads out.")
    return _kept(
        reading.city, FORM, form.place.code, asked.of_form(), reading.inputs(number), hashed, form_record(form),
        form.duration_ms, author, warnings,
    )  # fmt: skip


# ---- alternatives


def alternatives_of(form: SettlementForm, asked: FormQuestion, city: Place, user: User) -> Run | None:
    """Return the alternatives that were kept of a form, for paths of this width and cost; None where there are none."""
    return (
        Run.objects.visible_to(user)
        .filter(kind=Run.Kind.BLOCKS, city=city, input_hash=_paths_hash(form, asked))
        .order_by("-pk")
        .first()
    )


def alternatives_find(form: SettlementForm, asked: FormQuestion) -> tuple[dict[str, Any], float]:
    """Find the paths of every goal: the answer as JSON, and how long it took in milliseconds."""
    started = time.perf_counter()
    ground = ground_of(form)
    found = [
        alternative_record(ground.alternative(goal, width_m=asked.path_width_m, cost_per_m=asked.cost_per_m))
        for goal in GOALS
    ]
    return (
        {"isolated_blocks": list(ground.isolated), "alternatives": found},
        (time.perf_counter() - started) * 1000,
    )


def alternatives_keep(reading: FormReading, number: int, form: SettlementForm, asked: FormQuestion, author: Any) -> Run:
    """Find the paths of every goal and keep them."""
    record, took_ms = alternatives_find(form, asked)
    return _kept(
        reading.city, PATHS, form.place.code, _paths_parameters(asked), reading.inputs(number), _paths_hash(form, asked),
        record, took_ms, author, _isolated_warning(record["isolated_blocks"]), seed=0,
    )  # fmt: skip


def _paths_parameters(asked: FormQuestion) -> dict[str, Any]:
    return asked.of_form() | {"path_width_m": asked.path_width_m, "cost_per_m": asked.cost_per_m}


def _paths_hash(form: SettlementForm, asked: FormQuestion) -> str:
    return content_key(PATHS, form.key, asked.path_width_m, asked.cost_per_m)


def _isolated_warning(blocks: Collection[int]) -> list[str]:
    if not blocks:
        return []
    return [f"No street leads to {len(blocks)} of the blocks: {', '.join(map(str, blocks))}."]


# ---- plans


@dataclass(frozen=True, slots=True)
class PlanContent:
    """A plan as somebody wants to keep it."""

    name: str
    pieces: Sequence[str]
    note: str = ""
    begun_from: str = ""


def plan_keep(
    reading: FormReading, number: int, form: SettlementForm, asked: FormQuestion, content: PlanContent, author: Any
) -> Run:
    """Keep a plan of paths: never changed afterwards, saving again makes another.

    Raises
    ------
    Forbidden
        Where the author is no planner or analyst of the city.
    InvalidInput
        Where it has no name, no piece or one that does not exist, or a text is too long.
    """
    if not may_keep(reading.city, author):
        raise Forbidden(
            "You may not keep plans of paths here.",
            code="may_not_keep",
            where=reading.city.code,
            remedy="Ask a planner or an analyst of the city.",
        )
    name = _text(clean_name(content.name), "name", LONGEST_NAME)
    note = _text(content.note.strip(), "note", LONGEST_NOTE)
    if not name:
        raise InvalidInput("The plan has no name.", code="no_name", where="name", remedy="Give it one.")
    ground = ground_of(form)
    started = time.perf_counter()
    pieces = ground.read(content.pieces)
    if not pieces:
        raise InvalidInput(
            "The plan has no piece of path.",
            code="no_pieces",
            where="pieces",
            remedy="Choose an alternative, or pieces on the map.",
        )
    count = ground.count(pieces, width_m=asked.path_width_m, cost_per_m=asked.cost_per_m)
    result = {
        "homes": form.buildings,
        "homes_without_access_before": int(form.homes_without_access),
        "k_before": form.k,
        **count_record(count),
        "pieces": [piece_name(piece) for piece in pieces],
        "features": lines_record(ground, pieces),
    }
    parameters = _paths_parameters(asked) | {"name": name, "note": note, "begun_from": content.begun_from[:40]}
    hashed = content_key(PLAN, form.key, parameters, result["pieces"])
    warnings = _isolated_warning(ground.isolated)
    if count.not_joined:
        warnings.append(f"{len(count.not_joined)} pieces lead to no street and give no access.")
    return _kept(
        reading.city, PLAN, form.place.code, parameters, reading.inputs(number), hashed, result,
        (time.perf_counter() - started) * 1000, author, warnings,
    )  # fmt: skip


def plans_of(city: Place, place_code: str, user: User) -> QuerySet[Run]:
    """Return the plans kept of a place that a user may see, the newest first."""
    return (
        Run.objects.visible_to(user)
        .filter(kind=Run.Kind.BLOCKS, city=city, parameters__holds=PLAN, parameters__place=place_code)
        .select_related("author")
    )


def plan_get(number: int, city: Place, place_code: str, user: User) -> Run:
    """Return a plan of paths.

    Raises
    ------
    NotFound
        Where there is none, it is of another place, or the user may not know of it; they are not told apart.
    """
    found = plans_of(city, place_code, user).filter(pk=number).first()
    if found is None:
        raise NotFound(
            f"There is no plan of paths {number} here.",
            code="unknown_plan",
            where="plan",
            remedy="Choose one from the list of the place.",
        )
    return found


def plan_geometry(run: Run, most_vertices: int) -> Any:
    """Return the paths of a plan in EPSG:4326 with no more vertices than a form takes.

    Paths are simplified as far as is needed; where even that is not enough, it is the land in which they run.
    """
    lines = _lines_of(run.result["features"])
    epsg = utm_epsg_of(lines)
    lines_m = shapely.line_merge(shapely.union_all(project(lines, STORAGE_EPSG, epsg)))
    for tolerance_m in (0.1, 0.5, 1.0, 2.0, 5.0):
        found = shapely.simplify(lines_m, tolerance_m)
        if shapely.get_num_coordinates(found) <= most_vertices:
            break
    else:
        found = shapely.convex_hull(lines_m)
    placed = project(np.array([found], dtype=object), epsg, STORAGE_EPSG)
    return shapely.transform(placed, lambda xy: xy.round(6))[0]


@dataclass(frozen=True, slots=True)
class PlanOpened:
    """A plan on the plots as they are today.

    Attributes
    ----------
    pieces
        Its pieces, found by where they lie where the plots are others than when it was kept.
    is_older
        Whether the plots are others.
    lost_m
        Length of its paths that lie along no plot of today.
    """

    pieces: tuple[Piece, ...]
    is_older: bool
    lost_m: float


def plan_open(run: Run, ground: PlaceGround) -> PlanOpened:
    """Lay a plan on the plots of today."""
    result: Mapping[str, Any] = run.result
    lines = _lines_of(result["features"])
    lines_m = project(lines, STORAGE_EPSG, ground.form.epsg) if len(lines) else lines
    try:
        pieces = ground.read(result["pieces"])
        length_m = float(shapely.length(ground.lines(pieces)).sum())
        if abs(length_m - float(result["length_m"])) < 0.1:
            return PlanOpened(pieces, False, 0.0)
    except InvalidInput:
        pass
    pieces, lost_m = ground.beside(lines_m)
    return PlanOpened(pieces, True, lost_m)


def _lines_of(features: Mapping[str, Any]) -> Any:
    """Return the lines of a feature collection as an array, in its own CRS."""
    return shapely.from_geojson([_geojson(one["geometry"]) for one in features["features"]])


def _geojson(geometry: Mapping[str, Any]) -> str:
    return str(shapely.to_geojson(shapely.geometry.shape(geometry)))


def _text(text: str, where: str, most: int) -> str:
    if len(text) > most:
        raise InvalidInput(
            f"The text is longer than {most} characters.",
            code="text_too_long",
            where=where,
            remedy="Shorten it.",
            details={"most": most},
        )
    return text


def _kept(
    city: Place, holds: str, place: str, parameters: Mapping[str, Any], inputs: Mapping[str, Any], hashed: str,
    result: Mapping[str, Any], took_ms: float, author: Any, warnings: list[str], seed: int | None = None,
) -> Run:  # fmt: skip
    return Run.objects.create(
        kind=Run.Kind.BLOCKS,
        city=city,
        parameters={"holds": holds, "place": place, **parameters},
        inputs=dict(inputs),
        input_hash=hashed,
        code_version=code_version(),
        seed=seed,
        warnings=warnings,
        result=dict(result),
        duration_ms=took_ms,
        author=author if author is not None and author.pk else None,
    )


__all__ = [
    "FORM", "PATHS", "PLAN", "PlanContent", "PlanOpened", "alternatives_find", "alternatives_keep", "alternatives_of",
    "form_keep", "forms_kept", "may_keep", "plan_geometry", "plan_get", "plan_keep", "plan_open", "plans_of",
]  # fmt: skip
