"""Rows for the table of `test_access`: who sees the form of settlements, and who keeps plans of paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")
KEEPERS = ("analyst", "planner", "administrator")
LOGIN = ("anonymous",)


def blocks_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def insiders(status: int, anonymous: int = 302) -> dict[str, int]:
        return everybody(403, anonymous=anonymous) | dict.fromkeys(INSIDERS, status)

    def keepers(status: int) -> dict[str, int]:
        return everybody(403, anonymous=302) | dict.fromkeys(KEEPERS, status)

    def hidden(world: Any, suffix: str, anonymous: int = 302) -> list[Any]:
        nobody = everybody(404, anonymous=anonymous)
        login = LOGIN if anonymous == 302 else ()
        found = [ask(f"{suffix.format(city='nowhere')}", nobody, to_login=login)]
        if world.hush:
            found.append(ask(suffix.format(city=world.hush["city"]), nobody, to_login=login))
        return found

    def of_city(world: Any) -> list[Any]:
        path = f"/{world.city.code}/blocks/"
        return [
            ask(path, insiders(200), to_login=LOGIN),
            ask(f"{path}?kind=&marks=3", insiders(200), to_login=LOGIN),
            ask(f"{path}?narrowest=castle", insiders(400), to_login=LOGIN),
            ask(f"{path}?kind=castle", insiders(400), to_login=LOGIN),
            ask(path, keepers(404), "POST", {"place": "castle"}, to_login=LOGIN),
            *hidden(world, "/{city}/blocks/"),
        ]

    def of_place(world: Any) -> list[Any]:
        path = f"/{world.city.code}/{world.quarter.code}/blocks/"
        return [
            ask(path, insiders(200), to_login=LOGIN),
            ask(f"{path}?width=castle", insiders(400), to_login=LOGIN),
            ask(f"{path}?plan=999999999", insiders(404), to_login=LOGIN),
            ask(path, keepers(400), "POST", {"do": "keep", "name": "", "pieces": ""}, to_login=LOGIN),
            ask(f"/{world.city.code}/castle/blocks/", insiders(404), to_login=LOGIN),
            *hidden(world, "/{city}/castle/blocks/"),
        ]

    def of_city_workbook(world: Any) -> list[Any]:
        path = f"/{world.city.code}/blocks/export"
        return [
            ask(path, insiders(200), to_login=LOGIN),
            ask(f"{path}?narrowest=castle", insiders(400), to_login=LOGIN),
            ask(f"{path}?kind=castle", insiders(400), to_login=LOGIN),
            *hidden(world, "/{city}/blocks/export"),
        ]

    def of_place_workbook(world: Any) -> list[Any]:
        path = f"/{world.city.code}/{world.quarter.code}/blocks/export"
        return [
            ask(path, insiders(200), to_login=LOGIN),
            ask(f"{path}?share=castle", insiders(400), to_login=LOGIN),
            ask(f"/{world.city.code}/castle/blocks/export", insiders(404), to_login=LOGIN),
            *hidden(world, "/{city}/castle/blocks/export"),
        ]

    def of_plan(world: Any) -> list[Any]:
        path = f"/{world.city.code}/{world.quarter.code}/blocks/plans/999999999.geojson"
        return [
            ask(path, insiders(404), to_login=LOGIN),
            *hidden(world, "/{city}/castle/blocks/plans/1.geojson"),
        ]

    def of_map(world: Any) -> list[Any]:
        at = f"/api/v1/cities/{world.city.code}/places"
        return [
            ask(f"{at}/{world.quarter.code}/blocks/map", insiders(200, 401)),
            ask(f"{at}/{world.quarter.code}/blocks/map?narrowest=x", insiders(400, 401)),
            ask(f"{at}/castle/blocks/map", insiders(404, 401)),
            *hidden(world, "/api/v1/cities/{city}/places/castle/blocks/map", 401),
        ]

    def of_recount(world: Any) -> list[Any]:
        at = f"/api/v1/cities/{world.city.code}/places"
        return [
            # A form is no JSON; who may ask is looked at before.
            ask(f"{at}/{world.quarter.code}/blocks/recount", insiders(415, 401), "POST"),
            ask("/api/v1/cities/nowhere/places/castle/blocks/recount", everybody(404, anonymous=401), "POST"),
        ]

    return {
        "<slug:city>/blocks/": of_city,
        "<slug:city>/blocks/export": of_city_workbook,
        "<slug:city>/<slug:place>/blocks/": of_place,
        "<slug:city>/<slug:place>/blocks/export": of_place_workbook,
        "<slug:city>/<slug:place>/blocks/plans/<int:number>.geojson": of_plan,
        "api/v1/cities/<slug:city>/places/<slug:place>/blocks/map": of_map,
        "api/v1/cities/<slug:city>/places/<slug:place>/blocks/recount": of_recount,
    }
