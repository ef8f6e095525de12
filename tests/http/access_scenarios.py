"""Rows for the table of `test_access`: who may try changes to a city, and who gets what of its scenarios."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")
NUMBER = 999_999_999


def scenario_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def of_city(
        suffix: str, status: int, *, method: str = "GET", hidden: int | None = None
    ) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            def at(city: str) -> str:
                return f"/api/v1/cities/{city}/{suffix}"

            found = [
                ask(at(world.city.code), everybody(403, anonymous=401) | dict.fromkeys(INSIDERS, status), method),
                ask(at("nowhere"), everybody(404, anonymous=401), method),
            ]
            if world.hush:
                whole = everybody(404, anonymous=401, administrator=status if hidden is None else hidden)
                found.append(ask(at(world.hush["city"]), whole, method))
            return found

        return asks

    def of_scenario(suffix: str, method: str = "GET") -> Callable[[Any], list[Any]]:
        path = f"/api/v1/scenarios/{NUMBER}{suffix}"
        return lambda _: [ask(path, everybody(404, anonymous=401), method)]

    def form(suffix: str) -> Callable[[Any], list[Any]]:
        """Ask with a form instead of JSON; what the planner's JSON gets has tests of its own."""
        return of_city(suffix, 415, method="POST")

    city, one = "api/v1/cities/<slug:city>", "api/v1/scenarios/<int:number>"
    return {
        f"{city}/what-if": form("what-if"),
        f"{city}/facilities": of_city("facilities?service=castle", 404),
        f"{city}/scenarios": lambda world: [*of_city("scenarios", 200)(world), *form("scenarios")(world)],
        f"{city}/scenarios/compare": of_city("scenarios/compare", 400),
        one: of_scenario(""),
        f"{one}/what-if": of_scenario("/what-if"),
        f"{one}/archive": of_scenario("/archive", "POST"),
        f"{one}/restore": of_scenario("/restore", "POST"),
        f"{one}/draft": lambda _: [ask(f"/api/v1/scenarios/{NUMBER}/draft", everybody(405))],
    }
