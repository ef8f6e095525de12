"""Rows for the table of `test_access`: who has facilities sited, and who opens the plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")
MAKERS = ("analyst", "planner", "administrator")
LOGIN = ("anonymous",)
NUMBER = 999_999_999
ORDER = "00000000-0000-4000-8000-000000000000"


def siting_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """
    nowhere = everybody(404, anonymous=302)

    def insiders(status: int) -> dict[str, int]:
        return everybody(403, anonymous=302) | dict.fromkeys(INSIDERS, status)

    def of_page(world: Any) -> list[Any]:
        path = f"/{world.city.code}/siting/"
        makers = insiders(403) | dict.fromkeys(MAKERS, 400)
        found = [
            ask(path, insiders(200), to_login=LOGIN),
            ask(f"{path}?service=clinic&model=castle&page=2", insiders(200), to_login=LOGIN),
            ask(path, makers, "POST", {"service": "clinic", "sites": "0"}, to_login=LOGIN),
            ask(path, makers, "POST", {"service": "clinic", "model": "castle"}, to_login=LOGIN),
            ask("/nowhere/siting/", nowhere, to_login=LOGIN),
        ]
        if world.hush:
            found.append(ask(f"/{world.hush['city']}/siting/", nowhere | {"administrator": 200}, to_login=LOGIN))
        return found

    def of(suffix: str) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            path = f"/{world.city.code}/siting/{suffix}"
            return [
                ask(path, insiders(404), to_login=LOGIN),
                ask(path, insiders(404), "POST", {"name": "x"}, to_login=LOGIN),
                ask(f"/nowhere/siting/{suffix}", nowhere, to_login=LOGIN),
            ]

        return asks

    def of_file(name: str) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            return [
                ask(f"/{world.city.code}/siting/{NUMBER}/{name}", insiders(404), to_login=LOGIN),
                ask(f"/nowhere/siting/{NUMBER}/{name}", nowhere, to_login=LOGIN),
            ]

        return asks

    return {
        "<slug:city>/siting/": of_page,
        "<slug:city>/siting/<int:number>/": of(f"{NUMBER}/"),
        "<slug:city>/siting/<int:number>/export": of_file("export"),
        "<slug:city>/siting/<int:number>/sites.geojson": of_file("sites.geojson"),
        "<slug:city>/siting/orders/<uuid:key>/": of(f"orders/{ORDER}/"),
    }
