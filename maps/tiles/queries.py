"""What the tiles hold: one statement a tile, which also decides whether the reader may see it and whether it has changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import (
    Case,
    CharField,
    Exists,
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
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import MD5, Cast, Coalesce, Concat, JSONObject, Left
from django.db.models.lookups import In

from geo.db.spatial import in_tile_q
from geo.errors import LimitExceeded, NotFound
from geo.models import Boundary, Place
from geo.querysets import User
from layers.models import Feature, Layer, Raster, Supply
from maps.tiles.address import TileAddress
from maps.tiles.expressions import MARGIN, MOST_FEATURES, InTileCrs, Provides, TileGeometry, VectorTile
from maps.tiles.selection import is_raster, newest_features, newest_release, no_city, no_layer, visible_layers
from maps.tiles.zooms import EVERY_ZOOM, Zooms, is_main, remembered_zooms, zoom_columns, zooms_of

PLACE_KINDS: Final = (Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT)

ELEVATION: Final = "elevation"
"""Code of the raster layer, in metres, that terrain tiles are made of."""

FEATURE_ATTRIBUTES: Final = ("class", "kind", "width_m", "floors", "name_fa", "name_en", "capacity")
"""The attributes that tiles carry, where a layer has them: what a map needs to draw and name things, and nothing about people."""

MOST_BYTES: Final = 2_000_000
"""The largest tile that is sent, before compression. Ten thousand ordinary features take an eighth of this."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile as it is answered.

    Attributes
    ----------
    state : str
        Names the content: equal states, equal bytes.
    data : bytes or None
        The tile, empty if nothing lies in it; None if the reader has it already.
    zooms : Zooms
        From which zooms on there are tiles.
    """

    state: str
    data: bytes | None
    zooms: Zooms = EVERY_ZOOM


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


def layer_tile(city_code: str, layer_code: str, tile: TileAddress, user: User, known: Sequence[str] = ()) -> Tile:
    """Draw the newest release of a layer.

    MVT layer ``features``, properties ``number, name``, those of `FEATURE_ATTRIBUTES` the feature has, and ``services``: the codes
    of the services the feature provides, each between commas, as in ``,clinic,pharmacy,``.

    Raises
    ------
    NotFound
        If there is no such layer, or the user may not see it.
    InvalidInput
        If the layer is a raster.
    LimitExceeded
        If even the deepest tile of the layer cannot hold what lies in it.
    """
    not_drawn = _known(F("state"), known)
    columns = zoom_columns()
    wanted: Sequence[str] = ()
    if remembered := remembered_zooms.get((city_code, layer_code)):
        release, zooms = remembered
        columns = {
            "whole_zoom": Case(When(release=release, then=Value(zooms.whole)), default=columns["whole_zoom"]),
            "first_zoom": Case(When(release=release, then=Value(zooms.first)), default=columns["first_zoom"]),
        }
        wanted = tuple(_shown(tile, zooms))
    inside = newest_features().filter(in_tile_q(tile.z, tile.x, tile.y, margin=MARGIN, tile_field="geometry_3857"))
    for name, rows in (("all_features", inside), ("main_features", inside.filter(is_main()))):
        cases = [*not_drawn]
        if remembered and name not in wanted:  # of a newer release both are drawn, as its zooms are not known yet
            cases.append(When(release=remembered[0], then=Value(None)))
        columns[name] = Case(*cases, default=_drawn(rows, tile))
    found = (
        visible_layers(city_code, layer_code, user)
        .annotate(release=newest_release("pk"), _rows=newest_release("row_count"))
        .annotate(
            state=Concat(
                Cast("release", CharField()),
                Value("-"),
                Left(newest_release("content_hash"), 16),
                output_field=CharField(),
            )
        )
        .annotate(**columns)
        .values("kind", "release", "state", *columns)
        .first()
    )
    if found is None:
        raise no_layer(city_code, layer_code)
    if found["kind"] == Layer.Kind.RASTER:
        raise is_raster(layer_code)
    if found["release"] is None:
        return Tile("none", b"")
    zooms = zooms_of(found)
    remembered_zooms[city_code, layer_code] = (found["release"], zooms)
    for name in _shown(tile, zooms):
        return _checked(Tile(found["state"], found[name], zooms), known)
    return Tile(found["state"], b"", zooms)


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


def _shown(tile: TileAddress, zooms: Zooms) -> Iterator[str]:
    """Give the name of the column that the tile's zoom shows, or nothing."""
    if tile.z >= zooms.whole:
        yield "all_features"
    elif tile.z >= zooms.first:
        yield "main_features"


def _drawn(features: QuerySet[Feature], tile: TileAddress) -> VectorTile:
    rows = features.order_by("number").values(
        "number",
        "name",
        chosen=_chosen_attributes(),
        services=_services(),
        geom=TileGeometry("geometry_3857", tile),
    )
    return VectorTile(rows, "features")


def _chosen_attributes() -> Expression:
    chosen = JSONObject(**{name: KeyTransform(name, "attributes") for name in FEATURE_ATTRIBUTES})
    return Func(chosen, function="jsonb_strip_nulls", output_field=JSONField())


def _services() -> Expression:
    """Return the codes of the services a feature provides; whether its layer provides any at all is asked once a tile."""
    of_layer = Supply.objects.filter(layer=OuterRef(OuterRef("pk")))
    provided = of_layer.filter(Provides(OuterRef("attributes"), F("where")))
    codes = provided.order_by().annotate(_all=Value(1)).values("_all")
    comma = Value(",", output_field=TextField())
    joined = Concat(comma, StringAgg("service__code", ",", order_by="service__code"), comma)
    return Case(
        When(Exists(of_layer), then=Subquery(codes.annotate(codes=joined).values("codes"))), output_field=TextField()
    )


def _checked(tile: Tile, known: Sequence[str]) -> Tile:
    if tile.state in known:
        return Tile(tile.state, None, tile.zooms)
    if tile.data is None or len(tile.data) > MOST_BYTES:
        raise LimitExceeded(
            "More lies in this tile than one tile may hold.",
            code="tile_too_dense",
            remedy=f"Ask for deeper zooms; a tile holds at most {MOST_FEATURES} features and {MOST_BYTES} bytes.",
        )
    return Tile(tile.state, bytes(tile.data), tile.zooms)
