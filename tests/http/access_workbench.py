"""Rows for the table of `test_access`: who may open the workbench, and who gets what of its JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

DRAWERS = ("planner", "administrator")
NUMBER = 999_999_999


def workbench_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def drawers(status: int, otherwise: int = 403) -> dict[str, int]:
        return everybody(otherwise, anonymous=401) | dict.fromkeys(DRAWERS, status)

    def of_city(
        suffix: str, status: int, *, method: str = "GET", hidden: int | None = None
    ) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            def at(city: str) -> str:
                return f"/api/v1/cities/{city}/{suffix}"

            found = [
                ask(at(world.city.code), drawers(status), method),
                ask(at("nowhere"), everybody(404, anonymous=401), method),
            ]
            if world.hush:
                whole = everybody(404, anonymous=401, administrator=status if hidden is None else hidden)
                found.append(ask(at(world.hush["city"]), whole, method))
            if method == "POST" and suffix != "topology":
                found.append(ask(at(world.city.code), everybody(405)))
            return found

        return asks

    def of_partition(world: Any) -> list[Any]:
        path = f"/api/v1/cities/{world.city.code}/partition"
        found = [
            ask(path, everybody(200)),
            ask(f"{path}?as_of=2021-06-01", everybody(200)),
            ask(f"{path}?change_set={NUMBER}", everybody(404)),
            ask("/api/v1/cities/nowhere/partition", everybody(404)),
        ]
        if world.hush:
            found.append(
                ask(f"/api/v1/cities/{world.hush['city']}/partition", everybody(404, administrator=200)),
            )
        return found

    def of_layer(world: Any) -> list[Any]:
        centre = world.quarter.boundaries.current().get().geometry.point_on_surface
        at = f"shape?lon={centre.x}&lat={centre.y}"
        path = f"/api/v1/cities/{world.city.code}/layers"
        found = [
            ask(f"{path}/roads/{at}", drawers(400)),
            ask(f"{path}/nothing/{at}", drawers(404)),
            ask(f"{path}/roads/shape", drawers(400, otherwise=400)),
        ]
        if world.hush:
            found += [
                ask(f"{path}/{world.hush['layer']}/{at}", drawers(200)),
                ask(
                    f"/api/v1/cities/{world.hush['city']}/layers/{world.hush['open']}/{at}",
                    everybody(404, anonymous=401, administrator=200),
                ),
            ]
        return found

    def of_page(world: Any) -> list[Any]:
        def page(city: str, status: dict[str, int]) -> Any:
            return ask(f"/{city}/edit/", status | {"anonymous": 302}, to_login=("anonymous",))

        found = [
            page(world.city.code, everybody(403) | dict.fromkeys(DRAWERS, 200)),
            page("nowhere", everybody(404)),
        ]
        if world.hush:
            found.append(page(world.hush["city"], everybody(404, administrator=200)))
        return found

    def of_set(suffix: str, method: str = "GET") -> Callable[[Any], list[Any]]:
        path = f"/api/v1/change-sets/{NUMBER}{suffix}"
        return lambda _: [ask(path, everybody(404, anonymous=401), method)]

    def form(suffix: str) -> Callable[[Any], list[Any]]:
        """Ask with a form instead of JSON; what the planner's JSON gets has tests of its own."""
        return of_city(suffix, 415, method="POST")

    city, one = "api/v1/cities/<slug:city>", "api/v1/change-sets/<int:number>"
    return {
        "<slug:city>/edit/": of_page,
        "api/v1/": lambda _: [ask("/api/v1/", everybody(404))],
        "api/v1/openapi.json": lambda _: [ask("/api/v1/openapi.json", everybody(200))],
        "api/v1/<path:rest>": lambda _: [ask("/api/v1/anything/else", everybody(404))],
        f"{city}/partition": of_partition,
        f"{city}/readout": form("readout"),
        f"{city}/topology": lambda world: [*of_city("topology", 200)(world), *form("topology")(world)],
        f"{city}/repair": form("repair"),
        f"{city}/layers/<slug:code>/shape": of_layer,
        f"{city}/trace": of_city("trace", 400, method="POST"),
        f"{city}/working-copy": of_city("working-copy", 204),
        f"{city}/presence": lambda world: [ask(f"/api/v1/cities/{world.city.code}/presence", everybody(405))],
        f"{city}/change-sets": form("change-sets"),
        one: of_set(""),
        f"{one}/diff": of_set("/diff"),
        **{
            f"{one}/{step}": of_set(f"/{step}", "POST")
            for step in ("propose", "approve", "return", "withdraw", "restore")
        },
    }
