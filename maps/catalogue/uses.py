"""Who uses a layer: services, sources of people, ways of travel, the base map, and which run of an analysis used which release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import BooleanField, F, Func, JSONField, TextField, Value
from django.db.models.functions import Cast

from analysis.models import Run
from analysis.travel import ALONG_STREETS
from geo.querysets import User
from layers.models import Layer, PopulationSource, Supply, TravelData
from maps.models import Publication
from maps.pages.selectors import BASE_LAYERS

MOST_RUNS: Final = 20


class _Names(Func):
    """Whether a run's inputs name a layer, at any depth."""

    template = "jsonb_path_exists(%(expressions)s)"
    output_field = BooleanField()


@dataclass(frozen=True, slots=True)
class RunUse:
    """A run that used a layer.

    Attributes
    ----------
    release : int or None
        Number of the release that it used.
    maps : tuple of Publication
        Published maps that show its result.
    """

    run: Run
    release: int | None
    maps: tuple[Publication, ...]


@dataclass(frozen=True, slots=True)
class Uses:
    """What a layer is used for, as far as the reader may know.

    Attributes
    ----------
    sources : tuple of PopulationSource
        Sources of people that it counts them with, the main one first.
    travel : tuple of (str, tuple of str)
        What ways of travel take from it (``roads``, ``elevation``, ``land_cover``), and the codes of these ways.
    """

    supplies: tuple[Supply, ...]
    sources: tuple[PopulationSource, ...]
    travel: tuple[tuple[str, tuple[str, ...]], ...]
    base_role: str
    runs: tuple[RunUse, ...]
    more_runs: bool

    @property
    def counts_people(self) -> bool:
        """Whether people are counted with it."""
        return bool(self.sources)

    @property
    def any(self) -> bool:
        """Whether anything uses it."""
        return bool(self.supplies or self.sources or self.travel or self.base_role or self.runs)


def uses_of(layer: Layer, user: User) -> Uses:
    """Return what uses a layer, the newest runs first."""
    sources = (
        PopulationSource.objects.visible_to(user)
        .filter(layer=layer)
        .select_related("layer")
        .order_by("-is_main", "code")
    )
    runs = runs_with(layer, user)
    return Uses(
        supplies=tuple(
            Supply.objects.visible_to(user).filter(layer=layer).select_related("service").order_by("service__position")
        ),
        sources=tuple(sources),
        travel=_travel_on(layer, user),
        base_role=BASE_LAYERS.get(layer.code, ""),
        runs=tuple(runs[:MOST_RUNS]),
        more_runs=len(runs) > MOST_RUNS,
    )


def _travel_on(layer: Layer, user: User) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what ways of travel take from a layer, and which ways."""
    data = TravelData.objects.visible_to(user).filter(city=layer.city_id).first()
    if data is None:
        return ()
    along = ALONG_STREETS if data.roads_id is not None else ()
    over = ("surface",) if data.land_cover_id is not None else ()
    by_slope = (*(way for way in along if way == "walking"), *over)
    taken = (
        ("roads", data.roads_id, (*along, *over)),
        ("elevation", data.elevation_id, by_slope),
        ("land_cover", data.land_cover_id, over),
    )
    return tuple((name, ways) for name, layer_id, ways in taken if layer_id == layer.pk and ways)


def runs_with(layer: Layer, user: User) -> list[RunUse]:
    """Return the newest runs whose inputs name a layer, one more than is shown."""
    named = _Names(
        F("inputs"),
        Value('$.** ? (@.layer == $code || @.code == $code && exists(@.release))'),
        Func(Cast(Value("code"), TextField()), Cast(Value(layer.code), TextField()), function="jsonb_build_object", output_field=JSONField()),
    )  # fmt: skip
    found = Run.objects.visible_to(user).filter(city=layer.city_id).filter(named)
    keys = list(found.order_by("-created_at", "-id").values_list("pk", flat=True)[: MOST_RUNS + 1])
    runs = list(Run.objects.filter(pk__in=keys).defer("result").select_related("author").order_by("-created_at", "-id"))
    maps: dict[int, list[Publication]] = {}
    shown = (
        Publication.objects.visible_to(user).filter(run__in=keys, withdrawn_at__isnull=True).defer(*Publication.HEAVY)
    )
    for one in shown:
        maps.setdefault(one.run_id, []).append(one)
    return [RunUse(run, release_in(run.inputs, layer.code), tuple(maps.get(run.pk, ()))) for run in runs]


def release_in(inputs: Any, code: str) -> int | None:
    """Return the number of the release of a layer that inputs of a run name.

    Examples
    --------
    >>> release_in({"services": {"clinic": {"layer": "clinic", "release": 3}}}, "clinic")
    3
    >>> release_in({"layer": {"code": "roads", "release": 1, "content_hash": ""}}, "roads")
    1
    """
    for row in _objects(inputs):
        if code in (row.get("layer"), row.get("code")) and isinstance(row.get("release"), int):
            return int(row["release"])
    return None


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from _objects(member)
    elif isinstance(value, list):
        for member in value:
            yield from _objects(member)
