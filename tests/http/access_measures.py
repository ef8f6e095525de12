"""Rows for the table of `test_access`: who is told the measures of a city."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

ASKED = {
    "coverage": ("?service=castle", 404),
    "access": ("?service=clinic", 200),
    "land": ("?service=clinic", 400),
    "equity": ("?service=clinic", 200),
    "curves": ("?service=clinic&steps=2", 200),
    "groups": ("", 400),
    "utility": ("?of=castle", 404),
    "frequency": ("?service=clinic", 400),
    "isochrone": ("?limit=100", 400),
    "nearest": ("", 400),
}
"""For each measure a question that is quickly answered, and the status that whoever may see the city gets."""


def measure_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def of_city(measure: str, query: str, status: int) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            found = [
                ask(f"/api/v1/cities/{world.city.code}/{measure}{query}", everybody(status)),
                ask(f"/api/v1/cities/nowhere/{measure}{query}", everybody(404)),
            ]
            if world.hush:
                hidden = 404 if "clinic" in query else status  # the hidden city has no clinics
                path = f"/api/v1/cities/{world.hush['city']}/{measure}{query}"
                found.append(ask(path, everybody(404, administrator=hidden)))
            return found

        return asks

    return {
        f"api/v1/cities/<slug:city>/{measure}": of_city(measure, query, status)
        for measure, (query, status) in ASKED.items()
    }
