"""Rows for the table of `test_access`: who may take which layer out, and as what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")
PATTERN = "<slug:city>/layers/<slug:layer>/export/"


def export_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def of(suffix: str, *queries: tuple[str, int]) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            city = world.city.code
            found = [
                ask(f"/{city}/layers/clinic/export/{suffix}{query}", everybody(status)) for query, status in queries
            ]
            found += [
                ask(f"/{city}/layers/nothing/export/{suffix}", everybody(404)),
                ask(f"/nowhere/layers/clinic/export/{suffix}", everybody(404)),
            ]
            if world.hush:
                insiders = everybody(404) | dict.fromkeys(INSIDERS, 200)
                found += [
                    ask(f"/{city}/layers/{world.hush['layer']}/export/{suffix}", insiders),
                    ask(f"/{world.hush['city']}/layers/clinic/export/{suffix}", everybody(404)),
                ]
            return found

        return asks

    queries = (
        ("", 200),
        ("?format=csv&bare=1", 200),
        ("?format=geojson&bare=1&crs=4326", 200),
        ("?format=geojson&crs=32639", 400),
        ("?format=cog", 400),
        ("?format=csv&release=99", 404),
        ("?format=csv&crs=nothing", 400),
        ("?formt=csv", 400),
    )
    return {
        PATTERN: of("", *queries),
        f"{PATTERN}codebook.json": of("codebook.json", ("", 200), ("?format=shp&crs=32639", 200), ("?crs=7", 400)),
        f"{PATTERN}codebook.csv": of("codebook.csv", ("", 200), ("?release=99", 404)),
    }
