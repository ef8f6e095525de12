"""What the tiles hold, for whom: whether the reader may see it is always asked first, and whether it has changed with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.aggregates import StringAgg
from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Expression,
    F,
    Func,
    JSONField,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import MD5, Cast, Coalesce, Concat, JSONObject
from django.db.models.lookups import In

from geo.db.spatial import in_tile_q
from geo.errors import LimitExceeded, NotFound
from geo.models import Boundary, Place
from geo.querysets import User
from layers.models import Layer, Raster, Release, Supply
from maps.tiles.address import TileAddress
from maps.tiles.cache import cached
from maps.tiles.drawing import DRAWING, MOST_BYTES, Source, draw
from maps.tiles.expressions import MARGIN, MOST_FEATURES, InTileCrs, TileGeometry, VectorTile
from maps.tiles.overview import MOST_IN_TILE
from maps.tiles.selection import is_raster, no_city, no_layer, visible_layers

PLACE_KINDS: Final = (Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT)

ELEVATION: Final = "elevation"
"""Code of the raster layer, in metres, that terrain tiles are made of."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile as it is answered.

    Attributes
    ----------
    state : str
        Names the content: equal states, equal bytes.
    data : bytes or None
        The tile, empty if nothing lies in it; None if the reader has it already.
    whole_zoom : int
        From which zoom on every feature is drawn by itself.
    is_packed : bool
        Whether the data are compressed with gzip.
    """

    state: str
    data: bytes | None
    whole_zoom: int = 0
    is_packed: bool = False


def place_tile(city_code: str, tile: TileAddress, user: User, known: Sequence[str] = ()) -> Tile:
    """Draw the neighbourhoods and settlements of a city that a user may see, in the boundaries in force.

    MVT layer ``places``, properties ``code, kind, name_fa, name_en``.

    Parameters
    ----------
    known : sequence of str
        States of this tile that the reader has; the tile is then not drawn again.

    Raises
    ------
    NotFound
        If there is no such city, or the user may not see it.
    """
    boundaries = (
        Boundary.objects.visible_to(user)
        .current()
        .filter(
            in_tile_q(tile.z, tile.x, tile.y, margin=MARGIN),
            place__kind__in=PLACE_KINDS,
            place__path__startswith=Concat(OuterRef("path"), Value("/")),
        )
    )
    state = _state_of(boundaries)
    drawn = VectorTile(
        boundaries.order_by("place__path").values(
            code=F("place__code"),
            kind=F("place__kind"),
            name_fa=F("place__name_fa"),
            name_en=F("place__name_en"),
            geom=TileGeometry(InTileCrs("geometry"), tile),
        ),
        "places",
    )
    found = (
        Place.objects.visible_to(user)
        .filter(kind=Place.Kind.CITY, code=city_code)
        .annotate(state=state, tile=Case(*_known(state, known), default=drawn))
        .values_list("state", "tile")
        .first()
    )
    if found is None:
        raise no_city(city_code)
    return _checked(Tile(*found), known)


def layer_source(city_code: str, layer_code: str, user: User) -> tuple[Layer, Source | None]:
    """Return a layer that a user may see, and what its tiles are drawn from; None where it has no release yet.

    Raises
    ------
    NotFound
        If there is no such layer, or the user may not see it.
    InvalidInput
        If the layer is a raster.
    """
    layer = visible_layers(city_code, layer_code, user).annotate(**source_columns()).first()
    if layer is None:
        raise no_layer(city_code, layer_code)
    if layer.kind == Layer.Kind.RASTER:
        raise is_raster(layer_code)
    return layer, source_of(layer)


_CITY, _LAYER = "\x01city", "\x01layer"


@lru_cache(maxsize=1)
def _of_everybody() -> tuple[str, tuple[Any, ...]]:
    """Return the statement of `_source_told` for a reader without an account, and its values, once made.

    Django takes longer to write it than the database to answer it; for people with an account it differs from one to the next.
    """
    statement, values = _told(_CITY, _LAYER, AnonymousUser()).query.sql_with_params()
    return statement, tuple(values)


def _told(city_code: str, layer_code: str, user: User) -> QuerySet[Any, Any]:
    columns = source_columns()
    layers = visible_layers(city_code, layer_code, user).order_by()  # it is one, and needs no theme to be sorted by
    return layers.annotate(**columns).values_list("pk", "kind", *columns)


def _source_told(city_code: str, layer_code: str, user: User) -> Source | None:
    """Return what the tiles of a layer are drawn from, as `layer_source` does."""
    if user.is_anonymous:
        statement, values = _of_everybody()
        given = {_CITY: city_code, _LAYER: layer_code}
        with connection.cursor() as cursor:
            cursor.execute(
                statement, [given.get(value, value) if isinstance(value, str) else value for value in values]
            )
            row = cursor.fetchone()
        if row is not None:
            row = (*row[:2], json.loads(row[2]) if isinstance(row[2], str) else row[2], row[3])
    else:
        row = _told(city_code, layer_code, user).first()
    if row is None:
        raise no_layer(city_code, layer_code)
    layer, kind, told, supplies = row
    if kind == Layer.Kind.RASTER:
        raise is_raster(layer_code)
    return None if told is None else _source(layer, kind, told, supplies)


class _OfEach(Func):
    """What the objects of a JSON array have under a key."""

    template = "jsonb_path_query_array(%(expressions)s, '$[*].%(key)s')"
    output_field = JSONField()


def source_columns() -> dict[str, Any]:
    """Return the columns that `source_of` reads, for a query of layers."""
    rules = Concat("service__code", Value("\x1f"), Cast("where", TextField()), output_field=TextField())
    supplies = Supply.objects.filter(layer=OuterRef("pk")).order_by().annotate(_all=Value(1)).values("_all")
    newest = Release.objects.filter(layer=OuterRef("pk")).order_by("-number")
    told = JSONObject(
        release="pk",
        shelf="shelf",
        content_hash="content_hash",
        rows="row_count",
        names=_OfEach("fields", key="name"),
        types=_OfEach("fields", key="type"),
    )
    return {
        "source_told": Subquery(newest.values(told=told)[:1]),
        "source_supplies": Coalesce(
            Subquery(supplies.annotate(rules=MD5(StringAgg(rules, "\x1e", order_by="pk"))).values("rules")),
            Value(""),
            output_field=CharField(),
        ),
    }


def source_of(layer: Any) -> Source | None:
    """Return what the tiles of a layer, read with `source_columns`, are drawn from."""
    if layer.source_told is None:
        return None
    return _source(layer.pk, layer.kind, layer.source_told, layer.source_supplies)


def _source(layer: int, kind: str, told: dict[str, Any], supplies: str) -> Source:
    names, types = told.pop("names"), told.pop("types")
    fields = dict(zip(names, types, strict=True)) if len(names) == len(types) else dict.fromkeys(names, "object")
    return Source(layer=layer, kind=kind, supplies=supplies, fields=fields, **told)


def whole_zoom(source: Source) -> int:
    """Return from which zoom on each feature is drawn by itself; 0 for all but large layers."""
    return 0 if source.rows <= MOST_IN_TILE else source.overview.whole_zoom


def layer_tile(city_code: str, layer_code: str, tile: TileAddress, user: User, known: Sequence[str] = ()) -> Tile:
    """Draw the newest release of a layer, or find its tile as it was drawn before.

    MVT layer ``features``, properties ``number, name``, those of `FEATURE_ATTRIBUTES` the feature has, and ``services``: the codes
    of the services the feature provides, each between commas, as in ``,clinic,pharmacy,``. Below the whole zoom (see
    `maps.tiles.drawing`) a feature may stand for several; ``count`` says for how many.

    Raises
    ------
    NotFound
        If there is no such layer, or the user may not see it: decided before a kept tile is looked for.
    InvalidInput
        If the layer is a raster.
    LimitExceeded
        If the tile would be too large even so.
    """
    source = _source_told(city_code, layer_code, user)
    if source is None:
        return Tile("none", b"")
    whole = whole_zoom(source)
    if source.state in known:
        return Tile(source.state, None, whole)
    parts = ("layer", DRAWING, source.state, source.content_hash, source.supplies, f"{tile.z}/{tile.x}/{tile.y}")
    data = cached(parts, lambda: draw(source, tile, whole))
    return Tile(source.state, data, whole, is_packed=bool(data))


def terrain_raster(city_code: str, user: User) -> tuple[str, str]:
    """Return the file and the content hash of a city's newest elevation raster.

    Raises
    ------
    NotFound
        If the city has no layer ``elevation`` that the user may see.
    """
    found = (
        Raster.objects.visible_to(user)
        .filter(
            release__layer__code=ELEVATION,
            release__layer__city__kind=Place.Kind.CITY,
            release__layer__city__code=city_code,
        )
        .order_by("-release__number")
        .values_list("file", "release__content_hash")
        .first()
    )
    if found is None:
        raise NotFound(
            "There is no elevation raster of this city.",
            code="no_such_layer",
            where=city_code,
            remedy=f"Import one as the layer {ELEVATION}.",
        )
    return str(found[0]), str(found[1])


def _state_of(boundaries: QuerySet[Boundary]) -> Expression:
    """Return a digest of everything a tile shows of these boundaries."""
    shown = [part for name in ("code", "kind", "name_fa", "name_en") for part in (Value("\x1f"), F(f"place__{name}"))]
    identity = Concat(Cast("pk", CharField()), *shown, output_field=CharField())
    digest = (
        boundaries.order_by()
        .annotate(_all=Value(1))
        .values("_all")
        .annotate(digest=MD5(StringAgg(identity, "\x1e", order_by="pk")))
    )
    return Coalesce(Subquery(digest.values("digest")), Value("none"), output_field=CharField())


def _known(state: Expression | F, known: Sequence[str]) -> list[When]:
    """Return the case in which nothing is drawn because the reader has it."""
    return [When(In(state, known), then=Value(None))] if known else []


def _checked(tile: Tile, known: Sequence[str]) -> Tile:
    if tile.state in known:
        return Tile(tile.state, None)
    if tile.data is None or len(tile.data) > MOST_BYTES:
        raise LimitExceeded(
            "More lies in this tile than one tile may hold.",
            code="tile_too_dense",
            remedy=f"Ask for deeper zooms; a tile holds at most {MOST_FEATURES} features and {MOST_BYTES} bytes.",
        )
    return Tile(tile.state, bytes(tile.data))
