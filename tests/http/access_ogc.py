"""Rows for the table of `test_access`: who sees what of the OGC API – Features service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")


def ogc_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """
    root = "/ogc/collections/boundaries"

    def seen(*paths: str) -> Callable[[Any], list[Any]]:
        return lambda _: [ask(path, everybody(200)) for path in paths]

    def of_items(world: Any) -> list[Any]:
        items = f"{root}/items"
        found = [
            ask(f"{items}{query}", everybody(200))
            for query in (
                "", "?limit=1000", "?f=html&limit=1000", "?status=draft", "?status=proposed&limit=1000", "?status=withdrawn&f=html",
                "?datetime=../..&limit=1000", "?filter=status <> 'approved'", "?filter=S_INTERSECTS(geometry, BBOX(-180,-90,180,90))",
                f"?city={world.city.code}", "?kind=settlement", "?crs=http://www.opengis.net/def/crs/EPSG/0/4326",
            )
        ]  # fmt: skip
        found += [
            ask(f"{items}?nothing=1", everybody(400)),
            ask(f"{items}?filter=author_id = 1", everybody(400)),
            ask(
                items, everybody(415, anonymous=401), "POST", {"code": "x"}
            ),  # a form; the planner's JSON has tests of its own
        ]
        if world.hush:
            found.append(ask(f"{items}?city={world.hush['city']}", everybody(200)))
            found.append(ask(f"{items}?code={world.hush['place']}", everybody(200)))
        return found

    def of_item(world: Any) -> list[Any]:
        def path(*codes: str) -> str:
            return f"{root}/items/" + ".".join(codes)

        city = world.city.path.replace("/", ".")
        found = [
            ask(path(world.quarter.path.replace("/", ".")), everybody(200)),
            ask(path(city) + "?f=html", everybody(200)),
            ask(path(city, "nothing"), everybody(404)),
            ask(path(city) + "@1", everybody(404)),
        ]
        if world.hush:
            outer = city.rpartition(".")[0]
            found += [
                ask(path(city, world.hush["place"]), everybody(404) | dict.fromkeys(INSIDERS, 200)),
                ask(path(city, world.hush["place"]) + "?f=html", everybody(404) | dict.fromkeys(INSIDERS, 200)),
                ask(path(outer, world.hush["city"], world.hush["quarter"]), everybody(404, administrator=200)),
            ]
        return found

    return {
        "ogc/": seen("/ogc/", "/ogc/?f=html"),
        "ogc/api": seen("/ogc/api", "/ogc/api?f=html"),
        "ogc/conformance": seen("/ogc/conformance", "/ogc/conformance?f=html"),
        "ogc/collections": seen("/ogc/collections", "/ogc/collections?f=html"),
        "ogc/collections/boundaries": seen(root, f"{root}?f=html"),
        "ogc/collections/boundaries/queryables": seen(f"{root}/queryables", f"{root}/queryables?f=html"),
        "ogc/collections/boundaries/schema": seen(f"{root}/schema", f"{root}/schema?f=html"),
        "ogc/collections/boundaries/items": of_items,
        "ogc/collections/boundaries/items/<str:identifier>": of_item,
        "ogc/<path:rest>": lambda _: [ask("/ogc/collections/anything", everybody(404))],
    }
