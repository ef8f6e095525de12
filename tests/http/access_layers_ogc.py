"""Rows for the table of `test_access`: who sees what of layers' collections, tiles and styles, and of rasters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")


def layers_ogc_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """
    root = "/ogc/collections"

    def of_layer(suffix: str, *, of_city: int = 404) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            end = suffix.format(tile=_row_before_column(world.tile))
            city = world.city.code
            found = [
                ask(f"{root}/{city}.roads{end}", everybody(200)),
                ask(f"{root}/{city}.nothing{end}", everybody(404)),
                ask(f"{root}/nowhere.roads{end}", everybody(404)),
                ask(f"{root}/{city}{end}", everybody(of_city)),
                ask(f"{root}/nowhere{end}", everybody(404)),
            ]
            if world.hush:
                found += [
                    ask(f"{root}/{city}.{world.hush['layer']}{end}", everybody(404) | dict.fromkeys(INSIDERS, 200)),
                    ask(f"{root}/{world.hush['city']}.{world.hush['open']}{end}", everybody(404, administrator=200)),
                    ask(f"{root}/{world.hush['city']}{end}", everybody(404, administrator=of_city)),
                ]
            return found

        return asks

    def of_item(world: Any) -> list[Any]:
        city = world.city.code
        found = [
            ask(f"{root}/{city}.roads/items/1", everybody(200)),
            ask(f"{root}/{city}.roads/items/1?f=html", everybody(200)),
            ask(f"{root}/{city}.roads/items/x", everybody(404)),
        ]
        if world.hush:
            found.append(
                ask(f"{root}/{city}.{world.hush['layer']}/items/99999999", everybody(404)),
            )
        return found

    def of_raster(suffix: str) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            city = world.city.code
            end = suffix.format(tile=world.tile)
            found = [
                ask(f"/tiles/{city}/rasters/elevation{end}", everybody(200)),
                ask(f"/tiles/{city}/rasters/roads{end}", everybody(400)),
                ask(f"/tiles/{city}/rasters/nothing{end}", everybody(404)),
                ask(f"/tiles/nowhere/rasters/elevation{end}", everybody(404)),
            ]
            if world.hush:
                found.append(
                    ask(
                        f"/tiles/{city}/rasters/{world.hush['layer']}{end}",
                        everybody(404) | dict.fromkeys(INSIDERS, 400),
                    )
                )
            return found

        return asks

    def of_value(world: Any) -> list[Any]:
        city = world.city.code
        return [
            ask(f"/api/{city}/rasters/elevation/value?lon=48.3558&lat=33.4878", everybody(200)),
            ask(f"/api/{city}/rasters/elevation/value", everybody(400)),
            ask(f"/api/{city}/rasters/nothing/value?lon=48.3558&lat=33.4878", everybody(404)),
            ask("/api/nowhere/rasters/elevation/value?lon=48.3558&lat=33.4878", everybody(404)),
        ]

    one = "ogc/collections/<str:identifier>"
    rasters = "tiles/<slug:city>/rasters/<slug:code>"
    return {
        one: of_layer(""),
        f"{one}/queryables": of_layer("/queryables"),
        f"{one}/schema": of_layer("/schema?f=html"),
        f"{one}/items": of_layer("/items?limit=5"),
        f"{one}/items/<str:number>": of_item,
        f"{one}/tiles": of_layer("/tiles", of_city=200),
        f"{one}/tiles/<str:matrix_set>": of_layer("/tiles/WebMercatorQuad?f=tilejson", of_city=200),
        f"{one}/tiles/<str:matrix_set>/<str:z>/<str:y>/<str:x>": of_layer("/tiles/WebMercatorQuad/{tile}", of_city=200),
        f"{one}/styles": of_layer("/styles", of_city=200),
        f"{one}/styles/default": of_layer("/styles/default", of_city=200),
        "ogc/tileMatrixSets": lambda _: [ask("/ogc/tileMatrixSets", everybody(200))],
        "ogc/tileMatrixSets/<str:name>": lambda _: [
            ask("/ogc/tileMatrixSets/WebMercatorQuad", everybody(200)),
            ask("/ogc/tileMatrixSets/nothing", everybody(404)),
        ],
        f"{rasters}.json": of_raster(".json"),
        f"{rasters}/legend.json": of_raster("/legend.json"),
        f"{rasters}/legend.html": of_raster("/legend.html"),
        f"{rasters}/<str:z>/<str:x>/<str:y>.png": of_raster("/{tile}.png"),
        "api/<slug:city>/rasters/<slug:code>/value": of_value,
    }


def _row_before_column(tile: str) -> str:
    z, x, y = tile.split("/")
    return f"{z}/{y}/{x}"
